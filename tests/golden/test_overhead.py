"""Overhead after the horizon by hand: for stated years, then as long as a signed contract may run."""

import pytest

from models.params.overhead import overhead_factor
from optimizer.audit.book import Book
from optimizer.audit.overhead import worth_of_going_on
from tests.portfolios import chain_of, quarter, small, with_all, with_row, with_rows

RATE_Q, RISE = 0.02, 1.04
RENEWAL = {"contract": "open", "probability_frac": 0.5, "rent_basis": "min", "term_q": 2, "options": 2}


def factor_of(years: float, state: str, parts: tuple[float, ...]) -> None:
    """Program and auditor value the same parts of a dollar, which rises by 4 % a year, at 8 % a year."""
    p = with_all(small(), "contracts", commencement_quarter=quarter(0), term_q=8)
    p = with_row(p, "contracts", "open", state=state)
    p = with_row(
        with_rows(p, "renewals", RENEWAL), "valuation", "overhead", years=years, growth_frac_per_year=0.04
    )
    assert chain_of(p).horizon_q == 6
    by_hand = sum(x * RISE ** (k / 4) / (1 + RATE_Q) ** k for k, x in enumerate(parts, start=1))
    assert overhead_factor(p, chain_of(p).first + 5) == pytest.approx(by_hand)
    assert worth_of_going_on(Book(p, chain_of(p))) == pytest.approx(by_hand)


def test_it_lasts_as_long_as_what_is_signed_may_run() -> None:
    """A term of eight quarters, two beyond the horizon; then two renewals of two quarters, one half each."""
    factor_of(0.0, "committed", (1.0, 1.0, 0.5, 0.5, 0.25, 0.25))


def test_stated_years_are_kept_in_full() -> None:
    factor_of(1.0, "committed", (1.0, 1.0, 1.0, 1.0, 0.25, 0.25))


def test_an_offer_that_nobody_takes_costs_nothing() -> None:
    factor_of(0.25, "offer", (1.0,))
