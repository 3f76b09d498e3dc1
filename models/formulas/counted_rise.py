"""How much of an asset's price a plan may count on, where a deck foresees more than equity costs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def counted_fractions(
    price_usd: Array, parent: Sequence[int], probability: Array, growth_frac_per_q: float
) -> Array:
    """Part of the price at each node that no foresight has made.

    Parameters
    ----------
    price_usd : ndarray of shape (nodes,), positive
        Market price at each node of a tree, parents first. [USD]
    parent : sequence of int
        Parent of each node; -1 at the root.
    probability : ndarray of shape (nodes,)
        Of passing each node. [fraction]
    growth_frac_per_q : float
        What a dollar kept in the asset may earn in a quarter. [fraction]

    Returns
    -------
    ndarray of shape (nodes,), in (0, 1]

    Notes
    -----
    f = 1 at the root, f(c) = min(1, f(n) P(n) (1+g) / E[P(child) | n]). Discounted at g, f P is the largest
    process below P, in proportion to P among siblings, that is not expected to rise: by optional stopping no
    rule of when to sell earns more than g, from any node on, on what the asset fetches there.

    Examples
    --------
    >>> counted_fractions(np.array([100.0, 110.0, 100.0]), (-1, 0, 1), np.ones(3), 0.0).round(4)
    array([1.    , 0.9091, 1.    ])
    >>> counted_fractions(np.array([100.0, 150.0, 50.0]), (-1, 0, 0), np.array([1.0, 0.5, 0.5]), 0.0)
    array([1., 1., 1.])
    """
    size = price_usd.size
    ahead = np.zeros(size)
    for c in range(1, size):
        ahead[parent[c]] += probability[c] / probability[parent[c]] * price_usd[c]
    counted = np.ones(size)
    for c in range(1, size):
        n = parent[c]
        counted[c] = min(1.0, counted[n] * price_usd[n] * (1.0 + growth_frac_per_q) / ahead[n])
    return counted
