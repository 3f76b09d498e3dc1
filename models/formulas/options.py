"""Value of the right to buy shares at a strike (Black and Scholes), for notes, capped calls and warrants."""

import math

import numpy as np
from numpy.typing import NDArray

from models.units import QUARTERS_PER_YEAR

Num = float | NDArray[np.float64]
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def call_usd(spot_usd: Num, strike_usd: float, years: float, vol_frac: float, rate_frac: float) -> Num:
    """European call on one share that pays no dividend.

    Parameters
    ----------
    spot_usd : float or ndarray, non-negative
        Share price. [$]
    strike_usd : float, non-negative; may be infinite
        [$]
    years : float, non-negative
        To expiry. [y]
    vol_frac : float, non-negative
        Yearly volatility of the log price. [fraction]
    rate_frac : float
        Yearly rate, compounded quarterly. [fraction]

    Returns
    -------
    float or ndarray, shape of `spot_usd`. [$ per share]

    Notes
    -----
    C = S N(d1) - K v N(d2), v = (1 + r/4)^(-4 years), d1 = ln(S/(K v))/w + w/2, d2 = d1 - w,
    w = vol sqrt(years); max(0, S - K v) where w or K is 0. Black and Scholes, J. Political Economy 81 (1973).

    Examples
    --------
    >>> round(float(call_usd(100.0, 100.0, 1.0, 0.2, 0.0)), 4)
    7.9656
    """
    if math.isinf(strike_usd):
        return 0.0 * spot_usd
    owed_usd = strike_usd * (1.0 + rate_frac / QUARTERS_PER_YEAR) ** (-QUARTERS_PER_YEAR * years)
    spread = vol_frac * math.sqrt(years)
    if spread == 0.0 or owed_usd == 0.0:
        gain_usd: Num = np.maximum(0.0, spot_usd - owed_usd)
        return gain_usd
    with np.errstate(divide="ignore", over="ignore"):  # no price or hardly a spread: N(-inf) = 0, N(inf) = 1
        d1 = np.log(np.asarray(spot_usd) / owed_usd) / spread + spread / 2.0
    value_usd: Num = spot_usd * _normal(d1) - owed_usd * _normal(d1 - spread)
    return value_usd


def _normal(d: Num) -> NDArray[np.float64]:
    """Standard normal distribution function."""
    result: NDArray[np.float64] = 0.5 * _erfc(-np.asarray(d) / math.sqrt(2.0))
    return result


def warrant_value_usd(
    spot_usd: Num, strike_usd: float, years: float, vol_frac: float, rate_frac: float
) -> Num:
    """Value of one warrant or option on a share; its holder's gain now where no time is left.

    Parameters
    ----------
    spot_usd : float or ndarray, non-negative
        Share price. [$]
    strike_usd : float, non-negative
        [$]
    years : float
        To expiry; 0 gives max(0, S - K). [y]
    vol_frac : float, non-negative
        Yearly volatility of the log price. [fraction]
    rate_frac : float
        Yearly rate, compounded quarterly. [fraction]

    Returns
    -------
    float or ndarray. [$ per share]

    Examples
    --------
    >>> float(warrant_value_usd(12.0, 10.0, 0.0, 0.8, 0.04))
    2.0
    """
    return call_usd(spot_usd, strike_usd, years, vol_frac, rate_frac)
