"""Debt service sculpted to income: what it repays, how long a life it may cover, what carrying it costs."""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.units import QUARTERS_PER_YEAR

Flows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Carry:
    """Interest until completion of the same loan as notes in escrow and as a delayed draw."""

    notes_interest_usd_m: float
    escrow_income_usd_m: float
    delayed_draw_interest_usd_m: float
    carry_usd_m: float
    """What the notes cost more: interest less escrow income less the delayed draw's interest."""


def remaining_value_usd_m(service_usd_m: Flows, period_rate_frac: float) -> Flows:
    """Balance that a given service repays: its present value at each period's start.

    Parameters
    ----------
    service_usd_m : ndarray
        Interest and principal paid at the end of periods 1..T. [$M]
    period_rate_frac : float
        Interest per PERIOD (a quarter unless the caller says otherwise). [fraction]

    Returns
    -------
    ndarray of length T + 1: the balance before period 1, ..., after period T (which is 0). [$M]

    Notes
    -----
    B_k = sum over j > k of service_j (1+i)^(k-j), so that B_k = B_(k-1) (1+i) - service_k.

    Examples
    --------
    >>> remaining_value_usd_m(np.array([55.0, 60.5]), 0.1).round(9).tolist()
    [100.0, 55.0, 0.0]
    """
    discount = (1.0 + period_rate_frac) ** -np.arange(service_usd_m.size + 1.0)
    value_usd_m = np.cumsum((service_usd_m * discount[1:])[::-1])[::-1]
    return np.append(value_usd_m, 0.0) / discount


def never_rising(balance_usd_m: Flows) -> Flows:
    """A sculpted balance held down where income is below the interest: interest is paid there in full.

    Parameters
    ----------
    balance_usd_m : ndarray
        Before period 1, ..., after the last one. [$M]

    Returns
    -------
    ndarray of the same length: the least balance so far. [$M]

    Notes
    -----
    Where it lies below the given one, interest alone is paid until the two meet. So service is within what
    was given wherever the given balance falls, and its present value stays the first balance.

    Examples
    --------
    >>> never_rising(np.array([100.0, 105.0, 98.0, 0.0])).tolist()
    [100.0, 100.0, 98.0, 0.0]
    """
    held_usd_m: Flows = np.minimum.accumulate(balance_usd_m)
    return held_usd_m


def sculpted_capacity_usd_m(noi_usd_m: Flows, dscr: float, period_rate_frac: float) -> float:
    """Debt that NOI/DSCR repays: the coverage test alone.

    Parameters
    ----------
    noi_usd_m : ndarray
        Lender's net operating income of periods 1..T. [$M]
    dscr : float, positive
        Debt service coverage ratio. [-]
    period_rate_frac : float
        Interest per PERIOD. [fraction]

    Returns
    -------
    float, at the start of period 1. [$M]

    Examples
    --------
    >>> round(sculpted_capacity_usd_m(np.array([110.0]), 1.25, 0.1), 6)
    80.0
    """
    return float(remaining_value_usd_m(noi_usd_m / dscr, period_rate_frac)[0])


def coverage_used_q(
    service_usd_m: Flows, service_q_to_maturity: int, period_rate_frac: float, balloon_cap_frac: float
) -> int:
    """Longest coverage life whose balloon is within its cap.

    Parameters
    ----------
    service_usd_m : ndarray
        NOI/DSCR over the whole coverage life, quarters 1..J. [$M]
    service_q_to_maturity : int, positive
        Quarters of service up to and with the maturity quarter. [quarters]
    period_rate_frac : float
        Interest per quarter. [fraction]
    balloon_cap_frac : float
        Largest balloon per $ of loan. [fraction]

    Returns
    -------
    int, at most J. [quarters]

    Notes
    -----
    The balloon is B_n/B_0 of the loan, B never rising, and grows with the life, so that bisection finds the
    longest.

    Examples
    --------
    >>> coverage_used_q(np.full(8, 10.0), 4, 0.0, 0.4)
    6
    """

    def balloon_is_too_large(life_q: int) -> bool:
        balance = never_rising(remaining_value_usd_m(service_usd_m[:life_q], period_rate_frac))
        return bool(balance[service_q_to_maturity] > balloon_cap_frac * balance[0])

    longer_lives_q = range(service_q_to_maturity + 1, service_usd_m.size + 1)
    too_long = bisect_left(longer_lives_q, True, key=balloon_is_too_large)
    return min(service_usd_m.size, service_q_to_maturity) + too_long


def construction_carry(
    loan_usd_m: float, draw_frac: Flows, rate_frac: float, escrow_rate_frac: float
) -> Carry:
    """Cost of drawing a loan whole at close against drawing it as it is spent: a rule of thumb.

    Parameters
    ----------
    loan_usd_m : float
        Drawn in full in the end. [$M]
    draw_frac : ndarray, of sum 1
        Share of the LOAN spent in each quarter of construction, in mid-quarter. [fraction]
    rate_frac, escrow_rate_frac : float
        Yearly rates of the loan and on escrow. [fraction]

    Returns
    -------
    Carry. [$M]

    Notes
    -----
    Simple interest on mean balances, paid outside the loan: fees, capitalised interest and reserve are left
    out. `project_finance.size_facility`, which the program uses, has them in and draws at quarter ends.

    Examples
    --------
    >>> construction_carry(100.0, np.array([0.5, 0.5]), 0.08, 0.04).carry_usd_m
    1.0
    """
    mean_drawn_usd_m = loan_usd_m * (np.cumsum(draw_frac) - draw_frac / 2.0)
    mean_escrow_usd_m = loan_usd_m - mean_drawn_usd_m
    notes = float(loan_usd_m * draw_frac.size * rate_frac / QUARTERS_PER_YEAR)
    income = float(mean_escrow_usd_m.sum() * escrow_rate_frac / QUARTERS_PER_YEAR)
    delayed = float(mean_drawn_usd_m.sum() * rate_frac / QUARTERS_PER_YEAR)
    return Carry(notes, income, delayed, notes - income - delayed)
