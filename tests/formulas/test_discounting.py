"""Present values against closed forms and against numpy-financial."""

import numpy as np
import numpy_financial as npf  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.formulas.discounting import (
    annuity,
    growth_factor,
    perpetuity_usd_m,
    present_value,
    yearly_return_frac,
)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=60), st.floats(0, 0.3))
def test_present_value_is_npv(flows: list[float], rate: float) -> None:
    expected = float(npf.npv(rate / 4, [0.0, *flows]))
    assert present_value(np.array(flows), rate) == pytest.approx(expected, abs=1e-9)


def test_annuity_closed_form_and_limits() -> None:
    assert annuity(0.08, 40) == pytest.approx((1 - 1.02**-40) / 0.02)
    assert annuity(0.0, 40) == 40.0
    assert annuity(0.08, 1) == pytest.approx(1 / 1.02)
    assert present_value(np.zeros(0), 0.08) == 0.0


def test_perpetuity_is_the_limit_of_growing_flows() -> None:
    flows = np.asarray(growth_factor(0.005, np.arange(4000.0))) * 10
    assert perpetuity_usd_m(10.0, 0.08, 0.02) == pytest.approx(present_value(flows, 0.08))
    assert np.asarray(perpetuity_usd_m(np.array([1.0, 2.0]), 0.08, 0.0)).tolist() == [50.0, 100.0]
    with pytest.raises(ValueError, match="perpetuity"):
        perpetuity_usd_m(1.0, 0.02, 0.02)


@given(st.floats(-0.5, 1.0), st.floats(0.25, 20.0))
def test_growth_and_return_are_inverse(rate: float, years: float) -> None:
    assert yearly_return_frac(growth_factor(rate, years), 1.0, years) == pytest.approx(rate, abs=1e-9)
