"""Sculpted balances against level payments and against their own recursion."""

import numpy as np
import numpy_financial as npf  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.formulas.sculpting import (
    construction_carry,
    coverage_used_q,
    never_rising,
    remaining_value_usd_m,
    sculpted_capacity_usd_m,
)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=80), st.floats(0, 0.05))
def test_balances_follow_their_recursion(service: list[float], rate: float) -> None:
    paid = np.array(service)
    balance = remaining_value_usd_m(paid, rate)
    assert balance[1:] == pytest.approx(balance[:-1] * (1 + rate) - paid, abs=1e-7)
    assert balance[-1] == 0.0


def test_level_service_is_an_annuity() -> None:
    balance = remaining_value_usd_m(np.full(20, 7.0), 0.02)
    assert balance[0] == pytest.approx(-float(npf.pv(0.02, 20, 7.0)))
    assert balance[8] == pytest.approx(-float(npf.pv(0.02, 12, 7.0)))
    assert remaining_value_usd_m(np.full(20, 7.0), 0.0)[0] == pytest.approx(140.0)
    assert remaining_value_usd_m(np.array([7.0]), 0.4).tolist() == pytest.approx([5.0, 0.0])


def test_capacity_falls_with_coverage_and_rate() -> None:
    noi = np.full(40, 5.0)
    assert sculpted_capacity_usd_m(noi, 1.2, 0.02) > sculpted_capacity_usd_m(noi, 1.4, 0.02)
    assert sculpted_capacity_usd_m(noi, 1.2, 0.02) > sculpted_capacity_usd_m(noi, 1.2, 0.03)
    assert sculpted_capacity_usd_m(noi, 1.25, 0.0) == pytest.approx(160.0)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=40), st.integers(1, 40), st.floats(0, 1))
def test_coverage_life_is_the_longest_within_the_cap(service: list[float], due_q: int, cap: float) -> None:
    paid = np.array(service)
    life_q = coverage_used_q(paid, due_q, 0.02, cap)
    for tried in range(due_q + 1, paid.size + 1):
        balance = never_rising(remaining_value_usd_m(paid[:tried], 0.02))
        assert (balance[due_q] <= cap * balance[0]) == (tried <= life_q) or balance[0] == 0.0
    assert 1 <= life_q <= paid.size


def test_carry_of_notes_over_a_delayed_draw() -> None:
    """One quarter, drawn in its middle: half a quarter's escrow income, half a quarter's interest saved."""
    carry = construction_carry(400.0, np.array([1.0]), 0.08, 0.04)
    assert (carry.notes_interest_usd_m, carry.escrow_income_usd_m) == pytest.approx((8.0, 2.0))
    assert (carry.delayed_draw_interest_usd_m, carry.carry_usd_m) == pytest.approx((4.0, 2.0))
    same_rate = construction_carry(400.0, np.array([0.5, 0.5]), 0.05, 0.05)
    assert same_rate.carry_usd_m == pytest.approx(0.0)
