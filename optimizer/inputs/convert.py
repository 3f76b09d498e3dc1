"""A portfolio written as one workbook: the starter that `hashshift init FILE.xlsx` makes, or a folder."""

import io
import math
import tempfile
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from models.domain.portfolio import TABLES
from optimizer.inputs.columns import Column, columns_of
from optimizer.inputs.escape import escaped
from optimizer.inputs.manifest import Settings
from optimizer.inputs.own import Own
from optimizer.inputs.parse import FLAGS
from optimizer.inputs.read import LONGEST_TEXT, RawRow
from optimizer.inputs.template import laid_out, meaning, own_of, purpose, refusal, short_name
from optimizer.inputs.workbook import SECTION, SETTINGS, SETTINGS_COLUMNS

MADE = datetime(2000, 1, 1)
"""Stands in the file as the day on which it was made: the same portfolio gives the same bytes."""
NOTES = {
    "name": "short; letters, digits and hyphens",
    "title": "as it stands above the plan",
    "as_of": "date of the balances",
    "deck": "market deck: bitcoin, rents, power, rates by quarter and scenario; empty: sheets of your own",
    "scenario": "planned unless --scenario NAME or --tree says otherwise",
    "trunk": "parent or mean: whose market holds before a branch",
    "policy": "shipped guard rails that every plan keeps: core or prudent; empty: none",
}
SETTINGS_COMMENT = (
    "What the portfolio is called, and what it takes from the catalogue that comes with hashshift. Every "
    "other sheet is a table, one row a line; lines and sheets that begin with # are left out."
)
TAKEN_NOTE = "rows taken from the catalogue, by name, or all; your own row of the same key replaces one"
WIDEST = 44
"""Of a column. [signs]"""


def write_workbook(file: Path, source: Path | None = None) -> None:
    """Write the starter portfolio, or the one in the folder ``source``, into a new workbook.

    The file is written aside and renamed, so that a failure leaves nothing behind.

    Raises
    ------
    InputError
        When the file exists or cannot be written, or the folder cannot be read.
    """
    file = file.absolute()
    own = own_of(source)
    settings = {**(own.settings or {}), **({"name": short_name(file.stem)} if source is None else {})}
    try:
        if file.exists():
            raise refusal(f"'{file}' exists", "name a new file")
        content = _content(settings, own)
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".hashshift-init-", dir=file.parent) as aside:
            made = Path(aside) / "made"
            made.write_bytes(content)
            made.rename(file)
    except (OSError, ValueError) as trouble:
        why = getattr(trouble, "strerror", None) or str(trouble)
        raise refusal(f"'{file}' cannot be written: {why}", "name another file") from trouble


def _content(settings: Settings, own: Own) -> bytes:
    from xlsxwriter import Workbook

    content = io.BytesIO()
    book = Workbook(content, {"in_memory": True})
    book.set_properties({"created": MADE})
    heading = book.add_format({"bold": True, "bottom": 1})
    _settings_sheet(book.add_worksheet(SETTINGS), settings, heading)
    for table, rows in laid_out(own):
        _table_sheet(book.add_worksheet(table), table, rows, heading)
    book.close()
    return content.getvalue()


def _settings_sheet(sheet: Any, settings: Settings, heading: Any) -> None:
    lines = [
        (key, _setting(value), NOTES.get(key, "")) for key, value in settings.items() if key != SECTION[:-1]
    ]
    for table, keys in settings.get(SECTION[:-1], {}).items():
        lines.append((SECTION + table, keys if isinstance(keys, str) else "; ".join(keys), TAKEN_NOTE))
    comments = (SETTINGS_COMMENT, "Names are separated by ';'.", "Anything; it is not read.")
    _head(sheet, SETTINGS_COLUMNS, comments, heading)
    _fill(sheet, lines)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, WIDEST)
    sheet.set_column(2, 2, 2 * WIDEST)


def _setting(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _table_sheet(sheet: Any, table: str, rows: tuple[RawRow, ...], heading: Any) -> None:
    columns = list(columns_of(TABLES[table]).values())
    comments = [meaning(column) for column in columns]
    comments[0] = "\n".join((*purpose(table), "", f"{columns[0].name}: {comments[0]}"))
    lines = [[_typed(column, row.cells.get(column.name)) for column in columns] for row in rows]
    _head(sheet, [column.name for column in columns], comments, heading)
    _fill(sheet, lines)
    for n, column in enumerate(columns):
        longest = max((len(str(line[n])) for line in lines), default=0)
        sheet.set_column(n, n, min(max(longest, len(column.name)) + 2, WIDEST))


def _head(sheet: Any, names: Iterable[str], comments: Iterable[str], heading: Any) -> None:
    """The frozen line of names, with what they mean as comments."""
    sheet.set_comments_author("hashshift")
    sheet.freeze_panes(1, 0)
    for n, (name, comment) in enumerate(zip(names, comments, strict=True)):
        sheet.write_string(0, n, name, heading)
        lines = sum(1 + len(line) // 50 for line in comment.split("\n"))
        sheet.write_comment(0, n, comment, {"width": 320, "height": 12 + 16 * lines})


def _fill(sheet: Any, lines: Iterable[Iterable[str | float | bool]]) -> None:
    for at, line in enumerate(lines, 1):
        for n, value in enumerate(line):
            if isinstance(value, bool):
                sheet.write_boolean(at, n, value)
            elif isinstance(value, float):
                sheet.write_number(at, n, value)
            elif len(value) > LONGEST_TEXT:
                raise ValueError(f"a cell of {sheet.name} holds more than {LONGEST_TEXT:,} signs")
            elif value:
                sheet.write_string(at, n, escaped(value))


def _typed(column: Column, text: str | None) -> str | float | bool:
    """A cell as a spreadsheet holds it; text that would not come back the same stays text."""
    if not text or column.kind not in ("number", "whole number", "yes/no"):
        return text or ""
    if column.kind == "yes/no":
        return FLAGS.get(text.lower(), text)
    try:
        number = float(text)
    except ValueError:
        return text
    kept = math.isfinite(number) and float(f"{number:.16G}") == number
    return number if kept and text.isascii() and "_" not in text else text
