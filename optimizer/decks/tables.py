"""The tables of a deck as text, made from its rules, with the ranges of their guesses."""

from collections.abc import Iterator

import numpy as np

from models.domain.deck import COLUMNS, FLAGS, OPTIONAL, Bound, DeckRules, MarginBound, Range
from models.domain.portfolio import TABLES
from models.domain.row import Row
from models.findings import Finding, InputError
from models.params.deck import Course, courses, resale_target
from models.timetree import Quarter
from optimizer.decks.checks import DECK_TABLES, deck_findings, rule_faults
from optimizer.inputs.columns import columns_of
from optimizer.inputs.parse import read_rows
from optimizer.inputs.read import RawRow

Cells = dict[str, str]
CENTS = 2
"""Decimals of power prices."""
LOOSE_DIGITS = 10
"""Decimals where the rules name none."""


def make_deck(file: str, rules: DeckRules) -> tuple[dict[str, list[Cells]], tuple[Finding, ...]]:
    """All tables of the deck, and doubts about them.

    Raises
    ------
    InputError
        When parts of the rules do not agree, or what they make is no deck.
    """
    faults = rule_faults(file, rules)
    if faults:
        raise InputError(tuple(faults))
    with np.errstate(all="ignore"):  # what is no number is a finding below
        found = courses(rules)
        tables = {
            "scenarios": list(_scenarios(rules)),
            "market": list(_market(rules, found)),
            "market_shapes": list(_shapes(rules)),
            "provenance": list(_provenance(rules, found)),
        }
    findings = _findings(tables)
    if any(f.severity == "error" for f in findings):
        raise InputError(tuple(findings))
    return tables, tuple(findings)


def _findings(tables: dict[str, list[Cells]]) -> list[Finding]:
    """What reading and checking the tables as a portfolio's would say."""
    records: dict[str, tuple[Row, ...]] = {}
    findings: list[Finding] = []
    for table in DECK_TABLES:
        raw = [
            RawRow(f"{table} row {n}", n, {c: row.get(c) or None for c in columns_of(TABLES[table])})
            for n, row in enumerate(tables[table], start=1)
        ]
        rows, faults = read_rows(table, raw)
        records[table] = tuple(rows)
        findings += faults
    return [*findings, *deck_findings({**records})]


def _scenarios(rules: DeckRules) -> Iterator[Cells]:
    for row in rules.records():
        yield {
            "scenario": row.scenario,
            "branch_from": row.branch_from or "",
            "branch_quarter": str(row.branch_quarter or ""),
            "probability": "" if row.probability is None else _number(row.probability, None),
            **_evidence(row.source, row.grade, row.note),
        }


def _market(rules: DeckRules, found: dict[str, Course]) -> Iterator[Cells]:
    """A scenario has rows from its branch on; before it those of its trunk hold."""
    stated = [c for c in OPTIONAL if any(c in course.printed for course in found.values())]
    for name, course in found.items():
        for t in range(course.begins, rules.deck.quarters):
            quarter = rules.quarters[t]
            notes = [q for q in rules.deck.notes if q <= quarter]
            note = rules.deck.notes[max(notes)] if notes else None
            yield {
                "scenario": name,
                "quarter": str(quarter),
                **{c: _cell(c, course.printed[c][t], rules.digits.get(c)) for c in COLUMNS},
                **{
                    c: _cell(c, course.printed[c][t], rules.digits.get(c)) if c in course.printed else ""
                    for c in stated
                },
                **_evidence(rules.deck.source, rules.deck.grade, note),
            }


def _shapes(rules: DeckRules) -> Iterator[Cells]:
    for name, market in rules.markets.items():
        deciles = [price * market.usd_per_unit for price in market.deciles]
        yield {
            "market": name,
            "mean_usd_per_mwh": _number(market.mean_usd_per_mwh, None),
            **{f"d{n}": _number(price, CENTS) for n, price in enumerate(deciles, start=1)},
            **_evidence(market.source, market.grade, market.note),
        }


def _provenance(rules: DeckRules, found: dict[str, Course]) -> Iterator[Cells]:
    said = rules.evidence
    for name, rule in rules.scenarios.items():
        if rule.probability_range is not None:
            low, high = rule.probability_range
            ends = _number(low, None), _number(high, None)
            yield _witness(rules, "scenarios", name, "probability", ends, said.probabilities)
    for name, course in found.items():
        for t in range(course.begins, rules.deck.quarters):
            yield from _ranges(rules, found, name, t)
    for market, shape in rules.markets.items():
        ends = _number(shape.mean_range[0], None), _number(shape.mean_range[1], None)
        yield _witness(rules, "market_shapes", market, "mean_usd_per_mwh", ends, said.means)
        for n, price in enumerate((p * shape.usd_per_unit for p in shape.deciles), start=1):
            price = round(price, CENTS)
            within = max(said.deciles_within_frac * abs(price), said.deciles_within_least_usd_per_mwh)
            ends = _number(price - within, CENTS), _number(price + within, CENTS)
            yield _witness(rules, "market_shapes", market, f"d{n}", ends, said.deciles)


def _ranges(rules: DeckRules, found: dict[str, Course], name: str, t: int) -> Iterator[Cells]:
    """Ranges of one row of the market, column by column."""
    quarter = rules.quarters[t]
    for column in (*COLUMNS, *OPTIONAL):
        for said in rules.evidence.ranges:
            if name not in said.scenarios or column not in said.columns or not _covers(said, quarter):
                continue
            if found[name].printed[column][t] == 0.0:
                continue
            ends = [_end(rules, found, name, column, t, end) for end in (said.low, said.high)]
            row = f"{name}|{quarter}"
            yield _witness(rules, "market", row, column, (ends[0], ends[1]), said.reason)


def _covers(said: Range, quarter: Quarter) -> bool:
    begun = said.from_quarter is None or quarter >= said.from_quarter
    return begun and (said.to_quarter is None or quarter <= said.to_quarter)


def _end(
    rules: DeckRules,
    found: dict[str, Course],
    name: str,
    column: str,
    t: int,
    end: float | Bound | MarginBound,
) -> str:
    """One end of a range."""
    digits = rules.digits.get(column)
    if isinstance(end, MarginBound):
        power = found[end.power_of].printed["power_idx"]
        target = resale_target(rules.machines, found[end.hashprice_of].printed, power)
        return _number(float(target[t]), digits)
    if isinstance(end, Bound):
        worth = float(found[end.of or name].printed[column][t])
        return _number(worth * end.times, digits)
    return _number(end, None)


def _witness(
    rules: DeckRules, table: str, row: str, column: str, ends: tuple[str, str], reason: str
) -> Cells:
    return {
        "of_table": table,
        "row": row,
        "column": column,
        "low": ends[0],
        "high": ends[1],
        "grade": rules.evidence.grade,
        "source": "",
        "reason": reason,
    }


def _evidence(source: str | None, grade: str | None, note: str | None) -> Cells:
    return {"source": source or "", "grade": grade or "", "note": note or ""}


def _cell(column: str, value: float, digits: int | None) -> str:
    return str(bool(value)).lower() if column in FLAGS else _number(float(value), digits)


def _number(value: float, digits: int | None) -> str:
    """A number as a spreadsheet would show it: no exponent, no zeros at the end."""
    if not np.isfinite(value):
        return str(value)
    shown = round(value, LOOSE_DIGITS if digits is None else digits)
    return np.format_float_positional(shown + 0.0, trim="-")
