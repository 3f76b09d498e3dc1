"""What can be built: HPC products and the profiles they refer to."""

from typing import ClassVar, Literal

from pydantic import Field

from models.domain.row import Row

Workload = Literal["powered_shell", "colocation", "gpu_cloud"]


class Product(Row):
    """A module of HPC capacity: a workload in an archetype of building with one cooling."""

    table: ClassVar[str] = "products"
    key: ClassVar[tuple[str, ...]] = ("product",)

    product: str
    workload: Workload
    archetype: Literal["reuse", "rebuild", "new_pad"]
    cooling: str
    module_mw: float = Field(gt=0, le=50, description="critical MW per module")
    gross_to_critical_ratio: float = Field(gt=0, le=1, description="critical MW per gross MW reserved")
    load_frac: float = Field(gt=0, le=1, description="mean IT load over critical MW, for energy")
    capex_usd_m_per_mw: float = Field(ge=0, description="per critical MW, cooling plant and GPUs apart")
    contingency_frac: float = Field(ge=0, description="of capex, GPUs apart")
    gpu_capex_usd_m_per_mw: float = Field(ge=0)
    spend_profile: str
    gpu_spend_profile: str | None = Field(description="empty when there are no GPUs")
    lead_q: int = Field(ge=1, description="start plus lead is the first full live quarter")
    displaces_mining_q: int = Field(ge=0, description="quarters before go-live that it takes the MW")
    ramp_profile: str
    opex_usd_per_kw_month: float = Field(ge=0, description="per critical kW, power apart, at the opening")
    opex_growth_frac_per_year: float = Field(gt=-1, le=1)
    maintenance_frac_of_capex_per_year: float = Field(
        ge=0, description="of capex with contingency, GPUs apart"
    )
    residual_frac: float = Field(ge=0, le=1, description="of capex, GPUs apart, at the end of the last term")
    gpu_residual_frac: float = Field(ge=0, le=1, description="of GPU capex at the end of the last term")
    gpu_payment_lag_q: int | None = Field(
        default=None, ge=1, le=4, description="GPUs are paid so many quarters after shipment; empty: with it"
    )
    refresh_q: int | None = Field(
        default=None, ge=1, description="quarters after go-live that GPUs are replaced; empty: they never are"
    )
    refresh_cost_frac: float | None = Field(
        default=None, gt=0, le=2, description="of GPU capex at the price of the day, per replacement"
    )
    slip_q: int = Field(ge=0, description="how late a delivery may be in the liquidity test")
    tax_class: str | None = Field(default=None, description="empty: the default class of halls")
    gpu_tax_class: str | None = Field(default=None, description="empty: the default class of gpus")

    @property
    def gross_mw(self) -> float:
        """Gross MW that a module reserves."""
        return self.module_mw / self.gross_to_critical_ratio


class ProfilePoint(Row):
    """One step of a spend, ramp, repayment or resale profile."""

    table: ClassVar[str] = "profiles"
    key: ClassVar[tuple[str, ...]] = ("profile", "step")

    profile: str
    step: int = Field(ge=0)
    frac: float = Field(ge=0)
