"""TAX: the income of each tax group is taxed by calendar year, after the losses that it may use."""

from collections.abc import Sequence

import pyomo.environ as pyo

from models.blocks.books import Books
from models.blocks.linear import Linear, at_most, equal, term, total
from models.blocks.taxable import TaxablePorts
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.tax import TaxGroup
from models.params.params import Params


def add_tax(b: pyo.Block, p: Params, groups: Sequence[TaxGroup], books: Books) -> None:
    """What the groups of a payer are taxed on at each year's end: paid there, or owed at the leaf.

    Maths: docs/program.md, section 11.
    """
    taxes = p.taxes
    names = [g.tax_group for g in groups]
    b.taxed = pyo.Var(
        names, taxes.years, domain=pyo.NonNegativeReals, doc="income taxed in a year, losses used [$M]"
    )
    b.losses = pyo.Var(names, taxes.years, domain=pyo.NonNegativeReals, doc="losses carried forward [$M]")
    for g in groups:
        for n in taxes.years:
            taxed = b.taxed[g.tax_group, n]
            books.decide(Quantity.TAXED, n, taxed, item=g.tax_group)
            if taxes.is_whole(n, p.tree):
                books.post_at(CashLine.TAX, n, term(taxed, -g.rate_frac))
            else:
                books.worth(ValueLine.TAX_OWED, n, -g.rate_frac, taxed)
            if n in p.tree.leaves:
                worth = g.rate_frac * g.losses_value_frac
                books.worth(ValueLine.TAX_LOSSES, n, worth, b.losses[g.tax_group, n])
        for leaf, left in taxes.basis[g.tax_group].left.items():
            books.worth_constant(ValueLine.TAX_LATER, leaf, g.rate_frac * left)


def add_tax_years(
    b: pyo.Block, p: Params, of_payer: Sequence[TaxGroup], entities: Sequence[TaxablePorts]
) -> None:
    """Income of the year and the use of losses. Maths: docs/program.md, section 11, TAX-1 ... TAX-4."""
    taxes = p.taxes
    groups, ends = {g.tax_group: g for g in of_payer}, list(taxes.years)
    capped = [name for name, g in groups.items() if g.interest_cap_frac_of_ebitda is not None]
    b.income = pyo.Var(list(groups), ends, doc="taxable income of a year, all interest deducted [$M]")
    b.capped = pyo.Var(capped, ends, doc="taxable income of a year with net interest at its cap [$M]")

    @b.Constraint(list(groups), ends, doc="TAX-1 taxable income of a group in a year [$M]")
    def income_of_year(b, g, end):
        nodes = taxes.years[end]
        earned = total(x.income[n] for x in entities if x.tax_group == g for n in nodes)
        in_place = float(taxes.basis[g].written_off[list(nodes)].sum())
        return equal(term(b.income[g, end]), earned + taxes.so_far_usd_m(groups[g], end) - in_place)

    @b.Constraint(capped, ends, doc="TAX-1 taxable income of a group in a year, net interest at its cap [$M]")
    def capped_income_of_year(b, g, end):
        members = [x for x in entities if x.tax_group == g]
        above = total(x.above_cap[n] for x in members for n in taxes.years[end])
        return equal(term(b.capped[g, end]), term(b.income[g, end]) + above)

    def losses_before(g: str, end: int) -> Linear:
        before = taxes.before[end]
        return term(b.losses[g, before]) if before >= 0 else Linear(constant=groups[g].losses_usd_m)

    def within_share(income: pyo.Var, g: str, end: int):
        return at_most(term(income[g, end], 1.0 - groups[g].loss_use_frac), term(b.taxed[g, end]))

    @b.Constraint(list(groups), ends, doc="TAX-2 losses offset their share of a year's income [$M]")
    def losses_used_within_share(b, g, end):
        return within_share(b.income, g, end)

    @b.Constraint(list(groups), ends, doc="TAX-3 losses are carried forward, never negative [$M]")
    def losses_carried(b, g, end):
        added = term(b.taxed[g, end]) - term(b.income[g, end])
        return equal(term(b.losses[g, end]), losses_before(g, end) + added)

    @b.Constraint(capped, ends, doc="TAX-4 share of income with net interest at its cap [$M]")
    def capped_within_share(b, g, end):
        return within_share(b.capped, g, end)

    @b.Constraint(capped, ends, doc="TAX-4 interest above its cap is no loss of its own year [$M]")
    def capped_within_losses(b, g, end):
        return at_most(term(b.capped[g, end]) - losses_before(g, end), term(b.taxed[g, end]))
