"""From text to records: every cell against its column, all faults at once."""

import re
from collections.abc import Iterable, Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from models.domain.portfolio import TABLES
from models.domain.row import Row
from models.findings import Finding
from optimizer.inputs.columns import Column, columns_of, nearest
from optimizer.inputs.read import RawRow, RawTable

LABEL = re.compile(r"\d{4}Q[1-4]")
FLAGS = {"true": True, "yes": True, "false": False, "no": False}
FIRST_YEAR, LAST_YEAR = 2000, 2199
LONGEST_Q = 400
"""No duration is longer than a century."""

LARGEST = 1e12
"""No number is larger, whatever its unit."""
SMALLEST = 1e-9
"""Nor smaller, but zero: what is divided by it would leave all bounds."""
LONGEST_NAME = 100
"""No name of a row is longer. [signs]"""
MOST = 1000
"""Faults of one table that are told; after them its rows are not read."""

Cell = str | bool | None
Fault = tuple[str, str, str]
"""Code, message and remedy."""


def raw_key(table: str, row: RawRow) -> str:
    """Key of a row of text, its parts joined by '|'; its line when a part is missing."""
    parts = [row.cells.get(name) for name in TABLES[table].key] if table in TABLES else [None]
    return "|".join(filter(None, parts)) if all(parts) else f"line {row.line}"


def column_faults(table: str, raw: RawTable) -> Iterator[Finding]:
    """Columns that the table does not know or that it lacks."""
    known = columns_of(TABLES[table])
    for name in raw.columns:
        if name not in known:
            remedy = nearest(name, list(known), "delete it; the table has " + ", ".join(known))
            yield Finding(
                "error", "unknown-column", table, "", name, "it is not a column", remedy, raw.address(name)
            )
    for column in known.values():
        if column.name not in raw.columns and not column.may_be_empty:
            remedy = f"add it, with {column.wanted} in each row"
            yield Finding("error", "missing-column", table, "", column.name, "the column is missing", remedy)


def read_rows(table: str, rows: Iterable[RawRow]) -> tuple[list[Row], list[Finding]]:
    """Records of the rows that are sound, and the faults of the others; duplicates are faults."""
    records: list[Row] = []
    found: list[Finding] = []
    places: dict[tuple[object, ...], str] = {}
    for row in rows:
        record, faults = _read_row(table, row)
        found += faults
        if len(found) >= MOST:
            message, remedy = f"the first {MOST:,} faults of it are told", "correct them first"
            found.append(Finding("error", "too-many-faults", table, "", "", message, remedy))
            break
        if record is None:
            continue
        records.append(record)
        key = tuple(getattr(record, part) for part in record.key)
        if key in places:
            message = f"{row.place} has the key of {places[key]}"
            remedy = f"give each row its own {' and '.join(record.key)}"
            found.append(
                Finding(
                    "error", "duplicate-key", table, raw_key(table, row), "", message, remedy, row.address()
                )
            )
        places.setdefault(key, row.place)
    return records, found


def _read_row(table: str, row: RawRow) -> tuple[Row | None, list[Finding]]:
    columns = columns_of(TABLES[table])
    where = raw_key(table, row)
    cells = {name: _cell(column, row.cells.get(name)) for name, column in columns.items()}
    faults: dict[str, Fault] = {}
    record = None
    try:
        fields = TABLES[table].model_fields
        said = {n: cell for n, cell in cells.items() if cell is not None or fields[n].is_required()}
        record = TABLES[table].model_validate(said)
    except ValidationError as trouble:
        for detail in trouble.errors(include_url=False):
            column = columns[str(detail["loc"][0])]
            faults.setdefault(column.name, _fault(column, detail))
    for name, column in columns.items():
        beyond = _beyond_reason(
            column, cells[name], is_name=name in TABLES[table].key and table != "provenance"
        )
        if beyond:
            faults[name] = beyond
    found = [
        Finding("error", f[0], table, where, name, *f[1:], row.address(name))
        for name, f in faults.items()
        if name in row.cells
    ]
    return (None if faults else record), found


def _cell(column: Column, text: str | None) -> Cell:
    if column.kind == "names" and text and not text.strip("; "):
        return None
    return FLAGS.get(text.lower(), text) if text and column.kind == "yes/no" else text


def _beyond_reason(column: Column, cell: Cell, *, is_name: bool) -> Fault | None:
    """A fault that the record's type does not see: a year, a duration, a size, a name out of all bounds."""
    if not isinstance(cell, str):
        return None
    if column.kind == "yes/no":
        return "not-a-flag", f"{_shown(cell)} is neither true nor false", "write true or false"
    if is_name and len(cell) > LONGEST_NAME:
        return "bad-name", f"{_shown(cell)}... has {len(cell):,} signs", f"write {LONGEST_NAME} at most"
    if is_name and column.kind == "text" and (set(cell) & set("|;") or not cell.isprintable()):
        return (
            "bad-name",
            f"{_shown(cell)} holds '|', ';' or a control character",
            "use letters, digits and hyphens",
        )
    if column.kind == "quarter" and LABEL.fullmatch(cell) and not FIRST_YEAR <= int(cell[:4]) <= LAST_YEAR:
        return "out-of-range", f"{cell} is out of range", f"write a quarter of {FIRST_YEAR} to {LAST_YEAR}"
    if column.kind in ("number", "whole number"):
        if "_" in cell or not cell.isascii():
            return "not-a-number", f"{_shown(cell)} is not a {column.kind}", _number_hint(column, cell)
        limit = LONGEST_Q if column.unit == "quarters" else LARGEST
        try:
            size = abs(float(cell))
        except ValueError:
            return None
        if limit < size < float("inf"):
            return (
                "out-of-range",
                f"{_shown(cell)} is out of range",
                f"write {column.wanted}, at most {limit:g}",
            )
        if 0.0 < size < SMALLEST:
            remedy = f"write 0, or at least {SMALLEST:g}"
            return "out-of-range", f"{_shown(cell)} is out of range", remedy
    return None


def _fault(column: Column, detail: ErrorDetails) -> Fault:
    """One error of the record in words."""
    kind, value = detail["type"], detail["input"]
    if value is None:
        return "empty-cell", "the cell is empty and has no default", f"write {column.wanted}"
    if kind == "literal_error":
        allowed = ", ".join(column.choices)
        remedy = nearest(str(value), column.choices, f"allowed: {allowed}")
        return "not-allowed", f"{_shown(value)} is not one of {allowed}", remedy
    if kind.endswith(("_parsing", "_parsing_size", "from_float", "finite_number")):
        return "not-a-number", f"{_shown(value)} is not a {column.kind}", _number_hint(column, str(value))
    if column.kind == "quarter":
        return "not-a-quarter", f"{_shown(value)} is not a quarter", "write it like 2027Q2"
    if kind.startswith(("greater_than", "less_than")):
        return "out-of-range", f"{_shown(value)} is out of range", f"write {column.wanted}"
    return "bad-value", f"{_shown(value)}: {detail['msg']}", f"write {column.wanted}"


def _number_hint(column: Column, value: str) -> str:
    if "%" in value:
        return "write a fraction without %: 0.05 for 5 %"
    if "," in value or "_" in value:
        return f"write {column.wanted} with a decimal point and no separators"
    return f"write {column.wanted}"


def _shown(value: object) -> str:
    return f"{value!r:.60}"
