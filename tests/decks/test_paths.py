"""Every form of a path, the answer of the network, lags and ranges, by hand."""

from typing import Any

import numpy as np
import pytest

from models.findings import InputError
from optimizer.decks.tables import make_deck

QUARTERS = ("2027Q1", "2027Q2", "2027Q3", "2027Q4", "2028Q1", "2028Q2")


def column(draft: Any, path: str, name: str = "calm") -> list[float]:
    """The lease index when it is written so."""
    draft.put("lease_idx = 1", f"lease_idx = {path}")
    return [float(x) for x in draft.courses()[name].exact["lease_idx"]]


def test_a_number_holds_throughout(draft: Any) -> None:
    assert column(draft, "1.5") == [1.5] * 6


def test_growth_is_measured_at_the_end_of_a_quarter(draft: Any) -> None:
    found = column(draft, "{ start = 2, growth = { 2027Q1 = 0.04, 2028Q1 = -0.19 } }")
    year = 2 * 1.04
    assert found == pytest.approx(
        [2 * 1.04**0.25, 2 * 1.04**0.5, 2 * 1.04**0.75, year, year * 0.81**0.25, year * 0.9]
    )


def test_a_spot_price_is_measured_in_the_middle_of_a_quarter(draft: Any) -> None:
    law = "volatility_frac = 0.4, spread_at_most = 0.3, deviations = -1"
    found = column(draft, f"{{ spot = 10, drift = {{ 2027Q1 = 0.1, 2028Q1 = 0 }}, {law} }}")
    assert found[0] == pytest.approx(10 * 1.1**0.125 * np.exp(-0.4 * np.sqrt(0.125)))
    assert found[4] == pytest.approx(11 * np.exp(-0.3)), "the spread has reached its cap"
    assert found[5] == pytest.approx(11 * np.exp(-0.3))


@pytest.mark.parametrize(("between", "middle"), [("linear", 2.5), ("geometric", 2.0)])
def test_nodes_need_not_be_monotone(draft: Any, between: str, middle: float) -> None:
    nodes = "{ 2027Q2 = 1, 2027Q4 = 4, 2028Q2 = 1 }"
    found = column(draft, f'{{ nodes = {nodes}, between = "{between}" }}')
    assert found == pytest.approx([1, 1, middle, 4, middle, 1])


def test_a_line_goes_on_flat(draft: Any) -> None:
    assert column(draft, '{ nodes = { 2026Q4 = 3, 2027Q2 = 1 }, between = "linear" }') == [2, 1, 1, 1, 1, 1]


def test_steps_hold_to_the_next(draft: Any) -> None:
    assert column(draft, "{ steps = { 2026Q1 = 1, 2027Q3 = 0.5, 2028Q2 = 2 } }") == [1, 1, 0.5, 0.5, 0.5, 2]


def test_a_multiple_of_another_column(draft: Any) -> None:
    found = draft.put("capex_idx = 1\n", "capex_idx = { steps = { 2027Q1 = 1, 2028Q1 = 3 } }\n").courses()
    assert found["calm"].exact["gpu_price_idx"].tolist() == [0.5, 0.5, 0.5, 0.5, 1.5, 1.5]


def test_a_trough_may_be_stated_in_some_scenarios(draft: Any) -> None:
    """It is a column of the tables where any scenario has it, and empty where one has not."""
    assert "btc_trough_usd" not in make_deck("rules.toml", draft.rules())[0]["market"][0]
    draft.put("btc_usd = 60000", 'btc_usd = 60000\nbtc_trough_usd = { same_as = "btc_usd", times = 0.8 }')
    tables, _ = make_deck("rules.toml", draft.rules())
    assert {float(row["btc_trough_usd"]) for row in tables["market"]} == {24_000.0, 48_000.0}
    draft.put("times = 0.8", "times = 1.1")
    with pytest.raises(InputError) as refused:
        make_deck("rules.toml", draft.rules())
    assert {f.code for f in refused.value.findings} == {"trough-over-price"}


def test_windows_by_quarter(draft: Any) -> None:
    draft.add('[scenarios.wild]\nleaves = "calm"\nat = "2027Q2"\ncases = ["all"]\nsource = "a"\ngrade = "D"')
    draft.add(
        "[scenarios.wild.own]\nequity_open = { steps = { 2027Q1 = true, 2027Q3 = false, 2027Q4 = true } }"
    )
    tables, _ = make_deck("rules.toml", draft.rules())
    rows = {r["quarter"]: r["equity_open"] for r in tables["market"] if r["scenario"] == "wild"}
    assert rows == {q: "false" if q == "2027Q3" else "true" for q in QUARTERS[1:]}


def test_growth_may_start_from_the_trunk(draft: Any) -> None:
    draft.put("btc_usd = 60000", "btc_usd = { steps = { 2027Q1 = 50000, 2027Q2 = 64000 } }")
    draft.put("btc_usd = 30000", 'btc_usd = { start = "trunk", growth = { 2027Q1 = 0.5, 2027Q3 = -0.75 } }')
    storm = draft.courses()["storm"].exact["btc_usd"]
    assert storm[:2].tolist() == [50000, 64000]
    assert storm[2:] == pytest.approx(64000 * 0.25 ** (np.arange(1, 5) / 4))


def test_subsidy_by_block_height(draft: Any) -> None:
    """Blocks 1,000,000 at the opening, 144 a day: 1,050,000 comes on day 347.2, 74.2 into 2027Q4 of 92."""
    found = draft.courses()["calm"]
    subsidy = found.exact["subsidy_btc"]
    before = 50_000 / 144 - (90 + 91 + 92)
    assert subsidy[:3].tolist() == [3.125] * 3
    assert subsidy[3] == pytest.approx(1.5625 * (1 + before / 92))
    assert subsidy[4:].tolist() == [1.5625] * 2
    assert found.exact["fee_frac"] == pytest.approx(0.03 / subsidy)


def test_difficulty_answers_from_the_trunk_or_from_the_opening(draft: Any) -> None:
    """Half the price leaves 1/sqrt(2) of the hashrate; limited to 10 % a quarter it takes its time."""
    draft.put("fall_at_most_frac_per_q = 1", "fall_at_most_frac_per_q = 0.1")
    late = draft.courses()
    trunk = late["calm"].exact["difficulty_t"]
    assert trunk[:3] == pytest.approx([139.69838 * np.sqrt(144 * 3.155 * 0.06 / 27)] * 3)
    assert late["storm"].exact["difficulty_t"][:2].tolist() == trunk[:2].tolist()
    assert late["storm"].exact["difficulty_t"][2:4] == pytest.approx(trunk[1] * np.array([0.9, 0.81]))
    early = draft.put('fall_at_most_frac_per_q = 0.1\nbegins_at = "trunk"',
                      'fall_at_most_frac_per_q = 0.1\nbegins_at = "opening"').courses()  # fmt: skip
    assert early["storm"].printed["difficulty_t"][2] == pytest.approx(139.6984 * 0.9**3, rel=1e-6)


def test_difficulty_lags(draft: Any) -> None:
    draft.put("fees_btc = 0.03", "fees_btc = 0.0").put("start_revenue_usd_m_per_day = 27",
                                                       "start_revenue_usd_m_per_day = 108")  # fmt: skip
    at_once = draft.courses()["calm"].exact["difficulty_t"]
    draft.put("moved_frac_per_q = 1\n", "moved_frac_per_q = 0.5\n")
    lagged = draft.courses()["calm"].exact["difficulty_t"]
    start = 139.69838
    assert at_once[0] == pytest.approx(start / 2)
    assert lagged[:2] == pytest.approx([start * 0.75, start * 0.625])


def test_machine_prices_follow_margins_with_a_lag(draft: Any) -> None:
    """20 J/TH, 50 $/MWh: the margin at 40 $/PH/day is 5.84 $/TH a year."""
    draft.put("btc_usd = 60000", "btc_usd = { steps = { 2027Q1 = 60000, 2027Q2 = 20000 } }")
    draft.put("[cases.all]", "[cases.all]\ndifficulty_t = 100\nsubsidy_btc = 3.125")
    found = draft.courses()["calm"]
    hashprice = 60000 * 86400e3 * 3.155 / (100 * 2**32)
    first = (hashprice * 0.365 - 8.76) / (14.6 - 8.76)
    assert found.exact["resale_idx"][0] == pytest.approx((1 + first) / 2)
    second = (found.exact["resale_idx"][0] + 0.1) / 2
    assert found.exact["resale_idx"][1] == pytest.approx(second), "below its power it tends to the least"


def test_ranges(draft: Any) -> None:
    draft.add(
        '[[evidence.ranges]]\nscenarios = ["calm"]\ncolumns = ["btc_usd", "spread_add_frac"]\n'
        'to_quarter = "2027Q2"\n'
        'low = { of = "storm", times = 0.5 }\nhigh = 90000\nreason = "why"'
    )
    draft.put("spread_add_frac = 0.01", "spread_add_frac = 0")
    tables, _ = make_deck("rules.toml", draft.rules())
    said = {(r["row"], r["column"]): (r["low"], r["high"]) for r in tables["provenance"]}
    market = {k: v for k, v in said.items() if k[0].startswith("calm")}
    assert market == {(f"calm|2027Q{q}", "btc_usd"): ("15000", "90000") for q in (1, 2)}, "of zero nothing"
    assert said["west", "mean_usd_per_mwh"] == ("30", "50")
    assert said["west", "d1"] == ("-9", "-1")
    assert said["west", "d10"] == ("22.5", "67.5")
