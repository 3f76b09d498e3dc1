"""Every rule on megawatts, contracts and machines, checked again."""

from collections import defaultdict

from models.domain.contract import Contract
from models.domain.ledger import Quantity
from optimizer.audit.court import Court
from optimizer.audit.power import resale_usd_m
from optimizer.audit.rules_sites import SiteRules
from optimizer.audit.world import World

_MODULES = 1e-6


class PhysicalRules:
    """Rules CNV, POW, COO, TEN, ALO, COM and MIN."""

    def __init__(self, world: World, court: Court) -> None:
        self.world, self.court = world, court
        self.book, self.decided = world.book, world.decided
        self.leaves = self.book.tree.leaves

    def check(self) -> None:
        """Take every check."""
        self._windows()
        self._conversion()
        self._power_and_cooling()
        self._room_at_the_leaves()
        self._equipment()
        self._offers()
        self._merchants()
        self._building()
        self._purchases_and_pool()
        self._sales()
        self._machines()
        self._permissions()
        SiteRules(self.world, self.court).check()

    def _at(self, node: int, *names: str) -> str:
        return "|".join((*names, self.book.tree.label(node)))

    def _windows(self) -> None:
        """Decisions lie in the quarters and places that the inputs allow."""
        book, court = self.book, self.court

        def inside(check: str, place: str, holds: bool) -> None:
            court.require(check, "decisions", place, "node", holds, "within its window", "outside")

        for s in self.decided.starts:
            if not s.modules:
                continue
            site, contract, product = book.sites[s.site], book.contracts[s.contract], book.products[s.product]
            row, quarter = book.site_products.get((s.site, s.product)), book.tree.quarter(s.node)
            open_here = row is not None and row.earliest_quarter <= quarter <= row.latest_quarter
            place = self._at(s.node, "start", s.site, s.product, s.contract)
            inside("CNV-1", place, open_here and site.hpc_allowed)
            inside("CNV-2", place, quarter >= site.earliest_conversion_quarter)
            suits = _allows(contract.workloads, product.workload) and _allows(
                contract.coolings, product.cooling
            )
            suits = suits and _allows(contract.sites, s.site) and contract.state != "committed"
            live, term_end = quarter + product.lead_q, contract.commencement_quarter + contract.term_q
            last = contract.long_stop_quarter or contract.deadline_quarter
            in_time = last is None or live <= last
            from_sign = contract.sign_from_quarter is None or quarter >= contract.sign_from_quarter
            runs = book.ended(s.contract, s.node) is None
            inside("TEN-1", place, suits and live < term_end and in_time and from_sign and runs)
            is_cloud = product.workload == "gpu_cloud"
            inside("CNV-1", place, book.regions[site.region].gpu_cloud_allowed or not is_cloud)
        for sign in self.decided.signs:
            terms, quarter = book.contracts[sign.item], book.tree.quarter(sign.node)
            by = terms.sign_from_quarter is None or quarter >= terms.sign_from_quarter
            by = by and (terms.sign_by_quarter is None or quarter <= terms.sign_by_quarter)
            place = self._at(sign.node, "sign", sign.site, sign.item)
            runs = all(book.ended(name, sign.node) is None for name in (sign.item, terms.option_of) if name)
            inside("ALO-1", place, runs and by and terms.signable and _allows(terms.sites, sign.site))
        for step in self.decided.expands:
            expansion, quarter = book.expansions[step.item], book.tree.quarter(step.node)
            open_now = expansion.earliest_quarter <= quarter <= expansion.latest_quarter
            inside("POW-2", self._at(step.node, "expand", step.item), open_now or not step.amount)
        for name, n in self.decided.cancels:
            until = book.commitments[name].cancellable_until_quarter
            inside("COM-1", self._at(n, "cancel", name), until is not None and book.tree.quarter(n) <= until)

    def _on_path(self, leaf: int, node: int) -> bool:
        return node in self.book.paths[leaf]

    def _conversion(self) -> None:
        book, court = self.book, self.court
        for leaf in self.leaves:
            begun: dict[tuple[str, str], float] = defaultdict(float)
            steps: dict[str, float] = defaultdict(float)
            plants: dict[tuple[str, str], float] = defaultdict(float)
            for s in self.decided.starts:
                begun[s.site, s.product] += s.modules if self._on_path(leaf, s.node) else 0.0
            for e in self.decided.expands:
                steps[e.item] += e.amount if self._on_path(leaf, e.node) else 0.0
            for c in self.decided.cools:
                plants[c.site, c.item] += c.amount if self._on_path(leaf, c.node) else 0.0
            for (site, product), count in begun.items():
                row = book.site_products.get((site, product))
                limit = row.max_modules if row else 0
                court.at_most("CNV-1", self._at(leaf, site, product), count, limit, _MODULES)
            for name, here in self.world.sites.of.items():
                if (book.sites[name].strategy or book.firm.strategy) == "mine":
                    court.at_most("STR-1", self._at(leaf, name), here.begun_mw[leaf], 0.0, Court.MW)
                limit_mw = book.sites[name].max_hpc_critical_mw
                court.at_most("CNV-2", self._at(leaf, name), here.begun_mw[leaf], limit_mw, Court.MW)
            for name, count in steps.items():
                court.at_most("POW-2", self._at(leaf, name), count, book.expansions[name].max_steps, _MODULES)
            for place, count in plants.items():
                court.at_most(
                    "COO-2", self._at(leaf, *place), count, book.cooling[place].max_modules, _MODULES
                )
            for commitment in book.commitments:
                times = sum(
                    1 for name, n in self.decided.cancels if name == commitment and self._on_path(leaf, n)
                )
                court.at_most("COM-1", self._at(leaf, commitment), times, 1, _MODULES)

    def _power_and_cooling(self) -> None:
        book, court = self.book, self.court
        for name, here in self.world.sites.of.items():
            site = book.sites[name]
            for n in book.tree.nodes:
                place = self._at(n, name)
                occupied = here.occupied_mw[n] + here.mining_mw[n]
                court.at_most("POW-1", place, occupied, here.energised_mw[n], Court.MW)
                court.at_most("POW-6", place, here.slack_mw[n], max(0.0, here.slack_room_mw[n]), Court.MW)
                if site.water_limit_m3_per_q is not None:
                    limit = site.water_limit_m3_per_q
                    court.at_most("COO-3", place, here.water_m3[n], limit, max(1.0, limit) * 1e-6)
        for (name, kind), row in book.cooling.items():
            here = self.world.sites.of[name]
            for n in book.tree.nodes:
                cooled, plant = here.cooled_mw[kind, n], here.plant_mw[kind, n]
                court.at_most("COO-1", self._at(n, name, kind), cooled, row.existing_mw + plant, Court.MW)

    def _room_at_the_leaves(self) -> None:
        """What is begun has power and plant, even if it goes live after the horizon."""
        book, court = self.book, self.court
        for leaf in self.leaves:
            for name, here in self.world.sites.of.items():
                power = book.power(name, book.tree.quarter(leaf))
                ours = self.world.sites.estate.ours(name, leaf)
                ready = power.energised_mw * ours if power is not None else 0.0
                for step in self.decided.expands:
                    if step.site == name and self._on_path(leaf, step.node):
                        ready += step.amount * book.expansions[step.item].step_mw
                court.at_most("POW-7", self._at(leaf, name), here.reserved_mw[leaf], ready, Court.MW)
            for (name, kind), row in book.cooling.items():
                mw = sum(
                    s.modules * m.mw
                    for s, m in self.world.sites.modules
                    if s.site == name and m.product.cooling == kind and self._on_path(leaf, s.node)
                )
                plant = row.existing_mw + row.module_mw * sum(
                    c.amount
                    for c in self.decided.cools
                    if (c.site, c.item) == (name, kind) and self._on_path(leaf, c.node)
                )
                court.at_most("COO-4", self._at(leaf, name, kind), mw, plant, Court.MW)

    def _equipment(self) -> None:
        """Equipment in time for all that is begun, and no more of it than makers deliver."""
        book, tree, sites = self.book, self.book.tree, self.world.sites
        for name, terms in book.equipment.items():
            orders = [x for x in self.decided.orders if x.item == name]
            for n in tree.nodes:
                in_time = sum(
                    x.amount
                    for x in orders
                    if x.node in book.paths[n] and tree.period[n] - tree.period[x.node] >= terms.ahead_q
                )
                needed, had = sites.needed_mw(name, n), terms.in_hand_mw + in_time
                self.court.at_most("EQP-1", self._at(n, name), needed, had, Court.MW)
            for leaf in self.leaves:
                ordered = sum(x.amount for x in orders if self._on_path(leaf, x.node))
                self.court.at_most("EQP-2", self._at(leaf, name), ordered, terms.max_mw, Court.MW)

    def _signed(self, contract: str, node: int, site: str | None = None) -> float:
        path = self.book.paths[node]
        return sum(
            s.amount
            for s in self.decided.signs
            if s.item == contract and s.node in path and (site is None or s.site == site)
        )

    def _offers(self) -> None:
        book, court = self.book, self.court
        offers = [c for c in book.portfolio.contracts if c.signable]
        for offer in offers:
            name = offer.contract
            begun = [(s, m) for s, m in self.world.sites.modules if s.contract == name]
            for site in {s.site for s, _ in begun}:
                for n in {s.node for s, _ in begun if s.site == site}:
                    path = book.paths[n]
                    mw = sum(s.modules * m.mw for s, m in begun if s.site == site and s.node in path)
                    limit = offer.max_mw * self._signed(name, n, site)
                    court.at_most("TEN-1", self._at(n, site, name), mw, limit, Court.MW)
            self._options(offer)
            deadline = offer.long_stop_quarter or offer.deadline_quarter
            for leaf in self.leaves:
                court.at_most("ALO-1", self._at(leaf, name), self._signed(name, leaf), 1.0, _MODULES)
                path = book.paths[leaf]
                end = book.ended(name, leaf)
                if end is not None and end.quarter <= (deadline or book.last_quarter):
                    continue  # who has gone asks for nothing
                for site in {s.site for s in self.decided.signs if s.item == name}:
                    live = sum(
                        s.modules * m.mw
                        for s, m in begun
                        if s.site == site
                        and s.node in path
                        and (deadline is None or deadline > book.last_quarter or m.live_from <= deadline)
                    )
                    least = offer.min_mw * self._signed(name, leaf, site)
                    court.at_least("TEN-2", self._at(leaf, site, name), live, least, Court.MW)
        for group in {c.exclusive_group for c in offers} - {None}:
            for leaf in self.leaves:
                count = sum(self._signed(c.contract, leaf) for c in offers if c.exclusive_group == group)
                court.at_most("ALO-2", self._at(leaf, str(group)), count, 1.0, _MODULES)

    def _options(self, option: Contract) -> None:
        """An option is exercised at a site whose own contract was signed there by then."""
        parent = self.book.contracts.get(option.option_of or "")
        if parent is None or not parent.signable:
            return
        for sign in self.decided.signs:
            if sign.item == option.contract:
                granted = self._signed(parent.contract, sign.node, sign.site)
                place = self._at(sign.node, sign.site, option.contract)
                self.court.at_most("TEN-3", place, sign.amount, granted, _MODULES)

    def _merchants(self) -> None:
        """Merchant capacity within the depth of its market."""
        for contract in self.book.portfolio.contracts:
            if contract.state == "merchant":
                for leaf in self.leaves:
                    mw = sum(
                        s.modules * m.mw
                        for s, m in self.world.sites.modules
                        if s.contract == contract.contract and self._on_path(leaf, s.node)
                    )
                    place = self._at(leaf, contract.contract)
                    self.court.at_most("ALO-6", place, mw, contract.max_mw, Court.MW)

    def _building(self) -> None:
        firm = self.book.firm
        for n in self.book.tree.nodes:
            cap = firm.building_cap_mw + firm.building_cap_growth_mw_per_q * self.book.tree.period[n]
            building = sum(here.building_mw[n] for here in self.world.sites.of.values())
            self.court.at_most("ALO-3", self._at(n), building, cap, Court.MW)

    def _bought(self, vintage: str, node: int) -> float:
        return sum(self.world.machines.mw(Quantity.BOUGHT_MW, s, vintage, node) for s in self.book.sites)

    def _purchases_and_pool(self) -> None:
        book, court, machines = self.book, self.court, self.world.machines
        for (name, n), pool in machines.pool.items():
            place, vintage = self._at(n, name), book.vintages[name]
            if not vintage.is_dead(book.tree.period[n]):
                court.at_least("ALO-4", place, pool, 0.0, Court.MW)
            bought = self._bought(name, n)
            limit = vintage.machine.max_buy_mw_per_q if vintage.is_new else 0.0
            court.at_most("ALO-5", place, bought, limit, Court.MW)
            if vintage.machine.max_move_mw_per_q is not None:
                moved = sum(machines.mw(Quantity.MOVED_IN_MW, s, name, n) for s in book.sites)
                court.at_most("ALO-7", place, moved, vintage.machine.max_move_mw_per_q, Court.MW)
            if vintage.is_new:
                stock = sum(machines.stock.get((s, name, n), 0.0) for s in book.sites)
                recent = sum(self._bought(name, m) for m in book.window(n, vintage.machine.life_q))
                court.at_most("MIN-3", place, stock, recent, Court.MW)

    def _sales(self) -> None:
        """Machines of a type sold for a price within what the market takes; scrap is no sale."""
        book, machines = self.book, self.world.machines
        for kind, machine in book.machines.items():
            if machine.max_sell_mw_per_q is None:
                continue
            held = [v for v in book.vintages.values() if v.machine.machine == kind]
            for n in book.tree.nodes:
                moment = book.moment(n)
                sold = sum(
                    machines.mw(Quantity.SOLD_MW, site, v.name, n)
                    for v in held
                    if resale_usd_m(book, v, moment) > 0.0
                    for site in book.sites
                )
                self.court.at_most("ALO-8", self._at(n, kind), sold, machine.max_sell_mw_per_q, Court.MW)

    def _machines(self) -> None:
        court, machines = self.court, self.world.machines
        for (site, vintage, n), stock in machines.stock.items():
            place = self._at(n, site, vintage)
            used = machines.mw(Quantity.ON_MW, site, vintage, n) + machines.mw(
                Quantity.SLACK_MW, site, vintage, n
            )
            court.at_least("MIN-1", place, stock, 0.0, Court.MW)
            if self.book.vintages[vintage].is_dead(self.book.tree.period[n]):
                court.at_most("MIN-1", place, stock, 0.0, Court.MW)
            court.at_most("MIN-2", place, used, stock, Court.MW)

    def _permissions(self) -> None:
        """Mining only where site and region allow it."""
        book = self.book
        for (quantity, name, vintage, n), mw in self.decided.mw.items():
            site, limit = book.sites[name], float("inf")
            if (
                not site.mining_allowed
                and quantity is not Quantity.SOLD_MW
                and quantity is not Quantity.MOVED_OUT_MW
            ):
                limit = 0.0
            arrives = quantity in (Quantity.BOUGHT_MW, Quantity.MOVED_IN_MW)
            if arrives and not book.regions[site.region].new_mining_allowed:
                limit = 0.0
            if limit == 0.0:
                self.court.at_most("MIN-2", self._at(n, name, vintage, quantity), mw, limit, Court.MW)


def _allows(words: tuple[str, ...], word: str) -> bool:
    """An empty list allows all."""
    return not words or word in words
