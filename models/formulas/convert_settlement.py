"""What a convertible note brings at issue and takes at settlement, in dollars and in shares."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Num = float | NDArray[np.float64]
SettlementKind = Literal["net_share", "physical"]


@dataclass(frozen=True, slots=True, eq=False)
class Settlement:
    """Payments when a note is settled, each of the shape of the price."""

    cash_usd_m: Num
    share_value_usd_m: Num
    """Market value of the shares delivered."""
    shares_out_m: Num
    shares_back_m: Num
    """Worth of the capped call in shares."""
    capped_call_usd_m: Num
    net_cost_usd_m: Num
    """Claim less capped call."""


def settlement_at_maturity(
    principal_usd_m: float,
    conversion_price_usd: float,
    cap_price_usd: float,
    price_usd: Num,
    settlement: SettlementKind,
) -> Settlement:
    """Settle a note at a share price.

    Parameters
    ----------
    principal_usd_m : float
        F. [$M]
    conversion_price_usd : float, positive
        K. [$ per share]
    cap_price_usd : float
        Cap of the capped call; infinite for an uncapped one, K for none at all. [$ per share]
    price_usd : float or ndarray, positive
        P. [$ per share]
    settlement : 'net_share' or 'physical'
        Net share: principal in cash, shares for the excess. Physical: F/K shares above K, cash below.

    Returns
    -------
    Settlement, of the shape of the price.

    Notes
    -----
    Claim max(F, P F/K); capped call (min(P, C) - K)+ F/K, in shares at P; the way of settling changes cash
    and shares, never the net cost.

    Examples
    --------
    >>> note = settlement_at_maturity(100.0, 10.0, 15.0, 20.0, "net_share")
    >>> float(note.cash_usd_m), float(note.shares_out_m), float(note.net_cost_usd_m)
    (100.0, 5.0, 150.0)
    """
    converts_m = principal_usd_m / conversion_price_usd
    excess_usd_m = np.maximum(0.0, price_usd - conversion_price_usd) * converts_m
    call_usd_m = np.maximum(0.0, np.minimum(price_usd, cap_price_usd) - conversion_price_usd) * converts_m
    cash_kept = 1.0 if settlement == "net_share" else np.where(excess_usd_m > 0.0, 0.0, 1.0)
    cash_usd_m = principal_usd_m * cash_kept * np.ones_like(excess_usd_m)
    share_value_usd_m = principal_usd_m - cash_usd_m + excess_usd_m
    return Settlement(
        cash_usd_m=cash_usd_m,
        share_value_usd_m=share_value_usd_m,
        shares_out_m=share_value_usd_m / price_usd,
        shares_back_m=call_usd_m / price_usd,
        capped_call_usd_m=call_usd_m,
        net_cost_usd_m=cash_usd_m + share_value_usd_m - call_usd_m,
    )


def cash_in_hand_usd_m(principal_usd_m: Num, fee_frac: Num, capped_call_cost_frac: Num) -> Num:
    """Cash that an issue leaves after its fee and the capped call bought with it.

    Parameters
    ----------
    principal_usd_m : float or ndarray
        [$M]
    fee_frac : float or ndarray
        Initial purchasers' discount and expenses, of principal. [fraction]
    capped_call_cost_frac : float or ndarray
        Of principal; 0 for none, which gives the issuer's "net proceeds". [fraction]

    Returns
    -------
    float or ndarray. [$M]

    Examples
    --------
    >>> cash_in_hand_usd_m(1000.0, 0.02, 0.08)
    900.0
    """
    return principal_usd_m * (1.0 - fee_frac - capped_call_cost_frac)


def if_converted_shares_m(principal_usd_m: Num, conversion_price_usd: Num) -> Num:
    """Reported diluted count of a note: all its shares, whatever its settlement and its capped call.

    Parameters
    ----------
    principal_usd_m : float or ndarray
        [$M]
    conversion_price_usd : float or ndarray, positive
        [$ per share]

    Returns
    -------
    float or ndarray. [million shares]

    Examples
    --------
    >>> if_converted_shares_m(1300.0, 13.0)
    100.0
    """
    return principal_usd_m / conversion_price_usd
