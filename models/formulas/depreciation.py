"""Tax depreciation: a bonus at once, the rest in equal parts or in steps."""

import numpy as np
from numpy.typing import NDArray


def written_off_frac(bonus_frac: float, life_q: int, steps_frac: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of an asset's basis that is deducted in each quarter of its tax life.

    Parameters
    ----------
    bonus_frac : float
        Deducted in the quarter in which it goes live. [fraction]
    life_q : int, positive
        Quarters over which the rest is written off, that quarter in. [quarters]
    steps_frac : ndarray of sum 1, its length a divisor of `life_q`
        Shares of the rest by equal steps of that life, even within each. [fraction]

    Returns
    -------
    ndarray of length `life_q` and sum 1. [fraction]

    Notes
    -----
    26 U.S.C. 168(k) for the bonus; the straight line of 168(b)(3), by quarters instead of conventions, is one
    step.
    A declining balance, as of the Canadian capital cost allowance, is one step a year.

    Examples
    --------
    >>> written_off_frac(0.4, 4, np.ones(1)).round(9).tolist()
    [0.55, 0.15, 0.15, 0.15]
    >>> written_off_frac(0.0, 8, np.array([0.6, 0.4])).round(9).tolist()
    [0.15, 0.15, 0.15, 0.15, 0.1, 0.1, 0.1, 0.1]
    """
    shares = (1.0 - bonus_frac) * np.repeat(steps_frac, life_q // steps_frac.size) * steps_frac.size / life_q
    shares[0] += bonus_frac
    return shares
