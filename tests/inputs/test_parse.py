"""Cells against their columns: every fault of every table at once, with its place and what would be right."""

from typing import Any

import pytest

from models.findings import Finding


def place(finding: Finding) -> tuple[str, str, str, str]:
    return finding.code, finding.table, finding.row, finding.column


@pytest.mark.parametrize(
    ("cell", "value", "code", "remedy"),
    [
        ("company[Small].price_usd", "", "empty-cell", "write number ($) > 0"),
        ("company[Small].price_usd", "ten", "not-a-number", "write number ($)"),
        ("company[Small].price_usd", "-1", "out-of-range", "> 0"),
        ("company[Small].price_usd", "nan", "not-a-number", ""),
        ("company[Small].price_usd", "1e400", "not-a-number", ""),
        ("company[Small].price_usd", "1e300", "out-of-range", "at most 1e+12"),
        ("company[Small].authorised_shares_m", "1,000", "not-a-number", "no separators"),
        ("company[Small].price_usd", "1_0", "not-a-number", "no separators"),
        ("company[Small].horizon_q", "1_0", "not-a-number", "whole number"),
        ("company[Small].overhead_growth_frac_per_year", "-1", "out-of-range", "> -1 and <= 1"),
        ("products[colo].opex_growth_frac_per_year", "3", "out-of-range", "> -1 and <= 1"),
        ("power[beta|2026Q2].price_growth_frac_per_year", "2", "out-of-range", "> -1 and <= 1"),
        ("power[beta|2026Q2].demand_charge_usd_per_kw_month", "1001", "out-of-range", "<= 1000"),
        ("contracts[lease].escalator_frac_per_year", "3", "out-of-range", "> -1 and <= 1"),
        ("valuation[overhead].years", "101", "out-of-range", "<= 100"),
        ("market[base|2026Q3].fee_frac", "11", "out-of-range", "<= 10"),
        ("market[base|2026Q3].subsidy_btc", "0.001", "out-of-range", ">= 0.01"),
        ("company[Small].cost_of_equity_frac", "15%", "not-a-number", "0.05 for 5 %"),
        ("company[Small].horizon_q", "4.5", "not-a-number", "whole number"),
        ("company[Small].horizon_q", "61", "out-of-range", "<= 60"),
        ("company[Small].look_ahead_q", "401", "out-of-range", "at most 400"),
        ("company[Small].first_quarter", "Q3 2026", "not-a-quarter", "2027Q2"),
        ("company[Small].first_quarter", "0000Q1", "out-of-range", "2000 to 2199"),
        ("company[Small].first_quarter", "\u0660\u0660\u0660\u0660Q1", "out-of-range", "2000 to 2199"),
        ("company[Small].raise_only_what_is_spent", "1", "not-a-flag", "true or false"),
        ("company[Small].equity_pricing", "markets", "not-allowed", "did you mean 'market'?"),
        ("company[Small].equity_pricing", "x", "not-allowed", "no_mispricing, market"),
        ("contracts[lease].sites", "", "empty-cell", "names separated by ';'"),
        ("contracts[lease].sites", " ; ;", "empty-cell", "names separated by ';'"),
        ("vendor_leases[lessor].products", ";", "empty-cell", "names separated by ';'"),
        ("instruments[cvt].settlement", "cash", "not-allowed", "net_share"),
        ("sites[al|pha].site", "al|pha", "bad-name", "hyphens"),
        ("sites[a?b].site", "a\x07b", "bad-name", "hyphens"),
    ],
)
def test_a_bad_cell_is_found(draft: Any, cell: str, value: str, code: str, remedy: str) -> None:
    table, rest = cell.split("[")
    row, column = rest.split("].")
    draft.set(table, "alpha" if code == "bad-name" else row, **{column: value})
    (finding,) = [f for f in draft.findings() if f.table == table]
    assert place(finding) == (code, table, row, column)
    assert remedy in finding.remedy


@pytest.mark.parametrize("word", ["true", "TRUE", "Yes", "yes"])
def test_yes_is_written_in_several_ways(draft: Any, word: str) -> None:
    draft.set("sites", "alpha", hpc_allowed=word)
    assert draft.load().portfolio.sites[0].hpc_allowed is True


def test_no_is_written_in_several_ways(draft: Any) -> None:
    draft.set("power", "alpha|2026Q3", resale_allowed="No").set(
        "regions", "texas", asic_tariff_applies="FALSE"
    )
    portfolio = draft.load().portfolio
    assert (portfolio.power[0].resale_allowed, portfolio.regions[0].asic_tariff_applies) == (False, False)


def test_an_unknown_column_is_named_with_its_nearest(draft: Any) -> None:
    draft.row("sites", "alpha")["hpc_alowed"] = "true"
    (finding,) = draft.findings()
    assert place(finding) == ("unknown-column", "sites", "", "hpc_alowed")
    assert finding.remedy == "did you mean 'hpc_allowed'?"


def test_a_missing_column_is_one_finding(draft: Any) -> None:
    folder = draft.write()
    text = (folder / "sites.csv").read_text(encoding="utf-8").replace("once_cost_usd_m", "note2", 1)
    (folder / "sites.csv").write_text(text, encoding="utf-8")
    (folder / "portfolio.toml").write_text(draft.manifest, encoding="utf-8")
    draft.write = lambda: folder
    found = {place(f) for f in draft.findings()}
    assert found == {
        ("missing-column", "sites", "", "once_cost_usd_m"),
        ("unknown-column", "sites", "", "note2"),
    }


def test_a_column_that_may_be_empty_may_be_left_out(draft: Any) -> None:
    folder = draft.write()
    (folder / "renewals.csv").write_text(
        "contract,probability_frac,rent_basis,term_q\nlease,0.5,min,20\n", encoding="utf-8"
    )
    draft.write = lambda: folder
    assert draft.load().portfolio.renewals[0].source is None


def test_an_empty_cell_is_as_a_column_left_out(draft: Any) -> None:
    total = draft.tables["stated_totals"][0]
    total["difference"] = ""
    assert not [f for f in draft.findings() if f.code == "empty-cell"]


def test_a_cell_of_no_names_is_empty(draft: Any) -> None:
    draft.tables["tax_classes"][0]["default_for"] = ";"
    assert not [f for f in draft.findings() if f.column == "default_for" and f.code == "empty-cell"]


def test_a_name_that_stands_twice_in_a_cell_counts_once(draft: Any) -> None:
    draft.set("contracts", "lease", sites="alpha; beta;alpha")
    lease = next(c for c in draft.load().portfolio.contracts if c.contract == "lease")
    assert lease.sites == ("alpha", "beta")


def test_a_row_without_its_key_is_named_by_its_line(draft: Any) -> None:
    draft.set("fleets", "beta-s21", fleet="")
    (finding,) = draft.findings()
    assert place(finding) == ("empty-cell", "fleets", "line 3", "fleet")


def test_duplicate_keys_are_found_also_when_spelt_differently(draft: Any) -> None:
    draft.copy("profiles", "even|1", step="01", frac="0.5")
    (finding,) = draft.findings()
    assert place(finding) == ("duplicate-key", "profiles", "even|01", "")
    assert "profiles.csv line 3" in finding.message


def test_all_faults_of_all_tables_are_told_at_once(draft: Any) -> None:
    draft.set("company", "Small", price_usd="x", horizon_q="0").set("sites", "beta", hpc_allowed="maybe")
    draft.set("power", "alpha|2026Q3", energised_mw="-5").set("debt", "gpu-loan", entity="nobody")
    found = {place(f) for f in draft.findings()}
    assert found == {
        ("not-a-number", "company", "Small", "price_usd"),
        ("out-of-range", "company", "Small", "horizon_q"),
        ("not-a-flag", "sites", "beta", "hpc_allowed"),
        ("out-of-range", "power", "alpha|2026Q3", "energised_mw"),
        ("unknown-reference", "debt", "gpu-loan", "entity"),
    }
