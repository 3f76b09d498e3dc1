"""Portfolios spoilt at random: rows and cells that are nearly valid, and the files that hold them.

Everything is drawn from one ``random.Random``, so that a seed is a case, and hypothesis can drive it too.
"""

import csv
import io
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from models.domain.portfolio import TABLES, Portfolio
from models.domain.row import Row
from optimizer.inputs.columns import Column, columns_of
from optimizer.inputs.convert import write_workbook
from optimizer.inputs.own import read_own_folder
from optimizer.shipped import data_folder
from tests.inputs.conftest import MANIFEST, Tables, good_tables
from tests.oracle import toys

WORDS = """
x 0 -1 1 1e308 -1e308 1e-320 1e-9 nan inf 1e12 400 0.5 2199Q4 2000Q1 2027Q2 true no base bear alpha;beta a|b
# " ' all =1+1 -2+3 @x 'y atm offer committed merchant optimal spot 99999999999999999999999999999999999999
5,5 5% é
"""
NASTY = tuple(WORDS.split())
UNPRINTABLE = ("", "\n", "\u2028", "\x1b[2J", "\ufeff", "\t", " ")
MILD = 0.6
"""Of the portfolios are spoilt in such a way that most can be planned still."""
NEAR = (0.5, 0.8, 0.9, 1.1, 1.25, 2.0)
FACTORS = (0.0, -1.0, 0.1, 0.5, 0.9, 1.1, 2.0, 4.0, 10.0, 100.0, 1000.0, 1e6, 1e-3, 1e-6)
SHIFTS = (-40, -5, -4, -2, -1, 1, 2, 4, 5, 40)

Base = tuple[str, Tables]
"""Settings and tables, as text."""
Operation = Callable[[Random, Tables], None]


def as_text(cell: object) -> str:
    """A cell of a record as a file holds it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    return ";".join(map(str, cell)) if isinstance(cell, tuple) else str(cell)


def tables_of(portfolio: Portfolio) -> Tables:
    """A portfolio's tables as text."""

    def row_of(row: Row) -> dict[str, str]:
        return {name: as_text(getattr(row, name)) for name in type(row).model_fields}

    return {table: [row_of(row) for row in getattr(portfolio, table)] for table in TABLES}


@cache
def bases() -> dict[str, Base]:
    """Portfolios to spoil, by name: the checks' own, tiny, the starter, and the toys."""
    found: dict[str, Base] = {"small": (MANIFEST, good_tables())}
    for name in ("portfolios/tiny", "templates/starter"):
        own = read_own_folder(data_folder() / name)
        rows = {
            table: [{column: cell or "" for column, cell in row.cells.items()} for row in raw.rows]
            for table, raw in own.tables.items()
        }
        found[name] = (own.contents["portfolio.toml"].decode(), rows)
    for name, (toy, _) in toys.TOYS.items():
        portfolio = toy()
        scenario = portfolio.scenarios[0].scenario
        found[f"toy: {name}"] = MANIFEST.replace('"base"', f'"{scenario}"'), tables_of(portfolio)
    return found


def spoilt(random: Random, base: Base) -> Base:
    """The portfolio with one to six changes."""
    settings, tables = base[0], {table: [dict(row) for row in rows] for table, rows in base[1].items()}
    operations = (_nearby,) if random.random() < MILD else OPERATIONS
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        random.choice(operations)(random, tables)
    return settings, tables


def write(base: Base, folder: Path) -> Path:
    """A portfolio's folder."""
    folder.mkdir(exist_ok=True)
    (folder / "portfolio.toml").write_text(base[0], encoding="utf-8")
    for table, rows in base[1].items():
        names = list(dict.fromkeys([*columns_of(TABLES[table]), *(name for row in rows for name in row)]))
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return folder


# --- rows and cells ---------------------------------------------------------------------------------------


def _some(random: Random, tables: Tables) -> tuple[str, dict[str, str]] | None:
    full = [table for table, rows in tables.items() if rows]
    if not full:
        return None
    table = random.choice(full)
    return table, random.choice(tables[table])


def _cell(random: Random, tables: Tables) -> None:
    """One cell is another that might be meant."""
    found = _some(random, tables)
    if found is not None:
        table, row = found
        name = random.choice([c for c in columns_of(TABLES[table]) if c not in ("source", "note", "grade")])
        row[name] = _other(random, tables, columns_of(TABLES[table])[name], row.get(name, ""))


def _nearby(random: Random, tables: Tables) -> None:
    """One cell is a little more or less, earlier or later, or another word of those allowed."""
    found = _some(random, tables)
    if found is None:
        return
    table, row = found
    columns = [c for c in columns_of(TABLES[table]).values() if c.name not in TABLES[table].key]
    column = random.choice(columns)
    text = row.get(column.name, "")
    if column.kind == "number" and text:
        row[column.name] = _scaled(text, random.choice(NEAR))
    elif column.kind == "whole number" and text:
        row[column.name] = str(max(0, _whole(text) + random.choice((-1, 1, 2))))
    elif column.kind == "quarter" and text:
        row[column.name] = _moved(text, random.choice((-2, -1, 1, 2)))
    elif column.kind in ("choice", "yes/no") and random.random() < 0.3:
        row[column.name] = _other(random, tables, column, text)


def _nasty(random: Random, tables: Tables) -> None:
    """One cell is anything."""
    found = _some(random, tables)
    if found is not None:
        table, row = found
        row[random.choice(list(columns_of(TABLES[table])))] = random.choice((*NASTY, *UNPRINTABLE))


def _column(random: Random, tables: Tables) -> None:
    """A column of numbers is in another unit."""
    found = _some(random, tables)
    if found is None:
        return
    table = found[0]
    numbers = [c for c, spec in columns_of(TABLES[table]).items() if spec.kind == "number"]
    if numbers:
        name, factor = random.choice(numbers), random.choice(FACTORS)
        for row in tables[table]:
            row[name] = _scaled(row.get(name, ""), factor)


def _lost(random: Random, tables: Tables) -> None:
    """A row is gone."""
    found = _some(random, tables)
    if found is not None:
        tables[found[0]].remove(found[1])


def _cut(random: Random, tables: Tables) -> None:
    """A table ends early."""
    found = _some(random, tables)
    if found is not None:
        rows = tables[found[0]]
        del rows[random.randrange(len(rows)) :]


def _twice(random: Random, tables: Tables) -> None:
    """A row stands twice, once under another name."""
    found = _some(random, tables)
    if found is not None:
        table, row = found
        key = random.choice(TABLES[table].key)
        other = _other(random, tables, columns_of(TABLES[table])[key], row.get(key, ""))
        tables[table].append({**row, key: random.choice((other, f"{row.get(key)}-2"))})


def _swapped(random: Random, tables: Tables) -> None:
    """Two rows, or two columns of a row, have each other's cells."""
    found = _some(random, tables)
    if found is None:
        return
    table, row = found
    name, other = random.choice(list(row)), random.choice(list(row))
    if random.random() < 0.5:
        row[name], row[other] = row[other], row[name]
    else:
        mate = random.choice(tables[table])
        row[name], mate[name] = mate.get(name, ""), row[name]


def _forgotten(random: Random, tables: Tables) -> None:
    """Nothing of a name is left in one table."""
    found = _some(random, tables)
    if found is not None:
        table, row = found
        key = TABLES[table].key[0]
        tables[table] = [r for r in tables[table] if r.get(key) != row.get(key)]


OPERATIONS: tuple[Operation, ...] = (
    _cell, _cell, _cell, _cell, _cell, _cell, _nasty, _column, _lost, _cut, _twice, _swapped, _forgotten,
)  # fmt: skip


def _other(random: Random, tables: Tables, column: Column, text: str) -> str:
    """What a cell might hold instead."""
    if random.random() < 0.1:
        return random.choice(("", *NASTY))
    if column.kind == "choice":
        return random.choice(column.choices)
    if column.kind == "yes/no":
        return "false" if text == "true" else "true"
    if column.kind == "quarter":
        return _moved(text or "2027Q2", random.choice(SHIFTS))
    if column.kind == "number":
        return _scaled(text or "1", random.choice(FACTORS))
    if column.kind == "whole number":
        return str(_whole(text) + random.choice(SHIFTS))
    names = [c for rows in tables.values() for r in rows for n, c in r.items() if n == column.name and c]
    return random.choice((*names, "nowhere")) if names else "nowhere"


def _scaled(text: str, factor: float) -> str:
    try:
        return f"{float(text) * factor:.10g}"
    except (ValueError, OverflowError):
        return text


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 1


def _moved(text: str, by: int) -> str:
    try:
        index = int(text[:4]) * 4 + int(text[5]) - 1 + by
    except (ValueError, IndexError):
        return text
    return f"{index // 4}Q{index % 4 + 1}"


# --- bytes ------------------------------------------------------------------------------------------------

SIGNS = b"\",\n\r\0#;[]=<&'-"
TOKENS = (
    *(bytes([sign]) for sign in SIGNS), b"\xff\xfe", b"\xef\xbb\xbf", b"/>", b"1e999", b"nan", b"2027Q9",
    b"true", b"[catalogue]\n", b'"all"', b"<c r='ZZZ9'/>", b"&#0;",
)  # fmt: skip


def mangled(random: Random, data: bytes) -> bytes:
    """Bytes with some lost, doubled, changed or put in."""
    for _ in range(random.choice((1, 1, 2, 5))):
        at, size = random.randrange(len(data) + 1), random.choice((1, 1, 2, 8, 64, 512))
        way = random.randrange(5)
        if way == 0:
            data = data[:at] + data[at + size :]
        elif way == 1:
            data = data[:at] + data[at : at + size] * 2 + data[at + size :]
        elif way == 2:
            data = data[:at] + random.choice(TOKENS) + data[at:]
        elif way == 3:
            data = data[:at] + random.randbytes(min(size, 8)) + data[at + min(size, 8) :]
        else:
            lines = data.split(b"\n")
            a, b = random.randrange(len(lines)), random.randrange(len(lines))
            lines[a], lines[b] = lines[b], lines[a]
            data = b"\n".join(lines)
    return data


def mangle_file(random: Random, folder: Path) -> None:
    """One file of a portfolio's folder, its settings as often as all tables together."""
    files = sorted(folder.iterdir())
    file = folder / "portfolio.toml" if random.random() < 0.3 else random.choice(files)
    file.write_bytes(mangled(random, file.read_bytes()))


def mangle_workbook(random: Random, data: bytes) -> bytes:
    """One part of a workbook, most often a sheet."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheets = [name for name in sorted(parts) if "worksheets/sheet" in name and name.endswith(".xml")]
    name = random.choice(sheets if random.random() < 0.5 else sorted(parts))
    parts[name] = mangled(random, parts[name])
    new = io.BytesIO()
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for part, content in parts.items():
            made.writestr(part, content)
    return new.getvalue()


# --- cases ------------------------------------------------------------------------------------------------

KINDS = ("rows", "rows", "rows", "rows", "rows", "rows", "file", "file", "workbook", "archive")


def case(random: Random, folder: Path, only: str = "") -> tuple[str, Path]:
    """A spoilt portfolio written into an empty folder: what was spoilt how, and where it is."""
    kind = only or random.choice(KINDS)
    if kind in ("workbook", "archive"):
        name = random.choice(BOOKS)
        book = folder / "made.xlsx"
        mangle = mangle_workbook if kind == "workbook" else mangled
        book.write_bytes(mangle(random, workbook(name)))
        return f"{kind} of {name}", book
    name = random.choice(sorted(bases()))
    made = write(spoilt(random, bases()[name]) if kind == "rows" else bases()[name], folder / "made")
    if kind == "file":
        mangle_file(random, made)
    return f"{kind} of {name}", made


BOOKS = ("portfolios/tiny", "small")


@cache
def workbook(name: str) -> bytes:
    """The workbook of a portfolio."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "made.xlsx"
        write_workbook(file, write(bases()[name], Path(place) / "made"))
        return file.read_bytes()
