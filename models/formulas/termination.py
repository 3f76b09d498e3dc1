"""A contract that ends before its term: who is in the halls afterwards, and what is paid for it."""

import numpy as np
from numpy.typing import NDArray

from models.units import MONTHS_PER_QUARTER

Flows = NDArray[np.float64]


def tenancy(quarters: int, ends_q: int, vacancy_q: int | None) -> tuple[Flows, Flows]:
    """Who uses the halls in each quarter.

    Parameters
    ----------
    quarters : int
        Length wanted. [quarters]
    ends_q : int
        Position of the first quarter without the tenant. [quarters]
    vacancy_q : int or None
        Quarters from there until they are let again; None where they stay dark. [quarters]

    Returns
    -------
    two ndarrays of 0 and 1: the tenant is there; they are let again.

    Examples
    --------
    >>> stays, let_again = tenancy(5, 2, 1)
    >>> stays.tolist(), let_again.tolist()
    ([1.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.0])
    """
    at = np.arange(quarters)
    stays = (at < ends_q).astype(np.float64)
    let_again = np.zeros(quarters) if vacancy_q is None else (at >= ends_q + vacancy_q).astype(np.float64)
    return stays, let_again


def termination_fee_usd_m(
    rents_usd_m: Flows, frac_of_remaining: float, months: float, at_most_usd_m: float
) -> float:
    """What is paid when a contract ends.

    Parameters
    ----------
    rents_usd_m : ndarray, non-negative
        Rent that falls away, of each quarter from the termination to the end of the term. [$M]
    frac_of_remaining : float
        Of its sum. [fraction]
    months : float
        Months of the first rent that falls away, on top. [months]
    at_most_usd_m : float
        The most that is paid; infinite without a cap. [$M]

    Returns
    -------
    float. [$M]

    Notes
    -----
    Not discounted: what a guarantor covers is stated as remaining rent, or as a sum.

    Examples
    --------
    >>> termination_fee_usd_m(np.array([0.0, 6.0, 6.0, 6.0]), 0.5, 6.0, 100.0)
    21.0
    >>> termination_fee_usd_m(np.array([6.0, 6.0]), 1.0, 0.0, 10.0)
    10.0
    """
    due = rents_usd_m[rents_usd_m > 0.0]
    if due.size == 0:
        return 0.0
    owed = frac_of_remaining * float(due.sum()) + months / MONTHS_PER_QUARTER * float(due[0])
    return min(at_most_usd_m, owed)
