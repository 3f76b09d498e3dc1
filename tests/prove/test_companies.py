"""The seven companies: proved to half a percent within their limits, no rescue; SCIP agrees on two."""

from pathlib import Path

import pyscipopt
import pytest

from optimizer.inputs.load import load
from optimizer.pipeline import plan
from optimizer.solve.options import Options
from tests.inputs.test_disclosed import COMPANIES

GAP = 0.005
LIMITS_S = {"cleanspark": 480.0, "bitdeer": 480.0}
"""Two trees of branch and bound take longer than the 120 s of the others; figures in docs/status.md."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", COMPANIES)
def test_a_company_is_proved_and_needs_no_rescue(name: str) -> None:
    result = plan(name, options=Options(gap=GAP, time_limit_s=LIMITS_S.get(name, 120.0)))
    assert result.audit.passed
    assert result.status == "optimal", f"{result.status}, gap {result.gap:.2%}"
    assert "rescue" not in set(result.tables["decisions"]["quantity"])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["bitfarms", "core-scientific"])
def test_scip_agrees_on_the_exported_program(name: str, tmp_path: Path) -> None:
    """At the plan's lambda the best E[V] less claims is lambda N0: neither solver beats the other's bound."""
    file, loaded = tmp_path / "plan.mps", load(name)
    result = plan(loaded, options=Options(gap=GAP, time_limit_s=300.0), export=file)
    shares_m = loaded.portfolio.firm.basic_shares_m
    todays, most = result.value_per_share_usd * shares_m, result.bound * shares_m
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(file))
    model.setParam("limits/gap", GAP)
    model.setParam("limits/time", 1800.0)
    model.optimize()
    assert model.getStatus() in ("optimal", "gaplimit"), model.getStatus()
    found, bound = -float(model.getObjVal()), -float(model.getDualbound())
    assert bound >= todays * (1.0 - 1e-6)
    # what SCIP found is worth more at this lambda by no more than HiGHS left open, and less by SCIP's own gap
    assert todays * (1.0 - 2.0 * GAP) <= found <= max(most, todays * (1.0 + GAP))
