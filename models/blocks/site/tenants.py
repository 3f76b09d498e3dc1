"""TEN: offers and options signed at a site, and the modules that only a signature allows."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyomo.environ as pyo

from models.blocks.books import Books
from models.blocks.linear import Linear, at_most
from models.blocks.ports import Begun
from models.domain.contract import Contract
from models.domain.ledger import Quantity
from models.domain.site import Site
from models.timetree import TimeTree


def add_tenants(
    b: pyo.Block,
    tree: TimeTree,
    site: Site,
    contracts: Sequence[Contract],
    begun: Sequence[Begun],
    books: Books,
) -> Mapping[tuple[str, int], Any]:
    """Signatures by offer and node. Maths: docs/program.md, TEN-1 ... TEN-3."""
    offers = {x.route.terms.contract.contract: x.route.terms.contract for x in begun}
    offers = {name: c for name, c in offers.items() if c.signable}
    b.signed = pyo.Var(
        [(o, n) for o, c in offers.items() for n in signing_nodes(c, tree)],
        domain=pyo.Binary,
        doc="offer signed here",
    )
    for o, n in b.signed:
        books.decide(Quantity.SIGN, n, b.signed[o, n], site=site.site, contract=o)
    below = [set(tree.descendants(n)) for n in tree.nodes]

    def begun_mw(o: str, n: int) -> Linear:
        result = Linear()
        for x in begun:
            if x.route.terms.contract.contract == o and n in below[x.node]:
                result.add(x.route.module_mw, x.count)
        return result

    def signed_mw(o: str, n: int, mw: float) -> Linear:
        result = Linear()
        for m in signing_nodes(offers[o], tree):
            if n in below[m]:
                result.add(mw, b.signed[o, m])
        return result

    starts = sorted(
        {
            (x.route.terms.contract.contract, x.node)
            for x in begun
            if x.route.terms.contract.contract in offers
        }
    )

    @b.Constraint(starts, doc="TEN-1 modules only after the signature and up to its maximum [MW]")
    def begun_after_signing(b, o, n):
        return at_most(begun_mw(o, n), signed_mw(o, n, offers[o].max_mw))

    checks = [(o, n) for o, c in offers.items() for n in deadline_nodes(c, tree)]

    @b.Constraint(checks, doc="TEN-2 minimum live by the deadline [MW]")
    def minimum_by_deadline(b, o, n):
        return at_most(signed_mw(o, n, offers[o].min_mw), begun_mw(o, n))

    granted_by_plan = {c.contract for c in contracts if c.signable}
    exercises = [
        (o, n) for o, c in offers.items() if c.option_of in granted_by_plan for n in signing_nodes(c, tree)
    ]

    @b.Constraint(exercises, doc="TEN-3 an option only where its contract is signed [signatures]")
    def exercised_after_signing(b, o, n):
        parent = offers[o].option_of
        granted = signed_mw(parent, n, 1.0) if parent in offers else Linear()
        return at_most(signed_mw(o, n, 1.0), granted)

    return {(o, n): b.signed[o, n] for o, n in b.signed}


def signing_nodes(c: Contract, tree: TimeTree) -> tuple[int, ...]:
    """Nodes within the signing window."""
    assert c.sign_from_quarter is not None
    assert c.sign_by_quarter is not None
    return tuple(n for n in tree.nodes if c.sign_from_quarter <= tree.quarter(n) <= c.sign_by_quarter)


def deadline_nodes(c: Contract, tree: TimeTree) -> tuple[int, ...]:
    """Nodes of the deadline quarter; the leaves if it lies beyond the horizon or is not stated."""
    nodes = tuple(n for n in tree.nodes if tree.quarter(n) == c.deadline_quarter)
    return nodes or tree.leaves
