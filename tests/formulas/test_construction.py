"""Spend, ramp and occupation of a module by its age."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.formulas.construction import is_live, occupied, ramp, spend

PROFILE = np.array([0.10, 0.20, 0.25, 0.20, 0.15, 0.10])


def test_profile_on_its_own_steps_is_itself() -> None:
    assert spend(200.0, PROFILE, 6) == pytest.approx(200 * PROFILE)


def test_profile_stretched_and_squeezed() -> None:
    assert spend(100.0, PROFILE, 3) == pytest.approx([30, 45, 25])
    assert spend(100.0, PROFILE, 12) == pytest.approx(np.repeat(50 * PROFILE, 2))
    assert spend(100.0, PROFILE, 1) == pytest.approx([100])
    assert spend(100.0, PROFILE, 4) == pytest.approx([20, 35, 27.5, 17.5])


@given(st.floats(0, 5000), st.lists(st.floats(0.01, 1), min_size=1, max_size=12), st.integers(1, 20))
def test_spend_sums_to_the_capital(capex: float, shares: list[float], lead_q: int) -> None:
    profile = np.array(shares) / np.sum(shares)
    spent = spend(capex, profile, lead_q)
    assert spent.size == lead_q
    assert spent.sum() == pytest.approx(capex, rel=1e-12)
    assert (spent >= 0.0).all()


def test_no_lead_has_no_quarter_to_spend_in() -> None:
    with pytest.raises(ValueError, match="no quarter"):
        spend(100.0, PROFILE, 0)


def test_ramp_holds_its_last_value() -> None:
    assert ramp(np.array([0.25, 0.5, 0.95]), 5).tolist() == [0.25, 0.5, 0.95, 0.95, 0.95]
    assert ramp(np.array([0.25, 0.5, 0.95]), 2).tolist() == [0.25, 0.5]
    assert ramp(np.array([1.0]), 0).size == 0


def test_a_module_takes_megawatts_before_it_is_live() -> None:
    assert is_live(3, 6).tolist() == [0, 0, 0, 1, 1, 1]
    assert occupied(3, 0, 6).tolist() == is_live(3, 6).tolist()
    assert occupied(3, 2, 6).tolist() == [0, 1, 1, 1, 1, 1]
    assert occupied(3, 9, 6).tolist() == [1] * 6
    assert occupied(0, 0, 3).tolist() == is_live(0, 3).tolist() == [1] * 3
