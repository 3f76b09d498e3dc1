"""Blocks of leverage: corporate debt costs more as there is more of it."""

import math
from dataclasses import dataclass

from models.domain.portfolio import Portfolio


@dataclass(frozen=True)
class Step:
    """One block of leverage of one instrument; an instrument without any has one that knows no bound."""

    block: str
    """Its number, empty where the instrument has no blocks."""
    bound_usd_m: float
    """Corporate debt outstanding up to which it reaches."""
    add_frac: float


def steps(portfolio: Portfolio, instrument: str) -> tuple[Step, ...]:
    """The blocks of leverage of an instrument, cheapest first."""
    firm = portfolio.firm
    rows = sorted((x for x in portfolio.leverage_blocks if x.instrument == instrument), key=lambda x: x.block)
    cap_usd_m = firm.price_usd * firm.basic_shares_m
    found = [Step(str(x.block), x.up_to_frac_of_market_cap * cap_usd_m, x.add_frac) for x in rows]
    return tuple(found) or (Step("", math.inf, 0.0),)
