"""Every rule on sites bought and sold, checked again."""

from collections import defaultdict

from models.domain.ledger import Quantity
from optimizer.audit.court import Court
from optimizer.audit.world import World

_WHOLE = 1e-6


class SiteRules:
    """Rules SIT."""

    def __init__(self, world: World, court: Court) -> None:
        self.world, self.court = world, court
        self.book, self.estate = world.book, world.sites.estate

    def check(self) -> None:
        """Take every check."""
        for name in self.book.sites:
            self._trades(name)
            if self._is_traded(name):
                self._begun_where_ours(name)
                self._machines_where_ours(name)
        self._halls_sold()

    def _at(self, node: int, *names: str) -> str:
        return "|".join((*names, self.book.tree.label(node)))

    def _is_traded(self, name: str) -> bool:
        row = self.book.sites[name]
        return row.state in ("candidate", "pending") or row.sale_usd_m_per_mw is not None

    def _trades(self, name: str) -> None:
        """Bought or sold once, where and while it may be."""
        row, tree = self.book.sites[name], self.book.tree
        for leaf in tree.leaves:
            path = self.book.paths[leaf]
            bought = self.estate.times(Quantity.BUY_SITE, name, path)
            sold = self.estate.times(Quantity.SELL_SITE, name, path)
            self.court.at_most("SIT-1", self._at(leaf, name), bought, float(row.state == "candidate"), _WHOLE)
            for_sale = float(row.sale_usd_m_per_mw is not None)
            self.court.at_most("SIT-2", self._at(leaf, name), sold, for_sale, _WHOLE)
        for (quantity, site, n), times in self.world.decided.traded.items():
            if site == name and times:
                by, is_sale = row.purchase_by_quarter, quantity is Quantity.SELL_SITE
                in_time = bool(tree.children[n]) if is_sale else by is not None and tree.quarter(n) <= by
                place = self._at(n, quantity, name)
                check = "SIT-2" if is_sale else "SIT-1"
                self.court.require(check, "decisions", place, "node", in_time, "within its window", "outside")

    def _halls_sold(self) -> None:
        """Let halls are sold once, where they are offered, and what is financed or leased is not."""
        decided, tree = self.world.decided, self.book.tree
        for x in self.world.sites.sold:
            y = x.decided
            check, place = "SIT-6" if y.begun < 0 else "SIT-5", self._at(y.node, y.site, y.item, y.contract)
            offered = x.is_offered(self.world.money) or y.count <= _WHOLE
            self.court.require(check, "decisions", place, "node", offered, "halls that are offered", "not")
        for cohort in {(y.site, y.item, y.contract, y.begun) for y in decided.sold if y.begun >= 0}:
            for leaf in tree.leaves_below(cohort[3]):
                self._sold_once(cohort, leaf)
        for item in {y.item for y in decided.sold if y.begun < 0}:
            for leaf in tree.leaves:
                path = self.book.paths[leaf]
                sold = sum(y.count for y in decided.sold if y.begun < 0 and y.item == item and y.node in path)
                gone = any(name == item and n in path for name, n in decided.cancels)
                self.court.at_most("SIT-6", self._at(leaf, item), sold, 1.0 - gone, _WHOLE)

    def _sold_once(self, cohort: tuple[str, str, str, int], leaf: int) -> None:
        decided, path = self.world.decided, self.book.paths[leaf]
        used = sum(
            y.count
            for y in decided.sold
            if (y.site, y.item, y.contract, y.begun) == cohort and y.node in path
        )
        used += sum(
            f.modules
            for f in decided.financed
            if (f.site, f.product, f.contract, f.begun) == cohort and f.closed in path
        )
        used += sum(f.modules for f in decided.leased if (f.site, f.product, f.contract, f.begun) == cohort)
        begun = sum(s.modules for s in decided.starts if (s.site, s.product, s.contract, s.node) == cohort)
        place = self._at(leaf, *cohort[:3], self.book.tree.label(cohort[3]))
        self.court.at_most("SIT-5", place, used, begun, _WHOLE)

    def _counts(self, name: str) -> dict[str, list[tuple[int, float]]]:
        """What was begun or signed at a site, by kind, with its nodes."""
        decided = self.world.decided
        found: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for start, module in self.world.sites.modules:
            if start.site == name:
                found["modules"].append((start.node, start.modules * module.mw))
        steps = (("sign", decided.signs), ("expand", decided.expands), ("cool", decided.cools))
        for what, placed in (*steps, ("order", decided.orders)):
            for p in placed:
                if p.site == name and p.amount:
                    found[f"{what} {p.item}"].append((p.node, p.amount))
        return found

    def _begun_where_ours(self, name: str) -> None:
        """Nothing on a path before the site is ours, nor where it is ever sold."""
        for what, counts in self._counts(name).items():
            for n, amount in counts:
                ours = self.estate.ours(name, n)
                self.court.at_most("SIT-3", self._at(n, name, what), amount * (1.0 - ours), 0.0, _WHOLE)
                for leaf in self.book.tree.leaves_below(n):
                    sold = self.estate.times(Quantity.SELL_SITE, name, self.book.paths[leaf])
                    self.court.at_most("SIT-3", self._at(leaf, name, what), amount * sold, 0.0, _WHOLE)

    def _machines_where_ours(self, name: str) -> None:
        """None stands there while it is not ours; then no more than opened or than power may carry."""
        book, machines = self.book, self.world.machines
        steps = sum(e.step_mw * e.max_steps for e in book.expansions.values() if e.site == name)
        power = [book.power(name, book.tree.quarter(n)) for n in book.tree.nodes]
        carried = max((p.energised_mw for p in power if p is not None), default=0.0) + steps
        opening = sum(
            f.mw * book.machines[f.machine].overhead_frac for f in book.portfolio.fleets if f.site == name
        )
        for n in book.tree.nodes:
            stands = sum(
                machines.stock[site, v, n] * book.vintages[v].machine.overhead_frac
                for site, v in machines.places
                if site == name
            )
            most = max(opening, carried) * self.estate.ours(name, n)
            self.court.at_most("SIT-4", self._at(n, name), stands, most, Court.MW)
