"""CVT: new convertible notes, and the expected cash of all notes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, recent, term
from models.domain.company import Company
from models.domain.ledger import CashLine, Quantity
from models.params.notes import NoteArrays, NoteOffer
from models.params.outlook import Outlook


@dataclass(frozen=True, eq=False)
class NotePorts:
    """Principal issued and the deals that were marketed, by instrument and node."""

    issued: Mapping[tuple[str, int], tuple[Any, NoteArrays]]
    deals: Mapping[tuple[str, int], Any]
    net_frac: Mapping[str, float]


def add_convertibles(
    b: pyo.Block,
    outlook: Outlook,
    firm: Company,
    existing: Sequence[NoteArrays],
    offers: Sequence[NoteOffer],
    books: Books,
) -> NotePorts:
    """Issues in open windows. Maths: docs/program.md, section 7, CVT-1, CVT-2."""
    tree = outlook.tree
    by_name = {o.instrument.instrument: o for o in offers}
    keys = [(i, n) for i, o in by_name.items() for n in o.notes]
    b.issued_usd_m = pyo.Var(keys, domain=pyo.NonNegativeReals, doc="principal issued [$M]")
    b.is_issued = pyo.Var(keys, domain=pyo.Binary, doc="deal launched")

    def largest(i: str, n: int) -> float:
        terms = by_name[i].instrument
        return min(
            terms.max_usd_m,
            terms.max_frac_of_market_cap * float(outlook.share_price_usd[n]) * firm.basic_shares_m,
        )

    @b.Constraint(keys, doc="CVT-1 issue at most its limit and its share of market cap [$M]")
    def issue_at_most(b, i, n):
        return at_most(term(b.issued_usd_m[i, n]), term(b.is_issued[i, n], max(0.0, largest(i, n))))

    @b.Constraint(keys, doc="CVT-1 issue at least the minimum size [$M]")
    def issue_at_least(b, i, n):
        return at_most(term(b.is_issued[i, n], by_name[i].instrument.min_usd_m), term(b.issued_usd_m[i, n]))

    @b.Constraint(tree.nodes, doc="CVT-2 convertible deals keep their spacing [-]")
    def deals_spaced(b, n):
        deals = Linear()
        for i, o in by_name.items():
            for m in recent(list(o.notes), tree.parent, n, o.instrument.once_every_q):
                deals.add(1.0, b.is_issued[i, m])
        return at_most(deals, 1.0) if n in {m for _, m in keys} else pyo.Constraint.Skip

    for note in existing:
        size = note.principal_usd_m
        books.post_constant(CashLine.CONVERT_COUPON, -size * note.coupon)
        books.post_constant(CashLine.CONVERT_PRINCIPAL, -size * note.principal)
        for what, each in _owed(note):
            books.tally_constant(what, size * each)
    most_at = {n: max(0.0, *(largest(j, m) for j, m in keys if m == n)) for _, n in keys}
    for i, n in keys:
        note, variable = by_name[i].notes[n], b.issued_usd_m[i, n]
        proceeds = np.zeros(len(tree.nodes))
        proceeds[n] = by_name[i].net_frac
        books.decide(Quantity.ISSUE, n, variable, item=i)
        books.post(CashLine.CONVERT_PROCEEDS, variable, proceeds)
        books.post(CashLine.CONVERT_COUPON, variable, -note.coupon)
        books.post(CashLine.CONVERT_PRINCIPAL, variable, -note.principal)
        books.limit(variable, ("issued", n), 1.0, most_at[n])
        for what, each in _owed(note):
            books.tally(what, variable, each)
    return NotePorts(
        issued={(i, n): (b.issued_usd_m[i, n], by_name[i].notes[n]) for i, n in keys},
        deals={(i, n): b.is_issued[i, n] for i, n in keys},
        net_frac={i: o.net_frac for i, o in by_name.items()},
    )


def _owed(note: NoteArrays) -> tuple[tuple[Tally, np.ndarray], ...]:
    """What a note adds to the tallies of debt, per $ of principal."""
    return (
        (Tally.DEBT, note.outstanding),
        (Tally.RECOURSE, note.outstanding),
        (Tally.INTEREST, note.coupon),
        (Tally.RECOURSE_INTEREST, note.coupon),
        (Tally.WALL, note.wall),
        (Tally.DUE, note.due),
    )
