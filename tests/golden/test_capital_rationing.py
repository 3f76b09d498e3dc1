"""Golden case: the nine projects of Lorie and Savage, whose optimum under two budgets is published."""

import re
import threading
from functools import cache
from itertools import product

import numpy as np
import pytest

from models.blocks.program import build_program
from models.domain.futures import scenario_chain
from models.domain.ledger import Quantity
from models.params.params import compile_params
from optimizer.inputs.load import load
from optimizer.pipeline import plan
from optimizer.shipped import data_folder
from optimizer.solve.exact import HighsProgram
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.per_share import Search

NAME = "capital-rationing"
CASH = 300.0
BEST = (1, 3, 4, 6, 9)
BEST_NPV = 70
RELAXED_NPV = 70.2727
"""Weingartner's linear program: projects 1, 3, 4 and 9, 97 % of 6 and 4.5 % of 7."""
Chosen = tuple[int, ...]


def table() -> list[tuple[int, ...]]:
    """Project, outlays and net present value, as the README prints them."""
    text = (data_folder() / "portfolios" / NAME / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (\d+) \| (\d+) \| (\d+) \|$", text, flags=re.MULTILINE)
    return [tuple(map(int, row)) for row in rows]


PROJECTS = table()
BUDGETS = (50, 20)
SUBSETS = tuple(
    tuple(p[0] for p, taken in zip(PROJECTS, taken_of, strict=True) if taken)
    for taken_of in product((False, True), repeat=len(PROJECTS))
)


def total(chosen: Chosen, column: int) -> int:
    return sum(p[column] for p in PROJECTS if p[0] in chosen)


def fits(chosen: Chosen) -> bool:
    return all(total(chosen, period) <= cap for period, cap in zip((1, 2), BUDGETS, strict=True))


@cache
def search() -> Search:
    """The program of the shipped portfolio."""
    portfolio = load(NAME).portfolio
    program = build_program(compile_params(portfolio, scenario_chain(portfolio, "certain")))
    matrix, stop = compile_matrix(program.model), threading.Event()
    solver = HighsProgram(matrix, threads=1, seed=0, stop=stop)
    return Search(program, matrix, solver, Options(), stop, lambda *_: None, 0.0)


def test_the_published_optimum_by_enumeration() -> None:
    assert len(SUBSETS) == 512
    worth = sorted(((total(s, 3), s) for s in SUBSETS if fits(s)), reverse=True)
    assert worth[0] == (BEST_NPV, BEST)
    assert worth[1][0] == 58


@pytest.mark.parametrize("objective", ["value", "per-share"])
def test_the_plan_is_the_published_optimum(objective: str) -> None:
    found = plan(NAME, options=Options(objective="value" if objective == "value" else "per-share", gap=1e-7))
    begun = found.tables["decisions"].query("quantity == 'start'")
    assert found.status == "optimal"
    assert found.audit.passed
    assert dict(zip(begun["site"], begun["value"], strict=True)) == {f"project-{p}": 1.0 for p in BEST}
    assert found.value_per_share_usd == pytest.approx((CASH + BEST_NPV) / 10.0)
    assert found.committed_value_per_share_usd == pytest.approx(CASH / 10.0)
    wanted = CASH + BEST_NPV if objective == "value" else (CASH + BEST_NPV) / 10.0
    assert (found.value, found.bound) == (pytest.approx(wanted), pytest.approx(wanted))


def test_spend_is_the_published_outlay() -> None:
    found = plan(NAME, options=Options(gap=1e-7)).tables["cash_flow"]
    spent = found[found["line"] == "module_spend"].groupby("node")["usd_m"].sum()
    spent = spent[spent.abs() > 1e-9]
    assert spent.to_dict() == {
        f"2027Q{period}:certain": pytest.approx(-total(BEST, period)) for period in (1, 2)
    }


def test_the_program_values_every_subset() -> None:
    """With the projects given, it is worth what it is worth, or breaks a budget."""
    s = search()
    starts = {
        d.site: s.matrix.column[id(d.variable)] for d in s.program.decisions if d.quantity is Quantity.START
    }
    assert len(starts) == len(PROJECTS)
    cost = s.matrix.cost(s.program.value_objective())
    for chosen in SUBSETS:
        lower, upper = s.matrix.lower.copy(), s.matrix.upper.copy()
        for p in PROJECTS:
            column = starts[f"project-{p[0]}"]
            lower[column] = upper[column] = float(p[0] in chosen)
        found = s.solver.solve(
            cost, integer=True, gap_usd_m=1e-9, time_limit_s=10.0, lower=lower, upper=upper
        )
        assert (found.x is not None) == fits(chosen), chosen
        if found.x is not None:
            worth = s.matrix.at(found.x, s.program.value_objective())
            assert worth == pytest.approx(CASH + total(chosen, 3), abs=1e-6), chosen


def test_the_relaxation_is_the_published_linear_program() -> None:
    s = search()
    cost = s.matrix.cost(s.program.value_objective())
    found = s.solver.solve(cost, integer=False, gap_usd_m=1e-9, time_limit_s=10.0)
    assert found.x is not None
    assert s.matrix.at(found.x, s.program.value_objective()) == pytest.approx(CASH + RELAXED_NPV, abs=1e-4)
    parts = [
        found.x[s.matrix.column[id(d.variable)]] for d in s.program.decisions if d.quantity is Quantity.START
    ]
    assert np.round(parts, 3) == pytest.approx([1, 0, 1, 1, 0, 0.970, 0.045, 0, 1])
