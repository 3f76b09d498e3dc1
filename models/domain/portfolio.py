"""A whole portfolio: every table as a tuple of records."""

from pydantic import BaseModel, ConfigDict

from models.domain.company import Company, Entity, Holding, OtherLine, Valuation
from models.domain.contract import Commitment, CommitmentFlow, Contract, ContractMoney, Renewal, ShareClaim
from models.domain.disclosed import StatedTotal
from models.domain.equipment import LongLead, VendorLease
from models.domain.finance import (
    Convertible,
    CreditClass,
    Debt,
    Impact,
    Instrument,
    LeverageBlock,
    TakeOut,
)
from models.domain.market import MarketRow, MarketShape, Scenario
from models.domain.mining import Fleet, Machine
from models.domain.product import Product, ProfilePoint
from models.domain.row import Provenance, Row
from models.domain.rules import Budget, Covenant, History
from models.domain.site import Expansion, Power, Region, Site, SiteCooling, SiteProduct, Strategy
from models.domain.statements import BookLife
from models.domain.tax import TaxClass, TaxGroup
from models.domain.termination import Termination
from models.domain.treasury import LoanCollateral, TreasuryLot


class Portfolio(BaseModel):
    """All that is known and allowed; validated, immutable. Fields are named as their tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    company: tuple[Company, ...]
    entities: tuple[Entity, ...]
    other_lines: tuple[OtherLine, ...] = ()
    holdings: tuple[Holding, ...] = ()
    valuation: tuple[Valuation, ...]
    regions: tuple[Region, ...]
    sites: tuple[Site, ...]
    power: tuple[Power, ...]
    expansions: tuple[Expansion, ...] = ()
    cooling: tuple[SiteCooling, ...] = ()
    site_products: tuple[SiteProduct, ...] = ()
    products: tuple[Product, ...] = ()
    profiles: tuple[ProfilePoint, ...] = ()
    contracts: tuple[Contract, ...] = ()
    contract_money: tuple[ContractMoney, ...] = ()
    renewals: tuple[Renewal, ...] = ()
    terminations: tuple[Termination, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    commitment_flows: tuple[CommitmentFlow, ...] = ()
    machines: tuple[Machine, ...] = ()
    fleets: tuple[Fleet, ...] = ()
    debt: tuple[Debt, ...] = ()
    treasury: tuple[TreasuryLot, ...] = ()
    loan_collateral: tuple[LoanCollateral, ...] = ()
    convertibles: tuple[Convertible, ...] = ()
    share_claims: tuple[ShareClaim, ...] = ()
    credit_classes: tuple[CreditClass, ...] = ()
    take_outs: tuple[TakeOut, ...] = ()
    long_lead: tuple[LongLead, ...] = ()
    vendor_leases: tuple[VendorLease, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    impact: tuple[Impact, ...] = ()
    leverage_blocks: tuple[LeverageBlock, ...] = ()
    covenants: tuple[Covenant, ...] = ()
    budgets: tuple[Budget, ...] = ()
    history: tuple[History, ...] = ()
    stated_totals: tuple[StatedTotal, ...] = ()
    tax_groups: tuple[TaxGroup, ...] = ()
    tax_classes: tuple[TaxClass, ...] = ()
    book_lives: tuple[BookLife, ...] = ()
    scenarios: tuple[Scenario, ...]
    market: tuple[MarketRow, ...]
    market_shapes: tuple[MarketShape, ...] = ()
    provenance: tuple[Provenance, ...] = ()

    @property
    def firm(self) -> Company:
        """The company's one row."""
        return self.company[0]

    @property
    def parent(self) -> Entity:
        """The entity that is the company's treasury."""
        return next(e for e in self.entities if e.kind == "parent")

    @property
    def borrowers(self) -> tuple[Entity, ...]:
        """The entities below the parent."""
        return tuple(e for e in self.entities if e.kind != "parent")

    def owner_of(self, site: str) -> Entity:
        """The entity that owns a site."""
        name = next(s.entity for s in self.sites if s.site == site)
        return next(e for e in self.entities if e.entity == name)

    def strategy_of(self, site: Site) -> Strategy:
        """What is asked of a site."""
        return site.strategy or self.firm.strategy or "optimal"


TABLES: dict[str, type[Row]] = {
    name: field.annotation.__args__[0]  # type: ignore[union-attr]
    for name, field in Portfolio.model_fields.items()
}
"""Record type of each table, in the order of reading."""
