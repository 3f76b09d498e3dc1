"""Limits that bind the company: covenants, guard rails, capital budgets; the past that they look back on."""

from typing import ClassVar, Literal

from pydantic import Field

from models.domain.row import Row
from models.timetree import Quarter

YEAR_Q = 4
"""Quarters that tests on a year look back or ahead."""

Metric = Literal[
    "minimum_liquidity",
    "net_debt_to_ebitda",
    "interest_cover",
    "dscr",
    "net_debt_to_market_cap",
    "market_cap",
    "recourse_debt",
    "secured_debt",
    "maturities",
    "dilution",
    "cash_cover",
    "funded_commitments",
    "maturity_wall",
    "solvency",
    "unsigned_building",
    "stress_liquidity",
    "tenant_share",
]
LEAF_METRICS = ("tenant_share", "maturity_wall", "solvency")
"""Tested at the end of the horizon alone."""
EBITDA_METRICS = ("net_debt_to_ebitda", "interest_cover", "dscr")
"""Tested on a quarter times four, or on the last four quarters."""
ENTITY_METRICS = ("minimum_liquidity", *EBITDA_METRICS)
"""May be tested on one entity alone."""


class Covenant(Row):
    """A test at each quarter end of its span, on the company or on one entity: a covenant or a guard rail."""

    table: ClassVar[str] = "covenants"
    key: ClassVar[tuple[str, ...]] = ("covenant",)

    covenant: str
    source_of_rule: Literal["contract", "policy"]
    entity: str | None = Field(
        default=None, description="the borrower that is tested alone, as a whole; empty: the company"
    )
    metric: Metric = Field(
        description="minimum_liquidity, funded_commitments, stress_liquidity: $M that must be left; "
        "net_debt_to_ebitda, net_debt_to_market_cap: at most so many times; interest_cover, dscr, "
        "maturities, maturity_wall, solvency: at least so many times; cash_cover: quarters; market_cap, "
        "recourse_debt, secured_debt: $M; dilution: fraction of the opening shares in four quarters; "
        "unsigned_building: fraction of liquidity; tenant_share: fraction of contracted MW that may lean on "
        "one guarantor or tenant"
    )
    threshold: float = Field(ge=0, description="in the unit of the metric")
    from_quarter: Quarter | None = Field(default=None, description="empty: from the first")
    to_quarter: Quarter | None = Field(default=None, description="empty: to the last")
    test: Literal["maintenance", "incurrence"] | None = Field(
        default=None,
        description="maintenance: every quarter; incurrence: where new notes are issued; empty: maintenance",
    )
    basis: Literal["run_rate", "trailing_4q"] | None = Field(
        default=None, description="EBITDA of a quarter times four, or of four quarters; empty: run_rate"
    )
    policy: str | None = Field(
        default=None, description="the shipped policy that the row comes from; empty: none"
    )

    @property
    def is_incurrence(self) -> bool:
        """Whether it is tested only where new notes are issued."""
        return self.test == "incurrence"

    @property
    def looks_back_q(self) -> int:
        """Quarters of EBITDA and interest that are added up."""
        return YEAR_Q if self.basis == "trailing_4q" else 1

    def holds_in(self, quarter: Quarter) -> bool:
        """Whether a quarter lies in its span."""
        after = self.from_quarter is None or self.from_quarter <= quarter
        return after and (self.to_quarter is None or quarter <= self.to_quarter)


class Budget(Row):
    """A cap on spending over a span of quarters."""

    table: ClassVar[str] = "budgets"
    key: ClassVar[tuple[str, ...]] = ("budget",)

    budget: str
    site: str | None = Field(description="empty: the whole company")
    counts: Literal["own", "all"] = Field(description="own money only, or whoever pays")
    from_quarter: Quarter
    to_quarter: Quarter
    cap_usd_m: float = Field(ge=0)


class History(Row):
    """A quarter before the first, for tests that look back over four."""

    table: ClassVar[str] = "history"
    key: ClassVar[tuple[str, ...]] = ("quarter",)

    quarter: Quarter
    ebitda_usd_m: float
    interest_usd_m: float = Field(ge=0, description="accrued on all debt, coupons included")
    shares_issued_m: float | None = Field(
        default=None, ge=0, description="shares sold, and those reserved for notes issued; empty: not known"
    )
