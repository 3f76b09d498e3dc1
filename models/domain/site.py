"""A site: where it is, its power and how it grows, its cooling plant and what may be built on it."""

from typing import ClassVar, Literal

from pydantic import Field

from models.domain.row import Row
from models.timetree import Quarter

Strategy = Literal["optimal", "full", "hybrid", "flexible", "mine"]


class Site(Row):
    """One interconnect with the land around it."""

    table: ClassVar[str] = "sites"
    key: ClassVar[tuple[str, ...]] = ("site",)

    site: str
    entity: str = Field(description="borrower that owns it; not the parent")
    region: str
    market: str | None = Field(description="price shape of its power market; empty when power is fixed-price")
    fixed_cost_usd_m_per_q: float = Field(ge=0, description="lease, staff, property tax")
    once_cost_usd_m: float = Field(ge=0, description="spent at the end of the quarter of the first start")
    demolition_usd_m_per_mw: float = Field(ge=0, description="per gross MW rebuilt")
    water_limit_m3_per_q: float | None = Field(ge=0, description="empty: no limit stated")
    hpc_allowed: bool
    mining_allowed: bool
    earliest_conversion_quarter: Quarter
    max_hpc_critical_mw: float = Field(ge=0, description="begun by the plan, commitments apart")
    unconverted_value_usd_m_per_mw: float = Field(
        ge=0, description="value at the leaf of an energised gross MW that HPC does not occupy"
    )
    strategy: Strategy | None = Field(default=None, description="empty: the company's")
    state: Literal["owned", "candidate", "pending"] | None = Field(
        default=None,
        description="candidate: the plan may buy it; pending: its purchase is agreed; empty: owned",
    )
    purchase_usd_m: float | None = Field(
        default=None, ge=0, description="at the end of the quarter in which it is bought; empty: owned"
    )
    purchase_by_quarter: Quarter | None = Field(
        default=None,
        description="candidate: the last in which it may be bought; pending: the one in which it is",
    )
    sale_usd_m_per_mw: float | None = Field(
        default=None, ge=0, description="per energised gross MW, site sold whole; empty: not for sale"
    )
    sale_cost_frac: float | None = Field(default=None, ge=0, lt=1, description="of the price; empty: none")
    sale_cap_rate_frac: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="NOI of the next four quarters over the price at which let halls, or a part of them, "
        "may be sold; empty: not offered",
    )
    sale_term_left_q: int | None = Field(
        default=None,
        ge=4,
        description="quarters of the base term that buyers at the cap rate want ahead of them, at least",
    )
    book_value_usd_m: float | None = Field(
        default=None,
        ge=0,
        description="tax basis taken off a sale's price, no part of the group's basis_usd_m; empty: untaxed",
    )
    tax_class: str | None = Field(
        default=None, description="of what it is bought for; empty: the default class of power"
    )

    @property
    def is_owned(self) -> bool:
        """Ours at the opening."""
        return self.state in (None, "owned")


class Power(Row):
    """The site's power from a quarter on, until its next row."""

    table: ClassVar[str] = "power"
    key: ClassVar[tuple[str, ...]] = ("site", "from_quarter")

    site: str
    from_quarter: Quarter
    energised_mw: float = Field(ge=0)
    price_basis: Literal["fixed", "spot"]
    price_usd_per_mwh: float | None = Field(description="fixed price; empty on spot")
    price_growth_frac_per_year: float = Field(
        gt=-1, le=1, description="of a fixed price, yearly steps from from_quarter"
    )
    adder_usd_per_mwh: float = Field(description="losses, fees, transmission per MWh used")
    demand_charge_usd_per_kw_month: float = Field(ge=0, le=1000)
    min_bill_frac: float = Field(ge=0, le=1, description="of energised MW billed for demand at least")
    take_or_pay_frac: float = Field(
        ge=0, le=1, description="of energised MWh paid at the fixed price at least"
    )
    resale_allowed: bool = Field(description="committed MWh may be sold at the hour's market price")
    security_usd_m: float = Field(ge=0)
    security_form: Literal["cash", "lc"]
    curtail_credit_usd_per_mw_q: float = Field(
        ge=0, description="per MW of machines kept ready, net of what the same hours saved"
    )


class Expansion(Row):
    """An interconnect expansion, bought in whole steps."""

    table: ClassVar[str] = "expansions"
    key: ClassVar[tuple[str, ...]] = ("expansion",)

    expansion: str
    site: str
    step_mw: float = Field(gt=0)
    max_steps: int = Field(ge=1)
    cost_usd_m: float = Field(
        ge=0, description="per step; all but the deposit is paid in the last lead quarter"
    )
    deposit_usd_m: float = Field(ge=0, description="per step, part of the cost, paid in the first quarter")
    security_usd_m: float = Field(
        ge=0, description="per step, posted in cash with the deposit and held to the end of the plan"
    )
    lead_q: int = Field(ge=1)
    earliest_quarter: Quarter
    latest_quarter: Quarter
    tax_class: str | None = Field(default=None, description="empty: the default class of power")


class SiteCooling(Row):
    """Heat rejection of one type at one site: what stands and what can be added."""

    table: ClassVar[str] = "cooling"
    key: ClassVar[tuple[str, ...]] = ("site", "cooling")

    site: str
    cooling: str
    existing_mw: float = Field(ge=0, description="IT MW it can cool today, free for new modules")
    module_mw: float = Field(gt=0)
    capex_usd_m_per_module: float = Field(ge=0, description="spent evenly over its lead")
    lead_q: int = Field(ge=1)
    max_modules: int = Field(ge=0)
    pue: float = Field(ge=1, le=3, description="energy PUE of this cooling in this climate")
    water_m3_per_mwh: float = Field(ge=0, description="per IT MWh")
    tax_class: str | None = Field(default=None, description="empty: the default class of cooling")


class SiteProduct(Row):
    """That a product may be built at a site."""

    table: ClassVar[str] = "site_products"
    key: ClassVar[tuple[str, ...]] = ("site", "product")

    site: str
    product: str
    max_modules: int = Field(ge=1)
    earliest_quarter: Quarter
    latest_quarter: Quarter
    capex_factor_frac: float = Field(gt=0, description="local cost relative to the catalogue")


class Region(Row):
    """What a region allows and charges."""

    table: ClassVar[str] = "regions"
    key: ClassVar[tuple[str, ...]] = ("region",)

    region: str
    new_mining_allowed: bool = Field(description="machines may be bought or moved in")
    gpu_cloud_allowed: bool
    asic_tariff_applies: bool
    customs_area: str | None = Field(
        default=None,
        description="machines moved within an area pay no tariff; empty: the region is its own area",
    )
