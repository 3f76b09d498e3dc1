"""The cash book: every movement by entity, node and line, and the balances that follow."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from models.domain.ledger import SPEND_LINES, CashLine
from optimizer.audit.book import Book

"""What others put towards spend."""


class Ledger:
    """Movements of cash, inflows positive. [$M]"""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.lines: dict[tuple[str, int, CashLine], float] = defaultdict(float)
        self.at_site: dict[tuple[str, int, CashLine], float] = defaultdict(float)
        self.cash: dict[tuple[str, int], float] = {}

    def post(self, entity: str, node: int, line: CashLine, amount: float) -> None:
        """Book a movement."""
        self.lines[entity, node, line] += amount

    def post_site(self, site: str, node: int, line: CashLine, amount: float) -> None:
        """Book a movement of a site at the entity that owns it."""
        self.at_site[site, node, line] += amount
        self.post(self.book.sites[site].entity, node, line, amount)

    def total(self, node: int, lines: Iterable[CashLine], entities: Iterable[str] | None = None) -> float:
        """Sum of lines at a node. [$M]"""
        names = tuple(entities) if entities is not None else (self.book.parent, *self.book.borrowers)
        return sum(self.lines.get((e, node, line), 0.0) for e in names for line in lines)

    def part(self, node: int, lines: Iterable[CashLine], weights: Mapping[str, float]) -> float:
        """Sum of lines at a node over entities, each times its weight. [$M]"""
        chosen = tuple(lines)
        return sum(w * self.total(node, chosen, (e,)) for e, w in weights.items() if w)

    def entity_total(self, entity: str, node: int) -> float:
        """All movements of an entity at a node. [$M]"""
        return self.total(node, CashLine, (entity,))

    def site_spend(self, site: str, node: int) -> float:
        """Capital spending of a site in cash. [$M]"""
        return -sum(self.at_site.get((site, node, line), 0.0) for line in SPEND_LINES)

    def roll_block(self, entity: str) -> None:
        """Cash of a block at the end of each quarter."""
        owned = self.book.entities[entity]
        for n in self.book.tree.nodes:
            before = self.cash[entity, self.book.tree.parent[n]] if n else owned.unrestricted_cash_usd_m
            if owned.kind == "listed":
                rate = self.book.rows[n].base_rate_frac - self.book.firm.cash_yield_spread_frac
                self.post(entity, n, CashLine.INTEREST_INCOME, max(0.0, rate) / 4.0 * before)
            self.cash[entity, n] = before + self.entity_total(entity, n)

    def block_cash(self, node: int) -> float:
        """Cash of all blocks. [$M]"""
        return sum(self.cash[e, node] for e in self.book.borrowers)

    def company_cash(self, node: int) -> float:
        """Cash of the treasury. [$M]"""
        return self.cash[self.book.parent, node]
