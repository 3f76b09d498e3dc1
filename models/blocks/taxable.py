"""What one entity earns for its tax group by quarter, and what its leaf is worth after tax."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, equal, term
from models.domain.ledger import (
    EBITDA_LINES,
    INTEREST_EARNED_LINES,
    TAXABLE_LINES,
    TAXED_VALUE_LINES,
    ValueLine,
)
from models.params.params import Params

IN_TENTHS = 10.0
"""Rows are in $0.1M, like a borrower's cash: margins of machines come near to nothing."""


@dataclass(frozen=True, eq=False)
class TaxablePorts:
    """Taxable income of an entity by node, and what its tax group's interest cap takes back. [$M]"""

    tax_group: str
    income: Sequence[Linear]
    above_cap: Sequence[Linear]
    """Net interest less its cap, negative below it; empty without a cap."""

    def part(self, frac: float) -> "TaxablePorts":
        """A part of it."""
        income, above_cap = ([x * frac for x in y] for y in (self.income, self.above_cap))
        return TaxablePorts(self.tax_group, income, above_cap)


def add_taxable(b: pyo.Block, p: Params, entity: str, books: Books) -> TaxablePorts | None:
    """Taxable income, once all cash and value is posted; None without taxes. Maths: section 11, TAX-1."""
    group = p.taxes.of_entity.get(entity)
    if group is None:
        return None
    _post_written_off(p, entity, group.rate_frac, books)
    for line in TAXED_VALUE_LINES:
        for leaf, worth in books.value.get(line, {}).items():
            books.worth_at(ValueLine.TAX_LATER, leaf, worth * -group.rate_frac)
    for leaf in p.tree.leaves:
        basis = books.tally_at(Tally.COIN_BASIS, leaf)
        books.worth_at(ValueLine.TAX_LATER, leaf, basis * group.rate_frac)
    nodes, limit = list(p.tree.nodes), group.interest_cap_frac_of_ebitda
    capped, cap_frac = ([], 0.0) if limit is None else (nodes, limit)
    b.income = pyo.Var(nodes, doc="taxable income of a quarter, all interest deducted [$M]")
    b.above_cap = pyo.Var(capped, doc="net interest of a quarter less its cap [$M]")

    @b.Constraint(nodes, doc="TAX-1 taxable income of an entity in a quarter [$0.1M]")
    def income_of_quarter(b, n):
        earned = books.cash_at(n, TAXABLE_LINES) + books.tally_at(Tally.KEPT_MONEY, n)
        cost = books.tally_at(Tally.INTEREST, n) + books.tally_at(Tally.WRITTEN_OFF, n)
        return equal(term(b.income[n], IN_TENTHS), (earned - cost) * IN_TENTHS)

    @b.Constraint(capped, doc="TAX-1 net interest of an entity less its cap, over the cap's share [$0.1M]")
    def interest_above_cap(b, n):
        scale = IN_TENTHS / cap_frac if cap_frac else IN_TENTHS
        net = books.tally_at(Tally.INTEREST, n) - books.cash_at(n, INTEREST_EARNED_LINES)
        above = net - books.cash_at(n, EBITDA_LINES) * cap_frac
        return equal(term(b.above_cap[n], scale), above * scale)

    income, above_cap = ([term(v[n]) for n in v] for v in (b.income, b.above_cap))
    return TaxablePorts(group.tax_group, income, above_cap)


def _post_written_off(p: Params, entity: str, rate_frac: float, books: Books) -> None:
    """What is written off and tenant money kept, of what stands and of each unit decided."""
    standing = p.taxes.standing.get(entity)
    if standing:
        books.tally_constant(Tally.WRITTEN_OFF, standing.written_off)
        books.tally_constant(Tally.KEPT_MONEY, standing.kept)
        for leaf, left in standing.left.items():
            books.worth_constant(ValueLine.TAX_LATER, leaf, rate_frac * left)
    for d in books.decisions:
        items = p.taxes.units.get((d.quantity, d.site, d.item, d.contract, d.since, d.node))
        if items is None:
            continue
        books.tally(Tally.WRITTEN_OFF, d.variable, items.written_off)
        books.tally(Tally.KEPT_MONEY, d.variable, items.kept)
        for leaf, left in items.left.items():
            books.worth(ValueLine.TAX_LATER, leaf, rate_frac * left, d.variable)
