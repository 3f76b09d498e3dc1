"""TAX: income of each tax group, taxed by calendar year after losses, and value after tax."""

from collections.abc import Mapping, Sequence

import pyomo.environ as pyo

from models.blocks.books import Books, Decision, Tally
from models.blocks.linear import Linear, at_most, equal, term, total
from models.blocks.ports import BorrowerPorts
from models.domain.ledger import (
    EBITDA_LINES,
    INTEREST_EARNED_LINES,
    TAXABLE_LINES,
    TAXED_VALUE_LINES,
    CashLine,
    Quantity,
    ValueLine,
)
from models.params.params import Params
from models.params.tax import Taxes, TaxItems


def add_tax(b: pyo.Block, p: Params, books: Books) -> None:
    """What is taxed at each year's end: paid in cash there, or owed at the leaf. Maths: TAX-1 ... TAX-4."""
    taxes, tree = p.taxes, p.tree
    names = [g.tax_group for g in taxes.groups]
    b.taxed = pyo.Var(
        names, taxes.years, domain=pyo.NonNegativeReals, doc="income taxed in a year, losses used [$M]"
    )
    b.losses = pyo.Var(names, taxes.years, domain=pyo.NonNegativeReals, doc="losses carried forward [$M]")
    for g in taxes.groups:
        for n in taxes.years:
            taxed = b.taxed[g.tax_group, n]
            books.decide(Quantity.TAXED, n, taxed, item=g.tax_group)
            if taxes.is_whole(n, tree):
                books.post_at(CashLine.TAX, n, term(taxed, -g.rate_frac))
            else:
                books.worth(ValueLine.TAX_OWED, n, -g.rate_frac, taxed)
            if n in tree.leaves:
                worth = g.rate_frac * g.losses_value_frac
                books.worth(ValueLine.TAX_LOSSES, n, worth, b.losses[g.tax_group, n])


def add_tax_rules(b: pyo.Block, p: Params, borrowers: Sequence[BorrowerPorts], books: Books) -> None:
    """Taxable income and the use of losses, once all else is posted. Maths: docs/program.md, section 9a."""
    taxes, nodes = p.taxes, list(p.tree.nodes)
    groups = {g.tax_group: g for g in taxes.groups}
    caps = {g.tax_group: g.interest_cap_frac_of_ebitda for g in taxes.groups}
    capped = {name: cap for name, cap in caps.items() if cap is not None}
    b.income = pyo.Var(list(groups), nodes, doc="taxable income of a quarter, all interest deducted [$M]")
    b.capped = pyo.Var(list(capped), nodes, doc="the same with net interest at its cap [$M]")
    owned = _owned(p, borrowers, books) if groups else {}
    for entity, own in owned.items():
        _post_items(taxes, entity, own)
    _post_later(p, owned, books)

    def members(g: str) -> list[Books]:
        return [own for entity, own in owned.items() if taxes.of_entity[entity].tax_group == g]

    @b.Constraint(list(groups), nodes, doc="TAX-1 taxable income of a quarter [$M]")
    def income_of_quarter(b, g, n):
        found = total(_income(own, n) for own in members(g)) - float(taxes.basis[g].written_off[n])
        return equal(term(b.income[g, n]), found)

    @b.Constraint(
        list(capped), nodes, doc="TAX-1 taxable income of a quarter with net interest at its cap [$M]"
    )
    def capped_income_of_quarter(b, g, n):
        added = total(_net_interest(own, n) - own.cash_at(n, EBITDA_LINES) * capped[g] for own in members(g))
        return equal(term(b.capped[g, n]), term(b.income[g, n]) + added)

    def of_year(variable: pyo.Var, g: str, end: int) -> Linear:
        so_far = Linear(constant=taxes.so_far_usd_m(groups[g], end))
        return so_far + total(term(variable[g, n]) for n in taxes.years[end])

    def losses_before(g: str, end: int) -> Linear:
        before = taxes.before[end]
        return term(b.losses[g, before]) if before >= 0 else Linear(constant=groups[g].losses_usd_m)

    def used_at_most(income: Linear, g: str, end: int):
        return at_most(income * (1.0 - groups[g].loss_use_frac), term(b.taxed[g, end]))

    @b.Constraint(
        list(groups), list(taxes.years), doc="TAX-2 losses offset their share of a year's income [$M]"
    )
    def losses_used_within_share(b, g, end):
        return used_at_most(of_year(b.income, g, end), g, end)

    @b.Constraint(
        list(groups), list(taxes.years), doc="TAX-3 losses are carried forward, never negative [$M]"
    )
    def losses_carried(b, g, end):
        added = term(b.taxed[g, end]) - of_year(b.income, g, end)
        return equal(term(b.losses[g, end]), losses_before(g, end) + added)

    @b.Constraint(
        list(capped), list(taxes.years), doc="TAX-4 share of income with net interest at its cap [$M]"
    )
    def capped_within_share(b, g, end):
        return used_at_most(of_year(b.capped, g, end), g, end)

    @b.Constraint(
        list(capped), list(taxes.years), doc="TAX-4 interest above its cap is no loss of its own year [$M]"
    )
    def capped_within_losses(b, g, end):
        return at_most(of_year(b.capped, g, end) - losses_before(g, end), term(b.taxed[g, end]))


def _owned(p: Params, borrowers: Sequence[BorrowerPorts], books: Books) -> Mapping[str, Books]:
    """Books by the entity that is taxed."""
    return {p.portfolio.parent.entity: books, **{x.entity: x.books for x in borrowers}}


def _items_of(taxes: Taxes, d: Decision) -> TaxItems | None:
    return taxes.units.get((d.quantity, d.site, d.item, d.contract, d.node))


def _post_items(taxes: Taxes, entity: str, own: Books) -> None:
    """What is written off and tenant money kept, of what stands and of each unit decided."""
    standing, rate = taxes.standing.get(entity), taxes.of_entity[entity].rate_frac
    if standing:
        own.tally_constant(Tally.WRITTEN_OFF, standing.written_off)
        own.tally_constant(Tally.KEPT_MONEY, standing.kept)
        for leaf, left in standing.left.items():
            own.worth_constant(ValueLine.TAX_LATER, leaf, rate * left)
    for d in own.decisions:
        items = _items_of(taxes, d)
        if items is None:
            continue
        own.tally(Tally.WRITTEN_OFF, d.variable, items.written_off)
        own.tally(Tally.KEPT_MONEY, d.variable, items.kept)
        for leaf, left in items.left.items():
            own.worth(ValueLine.TAX_LATER, leaf, rate * left, d.variable)


def _post_later(p: Params, owned: Mapping[str, Books], books: Books) -> None:
    """Tax on what each leaf is worth for later income, less what the basis in place still writes off."""
    for g in p.taxes.groups:
        for leaf, left in p.taxes.basis[g.tax_group].left.items():
            books.worth_constant(ValueLine.TAX_LATER, leaf, g.rate_frac * left)
    for entity, own in owned.items():
        rate = p.taxes.of_entity[entity].rate_frac
        for line in TAXED_VALUE_LINES:
            for leaf, worth in own.value.get(line, {}).items():
                own.worth_at(ValueLine.TAX_LATER, leaf, worth * -rate)


def _income(own: Books, n: int) -> Linear:
    """Taxable income of one entity, the basis in place apart. [$M]"""
    lines = own.cash_at(n, TAXABLE_LINES) + own.tally_at(Tally.KEPT_MONEY, n)
    return lines - own.tally_at(Tally.INTEREST, n) - own.tally_at(Tally.WRITTEN_OFF, n)


def _net_interest(own: Books, n: int) -> Linear:
    """Interest accrued less interest earned. [$M]"""
    return own.tally_at(Tally.INTEREST, n) - own.cash_at(n, INTEREST_EARNED_LINES)
