"""The folder that `hashshift init DIR` writes, every column explained: the starter or a portfolio."""

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
from optimizer.inputs.escape import escaped
from optimizer.inputs.own import Own, read_own_folder
from optimizer.inputs.read import MANIFEST, RawRow
from optimizer.shipped import data_folder

WIDTH = 110


def write_template(folder: Path, source: Path | None = None) -> None:
    """Write the starter portfolio, or the one in the folder ``source``, into a new or empty folder.

    All files are written aside and moved there at the end, so that a failure leaves nothing behind.

    Raises
    ------
    InputError
        When the folder holds something, is a file, or cannot be written, or the source cannot be read.
    """
    folder = folder.absolute()
    own = own_of(source)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise refusal(f"'{folder}' exists and is not an empty folder", "name a new folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".hashshift-init-", dir=folder.parent) as aside:
            made = Path(aside) / "made"
            made.mkdir()
            for name, text in _files(own, None if source else folder.name):
                (made / name).write_text(text, encoding="utf-8", newline="\n")
            if folder.exists():  # it may be the working directory, so it stays the same folder
                for file in made.iterdir():
                    file.rename(folder / file.name)
            else:
                made.rename(folder)
    except (OSError, ValueError) as trouble:
        why = getattr(trouble, "strerror", None) or str(trouble)
        raise refusal(f"'{folder}' cannot be written: {why}", "name another folder") from trouble


def table_text(table: str, rows: tuple[RawRow, ...]) -> str:
    """A table as CSV: what its columns mean as '#' lines, the header, and the rows given."""
    record = TABLES[table]
    columns = columns_of(record)
    text = StringIO()
    text.writelines(f"# {line}".rstrip() + "\n" for line in _explained(table, record))
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({n: escaped(c) for n, c in row.cells.items() if c} for row in rows)
    return text.getvalue()


def starter() -> Own:
    """The example that a new portfolio starts from."""
    return read_own_folder(data_folder() / "templates" / "starter")


def own_of(source: Path | None) -> Own:
    """The starter, or what the folder ``source`` holds; InputError when it cannot be read."""
    if source is None:
        return starter()
    if source.is_file():
        raise refusal(f"'{source}' is a file", "name the folder of a portfolio, or a shipped one")
    own = read_own_folder(source)
    errors = tuple(f for f in own.findings if f.severity == "error")
    if errors:
        raise InputError(errors)
    return own


def laid_out(own: Own) -> Iterator[tuple[str, tuple[RawRow, ...]]]:
    """The tables to write: those with rows, and empty ones of what is not taken from elsewhere."""
    elsewhere = {*DECK_TABLES, *(own.settings or {}).get("catalogue", ())}
    for table in TABLES:
        rows = own.tables[table].rows if table in own.tables else ()
        if rows or table not in elsewhere:
            yield table, rows


def short_name(name: str) -> str:
    """A file's name as the name of a portfolio."""
    return re.sub(r"\W+", "-", name).strip("-") or "starter"


def _files(own: Own, name: str | None) -> Iterator[tuple[str, str]]:
    """Names and contents of a portfolio's files, called otherwise where a name is given."""
    manifest = own.contents[MANIFEST].decode("utf-8")
    if name is not None:
        named = f"name = {json.dumps(short_name(name), ensure_ascii=False)}"
        manifest = re.sub(r'^name = ".*?"', lambda _: named, manifest, flags=re.M)
    yield MANIFEST, manifest
    for table, rows in laid_out(own):
        yield f"{table}.csv", table_text(table, rows)


def _explained(table: str, record: type[Row]) -> Iterator[str]:
    """What a table holds, and each of its columns."""
    columns = columns_of(record).values()
    yield from (line for sentence in purpose(table) for line in wrap(sentence, WIDTH))
    widest = max(len(column.name) for column in columns)
    for column in columns:
        lines = wrap(meaning(column), WIDTH - widest - 2)
        yield f"{column.name:{widest}}  {lines[0]}"
        yield from (" " * (widest + 2) + line for line in lines[1:])


def purpose(table: str) -> tuple[str, str]:
    """What a table holds, and what names its rows."""
    record = TABLES[table]
    holds = " ".join((record.__doc__ or "").split())
    return f"{table}: {holds}", f"A row is named by {', '.join(record.key)}."


def meaning(column: Column) -> str:
    """What a column holds: kind, unit, bounds, sense, and whether it may be empty."""
    optional = "" if not column.may_be_empty or "empty" in column.meaning else "may be empty"
    fixed = {"source": "where the row's numbers come from", "note": "anything"}
    sense = fixed.get(column.name, column.meaning)
    return "; ".join(filter(None, (column.wanted, sense, optional)))


def refusal(message: str, remedy: str) -> InputError:
    """An error that says what was not written, and what to do."""
    return InputError((Finding("error", "not-written", "", "", "", message, remedy),))
