"""What money put into one thing earns: net present value, internal rate, payback."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
NO_OUTLAY, NOTHING_BACK, FIRST, SEVERAL, BEYOND_SCALE = (
    "no own outlay",
    "nothing comes back",
    "money comes before the outlay",
    "several rates solve it",
    "above 1,000 % a year",
)
"""Why an internal rate is not stated."""
LEAST_USD_M = 1e-3
HIGHEST, LOWEST = 10.0, -0.99
HALVINGS = 200
NEVER, AT_ONCE = "after the horizon", "at once"


@dataclass(frozen=True)
class Return:
    """Own money in and out by quarter, and what is left at the end of the last one."""

    outlay_usd_m: float
    npv_usd_m: float
    irr_frac: float
    """0 where it is not stated."""
    irr_reason: str
    """Why it is not; empty where it is."""
    payback_quarter: str
    below_cost_of_equity: str


def present(flows: Array, yearly_frac: float) -> float:
    """Value of flows a quarter apart, the first of them now. [$M]"""
    return float(flows @ (1.0 + yearly_frac) ** (-np.arange(float(flows.size)) / 4.0))


def return_of(flows: Array, left_usd_m: float, hurdle_frac: float, quarters: Sequence[str]) -> Return:
    """The return on flows of own money, the first of them before the first quarter and the others at the
    ends of ``quarters``, where ``left_usd_m`` is had at the last of them. [$M]
    """
    whole = flows.copy()
    whole[-1] += left_usd_m
    npv = present(whole, hurdle_frac)
    rate, reason = _internal_rate(whole)
    outlay = float(-flows[flows < 0.0].sum())
    return Return(
        outlay if outlay >= LEAST_USD_M else 0.0,
        npv,
        rate,
        reason,
        _payback(flows, quarters),
        "yes" if npv < -LEAST_USD_M else "no",
    )


def _payback(flows: Array, quarters: Sequence[str]) -> str:
    """When all own money has come back, what is left at the end apart; or why that cannot be said."""
    if not (flows < -LEAST_USD_M).any():
        return NO_OUTLAY
    so_far = np.cumsum(flows)
    short = np.flatnonzero(so_far < -LEAST_USD_M)
    if not short.size:
        return AT_ONCE
    back = np.flatnonzero(so_far >= -LEAST_USD_M)
    later = back[back > short[0]]
    return quarters[int(later[0]) - 1] if later.size else NEVER


def _internal_rate(flows: Array) -> tuple[float, str]:
    """The yearly rate at which flows are worth nothing, or why there is none to state."""
    if not (flows < -LEAST_USD_M).any():
        return 0.0, NO_OUTLAY
    if not (flows > LEAST_USD_M).any():
        return 0.0, NOTHING_BACK
    if _turns(flows) > 1 and _turns(np.cumsum(flows)) > 1:
        return 0.0, SEVERAL
    if flows[np.abs(flows) > LEAST_USD_M][0] > 0.0:
        return 0.0, FIRST
    low, high = LOWEST, HIGHEST
    if present(flows, high) > 0.0:
        return 0.0, BEYOND_SCALE
    if present(flows, low) < 0.0:
        return 0.0, NOTHING_BACK
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if present(flows, middle) > 0.0 else (low, middle)
    return 0.5 * (low + high), ""


def _turns(series: Array) -> int:
    """How often a series changes its sign, small amounts apart."""
    signs = np.sign(series[np.abs(series) > LEAST_USD_M])
    return int(np.count_nonzero(np.diff(signs)))
