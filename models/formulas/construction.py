"""A module by age: what is spent on it, when it takes the place of mining, when it is live and how full."""

import numpy as np
from numpy.typing import NDArray

Flows = NDArray[np.float64]


def spend(capex_usd_m: float, profile_frac: Flows, lead_q: int) -> Flows:
    """Capital spent in each quarter from start to go-live.

    Parameters
    ----------
    capex_usd_m : float
        All of it. [$M]
    profile_frac : ndarray, non-negative, of sum 1
        Shares spent in equal steps of the construction time, however many. [fraction]
    lead_q : int, positive
        Construction time. [quarters]

    Returns
    -------
    ndarray of length `lead_q` and sum `capex_usd_m`. [$M]

    Notes
    -----
    The cumulative profile is read off, linear between its steps, at the ends of `lead_q` quarters.

    Examples
    --------
    >>> spend(100.0, np.array([0.2, 0.8]), 4).round(9).tolist()
    [10.0, 10.0, 40.0, 40.0]
    """
    if lead_q < 1:
        raise ValueError(f"construction takes {lead_q} quarters: no quarter to spend in")
    done_frac = np.append(0.0, np.cumsum(profile_frac))
    steps = np.linspace(0.0, 1.0, done_frac.size)
    by_quarter_frac = np.interp(np.linspace(0.0, 1.0, lead_q + 1), steps, done_frac / done_frac[-1])
    spent_usd_m: Flows = capex_usd_m * np.diff(by_quarter_frac)
    return spent_usd_m


def ramp(profile_frac: Flows, quarters: int) -> Flows:
    """Utilisation in each quarter from go-live.

    Parameters
    ----------
    profile_frac : ndarray, non-empty
        Utilisation of the first quarters; the last value holds. [fraction]
    quarters : int
        Length wanted. [quarters]

    Returns
    -------
    ndarray of length `quarters`. [fraction]

    Examples
    --------
    >>> ramp(np.array([0.3, 1.0]), 4).tolist()
    [0.3, 1.0, 1.0, 1.0]
    """
    return profile_frac[np.minimum(np.arange(quarters), profile_frac.size - 1)]


def occupied(lead_q: int, displaces_q: int, quarters: int) -> Flows:
    """Whether a module takes interconnect from mining, by its age.

    Parameters
    ----------
    lead_q : int
        Age at which it is live. [quarters]
    displaces_q : int
        Quarters before go-live in which it already does. [quarters]
    quarters : int
        Length wanted, age 0 first. [quarters]

    Returns
    -------
    ndarray of 0 and 1.

    Examples
    --------
    >>> occupied(3, 1, 5).tolist()
    [0.0, 0.0, 1.0, 1.0, 1.0]
    """
    return (np.arange(quarters) >= max(0, lead_q - displaces_q)).astype(np.float64)


def is_live(lead_q: int, quarters: int) -> Flows:
    """Whether a module is live, by its age: start plus lead is its first full live quarter.

    Parameters
    ----------
    lead_q : int
        Age at which it is live. [quarters]
    quarters : int
        Length wanted, age 0 first. [quarters]

    Returns
    -------
    ndarray of 0 and 1.

    Examples
    --------
    >>> is_live(3, 5).tolist()
    [0.0, 0.0, 0.0, 1.0, 1.0]
    """
    return (np.arange(quarters) >= lead_q).astype(np.float64)
