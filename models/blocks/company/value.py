"""VAL: what each leaf is worth, what others claim of it, and the objective at a given lambda."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, term, total
from models.blocks.ports import BorrowerPorts
from models.domain.contract import ShareClaim
from models.domain.ledger import ValueLine
from models.params.corporate_debt import RepurchaseOffer
from models.params.notes import NoteArrays
from models.params.params import Params


@dataclass(frozen=True, eq=False)
class Charge:
    """A decision that gives others a claim: leaf dollars per unit at lambda, and without any share price."""

    variable: Any
    at: Callable[[float], float]
    as_debt: float


def add_value(
    b: pyo.Block, p: Params, cash: pyo.Var, borrowers: Sequence[BorrowerPorts], books: Books
) -> None:
    """Company items of value, solvency of the last quarter. Maths: docs/program.md, section 9, VAL-1."""
    tree, portfolio = p.tree, p.portfolio
    sites = [s for x in borrowers if x.owned.share == 1.0 for s in x.sites]
    root = p.outlook.rows[0]
    for leaf in tree.leaves:
        books.worth_constant(ValueLine.OVERHEAD, leaf, -float(p.overhead_usd_m[leaf]) * p.overhead_factor)
        for s in sites:
            fixed = p.power[s.site].fixed_cost_usd_m_per_q
            s.ours.worth(books, ValueLine.OVERHEAD, leaf, -fixed * p.overhead_factor)
        for h in portfolio.holdings:
            index = p.outlook.rows[leaf].btc_usd / root.btc_usd if h.indexed_to == "btc" else 1.0
            books.worth_constant(ValueLine.HOLDINGS, leaf, h.value_usd_m * (1.0 - h.haircut_frac) * index)

    @b.Constraint(tree.leaves, doc="VAL-1 own spend left at the leaf within cash above the floor [$M]")
    def spend_left_is_covered(b, leaf):
        held = [x for x in borrowers if x.owned.kind != "listed"]
        left = total(x.paid.tally_at(Tally.REMAINING_OWN, leaf) for x in held)
        return at_most(left + portfolio.firm.cash_floor_usd_m, term(cash[leaf]))


def expected_value(p: Params, all_books: Sequence[Books]) -> Linear:
    """E[V], before any claim. [$M]"""
    return total(
        books.value_at(leaf) * float(p.tree.probability[leaf])
        for leaf in p.tree.leaves
        for books in all_books
    )


def charges(
    p: Params,
    issued: Sequence[tuple[Any, NoteArrays]],
    bought: Sequence[tuple[Any, RepurchaseOffer, int]],
    sold: Sequence[tuple[int, Any]],
    signed: Sequence[tuple[str, int, Any]],
) -> list[Charge]:
    """Claims that decisions create or end: new notes, notes bought back, shares sold, warrants that vest."""
    claims = p.claims

    def note_charge(variable: Any, note: NoteArrays) -> Charge:
        return Charge(variable, lambda lam: claims.note(lam, note), claims.note_as_debt(note))

    def repurchase_charge(variable: Any, offer: RepurchaseOffer, n: int) -> Charge:
        return Charge(
            variable, lambda lam: claims.repurchase(lam, offer, n), claims.repurchase_as_debt(offer, n)
        )

    def share_charge(variable: Any, n: int) -> Charge:
        return Charge(variable, lambda lam: claims.sold_share(lam, n), 0.0)

    def vesting_charge(variable: Any, claim: ShareClaim, n: int) -> Charge:
        return Charge(variable, lambda lam: claims.signed_share_claim(lam, claim, n), 0.0)

    vesting = [c for c in p.portfolio.share_claims if c.contract is not None]
    return [
        *(note_charge(variable, note) for variable, note in issued),
        *(repurchase_charge(variable, offer, n) for variable, offer, n in bought),
        *(share_charge(variable, n) for n, variable in sold),
        *(vesting_charge(variable, c, n) for c in vesting for o, n, variable in signed if o == c.contract),
    ]
