"""The price of a test is the value per share that lifting it gains, found again without HiGHS's interface."""

import threading
from functools import cache

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from optimizer.plans.extract import extract
from optimizer.solve.options import Options
from optimizer.solve.outcome import MipResult, Outcome
from optimizer.solve.prices import price_tests
from optimizer.solve.search import search_plan
from tests import portfolios as make
from tests.oracle.enumeration import Array, Case, search_of
from tests.oracle.test_enumeration import case_of, quiet, solved

TIGHT = Options(gap=1e-7)
RAILED = ("guard rails", "guard rails on a tree", "covenants")
EQUAL_USD = 1e-6


@cache
def found(name: str) -> Outcome:
    """The product's own plan of a toy, priced."""
    return solved(case_of(name), TIGHT)[0]


def without_rows(case: Case, x: Array, price: float, lifted: set[int]) -> Array:
    """The best continuous part with the whole decisions of ``x``, some rows taken out, by scipy."""
    m = case.matrix
    kept = np.array([i for i in range(len(m.rows)) if i not in lifted])
    a, low, high = csr_array(m.a)[kept], m.row_lower[kept], m.row_upper[kept]
    above, below = np.isfinite(high), np.isfinite(low)
    lower, upper = m.lower.copy(), m.upper.copy()
    lower[m.is_integer] = upper[m.is_integer] = np.round(x[m.is_integer])
    solution = linprog(
        -m.cost(case.program.objective(price)),
        A_ub=vstack([a[np.flatnonzero(above)], -a[np.flatnonzero(below)]]),
        b_ub=np.concatenate([high[above], -low[below]]),
        bounds=np.stack([lower, upper], axis=1),
        method="highs",
    )
    assert solution.status == 0, solution.message
    return np.asarray(solution.x)


@pytest.mark.parametrize("name", RAILED)
def test_a_price_is_what_lifting_the_test_gains(name: str) -> None:
    case, outcome = case_of(name), found(name)
    assert outcome.x is not None
    row_of = {id(row): i for i, row in enumerate(case.matrix.rows)}
    assert set(outcome.prices) == set(case.program.tests)
    for test, rows in case.program.tests.items():
        lifted = without_rows(case, outcome.x, outcome.value_per_share_usd, {row_of[id(row)] for row in rows})
        gain = case.valued(lifted).per_share - outcome.value_per_share_usd
        assert outcome.prices[test] == pytest.approx(max(0.0, gain), abs=EQUAL_USD)


@pytest.mark.parametrize("name", RAILED)
def test_some_tests_cost_and_some_do_not(name: str) -> None:
    prices = found(name).prices.values()
    assert max(prices) > 1e-3
    assert min(prices) == 0.0


@pytest.mark.parametrize("name", RAILED)
def test_a_price_stands_beside_each_row_of_its_test(name: str) -> None:
    case, outcome = case_of(name), found(name)
    assert outcome.x is not None
    case.matrix.load(outcome.x)
    table = extract(case.program, outcome.value_per_share_usd, outcome.prices)["covenants"]
    for row in table.to_dict("records"):
        assert row["price_usd_per_share"] == outcome.prices[row["covenant"]]


def test_tests_with_room_are_priced_without_a_solve() -> None:
    case = case_of("guard rails")
    p = make.with_rows(make.without(case.portfolio, "covenants"), "covenants", make.covenant("solvency", 0.1))
    p = make.with_rows(
        p, "covenants", make.covenant("recourse_debt", 300.0), make.covenant("cash_cover", 0.1)
    )
    loose = Case.of(p, case.tree)
    outcome, _ = search_plan(loose.program, loose.matrix, TIGHT, threading.Event(), quiet)

    class Watched:
        solves = 0

        def solve(self, *_: object, **__: object) -> MipResult:
            self.solves += 1
            return MipResult("nothing", None, -np.inf, np.inf)

    search = search_of(loose, Watched())
    cushions = {t.covenant.covenant for t in loose.program.measured if t.headroom.value < 1.0}
    assert cushions == set(), "each has room"
    assert set(price_tests(search, outcome).values()) == {0.0}
    assert search.solver.solves == 0


def test_a_lifted_row_is_put_back() -> None:
    case, outcome = case_of("guard rails"), found("guard rails")
    search = search_of(case)
    first = price_tests(search, outcome)
    assert price_tests(search, outcome) == pytest.approx(first, abs=EQUAL_USD)
    assert first == pytest.approx(dict(outcome.prices), abs=EQUAL_USD)


def test_under_value_a_price_is_value_per_opening_share() -> None:
    case = case_of("covenants")
    outcome, _ = solved(case, Options(gap=1e-7, objective="value"))
    assert outcome.x is not None
    row_of = {id(row): i for i, row in enumerate(case.matrix.rows)}
    search, objective = search_of(case), case.program.value_objective()
    for test, rows in case.program.tests.items():
        lifted = search.as_planned(objective, outcome.x, [row_of[id(row)] for row in rows])
        assert lifted is not None
        gain_usd_m = case.matrix.at(lifted, objective) - outcome.value
        expected = max(0.0, gain_usd_m) / case.portfolio.firm.basic_shares_m
        assert outcome.prices[test] == pytest.approx(expected, abs=1e-5)
    assert max(outcome.prices.values()) > 1e-3
