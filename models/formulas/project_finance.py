"""A project facility: what a lender advances on a module, and how it is drawn, served and refinanced."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.formulas.sculpting import coverage_used_q, never_rising, remaining_value_usd_m
from models.units import QUARTERS_PER_YEAR

Flows = NDArray[np.float64]
Funding = Literal["notes", "delayed_draw"]

RESERVE_LOOKAHEAD_Q = 4
"""The reserve is stated in quarters of the largest service of the first year."""


@dataclass(frozen=True, slots=True)
class LoanTerms:
    """What one class of lender asks for."""

    rate_frac: float
    """Yearly, locked at close."""
    dscr: float
    """Lender's NOI over service, every quarter."""
    coverage_q: int
    """Coverage life J: quarters of NOI, from go-live, that size the loan."""
    maturity_q: int
    """Quarters from close; what is owed then is the balloon."""
    ltc_frac: float
    """Loan over own eligible spend, fees, interest during construction and reserve."""
    fee_frac: float
    """Of the loan, at close."""
    reserve_q: float
    """Quarters of the first year's largest service, kept in cash or covered by a letter of credit."""
    balloon_cap_frac: float
    """Of the loan."""
    refinance_rate_frac: float
    """Yearly, after maturity."""
    funding: Funding
    """Notes are drawn whole at close into escrow; a delayed draw follows the spend."""
    escrow_rate_frac: float
    """Yearly, on the opening escrow."""
    letter_fee_frac: float | None
    """Yearly, of the letter of credit that stands for the reserve; None: the reserve is cash."""
    counted_over_own: float = 1.0
    """Cost that loan-to-cost counts over own spend: above 1 where tenants' money counts too."""


@dataclass(frozen=True, slots=True, eq=False)
class Facility:
    """A sized facility; arrays run over the quarters from close, balances are those of the quarter's end."""

    draws_usd_m: Flows
    """Cash that pays spend; in a close at completion it reimburses spend at the START of quarter 0."""
    fee_usd_m: Flows
    """Taken from the loan at the start of quarter 0."""
    interest_usd_m: Flows
    """Accrued."""
    interest_cash_usd_m: Flows
    """Paid by the borrower out of NOI, so none before go-live."""
    principal_usd_m: Flows
    """Repaid out of NOI, nil where interest alone is paid. Service = interest_cash + principal."""
    balloon_repaid_usd_m: Flows
    """The part of the balloon that cannot be rolled, at maturity."""
    balance_usd_m: Flows
    escrow_usd_m: Flows
    escrow_income_usd_m: Flows
    """Paid out, not compounded."""
    reserve_usd_m: Flows
    reserve_release_usd_m: Flows
    letter_usd_m: Flows
    """Covered by a letter of credit during the quarter, from go-live to the last service."""
    letter_fee_usd_m: Flows
    """Paid by the borrower out of NOI."""
    loan_usd_m: float
    p0_usd_m: float
    """What the coverage test alone allows, valued at the start of the go-live quarter."""
    scale_frac: float
    """Loan over P0."""
    kappa_frac: float
    """Fees, interest during construction and reserve per $ of loan."""
    ltc_bound: bool
    coverage_used_q: int
    """Shorter than the coverage life where the balloon cap asks for it."""


@dataclass(frozen=True, slots=True)
class _Size:
    """The scalars of a facility; reserve and letter are those that Facility shows as flows."""

    loan_usd_m: float
    p0_usd_m: float
    kappa_frac: float
    reserve_usd_m: float
    letter_usd_m: float
    ltc_bound: bool
    life_q: int
    service_q_to_maturity: int


@dataclass(frozen=True, slots=True, eq=False)
class _Construction:
    """Quarters from close to go-live."""

    draws_usd_m: Flows
    interest_usd_m: Flows
    balance_usd_m: Flows
    escrow_usd_m: Flows
    escrow_income_usd_m: Flows


@dataclass(frozen=True, slots=True, eq=False)
class _Operation:
    """Quarters from go-live to the end of the NOI given."""

    interest_usd_m: Flows
    service_usd_m: Flows
    balloon_repaid_usd_m: Flows
    balance_usd_m: Flows


def loan_to_cost_limit_usd_m(own_spend_usd_m: float, ltc_frac: float, kappa_frac: float) -> float:
    """Largest loan whose share of all eligible cost, its own cost included, is within loan-to-cost.

    Parameters
    ----------
    own_spend_usd_m : float
        Eligible spend H, net of tenant money. [$M]
    ltc_frac : float
        Loan-to-cost. [fraction]
    kappa_frac : float
        Fees, interest during construction and reserve per $ of loan. [fraction]

    Returns
    -------
    float. [$M]

    Notes
    -----
    D = LTC (H + kappa D), hence D = LTC H / (1 - LTC kappa). ValueError where kappa >= 1 (nothing is left for
    spend) or LTC kappa >= 1 (a loan would pay for itself).

    Examples
    --------
    >>> round(loan_to_cost_limit_usd_m(100.0, 0.8, 0.1), 4)
    86.9565
    """
    if kappa_frac >= 1.0 or ltc_frac * kappa_frac >= 1.0:
        raise ValueError(
            f"impossible loan: fees, interest, reserve take {kappa_frac:.3f} of each $ lent, LTC {ltc_frac}"
        )
    return ltc_frac * own_spend_usd_m / (1.0 - ltc_frac * kappa_frac)


def kappa_frac(terms: LoanTerms, own_spend_usd_m: Flows, reserve_frac: float, quarters_to_live: int) -> float:
    """Fees, interest during construction and reserve per $ of loan.

    Parameters
    ----------
    terms : LoanTerms
    own_spend_usd_m : ndarray, of positive sum
        By quarter from close where the facility closes at start; its pattern counts for a delayed draw. [$M]
    reserve_frac : float
        Reserve per $ of loan. [fraction]
    quarters_to_live : int
        Quarters of construction after close, Q; 0 closes at completion. [quarters]

    Returns
    -------
    float. [fraction]

    Notes
    -----
    Closed at completion: fee + r. Notes: fee + Q i + r. Delayed draw: draws X w_q at quarter ends, interest
    capitalised, reserve drawn at completion, so that
    loan = fee loan (1+i)^Q + X sum_q w_q (1+i)^(Q-1-q) + r loan, and kappa = 1 - X/loan.
    """
    rate_q = terms.rate_frac / QUARTERS_PER_YEAR
    if quarters_to_live == 0:
        return terms.fee_frac + reserve_frac
    if terms.funding == "notes":
        return terms.fee_frac + quarters_to_live * rate_q + reserve_frac
    weights = own_spend_usd_m / own_spend_usd_m.sum()
    grown = float(weights @ (1.0 + rate_q) ** np.arange(quarters_to_live - 1.0, -1.0, -1.0))
    return 1.0 - (1.0 - terms.fee_frac * (1.0 + rate_q) ** quarters_to_live - reserve_frac) / grown


def size_facility(
    terms: LoanTerms, own_spend_usd_m: Flows, lender_noi_usd_m: Flows, quarters_to_live: int
) -> Facility:
    """Size one facility by coverage and by loan-to-cost, and roll it to its last payment.

    Parameters
    ----------
    terms : LoanTerms
    own_spend_usd_m : ndarray
        Eligible spend net of tenant money. Closing at start: by quarter from close to go-live, that is
        `quarters_to_live` entries. Closing at completion: spent already, only its sum counts. [$M]
    lender_noi_usd_m : ndarray, non-empty
        Lender's NOI from the go-live quarter on. [$M]
    quarters_to_live : int
        Quarters of construction after close, Q; 0 closes at completion. [quarters]

    Returns
    -------
    Facility, arrays of length Q + len(lender_noi_usd_m).

    Notes
    -----
    With i = rate/4 and J the coverage life used, P0 = sum over j <= J of (NOI_j/DSCR)(1+i)^-j at the start of
    the go-live quarter, loan = min(P0, LTC H/(1 - LTC kappa)), H times `counted_over_own` there, and never
    more than H/(1 - kappa), service_j = (loan/P0) NOI_j/DSCR. Where that is below the interest, as in a ramp,
    interest is paid all the same, and nothing else until the balance is the sculpted one again. Quarters
    without rent after go-live belong to the construction: NOI starts with the first rent. At maturity
    what is owed is rolled up to the value, at the refinance rate, of NOI_j/DSCR left in the ORIGINAL coverage
    life; the rest is repaid in cash. The reserve is released in the quarter of the last payment. A letter of
    credit instead takes nothing of the loan, so kappa is without r, and costs its fee beside the service.
    """
    own, noi = np.asarray(own_spend_usd_m, float), np.asarray(lender_noi_usd_m, float)
    _check(terms, own, noi, quarters_to_live)
    covered_usd_m = noi[: terms.coverage_q] / terms.dscr
    size = _size(terms, own, covered_usd_m, quarters_to_live)
    build = _construct(terms, size, own, quarters_to_live)
    operate = _operate(terms, size, covered_usd_m, noi.size)
    return _assemble(terms, size, build, operate)


def _check(terms: LoanTerms, own_spend_usd_m: Flows, noi_usd_m: Flows, quarters_to_live: int) -> None:
    if noi_usd_m.size == 0:
        raise ValueError("impossible loan: no NOI")
    if (noi_usd_m < 0.0).any() or (own_spend_usd_m < 0.0).any():
        raise ValueError("impossible loan: negative NOI or own spend")
    if terms.dscr <= 0.0 or terms.coverage_q < 1:
        raise ValueError(f"impossible loan: DSCR {terms.dscr}, coverage life {terms.coverage_q} quarters")
    if terms.maturity_q <= quarters_to_live:
        raise ValueError(
            f"impossible loan: matures {terms.maturity_q} quarters after close, live after {quarters_to_live}"
        )
    if quarters_to_live and own_spend_usd_m.size != quarters_to_live:
        raise ValueError(f"own spend of {own_spend_usd_m.size} quarters, construction of {quarters_to_live}")


def _size(terms: LoanTerms, own_spend_usd_m: Flows, covered_usd_m: Flows, quarters_to_live: int) -> _Size:
    rate_q = terms.rate_frac / QUARTERS_PER_YEAR
    to_maturity_q = terms.maturity_q - quarters_to_live
    life_q = coverage_used_q(covered_usd_m, to_maturity_q, rate_q, terms.balloon_cap_frac)
    per_p0 = never_rising(remaining_value_usd_m(covered_usd_m[:life_q], rate_q))
    p0 = float(per_p0[0])
    if p0 == 0.0 or not own_spend_usd_m.any():
        return _Size(0.0, p0, 0.0, 0.0, 0.0, p0 > 0.0, life_q, to_maturity_q)
    first_year_usd_m = (per_p0[:-1] * (1.0 + rate_q) - per_p0[1:])[:RESERVE_LOOKAHEAD_Q]
    reserve_frac = terms.reserve_q * float(first_year_usd_m.max()) / p0
    in_cash = float(terms.letter_fee_frac is None)
    kappa = kappa_frac(terms, own_spend_usd_m, in_cash * reserve_frac, quarters_to_live)
    own = float(own_spend_usd_m.sum())
    by_cost = loan_to_cost_limit_usd_m(own * terms.counted_over_own, terms.ltc_frac, kappa)
    limit = min(by_cost, own / (1.0 - kappa))  # what a tenant has paid for is not paid again
    loan = min(p0, limit)
    covered = reserve_frac * loan
    by_letter = covered * (1.0 - in_cash)
    return _Size(loan, p0, kappa, covered * in_cash, by_letter, limit < p0, life_q, to_maturity_q)


def _construct(terms: LoanTerms, size: _Size, own_spend_usd_m: Flows, quarters_to_live: int) -> _Construction:
    """From close to go-live: interest from escrow (notes) or capitalised (delayed draw)."""
    rate_q = terms.rate_frac / QUARTERS_PER_YEAR
    loan, fee = size.loan_usd_m, terms.fee_frac * size.loan_usd_m
    spend_share = own_spend_usd_m / max(float(own_spend_usd_m.sum()), np.finfo(float).tiny)
    draws, none = spend_share[:quarters_to_live] * loan * (1.0 - size.kappa_frac), np.zeros(quarters_to_live)
    if quarters_to_live == 0 or loan == 0.0:
        return _Construction(none, none, none, none, none)
    if terms.funding == "notes":
        interest = np.full(quarters_to_live, rate_q * loan)
        escrow = loan - fee - np.append(0.0, np.cumsum(draws + interest))
        income = terms.escrow_rate_frac / QUARTERS_PER_YEAR * escrow[:-1]
        escrow[-1] = 0.0  # what is left at completion is the reserve, and is held as such
        return _Construction(draws, interest, np.full(quarters_to_live, loan), escrow[1:], income)
    growth = (1.0 + rate_q) ** np.arange(quarters_to_live + 1.0)
    drawn = fee + np.append(0.0, np.cumsum(draws / growth[1:]))
    balance = growth * drawn
    interest = rate_q * balance[:-1]
    balance[-1] = loan  # with the reserve, drawn at completion
    return _Construction(draws, interest, balance[1:], none, none)


def _operate(terms: LoanTerms, size: _Size, covered_usd_m: Flows, quarters: int) -> _Operation:
    """From go-live: sculpted service, never below interest; the balloon rolled as far as its test allows."""
    rate_q = terms.rate_frac / QUARTERS_PER_YEAR
    scale = size.loan_usd_m / size.p0_usd_m if size.p0_usd_m > 0.0 else 0.0
    due_q = size.service_q_to_maturity
    owed = scale * never_rising(remaining_value_usd_m(covered_usd_m[: size.life_q], rate_q))
    rates, repaid = np.full(quarters, rate_q), np.zeros(quarters)
    if due_q < size.life_q:
        rates[due_q:] = terms.refinance_rate_frac / QUARTERS_PER_YEAR
        tail = remaining_value_usd_m(covered_usd_m[due_q:], float(rates[due_q]))
        rolled = min(float(owed[due_q]), float(tail[0]))
        repaid[due_q - 1] = owed[due_q] - rolled
        share = rolled / tail[0] if rolled > 0.0 else 0.0
        owed = np.concatenate([owed[:due_q], share * never_rising(tail)])
    owed = np.append(owed, np.zeros(quarters + 1 - owed.size))
    interest = rates * owed[:-1]
    return _Operation(interest, owed[:-1] + interest - owed[1:] - repaid, repaid, owed[1:])


def _assemble(terms: LoanTerms, size: _Size, build: _Construction, operate: _Operation) -> Facility:
    """Join the phases; close at completion has an empty construction and draws at the start of quarter 0."""
    build_q, quarters = build.draws_usd_m.size, operate.service_usd_m.size
    before, after = np.zeros(build_q), np.zeros(quarters)
    fee, draws, release = np.zeros(build_q + quarters), np.append(build.draws_usd_m, after), after.copy()
    fee[0] = terms.fee_frac * size.loan_usd_m
    if build_q == 0:
        draws[0] = size.loan_usd_m * (1.0 - size.kappa_frac)
    paid = np.flatnonzero(operate.service_usd_m + operate.balloon_repaid_usd_m)
    last = int(paid[-1]) if paid.size else 0
    release[last] = size.reserve_usd_m
    reserve = np.append(before, np.where(np.arange(quarters) < last, size.reserve_usd_m, 0.0))
    if build_q:
        reserve[build_q - 1] = size.reserve_usd_m
    letter = np.append(before, np.where(np.arange(quarters) <= last, size.letter_usd_m, 0.0))
    return Facility(
        draws_usd_m=draws,
        fee_usd_m=fee,
        interest_usd_m=np.append(build.interest_usd_m, operate.interest_usd_m),
        interest_cash_usd_m=np.append(before, operate.interest_usd_m),
        principal_usd_m=np.append(before, operate.service_usd_m - operate.interest_usd_m),
        balloon_repaid_usd_m=np.append(before, operate.balloon_repaid_usd_m),
        balance_usd_m=np.append(build.balance_usd_m, operate.balance_usd_m),
        escrow_usd_m=np.append(build.escrow_usd_m, after),
        escrow_income_usd_m=np.append(build.escrow_income_usd_m, after),
        reserve_usd_m=reserve,
        reserve_release_usd_m=np.append(before, release),
        letter_usd_m=letter,
        letter_fee_usd_m=letter * (terms.letter_fee_frac or 0.0) / QUARTERS_PER_YEAR,
        loan_usd_m=size.loan_usd_m,
        p0_usd_m=size.p0_usd_m,
        scale_frac=size.loan_usd_m / size.p0_usd_m if size.p0_usd_m > 0.0 else 0.0,
        kappa_frac=size.kappa_frac,
        ltc_bound=size.ltc_bound,
        coverage_used_q=size.life_q,
    )
