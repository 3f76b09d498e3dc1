"""Hash machines: the types one can own and the fleets in place."""

from typing import ClassVar

from pydantic import Field

from models.domain.row import Row


class Machine(Row):
    """A machine type."""

    table: ClassVar[str] = "machines"
    key: ClassVar[tuple[str, ...]] = ("machine",)

    machine: str
    j_per_th: float = Field(gt=0, description="at the wall of the machine")
    price_usd_per_th: float = Field(ge=0, description="new, at the opening; follows resale_idx")
    life_q: int = Field(ge=1)
    uptime_frac: float = Field(gt=0, le=1)
    resale_profile: str = Field(
        description="fraction of the new price by age in quarters; 0 after its last step"
    )
    overhead_frac: float = Field(ge=1, le=1.5, description="MW at the interconnect per MW at the machine")
    variable_cost_usd_per_mwh: float = Field(ge=0, description="repairs and hosting per MWh, power apart")
    fixed_cost_usd_per_mw_q: float = Field(ge=0, description="per MW kept ready")
    move_usd_per_mw: float = Field(ge=0)
    move_q: int = Field(ge=1, description="quarters a moved machine is off")
    max_move_mw_per_q: float | None = Field(default=None, ge=0, description="company-wide; empty: no limit")
    max_buy_mw_per_q: float = Field(ge=0, description="company-wide; 0: not for sale")
    max_sell_mw_per_q: float | None = Field(
        default=None,
        ge=0,
        description="resale market's depth for the type, all ages, company-wide; empty: no limit",
    )
    tax_class: str | None = Field(default=None, description="empty: the default class of machines")


class Fleet(Row):
    """Machines of one type and age at one site, at the opening."""

    table: ClassVar[str] = "fleets"
    key: ClassVar[tuple[str, ...]] = ("fleet",)

    fleet: str
    site: str
    machine: str
    mw: float = Field(ge=0, description="rated at the machine")
    age_q: int = Field(ge=0)
