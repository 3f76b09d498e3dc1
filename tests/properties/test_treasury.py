"""Money is neither made nor lost by moving it: rescue, financing, share sales, and the price of cash."""

import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from models.domain.futures import scenario_chain
from models.domain.ledger import BEYOND_COMMITTED, DEALS, Quantity
from models.domain.portfolio import Portfolio
from optimizer.inputs.load import load
from optimizer.shipped import data_folder, shipped_portfolios
from optimizer.solve.exact import HighsProgram
from tests import portfolios as make
from tests.oracle.enumeration import Case, search_of
from tests.oracle.test_statuses import due_beyond_means
from tests.properties import draws

CAPITAL = (
    make.add_deals, make.add_notes, make.add_share_claims, make.add_other_business, make.add_debt,
    make.add_taxes, make.add_treasury, make.add_refinancing, make.add_corporate_debt,
)  # fmt: skip


def total(case: Case, x: np.ndarray, quantity: Quantity) -> float:
    """Sum of a quantity over a plan."""
    columns = [case.matrix.column[id(d.variable)] for d in case.program.decisions if d.quantity is quantity]
    return float(x[columns].sum())


@draws.few(20)
@given(draws.planned_on(draws.companies((*CAPITAL, make.add_expansion))))
def test_no_rescue_where_cash_is_ample(drawn: draws.Drawn) -> None:
    p, tree = drawn
    for e in p.entities:
        p = make.with_row(p, "entities", e.entity, unrestricted_cash_usd_m=1000.0)
    case, outcome, _ = draws.solved(p, tree)
    assert outcome.status == "optimal"
    assert outcome.x is not None
    assert total(case, outcome.x, Quantity.RESCUE) < 1e-6


def worth_without(case: Case, barred: frozenset[Quantity]) -> float:
    """Best value per share when some kinds of decision are left alone."""
    search, upper = search_of(case), case.matrix.upper.copy()
    for d in case.program.decisions:
        if d.quantity in barred:
            upper[case.matrix.column[id(d.variable)]] = 0.0
    price = 0.0
    for _ in range(20):
        result, _ = search.at(price, integer=True, gap_usd_m=search.in_usd_m(1e-7, price), upper=upper)
        assert result.x is not None
        found = search.root(result.x)
        if found <= price * (1.0 + 1e-9):
            break
        price = found
    return price


def note_gains(case: Case, price: float) -> float:
    """What all notes on offer could bring above what the plan's own law says they cost. [$M]"""
    p, chance, found = case.program.params, case.tree.probability, 0.0
    for offer in p.note_offers:
        terms = offer.instrument
        for (n, _), note in offer.notes.items():
            brought = chance[n] * offer.net_frac * (1.0 + 0.5 * _yield(case.portfolio, case, n))
            paid = float(chance @ (note.coupon + note.principal))
            worth = p.outlook.share_price_usd[n] * p.portfolio.firm.basic_shares_m
            gain = brought - paid - p.claims.note(price, note)
            most = min(terms.max_usd_m, terms.max_frac_of_market_cap * float(worth))
            found += max(0.0, float(gain)) * most
    return found


@draws.few(12)
@given(
    draws.planned_on(draws.companies(CAPITAL)),
    st.sampled_from((0.0, 0.01, 0.04)),
    st.sampled_from((0.1, 0.3, 0.6)),
    st.sampled_from((0.3, 0.6, 1.0)),
)
def test_raising_money_that_nobody_needs_gains_nothing(
    drawn: draws.Drawn, coupon: float, premium: float, vol: float
) -> None:
    """Nothing is begun and nothing falls short: no deal lifts a share by a tenth of a percent.

    The one cause that may: a note whose terms are better than the plan's own law says it is worth.
    """
    p, tree = drawn
    p = make.with_row(p, "entities", "parent", unrestricted_cash_usd_m=300.0)
    for i in p.instruments:
        if i.kind == "convertible":
            p = make.with_row(p, "instruments", i.instrument, coupon_frac=coupon, premium_frac=premium)
    p = make.with_all(p, "market", share_vol_frac=vol)
    case = Case.of(p, tree)
    alone = worth_without(case, BEYOND_COMMITTED | DEALS)
    if alone == 0.0:
        return  # under water nothing can be said per share
    free = worth_without(case, BEYOND_COMMITTED)
    assert alone <= free * (1.0 + 1e-9)
    assert free <= alone * 1.001 + note_gains(case, alone) / p.firm.basic_shares_m


@pytest.mark.parametrize(
    "name", [*(name for name in shipped_portfolios() if name != "capital-rationing"), "starter"]
)
def test_no_deal_of_a_shipped_portfolio_is_a_gift(name: str) -> None:
    """As much cash as the market gives for the company, nothing begun: no deal lifts a share by 0.1 %."""
    loaded = load(data_folder() / "templates" / name if name == "starter" else name)
    p, parent = loaded.portfolio, loaded.portfolio.parent
    cash = parent.unrestricted_cash_usd_m + p.firm.price_usd * p.firm.basic_shares_m
    p = make.with_row(p, "entities", parent.entity, unrestricted_cash_usd_m=cash)
    case = Case.of(p, scenario_chain(p, loaded.scenario))
    alone = worth_without(case, BEYOND_COMMITTED | DEALS)
    assert alone > 0.0
    free = worth_without(case, BEYOND_COMMITTED)
    assert alone * (1.0 - 1e-6) <= free <= alone * 1.001


def test_the_neutrality_test_can_fail() -> None:
    """Shares charged below what they fetch, in a company worth less than its price: selling them pays."""
    p = make.with_company(make.small(), raise_only_what_is_spent=False, cost_of_equity_frac=0.0)
    p = make.with_company(p, equity_pricing="market", price_usd=50.0)
    case = Case.of(p, make.chain_of(p))
    assert worth_without(case, BEYOND_COMMITTED) > 1.001 * worth_without(case, BEYOND_COMMITTED | DEALS)


def worth_with_sale(p: Portfolio, gross_usd_m: float) -> float:
    """Value per share by the program when a company of one asset sells shares in the good leaf."""
    tree = make.tree_of(p)
    case = Case.of(p, tree)
    good = next(n for n in tree.leaves if tree.scenario[n] == "up")
    lower, upper = case.matrix.lower.copy(), case.matrix.upper.copy()
    for d in case.program.decisions:
        if d.quantity in (*DEALS, Quantity.RESCUE):
            j = case.matrix.column[id(d.variable)]
            sold = d.quantity is Quantity.ATM and d.since == "1" and d.node == good
            lower[j] = upper[j] = gross_usd_m if sold else 0.0
    search = search_of(case)
    result, _ = search.at(1.0, integer=True, gap_usd_m=0.0, lower=lower, upper=upper)
    assert result.x is not None, result.proved
    return search.root(result.x)


def asset_company(leaves: tuple[float, float], price_usd: float, shares_m: float) -> Portfolio:
    """Two quarters and two leaves, half each; an asset worth ``leaves``, deck prices in proportion to it."""
    mean = 0.5 * sum(leaves)
    p = make.two_scenarios(make.small())
    for table in ("sites", "power", "cooling", "site_products", "fleets", "contracts", "machines", "regions"):
        p = make.without(p, table)
    p = make.without(p, "entities", "north-co", "south-co")
    second = make.quarter(1)
    p = make.with_row(p, "scenarios", "up", branch_quarter=second)
    p = make.without(p, "market", *(f"base|{make.quarter(t)}" for t in range(2, make.HORIZON_Q)))
    p = make.without(p, "market", *(f"up|{make.quarter(t)}" for t in range(3, make.HORIZON_Q)))
    good, bad = (1e5 * worth / mean for worth in leaves)
    p = make.with_row(p, "market", "up", quarter=second, btc_usd=good, ai_equity_idx=1.0)
    p = make.with_row(p, "market", f"base|{second}", btc_usd=bad)
    p = make.with_all(p, "market", base_rate_frac=0.0)
    p = make.with_all(p, "valuation", years=0.0)
    p = make.with_row(p, "entities", "parent", unrestricted_cash_usd_m=0.0)
    asset = {"asset": "land", "value_usd_m": mean, "indexed_to": "btc", "haircut_frac": 0.0}
    p = make.with_rows(p, "holdings", asset)
    p = make.with_all(make.with_all(p, "impact", discount_frac=0.0), "instruments", max_usd_m=1e6)
    return make.with_company(
        p, horizon_q=2, price_usd=price_usd, basic_shares_m=shares_m, btc_beta=1.0, ai_beta=0.0,
        overhead_usd_m_per_q=0.0, cash_floor_usd_m=0.0, equity_pricing="market",
        raise_only_what_is_spent=False, traded_shares_m_per_day=1e3, atm_left_usd_m=1e6,
        authorised_shares_m=1e6,
    )  # fmt: skip


@draws.few(20)
@given(st.floats(150.0, 1000.0), st.floats(10.0, 100.0), st.floats(0.1, 0.9))
def test_a_fair_sale_moves_nothing_and_a_cheap_one_costs(good: float, bad: float, size: float) -> None:
    """Case (c): deck prices follow the leaves, so a sale at the deck's is fair if it is the plan's own."""
    shares = 50.0
    fair = 0.5 * (good + bad) / shares
    p = asset_company((good, bad), fair, shares)
    gross = size * good
    assert worth_with_sale(p, 0.0) == pytest.approx(fair, rel=1e-9)
    assert worth_with_sale(p, gross) == pytest.approx(fair, rel=1e-9)
    cheap = make.with_company(p, price_usd=0.8 * fair)
    # at 80 cents in the dollar: lambda N0 + gross x lambda g / S = fair N0 + gross / 2, with S = 0.8 fair g
    expected = (fair * shares + 0.5 * gross) / (shares + 0.5 * gross / (0.8 * fair))
    assert worth_with_sale(cheap, gross) == pytest.approx(expected, rel=1e-9)
    assert worth_with_sale(cheap, gross) < fair


def test_case_c_as_printed() -> None:
    """100 shares at 8 in the leaf where they are worth 10: 500/100 falls, though E[V]/E[N] would rise."""
    p = asset_company((1000.0, 200.0), 6.0, 100.0)
    assert worth_with_sale(p, 0.0) == pytest.approx(6.0, rel=1e-9)
    # deck price of the good leaf 8: price_usd x (1000/600) = 8
    p = make.with_company(p, price_usd=4.8)
    # lambda 100 + 0.5 x 800 lambda (10/6) / 8 = 600 + 0.5 x 800, so lambda (100 + 83.33) = 1000
    assert worth_with_sale(p, 800.0) == pytest.approx(1000.0 / (100.0 + 500.0 / 6.0), rel=1e-9)


def duals(case: Case, price: float, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Value of a dollar in the company's cash at each node, whole decisions fixed, and that plan."""
    marginal, plan = all_duals(case, price, x)
    return marginal[cash_rows(case)], plan


def cash_rows(case: Case) -> list[int]:
    """Rows of the company's cash by node."""
    rows = {row.name: i for i, row in enumerate(case.matrix.rows)}
    return [rows[f"company.cash.cash_balance[{n}]"] for n in case.tree.nodes]


def all_duals(case: Case, price: float, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Duals of all rows, whole decisions fixed, and that plan."""
    stop = threading.Event()
    solver = HighsProgram(case.matrix, threads=1, seed=0, stop=stop)
    whole = case.matrix.is_integer
    lower, upper = case.matrix.lower.copy(), case.matrix.upper.copy()
    lower[whole] = upper[whole] = np.round(x[whole])
    cost = case.matrix.cost(case.program.objective(price))
    result = solver.solve(cost, integer=False, gap_usd_m=0.0, time_limit_s=60.0, lower=lower, upper=upper)
    assert result.proved == "optimal"
    assert result.x is not None
    return np.array(solver.highs.getSolution().row_dual), result.x


def test_the_dual_of_cash_is_the_value_of_a_dollar() -> None:
    """Its sign and size, by giving the parent a tenth of a million more."""
    p = make.with_row(make.small(), "entities", "parent", unrestricted_cash_usd_m=40.0)
    p = make.with_company(p, cash_yield_spread_frac=0.01)
    case, outcome, _ = draws.solved(p, make.chain_of(p))
    assert outcome.x is not None
    price, plan = duals(case, outcome.value_per_share_usd, outcome.x)
    richer = Case.of(make.with_row(p, "entities", "parent", unrestricted_cash_usd_m=40.1), case.tree)
    objective = case.program.objective(outcome.value_per_share_usd)
    _, better = duals(richer, outcome.value_per_share_usd, outcome.x)
    gained = richer.matrix.at(better, richer.program.objective(outcome.value_per_share_usd))
    opening_interest = 1.0 + max(0.0, 0.04 - p.firm.cash_yield_spread_frac) / 4.0
    gained -= case.matrix.at(plan, objective)
    assert price[0] * 0.1 * opening_interest == pytest.approx(gained, rel=1e-6)


@draws.few(25)
@given(draws.planned_on(draws.companies()))
def test_the_price_of_money_lies_between_its_sources(drawn: draws.Drawn) -> None:
    """A dollar is worth at least what it earns when kept and what a source in use costs, at most rescue."""
    p, tree = make.with_company(drawn.portfolio, cash_yield_spread_frac=0.01), drawn.tree
    case, outcome, _ = draws.solved(p, tree)
    assert outcome.x is not None
    price = outcome.value_per_share_usd
    money, plan = duals(case, price, outcome.x)
    chance = tree.probability
    assert (money >= chance * (1.0 - 1e-7)).all()
    assert (money <= chance * p.firm.rescue_price * (1.0 + 1e-7)).all()
    left = 1.0 - max((g.rate_frac for g in p.tax_groups), default=0.0)  # of the interest, taxed at once
    for n in tree.nodes:
        if tree.children[n]:
            kept = sum(money[m] * (1.0 + _yield(p, case, m) * left) for m in tree.children[n])
            assert money[n] >= kept * (1.0 - 1e-7) - 1e-9
    cost = case.program.params.claims.per_market_dollar(price)
    discounts = {(b.instrument, str(b.block)): b.discount_frac for b in p.impact}
    for d in case.program.decisions:
        sold = plan[case.matrix.column[id(d.variable)]]
        if d.quantity is not Quantity.ATM or sold < 1e-6:
            continue
        net = 1.0 - discounts[d.item, d.since]
        net *= 1.0 - next(i.fee_frac for i in p.instruments if i.instrument == d.item)
        net *= 1.0 + 0.5 * _yield(p, case, d.node)
        asked = chance[d.node] * cost[d.node] / net
        # a source in use costs no more than money is worth; more only where its room or its use is rationed
        assert money[d.node] >= asked * (1.0 - 1e-6)


def test_money_is_worth_no_more_than_an_open_source_costs() -> None:
    """Where nothing but its price keeps shares from being sold, a dollar is worth no more than that."""
    unused: list[int] = []

    @draws.few(20)
    @given(draws.planned_on(draws.companies()))
    def tell(drawn: draws.Drawn) -> None:
        free = {"raise_only_what_is_spent": False, "cash_yield_spread_frac": 0.01}
        p = make.with_company(drawn.portfolio, **free, traded_shares_m_per_day=5.0)
        case, outcome, _ = draws.solved(p, drawn.tree)
        assert outcome.x is not None
        price = outcome.value_per_share_usd
        marginal, plan = all_duals(case, price, outcome.x)
        money, cost = marginal[cash_rows(case)], case.program.params.claims.per_market_dollar(price)
        others = np.abs(marginal) > 1e-9
        others[cash_rows(case)] = False
        fees = {i.instrument: i.fee_frac for i in p.instruments}
        discounts = {(b.instrument, str(b.block)): b.discount_frac for b in p.impact}
        rationed = np.asarray(abs(csr_array(case.matrix.a)[others]).sum(axis=0)).ravel() > 0.0
        unused.append(0)
        for d in case.program.decisions:
            j = case.matrix.column[id(d.variable)]
            if d.quantity is Quantity.ATM and plan[j] < 1e-6 and not rationed[j]:
                net = (1.0 - discounts[d.item, d.since]) * (1.0 - fees[d.item])
                net *= 1.0 + 0.5 * _yield(p, case, d.node)
                assert money[d.node] <= case.tree.probability[d.node] * cost[d.node] / net * (1.0 + 1e-6)
                unused[-1] += 1

    tell()
    assert sum(n > 0 for n in unused) >= 0.5 * len(unused)


def test_rescue_in_use_sets_the_price_of_money() -> None:
    """A maturity beyond all means: the quarter before it and its own, a dollar is worth what rescue costs."""
    p = due_beyond_means()
    case, outcome, _ = draws.solved(p, make.chain_of(p))
    assert outcome.status == "feasible_with_rescue"
    assert outcome.x is not None
    money, plan = duals(case, outcome.value_per_share_usd, outcome.x)
    assert total(case, plan, Quantity.RESCUE) > 1.0
    assert money[1] == pytest.approx(p.firm.rescue_price, rel=1e-9)
    assert money[2] < p.firm.rescue_price


def _yield(p: Portfolio, case: Case, node: int) -> float:
    """What a dollar of cash earns in the quarter of a node."""
    rate = float(case.program.params.outlook.base_rate_frac[node]) - p.firm.cash_yield_spread_frac
    return max(0.0, rate) / 4.0


def test_unrationed_shares_set_the_price_of_money() -> None:
    """With no limit but price, a dollar is worth what the cheapest block half used costs, no more."""
    p = make.with_row(make.small(), "entities", "parent", unrestricted_cash_usd_m=40.0)
    p = make.with_company(p, raise_only_what_is_spent=False, atm_left_usd_m=1e5, traded_shares_m_per_day=50.0)
    p = make.with_row(p, "instruments", "atm", max_usd_m=1e4)
    case, outcome, _ = draws.solved(p, make.chain_of(p))
    assert outcome.x is not None
    money, plan = duals(case, outcome.value_per_share_usd, outcome.x)
    cost = case.program.params.claims.per_market_dollar(outcome.value_per_share_usd)
    assert total(case, plan, Quantity.ATM) > 1.0
    for n in case.tree.nodes:
        assert money[n] <= cost[n] / 0.98 * (1.0 + 1e-6)
        used = [
            plan[case.matrix.column[id(d.variable)]]
            for d in case.program.decisions
            if d.quantity is Quantity.ATM and d.node == n and d.since == "1"
        ]
        if sum(used) > 1e-6:
            assert math.isclose(money[n], cost[n] / 0.98, rel_tol=1e-6)
