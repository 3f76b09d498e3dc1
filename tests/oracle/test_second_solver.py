"""Another solver, reading the exported file or behind the same search, proves the same optimum."""

import threading
from pathlib import Path
from typing import Literal

import highspy
import pyscipopt
import pytest

from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.solve.options import Options
from optimizer.solve.other import UnknownSolverError
from optimizer.solve.outcome import Outcome
from optimizer.solve.search import search_plan, write_model
from tests import portfolios as make
from tests.oracle.enumeration import Case
from tests.oracle.toys import TOYS

GAP = 1e-4
EXPORTED = ("conversion on a tree", "deals", "deals on a tree", "cloud", "covenants", "commitments")
SEARCHED = ("conversion on a tree", "deals", "project debt")


def case_of(name: str) -> Case:
    """A toy, built; not shared, as another solver touches the model."""
    portfolio, time_of = TOYS[name]
    return Case.of(portfolio(), time_of(portfolio()))


def solved(case: Case, options: Options) -> Outcome:
    """The product's own search."""
    return search_plan(case.program, case.matrix, options, threading.Event(), lambda *_: None)[0]


def scip_optimum(file: Path) -> float:
    """Least objective of a model file by SCIP. [$M]"""
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(file))
    model.setParam("limits/gap", 0.0)
    model.optimize()
    assert model.getStatus() == "optimal"
    return float(model.getObjVal())


def highs_optimum(file: Path) -> float:
    """The same by HiGHS, read from the file."""
    h = highspy.Highs()  # type: ignore[no-untyped-call]
    h.setOptionValue("output_flag", False)
    h.setOptionValue("mip_rel_gap", 0.0)
    assert h.readModel(str(file)) == highspy.HighsStatus.kOk
    h.run()
    assert h.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(h.getInfo().objective_function_value)


@pytest.mark.parametrize("name", EXPORTED)
@pytest.mark.parametrize("ending", [".mps", ".lp"])
def test_the_exported_file_has_the_plan_as_its_optimum(name: str, ending: str, tmp_path: Path) -> None:
    case = case_of(name)
    outcome = solved(case, Options(gap=1e-7))
    file = tmp_path / f"toy{ending}"
    write_model(case.program, outcome, file)
    # at the plan's own value per share, E[V] less claims is what today's shares are worth
    todays = outcome.value_per_share_usd * case.portfolio.firm.basic_shares_m
    assert scip_optimum(file) == pytest.approx(-todays, rel=1e-6)
    assert highs_optimum(file) == pytest.approx(-todays, rel=1e-6)
    assert repr(outcome.value_per_share_usd) in file.read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize("name", SEARCHED)
@pytest.mark.parametrize("objective", ["per-share", "value"])
@pytest.mark.parametrize("solver", ["scip", "appsi_highs"])  # Pyomo's newer interface and its older one
def test_the_search_with_another_solver_ends_at_the_same_plan(
    name: str, objective: Literal["per-share", "value"], solver: str
) -> None:
    highs = solved(case_of(name), Options(gap=GAP, objective=objective))
    scip = solved(case_of(name), Options(gap=GAP, objective=objective, solver=solver))
    assert highs.status == scip.status == "optimal"
    assert scip.value == pytest.approx(highs.value, rel=GAP)
    assert scip.value <= highs.bound * (1.0 + 1e-9)
    assert highs.value <= scip.bound * (1.0 + 1e-9)
    assert scip.value_per_share_usd > 0.0


def test_scip_agrees_on_everything_at_once_on_a_tree() -> None:
    def built() -> tuple[Portfolio, TimeTree]:
        p = make.two_scenarios(make.add_deals(make.add_project_debt(make.small())))
        return p, make.tree_of(p)

    highs = solved(Case.of(*built()), Options(gap=0.01))
    scip = solved(Case.of(*built()), Options(gap=0.01, solver="scip"))
    assert highs.status == scip.status == "optimal"
    assert scip.value <= highs.bound * (1.0 + 1e-9)
    assert highs.value <= scip.bound * (1.0 + 1e-9)


@pytest.mark.parametrize("name", ["no-such-solver", "gurobi", ""])
def test_an_unknown_solver_is_named(name: str) -> None:
    with pytest.raises(UnknownSolverError, match=name or "solver"):
        solved(case_of("project debt"), Options(solver=name))


def test_only_model_files_are_written(tmp_path: Path) -> None:
    case = case_of("project debt")
    outcome = solved(case, Options(gap=GAP))
    with pytest.raises(ValueError, match=r"toy\.txt"):
        write_model(case.program, outcome, tmp_path / "toy.txt")
