"""The plan found is the best of all combinations of whole decisions, by arithmetic not the program's."""

import threading
from functools import cache

import pytest

from optimizer.solve.options import Options
from optimizer.solve.outcome import Outcome
from optimizer.solve.search import search_plan
from tests import portfolios as make
from tests.oracle.enumeration import (
    Case,
    Enumerated,
    enumerate_per_share,
    enumerate_value,
    search_of,
    value_as_debt,
)
from tests.oracle.toys import TOYS

TIGHT = 1e-7
EQUAL = 1e-6


def quiet(stage: str, value: float, bound: float) -> None:
    """Nobody listens."""


def solved(case: Case, options: Options) -> tuple[Outcome, float]:
    """The product's own search."""
    return search_plan(case.program, case.matrix, options, threading.Event(), quiet)


@cache
def case_of(name: str) -> Case:
    """A toy, built."""
    portfolio, time_of = TOYS[name]
    return Case.of(portfolio(), time_of(portfolio()))


@cache
def tried(name: str) -> Enumerated:
    """All of a toy's combinations."""
    return enumerate_per_share(case_of(name))


@pytest.mark.parametrize("name", TOYS)
def test_no_combination_is_worth_more_per_share(name: str) -> None:
    case, every = case_of(name), tried(name)
    outcome, committed = solved(case, Options(gap=TIGHT))
    assert outcome.status == "optimal"
    assert outcome.x is not None
    best = every.best.per_share
    assert outcome.value == pytest.approx(best, rel=EQUAL)
    assert outcome.bound >= best * (1.0 - 1e-9)
    assert case.valued(outcome.x).per_share == pytest.approx(best, rel=EQUAL)
    assert committed < best
    assert every.feasible >= 3


@pytest.mark.parametrize("name", TOYS)
def test_every_combination_is_worth_to_the_auditor_what_it_is_worth_to_the_program(name: str) -> None:
    assert tried(name).worst_error < 1e-9


@pytest.mark.parametrize("name", ["shared", "shared on a tree"])
def test_a_guarantors_share_costs_the_best_plan_something(name: str) -> None:
    """GRD-7 binds in its toys: without it all would lean on one."""
    toy, time_of = TOYS[name]
    free = make.without(toy(), "covenants", "tenant_share")
    outcome, _ = solved(Case.of(free, time_of(free)), Options(gap=TIGHT))
    assert outcome.value > 1.02 * tried(name).best.per_share


@pytest.mark.parametrize("name", TOYS)
def test_no_combination_has_more_value(name: str) -> None:
    case = case_of(name)
    best, _ = enumerate_value(case)
    outcome, _ = solved(case, Options(gap=TIGHT, objective="value"))
    assert outcome.status == "optimal"
    assert outcome.x is not None
    assert outcome.value == pytest.approx(best, rel=EQUAL)
    assert value_as_debt(case.valued(outcome.x).worth) == pytest.approx(best, rel=EQUAL)
    assert outcome.value_per_share_usd <= tried(name).best.per_share * (1.0 + EQUAL)


@pytest.mark.parametrize("name", TOYS)
def test_a_bound_at_any_price_is_a_bound(name: str) -> None:
    case, best = case_of(name), tried(name).best.per_share
    search = search_of(case)
    for share in (0.0, 0.3, 0.8, 1.0, 1.1, 2.0):
        price = share * best
        for integer in (False, True):
            result, surplus = search.at(price, integer=integer, gap_usd_m=search.in_usd_m(0.05, price))
            assert result.proved == "optimal"
            bound = search.farthest(price, surplus)
            assert best * (1.0 - 1e-9) <= bound <= price + max(0.0, surplus) / search.shares_m + 1e-9


@pytest.mark.parametrize("name", TOYS)
@pytest.mark.parametrize("gap", [0.02, 0.3, 0.9])
def test_a_plan_found_loosely_is_no_more_than_it_says(name: str, gap: float) -> None:
    """However early the search may stop, the best of all lies between its value and its bound."""
    case, best = case_of(name), tried(name).best.per_share
    outcome, _ = solved(case, Options(gap=gap))
    assert outcome.x is not None
    assert outcome.value <= best * (1.0 + 1e-9) <= outcome.bound * (1.0 + 2e-9)
    assert outcome.gap <= gap
    assert case.valued(outcome.x).per_share == pytest.approx(outcome.value, rel=1e-9)
