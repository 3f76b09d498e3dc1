"""The auditor's own closed forms: growth, hashprice, options, quantiles, profiles, present values, roots."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

QUANTILES = 64
"""Midpoints of the residual price law."""

_SECONDS_PER_DAY = 86_400.0
_HASHES_PER_DIFFICULTY = 2.0**32
_FIRST_KNOWN_SUBSIDY_BTC = 6.25
_HALVINGS = 200


def grown(yearly_frac: float, period_q: int) -> float:
    """Growth without steps over ``period_q`` quarters. [factor]"""
    return float((1.0 + yearly_frac) ** (period_q / 4.0))


def stepped(yearly_frac: float, elapsed_q: int) -> float:
    """An escalator: a step each full year, 1 before the start. [factor]

    >>> stepped(0.03, 3), round(stepped(0.03, 8), 4), stepped(0.03, -5)
    (1.0, 1.0609, 1.0)
    """
    return float((1.0 + yearly_frac) ** (elapsed_q // 4)) if elapsed_q > 0 else 1.0


def btc_per_ph_day(difficulty_t: float, subsidy_btc: float, fee_frac: float, pool_fee_frac: float) -> float:
    """Bitcoin that one PH/s expects in a day, after the pool's fee. [BTC/(PH/s)/d]"""
    hashes = 1e15 * _SECONDS_PER_DAY
    blocks = hashes / (difficulty_t * 1e12 * _HASHES_PER_DIFFICULTY)
    return blocks * subsidy_btc * (1.0 + fee_frac) * (1.0 - pool_fee_frac)


def fully_halved(subsidy_btc: float) -> float:
    """The largest 6.25/2^k not above a (mean) subsidy. [BTC]

    >>> fully_halved(3.125), fully_halved(2.0), fully_halved(1.5)
    (3.125, 1.5625, 0.78125)
    """
    level = _FIRST_KNOWN_SUBSIDY_BTC
    while level > subsidy_btc * (1.0 + 1e-12):
        level /= 2.0
    return level


def normal_cdf(x: float) -> float:
    """Distribution function of the standard normal law."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def black_scholes(spot: float, strike: float, years: float, rate: float, vol: float) -> float:
    """Price of a European call without dividends; a quarter pays rate/4. [USD]

    >>> round(black_scholes(100.0, 100.0, 1.0, 0.0, 0.2), 4)
    7.9656
    >>> round(black_scholes(100.0, 100.0, 1.0, 4.0 * math.expm1(0.05 / 4.0), 0.2), 4)
    10.4506
    >>> black_scholes(12.0, 10.0, 0.0, 0.05, 0.2)
    2.0
    """
    owed = strike * math.pow(1.0 + rate / 4.0, -4.0 * max(0.0, years))
    if years <= 0.0 or vol <= 0.0 or spot <= 0.0 or owed <= 0.0:
        return max(0.0, spot - owed)
    spread = vol * math.sqrt(years)
    d1 = math.log(spot / owed) / spread + 0.5 * spread
    return spot * normal_cdf(d1) - owed * normal_cdf(d1 - spread)


def residual_factors(vol: float, years: float) -> NDArray[np.float64]:
    """Share price over the deck price in each quantile, of mean one. [factor]"""
    z = np.array([NormalDist().inv_cdf((j + 0.5) / QUANTILES) for j in range(QUANTILES)])
    raw = np.exp(vol * math.sqrt(years) * z - 0.5 * vol * vol * years)
    return np.asarray(raw / raw.mean(), dtype=np.float64)


def respread(profile: Sequence[float], lead_q: int) -> list[float]:
    """A spend profile read on another number of quarters. [fraction per quarter]

    >>> respread((0.5, 0.5), 4)
    [0.25, 0.25, 0.25, 0.25]
    """
    steps = len(profile)
    total = [0.0]
    for part in profile:
        total.append(total[-1] + part)

    def spent_by(share: float) -> float:
        place = share * steps
        whole = min(int(place), steps - 1)
        return total[whole] + (place - whole) * profile[whole]

    marks = [spent_by(j / lead_q) for j in range(lead_q)] + [total[-1]]
    return [late - early for early, late in pairwise(marks)]


def at_step(profile: Sequence[float], step: int) -> float:
    """A ramp: its value at a step, the last one holding for ever. [fraction]"""
    return profile[min(step, len(profile) - 1)]


def root(surplus: Callable[[float], float], guess: float) -> float:
    """Where a falling function of a price meets zero; 0 where it starts below. [USD]"""
    if surplus(0.0) <= 0.0:
        return 0.0
    low, high = 0.0, guess
    while surplus(high) > 0.0:
        low, high = high, 2.0 * high
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if not low < middle < high or high - low < 1e-11 * high:
            break
        low, high = (middle, high) if surplus(middle) > 0.0 else (low, middle)
    return 0.5 * (low + high)


def present_value(flows: Sequence[float], yearly_rate: float) -> float:
    """Worth now of flows at the ends of the next quarters. [as the flows]"""
    worth = 0.0
    for flow in reversed(flows):
        worth = (worth + flow) / (1.0 + yearly_rate / 4.0)
    return worth
