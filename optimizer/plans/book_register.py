"""The register of assets behind the statements: modules, commitments, plant, sites, interest capitalised."""

from collections.abc import Iterator

import numpy as np

from models.domain.ledger import Quantity
from models.domain.product import Product
from models.params.commitments import CommitmentArrays
from models.params.modules import ModuleArrays, capex_of
from optimizer.plans.book_assets import Asset, Nodes, Part
from optimizer.plans.reading import Array, Built, Reading, SoldHalls


class Register:
    """Every asset but machines, by what it belongs to."""

    def __init__(self, r: Reading) -> None:
        self.reading, self.params, self.nodes = r, r.program.params, Nodes(r)
        self.entity = {s.site: s.entity for s in self.params.portfolio.sites}
        self.owner = {(*x.route.key, r.labels[x.node]): self.built(x) for x in r.built}
        self.owner |= {
            (c.commitment.site, c.commitment.commitment, c.commitment.contract, ""): self.committed(c)
            for c in self.params.commitments
        }

    def assets(self) -> Iterator[Asset]:
        """All of them; what is sold comes off with a negative one."""
        for held in self.owner.values():
            yield from held
        for x in self.reading.sold:
            yield from self.halls_sold(x)
        yield from self._plant()
        yield from self._sites()
        yield from self._interest()

    def halls_sold(self, x: SoldHalls) -> Iterator[Asset]:
        """What comes off where halls are sold."""
        d = x.decision
        whole = self.owner[d.site, d.item, d.contract, d.since]
        for asset in whole:
            yield self.nodes.sold(asset, x.count / self._count(x), d.node)

    def _count(self, x: SoldHalls) -> float:
        d = x.decision
        if not d.since:
            return 1.0
        key, labels = (d.site, d.item, d.contract, d.since), self.reading.labels
        return next(b.count for b in self.reading.built if (*b.route.key, labels[b.node]) == key)

    def _period(self, n: int) -> int:
        return int(self.params.tree.period[n])

    # --- halls and GPUs --------------------------------------------------------------------------

    def _gpu_life(self, p: Product) -> int | None:
        """Of GPUs: their book life, or the time to their replacement where that is shorter."""
        lives = [x for x in (self.nodes.lives.get("gpus"), p.refresh_q) if x is not None]
        return min(lives, default=None)

    def built(self, x: Built) -> list[Asset]:
        """Modules of a cohort, with what is replaced and refitted in them."""
        route, p, at = x.route, x.route.terms.product, self.nodes
        row = self.params.outlook.rows[x.node]
        building, demolition, gpus = capex_of(route, row.capex_idx, row.gpu_price_idx)
        halls = building + demolition - route.ordered_usd_m(row.capex_idx)
        live = self._period(x.node) + route.lead_q
        parts = [
            Part(x.count * halls, live, at.lives.get("halls")),
            Part(x.count * gpus, live, self._gpu_life(p)),
        ]
        unpaid = x.count * np.append(x.arrays.unpaid, 0.0)
        incurred = at.summed(x.count * x.arrays.spend) + unpaid
        entity = self.entity[route.key[0]]
        first = at.asset(entity, incurred, unpaid, parts, at.since(x.node))
        return [first, *self._again(entity, p, x.arrays, np.full(at.size, x.count))]

    def _again(
        self, entity: str, p: Product, arrays: ModuleArrays | CommitmentArrays, count: Array
    ) -> Iterator[Asset]:
        """GPUs replaced and halls refitted, each in use at once."""
        at = self.nodes
        for spend, life in ((arrays.refresh, self._gpu_life(p)), (arrays.refit, at.lives.get("halls"))):
            for n in map(int, np.flatnonzero(spend * count)):
                cost, held = float(spend[n] * count[n]), at.since(n) * np.append(count > 0.0, 0.0)
                yield at.asset(
                    entity, cost * at.since(n), at.zero(), [Part(cost, self._period(n), life)], held
                )

    def committed(self, c: CommitmentArrays) -> list[Asset]:
        """A commitment: what was spent before the plan, what is paid and shipped, each part as it goes live.

        A part that is live is recognised whole; what is not yet paid of it is owed.
        """
        row, p, at = c.commitment, c.terms.product, self.nodes
        entity = self.entity[row.site]
        first = self.params.tree.first
        flows = [f for f in self.params.portfolio.commitment_flows if f.commitment == row.commitment]
        to_come = sum(f.amount_usd_m for f in flows if f.funded_by != "tenant" and f.quarter >= first)
        tenants = sum(f.amount_usd_m for f in flows if f.funded_by == "tenant")
        cost = max(row.capex_usd_m + row.gpu_capex_usd_m - tenants, to_come, 0.0)
        gpu_frac = row.gpu_capex_usd_m / (row.capex_usd_m + row.gpu_capex_usd_m or 1.0)
        total_mw = sum(f.mw_live for f in flows)
        parts = []
        for f in (f for f in flows if f.mw_live > 0.0):
            share, live = cost * f.mw_live / total_mw, f.quarter - first
            parts.append(Part(share * (1.0 - gpu_frac), live, at.lives.get("halls")))
            parts.append(Part(share * gpu_frac, live, self._gpu_life(p)))
        held = self.reading.held(row.commitment)
        spend = c.spend["own"] + c.spend["escrow"] + c.spend["gpu_debt"] - c.taken_over_usd_m
        paid = at.summed(spend, cost - to_come)
        stays = np.append(held, 1.0)
        live_cost = at.live(parts, np.ones(at.size + 1))
        incurred = np.maximum(paid + np.append(c.payable, 0.0), live_cost)
        found = [at.asset(entity, incurred, incurred - paid, parts, stays)]
        found += self._again(entity, p, c, held)
        for n in map(int, np.flatnonzero(c.taken_over_usd_m * held)):
            cost, marked = float(c.taken_over_usd_m[n]), at.since(n) * stays
            part = Part(cost, self._period(n), at.lives.get("halls"))
            found.append(at.asset(entity, cost * at.since(n), at.zero(), [part], marked))
        return found

    # --- plant, sites, interest ------------------------------------------------------------------

    def _plant(self) -> Iterator[Asset]:
        """Cooling plant, expansions, long-lead equipment."""
        p, by = self.params.portfolio, self.reading.by_quantity
        rows = self.params.outlook.rows
        plants = {(c.site, c.cooling): c for c in p.cooling}
        for d, v in by[Quantity.COOL]:
            plant = plants[d.site, d.item]
            each = v * plant.capex_usd_m_per_module * rows[d.node].capex_idx / plant.lead_q
            by_age = np.full(plant.lead_q, each)
            yield self.nodes.paid_over(self.entity[d.site], d.node, by_age, plant.lead_q, "cooling")
        steps = {x.expansion: x for x in p.expansions}
        for d, v in by[Quantity.EXPAND]:
            step = steps[d.item]
            scale = v * rows[d.node].capex_idx
            by_age = scale * _in_two(step.deposit_usd_m, step.cost_usd_m, step.lead_q)
            yield self.nodes.paid_over(self.entity[d.site], d.node, by_age, step.lead_q, "power")
        orders = {x.equipment: x for x in p.long_lead}
        for d, v in by[Quantity.ORDERED_MW]:
            order = orders[d.item]
            cost = v * order.cost_usd_m_per_mw * rows[d.node].capex_idx
            by_age = _in_two(order.deposit_frac * cost, cost, order.lead_q)
            yield self.nodes.paid_over(self.entity[d.site], d.node, by_age, order.lead_q, "power")

    def _sites(self) -> Iterator[Asset]:
        """Sites bought, and at their book value those that are for sale, which is not depreciated."""
        by, at = self.reading.by_quantity, self.nodes
        for d, v in by[Quantity.BUY_SITE]:
            cost = v * self.params.ownership[d.site].purchase_usd_m
            yield at.bought(self.entity[d.site], d.node, cost, self._period(d.node), "power")
        for site, owned in self.params.ownership.items():
            for n in map(int, np.flatnonzero(owned.due_usd_m)):
                yield at.bought(self.entity[site], n, float(owned.due_usd_m[n]), self._period(n), "power")
        yield from self.for_sale()
        yield from self._in_place()

    def for_sale(self) -> Iterator[Asset]:
        """Sites at their book value, until they are sold at the end of a quarter."""
        at = self.nodes
        for s in self.params.portfolio.sites:
            if s.is_owned and s.book_value_usd_m:
                held = np.ones(at.size + 1)
                for d, _ in self.reading.by_quantity[Quantity.SELL_SITE]:
                    held -= at.since(d.node) * (d.site == s.site)
                parts = [Part(s.book_value_usd_m, -1, None)]
                yield at.asset(s.entity, s.book_value_usd_m * held, at.zero(), parts, held)

    def _in_place(self) -> Iterator[Asset]:
        """Plant at the opening: each group's tax basis less its machines, by its entities' MW."""
        p, at = self.params.portfolio, self.nodes
        held = np.ones(at.size + 1)
        for g in p.tax_groups:
            members = [e.entity for e in p.entities if e.tax_group == g.tax_group]
            plant = g.basis_usd_m - sum(
                v.opening_mw[s] * float(v.resale_usd_m_per_mw[0])
                for v in self.params.vintages
                for s in v.opening_mw
                if self.entity[s] in members
            )
            mw = dict.fromkeys(members, 0.0)
            for s in p.sites:
                if s.entity in mw and s.is_owned:
                    mw[s.entity] += float(self.params.power[s.site].energised_mw[0])
            total = sum(mw.values())
            for e in members if plant > 0.0 else ():
                cost = plant * (mw[e] / total if total else float(e == members[0]))
                part = Part(cost, 0, g.basis_life_q)
                written = at.written([part], held)
                off = written[: at.size] - at.before(written)
                yield Asset(e, cost * held, at.zero(), cost * held, written, off, np.zeros(at.size))

    def _interest(self) -> Iterator[Asset]:
        """Interest of facilities and leases until the halls are live, as a part of their cost."""
        for entity, n, life, live, by_node in self.capitalised():
            at = self.nodes
            summed = at.summed(by_node)
            total = float(summed.max(initial=0.0))
            yield at.asset(entity, summed, at.zero(), [Part(total, live, life)], at.since(n))

    def capitalised(self) -> Iterator[tuple[str, int, int | None, int, Array]]:
        """Entity, first node, life, period of going live, interest by node."""
        period = np.array(self.params.tree.period)
        for t in self.reading.taken:
            live = self._period(t.begun) + t.route.lead_q
            interest = t.modules * t.arrays.interest * (period < live)
            entity = self.entity[t.route.key[0]]
            yield entity, t.arrays.close, self.nodes.lives.get("halls"), live, interest
        for x in self.reading.leased:
            live = self._period(x.begun) + x.route.lead_q
            interest = x.modules * x.arrays.interest * (period < live)
            life = self._gpu_life(x.route.terms.product)
            yield self.entity[x.route.key[0]], x.begun, life, live, interest


def _in_two(deposit: float, cost: float, lead_q: int) -> Array:
    """A deposit in the first quarter, the rest in the last one."""
    by_age = np.zeros(lead_q)
    by_age[0] += deposit
    by_age[-1] += cost - deposit
    return by_age
