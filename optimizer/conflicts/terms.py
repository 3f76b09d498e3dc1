"""Terms of project lenders: they size loans, so each is tried by solving the portfolio with it changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from models.domain.finance import CreditClass
from models.domain.portfolio import Portfolio
from optimizer.conflicts.elastic import Cell, Change, key_of, prices, text_of

MOST_LTC = 0.95
LEAST_DSCR = 1.0
STEP = 0.05


@dataclass(frozen=True)
class Term:
    """A term of lenders, and what it may become, from the least change on."""

    cell: Cell
    says: str
    levels: tuple[float, ...]
    was: float
    usd_m_per_hundredth: float
    told: str

    def change(self, level: float) -> Change:
        """The cell at a level."""
        return Change(self.cell, text_of(self.was), f"{level:.9g}")

    def usd_m(self, level: float) -> float:
        """Price of a level. [$M]"""
        return self.usd_m_per_hundredth * abs(level - self.was) * 100.0


def terms(p: Portfolio) -> Iterator[Term]:
    """Loan-to-cost and coverage of every class that lends on what can be signed or built."""
    used = {c.credit_class for c in p.contracts if c.state != "committed"}
    for x in p.credit_classes:
        if x.credit_class in used:
            yield from _of(x)


def _of(x: CreditClass) -> Iterator[Term]:
    name = x.credit_class
    steps = range(1, 40)
    more = tuple(v for v in (round(x.ltc_max_frac + STEP * k, 6) for k in steps) if v <= MOST_LTC)
    less = tuple(v for v in (round(x.dscr_min - STEP * k, 6) for k in steps) if v >= LEAST_DSCR)
    if more:
        cell = Cell(x.table, key_of(x), "ltc_max_frac")
        says = f"lenders of class {name} lend {x.ltc_max_frac:.3g} of cost at most"
        told = f"find lenders of class {name} who lend {{:.3g}} of cost"
        yield Term(cell, says, more, x.ltc_max_frac, prices()["lender_ltc"], told)
    if less:
        cell = Cell(x.table, key_of(x), "dscr_min")
        says = f"lenders of class {name} ask for a DSCR of {x.dscr_min:g}"
        told = f"find lenders of class {name} who are content with a DSCR of {{:.3g}}"
        yield Term(cell, says, less, x.dscr_min, prices()["lender_dscr"], told)


def least(term: Term, solves: Callable[[Change], bool]) -> float | None:
    """The smallest change of a term that alone mends the portfolio; None where the largest does not."""
    if not solves(term.change(term.levels[-1])):
        return None
    low, high = 0, len(term.levels) - 1
    while low < high:
        middle = (low + high) // 2
        if solves(term.change(term.levels[middle])):
            high = middle
        else:
            low = middle + 1
    return term.levels[low]
