"""What each covenant, guard rail and budget costs, and what a dollar or a megawatt more is worth."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.solve.outcome import Duals, Outcome
from optimizer.solve.per_share import Search

Array = NDArray[np.float64]
SLACK = 1e-4
"""$M or million shares: a test with more room than this binds nothing."""


def price_tests(search: Search, outcome: Outcome) -> dict[str, float]:
    """Price of each test by name: zero without a solve where it has room everywhere.

    The continuous part of the plan is solved again at the value per share found, with the integer decisions
    as planned and without the rows of the one test. NaN where that solve fails or nobody waits for it.
    [USD per share]
    """
    x = outcome.x
    assert x is not None
    row_of = {id(row): i for i, row in enumerate(search.matrix.rows)}
    rows = {name: [row_of[id(row)] for row in held] for name, held in search.program.tests.items()}
    headroom = _headroom(search, x)
    binding = [name for name, held in rows.items() if min(headroom[held], default=math.inf) <= SLACK]
    prices = dict.fromkeys(rows, 0.0)
    base = _worth(search, outcome, x, []) if binding else math.nan
    for name in binding:
        gain = math.nan if search.stop.is_set() else _worth(search, outcome, x, rows[name]) - base
        prices[name] = gain if math.isnan(gain) else max(0.0, gain)
    return prices


def price_money(search: Search, outcome: Outcome) -> Duals | None:
    """Prices of cash and of power, the integer decisions as planned; None where the solver states none."""
    assert outcome.x is not None
    if search.stop.is_set():
        return None
    by_value = outcome.objective == "value"
    program, m = search.program, search.program.model
    objective = program.value_objective() if by_value else program.objective(outcome.value_per_share_usd)
    found = search.with_integers(objective, outcome.x)
    if found.row_dual is None:
        return None
    dual = dict(zip(map(id, search.matrix.rows), found.row_dual, strict=True))
    nodes = program.params.tree.nodes

    def priced(rows: Any, n: int) -> float:
        return max(0.0, float(dual.get(id(rows[n]), 0.0))) if n in rows else 0.0

    power, conversion = {}, {}
    for borrower in m.borrower.values():
        for name, site in borrower.site.items():
            held = site.power.occupied_within_energised
            power[str(name)] = np.array([priced(held, n) for n in nodes])
            begun = site.power.begun_within_energised
            conversion[str(name)] = sum(priced(begun, leaf) for leaf in program.params.tree.leaves)
    return Duals(np.array([priced(m.company.cash.cash_balance, n) for n in nodes]), power, conversion)


def _headroom(search: Search, x: Array) -> Array:
    """Room of every row; infinite where a row has no limit."""
    m = search.matrix
    columns = np.repeat(np.arange(len(m.variables)), np.diff(m.start))
    activity = np.bincount(m.row, weights=m.coef * x[columns], minlength=len(m.rows))
    return np.minimum(m.row_upper - activity, activity - m.row_lower)


def _worth(search: Search, outcome: Outcome, x: Array, lifted: list[int]) -> float:
    """Worth per share of the best plan with these integers and without some rows. [USD]"""
    by_value = outcome.objective == "value"
    program = search.program
    objective = program.value_objective() if by_value else program.objective(outcome.value_per_share_usd)
    found = search.as_planned(objective, x, lifted)
    if found is None:
        return math.nan
    return search.matrix.at(found, objective) / search.shares_m if by_value else search.root(found)
