"""Each existing loan rolled forward from its terms, and from what the plan repays of it before its time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.domain.finance import Debt
from models.timetree import Quarter
from optimizer.audit.book import Book
from optimizer.audit.repayment import has_plan, planned


@dataclass(frozen=True)
class DebtQuarter:
    """A loan in one quarter. [$M]"""

    drawn: float
    interest: float
    """With the fees for commitment and letter of credit."""
    principal: float
    balance: float
    undrawn: float
    balloon: float = 0.0
    """Of the principal, what is no instalment: the balloon, a bullet, what is repaid before its time."""
    reserve: float = 0.0
    """Cash kept for the service at the end."""
    released: float = 0.0
    letter: float = 0.0
    """Covered by a letter of credit."""
    prepaid: float = 0.0
    """Repaid before its time up to the end, and not yet due."""
    kept: float = 1.0
    """Part of the loan that has not been called."""
    premium: float = 0.0
    """Paid above par for what is called."""


def draws_by_period(book: Book, debt: Debt) -> dict[int, float]:
    """What commitments draw of a loan, by quarters since the first. [$M]"""
    found: dict[int, float] = defaultdict(float)
    for commitment in book.portfolio.commitments:
        if commitment.debt == debt.debt:
            for flow in book.flows(commitment.commitment):
                if flow.funded_by == "gpu_debt" and flow.quarter >= book.tree.first:
                    found[flow.quarter - book.tree.first] += flow.amount_usd_m
    return found


def roll_debt(
    book: Book, debt: Debt, prepaid: Mapping[tuple[str, int], float] | None = None
) -> dict[int, DebtQuarter]:
    """The loan at each node; what is repaid before its time takes off the last payment."""
    draws, early = draws_by_period(book, debt), prepaid or {}
    rolled: dict[int, DebtQuarter] = {}
    for n in book.tree.nodes:
        before, quarter = rolled.get(book.tree.parent[n]), book.tree.quarter(n)
        opening, undrawn, off = (
            (before.balance, before.undrawn, before.prepaid)
            if before
            else (debt.principal_usd_m, debt.undrawn_usd_m, 0.0)
        )
        rate = debt.coupon_or_spread_frac
        if debt.rate_kind == "floating":
            rate += book.rows[n].base_rate_frac
        drawn = draws.get(book.tree.period[n], 0.0)
        is_last, is_over = quarter == debt.maturity_quarter, quarter > debt.maturity_quarter
        letter = 0.0 if is_over else _reserve(debt, "lc", "parent_lc")
        interest = rate / 4.0 * opening + debt.commitment_fee_frac / 4.0 * max(0.0, undrawn)
        interest += (debt.dsra_fee_frac or 0.0) / 4.0 * letter
        due, balloon = repaid_of(book, debt, quarter, opening + off + drawn)
        now = early.get((debt.debt, n), 0.0)
        principal = due + now - (off if is_last else 0.0)
        rolled[n] = DebtQuarter(
            drawn=drawn,
            interest=interest,
            principal=principal,
            balance=opening + drawn - principal,
            undrawn=undrawn - drawn,
            balloon=balloon + now - (off if is_last else 0.0),
            reserve=0.0 if is_last or is_over else _reserve(debt, "cash"),
            released=_reserve(debt, "cash") if is_last else 0.0,
            letter=letter,
            prepaid=0.0 if is_last or is_over else off + now,
        )
    return rolled


def less_called(
    book: Book, debt: Debt, whole: Mapping[int, DebtQuarter], called: Mapping[tuple[str, int], float]
) -> dict[int, DebtQuarter]:
    """The loan at each node without the parts called at the start of its quarter, or before."""
    found: dict[int, DebtQuarter] = {}
    for n, q in whole.items():
        before = book.tree.parent[n]
        now = called.get((debt.debt, n), 0.0)
        kept = (found[before].kept if n else 1.0) - now
        owed = whole[before].balance if n else debt.principal_usd_m
        repaid = now * owed
        found[n] = DebtQuarter(
            drawn=q.drawn,
            interest=kept * q.interest,
            principal=kept * q.principal + repaid,
            balance=kept * q.balance,
            undrawn=kept * q.undrawn,
            balloon=kept * q.balloon + repaid,
            reserve=kept * q.reserve,
            released=kept * q.released + now * _reserve(debt, "cash"),
            letter=kept * q.letter,
            prepaid=q.prepaid,
            kept=kept,
            premium=repaid * ((debt.call_price_frac or 1.0) - 1.0),
        )
    return found


def is_callable(book: Book, debt: Debt, node: int) -> bool:
    """Whether a loan may be called at the start of a node's quarter: all of it drawn, and not yet due."""
    quarter, since = book.tree.quarter(node), debt.call_from_quarter
    drawn_later = any(
        usd_m and t >= book.tree.period[node] for t, usd_m in draws_by_period(book, debt).items()
    )
    return since is not None and since <= quarter < debt.maturity_quarter and not drawn_later


def quarters_after(
    book: Book, debt: Debt, terms: DebtQuarter, left: float, leaf: int
) -> Iterator[DebtQuarter]:
    """The loan after a leaf up to its maturity: what is missing of ``left`` takes off the last payments."""
    draws, early = draws_by_period(book, debt), terms.balance - left
    rate = debt.coupon_or_spread_frac
    rate += book.rows[leaf].base_rate_frac if debt.rate_kind == "floating" else 0.0
    owed, undrawn, ahead = terms.balance, terms.undrawn, 0
    while book.last_quarter + (1 + ahead) <= debt.maturity_quarter:
        quarter = book.last_quarter + (1 + ahead)
        drawn = draws.get(book.tree.horizon_q + ahead, 0.0)
        interest = rate / 4.0 * left + debt.commitment_fee_frac / 4.0 * undrawn
        interest += (debt.dsra_fee_frac or 0.0) / 4.0 * (debt.dsra_usd_m or 0.0)
        repaid, balloon = repaid_of(book, debt, quarter, owed + drawn)
        owed, undrawn = owed + drawn - repaid, undrawn - drawn
        balance = max(0.0, owed - early)
        paid = left + drawn - balance
        released = _reserve(debt, "cash") if quarter == debt.maturity_quarter else 0.0
        last = paid - min(paid, repaid - balloon)
        yield DebtQuarter(drawn, interest, paid, balance, undrawn, balloon=last, released=released)
        left, ahead = balance, ahead + 1


def _reserve(debt: Debt, *forms: str) -> float:
    return (debt.dsra_usd_m or 0.0) if debt.dsra_form in forms else 0.0


def principal_by_quarter(book: Book, debt: Debt, beyond_q: int) -> dict[Quarter, float]:
    """Principal to be repaid from the first quarter to so many after the horizon, by the terms. [$M]"""
    draws, owed, repaid = draws_by_period(book, debt), debt.principal_usd_m, {}
    for t in range(book.tree.horizon_q + beyond_q):
        quarter = book.tree.first + t
        owed += draws.get(t, 0.0)
        repaid[quarter], _ = repaid_of(book, debt, quarter, owed)
        owed -= repaid[quarter]
    return repaid


def repaid_of(book: Book, debt: Debt, quarter: Quarter, owed: float) -> tuple[float, float]:
    """What is repaid in a quarter of what is owed by the terms, and of that the balloon. [$M]"""
    if has_plan(debt):
        return planned(book, debt, quarter, owed)
    if quarter == debt.maturity_quarter:
        return owed, owed if debt.repayment == "bullet" else 0.0
    if debt.repayment == "straight" and debt.first_repayment_quarter <= quarter < debt.maturity_quarter:
        return owed / (debt.maturity_quarter - quarter + 1), 0.0
    return 0.0, 0.0
