"""Overhead after the horizon by hand: as long as a contract may run, or for stated years."""

import pytest

from models.params.params import compile_params
from optimizer.audit.book import Book
from optimizer.audit.overhead import worth_of_going_on
from tests.portfolios import chain_of, quarter, small, with_all, with_row, with_rows

RATE_Q, RISE = 0.02, 1.04
RENEWAL = {"contract": "open", "probability_frac": 0.5, "rent_basis": "min", "term_q": 2, "options": 2}


def factor_of(terms: dict[str, object], parts: tuple[float, ...]) -> None:
    """Program and auditor value the same parts of a dollar, which rises by 4 % a year, at 8 % a year."""
    p = with_all(small(), "contracts", commencement_quarter=quarter(0), term_q=8)
    p = with_row(
        with_rows(p, "renewals", RENEWAL), "valuation", "overhead", growth_frac_per_year=0.04, **terms
    )
    assert chain_of(p).horizon_q == 6
    by_hand = sum(x * RISE ** (k / 4) / (1 + RATE_Q) ** k for k, x in enumerate(parts, start=1))
    assert compile_params(p, chain_of(p)).overhead_factor == pytest.approx(by_hand)
    assert worth_of_going_on(Book(p, chain_of(p))) == pytest.approx(by_hand)


def test_it_lasts_as_long_as_contracts_may_run() -> None:
    """Terms of eight quarters, two beyond the horizon; then two renewals of two quarters, one half each."""
    factor_of({"years": None}, (1.0, 1.0, 0.5, 0.5, 0.25, 0.25))


def test_stated_years_are_kept_in_full() -> None:
    factor_of({"years": 1.0}, (1.0, 1.0, 1.0, 1.0))
