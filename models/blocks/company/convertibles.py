"""CVT: new convertible notes, and the expected cash of all notes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, recent, term, total
from models.blocks.ports import Issue
from models.domain.company import Company
from models.domain.ledger import CashLine, Quantity
from models.params.notes import NoteArrays, NoteOffer
from models.params.outlook import Outlook


@dataclass(frozen=True, eq=False)
class NotePorts:
    """Principal issued and the deals that were marketed, by instrument and node."""

    issued: Sequence[tuple[Any, NoteArrays]]
    """With the node and the block of leverage that the arrays are of."""
    deals: Mapping[tuple[str, int], Any]
    issues: Sequence[Issue]


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
    keys = [(i, n) for i, o in by_name.items() for n in o.nodes]
    blocks = {i: [step.block for step in o.steps] for i, o in by_name.items()}
    placed = [(i, n, block) for i, n in keys for block in blocks[i]]
    b.issued_usd_m = pyo.Var(placed, domain=pyo.NonNegativeReals, doc="principal by block of leverage [$M]")
    b.is_issued = pyo.Var(keys, domain=pyo.Binary, doc="deal launched")

    def largest(i: str, n: int) -> float:
        terms = by_name[i].instrument
        return min(
            terms.max_usd_m,
            terms.max_frac_of_market_cap * float(outlook.share_price_usd[n]) * firm.basic_shares_m,
        )

    def size(i: str, n: int) -> Linear:
        return total(term(b.issued_usd_m[i, n, block]) for block in blocks[i])

    @b.Constraint(keys, doc="CVT-1 issue at most its limit and its share of market cap [$M]")
    def issue_at_most(b, i, n):
        return at_most(size(i, n), term(b.is_issued[i, n], max(0.0, largest(i, n))))

    @b.Constraint(keys, doc="CVT-1 issue at least the minimum size [$M]")
    def issue_at_least(b, i, n):
        return at_most(term(b.is_issued[i, n], by_name[i].instrument.min_usd_m), size(i, n))

    @b.Constraint(tree.nodes, doc="CVT-2 convertible deals keep their spacing [-]")
    def deals_spaced(b, n):
        deals = Linear()
        for i, o in by_name.items():
            for m in recent(o.nodes, tree.parent, n, o.instrument.once_every_q):
                deals.add(1.0, b.is_issued[i, m])
        return at_most(deals, 1.0) if n in {m for _, m in keys} else pyo.Constraint.Skip

    for note in existing:
        size_usd_m = note.principal_usd_m
        books.post_constant(CashLine.CONVERT_COUPON, -size_usd_m * note.coupon)
        books.post_constant(CashLine.CONVERT_PRINCIPAL, -size_usd_m * note.principal)
        for what, each in _owed(note):
            books.tally_constant(what, size_usd_m * each)
    most_at = {n: max(0.0, *(largest(j, m) for j, m in keys if m == n)) for _, n in keys}
    for i, n, block in placed:
        note, variable = by_name[i].notes[n, block], b.issued_usd_m[i, n, block]
        proceeds = np.zeros(len(tree.nodes))
        proceeds[n] = by_name[i].net_frac
        books.decide(Quantity.ISSUE, n, variable, item=i, since=block)
        books.post(CashLine.CONVERT_PROCEEDS, variable, proceeds)
        books.post(CashLine.CONVERT_COUPON, variable, -note.coupon)
        books.post(CashLine.CONVERT_PRINCIPAL, variable, -note.principal)
        books.limit(variable, ("issued", n), 1.0, most_at[n])
        for what, each in _owed(note):
            books.tally(what, variable, each)
    return NotePorts(
        issued=[(b.issued_usd_m[i, n, block], by_name[i].notes[n, block]) for i, n, block in placed],
        deals={(i, n): b.is_issued[i, n] for i, n in keys},
        issues=[
            Issue(
                n,
                step.bound_usd_m,
                b.issued_usd_m[i, n, step.block],
                by_name[i].notes[n, step.block].outstanding,
            )
            for i, n in keys
            for step in by_name[i].steps
        ],
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
