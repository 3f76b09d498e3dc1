"""Proofs to the gap that is promised: the shipped chain to 0.5 % in 120 s, a tree of three sites."""

from dataclasses import replace

import pytest

from optimizer.inputs.load import load
from optimizer.pipeline import plan
from optimizer.shipped import data_folder
from optimizer.solve.options import Options
from tests.bench.wide import wide_portfolio


@pytest.mark.timeout(600)
def test_iren_is_proved_to_half_a_percent_within_its_limit() -> None:
    result = plan("iren", options=Options(gap=0.005, time_limit_s=120.0))
    assert result.status == "optimal"
    assert result.gap <= 0.005
    assert result.audit.passed


@pytest.mark.timeout(900)
def test_iren_on_the_five_scenarios_builds_runs_and_reports_its_gap() -> None:
    result = plan("iren", options=Options(gap=0.005, time_limit_s=240.0), tree=True)
    assert result.status in ("optimal", "feasible")
    assert result.audit.passed
    assert result.bound >= result.value_per_share_usd


@pytest.mark.timeout(600)
def test_a_tree_of_toy_sites_is_proved() -> None:
    """Two copies of the starter's two sites under five scenarios and two branch dates."""
    loaded = load(data_folder() / "templates" / "starter")
    portfolio = wide_portfolio(loaded.portfolio, sites=4, quarters=loaded.portfolio.firm.horizon_q)
    result = plan(
        replace(loaded, portfolio=portfolio), options=Options(gap=0.005, time_limit_s=300.0), tree=True
    )
    assert result.status == "optimal"
    assert len(result.tree.leaves) == 5
    assert result.audit.passed


def test_rescue_is_zero_at_the_optimum_of_every_shipped_portfolio() -> None:
    for name in ("iren", "tiny", "capital-rationing"):
        decisions = plan(name, options=Options(gap=0.02, time_limit_s=60.0)).tables["decisions"]
        assert "rescue" not in set(decisions["quantity"])
