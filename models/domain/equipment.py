"""How equipment is bought: lessors who pay for GPUs, transformers ordered years before they are needed."""

from typing import ClassVar

from pydantic import Field

from models.domain.contract import Words
from models.domain.row import Row


class VendorLease(Row):
    """A lessor who pays the vendor for a module's GPUs, with recourse to the company."""

    table: ClassVar[str] = "vendor_leases"
    key: ClassVar[tuple[str, ...]] = ("lease",)

    lease: str
    products: Words = Field(description="whose GPUs it pays for")
    max_frac_of_gpus: float = Field(gt=0, le=1, description="of what the tenant does not pay of the GPUs")
    spread_frac: float = Field(
        ge=0, le=1, description="of the implied rate, over the base rate of the start; fixed for life"
    )
    term_q: int = Field(ge=1, description="level payments, from the quarter after the last GPU is paid on")
    buyout_frac: float = Field(
        ge=0, lt=1, description="of what was financed, paid with the last payment; 0: the GPUs are ours then"
    )
    max_usd_m: float = Field(gt=0, description="owed to it at a time, over all sites")


class LongLead(Row):
    """Transformers, switchgear and the like, ordered with a deposit before the halls that need them."""

    table: ClassVar[str] = "long_lead"
    key: ClassVar[tuple[str, ...]] = ("equipment",)

    equipment: str
    site: str | None = Field(description="where it serves; empty: at any site, whoever orders it")
    products: Words = Field(description="whose modules need it, as many MW as they have")
    cost_usd_m_per_mw: float = Field(
        gt=0, description="per critical MW, a part of the products' capex: modules then spend less by it"
    )
    deposit_frac: float = Field(
        ge=0, le=1, description="paid with the order, lost with it; the rest on delivery"
    )
    lead_q: int = Field(ge=1, description="from order to delivery; the rest is paid in its last quarter")
    needed_after_q: int = Field(
        ge=0, description="quarters after a module's start in which it must be there; at most the lead"
    )
    max_mw: float = Field(gt=0, description="ordered within the plan, at most")
    in_hand_mw: float = Field(ge=0, description="paid and unused at the opening")
    resale_frac: float = Field(ge=0, lt=1, description="of its cost, for what no module has used at the leaf")
    tax_class: str | None = Field(default=None, description="empty: the default class of power")

    @property
    def ahead_q(self) -> int:
        """Quarters by which an order comes before the start of the modules that it serves."""
        return self.lead_q - self.needed_after_q

    def serves(self, product: str, site: str) -> bool:
        """Whether modules of a product at a site need it."""
        return product in self.products and self.site in (None, site)
