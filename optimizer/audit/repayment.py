"""Instalments of a loan that is repaid by a profile or with a balloon, rolled forward from a dollar."""

from dataclasses import dataclass

from models.domain.finance import Debt
from models.timetree import Quarter
from optimizer.audit.book import Book


@dataclass(frozen=True)
class Instalments:
    """Of a dollar lent: what is owed before each payment, and what each repays, the balloon in the last."""

    owed: tuple[float, ...]
    repaid: tuple[float, ...]
    balloon: float


def has_plan(debt: Debt) -> bool:
    """Whether more must be known than the dates of repayment."""
    return debt.repayment in ("listed", "sculpted") or bool(debt.balloon_frac)


def instalments_of(book: Book, debt: Debt) -> Instalments:
    """Payment by payment."""
    balloon, rate = debt.balloon_frac or 0.0, debt.coupon_or_spread_frac / 4.0
    payments = debt.maturity_quarter - debt.first_repayment_quarter + 1
    even = [1.0 / payments] * payments
    steps = book.profiles[debt.repayment_profile] if debt.repayment_profile else even
    owed, repaid, left = [], [], 1.0
    if debt.repayment == "sculpted":
        worth = sum(x / (1.0 + rate) ** (k + 1) for k, x in enumerate(steps))
        level = (1.0 - balloon / (1.0 + rate) ** len(steps)) / worth
    for k, step in enumerate(steps):
        part = level * step - rate * left if debt.repayment == "sculpted" else (1.0 - balloon) * step
        owed.append(left)
        repaid.append(left if k == len(steps) - 1 else part)
        left -= repaid[-1]
    return Instalments(tuple(owed), tuple(repaid), balloon)


def planned(book: Book, debt: Debt, quarter: Quarter, owed: float) -> tuple[float, float]:
    """What a quarter repays of what is owed in it, and the balloon's part of that. [$M]"""
    k = quarter - debt.first_repayment_quarter
    if k < 0 or quarter > debt.maturity_quarter:
        return 0.0, 0.0
    plan = instalments_of(book, debt)
    lent = owed / plan.owed[k]
    return lent * plan.repaid[k], lent * plan.balloon * (quarter == debt.maturity_quarter)
