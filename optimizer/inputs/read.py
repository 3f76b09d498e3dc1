"""Folders and CSV files as they are: bytes, then rows of text, with a finding wherever that fails."""

import csv
import io
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from models.domain.portfolio import TABLES
from models.findings import Finding
from optimizer.inputs.columns import nearest
from optimizer.inputs.escape import unescaped

MANIFEST = "portfolio.toml"
MAX_BYTES = 50_000_000
"""No workbook of a portfolio is larger than this."""
MAX_TABLE_BYTES = 10_000_000
"""Nor is one of its tables."""
MAX_FOLDER_BYTES = 30_000_000
"""Nor are all of them together."""
MAX_SETTINGS_BYTES = 100_000
"""Nor its settings: reading them takes longer than reading tables."""
MAX_FILES = 1_000
"""Nor has its folder more entries."""
MAX_ROWS = 500
"""Of most tables: each of their rows is compared with those of others."""
MAX_MORE_ROWS: Mapping[str, int] = {
    "market": 6_000,
    "provenance": 6_000,
    "profiles": 2_000,
    "commitment_flows": 2_000,
    "other_lines": 2_000,
}
"""Of those with a row for each quarter, step or cell; 50 scenarios of 60 quarters are a deck of 3,000."""
MAX_COLUMNS = 256
"""No table has a quarter as many."""
LONGEST_TEXT = 32_767
"""No cell of a spreadsheet holds more signs, and no cell of a table."""
MAX_RAGGED = 100
"""Rows of the wrong length that are told; after them a table is not read."""
BESIDE = frozenset({".md", ".txt"})
"""Files of these kinds may lie in a portfolio; they are not read."""


@dataclass(frozen=True)
class Sheet:
    """Where the columns of a table stand in a workbook."""

    name: str
    header: int
    """Line of the column names."""
    letters: Mapping[str, str]
    """Letter of each column."""

    def address(self, column: str, line: int) -> str:
        """Such as sites!D7, or sites!7:7 when the sheet has no such column."""
        letter = self.letters.get(column)
        return f"{self.name}!{letter}{line}" if letter else f"{self.name}!{line}:{line}"


@dataclass(frozen=True)
class RawRow:
    """One line of a table: text by column, None where the cell is empty."""

    place: str
    """File and line, for messages."""
    line: int
    cells: dict[str, str | None]
    """A cell that was refused already is left out."""
    sheet: Sheet | None = None
    """None in a file of text."""

    def address(self, column: str = "") -> str:
        """Cell of a column in the workbook, or the whole row; empty in a file of text."""
        return self.sheet.address(column, self.line) if self.sheet else ""


@dataclass(frozen=True)
class RawTable:
    """One CSV file or sheet as text."""

    columns: tuple[str, ...]
    rows: tuple[RawRow, ...]
    sheet: Sheet | None = None

    def address(self, column: str) -> str:
        """Cell of a column's name in the workbook; empty when there is none."""
        named = self.sheet is not None and column in self.sheet.letters
        return self.sheet.address(column, self.sheet.header) if self.sheet and named else ""


def read_folder(folder: Path) -> tuple[dict[str, bytes], list[Finding]]:
    """Contents of the manifest and the table files of a portfolio's folder, by file name."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        return {}, [
            _fault(
                "not-a-folder",
                "",
                f"'{folder}' {what}",
                "name the folder that holds portfolio.toml, or a .xlsx",
            )
        ]
    contents: dict[str, bytes] = {}
    found: list[Finding] = []
    try:
        entries = sorted(islice(folder.iterdir(), MAX_FILES + 1))
    except OSError as trouble:
        return {}, [
            _fault(
                "unreadable", "", f"'{folder}' cannot be listed: {trouble.strerror}", "check its permissions"
            )
        ]
    if len(entries) > MAX_FILES:
        message = f"'{folder}' holds more than {MAX_FILES:,} files"
        return {}, [_fault("too-many-files", "", message, "name the folder of a portfolio alone")]
    room = MAX_FOLDER_BYTES
    for entry in entries:
        doubt = _stranger(entry)
        if doubt is not None:
            found.append(doubt)
        elif entry.name == MANIFEST or entry.suffix == ".csv":
            most = MAX_SETTINGS_BYTES if entry.name == MANIFEST else MAX_TABLE_BYTES
            read = read_bytes(entry, within=folder, most=min(most, room))
            if isinstance(read, Finding):
                found.append(read)
            else:
                contents[entry.name] = read
                room -= len(read)
    if MANIFEST not in contents and not any(f.table == MANIFEST for f in found):
        remedy = "write one, or start from the folder that 'hashshift init DIR' makes"
        return {}, [_fault("no-manifest", MANIFEST, f"'{folder}' has no {MANIFEST}", remedy)]
    return contents, found


def read_bytes(path: Path, *, within: Path, most: int | None = None) -> bytes | Finding:
    """Contents of one file of at most so many bytes, those of a table by default, or why it is not read."""
    most = MAX_TABLE_BYTES if most is None else most
    table = path.name.removesuffix(".csv")
    try:
        if not path.resolve(strict=True).is_relative_to(within.resolve()):
            return _fault(
                "link-leaves-folder", table, f"{path.name} links to a file outside the folder", "copy it"
            )
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return _fault(
                "not-a-file", table, f"{path.name} is not a regular file", "put a CSV file in its place"
            )
        with path.open("rb") as file:
            data = file.read(most + 1)  # it may grow, and what it says of its size need not be true
        if len(data) > most:
            size = max(status.st_size, len(data))
            message = f"{path.name} has {size / 1e6:,.1f} MB, more than {most / 1e6:,.1f}"
            return _fault("too-large", table, message, "keep only what is of this portfolio")
        return data
    except (OSError, RuntimeError) as trouble:
        why = getattr(trouble, "strerror", None) or "links that form a loop"
        return _fault(
            "unreadable", table, f"{path.name} cannot be read: {why}", "check the file and its permissions"
        )


def decode(table: str, data: bytes) -> str | Finding:
    """Text of a file in UTF-8, with or without byte order mark, or why it is none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as trouble:
        line = data.count(b"\n", 0, trouble.start) + 1
        return _fault(
            "not-utf-8", table, f"line {line} is not UTF-8", "save the file as 'CSV UTF-8'", f"line {line}"
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return _fault(
            "nul-byte", table, f"line {line} holds a NUL byte", "save the file as text again", f"line {line}"
        )
    return text


def read_csv(table: str, place: str, data: bytes) -> tuple[RawTable, list[Finding]]:
    """Rows of a CSV file: '#' lines and blank lines left out, cells stripped, empty cells None."""
    text = decode(table, data)
    if isinstance(text, Finding):
        return RawTable((), ()), [text]
    found: list[Finding] = []
    header: list[str] | None = None
    rows: list[RawRow] = []
    ragged = 0
    try:
        for line, cells in _records(text):
            if header is None:
                header = trimmed(cells)[: MAX_COLUMNS + 1]
                found += header_faults(table, line, header)
            elif len(rows) == most_rows(table) or ragged == MAX_RAGGED:
                what = "rows" if len(rows) == most_rows(table) else "rows of another length than its header"
                shape = f"it has more than {max(len(rows), ragged):,} {what}"
                remedy = "keep only the rows of this portfolio, one cell a column"
                found.append(_fault("too-many-rows", table, shape, remedy, f"line {line}"))
                break
            elif len(trimmed(cells)) > len(header) or len(cells) < len(header):
                ragged += 1
                shape = f"the row has {len(cells)} cells, the header {len(header)}"
                remedy = "write one cell per column; a cell that holds a comma goes in double quotes"
                found.append(_fault("ragged-row", table, shape, remedy, f"line {line}"))
            elif max(map(len, cells)) > LONGEST_TEXT:
                shape = f"a cell holds more than {LONGEST_TEXT:,} signs"
                found.append(_fault("too-large", table, shape, "shorten it", f"line {line}"))
            else:
                named = {n: unescaped(c) or None for n, c in zip(header, cells, strict=False) if n}
                rows.append(RawRow(f"{place} line {line}", line, named))
    except csv.Error as trouble:
        found.append(_fault("bad-csv", table, f"{place}: {trouble}", "check quotes and very long cells"))
    if header is None:
        found.append(
            _fault("no-header", table, f"{place} has no header line", "write the column names, or delete it")
        )
    return RawTable(tuple(name for name in header or () if name), tuple(rows)), found


def most_rows(table: str) -> int:
    """Rows that a table may have."""
    return MAX_MORE_ROWS.get(table, MAX_ROWS)


class _Lines:
    """Lines for the CSV reader, without '#' lines between records; a quoted cell may hold '#' lines."""

    def __init__(self, text: str) -> None:
        self._lines = enumerate(io.StringIO(text, newline=""), start=1)
        self.start = 0
        """First line of the record being read; 0 between records."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for number, line in self._lines:
            if self.start:
                return line
            if not line.lstrip().startswith("#"):
                self.start = number
                return line
        raise StopIteration


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Stripped cells of each record that has any, with the number of its first line."""
    lines = _Lines(text)
    for cells in csv.reader(lines, strict=True):
        start, lines.start = lines.start, 0
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield start, stripped


def header_faults(table: str, line: int, header: list[str]) -> Iterator[Finding]:
    """What is wrong with the names of the columns."""
    place = f"line {line}"
    if len(header) == 1 and re.search("[;\t|]", header[0]):
        remedy = "save the file with commas between the cells"
        yield _fault("not-commas", table, "the header is separated by other signs than commas", remedy, place)
        return
    for name in sorted(name for name, times in Counter(header).items() if times > 1 and name):
        yield Finding(
            "error", "duplicate-column", table, place, name, "the header names it twice", "delete one"
        )
    if len(header) > MAX_COLUMNS:
        wide = f"it has more than {MAX_COLUMNS} columns"
        yield _fault("too-many-columns", table, wide, "keep only those of the table", place)
    if "" in header:
        yield _fault("unnamed-column", table, "a column has no name", "name it, or delete it", place)


def trimmed(cells: list[str]) -> list[str]:
    """Cells without the empty ones at the end, as spreadsheets leave them."""
    kept = len(cells)
    while kept and not cells[kept - 1]:
        kept -= 1
    return cells[:kept]


def _stranger(entry: Path) -> Finding | None:
    """A finding for an entry that belongs to no table."""
    name = entry.name
    if name == MANIFEST or name.startswith((".", "~")) or name.endswith("~") or entry.suffix in BESIDE:
        return None
    if entry.suffix == ".csv" and entry.stem in TABLES:
        return None
    if entry.suffix.lower() != ".csv":
        return Finding(
            "warning", "not-read", "", name, "", "it is no table and is not read", "move it elsewhere"
        )
    close = nearest(
        entry.stem.lower(), list(TABLES), "delete it, or give it the name of a table: " + ", ".join(TABLES)
    )
    table = close.split("'")[1] if "'" in close else ""
    return Finding("error", "unknown-table", table, name, "", f"'{name}' is not the file of a table", close)


def _fault(code: str, table: str, message: str, remedy: str, row: str = "") -> Finding:
    return Finding("error", code, table, row, "", message, remedy)
