"""A portfolio in one workbook: a sheet for each table, and the sheet `portfolio` for its settings."""

import io
import re
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from models.domain.portfolio import TABLES
from models.findings import Finding
from optimizer.inputs.archive import Marks, Refusal, archive_refusal, broken, marks_of
from optimizer.inputs.columns import nearest
from optimizer.inputs.escape import unescaped
from optimizer.inputs.manifest import Settings
from optimizer.inputs.own import Own
from optimizer.inputs.parse import column_faults, raw_key
from optimizer.inputs.read import (
    LONGEST_TEXT,
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_MORE_ROWS,
    RawRow,
    RawTable,
    Sheet,
    header_faults,
    most_rows,
    read_bytes,
    trimmed,
)

ENDING = ".xlsx"
SETTINGS = "portfolio"
"""The sheet that holds what portfolio.toml holds in a folder."""
SETTINGS_COLUMNS = ("key", "value", "note")
SECTION = "catalogue."
"""Begins the keys of the settings that name catalogue rows."""
MAX_LINES = 2 * max(MAX_MORE_ROWS.values())
"""Nothing is read below this line of a sheet, be it empty or not."""
LARGEST_WHOLE = 1e15
"""Up to here a number without fraction is shown as a whole one."""

BEYOND = ("ragged-row", "the cell stands right of the last column", "name its column, or delete it")

RANGE = re.compile(r"[A-Z]{1,3}(\d{1,7}):[A-Z]{1,3}(\d{1,7})")
"""Of cells, with its first and last line."""

Cell = str | Refusal | None
"""A cell as text, or why it is refused."""
Line = tuple[int, list[Cell]]


def is_workbook(path: Path) -> bool:
    """Whether a path names a workbook and not a folder."""
    return path.suffix.lower() == ENDING and path.is_file()


def read_workbook(file: Path) -> Own:
    """Settings and tables of a workbook; whatever is wrong with the file is a finding."""
    real = file.resolve()
    data = read_bytes(real, within=real.parent, most=MAX_BYTES)
    if isinstance(data, Finding):
        return Own(findings=[data])
    own = Own(settings_at={}, contents={SETTINGS + ENDING: data})
    refusal = archive_refusal(data)
    try:
        sheets = {} if refusal else _read_sheets(data)
    except MemoryError:
        raise
    except Exception as trouble:  # the reader has no closed list of what it raises on a broken file
        sheets, refusal = {}, broken(trouble)
    if refusal:
        code, message, remedy = refusal
        own.findings.append(Finding("error", code, "", file.name, "", message, remedy))
        return own
    for name, (lines, marks) in sheets.items():
        _take(own, name, lines)
        own.findings += _merged(name, lines, marks.merged)
        if marks.beyond:
            code, message, remedy = BEYOND
            place = f"{name}!{marks.beyond}"
            own.findings.append(Finding("error", code, name, "", "", message, remedy, place))
    if SETTINGS not in sheets:
        message, remedy = f"the workbook has no sheet '{SETTINGS}'", "add it, with the columns key and value"
        own.findings.append(Finding("error", "no-manifest", SETTINGS, "", "", message, remedy))
    return own


def _take(own: Own, name: str, lines: list[Line]) -> None:
    """Add one sheet to what the portfolio says; a sheet of notes begins with '#'."""
    if name == SETTINGS:
        raw, faults = _table(name, lines)
        said, own.settings_at, more = _settings(raw)
        own.findings += [*faults, *more]
        own.settings = None if faults or more else said
    elif name in TABLES:
        own.tables[name], faults = _table(name, lines)
        own.findings += faults
        if own.tables[name].columns:
            own.findings += column_faults(name, own.tables[name])
    elif lines and not name.startswith("#"):
        listing = "delete it, name it after a table, or begin its name with #: " + ", ".join(TABLES)
        remedy = nearest(name.lower(), [SETTINGS, *TABLES], listing)
        table = remedy.split("'")[1] if "'" in remedy else ""
        message = f"the sheet '{name:.60}' is not the sheet of a table"
        own.findings.append(Finding("error", "unknown-sheet", table, name, "", message, remedy, name))


def _read_sheets(data: bytes) -> dict[str, tuple[list[Line], Marks]]:
    """Lines and marks of all sheets, by name; no links to other files, no macros are followed."""
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a spreadsheet may hold and a table has no use for
        values = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        formulas = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        sheets: dict[str, tuple[list[Line], Marks]] = {}
        for shown, written in zip(values.worksheets, formulas.worksheets, strict=True):
            known = shown.title in TABLES or shown.title == SETTINGS
            lines = _lines(shown, written, dates=shown.title == SETTINGS)
            kept = list(islice(lines, most_rows(shown.title) + 2 if known else 1))
            with shown._get_source() as source:  # the reader has no word for merged cells, nor for far ones
                sheets[shown.title] = kept, marks_of(source, MAX_COLUMNS) if known else Marks()
        return sheets


def _merged(name: str, lines: list[Line], ranges: tuple[str, ...]) -> Iterator[Finding]:
    """A finding where lines that are read have merged cells, of which all but the first read as empty."""
    read = [number for number, _ in lines]
    spans = [match for match in map(RANGE.fullmatch, ranges) if match]
    found = [s[0] for s in spans if bisect_left(read, int(s[1])) < bisect_right(read, int(s[2]))]
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        message = f"{found[0]} is one merged cell{more}: all of it but the first would be empty"
        remedy = "unmerge it, and write each cell"
        yield Finding("error", "merged-cells", name, "", "", message, remedy, f"{name}!{found[0]}")


def _lines(shown: Any, written: Any, *, dates: bool) -> Iterator[Line]:
    """Lines that hold something, with their numbers; '#' lines are left out, as in a file of text."""
    for sheet in (shown, written):
        sheet.reset_dimensions()  # what the file says of its own size need not be true
    lines = zip(shown.iter_rows(max_col=MAX_COLUMNS), written.iter_rows(max_col=MAX_COLUMNS), strict=True)
    for number, (values, formulas) in enumerate(lines, 1):
        if number > MAX_LINES:
            yield number, []
            return
        cells = [
            _said(value, formula.data_type == "f", dates=dates)
            if value.value is not None or formula.value
            else None
            for value, formula in zip(values, formulas, strict=True)
        ]
        first = next((cell for cell in cells if cell is not None), None)
        if first is not None and not (isinstance(first, str) and first.startswith("#")):
            yield number, cells


def _said(cell: Any, is_formula: bool, *, dates: bool) -> Cell:
    """A cell as the text that a CSV file would hold; None when it is empty, or why it is refused."""
    value = cell.value
    if value is None:
        if is_formula and cell.data_type != "str":  # a formula may well give an empty text
            remedy = "open the workbook in a spreadsheet program and save it, or write the value"
            return "formula-without-value", "no value is stored beside the formula", remedy
        return None
    if cell.data_type == "e":
        return "error-cell", f"the cell shows {value!s:.20}", "correct its formula, or write the value"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | time | timedelta):
        if dates and isinstance(value, datetime) and value.time() == time():
            return value.date().isoformat()
        remedy = "write a quarter as text, like 2027Q2, and a number without a date format"
        return "date-cell", f"the cell holds a date or time, {value!s:.40}", remedy
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            return "too-large", f"the cell holds more than {LONGEST_TEXT:,} signs", "shorten it"
        return unescaped(value.strip()) or None
    whole = isinstance(value, float) and abs(value) < LARGEST_WHOLE and value.is_integer()
    return str(int(value)) if whole else str(value)


def _table(name: str, lines: list[Line]) -> tuple[RawTable, list[Finding]]:
    """Rows of a sheet: its first line names the columns."""
    from openpyxl.utils import get_column_letter

    if not lines or lines[0][0] > MAX_LINES:
        message, remedy = f"the sheet {name} has no header line", "write the column names, or delete it"
        return RawTable((), ()), [Finding("error", "no-header", name, "", "", message, remedy, name)]
    at, cells = lines[0]
    header = trimmed([cell if isinstance(cell, str) else "" for cell in cells])
    letters = {column: get_column_letter(n) for n, column in enumerate(header, 1) if column}
    sheet = Sheet(name, at, letters)
    faults = [fault for fault in header_faults(name, at, header) if fault.code != "not-commas"]
    found = [replace(fault, cell=sheet.address(fault.column, at)) for fault in faults]
    rows: list[RawRow] = []
    for line, said in lines[1:]:
        if len(rows) == most_rows(name) or line > MAX_LINES:
            message = f"it has more than {most_rows(name):,} rows, or lines below {MAX_LINES:,}"
            remedy = "keep only those of this portfolio, and delete the lines below them"
            cell = sheet.address("", line)
            found.append(Finding("error", "too-many-rows", name, f"line {line}", "", message, remedy, cell))
            break
        texts = {
            column: cell
            for column, cell in zip(header, said, strict=False)
            if column and not isinstance(cell, tuple)
        }
        rows.append(RawRow(sheet.address("", line), line, texts, sheet))
        found += _refused(name, header, rows[-1], said)
    return RawTable(tuple(letters), tuple(rows), sheet), found


def _refused(name: str, header: list[str], row: RawRow, said: list[Cell]) -> Iterator[Finding]:
    """Findings on cells that hold what no table has, or stand right of it."""
    from openpyxl.utils import get_column_letter

    for n, cell in enumerate(said):
        is_beyond = n >= len(header) and cell is not None
        refusal = BEYOND if is_beyond else cell
        if isinstance(refusal, tuple):
            code, message, remedy = refusal
            place = f"{name}!{get_column_letter(n + 1)}{row.line}"
            column = "" if is_beyond else header[n]
            yield Finding("error", code, name, raw_key(name, row), column, message, remedy, place)


def _settings(raw: RawTable) -> tuple[Settings, dict[str, str], list[Finding]]:
    """Settings as TOML has them, the cell of each, and what is wrong with the sheet."""
    found: list[Finding] = []

    def fault(code: str, row: str, column: str, message: str, remedy: str, cell: str) -> None:
        found.append(Finding("error", code, SETTINGS, row, column, message, remedy, cell))

    for name in raw.columns:
        if name not in SETTINGS_COLUMNS:
            remedy = nearest(name, SETTINGS_COLUMNS, "columns: " + ", ".join(SETTINGS_COLUMNS))
            fault("unknown-column", "", name, "it is not a column", remedy, raw.address(name))
    for name in SETTINGS_COLUMNS[:2]:
        if raw.columns and name not in raw.columns:
            fault("missing-column", "", name, "the column is missing", "add it", SETTINGS)
    said: Settings = {}
    places: dict[str, str] = {}
    for row in raw.rows:
        key, value = row.cells.get("key"), row.cells.get("value")
        if key is None:
            message, remedy = "the key is empty", "write it, or delete the line"
            fault("empty-cell", f"line {row.line}", "key", message, remedy, row.address("key"))
        elif key == SECTION[:-1]:
            remedy = f"write a line for each table, such as {SECTION}products"
            fault("unknown-key", key, "", "it names no table of the catalogue", remedy, row.address("key"))
        elif key in places:
            fault("duplicate-key", key, "", "the key stands here twice", "delete one", row.address("key"))
        else:
            places[key] = row.address("value")
            if value is not None and key.startswith(SECTION):
                said.setdefault(SECTION[:-1], {})[key.removeprefix(SECTION)] = _taken(value)
            elif value is not None:
                said[key] = value
    return said, places, found


def _taken(value: str) -> str | list[str]:
    """Keys of one catalogue table, separated by ';', or the word all."""
    return value if value == "all" else [key for part in value.split(";") if (key := part.strip())]
