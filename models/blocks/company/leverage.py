"""TRE: what is issued takes room in blocks of leverage, and gives it back when it is repaid."""

from collections.abc import Sequence
from math import isfinite

import pyomo.environ as pyo

from models.blocks.linear import Linear, at_most, term, total
from models.blocks.ports import Array, Issue
from models.timetree import TimeTree


def add_leverage(
    b: pyo.Block, tree: TimeTree, standing_usd_m: Array, retired: list[Linear], issues: Sequence[Issue]
) -> None:
    """Room in the blocks of leverage, deal by deal. Maths: docs/program.md, section 7a, TRE-13.

    ``standing_usd_m`` is the corporate debt of the opening that takes room at each node, never rising along
    a path; ``retired`` the part of it that was bought back by then.
    """
    bounds = sorted({x.bound_usd_m for x in issues if isfinite(x.bound_usd_m)})
    places = [
        (j, n)
        for j, bound in enumerate(bounds)
        for n in tree.nodes
        if any(x.node == n and x.bound_usd_m <= bound for x in issues)
    ]

    @b.Constraint(places, doc="TRE-13 issued in blocks of leverage up to a bound, on top of what stands [$M]")
    def within_block(b, j, n):
        inside = [x for x in issues if x.bound_usd_m <= bounds[j]]
        new = total(term(x.variable) for x in inside if x.node == n)
        room = bounds[j] - float(standing_usd_m[n])
        if room <= 0.0:
            return at_most(new, 0.0)
        before = [x for x in inside if x.node != n and x.node in tree.path(n) and x.outstanding[n]]
        held = total(term(x.variable, float(x.outstanding[n])) for x in before)
        return at_most(new + held - retired[n], room)
