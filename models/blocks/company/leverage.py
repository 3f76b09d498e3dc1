"""TRE: what is issued goes into the cheapest blocks of leverage that debt outstanding leaves free."""

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

    ``standing_usd_m`` is the corporate debt of the opening still outstanding at each node, ``retired`` the
    part of it that was bought back by then. A deal may use a block only where debt outstanding leaves it
    open, and what is open is no convex matter: a binary says it, where the data do not.
    """
    bounds = sorted({x.bound_usd_m for x in issues if isfinite(x.bound_usd_m)})
    places = [
        (j, n)
        for j, bound in enumerate(bounds)
        for n in tree.nodes
        if any(x.node == n and x.bound_usd_m <= bound for x in issues)
    ]
    most = {n: _most_outstanding(tree, n, standing_usd_m, issues) for n in {n for _, n in places}}
    least = {n: float(standing_usd_m[n]) if not retired[n].variables else 0.0 for n in most}
    undecided = [(j, n) for j, n in places if least[n] < bounds[j] < most[n]]
    b.is_open = pyo.Var(undecided, domain=pyo.Binary, doc="debt outstanding leaves room below the bound")

    def placed(j: int, n: int) -> list[Issue]:
        return [x for x in issues if x.node == n and x.bound_usd_m <= bounds[j]]

    @b.Constraint(places, doc="TRE-13 issued up to a bound of leverage, on top of debt outstanding [$M]")
    def within_block(b, j, n):
        new = total(term(x.variable) for x in placed(j, n))
        if least[n] >= bounds[j]:
            return at_most(new, 0.0)
        stacked = new + outstanding(tree, n, standing_usd_m, retired, issues)
        excess = max(0.0, most[n] - bounds[j])
        if (j, n) in b.is_open:
            return at_most(stacked + term(b.is_open[j, n], excess), bounds[j] + excess)
        return at_most(stacked, bounds[j])

    @b.Constraint(undecided, doc="TRE-13 nothing issued in a block that debt outstanding fills [$M]")
    def only_open_blocks(b, j, n):
        new = total(term(x.variable) for x in placed(j, n))
        room = min(sum(x.most_usd_m for x in placed(j, n)), bounds[j] - least[n])
        return at_most(new, term(b.is_open[j, n], room))


def outstanding(
    tree: TimeTree, n: int, standing_usd_m: Array, retired: list[Linear], issues: Sequence[Issue]
) -> Linear:
    """Corporate debt at the end of a node's quarter: all but what is issued at the node in blocks. [$M]"""
    path = set(tree.path(n))
    found = Linear(constant=float(standing_usd_m[n])) - retired[n]
    for x in issues:
        if x.node in path and (x.node != n or not isfinite(x.bound_usd_m)):
            found.add(float(x.outstanding[n]), x.variable)
    return found


def _most_outstanding(tree: TimeTree, n: int, standing_usd_m: Array, issues: Sequence[Issue]) -> float:
    """Bound on the same, whatever is decided. [$M]

    Each deal at its largest; or, as no deal passes the last bound, that bound with what needs no block.
    """
    path = tree.path(n)
    before = [x for x in issues if x.node in path and (x.node != n or not isfinite(x.bound_usd_m))]
    by_deal: dict[tuple[int, int], float] = {}
    free = 0.0
    for x in before:
        size = x.most_usd_m * float(x.outstanding[n])
        if isfinite(x.bound_usd_m):
            deal = (x.node, id(x.variable.parent_component()))
            by_deal[deal] = max(by_deal.get(deal, 0.0), size)
        else:
            free += size
    raw = float(standing_usd_m[n]) + free + sum(by_deal.values())
    last = max((x.bound_usd_m for x in before if isfinite(x.bound_usd_m)), default=0.0)
    rise = float(standing_usd_m[n]) - min(float(standing_usd_m[m]) for m in path)
    return min(raw, max(float(standing_usd_m[n]), last + rise) + free)
