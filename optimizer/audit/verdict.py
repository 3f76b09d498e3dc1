"""The audit of a plan: its tables against the rebuilt ones, its rules, its value per share."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import pandas as pd

from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.domain.statements import OPENING
from models.timetree import TimeTree
from optimizer.audit.book import Book
from optimizer.audit.court import AuditFailure, Court
from optimizer.audit.covenants import Test, check_covenants, covenant_tests
from optimizer.audit.decisions import COINS, INTEGERS, MEGAWATTS, read_decisions
from optimizer.audit.proof import Claimed, check_proof
from optimizer.audit.rebuild import rebuild_rows
from optimizer.audit.rules_money import MoneyRules
from optimizer.audit.rules_physical import PhysicalRules
from optimizer.audit.tables_physical import Row, Rows
from optimizer.audit.ties import STATEMENTS, Ties
from optimizer.audit.valuation import Valuation
from optimizer.audit.world import World
from optimizer.plans.tables import BY_NAME, TABLES, Table

_BY_UNIT = {
    "$M": Court.USD_M,
    "MW": Court.MW,
    "M": Court.SHARES_M,
    "BTC": Court.BTC,
    "MWh": Court.MWH,
    "quarters": Court.INTEGER,
    "yearly": Court.RATE,
    "USD": Court.USD,
    "times": Court.RATIO,
    "fraction": Court.RATIO,
}
_IN_MODULES = (Quantity.FINANCED, Quantity.LEASED, Quantity.SELL_BLOCK)
_BY_NAME = {
    "modules_begun": Court.INTEGER,
    "ours": Court.INTEGER,
    "probability": Court.INTEGER,
    "value": Court.USD_M,
    "threshold": Court.USD_M,
    "headroom": Court.USD_M,
}


@dataclass(frozen=True)
class Verdict:
    """What the audit found."""

    passed: bool
    checks: int
    """Single comparisons and rule checks made."""
    worst: str
    """The check nearest to its tolerance, or farthest beyond it."""
    worst_size: float
    """Its size over its tolerance; above 1 it failed."""
    failures: tuple[AuditFailure, ...]
    bound_checked: float = math.inf
    """What no plan exceeds by the auditor's own arithmetic, in the objective's unit; inf where unknown."""


def audit(
    portfolio: Portfolio,
    tree: TimeTree,
    tables: Mapping[str, pd.DataFrame],
    *,
    value_per_share_usd: float,
    objective: str,
    claimed: Claimed | None = None,
) -> Verdict:
    """Rebuild a plan from its decisions and compare: rules, tables, value per share, what was proved."""
    judged = judge(portfolio, tree, tables.get("decisions"), value_per_share_usd)
    return compare(judged, tables, objective, claimed)


@dataclass(frozen=True, eq=False)
class Judged:
    """What a plan's decisions come to, before any other table of it is read."""

    court: Court
    """What the rules found."""
    worth: Valuation | None
    """None of decisions that cannot be read."""
    tests: Sequence[Test]
    price_usd: float
    """Value per share that the plan states."""

    @cached_property
    def rows(self) -> Mapping[str, Rows]:
        """Audited columns of every table."""
        return {} if self.worth is None else rebuild_rows(self.worth, self.tests, self.price_usd)

    @cached_property
    def keyed(self) -> Mapping[str, Rows]:
        """The same by keys as a plan's cells are read."""
        return {
            name: {tuple(_key_part(part) for part in key): row for key, row in rows.items()}
            for name, rows in self.rows.items()
        }

    @cached_property
    def value_per_share_usd(self) -> float:
        """Price at which value meets the claims."""
        return math.nan if self.worth is None else self.worth.root()


def judge(portfolio: Portfolio, tree: TimeTree, decisions: pd.DataFrame | None, price_usd: float) -> Judged:
    """Hold a plan's decisions against all rules."""
    court, book = Court(), Book(portfolio, tree)
    decided = read_decisions(decisions, book, court) if decisions is not None else None
    if decided is None:
        return Judged(court, None, (), price_usd)
    world = World(book, decided)
    worth = Valuation(world)
    tests = covenant_tests(worth)
    PhysicalRules(world, court).check()
    MoneyRules(world, court).check()
    check_covenants(tests, tree, court)
    return Judged(court, worth, tests, price_usd)


def compare(
    judged: Judged, tables: Mapping[str, pd.DataFrame], objective: str, claimed: Claimed | None = None
) -> Verdict:
    """Every table, the value per share and the proof against what the decisions come to."""
    court, price, bound = Court(), judged.price_usd, math.inf
    for spec in TABLES:
        _check_shape(spec, tables, court)
    usable = math.isfinite(price)
    court.require("VAL", "run", "", "value_per_share_usd", usable, "a number", price)
    court.take_over(judged.court)
    if judged.worth is not None and usable:
        labels = {*judged.worth.book.node_of, OPENING}
        for name, rows in judged.keyed.items():
            if name in tables:
                _compare_table(BY_NAME[name], rows, tables[name], court, labels)
        if _have_columns(tables):
            Ties(judged.worth.book, tables, court).check()
        _check_price(judged.value_per_share_usd, price, objective, court)
        if claimed is not None:
            bound = check_proof(claimed, judged.worth, court)
    name, size = court.worst
    return Verdict(not court.failures, court.checks, name, size, tuple(court.failures), bound)


def _have_columns(tables: Mapping[str, pd.DataFrame]) -> bool:
    """Whether the statements have the columns that are declared; what is missing has been objected to."""
    specs = [BY_NAME[name] for name in STATEMENTS]
    return all(s.name in tables and {*s.key, *s.audited} <= set(tables[s.name].columns) for s in specs)


def _check_price(expected: float, found: float, objective: str, court: Court) -> None:
    """The price per share at which value meets the claims."""
    tolerance = Court.PER_SHARE_REL * max(abs(expected), Court.PER_SHARE_REL)
    court.near(f"lambda ({objective})", "run", "", "value_per_share_usd", expected, found, tolerance)


def _check_shape(spec: Table, tables: Mapping[str, pd.DataFrame], court: Court) -> None:
    """A table is there, with its declared columns and no others."""
    if not court.require("table", spec.name, "", "", spec.name in tables, "a table", "none"):
        return
    declared, found = {c.name for c in spec.columns}, {str(c) for c in tables[spec.name].columns}
    for column in sorted(declared | found):
        expected = "declared" if column in declared else "no column"
        present = "a column" if column in found else "none"
        court.require(
            "column", spec.name, "", column, (column in declared) == (column in found), expected, present
        )


def _key_part(cell: object) -> str | float:
    return round(float(cell), 6) if isinstance(cell, (int, float)) else str(cell)


def _tolerance(spec: Table, column: str, key: tuple[str | float, ...]) -> float:
    if column == "value" and spec.name in ("decisions", "decide_now"):
        quantity = str(key[0])
        if quantity in INTEGERS or quantity in _IN_MODULES:
            return Court.INTEGER
        if quantity in COINS:
            return Court.BTC
        return Court.MW if quantity in (*MEGAWATTS, Quantity.ORDERED_MW) else Court.USD_M
    return _of_column(spec.name, column)


@cache
def _of_column(table: str, column: str) -> float:
    if column in _BY_NAME:
        return _BY_NAME[column]
    return _BY_UNIT[next(c.unit for c in BY_NAME[table].columns if c.name == column)]


def _compare_table(spec: Table, wanted: Rows, frame: pd.DataFrame, court: Court, labels: set[str]) -> None:
    """Every audited cell; a row that is missing on either side is a zero row."""
    if not {*spec.key, *spec.audited} <= set(frame.columns):
        return
    _check_quarters(spec, frame, court)
    width, seen = len(spec.key), set()
    columns = (frame[c].to_numpy(dtype=object) for c in (*spec.key, *spec.audited))
    for cells in zip(*columns, strict=True):
        key = tuple(_key_part(part) for part in cells[:width])
        name = "|".join(map(str, key))
        if not court.require("row", spec.name, name, "", key not in seen, "one row", "a second one"):
            continue
        seen.add(key)
        row = wanted.get(key)
        if row is None and not _may_be_zero_row(spec, key, labels):
            court.require("row", spec.name, name, "", False, "no row", "a row")
            continue
        found = dict(zip(spec.audited, cells[width:], strict=True))
        _compare_row(spec, key, row, found, court)
    for key, row in wanted.items():
        if key not in seen:
            _compare_row(spec, key, row, None, court)


def _check_quarters(spec: Table, frame: pd.DataFrame, court: Court) -> None:
    """The quarter that stands beside a node is that of the node, in rows of zeros too."""
    if "node" not in spec.key or "quarter" in spec.key or "quarter" not in frame.columns:
        return
    columns = (frame[c].to_numpy(dtype=object) for c in (*spec.key, "quarter"))
    for *key, quarter in zip(*columns, strict=True):
        named = str(key[spec.key.index("node")]).partition(":")[0]
        name = "|".join(str(_key_part(part)) for part in key)
        court.require("cell", spec.name, name, "quarter", quarter == named, named, str(quarter))


def _may_be_zero_row(spec: Table, key: tuple[str | float, ...], labels: set[str]) -> bool:
    """A row that the rebuild lacks may stand when it is zero and of a node that exists."""
    places = [part for part, name in zip(key, spec.key, strict=True) if name in ("node", "leaf")]
    has_words = any(
        c.role == "audited" and c.unit == "-" and c.name not in _BY_NAME and c.name != "value"
        for c in spec.columns
    )
    return all(part in labels for part in places) and not has_words


def _compare_row(
    spec: Table,
    key: tuple[str | float, ...],
    row: Row | None,
    found: Mapping[str, object] | None,
    court: Court,
) -> None:
    name = "|".join(map(str, key))
    for column in spec.audited:
        expected = row[column] if row is not None else 0.0
        cell = found[column] if found is not None else ("" if isinstance(expected, str) else 0.0)
        if isinstance(expected, str):
            court.require("cell", spec.name, name, column, cell == expected, expected, str(cell))
            continue
        try:
            number = float(cell)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            number = math.nan
        court.near("cell", spec.name, name, column, expected, number, _tolerance(spec, column, key))
