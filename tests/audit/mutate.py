"""Cells of a plan's tables, wrong by ten times the audit's tolerance, and whether the audit names them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimizer.audit.verdict import Judged, _key_part, _tolerance, compare, judge
from optimizer.plans.tables import BY_NAME, TABLES, Table
from tests.audit.seven import GoodPlan

MATERIAL = 10.0
"""Times the tolerance."""
DECISIONS = "decisions"
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Cell:
    """One cell of a plan that is made wrong."""

    table: str
    row: str
    """As the audit names it; its key before, where a part of the key is wrong."""
    column: str
    was: object
    now: object


def columns_of(spec: Table) -> tuple[str, ...]:
    """Columns that must be right: keys, what is rebuilt, and the quarter beside a node."""
    quarter = [c.name for c in spec.columns if c.name == "quarter" and "node" in spec.key]
    return tuple(dict.fromkeys((*spec.key, *spec.audited, *quarter)))


def judged(plan: GoodPlan) -> Judged:
    """What the plan's own decisions come to."""
    return judge(plan.portfolio, plan.tree, plan.tables[DECISIONS], plan.value_per_share_usd)


def unnoticed(plan: GoodPlan, own: Judged, count: int, seed: int) -> tuple[int, list[Cell]]:
    """How many cells outside the decisions were made wrong in one audit, and those that it does not name.

    A cell that is not the key is to be named by table, row and column; one of a key by its row.
    """
    tables, cells = drawn(plan, count, np.random.default_rng(seed))
    failures = compare(own, tables, plan.objective).failures
    rows = {(f.table, f.row) for f in failures}
    named = {(f.table, f.row, f.column) for f in failures}
    return len(cells), [
        c
        for c in cells
        if ((c.table, c.row) not in rows if c.column in BY_NAME[c.table].key else place(c) not in named)
    ]


def place(cell: Cell) -> tuple[str, str, str]:
    """Where a cell stands."""
    return cell.table, cell.row, cell.column


def drawn(plan: GoodPlan, count: int, rng: np.random.Generator) -> tuple[Tables, list[Cell]]:
    """Tables with so many wrong cells, at most one in each row.

    A column is drawn before a row of it, so that short tables are spoilt as often as long ones.
    """
    places = [
        (t, c) for t in TABLES if t.name != DECISIONS and len(plan.tables[t.name]) for c in columns_of(t)
    ]
    tables = {name: frame.copy() for name, frame in plan.tables.items()}
    cells: dict[tuple[str, int], Cell] = {}
    for _ in range(20 * count):
        spec, column = places[int(rng.integers(len(places)))]
        row = int(rng.integers(len(tables[spec.name])))
        if (spec.name, row) in cells or (
            column in spec.key and not matters(plan.tables[spec.name], spec, row)
        ):
            continue
        cells[spec.name, row] = spoil(tables, spec, row, column, rng)
        if len(cells) == count:
            break
    return tables, list(cells.values())


def matters(frame: pd.DataFrame, spec: Table, row: int) -> bool:
    """Whether a row says anything: one of zeros may be left out, so nobody misses it."""
    return any(
        bool(cell) if isinstance(cell, str) else abs(cell) >= MATERIAL * _tolerance(spec, c, ("",))
        for c in spec.audited
        for cell in [frame[c].iloc[row]]
    )


def spoil(tables: Tables, spec: Table, row: int, column: str, rng: np.random.Generator) -> Cell:
    """Make one cell of a table wrong, in place: another word of its column, or ten tolerances off."""
    frame = tables[spec.name]
    key = tuple(_key_part(frame[name].iloc[row]) for name in spec.key)
    was = frame[column].iloc[row]
    now: object
    if isinstance(was, str) and column in spec.key:
        now = f"not {was}"  # another key that there is would stand twice, and hide what else is wrong with it
    elif isinstance(was, str):
        others = sorted({str(word) for word in frame[column]} - {was})
        now = others[int(rng.integers(len(others)))] if others else f"not {was}"
    else:
        size = 1.0 if column in spec.key else MATERIAL * _tolerance(spec, column, key)
        now = float(was) + float(rng.choice([-1.0, 1.0])) * size
    cells = frame[column].astype(object).tolist()
    cells[row] = now
    frame[column] = pd.Series(cells, frame.index)
    return Cell(spec.name, "|".join(map(str, key)), column, was, now)


def decided_otherwise(plan: GoodPlan, rng: np.random.Generator, each: int) -> Iterator[tuple[Cell, bool]]:
    """For some rows of each quantity another value, an audit each; and whether it objects."""
    frame, spec = plan.tables[DECISIONS].reset_index(drop=True), BY_NAME[DECISIONS]
    for _, rows in frame.groupby("quantity"):
        for row in rng.choice(rows.index, min(each, len(rows)), replace=False):
            tables = {DECISIONS: frame.copy()}
            cell = spoil(tables, spec, int(row), "value", rng)
            yield cell, objects(plan, tables[DECISIONS])


def objects(plan: GoodPlan, decisions: pd.DataFrame) -> bool:
    """Whether the audit refuses other decisions beside the plan's tables; rules first, which are quick."""
    other = judge(plan.portfolio, plan.tree, decisions, plan.value_per_share_usd)
    if other.court.failures:
        return True
    return not compare(other, {**plan.tables, DECISIONS: decisions}, plan.objective).passed
