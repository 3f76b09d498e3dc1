"""Infeasible and unbounded are told apart, also where only whole numbers make the difference."""

import threading

import numpy as np
import pyomo.environ as pyo
import pytest

from models.blocks.linear import at_most, term
from optimizer.solve.exact import HighsProgram
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.other import PyomoProgram
from optimizer.solve.outcome import MipResult

SOLVERS = ("highs", "scip", "appsi_highs")
OLDER = "appsi_highs"
"""An interface that raises where there is no solution: then nothing is claimed."""


COST = np.array([1.0, 1.0, 0.0])


def model(least: float, *, bound: bool) -> pyo.ConcreteModel:
    """Most of x + y, where ``least`` <= 2 x <= 1.8, x whole, and y at most z, which ``bound`` keeps within 3.

    2 x between 0.8 and 1.8 has no whole x, between 0 and 1.8 it has one; y and z alone may grow for ever.
    """
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.NonNegativeIntegers, bounds=(0, 5))
    m.y = pyo.Var(domain=pyo.NonNegativeReals)
    m.z = pyo.Var(domain=pyo.NonNegativeReals)
    m.over = pyo.Constraint(expr=at_most(term(m.x, 2.0), 1.8))
    m.under = pyo.Constraint(expr=at_most(term(m.x, -2.0), -least))
    m.held = pyo.Constraint(expr=at_most(term(m.y) - term(m.z), 0.0))
    if bound:
        m.short = pyo.Constraint(expr=at_most(term(m.z), 3.0))
    return m


def solved(least: float, *, bound: bool, name: str, integer: bool) -> MipResult:
    """By a solver, twice: what it found out must leave no trace."""
    m = model(least, bound=bound)
    matrix = compile_matrix(m)
    highs = HighsProgram(matrix, threads=1, seed=0, stop=threading.Event()) if name == "highs" else None
    solver = highs or PyomoProgram(m, matrix, name)
    once, again = (solver.solve(COST, integer=integer, gap_usd_m=0.0, time_limit_s=10.0) for _ in range(2))
    assert again.proved == once.proved
    return once


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize(
    ("least", "bound", "integer", "said"),
    [
        (0.0, False, True, "unbounded"),
        (0.8, False, True, "infeasible"),
        (0.8, True, True, "infeasible"),
        (0.0, True, True, "optimal"),
        (0.8, False, False, "unbounded"),
        (1.9, False, False, "infeasible"),
        (0.8, True, False, "optimal"),
    ],
)
def test_the_two_are_told_apart(name: str, least: float, bound: bool, integer: bool, said: str) -> None:
    result = solved(least, bound=bound, name=name, integer=integer)
    assert result.proved == said or (name == OLDER and result.proved == "nothing")
    assert (result.x is None) == (said != "optimal")
    if said == "unbounded" and name == "highs":
        assert set(result.loop) == {"y", "z"}
    if said == "optimal":
        assert result.value == pytest.approx(3.0 if integer else 3.9)


@pytest.mark.parametrize(("least", "said"), [(0.0, "unbounded"), (0.8, "infeasible")])
def test_a_ray_of_the_relaxation_is_not_taken_for_one_of_a_plan(least: float, said: str) -> None:
    """Asked after a solver that could not tell: only where whole numbers have a plan does the ray count."""
    solver = HighsProgram(
        compile_matrix(model(least, bound=False)), threads=1, seed=0, stop=threading.Event()
    )
    solver.solve(COST, integer=True, gap_usd_m=0.0, time_limit_s=10.0)
    assert solver._unbounded().proved == said


def test_who_is_interrupted_cannot_tell() -> None:
    stop = threading.Event()
    solver = HighsProgram(compile_matrix(model(0.0, bound=False)), threads=1, seed=0, stop=stop)
    solver.solve(COST, integer=False, gap_usd_m=0.0, time_limit_s=10.0)
    solver.highs.setOptionValue("simplex_iteration_limit", 0)
    assert solver._unbounded().proved == "nothing"
