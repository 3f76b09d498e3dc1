"""Calls and warrants: a textbook value, parity and limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.formulas.options import call_usd, warrant_value_usd


def test_textbook_value() -> None:
    """Hull, Options, Futures and Other Derivatives: 42, strike 40, 10 % continuous, 20 %, half a year."""
    quarterly = 4 * (math.exp(0.10 / 4) - 1)
    assert call_usd(42.0, 40.0, 0.5, 0.2, quarterly) == pytest.approx(4.76, abs=0.005)


@given(
    st.floats(0.0, 100.0),
    st.floats(0.01, 100.0),
    st.floats(0.0, 7.0),
    st.floats(0.0, 1.5),
    st.floats(0.0, 0.1),
)
def test_bounds(spot: float, strike: float, years: float, vol: float, rate: float) -> None:
    value = float(np.asarray(call_usd(spot, strike, years, vol, rate)))
    owed = strike * (1 + rate / 4) ** (-4 * years)
    assert max(0.0, spot - owed) - 1e-9 <= value <= spot + 1e-9


def test_limits() -> None:
    assert call_usd(12.0, 10.0, 0.0, 0.8, 0.04) == 2.0
    assert call_usd(8.0, 10.0, 0.0, 0.8, 0.04) == 0.0
    assert call_usd(12.0, 10.0, 1.0, 0.0, 0.0) == 2.0
    assert call_usd(0.0, 10.0, 1.0, 0.8, 0.04) == 0.0
    assert call_usd(12.0, 0.0, 1.0, 0.8, 0.04) == 12.0
    assert call_usd(12.0, math.inf, 1.0, 0.8, 0.04) == 0.0
    assert call_usd(12.0, 10.0, 1e4, 0.8, 0.0) == pytest.approx(12.0)


def test_vector_equals_scalar() -> None:
    spots = np.array([0.0, 5.0, 10.0, 40.0])
    together = np.asarray(warrant_value_usd(spots, 10.0, 2.0, 0.8, 0.04))
    assert together == pytest.approx([warrant_value_usd(float(spot), 10.0, 2.0, 0.8, 0.04) for spot in spots])
    assert np.asarray(warrant_value_usd(spots, 10.0, 0.0, 0.8, 0.04)).tolist() == [0.0, 0.0, 0.0, 30.0]


def test_penny_warrant_is_nearly_a_share() -> None:
    assert warrant_value_usd(15.0, 0.01, 3.0, 0.9, 0.04) == pytest.approx(14.99, abs=0.005)
