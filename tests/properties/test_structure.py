"""What holds of every plan: worlds that do not differ, last-quarter starts, the line's peak, its sources."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.domain.futures import scenario_chain
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.params.loans import first_rent
from models.params.params import Params, compile_params
from optimizer.inputs.load import load
from optimizer.shipped import data_folder, shipped_portfolios
from tests import portfolios as make
from tests.oracle import toys
from tests.oracle.enumeration import Case
from tests.properties import draws

FEATURES = {add.__name__.removeprefix("add_"): add for add in make.FEATURES}


def small_with(name: str) -> Portfolio:
    """Two sites and one feature, short enough to solve at once."""
    p = FEATURES[name](make.small())
    p = make.with_all(p, "site_products", latest_quarter=make.quarter(2), max_modules=2)
    return toys.poor(make.with_company(p, horizon_q=5), 100.0)


@pytest.mark.parametrize("name", FEATURES)
def test_branches_with_the_same_world_are_one_world(name: str) -> None:
    """Test 3: three branches that do not differ are worth what the chain is."""
    p = make.identical_scenarios(small_with(name))
    _, on_chain, committed = draws.solved(p, make.chain_of(p))
    tree = make.tree_of(p)
    case, on_tree, committed_on_tree = draws.solved(p, tree)
    assert len(tree.leaves) == 3
    assert on_chain.value > 0.0
    assert on_tree.value == pytest.approx(on_chain.value, rel=3.0 * draws.GAP)
    assert committed_on_tree == pytest.approx(committed, rel=1e-3, abs=1e-9)
    assert on_tree.x is not None
    worth = case.valued(on_tree.x).worth
    per_leaf = [sum(worth.lines(leaf).values()) for leaf in tree.leaves]
    # fates of notes, trailing sums and offers fall alike: a leaf is richer only by its own starts
    assert np.ptp(per_leaf) <= 0.2 * max(abs(v) for v in per_leaf)


def test_branches_with_other_worlds_are_not() -> None:
    p = small_with("deals")
    _, on_chain, _ = draws.solved(p, make.chain_of(p))
    _, on_tree, _ = draws.solved(p, make.tree_of(p))
    assert on_tree.value != pytest.approx(on_chain.value, rel=1e-3)


def without_last(case: Case, x: np.ndarray) -> list[np.ndarray]:
    """The plan with one module less of each start of the last quarter, its loan with it."""
    last, found = case.tree.horizon_q - 1, []
    for d in case.program.decisions:
        j = case.matrix.column[id(d.variable)]
        if d.quantity is Quantity.START and case.tree.period[d.node] == last and x[j] > 0.5:
            less = x.copy()
            less[j] -= 1.0
            for f in case.program.decisions:
                same = (f.site, f.item, f.contract) == (d.site, d.item, d.contract)
                if f.quantity is Quantity.FINANCED and same and f.since == case.tree.label(d.node):
                    k = case.matrix.column[id(f.variable)]
                    less[k] = min(less[k], less[j])
            found.append(less)
    return found


@st.composite
def late_builders(draw: st.DrawFn) -> draws.Drawn:
    """Companies that may begin halls in the last quarter, for rents about what a hall costs."""
    p, tree = draw(draws.planned_on(draws.companies((make.add_deals, make.add_expansion))))
    last = str(p.firm.first_quarter + (p.firm.horizon_q - 1))
    p = make.with_all(p, "site_products", earliest_quarter=last, latest_quarter=last)
    rent = draw(st.sampled_from((60.0, 110.0, 140.0, 170.0, 200.0)))
    p = make.with_row(p, "contracts", "open", first_year_rent_usd_per_kw_month=rent, term_q=40, max_mw=20.0)
    p = make.with_row(p, "cooling", "north", existing_mw=20.0)
    return draws.Drawn(toys.poor(p, 300.0), tree)


def test_nothing_begun_in_the_last_quarter_is_worth_less_than_it_still_costs() -> None:
    """Test 6, and that it is tried: some drawn plans begin in the last quarter, some do not."""
    begun: list[int] = []

    @draws.few(25)
    @given(late_builders())
    def tell(drawn: draws.Drawn) -> None:
        case, outcome, _ = draws.solved(*drawn)
        assert outcome.x is not None
        price = outcome.value_per_share_usd
        kept = case.valued(outcome.x).worth
        fewer = without_last(case, outcome.x)
        begun.append(len(fewer))
        for x in fewer:
            dropped = case.valued(x).worth
            npv = (kept.expected - kept.expected_claims(price)) - (
                dropped.expected - dropped.expected_claims(price)
            )
            assert npv > -1e-6

    tell()
    assert 0.2 * len(begun) <= sum(1 for n in begun if n) <= 0.9 * len(begun)


@draws.few(25)
@given(draws.planned_on(draws.companies((make.add_expansion, make.add_project_debt))), st.floats(20.0, 100.0))
def test_the_line_carries_the_peak_of_every_hour(drawn: draws.Drawn, mw: float) -> None:
    """Test 11, from decisions and inputs by hand: all machines ready and all halls at once, not the mean."""
    p, tree = drawn
    p = make.with_row(p, "power", "north", energised_mw=mw)
    p = make.with_row(p, "fleets", "n-s19", mw=min(mw, 60.0))
    case, outcome, _ = draws.solved(p, tree)
    assert outcome.x is not None
    gross, lead, before = 16.0, 2, 1  # of a hall: 10 MW critical / 0.625, taken a quarter before it is live
    step = {e.expansion: e for e in p.expansions}
    drawn_mw: dict[int, float] = defaultdict(float)
    ready_mw: dict[int, float] = defaultdict(lambda: mw)
    for _, row in case.decisions(outcome.x).iterrows():
        n = next(m for m in tree.nodes if tree.label(m) == row["node"])
        if row["quantity"] == "on_mw":
            drawn_mw[n] += row["value"] * 1.0  # overhead of these machines
        for m in tree.descendants(n):
            age = tree.period[m] - tree.period[n]
            if row["quantity"] == "start" and age >= lead - before:
                drawn_mw[m] += gross * row["value"]
            if row["quantity"] == "expand" and age >= step[row["item"]].lead_q:
                ready_mw[m] += step[row["item"]].step_mw * row["value"]
    assert drawn_mw
    for n in tree.nodes:
        assert drawn_mw[n] <= ready_mw[n] + 1e-5
    mining = max(drawn_mw.values())
    assume(mining > 0.5 * mw)  # plans that use the line, not idle ones


@draws.few(30)
@given(
    ltc=st.sampled_from((0.5, 0.8, 0.95)),
    dscr=st.sampled_from((1.0, 1.3)),
    prepaid=st.sampled_from((0.0, 0.2)),
    fitted=st.sampled_from((0.0, 0.3)),
    fee=st.sampled_from((0.0, 0.05)),
    reserve_q=st.sampled_from((0, 4)),
    rate=st.sampled_from((0.0, 0.04, 0.12)),
    rent=st.sampled_from((100.0, 300.0, 900.0)),
    lead_q=st.integers(1, 4),
)
def test_sources_of_a_module_never_exceed_its_uses(
    ltc: float,
    dscr: float,
    prepaid: float,
    fitted: float,
    fee: float,
    reserve_q: int,
    rate: float,
    rent: float,
    lead_q: int,
) -> None:
    """Test 9: 80 % of cost, 20 % prepaid and 30 % fitted out by the tenant do not make 130 %."""
    p = make.add_project_debt(make.add_cloud(make.add_rival_offers(make.small())))
    terms = {"ltc_max_frac": ltc, "dscr_min": dscr, "fee_frac": fee, "reserve_q": reserve_q}
    p = make.with_all(p, "credit_classes", **terms)
    for kind, frac in (("prepayment", prepaid), ("tenant_capex", fitted)):
        p = make.with_row(p, "contract_money", f"rival|{kind}", frac_of_capex=frac)
    p = make.with_all(p, "market", base_rate_frac=rate)
    p = make.with_all(p, "contracts", first_year_rent_usd_per_kw_month=rent)
    p = make.with_all(p, "products", lead_q=lead_q)
    assert facilities_within_uses(compile_params(p, make.chain_of(p))) > 5 or rent < 300.0


@pytest.mark.parametrize("name", [*shipped_portfolios(), "starter"])
def test_sources_of_shipped_modules_never_exceed_their_uses(name: str) -> None:
    """Test 9 on every offer, product and lender that ships."""
    loaded = load(data_folder() / "templates" / name if name == "starter" else name)
    tree = scenario_chain(loaded.portfolio, loaded.scenario)
    closed = facilities_within_uses(compile_params(loaded.portfolio, tree))
    assert closed > 0 or not loaded.portfolio.credit_classes


def facilities_within_uses(params: Params) -> int:
    """Own spend is never negative, what is drawn never exceeds it; how many facilities were looked at."""
    closed = 0
    for route in params.routes:
        for b, facilities in route.facilities.items():
            a = route.modules[b]
            own = a.spend - a.tenant_money
            assert (own >= -1e-9).all()
            for f in facilities:
                closed += 1
                if f.close == b:
                    assert (f.draws <= own + 1e-9).all()
                # at completion what is received repays own spend, all of it at most
                assert f.draws.sum() <= a.own_spend_by_age.sum() + 1e-9
    return closed


@pytest.mark.parametrize("name", shipped_portfolios())
def test_no_project_loan_grows_after_its_last_draw(name: str) -> None:
    """All facilities of what ships, on its base scenario: once rent comes in, interest is always paid."""
    p = load(data_folder() / "portfolios" / name).portfolio
    base = next(s.scenario for s in p.scenarios if s.branch_from is None)
    params = compile_params(p, scenario_chain(p, base))
    for route in params.routes:
        for b, offered in route.facilities.items():
            for f in offered:
                paying = first_rent(route.route, b, params.tree) - params.tree.period[f.close]
                since = f.facility.balance_usd_m[max(0, paying - 1) :]
                assert (np.diff(since) <= 1e-9 * f.loan_usd_m).all()
                assert not f.facility.interest_cash_usd_m[:paying].any()
