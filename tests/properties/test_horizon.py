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
    assert far.implied_return == pytest.approx(near.implied_return, abs=0.01)


DONE_Q = 2
"""Quarters executed."""


def before() -> Portfolio:
    """An offer for the first two quarters and one for the next two; nothing raised or bought, none late."""
    p = make.add_expansion(toys.north_only(make.small()))
    p = make.without(p, "contracts", "open")
    window = {"sign_from_quarter": make.quarter(2), "sign_by_quarter": make.quarter(3)}
    later = make.offer(
        "later", sites=("north",), min_mw=10.0, max_mw=20.0, deadline_quarter=make.quarter(5), **window
    )
    p = make.with_rows(p, "contracts", later)
    p = make.with_row(
        p,
        "contracts",
        "lease",
        min_mw=10.0,
        sign_by_quarter=make.quarter(0),
        deadline_quarter=make.quarter(3),
    )
    p = make.with_row(p, "site_products", "north", latest_quarter=make.quarter(3), max_modules=6)
    p = make.with_all(make.with_all(p, "machines", max_buy_mw_per_q=0.0), "products", slip_q=0)
    p = make.with_row(p, "expansions", "n-line", earliest_quarter=make.quarter(DONE_Q), step_mw=20.0)
    p = make.with_row(p, "power", "north", energised_mw=70.0)
    p = make.with_row(p, "cooling", "north", max_modules=4)
    return toys.poor(p, 500.0)


def after(p: Portfolio, plan: Valued, frame: pd.DataFrame) -> Portfolio:
    """The company half a year on: what was begun is committed, what was spent is spent."""
    world, n = plan.worth.world, DONE_Q - 1
    done = frame[frame["node"].isin([f"{make.quarter(t)}:base" for t in range(DONE_Q)])]
    starts = done[done["quantity"] == "start"]
    assert set(done["quantity"]) <= {
        "start", "sign", "cool", "on_mw", "sold_mw", "contributed", "distributed",
    }, "only what this can carry over"  # fmt: skip
    cash = {"parent": world.ledger.company_cash(n), "north-co": world.ledger.cash["north-co", n]}
    halls = float(starts["value"].sum())
    cooled = float(done[done["quantity"] == "cool"]["value"].sum())
    p = make.with_company(p, first_quarter=make.quarter(DONE_Q), horizon_q=p.firm.horizon_q - DONE_Q)
    for entity, money in cash.items():
        p = make.with_row(p, "entities", entity, unrestricted_cash_usd_m=max(0.0, money))
    stock = world.machines.stock["north", "n-s19", n]
    p = make.with_row(p, "fleets", "n-s19", mw=stock, age_q=8 + DONE_Q)
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
        t, count = int(start["node"][:6] == make.quarter(1)), float(start["value"])
        name = f"begun-{t}"
        p = make.with_rows(
            p, "commitments",
            {"commitment": name, "site": "north", "contract": "lease", "product": "hall", "debt": None,
             "capex_usd_m": 80.0 * count, "gpu_capex_usd_m": 0.0,
             "occupies_from_quarter": make.quarter(t + 1),
             "cancellable_until_quarter": None, "cancel_fee_usd_m": 0.0},
        )  # fmt: skip
        spent = {"commitment": name, "funded_by": "own"}
        if t == 1:
            spend = {**spent, "quarter": make.quarter(2), "amount_usd_m": 40.0 * count, "mw_live": 0.0}
            p = make.with_rows(p, "commitment_flows", spend)
        live = {**spent, "quarter": make.quarter(t + 2), "amount_usd_m": 0.0, "mw_live": 10.0 * count}
        p = make.with_rows(p, "commitment_flows", live)
    return p


def rest(case: Case, plan: Valued, quantity: Quantity) -> pd.DataFrame:
    """One kind of decision from the third quarter on."""
    frame = case.decisions(plan.x)
    later = [f"{make.quarter(t)}:base" for t in range(DONE_Q, 6)]
    found = frame[(frame["quantity"] == str(quantity)) & frame["node"].isin(later)]
    return found.sort_values(["item", "contract", "node"]).reset_index(drop=True)


@draws.few(12)
@given(
    st.sampled_from((130.0, 180.0, 230.0)),
    st.sampled_from((140.0, 190.0, 240.0)),
    st.sampled_from((30.0, 60.0)),
    st.sampled_from((100.0, 200.0, 300.0)),
)
def test_a_plan_executed_for_half_a_year_is_made_again(
    rent: float, later_rent: float, power_price: float, cash: float
) -> None:
    """Test 5: the rest of the plan and its value per share are those of the company as it then stands."""
    p = toys.poor(before(), cash)
    p = make.with_row(p, "contracts", "lease", first_year_rent_usd_per_kw_month=rent)
    p = make.with_row(p, "contracts", "later", first_year_rent_usd_per_kw_month=later_rent)
    p = make.with_row(p, "power", "north", price_usd_per_mwh=power_price)
    p = make.with_all(p, "market", equity_open=False)
    case, outcome, _ = draws.solved(p, make.chain_of(p))
    assume(outcome.status == "optimal")  # rescue would be a debt of the executed quarters
    assert outcome.x is not None
    plan = case.valued(outcome.x)
    q = after(p, plan, case.decisions(outcome.x))
    rolled, again, _ = draws.solved(q, make.chain_of(q))
    assert again.x is not None
    assert again.value == pytest.approx(outcome.value, rel=5e-6)
    for quantity in (Quantity.SIGN, Quantity.EXPAND):
        first, second = rest(case, plan, quantity), rest(rolled, rolled.valued(again.x), quantity)
        assert first["value"].sum() == pytest.approx(second["value"].sum(), abs=1e-6)
    halls = [
        rest(c, v, Quantity.START)["value"].sum() for c, v in ((case, plan), (rolled, rolled.valued(again.x)))
    ]
    assert halls[0] == pytest.approx(halls[1], abs=1e-6)
