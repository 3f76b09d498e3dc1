"""Decisions of an earlier plan kept in a new one: read by quarter and place, and set as bounds."""

import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from models.blocks.books import Decision
from models.blocks.program import Program
from models.domain.ledger import DECIDED_NOW, Quantity
from models.findings import Finding, InputError
from models.timetree import Quarter
from optimizer.inputs.columns import nearest
from optimizer.inputs.escape import unescaped
from optimizer.inputs.read import MAX_COLUMNS, read_bytes
from optimizer.plans.store import StoreError
from optimizer.solve.matrix import Matrix

TABLE = "decisions"
KEY = ("quantity", "site", "item", "contract", "since", "node")
BY_THE_DAY = frozenset(
    {
        Quantity.ATM,
        Quantity.DRAWN,
        Quantity.REPAID,
        Quantity.SOLD_BTC,
        Quantity.PLEDGED_BTC,
        Quantity.CASH_MARGIN,
        Quantity.PAYOUT,
    }
)
"""Money moved at the day's prices: no commitment, so each future decides on it anew."""
KEPT = DECIDED_NOW - BY_THE_DAY
QUANTITIES = tuple(str(q) for q in Quantity)
MAX_BYTES = 20_000_000
"""No plan has more decisions; those of a company on a tree have a twentieth."""
NOTHING = 1e-6
"""What an amount may differ by from the one it keeps; above one, this part of it."""

Place = tuple[str, str, str, str, str, str]
"""Quantity, site, item, contract, since and quarter: a decision without the future that it lies in."""


@dataclass(frozen=True)
class Kept:
    """One decision of the earlier plan."""

    row: str
    """Its key in the earlier table."""
    value: float


def read_kept(
    folder: Path, first: Quarter, last: Quarter, quantities: frozenset[Quantity] = KEPT
) -> dict[Place, Kept]:
    """Here-and-now decisions of the quarters ``first`` to ``last`` of a plan on disk.

    Raises
    ------
    StoreError
        The folder holds no table of decisions.
    InputError
        A row cannot be read, two futures of a quarter decide differently, or ``last`` comes before ``first``.
    """
    if last < first:
        message, remedy = (
            f"nothing is decided up to {last}",
            f"keep decisions up to {first} or a later quarter",
        )
        raise InputError((_wrong("", "node", message, remedy),))
    file = folder / f"{TABLE}.csv"
    data = read_bytes(file, within=folder, most=MAX_BYTES)
    if isinstance(data, Finding):
        raise StoreError(f"'{folder!s:.120}' holds no decisions of a plan: {data.message}")
    if data.partition(b"\n")[0].count(b",") > MAX_COLUMNS:
        raise StoreError(f"'{file!s:.120}' has more than {MAX_COLUMNS} columns")
    try:
        frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False).fillna("")
    except (OSError, ValueError) as trouble:
        raise StoreError(f"'{folder!s:.120}' holds no decisions of a plan: {trouble}") from trouble
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes what has no name for row labels
        raise StoreError(f"'{file!s:.120}' has rows with more cells than its header")
    if missing := [c for c in (*KEY, "value") if c not in frame.columns]:
        raise InputError((_wrong("", missing[0], "there is no such column", "name the folder of a plan"),))
    kept: dict[Place, Kept] = {}
    findings: list[Finding] = []
    for cells in frame[[*KEY, "value"]].itertuples(index=False, name=None):
        *words, said = map(unescaped, cells)
        row = "|".join(words)
        place = _place(words)
        try:
            quarter, value = Quarter.parse(place[-1]), float(said)
        except ValueError as trouble:
            findings.append(_wrong(row, "node", str(trouble), "write the rows as the plan had them"))
            continue
        if words[0] not in QUANTITIES:
            remedy = nearest(words[0], QUANTITIES, "write the rows as the plan had them")
            findings.append(_wrong(row, "quantity", "a plan decides on nothing of this name", remedy))
            continue
        if not math.isfinite(value):
            findings.append(_wrong(row, "value", f"'{said}' is no amount", "write a finite number"))
            continue
        if words[0] not in quantities or not first <= quarter <= last:
            continue
        other = kept.setdefault(place, Kept(row, value))
        if abs(other.value - value) > NOTHING:
            message = f"another future of {quarter} decides {other.value:g}, and this one {value:g}"
            findings.append(_wrong(row, "node", message, "keep decisions up to a quarter before they part"))
    if findings:
        raise InputError(tuple(findings))
    return kept


def keep(
    program: Program,
    matrix: Matrix,
    kept: Mapping[Place, Kept],
    last: Quarter,
    quantities: frozenset[Quantity] = KEPT,
) -> Matrix:
    """The matrix with what is decided up to a quarter as in the earlier plan; what that lacks is not done.

    The bounds are set in the program too. InputError where a decision has no place in it.
    """
    tree = program.params.tree
    bound: dict[Place, list[Decision]] = {}
    for d in program.decisions:
        if d.quantity in quantities and tree.quarter(d.node) <= last:
            place = _place((str(d.quantity), d.site, d.item, d.contract, d.since, tree.label(d.node)))
            bound.setdefault(place, []).append(d)
    missing = [k for place, k in kept.items() if place not in bound and abs(k.value) > NOTHING]
    if missing:
        raise InputError(tuple(_unknown(program, k, last) for k in missing))
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    for place, decisions in bound.items():
        value = kept[place].value if place in kept else 0.0
        for d in decisions:
            j = matrix.column[id(d.variable)]
            whole, room = bool(matrix.is_integer[j]), NOTHING * max(1.0, abs(value))
            lower[j] = max(lower[j], round(value) if whole else value - room)
            upper[j] = min(upper[j], round(value) if whole else value + room)
            d.variable.setlb(lower[j])
            d.variable.setub(upper[j])
    return replace(matrix, lower=lower, upper=upper, free=(matrix.lower, matrix.upper))


def _place(words: tuple[str, ...] | list[str]) -> Place:
    quantity, site, item, contract, since, node = words
    return quantity, site, item, contract, since.partition(":")[0], node.partition(":")[0]


def _unknown(program: Program, kept: Kept, last: Quarter) -> Finding:
    """What about a row the new program does not know: the first name that it lacks, else the quarter."""
    words = dict(zip(KEY, kept.row.split("|"), strict=True))
    for column, known in _names(program):
        if words[column] and words[column] not in known:
            message = f"this portfolio has no {column} '{words[column]}'"
            remedy = "keep the decisions of a plan of this portfolio, or delete the row"
            return _wrong(kept.row, column, message, remedy)
    message = f"nothing of this kind can be decided here in {words['node'].partition(':')[0]}"
    return _wrong(kept.row, "node", message, f"keep decisions up to a quarter before it, not {last}")


def _names(program: Program) -> Iterator[tuple[str, set[str]]]:
    p = program.params.portfolio
    yield "site", {s.site for s in p.sites}
    yield "contract", {c.contract for c in p.contracts} | {d.contract for d in program.decisions}
    yield "item", {d.item for d in program.decisions}


def _wrong(row: str, column: str, message: str, remedy: str) -> Finding:
    return Finding("error", "kept-decision", TABLE, row, column, message, remedy)
