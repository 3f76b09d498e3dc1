"""A plan as one workbook: a summary, then a sheet for each table, units below the names of columns."""

import io
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from optimizer.plans.cells import FLOAT, as_text
from optimizer.plans.plan import Plan
from optimizer.plans.tables import BY_NAME, Table

FILE = "plan.xlsx"
SUMMARY = "summary"
MADE = datetime(2000, 1, 1)
"""Stands in the file as the day on which it was made: the same plan gives the same bytes."""
HEAD = 2
"""Lines of a table's sheet above its rows: names and units."""
MAX_ROWS = 100_000
"""Rows of a table on its sheet; a longer one is whole in its CSV and Parquet files."""
FORMATS = {
    "$M": "#,##0.0",
    "M": "#,##0.00",
    "MW": "#,##0.0",
    "MWh": "#,##0",
    "BTC": "#,##0.00",
    "USD": "#,##0.00",
    "fraction": "0.0%",
    "times": "0.00",
}
"""How a spreadsheet shows numbers by their unit; others as they are."""
WIDEST = 50
"""Of a column. [signs]"""
MEASURED = 200
"""Rows that say how wide a column is."""


def workbook(plan: Plan, tables: Mapping[str, pd.DataFrame]) -> bytes:
    """The workbook of a plan; ``tables`` are its declared tables with escaped cells, in order."""
    from xlsxwriter import Workbook  # when it is needed: most runs write nothing

    content = io.BytesIO()
    book = Workbook(content, {"in_memory": True})
    book.set_properties({"title": plan.title, "created": MADE})
    bold = book.add_format({"bold": True})
    grey = book.add_format({"font_color": "#808080", "bottom": 1})
    formats = {unit: book.add_format({"num_format": shown}) for unit, shown in FORMATS.items()}
    _summary(book.add_worksheet(SUMMARY), plan, tables, bold, formats)
    for name, frame in tables.items():
        _table(book.add_worksheet(name), BY_NAME[name], frame.head(MAX_ROWS), (bold, grey), formats)
    book.close()
    return content.getvalue()


def _summary(
    sheet: Any, plan: Plan, tables: Mapping[str, pd.DataFrame], bold: Any, formats: Mapping[str, Any]
) -> None:
    """What was proved and what a share is worth, then what the other sheets hold."""
    lines: list[tuple[str, object, str]] = [
        ("portfolio", plan.name, ""),
        ("as of", plan.as_of, ""),
        ("scenario", plan.scenario, ""),
        ("status", plan.status, ""),
        ("note", plan.note, ""),
        ("value per share", plan.value_per_share_usd, "USD"),
        ("committed only, per share", plan.committed_value_per_share_usd, "USD"),
        ("share price at the opening", plan.price_usd, "USD"),
        ("implied return per year", plan.implied_return, "fraction"),
        ("economic shares at the horizon", plan.shares_m, "M"),
        ("objective", plan.objective, ""),
        ("of the objective: this plan", plan.value, _unit_of_objective(plan)),
        ("of the objective: no plan is above", plan.bound, _unit_of_objective(plan)),
        ("of the objective: bound checked by the audit", plan.audit.bound_checked, _unit_of_objective(plan)),
        ("gap", plan.gap, ""),
        ("value beyond the horizon", plan.beyond_horizon_frac, "fraction"),
        ("value beyond contracts signed at the opening", plan.beyond_contracts_frac, "fraction"),
        ("taxes", plan.taxes, ""),
        ("audit", "passed" if plan.audit.passed else "FAILED", ""),
        ("audit: checks", plan.audit.checks, ""),
        ("audit: closest to its tolerance", plan.audit.worst, ""),
        ("money inputs", plan.evidence.money_inputs, ""),
        ("money inputs that are guesses", plan.evidence.guesses, ""),
    ]
    sheet.write_string(0, 0, str(as_text(plan.title)), bold)
    for at, (name, value, unit) in enumerate(lines, 2):
        sheet.write_string(at, 0, name)
        _write(sheet, at, 1, as_text(value), formats.get(unit))
        sheet.write_string(at, 2, "" if unit == "fraction" else unit)
    start = len(lines) + 3
    for n, name in enumerate(("sheet", "rows", "what it holds")):
        sheet.write_string(start, n, name, bold)
    for at, (name, frame) in enumerate(tables.items(), start + 1):
        cut = f"; the first {MAX_ROWS:,} rows, all in {name}.csv" if len(frame) > MAX_ROWS else ""
        sheet.write_string(at, 0, name)
        sheet.write_number(at, 1, len(frame))
        sheet.write_string(at, 2, BY_NAME[name].purpose + cut)
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 1, 24)
    sheet.set_column(2, 2, 80)
    sheet.freeze_panes(1, 0)


def _unit_of_objective(plan: Plan) -> str:
    return "USD" if plan.objective == "per-share" else "$M"


def _table(
    sheet: Any, table: Table, frame: pd.DataFrame, heads: tuple[Any, Any], formats: Mapping[str, Any]
) -> None:
    """Names, units and rows; the head and the first key stay in sight."""
    for n, column in enumerate(table.columns):
        cells = frame[column.name].tolist()
        shown = formats.get(column.unit)
        sheet.write_string(0, n, column.name, heads[0])
        sheet.write_string(1, n, "" if column.unit == "-" else column.unit, heads[1])
        for at, cell in enumerate(cells, HEAD):
            _write(sheet, at, n, cell, shown)
        longest = max((len(cell) for cell in cells[:MEASURED] if isinstance(cell, str)), default=10)
        sheet.set_column(n, n, min(max(longest, len(column.name)) + 2, WIDEST))
    sheet.freeze_panes(HEAD, 1)


def _write(sheet: Any, at: int, n: int, cell: object, shown: Any) -> None:
    """One cell with the digits of the CSV file; what is missing stays empty."""
    if isinstance(cell, bool):
        sheet.write_boolean(at, n, cell)
    elif isinstance(cell, int | float) and math.isfinite(cell):
        sheet.write_number(at, n, float(FLOAT % cell), shown)
    elif isinstance(cell, float) and math.isnan(cell):
        return
    elif cell is not None and cell != "":
        sheet.write_string(at, n, str(cell))
