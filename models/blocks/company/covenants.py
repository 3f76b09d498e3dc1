"""COV, GRD: the covenants table, in every quarter or where new notes are issued, and capital budgets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from models.blocks.books import Limit, Tally
from models.blocks.breach import LARGEST_COEFFICIENT, largest_breach
from models.blocks.linear import Linear, at_most, total
from models.blocks.metrics import Measured, Metrics
from models.blocks.ports import BorrowerPorts
from models.blocks.shares import PartOf
from models.domain.portfolio import Portfolio
from models.timetree import TimeTree

RULES: Mapping[str, str] = {
    "minimum_liquidity": "COV-1 minimum liquidity, deliveries late and notes due in full [$M]",
    "net_debt_to_ebitda": "COV-2 net debt within its multiple of EBITDA, every open delivery late [$M]",
    "interest_cover": "COV-3 EBITDA covers interest, every open delivery late [$M]",
    "dscr": "COV-11 CFADS of a borrower cover its service, every open delivery late [$M]",
    "net_debt_to_market_cap": "COV-5 net debt within its multiple of the market cap [$M]",
    "market_cap": "COV-6 nothing is issued below a market cap [$M]",
    "recourse_debt": "COV-7 debt with recourse within its cap [$M]",
    "secured_debt": "COV-7 secured debt within its cap [$M]",
    "maturities": "COV-8 liquidity covers what falls due in four quarters [$M]",
    "dilution": "COV-9 shares of four quarters within their share of the opening count [M]",
    "cash_cover": "GRD-1 cash for quarters of overhead and recourse interest [$M]",
    "funded_commitments": "GRD-2 what is begun is funded for four quarters, with no new issue [$M]",
    "maturity_wall": "GRD-3 liquidity at the leaf covers what falls due in the four quarters after it [$M]",
    "solvency": "GRD-4 assets at the leaf cover the debt [$M]",
    "unsigned_building": "GRD-5 what unsigned halls still take within liquidity [$M]",
    "stress_liquidity": "GRD-6 liquidity in each of four quarters, markets shut and mining at no margin [$M]",
    "tenant_share": "GRD-7 contracted MW at the leaf that lean on one guarantor within their share [MW]",
}
"""ID and meaning of each metric's rows."""


@dataclass(frozen=True, eq=False)
class Tests:
    """Covenants of the company, or of one borrower: the rows of each, and what it measures."""

    rows: Mapping[str, tuple[Any, ...]]
    measured: tuple[Measured, ...]


def add_tests_of(b: pyo.Block, metrics: Metrics) -> Tests:
    """The tests of a scope that hold in every quarter. Maths: docs/program.md, COV-1 ... COV-11."""
    measured = tuple(x for c in metrics.covenants for x in metrics.measured(c))
    for metric, doc in RULES.items():
        kept = {_key(x): x for x in measured if x.covenant.metric == metric and not x.covenant.is_incurrence}

        def holds(_, *key, kept=kept):
            least = kept[key].headroom.merged()
            return at_most(Linear(constant=-least.constant), least + -least.constant)

        b.add_component(metric, pyo.Constraint(list(kept), rule=holds, doc=doc))
    return Tests(_rows(b, metrics), measured)


def add_covenants(b: pyo.Block, metrics: Metrics, limits: Mapping[int, Limit]) -> Tests:
    """Every test of the company: its rows by covenant, and what it measures.

    Maths: docs/program.md, COV-1 ... COV-3, COV-5 ... COV-10, GRD-1 ... GRD-7.
    """
    measured = add_tests_of(b, metrics).measured
    on_issue = {
        (x.covenant.covenant, x.at, kind, x.node): x
        for x in measured
        if x.covenant.is_incurrence
        for kind in range(len(metrics.raised.deals))
    }

    @b.Constraint(list(on_issue), doc="COV-10 a test of incurrence holds where notes are issued [$M]")
    def holds_on_issue(b, *key):
        found = on_issue[key]
        headroom = found.headroom.merged()
        issues = Linear()
        for (_, n), launched in metrics.raised.deals[key[2]].items():
            if n == found.node:
                issues.add(1.0, launched)
        most = largest_breach(headroom, limits)
        if not issues.variables or most <= 0.0:
            return pyo.Constraint.Skip
        scale = min(1.0, LARGEST_COEFFICIENT / most)
        return at_most((issues * most - headroom) * scale, most * scale)

    return Tests(_rows(b, metrics), measured)


def _rows(b: pyo.Block, metrics: Metrics) -> Mapping[str, tuple[Any, ...]]:
    rows: dict[str, list[Any]] = {c.covenant: [] for c in metrics.covenants}
    for component in b.component_objects(pyo.Constraint):
        for key, row in component.items():
            rows[key[0]].append(row)
    return {name: tuple(found) for name, found in rows.items()}


def _key(x: Measured) -> tuple[str, int, int]:
    return x.covenant.covenant, x.at, x.node


def add_budgets(
    b: pyo.Block, tree: TimeTree, portfolio: Portfolio, borrowers: Sequence[BorrowerPorts]
) -> Mapping[str, tuple[Any, ...]]:
    """Capital budgets: the rows of each. Maths: docs/program.md, COV-4."""
    budgets = {x.budget: x for x in portfolio.budgets}

    @b.Constraint(list(budgets), tree.leaves, doc="COV-4 spending within the budget [$M]")
    def within_budget(b, name, leaf):
        budget = budgets[name]
        spent = Linear()
        for n in tree.path(leaf):
            if budget.from_quarter <= tree.quarter(n) <= budget.to_quarter:
                spent = spent + spending(borrowers, budget.site, budget.counts, n)
        return at_most(spent, budget.cap_usd_m)

    return {name: tuple(row for key, row in b.within_budget.items() if key[0] == name) for name in budgets}


def spending(borrowers: Sequence[BorrowerPorts], site: str | None, counts: str, n: int) -> Linear:
    """What counts against a budget at a node: own money is the company's part, all is anyone's. [$M]"""
    if counts == "own":
        held = [PartOf(x.books, x.owned.share if site else x.owned.paid) for x in borrowers]
        return total(x.tally_at(Tally.OWN_NEED, n, site) for x in held)
    return total(PartOf(x.books, 1.0).tally_at(Tally.GROSS_SPEND, n, site) for x in borrowers)
