"""Tax depreciation: a bonus at once, the rest in equal parts."""

import numpy as np
from numpy.typing import NDArray


def written_off_frac(bonus_frac: float, life_q: int) -> NDArray[np.float64]:
    """Share of an asset's basis that is deducted in each quarter of its tax life.

    Parameters
    ----------
    bonus_frac : float
        Deducted in the quarter in which it goes live. [fraction]
    life_q : int, positive
        Quarters of the straight line of the rest, that quarter in. [quarters]

    Returns
    -------
    ndarray of length `life_q` and sum 1. [fraction]

    Notes
    -----
    26 U.S.C. 168(k) for the bonus; the straight line of 168(b)(3), by quarters instead of conventions.

    Examples
    --------
    >>> written_off_frac(0.4, 4).round(9).tolist()
    [0.55, 0.15, 0.15, 0.15]
    """
    shares = np.full(life_q, (1.0 - bonus_frac) / life_q)
    shares[0] += bonus_frac
    return shares
