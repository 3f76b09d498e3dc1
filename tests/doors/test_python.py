"""The Python interface: what it refuses before any work, and in which words."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from optimizer import load, plan
from optimizer.pipeline import ExportError, UnknownScenarioError
from optimizer.solve.options import Options


@pytest.mark.parametrize(
    ("changed", "allowed"),
    [
        ({"objective": "glory"}, "per-share or value"),
        ({"gap": -0.1}, "finite number"),
        ({"gap": float("nan")}, "finite number"),
        ({"gap": "0.1"}, "finite number"),
        ({"time_limit_s": -1}, "seconds"),
        ({"time_limit_s": float("inf")}, "seconds"),
        ({"method": "magic"}, "exact"),
        ({"solver": None}, "highs"),
        ({"threads": 0}, "from 1 to 64"),
        ({"threads": True}, "from 1 to 64"),
        ({"threads": 65}, "from 1 to 64"),
        ({"seed": 2**31}, "from 0 to 2147483647"),
    ],
)
def test_options_say_what_is_allowed(changed: dict[str, object], allowed: str) -> None:
    with pytest.raises(ValueError, match=next(iter(changed))) as refusal:
        Options(**changed)  # type: ignore[arg-type]
    assert allowed in str(refusal.value)


def test_all_that_is_wrong_with_options_is_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"gap is -2; .*seed is -1; "):
        Options(gap=-2, seed=-1)


def test_a_tree_has_no_scenario() -> None:
    with pytest.raises(ValueError, match="not both"):
        plan("tiny", tree=True, scenario="flat")
    loaded = load("tiny")
    unweighted = tuple(s.model_copy(update={"probability": None}) for s in loaded.portfolio.scenarios)
    bare = replace(loaded, portfolio=loaded.portfolio.model_copy(update={"scenarios": unweighted}))
    with pytest.raises(ValueError, match="no scenario of the deck carries a probability"):
        plan(bare, tree=True)


def test_an_unknown_scenario_is_told_with_the_known_ones() -> None:
    with pytest.raises(KeyError) as refusal:
        plan("tiny", scenario="nirvana")
    assert isinstance(refusal.value, UnknownScenarioError)
    assert str(refusal.value) == "there is no scenario 'nirvana'; known: flat"


def test_an_export_is_named_by_a_str_and_refused_before_the_solve(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"neither in \.mps nor in \.lp"):
        plan("tiny", export="program.xls", stop=threading.Event())
    plan("tiny", export=str(tmp_path / "Program.Mps"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["Program.Mps"]


def test_a_failed_export_carries_the_plan(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="No such file") as failure:
        plan("tiny", export=tmp_path / "none" / "program.mps")
    assert failure.value.plan.audit.passed


def test_one_override_is_a_str() -> None:
    assert load("tiny", overrides="company[Tiny Mining].price_usd=9").portfolio.firm.price_usd == 9.0
