"""The outside world: scenarios, their quarterly decks, and the shapes of power prices."""

from typing import ClassVar

from pydantic import Field

from models.domain.row import Row
from models.timetree import Quarter

LEAST_IDX, GREATEST_IDX = 0.001, 1000.0
"""No price falls to less of what it was at the opening, or rises to more, and is still that price."""


class Scenario(Row):
    """A named future: it leaves another scenario at a quarter."""

    table: ClassVar[str] = "scenarios"
    key: ClassVar[tuple[str, ...]] = ("scenario",)

    scenario: str
    branch_from: str | None = Field(description="empty: it starts at the root")
    branch_quarter: Quarter | None = Field(description="first quarter of its own; empty with branch_from")
    probability: float | None = Field(gt=0, le=1, description="weight on the tree; empty: chains only")


class MarketRow(Row):
    """One quarter of one scenario."""

    table: ClassVar[str] = "market"
    key: ClassVar[tuple[str, ...]] = ("scenario", "quarter")

    scenario: str
    quarter: Quarter
    btc_usd: float = Field(gt=0)
    btc_trough_usd: float | None = Field(
        default=None, gt=0, description="lowest price of the quarter; empty: btc_usd"
    )
    difficulty_t: float = Field(gt=0, description="network difficulty in trillions")
    subsidy_btc: float = Field(ge=0.01, le=50, description="mean block subsidy of the quarter")
    fee_frac: float = Field(ge=0, le=10, description="fees as a fraction of the subsidy")
    lease_idx: float = Field(ge=LEAST_IDX, le=GREATEST_IDX)
    gpu_rent_idx: float = Field(ge=LEAST_IDX, le=GREATEST_IDX)
    capex_idx: float = Field(ge=LEAST_IDX, le=GREATEST_IDX)
    gpu_price_idx: float = Field(ge=LEAST_IDX, le=GREATEST_IDX)
    power_idx: float = Field(ge=LEAST_IDX, le=GREATEST_IDX)
    ai_equity_idx: float = Field(ge=LEAST_IDX, le=GREATEST_IDX)
    resale_idx: float = Field(ge=LEAST_IDX, le=GREATEST_IDX, description="prices of hash machines")
    base_rate_frac: float = Field(ge=0, le=1)
    spread_add_frac: float = Field(ge=0, le=1, description="added to every new credit spread")
    share_vol_frac: float = Field(gt=0, le=3, description="residual volatility of the share price")
    asic_tariff_frac: float = Field(ge=0, le=2)
    convert_open: bool
    equity_open: bool
    project_debt_open: bool

    @property
    def trough_usd(self) -> float:
        """Bitcoin price by which lenders test their collateral in the quarter. [USD]"""
        return self.btc_usd if self.btc_trough_usd is None else self.btc_trough_usd


class MarketShape(Row):
    """Mean price of each decile of hours, cheapest first, and the mean that they are scaled to."""

    table: ClassVar[str] = "market_shapes"
    key: ClassVar[tuple[str, ...]] = ("market",)

    market: str
    mean_usd_per_mwh: float = Field(gt=0, description="mean at power_idx 1; deciles are scaled to it")
    d1: float
    d2: float
    d3: float
    d4: float
    d5: float
    d6: float
    d7: float
    d8: float
    d9: float
    d10: float

    @property
    def deciles(self) -> tuple[float, ...]:
        """Mean price of each decile. [USD/MWh]"""
        return (self.d1, self.d2, self.d3, self.d4, self.d5, self.d6, self.d7, self.d8, self.d9, self.d10)
