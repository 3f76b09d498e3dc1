"""Numbers written in another unit: what is planted is found, and no number is without a usual range."""

from collections.abc import Iterator

import pytest

from models.domain.portfolio import TABLES, Portfolio
from optimizer.inputs.check import check
from optimizer.inputs.checks import magnitudes, references
from optimizer.inputs.columns import columns_of
from optimizer.inputs.load import load
from optimizer.inputs.parse import read_rows
from optimizer.inputs.read import RawRow
from tests.inputs.conftest import GOOD, Draft

OTHERWISE = {
    "_usd_m": 1e6,
    "_usd_m_per_q": 1e6,
    "_usd_m_per_module": 1e6,
    "_usd_m_per_mw": 1e3,
    "_mw": 1e3,
    "_mw_live": 1e3,
    "_mw_per_q": 1e3,
    "_frac": 100.0,
    "_frac_per_year": 100.0,
    "price_usd_per_mwh": 0.1,
    "mean_usd_per_mwh": 0.1,
    "_shares_m": 1e6,
    "_j_per_th": 1e-3,
    "_btc": 1e8,
}
"""By what a number grows that is in $, $ per kW, kW, percent, cents per kWh, shares, J per GH or satoshis."""
ANYTHING = frozenset(
    {
        *(("market_shapes", f"d{n}") for n in range(1, 11)),  # scaled to their mean
        ("provenance", "low"),
        ("provenance", "high"),
        ("stated_totals", "amount"),  # held against the tables
        ("stated_totals", "difference"),
        ("covenants", "threshold"),  # by its metric
        ("profiles", "frac"),  # shares of any whole where a loan is sculpted
        ("profiles", "step"),  # counts
        ("expansions", "max_steps"),
        ("cooling", "max_modules"),
        ("site_products", "max_modules"),
        ("impact", "block"),
        ("leverage_blocks", "block"),
    }
)


def planted() -> Iterator[tuple[str, str, str, float]]:
    """Table, column, text and factor of every number of the small portfolio that could be in another unit."""
    for table, rows in GOOD.items():
        for name, column in columns_of(TABLES[table]).items():
            ends = [e for e in OTHERWISE if f"_{name}".endswith(e)]
            values = [row[name] for row in rows if row.get(name) and float(row[name])] if ends else []
            if ends and values and column.kind == "number" and (table, name) not in ANYTHING:
                yield table, name, max(values, key=float), OTHERWISE[max(ends, key=len)]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Portfolio:
    """The small portfolio, as it is read."""
    return load(Draft(tmp_path_factory.mktemp("units") / "small").write()).portfolio


@pytest.mark.parametrize(("table", "column", "text", "factor"), list(planted()))
def test_a_number_in_another_unit_is_found(
    small: Portfolio, table: str, column: str, text: str, factor: float
) -> None:
    row = next(row for row in GOOD[table] if row.get(column) == text)
    cells: dict[str, str | None] = {n: c or None for n, c in row.items()}
    cells[column] = f"{float(text) * factor:.12g}"
    records, faults = read_rows(table, [RawRow(table, 1, cells)])
    found = [f.column for f in faults]
    if records:
        changed = small.model_copy(update={table: tuple(records)})
        found += [
            f.column for f in check(changed) if f.table == table and f.code in ("magnitude", "proportion")
        ]
    assert column in found


def test_every_number_has_bounds_or_a_usual_range() -> None:
    usual = {(m.table, m.column) for m in magnitudes.MAGNITUDES}
    assert len(usual) == len(magnitudes.MAGNITUDES)
    for table, record in TABLES.items():
        for column in columns_of(record).values():
            if column.kind in ("number", "whole number") and (table, column.name) not in ANYTHING | usual:
                assert ">" in column.bounds, (table, column.name)
                assert "<" in column.bounds, (table, column.name)


FREE = """
company.name company.ticker valuation.stream regions.region regions.customs_area sites.climate cooling.cooling
products.cooling contracts.tenant contracts.guarantor contracts.exclusive_group contracts.workloads
contracts.coolings covenants.policy tax_groups.regime tax_classes.regime tax_classes.default_for
provenance.of_table provenance.row provenance.column provenance.reason holdings.asset other_lines.line
"""
"""Words that name no row of another table, or are checked by a rule of their own."""


def test_every_name_of_another_table_is_looked_up() -> None:
    looked = {(r.table, r.column) for r in references.REFERENCES}
    free = {tuple(word.split(".")) for word in FREE.split()}
    for table, record in TABLES.items():
        for column in columns_of(record).values():
            is_word = column.kind in ("text", "names") and column.name not in ("source", "note")
            own = record.key[0] == column.name and (table, column.name) not in looked
            if is_word and not own:
                assert (table, column.name) in looked | free, (table, column.name)
