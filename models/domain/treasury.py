"""Bitcoin that the company holds, and what lenders ask of the coins that secure their loans."""

from typing import ClassVar

from pydantic import Field

from models.domain.row import Row


class TreasuryLot(Row):
    """Coins of one owner that the plan may sell, pledge or keep."""

    table: ClassVar[str] = "treasury"
    key: ClassVar[tuple[str, ...]] = ("lot",)

    lot: str
    entity: str
    btc: float = Field(gt=0, description="coins held at the opening")
    basis_usd_per_btc: float | None = Field(
        default=None, ge=0, description="what a coin cost, for the tax on its gain; empty: only untaxed"
    )
    pledged_to: str | None = Field(
        default=None, description="the loan that all its coins secure at the opening; empty: free"
    )
    min_hold_btc: float = Field(ge=0, description="coins that are never sold")
    sell_cap_frac_per_q: float = Field(ge=0, le=1, description="of the opening coins, sold in one quarter")
    sell_cost_frac: float = Field(ge=0, lt=1, description="of the market price, lost in a sale")


class LoanCollateral(Row):
    """The margin term of a bitcoin-backed loan of the table ``debt``."""

    table: ClassVar[str] = "loan_collateral"
    key: ClassVar[tuple[str, ...]] = ("debt",)

    debt: str
    ltv_call_frac: float = Field(gt=0, le=1, description="loan over pledged coins at which the lender calls")
