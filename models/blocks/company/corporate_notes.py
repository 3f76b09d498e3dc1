"""TRE: straight notes of the company, sold in open windows at a coupon fixed at the issue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, recent, term, total
from models.blocks.ports import DebtUse, Issue
from models.domain.company import Company
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.params.corporate_debt import BondArrays, BondOffer
from models.params.outlook import Outlook


@dataclass(frozen=True, eq=False)
class BondPorts:
    """What was issued by block of leverage, and the repayments that raised money may pay for."""

    issues: Sequence[Issue]
    deals: Mapping[tuple[str, int], Any]
    uses: Sequence[DebtUse]


def add_corporate_notes(
    b: pyo.Block, outlook: Outlook, firm: Company, offers: Sequence[BondOffer], books: Books
) -> BondPorts:
    """Deals, drawn whole and repaid at maturity. Maths: docs/program.md, section 7a, TRE-11, TRE-12."""
    tree = outlook.tree
    by_name = {o.instrument.instrument: o for o in offers}
    keys = [(i, n) for i, o in by_name.items() for n in o.nodes]
    placed = [(i, n, block) for i, o in by_name.items() for n, block in o.bonds]
    b.issued_usd_m = pyo.Var(placed, domain=pyo.NonNegativeReals, doc="principal by block of leverage [$M]")
    b.is_issued = pyo.Var(keys, domain=pyo.Binary, doc="deal launched")

    def largest(i: str, n: int) -> float:
        t = by_name[i].instrument
        cap = t.max_frac_of_market_cap * float(outlook.share_price_usd[n]) * firm.basic_shares_m
        return min(t.max_usd_m, cap)

    def size(i: str, n: int) -> Linear:
        return total(term(b.issued_usd_m[i, n, block]) for m, block in by_name[i].bonds if m == n)

    @b.Constraint(keys, doc="TRE-11 notes at most their limit and their share of market cap [$M]")
    def notes_at_most(b, i, n):
        return at_most(size(i, n), term(b.is_issued[i, n], largest(i, n)))

    @b.Constraint(keys, doc="TRE-11 notes at least the minimum size [$M]")
    def notes_at_least(b, i, n):
        return at_most(term(b.is_issued[i, n], by_name[i].instrument.min_usd_m), size(i, n))

    @b.Constraint(sorted({n for _, n in keys}), doc="TRE-12 deals in notes keep their spacing [-]")
    def notes_spaced(b, n):
        deals = Linear()
        for i, o in by_name.items():
            for m in recent(o.nodes, tree.parent, n, o.instrument.once_every_q):
                deals.add(1.0, b.is_issued[i, m])
        return at_most(deals, 1.0)

    most_at = {n: max(largest(j, m) for j, m in keys if m == n) for _, n in keys}
    for i, n, block in placed:
        bond, variable = by_name[i].bonds[n, block], b.issued_usd_m[i, n, block]
        books.limit(variable, ("notes", n), 1.0, most_at[n])
        books.decide(Quantity.NOTES, n, variable, item=i, since=block)
        _post(bond, by_name[i].net_frac, variable, outlook, books)
    bonds = {key: by_name[key[0]].bonds[key[1:]] for key in placed}
    return BondPorts(
        issues=[
            Issue(n, bond.step.bound_usd_m, b.issued_usd_m[i, n, block], bond.outstanding)
            for (i, n, block), bond in bonds.items()
        ],
        deals={(i, n): b.is_issued[i, n] for i, n in keys},
        uses=[DebtUse(key[1], b.issued_usd_m[key], bond.principal) for key, bond in bonds.items()],
    )


def _post(bond: BondArrays, net_frac: float, variable, outlook: Outlook, books: Books) -> None:
    proceeds = np.zeros(len(outlook.tree.nodes))
    proceeds[bond.issue] = net_frac
    books.post(CashLine.NOTES_PROCEEDS, variable, proceeds)
    books.post(CashLine.NOTES_INTEREST, variable, -bond.interest)
    books.post(CashLine.NOTES_PRINCIPAL, variable, -bond.principal)
    for what in (Tally.DEBT, Tally.RECOURSE):
        books.tally(what, variable, bond.outstanding)
    for what in (Tally.INTEREST, Tally.RECOURSE_INTEREST):
        books.tally(what, variable, bond.interest)
    books.tally(Tally.DUE, variable, bond.due)
    for leaf in outlook.tree.leaves_below(bond.issue):
        books.worth(ValueLine.CORPORATE_DEBT, leaf, -bond.outstanding[leaf], variable)
