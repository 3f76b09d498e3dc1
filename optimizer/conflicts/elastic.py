"""Inputs that may give way, each with its price: by an amount, or step by step."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.domain.portfolio import TABLES, Portfolio
from optimizer.shipped import data_folder

Array = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Cell:
    """One cell of the input; or, of a kept plan, the value of a row of its decisions."""

    table: str
    key: str
    column: str

    def __str__(self) -> str:
        return f"{self.table}[{self.key}].{self.column}"


@dataclass(frozen=True)
class Change:
    """A cell with what stands in it and what would."""

    cell: Cell
    was: str
    now: str

    @property
    def override(self) -> str:
        """As ``--set`` takes it."""
        return f"{self.cell}={self.now}"


Translation = Callable[[float, Array], tuple[str, tuple[Change, ...]]]
"""From the amount or steps by which an input gives way, and the solution, to words and changed cells."""


@dataclass(frozen=True, eq=False)
class Elastic:
    """An input that may give way."""

    cell: Cell
    family: str
    says: str
    """What its row demands."""
    usd_m: float
    """Price of a unit or step."""
    translate: Translation
    steps: int = 0
    """Whole steps at most; 0: any amount."""
    most: float = np.inf
    """Units at most."""
    rows: Sequence[tuple[int, float]] = ()
    """Rows at most their limit, which a unit relaxes by so much."""
    flows: Sequence[tuple[int, float]] = ()
    """Rows of equality, to whose right side a unit adds so much."""
    columns: Sequence[tuple[int, int]] = ()
    """Columns that are there only from so many steps on."""
    raised: Sequence[int] = ()
    """Columns whose upper bound rises by as many units as the input gives way."""
    kept: tuple[int, float, float] | None = None
    """A column that is held to these bounds unless the input gives way."""
    context: Sequence[str] = field(default=())
    """Facts that go with it where it stands in a conflict."""

    @property
    def row(self) -> tuple[str, str]:
        """The input row."""
        return self.cell.table, self.cell.key


@cache
def prices() -> dict[str, float]:
    """What a unit of each family is reckoned to cost. [$M]"""
    with (data_folder() / "conflicts" / "prices.csv").open(encoding="utf-8", newline="") as file:
        return {row["family"]: float(row["usd_m"]) for row in csv.DictReader(file)}


def text_of(value: object) -> str:
    """A cell as it is written in a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value)


def changed(portfolio: Portfolio, changes: Sequence[Change]) -> Portfolio:
    """The portfolio with cells changed, as ``--set`` changes them; ValueError where a cell cannot hold it."""
    tables: dict[str, tuple[object, ...]] = {}
    for change in changes:
        cell = change.cell
        if cell.table not in TABLES:
            continue
        rows = tables.get(cell.table, getattr(portfolio, cell.table))
        tables[cell.table] = tuple(
            type(row).model_validate({**row.model_dump(), cell.column: change.now or None})
            if key_of(row) == cell.key
            else row
            for row in rows
        )
    return portfolio.model_copy(update=tables)


def key_of(row: object) -> str:
    """Key of an input row, its parts joined by '|'."""
    return "|".join(text_of(getattr(row, part)) for part in row.key)  # type: ignore[attr-defined]


def outward(value: float, *, up: bool) -> float:
    """Rounded to three digits, away from what it was."""
    if value == 0.0:
        return 0.0
    unit = 10.0 ** (np.floor(np.log10(abs(value))) - 2)
    whole = np.ceil(value / unit - 1e-6) if up else np.floor(value / unit + 1e-6)
    return float(f"{whole * unit:.6g}")


def quarters(n: int) -> str:
    """So many quarters, in words."""
    return f"{n} quarter" if n == 1 else f"{n} quarters"
