"""Evidence: which money inputs are guesses, and whether a stated range holds its value."""

from collections.abc import Iterator

from models.domain.portfolio import TABLES, Portfolio
from models.domain.row import Provenance, Row
from models.findings import Finding
from optimizer.inputs.checks.references import rows_of
from optimizer.inputs.checks.register import Check, doubt, error, label, listed, reads
from optimizer.inputs.columns import columns_of

FORECASTS = frozenset({"market", "market_shapes", "provenance"})
"""Tables whose numbers are scenarios, not facts that could be looked up."""

Evidence = dict[tuple[str, str, str], Provenance]


def evidence_of(portfolio: Portfolio) -> Evidence:
    """What is said about single cells, by table, row and column."""
    return {(p.of_table, p.row, p.column): p for p in portfolio.provenance}


def money_cells(table: str, row: Row) -> Iterator[tuple[str, float]]:
    """Columns in dollars that a row fills, with their values."""
    if table in FORECASTS:
        return
    for name, column in columns_of(TABLES[table]).items():
        value = getattr(row, name)
        if column.kind == "number" and "usd" in name and value is not None:
            yield name, float(value)


def count_guesses(portfolio: Portfolio) -> tuple[int, int]:
    """Money inputs graded GUESS, and all money inputs: cells in dollars outside the market deck."""
    known = evidence_of(portfolio)
    grades = [
        _grade(known, table, row, column)
        for table in TABLES
        for row in rows_of(portfolio, table)
        for column, _ in money_cells(table, row)
    ]
    return grades.count("GUESS"), len(grades)


def _grade(known: Evidence, table: str, row: Row, column: str) -> str | None:
    said = known.get((table, label(row), column))
    return said.grade if said and said.grade else row.grade


def _guess_check(table: str) -> Check:
    @reads(table, "provenance")
    def guesses_have_ranges(portfolio: Portfolio) -> Iterator[Finding]:
        known = evidence_of(portfolio)
        bare = []
        for row in rows_of(portfolio, table):
            for column, value in money_cells(table, row):
                said = known.get((table, label(row), column))
                ranged = said is not None and said.low is not None and said.high is not None
                if value != 0.0 and not ranged and _grade(known, table, row, column) == "GUESS":
                    bare.append(f"{label(row)} {column}")
        if bare:
            guesses = "guess lacks its range" if len(bare) == 1 else "guesses lack their ranges"
            remedy = "add a row to provenance for each, with low and high"
            message = f"{len(bare)} {guesses}: {listed(bare)}"
            yield Finding("warning", "guess-without-range", table, "", "", message, remedy)

    return guesses_have_ranges


def _range_check(table: str) -> Check:
    @reads(table, "provenance")
    def values_within_ranges(portfolio: Portfolio) -> Iterator[Finding]:
        rows = {label(row): row for row in rows_of(portfolio, table)}
        for said in portfolio.provenance:
            value = (
                getattr(rows[said.row], said.column, None)
                if said.of_table == table and said.row in rows
                else None
            )
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if (said.low is not None and value < said.low) or (said.high is not None and value > said.high):
                message = f"{value:g} lies outside its range {said.low} to {said.high}"
                yield doubt(
                    "outside-range", rows[said.row], said.column, message, "correct the value or the range"
                )

    return values_within_ranges


@reads("provenance")
def ranges_ordered(portfolio: Portfolio) -> Iterator[Finding]:
    """A range has its low end below its high end."""
    for said in portfolio.provenance:
        if said.low is not None and said.high is not None and said.low > said.high:
            message = f"{said.low:g} is above high {said.high:g}"
            yield error("range-backwards", said, "low", message, "swap low and high")


CHECKS = (ranges_ordered, *map(_guess_check, TABLES), *map(_range_check, TABLES))
