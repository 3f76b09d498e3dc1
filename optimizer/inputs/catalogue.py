"""All rows of a portfolio as text: its own tables over those taken from the catalogue and the deck."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from models.domain.portfolio import TABLES
from models.findings import Finding
from optimizer.inputs.columns import nearest
from optimizer.inputs.manifest import Manifest, Taken, read_manifest
from optimizer.inputs.own import read_own_folder, read_table
from optimizer.inputs.parse import raw_key
from optimizer.inputs.read import RawRow, read_bytes
from optimizer.inputs.workbook import is_workbook, read_workbook

DECK_TABLES = ("scenarios", "market", "market_shapes")
SHIPPED = ("catalogue/", "decks/")
"""Places of shipped rows begin so."""
POLICIES = "policies.csv"
"""Shipped rows of the covenants table, by the policy that they belong to."""
Tables = dict[str, tuple[RawRow, ...]]


@dataclass(frozen=True, order=True)
class Overridden:
    """A row of the catalogue that the portfolio replaced, or a cell that `--set` changed."""

    table: str
    row: str
    column: str
    """Empty when the whole row was replaced."""
    was: str
    now: str

    def __str__(self) -> str:
        if not self.column:
            return f"{self.table} {self.row} replaces the catalogue's row"
        return f"{self.table} {self.row} {self.column}: {self.now!r:.60} instead of {self.was!r:.60}"


@dataclass(frozen=True)
class Gathered:
    """Everything read for one portfolio, nothing yet validated."""

    manifest: Manifest | None
    tables: Tables
    overridden: tuple[Overridden, ...]
    findings: tuple[Finding, ...]
    digest: str
    """SHA-256 over the names and bytes of all files used."""
    settings_at: Mapping[str, str] | None
    """Cell of each setting when the portfolio is a workbook."""


@dataclass
class _Files:
    """Table files read so far: what they say, what is wrong with them, and their bytes."""

    findings: list[Finding] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)

    def shipped(self, path: Path, place: str, table: str = "") -> tuple[RawRow, ...]:
        """Rows of a shipped table, called as its file unless said otherwise; none when there is none."""
        if not path.is_file():
            return ()
        data = read_bytes(path, within=path.parent)
        if isinstance(data, Finding):
            self.findings.append(data)
            return ()
        self.contents[place] = data
        raw, faults = read_table(table or path.stem, place, data)
        self.findings += faults
        return raw.rows


def gather(path: Path, catalogue: Path) -> Gathered:
    """Read a portfolio's folder or workbook, and what it takes from the catalogue folder."""
    own = read_workbook(path) if is_workbook(path) else read_own_folder(path)
    files = _Files(own.findings, own.contents)
    manifest = None
    if own.settings is not None:
        decks = tuple(sorted(entry.name for entry in catalogue.glob("decks/*") if entry.is_dir()))
        stocked = tuple(sorted(entry.stem for entry in catalogue.glob("*.csv") if entry.stem in TABLES))
        known = {"decks": decks, "catalogues": stocked, "policies": policies(catalogue)}
        manifest, faults = read_manifest(own.settings, **known)
        files.findings += faults
    taken = _taken(files, catalogue, manifest) if manifest else {}
    merged: Tables = {}
    overridden: list[Overridden] = []
    for table in TABLES:
        rows = own.tables[table].rows if table in own.tables else ()
        kept, replaced = _over(table, rows, taken.get(table, ()))
        merged[table] = kept
        overridden += replaced
    merged["provenance"] = _without_stale_evidence(merged["provenance"], overridden)
    return Gathered(
        manifest,
        merged,
        tuple(overridden),
        tuple(files.findings),
        _digest(files.contents),
        own.settings_at,
    )


def _taken(files: _Files, catalogue: Path, manifest: Manifest) -> Tables:
    """Rows from the deck and the catalogue, with the evidence for them."""
    taken: Tables = {}
    evidence: list[RawRow] = []
    if manifest.deck is not None:
        deck = catalogue / "decks" / manifest.deck
        for table in (*DECK_TABLES, "provenance"):
            rows = files.shipped(deck / f"{table}.csv", f"decks/{manifest.deck}/{table}.csv")
            taken[table] = rows
        evidence += taken.pop("provenance")
    for table, keys in manifest.catalogue.items():
        rows = files.shipped(catalogue / f"{table}.csv", f"catalogue/{table}.csv")
        if keys is not None:
            files.findings += _unknown_keys(table, keys, rows)
            rows = tuple(row for row in rows if set(_selectors(table, row)) & set(keys))
        taken[table] = (*taken.get(table, ()), *rows)
    if manifest.policy is not None:
        rows = files.shipped(catalogue / POLICIES, f"catalogue/{POLICIES}", "covenants")
        taken["covenants"] = tuple(row for row in rows if row.cells.get("policy") == manifest.policy)
    if manifest.catalogue or manifest.policy is not None:
        said = files.shipped(catalogue / "provenance.csv", "catalogue/provenance.csv")
        keys_taken = {(table, raw_key(table, row)) for table, rows in taken.items() for row in rows}
        evidence += [row for row in said if (row.cells.get("of_table"), row.cells.get("row")) in keys_taken]
    taken["provenance"] = tuple(evidence)
    return taken


def policies(catalogue: Path) -> tuple[str, ...]:
    """Names of the shipped policies."""
    path = catalogue / POLICIES
    data = read_bytes(path, within=catalogue) if path.is_file() else b""
    rows = () if isinstance(data, Finding) else read_table("covenants", POLICIES, data)[0].rows
    return tuple(sorted({row.cells.get("policy") or "" for row in rows} - {""}))


def _selectors(table: str, row: RawRow) -> tuple[str, ...]:
    """What the settings may call a catalogue row: its key, or the first part of it."""
    return raw_key(table, row), raw_key(table, row).split("|")[0]


def _unknown_keys(table: str, keys: Taken, rows: Iterable[RawRow]) -> Iterator[Finding]:
    known = sorted({name for row in rows for name in _selectors(table, row)})
    for key in keys or ():
        if key not in known:
            message = f"the settings take '{key}' from the catalogue, which does not have it"
            remedy = nearest(key, known, "the catalogue has " + ", ".join(known[:12]))
            yield Finding("error", "unknown-catalogue-row", table, key, "", message, remedy)


def _over(
    table: str, own: tuple[RawRow, ...], taken: tuple[RawRow, ...]
) -> tuple[tuple[RawRow, ...], list[Overridden]]:
    """Own rows after those taken rows that none of them replaces."""
    places = {raw_key(table, row): row.place for row in own}
    kept = [row for row in taken if raw_key(table, row) not in places]
    replaced = [
        Overridden(table, key, "", row.place, places[key])
        for row in taken
        if (key := raw_key(table, row)) in places
    ]
    return (*kept, *own), replaced


def _without_stale_evidence(rows: tuple[RawRow, ...], overridden: list[Overridden]) -> tuple[RawRow, ...]:
    """Evidence without that of the catalogue for rows that the portfolio replaced."""
    stale = {(o.table, o.row) for o in overridden}
    return tuple(
        row
        for row in rows
        if not row.place.startswith(SHIPPED) or (row.cells.get("of_table"), row.cells.get("row")) not in stale
    )


def _digest(contents: dict[str, bytes]) -> str:
    total = sha256()
    for name in sorted(contents):
        total.update(f"{name}\n{len(contents[name])}\n".encode())
        total.update(contents[name])
    return total.hexdigest()
