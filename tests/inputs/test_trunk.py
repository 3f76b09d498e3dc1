"""The trunk of a scenario tree: the parent's rows, or the mean of those that have not parted."""

import pytest

from models.domain.futures import market_rows, mean_trunk, owner, scenario_tree
from models.domain.portfolio import Portfolio
from optimizer.inputs.load import load
from optimizer.shipped import data_folder


@pytest.fixture(scope="module")
def portfolio() -> Portfolio:
    return load(data_folder() / "templates" / "starter").portfolio


def test_a_trunk_quarter_is_the_mean_of_the_scenarios_that_share_it(portfolio: Portfolio) -> None:
    """base 0.35, risk_on 0.15, boom 0.20, bust 0.15, crunch 0.15 all share 2026Q4; boom says 100 there."""
    base = next(r for r in portfolio.market if r.scenario == "base" and str(r.quarter) == "2026Q4")
    told = base.model_copy(update={"scenario": "ai_boom_btc_bear", "btc_usd": base.btc_usd + 1000.0})
    changed = mean_trunk(portfolio.model_copy(update={"market": (*portfolio.market, told)}))
    tree = scenario_tree(changed)
    rows = market_rows(changed, tree)
    assert rows[1].btc_usd == pytest.approx(base.btc_usd + 0.20 * 1000.0)
    assert rows[0].btc_usd == market_rows(portfolio, scenario_tree(portfolio))[0].btc_usd


def test_a_trough_is_averaged_with_the_prices_that_stand_for_it(portfolio: Portfolio) -> None:
    """boom says its bitcoin falls to half of the price for a while; the others say nothing, so the price."""
    silent = tuple(r.model_copy(update={"btc_trough_usd": None}) for r in portfolio.market)
    base = next(r for r in silent if r.scenario == "base" and str(r.quarter) == "2026Q4")
    trough = {"btc_trough_usd": 0.5 * base.btc_usd}
    told = base.model_copy(update={"scenario": "ai_boom_btc_bear", **trough})
    changed = mean_trunk(portfolio.model_copy(update={"market": (*silent, told)}))
    rows = market_rows(changed, scenario_tree(changed))
    assert rows[1].btc_trough_usd == pytest.approx(0.9 * base.btc_usd)
    assert rows[1].trough_usd == rows[1].btc_trough_usd
    assert rows[0].btc_trough_usd is None
    assert rows[0].trough_usd == rows[0].btc_usd


def test_without_rows_of_their_own_the_mean_is_the_parent(portfolio: Portfolio) -> None:
    tree = scenario_tree(portfolio)
    for before, after in zip(
        market_rows(portfolio, tree), market_rows(mean_trunk(portfolio), tree), strict=True
    ):
        assert after.btc_usd == pytest.approx(before.btc_usd)
        assert after.convert_open == before.convert_open


def test_scenarios_that_branch_in_a_circle_are_refused(portfolio: Portfolio) -> None:
    base = portfolio.scenarios[0]
    quarter = portfolio.market[-1].quarter + 40
    one = base.model_copy(update={"scenario": "a", "branch_from": "b", "branch_quarter": quarter})
    two = base.model_copy(update={"scenario": "b", "branch_from": "a", "branch_quarter": quarter})
    with pytest.raises(ValueError, match="circle"):
        owner({"a": one, "b": two}, "a", portfolio.firm.first_quarter)
