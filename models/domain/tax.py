"""Taxes: who is taxed together and at what rate, and how fast each class of asset is written off."""

from typing import ClassVar

from pydantic import Field

from models.domain.contract import Words
from models.domain.row import Row

ASSETS = ("halls", "gpus", "cooling", "power", "machines")
"""What is written off; each kind has at most one class a regime for whatever names none."""


class TaxGroup(Row):
    """Entities that file one return, by calendar year; the company pays the tax."""

    table: ClassVar[str] = "tax_groups"
    key: ClassVar[tuple[str, ...]] = ("tax_group",)

    tax_group: str
    rate_frac: float = Field(ge=0, lt=1, description="on taxable income, federal and local together")
    regime: str | None = Field(
        default=None,
        description="whose default classes its assets are of, as a country; empty: those of no regime",
    )
    losses_usd_m: float = Field(ge=0, description="losses carried forward at the opening")
    loss_use_frac: float = Field(ge=0, le=1, description="of a year's taxable income that losses may offset")
    losses_value_frac: float = Field(
        ge=0, le=1, description="worth of losses left at the end of the plan, of losses x rate"
    )
    basis_usd_m: float = Field(
        ge=0, description="tax basis at the opening of machines and plant in place, commitments apart"
    )
    basis_life_q: int = Field(ge=1, description="over which that basis is written off in equal parts")
    income_so_far_usd_m: float | None = Field(
        default=None,
        description="taxable income of the opening year's earlier quarters, taxed with that year; "
        "empty: the plan begins with the year",
    )
    interest_cap_frac_of_ebitda: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="net interest deducted in a year, at most; the rest is carried with the losses; "
        "empty: no cap",
    )


class TaxClass(Row):
    """How an asset is written off from the quarter in which it goes live."""

    table: ClassVar[str] = "tax_classes"
    key: ClassVar[tuple[str, ...]] = ("tax_class",)

    tax_class: str
    bonus_frac: float = Field(ge=0, le=1, description="written off at once")
    life_q: int = Field(ge=1, description="over which the rest is written off in equal parts")
    profile: str | None = Field(
        default=None,
        description="the rest in shares of equal steps of that life, as of a declining balance by years; "
        "empty: in equal parts",
    )
    regime: str | None = Field(
        default=None, description="tax groups for which default_for counts; empty: those of no regime"
    )
    default_for: Words | None = Field(
        default=None,
        description="kinds of asset that are of this class where they name none: " + ", ".join(ASSETS),
    )
