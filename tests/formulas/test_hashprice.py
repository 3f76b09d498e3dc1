"""Hashprice, subsidy and revenue against published and shared figures."""

import itertools

import numpy as np
import pytest

from models.formulas.hashprice import (
    hashprice_usd_per_ph_day,
    mean_subsidy_btc,
    network_eh_per_s,
    revenue_usd_per_mwh,
    subsidy_btc,
)


@pytest.mark.parametrize(
    ("difficulty_t", "btc_usd", "computed", "quoted"), [(152.0, 91e3, 37.9, 38.2), (156.0, 104e3, 42.2, 43.1)]
)
def test_published_hashprices(difficulty_t: float, btc_usd: float, computed: float, quoted: float) -> None:
    """Domain facts 1a, fees 0.7 % of the subsidy: block times off ten minutes explain the rest."""
    value = hashprice_usd_per_ph_day(btc_usd, difficulty_t, 3.125, 0.007, 0.0)
    assert value == pytest.approx(computed, rel=0, abs=0.05)
    assert value == pytest.approx(quoted, rel=0.03)


def test_network_hashrate() -> None:
    assert network_eh_per_s(146.72) == pytest.approx(1050, abs=0.5)
    assert network_eh_per_s(133.87) == pytest.approx(958, abs=0.5)


# market-decks, section 7: quarter, BTC $k, subsidy, fees % of subsidy, difficulty T, hashprice
DECK = [
    ("2026Q3 bear", 51, 3.1250, 0.6, 123, 26.3),
    ("2026Q3 base", 61, 3.1250, 0.8, 135, 28.8),
    ("2026Q3 bull", 74, 3.1250, 3.2, 142, 33.6),
    ("2026Q4 base", 62, 3.1250, 0.8, 138, 28.4),
    ("2027Q3 base", 64, 3.1250, 0.8, 149, 27.1),
    ("2028Q1 bull", 126, 3.1250, 3.2, 213, 38.3),
    ("2028Q2 base", 66, 1.7514, 1.4, 133, 17.6),
    ("2028Q3 bear", 31, 1.5625, 1.2, 81, 12.3),
    ("2028Q3 base", 66, 1.5625, 1.6, 117, 18.1),
    ("2030Q1 base", 70, 1.5625, 1.6, 136, 16.6),
    ("2032Q1 bull", 161, 1.5625, 6.4, 246, 21.8),
    ("2032Q2 base", 77, 0.8499, 2.9, 141, 9.6),
]


@pytest.mark.parametrize(("row", "btc_k", "subsidy", "fee", "difficulty", "printed"), DECK)
def test_deck_hashprices(
    row: str, btc_k: float, subsidy: float, fee: float, difficulty: float, printed: float
) -> None:
    """The deck prints rounded inputs, so the printed result must lie within what their rounding allows."""
    low, high = (
        hashprice_usd_per_ph_day(
            1e3 * (btc_k + half * 0.5), difficulty - half * 0.5, subsidy, (fee + half * 0.05) / 100, 0.0
        )
        for half in (-1, 1)
    )
    assert low - 0.05 <= printed <= high + 0.05


def test_consistency_of_the_marginal_machine() -> None:
    """Market-decks 6a: $28.7 = 24 h x 22 J/TH x 5.5 c per kWh (to the digits of its inputs)."""
    assert revenue_usd_per_mwh(28.7, 22.0) == pytest.approx(55, abs=0.7)


# domain-facts 1c: J/TH, PH/s per MW, k$/MW-year at 28.68, 38.2, 50, break-even c/kWh at 28.68, 38.2, halved
FLEETS = [
    (13.5, 74.1, (775, 1033, 1352), (8.85, 11.79), 4.43),
    (17.5, 57.1, (598, 797, 1043), (6.83, 9.10), 3.41),
    (20.0, 50.0, (523, 697, 912), (5.97, 7.96), 2.99),
    (25.0, 40.0, (419, 558, 730), (4.78, 6.37), 2.39),
    (30.0, 33.3, (349, 465, 608), (3.98, 5.31), 1.99),
]


@pytest.mark.parametrize(("j_per_th", "ph_s", "k_usd", "cents", "halved"), FLEETS)
def test_revenue_and_break_even_per_mw(
    j_per_th: float, ph_s: float, k_usd: tuple[int, ...], cents: tuple[float, ...], halved: float
) -> None:
    prices = np.array([28.68, 38.2, 50.0])
    revenue = np.asarray(revenue_usd_per_mwh(prices, j_per_th))
    assert 1000 / j_per_th == pytest.approx(ph_s, rel=0, abs=0.05)
    assert revenue * 8760 / 1000 == pytest.approx(k_usd, rel=0, abs=0.5)
    assert revenue[:2] / 10 == pytest.approx(cents, rel=0, abs=0.005 + 1e-9)
    assert revenue[0] / 20 == pytest.approx(halved, rel=0, abs=0.005 + 1e-9)


@pytest.mark.parametrize(
    ("height", "btc"),
    [
        (0, 50.0),
        (209_999, 50.0),
        (210_000, 25.0),
        (420_000, 12.5),
        (630_000, 6.25),
        (840_000, 3.125),
        (955_584, 3.125),
        (1_049_999, 3.125),
        (1_050_000, 1.5625),
        (1_260_000, 0.78125),
    ],
)
def test_subsidy(height: int, btc: float) -> None:
    assert subsidy_btc(height) == btc


def test_mean_subsidy_of_the_halving_quarters() -> None:
    """Market-decks 7: halvings 11 days into 2028Q2 and 8 days into 2032Q2, 144 blocks a day."""
    for halving, days, printed in ((1_050_000, 11, 1.7514), (1_260_000, 8, 0.8499)):
        mean = mean_subsidy_btc(halving - 144 * days, 144 * 91)
        assert mean == pytest.approx(printed, rel=0, abs=5e-5)


def test_mean_subsidy_is_the_mean_of_subsidies() -> None:
    for first, blocks in itertools.product((209_990, 419_999, 1_049_000), (1, 7, 2_016)):
        heights = np.arange(first, first + blocks, dtype=float)
        assert mean_subsidy_btc(first, blocks) == pytest.approx(np.mean(subsidy_btc(heights)))
    assert mean_subsidy_btc(200_000, 300_000) == pytest.approx(np.mean(subsidy_btc(np.arange(200e3, 500e3))))


def test_vector_equals_scalar_and_pool_fee() -> None:
    btc, difficulty = np.array([50e3, 100e3]), np.array([120.0, 160.0])
    together = np.asarray(hashprice_usd_per_ph_day(btc, difficulty, 3.125, 0.01, 0.02))
    for position in range(2):
        one = hashprice_usd_per_ph_day(float(btc[position]), float(difficulty[position]), 3.125, 0.01, 0.02)
        assert together[position] == pytest.approx(one)
    gross = np.asarray(hashprice_usd_per_ph_day(btc, difficulty, 3.125, 0.01, 0.0))
    assert together == pytest.approx(0.98 * gross)
