"""Tax years rolled forward: what each group earns, writes off, uses of its losses and still owes."""

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property

from models.domain.ledger import EBITDA_LINES, INTEREST_EARNED_LINES, TAXABLE_LINES, Quantity
from models.domain.tax import TaxClass, TaxGroup
from models.timetree import Quarter
from optimizer.audit.arithmetic import present_value
from optimizer.audit.committed import Committed
from optimizer.audit.modules import Module
from optimizer.audit.power import new_price_usd_m
from optimizer.audit.shares import Weights, of
from optimizer.audit.world import World


@dataclass(frozen=True)
class Asset:
    """Something that is written off."""

    entity: str
    basis_usd_m: float
    bonus_frac: float
    life_q: int
    steps: tuple[float, ...]
    """Shares of what is not written off at once, by equal parts of its life."""
    live: Quarter
    nodes: frozenset[int]
    """Where it is owned: from the decision on, until it is cancelled."""
    rate: float
    """At which what is left after a leaf is discounted. [fraction per year]"""

    def written_off(self, quarter: Quarter) -> float:
        """Deducted in a quarter. [$M]"""
        since = quarter - self.live
        if not 0 <= since < self.life_q:
            return 0.0
        step_q = self.life_q // len(self.steps)
        line = (1.0 - self.bonus_frac) * self.steps[since // step_q] / step_q
        return self.basis_usd_m * (line + (self.bonus_frac if since == 0 else 0.0))

    def left(self, last: Quarter) -> float:
        """Worth after a quarter of what is still to be deducted. [$M]"""
        quarters = max(0, self.live - last + self.life_q)
        return present_value([self.written_off(last + i) for i in range(1, quarters + 1)], self.rate)


@dataclass(frozen=True)
class TaxYear:
    """A group's year, or the part of it that the plan has; it ends at a node. [$M]"""

    interest: float
    """Accrued less earned."""
    written_off: float
    income: float
    """Taxable, all interest deducted, with what the year had earned before the plan."""
    capped_income: float | None
    """With net interest at its cap; None without one."""
    losses_before: float
    taxed: float

    @property
    def used(self) -> float:
        """Losses used."""
        return max(0.0, self.income) - self.taxed

    @property
    def losses(self) -> float:
        """Losses carried forward."""
        return self.losses_before + self.taxed - self.income


class Taxes:
    """All groups on the tree; nothing where there are none."""

    def __init__(self, world: World) -> None:
        self.world, self.book = world, world.book
        self.groups: dict[str, TaxGroup] = {g.tax_group: g for g in self.book.portfolio.tax_groups}
        self.members: dict[str, dict[str, float]] = defaultdict(dict)
        """By group, the part of each entity's income that the group is taxed on."""
        for name, e in self.book.entities.items():
            self.members[e.tax_group or ""][name] = 1.0 if e.kind == "listed" else e.share

    def rate(self, entity: str) -> float:
        """What an entity pays on a dollar of income; 0 without tax groups. [fraction]"""
        return next((g.rate_frac for n, g in self.groups.items() if entity in self.members[n]), 0.0)

    # --- what is written off ---------------------------------------------------------------------

    def _class(self, named: str | None, kind: str, site: str) -> TaxClass:
        rows, entity = self.book.portfolio.tax_classes, self.book.entities[self.book.sites[site].entity]
        if named:
            return next(c for c in rows if c.tax_class == named)
        regime = self.groups[entity.tax_group or ""].regime
        return next(c for c in rows if c.regime == regime and kind in (c.default_for or ()))

    def _asset(self, site: str, basis: float, held: TaxClass, live: Quarter, node: int, stream: str) -> Asset:
        book = self.book
        owner, nodes = book.sites[site].entity, frozenset(book.below[node])
        rate = next(v.rate_frac for v in book.portfolio.valuation if v.stream == stream)
        steps = tuple(book.profiles[held.profile]) if held.profile else (1.0,)
        return Asset(owner, basis, held.bonus_frac, held.life_q, steps, live, nodes, rate)

    @cached_property
    def assets(self) -> list[Asset]:
        """All that is written off, the basis in place apart."""
        if not self.groups:
            return []
        built = [*self._halls(), *self._plant(), *self._machines(), *self._committed()]
        return [*built, *self._traded(), *self._sold()]

    def _halls(self) -> list[Asset]:
        found = []
        for start, module in self.world.sites.modules:
            k = start.modules
            found += self._hall(module, k)
            nodes = frozenset(self.book.below[start.node])
            found += self._replaced(start.site, module, k, nodes)
        return found

    def _hall(self, module: Module, count: float) -> list[Asset]:
        """Some modules of a cohort: halls and GPUs."""
        p, found = module.product, []
        for cost, named, kind in (
            (module.capex, p.tax_class, "halls"),
            (module.gpus, p.gpu_tax_class, "gpus"),
        ):
            if cost:
                held, basis = self._class(named, kind, module.lease.site), count * cost
                asset = self._asset(
                    module.lease.site, basis, held, module.live_from, module.begun, p.workload
                )
                found.append(asset)
        return found

    def _sold(self) -> list[Asset]:
        """Of halls sold, what was still to be written off is deducted at once, and no longer after."""
        found = []
        for x in self.world.sites.sold:
            unit = self._hall(x.one, x.count) if isinstance(x.one, Module) else self._standing(x.one, x.count)
            below, quarter = self.book.below[x.node], self.book.tree.quarter(x.node)
            gone = frozenset(n for n in below if n != x.node)
            for a in unit:
                later = range(1, max(0, a.live - quarter) + a.life_q + 1)
                left = sum(a.written_off(quarter + i) for i in later)
                found.append(Asset(a.entity, left, 0.0, 1, (1.0,), quarter, frozenset(below), a.rate))
                found.append(replace(a, basis_usd_m=-a.basis_usd_m, nodes=gone))
            found += self._replaced(x.decided.site, x.one, -x.count, gone)
        return found

    def _replaced(
        self, site: str, one: Module | Committed, count: float, kept: frozenset[int]
    ) -> list[Asset]:
        """GPUs replaced and halls refitted within the plan, and after each leaf."""
        book, p = self.book, one.lease.product
        found: list[Asset] = []
        moments = [book.moment(n) for n in kept]
        end = one.lease.last_end
        for leaf in (n for n in book.tree.leaves if n in kept):
            moments += [book.moment(leaf, i) for i in range(1, max(0, end - book.last_quarter) + 1)]
        for moment in moments:
            for each, named, kind in (
                (one.refresh(moment), p.gpu_tax_class, "gpus"),
                (one.refit(moment), p.tax_class, "halls"),
            ):
                if each:
                    held = self._class(named, kind, site)
                    asset = self._asset(site, count * each, held, moment.quarter, moment.node, p.workload)
                    found.append(replace(asset, nodes=asset.nodes & kept))
        return found

    def _plant(self) -> list[Asset]:
        found, tree = [], self.book.tree
        for cool in self.world.decided.cools:
            plant, row = self.book.cooling[cool.site, cool.item], self.book.rows[cool.node]
            cost, live = plant.capex_usd_m_per_module * row.capex_idx, tree.quarter(cool.node) + plant.lead_q
            held = self._class(plant.tax_class, "cooling", cool.site)
            found.append(self._asset(cool.site, cool.amount * cost, held, live, cool.node, "overhead"))
        for order in self.world.decided.orders:
            e, row = self.book.equipment[order.item], self.book.rows[order.node]
            held, live = self._class(e.tax_class, "power", order.site), tree.quarter(order.node) + e.lead_q
            cost = order.amount * e.cost_usd_m_per_mw * row.capex_idx
            found.append(self._asset(order.site, cost, held, live, order.node, "overhead"))
        for step in self.world.decided.expands:
            x, row = self.book.expansions[step.item], self.book.rows[step.node]
            held, live = self._class(x.tax_class, "power", step.site), tree.quarter(step.node) + x.lead_q
            cost = step.amount * x.cost_usd_m * row.capex_idx
            found.append(self._asset(step.site, cost, held, live, step.node, "overhead"))
        return found

    def _machines(self) -> list[Asset]:
        found, book = [], self.book
        for (quantity, site, name, n), mw in self.world.decided.mw.items():
            if quantity is Quantity.BOUGHT_MW and mw:
                vintage, moment = book.vintages[name], book.moment(n)
                pays = book.regions[book.sites[site].region].asic_tariff_applies
                tariff = moment.market.asic_tariff_frac if pays else 0.0
                cost = mw * new_price_usd_m(vintage, moment) * (1.0 + tariff)
                held = self._class(vintage.machine.tax_class, "machines", site)
                found.append(self._asset(site, cost, held, moment.quarter, n, "mining"))
        return found

    def _traded(self) -> list[Asset]:
        """Sites bought, as power; the book value of those sold, at once."""
        found, tree = [], self.book.tree
        for (quantity, name, n), times in self.world.decided.traded.items():
            row, quarter = self.book.sites[name], tree.quarter(n)
            if quantity is Quantity.SELL_SITE:
                at_once = TaxClass(tax_class="sold", bonus_frac=0.0, life_q=1, default_for=None)
                basis = times * (row.book_value_usd_m or 0.0)
                found.append(self._asset(name, basis, at_once, quarter, n, "overhead"))
            else:
                held, basis = self._class(row.tax_class, "power", name), times * (row.purchase_usd_m or 0.0)
                found.append(self._asset(name, basis, held, quarter, n, "overhead"))
        for name, row in self.book.sites.items():
            if row.state == "pending" and row.purchase_by_quarter is not None:
                held, basis = self._class(row.tax_class, "power", name), row.purchase_usd_m or 0.0
                found.append(self._asset(name, basis, held, row.purchase_by_quarter, 0, "overhead"))
        return found

    def _committed(self) -> list[Asset]:
        """Each part of a commitment from when it goes live; what the tenant paid itself is not ours."""
        found = []
        for one in self.world.sites.commitments:
            kept = frozenset(n for n in self.book.tree.nodes if not one.is_cancelled(n))
            found += self._standing(one, 1.0)
            found += self._replaced(one.commitment.site, one, 1.0, kept)
            found += self._taken_over(one, kept)
        return found

    def _standing(self, one: Committed, part: float) -> list[Asset]:
        """A part of a commitment."""
        found, row, p = [], one.commitment, one.lease.product
        kept = frozenset(n for n in self.book.tree.nodes if not one.is_cancelled(n))
        cost = row.capex_usd_m + row.gpu_capex_usd_m
        tenant = sum(f.amount_usd_m for f in one.flows if f.funded_by == "tenant")
        share = part * max(0.0, 1.0 - tenant / cost) if cost else 0.0
        for flow in (f for f in one.flows if f.mw_live > 0.0):
            for amount, named, kind in (
                (row.capex_usd_m, p.tax_class, "halls"),
                (row.gpu_capex_usd_m, p.gpu_tax_class, "gpus"),
            ):
                if amount:
                    basis = amount * share * flow.mw_live / one.total_mw
                    held = self._class(named, kind, row.site)
                    asset = self._asset(row.site, basis, held, flow.quarter, 0, p.workload)
                    found.append(replace(asset, nodes=kept))
        return found

    def _taken_over(self, one: Committed, kept: frozenset[int]) -> list[Asset]:
        """What a tenant that has gone was to pay: a part of the hall from the quarter in which we do."""
        found, book, p = [], self.book, one.lease.product
        for n in kept:
            if one.at[n].taken_over:
                held, live = self._class(p.tax_class, "halls", one.commitment.site), book.tree.quarter(n)
                asset = self._asset(one.commitment.site, one.at[n].taken_over, held, live, n, p.workload)
                found.append(replace(asset, nodes=asset.nodes & kept))
        return found

    def _in_place(self, group: TaxGroup) -> Asset:
        """The basis at the opening, in equal parts."""
        book = self.book
        rate = book.valuation["overhead"].rate_frac
        nodes = frozenset(book.tree.nodes)
        return Asset("", group.basis_usd_m, 0.0, group.basis_life_q, (1.0,), book.tree.first, nodes, rate)

    def written_off(self, name: str, node: int) -> float:
        """All that a group writes off in the quarter of a node. [$M]"""
        members, quarter = self.members[name], self.book.tree.quarter(node)
        held = ((members[a.entity], a) for a in self.assets if a.entity in members and node in a.nodes)
        owned = sum(part * a.written_off(quarter) for part, a in held)
        sold = sum(part * self.world.coins.cost_of_sold(e, node) for e, part in members.items())
        return owned + sold + self._in_place(self.groups[name]).written_off(quarter)

    def left(self, entity: str, leaf: int) -> float:
        """Worth of what an entity still writes off after a leaf, the basis in place apart. [$M]"""
        last = self.book.tree.quarter(leaf)
        owned = sum(a.left(last) for a in self.assets if a.entity == entity and leaf in a.nodes)
        return owned + self.world.coins.cost_of_held(entity, leaf)

    # --- income ----------------------------------------------------------------------------------

    def _interest(self, name: str, node: int) -> float:
        """Interest accrued on all debt of the group and coupons, less interest earned. [$M]"""
        world, members = self.world, self.members[name]
        return world.interest(node, members) - world.ledger.part(node, INTEREST_EARNED_LINES, members)

    def _kept(self, name: str, node: int) -> float:
        """Tenant money received that is never given back. [$M]"""
        members, found = self.members[name], 0.0
        for start, module in self.world.sites.modules:
            part = members.get(self.book.sites[start.site].entity, 0.0)
            if part and node in module.at:
                q = module.at[node]
                free_frac = 1.0 - module.owed_frac / module.tenant_frac if module.tenant_frac else 0.0
                found += part * start.modules * (q.tenant_money * free_frac + q.kept)
        for money in self.world.money:
            found += members.get(self.book.sites[money.site].entity, 0.0) * money.at[node].kept
        return found

    def _income(self, name: str, node: int) -> float:
        """Taxable income of a quarter, all interest deducted. [$M]"""
        lines = [line for line in TAXABLE_LINES if line not in INTEREST_EARNED_LINES]
        earned = self.world.ledger.part(node, lines, self.members[name]) + self._kept(name, node)
        return earned - self._interest(name, node) - self.written_off(name, node)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Nodes at which a year, or the plan, ends."""
        tree = self.book.tree
        return tuple(n for n in tree.nodes if self.is_whole(n) or not tree.children[n])

    def is_whole(self, node: int) -> bool:
        """Whether a calendar year ends at a node."""
        return str(self.book.tree.quarter(node)).endswith("Q4")

    @cached_property
    def years(self) -> dict[tuple[str, int], TaxYear]:
        """Each group's year by the node that ends it."""
        found: dict[tuple[str, int], TaxYear] = {}
        for name, group in self.groups.items():
            for end in self.ends:
                path = self.book.paths[end]
                quarters = int(str(self.book.tree.quarter(end))[-1])
                nodes, earlier = path[-quarters:], path[:-quarters]
                so_far = 0.0 if earlier else group.income_so_far_usd_m or 0.0
                income = so_far + sum(self._income(name, n) for n in nodes)
                interest = sum(self._interest(name, n) for n in nodes)
                capped = None
                if group.interest_cap_frac_of_ebitda is not None:
                    ebitda = sum(self.world.ledger.part(n, EBITDA_LINES, self.members[name]) for n in nodes)
                    capped = income + interest - group.interest_cap_frac_of_ebitda * ebitda
                found[name, end] = TaxYear(
                    interest=interest,
                    written_off=sum(self.written_off(name, n) for n in nodes),
                    income=income,
                    capped_income=capped,
                    losses_before=found[name, earlier[-1]].losses if earlier else group.losses_usd_m,
                    taxed=self.world.decided.taxed.get((name, end), 0.0),
                )
        return found

    # --- after the leaf --------------------------------------------------------------------------

    def _paid_by(self, weights: Weights) -> list[tuple[float, str, TaxGroup]]:
        """Each group with the weight of the entity that pays its tax."""
        return [(of(weights, self.book.payer(name)), name, g) for name, g in self.groups.items()]

    def owed(self, leaf: int, weights: Weights = None) -> float:
        """Tax accrued on the part of a year that ends with the plan. [$M]"""
        if self.is_whole(leaf):
            return 0.0
        return sum(w * g.rate_frac * self.years[name, leaf].taxed for w, name, g in self._paid_by(weights))

    def losses_worth(self, leaf: int, weights: Weights = None) -> float:
        """What losses left are worth. [$M]"""
        return sum(
            w * g.rate_frac * g.losses_value_frac * self.years[name, leaf].losses
            for w, name, g in self._paid_by(weights)
        )

    def later(self, leaf: int, worth: dict[str, float], weights: Weights = None) -> float:
        """Tax after a leaf on what it is worth there for later income, by entity. [$M]"""
        last = self.book.tree.quarter(leaf)
        tax = sum(
            w * self.rate(e) * (amount - self.left(e, leaf))
            for e, amount in worth.items()
            if (w := of(weights, e))
        )
        in_place = (w * g.rate_frac * self._in_place(g).left(last) for w, _, g in self._paid_by(weights))
        return tax - sum(in_place)
