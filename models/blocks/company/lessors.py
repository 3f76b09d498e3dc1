"""LSE: what lessors of GPUs lend at a time, over all sites."""

from collections.abc import Sequence

import pyomo.environ as pyo

from models.blocks.linear import Linear, at_most
from models.blocks.ports import BorrowerPorts
from models.domain.equipment import VendorLease
from models.timetree import TimeTree


def add_lessors(
    b: pyo.Block, tree: TimeTree, offered: Sequence[VendorLease], borrowers: Sequence[BorrowerPorts]
) -> None:
    """The limit of each lessor. Maths: docs/program.md, LSE-2."""
    terms = {x.lease: x for x in offered}
    leased = [x for p in borrowers for s in p.sites for x in s.leased]

    @b.Constraint(list(terms), tree.nodes, doc="LSE-2 owed to a lessor within its limit [$M]")
    def within_limit(b, name, n):
        owed = Linear()
        for x in leased:
            if x.terms.lease == name:
                owed.add(x.balance[n], x.variable)
        return at_most(owed, terms[name].max_usd_m)
