"""The starter portfolio that `hashshift init DIR` writes: an example that solves, every column explained."""

import csv
import json
import re
import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from textwrap import wrap

from models.domain.portfolio import TABLES
from models.domain.row import Row
from models.findings import Finding, InputError
from optimizer.inputs.catalogue import DECK_TABLES
from optimizer.inputs.columns import Column, columns_of
from optimizer.inputs.manifest import read_manifest
from optimizer.inputs.read import MANIFEST, RawRow, read_csv
from optimizer.shipped import data_folder

WIDTH = 110


def write_template(folder: Path) -> None:
    """Write the starter portfolio into a folder that does not exist or is empty.

    All files are written aside and moved there at the end, so that a failure leaves nothing behind.

    Raises
    ------
    InputError
        When the folder holds something, is a file, or cannot be written.
    """
    folder = folder.absolute()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise _refusal(f"'{folder}' exists and is not an empty folder", "name a new folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".hashshift-init-", dir=folder.parent) as aside:
            made = Path(aside) / "made"
            made.mkdir()
            for name, text in _files(folder.name):
                (made / name).write_text(text, encoding="utf-8", newline="\n")
            if folder.exists():  # it may be the working directory, so it stays the same folder
                for file in made.iterdir():
                    file.rename(folder / file.name)
            else:
                made.rename(folder)
    except (OSError, ValueError) as trouble:
        why = getattr(trouble, "strerror", None) or str(trouble)
        raise _refusal(f"'{folder}' cannot be written: {why}", "name another folder") from trouble


def table_text(table: str, rows: tuple[RawRow, ...]) -> str:
    """A table as CSV: what its columns mean as '#' lines, the header, and the rows given."""
    record = TABLES[table]
    columns = columns_of(record)
    text = StringIO()
    text.writelines(f"# {line}".rstrip() + "\n" for line in _explained(table, record))
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.cells for row in rows)
    return text.getvalue()


def _files(name: str) -> Iterator[tuple[str, str]]:
    """Names and contents of the starter's files: the example's tables, and empty ones for the rest."""
    source = data_folder() / "templates" / "starter"
    manifest = (source / MANIFEST).read_text(encoding="utf-8")
    named = re.sub(r"\W+", "-", name).strip("-") or "starter"
    yield (
        MANIFEST,
        re.sub(
            r'^name = ".*?"',
            lambda _: f"name = {json.dumps(named, ensure_ascii=False)}",
            manifest,
            flags=re.M,
        ),
    )
    said, _ = read_manifest(manifest.encode(), decks=_decks(), catalogues=tuple(TABLES))
    elsewhere = {*DECK_TABLES, *(said.catalogue if said else ())}
    for table in TABLES:
        path = source / f"{table}.csv"
        rows = read_csv(table, path.name, path.read_bytes())[0].rows if path.is_file() else ()
        if rows or table not in elsewhere:
            yield path.name, table_text(table, rows)


def _decks() -> tuple[str, ...]:
    return tuple(entry.name for entry in (data_folder() / "catalogue").glob("decks/*"))


def _explained(table: str, record: type[Row]) -> Iterator[str]:
    """What a table holds, and each of its columns."""
    columns = columns_of(record).values()
    yield from wrap(f"{table}: {' '.join((record.__doc__ or '').split())}", WIDTH)
    yield f"A row is named by {', '.join(record.key)}."
    widest = max(len(column.name) for column in columns)
    for column in columns:
        lines = wrap(_meaning(column), WIDTH - widest - 2)
        yield f"{column.name:{widest}}  {lines[0]}"
        yield from (" " * (widest + 2) + line for line in lines[1:])


def _meaning(column: Column) -> str:
    optional = "" if not column.may_be_empty or "empty" in column.meaning else "may be empty"
    fixed = {"source": "where the row's numbers come from", "note": "anything"}
    meaning = fixed.get(column.name, column.meaning)
    return "; ".join(filter(None, (column.wanted, meaning, optional)))


def _refusal(message: str, remedy: str) -> InputError:
    return InputError((Finding("error", "not-written", "", "", "", message, remedy),))
