"""What the Bitcoin network pays for hashing, from difficulty, subsidy, fees and the price of bitcoin."""

import numpy as np
from numpy.typing import NDArray

Num = float | NDArray[np.float64]

BLOCK_SECONDS = 600.0
HALVING_BLOCKS = 210_000
FIRST_SUBSIDY_BTC = 50.0
HASHES_PER_DIFFICULTY = 2.0**32
SECONDS_PER_DAY = 86_400.0


def network_eh_per_s(difficulty_t: Num) -> Num:
    """Hashrate at which a difficulty gives a block every ten minutes.

    Parameters
    ----------
    difficulty_t : float or ndarray
        Network difficulty. [10^12]

    Returns
    -------
    float or ndarray. [EH/s]

    Notes
    -----
    H = D 2^32 / 600 s.

    Examples
    --------
    >>> round(network_eh_per_s(146.72))
    1050
    """
    return difficulty_t * (1e12 * HASHES_PER_DIFFICULTY / BLOCK_SECONDS / 1e18)


def hashprice_usd_per_ph_day(
    btc_usd: Num, difficulty_t: Num, subsidy_btc: Num, fee_frac: Num, pool_fee_frac: Num
) -> Num:
    """Expected revenue of 1 PH/s running for one day, after the pool's fee.

    Parameters
    ----------
    btc_usd : float or ndarray
        Price of bitcoin. [$]
    difficulty_t : float or ndarray, positive
        Network difficulty. [10^12]
    subsidy_btc : float or ndarray
        New bitcoin per block. [BTC]
    fee_frac : float or ndarray
        Transaction fees per block over the SUBSIDY (not over the whole reward). [fraction]
    pool_fee_frac : float or ndarray
        The pool's share of revenue. [fraction]

    Returns
    -------
    float or ndarray, broadcast of the inputs. [$/(PH/s)/d]

    Notes
    -----
    BTC per PH/s and day = 10^15 x 86400 S (1 + f) / (D 2^32): full-pay-per-share, as in Foundry's formula
    (SEC exhibit 0000950170-23-019070).

    Examples
    --------
    >>> round(hashprice_usd_per_ph_day(91_000.0, 152.0, 3.125, 0.007, 0.0), 1)
    37.9
    """
    btc_per_ph_day = 1e3 * SECONDS_PER_DAY * subsidy_btc * (1.0 + fee_frac)
    return btc_usd * btc_per_ph_day / (difficulty_t * HASHES_PER_DIFFICULTY) * (1.0 - pool_fee_frac)


def revenue_usd_per_mwh(hashprice_usd_per_ph_day: Num, efficiency_j_per_th: Num) -> Num:
    """Mining revenue per unit of energy.

    Parameters
    ----------
    hashprice_usd_per_ph_day : float or ndarray
        Expected revenue of 1 PH/s running for one day. [$/(PH/s)/d]
    efficiency_j_per_th : float or ndarray, positive
        Energy per hash, of the machine or with its overhead: the MWh are then those. [J/TH]

    Returns
    -------
    float or ndarray, broadcast of the inputs. [$/MWh]

    Notes
    -----
    One MW runs 1000/e PH/s, hence r = h 1000 / (24 e): also the power price at which the machine breaks even.

    Examples
    --------
    >>> round(revenue_usd_per_mwh(50.0, 20.0), 4)
    104.1667
    """
    return hashprice_usd_per_ph_day * 1000.0 / (24.0 * efficiency_j_per_th)


def subsidy_btc(height: Num) -> Num:
    """New bitcoin in the block of a height.

    Parameters
    ----------
    height : float or ndarray, non-negative
        Block height, the first block being 0. [blocks]

    Returns
    -------
    float or ndarray. [BTC]

    Notes
    -----
    50 BTC, halved every 210,000 blocks (rounding down to 10^-8 BTC is left out: below 10^-8 of a block).

    Examples
    --------
    >>> [float(subsidy_btc(h)) for h in (839_999, 840_000, 1_050_000)]
    [6.25, 3.125, 1.5625]
    """
    halvings: Num = np.floor_divide(height, HALVING_BLOCKS)
    return FIRST_SUBSIDY_BTC * 0.5**halvings


def mean_subsidy_btc(first_height: Num, blocks: Num) -> Num:
    """Mean new bitcoin per block over a run of blocks, a halving inside it included.

    Parameters
    ----------
    first_height : float or ndarray, non-negative
        Height of the run's first block. [blocks]
    blocks : float or ndarray, positive
        Length of the run. [blocks]

    Returns
    -------
    float or ndarray. [BTC]

    Notes
    -----
    (I(h + b) - I(h)) / b with I(h) all bitcoin issued in blocks 0..h-1.

    Examples
    --------
    >>> float(mean_subsidy_btc(1_049_000, 2_000))
    2.34375
    """
    return (_issued_btc(first_height + blocks) - _issued_btc(first_height)) / blocks


def _issued_btc(height: Num) -> Num:
    halved: Num = 0.5 ** np.floor_divide(height, HALVING_BLOCKS)
    whole_eras_btc = 2.0 * FIRST_SUBSIDY_BTC * HALVING_BLOCKS * (1.0 - halved)
    return whole_eras_btc + np.mod(height, HALVING_BLOCKS) * FIRST_SUBSIDY_BTC * halved
