"""Hash machines as the statements carry them: at cost, depreciated over their life, by site."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from models.domain.ledger import Quantity
from models.params.mining import Vintage
from optimizer.plans.book_assets import Nodes
from optimizer.plans.reading import Array, Reading

ON_THE_MOVE = ""
"""Place of machines between two sites: the parent's."""
Cohorts = dict[int, float]
"""Cost by the period from which it is depreciated; -1: of what stood at the opening. [$M]"""


@dataclass
class Machines:
    """By entity: carrying amount, and what changes it. Balances by node, the opening last. [$M]"""

    carried: dict[str, Array] = field(default_factory=dict)
    depreciation: dict[str, Array] = field(default_factory=dict)
    gone: dict[str, Array] = field(default_factory=dict)
    """Carrying amount of what is sold."""
    moved: dict[str, Array] = field(default_factory=dict)
    """Carrying amount that comes from other entities, less what goes to them."""


@dataclass
class _Holding:
    """Machines of a vintage at one place at one node."""

    mw: float = 0.0
    cost: Cohorts = field(default_factory=dict)

    def taken(self, mw: float) -> Cohorts:
        """An average of them leaves."""
        part = min(1.0, mw / self.mw) if self.mw > 0.0 else 0.0
        out = {since: part * cost for since, cost in self.cost.items()}
        self.mw = max(0.0, self.mw - mw)
        self.cost = {since: (1.0 - part) * cost for since, cost in self.cost.items()}
        return out

    def put(self, mw: float, cost: Cohorts) -> None:
        """More of them come."""
        self.mw += mw
        for since, usd_m in cost.items():
            self.cost[since] = self.cost.get(since, 0.0) + usd_m

    def copy(self) -> "_Holding":
        """As it stands."""
        return _Holding(self.mw, dict(self.cost))


class _Roll:
    """One vintage rolled over the tree."""

    def __init__(self, r: Reading, vintage: Vintage, found: Machines) -> None:
        self.reading, self.vintage, self.found, self.at = r, vintage, found, Nodes(r)
        portfolio = r.program.params.portfolio
        self.owner = {s.site: s.entity for s in portfolio.sites}
        self.owner[ON_THE_MOVE] = portfolio.parent.entity
        self.moves: dict[tuple[Quantity, int], list[tuple[str, float]]] = defaultdict(list)
        for quantity in (Quantity.BOUGHT_MW, Quantity.SOLD_MW, Quantity.MOVED_IN_MW, Quantity.MOVED_OUT_MW):
            for d, v in r.by_quantity[quantity]:
                if d.item == vintage.name:
                    self.moves[quantity, d.node].append((d.site, v))

    def net(self, cohorts: Cohorts, period: int) -> float:
        """Carrying amount at the end of a period. [$M]"""
        life, age = self.vintage.machine.life_q, self.vintage.age_q
        total = 0.0
        for since, cost in cohorts.items():
            lasts, first = (max(1, life - age), 0) if since < 0 else (life, since)
            total += cost * min(1.0, max(0.0, 1.0 - (period - first + 1) / lasts))
        return total

    def run(self) -> None:
        """Post it."""
        v, tree, found = self.vintage, self.at.tree, self.found
        opening = {
            site: _Holding(mw, {-1: mw * float(v.resale_usd_m_per_mw[0])})
            for site, mw in v.opening_mw.items()
        }
        after: dict[int, dict[str, _Holding]] = {-1: opening}
        self._show(-1, -1, opening)
        for n in tree.nodes:
            held = {place: x.copy() for place, x in after[tree.parent[n]].items()}
            self._quarter(n, held)
            after[n] = held
            self._show(n, tree.period[n], held)
            before = tree.period[n] - 1
            for place, x in held.items():
                worn = self.net(x.cost, before) - self.net(x.cost, tree.period[n])
                self._flow(found.depreciation, place, n, worn)

    def _quarter(self, n: int, held: dict[str, _Holding]) -> None:
        """Bought and moved in, then moved out and sold, all at the start of the quarter."""
        found, before = self.found, self.at.tree.period[n] - 1
        at = self.reading.program.params.mining

        def place(site: str) -> _Holding:
            return held.setdefault(site, _Holding())

        for site, mw in self.moves[Quantity.BOUGHT_MW, n]:
            price = float(at[self.vintage.name, site].purchase_usd_m_per_mw[n])
            place(site).put(mw, {before + 1: mw * price})
        arrived = sum(mw for _, mw in self.moves[Quantity.MOVED_IN_MW, n])
        out = place(ON_THE_MOVE).taken(arrived)
        for site, mw in self.moves[Quantity.MOVED_IN_MW, n]:
            part = {since: cost * mw / arrived for since, cost in out.items()}
            place(site).put(mw, part)
            self._transfer(ON_THE_MOVE, site, n, self.net(part, before))
        left, moved = _Holding(), self.moves[Quantity.MOVED_OUT_MW, n]
        for (site, mw), is_sold in [
            *((x, False) for x in moved),
            *((x, True) for x in self.moves[Quantity.SOLD_MW, n]),
        ]:
            taken = place(site).taken(mw)
            if is_sold:
                self._flow(found.gone, site, n, self.net(taken, before))
            else:
                left.put(mw, taken)
                self._transfer(site, ON_THE_MOVE, n, self.net(taken, before))
        place(ON_THE_MOVE).put(left.mw, left.cost)

    def _transfer(self, out_of: str, into: str, n: int, usd_m: float) -> None:
        if self.owner[out_of] != self.owner[into]:
            self._flow(self.found.moved, out_of, n, -usd_m)
            self._flow(self.found.moved, into, n, usd_m)

    def _flow(self, into: dict[str, Array], place: str, n: int, usd_m: float) -> None:
        into.setdefault(self.owner[place], np.zeros(self.at.size))[n] += usd_m

    def _show(self, n: int, period: int, held: dict[str, _Holding]) -> None:
        for place, x in held.items():
            total = self.found.carried.setdefault(self.owner[place], self.at.zero())
            total[n] += self.net(x.cost, period)


def machines(r: Reading) -> Machines:
    """All vintages."""
    found = Machines()
    for vintage in r.program.params.vintages:
        _Roll(r, vintage, found).run()
    return found
