"""Golden case (a): River Bend's project debt, worked by hand in the shared notes, $M.

Facts: 245 MW, 15 years net lease, contract 7,000, escalator 3 %, NOI 454 on average; notes 3,250 at 6.192 %
closed 30 April 2026, amortising from May 2028 to November 2042.

Assumed: 0.06192/4 = 1.548 % a quarter; close at the start of 2026Q3; halls of 82, 82 and 81 MW delivered at
the ends of 2027Q2, Q3 and Q4, rent from the next quarter; base term 2028Q1-2042Q4, +3 % each first quarter;
interest to 2027Q4 from the proceeds; principal in the 59 quarters 2028Q2-2042Q4, so that 2028Q1 pays interest
only. The facility says so by a lender who counts, in 2028Q1, just DSCR times its interest as NOI.
"""

import numpy as np
import numpy_financial as npf  # type: ignore[import-untyped]
import pytest

from models.formulas.lease import escalator_factor, first_year_rent_usd_per_kw_month
from models.formulas.project_finance import (
    Facility,
    LoanTerms,
    kappa_frac,
    loan_to_cost_limit_usd_m,
    size_facility,
)
from models.formulas.sculpting import construction_carry, remaining_value_usd_m, sculpted_capacity_usd_m

RATE_Q = 0.06192 / 4
LOAN = 3250.0
SPEND = np.array([0.10, 0.20, 0.25, 0.20, 0.15, 0.10])
ESCALATED_YEARS = float(np.sum(escalator_factor(np.arange(0.0, 60.0, 4.0), 0.03)))
NOI = np.asarray(454 * 15 / ESCALATED_YEARS / 4 * escalator_factor(np.arange(60.0), 0.03))  # from 2028Q1
RAMP = NOI[0] * np.array([82, 164]) / 245  # 2027Q3, 2027Q4
DSCR = sculpted_capacity_usd_m(NOI[1:], 1.0, RATE_Q) / LOAN


def printed(text: str) -> object:
    """What a hand calculation prints, to half of its last digit."""
    decimals = len(text.partition(".")[2])
    return pytest.approx(float(text.replace(",", "")), rel=0, abs=0.5 * 10**-decimals + 1e-9)


def quarter(label: str) -> int:
    """Position from the close at the start of 2026Q3."""
    return 4 * int(label[:4]) + int(label[5]) - (4 * 2026 + 3)


def river_bend(own_spend_usd_m: float, dscr: float = DSCR) -> Facility:
    terms = LoanTerms(
        rate_frac=0.06192,
        dscr=dscr,
        coverage_q=60,
        maturity_q=66,
        ltc_frac=0.85,
        fee_frac=0.02,
        reserve_q=2,
        balloon_cap_frac=0.0,
        refinance_rate_frac=0.06192,
        funding="notes",
        escrow_rate_frac=0.0365,
        letter_fee_frac=None,
    )
    lender_noi = np.append(dscr * RATE_Q * LOAN, NOI[1:])
    return size_facility(terms, own_spend_usd_m * SPEND, lender_noi, 6)


def test_formulas_before_the_table() -> None:
    rent = first_year_rent_usd_per_kw_month(7000.0, 245.0, 60, 0.03)
    assert printed("18.598914") == ESCALATED_YEARS
    assert rent * 245 * 12 / 1000 == printed("376.366")
    assert rent == printed("128.016")
    assert NOI[:4].sum() == printed("366.150")
    assert 100 * NOI[:4].sum() / 376.366 == printed("97.3")
    assert printed("4,243.405") == DSCR * LOAN
    assert printed("1.30566") == DSCR
    assert RAMP.sum() + NOI.sum() == printed("6,901.9")
    assert RAMP.sum() == printed("91.9")


@pytest.mark.parametrize(("dscr", "debt"), [(1.20, "3,536.2"), (1.30, "3,264.2"), (1.40, "3,031.0")])
def test_debt_by_coverage(dscr: float, debt: str) -> None:
    assert sculpted_capacity_usd_m(NOI[1:], dscr, RATE_Q) == printed(debt)


TABLE = [
    ("2027Q3", "30.637", "50.310", "0", "3,250.000", "0.609"),
    ("2027Q4", "61.274", "50.310", "0", "3,250.000", "1.218"),
    ("2028Q1", "91.538", "50.310", "0.000", "3,250.000", "1.819"),
    ("2028Q2", "91.538", "50.310", "19.798", "3,230.202", "1.3057"),
    ("2028Q4", "91.538", "49.692", "20.416", "3,189.681", "1.3057"),
    ("2029Q4", "94.284", "48.299", "23.912", "3,096.198", "1.3057"),
    ("2030Q4", "97.112", "46.682", "27.696", "2,987.922", "1.3057"),
    ("2031Q4", "100.026", "44.821", "31.788", "2,863.649", "1.3057"),
    ("2032Q2", "103.026", "43.794", "35.113", "2,793.958", "1.3057"),
    ("2034Q4", "109.301", "37.580", "46.133", "2,381.519", "1.3057"),
    ("2037Q4", "119.436", "27.360", "64.115", "1,703.339", "1.3057"),
    ("2040Q4", "130.511", "13.419", "86.539", "780.295", "1.3057"),
    ("2042Q4", "138.459", "1.617", "104.428", "0.000", "1.3057"),
]


@pytest.mark.parametrize(("label", "noi", "interest", "principal", "balance", "dscr"), TABLE)
def test_table(label: str, noi: str, interest: str, principal: str, balance: str, dscr: str) -> None:
    q = quarter(label)
    facility = river_bend(3400.0)
    earned = np.concatenate([np.zeros(4), RAMP, NOI])
    assert earned[q] == printed(noi)
    assert facility.interest_usd_m[q] == printed(interest)
    assert facility.principal_usd_m[q] == printed(principal)
    assert facility.balance_usd_m[q] == printed(balance)
    due = facility.interest_usd_m[q] + facility.principal_usd_m[q]
    assert earned[q] / due == printed(dscr)
    assert facility.interest_cash_usd_m[q] == (0.0 if q < 6 else facility.interest_usd_m[q])


def test_average_life_from_close() -> None:
    principal = river_bend(3400.0).principal_usd_m
    years = np.arange(1, principal.size + 1) / 4
    assert principal @ years / LOAN == printed("11.17")


def test_level_payments_would_breach_coverage() -> None:
    level = -float(npf.pmt(RATE_Q, 59, LOAN))
    assert level == printed("84.414")
    assert NOI[1] / level == printed("1.084")
    assert NOI[1:].mean() / level == printed("1.349")
    assert NOI[-1] / level == printed("1.640")
    paid = quarter("2032Q2") - quarter("2028Q1")
    assert -float(npf.fv(RATE_Q, paid, -level, LOAN)) == printed("2,592.6")
    same = remaining_value_usd_m(np.full(59, level), RATE_Q)
    assert same[paid] == printed("2,592.6")


def test_loan_to_cost_that_would_give_the_deal() -> None:
    facility = river_bend(3316.45)
    assert facility.kappa_frac == printed("0.156023")
    assert loan_to_cost_limit_usd_m(3316.45, 0.85, facility.kappa_frac) == printed("3,250.00")
    assert printed("13.54") == 3316.45 / 245
    assert 3316.45 + facility.kappa_frac * LOAN == printed("3,823.53")
    assert facility.fee_usd_m[0] == printed("65.0")
    assert facility.interest_usd_m[:6].sum() == printed("301.86")
    assert facility.reserve_usd_m[5] == printed("140.22")
    assert facility.reserve_release_usd_m[quarter("2042Q4")] == printed("140.22")


@pytest.mark.parametrize(
    ("usd_m_per_mw", "debt", "percent_of_uses"),
    [(9, "2,160.8", "120"), (10, "2,400.9", "110"), (11, "2,641.0", "101")],
)
def test_loan_to_cost_at_the_guided_cost(usd_m_per_mw: float, debt: str, percent_of_uses: str) -> None:
    facility = river_bend(245.0 * usd_m_per_mw)
    assert facility.ltc_bound
    assert facility.loan_usd_m == printed(debt)
    assert facility.scale_frac == pytest.approx(facility.loan_usd_m / LOAN)
    uses = 245.0 * usd_m_per_mw + facility.kappa_frac * LOAN
    assert 100 * LOAN / uses == printed(percent_of_uses)


def test_coverage_sized_this_deal() -> None:
    facility = river_bend(3400.0)
    assert not facility.ltc_bound
    assert facility.loan_usd_m == pytest.approx(LOAN)
    assert facility.p0_usd_m == pytest.approx(LOAN)


def test_notes_against_delayed_draw() -> None:
    """Here the whole loan is spent, in mid-quarter; interest and escrow income are paid outside it."""
    carry = construction_carry(LOAN, SPEND, 0.06192, 0.0365)
    assert carry.notes_interest_usd_m == printed("301.9")
    assert carry.escrow_income_usd_m == printed("86.0")
    assert carry.notes_interest_usd_m - carry.escrow_income_usd_m == printed("215.9")
    assert carry.delayed_draw_interest_usd_m == printed("156.0")
    assert carry.carry_usd_m == printed("59.9")


def test_two_quarters_late() -> None:
    facility = river_bend(3400.0)
    on_time = np.concatenate([np.zeros(4), RAMP, NOI])
    late = np.concatenate([np.zeros(6), RAMP, NOI[2:]])
    service = facility.interest_cash_usd_m + facility.principal_usd_m
    short = np.maximum(0.0, service - late)
    assert short[quarter("2028Q1")] == printed("19.673")
    assert short[quarter("2028Q2")] == printed("8.834")
    assert short.sum() == printed("28.507")
    assert short.sum() < facility.reserve_usd_m[quarter("2027Q4")] == printed("140.2")
    assert late[quarter("2028Q2")] / service[quarter("2028Q2")] == printed("0.874")
    assert (on_time - late).sum() == printed("183.1")


def test_semi_annual_payments_set_the_tolerance() -> None:
    halves = NOI.reshape(30, 2).sum(axis=1)
    dscr = sculpted_capacity_usd_m(halves, 1.0, 2 * RATE_Q) / LOAN
    assert dscr == printed("1.30775")
    mid_2032 = remaining_value_usd_m(halves / dscr, 2 * RATE_Q)[9]
    assert mid_2032 == printed("2,774.8")
    assert 100 * (mid_2032 / 2793.958 - 1) == printed("-0.7")


def test_balance_within_tests_is_another_and_wrong_rule() -> None:
    """'Balance <= min(LTC, value of the rest / DSCR)' each quarter lends other sums and does not amortise."""
    rest = remaining_value_usd_m(np.concatenate([np.zeros(4), RAMP, NOI]), RATE_Q)
    assert rest[0] / DSCR == printed("3,046.1")
    flat = np.minimum(LOAN, rest[1:] / 1.20)
    q = quarter("2030Q4")
    assert flat[q] == LOAN > flat[q + 1]
    assert flat[quarter("2032Q2")] == printed("3,040.0")
    facility = river_bend(3400.0)
    assert abs(facility.loan_usd_m - rest[0] / DSCR) > 200
    assert flat[quarter("2032Q2")] - facility.balance_usd_m[quarter("2032Q2")] > 240
    bound = river_bend(3316.45, dscr=1.20)
    assert bound.ltc_bound
    assert flat[quarter("2032Q2")] - bound.balance_usd_m[quarter("2032Q2")] > 240


def test_kappa_of_notes_by_hand() -> None:
    reserve = 2 * NOI[1] / (DSCR * LOAN)
    terms = LoanTerms(0.06192, DSCR, 60, 66, 0.85, 0.02, 2, 0.0, 0.06192, "notes", 0.0365, None)
    assert kappa_frac(terms, SPEND, reserve, 6) == printed("0.156023")
