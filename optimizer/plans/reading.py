"""Values of a solved program, read once: decisions by place, modules with their arrays."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.blocks.books import Books, Decision, Tally
from models.blocks.linear import Linear
from models.blocks.ports import BorrowerPorts
from models.blocks.program import Program
from models.domain.ledger import Quantity
from models.params.block_sales import BlockSale
from models.params.corporate_debt import RepurchaseOffer
from models.params.loans import DebtArrays, FacilityArrays
from models.params.modules import ModuleArrays, Route
from models.params.new_loans import Bullet
from models.params.notes import NoteArrays
from models.params.sweeps import less_prepaid
from models.params.take_outs import TakeOutOffer
from models.params.vendor_leases import LeaseArrays
from optimizer.solve.outcome import Duals

Array = NDArray[np.float64]
ZERO = 1e-9


@dataclass(frozen=True, eq=False)
class Built:
    """Modules of one route begun at one node."""

    route: Route
    node: int
    arrays: ModuleArrays
    count: float


@dataclass(frozen=True, eq=False)
class Taken:
    """A facility with the modules it finances."""

    route: Route
    begun: int
    arrays: FacilityArrays
    modules: float

    def name(self, labels: list[str]) -> str:
        """Its key in the debt schedule."""
        site, product, contract = self.route.key
        return f"{site}|{product}|{contract}|{labels[self.begun]}|{labels[self.arrays.close]}"


@dataclass(frozen=True, eq=False)
class LeaseTaken:
    """A lease with the modules whose GPUs it pays for."""

    route: Route
    begun: int
    arrays: LeaseArrays
    modules: float

    def name(self, labels: list[str]) -> str:
        """Its key in the debt schedule."""
        return "|".join((*self.route.key, labels[self.begun], self.arrays.terms.lease))


@dataclass(frozen=True, eq=False)
class SoldHalls:
    """Let halls sold: modules of a cohort, or a part of a commitment."""

    decision: Decision
    sale: BlockSale
    count: float

    @property
    def live_mw(self) -> Array:
        """Critical MW that the buyer owns, by node; of terms that have ended none."""
        return self.count * self.sale.live_mw


@dataclass(frozen=True, eq=False)
class NewLoan:
    """A loan that the plan takes against bitcoin, or to roll a balloon."""

    name: str
    """Its key in the debt schedule."""
    source: str
    """The instrument, or the loan that it replaces."""
    kind: str
    entity: str
    terms: Bullet
    amount: float
    net_frac: float


@dataclass(frozen=True, eq=False)
class Reading:
    """A solved program and the value per share that it is valued at."""

    program: Program
    lam: float
    prices: Mapping[str, float] = field(default_factory=dict)
    """What lifting a covenant or budget is worth, by its name. [USD per share]"""
    duals: Duals | None = None
    """Prices of cash and power; None where nobody has asked for them."""

    @cached_property
    def labels(self) -> list[str]:
        """Name of each node."""
        tree = self.program.params.tree
        return [tree.label(n) for n in tree.nodes]

    @cached_property
    def quarters(self) -> list[str]:
        """Calendar quarter of each node."""
        tree = self.program.params.tree
        return [str(tree.quarter(n)) for n in tree.nodes]

    @cached_property
    def decided(self) -> list[tuple[Decision, float]]:
        """Decisions that are not zero, with their value."""
        pairs = [(d, float(d.variable.value)) for d in self.program.decisions]
        return [(d, v) for d, v in pairs if abs(v) > ZERO]

    @cached_property
    def by_quantity(self) -> dict[Quantity, list[tuple[Decision, float]]]:
        """The same by quantity."""
        found: dict[Quantity, list[tuple[Decision, float]]] = defaultdict(list)
        for d, v in self.decided:
            found[d.quantity].append((d, v))
        return found

    @cached_property
    def built(self) -> list[Built]:
        """All modules begun."""
        arrays = {
            (*r.route.key, n): (r.route, a) for r in self.program.params.routes for n, a in r.modules.items()
        }
        found = []
        for d, v in self.by_quantity[Quantity.START]:
            route, a = arrays[d.site, d.item, d.contract, d.node]
            found.append(Built(route, d.node, a, v))
        return found

    @cached_property
    def taken(self) -> list[Taken]:
        """All facilities closed."""
        label = {name: n for n, name in enumerate(self.labels)}
        offered = {
            (*r.route.key, n, f.close): (r.route, f)
            for r in self.program.params.routes
            for n, fs in r.facilities.items()
            for f in fs
        }
        found = []
        for d, v in self.by_quantity[Quantity.FINANCED]:
            begun = label[d.since]
            route, f = offered[d.site, d.item, d.contract, begun, d.node]
            found.append(Taken(route, begun, f, v))
        return found

    @cached_property
    def leased(self) -> list[LeaseTaken]:
        """All leases of GPUs."""
        offered = {
            (*r.route.key, n, x.terms.lease): (r.route, x)
            for r in self.program.params.routes
            for n, xs in r.leases.items()
            for x in xs
        }
        found = []
        for d, v in self.by_quantity[Quantity.LEASED]:
            route, x = offered[d.site, d.item, d.contract, d.node, d.since]
            found.append(LeaseTaken(route, d.node, x, v))
        return found

    @cached_property
    def sold(self) -> list[SoldHalls]:
        """All let halls sold."""
        p = self.program.params
        offered = {
            (site, product, contract, self.labels[begun], s.node): s
            for (site, product, contract, begun), sales in p.sales.of_modules.items()
            for s in sales
        }
        for c in p.commitments:
            row = c.commitment
            for s in p.sales.of_commitments.get(row.commitment, ()):
                offered[row.site, row.commitment, row.contract, "", s.node] = s
        return [
            SoldHalls(d, offered[d.site, d.item, d.contract, d.since, d.node], v)
            for d, v in self.by_quantity[Quantity.SELL_BLOCK]
        ]

    @cached_property
    def notes(self) -> list[tuple[NoteArrays, float]]:
        """All convertibles with their principal, existing ones less what was bought back first. [$M]"""
        found = [(self._thinned(n), n.principal_usd_m) for n in self.program.params.notes]
        offers = {o.instrument.instrument: o for o in self.program.params.note_offers}
        found += [(offers[d.item].notes[d.node, d.since], v) for d, v in self.by_quantity[Quantity.ISSUE]]
        return found

    @cached_property
    def new_loans(self) -> list[NewLoan]:
        """All loans taken against bitcoin, and balloons rolled."""
        p = self.program.params
        lines = {x.instrument.instrument: x for x in p.coins.lines}
        rolls = {(x.debt.debt, x.loan.drawn): x for x in p.rolls}
        parent, found = p.portfolio.parent.entity, []
        for d, v in self.by_quantity[Quantity.BORROWED]:
            name, line = f"{d.item}@{self.labels[d.node]}", lines[d.item]
            found.append(NewLoan(name, d.item, "btc_loan", parent, line.loans[d.node], v, line.net_frac))
        for d, v in self.by_quantity[Quantity.ROLLED]:
            name, roll = f"{d.item}@{self.labels[d.node]}", rolls[d.item, d.node]
            found.append(NewLoan(name, d.item, "refinanced", roll.debt.entity, roll.loan, v, 1.0))
        return found

    @cached_property
    def debts(self) -> list[DebtArrays]:
        """All existing loans, less what is called or repaid of them before its time."""
        prepaid = {(s.debt.debt, x.node): x for s in self.program.params.sweeps for x in s.prepaid}
        found = {d.debt.debt: d for d in self.program.params.debts}
        for d, v in self.by_quantity[Quantity.PREPAID]:
            found[d.item] = less_prepaid(found[d.item], prepaid[d.item, d.node], v)
        calls = {(c.debt.debt, c.node): c for c in self.program.params.calls}
        for d, v in self.by_quantity[Quantity.CALLED]:
            found[d.item] = calls[d.item, d.node].less(found[d.item], v)
        return list(found.values())

    def kept(self, debt: str, node: int) -> float:
        """Part of an existing loan that is not called by a node."""
        below = self.program.params.outlook.below
        called = self.by_quantity[Quantity.CALLED]
        return 1.0 - sum(v * float(below[d.node][node]) for d, v in called if d.item == debt)

    @cached_property
    def take_outs(self) -> list[tuple[TakeOutOffer, float]]:
        """Take-outs with the part of each that is lent."""
        offers = {(x.terms.take_out, x.node): x for x in self.program.params.take_outs}
        return [(offers[d.item, d.node], v) for d, v in self.by_quantity[Quantity.TAKEN_OUT]]

    @cached_property
    def bought(self) -> list[tuple[RepurchaseOffer, int, float]]:
        """Parts of tranches bought back, with the node."""
        offers = {o.instrument.instrument: o for o in self.program.params.repurchase_offers}
        return [(offers[d.item], d.node, v) for d, v in self.by_quantity[Quantity.REPURCHASE]]

    def _thinned(self, note: NoteArrays) -> NoteArrays:
        """A tranche without what was bought back of it."""
        names = ("coupon", "principal", "delivered", "capped_call", "outstanding", "wall", "due")
        left = {name: getattr(note, name).copy() for name in names}
        for offer, n, frac in self.bought:
            if offer.instrument.tranche == note.tranche:
                for name in names:
                    left[name] -= frac * getattr(offer.retired[n], name)
        return replace(note, **left)

    @cached_property
    def cancelled(self) -> dict[str, int]:
        """Commitments cancelled and their node; on a tree the several nodes are listed by name|leaf."""
        return {f"{d.item}@{d.node}": d.node for d, v in self.by_quantity[Quantity.CANCEL] if v > 0.5}

    def ours(self, site: str) -> Array:
        """1 at the nodes where a site is ours."""
        p = self.program.params
        owned = p.ownership[site]
        mark = owned.standing.copy()
        for d, _ in self.by_quantity[Quantity.BUY_SITE]:
            mark += p.outlook.below[d.node] * (d.site == site)
        for d, _ in self.by_quantity[Quantity.SELL_SITE]:
            mark -= owned.after(d.node, p.tree) * (d.site == site)
        return mark

    def held(self, commitment: str) -> Array:
        """1 at the nodes where a commitment runs on."""
        outlook = self.program.params.outlook
        mark = np.ones(len(outlook.tree.nodes))
        for key, n in self.cancelled.items():
            if key.rpartition("@")[0] == commitment:
                mark -= outlook.below[n]
        return mark

    def tally(self, what: Tally) -> Array:
        """A tally over the company and all borrowers, by node."""
        return np.array(
            [
                sum(b.tally_at(what, n).value for b in self.program.books)
                for n in self.program.params.tree.nodes
            ]
        )

    def over_borrowers(self, what: Callable[[BorrowerPorts, int], Linear]) -> Array:
        """Sum over the borrowers of what the company sees of them, by node."""
        nodes = self.program.params.tree.nodes
        return np.array([sum(what(x, n).value for x in self.program.borrowers) for n in nodes])

    def cash(self, books: Books) -> Array:
        """Closing unrestricted cash of an owner, by node. [$M]"""
        m = self.program.model
        block = m.company.cash if books.owner == "company" else m.borrower[books.owner].own
        return np.array([block.cash[n].value for n in self.program.params.tree.nodes])
