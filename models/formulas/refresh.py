"""GPUs that are replaced while their module is let: when, and what the last ones are worth in the end."""

import numpy as np
from numpy.typing import NDArray

Flows = NDArray[np.float64]


def refresh_quarters(live_from: int, last_end: int, refresh_q: int) -> list[int]:
    """Quarters in which GPUs are replaced.

    Parameters
    ----------
    live_from : int
        Quarter in which the first GPUs go live. [quarter]
    last_end : int
        First quarter after the last term. [quarter]
    refresh_q : int, positive
        Quarters that GPUs serve. [quarters]

    Returns
    -------
    list of int. [quarter]

    Examples
    --------
    >>> refresh_quarters(2, 44, 20)
    [22, 42]
    >>> refresh_quarters(2, 22, 20)
    []
    """
    return list(range(live_from + refresh_q, last_end, refresh_q))


def worth_at_end_frac(age_q: int, refresh_q: int, residual_frac: float) -> float:
    """Worth of replaced GPUs over their cost, in a straight line to the residual of GPUs that have served.

    Parameters
    ----------
    age_q : int
        Quarters that they have served at the end of the last term. [quarters]
    refresh_q : int, positive
        Quarters that GPUs serve. [quarters]
    residual_frac : float
        Worth of GPUs that have served. [fraction]

    Returns
    -------
    float. [fraction]

    Examples
    --------
    >>> worth_at_end_frac(0, 20, 0.25), worth_at_end_frac(4, 20, 0.25), worth_at_end_frac(20, 20, 0.25)
    (1.0, 0.85, 0.25)
    """
    return 1.0 - (1.0 - residual_frac) * min(1.0, age_q / refresh_q)


def expected_worth_at_end(
    first_usd_m: float,
    cost_usd_m: Flows,
    chance_frac: Flows,
    ages_q: list[int],
    refresh_q: int,
    residual_frac: float,
) -> float:
    """Worth of the GPUs at the end of the last term, each replaced with the chance that it is let on.

    Parameters
    ----------
    first_usd_m : float
        Worth then of the first ones, were they never replaced. [$M]
    cost_usd_m, chance_frac : ndarray
        Cost of each replacement, and its chance. [$M, fraction]
    ages_q : list of int
        Their ages at the end. [quarters]
    refresh_q : int, positive
        Quarters that GPUs serve. [quarters]
    residual_frac : float
        Worth of GPUs that have served, over their cost. [fraction]

    Returns
    -------
    float. [$M]

    Examples
    --------
    >>> round(expected_worth_at_end(10.0, np.array([80.0]), np.array([0.5]), [5], 20, 0.1), 6)
    36.0
    """
    worth = first_usd_m
    for cost, chance, age in zip(cost_usd_m, chance_frac, ages_q, strict=True):
        new = cost * worth_at_end_frac(age, refresh_q, residual_frac)
        worth = chance * new + (1.0 - chance) * worth
    return float(worth)
