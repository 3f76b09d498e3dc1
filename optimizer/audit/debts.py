"""Each existing loan rolled forward from its terms."""

from collections import defaultdict
from dataclasses import dataclass

from models.domain.finance import Debt
from models.timetree import Quarter
from optimizer.audit.book import Book


@dataclass(frozen=True)
class DebtQuarter:
    """A loan in one quarter. [$M]"""

    drawn: float
    interest: float
    """With the commitment fee."""
    principal: float
    balance: float
    undrawn: float


def draws_by_period(book: Book, debt: Debt) -> dict[int, float]:
    """What commitments draw of a loan, by quarters since the first. [$M]"""
    found: dict[int, float] = defaultdict(float)
    for commitment in book.portfolio.commitments:
        if commitment.debt == debt.debt:
            for flow in book.flows(commitment.commitment):
                if flow.funded_by == "gpu_debt" and flow.quarter >= book.tree.first:
                    found[flow.quarter - book.tree.first] += flow.amount_usd_m
    return found


def roll_debt(book: Book, debt: Debt) -> dict[int, DebtQuarter]:
    """The loan at each node."""
    draws = draws_by_period(book, debt)
    rolled: dict[int, DebtQuarter] = {}
    for n in book.tree.nodes:
        before = rolled.get(book.tree.parent[n])
        opening, undrawn = (
            (before.balance, before.undrawn) if before else (debt.principal_usd_m, debt.undrawn_usd_m)
        )
        rate = debt.coupon_or_spread_frac
        if debt.rate_kind == "floating":
            rate += book.rows[n].base_rate_frac
        drawn = draws.get(book.tree.period[n], 0.0)
        interest = rate / 4.0 * opening + debt.commitment_fee_frac / 4.0 * max(0.0, undrawn)
        owed, quarter = opening + drawn, book.tree.quarter(n)
        principal = _principal(debt, quarter, owed)
        rolled[n] = DebtQuarter(drawn, interest, principal, owed - principal, undrawn - drawn)
    return rolled


def principal_by_quarter(book: Book, debt: Debt, beyond_q: int) -> dict[Quarter, float]:
    """Principal to be repaid from the first quarter to so many after the horizon. [$M]"""
    draws, owed, repaid = draws_by_period(book, debt), debt.principal_usd_m, {}
    for t in range(book.tree.horizon_q + beyond_q):
        quarter = book.tree.first + t
        owed += draws.get(t, 0.0)
        repaid[quarter] = _principal(debt, quarter, owed)
        owed -= repaid[quarter]
    return repaid


def _principal(debt: Debt, quarter: Quarter, owed: float) -> float:
    """What is repaid in a quarter of what is owed. [$M]"""
    if quarter == debt.maturity_quarter:
        return owed
    if debt.repayment == "straight" and debt.first_repayment_quarter <= quarter < debt.maturity_quarter:
        return owed / (debt.maturity_quarter - quarter + 1)
    return 0.0
