"""How equipment is bought: lessors who pay for GPUs."""

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
