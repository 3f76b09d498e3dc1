"""A bound that no plan of a program exceeds, from prices of its rows and arithmetic that rounds outwards.

For any prices y and any plan x, c x = y (A x) + (c - A'y) x. Rows limit the first term, bounds of the columns
the second (A. Neumaier, O. Shcherbina, Safe bounds in linear and mixed-integer linear programming,
Mathematical Programming 99, 2004). So wrong prices give a worse bound, never a wrong one.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from optimizer.plans.certificate import Certificate

Array = NDArray[np.float64]
UNIT = 2.0**-53
"""Largest relative error of one rounding."""
TINY = 1e-290
"""Above any error of a product that underflows."""
ROUNDS = 50


def safe_bound_usd_m(c: Certificate) -> float:
    """What the objective of no plan exceeds, whatever the prices; inf where they bound nothing. [$M]"""
    lower, upper = implied_bounds(c)
    price, low, high = _settled(c, allowed(c), lower, upper)
    corners = [_times(d, x) for d in (low, high) for x in (lower, upper)]
    of_columns = np.max(corners, axis=0)
    of_rows = _times(price, np.where(price > 0.0, c.row_upper, c.row_lower))
    terms = np.concatenate([of_rows, of_columns, [c.constant_usd_m]])
    if not np.all(np.isfinite(terms)):
        return math.inf
    # each term is rounded twice at most, their sum once
    return math.nextafter(math.fsum(terms) + 4.0 * UNIT * float(np.abs(terms).sum()) + TINY, math.inf)


def allowed(c: Certificate) -> Array:
    """The prices, zero where the row has no limit on the side that they pay for or they are no number."""
    limit = np.where(c.dual > 0.0, c.row_upper, c.row_lower)
    price: Array = np.where(np.isfinite(c.dual) & np.isfinite(limit), c.dual, 0.0)
    return price


def reduced_costs(c: Certificate, price: Array) -> tuple[Array, Array]:
    """What c - A'y is at least and at most, each column by itself. [$M per unit]"""
    count = np.diff(c.start)
    column = np.repeat(np.arange(c.cost.size), count)
    products = c.coef * price[c.row]
    total = np.bincount(column, weights=products, minlength=c.cost.size)
    size = np.bincount(column, weights=np.abs(products), minlength=c.cost.size) + np.abs(c.cost)
    error = 2.0 * (count + 4) * UNIT * size + TINY
    found = c.cost - total
    low: Array = found - error
    high: Array = found + error
    return low, high


def margins(c: Certificate) -> Array:
    """On which side of zero a reduced cost must lie: 1 below it, -1 above it, 0 wherever it likes or on it.

    Prices that keep from zero there survive rounding, so whoever asks a solver for them asks for a margin.
    """
    lower, upper = (np.isinf(ends).astype(np.float64) for ends in implied_bounds(c))
    sides: Array = upper - lower
    return sides


def _settled(c: Certificate, price: Array, lower: Array, upper: Array) -> tuple[Array, Array, Array]:
    """Prices, and reduced costs whose sign is right wherever a column has no end, if that can be had.

    Where rounding leaves that sign in doubt, prices of rows that are equations move by as little as makes
    the reduced cost nothing, in fractions.
    """
    low, high = reduced_costs(c, price)
    endless_up, endless_down = np.isinf(upper), np.isinf(lower)
    doubtful = np.flatnonzero((endless_up & (high > 0.0)) | (endless_down & (low < 0.0)))
    both = (endless_up & endless_down)[doubtful]
    exact = _moved(c, price, [int(j) for j in (*doubtful[both], *doubtful[~both])])
    price = price.copy()
    for i, y in exact.items():
        price[i] = float(y)
    low, high = reduced_costs(c, price)
    for j in doubtful:
        left = _exactly(c, price, exact, int(j))
        high[j] = min(high[j], 0.0) if left <= 0 and endless_up[j] else high[j]
        low[j] = max(low[j], 0.0) if left >= 0 and endless_down[j] else low[j]
    return price, low, high


def _moved(c: Certificate, price: Array, columns: Sequence[int]) -> dict[int, Fraction]:
    """Prices of equations, moved so that reduced costs of some columns are nothing, as far as they can."""
    is_equation = c.row_lower == c.row_upper
    width = np.bincount(c.row, minlength=c.row_lower.size)
    solved: dict[int, tuple[dict[int, Fraction], Fraction]] = {}
    for j in columns:
        entries = range(c.start[j], c.start[j + 1])
        parts = {int(c.row[e]): Fraction(c.coef[e]) for e in entries if is_equation[c.row[e]]}
        rest = _exactly(c, price, {}, j)
        while known := [i for i in parts if i in solved]:
            for i in known:
                factor, (others, move) = parts.pop(i), solved[i]
                rest -= factor * move
                for k, share in others.items():
                    parts[k] = parts.get(k, Fraction(0)) - factor * share
            parts = {i: part for i, part in parts.items() if part}
        if parts:
            i = min(parts, key=lambda i: (int(width[i]), i))
            pivot = parts.pop(i)
            solved[i] = {k: part / pivot for k, part in parts.items()}, rest / pivot
    moves: dict[int, Fraction] = {}
    for i, (others, move) in reversed(solved.items()):
        moves[i] = move - sum(share * moves[k] for k, share in others.items() if k in moves)
    return {i: Fraction(price[i]) + move for i, move in moves.items() if move}


def _exactly(c: Certificate, price: Array, exact: Mapping[int, Fraction], j: int) -> Fraction:
    """A column's reduced cost, without rounding."""
    found = Fraction(c.cost[j])
    for e in range(c.start[j], c.start[j + 1]):
        i = int(c.row[e])
        found -= Fraction(c.coef[e]) * exact.get(i, Fraction(price[i]))
    return found


def implied_bounds(c: Certificate) -> tuple[Array, Array]:
    """Bounds of the columns, those that have none bounded by the rows where these do so."""
    lower, upper = c.lower.copy(), c.upper.copy()
    column = np.repeat(np.arange(c.cost.size), np.diff(c.start))
    for _ in range(ROUNDS):
        unbounded = int(np.isinf(lower).sum() + np.isinf(upper).sum())
        for sign, limit in ((1.0, c.row_upper), (-1.0, -c.row_lower)):
            _bound_by_rows(c, column, sign, limit, lower, upper)
        if int(np.isinf(lower).sum() + np.isinf(upper).sum()) == unbounded:
            break
    return lower, upper


def _bound_by_rows(
    c: Certificate, column: NDArray[np.intp], sign: float, limit: Array, lower: Array, upper: Array
) -> None:
    """Bound columns without bounds by rows ``sign`` A x <= ``limit``, in place."""
    coef, rows = sign * c.coef, c.row_lower.size
    least = _times(coef, np.where(coef > 0.0, lower[column], upper[column]))
    is_open = np.isinf(least)
    held = np.where(is_open, 0.0, least)
    opens = np.bincount(c.row, weights=is_open, minlength=rows)
    total = np.bincount(c.row, weights=held, minlength=rows)
    size = np.bincount(c.row, weights=np.abs(held), minlength=rows)
    error = 2.0 * (np.bincount(c.row, minlength=rows) + 4) * UNIT * (size + np.abs(limit)) + TINY
    others_bounded = (opens[c.row] - is_open == 0) & np.isfinite(limit[c.row])
    free = np.where(coef > 0.0, np.isinf(upper[column]), np.isinf(lower[column]))
    for e in np.flatnonzero(others_bounded & free & (coef != 0.0)):
        i, j = c.row[e], column[e]
        # what the others leave of the limit, rounded up; then outwards once more for the division
        left = limit[i] - (total[i] - held[e]) + error[i]
        end = left / coef[e]
        if not math.isfinite(end):
            continue
        if coef[e] > 0.0:
            upper[j] = min(upper[j], math.nextafter(end, math.inf))
        else:
            lower[j] = max(lower[j], math.nextafter(end, -math.inf))


def _times(a: Array, b: Array) -> Array:
    """Products; nothing times no limit is nothing."""
    with np.errstate(invalid="ignore"):
        product: Array = np.where((a == 0.0) | (b == 0.0), 0.0, a * b)
    return product
