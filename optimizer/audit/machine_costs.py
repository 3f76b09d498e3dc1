"""What the auditor finds on the books for hash machines: megawatts by the quarter of their purchase."""

from collections import defaultdict
from copy import deepcopy

from models.domain.ledger import Quantity
from optimizer.audit.book import Vintage
from optimizer.audit.power import new_price_usd_m, resale_usd_m
from optimizer.audit.world import World

Lots = dict[tuple[int, float], float]
"""MW by period of purchase (-1: before the plan) and cost per MW."""


class MachineCosts:
    """Carrying amounts by entity and node, -1 the opening; machines on the move are the parent's. [$M]"""

    def __init__(self, world: World) -> None:
        self.world, self.book = world, world.book
        self.carried: dict[tuple[str, int], float] = defaultdict(float)
        self.wear: dict[tuple[str, int], float] = defaultdict(float)
        self.sold: dict[tuple[str, int], float] = defaultdict(float)
        self.moved: dict[tuple[str, int], float] = defaultdict(float)
        """Into an entity, less out of it."""
        for name in sorted({vintage for _, vintage in world.machines.places}):
            self._roll(self.book.vintages[name])

    def _left(self, vintage: Vintage, lots: Lots, period: int) -> float:
        """Not yet depreciated at the end of a period."""
        life, found = vintage.machine.life_q, 0.0
        for (bought, price), mw in lots.items():
            all_q = life if bought >= 0 else max(1, life - vintage.age_q)
            gone_q = min(all_q, period - max(0, bought) + 1)
            found += mw * price * (all_q - max(0, gone_q)) / all_q
        return found

    def _roll(self, vintage: Vintage) -> None:
        book, name = self.book, vintage.name
        sites = [site for site, held in self.world.machines.places if held == name]
        fleet = book.fleets.get(name)
        opening: dict[str, Lots] = {site: {} for site in [*sites, ""]}
        if fleet is not None:
            price = resale_usd_m(book, vintage, book.moment(0))
            opening[fleet.site][-1, price] = fleet.mw
        states = {-1: opening}
        self._book(vintage, -1, -1, opening)
        for n in book.tree.nodes:
            state = deepcopy(states[book.tree.parent[n]])
            self._quarter(vintage, n, state, sites)
            states[n] = state
            self._book(vintage, n, book.tree.period[n], state)

    def _owner(self, site: str) -> str:
        return self.book.sites[site].entity if site else self.book.parent

    def _book(self, vintage: Vintage, n: int, period: int, state: dict[str, Lots]) -> None:
        for site, lots in state.items():
            left = self._left(vintage, lots, period)
            self.carried[self._owner(site), n] += left
            if n >= 0:
                self.wear[self._owner(site), n] += self._left(vintage, lots, period - 1) - left

    def _quarter(self, vintage: Vintage, n: int, state: dict[str, Lots], sites: list[str]) -> None:
        """Purchases and arrivals first; then what leaves is an average of all that is there."""
        period, mw = self.book.tree.period[n], self.world.machines.mw
        moment = self.book.moment(n)
        for site in sites:
            bought = mw(Quantity.BOUGHT_MW, site, vintage.name, n)
            if bought:
                pays = self.book.regions[self.book.sites[site].region].asic_tariff_applies
                tariff = moment.market.asic_tariff_frac if pays else 0.0
                price = new_price_usd_m(vintage, moment) * (1.0 + tariff)
                state[site][period, price] = state[site].get((period, price), 0.0) + bought
        going = {s: mw(Quantity.MOVED_IN_MW, s, vintage.name, n) for s in sites}
        arriving = _average(state[""], sum(going.values()))
        for site, amount in going.items():
            if amount:
                self._move(vintage, n, "", site, _scaled(arriving, amount / sum(going.values())), state)
        out: list[tuple[str, Lots]] = []
        for site in sites:
            here = dict(state[site])
            for quantity in (Quantity.MOVED_OUT_MW, Quantity.SOLD_MW):
                amount = mw(quantity, site, vintage.name, n)
                lots = _average(here, amount)
                if not amount:
                    continue
                if quantity is Quantity.SOLD_MW:
                    self.sold[self._owner(site), n] += self._left(vintage, lots, period - 1)
                    _take(state[site], lots)
                else:
                    out.append((site, lots))
        for site, lots in out:
            self._move(vintage, n, site, "", lots, state)

    def _move(
        self, vintage: Vintage, n: int, out_of: str, into: str, lots: Lots, state: dict[str, Lots]
    ) -> None:
        _take(state[out_of], lots)
        for key, amount in lots.items():
            state[into][key] = state[into].get(key, 0.0) + amount
        giver, taker = self._owner(out_of), self._owner(into)
        if giver != taker:
            worth = self._left(vintage, lots, self.book.tree.period[n] - 1)
            self.moved[giver, n] -= worth
            self.moved[taker, n] += worth


def _average(lots: Lots, mw: float) -> Lots:
    """So many MW of all that is there, in proportion."""
    there = sum(lots.values())
    return _scaled(lots, min(1.0, mw / there) if there > 0.0 else 0.0)


def _scaled(lots: Lots, part: float) -> Lots:
    return {key: part * mw for key, mw in lots.items()}


def _take(lots: Lots, gone: Lots) -> None:
    for key, mw in gone.items():
        lots[key] -= mw
