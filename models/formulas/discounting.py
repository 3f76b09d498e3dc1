"""Value in time: present values at rate/4 a quarter, growth and return at yearly rates."""

import numpy as np
from numpy.typing import NDArray

from models.units import QUARTERS_PER_YEAR

Num = float | NDArray[np.float64]
Flows = NDArray[np.float64]


def present_value(flows_usd_m: Flows, rate_frac: float) -> float:
    """Present value of flows at the ends of quarters 1..T.

    Parameters
    ----------
    flows_usd_m : ndarray
        [$M]
    rate_frac : float
        Yearly; a quarter's is its fourth. [fraction]

    Returns
    -------
    float, at the start of quarter 1. [$M]

    Examples
    --------
    >>> round(present_value(np.array([51.0, 52.02]), 0.08), 6)
    100.0
    """
    quarters = np.arange(1.0, flows_usd_m.size + 1.0)
    return float(flows_usd_m @ (1.0 + rate_frac / QUARTERS_PER_YEAR) ** -quarters)


def annuity(rate_frac: float, quarters: int) -> float:
    """Present value of 1 at the end of each of a number of quarters.

    Parameters
    ----------
    rate_frac : float
        Yearly; a quarter's is its fourth. [fraction]
    quarters : int
        [quarters]

    Returns
    -------
    float. [-]

    Notes
    -----
    (1 - (1+i)^-T)/i, or T at a rate of 0.

    Examples
    --------
    >>> annuity(0.0, 8)
    8.0
    """
    return present_value(np.ones(quarters), rate_frac)


def perpetuity_usd_m(flow_usd_m_per_q: Num, rate_frac: float, growth_frac: float) -> Num:
    """Present value of a flow for ever, its first payment a quarter from now.

    Parameters
    ----------
    flow_usd_m_per_q : float or ndarray
        The first payment. [$M/quarter]
    rate_frac : float
        Yearly; a quarter's is its fourth. [fraction]
    growth_frac : float, below the rate
        Yearly; a quarter's is its fourth. [fraction]

    Returns
    -------
    float or ndarray. [$M]

    Examples
    --------
    >>> perpetuity_usd_m(1.0, 0.08, 0.0)
    50.0
    """
    if rate_frac <= growth_frac:
        raise ValueError(f"a perpetuity that grows at {growth_frac} has no value at a rate of {rate_frac}")
    return flow_usd_m_per_q * QUARTERS_PER_YEAR / (rate_frac - growth_frac)


def growth_factor(rate_frac: Num, years: Num) -> Num:
    """What 1 becomes at a yearly rate, compounded yearly.

    Parameters
    ----------
    rate_frac : float or ndarray
        [fraction]
    years : float or ndarray
        [y]

    Returns
    -------
    float or ndarray. [-]

    Examples
    --------
    >>> round(growth_factor(0.18, 2.0), 4)
    1.3924
    """
    return (1.0 + rate_frac) ** years


def yearly_return_frac(end_usd: Num, start_usd: Num, years: Num) -> Num:
    """Yearly rate that turns one sum into another; also the yearly cost of money received and paid back.

    Parameters
    ----------
    end_usd, start_usd : float or ndarray, positive
        In one and the same unit. [$]
    years : float or ndarray, positive
        [y]

    Returns
    -------
    float or ndarray. [fraction per year]

    Examples
    --------
    >>> round(yearly_return_frac(121.0, 100.0, 2.0), 6)
    0.1
    """
    return (end_usd / start_usd) ** (1.0 / years) - 1.0
