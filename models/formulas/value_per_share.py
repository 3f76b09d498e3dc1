"""The share price at which what is left after all claims is worth that price."""

from collections.abc import Callable

WIDENINGS = 60
HALVINGS = 200


def root_lambda(value_minus_claims: Callable[[float], float], lower_usd: float, upper_usd: float) -> float:
    """Find the value per share.

    Parameters
    ----------
    value_minus_claims : callable
        Value less g lambda N0 less the claims of others at share price lambda [$M], strictly decreasing in
        lambda [$ per share].
    lower_usd : float, non-negative
        A price at which it is positive. [$ per share]
    upper_usd : float, above `lower_usd`
        Where to begin looking for a price at which it is negative; doubled as need be. [$ per share]

    Returns
    -------
    float, to 1e-13 of itself. [$ per share]

    Notes
    -----
    E[V - g lambda N0 - claims(lambda)] = 0, by bisection. ValueError where no positive price solves it:
    the equity is under water.

    Examples
    --------
    >>> round(root_lambda(lambda price: 1200.0 - 200.0 - 50.0 * price, 0.0, 1.0), 9)
    20.0
    """
    if not 0.0 <= lower_usd < upper_usd:
        raise ValueError(f"no bracket of positive prices from {lower_usd} to {upper_usd}")
    if value_minus_claims(lower_usd) <= 0.0:
        raise ValueError(f"equity under water: claims exceed value at {lower_usd} a share")
    for _ in range(WIDENINGS):
        if value_minus_claims(upper_usd) < 0.0:
            return _bisect(value_minus_claims, lower_usd, upper_usd)
        upper_usd *= 2.0
    raise ValueError(f"value exceeds claims at any price up to {upper_usd} a share")


def _bisect(decreasing: Callable[[float], float], lower: float, upper: float) -> float:
    for _ in range(HALVINGS):
        middle = 0.5 * (lower + upper)
        if upper - lower <= 1e-13 * upper:
            break
        lower, upper = (middle, upper) if decreasing(middle) > 0.0 else (lower, middle)
    return 0.5 * (lower + upper)
