"""How an existing loan is repaid: the share of what is owed that falls due at each payment."""

import numpy as np
from numpy.typing import NDArray

from models.formulas.sculpting import remaining_value_usd_m

Flows = NDArray[np.float64]


def listed_share(instalment_frac: Flows, balloon_frac: float) -> Flows:
    """Share of what is owed before each payment that it repays, by listed instalments and a balloon.

    Parameters
    ----------
    instalment_frac : ndarray, of sum 1
        Instalments of the part of the loan that is no balloon. [fraction]
    balloon_frac : float, below 1
        Of the loan, repaid with the last payment. [fraction]

    Returns
    -------
    ndarray, the last of them 1. [fraction]

    Notes
    -----
    Owed before payment k of a loan of 1: B_k = 1 - (1 - f) sum over i < k of w_i; share (1 - f) w_k / B_k.

    Examples
    --------
    >>> listed_share(np.array([0.5, 0.5]), 0.5).round(4).tolist()
    [0.25, 1.0]
    """
    paid = (1.0 - balloon_frac) * instalment_frac
    owed = 1.0 - np.concatenate([[0.0], np.cumsum(paid)[:-1]])
    share: Flows = paid / owed
    share[-1] = 1.0
    return share


def sculpted_share(service_shape: Flows, period_rate_frac: float, balloon_frac: float) -> Flows:
    """The same where service, interest with principal, follows a shape, such as that of a lease's income.

    Parameters
    ----------
    service_shape : ndarray, not all zero
        Service of each payment in any unit: only its shape counts. [-]
    period_rate_frac : float
        Interest per period. [fraction]
    balloon_frac : float, below 1
        Of the loan, repaid with the last payment beside its service. [fraction]

    Returns
    -------
    ndarray, the last of them 1; negative where service is below interest. [fraction]

    Notes
    -----
    A loan of 1 has service s x shape with s PV(shape) = 1 - f (1+i)^-n. What is owed after payment k is the
    value of the service and the balloon still to come, B_k; the share is 1 - B_k / B_(k-1).

    Examples
    --------
    >>> sculpted_share(np.array([55.0, 60.5]), 0.1, 0.0).round(4).tolist()
    [0.45, 1.0]
    """
    periods = service_shape.size
    to_come = (1.0 + period_rate_frac) ** -np.arange(periods, -1.0, -1.0)
    served = remaining_value_usd_m(service_shape, period_rate_frac)
    owed = (1.0 - balloon_frac * to_come[0]) / served[0] * served + balloon_frac * to_come
    share: Flows = 1.0 - owed[1:] / owed[:-1]
    share[-1] = 1.0
    return share


def balloon_due_frac(share: Flows, balloon_frac: float) -> float:
    """Part of the last payment that is the balloon.

    Parameters
    ----------
    share : ndarray
        Of what is owed before each payment, repaid by it. [fraction]
    balloon_frac : float
        Of the loan. [fraction]

    Returns
    -------
    float. [fraction]

    Examples
    --------
    >>> round(balloon_due_frac(np.array([0.25, 1.0]), 0.5), 4)
    0.6667
    """
    return balloon_frac / float(np.prod(1.0 - share[:-1]))
