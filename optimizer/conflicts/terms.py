"""Inputs that shape whole streams of money: each is tried by solving the portfolio with it changed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from models.domain.finance import CreditClass
from models.domain.portfolio import Portfolio
from models.domain.product import Product
from optimizer.conflicts.elastic import Cell, Change, key_of, prices, quarters, text_of

MOST_LTC = 0.95
LEAST_DSCR = 1.0
STEP = 0.05
ON_MONEY = frozenset(
    {"floor", "opening_cash", "covenant", "programme", "authorised", "instrument", "coins", "maturity"}
)
"""Families in whose conflicts lenders' terms may help."""


@dataclass(frozen=True)
class Term:
    """Such an input, and what it may become, from the least change on."""

    cell: Cell
    says: str
    levels: tuple[float, ...]
    was: float
    usd_m_per_unit: float
    told: str

    def change(self, level: float) -> Change:
        """The cell at a level."""
        return Change(self.cell, text_of(self.was), f"{level:.9g}")

    def usd_m(self, level: float) -> float:
        """Price of a level. [$M]"""
        return self.usd_m_per_unit * abs(level - self.was)


def terms(p: Portfolio, families: set[str], served_by: Sequence[str]) -> Iterator[Term]:
    """What may help in a conflict of some families: how fast the quickest product is built, how much is lent.

    ``served_by`` are the products that serve what is to be signed.
    """
    if "deadline" in families:
        products = [x for x in p.products if x.product in served_by]
        yield from (_lead(x) for x in sorted(products, key=lambda x: x.lead_q)[:1] if x.lead_q > 1)
    if families & ON_MONEY:
        used = {c.credit_class for c in p.contracts if c.state != "committed"}
        for lender in p.credit_classes:
            if lender.credit_class in used:
                yield from _loan(lender)


def _lead(x: Product) -> Term:
    return Term(
        Cell(x.table, key_of(x), "lead_q"),
        f"{x.product} takes {quarters(x.lead_q)} to build",
        tuple(float(q) for q in range(x.lead_q - 1, 0, -1)),
        float(x.lead_q),
        prices()["product_lead"],
        f"build {x.product} within {{:g}} of its {quarters(x.lead_q)}",
    )


def _loan(x: CreditClass) -> Iterator[Term]:
    name, steps = x.credit_class, range(1, 40)
    more = tuple(v for v in (round(x.ltc_max_frac + STEP * k, 6) for k in steps) if v <= MOST_LTC)
    less = tuple(v for v in (round(x.dscr_min - STEP * k, 6) for k in steps) if v >= LEAST_DSCR)
    if more:
        cell = Cell(x.table, key_of(x), "ltc_max_frac")
        says = f"lenders of class {name} lend {x.ltc_max_frac:.3g} of cost at most"
        told = f"find lenders of class {name} who lend {{:.3g}} of cost"
        yield Term(cell, says, more, x.ltc_max_frac, 100.0 * prices()["lender_ltc"], told)
    if less:
        cell = Cell(x.table, key_of(x), "dscr_min")
        says = f"lenders of class {name} ask for a DSCR of {x.dscr_min:g}"
        told = f"find lenders of class {name} who are content with a DSCR of {{:.3g}}"
        yield Term(cell, says, less, x.dscr_min, 100.0 * prices()["lender_dscr"], told)


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
