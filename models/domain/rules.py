"""Limits that bind the company: covenants and capital budgets."""

from typing import ClassVar, Literal

from pydantic import Field

from models.domain.row import Row
from models.timetree import Quarter


class Covenant(Row):
    """A maintenance test on the company, at each quarter end of its span."""

    table: ClassVar[str] = "covenants"
    key: ClassVar[tuple[str, ...]] = ("covenant",)

    covenant: str
    source_of_rule: Literal["contract", "policy"]
    metric: Literal["minimum_liquidity", "net_debt_to_ebitda", "interest_cover"] = Field(
        description="liquidity [$M] and EBITDA over interest at least; net debt over 4 x EBITDA at most"
    )
    threshold: float = Field(ge=0)
    from_quarter: Quarter
    to_quarter: Quarter


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
