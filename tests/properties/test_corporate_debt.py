"""Corporate debt makes no money by itself: buying back cheap, blocks of leverage, lines nobody needs."""

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.domain.ledger import BEYOND_COMMITTED, DEALS, Quantity
from models.domain.portfolio import Portfolio
from tests import portfolios as make
from tests.oracle import toys
from tests.oracle.enumeration import Case
from tests.properties import draws
from tests.properties.test_treasury import note_gains, worth_without

SOURCES = frozenset(DEALS - {Quantity.REPURCHASE})


def indebted(k: float, price_usd: float, strike_usd: float, vol: float, coupon: float) -> Portfolio:
    """A company with nothing to do, little cash, every way to raise more, and a tranche to buy back."""
    p = make.add_repurchase(make.add_deals(toys.north_only(toys.short(make.small()))))
    bond, _ = make.corporate_debt()
    p = make.with_rows(p, "instruments", bond)
    p = make.with_rows(p, "leverage_blocks", *make.leverage("bond", (0.2, 0.0), (0.4, 0.01)))
    p = make.with_company(p, cost_of_equity_frac=k, price_usd=price_usd, raise_only_what_is_spent=False)
    p = make.with_row(p, "convertibles", "dear", coupon_frac=coupon, conversion_price_usd=strike_usd)
    p = make.with_all(p, "market", share_vol_frac=vol)
    p = make.with_row(p, "instruments", "buyback", max_usd_m=500.0, premium_frac=0.0)
    return toys.poor(p, 60.0)


@draws.few(16)
@given(
    st.sampled_from((0.0, 0.05, 0.12, 0.2)),
    st.sampled_from((1.0, 2.0, 5.0)),
    st.sampled_from((0.5, 1.5, 4.0, 12.0)),
    st.sampled_from((0.2, 0.6, 1.0)),
    st.sampled_from((0.0, 0.06, 0.12)),
    st.sampled_from((0.5, 1.0, 1.8)),
)
def test_money_raised_to_buy_notes_back_gains_nothing(
    k: float, price: float, strike: float, vol: float, coupon: float, up: float
) -> None:
    """Cheap or dear against the plan's own price: only what idle cash retires may save anything."""
    p = indebted(k, price, strike, vol, coupon)
    p = make.two_scenarios(p)
    p = make.with_row(p, "market", "up", ai_equity_idx=up)
    case = Case.of(p, make.tree_of(p))
    own = worth_without(case, BEYOND_COMMITTED | SOURCES)
    assume(own > 0.0)
    financed = worth_without(case, BEYOND_COMMITTED)
    assert financed >= own * (1.0 - 1e-9)
    assert financed <= own * 1.001 + note_gains(case, own) / p.firm.basic_shares_m


def test_without_the_rule_a_cheap_tranche_is_a_money_machine() -> None:
    """A share that trebles in the deck: notes at 9 % buy the tranche back before it does."""
    p = indebted(0.12, 0.15, 0.3, 0.2, 0.0)
    p = make.with_row(p, "convertibles", "dear", principal_usd_m=10.0)
    for t in range(1, 4):
        p = make.with_row(p, "market", f"base|{make.quarter(t)}", ai_equity_idx=3.0)
    p = toys.poor(make.without(p, "leverage_blocks"), 12.0)
    p = make.with_row(p, "entities", "north-co", unrestricted_cash_usd_m=0.0)
    land = {"asset": "land", "value_usd_m": 40.0, "indexed_to": "none", "haircut_frac": 0.0}
    p = make.with_rows(p, "holdings", land)
    p = make.with_row(p, "instruments", "bond", min_usd_m=0.0, max_frac_of_market_cap=5.0)
    raw = Case.of(make.with_company(p, equity_pricing="market"), make.chain_of(p))
    barred = BEYOND_COMMITTED | (SOURCES - {Quantity.NOTES})
    assert worth_without(raw, barred) > 1.02 * worth_without(raw, BEYOND_COMMITTED | SOURCES)
    fair = Case.of(p, raw.tree)
    assert worth_without(fair, barred) <= 1.001 * worth_without(fair, BEYOND_COMMITTED | SOURCES)


@pytest.mark.parametrize("lam", [8.0, 14.0, 30.0])
def test_a_cheap_tranche_earns_straight_debt_whatever_the_plan_is_worth(lam: float) -> None:
    """At 8 % a year the price would grow by 2 % a quarter; coupons saved earn nothing in this company.

    Bought in the second of six quarters: the price of 40.4 grows over four, coupons of one a quarter from the
    end of the second on would have grown over four, three, ... none.
    """
    p = make.with_row(make.add_repurchase(make.small()), "convertibles", "dear", conversion_price_usd=10.0)
    program = Case.of(p, make.chain_of(p)).program
    (bought,) = program.params.repurchase_offers
    assert program.params.claims.repurchase_gain(lam, bought, 1) > 0.0
    (variable,) = [d.variable for d in program.decisions if d.quantity is Quantity.REPURCHASE and d.node == 1]
    value = -40.0 * 1.01 + 5 * 1.0
    charged = next(c for c in program.charges if c.variable is variable).at(lam)
    by_hand = 40.4 * (1.02**4 - 1.0) - sum(1.02**h - 1.0 for h in range(5))
    assert value - charged == pytest.approx(by_hand, rel=1e-9)


@draws.few(10)
@given(
    st.sampled_from((20.0, 50.0, 80.0)),
    st.sampled_from((0.0, 0.01, 0.05)),
    st.sampled_from((0.06, 0.1, 0.2)),
    st.booleans(),
)
def test_blocks_of_leverage_fill_from_below(cash: float, add: float, bound: float, on_tree: bool) -> None:
    """What a deal places in a block is what the rule leaves it, no less."""
    p = make.add_debt(toys.north_only(toys.short(make.small(), 5)))
    bond, _ = make.corporate_debt()
    p = make.with_rows(p, "instruments", {**bond, "once_every_q": 1, "tenor_q": 3, "max_usd_m": 90.0})
    p = make.with_rows(p, "leverage_blocks", *make.leverage("bond", (bound, 0.0), (0.3, add + 0.001)))
    p = toys.poor(make.with_company(p, traded_shares_m_per_day=0.2), cash)
    p = make.two_scenarios(p) if on_tree else p
    case, outcome, _ = draws.solved(p, make.tree_of(p) if on_tree else make.chain_of(p))
    assert outcome.x is not None
    issued: dict[tuple[str, int], float] = {}
    for d in case.program.decisions:
        if d.quantity is Quantity.NOTES:
            issued[d.since, d.node] = float(outcome.x[case.matrix.column[id(d.variable)]])
    tree = case.tree
    for n in tree.nodes:
        before = [m for m in tree.path(n) if 0 < tree.period[n] - tree.period[m] < 2]
        stands = 40.0 + sum(issued["1", m] for m in before)
        size = issued["1", n] + issued["2", n]
        cheapest = min(size, max(0.0, 1000.0 * bound - stands))
        assert issued["1", n] == pytest.approx(cheapest, abs=1e-4)


@pytest.mark.parametrize("coupon", [0.0, 0.05])
def test_leverage_makes_a_convertible_dearer_whatever_it_would_cost_else(coupon: float) -> None:
    """A note cheaper than straight debt is charged up to it: the add comes on top, not in its place."""
    p = make.add_corporate_debt(make.add_deals(make.small()))
    p = make.with_row(p, "instruments", "note", coupon_frac=coupon)
    p = make.with_company(p, straight_spread_frac=0.2)
    params = Case.of(p, make.chain_of(p)).program.params
    (offer,) = params.note_offers
    low, high = offer.notes[0, "1"], offer.notes[0, "2"]
    owed = [params.claims.note(10.0, note) + sum(note.coupon) for note in (low, high)]
    assert params.claims.fair_cost_gap(10.0, low) > 0.0
    assert owed[1] - owed[0] > 0.9 * 0.01 * 1.5
    assert math.isclose(sum(high.coupon) - sum(low.coupon), 0.01 * 1.5, rel_tol=1e-9)


@draws.few(10)
@given(draws.planned_on(draws.companies()))
def test_a_way_to_borrow_never_hurts(drawn: draws.Drawn) -> None:
    """Nobody has to arrange a line, issue notes or buy any back."""
    p, tree = drawn
    instruments = p.instruments
    worth = [draws.worth(p, tree)]
    for more in make.corporate_debt():
        p = make.with_rows(p, "instruments", more)
        worth.append(draws.worth(p, tree))
    assert len(p.instruments) == len(instruments) + 2
    assert all(later >= before * (1.0 - 3e-6) for before, later in pairwise(worth))
