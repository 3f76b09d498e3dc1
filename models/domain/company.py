"""The company: its shares, treasury, entities, other business, and the rates it values streams at."""

from typing import ClassVar, Literal

from pydantic import Field

from models.domain.row import Row
from models.domain.site import Strategy
from models.timetree import Quarter


class Company(Row):
    """The listed parent, one row."""

    table: ClassVar[str] = "company"
    key: ClassVar[tuple[str, ...]] = ("name",)

    name: str
    ticker: str
    first_quarter: Quarter = Field(description="first quarter of the plan; balances are its opening ones")
    horizon_q: int = Field(ge=1, le=60, description="quarters planned")
    price_usd: float = Field(gt=0, description="share price at the opening")
    basic_shares_m: float = Field(gt=0, description="shares outstanding at the opening")
    authorised_shares_m: float = Field(gt=0)
    award_shares_m_per_q: float = Field(ge=0, description="stock awards issued each quarter")
    traded_shares_m_per_day: float = Field(ge=0)
    open_days_per_q: float = Field(ge=0, description="trading days a quarter outside blackout")
    atm_left_usd_m: float = Field(ge=0, description="left of the at-the-market programme")
    impact_window_q: int = Field(ge=1, description="quarters over which sales exhaust a discount block")
    btc_beta: float = Field(description="share price elasticity to bitcoin")
    ai_beta: float = Field(description="share price elasticity to the AI equity index")
    overhead_usd_m_per_q: float = Field(ge=0)
    overhead_growth_frac_per_year: float = Field(gt=-1, le=1)
    cash_floor_usd_m: float = Field(ge=0, description="least unrestricted company cash at each quarter end")
    cost_of_equity_frac: float = Field(ge=0, le=1)
    straight_spread_frac: float = Field(ge=0, le=1, description="spread of the company's unsecured debt")
    cash_yield_spread_frac: float = Field(ge=0, le=1, description="what cash earns below the base rate")
    pool_fee_frac: float = Field(ge=0, lt=1)
    building_cap_mw: float = Field(ge=0, description="critical MW under construction that crews can carry")
    building_cap_growth_mw_per_q: float = Field(ge=0)
    raise_only_what_is_spent: bool
    look_ahead_q: int = Field(ge=1, description="quarters of corporate uses that may be raised in advance")
    equity_pricing: Literal["no_mispricing", "market"]
    payouts_from_quarter: Quarter | None = Field(
        default=None,
        description="from which the plan may pay its shareholders, once nothing more is begun or raised; "
        "empty: it pays nothing out",
    )
    payout_max_usd_m_per_q: float | None = Field(
        default=None, ge=0, description="most that is paid out in a quarter; empty with the column before it"
    )
    last_convertible_quarter: Quarter | None = Field(
        default=None,
        description="of the last convertible deal before the plan, for the spacing; empty: long ago",
    )
    strategy: Strategy | None = Field(
        default=None, description="asked of every site that names none; empty: optimal"
    )
    rescue_price: float = Field(ge=1, le=100, description="leaf dollars lost per dollar of rescue funding")


class Entity(Row):
    """A borrower: the parent, a ring-fenced company that owns sites, or one that others own a part of."""

    table: ClassVar[str] = "entities"
    key: ClassVar[tuple[str, ...]] = ("entity",)

    entity: str
    kind: Literal["parent", "spv", "jv", "listed"] = Field(
        description="jv: a joint venture whose partners pay and receive their share; listed: a subsidiary "
        "with shareholders and a treasury of its own"
    )
    unrestricted_cash_usd_m: float = Field(ge=0)
    escrow_usd_m: float = Field(ge=0, description="restricted cash that pays rows funded_by escrow")
    collateral_cash_usd_m: float = Field(ge=0, description="other restricted cash, held to the leaf")
    tax_group: str | None = Field(default=None, description="empty: only where there are no tax groups")
    ownership_frac: float | None = Field(
        default=None, gt=0, lt=1, description="the company's share of a jv or listed one; empty: all of it"
    )
    upstream_from_quarter: Quarter | None = Field(
        default=None, description="from which its cash may be handed up; empty: always, of a listed one never"
    )
    contributions_allowed: bool | None = Field(
        default=None, description="listed: whether all shareholders may add money, each its share; empty: not"
    )
    completion_guarantee_frac: float | None = Field(
        default=None, ge=0, le=1, description="of its own spend begun, kept ready by the company; empty: none"
    )
    price_usd: float | None = Field(default=None, gt=0, description="listed: share price at the opening")
    shares_held_m: float | None = Field(default=None, gt=0, description="listed: held by the company")

    @property
    def share(self) -> float:
        """The company's part of it. [fraction]"""
        return 1.0 if self.ownership_frac is None else self.ownership_frac

    @property
    def counted(self) -> float:
        """The part of what it earns and owes that the company's tests count: none of a listed one's."""
        return 0.0 if self.kind == "listed" else self.share

    @property
    def takes_contributions(self) -> bool:
        """Whether its shareholders may put money in."""
        return self.kind != "listed" or bool(self.contributions_allowed)

    @property
    def paid(self) -> float:
        """The part of its own spend that the company pays for. [fraction]"""
        return self.share if self.takes_contributions else 0.0

    def may_hand_up(self, quarter: Quarter) -> bool:
        """Whether its cash may come to the company at the end of a quarter."""
        if self.upstream_from_quarter is None:
            return self.kind != "listed"
        return self.upstream_from_quarter <= quarter

    def in_reach(self, quarter: Quarter) -> float:
        """The part of its cash that the company's tests count: none that it may not have by then."""
        return self.counted if self.may_hand_up(quarter) else 0.0


class OtherLine(Row):
    """A line of business that the plan does not decide."""

    table: ClassVar[str] = "other_lines"
    key: ClassVar[tuple[str, ...]] = ("line", "quarter")

    line: str
    quarter: Quarter
    ebitda_usd_m: float


class Holding(Row):
    """An asset held to the leaf."""

    table: ClassVar[str] = "holdings"
    key: ClassVar[tuple[str, ...]] = ("asset",)

    asset: str
    value_usd_m: float = Field(ge=0)
    indexed_to: Literal["none", "btc"]
    haircut_frac: float = Field(ge=0, le=1)


class Valuation(Row):
    """How one stream is valued beyond the horizon."""

    table: ClassVar[str] = "valuation"
    key: ClassVar[tuple[str, ...]] = ("stream",)

    stream: Literal["powered_shell", "colocation", "gpu_cloud", "mining", "overhead"]
    rate_frac: float = Field(gt=0, le=1, description="yearly discount rate of the stream")
    decline_frac_per_year: float = Field(
        ge=0, lt=1, description="yearly decline of the mining run-off margin"
    )
    years: float | None = Field(
        ge=0,
        le=100,
        description="overhead: years it continues in full, and then with the chance that a contract signed "
        "at the opening still runs; empty elsewhere",
    )
    growth_frac_per_year: float | None = Field(
        default=None, gt=-1, le=1, description="overhead: yearly rise after the horizon; empty: none"
    )
