"""The books of a borrower as the company counts them: each figure times its part."""

from collections.abc import Iterable
from dataclasses import dataclass

from models.blocks.books import Books, Decision, Tally
from models.blocks.linear import Linear, total
from models.domain.ledger import CashLine, ValueLine


@dataclass(frozen=True, eq=False)
class PartOf:
    """A part of what some books say; nothing at all where the part is nil."""

    books: Books
    frac: float

    def _part(self, whole: Linear) -> Linear:
        return whole if self.frac == 1.0 else whole * self.frac if self.frac else Linear()

    @property
    def decisions(self) -> list[Decision]:
        """All decisions of the books."""
        return self.books.decisions

    def cash_at(self, n: int, lines: Iterable[CashLine] | None = None) -> Linear:
        """Part of the lines (all of them by default) at a node. [$M]"""
        return self._part(self.books.cash_at(n, lines))

    def tally_at(self, what: Tally, n: int, site: str | None = None) -> Linear:
        """Part of a tally at a node, of all sites or of one."""
        books = self.books
        return self._part(books.site_tally_at(site, what, n) if site else books.tally_at(what, n))

    def worth_at(self, leaf: int, without: Iterable[ValueLine] = ()) -> Linear:
        """Part of the value at a leaf, some lines left out. [$M]"""
        skipped = set(without)
        kept = (x for line, x in self.books.value.items() if line not in skipped and leaf in x)
        return self._part(total(x[leaf] for x in kept))
