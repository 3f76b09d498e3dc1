"""Hash machines by site and vintage, and the pool of those that are on the move."""

from dataclasses import dataclass, field

from models.domain.ledger import Quantity
from optimizer.audit.book import Book, Vintage
from optimizer.audit.decisions import Decisions
from optimizer.audit.power import Hashing, hash_one_mw


@dataclass
class Machines:
    """Stocks at each node. [MW at the machine]"""

    book: Book
    decided: Decisions
    stock: dict[tuple[str, str, int], float] = field(default_factory=dict)
    """By site, vintage, node; those of machines that have come to their end are to be sold by then."""
    pool: dict[tuple[str, int], float] = field(default_factory=dict)
    """By vintage, node."""
    _hashing: dict[tuple[str, str, int], Hashing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        used = {(site, vintage) for _, site, vintage, _ in self.decided.mw}
        used |= {(f.site, f.fleet) for f in self.book.portfolio.fleets}
        self.places = tuple(sorted(used))
        for site, name in self.places:
            self._roll_stock(site, self.book.vintages[name])
        for name in sorted({vintage for _, vintage in self.places}):
            self._roll_pool(self.book.vintages[name])

    def mw(self, quantity: Quantity, site: str, vintage: str, node: int) -> float:
        """A decision on machines; 0 where there is none. [MW]"""
        return self.decided.mw.get((quantity, site, vintage, node), 0.0)

    def hashing(self, site: str, vintage: str, node: int) -> Hashing:
        """One MW of a vintage at a site and node."""
        key = (site, vintage, node)
        if key not in self._hashing:
            moment = self.book.moment(node)
            self._hashing[key] = hash_one_mw(self.book, site, self.book.vintages[vintage], moment)
        return self._hashing[key]

    def _roll_stock(self, site: str, vintage: Vintage) -> None:
        fleet = self.book.fleets.get(vintage.name)
        opening = fleet.mw if fleet is not None and fleet.site == site else 0.0
        for n in self.book.tree.nodes:
            before = self.stock[site, vintage.name, self.book.tree.parent[n]] if n else opening
            change = (
                self.mw(Quantity.BOUGHT_MW, site, vintage.name, n)
                + self.mw(Quantity.MOVED_IN_MW, site, vintage.name, n)
                - self.mw(Quantity.MOVED_OUT_MW, site, vintage.name, n)
                - self.mw(Quantity.SOLD_MW, site, vintage.name, n)
            )
            self.stock[site, vintage.name, n] = before + change

    def _roll_pool(self, vintage: Vintage) -> None:
        sites = [site for site, name in self.places if name == vintage.name]
        for n in self.book.tree.nodes:
            path, lag = self.book.paths[n], vintage.machine.move_q
            before = self.pool[vintage.name, self.book.tree.parent[n]] if n else 0.0
            arrived = left = 0.0
            for site in sites:
                left += self.mw(Quantity.MOVED_IN_MW, site, vintage.name, n)
                if len(path) > lag:
                    arrived += self.mw(Quantity.MOVED_OUT_MW, site, vintage.name, path[-1 - lag])
            self.pool[vintage.name, n] = before + arrived - left
