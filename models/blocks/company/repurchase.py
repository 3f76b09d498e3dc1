"""TRE: existing convertibles bought back before their time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, by_node, term
from models.blocks.ports import DebtUse
from models.domain.ledger import CashLine, Quantity
from models.params.corporate_debt import RepurchaseOffer
from models.timetree import TimeTree


@dataclass(frozen=True, eq=False)
class RepurchasePorts:
    """Fractions of tranches bought back, what is outstanding less for it, and what that frees."""

    bought: Sequence[tuple[Any, RepurchaseOffer, int]]
    retired_usd_m: list[Linear]
    """Principal expected to be outstanding less, by node."""
    uses: Sequence[DebtUse]


def add_repurchases(
    b: pyo.Block, tree: TimeTree, offers: Sequence[RepurchaseOffer], books: Books
) -> RepurchasePorts:
    """Parts of a tranche bought after the events of a quarter. Maths: section 7b, TRE-17, TRE-18."""
    by_name: Mapping[str, RepurchaseOffer] = {o.instrument.instrument: o for o in offers}
    keys = [(i, n) for i, o in by_name.items() for n in o.price_usd_m]
    b.bought_frac = pyo.Var(keys, domain=pyo.NonNegativeReals, doc="part of the tranche bought back")
    tranches = sorted({o.instrument.tranche or "" for o in offers})

    @b.Constraint(tranches, tree.leaves, doc="TRE-17 a tranche is bought back at most once [fraction]")
    def bought_once(b, tranche, leaf):
        path, found = set(tree.path(leaf)), Linear()
        for i, n in keys:
            if by_name[i].instrument.tranche == tranche and n in path:
                found.add(1.0, b.bought_frac[i, n])
        return at_most(found, 1.0)

    @b.Constraint(keys, doc="TRE-18 paid for notes bought back in a quarter within the limit [$M]")
    def paid_within_limit(b, i, n):
        return at_most(term(b.bought_frac[i, n], by_name[i].price_usd_m[n]), by_name[i].instrument.max_usd_m)

    for i, n in keys:
        _post(by_name[i], n, b.bought_frac[i, n], tree, books)
    size = len(tree.nodes)
    gone = [
        (b.bought_frac[i, n], by_name[i].retired[n].outstanding * by_name[i].retired[n].principal_usd_m)
        for i, n in keys
    ]
    return RepurchasePorts(
        bought=[(b.bought_frac[i, n], by_name[i], n) for i, n in keys],
        retired_usd_m=by_node(gone, size),
        uses=[DebtUse(n, b.bought_frac[i, n], _use(by_name[i], n)) for i, n in keys],
    )


def _post(o: RepurchaseOffer, n: int, variable: Any, tree: TimeTree, books: Books) -> None:
    saved = o.retired[n]
    size, paid = saved.principal_usd_m, np.zeros(len(tree.nodes))
    paid[n] = o.price_usd_m[n]
    books.decide(Quantity.REPURCHASE, n, variable, item=o.instrument.instrument)
    books.post(CashLine.REPURCHASE, variable, -paid)
    books.post(CashLine.CONVERT_COUPON, variable, size * saved.coupon)
    books.post(CashLine.CONVERT_PRINCIPAL, variable, size * saved.principal)
    books.limit(variable, ("bought", o.instrument.tranche), 1.0, 1.0)
    for what, gone in (
        (Tally.DEBT, saved.outstanding),
        (Tally.RECOURSE, saved.outstanding),
        (Tally.INTEREST, saved.coupon),
        (Tally.RECOURSE_INTEREST, saved.coupon),
        (Tally.WALL, saved.wall),
        (Tally.DUE, saved.due),
    ):
        books.tally(what, variable, -size * gone)


def _use(o: RepurchaseOffer, n: int) -> np.ndarray:
    """The price, less the coupons and principal that raised money need no longer pay."""
    saved = o.retired[n]
    use = -saved.principal_usd_m * (saved.coupon + saved.principal)
    use[n] += o.price_usd_m[n]
    return use
