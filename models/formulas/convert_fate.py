"""What becomes of a convertible note along a path of share prices, and what it claims afterwards."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from models.formulas.convert_settlement import SettlementKind, settlement_at_maturity
from models.formulas.options import call_usd
from models.units import QUARTERS_PER_YEAR

Num = float | NDArray[np.float64]
Flows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ConvertTerms:
    """A note's terms; quarter numbers count from quarter 0, that of its issue or valuation."""

    coupon_frac: float
    """Yearly."""
    conversion_price_usd: float
    maturity_q: int
    settlement: SettlementKind
    """`any` is the caller's to resolve (treated as net share)."""
    cap_price_usd: float
    """math.inf: a call without a cap."""
    put_q: tuple[int, ...]
    put_price_frac: float
    """Of principal."""
    call_from_q: int
    """Beyond maturity: no issuer's call."""
    call_trigger_frac: float
    """Share price over conversion price from which the issuer calls."""
    has_capped_call: bool


@dataclass(frozen=True, slots=True, eq=False)
class ConvertFate:
    """Expected flows per $ of principal issued, by quarter from 0; put, call, maturity at its START."""

    coupon_frac: Flows
    """Cash, at the quarter's END."""
    cash_principal_frac: Flows
    share_value_frac: Flows
    """Market value of the shares delivered."""
    share_equivalents_per_usd: Flows
    """Shares at the path's price worth the same."""
    capped_call_value_frac: Flows
    """Market value received from the capped call."""
    outstanding_frac: Flows
    """After the quarter's put, call and maturity."""
    wall_frac: Flows
    """Due in full at a put date, at the put price, or at maturity, paid in cash in the end or not; else 0."""


@dataclass(frozen=True, slots=True, eq=False)
class LeafClaim:
    """Worth of a note beyond the path, per $ outstanding."""

    bond_frac: Num
    call_frac: Num
    capped_call_frac: Num
    net_frac: Num
    """Bond + call - capped call."""


def price_quantiles_usd(price_usd: Flows, vol_frac: float, quantiles: int) -> NDArray[np.float64]:
    """Prices around a path by a residual law whose mean is the path.

    Parameters
    ----------
    price_usd : ndarray
        Path of share prices, quarter 0 first. [$]
    vol_frac : float, non-negative
        Yearly residual (idiosyncratic) volatility. [fraction]
    quantiles : int, positive
        Number of equally probable residual paths.

    Returns
    -------
    ndarray of shape (quarters, quantiles). [$]

    Notes
    -----
    One standard normal z per residual path, midpoints of equally probable intervals; at quarter m the price
    is p_m exp(vol sqrt(m/4) z - vol^2 (m/4)/2), divided by its mean factor so that no value is created.

    Examples
    --------
    >>> price_quantiles_usd(np.array([10.0, 12.0]), 0.6, 4).mean(axis=1).round(9).tolist()
    [10.0, 12.0]
    """
    z = np.array([NormalDist().inv_cdf((j + 0.5) / quantiles) for j in range(quantiles)])
    spread = vol_frac * np.sqrt(np.arange(price_usd.size) / QUARTERS_PER_YEAR)[:, None]
    factor = np.exp(spread * z - spread**2 / 2.0)
    result: NDArray[np.float64] = price_usd[:, None] * factor / factor.mean(axis=1, keepdims=True)
    return result


def convert_fate(terms: ConvertTerms, price_usd: Flows, vol_frac: float, quantiles: int = 64) -> ConvertFate:
    """Walk a note along a path of share prices, over the quantiles of the residual law.

    Parameters
    ----------
    terms : ConvertTerms
    price_usd : ndarray, positive
        Share price at the start of each quarter, quarter 0 first. [$]
    vol_frac : float
        Yearly residual volatility. [fraction]
    quantiles : int
        Residual paths; each has one normal deviate for its whole life.

    Returns
    -------
    ConvertFate, arrays of the path's length.

    Notes
    -----
    From quarter 1, while outstanding, in this order: at maturity it is settled; from the first call quarter
    it is called, and so converted, where P >= trigger x K; at a put date it is put where P < K (the capped
    call then pays nothing). A coupon is paid for each quarter in which the note is outstanding after these.
    """
    if terms.maturity_q < 1:
        raise ValueError(f"a note that matures in quarter {terms.maturity_q} has no fate to follow")
    price_usd = np.asarray(price_usd, float)
    paths_usd = price_quantiles_usd(price_usd, vol_frac, quantiles)
    strike_usd = terms.conversion_price_usd
    cap_usd = terms.cap_price_usd if terms.has_capped_call else strike_usd
    settled = settlement_at_maturity(1.0, strike_usd, cap_usd, paths_usd, terms.settlement)
    alive = np.ones(quantiles, dtype=bool)
    ends, puts = np.zeros(paths_usd.shape, dtype=bool), np.zeros(paths_usd.shape, dtype=bool)
    outstanding, wall = np.ones(price_usd.size), np.zeros(price_usd.size)
    for m in range(1, price_usd.size):
        if m == terms.maturity_q or (m in terms.put_q and m < terms.maturity_q):
            wall[m] = alive.mean() * (1.0 if m == terms.maturity_q else terms.put_price_frac)
        if m == terms.maturity_q:
            ends[m] = alive
        elif m >= terms.call_from_q:
            ends[m] = alive & (paths_usd[m] >= terms.call_trigger_frac * strike_usd)
        if m in terms.put_q:
            puts[m] = alive & ~ends[m] & (paths_usd[m] < strike_usd)
        alive = alive & ~ends[m] & ~puts[m]
        outstanding[m] = alive.mean()
    share_value = np.mean(ends * settled.share_value_usd_m, axis=1)
    return ConvertFate(
        coupon_frac=terms.coupon_frac / QUARTERS_PER_YEAR * outstanding,
        cash_principal_frac=np.mean(ends * settled.cash_usd_m + puts * terms.put_price_frac, axis=1),
        share_value_frac=share_value,
        share_equivalents_per_usd=share_value / price_usd,
        capped_call_value_frac=np.mean(ends * settled.capped_call_usd_m, axis=1),
        outstanding_frac=outstanding,
        wall_frac=wall,
    )


def leaf_claim(
    terms: ConvertTerms,
    remaining_q: int,
    spot_usd: Num,
    vol_frac: float,
    base_rate_frac: float,
    straight_rate_frac: float,
) -> LeafClaim:
    """Worth of a note that outlives its path: straight debt + call - capped call.

    Parameters
    ----------
    terms : ConvertTerms
    remaining_q : int, non-negative
        From the leaf (the START of the quarter after the path's last) to maturity. [quarters]
    spot_usd : float or ndarray, non-negative
        Share price at the leaf. [$]
    vol_frac : float
        Yearly volatility of the share price. [fraction]
    base_rate_frac : float
        Yearly riskless rate, for the options. [fraction]
    straight_rate_frac : float
        Yearly rate of the issuer's straight debt. [fraction]

    Returns
    -------
    LeafClaim, per $ outstanding. [fraction]

    Notes
    -----
    The bond runs to the next put on or after the leaf, at the put price, or to maturity at par; the call is
    on 1/K shares at strike K to maturity; the capped call is the spread of calls from K to the cap. With
    nothing left the claim is max(1, S/K) less the capped call. The issuer's own call is not valued.
    """
    leaf_q = terms.maturity_q - remaining_q
    pending = [put for put in terms.put_q if leaf_q <= put < terms.maturity_q]
    bond_q = min(pending) - leaf_q if pending else remaining_q
    redeemed_frac = terms.put_price_frac if pending else 1.0
    discount = (1.0 + straight_rate_frac / QUARTERS_PER_YEAR) ** -np.arange(bond_q + 1.0)
    coupons_frac = terms.coupon_frac / QUARTERS_PER_YEAR * float(discount[1:].sum())
    bond_frac = coupons_frac + redeemed_frac * float(discount[-1])
    strike_usd, years = terms.conversion_price_usd, remaining_q / QUARTERS_PER_YEAR
    call_frac = call_usd(spot_usd, strike_usd, years, vol_frac, base_rate_frac) / strike_usd
    cap_usd = terms.cap_price_usd if terms.has_capped_call else strike_usd
    beyond_frac = call_usd(spot_usd, cap_usd, years, vol_frac, base_rate_frac) / strike_usd
    capped_frac = call_frac - beyond_frac
    return LeafClaim(bond_frac + 0.0 * spot_usd, call_frac, capped_frac, bond_frac + call_frac - capped_frac)
