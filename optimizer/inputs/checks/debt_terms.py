"""Terms of loans: repayment that adds up, reserves that are whole, lock-ups and sweeps where they can be."""

from collections.abc import Iterator

from models.domain.finance import CreditClass, Debt
from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.checks.register import error, reads

BY_PROFILE = ("listed", "sculpted")
LETTERS = ("lc", "parent_lc")


def _steps(portfolio: Portfolio, debt: Debt) -> list[float]:
    """Steps of a loan's profile in order."""
    points = (p for p in portfolio.profiles if p.profile == debt.repayment_profile)
    return [p.frac for p in sorted(points, key=lambda p: p.step)]


@reads("debt", "profiles")
def repayment_adds_up(portfolio: Portfolio) -> Iterator[Finding]:
    """A loan has the profile that its repayment asks for, one step a quarter; a bullet has no balloon."""
    for debt in portfolio.debt:
        if (debt.repayment in BY_PROFILE) != (debt.repayment_profile is not None):
            message = f"repayment is {debt.repayment}"
            remedy = "name a profile" if debt.repayment in BY_PROFILE else "leave it empty"
            yield error("repayment-terms", debt, "repayment_profile", message, remedy)
        elif debt.repayment_profile is not None:
            yield from _profile_fits(debt, _steps(portfolio, debt))
        if debt.repayment == "bullet" and debt.balloon_frac is not None:
            message = "a bullet is all of it a balloon"
            yield error("repayment-terms", debt, "balloon_frac", message, "leave it empty")


def _profile_fits(debt: Debt, steps: list[float]) -> Iterator[Finding]:
    payments, at = debt.maturity_quarter - debt.first_repayment_quarter + 1, "repayment_profile"
    if steps and len(steps) != payments:
        message = f"it has {len(steps)} steps; {payments} quarters from the first repayment to the maturity"
        yield error("repayment-terms", debt, at, message, f"write {payments} steps, or other quarters")
    elif debt.repayment == "sculpted" and steps and max(steps) <= 0.0:
        yield error("repayment-terms", debt, at, "all of its steps are zero", "write what repays the loan")
    elif debt.repayment == "listed" and steps and abs(sum(steps) - 1.0) > 1e-6:
        message = f"its steps sum to {sum(steps):.6g}"
        yield error("repayment-terms", debt, at, message, "correct its steps: they sum to 1")
    elif debt.repayment == "sculpted" and debt.rate_kind == "floating":
        message = "what service repays depends on the rate, and this one floats"
        yield error("repayment-terms", debt, "rate_kind", message, "write fixed, or list the repayment")
    elif debt.repayment == "sculpted" and steps and _short_of_interest(debt, steps):
        message = "in some quarter the service is less than the interest, and the loan would grow"
        yield error("repayment-terms", debt, at, message, "write a flatter profile, or a smaller balloon")


def _short_of_interest(debt: Debt, steps: list[float]) -> bool:
    """Whether a sculpted loan of a dollar ever grows."""
    rate, balloon, owed = debt.coupon_or_spread_frac / 4.0, debt.balloon_frac or 0.0, 1.0
    worth = sum(step / (1.0 + rate) ** (k + 1) for k, step in enumerate(steps))
    level = (1.0 - balloon / (1.0 + rate) ** len(steps)) / worth
    for step in steps:
        if level * step < rate * owed - 1e-9:
            return True
        owed -= level * step - rate * owed
    return False


@reads("debt", "commitments", "commitment_flows", "company")
def drawn_before_repaid(portfolio: Portfolio) -> Iterator[Finding]:
    """A loan that is repaid by a profile, or but for a balloon, is drawn before its first repayment."""
    loan_of = {c.commitment: c.debt for c in portfolio.commitments}
    for debt in portfolio.debt:
        if debt.repayment not in BY_PROFILE and not debt.balloon_frac:
            continue
        draws = [
            f.quarter
            for f in portfolio.commitment_flows
            if f.funded_by == "gpu_debt" and loan_of.get(f.commitment) == debt.debt
        ]
        if draws and max(draws) > debt.first_repayment_quarter:
            message = f"it is drawn until {max(draws)}, and repaid by a plan from before that"
            remedy = f"write {max(draws)} or later, or draw it earlier"
            yield error("late-draw", debt, "first_repayment_quarter", message, remedy)


@reads("debt", "credit_classes")
def reserves_whole(portfolio: Portfolio) -> Iterator[Finding]:
    """A reserve has an amount and a form, and a letter of credit its fee."""
    for debt in portfolio.debt:
        if (debt.dsra_usd_m is None) != (debt.dsra_form is None):
            empty = "dsra_usd_m" if debt.dsra_usd_m is None else "dsra_form"
            message = "a reserve needs both an amount and a form"
            yield error("reserve-terms", debt, empty, message, "write both, or none")
        yield from _fee_of_letter(debt, "dsra_fee_frac", debt.dsra_form, debt.dsra_fee_frac)
    for lender in portfolio.credit_classes:
        yield from _fee_of_letter(lender, "reserve_fee_frac", lender.reserve_form, lender.reserve_fee_frac)


def _fee_of_letter(
    row: Debt | CreditClass, column: str, form: str | None, fee: float | None
) -> Iterator[Finding]:
    if (form in LETTERS) != (fee is not None):
        has = "a letter of credit has a fee" if form in LETTERS else "cash has no fee"
        remedy = "write it, 0 if there is none" if form in LETTERS else "leave it empty"
        yield error("reserve-terms", row, column, has, remedy)


@reads("debt", "entities")
def terms_of_borrowers(portfolio: Portfolio) -> Iterator[Finding]:
    """Lock-ups and sweeps are between a borrower and the company that owns it."""
    kinds = {e.entity: e.kind for e in portfolio.entities}
    for debt in portfolio.debt:
        for column in ("lockup_dscr", "sweep_frac"):
            if not getattr(debt, column):
                continue
            kind = kinds.get(debt.entity)
            if kind in ("parent", "listed"):
                message = f"'{debt.entity}' is {kind}: it hands up nothing that a loan could hold"
                yield error("borrower-terms", debt, column, message, "leave it empty")
            elif debt.kind == "btc":
                message = "coins secure the loan, not what the borrower earns"
                yield error("borrower-terms", debt, column, message, "leave it empty")
        if debt.lockup_from_quarter is not None and debt.lockup_dscr is None:
            message = "there is no lockup_dscr to be tested"
            yield error("borrower-terms", debt, "lockup_from_quarter", message, "leave it empty")


CHECKS = (repayment_adds_up, drawn_before_repaid, reserves_whole, terms_of_borrowers)
