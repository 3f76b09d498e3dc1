"""Proofs to the gap that is promised: the shipped chain to 0.5 % in 120 s, a tree of three sites."""

import pytest

from optimizer.pipeline import plan
from optimizer.solve.options import Options


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
