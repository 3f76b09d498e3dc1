"""The table covenants: every test and budget at every node, and what lifting it would be worth."""

import math
from collections.abc import Iterator

from models.blocks.company.covenants import spending
from models.blocks.metrics import Measured
from models.domain.ledger import Quantity
from models.domain.rules import Budget
from optimizer.plans.reading import Reading

DEAL_USD_M = 1e-6
"""A deal below one dollar is none."""
Row = dict[str, object]


def covenant_rows(r: Reading) -> list[Row]:
    """Tests of the covenants table, the tightest of several at one node, then the budgets."""
    tightest: dict[tuple[str, int], Measured] = {}
    headroom: dict[tuple[str, int], float] = {}
    for test in active(r):
        key, room = (test.covenant.covenant, test.node), test.headroom.value
        if room < headroom.get(key, math.inf):
            tightest[key], headroom[key] = test, room
    rows = [
        _row(r, x.covenant.covenant, x.covenant.metric, n, x.value.value, x.limit.value, headroom[name, n])
        for (name, n), x in tightest.items()
    ]
    for budget in r.program.params.portfolio.budgets:
        rows += _budget_rows(r, budget)
    return rows


def active(r: Reading) -> Iterator[Measured]:
    """Tests that apply to the plan: those of incurrence where it issues notes."""
    deals = r.by_quantity[Quantity.ISSUE] + r.by_quantity[Quantity.NOTES]
    issued = {d.node for d, v in deals if v > DEAL_USD_M}
    for test in r.program.measured:
        if not test.covenant.is_incurrence or test.node in issued:
            yield test


def _row(r: Reading, name: str, metric: str, n: int, value: float, threshold: float, headroom: float) -> Row:
    return {
        "covenant": name,
        "node": r.labels[n],
        "quarter": r.quarters[n],
        "metric": metric,
        "value": value,
        "threshold": threshold,
        "headroom": headroom,
        "price_usd_per_share": r.prices.get(name, math.nan),
    }


def _budget_rows(r: Reading, budget: Budget) -> Iterator[Row]:
    tree = r.program.params.tree
    for n in tree.nodes:
        if budget.from_quarter <= tree.quarter(n) <= budget.to_quarter:
            spent = _spent(r, budget, n)
            yield _row(r, budget.budget, "budget", n, spent, budget.cap_usd_m, budget.cap_usd_m - spent)


def _spent(r: Reading, budget: Budget, n: int) -> float:
    tree = r.program.params.tree
    path = [m for m in tree.path(n) if tree.quarter(m) >= budget.from_quarter]
    return sum(spending(r.program.borrowers, budget.site, budget.counts, m).value for m in path)
