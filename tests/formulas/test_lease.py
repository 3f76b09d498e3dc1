"""Rent, its escalator and money given back out of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.formulas.lease import (
    contract_value_usd_m,
    escalator_factor,
    first_year_rent_usd_per_kw_month,
    give_back,
    rent_usd_m_per_mw_q,
)


def test_escalator_steps_with_contract_years() -> None:
    factor = np.asarray(escalator_factor(np.arange(-5.0, 9.0), 0.03))
    assert factor[:9] == pytest.approx(1.0)
    assert factor[9:13] == pytest.approx(1.03)
    assert factor[13] == pytest.approx(1.0609)
    assert [escalator_factor(float(q), 0.03) for q in range(-5, 9)] == pytest.approx(factor)
    assert escalator_factor(40, 0.0) == 1.0


def test_rent_of_one_mw() -> None:
    """$100 per kW and month on 1,000 kW for three months: $300,000."""
    assert rent_usd_m_per_mw_q(100.0, 0, 0.03) == pytest.approx(0.3)
    assert rent_usd_m_per_mw_q(100.0, -1, 0.03) == pytest.approx(0.3)


@given(st.floats(50, 1000), st.floats(1, 500), st.integers(1, 120), st.floats(0, 0.1))
def test_value_and_first_year_rent_are_inverse(rent: float, mw: float, term_q: int, escalator: float) -> None:
    value = contract_value_usd_m(rent, mw, term_q, escalator)
    assert first_year_rent_usd_per_kw_month(value, mw, term_q, escalator) == pytest.approx(rent)
    assert value >= rent * mw * term_q * 3e-3 * (1 - 1e-12)


def test_equal_instalments_without_a_cap() -> None:
    assert give_back(12.0, np.full(6, 10.0), 2, 3, 1.0) == pytest.approx([0, 0, 4, 4, 4, 0])


def test_what_a_cap_withholds_comes_later() -> None:
    assert give_back(12.0, np.full(6, 10.0), 1, 2, 0.3) == pytest.approx([0, 3, 3, 3, 3, 0])
    ramp = np.array([0.0, 10.0, 40.0, 40.0])
    assert give_back(12.0, ramp, 0, 4, 0.5) == pytest.approx([0, 5, 4, 3])


def test_what_rent_cannot_carry_is_not_given() -> None:
    assert give_back(12.0, np.array([5.0, 5.0, 0.0]), 0, 2, 0.5) == pytest.approx([2.5, 2.5, 0])
    assert give_back(12.0, np.full(3, 9.0), 3, 2, 1.0) == pytest.approx([0, 0, 0])


@given(
    st.floats(0, 500),
    st.lists(st.floats(0, 50), min_size=1, max_size=40),
    st.integers(0, 30),
    st.integers(1, 30),
    st.floats(0, 1),
)
def test_give_back_is_within_amount_and_cap(
    amount: float, rents: list[float], from_q: int, quarters: int, cap: float
) -> None:
    rent = np.array(rents)
    credit = give_back(amount, rent, from_q, quarters, cap)
    assert credit.sum() <= amount * (1 + 1e-12)
    assert (credit >= -1e-9).all()
    assert (credit <= cap * rent + 1e-12).all()
    assert not credit[:from_q].any()
    due = amount * np.clip((np.arange(rent.size) - from_q + 1) / quarters, 0, 1)
    assert (np.cumsum(credit) <= due + 1e-9).all()
    if cap * rent[from_q:].sum() == 0.0 or amount == 0.0:
        assert not credit.any()
