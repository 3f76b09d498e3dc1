"""TRE: a revolver, arranged once, drawn and repaid at quarter ends."""

from collections.abc import Sequence

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, equal, term
from models.blocks.ports import DebtUse
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.params.corporate_debt import RevolverOffer
from models.timetree import TimeTree


def add_revolvers(
    b: pyo.Block, tree: TimeTree, offers: Sequence[RevolverOffer], books: Books
) -> list[DebtUse]:
    """Commitments and balances; what is repaid may be paid out of raised money. Maths: TRE-14 ... TRE-16."""
    by_name = {o.instrument.instrument: o for o in offers}
    deals = [(i, n) for i, o in by_name.items() for n in o.arranged]
    lives = {(i, n): k for i, k in deals for n in tree.descendants(k) if by_name[i].running[n]}
    drawable = [(i, n) for i, n in lives if by_name[i].drawable[n]]
    repayable = [(i, n) for i, n in lives if (i, tree.parent[n]) in lives]
    b.commitment_usd_m = pyo.Var(deals, domain=pyo.NonNegativeReals, doc="commitment arranged [$M]")
    b.is_arranged = pyo.Var(deals, domain=pyo.Binary, doc="revolver arranged")
    b.balance_usd_m = pyo.Var(drawable, domain=pyo.NonNegativeReals, doc="drawn at the quarter's end [$M]")
    b.drawn_usd_m = pyo.Var(drawable, domain=pyo.NonNegativeReals, doc="drawn at the quarter's end [$M]")
    b.repaid_usd_m = pyo.Var(repayable, domain=pyo.NonNegativeReals, doc="repaid at the quarter's end [$M]")

    def held(variable, i: str, n: int) -> Linear:
        return term(variable[i, n]) if (i, n) in variable else Linear()

    @b.Constraint(deals, doc="TRE-14 commitment at most what is on offer [$M]")
    def commitment_at_most(b, i, n):
        return at_most(
            term(b.commitment_usd_m[i, n]), term(b.is_arranged[i, n], by_name[i].instrument.max_usd_m)
        )

    @b.Constraint(deals, doc="TRE-14 commitment at least the minimum [$M]")
    def commitment_at_least(b, i, n):
        return at_most(
            term(b.is_arranged[i, n], by_name[i].instrument.min_usd_m), term(b.commitment_usd_m[i, n])
        )

    @b.Constraint(list(lives), doc="TRE-15 balance rolls forward, all repaid in the last quarter [$M]")
    def balance_rolls(b, i, n):
        opening = held(b.balance_usd_m, i, tree.parent[n])
        moved = held(b.drawn_usd_m, i, n) - held(b.repaid_usd_m, i, n)
        return equal(held(b.balance_usd_m, i, n), opening + moved)

    @b.Constraint(repayable, doc="TRE-15 repaid out of the opening balance [$M]")
    def repaid_within_balance(b, i, n):
        return at_most(term(b.repaid_usd_m[i, n]), held(b.balance_usd_m, i, tree.parent[n]))

    @b.Constraint(drawable, doc="TRE-16 balance within the commitment [$M]")
    def balance_within_commitment(b, i, n):
        return at_most(term(b.balance_usd_m[i, n]), term(b.commitment_usd_m[i, lives[i, n]]))

    def mark(n: int, value: float = 1.0) -> np.ndarray:
        array = np.zeros(len(tree.nodes))
        array[n] = value
        return array

    for i, k in deals:
        o, variable = by_name[i], b.commitment_usd_m[i, k]
        below = np.array([float((i, n) in lives and lives[i, n] == k) for n in tree.nodes])
        books.decide(Quantity.COMMIT, k, variable, item=i)
        books.post(CashLine.REVOLVER_INTEREST, variable, -o.fee * below - mark(k, o.instrument.fee_frac))
        books.limit(variable, ("commitment", i, k), 1.0, o.instrument.max_usd_m)
        for what in (Tally.INTEREST, Tally.RECOURSE_INTEREST):
            books.tally(what, variable, o.fee * below)
        books.tally(Tally.UNDRAWN, variable, o.drawable * below)
        books.tally(Tally.LINE, variable, o.lasting * below)
    for i, n in drawable:
        books.decide(Quantity.DRAWN, n, b.drawn_usd_m[i, n], item=i)
        books.post(CashLine.REVOLVER_DRAWN, b.drawn_usd_m[i, n], mark(n))
        books.limit(b.drawn_usd_m[i, n], ("drawn", i, n), 1.0, by_name[i].instrument.max_usd_m)
        books.limit(b.balance_usd_m[i, n], ("balance", i, n), 1.0, by_name[i].instrument.max_usd_m)
        _post_balance(by_name[i], n, b.balance_usd_m[i, n], tree, books)
    for i, n in repayable:
        books.decide(Quantity.REPAID, n, b.repaid_usd_m[i, n], item=i)
        books.post(CashLine.REVOLVER_REPAID, b.repaid_usd_m[i, n], mark(n, -1.0))
    return [DebtUse(n, b.repaid_usd_m[i, n], mark(n)) for i, n in repayable]


def _post_balance(o: RevolverOffer, n: int, variable, tree: TimeTree, books: Books) -> None:
    """A balance is debt at the quarter's end, and bears interest, no longer the fee, in the next one."""
    here, next_quarter = np.zeros(len(tree.nodes)), np.zeros(len(tree.nodes))
    here[n] = 1.0
    next_quarter[list(tree.children[n])] = 1.0
    costs = (o.interest - o.fee) * next_quarter
    books.post(CashLine.REVOLVER_INTEREST, variable, -costs)
    for what in (Tally.INTEREST, Tally.RECOURSE_INTEREST):
        books.tally(what, variable, costs)
    for what in (Tally.DEBT, Tally.RECOURSE):
        books.tally(what, variable, here)
    for what in (Tally.UNDRAWN, Tally.LINE):
        books.tally(what, variable, -here)
    books.tally(Tally.DUE, variable, here * (1.0 - o.lasting[n]))
    if not tree.children[n]:
        books.worth(ValueLine.CORPORATE_DEBT, n, -1.0, variable)
