"""What the auditor finds on the books of each entity for halls, GPUs, plant and sites, node by node."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from models.domain.ledger import Quantity
from models.domain.product import Product
from models.domain.tax import TaxGroup
from models.timetree import Quarter
from optimizer.audit.block_sales import Sold
from optimizer.audit.committed import Committed
from optimizer.audit.modules import Module
from optimizer.audit.power import resale_usd_m
from optimizer.audit.world import World


@dataclass(frozen=True)
class Worn:
    """Cost in use from a quarter on, depreciated in equal parts of its life; None: not at all. [$M]"""

    cost: float
    live: Quarter
    life_q: int | None

    def in_use(self, quarter: Quarter) -> float:
        """Cost in use at the end of a quarter."""
        return self.cost if self.live <= quarter else 0.0

    def left(self, quarter: Quarter) -> float:
        """Of it, what is not depreciated at the end of a quarter."""
        if self.live > quarter or self.life_q is None:
            return self.in_use(quarter)
        return self.cost * max(0, self.life_q - (quarter - self.live + 1)) / self.life_q


@dataclass(frozen=True)
class Standing:
    """An asset at the end of a quarter. [$M]"""

    construction: float = 0.0
    in_use: float = 0.0
    """Less depreciation."""
    owed: float = 0.0

    @property
    def net(self) -> float:
        """Less what is owed for it."""
        return self.construction + self.in_use - self.owed

    def times(self, part: float) -> "Standing":
        """A part of it."""
        return Standing(part * self.construction, part * self.in_use, part * self.owed)


def standing(worn: list[Worn], quarter: Quarter, incurred: float, owed: float) -> Standing:
    """What is in use by its parts, and what was incurred beyond them."""
    used = sum(w.in_use(quarter) for w in worn)
    return Standing(incurred - used, sum(w.left(quarter) for w in worn), owed)


def wear(worn: list[Worn], quarter: Quarter) -> float:
    """Depreciation of a quarter. [$M]"""
    grown = sum(w.cost for w in worn if w.live == quarter)
    return sum(w.left(quarter + -1) for w in worn) + grown - sum(w.left(quarter) for w in worn)


class Carried:
    """Balances and flows by entity and node; -1 is the opening."""

    def __init__(self, world: World) -> None:
        self.world, self.book = world, world.book
        self.lives: dict[str, int] = {x.asset: x.life_q for x in self.book.portfolio.book_lives}
        self.standing: dict[tuple[str, int], list[Standing]] = defaultdict(list)
        self.wear: dict[tuple[str, int], float] = defaultdict(float)
        self.cancelled: dict[tuple[str, int], float] = defaultdict(float)
        """Carrying amount of commitments cancelled in a quarter."""
        self.halls_sold: dict[tuple[str, int], float] = defaultdict(float)
        self.sites_sold: dict[tuple[str, int], float] = defaultdict(float)
        self.capitalised: dict[tuple[str, int], float] = defaultdict(float)
        for start, module in world.sites.modules:
            self._module(start.node, module, start.modules)
        for one in world.sites.commitments:
            self._commitment(one)
        self._plant()
        self._sites()
        self._in_place()
        self._interest()

    def total(self, entity: str, node: int, what: str) -> float:
        """Sum of one figure of what stands. [$M]"""
        return sum(float(getattr(s, what)) for s in self.standing.get((entity, node), ()))

    def _owner(self, site: str) -> str:
        return self.book.sites[site].entity

    def _gpu_life(self, p: Product) -> int | None:
        lives = [q for q in (self.lives.get("gpus"), p.refresh_q) if q]
        return min(lives) if lives else None

    def _sales(self, one: Module | Committed) -> list[Sold]:
        return [s for s in self.world.sites.sold if s.one is one]

    def _stand(self, entity: str, n: int, found: Standing) -> None:
        self.standing[entity, n].append(found)

    # --- halls -----------------------------------------------------------------------------------

    def _module(self, begun: int, one: Module, count: float) -> None:
        book, entity, p = self.book, self._owner(one.lease.site), one.product
        worn = [
            Worn(one.capex, one.live_from, self.lives.get("halls")),
            Worn(one.gpus, one.live_from, self._gpu_life(p)),
        ]
        sales = self._sales(one)
        for n in book.below[begun]:
            age, quarter = book.tree.period[n] - book.tree.period[begun], book.tree.quarter(n)
            shipped = sum(one.shipped[: age + 1])
            paid_gpus = sum(one.gpus_paid[: age + 1])
            halls = sum(one.spend[: age + 1]) - paid_gpus
            now = standing(worn, quarter, halls + shipped, shipped - paid_gpus)
            self._part(entity, n, now, wear(worn, quarter), count, sales)
        self._again(one, dict.fromkeys(book.below[begun], count), sales)

    def _part(self, entity: str, n: int, now: Standing, worn: float, count: float, sales: list[Sold]) -> None:
        """So many of an asset at a node, less what of it is sold by the end of the quarter."""
        before = count - sum(s.count for s in sales if s.is_gone(n))
        leaving = sum(s.count for s in sales if s.node == n)
        self._stand(entity, n, now.times(before - leaving))
        self.wear[entity, n] += before * worn
        self.halls_sold[entity, n] += leaving * now.net

    def _again(self, one: Module | Committed, kept: dict[int, float], sales: list[Sold]) -> None:
        """GPUs replaced and halls refitted."""
        entity, p, book = self._owner(one.lease.site), one.lease.product, self.book
        for n, count in kept.items():
            moment = book.moment(n)
            for cost, life in (
                (one.refresh(moment), self._gpu_life(p)),
                (one.refit(moment), self.lives.get("halls")),
            ):
                if cost:
                    worn = [Worn(cost, moment.quarter, life)]
                    for m in (m for m in book.below[n] if m in kept):
                        quarter = book.tree.quarter(m)
                        now = standing(worn, quarter, cost, 0.0)
                        self._part(entity, m, now, wear(worn, quarter), count, sales)
                    self._lost_below(entity, worn, n, set(kept))

    def _lost_below(self, entity: str, worn: list[Worn], n: int, kept: set[int]) -> None:
        """What is left of something that was added where its commitment is cancelled."""
        tree = self.book.tree
        for m in self.book.below[n]:
            if m not in kept and tree.parent[m] in kept:
                self.cancelled[entity, m] += sum(w.left(tree.quarter(tree.parent[m])) for w in worn)

    def _commitment(self, one: Committed) -> None:
        book, row, tree = self.book, one.commitment, self.book.tree
        entity, sales = self._owner(row.site), self._sales(one)
        ours = [f for f in one.flows if f.funded_by != "tenant"]
        to_come = sum(f.amount_usd_m for f in ours if f.quarter >= tree.first)
        by_tenant = sum(f.amount_usd_m for f in one.flows if f.funded_by == "tenant")
        all_usd_m = row.capex_usd_m + row.gpu_capex_usd_m
        cost = max(0.0, to_come, all_usd_m - by_tenant)
        of_gpus = row.gpu_capex_usd_m / all_usd_m if all_usd_m else 0.0
        worn = []
        for f in (f for f in one.flows if f.mw_live):
            part = cost * f.mw_live / one.total_mw
            worn.append(Worn(part * (1.0 - of_gpus), f.quarter, self.lives.get("halls")))
            worn.append(Worn(part * of_gpus, f.quarter, self._gpu_life(one.lease.product)))

        def at(quarter: Quarter) -> Standing:
            since = [f for f in ours if tree.first <= f.quarter <= quarter]
            waiting = sum(f.amount_usd_m for f in since if f.funded_by == "vendor" and f.quarter == quarter)
            spent = cost - to_come + sum(f.amount_usd_m for f in since)
            known = max(spent, sum(w.in_use(quarter) for w in worn))
            return standing(worn, quarter, known, known - spent + waiting)

        before = tree.first + -1
        self._stand(entity, -1, at(before))
        kept = {n: 1.0 for n in tree.nodes if not one.is_cancelled(n)}
        for n in tree.nodes:
            quarter = tree.quarter(n)
            if n in kept:
                self._part(entity, n, at(quarter), wear(worn, quarter), 1.0, sales)
            elif tree.parent[n] in kept or not n:
                self.cancelled[entity, n] += at(quarter + -1).net
        self._again(one, kept, sales)
        for n in kept:
            taken = one.at[n].taken_over
            if taken:
                added = [Worn(taken, tree.quarter(n), self.lives.get("halls"))]
                for m in (m for m in book.below[n] if m in kept):
                    now = standing(added, tree.quarter(m), taken, 0.0)
                    self._part(entity, m, now, wear(added, tree.quarter(m)), 1.0, sales)
                self._lost_below(entity, added, n, set(kept))

    # --- plant and sites -------------------------------------------------------------------------

    def _built(self, site: str, begun: int, spent: list[float], kind: str, live_q: int | None = None) -> None:
        """Something paid by age and in use after its lead."""
        tree, entity = self.book.tree, self._owner(site)
        live = tree.quarter(begun) + (len(spent) if live_q is None else live_q)
        worn = [Worn(sum(spent), live, self.lives.get(kind))]
        for n in self.book.below[begun]:
            age, quarter = tree.period[n] - tree.period[begun], tree.quarter(n)
            self._stand(entity, n, standing(worn, quarter, sum(spent[: age + 1]), 0.0))
            self.wear[entity, n] += wear(worn, quarter)

    def _plant(self) -> None:
        book, decided = self.book, self.world.decided
        for x in decided.cools:
            plant = book.cooling[x.site, x.item]
            cost = x.amount * plant.capex_usd_m_per_module * book.rows[x.node].capex_idx
            self._built(x.site, x.node, [cost / plant.lead_q] * plant.lead_q, "cooling")
        for x in decided.expands:
            step, idx = book.expansions[x.item], x.amount * book.rows[x.node].capex_idx
            self._two(x.site, x.node, idx * step.deposit_usd_m, idx * step.cost_usd_m, step.lead_q)
        for x in decided.orders:
            order = book.equipment[x.item]
            cost = x.amount * order.cost_usd_m_per_mw * book.rows[x.node].capex_idx
            self._two(x.site, x.node, order.deposit_frac * cost, cost, order.lead_q)

    def _two(self, site: str, node: int, deposit: float, cost: float, lead_q: int) -> None:
        if lead_q == 1:
            self._built(site, node, [cost], "power")
        else:
            self._built(site, node, [deposit, *[0.0] * (lead_q - 2), cost - deposit], "power")

    def _sites(self) -> None:
        book, estate, tree = self.book, self.world.sites.estate, self.book.tree
        for name, row in book.sites.items():
            for n in tree.nodes:
                price = estate.paid(name, n)
                if price:
                    self._built(name, n, [price], "power", live_q=0)
            held = row.book_value_usd_m if estate.before(name, 0) else 0.0
            if held:
                self._stand(row.entity, -1, Standing(in_use=held))
                for n in tree.nodes:
                    gone = estate.times(Quantity.SELL_SITE, name, book.paths[n])
                    self._stand(row.entity, n, Standing(in_use=held * (1.0 - gone)))
                    self.sites_sold[row.entity, n] += held * estate.times(Quantity.SELL_SITE, name, (n,))

    def _in_place(self) -> None:
        """Plant at the opening: the basis of each group less its machines."""
        book, tree = self.book, self.book.tree
        for g in book.portfolio.tax_groups:
            for entity, cost in self._shared(g):
                worn = [Worn(cost, tree.first, g.basis_life_q)]
                self._stand(entity, -1, Standing(in_use=cost))
                for n in tree.nodes:
                    self._stand(entity, n, standing(worn, tree.quarter(n), cost, 0.0))
                    self.wear[entity, n] += wear(worn, tree.quarter(n))

    def _shared(self, g: TaxGroup) -> Iterator[tuple[str, float]]:
        book, root = self.book, self.book.moment(0)
        members = [name for name, e in book.entities.items() if e.tax_group == g.tax_group]
        plant = g.basis_usd_m
        for fleet in book.portfolio.fleets:
            if self._owner(fleet.site) in members:
                plant -= fleet.mw * resale_usd_m(book, book.vintages[fleet.fleet], root)
        weights = dict.fromkeys(members, 0.0)
        for name, site in book.sites.items():
            power = book.power(name, book.tree.first)
            if site.entity in weights and power and self.world.sites.estate.before(name, 0):
                weights[site.entity] += power.energised_mw
        if not sum(weights.values()) and members:
            weights[members[0]] = 1.0
        for entity, weight in weights.items():
            if plant > 0.0 and weight:
                yield entity, plant * weight / sum(weights.values())

    def _interest(self) -> None:
        """Of facilities and leases, what accrues before the halls are live."""
        world = self.world
        for f, facility in world.facilities:
            one = world.sites.module(f.site, f.product, f.contract, f.begun)
            by_node = {
                n: f.modules * world.facility_at(f, facility, n).interest for n in self.book.below[f.closed]
            }
            self._add(self._owner(f.site), by_node, one.live_from, self.lives.get("halls"), f.closed)
        for t in world.leases:
            x = t.decided
            one = world.sites.module(x.site, x.product, x.contract, x.begun)
            by_node = {n: x.modules * t.at(n).interest for n in self.book.below[x.begun]}
            self._add(self._owner(x.site), by_node, one.live_from, self._gpu_life(one.product), x.begun)

    def _add(
        self, entity: str, by_node: dict[int, float], live: Quarter, life: int | None, since: int
    ) -> None:
        tree = self.book.tree
        for n in self.book.below[since]:
            path = [m for m in self.book.paths[n] if m in by_node and tree.quarter(m) < live]
            so_far, quarter = sum(by_node[m] for m in path), tree.quarter(n)
            worn = [Worn(so_far, live, life)]
            self._stand(entity, n, standing(worn, quarter, so_far, 0.0))
            self.wear[entity, n] += wear(worn, quarter)
            self.capitalised[entity, n] += by_node[n] if quarter < live else 0.0
