"""A lease of GPUs: the lessor pays the vendor, level payments repay it, a buy-out ends it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.units import QUARTERS_PER_YEAR

Flows = NDArray[np.float64]


def level_payment(owed_usd_m: float, rate_frac: float, term_q: int, buyout_usd_m: float) -> float:
    """Payment at the end of each quarter that, with a buy-out at the end, repays what is owed.

    Parameters
    ----------
    owed_usd_m : float
        At the start of the first quarter of payment. [$M]
    rate_frac : float
        Implied rate, yearly; a quarter's is its fourth. [fraction]
    term_q : int, positive
        Payments. [quarters]
    buyout_usd_m : float
        With the last payment. [$M]

    Returns
    -------
    float. [$M]

    Notes
    -----
    owed = c sum_{k=1..T} (1+i)^-k + buyout (1+i)^-T.

    Examples
    --------
    >>> round(level_payment(100.0, 0.08, 8, 0.0), 4), level_payment(100.0, 0.0, 8, 20.0)
    (13.651, 10.0)
    """
    i = rate_frac / QUARTERS_PER_YEAR
    factors = (1.0 + i) ** -np.arange(1.0, term_q + 1.0)
    return float((owed_usd_m - buyout_usd_m * factors[-1]) / factors.sum())


@dataclass(frozen=True, slots=True, eq=False)
class LeaseFlows:
    """By quarter since the start of the module; balances are those of the quarter's end. [$M]"""

    draws: Flows
    """Paid to the vendor by the lessor."""
    interest: Flows
    """Accrued; capitalised until the first payment."""
    interest_paid: Flows
    principal: Flows
    """The buy-out too."""
    buyout: Flows
    balance: Flows


def lease_flows(draws_usd_m: Flows, rate_frac: float, term_q: int, buyout_frac: float) -> LeaseFlows:
    """A lease from the first payment to the vendor to the buy-out.

    Parameters
    ----------
    draws_usd_m : ndarray, non-negative
        Paid to the vendor at the end of each quarter since the start; payments begin after the last of them.
        [$M]
    rate_frac : float
        Implied rate, yearly. [fraction]
    term_q : int, positive
        Payments. [quarters]
    buyout_frac : float
        Of the sum of the draws, with the last payment. [fraction]

    Returns
    -------
    LeaseFlows, arrays of length ``draws_usd_m.size + term_q``.

    Examples
    --------
    >>> flows = lease_flows(np.array([0.0, 50.0, 50.0]), 0.08, 2, 0.0)
    >>> flows.balance.round(4).tolist()
    [0.0, 50.0, 101.0, 51.0, 0.0]
    """
    i, build_q = rate_frac / QUARTERS_PER_YEAR, draws_usd_m.size
    draws = np.append(draws_usd_m, np.zeros(term_q))
    interest, balance, principal = (np.zeros(draws.size) for _ in range(3))
    owed = 0.0
    for j in range(build_q):
        interest[j] = i * owed
        owed += interest[j] + draws[j]
        balance[j] = owed
    buyout = np.zeros(draws.size)
    buyout[-1] = buyout_frac * float(draws_usd_m.sum())
    payment = level_payment(owed, rate_frac, term_q, buyout[-1])
    for j in range(build_q, draws.size):
        interest[j] = i * owed
        principal[j] = payment - interest[j] + buyout[j]
        owed -= principal[j]
        balance[j] = owed if j + 1 < draws.size else 0.0
    paid = np.where(np.arange(draws.size) < build_q, 0.0, interest)
    return LeaseFlows(draws, interest, paid, principal, buyout, balance)
