"""GPUs replaced and halls refitted, by quarter of a future: spending expected, and the residual."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.formulas.refresh import expected_worth_at_end, refresh_quarters
from models.params.outlook import Future
from models.params.streams import Terms, tenancy_of

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Refresh:
    """By quarter of a future. [$M]"""

    cost: Array
    residual: Array
    """Worth at the end of the last term of what is in place then, less that of the first GPUs."""


def refresh_of(terms: Terms, future: Future, new_usd_m: Array, first_usd_m: float, live_from: int) -> Refresh:
    """Replacement of GPUs that cost ``first_usd_m`` and went live in a quarter of the future, or before it.

    ``new_usd_m`` is what all of them cost new in each quarter. What a renewal lets on is replaced with its
    probability, and nothing in halls that stand dark. Replacements before the first quarter are paid for.
    """
    quarters, product = len(future.quarters), terms.product
    cost, residual = np.zeros(quarters), np.zeros(quarters)
    last_end = terms.last_end - future.quarters[0]
    if product.refresh_q is None or product.refresh_cost_frac is None or last_end <= 0:
        return Refresh(cost, residual)
    found = refresh_quarters(live_from, last_end, product.refresh_q)
    stays, let_again = tenancy_of(terms, future)
    used = stays + let_again
    chances = np.array([terms.chance(t, future.quarters[0]) * used[max(0, t)] for t in found])
    costs = np.array([product.refresh_cost_frac * new_usd_m[max(0, t)] for t in found])
    for t, chance, each in zip(found, chances, costs, strict=True):
        if t >= 0:
            cost[t] += chance * each
    served = product.gpu_residual_frac * first_usd_m
    ages = [last_end - t for t in found]
    worth = expected_worth_at_end(served, costs, chances, ages, product.refresh_q, product.gpu_residual_frac)
    residual[last_end - 1] = worth - served
    return Refresh(cost, residual)


def refit_of(terms: Terms, future: Future, mw: float, live_from: int) -> Array:
    """Halls of ``mw``, live from a quarter of the future on, made ready for each renewal. [$M]

    Spent in the first quarter of the renewal with its probability, and nothing in halls that stand dark.
    """
    cost, renewal = np.zeros(len(future.quarters)), terms.renewal
    if renewal is None or not renewal.capex_usd_m_per_mw:
        return cost
    stays, let_again = tenancy_of(terms, future)
    begins, ends = terms.term_end - future.quarters[0], terms.last_end - future.quarters[0]
    for t in range(begins, ends, renewal.term_q):
        if t >= max(0, live_from):
            chance = terms.chance(t, future.quarters[0]) * (stays + let_again)[t]
            cost[t] = chance * renewal.capex_usd_m_per_mw * mw * future.capex_idx[t]
    return cost
