"""Golden case (b): a 0 % convertible of September 2025, worked by hand in the shared notes, $M and M shares.

Facts: 1,300 at 0 %, due 1 October 2031, put 1 October 2029, reference price 11.66, premium 37.5 %, 62.3733
shares per $1,000, cap 23.32, capped call 82.7, fee 30, so 1,187.3 in hand. Shares instead: sold at 11.66 less
2.5 %. One figure differs: the notes print 0.389 % for 1,270 repaid as 1,300 in six years, but 0.389 is the
rate compounded continuously; compounded yearly, as all their other rates, it is 0.390 %.
"""

import numpy as np
import pytest

from models.formulas.convert_settlement import (
    Settlement,
    SettlementKind,
    cash_in_hand_usd_m,
    if_converted_shares_m,
    settlement_at_maturity,
)
from models.formulas.discounting import yearly_return_frac

F, K, CAP = 1300.0, 1000 / 62.3733, 23.32
FEE_FRAC, CALL_FRAC = 30.0 / 1300, 82.7 / 1300
PRICES = (10, 20, 35)


def printed(text: str) -> object:
    """What a hand calculation prints, to half of its last digit."""
    decimals = len(text.partition(".")[2])
    return pytest.approx(float(text.replace(",", "")), rel=0, abs=0.5 * 10**-decimals + 1e-9)


def settle(price_usd: float, settlement: SettlementKind = "net_share", cap_usd: float = CAP) -> Settlement:
    return settlement_at_maturity(F, K, cap_usd, price_usd, settlement)


def test_terms_of_the_issue() -> None:
    assert printed("16.0325") == K
    assert printed("16.0325") == 11.66 * 1.375
    assert if_converted_shares_m(F, K) == printed("81.0853")
    assert cash_in_hand_usd_m(F, FEE_FRAC, 0.0) == printed("1,270")
    assert cash_in_hand_usd_m(F, FEE_FRAC, CALL_FRAC) == printed("1,187.3")
    assert printed("2.31") == 100 * FEE_FRAC
    assert printed("6.36") == 100 * CALL_FRAC
    assert printed("6.36") == 100 * 70 / 1100


@pytest.mark.parametrize(
    ("price", "cash", "out", "back", "net"),
    [
        (10, "1,300", "0", "0", "0"),
        (20, "1,300", "16.0853", "16.0853", "0"),
        (35, "1,300", "43.9424", "16.8831", "27.0593"),
    ],
)
def test_net_share_settlement(price: float, cash: str, out: str, back: str, net: str) -> None:
    note = settle(price)
    assert note.cash_usd_m == printed(cash)
    assert note.shares_out_m == printed(out)
    assert note.shares_back_m == printed(back)
    assert note.shares_out_m - note.shares_back_m == printed(net)


@pytest.mark.parametrize(
    ("price", "cash", "out", "back", "net"),
    [
        (10, "1,300", "0", "0", "0"),
        (20, "0", "81.0853", "16.0853", "65.0000"),
        (35, "0", "81.0853", "16.8831", "64.2022"),
    ],
)
def test_physical_settlement(price: float, cash: str, out: str, back: str, net: str) -> None:
    note = settle(price, "physical")
    assert note.cash_usd_m == printed(cash)
    assert note.shares_out_m == printed(out)
    assert note.shares_back_m == printed(back)
    assert note.shares_out_m - note.shares_back_m == printed(net)


@pytest.mark.parametrize(
    ("price", "claim", "call", "net_cost", "percent_a_year"),
    [
        (10, "1,300.00", "0", "1,300.00", "1.523"),
        (20, "1,621.71", "321.71", "1,300.00", "1.523"),
        (35, "2,837.99", "590.91", "2,247.08", "11.218"),
    ],
)
@pytest.mark.parametrize("settlement", ["net_share", "physical"])
def test_cost(
    settlement: SettlementKind, price: float, claim: str, call: str, net_cost: str, percent_a_year: str
) -> None:
    note = settle(price, settlement)
    assert note.cash_usd_m + note.share_value_usd_m == printed(claim)
    assert note.capped_call_usd_m == printed(call)
    assert note.net_cost_usd_m == printed(net_cost)
    in_hand = cash_in_hand_usd_m(F, FEE_FRAC, CALL_FRAC)
    assert 100 * yearly_return_frac(note.net_cost_usd_m, in_hand, 6.0) == printed(percent_a_year)


@pytest.mark.parametrize(("price", "percent_a_year"), [(10, "0.390"), (20, "4.159"), (35, "14.341")])
def test_cost_without_capped_call(price: float, percent_a_year: str) -> None:
    note = settle(price, cap_usd=K)
    assert note.capped_call_usd_m == 0.0
    in_hand = cash_in_hand_usd_m(F, FEE_FRAC, 0.0)
    assert 100 * yearly_return_frac(note.net_cost_usd_m, in_hand, 6.0) == printed(percent_a_year)


@pytest.mark.parametrize(
    ("price", "cost", "percent_a_year"),
    [(10, "1,044.4", "-2.1"), (20, "2,088.8", "9.9"), (35, "3,655.3", "20.6")],
)
def test_shares_instead(price: float, cost: str, percent_a_year: str) -> None:
    in_hand = cash_in_hand_usd_m(F, FEE_FRAC, CALL_FRAC)
    shares = in_hand / (11.66 * (1 - 0.025))
    assert shares == printed("104.438")
    assert shares * price == printed(cost)
    assert 100 * yearly_return_frac(shares * price, in_hand, 6.0) == printed(percent_a_year)


def test_where_shares_would_have_been_cheaper_and_the_put() -> None:
    in_hand = cash_in_hand_usd_m(F, FEE_FRAC, CALL_FRAC)
    shares = float(in_hand / (11.66 * (1 - 0.025)))
    level = F / shares
    assert level == printed("12.448")
    assert shares * (level - 0.1) < float(np.asarray(settle(level).net_cost_usd_m)) < shares * (level + 0.1)
    assert 100 * yearly_return_frac(F, in_hand, 4.0) == printed("2.293")


def test_settlement_changes_liquidity_and_count_but_not_cost() -> None:
    net, physical = settle(35.0), settle(35.0, "physical")
    assert net.cash_usd_m - physical.cash_usd_m == printed("1,300")
    assert physical.shares_out_m - net.shares_out_m == printed("37.1")
    assert physical.net_cost_usd_m == pytest.approx(net.net_cost_usd_m, abs=1e-9)


@pytest.mark.parametrize("settlement", ["net_share", "physical"])
def test_vector_equals_scalar(settlement: SettlementKind) -> None:
    vector = settlement_at_maturity(F, K, CAP, np.array(PRICES, float), settlement)
    for position, price in enumerate(PRICES):
        one = settle(float(price), settlement)
        assert np.asarray(vector.cash_usd_m)[position] == one.cash_usd_m
        assert np.asarray(vector.shares_out_m)[position] == one.shares_out_m
        assert np.asarray(vector.net_cost_usd_m)[position] == one.net_cost_usd_m
