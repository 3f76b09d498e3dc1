"""The books that blocks post to: cash by line, value by leaf, tallies for the company, decisions."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.blocks.linear import Linear, total
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.timetree import TimeTree

Array = NDArray[np.float64]


class Tally(StrEnum):
    """What a block hands up to the company beside cash and value, by node."""

    BUILDING_MW = "building_mw"
    LATE_LOSS = "late_loss"
    WALL = "wall"
    """Principal of notes due at maturity or a put beyond the cash that it is expected to take."""
    DEBT = "debt"
    INTEREST = "interest"
    SERVICE = "service"
    """Interest that a borrower pays out of its income, and scheduled principal: no balloon, no bullet."""
    LOCKED = "locked"
    """Of a borrower's cash, what a lock-up holds."""
    RESTRICTED = "restricted"
    UNDRAWN = "undrawn"
    LINE = "line"
    """Undrawn of a revolver open for four quarters more; the balance of one that ends in them, negative."""
    COIN_BASIS = "coin_basis"
    """What coins still held at a leaf cost."""
    ROLLED = "rolled"
    """Of existing loans due in the quarter, what new ones replace."""
    OWN_NEED = "own_need"
    """Spend less tenant money, project and debt draws and escrow."""
    GROSS_SPEND = "gross_spend"
    WRITTEN_OFF = "written_off"
    """Tax depreciation."""
    KEPT_MONEY = "kept_money"
    """Tenant money that is never given back: taxable income."""
    REMAINING_OWN = "remaining_own"
    """Own spend of all begun that falls after the node."""
    REMAINING_UNSIGNED = "remaining_unsigned"
    """Of it, what no tenant has signed for."""
    RECOURSE = "recourse"
    """Of the debt, what the company answers for: loans with recourse and notes."""
    SECURED = "secured"
    """Of the debt, what is secured on assets: all loans but corporate ones, and project debt."""
    RECOURSE_INTEREST = "recourse_interest"
    DUE = "due"
    """Principal that falls due in the four quarters after the node, or may be put then."""


@dataclass(frozen=True)
class Decision:
    """A variable with its place in the table ``decisions``."""

    quantity: Quantity
    site: str
    item: str
    contract: str
    since: str
    node: int
    variable: Any


@dataclass(frozen=True)
class Limit:
    """A rule elsewhere that keeps variables small: the sum of weight x variable over a group <= most."""

    group: tuple[Hashable, ...]
    weight: float
    most: float


@dataclass
class Books:
    """Posted to while blocks are built; read as linear expressions."""

    owner: str
    tree: TimeTree
    cash: dict[CashLine, list[Linear]] = field(default_factory=dict)
    value: dict[ValueLine, dict[int, Linear]] = field(default_factory=dict)
    tallies: dict[Tally, list[Linear]] = field(default_factory=dict)
    site_tallies: dict[tuple[str, Tally], list[Linear]] = field(default_factory=dict)
    """Own need and gross spend of each site: what its budgets count."""
    decisions: list[Decision] = field(default_factory=list)
    limits: dict[int, Limit] = field(default_factory=dict)
    """By the identity of a variable, for rows that must know how far they can be broken."""

    def _line(self, line: CashLine) -> list[Linear]:
        if line not in self.cash:
            self.cash[line] = self._blank()
        return self.cash[line]

    def _blank(self) -> list[Linear]:
        return [Linear() for _ in self.tree.nodes]

    def post(self, line: CashLine, variable: Any, by_node: Array) -> None:
        """Cash per unit of a variable, by node; inflows positive. [$M]"""
        place = self._line(line)
        for n in np.flatnonzero(by_node):
            place[n].add(by_node[n], variable)

    def post_at(self, line: CashLine, n: int, amount: Linear) -> None:
        """Cash at one node. [$M]"""
        place = self._line(line)
        place[n] = place[n] + amount

    def post_constant(self, line: CashLine, by_node: Array) -> None:
        """Cash that no decision changes. [$M]"""
        place = self._line(line)
        for n in np.flatnonzero(by_node):
            place[n].constant += float(by_node[n])

    def worth(self, line: ValueLine, leaf: int, coef: float, variable: Any) -> None:
        """Value per unit of a variable at a leaf. [$M]"""
        self.value.setdefault(line, {}).setdefault(leaf, Linear()).add(coef, variable)

    def worth_constant(self, line: ValueLine, leaf: int, amount: float) -> None:
        """Value at a leaf that no decision changes. [$M]"""
        self.value.setdefault(line, {}).setdefault(leaf, Linear()).constant += float(amount)

    def worth_at(self, line: ValueLine, leaf: int, amount: Linear) -> None:
        """Value at one leaf. [$M]"""
        place = self.value.setdefault(line, {})
        place[leaf] = place.get(leaf, Linear()) + amount

    def _tallies(self, what: Tally, site: str) -> list[list[Linear]]:
        if what not in self.tallies:
            self.tallies[what] = self._blank()
        if not site:
            return [self.tallies[what]]
        if (site, what) not in self.site_tallies:
            self.site_tallies[site, what] = self._blank()
        return [self.tallies[what], self.site_tallies[site, what]]

    def tally(self, what: Tally, variable: Any, by_node: Array, site: str = "") -> None:
        """Tally per unit of a variable, by node; of a site too where one is named."""
        for place in self._tallies(what, site):
            for n in np.flatnonzero(by_node):
                place[n].add(by_node[n], variable)

    def tally_constant(self, what: Tally, by_node: Array, site: str = "") -> None:
        """Tally that no decision changes."""
        for place in self._tallies(what, site):
            for n in np.flatnonzero(by_node):
                place[n].constant += float(by_node[n])

    def limit(self, variable: Any, group: tuple[Hashable, ...], weight: float, most: float) -> None:
        """Note a rule that limits a variable together with the others of its group; the first one holds."""
        self.limits.setdefault(id(variable), Limit(group, weight, most))

    def spend(self, site: str, variable: Any, by_node: Array) -> None:
        """Capital spending per unit of a variable, positive, whoever funds it in the end. [$M]"""
        self.tally(Tally.OWN_NEED, variable, by_node, site)
        self.tally(Tally.GROSS_SPEND, variable, by_node, site)

    def cash_at(self, n: int, lines: Iterable[CashLine] | None = None) -> Linear:
        """Sum of the lines (all of them by default) at a node. [$M]"""
        chosen = self.cash if lines is None else [line for line in lines if line in self.cash]
        return total(self.cash[line][n] for line in chosen)

    def tally_at(self, what: Tally, n: int) -> Linear:
        """A tally at a node."""
        return self.tallies[what][n] if what in self.tallies else Linear()

    def site_tally_at(self, site: str, what: Tally, n: int) -> Linear:
        """A tally of one site at a node."""
        return self.site_tallies[site, what][n] if (site, what) in self.site_tallies else Linear()

    def value_at(self, leaf: int) -> Linear:
        """All value at a leaf. [$M]"""
        return total(parts[leaf] for parts in self.value.values() if leaf in parts)

    def decide(
        self,
        quantity: Quantity,
        node: int,
        variable: Any,
        *,
        site: str = "",
        item: str = "",
        contract: str = "",
        since: str = "",
    ) -> None:
        """Register a decision variable."""
        self.decisions.append(Decision(quantity, site, item, contract, since, node, variable))


def spread_by_leaf(values: Mapping[int, float]) -> Iterable[tuple[int, float]]:
    """Leaf figures that are not zero."""
    return ((leaf, x) for leaf, x in values.items() if x != 0.0)
