"""How the network answers its revenue, and what follows a target with a lag: arithmetic of market decks."""

import numpy as np
from numpy.typing import NDArray

from models.formulas.hashprice import BLOCK_SECONDS, HASHES_PER_DIFFICULTY

Num = float | NDArray[np.float64]
Array = NDArray[np.float64]


def difficulty_t(network_eh_per_s: Num) -> Num:
    """Difficulty at which a hashrate finds a block every ten minutes.

    Parameters
    ----------
    network_eh_per_s : float or ndarray
        Hashrate. [EH/s]

    Returns
    -------
    float or ndarray. [10^12]

    Notes
    -----
    D = 600 s H / 2^32, the inverse of ``hashprice.network_eh_per_s``.

    Examples
    --------
    >>> round(difficulty_t(1050.0), 2)
    146.68
    """
    return network_eh_per_s * (BLOCK_SECONDS * 1e18 / HASHES_PER_DIFFICULTY / 1e12)


def hashrate_target(revenue_ratio: Num, supply_elasticity: float, gain_frac: float, years: Num) -> Num:
    """Hashrate that a revenue keeps running, over the one of the opening.

    Parameters
    ----------
    revenue_ratio : float or ndarray, positive
        Miners' revenue of a day over the one that keeps the opening hashrate. [fraction]
    supply_elasticity : float, non-negative
        Of hashrate to hashprice: by how many per cent one more per cent of hashprice raises it. [-]
    gain_frac : float
        Yearly gain of the fleet's efficiency, continuous. [fraction/year]
    years : float or ndarray
        Time since the opening. [years]

    Returns
    -------
    float or ndarray. [fraction]

    Notes
    -----
    Hashprice is revenue over hashrate, h = R/H, and supply is H = h^e. Hence H = R^(e/(1+e)): with an
    elasticity of one the hashrate goes with the square root of revenue. The gain multiplies it by exp(gain x
    years).

    Examples
    --------
    >>> float(hashrate_target(0.25, 1.0, 0.0, 1.0))
    0.5
    """
    shared: Num = revenue_ratio ** (supply_elasticity / (1.0 + supply_elasticity)) * np.exp(gain_frac * years)
    return shared


def follow(target: Array, start: float, moved_frac: float, rise_frac: float, fall_frac: float) -> Array:
    """A quantity that moves part of the way to its target each quarter, and never by more than its limits.

    Parameters
    ----------
    target : ndarray of shape (quarters,)
        Where it tends to in each quarter.
    start : float
        Where it stands before the first of them.
    moved_frac : float, above 0 and at most 1
        Part of the distance that is covered in a quarter; 1: no lag. [fraction]
    rise_frac, fall_frac : float, non-negative
        Largest rise and fall in a quarter, of what it was. [fraction]

    Returns
    -------
    ndarray of shape (quarters,), in the target's unit.

    Examples
    --------
    >>> follow(np.array([2.0, 2.0]), 1.0, 0.5, 9.0, 1.0).tolist()
    [1.5, 1.75]
    >>> follow(np.array([2.0, 0.1]), 1.0, 1.0, 0.07, 0.15).round(4).tolist()
    [1.07, 0.9095]
    """
    path, here = np.empty(target.size), start
    for n, wanted in enumerate(target):
        moved = here + moved_frac * (float(wanted) - here)
        here = min(max(moved, here * (1.0 - fall_frac)), here * (1.0 + rise_frac))
        path[n] = here
    return path


def machine_margin_usd_per_th(hashprice_usd_per_ph_day: Num, j_per_th: float, power_usd_per_mwh: Num) -> Num:
    """What a terahash earns in a year above its power.

    Parameters
    ----------
    hashprice_usd_per_ph_day : float or ndarray
        Expected revenue of 1 PH/s running for one day. [$/(PH/s)/d]
    j_per_th : float
        Efficiency. [J/TH]
    power_usd_per_mwh : float or ndarray
        Price of power. [$/MWh]

    Returns
    -------
    float or ndarray. [$/(TH/s)/year]

    Notes
    -----
    365 days of h/1000 less e x 8.76 kWh at the price of power.

    Examples
    --------
    >>> round(machine_margin_usd_per_th(28.68, 13.5, 50.0), 2)
    4.56
    """
    return 0.365 * hashprice_usd_per_ph_day - j_per_th * 8.76 * power_usd_per_mwh / 1000.0


def spot_law(start: float, growth: Array, years: Array, law: tuple[float, float, float]) -> Array:
    """A price that drifts, so many deviations from its median.

    Parameters
    ----------
    start : float, positive
        Price at the opening.
    growth : ndarray of shape (quarters,)
        What the drift has made of it by each date. [fraction]
    years : ndarray of shape (quarters,)
        Time since the opening. [years]
    law : tuple
        Yearly volatility, the most that the spread grows to, and deviations from the median. [fraction, -, -]

    Returns
    -------
    ndarray of shape (quarters,), in the unit of ``start``.

    Notes
    -----
    start x growth x exp(z min(cap, vol sqrt T)): a lognormal law whose spread stops growing at the cap.

    Examples
    --------
    >>> spot_law(100.0, np.array([1.0]), np.array([1.0]), (0.5, 0.4, 1.0)).round(2).tolist()
    [149.18]
    """
    volatility_frac, at_most, deviations = law
    spread = np.minimum(at_most, volatility_frac * np.sqrt(years))
    return np.asarray(start * growth * np.exp(deviations * spread))
