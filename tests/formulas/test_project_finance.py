"""A facility's sizing and its life: rules that hold for any income, and each rule where it bites."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.formulas.project_finance import (
    Facility,
    Flows,
    LoanTerms,
    kappa_frac,
    loan_to_cost_limit_usd_m,
    size_facility,
)
from models.formulas.sculpting import remaining_value_usd_m

TERMS = LoanTerms(
    rate_frac=0.08,
    dscr=1.25,
    coverage_q=40,
    maturity_q=44,
    ltc_frac=0.8,
    fee_frac=0.02,
    reserve_q=2,
    balloon_cap_frac=0.5,
    refinance_rate_frac=0.08,
    funding="notes",
    escrow_rate_frac=0.04,
    letter_fee_frac=None,
)
SPEND = np.array([10.0, 40.0, 30.0, 20.0])
FLAT = np.full(48, 4.0)


def service_of(facility: Facility) -> Flows:
    return facility.interest_cash_usd_m + facility.principal_usd_m


@st.composite
def deals(draw: st.DrawFn) -> tuple[LoanTerms, Flows, Flows, int]:
    """Terms, own spend, NOI with ramps and empty quarters, and quarters to go-live."""
    build_q = draw(st.integers(0, 6))
    coverage_q = draw(st.integers(1, 60))
    terms = LoanTerms(
        rate_frac=draw(st.floats(0.0, 0.15)),
        dscr=draw(st.floats(1.0, 2.0)),
        coverage_q=coverage_q,
        maturity_q=build_q + draw(st.integers(1, 70)),
        ltc_frac=draw(st.floats(0.3, 1.0)),
        fee_frac=draw(st.floats(0.0, 0.05)),
        reserve_q=draw(st.sampled_from([0, 1, 2])),
        balloon_cap_frac=draw(st.floats(0.0, 1.2)),
        refinance_rate_frac=draw(st.floats(0.0, 0.2)),
        funding=draw(st.sampled_from(["notes", "delayed_draw"])),
        escrow_rate_frac=draw(st.floats(0.0, 0.05)),
        letter_fee_frac=None,
    )
    flow = st.one_of(st.just(0.0), st.floats(0.1, 50.0))
    noi = np.array(draw(st.lists(flow, min_size=1, max_size=64)))
    noi[: draw(st.integers(0, 4))] *= draw(st.floats(0.0, 1.0))
    spend = np.array(draw(st.lists(flow, min_size=max(1, build_q), max_size=max(1, build_q))))
    return terms, spend, noi, build_q


def sized(deal: tuple[LoanTerms, Flows, Flows, int]) -> Facility:
    try:
        return size_facility(*deal)
    except ValueError as error:
        assert "impossible loan" in str(error)  # noqa: PT017 - a short life can have a reserve above its loan
        assume(False)
        raise


@given(deals())
def test_draws_and_their_cost_add_up_to_the_loan(deal: tuple[LoanTerms, Flows, Flows, int]) -> None:
    terms, spend, _, build_q = deal
    facility = sized(deal)
    reserve = facility.reserve_release_usd_m.sum()
    cost = facility.fee_usd_m.sum() + facility.interest_usd_m[:build_q].sum() + reserve
    assert facility.draws_usd_m.sum() + cost == pytest.approx(facility.loan_usd_m, abs=1e-7)
    assert cost == pytest.approx(facility.kappa_frac * facility.loan_usd_m, abs=1e-7)
    assert facility.loan_usd_m <= terms.ltc_frac * (spend.sum() + cost) + 1e-7
    assert facility.draws_usd_m.sum() <= spend.sum() + 1e-7
    if build_q:
        assert (facility.draws_usd_m[:build_q] <= spend + 1e-7).all()
    assert (facility.draws_usd_m >= 0.0).all()


@given(deals())
def test_service_at_the_locked_rate_is_worth_the_loan(deal: tuple[LoanTerms, Flows, Flows, int]) -> None:
    terms, _, _, build_q = deal
    facility = sized(deal)
    rate_q = terms.rate_frac / 4
    due = min(terms.maturity_q, facility.balance_usd_m.size) - 1
    paid = service_of(facility)[build_q : due + 1].copy()
    paid[-1] += facility.balance_usd_m[due] + facility.balloon_repaid_usd_m[due]
    assert remaining_value_usd_m(paid, rate_q)[0] == pytest.approx(facility.loan_usd_m, rel=1e-9, abs=1e-9)
    assert facility.loan_usd_m == pytest.approx(facility.scale_frac * facility.p0_usd_m)
    assert facility.loan_usd_m <= facility.p0_usd_m


@given(deals())
def test_coverage_holds_wherever_more_than_interest_is_paid(
    deal: tuple[LoanTerms, Flows, Flows, int],
) -> None:
    terms, _, noi, build_q = deal
    facility = sized(deal)
    repays = facility.principal_usd_m[build_q:] > 1e-9
    assert (noi + 1e-9 >= terms.dscr * service_of(facility)[build_q:])[repays].all()
    assert (facility.principal_usd_m >= -1e-9).all()
    assert (service_of(facility) >= -1e-12).all()
    assert not service_of(facility)[:build_q].any()
    assert not service_of(facility)[build_q + terms.coverage_q :].any()


@given(deals())
def test_balance_rolls_forward_to_nothing(deal: tuple[LoanTerms, Flows, Flows, int]) -> None:
    terms, _, noi, build_q = deal
    facility = sized(deal)
    opened = facility.loan_usd_m
    for q in range(build_q, build_q + noi.size):
        rate_q = (terms.rate_frac if q < terms.maturity_q else terms.refinance_rate_frac) / 4
        assert facility.interest_usd_m[q] == pytest.approx(rate_q * opened, rel=1e-9, abs=1e-9)
        opened -= facility.principal_usd_m[q] + facility.balloon_repaid_usd_m[q]
        assert facility.balance_usd_m[q] == pytest.approx(opened, rel=1e-7, abs=1e-7)
    assert facility.balance_usd_m[-1] == 0.0
    assert (facility.balance_usd_m >= 0.0).all()


@given(deals())
def test_balloon_is_within_its_cap_and_rolled_within_its_test(
    deal: tuple[LoanTerms, Flows, Flows, int],
) -> None:
    terms, _, noi, build_q = deal
    facility = sized(deal)
    due = terms.maturity_q - 1
    if due >= facility.balance_usd_m.size:
        assert not facility.balloon_repaid_usd_m.any()
        return
    rolled, repaid = facility.balance_usd_m[due], facility.balloon_repaid_usd_m[due]
    assert rolled + repaid <= terms.balloon_cap_frac * facility.loan_usd_m + 1e-9
    rest = noi[due + 1 - build_q : terms.coverage_q] / terms.dscr
    assert rolled <= remaining_value_usd_m(rest, terms.refinance_rate_frac / 4)[0] * (1 + 1e-12)
    assert facility.balloon_repaid_usd_m.sum() == repaid >= 0.0


@given(deals())
def test_reserve_is_held_from_completion_to_the_last_payment(
    deal: tuple[LoanTerms, Flows, Flows, int],
) -> None:
    terms, _, _, build_q = deal
    facility = sized(deal)
    reserve = facility.reserve_release_usd_m.sum()
    if reserve == 0.0:
        return
    last = int(np.flatnonzero(facility.reserve_release_usd_m)[0])
    assert facility.balance_usd_m[last] == pytest.approx(0.0, abs=1e-9)
    assert (facility.reserve_usd_m[max(0, build_q - 1) : last] == reserve).all()
    assert not facility.reserve_usd_m[last:].any()
    assert not facility.reserve_usd_m[: max(0, build_q - 1)].any()
    if terms.maturity_q >= build_q + 4:
        largest = service_of(facility)[build_q : build_q + 4].max()
        assert reserve == pytest.approx(terms.reserve_q * largest, rel=1e-9)


@given(deals())
def test_escrow_pays_spend_and_interest_and_leaves_the_reserve(
    deal: tuple[LoanTerms, Flows, Flows, int],
) -> None:
    terms, _, _, build_q = deal
    facility = sized(deal)
    if terms.funding == "delayed_draw" or build_q == 0:
        assert not facility.escrow_usd_m.any()
        assert not facility.escrow_income_usd_m.any()
        return
    held = facility.loan_usd_m - facility.fee_usd_m[0]
    for q in range(build_q):
        assert facility.escrow_income_usd_m[q] == pytest.approx(terms.escrow_rate_frac / 4 * held, abs=1e-9)
        held -= facility.draws_usd_m[q] + facility.interest_usd_m[q]
        if q < build_q - 1:
            assert facility.escrow_usd_m[q] == pytest.approx(held, abs=1e-7)
    assert held == pytest.approx(facility.reserve_release_usd_m.sum(), abs=1e-7)
    assert not facility.escrow_usd_m[build_q - 1 :].any()


@given(deals(), st.floats(0.1, 10.0))
def test_facility_scales_with_the_module(deal: tuple[LoanTerms, Flows, Flows, int], factor: float) -> None:
    terms, spend, noi, build_q = deal
    one, many = sized(deal), size_facility(terms, factor * spend, factor * noi, build_q)
    assume(one.coverage_used_q == many.coverage_used_q)  # a balloon exactly at its cap may round either way
    assert many.loan_usd_m == pytest.approx(factor * one.loan_usd_m, rel=1e-9)
    assert many.balance_usd_m == pytest.approx(factor * one.balance_usd_m, rel=1e-7, abs=1e-7)


def test_delayed_draw_by_hand() -> None:
    """Two quarters, 2 % a quarter, fee 1: balances 1, 1.02 + x, (1.02 + x) 1.02 + x + reserve = 100."""
    terms = replace(
        TERMS, funding="delayed_draw", fee_frac=0.01, reserve_q=1, ltc_frac=1.0, coverage_q=20, maturity_q=22
    )
    noi = 125.0 / float(np.sum(1.02 ** -np.arange(1.0, 21.0))) * np.ones(20)
    facility = size_facility(terms, np.array([60.0, 60.0]), noi, 2)
    service = noi[0] / 1.25
    x = (100.0 - service - 1.02**2) / 2.02
    assert facility.loan_usd_m == pytest.approx(100.0)
    assert facility.draws_usd_m[:2] == pytest.approx([x, x])
    assert facility.interest_usd_m[:2] == pytest.approx([0.02, 0.02 * (1.02 + x)])
    assert facility.balance_usd_m[:2] == pytest.approx([1.02 + x, 100.0])
    assert facility.reserve_usd_m[:2] == pytest.approx([0.0, service])


def test_delayed_draw_costs_less_than_notes() -> None:
    notes, delayed = (
        size_facility(replace(TERMS, funding=funding), SPEND, FLAT, 4)
        for funding in ("notes", "delayed_draw")
    )
    assert delayed.kappa_frac < notes.kappa_frac
    assert delayed.interest_usd_m[:4].sum() < notes.interest_usd_m[:4].sum()


def test_close_at_completion_reimburses_in_its_first_quarter() -> None:
    facility = size_facility(TERMS, SPEND, FLAT, 0)
    reserve_frac = facility.reserve_release_usd_m.sum() / facility.loan_usd_m
    assert facility.kappa_frac == pytest.approx(0.02 + reserve_frac)
    assert facility.draws_usd_m[0] == pytest.approx(facility.loan_usd_m * (1 - 0.02 - reserve_frac))
    assert not facility.draws_usd_m[1:].any()
    delayed = size_facility(replace(TERMS, funding="delayed_draw"), SPEND, FLAT, 0)
    assert delayed.loan_usd_m == facility.loan_usd_m


def test_loan_to_cost_and_coverage_each_bind() -> None:
    low, high = size_facility(TERMS, 0.5 * SPEND, FLAT, 4), size_facility(TERMS, 10 * SPEND, FLAT, 4)
    assert low.ltc_bound
    assert not high.ltc_bound
    assert low.loan_usd_m == pytest.approx(0.8 * (50 + low.kappa_frac * low.loan_usd_m))
    assert high.loan_usd_m == high.p0_usd_m > low.loan_usd_m


@given(deals())
def test_a_balance_never_rises_once_rent_comes_in(deal: tuple[LoanTerms, Flows, Flows, int]) -> None:
    _, _, _, build_q = deal
    facility = sized(deal)
    since = np.append(facility.loan_usd_m, facility.balance_usd_m[build_q:])
    assert (np.diff(since) <= 1e-9).all()


def test_a_ramp_pays_interest_by_hand() -> None:
    """Income of 0.5, 4, 4, 99.471 at 2 % a quarter and DSCR 1 would leave 100, 101.5, 99.53, 97.5206, 0.

    The first quarter pays the interest of 2 instead of 0.5, the second 100 + 2 - 99.53 = 2.47 instead of 4.
    """
    terms = replace(TERMS, dscr=1.0, coverage_q=4, maturity_q=4, ltc_frac=1.0, fee_frac=0.0, reserve_q=0)
    income = np.array([0.5, 4.0, 4.0, 99.471012])
    facility = size_facility(terms, np.array([1000.0]), income, 0)
    assert facility.loan_usd_m == pytest.approx(100.0, abs=1e-5)
    assert service_of(facility) == pytest.approx([2.0, 2.47, 4.0, 99.471012], abs=1e-5)
    assert facility.balance_usd_m == pytest.approx([100.0, 99.53, 97.5206, 0.0], abs=1e-5)


def test_balloon_cap_shortens_the_coverage_life_as_little_as_it_must() -> None:
    terms = replace(TERMS, maturity_q=20, balloon_cap_frac=0.4)
    facility = size_facility(terms, 10 * SPEND, FLAT, 4)
    assert 16 < facility.coverage_used_q < 40
    longer = remaining_value_usd_m(np.ones(facility.coverage_used_q + 1), 0.02)
    assert longer[16] / longer[0] > 0.4
    assert size_facility(replace(terms, balloon_cap_frac=1.0), 10 * SPEND, FLAT, 4).coverage_used_q == 40
    assert size_facility(replace(terms, balloon_cap_frac=0.0), 10 * SPEND, FLAT, 4).coverage_used_q == 16


def test_refinancing_at_the_same_rate_is_no_event_and_a_dear_one_is_part_cash() -> None:
    terms = replace(TERMS, maturity_q=20, balloon_cap_frac=1.0)
    plain = size_facility(replace(terms, maturity_q=44), 10 * SPEND, FLAT, 4)
    same = size_facility(terms, 10 * SPEND, FLAT, 4)
    dear = size_facility(replace(terms, refinance_rate_frac=0.12), 10 * SPEND, FLAT, 4)
    assert same.balance_usd_m == pytest.approx(plain.balance_usd_m)
    assert same.balloon_repaid_usd_m == pytest.approx(0.0)
    assert dear.balloon_repaid_usd_m[19] > 0.0
    assert dear.balance_usd_m[19] == pytest.approx(float(np.sum(3.2 * 1.03 ** -np.arange(1.0, 25.0))))
    low = size_facility(terms, 0.5 * SPEND, FLAT, 4)
    assert low.ltc_bound
    assert service_of(low)[20:44] == pytest.approx(low.scale_frac * 3.2)


def test_no_income_or_no_spend_is_no_loan() -> None:
    none = size_facility(TERMS, SPEND, np.zeros(8), 4)
    assert none.loan_usd_m == none.p0_usd_m == none.scale_frac == 0.0
    assert not none.draws_usd_m.any()
    assert not none.balance_usd_m.any()
    nothing_to_lend_on = size_facility(TERMS, np.zeros(4), FLAT, 4)
    assert nothing_to_lend_on.loan_usd_m == 0.0
    assert nothing_to_lend_on.ltc_bound


def test_zero_rate_and_one_quarter() -> None:
    terms = replace(TERMS, rate_frac=0.0, fee_frac=0.0, reserve_q=0, coverage_q=1, ltc_frac=1.0)
    facility = size_facility(terms, SPEND, np.array([50.0]), 0)
    assert facility.loan_usd_m == pytest.approx(40.0)
    assert facility.principal_usd_m == pytest.approx([40.0])
    assert facility.balance_usd_m == pytest.approx([0.0])


@pytest.mark.parametrize(
    ("change", "spend", "noi", "quarters_to_live"),
    [
        ({}, SPEND, np.zeros(0), 4),
        ({}, SPEND, -FLAT, 4),
        ({}, -SPEND, FLAT, 4),
        ({}, SPEND, FLAT, 3),
        ({"maturity_q": 4}, SPEND, FLAT, 4),
        ({"dscr": 0.0}, SPEND, FLAT, 4),
        ({"coverage_q": 0}, SPEND, FLAT, 4),
        ({"reserve_q": 2, "coverage_q": 1}, SPEND, FLAT, 4),
    ],
)
def test_impossible_loans_are_refused(
    change: dict[str, float], spend: Flows, noi: Flows, quarters_to_live: int
) -> None:
    with pytest.raises(ValueError, match=r"impossible loan|own spend of"):
        size_facility(replace(TERMS, **change), spend, noi, quarters_to_live)  # type: ignore[arg-type]


def test_a_loan_that_would_pay_for_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="impossible loan"):
        loan_to_cost_limit_usd_m(100.0, 1.25, 0.8)


def test_kappa_of_the_three_ways_to_draw() -> None:
    notes = kappa_frac(TERMS, SPEND, 0.05, 4)
    delayed = kappa_frac(replace(TERMS, funding="delayed_draw"), SPEND, 0.05, 4)
    assert notes == pytest.approx(0.02 + 4 * 0.02 + 0.05)
    grown = 0.1 * 1.02**3 + 0.4 * 1.02**2 + 0.3 * 1.02 + 0.2
    assert delayed == pytest.approx(1 - (1 - 0.02 * 1.02**4 - 0.05) / grown)
    assert kappa_frac(TERMS, SPEND, 0.05, 0) == pytest.approx(0.07)
