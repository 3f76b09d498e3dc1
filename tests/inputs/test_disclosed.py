"""The shipped companies tie to what they disclosed around 30 June 2026, all differences told."""

import pytest

from optimizer.inputs.checks.totals import TOLERANCE_FRAC, totals_of
from optimizer.inputs.load import load
from optimizer.shipped import shipped_portfolios

COMPANIES = ("cleanspark", "cipher", "iren", "bitdeer", "hut8", "bitfarms", "core-scientific")
ASKED = {"loans_usd_m", "convertibles_usd_m", "cash_usd_m", "basic_shares_m", "diluted_shares_m"}
SOME = {"bitcoin_btc", "energised_mw", "contracted_mw", "contracted_rent_usd_m"}
"""Stated where the company has disclosed them."""
WIDEST = {"cash_usd_m": 0.35, "loans_usd_m": 0.75, "basic_shares_m": 0.06, "diluted_shares_m": 0.05,
          "bitcoin_btc": 0.65, "energised_mw": 0.32, "contracted_mw": 0.15,
          "contracted_rent_usd_m": 0.02}  # fmt: skip
"""No explained difference is a larger part of what is stated; undrawn debt is stated with what is drawn."""


def test_every_company_is_here() -> None:
    assert set(COMPANIES) <= set(shipped_portfolios())


def test_what_is_disclosed_of_power_bitcoin_and_rent_is_tied_too() -> None:
    told = [{r.total for r in load(name).portfolio.stated_totals} & SOME for name in COMPANIES]
    assert all(len(found) >= 2 for found in told)
    assert set.union(*told) == SOME


@pytest.mark.parametrize("name", COMPANIES)
def test_totals_are_those_disclosed(name: str) -> None:
    p = load(name).portfolio
    told, found = {r.total: r for r in p.stated_totals}, totals_of(p)
    assert set(told) >= ASKED
    for total, row in told.items():
        assert row.source, total
        assert found[total] - row.difference == pytest.approx(row.amount, rel=TOLERANCE_FRAC, abs=0.05), total
        assert abs(row.difference) <= WIDEST.get(total, 0.0) * row.amount, total
        assert row.note or not row.difference, total
