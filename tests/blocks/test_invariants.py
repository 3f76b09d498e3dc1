"""What must not change a plan's value: splitting a node or a probability; and that there always is a plan."""

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import BEYOND_COMMITTED, DEALS, Quantity
from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.inputs.check import check
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.search import search_plan
from tests.blocks.bite import BITE_TIMES, Plan, built, solved
from tests.blocks.hand import merchant
from tests.portfolios import (
    PORTFOLIOS,
    add_deals,
    add_notes,
    add_project_debt,
    chain_of,
    full,
    identical_scenarios,
    small,
    tree_of,
    two_scenarios,
    with_all,
    with_row,
    with_rows,
)

Key = tuple[object, ...]
LAM_USD = 12.0
SAME = 1e-6
"""Relative."""
GOOD_USD_M = 10.0
"""How near to the best a plan is that another program is to repeat: any plan must be worth the same there."""


def _lent() -> Portfolio:
    """Leases on project debt, and nothing else to decide on but money."""
    p = with_all(add_deals(add_project_debt(small())), "sites", mining_allowed=False)
    return add_notes(with_row(p, "sites", "south", hpc_allowed=False))


ON_MONEY: Mapping[str, Callable[[], Portfolio]] = {"small": small, "lent": _lent, "merchant": merchant}


def _solved(
    p: Portfolio, time: Callable[[Portfolio], TimeTree], lam: float, gap_usd_m: float = 1e-6
) -> tuple[Plan, float]:
    """The best plan at a fixed lambda, and E[V] less claims. [$M]"""
    plan = built(p, time)
    matrix, objective = compile_matrix(plan.program.model), plan.program.objective(lam)
    result = solved(matrix, objective, gap_usd_m=gap_usd_m)
    assert result.proved == "optimal"
    return plan, result.value + objective.constant


def _value_per_share_usd(p: Portfolio, time: Callable[[Portfolio], TimeTree]) -> float:
    plan = built(p, time)
    matrix = compile_matrix(plan.program.model)
    options = Options(gap=1e-8, time_limit_s=30.0)
    outcome, _ = search_plan(plan.program, matrix, options, threading.Event(), lambda *_: None)
    assert outcome.status == "optimal"
    return outcome.value_per_share_usd


@pytest.mark.parametrize("name", ON_MONEY)
def test_twin_scenarios_are_worth_what_the_chain_is(name: str) -> None:
    p = identical_scenarios(ON_MONEY[name]())
    assert _value_per_share_usd(p, tree_of) == pytest.approx(_value_per_share_usd(p, chain_of), rel=SAME)


def _keyed(plan: Plan, by_quarter: bool) -> Iterator[tuple[Key, Any]]:
    """Decision variables by what is decided and when: at which node, or in which quarter on whatever path."""
    quarters: dict[str, int] = {plan.tree.label(n): plan.tree.period[n] for n in plan.tree.nodes}
    for d in plan.program.decisions:
        since = quarters.get(d.since, d.since) if by_quarter else d.since
        when = plan.tree.period[d.node] if by_quarter else d.node
        yield (d.quantity, d.site, d.item, d.contract, since, when), d.variable


def _repeated(plan: Plan, of: Plan, objective: Linear, by_quarter: bool = True) -> float:
    """What ``objective`` comes to when a program decides just as a solved one did. [$M]

    To the last digit: boxes as narrow as the solver's own tolerance make its presolve call them empty.
    """
    decided = {key: float(variable.value) for key, variable in _keyed(of, by_quarter)}
    matrix = compile_matrix(plan.program.model)
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    for key, variable in _keyed(plan, by_quarter):
        j = matrix.column[id(variable)]
        amount = round(decided[key]) if matrix.is_integer[j] else decided[key]
        lower[j] = upper[j] = max(lower[j], amount)
    result = solved(matrix, objective, lower, upper)
    assert result.proved == "optimal"
    return result.value + objective.constant


@pytest.mark.parametrize("lam", [6.0, 12.0])
@pytest.mark.parametrize("make", [full, small])
def test_twin_scenarios_take_the_plan_of_the_chain(make: Callable[[], Portfolio], lam: float) -> None:
    p = identical_scenarios(make())
    chain, _ = _solved(p, chain_of, lam, GOOD_USD_M)
    again, tree = built(p, chain_of), built(p, tree_of)
    value = _repeated(again, chain, again.program.objective(lam))
    assert _repeated(tree, chain, tree.program.objective(lam)) == pytest.approx(value, rel=SAME)


@pytest.mark.parametrize("name", ON_MONEY)
def test_a_scenario_in_two_halves_changes_nothing(name: str) -> None:
    whole = two_scenarios(ON_MONEY[name]())
    half = with_row(whole, "scenarios", "up", probability=0.25)
    twin = {**next(s for s in half.scenarios if s.scenario == "up").model_dump(), "scenario": "again"}
    rows = [{**r.model_dump(), "scenario": "again"} for r in half.market if r.scenario == "up"]
    halves = with_rows(with_rows(half, "scenarios", twin), "market", *rows)
    _, value = _solved(whole, tree_of, LAM_USD)
    _, value_of_halves = _solved(halves, tree_of, LAM_USD)
    assert value_of_halves == pytest.approx(value, rel=SAME)


@pytest.mark.parametrize("name", ["small", "full"])
def test_probabilities_of_twins_do_not_matter(name: str) -> None:
    p = identical_scenarios(PORTFOLIOS[name]())
    other = with_row(with_row(p, "scenarios", "base", probability=0.1), "scenarios", "up", probability=0.65)
    chain, _ = _solved(p, chain_of, LAM_USD, GOOD_USD_M)
    trees = [built(portfolio, tree_of) for portfolio in (p, other)]
    values = [_repeated(tree, chain, tree.program.objective(LAM_USD)) for tree in trees]
    assert values[0] == pytest.approx(values[1], rel=SAME)


def test_expected_value_is_linear_in_probabilities() -> None:
    def weighted(*weights: float) -> Portfolio:
        p = small()
        for name, probability in zip(("base", "up", "down"), weights, strict=True):
            p = with_row(p, "scenarios", name, probability=probability)
        return p

    even, _ = _solved(weighted(0.5, 0.25, 0.25), tree_of, LAM_USD)
    values = []
    for weights in ((0.8, 0.1, 0.1), (0.2, 0.4, 0.4), (0.5, 0.25, 0.25)):
        plan = built(weighted(*weights), tree_of)
        values.append(_repeated(plan, even, plan.program.expected_value, by_quarter=False))
    assert values[2] == pytest.approx(0.5 * (values[0] + values[1]), rel=SAME)


def _nothing_new(plan: Plan) -> tuple[str, float]:
    """Status with every new decision at zero, and the rescue that it takes. [$M]"""
    matrix = compile_matrix(plan.program.model)
    upper = matrix.upper.copy()
    for d in plan.program.decisions:
        if d.quantity in BEYOND_COMMITTED | DEALS:
            upper[matrix.column[id(d.variable)]] = 0.0
    result = solved(matrix, plan.program.objective(LAM_USD), upper=upper)
    if result.x is None:
        return result.proved, 0.0
    return result.proved, sum(plan.at(Quantity.RESCUE, n) for n in plan.tree.nodes)


NO_CASH = partial(with_all, table="entities", unrestricted_cash_usd_m=0.0)


@pytest.mark.parametrize("time", [time for _, time in BITE_TIMES], ids=[name for name, _ in BITE_TIMES])
@pytest.mark.parametrize("name", PORTFOLIOS)
def test_rescue_always_helps(name: str, time: Callable[[Portfolio], TimeTree]) -> None:
    proved, rescue_usd_m = _nothing_new(built(NO_CASH(PORTFOLIOS[name]()), time))
    assert proved == "optimal"
    assert rescue_usd_m >= 0.0


@pytest.mark.parametrize("time", [time for _, time in BITE_TIMES], ids=[name for name, _ in BITE_TIMES])
def test_a_convertible_that_matures_is_rescued(time: Callable[[Portfolio], TimeTree]) -> None:
    proved, rescue_usd_m = _nothing_new(built(PORTFOLIOS["penniless"](), time))
    assert proved == "optimal"
    assert rescue_usd_m > 10.0


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_the_input_checks_accept_the_factory(name: str) -> None:
    assert [str(f) for f in check(PORTFOLIOS[name]()) if f.severity == "error"] == []
