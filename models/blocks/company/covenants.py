"""COV: maintenance tests, minimum liquidity and capital budgets."""

from collections.abc import Sequence

import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, term, total
from models.blocks.ports import BorrowerPorts
from models.domain.ledger import EBITDA_LINES
from models.domain.portfolio import Portfolio
from models.timetree import TimeTree


def add_covenants(
    b: pyo.Block,
    tree: TimeTree,
    portfolio: Portfolio,
    cash: pyo.Var,
    rescue: pyo.Var,
    borrowers: Sequence[BorrowerPorts],
    books: Books,
) -> None:
    """Tests of the covenants table and the budgets. Maths: docs/program.md, COV-1 ... COV-4."""
    tests = {c.covenant: c for c in portfolio.covenants}

    def held_at(metric: str) -> list[tuple[str, int]]:
        return [
            (name, n)
            for name, c in tests.items()
            for n in tree.nodes
            if c.metric == metric and c.from_quarter <= tree.quarter(n) <= c.to_quarter
        ]

    def tallied(what: Tally, n: int) -> Linear:
        return total(x.books.tally_at(what, n) for x in borrowers) + books.tally_at(what, n)

    def liquidity(n: int) -> Linear:
        return total(term(x.cash[n]) for x in borrowers) + term(cash[n]) - tallied(Tally.LATE_LOSS, n)

    def cured_ebitda(n: int) -> Linear:
        own = total(x.books.cash_at(n, EBITDA_LINES) for x in borrowers)
        return own + books.cash_at(n, EBITDA_LINES) + term(rescue[n]) - tallied(Tally.LATE_LOSS, n)

    @b.Constraint(
        held_at("minimum_liquidity"),
        doc="COV-1 minimum liquidity, deliveries late and notes due in full [$M]",
    )
    def liquidity_held(b, c, n):
        return at_most(tallied(Tally.WALL, n) + tests[c].threshold, liquidity(n))

    @b.Constraint(
        held_at("net_debt_to_ebitda"),
        doc="COV-2 net debt within its multiple of EBITDA, every open delivery late [$M]",
    )
    def net_debt_within(b, c, n):
        return at_most(tallied(Tally.DEBT, n) - liquidity(n), cured_ebitda(n) * (4.0 * tests[c].threshold))

    @b.Constraint(
        held_at("interest_cover"), doc="COV-3 EBITDA covers interest, every open delivery late [$M]"
    )
    def interest_covered(b, c, n):
        return at_most(tallied(Tally.INTEREST, n) * tests[c].threshold, cured_ebitda(n))

    budgets = {x.budget: x for x in portfolio.budgets}

    @b.Constraint(list(budgets), tree.leaves, doc="COV-4 spending within the budget [$M]")
    def within_budget(b, name, leaf):
        budget = budgets[name]
        spent = Linear()
        for n in tree.path(leaf):
            if budget.from_quarter <= tree.quarter(n) <= budget.to_quarter:
                spent = spent + _spending(borrowers, budget.site, budget.counts, n)
        return at_most(spent, budget.cap_usd_m)


def _spending(borrowers: Sequence[BorrowerPorts], site: str | None, counts: str, n: int) -> Linear:
    what = Tally.OWN_NEED if counts == "own" else Tally.GROSS_SPEND
    if site is None:
        return total(x.books.tally_at(what, n) for x in borrowers)
    return total(x.books.site_tally_at(site, what, n) for x in borrowers)
