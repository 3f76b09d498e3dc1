"""SIT: sites bought and sold whole, and what may happen only where a site is ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most
from models.blocks.ports import Tenure
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.site import Site
from models.params.ownership import Ownership
from models.timetree import TimeTree

Array = NDArray[np.float64]


def add_ownership(b: pyo.Block, tree: TimeTree, site: Site, o: Ownership, books: Books) -> Tenure:
    """Purchase and sale of a site. Maths: docs/program.md, section 15, SIT-1, SIT-2."""
    b.bought = pyo.Var(list(o.buys), domain=pyo.Binary, doc="the site is bought here")
    b.sold = pyo.Var(list(o.sales), domain=pyo.Binary, doc="the site is sold here")
    trades = []
    for n in o.buys:
        books.decide(Quantity.BUY_SITE, n, b.bought[n], site=site.site)
        _pay(tree, site, n, o.purchase_usd_m, b.bought[n], books)
        trades.append((n, b.bought[n], o.after(n, tree) + _at(tree, n)))
    for n in o.sales:
        books.decide(Quantity.SELL_SITE, n, b.sold[n], site=site.site)
        books.post(CashLine.SITE_SALE, b.sold[n], o.sale_usd_m * _at(tree, n))
        trades.append((n, b.sold[n], -o.after(n, tree)))
    _pay_agreed(tree, site, o, books)

    def once(variables: Mapping[int, Any], leaf: int) -> Any:
        found = Linear()
        for n in tree.path(leaf):
            if n in variables:
                found.add(1.0, variables[n])
        return at_most(found, 1.0)

    @b.Constraint(tree.leaves if o.buys else (), doc="SIT-1 a site is bought at most once on each path [-]")
    def bought_once(b, leaf):
        return once(b.bought, leaf)

    @b.Constraint(tree.leaves if o.sales else (), doc="SIT-2 a site is sold at most once on each path [-]")
    def sold_once(b, leaf):
        return once(b.sold, leaf)

    return Tenure(o.standing, tuple(trades), site.is_owned)


def _at(tree: TimeTree, n: int) -> Array:
    mark = np.zeros(len(tree.nodes))
    mark[n] = 1.0
    return mark


def _pay(tree: TimeTree, site: Site, n: int, price_usd_m: float, variable: Any, books: Books) -> None:
    price = price_usd_m * _at(tree, n)
    books.post(CashLine.SITE_PURCHASE, variable, -price)
    books.spend(site.site, variable, price)


def _pay_agreed(tree: TimeTree, site: Site, o: Ownership, books: Books) -> None:
    """A purchase that is agreed: own spend when it falls due, and until then still to come."""
    books.post_constant(CashLine.SITE_PURCHASE, -o.due_usd_m)
    books.tally_constant(Tally.OWN_NEED, o.due_usd_m, site.site)
    books.tally_constant(Tally.GROSS_SPEND, o.due_usd_m, site.site)
    to_come = np.zeros(len(tree.nodes))
    if site.state == "pending":
        to_come = o.purchase_usd_m * (1.0 - o.standing)
    books.tally_constant(Tally.REMAINING_OWN, to_come)
    for leaf in tree.leaves:
        books.worth_constant(ValueLine.REMAINING_SPEND, leaf, -float(to_come[leaf]))


@dataclass(frozen=True, eq=False)
class Placed:
    """What is begun or signed at a site: counts by node, and the most of them on a path."""

    counts: Sequence[tuple[int, Any, float]]
    """Node, variable, weight."""
    most: float


def add_place(
    b: pyo.Block,
    tree: TimeTree,
    o: Ownership,
    ours: Tenure,
    placed: Sequence[Placed],
    machines_mw: Sequence[Linear],
    most_mw: float,
) -> None:
    """What may be only at a site that is ours. Maths: docs/program.md, section 15, SIT-3, SIT-4.

    ``machines_mw`` is the gross load of all machines that stand at the site, ``most_mw`` its limit.
    """
    if o.is_given:
        return
    below = [set(tree.descendants(n)) for n in tree.nodes]

    def up_to(what: Placed, n: int) -> Linear:
        result = Linear()
        for m, variable, weight in what.counts:
            if n in below[m]:
                result.add(weight, variable)
        return result

    rows = [
        (i, n)
        for i, what in enumerate(placed)
        if what.counts
        for n in (tree.leaves if o.sales else sorted({m for m, _, _ in what.counts}))
        if o.sales or not o.standing[n]
    ]

    @b.Constraint(rows, doc="SIT-3 begun and signed only at a site that is ours and stays it [as counted]")
    def begun_where_ours(b, i, n):
        return at_most(up_to(placed[i], n), ours.at(n) * placed[i].most)

    standing = [n for n in tree.nodes if machines_mw[n].variables]

    @b.Constraint(standing, doc="SIT-4 machines stand only at a site that is ours [gross MW]")
    def machines_where_ours(b, n):
        return at_most(machines_mw[n], ours.at(n) * most_mw)
