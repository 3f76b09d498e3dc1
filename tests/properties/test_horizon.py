"""Time may be cut where one likes: a longer horizon, and a plan executed for half a year and made again."""

from dataclasses import dataclass

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.domain.futures import scenario_chain
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from optimizer.inputs.load import load
from optimizer.shipped import data_folder
from tests import portfolios as make
from tests.oracle import toys
from tests.oracle.enumeration import Case, Valued
from tests.properties import draws

REAL = ("start", "sign", "expand", "cancel")


@dataclass(frozen=True)
class Ahead:
    """A plan at one horizon."""

    implied_return: float
    first_year: pd.DataFrame


def starter_over(horizon_q: int) -> Ahead:
    """The shipped example, planned over so many quarters."""
    loaded = load(data_folder() / "templates" / "starter")
    p = make.with_company(loaded.portfolio, horizon_q=horizon_q)
    case, outcome, _ = draws.solved(p, scenario_chain(p, loaded.scenario))
    assert outcome.x is not None
    first_year = {case.tree.label(n) for n in case.tree.nodes if case.tree.period[n] < 4}
    found = case.decisions(outcome.x)
    found = found[found["node"].isin(first_year) & found["quantity"].isin(REAL)]
    price = outcome.value_per_share_usd / p.firm.price_usd
    return Ahead(
        price ** (4.0 / horizon_q) - 1.0, found.sort_values(list(found.columns)).reset_index(drop=True)
    )


def test_a_longer_horizon_decides_the_first_year_alike() -> None:
    """Test 4 on the example: 24 and 28 quarters, all that the deck has."""
    near, far = starter_over(24), starter_over(28)
    pd.testing.assert_frame_equal(near.first_year, far.first_year)
    assert len(near.first_year) >= 4
    assert abs(near.implied_return) < 0.1, "a share is bought near its worth, or a seventh year says nothing"
    assert far.implied_return == pytest.approx(near.implied_return, abs=0.01)


def before(done_q: int) -> Portfolio:
    """An offer for the quarters executed and one for the next two; nothing raised or bought, none late."""
    p = make.add_expansion(toys.north_only(make.small()))
    p = make.without(p, "contracts", "open")
    window = {"sign_from_quarter": make.quarter(done_q), "sign_by_quarter": make.quarter(done_q + 1)}
    later = make.offer(
        "later",
        sites=("north",),
        min_mw=10.0,
        max_mw=20.0,
        deadline_quarter=make.quarter(done_q + 3),
        **window,
    )
    p = make.with_rows(p, "contracts", later)
    p = make.with_row(
        p,
        "contracts",
        "lease",
        min_mw=10.0,
        sign_by_quarter=make.quarter(0),
        deadline_quarter=make.quarter(done_q + 1),
    )
    p = make.with_row(p, "site_products", "north", latest_quarter=make.quarter(done_q + 1), max_modules=6)
    p = make.with_all(make.with_all(p, "machines", max_buy_mw_per_q=0.0), "products", slip_q=0)
    p = make.with_row(p, "expansions", "n-line", earliest_quarter=make.quarter(done_q), step_mw=20.0)
    p = make.with_row(p, "power", "north", energised_mw=70.0)
    p = make.with_row(p, "cooling", "north", max_modules=4)
    return toys.poor(p, 500.0)


def after(p: Portfolio, plan: Valued, frame: pd.DataFrame, done_q: int) -> Portfolio:
    """The company so many quarters on: what was begun is committed, what was spent is spent."""
    world, n = plan.worth.world, done_q - 1
    passed = {f"{make.quarter(t)}:base": t for t in range(done_q)}
    done = frame[frame["node"].isin(list(passed))]
    starts = done[done["quantity"] == "start"]
    assert set(done["quantity"]) <= {
        "start", "sign", "cool", "on_mw", "sold_mw", "contributed", "distributed",
    }, "only what this can carry over"  # fmt: skip
    cash = {"parent": world.ledger.company_cash(n), "north-co": world.ledger.cash["north-co", n]}
    halls = float(starts["value"].sum())
    cooled = float(done[done["quantity"] == "cool"]["value"].sum())
    p = make.with_company(p, first_quarter=make.quarter(done_q), horizon_q=p.firm.horizon_q - done_q)
    for entity, money in cash.items():
        p = make.with_row(p, "entities", entity, unrestricted_cash_usd_m=max(0.0, money))
    stock = world.machines.stock["north", "n-s19", n]
    p = make.with_row(p, "fleets", "n-s19", mw=stock, age_q=8 + done_q)
    plant = next(c for c in p.cooling if c.site == "north")
    left = plant.existing_mw + plant.module_mw * cooled - 10.0 * halls
    p = make.with_row(p, "cooling", "north", existing_mw=left, max_modules=plant.max_modules - round(cooled))
    if halls:
        p = make.with_row(p, "sites", "north", max_hpc_critical_mw=60.0 - 10.0 * halls, once_cost_usd_m=0.0)
        p = make.with_row(p, "site_products", "north", max_modules=6 - round(halls))
        none = {"sign_from_quarter": None, "sign_by_quarter": None, "deadline_quarter": None}
        p = make.with_row(p, "contracts", "lease", state="committed", min_mw=0.0, **none)
    else:
        p = make.without(p, "contracts", "lease")
    for _, start in starts.iterrows():
        t, count = passed[start["node"]], float(start["value"])
        name = f"begun-{t}"
        p = make.with_rows(
            p, "commitments",
            {"commitment": name, "site": "north", "contract": "lease", "product": "hall", "debt": None,
             "capex_usd_m": 80.0 * count, "gpu_capex_usd_m": 0.0,
             "occupies_from_quarter": make.quarter(t + 1),
             "cancellable_until_quarter": None, "cancel_fee_usd_m": 0.0},
        )  # fmt: skip
        spent = {"commitment": name, "funded_by": "own"}
        if t + 1 == done_q:
            spend = {**spent, "quarter": make.quarter(done_q), "amount_usd_m": 40.0 * count, "mw_live": 0.0}
            p = make.with_rows(p, "commitment_flows", spend)
        live = {**spent, "quarter": make.quarter(t + 2), "amount_usd_m": 0.0, "mw_live": 10.0 * count}
        p = make.with_rows(p, "commitment_flows", live)
    return p


def rest(case: Case, plan: Valued, quantity: Quantity, done_q: int) -> pd.DataFrame:
    """One kind of decision from then on."""
    frame = case.decisions(plan.x)
    later = [f"{make.quarter(t)}:base" for t in range(done_q, make.HORIZON_Q)]
    found = frame[(frame["quantity"] == str(quantity)) & frame["node"].isin(later)]
    return found.sort_values(["item", "contract", "node"]).reset_index(drop=True)


@pytest.mark.parametrize("done_q", [2, 4])
def test_a_plan_executed_for_half_a_year_or_a_year_is_made_again(done_q: int) -> None:
    """Test 5: the rest of the plan and its value per share are those of the company as it then stands."""
    begun: list[tuple[bool, bool]] = []

    @draws.few(12)
    @given(
        st.sampled_from((130.0, 180.0, 230.0)),
        st.sampled_from((140.0, 190.0, 240.0)),
        st.sampled_from((30.0, 60.0)),
        st.sampled_from((100.0, 200.0, 300.0)),
    )
    def tell(rent: float, later_rent: float, power_price: float, cash: float) -> None:
        p = toys.poor(before(done_q), cash)
        p = make.with_row(p, "contracts", "lease", first_year_rent_usd_per_kw_month=rent)
        p = make.with_row(p, "contracts", "later", first_year_rent_usd_per_kw_month=later_rent)
        p = make.with_row(p, "power", "north", price_usd_per_mwh=power_price)
        p = make.with_all(p, "market", equity_open=False)
        begun.append(made_again(p, done_q))

    tell()
    assert sum(early for early, _ in begun) >= 3
    assert sum(late for _, late in begun) >= 3


def made_again(p: Portfolio, done_q: int) -> tuple[bool, bool]:
    """Plan, execute, plan again and compare; whether halls are begun in the quarters executed, and later."""
    case, outcome, _ = draws.solved(p, make.chain_of(p))
    assume(outcome.status == "optimal")  # rescue would be a debt of the executed quarters
    assert outcome.x is not None
    plan = case.valued(outcome.x)
    q = after(p, plan, case.decisions(outcome.x), done_q)
    rolled, again, _ = draws.solved(q, make.chain_of(q))
    assert again.x is not None
    assert again.value == pytest.approx(outcome.value, rel=5e-6)
    pairs = ((case, plan), (rolled, rolled.valued(again.x)))
    for quantity in (Quantity.SIGN, Quantity.EXPAND, Quantity.START):
        first, second = (rest(c, v, quantity, done_q)["value"].sum() for c, v in pairs)
        assert first == pytest.approx(second, abs=1e-6)
    halls = case.decisions(outcome.x).query("quantity == 'start'")["value"].sum()
    later = float(rest(case, plan, Quantity.START, done_q)["value"].sum())
    return halls > later + 0.5, later > 0.5
