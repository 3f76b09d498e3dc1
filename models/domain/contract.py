"""Who pays: tenants' contracts and offers, their money, renewals, and what is already committed."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from models.domain.row import Row
from models.timetree import Quarter


def _words(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    return tuple(dict.fromkeys(w.strip() for w in cell.split(";") if w.strip()))


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
"""Names in one cell, separated by semicolons; one that stands twice counts once."""


class Contract(Row):
    """A lease or cloud contract: signed, on offer, an option in another contract, or the open market."""

    table: ClassVar[str] = "contracts"
    key: ClassVar[tuple[str, ...]] = ("contract",)

    contract: str
    state: Literal["offer", "option", "committed", "merchant"]
    option_of: str | None = Field(
        default=None, description="options only: the contract that grants it, at the same site"
    )
    tenant: str
    guarantor: str | None = Field(description="empty: none")
    credit_class: str | None = Field(description="empty: no project debt against it")
    sites: Words
    workloads: Words
    coolings: Words
    min_mw: float = Field(ge=0, description="critical MW live at the deadline, if signed")
    max_mw: float = Field(gt=0, description="critical MW at most")
    billing_basis: Literal["critical", "gross"]
    first_year_rent_usd_per_kw_month: float = Field(ge=0)
    rent_indexed_to: Literal["none", "lease", "gpu_rent"] = Field(
        description="merchant rent follows this index; an offer's rent is fixed by it when a module begins"
    )
    escalator_frac_per_year: float = Field(gt=-1, le=1, description="steps yearly from the commencement")
    commencement_quarter: Quarter = Field(description="the lease calendar starts here, whoever is live")
    term_q: int = Field(ge=1, description="rent ends term_q quarters after the commencement")
    contract_value_usd_m: float | None = Field(ge=0, description="stated value, a check; empty: not stated")
    noi_usd_m_per_year: float | None = Field(
        default=None, ge=0, description="stated average of the whole contract, a check; empty: not stated"
    )
    power_passed_through: bool
    opex_passed_through_frac: float = Field(ge=0, le=1, description="1 net lease, 0 gross")
    delivery_probability_frac: float = Field(gt=0, le=1)
    payment_lag_q: int = Field(ge=0, le=2)
    sign_from_quarter: Quarter | None = Field(description="offers and options only")
    sign_by_quarter: Quarter | None = Field(description="offers and options only")
    deadline_quarter: Quarter | None = Field(
        description="min_mw live from this quarter on; not of committed ones"
    )
    long_stop_quarter: Quarter | None = Field(
        default=None,
        description="min_mw live by then at the latest, late at a price; empty: the deadline",
    )
    late_damages_usd_per_kw_month: float | None = Field(
        default=None, ge=0, description="per kW of min_mw late from the deadline to the long stop"
    )
    exclusive_group: str | None = Field(description="at most one of a group is signed; empty: none")
    usable_slack_frac: float = Field(ge=0, le=1, description="of reserved less drawn MW, for own machines")
    slack_hours_frac: float = Field(ge=0, le=1)

    @property
    def signable(self) -> bool:
        """Whether the plan decides on its signature."""
        return self.state in ("offer", "option")

    @property
    def last_delivery_quarter(self) -> Quarter | None:
        """First quarter of the last module that may still be delivered."""
        return self.long_stop_quarter or self.deadline_quarter


class ContractMoney(Row):
    """Tenant money: a liability credited against rent.

    On offers and options it is a fraction of each module's capex (GPUs in), received with its spend; on
    committed contracts an amount in a quarter. Credits begin give_back_from_q after go-live (offers) or after
    the commencement (committed).
    """

    table: ClassVar[str] = "contract_money"
    key: ClassVar[tuple[str, ...]] = ("contract", "kind")

    contract: str
    kind: Literal["prepayment", "tenant_capex", "incentive"]
    frac_of_capex: float | None = Field(ge=0, le=1, description="offers, options; empty on committed")
    amount_usd_m: float | None = Field(ge=0, description="committed; empty on others")
    received_quarter: Quarter | None = Field(
        description="committed; before the first quarter: in opening cash"
    )
    give_back_from_q: int = Field(ge=0)
    give_back_q: int = Field(ge=0, description="0: never given back")
    max_frac_of_rent: float = Field(gt=0, le=1)
    eligible_for_ltc: bool | None = Field(
        default=None, description="lenders count what it pays for as cost, though it is not ours; empty: no"
    )
    refundable_on_termination: bool | None = Field(
        default=None, description="paid back, not kept, if the contract ends early; wanted if one may"
    )


class Renewal(Row):
    """What follows a contract's term."""

    table: ClassVar[str] = "renewals"
    key: ClassVar[tuple[str, ...]] = ("contract",)

    contract: str
    probability_frac: float = Field(ge=0, le=1)
    rent_basis: Literal["contract", "market", "min"]
    term_q: int = Field(ge=1, description="of one renewal")
    options: int | None = Field(
        default=None,
        ge=1,
        le=20,
        description="so many in turn, each with the probability if the last was taken; empty: one",
    )
    capex_usd_m_per_mw: float | None = Field(
        default=None,
        ge=0,
        description="own spend on a critical MW in the first quarter of each renewal, at opening prices; "
        "empty: none, as where GPUs are replaced",
    )

    @property
    def all_terms_q(self) -> int:
        """Quarters of all renewals together."""
        return (self.options or 1) * self.term_q

    def chance(self, after_term_q: int) -> float:
        """That the contract runs so many quarters after its term: each renewal follows the one before."""
        return (
            self.probability_frac ** (after_term_q // self.term_q + 1)
            if after_term_q < self.all_terms_q
            else 0.0
        )


class Commitment(Row):
    """Capacity signed, bought or half-built at the opening."""

    table: ClassVar[str] = "commitments"
    key: ClassVar[tuple[str, ...]] = ("commitment",)

    commitment: str
    site: str
    contract: str
    product: str
    debt: str | None = Field(description="the debt row that its gpu_debt rows draw; empty: none")
    capex_usd_m: float = Field(ge=0, description="total capex, GPUs apart: base of maintenance and residual")
    gpu_capex_usd_m: float = Field(ge=0)
    occupies_from_quarter: Quarter = Field(description="its gross MW are taken from here on")
    cancellable_until_quarter: Quarter | None = Field(description="empty: it cannot be cancelled")
    cancel_fee_usd_m: float = Field(ge=0)


class CommitmentFlow(Row):
    """What a commitment still spends in a quarter, and the critical MW live from that quarter on.

    Rows funded_by vendor are paid from own money one quarter later.
    """

    table: ClassVar[str] = "commitment_flows"
    key: ClassVar[tuple[str, ...]] = ("commitment", "quarter", "funded_by")

    commitment: str
    quarter: Quarter
    funded_by: Literal["own", "escrow", "tenant", "gpu_debt", "vendor"]
    amount_usd_m: float = Field(ge=0)
    mw_live: float = Field(ge=0, description="critical MW added to the live ones from this quarter on")


class ShareClaim(Row):
    """Warrants and options on the company's shares."""

    table: ClassVar[str] = "share_claims"
    key: ClassVar[tuple[str, ...]] = ("claim",)

    claim: str
    shares_m: float = Field(gt=0)
    strike_usd: float = Field(ge=0)
    expiry_quarter: Quarter
    contract: str | None = Field(description="vests when this offer or option is signed; empty: vested")
