"""What blocks hand to each other: frozen records of variables and linear expressions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear
from models.blocks.shares import PartOf
from models.blocks.taxable import TaxablePorts
from models.domain.company import Entity
from models.domain.contract import Contract
from models.domain.equipment import LongLead, VendorLease
from models.domain.ledger import CashLine, ValueLine
from models.params.block_sales import BlockSale
from models.params.commitments import CommitmentArrays
from models.params.modules import ModuleArrays, Route
from models.params.notes import NoteArrays

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Begun:
    """The modules begun on one route at one node."""

    route: Route
    node: int
    arrays: ModuleArrays
    count: Any


@dataclass(frozen=True, eq=False)
class Leased:
    """Modules of a cohort whose GPUs a lessor pays for, and what each owes it by node. [$M]"""

    terms: VendorLease
    variable: Any
    balance: Array


@dataclass(frozen=True, eq=False)
class Sold:
    """Let halls sold at a node: modules of a cohort, or a part of a commitment."""

    sale: BlockSale
    contract: Contract
    variable: Any


@dataclass(frozen=True, eq=False)
class Ordered:
    """Equipment ordered at a node by a site."""

    terms: LongLead
    node: int
    variable: Any


@dataclass(frozen=True, eq=False)
class ConversionPorts:
    """All starts of a site."""

    begun: tuple[Begun, ...]


@dataclass(frozen=True, eq=False)
class Load:
    """What the interconnect of a site carries, by node."""

    gross_mw: list[Linear]
    energy_mwh: list[Linear]
    recovered_mw: list[Linear]
    """Gross MW whose demand charge tenants repay."""


@dataclass(frozen=True, eq=False)
class Held:
    """One commitment with the share of it that is not cancelled, 1 or 0, by node."""

    arrays: CommitmentArrays
    kept: list[Linear]


@dataclass(frozen=True, eq=False)
class CommitmentPorts:
    """All commitments of a site."""

    load: Load
    held: tuple[Held, ...]


@dataclass(frozen=True, eq=False)
class MiningPorts:
    """Machines of a site, by vintage and node."""

    load: Load
    slack_gross_mw: list[Linear]
    bought: Mapping[tuple[str, int], Any]
    sold: Mapping[tuple[str, int], Any]
    moved_in: Mapping[tuple[str, int], Any]
    moved_out: Mapping[tuple[str, int], Any]
    stock: Mapping[tuple[str, int], Any]
    stock_gross_mw: list[Linear]
    """All that stands at the site, by node."""


@dataclass(frozen=True, eq=False)
class Wish:
    """What a plan would rather not have, priced in leaf dollars per unit; it moves no money."""

    variable: Any
    price: float


@dataclass(frozen=True, eq=False)
class Tenure:
    """Whether a site is ours by node: what stands, and what each purchase or sale adds."""

    standing: Array
    trades: tuple[tuple[int, Any, Array], ...]
    """Node, variable, 1 or -1 where it makes the site ours or not."""
    is_opening: bool
    """Ours before the first quarter."""

    def at(self, n: int) -> Linear:
        """1 where it is ours, 0 where it is not."""
        result = Linear(constant=float(self.standing[n]))
        for _, variable, weight in self.trades:
            result.add(float(weight[n]), variable)
        return result

    def post(self, books: Books, line: CashLine, by_node: Array) -> None:
        """Cash at the nodes where it is ours. [$M]"""
        books.post_constant(line, by_node * self.standing)
        for _, variable, weight in self.trades:
            books.post(line, variable, by_node * weight)

    def tally(self, books: Books, what: Tally, by_node: Array) -> None:
        """A tally at the nodes where it is ours."""
        books.tally_constant(what, by_node * self.standing)
        for _, variable, weight in self.trades:
            books.tally(what, variable, by_node * weight)

    def worth(self, books: Books, line: ValueLine, leaf: int, amount: float) -> None:
        """Value at a leaf where it is ours. [$M]"""
        books.worth_constant(line, leaf, amount * float(self.standing[leaf]))
        for _, variable, weight in self.trades:
            books.worth(line, leaf, amount * float(weight[leaf]), variable)


@dataclass(frozen=True, eq=False)
class SitePorts:
    """What the company sees of a site beside its borrower's books."""

    site: str
    conversion: ConversionPorts
    signed: Mapping[tuple[str, int], Any]
    mining: MiningPorts
    leased: tuple[Leased, ...]
    ordered: tuple[Ordered, ...]
    sold: tuple[Sold, ...]
    wishes: tuple[Wish, ...]
    ours: Tenure


@dataclass(frozen=True, eq=False)
class DebtUse:
    """A use of raised money that a decision brings, by node per unit; negative where it takes a use away."""

    since: int
    """Node of the decision."""
    variable: Any
    usd_m: Array
    is_repayment: bool = True
    """Of money that the decision itself raises."""


@dataclass(frozen=True, eq=False)
class BorrowerPorts:
    """One block as the company sees it."""

    owned: Entity
    books: Books
    cash: Any
    contributed: Any
    distributed: Any
    spared: tuple[DebtUse, ...]
    """Uses that loans repaid before their time take away."""
    rescue: Any
    """Of its own, at the nodes at which it has any."""
    sites: tuple[SitePorts, ...]
    taxable: TaxablePorts | None

    @property
    def entity(self) -> str:
        """Its name."""
        return self.owned.entity

    @property
    def counted(self) -> PartOf:
        """What the company's tests count of it."""
        return PartOf(self.books, self.owned.counted)

    @property
    def paid(self) -> PartOf:
        """What the company pays for of its spending."""
        return PartOf(self.books, self.owned.paid)

    def in_reach(self, n: int) -> Linear:
        """Of its unrestricted cash, what the company's tests count. [$M]"""
        part = PartOf(self.books, self.owned.in_reach(self.books.tree.quarter(n)))
        found = Linear()
        found.add(part.frac, self.cash[n])
        return found - part.tally_at(Tally.LOCKED, n)

    def guaranteed(self, n: int) -> Linear:
        """Own spend begun and still to come that the company has guaranteed. [$M]"""
        frac = self.owned.completion_guarantee_frac or 0.0
        return PartOf(self.books, frac).tally_at(Tally.REMAINING_OWN, n)


@dataclass(frozen=True, eq=False)
class Treasury:
    """Unrestricted cash of the company and funding of last resort, by node."""

    cash: Any
    rescue: Any


@dataclass(frozen=True, eq=False)
class Raised:
    """What may be raised: gross dollars of shares, principal of notes, and whether a deal is made."""

    sold: Sequence[tuple[int, Any]]
    """By node."""
    issued: Sequence[tuple[Any, NoteArrays]]
    """Convertibles."""
    borrowed: Sequence[tuple[int, Any]]
    """Straight notes by node."""
    deals: Sequence[Mapping[tuple[str, int], Any]]
    """Binaries of the deals in convertibles and in straight notes; at most one of each at a node."""


@dataclass(frozen=True, eq=False)
class Issue:
    """Principal that a deal places in one block of leverage, and how much of each $ is left, by node."""

    node: int
    bound_usd_m: float
    """Upper end of the block; infinite for an instrument without blocks."""
    variable: Any
    outstanding: Array
