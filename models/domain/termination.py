"""Contracts that end before their term: data of a scenario, never a decision."""

from typing import ClassVar, Literal

from pydantic import Field

from models.domain.row import Row
from models.timetree import Quarter


class Termination(Row):
    """A contract that its tenant ends, or defaults on, in one scenario, and what follows there."""

    table: ClassVar[str] = "terminations"
    key: ClassVar[tuple[str, ...]] = ("scenario", "contract")

    scenario: str
    contract: str
    quarter: Quarter = Field(description="first quarter without its rent; not before the scenario branches")
    paid_by: Literal["nobody", "tenant", "guarantor"] = Field(description="who pays the fee")
    fee_frac_of_remaining_rent: float = Field(
        ge=0, le=1, description="of all rent still due to the end of the term, not discounted"
    )
    fee_months_of_rent: float = Field(ge=0, le=240, description="on top, at the first rent that falls away")
    fee_at_most_usd_m_per_mw: float | None = Field(
        gt=0, description="cap of the fee per critical MW, as of a backstop; empty: none"
    )
    vacancy_q: int | None = Field(
        ge=0, description="quarters until its halls are let again; empty: they stay dark"
    )
    relet_rent_frac: float | None = Field(
        gt=0, le=2, description="then, of the first-year rent x the market's index; empty with vacancy_q"
    )
