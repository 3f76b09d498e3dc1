"""The plan shown is polished: whole decisions whole to the last bit, in no account next to nothing."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from optimizer.audit.decisions import INTEGERS
from optimizer.plans.plan import Plan
from optimizer.solve.exact import HighsProgram
from optimizer.solve.options import Options
from optimizer.solve.outcome import MipResult
from optimizer.solve.per_share import best_per_share
from optimizer.solve.polish import DUST, FIT_NONE, FITS_NO_MORE, polished
from tests import portfolios as make
from tests.oracle import toys
from tests.oracle.enumeration import Case, search_of
from tests.oracle.test_statuses import planned

GAP = 1e-3
PORTFOLIOS = {
    "small": make.small,
    "guard rails": toys.guard_rails,
    "coins taxed": toys.coins_taxed,
    "deals on a tree": toys.deals_on_tree,
    "halls sold taxed": toys.halls_sold_taxed,
    "joint venture on a tree": toys.joint_venture_on_tree,
}


@cache
def shown(name: str, objective: str) -> Plan:
    """A plan."""
    options = Options(gap=GAP, objective=objective)  # type: ignore[arg-type]
    return planned(PORTFOLIOS[name](), options, tree="tree" in name)


@pytest.mark.parametrize("objective", ["per-share", "value"])
@pytest.mark.parametrize("name", PORTFOLIOS)
def test_what_is_shown_is_whole_and_without_dust(name: str, objective: str) -> None:
    result = shown(name, objective)
    decisions = result.tables["decisions"]
    whole = decisions["quantity"].isin([str(q) for q in INTEGERS])
    assert (decisions["value"][whole] % 1.0 == 0.0).all()
    assert (decisions["value"] >= DUST).all()
    assert result.certificate is not None
    x, is_integer = result.certificate.plan, result.certificate.is_integer
    assert (x[is_integer] % 1.0 == 0.0).all()
    assert not np.any((x != 0.0) & (np.abs(x) < DUST))


class Rough(HighsProgram):
    """Whole programs end with decisions that are almost whole, and amounts that are almost none."""

    def solve(self, cost: np.ndarray, **asked: object) -> MipResult:
        """Off by what a solver's tolerance lets pass."""
        found = super().solve(cost, **asked)  # type: ignore[arg-type]
        if found.x is None or not asked["integer"]:
            return found
        x = found.x + np.where((found.x == 0.0) & np.isinf(self.matrix.upper), 4e-7, 0.0)
        return replace(found, x=x + np.where(self.matrix.is_integer, 3e-7, 0.0))


@pytest.mark.parametrize("objective", ["per-share", "value"])
def test_a_rough_solution_is_shown_polished(objective: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = Options(gap=GAP, objective=objective)  # type: ignore[arg-type]
    smooth = planned(toys.deals(), options)
    monkeypatch.setattr("optimizer.solve.search.HighsProgram", Rough)
    rough = planned(toys.deals(), options)
    assert rough.value == pytest.approx(smooth.value, rel=1e-6)
    assert (rough.tables["decisions"]["value"] >= DUST).all()


def built(p: Portfolio) -> Case:
    return Case.of(p, make.chain_of(p))


def test_dust_that_is_needed_stays() -> None:
    """A floor of 4e-7 MW under what runs: nothing else fits, so it is kept; without the floor it is swept."""
    case = built(toys.machines())
    search = search_of(case)
    on = [case.matrix.column[id(d.variable)] for d in case.program.decisions if d.quantity is Quantity.ON_MW]
    objective = case.program.objective(1.0)
    case.matrix.upper[on] = 4e-7
    found = search.at(1.0, integer=True, gap_usd_m=1e-3)[0].x
    assert found is not None
    swept = polished(search, objective, found)
    assert swept is not None
    assert (swept[on] == 0.0).all()
    case.matrix.lower[on[0]] = 4e-7
    kept = polished(search, objective, found)
    assert kept is not None
    assert kept[on[0]] == pytest.approx(4e-7, rel=1e-6)


class Loose(HighsProgram):
    """Whatever fixes one decision at something, or more, has no plan."""

    refused: int
    least: float

    def solve(self, cost: np.ndarray, **asked: object) -> MipResult:
        """Infeasible where the column is fixed."""
        lower, upper = asked.get("lower"), asked.get("upper")
        fixed = isinstance(lower, np.ndarray) and isinstance(upper, np.ndarray)
        if fixed and not asked["integer"] and lower[self.refused] == upper[self.refused] >= self.least:
            return MipResult("infeasible", None, -np.inf, -np.inf)
        return super().solve(cost, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("least", [1.0, 0.0])
def test_a_plan_that_does_not_fit_rounded_is_not_shown(least: float) -> None:
    """The best plan begins modules; where those do not fit, the committed-only plan is shown, or none."""
    case = built(toys.conversion())
    solver = Loose(case.matrix, threads=1, seed=0, stop=search_of(case).stop)
    begun = [
        case.matrix.column[id(d.variable)] for d in case.program.decisions if d.quantity is Quantity.START
    ]
    found, _ = best_per_share(search_of(case))
    assert found.x is not None
    solver.refused = next(j for j in begun if found.x[j] >= 1.0)
    solver.least = least
    outcome, _ = best_per_share(search_of(case, solver))
    if least:
        assert outcome.note == FITS_NO_MORE
        assert outcome.x is not None
        assert outcome.value <= found.value
        assert outcome.bound >= found.value
        assert outcome.gap == pytest.approx(outcome.bound / outcome.value - 1.0)
    else:
        assert outcome.status == "no_plan"
        assert outcome.note == FIT_NONE
        assert outcome.x is None
