"""A portfolio as it was used, as files that need nothing else: no catalogue, no deck, no overrides."""

import json
from collections.abc import Iterable

from models.domain.portfolio import TABLES
from models.domain.row import Row
from optimizer.inputs.columns import columns_of
from optimizer.inputs.load import Loaded
from optimizer.inputs.read import MANIFEST


def frozen_files(loaded: Loaded) -> dict[str, bytes]:
    """Files of a folder that loads to the identical portfolio, by name.

    What `--set` changed, what came from the catalogue and a trunk at the mean of its futures stand in the
    tables. Numbers are written with all their digits.
    """
    said = {
        "name": loaded.name,
        "title": loaded.title,
        "as_of": str(loaded.as_of),
        "scenario": loaded.scenario,
    }
    files = {MANIFEST: "".join(f"{key} = {_toml(value)}\n" for key, value in said.items())}
    for table in TABLES:
        rows: tuple[Row, ...] = getattr(loaded.portfolio, table)
        if rows:
            columns = list(columns_of(TABLES[table]))
            lines = [columns, *([_text(getattr(row, name)) for name in columns] for row in rows)]
            files[f"{table}.csv"] = "".join(f"{_line(cells)}\n" for cells in lines)
    return {name: text.encode("utf-8", errors="replace") for name, text in files.items()}


def _toml(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _text(value: object) -> str:
    """A cell that reads back to the same value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    return repr(value) if isinstance(value, float) else str(value)


def _line(cells: Iterable[str]) -> str:
    return ",".join(_quoted(cell) for cell in cells)


def _quoted(cell: str) -> str:
    """In quotes where a reader could take it for more than a cell, or the line for a comment."""
    if cell.startswith("#") or any(sign in cell for sign in ',"\n\r'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
