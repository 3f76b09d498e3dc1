"""The workbook of a plan: its sheets hold what its CSV files hold, and nothing in it runs."""

import csv
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from optimizer.pipeline import plan as find_plan
from optimizer.plans import workbook
from optimizer.plans.cells import FLOAT
from optimizer.plans.plan import Plan
from optimizer.plans.store import write
from optimizer.plans.tables import BY_NAME, TABLES

MakePlan = Callable[..., Plan]


def as_csv(cell: object) -> str:
    """A cell of the workbook as the CSV file writes it."""
    if isinstance(cell, bool) or cell is None:
        return {True: "True", False: "False"}.get(cell, "")  # type: ignore[call-overload, no-any-return]
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell)


def differences(folder: Path) -> list[str]:
    """Tables whose sheet is not their CSV file, or lacks its units."""
    book = load_workbook(folder / "plan.xlsx")
    wrong = []
    for table in TABLES:
        with (folder / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
            names, *rows = csv.reader(file)
        head, units, *cells = book[table.name].iter_rows(values_only=True)
        as_numbers = [[_number(cell) for cell in row] for row in rows]
        if (
            list(head) != names
            or [unit or "-" for unit in units] != [column.unit for column in table.columns]
            or [[_number(as_csv(cell)) for cell in row] for row in cells] != as_numbers
        ):
            wrong.append(table.name)
    return wrong


def _number(text: str) -> float | str:
    """As many digits as a workbook shows."""
    try:
        return float(FLOAT % float(text))
    except ValueError:
        return text


@pytest.fixture(scope="module")
def planned() -> Plan:
    """A plan of a shipped portfolio."""
    return find_plan("tiny")


def test_the_sheets_hold_what_the_csv_files_hold(make_plan: MakePlan, planned: Plan, tmp_path: Path) -> None:
    for name, plan in (("chain", make_plan()), ("tree", make_plan(tree=True)), ("tiny", planned)):
        folder = write(plan, tmp_path / name)
        assert differences(folder) == []
        with (folder / "value.csv").open("a", encoding="utf-8") as file:
            file.write("2027Q2:base,more,1\n")
        assert differences(folder) == ["value"]


def test_what_is_missing_or_without_end(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan()
    odd = plan.tables["covenants"].assign(threshold=float("inf"), headroom=float("nan"), metric=None)
    folder = write(
        replace(plan, tables={**plan.tables, "covenants": odd}, bound=float("inf")), tmp_path / "out"
    )
    assert differences(folder) == []


def test_the_summary_comes_first(planned: Plan, tmp_path: Path) -> None:
    book = load_workbook(write(planned, tmp_path / "out") / "plan.xlsx")
    assert book.sheetnames == ["summary", *(t.name for t in TABLES)]
    said = {row[0]: row[1] for row in book["summary"].iter_rows(values_only=True) if row[0]}
    assert said["value per share"] == pytest.approx(planned.value_per_share_usd)
    assert said["committed only, per share"] == pytest.approx(planned.committed_value_per_share_usd)
    assert (said["status"], said["audit"], said["taxes"]) == ("optimal", "passed", planned.taxes)
    assert said["gap"] == pytest.approx(planned.gap)
    assert said["audit: checks"] == planned.audit.checks
    assert said["decisions"] == len(planned.tables["decisions"])


@pytest.mark.parametrize("taxes", ["before tax", "after tax"])
def test_the_summary_says_whether_value_is_after_tax(make_plan: MakePlan, tmp_path: Path, taxes: str) -> None:
    book = load_workbook(write(make_plan(taxes=taxes), tmp_path / "out") / "plan.xlsx")
    assert ("taxes", taxes) in {row[:2] for row in book["summary"].iter_rows(values_only=True)}


def test_heads_are_frozen_and_numbers_formatted(make_plan: MakePlan, tmp_path: Path) -> None:
    book = load_workbook(write(make_plan(), tmp_path / "out") / "plan.xlsx")
    for table in TABLES:
        assert book[table.name].freeze_panes == "B3", table.name
    assert book["site_plan"]["D2"].value == "MW"
    assert book["site_plan"]["D3"].number_format == "#,##0.0"
    assert book["summary"]["B8"].number_format == "#,##0.00"
    assert all(len(name) <= 31 for name in BY_NAME)
    assert workbook.SUMMARY not in BY_NAME


def test_no_cell_runs(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(title="=1+1", name="@name", note="+note")
    book = load_workbook(write(plan, tmp_path / "out") / "plan.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s", "n"}
    texts = {cell.value for cell in cells if cell.data_type == "s"}
    assert texts >= {"'=1+1", "'@name", "'+note", "'=atm"}
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@"))]


def test_no_time_stands_in_the_file(make_plan: MakePlan, tmp_path: Path) -> None:
    with zipfile.ZipFile(write(make_plan(), tmp_path / "out") / "plan.xlsx") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        properties = archive.read("docProps/core.xml").decode()
    assert properties.count("2000-01-01T00:00:00Z") == properties.count("Z</dcterms:") == 2


def test_a_table_that_is_too_long_is_cut_and_says_so(
    make_plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 3)
    plan = make_plan()
    folder = write(plan, tmp_path / "out")
    book = load_workbook(folder / "plan.xlsx")
    assert book["decisions"].max_row == workbook.HEAD + 3
    (line,) = [row for row in book["summary"].iter_rows(values_only=True) if row[0] == "decisions"]
    assert line[1] == len(plan.tables["decisions"]) == len(pd.read_csv(folder / "decisions.csv"))
    assert line[2].endswith("the first 3 rows, all in decisions.csv")
