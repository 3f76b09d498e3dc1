"""What is built and bought, as the statements carry it: under construction, in use, owed to vendors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from models.params.power import on_nodes
from optimizer.plans.reading import Array, Reading


@dataclass(frozen=True)
class Part:
    """Some of an asset: what it cost, the period in which it goes live, and its life; None: no end. [$M]"""

    cost_usd_m: float
    live: int
    life_q: int | None


@dataclass(frozen=True, eq=False)
class Asset:
    """An asset of an entity. Balances by node, the opening last; flows by node. [$M]"""

    entity: str
    incurred: Array
    """Recognised to date, paid or not."""
    payable: Array
    """Of it, not yet paid."""
    live: Array
    """Of it, in use."""
    written: Array
    """Depreciated to date."""
    depreciation: Array
    gone: Array
    """Carrying amount that leaves the books in the quarter."""

    @property
    def construction(self) -> Array:
        """Not yet in use."""
        return self.incurred - self.live

    @property
    def in_use(self) -> Array:
        """In use, less depreciation."""
        return self.live - self.written

    @property
    def net(self) -> Array:
        """Carrying amount less what is owed for it."""
        return self.incurred - self.written - self.payable


class Nodes:
    """Balances by node with the opening last, so that the parent of the root finds it."""

    def __init__(self, r: Reading) -> None:
        self.reading, self.tree = r, r.program.params.tree
        self.parent = list(self.tree.parent)
        self.period = np.array([*self.tree.period, -1])
        self.size = len(self.tree.nodes)
        self.lives: dict[str, int] = {x.asset: x.life_q for x in r.program.params.portfolio.book_lives}

    def zero(self) -> Array:
        """No balance."""
        return np.zeros(self.size + 1)

    def before(self, balance: Array) -> Array:
        """The balance before each node's quarter."""
        return balance[self.parent]

    def summed(self, flows: Array, opening: float = 0.0) -> Array:
        """The balance that flows leave along each path."""
        balance = self.zero()
        balance[-1] = opening
        for n in self.tree.nodes:
            balance[n] = balance[self.parent[n]] + flows[n]
        return balance

    def since(self, n: int) -> Array:
        """1 at a node and all below it."""
        return np.append(self.reading.program.params.outlook.below[n], 0.0)

    def live(self, parts: Iterable[Part], held: Array) -> Array:
        """Cost in use."""
        return held * sum((p.cost_usd_m * (self.period >= p.live) for p in parts), self.zero())

    def written(self, parts: Iterable[Part], held: Array) -> Array:
        """Depreciated to date, in equal parts from the quarter of going live."""
        aged = (
            p.cost_usd_m * np.clip((self.period - p.live + 1) / p.life_q, 0.0, 1.0)
            for p in parts
            if p.life_q is not None
        )
        return held * sum(aged, self.zero())

    def asset(
        self, entity: str, incurred: Array, payable: Array, parts: Sequence[Part], held: Array
    ) -> Asset:
        """An asset that is on the books where ``held`` is 1."""
        live, written = self.live(parts, held), self.written(parts, held)
        incurred, payable = incurred * held, payable * held
        stays = held[: self.size]
        lost = self.before(held) * (1.0 - stays)
        net = incurred - written - payable
        return Asset(
            entity,
            incurred,
            payable,
            live,
            written,
            depreciation=(written[: self.size] - self.before(written)) * stays,
            gone=self.before(net) * lost,
        )

    def bought(self, entity: str, n: int, cost_usd_m: float, live: int, kind: str) -> Asset:
        """Something paid for at a node."""
        held = self.since(n)
        return self.asset(
            entity, cost_usd_m * held, self.zero(), [Part(cost_usd_m, live, self.lives.get(kind))], held
        )

    def paid_over(self, entity: str, n: int, by_age: Array, live_after_q: int, kind: str) -> Asset:
        """Something decided at a node and paid as it is built."""
        spend, _ = on_nodes(self.reading.program.params.outlook, n, by_age)
        live = self.tree.period[n] + live_after_q
        parts = [Part(float(by_age.sum()), live, self.lives.get(kind))]
        return self.asset(entity, self.summed(spend), self.zero(), parts, self.since(n))

    def sold(self, asset: Asset, frac: float, n: int) -> Asset:
        """What comes off an asset of which a part is sold at the end of a node's quarter."""
        held = self.since(n)
        later = held[: self.size].copy()
        later[n] = 0.0
        taken = frac * held
        gone = np.zeros(self.size)
        gone[n] = frac * asset.net[n]
        return Asset(
            asset.entity,
            -taken * asset.incurred,
            -taken * asset.payable,
            -taken * asset.live,
            -taken * asset.written,
            depreciation=-frac * later * asset.depreciation,
            gone=gone,
        )
