"""Golden cases (c), (d), (e) and (g): value per share, rents and deals, worked in the shared notes."""

import numpy as np
import pytest

from models.formulas.convert_settlement import cash_in_hand_usd_m, settlement_at_maturity
from models.formulas.lease import (
    contract_value_usd_m,
    escalator_factor,
    first_year_rent_usd_per_kw_month,
)
from models.formulas.project_finance import LoanTerms, size_facility
from models.formulas.sculpting import sculpted_capacity_usd_m
from models.formulas.value_per_share import root_lambda

ESCALATED_YEARS = float(np.sum(escalator_factor(np.arange(0.0, 60.0, 4.0), 0.03)))


def printed(text: str) -> object:
    """What a hand calculation prints, to half of its last digit."""
    decimals = len(text.partition(".")[2])
    return pytest.approx(float(text.replace(",", "")), rel=0, abs=0.5 * 10**-decimals + 1e-9)


def tree_lambda(
    values: tuple[float, float], shares: tuple[float, float], prices: tuple[float, float]
) -> float:
    """Value per share over two equally likely leaves; g_l is the leaf's price over the mean price."""
    g = np.array(prices) / np.mean(prices)
    return root_lambda(
        lambda price: float(np.mean(np.array(values) - g * price * np.array(shares))), 0.0, 10.0
    )


def test_c_shares_sold_below_their_worth_cost_value_per_share() -> None:
    worth = (10.0, 2.0)
    before = tree_lambda((1000.0, 200.0), (100.0, 100.0), worth)
    after = tree_lambda((1000.0 + 100 * 8, 200.0), (200.0, 100.0), worth)
    assert before == printed("6.00")
    assert after < before
    assert printed("6.67") == (1800 + 200) / (200 + 100)  # E[V]/E[N] would have it rise
    assert printed("5.50") == (1800 / 200 + 200 / 100) / 2


def test_c_a_fair_trade_changes_nothing() -> None:
    worth = (20.0, 10.0)
    before = tree_lambda((200.0, 100.0), (10.0, 10.0), worth)
    after = tree_lambda((200.0 + 10 * 20, 100.0), (20.0, 10.0), worth)
    assert after == pytest.approx(before, rel=0, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "per_share", "by_the_deck"), [(14_000, "29.53", "32.32"), (6_000, "11.96", "12.66")]
)
def test_d_claims_at_the_plans_own_price(value: float, per_share: str, by_the_deck: str) -> None:
    shares, principal, strike = 393.0, 1300.0, 16.0325

    def left(price: float) -> float:
        note = settlement_at_maturity(principal, strike, strike, price, "net_share")
        return value - shares * price - float(np.asarray(note.net_cost_usd_m))

    price = root_lambda(left, 0.01, 1.0)
    assert price == printed(per_share)
    converts = price > strike
    wrong = (value - principal) / shares if converts else value / (shares + principal / strike)
    assert wrong == printed(by_the_deck)


def test_e_rent_of_river_bend() -> None:
    rent = first_year_rent_usd_per_kw_month(7000.0, 245.0, 60, 0.03)
    average = first_year_rent_usd_per_kw_month(7000.0, 245.0, 60, 0.0)
    assert printed("18.598914") == ESCALATED_YEARS
    assert rent == printed("128.0")
    assert rent * 245 * 12 / 1000 == printed("376.366")
    assert average == printed("158.7")
    assert contract_value_usd_m(rent, 245.0, 60, 0.03) == pytest.approx(7000.0)
    assert contract_value_usd_m(average, 245.0, 60, 0.03) == printed("8,679")


@pytest.mark.parametrize(
    ("deal", "value_usd_m", "mw", "years", "usd_per_kw_month"),
    [("Barber Lake", 3000, 168, 10, "149"), ("IREN-Microsoft", 9700, 200, 5, "808")],
)
def test_g_average_rents(deal: str, value_usd_m: float, mw: float, years: int, usd_per_kw_month: str) -> None:
    assert first_year_rent_usd_per_kw_month(value_usd_m, mw, 4 * years, 0.0) == printed(usd_per_kw_month)


@pytest.mark.parametrize(
    ("deal", "noi_usd_m", "rate_frac", "debt_usd_m", "dscr"),
    [("River Bend", 454, 0.06192, 3250, 1.30), ("Beacon Point", 655, 0.06129, 4250, 1.44)],
)
def test_g_coverage_of_two_deals(
    deal: str, noi_usd_m: float, rate_frac: float, debt_usd_m: float, dscr: float
) -> None:
    """NOI is the average of 15 years, +3 % a year; assumed: service from the first quarter of the term."""
    noi = noi_usd_m * 15 / ESCALATED_YEARS / 4 * np.asarray(escalator_factor(np.arange(60.0), 0.03))
    coverage = sculpted_capacity_usd_m(noi, 1.0, rate_frac / 4) / debt_usd_m
    assert coverage == pytest.approx(dscr, rel=0, abs=0.02)


def test_g_helios_maturity_is_not_its_coverage_life() -> None:
    """Helios I: 1,400 of 1,750 at 36 months, 80 % loan-to-cost, DSCR 1.40, SOFR + 4.75 %, 4,500 in 15 years.

    Assumed: NOI 90 % of level rent, SOFR 3.65 %, closed four quarters before go-live, no fee, no reserve, and
    interest during construction within the 1,750. 493 is three YEARLY payments; by quarters it is 507.
    """
    rate_frac, noi = 0.0365 + 0.0475, 0.9 * 4500 / 15
    build_q, capacity = 4, np.full(60, noi / 4)
    assert sculpted_capacity_usd_m(np.full(3, noi), 1.40, rate_frac) == printed("493")
    terms = LoanTerms(
        rate_frac=rate_frac,
        dscr=1.40,
        coverage_q=60,
        maturity_q=12,
        ltc_frac=0.80,
        fee_frac=0.0,
        reserve_q=0,
        balloon_cap_frac=1.0,
        refinance_rate_frac=rate_frac,
        funding="notes",
        escrow_rate_frac=0.0,
        letter_fee_frac=None,
    )
    spend = (1750 - build_q * rate_frac / 4 * 1400) * np.array([0.2, 0.3, 0.3, 0.2])
    facility = size_facility(terms, spend, capacity, build_q)
    assert facility.loan_usd_m == pytest.approx(1400.0)
    assert facility.ltc_bound
    assert facility.coverage_used_q == 60
    assert facility.p0_usd_m > 1400.0
    balloon = facility.balance_usd_m[11] + facility.balloon_repaid_usd_m[11]
    assert 1000.0 < balloon < 1400.0


CONVERTS = [
    ("TeraWulf Oct 2024", 425, "2.4", 414.9, "12.0", 51.0),
    ("IREN Jun 2025", 500, "2.8", 486.1, "9.8", 48.9),
    ("TeraWulf Aug 2025", 1000, "2.5", 975.2, "10.1", 100.6),
    ("IREN Oct 2025", 875, "2.1", 856.5, "5.7", 49.6),
    ("IREN Dec 2025", 2300, "1.3", 2270.0, "8.7", 201.0),
    ("Bitdeer Feb 2026", 325, "3.05", 315.1, "9.0", 29.2),
    ("IREN May 2026", 3000, "1.3", 2960.0, "6.7", 201.3),
]


@pytest.mark.parametrize(("issue", "principal", "fee", "net", "call", "call_usd_m"), CONVERTS)
def test_g_converts(issue: str, principal: float, fee: str, net: float, call: str, call_usd_m: float) -> None:
    """Dollars from the printed percentages, as near as those digits allow."""
    half_a_digit = [0.5 * 10.0 ** -(len(text.partition(".")[2]) + 2) * principal for text in (fee, call)]
    net_of_fee = cash_in_hand_usd_m(principal, float(fee) / 100, 0.0)
    in_hand = cash_in_hand_usd_m(principal, float(fee) / 100, float(call) / 100)
    assert net_of_fee == pytest.approx(net, rel=0, abs=half_a_digit[0] + 1e-9)
    assert net_of_fee - in_hand == pytest.approx(call_usd_m, rel=0, abs=half_a_digit[1] + 1e-9)
