"""Plans spoilt one column at a time, each materially: what an auditor has to notice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.audit.verdict import Judged, Verdict, compare, judge
from optimizer.plans.tables import TABLES

MATERIAL_REL = 0.1
MATERIAL = 1.0
"""A tenth of the cell, and at least one unit: far beyond ten times any tolerance."""


@dataclass(frozen=True)
class Corruption:
    """A plan with one wrong cell."""

    table: str
    column: str
    row: int
    tables: dict[str, pd.DataFrame]

    def __str__(self) -> str:
        return f"{self.table}.{self.column}[{self.row}]"


class Auditor:
    """Audits one plan in many shapes; what its decisions come to is found once for each table of them."""

    def __init__(
        self, portfolio: Portfolio, tree: TimeTree, tables: Mapping[str, pd.DataFrame], price: float, aim: str
    ) -> None:
        self.portfolio, self.tree, self.tables = portfolio, tree, tables
        self.price, self.aim = price, aim
        self.judged = self._judge(tables["decisions"])

    def _judge(self, decisions: pd.DataFrame | None) -> Judged:
        return judge(self.portfolio, self.tree, decisions, self.price)

    def audit(self, tables: Mapping[str, pd.DataFrame]) -> Verdict:
        """As ``optimizer.audit.verdict.audit`` does, which judges the decisions anew each time."""
        decisions = tables.get("decisions")
        judged = self.judged if decisions is self.tables["decisions"] else self._judge(decisions)
        return compare(judged, tables, self.aim)


def corruptions(tables: Mapping[str, pd.DataFrame], seed: int = 0) -> Iterator[Corruption]:
    """For each audited column of each table that has rows, the plan with one random cell of it changed."""
    rng = np.random.default_rng(seed)
    for spec in TABLES:
        frame = tables[spec.name]
        for column in spec.audited if len(frame) else ():
            row = int(rng.integers(len(frame)))
            yield Corruption(spec.name, column, row, {**tables, spec.name: spoil(frame, column, row)})


def spoil(frame: pd.DataFrame, column: str, row: int) -> pd.DataFrame:
    """A copy with one cell materially wrong."""
    cell = frame[column].iloc[row]
    wrong: object = (
        f"not {cell}" if isinstance(cell, str) else float(cell) + max(MATERIAL, MATERIAL_REL * abs(cell))
    )
    spoilt = frame.copy()
    spoilt[column] = pd.Series([wrong if i == row else c for i, c in enumerate(frame[column])], frame.index)
    return spoilt


def malformed(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, dict[str, pd.DataFrame]]]:
    """Plans that are wrong as tables: a row twice, a row or column too many, none at all, not a number."""
    for spec in TABLES:
        frame = tables[spec.name]
        yield f"{spec.name} missing", {k: v for k, v in tables.items() if k != spec.name}
        yield f"{spec.name} with a column", {**tables, spec.name: frame.assign(surplus=0.0)}
        yield f"{spec.name} without its key", {**tables, spec.name: frame.drop(columns=[spec.key[0]])}
        if frame.empty:
            continue
        yield f"{spec.name} with a row twice", {**tables, spec.name: pd.concat([frame, frame.iloc[[0]]])}
        stranger = frame.iloc[[0]].assign(**{spec.key[0]: "stranger"})
        for column in spec.audited:
            stranger[column] = 5.0
        yield f"{spec.name} with a strange row", {**tables, spec.name: pd.concat([frame, stranger])}
        blank = frame.assign(**{spec.audited[-1]: [float("nan"), *frame[spec.audited[-1]].iloc[1:]]})
        yield f"{spec.name} with a blank", {**tables, spec.name: blank}
