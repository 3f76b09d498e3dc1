"""Test 10: each round of trades that makes money is named before anything is solved, and no other is."""

import pytest

from models.domain.ledger import BEYOND_COMMITTED, DEALS
from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.load import load
from optimizer.pipeline import check
from optimizer.shipped import data_folder, shipped_portfolios
from optimizer.trades.cycles import cycles
from tests import portfolios as make
from tests.oracle.enumeration import Case
from tests.oracle.test_statuses import loaded
from tests.properties.test_treasury import worth_without

Q0, Q3 = make.quarter(0), make.quarter(3)


def rising_rates(p: Portfolio) -> Portfolio:
    """Money lent at 1 % now, for good, where cash earns 8 % from the second quarter on."""
    p = make.with_company(make.with_all(p, "market", base_rate_frac=0.08), cash_yield_spread_frac=0.0)
    return make.with_row(p, "market", f"base|{Q0}", base_rate_frac=0.01)


def dear_later(p: Portfolio) -> Portfolio:
    """Machines that cost twice as much from the fourth quarter on."""
    for row in p.market:
        if row.quarter - make.FIRST >= 3:
            p = make.with_row(p, "market", f"{row.scenario}|{row.quarter}", resale_idx=2.0)
    return p


def notes(spread_frac: float, **changes: object) -> Portfolio:
    bond, _ = make.corporate_debt()
    row = {**bond, "spread_frac": spread_frac, "fee_frac": 0.0, "tenor_q": 20, **changes}
    return make.with_rows(make.small(), "instruments", row)


def convertible(pricing: str) -> Portfolio:
    """Notes of five years without coupon or capped call, in a company whose straight debt costs 8 %."""
    p = make.without(make.add_deals(make.small()), "instruments", "deal")
    free = {"coupon_frac": 0.0, "capped_call_cost_frac": None, "cap_premium_frac": None, "put_after_q": None}
    p = make.with_row(p, "instruments", "note", **free, fee_frac=0.0, premium_frac=2.0, call_after_q=None,
                      call_trigger_frac=None)  # fmt: skip
    return make.with_company(make.with_all(p, "market", share_vol_frac=0.2), equity_pricing=pricing)


def buyback(spread_frac: float) -> Portfolio:
    """Notes of a company that pays 4 % over the base rate retire dearer ones at par."""
    bond, _ = make.corporate_debt()
    p = make.add_repurchase(make.small())
    p = make.with_rows(p, "instruments", {**bond, "spread_frac": spread_frac, "fee_frac": 0.0})
    return make.with_row(p, "instruments", "buyback", premium_frac=0.0)


def bitcoin(pricing: str) -> Portfolio:
    """Coins that double within the plan, and shares that may be sold instead."""
    p = make.without(make.add_treasury(make.small()), "instruments", "coin-line")
    for row in p.market:
        grown = 1e5 * 2.0 ** ((row.quarter - make.FIRST) / 5.0)
        p = make.with_row(p, "market", f"{row.scenario}|{row.quarter}", btc_usd=grown, btc_trough_usd=None)
    return make.with_company(p, equity_pricing=pricing)


def balloon() -> Portfolio:
    """A loan of the first quarter that may be rolled at the rate of its day."""
    p = make.add_refinancing(make.small())
    due = {"first_repayment_quarter": Q0, "maturity_quarter": Q0, "refinance_spread_frac": 0.0}
    return make.with_row(p, "debt", "balloon", **due, refinance_tenor_q=12)


def coin_line() -> Portfolio:
    terms = {"spread_frac": 0.0, "tenor_q": 8, "fee_frac": 0.0}
    return make.with_row(make.add_treasury(make.small()), "instruments", "coin-line", **terms)


def lender() -> Portfolio:
    p = make.add_project_debt(make.small())
    return make.with_row(p, "credit_classes", "notes", spread_frac=0.0, fee_frac=0.0)


def cheap_shares() -> Portfolio:
    """A share is charged no growth, and its money earns 4 %."""
    p = make.with_company(make.small(), cost_of_equity_frac=0.0, cash_yield_spread_frac=0.0)
    return make.with_row(
        make.with_row(p, "instruments", "atm", fee_frac=0.0), "impact", "atm", discount_frac=0.0
    )


def cheap_rescue() -> Portfolio:
    """Funding of last resort that costs no more than it brings, and cash that earns 4 %."""
    return make.with_company(make.small(), rescue_price=1.0, cash_yield_spread_frac=0.0)


PLANTED = {
    "machines": (dear_later(make.small()), ("machines", "s21", "resale_profile")),
    "notes below cash": (rising_rates(notes(0.0)), ("instruments", "bond", "spread_frac")),
    "a loan on coins below cash": (rising_rates(coin_line()), ("instruments", "coin-line", "spread_frac")),
    "a rolled balloon below cash": (rising_rates(balloon()), ("debt", "balloon", "refinance_spread_frac")),
    "a lender on halls below cash": (rising_rates(lender()), ("credit_classes", "notes", "spread_frac")),
    "shares below cash": (cheap_shares(), ("company", "Small Miner", "cost_of_equity_frac")),
    "rescue below cash": (cheap_rescue(), ("company", "Small Miner", "rescue_price")),
    "a convertible below par": (convertible("market"), ("instruments", "note", "coupon_frac")),
    "notes to retire dearer ones": (buyback(0.02), ("instruments", "bond", "spread_frac")),
    "shares to keep coins": (bitcoin("market"), ("company", "Small Miner", "equity_pricing")),
}
CLEAN = {
    "convertibles at the cost of straight debt": convertible("no_mispricing"),
    "notes that cost what debt costs": buyback(0.04),
    "a rise of coins that counts for the cost of equity": bitcoin("no_mispricing"),
    "rates that stay": make.with_company(notes(0.0), cash_yield_spread_frac=0.0),
}


def found(p: Portfolio) -> dict[tuple[str, str, str], Finding]:
    """Findings by place."""
    return {(f.table, f.row, f.column): f for f in cycles(p)}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_round_is_named(name: str) -> None:
    p, place = PLANTED[name]
    finding = found(p)[place]
    assert len(found(p)) == 1 or name == "a convertible below par"  # whose shares are too cheap as well
    assert (finding.code, finding.severity) == ("arbitrage", "warning")
    assert finding.remedy


@pytest.mark.parametrize("name", CLEAN)
def test_no_round_is_named_where_there_is_none(name: str) -> None:
    assert cycles(CLEAN[name]) == []


@pytest.mark.parametrize("name", make.PORTFOLIOS)
def test_the_factory_has_none(name: str) -> None:
    assert cycles(make.PORTFOLIOS[name]()) == []


@pytest.mark.parametrize("name", [*shipped_portfolios(), "starter"])
def test_what_is_shipped_has_none(name: str) -> None:
    assert cycles(load(data_folder() / "templates" / name if name == "starter" else name).portfolio) == []


def test_check_and_plan_tell_it() -> None:
    p, place = PLANTED["notes below cash"]
    told = [f for f in check(loaded(p)).findings if f.code == "arbitrage"]
    assert [(f.table, f.row, f.column) for f in told] == [place]


@pytest.mark.parametrize("name", ["notes below cash", "a convertible below par", "shares below cash"])
def test_the_program_would_take_it(name: str) -> None:
    """With nothing begun and cash enough, raising money lifts the share where the check says so."""
    p = make.with_company(PLANTED[name][0], raise_only_what_is_spent=False)
    case = Case.of(p, make.chain_of(p))
    assert worth_without(case, BEYOND_COMMITTED) > (1.0 + 1e-5) * worth_without(
        case, BEYOND_COMMITTED | DEALS
    )


def test_what_would_be_right_is_right() -> None:
    """The rate that the remedy asks for ends the round, a hundredth of a percent less does not."""
    finding = found(PLANTED["notes below cash"][0])["instruments", "bond", "spread_frac"]
    least = float(finding.remedy.split()[1])
    # a dollar grows for half a quarter at 1 % and five at 8 %; six coupons are paid, at quarter ends
    grown, coupons = (1.0 + 0.01 / 8.0) * 1.02**5, sum(1.02**i for i in range(6))
    assert least == pytest.approx((grown - 1.0) / coupons * 4.0 - 0.01, abs=1e-4)
    assert cycles(rising_rates(notes(least + 1e-4))) == []
    assert cycles(rising_rates(notes(least - 1e-3))) != []


def test_a_tariff_eats_the_gain_of_a_machine() -> None:
    """Resale at 1.4 x 0.75 of the price brings 5 %; a quarter of tariff at every site, nothing."""
    p = make.with_row(make.small(), "market", f"base|{make.quarter(2)}", resale_idx=1.4)
    assert [f.row for f in cycles(p)] == ["s21"]
    taxed = make.with_all(
        make.with_all(p, "market", asic_tariff_frac=0.25), "regions", asic_tariff_applies=True
    )
    assert cycles(taxed) == []
