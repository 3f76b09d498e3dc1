"""Money owed and money on offer: existing debt and notes, lenders' terms, what can be issued."""

from typing import ClassVar, Literal

from pydantic import Field

from models.domain.row import Row
from models.timetree import Quarter

Settlement = Literal["net_share", "physical", "any"]
ReserveForm = Literal["cash", "lc", "parent_lc"]


class Debt(Row):
    """An existing loan that does not convert."""

    table: ClassVar[str] = "debt"
    key: ClassVar[tuple[str, ...]] = ("debt",)

    debt: str
    entity: str
    kind: Literal["gpu", "project", "corporate", "lease", "btc"] = Field(
        description="btc: secured by the coins of the treasury that are pledged to it"
    )
    recourse: bool
    principal_usd_m: float = Field(ge=0, description="drawn at the opening")
    undrawn_usd_m: float = Field(ge=0, description="drawn by commitment flows funded_by gpu_debt")
    rate_kind: Literal["fixed", "floating"]
    coupon_or_spread_frac: float = Field(ge=0, le=1)
    commitment_fee_frac: float = Field(ge=0, le=0.1)
    first_repayment_quarter: Quarter
    maturity_quarter: Quarter
    repayment: Literal["straight", "bullet", "listed", "sculpted"] = Field(
        description="straight: the balance is repaid in equal parts from the first repayment to maturity; "
        "listed: in parts by a profile; sculpted: so that interest and principal together follow a profile"
    )
    repayment_profile: str | None = Field(
        default=None, description="listed and sculpted: one step for each quarter of repayment; else empty"
    )
    balloon_frac: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="of the loan, left to maturity beside the parts; empty: none",
    )
    dsra_usd_m: float | None = Field(
        default=None, gt=0, description="kept for the service up to the last payment; empty: nothing"
    )
    dsra_form: ReserveForm | None = Field(
        default=None, description="cash: restricted; lc: a letter of credit, parent_lc: backed by the parent"
    )
    dsra_fee_frac: float | None = Field(
        default=None, ge=0, le=0.1, description="yearly, of what a letter of credit covers; empty: cash"
    )
    lockup_dscr: float | None = Field(
        default=None, gt=0, description="below which the borrower hands nothing up; empty: no lock-up"
    )
    lockup_from_quarter: Quarter | None = Field(
        default=None, description="from which that is tested; empty: from the first repayment"
    )
    sweep_frac: float | None = Field(
        default=None, ge=0, lt=1, description="of excess cash, repays it before maturity; empty: none"
    )
    refinance_spread_frac: float | None = Field(
        default=None, ge=0, le=1, description="of the loan that may replace it at maturity; empty: none may"
    )
    refinance_tenor_q: int | None = Field(default=None, ge=1, description="all of it due so many quarters on")
    refinance_max_frac: float | None = Field(
        default=None, gt=0, le=1, description="of what is due at maturity, at most"
    )
    call_from_quarter: Quarter | None = Field(
        default=None, description="from whose start a borrower may repay it early; empty: never"
    )
    call_price_frac: float | None = Field(
        default=None, ge=1, le=1.5, description="paid for it, of what is owed; empty: not callable"
    )

    @property
    def is_backed(self) -> bool:
        """Whether the parent answers for the letter of credit of a loan that it does not answer for."""
        return self.dsra_form == "parent_lc" and not self.recourse

    def is_tested(self, quarter: Quarter) -> bool:
        """Whether its lock-up is tested in a quarter."""
        since = self.lockup_from_quarter or self.first_repayment_quarter
        return self.lockup_dscr is not None and since <= quarter <= self.maturity_quarter


class Convertible(Row):
    """An existing convertible tranche."""

    table: ClassVar[str] = "convertibles"
    key: ClassVar[tuple[str, ...]] = ("tranche",)

    tranche: str
    principal_usd_m: float = Field(gt=0)
    coupon_frac: float = Field(ge=0, le=1)
    maturity_quarter: Quarter
    put_quarter: Quarter | None = Field(description="empty: no put")
    put_price_frac: float | None = Field(gt=0)
    call_from_quarter: Quarter | None = Field(description="empty: no soft call")
    call_trigger_frac: float | None = Field(gt=0)
    conversion_price_usd: float = Field(gt=0)
    settlement: Settlement
    cap_price_usd: float | None = Field(gt=0, description="capped call; empty: none")


class CreditClass(Row):
    """What project lenders offer against one class of tenant."""

    table: ClassVar[str] = "credit_classes"
    key: ClassVar[tuple[str, ...]] = ("credit_class",)

    credit_class: str
    spread_frac: float = Field(ge=0, le=1)
    ltc_max_frac: float = Field(gt=0, lt=1)
    dscr_min: float = Field(ge=1)
    coverage_q: int = Field(ge=1, description="coverage life, at most what is left of the contract")
    maturity_q: int = Field(ge=1, description="from close")
    balloon_cap_frac: float = Field(ge=0, le=1)
    refinance_spread_frac: float = Field(ge=0, le=1)
    funding: Literal["notes", "delayed_draw"]
    fee_frac: float = Field(ge=0, lt=0.2)
    reserve_q: int = Field(ge=0)
    reserve_form: ReserveForm | None = Field(
        default=None,
        description="as the dsra_form of a loan; empty: cash",
    )
    reserve_fee_frac: float | None = Field(
        default=None, ge=0, le=0.1, description="yearly, of what a letter of credit covers; empty: cash"
    )
    delivery_haircut_frac: float = Field(gt=0, le=1, description="lender's NOI over the plan's NOI")
    closes_at_start: bool
    closes_at_completion: bool


class TakeOut(Row):
    """A loan without recourse on what a borrower has let and built, in place of an old one or of none."""

    table: ClassVar[str] = "take_outs"
    key: ClassVar[tuple[str, ...]] = ("take_out",)

    take_out: str
    entity: str
    credit_class: str = Field(description="lenders' terms; they close on what is complete")
    debt: str | None = Field(description="the callable loan that it replaces; empty: it replaces none")
    from_quarter: Quarter
    to_quarter: Quarter = Field(description="last quarter in which it may close")
    max_usd_m: float = Field(gt=0, description="lent at most, of all closes together")


class Instrument(Row):
    """A way in which the company may raise money, or pay back early what it owes."""

    table: ClassVar[str] = "instruments"
    key: ClassVar[tuple[str, ...]] = ("instrument",)

    instrument: str
    kind: Literal["atm", "follow_on", "convertible", "btc_loan", "notes", "revolver", "repurchase"]
    min_usd_m: float = Field(ge=0)
    max_usd_m: float = Field(
        gt=0,
        description="per deal; per quarter at the market or bought back; commitment of a revolver; "
        "of btc_loan all that is out at a time",
    )
    max_frac_of_market_cap: float = Field(gt=0, description="deals: of deck price x opening shares")
    once_every_q: int = Field(ge=1, description="spacing among marketed deals of its kind")
    lockup_after_q: int = Field(ge=0, description="quarters after the deal without at-the-market sales")
    launch_drop_frac: float = Field(ge=0, lt=1, description="fall of the price at launch")
    drop_lasts_q: int = Field(ge=0, description="quarters in which cheaper at-the-market blocks stay shut")
    fee_frac: float = Field(ge=0, lt=0.2, description="of what is raised, committed or paid")
    coupon_frac: float | None = Field(
        ge=0, le=1, description="convertible only, like all up to settlement that does not say otherwise"
    )
    premium_frac: float | None = Field(
        ge=0, description="over the price after the launch drop; repurchase: over par or parity, the larger"
    )
    capped_call_cost_frac: float | None = Field(
        ge=0, lt=0.5, description="of principal; empty: no capped call"
    )
    cap_premium_frac: float | None = Field(ge=0, description="over the price after the launch drop")
    tenor_q: int | None = Field(ge=1, description="of a convertible, notes or a btc_loan")
    put_after_q: int | None = Field(ge=1, description="holders' put at par; empty: none")
    call_after_q: int | None = Field(ge=1, description="soft call; empty: none")
    call_trigger_frac: float | None = Field(gt=0)
    settlement: Settlement | None
    spread_frac: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="btc_loan, notes: over the base rate of the day of the deal; revolver: of each quarter",
    )
    ltv_max_frac: float | None = Field(
        default=None, gt=0, le=1, description="btc_loan only: loan over pledged coins when it is drawn"
    )
    ltv_call_frac: float | None = Field(
        default=None, gt=0, le=1, description="btc_loan only: loan over pledged coins at which it is called"
    )
    commitment_fee_frac: float | None = Field(
        default=None, ge=0, le=0.1, description="revolver: yearly, of what is undrawn; empty elsewhere"
    )
    available_from_quarter: Quarter | None = Field(
        default=None, description="revolver: in which it is arranged, or the plan's first; empty elsewhere"
    )
    available_until_quarter: Quarter | None = Field(
        default=None, description="revolver: at whose end it is repaid; empty elsewhere"
    )
    tranche: str | None = Field(
        default=None, description="repurchase: the existing convertible bought back; empty elsewhere"
    )


class Impact(Row):
    """One discount block of at-the-market sales."""

    table: ClassVar[str] = "impact"
    key: ClassVar[tuple[str, ...]] = ("instrument", "block")

    instrument: str
    block: int = Field(ge=1)
    up_to_frac_of_volume: float = Field(
        gt=0, le=1, description="of shares traded, cumulative over the blocks"
    )
    discount_frac: float = Field(ge=0, lt=1, description="to the deck price, commission apart")


class LeverageBlock(Row):
    """One step of what corporate debt costs more as there is more of it."""

    table: ClassVar[str] = "leverage_blocks"
    key: ClassVar[tuple[str, ...]] = ("instrument", "block")

    instrument: str
    block: int = Field(ge=1)
    up_to_frac_of_market_cap: float = Field(
        gt=0, description="corporate notes and convertibles outstanding at par, over the opening market cap"
    )
    add_frac: float = Field(ge=0, le=1, description="added to the coupon of what is issued in the block")
