"""Rent of a data centre lease: escalator, contract value, and tenant money given back out of rent."""

import numpy as np
from numpy.typing import NDArray

from models.units import QUARTERS_PER_YEAR, USD_M_PER_KW_MONTH

Num = float | NDArray[np.float64]
Flows = NDArray[np.float64]


def escalator_factor(quarter_no: Num, escalator_frac: Num) -> Num:
    """Rent over first-year rent, in the quarters of a contract.

    Parameters
    ----------
    quarter_no : float or ndarray of whole numbers
        Quarters since the CONTRACT's commencement, 0 the first; negative before it. [quarters]
    escalator_frac : float or ndarray
        Yearly step. [fraction]

    Returns
    -------
    float or ndarray. [-]

    Notes
    -----
    (1 + e)^floor(q/4); 1 before commencement, where a module pays first-year rent.

    Examples
    --------
    >>> escalator_factor(np.array([-2, 0, 3, 4, 8]), 0.03).round(4).tolist()
    [1.0, 1.0, 1.0, 1.03, 1.0609]
    """
    years = np.maximum(0.0, np.floor_divide(quarter_no, QUARTERS_PER_YEAR))
    factor: Num = (1.0 + escalator_frac) ** years
    return factor


def rent_usd_m_per_mw_q(rent_usd_per_kw_month: Num, quarter_no: Num, escalator_frac: Num) -> Num:
    """Rent of one MW in a quarter.

    Parameters
    ----------
    rent_usd_per_kw_month : float or ndarray
        FIRST-YEAR rent. [$/kW/month]
    quarter_no : float or ndarray
        Quarters since the contract's commencement. [quarters]
    escalator_frac : float or ndarray
        Yearly step. [fraction]

    Returns
    -------
    float or ndarray. [$M/MW/quarter]

    Examples
    --------
    >>> round(float(rent_usd_m_per_mw_q(100.0, 4, 0.03)), 6)
    0.309
    """
    return rent_usd_per_kw_month * USD_M_PER_KW_MONTH * escalator_factor(quarter_no, escalator_frac)


def contract_value_usd_m(
    rent_usd_per_kw_month: float, mw: float, term_q: int, escalator_frac: float
) -> float:
    """All rent of a contract over its base term.

    Parameters
    ----------
    rent_usd_per_kw_month : float
        First-year rent. [$/kW/month]
    mw : float
        Megawatts billed from commencement to the end. [MW]
    term_q : int
        Base term. [quarters]
    escalator_frac : float
        Yearly step. [fraction]

    Returns
    -------
    float. [$M]

    Examples
    --------
    >>> round(contract_value_usd_m(100.0, 10.0, 8, 0.1), 6)
    25.2
    """
    quarters = np.arange(term_q, dtype=float)
    return mw * float(np.sum(rent_usd_m_per_mw_q(rent_usd_per_kw_month, quarters, escalator_frac)))


def first_year_rent_usd_per_kw_month(
    contract_value_usd_m: float, mw: float, term_q: int, escalator_frac: float
) -> float:
    """First-year rent of a contract of which only the value is known.

    Parameters
    ----------
    contract_value_usd_m : float
        All rent over the base term. [$M]
    mw : float, positive
        Megawatts billed from commencement to the end. [MW]
    term_q : int, positive
        Base term. [quarters]
    escalator_frac : float
        Yearly step; 0 gives the average rent. [fraction]

    Returns
    -------
    float. [$/kW/month]

    Examples
    --------
    >>> round(first_year_rent_usd_per_kw_month(7000.0, 245.0, 60, 0.03), 1)
    128.0
    """
    quarters = np.arange(term_q, dtype=float)
    return contract_value_usd_m / (mw * float(np.sum(rent_usd_m_per_mw_q(1.0, quarters, escalator_frac))))


def give_back(
    amount_usd_m: float, rents_usd_m: Flows, from_q: int, quarters: int, max_frac_of_rent: float
) -> Flows:
    """Credits against rent that return a tenant's money.

    Parameters
    ----------
    amount_usd_m : float, non-negative
        To be given back. [$M]
    rents_usd_m : ndarray, non-negative
        Rent of each quarter. [$M]
    from_q : int, non-negative
        Position in `rents_usd_m` of the first instalment. [quarters]
    quarters : int, positive
        Number of equal instalments. [quarters]
    max_frac_of_rent : float
        Cap on each quarter's credit. [fraction]

    Returns
    -------
    ndarray of the length of `rents_usd_m`; its sum is at most `amount_usd_m`. [$M]

    Notes
    -----
    What a cap withholds waits for the next quarter with room, after the stated span too while rent runs.

    Examples
    --------
    >>> give_back(10.0, np.array([4.0, 4.0, 20.0, 20.0]), 1, 2, 0.5).tolist()
    [0.0, 2.0, 8.0, 0.0]
    """
    credits_usd_m = np.zeros(rents_usd_m.size)
    given_usd_m = 0.0
    for q in range(from_q, rents_usd_m.size):
        due_usd_m = amount_usd_m * min(1.0, (q - from_q + 1) / quarters)
        credits_usd_m[q] = min(max_frac_of_rent * rents_usd_m[q], due_usd_m - given_usd_m)
        given_usd_m += credits_usd_m[q]
    return credits_usd_m
