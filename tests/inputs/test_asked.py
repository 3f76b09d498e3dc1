"""The checks that planners asked for by name, at the figures that they named."""

import pytest

from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.check import check
from optimizer.inputs.load import load
from tests import portfolios as make
from tests.inputs.test_disclosed import COMPANIES

ASKED = {"contract-value", "noi-over-rent", "stated-total", "escrow-short", "undrawn-mismatch",
         "spend-unfunded", "half-given", "water-short"}  # fmt: skip


def found(p: Portfolio, code: str) -> list[Finding]:
    """Findings of a code."""
    return [f for f in check(p) if f.code == code]


def leased(mw: float, value_usd_m: float, rent: float, noi: float | None = None) -> Portfolio:
    """A committed lease of fifteen years at 3 % a year."""
    terms = {"max_mw": mw, "term_q": 60, "escalator_frac_per_year": 0.03, "contract_value_usd_m": value_usd_m}
    row = make.contract("lease", "committed", **terms, first_year_rent_usd_per_kw_month=rent)
    p = make.without(make.small(), "contracts")
    return make.with_rows(p, "contracts", {**row, "noi_usd_m_per_year": noi})


def test_river_bends_average_is_not_its_first_year() -> None:
    """7,000 over 15 years: 128.0 in the first year; the average of 158.7 with it would be 8,679."""
    assert not found(leased(245.0, 7000.0, 128.016), "contract-value")
    (loaded,) = found(leased(245.0, 7000.0, 158.7), "contract-value")
    assert "8,67" in loaded.message


def test_beacon_point_earns_more_than_it_is_paid() -> None:
    """655 x 15 = 9,825, of 9,800; River Bend's 454 x 15 = 6,810 of 7,000 is below."""
    (finding,) = found(leased(352.0, 9800.0, 124.7, noi=655.0), "noi-over-rent")
    assert "9,825" in finding.message
    assert "9,800" in finding.message
    assert not found(leased(245.0, 7000.0, 128.016, noi=454.0), "noi-over-rent")


def test_ciphers_debt_is_6015_5() -> None:
    """Six rows of project notes and two of convertibles; one of them forgotten is told."""
    p = load("cipher").portfolio
    row = next(r for r in p.stated_totals if r.total == "debt_usd_m")
    assert row.amount == 6015.5
    owed = sum(d.principal_usd_m for d in p.debt) + sum(c.principal_usd_m for c in p.convertibles)
    assert owed == pytest.approx(6015.5, abs=0.05)
    short = found(make.without(p, "convertibles", "cv-2030"), "stated-total")
    assert {f.row for f in short} == {"convertibles_usd_m", "debt_usd_m", "diluted_shares_m"}


def test_water_that_cuts_a_site_to_a_sixth_is_told() -> None:
    """240 MW of halls at 0.8 load and a cubic metre a MWh take 424,000 a quarter; 70,656 cool 40."""
    p = make.with_all(make.small(), "site_products", max_modules=24)
    p = make.with_row(p, "sites", "north", max_hpc_critical_mw=240.0, water_limit_m3_per_q=70_656.0)
    (finding,) = found(p, "water-short")
    assert (finding.row, finding.column) == ("north", "water_limit_m3_per_q")
    assert "40 MW of the 240" in finding.message
    assert "423,936" in finding.remedy
    assert not found(make.with_row(p, "cooling", "north", water_m3_per_mwh=0.0), "water-short")
    assert not found(make.with_row(p, "sites", "north", water_limit_m3_per_q=423_936.0), "water-short")


@pytest.mark.parametrize("name", COMPANIES)
def test_the_companies_are_clean(name: str) -> None:
    assert [f for f in load(name).findings if f.code in ASKED] == []
