"""A deck's tables as CSV files in a folder; what else lies there stays."""

import csv
import io
import tempfile
from itertools import takewhile
from pathlib import Path

from models.domain.portfolio import TABLES
from models.findings import Finding, InputError
from optimizer.decks.checks import DECK_TABLES
from optimizer.decks.tables import Cells
from optimizer.inputs.columns import columns_of
from optimizer.inputs.escape import escaped
from optimizer.inputs.read import RawTable, read_bytes, read_csv

EVIDENCE = "provenance"


def write_deck(tables: dict[str, list[Cells]], folder: Path) -> None:
    """Write the tables of a deck into a folder, which is made if it is not there.

    Other files stay, and so does evidence about other tables. All is written aside and moved at the end.

    Raises
    ------
    InputError
        When the folder cannot be written, or holds evidence that cannot be read.
    """
    folder = folder.absolute()
    try:
        if folder.exists() and not folder.is_dir():
            raise _refusal(f"'{folder}' is a file", "name a folder")
        heading, kept = _kept(folder / f"{EVIDENCE}.csv")
        texts = {table: _text(table, tables[table]) for table in DECK_TABLES}
        texts[EVIDENCE] = heading + _text(EVIDENCE, [*kept, *tables[EVIDENCE]])
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".hashshift-deck-", dir=folder) as aside:
            for table, text in texts.items():
                (Path(aside) / f"{table}.csv").write_text(text, encoding="utf-8", newline="\n")
            for table in DECK_TABLES:
                (Path(aside) / f"{table}.csv").replace(folder / f"{table}.csv")
    except (OSError, ValueError) as trouble:
        why = getattr(trouble, "strerror", None) or str(trouble)
        raise _refusal(f"'{folder}' cannot be written: {why}", "name another folder") from trouble


def _kept(file: Path) -> tuple[str, list[Cells]]:
    """Evidence in the folder about tables that are no deck's, and the '#' lines above it."""
    if not file.exists():
        return "", []
    data = read_bytes(file, within=file.parent)
    if isinstance(data, Finding):
        raise InputError((data,))
    raw, faults = read_csv(EVIDENCE, file.name, data)
    if faults:
        raise InputError(tuple(faults))
    lines = data.decode("utf-8-sig").splitlines(keepends=True)
    heading = "".join(takewhile(lambda line: line.startswith("#"), lines))
    rows = [row for row in raw.rows if row.cells.get("of_table") not in DECK_TABLES]
    return heading, [_filled(row.cells, raw) for row in rows]


def _filled(cells: dict[str, str | None], raw: RawTable) -> Cells:
    return {name: cells.get(name) or "" for name in raw.columns}


def _text(table: str, rows: list[Cells]) -> str:
    """A table as CSV; columns as the rows have them, unused ones left out."""
    text = io.StringIO()
    names = list(rows[0]) if rows else list(columns_of(TABLES[table]))
    names += sorted({name for row in rows for name in row} - set(names))
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: escaped(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue()


def _refusal(message: str, remedy: str) -> InputError:
    return InputError((Finding("error", "not-written", "", "", "", message, remedy),))
