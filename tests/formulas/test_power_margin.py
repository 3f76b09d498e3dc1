"""A machine that stops in dear hours, on the price shapes of the market decks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.formulas.hashprice import revenue_usd_per_mwh
from models.formulas.power_margin import machine_margin, scaled_shape

ERCOT_WEST = np.array([-3.0, 10, 16, 20, 24, 28, 33, 40, 58, 124])  # market-decks 6d, mean 35


def test_shape_has_its_stated_mean() -> None:
    assert ERCOT_WEST.mean() == 35.0
    assert scaled_shape(ERCOT_WEST, 35.0, 35.0) == pytest.approx(ERCOT_WEST)


@pytest.mark.parametrize(("hashprice", "deciles", "break_even"), [(28.7, 9, 68), (18.0, 8, 43)])
def test_s21_on_ercot_west(hashprice: float, deciles: int, break_even: float) -> None:
    revenue = revenue_usd_per_mwh(hashprice, 17.5)
    assert revenue == pytest.approx(break_even, abs=0.5)
    result = machine_margin(revenue, scaled_shape(ERCOT_WEST, 35.0, 35.0), 0.0)
    assert result.running_frac == pytest.approx(deciles / 10)
    assert result.energy_price_usd_per_mwh == pytest.approx(ERCOT_WEST[:deciles].mean())
    assert result.margin_usd_per_mwh == pytest.approx((revenue - ERCOT_WEST[:deciles]).sum() / 10)


def test_price_paid_on_ercot_west() -> None:
    result = machine_margin(revenue_usd_per_mwh(28.7, 17.5), ERCOT_WEST, 0.0)
    assert result.energy_price_usd_per_mwh == pytest.approx(25, abs=0.5)


def test_limits() -> None:
    never = machine_margin(-10.0, ERCOT_WEST, 0.0)
    assert never.margin_usd_per_mwh == 0.0
    assert never.running_frac == 0.0
    assert never.energy_price_usd_per_mwh == 0.0
    always = machine_margin(1000.0, ERCOT_WEST, 5.0)
    assert always.margin_usd_per_mwh == pytest.approx(1000 - 35 - 5)
    assert always.running_frac == 1.0
    assert always.energy_price_usd_per_mwh == pytest.approx(35)
    assert machine_margin(50.0, np.array([50.0]), 0.0).running_frac == 0.0  # no margin, no running


@given(st.lists(st.floats(0, 150), min_size=1, max_size=6), st.floats(0, 20), st.floats(5, 80))
def test_vector_equals_scalar_and_the_right_to_stop_is_worth_something(
    revenues: list[float], variable: float, mean: float
) -> None:
    prices = scaled_shape(ERCOT_WEST, 35.0, np.full(len(revenues), mean))
    together = machine_margin(np.array(revenues), prices, variable)
    for position, revenue in enumerate(revenues):
        one = machine_margin(revenue, prices[position], variable)
        assert together.margin_usd_per_mwh[position] == one.margin_usd_per_mwh
        assert together.running_frac[position] == one.running_frac
        assert together.energy_price_usd_per_mwh[position] == one.energy_price_usd_per_mwh
        assert one.margin_usd_per_mwh >= max(0.0, revenue - variable - mean) - 1e-9
        worth = one.running_frac * (revenue - variable - one.energy_price_usd_per_mwh)
        assert one.margin_usd_per_mwh == pytest.approx(worth, abs=1e-9)


def test_scaled_shape_by_quarter() -> None:
    shapes = scaled_shape(ERCOT_WEST, 35.0, np.array([35.0, 70.0]))
    assert shapes.shape == (2, 10)
    assert shapes.mean(axis=1) == pytest.approx([35.0, 70.0])
