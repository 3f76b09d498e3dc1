"""Tables on megawatts: site_plan, mining, site_summary, contracts, commitments."""

import numpy as np
import pandas as pd

from models.domain.ledger import Quantity
from models.domain.site import Site
from optimizer.plans.hurdles import Beginnings
from optimizer.plans.prices import at_company_prices, one_mw_more, quarter_earlier
from optimizer.plans.reading import Array, Reading

FULL_FRAC = 0.95
DARK = ", dark"


class SiteYears:
    """What one site does by node."""

    def __init__(self, r: Reading, site: Site) -> None:
        p = r.program.params
        tree, size = p.tree, len(p.tree.nodes)
        self.reading, self.site = r, site
        self.built = [b for b in r.built if b.route.key[0] == site.site]
        self.held = [
            (c, r.held(c.commitment.commitment)) for c in p.commitments if c.commitment.site == site.site
        ]
        power = p.power[site.site]
        self.ours = r.ours(site.site)
        self.energised = power.energised_mw * self.ours
        for d, steps in r.by_quantity[Quantity.EXPAND]:
            for x in power.expansions:
                if d.site == site.site and x.expansion.expansion == d.item:
                    ready = [
                        m
                        for m in tree.descendants(d.node)
                        if tree.period[m] - tree.period[d.node] >= x.expansion.lead_q
                    ]
                    self.energised[ready] += steps * x.expansion.step_mw
        none = np.zeros(size)
        self.gross = sum((b.count * b.route.gross_mw * b.arrays.occupied for b in self.built), none)
        self.gross = sum((c.occupied_gross_mw * on for c, on in self.held), self.gross)
        self.live = sum((b.count * b.route.module_mw * b.arrays.live for b in self.built), none)
        self.live = sum((c.live_mw * on for c, on in self.held), self.live)
        self.sold = sum((x.live_mw for x in r.sold if x.decision.site == site.site), none)
        self.building = sum((b.count * b.route.module_mw * b.arrays.building for b in self.built), none)
        self.building = sum((c.building_mw * on for c, on in self.held), self.building)
        self.begun = none.copy()
        for b in self.built:
            self.begun[b.node] += b.count
        self._read_machines()

    def _read_machines(self) -> None:
        r, p = self.reading, self.reading.program.params
        size = len(p.tree.nodes)
        self.mining, self.slack, self.btc = np.zeros(size), np.zeros(size), np.zeros(size)
        self.energy = np.zeros(size)
        vintages = {v.name: v for v in p.vintages}
        hours_frac = self.slack_hours_frac()
        for quantity, into, weight in (
            (Quantity.ON_MW, self.mining, 1.0),
            (Quantity.SLACK_MW, self.slack, hours_frac),
        ):
            for d, mw in r.by_quantity[quantity]:
                if d.site != self.site.site:
                    continue
                machine = vintages[d.item].machine
                into[d.node] += mw * machine.overhead_frac
                running = float(p.mining[d.item, d.site].running_frac[d.node]) * machine.uptime_frac
                row = p.outlook.rows[d.node]
                per_ph_q = float(p.outlook.hashprice[d.node]) / row.btc_usd * p.outlook.hours[d.node] / 24.0
                self.btc[d.node] += mw * 1000.0 / machine.j_per_th * per_ph_q * running * weight
                hours = p.outlook.hours[d.node] * running * weight
                self.energy[d.node] += mw * machine.overhead_frac * hours

    def slack_hours_frac(self) -> float:
        """Share of hours in which machines may run on slack."""
        p, name = self.reading.program.params, self.site.site
        contracts = [r.route.terms.contract for r in p.routes if r.route.key[0] == name]
        contracts += [c.terms.contract for c, _ in self.held]
        return min((c.slack_hours_frac for c in contracts if c.usable_slack_frac > 0.0), default=0.0)

    @property
    def idle(self) -> Array:
        """Energised and used by nothing."""
        return self.energised - self.gross - self.mining

    def capex(self, leaf: int) -> float:
        """Spent on the path to a leaf, machines apart. [$M]"""
        p, _r = self.reading.program.params, self.reading
        path = list(p.tree.path(leaf))
        spent = 0.0
        for b in self.built:
            paid = b.arrays.spend + b.arrays.refresh + b.arrays.refit
            spent += float((b.count * paid)[path].sum())
        for c, on in self.held:
            paid = c.spend["own"] + c.spend["escrow"] + c.spend["gpu_debt"] + c.refresh + c.refit
            spent += float((paid * on)[path].sum())
        sold = (x for x in self.reading.sold if x.decision.site == self.site.site)
        spent -= sum(float((x.count * x.sale.refit)[path].sum()) for x in sold)
        spent += sum(float(x[path].sum()) for x in self.plant_spend())
        return spent

    def plant_spend(self) -> list[Array]:
        """Cooling plant, expansions, the site's price, once costs and cancel fees by node. [$M]"""
        p, r = self.reading.program.params, self.reading
        tree, name, size = p.tree, self.site.site, len(p.tree.nodes)
        found = []
        plants = {c.cooling: c for c in p.portfolio.cooling if c.site == name}
        for d, count in r.by_quantity[Quantity.COOL]:
            if d.site == name:
                plant, by_node = plants[d.item], np.zeros(size)
                for m in tree.descendants(d.node):
                    if tree.period[m] - tree.period[d.node] < plant.lead_q:
                        by_node[m] = (
                            plant.capex_usd_m_per_module * p.outlook.rows[d.node].capex_idx / plant.lead_q
                        )
                found.append(count * by_node)
        for d, steps in r.by_quantity[Quantity.EXPAND]:
            if d.site == name:
                x = next(x for x in p.power[name].expansions if x.expansion.expansion == d.item)
                found.append(steps * x.spend[d.node])
        owned, price = p.ownership[name], np.zeros(size)
        for d, _ in r.by_quantity[Quantity.BUY_SITE]:
            price[d.node] += owned.purchase_usd_m if d.site == name else 0.0
        found.append(owned.due_usd_m + price)
        equipment = {x.equipment: x for x in p.portfolio.long_lead}
        for d, mw in r.by_quantity[Quantity.ORDERED_MW]:
            if d.site == name:
                row, by_node = equipment[d.item], np.zeros(size)
                cost = mw * row.cost_usd_m_per_mw * p.outlook.rows[d.node].capex_idx
                by_node[d.node] = row.deposit_frac * cost
                for m in tree.descendants(d.node):
                    if tree.period[m] - tree.period[d.node] == row.lead_q - 1:
                        by_node[m] += (1.0 - row.deposit_frac) * cost
                found.append(by_node)
        opened = np.zeros(size)
        for n in self.opening_nodes():
            opened[n] = self.site.once_cost_usd_m
        found.append(opened)
        fees = {c.commitment.commitment: c.commitment.cancel_fee_usd_m for c, _ in self.held}
        for d, _ in r.by_quantity[Quantity.CANCEL]:
            if d.site == name:
                fee = np.zeros(size)
                fee[d.node] = fees[d.item]
                found.append(fee)
        return found

    def opening_nodes(self) -> list[int]:
        """Nodes of a first start on their path."""
        tree = self.reading.program.params.tree
        starts = {b.node for b in self.built}
        return [n for n in starts if not any(m in starts for m in tree.path(n)[:-1])]

    def strategy(self, leaf: int) -> str:
        """Label by the HPC share of what is convertible, and whether halls stand dark: section 10."""
        return self._kind(leaf) + (DARK if self.dark_gross(leaf) > 1e-6 else "")

    def dark_gross(self, leaf: int) -> float:
        """Gross MW of halls at a leaf that have been live and are let to nobody there."""
        path, below = (
            list(self.reading.program.params.tree.path(leaf)),
            self.reading.program.params.outlook.below,
        )
        halls = [(b.arrays.live, b.count * b.route.gross_mw) for b in self.built if below[b.node][leaf]]
        halls += [(c.live_mw, float(c.occupied_gross_mw.max(initial=0.0) * on[leaf])) for c, on in self.held]
        return sum(gross for live, gross in halls if live[leaf] < 1e-9 < live[path].max())

    def _kind(self, leaf: int) -> str:
        p, site = self.reading.program.params, self.site
        if self.ours[leaf] < 0.5:
            return "not bought" if site.state == "candidate" else "sold"
        hpc = self.committed_and_begun_gross(leaf)
        if hpc <= 1e-6:
            return "mine" if self.mining[leaf] > 1e-6 else "idle"
        products = {x.product: x.gross_to_critical_ratio for x in p.portfolio.products}
        ratios = [products[x.product] for x in p.portfolio.site_products if x.site == site.site]
        begun_mw = sum(b.count * b.route.module_mw for b in self.built if p.outlook.below[b.node][leaf])
        room = max(0.0, site.max_hpc_critical_mw - begun_mw) / max(ratios) if ratios else 0.0
        if hpc >= FULL_FRAC * min(float(self.energised[leaf]), hpc + room):
            return "full"
        live = [n for n in p.tree.path(leaf) if self.live[n] > 1e-6]
        on_slack = sum(self.slack[n] > 1e-6 for n in live)
        return "flexible" if live and on_slack > 0.5 * len(live) else "hybrid"

    def committed_and_begun_gross(self, leaf: int) -> float:
        """Gross MW of HPC at the leaf, begun or committed."""
        p = self.reading.program.params
        begun = sum(b.count * b.route.gross_mw for b in self.built if p.outlook.below[b.node][leaf])
        return begun + sum(float(c.occupied_gross_mw.max(initial=0.0) * on[leaf]) for c, on in self.held)


def site_tables(r: Reading) -> dict[str, pd.DataFrame]:
    """All tables on megawatts."""
    p = r.program.params
    years = [SiteYears(r, s) for s in p.portfolio.sites]
    beginnings = Beginnings(r)
    return {
        "site_plan": pd.DataFrame([row for y in years for row in _site_plan(r, y)]),
        "mining": pd.DataFrame(_mining(r)),
        "site_summary": pd.DataFrame([row for y in years for row in _summary(r, y, beginnings)]),
        "contracts": pd.DataFrame(_contracts(r)),
        "commitments": pd.DataFrame(_commitments(r)),
    }


def _site_plan(r: Reading, y: SiteYears) -> list[dict[str, object]]:
    return [
        {
            "site": y.site.site,
            "node": r.labels[n],
            "quarter": r.quarters[n],
            "ours": y.ours[n],
            "energised_mw": y.energised[n],
            "hpc_gross_mw": y.gross[n],
            "hpc_live_mw": y.live[n],
            "hpc_sold_mw": y.sold[n],
            "building_mw": y.building[n],
            "modules_begun": y.begun[n],
            "mining_mw": y.mining[n],
            "slack_mw": y.slack[n],
            "idle_mw": y.idle[n],
            "btc_mined": y.btc[n],
            "mining_energy_mwh": y.energy[n],
            "mining_mean_mw": y.energy[n] / r.program.params.outlook.hours[n],
        }
        for n in r.program.params.tree.nodes
    ]


def _mining(r: Reading) -> list[dict[str, object]]:
    p, m = r.program.params, r.program.model
    found = []
    for s in p.portfolio.sites:
        b = m.borrower[s.entity].site[s.site].mining
        for v in p.vintages:
            for n in p.tree.nodes if (v.name, s.site) in p.mining else ():
                stock, on = b.stock[v.name, n].value, b.on_mw[v.name, n].value
                slack = b.slack_mw[v.name, n].value if (v.name, n) in b.slack_mw else 0.0
                if max(stock, on, slack) > 1e-7:
                    found.append(
                        {
                            "site": s.site,
                            "vintage": v.name,
                            "node": r.labels[n],
                            "quarter": r.quarters[n],
                            "stock_mw": stock,
                            "on_mw": on,
                            "slack_mw": slack,
                        }
                    )
    return found


def _summary(r: Reading, y: SiteYears, beginnings: Beginnings) -> list[dict[str, object]]:
    p, name = r.program.params, y.site.site
    held = (t for t in r.taken if t.route.key[0] == name)
    debt = sum((t.arrays.balance * t.modules for t in held), np.zeros(len(r.labels)))
    things = [b for b in (*beginnings.all(), *beginnings.plant()) if b.site == name]
    found = []
    for leaf in p.tree.leaves:
        tenants = [b.route.terms.contract.tenant for b in y.built if p.outlook.below[b.node][leaf]] + [
            c.terms.contract.tenant for c, on in y.held if on[leaf] > 0.5
        ]
        found_there = beginnings.on_path(things, leaf)
        found.append(
            {
                "site": y.site.site,
                "leaf": r.labels[leaf],
                "strategy": y.strategy(leaf),
                "hpc_critical_mw": y.live[leaf],
                "hpc_gross_mw": y.gross[leaf],
                "mining_mw": y.mining[leaf],
                "capex_usd_m": y.capex(leaf),
                "debt_usd_m": debt[leaf],
                "npv_usd_m": found_there.npv_usd_m,
                "irr_frac": found_there.irr_frac,
                "irr_reason": found_there.irr_reason,
                "payback_quarter": found_there.payback_quarter,
                "tenants": "; ".join(dict.fromkeys(tenants)),
                "npv_company_usd_m": at_company_prices(r, things),
                "one_mw_more_usd_m": one_mw_more(r, name),
                "quarter_earlier_usd_m": quarter_earlier(r, name, y.energised),
            }
        )
    return found


def _contracts(r: Reading) -> list[dict[str, object]]:
    p = r.program.params
    contracts = {c.contract: c for c in p.portfolio.contracts}
    found = []
    for leaf in p.tree.leaves:
        mw: dict[tuple[str, str], float] = {}
        for b in r.built:
            if p.outlook.below[b.node][leaf]:
                site, _, contract = b.route.key
                mw[contract, site] = mw.get((contract, site), 0.0) + b.count * b.route.module_mw
        signed = {
            (d.contract, d.site): r.quarters[d.node]
            for d, _ in r.by_quantity[Quantity.SIGN]
            if p.outlook.below[d.node][leaf]
        }
        for key in signed:
            mw.setdefault(key, 0.0)
        for c in p.commitments:
            key = (c.terms.contract.contract, c.commitment.site)
            total = float((c.live_mw + c.building_mw).max(initial=0.0))
            mw[key] = mw.get(key, 0.0) + total * r.held(c.commitment.commitment)[leaf]
        sold: dict[tuple[str, str], float] = {}
        for x in r.sold:
            if p.outlook.below[x.sale.node][leaf]:
                key = (x.decision.contract, x.decision.site)
                sold[key] = sold.get(key, 0.0) + x.count * x.sale.mw
        for (contract, site), amount in mw.items():
            c2 = contracts[contract]
            found.append(
                {
                    "contract": contract,
                    "site": site,
                    "leaf": r.labels[leaf],
                    "tenant": c2.tenant,
                    "state": c2.state,
                    "signed_quarter": signed.get((contract, site), ""),
                    "mw_critical": amount,
                    "mw_sold": sold.get((contract, site), 0.0),
                }
            )
    return found


def _commitments(r: Reading) -> list[dict[str, object]]:
    p = r.program.params
    found = []
    for c in p.commitments:
        on = r.held(c.commitment.commitment)
        funded = c.spend["escrow"] + c.spend["tenant"] + c.spend["gpu_debt"]
        for n in p.tree.nodes:
            row = {
                "commitment": c.commitment.commitment,
                "node": r.labels[n],
                "quarter": r.quarters[n],
                "own_usd_m": c.spend["own"][n] * on[n],
                "funded_usd_m": funded[n] * on[n],
                "remaining_own_usd_m": c.remaining_own[n] * on[n],
                "live_mw": c.live_mw[n] * on[n],
            }
            found.append(row)
    return found
