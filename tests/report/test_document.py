"""The JSON document has the promised keys whatever became of the run, and no number that is none."""

import json
from collections.abc import Callable

import pytest

from models.findings import Finding
from optimizer.plans.plan import Plan
from optimizer.report.document import as_text, plan_document, without_plan

MakePlan = Callable[..., Plan]
KEYS = {
    "status", "objective", "value_per_share_usd", "committed_value_per_share_usd", "implied_return",
    "shares_m", "seconds", "audit", "sites", "financing", "findings", "note", "loop", "taxes",
    "own_price_usd", "stress",
}  # fmt: skip


def parsed(document: dict[str, object]) -> dict[str, object]:
    def refuse(word: str) -> None:
        pytest.fail(f"{word} is not JSON")

    found: dict[str, object] = json.loads(as_text(document), parse_constant=refuse)
    return found


def test_a_plan(make_plan: MakePlan) -> None:
    said = parsed(plan_document(make_plan()))
    assert set(said) == KEYS
    proved = {"name": "per-share", "value": 12.5, "bound": 12.55, "gap": 0.004, "bound_checked": 12.75}
    assert said["objective"] == proved
    assert said["own_price_usd"] == 12.75
    assert said["seconds"] == {"read": 0.1, "build": 0.2, "solve": 0.3, "audit": 0.4, "total": 1.0}
    assert said["audit"] == {"passed": True, "checks": 1234, "worst": "CSH-2 2026Q4"}
    alpha = {"site": "alpha", "strategy": "hybrid", "hpc_critical_mw": 40.0, "hpc_gross_mw": 60.0}
    assert said["sites"][0] == {**alpha, "mining_mw": 30.0, "capex_usd_m": 800.0}  # type: ignore[index]
    assert said["financing"] == [
        {"instrument": "atm", "amount_usd_m": 200.0},
        {"instrument": "note-a", "amount_usd_m": 1500.0},
    ]


def test_on_a_tree_amounts_are_expected(make_plan: MakePlan) -> None:
    said = parsed(plan_document(make_plan(tree=True)))
    assert said["financing"][0] == {"instrument": "atm", "amount_usd_m": 50.0}  # type: ignore[index]
    assert said["sites"][0]["strategy"] == "hybrid/full"  # type: ignore[index]


@pytest.mark.parametrize("status", ["infeasible", "unbounded", "no_plan"])
def test_no_plan(no_plan: MakePlan, status: str) -> None:
    said = parsed(plan_document(no_plan(status)))
    assert set(said) == KEYS
    nothing = dict.fromkeys(("value", "bound", "gap", "bound_checked"))
    assert said["objective"] == {"name": "per-share", **nothing}
    assert said["value_per_share_usd"] is None
    assert said["audit"] is None


def test_input_errors() -> None:
    finding = Finding("error", "code", "sites", "alpha", "region", "wrong", "right")
    said = parsed(without_plan("input_errors", [finding]))
    assert set(said) == KEYS
    assert said["findings"][0]["remedy"] == "right"  # type: ignore[index]
