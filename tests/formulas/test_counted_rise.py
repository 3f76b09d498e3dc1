"""The part of a price that counts: no rule of when to sell earns more than the growth allowed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.formulas.counted_rise import counted_fractions

CHAIN = tuple(range(-1, 7))
TREE = (-1, 0, 0, 1, 1, 2, 2)
CHANCE = np.array([1.0, 0.4, 0.6, 0.1, 0.3, 0.3, 0.3])
PRICES = st.floats(10.0, 1000.0)


@given(st.lists(PRICES, min_size=8, max_size=8), st.sampled_from((0.0, 0.03)))
def test_on_a_chain_it_is_the_running_minimum(prices: list[float], growth: float) -> None:
    price = np.array(prices)
    counted = price * counted_fractions(price, CHAIN, np.ones(8), growth)
    grown = (1.0 + growth) ** np.arange(8)
    assert counted == pytest.approx(np.minimum.accumulate(price / grown) * grown)


@given(st.lists(PRICES, min_size=7, max_size=7), st.sampled_from((0.0, 0.05)))
def test_no_rule_of_when_to_sell_earns_more(prices: list[float], growth: float) -> None:
    """The best rule, by backward induction, is worth no more at any node than a sale there."""
    price = np.array(prices)
    counted = price * counted_fractions(price, TREE, CHANCE, growth)
    best = counted.copy()
    for n in reversed(range(3)):
        later = sum(CHANCE[c] / CHANCE[n] * best[c] for c in range(7) if TREE[c] == n) / (1.0 + growth)
        best[n] = max(counted[n], later)
        assert best[n] <= counted[n] * (1.0 + 1e-12)
        assert best[n] <= price[n] * (1.0 + 1e-12)


def test_a_price_that_is_fair_counts_whole() -> None:
    """Half as much again or half as much less: a coin is worth its price, whatever comes of it."""
    price = np.array([100.0, 150.0, 50.0, 300.0, 100.0, 60.0, 40.0])
    chance = np.array([1.0, 0.5, 0.5, 0.125, 0.375, 0.25, 0.25])
    assert counted_fractions(price, TREE, chance, 0.0) == pytest.approx(np.ones(7))
