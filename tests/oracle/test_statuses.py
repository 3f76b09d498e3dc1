"""A status says what was proved: one portfolio for each, through the whole pipeline."""

import threading
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from models.domain.portfolio import Portfolio
from optimizer.audit.covenants import covenant_tests
from optimizer.inputs.check import check
from optimizer.inputs.load import Loaded
from optimizer.pipeline import plan
from optimizer.plans.plan import Plan
from optimizer.solve.options import Options
from optimizer.solve.outcome import MipResult
from optimizer.solve.per_share import best_per_share, best_value
from tests import portfolios as make
from tests.oracle import toys
from tests.oracle.enumeration import Case, enumerate_per_share, search_of

TIGHT = Options(gap=1e-6)


def loaded(p: Portfolio) -> Loaded:
    """As if read from a folder."""
    return Loaded(
        name="toy",
        title="Toy",
        as_of=date(2026, 12, 31),
        scenario="base",
        portfolio=p,
        findings=(),
        overridden=(),
        guesses=0,
        money_inputs=1,
        digest="",
    )


def planned(p: Portfolio, options: Options = TIGHT, *, tree: bool = False) -> Plan:
    """The whole way, audit included."""
    return plan(loaded(p), options=options, tree=tree)


def errors(p: Portfolio) -> list[str]:
    """Codes of the checks that a portfolio fails."""
    return [f.code for f in check(p) if f.severity == "error"]


@pytest.mark.parametrize("name", toys.TOYS)
def test_a_toy_is_optimal_and_passes_the_audit(name: str) -> None:
    portfolio, _ = toys.TOYS[name]
    assert not errors(portfolio())
    result = planned(portfolio(), tree="tree" in name)
    assert result.status == "optimal"
    assert result.audit.passed
    assert result.value <= result.bound <= result.value * (1.0 + 2e-6)
    assert result.note == ""
    assert result.bound * (1.0 - 1e-6) <= result.audit.bound_checked < np.inf


def test_no_time_gives_a_plan_that_claims_no_proof() -> None:
    result = planned(make.without(make.full(), "budgets"), Options(gap=0.0, time_limit_s=0.0))
    assert result.status == "feasible"
    assert result.bound > result.value
    assert "time limit" in result.note


def test_a_gap_not_reached_is_reported_as_it_is() -> None:
    result = planned(make.small(), Options(gap=0.0, time_limit_s=1.0))
    assert result.status in ("optimal", "feasible")
    assert (result.status == "optimal") == (result.gap <= 0.0)


def due_beyond_means() -> Portfolio:
    """A convertible of 150 falls due in the second quarter; 20 are in hand and shares can bring 30."""
    p = make.add_notes(toys.north_only(toys.short(make.small())))
    p = make.without(make.without(p, "convertibles", "later"), "contracts", "lease", "open")
    p = make.with_row(p, "machines", "s21", max_buy_mw_per_q=0.0)
    land = {"asset": "land", "value_usd_m": 400.0, "indexed_to": "none", "haircut_frac": 0.0}
    p = make.with_rows(p, "holdings", land)
    p = make.with_row(p, "convertibles", "due", principal_usd_m=150.0, maturity_quarter=make.quarter(1))
    return toys.poor(make.with_company(p, atm_left_usd_m=30.0, rescue_price=1.5), 20.0)


def test_a_maturity_beyond_all_means_is_met_by_rescue_and_said() -> None:
    result = planned(due_beyond_means())
    assert result.status == "feasible_with_rescue"
    rescued = result.tables["decisions"].query("quantity == 'rescue'")["value"].sum()
    # 150 are due and 10 kept; there are 20 at the parent, 20 at the site, 30 of shares at 2 to 5 % below the
    # deck's price, and 60 MW of machines at 10/30 x 0.6 = 0.2 each, that is 12 if all are sold
    assert 160.0 - 20.0 - 20.0 - 30.0 - 12.0 - 15.0 < rescued < 160.0 - 20.0
    assert result.value > 0.0


def test_the_same_maturity_with_cash_needs_no_rescue() -> None:
    result = planned(toys.poor(due_beyond_means(), 250.0))
    assert result.status == "optimal"
    assert result.tables["decisions"].query("quantity == 'rescue'").empty


def held(p: Portfolio) -> Portfolio:
    """One site with a commitment that cannot be cancelled and still costs 44."""
    return make.with_row(p, "commitments", "second", cancellable_until_quarter=None)


@pytest.mark.parametrize("objective", ["per-share", "value"])
@pytest.mark.parametrize("cap_usd_m", [39.0, 45.0])
def test_a_budget_that_commitments_break_is_infeasible(cap_usd_m: float, objective: str) -> None:
    span = {"from_quarter": make.quarter(0), "to_quarter": make.quarter(3)}
    budget = {**span, "budget": "all", "site": None, "counts": "all", "cap_usd_m": cap_usd_m}
    p = make.with_rows(held(toys.commitments()), "budgets", budget)
    result = planned(p, Options(gap=1e-6, objective=objective))  # type: ignore[arg-type]
    # 20 in the second quarter and 20 in the fourth; the last 4 lie beyond the toy's four quarters
    assert result.status == ("infeasible" if cap_usd_m < 40.0 else "optimal")
    if result.status == "infeasible":
        assert not result.tables
        assert not np.isfinite(result.value)


def test_a_contradiction_of_constants_is_infeasible_and_says_which_numbers() -> None:
    p = make.with_row(held(toys.commitments()), "power", "north", energised_mw=15.0)
    p = make.without(make.without(p, "fleets"), "machines")
    result = planned(make.without(p, "contracts", "lease", "open"))
    assert result.status == "infeasible"
    assert "16" in result.note
    assert "15" in result.note


def test_what_a_committed_tenant_prepays_lowers_no_own_spend() -> None:
    """A budget of own money counts rows of own and vendor money, whatever the tenant pays."""
    p = make.add_budgets(make.add_commitments(make.small()))
    case, tree = Case.of(p, make.chain_of(p)), make.chain_of(p)
    alone = search_of(case).committed()[1]
    assert alone is not None
    tests = covenant_tests(case.valued(alone).worth)
    spent = {t.node: t.value for t in tests if t.name == "own"}
    # first: 10 and, a quarter later, the vendor's 4; then 5. second: 20, 20, 4. The tenant's 8 are his credit
    by_hand = (10.0, 10.0 + 4.0 + 20.0, 34.0, 34.0 + 5.0 + 20.0, 59.0 + 4.0, 63.0)
    assert [spent[n] for n in tree.nodes] == pytest.approx(by_hand)


def test_a_site_that_no_offer_wants_passes_the_audit() -> None:
    """Part of it is committed and nothing else can be begun; program and auditor must call that the same."""
    assert planned(make.without(held(toys.commitments()), "contracts", "lease", "open")).audit.passed


def waits_for_power() -> Portfolio:
    """A commitment of 16 gross MW on a line of 10 that a step of 20 must widen first."""
    p = make.add_expansion(held(toys.commitments()))
    p = make.with_row(p, "expansions", "n-line", step_mw=20.0, max_steps=1, lead_q=2)
    p = make.with_row(p, "fleets", "n-s19", mw=5.0)
    return make.with_row(p, "power", "north", energised_mw=10.0)


def waits_for_a_cancellation() -> Portfolio:
    """Two commitments, one that can be cancelled, within a budget for one."""
    p = toys.commitments()
    budget = {"budget": "all", "site": None, "counts": "all", "cap_usd_m": 10.0}
    span = {"from_quarter": make.quarter(0), "to_quarter": make.quarter(3)}
    return make.with_rows(p, "budgets", {**budget, **span})


@pytest.mark.parametrize("portfolio", [waits_for_power, waits_for_a_cancellation])
@pytest.mark.parametrize("objective", ["per-share", "value"])
def test_what_only_a_decision_makes_possible_is_possible(
    portfolio: Callable[[], Portfolio], objective: str
) -> None:
    """The committed-only plan does not exist; the plan does."""
    p = portfolio()
    best = enumerate_per_share(Case.of(p, make.chain_of(p))).best.per_share
    result = planned(p, Options(gap=1e-6, objective=objective))  # type: ignore[arg-type]
    assert result.status == "optimal"
    if objective == "per-share":
        assert result.value == pytest.approx(best, rel=1e-5)


def money_that_breeds() -> Portfolio:
    """Rescue that costs what it brings, and cash that earns: borrow without end."""
    p = toys.north_only(toys.short(make.small()))
    return make.with_company(p, rescue_price=1.0, cash_yield_spread_frac=0.0)


@pytest.mark.parametrize("objective", ["per-share", "value"])
def test_a_loop_that_breeds_money_is_unbounded_and_named(objective: str) -> None:
    result = planned(money_that_breeds(), Options(gap=1e-4, objective=objective))  # type: ignore[arg-type]
    assert result.status == "unbounded"
    assert any("rescue" in name for name in result.loop)
    assert any("cash" in name for name in result.loop)
    assert not result.tables


def test_the_same_company_without_the_loop_is_not() -> None:
    assert planned(make.with_company(money_that_breeds(), rescue_price=1.2)).status == "optimal"


def machines_that_breed() -> Portfolio:
    """Machines that resell above their price."""
    p = toys.north_only(toys.short(make.small()))
    for step in range(31):
        p = make.with_row(p, "profiles", f"resale|{step}", frac=1.1)
    return make.with_row(p, "machines", "s21", max_buy_mw_per_q=50.0)


def test_machines_cannot_breed_money_beyond_what_makers_deliver() -> None:
    """Whatever the resale, purchases are capped, so the program stays bounded."""
    result = planned(machines_that_breed())
    assert result.status == "optimal"
    bought = result.tables["decisions"].query("quantity == 'bought_mw'")["value"]
    assert bought.max() == pytest.approx(50.0)


def test_a_loop_that_only_new_decisions_open_is_named() -> None:
    """The limit of the maker taken out of the program by hand: buy and sell for ever."""
    p = machines_that_breed()
    case = Case.of(p, make.chain_of(p))
    rows = [i for i, row in enumerate(case.matrix.rows) if "bought_within_supply" in row.name]
    assert rows
    case.matrix.row_upper[rows] = np.inf
    outcome, _ = best_per_share(search_of(case))
    assert outcome.status == "unbounded"
    assert any("bought" in name for name in outcome.loop)
    assert any("sold" in name or "stock" in name for name in outcome.loop)


def drowned() -> Portfolio:
    """A loan of 2,000 due long after the horizon on a company worth far less."""
    p = make.add_debt(toys.north_only(toys.short(make.small())))
    late = {"first_repayment_quarter": make.quarter(30), "maturity_quarter": make.quarter(30)}
    return make.with_row(p, "debt", "loan", principal_usd_m=2000.0, coupon_or_spread_frac=0.0, **late)


def test_equity_under_water_is_said_and_value_maximised() -> None:
    result = planned(drowned())
    assert result.status == "equity_under_water"
    assert result.objective == "value"
    assert result.value_per_share_usd == 0.0
    assert result.committed_value_per_share_usd == 0.0
    by_value = planned(drowned(), Options(gap=1e-6, objective="value"))
    assert result.value == pytest.approx(by_value.value, rel=1e-5)
    assert result.value < 0.0
    assert not result.tables["decisions"].query("quantity == 'start'").empty


def nearly_drowned(principal_usd_m: float) -> Portfolio:
    """The same with less owed."""
    return make.with_row(drowned(), "debt", "loan", principal_usd_m=principal_usd_m)


def test_a_plan_may_lift_the_equity_above_water() -> None:
    """Nothing is left to the shares unless halls are built: committed-only is under water, the plan not."""
    result = planned(nearly_drowned(300.0))
    assert result.status == "optimal"
    assert result.committed_value_per_share_usd == 0.0
    assert result.value > 0.1


@pytest.mark.parametrize("objective", ["per-share", "value"])
@pytest.mark.parametrize("solver", ["highs", "scip"])
def test_a_stop_before_the_start_does_no_harm(objective: str, solver: str) -> None:
    stop = threading.Event()
    stop.set()
    options = Options(gap=1e-4, objective=objective, solver=solver)  # type: ignore[arg-type]
    result = plan(loaded(toys.deals()), options=options, stop=stop)
    assert result.status in ("feasible", "no_plan", "optimal")
    if result.status == "no_plan":
        assert not result.tables
    if solver == "highs":
        assert result.status != "optimal"


def test_a_stop_while_it_solves_keeps_the_plan_in_hand() -> None:
    stop = threading.Event()
    seen: list[str] = []

    def listen(progress: object) -> None:
        seen.append(str(progress))
        stop.set()

    p = make.without(make.full(), "budgets")
    result = plan(loaded(p), options=Options(gap=0.0), progress=listen, stop=stop)
    assert seen
    assert result.status == "feasible"
    assert result.audit.passed


class Mute:
    """A solver that finds nothing and proves nothing."""

    def solve(self, cost: np.ndarray, **_: object) -> MipResult:
        """Nothing."""
        return MipResult("nothing", None, -np.inf, np.inf)


def test_finding_nothing_claims_nothing() -> None:
    case = Case.of(toys.project_debt(), make.chain_of(toys.project_debt()))
    for best in (best_per_share, best_value):
        outcome, committed = best(search_of(case, Mute()))
        assert outcome.status == "no_plan"
        assert outcome.x is None
        assert outcome.bound == np.inf
        assert np.isnan(committed)
