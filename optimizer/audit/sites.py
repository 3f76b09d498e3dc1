"""Each site by node: what its megawatts do, what that moves in cash, and what it still has to spend."""

from collections import defaultdict
from dataclasses import dataclass, field

from models.domain.ledger import CashLine, Quantity
from models.domain.site import Power
from models.units import USD_M, USD_M_PER_KW_MONTH
from optimizer.audit.block_sales import Sold
from optimizer.audit.book import Book, Vintage
from optimizer.audit.committed import Committed, CommittedMoney
from optimizer.audit.decisions import Decisions, Placed, SoldBlock, Start
from optimizer.audit.estate import Estate
from optimizer.audit.ledger import Ledger
from optimizer.audit.machines import Machines
from optimizer.audit.modules import Module
from optimizer.audit.power import new_price_usd_m, resale_usd_m, slack_share, tariff

ByNode = defaultdict[int, float]


def _zero() -> ByNode:
    return defaultdict(float)


@dataclass
class SiteBook:
    """One site; every field by node."""

    energised_mw: ByNode = field(default_factory=_zero)
    occupied_mw: ByNode = field(default_factory=_zero)
    """Gross MW of HPC."""
    reserved_mw: ByNode = field(default_factory=_zero)
    """Gross MW of HPC begun or committed, whatever the stage."""
    live_mw: ByNode = field(default_factory=_zero)
    sold_mw: ByNode = field(default_factory=_zero)
    """Of the live MW, what a buyer owns."""
    building_mw: ByNode = field(default_factory=_zero)
    begun: ByNode = field(default_factory=_zero)
    begun_mw: ByNode = field(default_factory=_zero)
    """Critical MW begun by the plan so far."""
    mining_mw: ByNode = field(default_factory=_zero)
    """At the interconnect."""
    slack_mw: ByNode = field(default_factory=_zero)
    """At the interconnect, inside what HPC reserves."""
    slack_room_mw: ByNode = field(default_factory=_zero)
    btc: ByNode = field(default_factory=_zero)
    energy_mwh: ByNode = field(default_factory=_zero)
    mining_mwh: ByNode = field(default_factory=_zero)
    """Of the energy, what machines drew."""
    water_m3: ByNode = field(default_factory=_zero)
    late_loss: ByNode = field(default_factory=_zero)
    funded: ByNode = field(default_factory=_zero)
    """Spend that others pay: tenants of modules, facilities closed at start, GPU debt, escrow."""
    tenant_paid: ByNode = field(default_factory=_zero)
    """Spend of commitments that the tenant pays directly: no cash of ours."""
    remaining_own: ByNode = field(default_factory=_zero)
    remaining_escrow: ByNode = field(default_factory=_zero)
    unearned: ByNode = field(default_factory=_zero)
    payable: ByNode = field(default_factory=_zero)
    """Owed to vendors for GPUs shipped."""
    security: ByNode = field(default_factory=_zero)
    cooled_mw: defaultdict[tuple[str, int], float] = field(default_factory=lambda: defaultdict(float))
    """IT MW of modules by cooling and node."""
    plant_mw: defaultdict[tuple[str, int], float] = field(default_factory=lambda: defaultdict(float))


class Sites:
    """All sites, and their cash in the ledger."""

    def __init__(self, book: Book, decided: Decisions, machines: Machines, ledger: Ledger) -> None:
        self.book, self.decided, self.machines, self.ledger = book, decided, machines, ledger
        self.estate = Estate(book, decided)
        self.of: dict[str, SiteBook] = {name: SiteBook() for name in book.sites}
        self._module: dict[tuple[str, str, str, int], Module] = {}
        self.modules = [
            (s, self.module(s.site, s.product, s.contract, s.node)) for s in decided.starts if s.modules
        ]
        cancelled: dict[str, set[int]] = defaultdict(set)
        for name, n in decided.cancels:
            cancelled[name].add(n)
        self.commitments = [
            Committed(book, c, frozenset(cancelled[c.commitment])) for c in book.portfolio.commitments
        ]
        self.sold = [Sold(book, x, self._sold_one(x)) for x in decided.sold if x.count]
        for start, module in self.modules:
            self._add_module(start, module)
        for one in self.commitments:
            self._add_commitment(one)
        for sold in self.sold:
            self._add_sold(sold)
        for step in decided.expands:
            self._add_expansion(step)
        for plant in decided.cools:
            self._add_plant(plant)
        for order in decided.orders:
            self._add_order(order)
        self._open_sites()
        self._add_damages()
        for name in book.sites:
            for n in book.tree.nodes:
                self._run_power_and_mining(name, n)

    def module(self, site: str, product: str, contract: str, begun: int) -> Module:
        """One module of a route begun at a node."""
        key = (site, product, contract, begun)
        if key not in self._module:
            self._module[key] = Module(self.book, *key)
        return self._module[key]

    def _sold_one(self, x: SoldBlock) -> Module | Committed:
        """The module, or the commitment, of which some is sold."""
        if x.begun < 0:
            return next(c for c in self.commitments if c.commitment.commitment == x.item)
        return self.module(x.site, x.item, x.contract, x.begun)

    def _post(self, site: str, node: int, line: CashLine, amount: float) -> None:
        if amount:
            self.ledger.post_site(site, node, line, amount)

    def _add_module(self, start: Start, module: Module) -> None:
        here, k, name = self.of[start.site], start.modules, start.site
        here.begun[start.node] += k
        contract, product = module.lease.contract, module.product
        cooling = self.book.cooling[name, product.cooling]
        slack = contract.usable_slack_frac * max(0.0, module.gross - module.mw * cooling.pue)
        for n in self.book.below[start.node]:
            q, hours = module.at[n], self.book.tree.quarter(n).hours
            here.occupied_mw[n] += k * q.occupied_mw
            here.reserved_mw[n] += k * module.gross
            here.live_mw[n] += k * q.live_mw
            here.building_mw[n] += k * q.building_mw
            here.begun_mw[n] += k * module.mw
            here.slack_room_mw[n] += k * slack * (q.live_mw / module.mw)
            here.energy_mwh[n] += k * q.energy_mwh
            here.water_m3[n] += k * q.live_mw * product.load_frac * hours * cooling.water_m3_per_mwh
            here.late_loss[n] += k * q.late_loss
            here.funded[n] += k * q.tenant_money
            here.remaining_own[n] += k * module.remaining_own(n)
            here.unearned[n] += k * module.unearned(n)
            here.payable[n] += k * q.payable
            here.cooled_mw[product.cooling, n] += k * q.live_mw
            self._post(name, n, CashLine.RENT, k * q.rent)
            self._post(name, n, CashLine.RELET_RENT, k * q.relet)
            self._post(name, n, CashLine.TERMINATION_FEE, k * q.fee)
            self._post(name, n, CashLine.TENANT_REFUND, -k * q.refund)
            self._post(name, n, CashLine.TENANT_CREDIT, -k * q.credit)
            self._post(name, n, CashLine.OPEX, -k * q.opex)
            self._post(name, n, CashLine.HPC_POWER, -k * q.power)
            self._post(name, n, CashLine.DEMAND_RECOVERED, k * q.recovered)
            self._post(name, n, CashLine.MODULE_SPEND, -k * q.spend)
            self._post(name, n, CashLine.RENEWAL_CAPEX, -k * q.refresh)
            self._post(name, n, CashLine.TENANT_MONEY, k * q.tenant_money)

    def _add_commitment(self, one: Committed) -> None:
        name, product = one.commitment.site, one.lease.product
        here, cooling = self.of[name], self.book.cooling[name, product.cooling]
        per_mw = max(0.0, one.lease.gross_per_mw - cooling.pue)
        for n in self.book.tree.nodes:
            q, hours = one.at[n], self.book.tree.quarter(n).hours
            here.occupied_mw[n] += q.occupied_mw
            here.reserved_mw[n] += q.reserved_mw
            here.live_mw[n] += q.live_mw
            here.building_mw[n] += q.building_mw
            here.slack_room_mw[n] += one.lease.contract.usable_slack_frac * per_mw * q.live_mw
            here.energy_mwh[n] += q.energy_mwh
            here.water_m3[n] += q.live_mw * product.load_frac * hours * cooling.water_m3_per_mwh
            here.remaining_own[n] += q.remaining_own
            here.remaining_escrow[n] += q.remaining_escrow
            here.funded[n] += q.escrow + q.gpu_debt
            here.tenant_paid[n] += q.tenant
            here.payable[n] += q.payable
            self.ledger.at_site[name, n, CashLine.DEBT_DRAWS] += q.gpu_debt
            self._post(name, n, CashLine.RENT, q.rent)
            self._post(name, n, CashLine.RELET_RENT, q.relet)
            self._post(name, n, CashLine.TERMINATION_FEE, q.end_fee)
            self._post(name, n, CashLine.OPEX, -q.opex)
            self._post(name, n, CashLine.HPC_POWER, -q.power)
            self._post(name, n, CashLine.DEMAND_RECOVERED, q.recovered)
            self._post(name, n, CashLine.COMMITMENT_SPEND, -(q.own + q.escrow + q.gpu_debt))
            self._post(name, n, CashLine.ESCROW_RELEASE, q.escrow)
            self._post(name, n, CashLine.RENEWAL_CAPEX, -q.refresh)
            self._post(name, n, CashLine.CANCEL_FEE, -q.fee)

    def _add_sold(self, sold: Sold) -> None:
        """The price; from the next quarter on the halls earn for the buyer, and draw what they drew."""
        name, k = sold.decided.site, sold.count
        self._post(name, sold.node, CashLine.BLOCK_SALE, sold.price_usd_m)
        for n in (n for n in self.book.below[sold.node] if n != sold.node):
            q = sold.one.at[n]
            self.of[name].sold_mw[n] += k * q.live_mw
            self._post(name, n, CashLine.RENT, -k * q.rent)
            self._post(name, n, CashLine.OPEX, k * q.opex)
            self._post(name, n, CashLine.HPC_POWER, k * q.power)
            self._post(name, n, CashLine.RENEWAL_CAPEX, k * q.refresh)
            self._post(name, n, CashLine.DEMAND_RECOVERED, sold.repaid(n))

    def add_money(self, money: CommittedMoney) -> None:
        """Book the tenant money of a committed contract."""
        here = self.of[money.site]
        for n in self.book.tree.nodes:
            q = money.at[n]
            here.unearned[n] += q.unearned
            self._post(money.site, n, CashLine.TENANT_MONEY, q.received)
            self._post(money.site, n, CashLine.TENANT_CREDIT, -q.credited)
            self._post(money.site, n, CashLine.TENANT_REFUND, -q.refunded)

    def _add_expansion(self, step: Placed) -> None:
        terms, here, tree = self.book.expansions[step.item], self.of[step.site], self.book.tree
        scale = step.amount * self.book.rows[step.node].capex_idx
        deposit, rest = scale * terms.deposit_usd_m, scale * (terms.cost_usd_m - terms.deposit_usd_m)
        for n in self.book.below[step.node]:
            age = tree.period[n] - tree.period[step.node]
            paid = (deposit if age == 0 else 0.0) + (rest if age == terms.lead_q - 1 else 0.0)
            self._post(step.site, n, CashLine.EXPANSION_SPEND, -paid)
            here.remaining_own[n] += rest if age < terms.lead_q - 1 else 0.0
            here.security[n] += step.amount * terms.security_usd_m
            here.energised_mw[n] += step.amount * terms.step_mw if age >= terms.lead_q else 0.0

    def _add_plant(self, plant: Placed) -> None:
        terms, here = self.book.cooling[plant.site, plant.item], self.of[plant.site]
        tree = self.book.tree
        cost = plant.amount * terms.capex_usd_m_per_module * self.book.rows[plant.node].capex_idx
        for n in self.book.below[plant.node]:
            age = tree.period[n] - tree.period[plant.node]
            left_q = max(0, terms.lead_q - 1 - age)
            if age < terms.lead_q:
                self._post(plant.site, n, CashLine.COOLING_SPEND, -cost / terms.lead_q)
            else:
                here.plant_mw[plant.item, n] += plant.amount * terms.module_mw
            here.remaining_own[n] += cost * left_q / terms.lead_q

    def _add_order(self, order: Placed) -> None:
        """Equipment: a deposit, and the rest in the last quarter of its lead."""
        terms, here, tree = self.book.equipment[order.item], self.of[order.site], self.book.tree
        cost = order.amount * terms.cost_usd_m_per_mw * self.book.rows[order.node].capex_idx
        deposit = terms.deposit_frac * cost
        for n in self.book.below[order.node]:
            age = tree.period[n] - tree.period[order.node]
            paid = (deposit if age == 0 else 0.0) + (cost - deposit if age == terms.lead_q - 1 else 0.0)
            self._post(order.site, n, CashLine.EQUIPMENT_SPEND, -paid)
            here.remaining_own[n] += cost - deposit if age < terms.lead_q - 1 else 0.0

    def unused_mw(self, name: str, leaf: int) -> float:
        """Equipment in hand or ordered that no module begun by a leaf needs. [MW]"""
        terms, path = self.book.equipment[name], self.book.paths[leaf]
        ordered = sum(x.amount for x in self.decided.orders if x.item == name and x.node in path)
        return terms.in_hand_mw + ordered - self.needed_mw(name, leaf)

    def needed_mw(self, name: str, node: int) -> float:
        """Critical MW begun by a node that need the equipment. [MW]"""
        terms, path = self.book.equipment[name], self.book.paths[node]
        return sum(
            s.modules * m.mw for s, m in self.modules if s.node in path and terms.serves(s.product, s.site)
        )

    def _add_damages(self) -> None:
        """What a signed contract's late megawatts cost from its deadline to its long stop."""
        book, tree = self.book, self.book.tree
        for site, name in {(s.site, s.item) for s in self.decided.signs}:
            terms = book.contracts[name]
            if terms.deadline_quarter is None or terms.long_stop_quarter is None:
                continue
            each = (terms.late_damages_usd_per_kw_month or 0.0) * USD_M_PER_KW_MONTH
            ours = [(s, m) for s, m in self.modules if (s.site, s.contract) == (site, name)]
            for n in tree.nodes:
                is_due = terms.deadline_quarter <= tree.quarter(n) < terms.long_stop_quarter
                if is_due and book.ended(name, n) is None:
                    path = book.paths[n]
                    signed = sum(
                        s.amount
                        for s in self.decided.signs
                        if (s.site, s.item) == (site, name) and s.node in path
                    )
                    live = sum(
                        s.modules * m.mw for s, m in ours if s.node in path and m.live_from <= tree.quarter(n)
                    )
                    late = max(0.0, terms.min_mw * signed - live)
                    self._post(site, n, CashLine.LATE_DAMAGES, -late * each)

    def _open_sites(self) -> None:
        """The first start on a path opens a site, once."""
        for name, site in self.book.sites.items():
            begun = self.of[name].begun
            for n in self.book.tree.nodes:
                if begun.get(n) and not any(begun.get(m) for m in self.book.paths[n][:-1]):
                    self._post(name, n, CashLine.ONCE_SPEND, -site.once_cost_usd_m)

    def _run_power_and_mining(self, name: str, n: int) -> None:
        here, book, moment = self.of[name], self.book, self.book.moment(n)
        power, ours = book.power(name, moment.quarter), self.estate.ours(name, n)
        here.energised_mw[n] += power.energised_mw * ours if power else 0.0
        self._mine(name, n)
        self._post(name, n, CashLine.FIXED_COST, -book.sites[name].fixed_cost_usd_m_per_q * ours)
        self._post(name, n, CashLine.SITE_PURCHASE, -self.estate.paid(name, n))
        self._post(name, n, CashLine.SITE_SALE, self.estate.received(name, n))
        here.remaining_own[n] += self.estate.still_to_pay(name, n)
        here.security[n] += cash_security(power) * ours
        opening = self.estate.before(name, 0)
        before_first = cash_security(book.power(name, book.tree.first + -1)) * opening
        before = here.security[book.tree.parent[n]] if n else before_first
        self._post(name, n, CashLine.SECURITY, before - here.security[n])
        if power is None:
            return
        billed = max(here.occupied_mw[n] + here.mining_mw[n], power.min_bill_frac * here.energised_mw[n])
        charge = power.demand_charge_usd_per_kw_month * USD_M_PER_KW_MONTH
        self._post(name, n, CashLine.DEMAND_CHARGE, -billed * charge)
        committed = power.take_or_pay_frac * here.energised_mw[n] * moment.quarter.hours
        prices = tariff(book, name, moment)
        if power.price_basis == "fixed" and power.resale_allowed:
            gain = committed * (prices.spot_bare - prices.fixed_bare) * USD_M
            self._post(name, n, CashLine.RESALE_GAIN, gain)
        else:
            shortfall = max(0.0, committed - here.energy_mwh[n])
            self._post(name, n, CashLine.TAKE_OR_PAY, -shortfall * prices.fixed_bare * USD_M)

    def _mine(self, name: str, n: int) -> None:
        machines, here, share = self.machines, self.of[name], slack_share(self.book, name)
        for site, vintage in machines.places:
            if site != name:
                continue
            held = self.book.vintages[vintage]
            on = machines.mw(Quantity.ON_MW, site, vintage, n)
            slack = machines.mw(Quantity.SLACK_MW, site, vintage, n)
            if on or slack:
                one, running = machines.hashing(site, vintage, n), on + slack * share
                here.mining_mw[n] += on * held.machine.overhead_frac
                here.slack_mw[n] += slack * held.machine.overhead_frac
                here.btc[n] += running * one.btc
                here.energy_mwh[n] += running * one.energy_mwh
                here.mining_mwh[n] += running * one.energy_mwh
                self._post(site, n, CashLine.MINING_MARGIN, running * one.margin_usd_m)
            self._trade(site, held, n)

    def _trade(self, site: str, held: Vintage, n: int) -> None:
        """Machines bought, sold and moved in."""
        moment, machines = self.book.moment(n), self.machines
        bought = machines.mw(Quantity.BOUGHT_MW, site, held.name, n)
        sold = machines.mw(Quantity.SOLD_MW, site, held.name, n)
        moved = machines.mw(Quantity.MOVED_IN_MW, site, held.name, n)
        pays_tariff = self.book.regions[self.book.sites[site].region].asic_tariff_applies
        tariff_frac = moment.market.asic_tariff_frac if pays_tariff else 0.0
        price = new_price_usd_m(held, moment) * (1.0 + tariff_frac)
        self._post(site, n, CashLine.MACHINE_PURCHASE, -bought * price)
        if sold:
            self._post(site, n, CashLine.MACHINE_SALE, sold * resale_usd_m(self.book, held, moment))
        if moved:
            duty = tariff_frac * resale_usd_m(self.book, held, moment) if self._crosses(site, held) else 0.0
            each = held.machine.move_usd_per_mw * USD_M + duty
            self._post(site, n, CashLine.MACHINE_MOVE, -moved * each)

    def _area(self, site: str) -> str:
        region = self.book.regions[self.book.sites[site].region]
        return region.customs_area or region.region

    def _crosses(self, site: str, held: Vintage) -> bool:
        """Whether machines arrive from another customs area; new ones may come from anywhere."""
        fleet = self.book.fleets.get(held.name)
        return fleet is None or self._area(fleet.site) != self._area(site)


def cash_security(power: Power | None) -> float:
    """Security required in cash. [$M]"""
    return power.security_usd_m if power is not None and power.security_form == "cash" else 0.0
