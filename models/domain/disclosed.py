"""Totals that the company has disclosed, which its tables must come to."""

from typing import ClassVar, Literal

from pydantic import Field

from models.domain.row import Row

Total = Literal[
    "loans_usd_m",
    "convertibles_usd_m",
    "debt_usd_m",
    "cash_usd_m",
    "basic_shares_m",
    "diluted_shares_m",
    "bitcoin_btc",
    "energised_mw",
    "contracted_mw",
    "contracted_rent_usd_m",
]


class StatedTotal(Row):
    """One disclosed total. It moves nothing in a plan."""

    table: ClassVar[str] = "stated_totals"
    key: ClassVar[tuple[str, ...]] = ("total",)

    total: Total = Field(
        description="loans: table debt; convertibles: their principal; debt: both; cash: of all entities, "
        "restricted and escrow too; diluted: basic, vested claims in full, and notes as if converted; "
        "bitcoin: coins of the treasury; energised: gross MW of all sites in the first quarter; contracted: "
        "critical MW of committed contracts, and a first full year of their rent"
    )
    amount: float = Field(ge=0, description="as disclosed, in the unit of the total's name")
    difference: float = Field(
        default=0.0, description="by which the tables are above it, knowingly; the note says why"
    )
