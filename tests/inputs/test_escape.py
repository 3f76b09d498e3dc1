"""Cells that a spreadsheet would run: quoted in every file written, whole when they are read again."""

import csv
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from optimizer.inputs.convert import write_workbook
from optimizer.inputs.escape import escaped, unescaped
from optimizer.inputs.load import load
from optimizer.inputs.template import write_template
from optimizer.plans import cells

FORMULAS = ("=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(A1)", "'=quoted", "''+twice", "=HYPERLINK(0)")
SIGNS = st.text(st.sampled_from("'=+-@\t\r1.e "), max_size=6)


@given(SIGNS)
def test_what_is_escaped_runs_nothing_and_comes_back(text: str) -> None:
    shown = escaped(text)
    assert unescaped(shown) == text
    try:
        float(shown)
    except ValueError:
        assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("note", FORMULAS)
def test_formulas_in_cells_pass_through_folders_and_workbooks(draft: Any, tmp_path: Path, note: str) -> None:
    draft.set("sites", "alpha", note=escaped(note)).set("debt", "gpu-loan", source=escaped(note))
    folder = draft.write()
    before = load(folder).portfolio
    assert before.sites[0].note == note
    write_template(tmp_path / "copy", folder)
    write_workbook(tmp_path / "copy.xlsx", folder)
    assert load(tmp_path / "copy").portfolio == load(tmp_path / "copy.xlsx").portfolio == before
    text = (tmp_path / "copy" / "sites.csv").read_text(encoding="utf-8")
    shown = [c for row in csv.reader(io.StringIO(text)) for c in row if not row[0].startswith("#")]
    shown += [
        c.value
        for sheet in load_workbook(tmp_path / "copy.xlsx").worksheets
        for row in sheet.iter_rows()
        for c in row
        if isinstance(c.value, str)
    ]
    assert escaped(note) in shown
    assert not [c for c in shown if c.startswith(("=", "+", "@"))]


def test_cells_of_a_plan_are_escaped_alike() -> None:
    column = pd.Series([*FORMULAS, "alpha", "-5"])
    assert cells.escaped(column).map(unescaped).tolist() == column.tolist()
    assert cells.escaped(column).tolist()[0].startswith("'=")
