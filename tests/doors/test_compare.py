"""The strategies side by side, from the command and from Python."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.inputs.load import load
from optimizer.shipped import data_folder
from optimizer.solve.options import Options
from optimizer.studies.compare import STRATEGIES, Compared, compare


@pytest.fixture(scope="module")
def found() -> dict[str, Compared]:
    starter = load(data_folder() / "templates" / "starter")
    return {c.strategy: c for c in compare(starter, options=Options(gap=1e-3))}


def test_each_strategy_is_planned_and_audited(found: dict[str, Compared]) -> None:
    assert tuple(found) == STRATEGIES
    assert all(c.plan.audit.passed and c.plan.status == "optimal" for c in found.values())


def test_no_strategy_is_worth_more_than_the_optimal_plan(found: dict[str, Compared]) -> None:
    best = found["optimal"].plan
    for c in found.values():
        assert c.plan.value_per_share_usd <= best.bound * (1.0 + 1e-9)


def test_what_is_lost_adds_up_to_the_difference(found: dict[str, Compared]) -> None:
    """Lines of value less claims, per basic share, are the value per share."""
    best = found["optimal"].plan.value_per_share_usd
    for c in found.values():
        assert sum(usd for _, usd in c.lost) == pytest.approx(c.plan.value_per_share_usd - best, abs=1e-3)


def test_mining_begins_nothing(found: dict[str, Compared]) -> None:
    mine = found["mine"]
    assert mine.hpc_critical_mw == 0.0
    assert "start" not in set(mine.plan.tables["decisions"]["quantity"])
    assert mine.unmet_mw == 0.0


def test_figures_are_those_of_the_tables(found: dict[str, Compared]) -> None:
    plan = found["optimal"].plan
    debt = plan.tables["debt_schedule"].groupby("node")["balance_usd_m"].sum()
    notes = plan.tables["convert_schedule"].groupby("node")["outstanding_usd_m"].sum()
    assert found["optimal"].peak_debt_usd_m == pytest.approx(debt.add(notes, fill_value=0.0).max())
    cash = plan.tables["liquidity"]
    least = (cash["company_cash_usd_m"] + cash["block_cash_usd_m"]).min()
    assert found["optimal"].least_liquidity_usd_m == pytest.approx(least)


def test_what_is_not_had_is_said(found: dict[str, Compared]) -> None:
    """No tenant of the starter leaves slack to machines."""
    assert any(
        line.startswith("a contract that leaves slack") and "west" in line
        for line in found["flexible"].missed
    )


def test_the_command_prints_one_document(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "optimizer.cli",
        "compare",
        "tiny",
        "--json",
        "--out",
        str(tmp_path / "c"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [s["strategy"] for s in document["strategies"]] == list(STRATEGIES)
    assert (
        document["strategies"][0]["value_per_share_usd"] > document["strategies"][-1]["value_per_share_usd"]
    )
    assert all((tmp_path / "c" / s / "run.json").is_file() for s in STRATEGIES)


def test_the_command_refuses_an_unknown_scenario() -> None:
    command = [sys.executable, "-m", "optimizer.cli", "compare", "tiny", "--scenario", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "nowhere" in done.stderr
