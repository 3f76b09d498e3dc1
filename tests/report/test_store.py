"""A plan on disk comes back as it was, replaces only a plan, and is never there by half."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from optimizer.plans import store
from optimizer.plans.plan import Audit, Plan
from optimizer.plans.store import StoreError, read_tables, refuse_foreign, write
from optimizer.plans.tables import TABLES

MakePlan = Callable[..., Plan]


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_every_table_comes_back(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan()
    folder = write(plan, tmp_path / "runs" / "one")
    back = read_tables(folder)
    assert list(back) == [t.name for t in TABLES]
    for name, frame in plan.tables.items():
        pd.testing.assert_frame_equal(back[name], frame, check_dtype=False)
    assert names(folder) == {
        "run.json",
        "plan.xlsx",
        *(f"{t.name}{end}" for t in TABLES for end in (".csv", ".parquet")),
    }
    assert names(folder.parent) == {"one"}


def test_run_json_says_what_is_not_in_the_tables(make_plan: MakePlan, tmp_path: Path) -> None:
    text = (write(make_plan(), tmp_path / "out") / "run.json").read_text()
    said = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    proved = {"name": "per-share", "value": 12.5, "bound": 12.55, "gap": 0.004, "bound_checked": 12.75}
    assert said["objective"] == proved
    assert said["audit"]["passed"] is True
    assert said["run"] == {"versions": {"python": "3.11"}, "bad": None}
    assert said["nodes"][1] == {"node": "2026Q4:base", "parent": "2026Q3:base", "probability": 1.0}
    assert said["tables"]["liquidity"]["columns"][1]["unit"] == "$M"


def test_a_spreadsheet_finds_no_formula(make_plan: MakePlan, tmp_path: Path) -> None:
    folder = write(make_plan(), tmp_path / "out")
    with (folder / "decisions.csv").open(encoding="utf-8") as file:
        items = [row["item"] for row in csv.DictReader(file)]
    assert "'=atm" in items
    assert "=atm" in set(read_tables(folder)["decisions"]["item"])


def test_parquet_columns_carry_their_units(make_plan: MakePlan, tmp_path: Path) -> None:
    folder = write(make_plan(), tmp_path / "out")
    field = pq.read_schema(folder / "site_plan.parquet").field("energised_mw")
    assert field.metadata == {b"unit": b"MW", b"role": b"audited"}


def test_the_same_plan_gives_the_same_bytes(make_plan: MakePlan, tmp_path: Path) -> None:
    one, two = write(make_plan(), tmp_path / "one"), write(make_plan(), tmp_path / "two")
    for file in one.iterdir():
        assert file.read_bytes() == (two / file.name).read_bytes(), file.name


def test_there_is_no_negative_zero(make_plan: MakePlan, tmp_path: Path) -> None:
    text = (write(make_plan(), tmp_path / "out") / "site_plan.csv").read_text()
    assert ",0,2026Q3" in text
    assert "-0" not in text


def test_an_earlier_plan_is_replaced_and_the_files_of_others_stay(
    make_plan: MakePlan, tmp_path: Path
) -> None:
    folder = write(make_plan(), tmp_path / "out")
    (folder / "notes.txt").write_text("mine")
    (folder / "charts").mkdir()
    (folder / "charts" / "one.txt").write_text("mine too")
    write(make_plan(title="another"), folder)
    assert json.loads((folder / "run.json").read_text())["title"] == "another"
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "charts" / "one.txt").read_text() == "mine too"
    assert names(tmp_path) == {"out"}


def test_an_empty_folder_is_used(make_plan: MakePlan, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert (write(make_plan(), tmp_path / "out") / "run.json").is_file()


def test_a_link_stays_a_link(make_plan: MakePlan, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(make_plan(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "run.json").is_file()


@pytest.mark.parametrize("run", [None, "{", "[]", '{"kind": "something else"}'])
def test_a_folder_of_others_is_refused(make_plan: MakePlan, tmp_path: Path, run: str | None) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    if run is not None:
        (tmp_path / "out" / "run.json").write_text(run)
    before = names(tmp_path / "out")
    with pytest.raises(StoreError, match="holds files but no plan"):
        write(make_plan(), tmp_path / "out")
    assert names(tmp_path / "out") == before


def test_a_file_and_the_working_folder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="is a file"):
        refuse_foreign(tmp_path / "file")
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    for folder in (Path(), Path("..")):
        with pytest.raises(StoreError, match="working folder"):
            refuse_foreign(folder)


def test_a_plan_that_fails_its_audit_goes_beside(make_plan: MakePlan, tmp_path: Path) -> None:
    good = write(make_plan(), tmp_path / "out")
    before = (good / "run.json").read_bytes()
    bad = write(make_plan(audit=Audit(False, 5, "x", ("x",))), tmp_path / "out")
    assert bad == tmp_path / "out.rejected"
    assert (good / "run.json").read_bytes() == before
    assert json.loads((bad / "run.json").read_text())["audit"]["failures"] == ["x"]


@pytest.mark.parametrize("step", ["_fill", "_carry_over", "_swap"])
@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_on_failure_the_earlier_plan_stays(
    make_plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, trouble: BaseException
) -> None:
    folder = write(make_plan(), tmp_path / "out")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def fail(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(store, step, fail)
    with pytest.raises((StoreError, KeyboardInterrupt)):
        write(make_plan(title="another"), folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert names(tmp_path) == {"out"}


def test_when_the_second_rename_fails_the_old_folder_comes_back(
    make_plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(make_plan(), tmp_path / "out")
    monkeypatch.setattr(store, "_exchanged", lambda *_: False)
    rename, calls = store.os.rename, []

    def second_fails(a: Path, b: Path) -> None:
        calls.append(b)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        rename(a, b)

    monkeypatch.setattr(store.os, "rename", second_fails)
    with pytest.raises(StoreError, match="Input/output error"):
        write(make_plan(title="another"), folder)
    assert json.loads((folder / "run.json").read_text())["title"] == "Small Mining [a test]"
    assert names(tmp_path) == {"out"}


def test_two_folders_change_places_at_one_stroke(
    make_plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a process killed at any moment leaves one plan or the other in its place."""
    folder = write(make_plan(), tmp_path / "out")
    exchanged, done = store._exchanged, []
    monkeypatch.setattr(store, "_exchanged", lambda *both: done.append(exchanged(*both)) or done[-1])
    write(make_plan(title="another"), folder)
    assert done == [True]
    assert json.loads((folder / "run.json").read_text())["title"] == "another"


def test_what_is_not_a_plan_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no plan"):
        read_tables(tmp_path)
