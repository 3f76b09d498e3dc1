"""The answer of the network, lags and laws against worked figures and limits."""

import numpy as np
import pytest

from models.formulas.hashprice import network_eh_per_s
from models.formulas.network import (
    difficulty_t,
    follow,
    hashrate_target,
    machine_margin_usd_per_th,
    spot_law,
)


def test_difficulty_of_june_2026() -> None:
    """Market-decks 7: difficulty in T is EH/s x 0.1397; 958 EH/s stood at 133.87 T."""
    assert difficulty_t(1.0) == pytest.approx(0.1397, abs=5e-5)
    assert difficulty_t(958.0) == pytest.approx(133.87, rel=1e-3)
    assert network_eh_per_s(difficulty_t(958.0)) == pytest.approx(958.0)


def test_hashrate_answers_revenue() -> None:
    """An elasticity of one: revenue halved leaves 71 % of the hashrate, hashprice falls to 71 % too."""
    share = float(hashrate_target(0.5, 1.0, 0.0, 0.0))
    assert share == pytest.approx(0.70711, abs=5e-6)
    assert 0.5 / share == pytest.approx(share**1.0)
    assert float(hashrate_target(0.5, 0.0, 0.0, 3.0)) == 1.0
    assert float(hashrate_target(0.5, 1e9, 0.0, 3.0)) == pytest.approx(0.5)
    assert float(hashrate_target(1.0, 1.0, 0.08, 2.0)) == pytest.approx(np.exp(0.16))


def test_supply_has_the_elasticity_that_is_asked_for() -> None:
    for elasticity in (0.25, 1.0, 4.0):
        hashrate = np.asarray(hashrate_target(np.array([1.0, 1.01]), elasticity, 0.0, 0.0))
        hashprice = np.array([1.0, 1.01]) / hashrate
        assert np.diff(np.log(hashrate)) == pytest.approx(elasticity * np.diff(np.log(hashprice)))


def test_a_quarter_of_the_deck_by_hand() -> None:
    """Bull, 2026Q3: revenue 144 x 3.225 x 74,000 asks for 1,073 EH/s; 7 % a quarter allow 1,016.5."""
    target = 950 * np.asarray(hashrate_target(np.array([34.37 / 27.47]), 1.0, 0.08, 0.125))
    assert target == pytest.approx([1073.3], abs=0.1)
    assert follow(target, 950.0, 1.0, 0.07, 0.15) == pytest.approx([1016.5])


def test_follow() -> None:
    target = np.array([10.0, 10.0, 10.0, 0.0])
    assert follow(target, 0.0, 1.0, 9.0, 1.0).tolist() == [0.0, 0.0, 0.0, 0.0], "nothing rises from nothing"
    assert follow(target, 1.0, 1.0, 99.0, 1.0).tolist() == target.tolist()
    assert follow(target, 2.0, 0.5, 99.0, 1.0).tolist() == [6.0, 8.0, 9.0, 4.5]
    assert follow(target, 8.0, 1.0, 0.1, 0.2) == pytest.approx([8.8, 9.68, 10.0, 8.0])


def test_margin_of_a_machine() -> None:
    """Market-decks 6e at 28.7 and 5 c: 17.5 J/TH earn 2.8 $/TH a year, 13.5 4.6, 9.5 6.3."""
    for j_per_th, usd in ((17.5, 2.8), (13.5, 4.6), (9.5, 6.3)):
        assert machine_margin_usd_per_th(28.7, j_per_th, 50.0) == pytest.approx(usd, abs=0.05)


def test_law_of_the_price() -> None:
    years = np.array([0.125, 2.0864, 6.0])
    flat = np.ones(3)
    up, down = (spot_law(61.0, flat, years, (0.45, 0.65, z)) for z in (1.15, -1.15))
    assert up * down == pytest.approx(61.0**2)
    assert np.log(up[1] / 61.0) == pytest.approx(1.15 * 0.65, abs=1e-4), "the cap is reached after 2.09 years"
    assert up[2] == up[2] == pytest.approx(61.0 * np.exp(1.15 * 0.65))
    assert spot_law(61.0, flat, years, (0.0, 0.65, 1.15)).tolist() == [61.0] * 3
