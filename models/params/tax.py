"""Taxes: tax years on the tree, and what each unit of a decision writes off, within the plan and after it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.domain.product import Product
from models.domain.site import Site
from models.domain.tax import TaxClass, TaxGroup
from models.formulas.depreciation import written_off_frac
from models.formulas.discounting import present_value
from models.params.block_sales import BlockSale, Sales
from models.params.commitments import CommitmentArrays, ContractMoneyArrays
from models.params.mining import MiningAtSite, Vintage
from models.params.modules import ModuleArrays, Route, capex_of
from models.params.outlook import Outlook
from models.params.streams import profile
from models.timetree import TimeTree

Array = NDArray[np.float64]
Unit = tuple[Quantity, str, str, str, str, int]
"""Quantity, site, item, contract, since, node of a decision."""
Started = tuple[Route, Mapping[int, ModuleArrays]]


@dataclass(frozen=True, eq=False)
class TaxItems:
    """What something adds to and takes off taxable income beside cash lines and interest. [$M]"""

    written_off: Array
    """By node."""
    kept: Array
    """Tenant money that is never given back, by node."""
    left: Mapping[int, float]
    """Present value of what is written off after each leaf."""

    def __add__(self, other: "TaxItems") -> "TaxItems":
        left = {leaf: x + other.left.get(leaf, 0.0) for leaf, x in self.left.items()}
        left |= {leaf: x for leaf, x in other.left.items() if leaf not in left}
        return TaxItems(self.written_off + other.written_off, self.kept + other.kept, left)

    def cancelled(self, below: Array) -> "TaxItems":
        """What is lost when it ends at a node; ``below`` marks that node and all after it."""
        left = {leaf: -x for leaf, x in self.left.items() if below[leaf]}
        return TaxItems(-self.written_off * below, -self.kept * below, left)


@dataclass(frozen=True, eq=False)
class Taxes:
    """Tax groups, their years, and the items of what stands and of each unit decided."""

    groups: tuple[TaxGroup, ...]
    of_entity: Mapping[str, TaxGroup]
    years: Mapping[int, tuple[int, ...]]
    """Nodes of the year that ends at a node: at a fourth quarter, or at a leaf."""
    before: Mapping[int, int]
    """Last node of the year before; -1 in the first year."""
    units: Mapping[Unit, TaxItems]
    standing: Mapping[str, TaxItems]
    """Commitments, by entity."""
    basis: Mapping[str, TaxItems]
    """Machines and plant in place, by group."""

    def paid_by(self, portfolio: Portfolio, payer: str) -> tuple[TaxGroup, ...]:
        """The groups whose tax an entity pays: a listed subsidiary its own, the parent all others."""
        listed = {e.entity for e in portfolio.entities if e.kind == "listed"}
        apart = {g.tax_group: e for e, g in self.of_entity.items() if e in listed}
        parent = portfolio.parent.entity
        return tuple(g for g in self.groups if apart.get(g.tax_group, parent) == payer)

    def so_far_usd_m(self, group: TaxGroup, end: int) -> float:
        """Income of the year's quarters before the plan. [$M]"""
        return (group.income_so_far_usd_m or 0.0) if self.before[end] < 0 else 0.0

    def is_whole(self, end: int, tree: TimeTree) -> bool:
        """Whether the year ends here, not the plan alone."""
        return tree.quarter(end).year != (tree.quarter(end) + 1).year


def taxes_of(
    portfolio: Portfolio,
    outlook: Outlook,
    started: tuple[Started, ...],
    commitments: tuple[CommitmentArrays, ...],
    money: tuple[ContractMoneyArrays, ...],
    vintages: tuple[Vintage, ...],
    mining: Mapping[tuple[str, str], MiningAtSite],
    sales: Sales,
) -> Taxes:
    """Taxes of a portfolio; all empty where it has no tax groups."""
    if not portfolio.tax_groups:
        return Taxes((), {}, {}, {}, {}, {}, {})
    groups = {g.tax_group: g for g in portfolio.tax_groups}
    years, before = _years(outlook.tree)
    writer = _Writer(portfolio, outlook)
    held = {c.commitment.commitment: writer.commitment(c) for c in commitments}
    units = dict(writer.units(started, vintages, mining))
    for c in commitments:
        for n in c.cancel_nodes:
            key = (Quantity.CANCEL, c.commitment.site, c.commitment.commitment, "", "", n)
            units[key] = held[c.commitment.commitment].cancelled(outlook.below[n])
    units |= dict(writer.sold(started, commitments, sales))
    entity = {s.site: s.entity for s in portfolio.sites}
    standing: dict[str, TaxItems] = {}
    for c in commitments:
        owner, items = entity[c.commitment.site], held[c.commitment.commitment]
        standing[owner] = standing[owner] + items if owner in standing else items
    for m in money:
        items = TaxItems(np.zeros(len(outlook.tree.nodes)), m.kept, {})
        standing[entity[m.site]] = standing[entity[m.site]] + items
    for s in portfolio.sites:
        if s.state == "pending":
            items = writer.agreed(s)
            standing[s.entity] = standing[s.entity] + items if s.entity in standing else items
    return Taxes(
        groups=portfolio.tax_groups,
        of_entity={e.entity: groups[e.tax_group or ""] for e in portfolio.entities},
        years=years,
        before=before,
        units=units,
        standing=standing,
        basis={
            name: writer.asset(
                g.basis_usd_m, written_off_frac(0.0, g.basis_life_q, np.ones(1)), 0, 0, "overhead"
            )
            for name, g in groups.items()
        },
    )


def _years(tree: TimeTree) -> tuple[dict[int, tuple[int, ...]], dict[int, int]]:
    """Nodes of each tax year by its last node, and the last node of the year before."""
    years, before = {}, {}
    for n in tree.nodes:
        year = tree.quarter(n).year
        if not tree.children[n] or (tree.quarter(n) + 1).year != year:
            path = tree.path(n)
            years[n] = tuple(m for m in path if tree.quarter(m).year == year)
            before[n] = max((m for m in path if tree.quarter(m).year < year), default=-1)
    return years, before


@dataclass(frozen=True, eq=False)
class _Part:
    """Part of an asset: what it cost, the shares of it written off, and the quarter of the first. [$M]"""

    basis_usd_m: float
    shares: Array
    live: int


class _Writer:
    """Places assets on the tree by the class that each is of."""

    def __init__(self, portfolio: Portfolio, outlook: Outlook) -> None:
        self.portfolio, self.outlook = portfolio, outlook
        self.classes = {c.tax_class: c for c in portfolio.tax_classes}
        self.defaults = {(c.regime, kind): c for c in portfolio.tax_classes for kind in c.default_for or ()}
        regimes = {g.tax_group: g.regime for g in portfolio.tax_groups}
        entities = {e.entity: regimes[e.tax_group or ""] for e in portfolio.entities}
        self.regime_at = {s.site: entities[s.entity] for s in portfolio.sites}
        self.rates: dict[str, float] = {v.stream: v.rate_frac for v in portfolio.valuation}

    def shares(self, named: str | None, kind: str, site: str) -> Array:
        """Shares written off of an asset that names a class, or of the site's default class of its kind."""
        held: TaxClass = self.classes[named] if named else self.defaults[self.regime_at[site], kind]
        steps = profile(self.portfolio, held.profile) if held.profile else np.ones(1)
        return written_off_frac(held.bonus_frac, held.life_q, steps)

    def asset(self, basis_usd_m: float, shares: Array, n: int, live: int, stream: str) -> TaxItems:
        """An asset decided at node ``n`` that goes live ``live`` quarters after the first one."""
        tree = self.outlook.tree
        placed = np.zeros(len(tree.nodes))
        for m in tree.descendants(n):
            since = tree.period[m] - live
            placed[m] = basis_usd_m * shares[since] if 0 <= since < shares.size else 0.0
        ahead = max(0, live - tree.horizon_q)
        later = np.concatenate([np.zeros(ahead), basis_usd_m * shares[max(0, tree.horizon_q - live) :]])
        left = present_value(later, self.rates[stream])
        return TaxItems(placed, np.zeros(len(tree.nodes)), dict.fromkeys(tree.leaves_below(n), left))

    def units(
        self,
        started: tuple[Started, ...],
        vintages: tuple[Vintage, ...],
        mining: Mapping[tuple[str, str], MiningAtSite],
    ) -> Iterator[tuple[Unit, TaxItems]]:
        """Items of a module, of plant, of an expansion step, of a MW of machines, by decision."""
        tree, rows = self.outlook.tree, self.outlook.rows
        for route, modules in started:
            site, product, contract = route.key
            for n, arrays in modules.items():
                yield (Quantity.START, site, product, contract, "", n), self._module(route, n, arrays)
        for plant in (c for c in self.portfolio.cooling if c.max_modules):
            shares = self.shares(plant.tax_class, "cooling", plant.site)
            for n in tree.nodes:
                cost, live = plant.capex_usd_m_per_module * rows[n].capex_idx, tree.period[n] + plant.lead_q
                items = self.asset(cost, shares, n, live, "overhead")
                yield (Quantity.COOL, plant.site, plant.cooling, "", "", n), items
        for x in self.portfolio.expansions:
            shares = self.shares(x.tax_class, "power", x.site)
            for n in tree.nodes:
                cost, live = x.cost_usd_m * rows[n].capex_idx, tree.period[n] + x.lead_q
                items = self.asset(cost, shares, n, live, "overhead")
                yield (Quantity.EXPAND, x.site, x.expansion, "", "", n), items
        for e in self.portfolio.long_lead:
            for site in (s.site for s in self.portfolio.sites if e.site in (None, s.site)):
                shares = self.shares(e.tax_class, "power", site)
                for n in tree.nodes:
                    cost, live = e.cost_usd_m_per_mw * rows[n].capex_idx, tree.period[n] + e.lead_q
                    items = self.asset(cost, shares, n, live, "overhead")
                    yield (Quantity.ORDERED_MW, site, e.equipment, "", "", n), items
        yield from self._traded()
        for v in (v for v in vintages if v.is_new):
            for site, at in ((s, at) for (name, s), at in mining.items() if name == v.name):
                shares = self.shares(v.machine.tax_class, "machines", site)
                for n in tree.nodes:
                    cost = float(at.purchase_usd_m_per_mw[n])
                    items = self.asset(cost, shares, n, tree.period[n], "mining")
                    yield (Quantity.BOUGHT_MW, site, v.name, "", "", n), items

    def _module(self, route: Route, n: int, arrays: ModuleArrays) -> TaxItems:
        p, items = route.terms.product, self._nothing()
        for part in self._parts_of_module(route, n):
            items += self.asset(part.basis_usd_m, part.shares, n, part.live, p.workload)
        items += self._again(p, route.key[0], arrays)
        all_frac = sum(m.frac_of_capex or 0.0 for m in route.terms.money)
        kept_frac = sum(m.frac_of_capex or 0.0 for m in route.terms.money if not m.give_back_q)
        share = kept_frac / all_frac if all_frac else 0.0
        return TaxItems(items.written_off, arrays.tenant_money * share + arrays.kept, items.left)

    def _nothing(self) -> TaxItems:
        none = np.zeros(len(self.outlook.tree.nodes))
        return TaxItems(none, none, {})

    def _parts_of_module(self, route: Route, n: int) -> list[_Part]:
        """Halls with demolition, and GPUs."""
        p, row = route.terms.product, self.outlook.rows[n]
        building, demolition, gpus = capex_of(route, row.capex_idx, row.gpu_price_idx)
        building -= route.ordered_usd_m(row.capex_idx)
        live = self.outlook.tree.period[n] + p.lead_q
        parts = [_Part(building + demolition, self.shares(p.tax_class, "halls", route.key[0]), live)]
        if gpus > 0.0:
            parts.append(_Part(gpus, self.shares(p.gpu_tax_class, "gpus", route.key[0]), live))
        return parts

    def _again(self, p: Product, site: str, spent: ModuleArrays | CommitmentArrays) -> TaxItems:
        """GPUs replaced and halls refitted, each written off from its quarter on."""
        tree = self.outlook.tree
        items = TaxItems(np.zeros(len(tree.nodes)), np.zeros(len(tree.nodes)), {})
        for named, kind, within, later in (
            (p.gpu_tax_class, "gpus", spent.refresh, spent.later_refresh),
            (p.tax_class, "halls", spent.refit, spent.later_refit),
        ):
            for m in np.flatnonzero(within):
                shares = self.shares(named, kind, site)
                items += self.asset(float(within[m]), shares, int(m), tree.period[m], p.workload)
            for leaf, costs in later.items():
                for ahead in np.flatnonzero(costs):
                    shares, live = self.shares(named, kind, site), tree.horizon_q + int(ahead)
                    items += self.asset(float(costs[ahead]), shares, leaf, live, p.workload)
        return items

    def commitment(self, c: CommitmentArrays) -> TaxItems:
        """A commitment, written off as its megawatts go live; what its tenant paid itself is not ours."""
        p, tree, items = c.terms.product, self.outlook.tree, self._nothing()
        for part in self._parts_of_commitment(c):
            items += self.asset(part.basis_usd_m, part.shares, 0, part.live, p.workload)
        for n in map(int, np.flatnonzero(c.taken_over_usd_m)):
            paid = float(c.taken_over_usd_m[n])
            halls = self.shares(p.tax_class, "halls", c.commitment.site)
            items += self.asset(paid, halls, n, tree.period[n], p.workload)
        return items + self._again(p, c.commitment.site, c)

    def _parts_of_commitment(self, c: CommitmentArrays) -> list[_Part]:
        """Halls and GPUs, each as some of the megawatts go live."""
        row, p, parts = c.commitment, c.terms.product, []
        flows = [f for f in self.portfolio.commitment_flows if f.commitment == row.commitment]
        cost = row.capex_usd_m + row.gpu_capex_usd_m
        tenants = sum(f.amount_usd_m for f in flows if f.funded_by == "tenant")
        own_frac = max(0.0, 1.0 - tenants / cost) if cost else 0.0
        total_mw = sum(f.mw_live for f in flows)
        for f in (f for f in flows if f.mw_live > 0.0):
            frac, live = own_frac * f.mw_live / total_mw, f.quarter - self.outlook.tree.first
            halls = self.shares(p.tax_class, "halls", row.site)
            parts.append(_Part(row.capex_usd_m * frac, halls, live))
            if row.gpu_capex_usd_m > 0.0:
                gpus = self.shares(p.gpu_tax_class, "gpus", row.site)
                parts.append(_Part(row.gpu_capex_usd_m * frac, gpus, live))
        return parts

    def sold(
        self, started: tuple[Started, ...], commitments: tuple[CommitmentArrays, ...], sales: Sales
    ) -> Iterator[tuple[Unit, TaxItems]]:
        """Halls sold: what they would have written off later comes off the price at once."""
        tree = self.outlook.tree
        for route, modules in started:
            for n, arrays in modules.items():
                items, parts = self._module(route, n, arrays), self._parts_of_module(route, n)
                for s in sales.of_modules[(*route.key, n)]:
                    key = (Quantity.SELL_BLOCK, *route.key, tree.label(n), s.node)
                    yield key, self._sold(s, items, parts)
        for c in commitments:
            name, site, contract = c.commitment.commitment, c.commitment.site, c.commitment.contract
            for s in sales.of_commitments.get(name, ()):
                key = (Quantity.SELL_BLOCK, site, name, contract, "", s.node)
                yield key, self._sold(s, self.commitment(c), self._parts_of_commitment(c))

    def _sold(self, s: BlockSale, items: TaxItems, parts: list[_Part]) -> TaxItems:
        since = self.outlook.tree.period[s.node] + 1
        found = items.cancelled(s.after)
        left = sum(part.basis_usd_m * part.shares[max(0, since - part.live) :].sum() for part in parts)
        found.written_off[s.node] += left
        return found

    def _traded(self) -> Iterator[tuple[Unit, TaxItems]]:
        """A site bought is written off as power is; one sold takes its book value off its price."""
        tree = self.outlook.tree
        for s in self.portfolio.sites:
            for n in tree.nodes:
                if s.state == "candidate":
                    shares, price = self.shares(s.tax_class, "power", s.site), s.purchase_usd_m or 0.0
                    items = self.asset(price, shares, n, tree.period[n], "overhead")
                    yield (Quantity.BUY_SITE, s.site, "", "", "", n), items
                if s.book_value_usd_m is not None:
                    items = self.asset(s.book_value_usd_m, np.ones(1), n, tree.period[n], "overhead")
                    yield (Quantity.SELL_SITE, s.site, "", "", "", n), items

    def agreed(self, site: Site) -> TaxItems:
        """A purchase that is agreed."""
        assert site.purchase_by_quarter is not None
        live, price = site.purchase_by_quarter - self.outlook.tree.first, site.purchase_usd_m or 0.0
        return self.asset(price, self.shares(site.tax_class, "power", site.site), 0, live, "overhead")
