"""The shipped deck is what its rules make, and has what it is said to have."""

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.formulas.hashprice import hashprice_usd_per_ph_day
from models.params.deck import Course, courses
from optimizer.decks.read import read_rules
from optimizer.decks.tables import Cells, make_deck
from optimizer.shipped import data_folder

DECK = data_folder() / "catalogue" / "decks" / "mid-2026"
RULES = read_rules(DECK / "rules.toml")


def shipped(table: str) -> list[dict[str, str]]:
    with (DECK / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def made() -> dict[str, list[Cells]]:
    tables, doubts = make_deck("rules.toml", RULES)
    assert doubts == ()
    return tables


@pytest.fixture(scope="module")
def found() -> dict[str, Course]:
    return courses(RULES)


@pytest.mark.parametrize("table", ["scenarios", "market", "market_shapes", "provenance"])
def test_the_rules_make_the_shipped_deck_cell_by_cell(made: dict[str, list[Cells]], table: str) -> None:
    want = shipped(table)
    assert len(made[table]) == len(want) > 0
    for line, (row, printed) in enumerate(zip(made[table], want, strict=True), start=2):
        assert row == printed, f"{table}.csv line {line}"


def test_nothing_of_the_folder_is_without_a_rule() -> None:
    tables = {"scenarios.csv", "market.csv", "market_shapes.csv", "provenance.csv"}
    assert {file.name for file in DECK.iterdir()} == {*tables, "rules.toml", "README.md"}


# market-decks, section 7: BTC $k, difficulty T, lease, GPU rent, capex, power, AI equity: bear / base / bull
PUBLISHED = {
    "2026Q3": ((51, 61, 74), (123, 135, 142), (1.0, 1.01, 1.02), (0.97, 1.0, 1.02)),
    "2027Q4": ((35, 64, 118), (113, 153, 199), (0.9, 1.05, 1.12), (0.57, 0.82, 1.0)),
    "2028Q2": ((32, 66, 133), (96, 133, 181), (0.85, 1.06, 1.17), (0.44, 0.74, 0.92)),
    "2028Q3": ((31, 66, 140), (81, 117, 174), (0.83, 1.07, 1.19), (0.39, 0.71, 0.88)),
    "2032Q2": ((36, 77, 162), (97, 141, 209), (0.85, 1.15, 1.34), (0.16, 0.34, 0.48)),
}


@pytest.mark.parametrize("quarter", PUBLISHED)
def test_the_published_columns(found: dict[str, Course], quarter: str) -> None:
    t = [str(q) for q in RULES.quarters].index(quarter)
    for k, name in enumerate(("bear", "base", "bull")):
        btc, difficulty, lease, gpu = (ends[k] for ends in PUBLISHED[quarter])
        printed = {c: float(values[t]) for c, values in found[name].printed.items()}
        assert printed["btc_usd"] == 1000 * btc
        assert printed["difficulty_t"] == difficulty
        assert printed["lease_idx"] == lease
        assert printed["gpu_rent_idx"] == gpu


def test_both_halvings(found: dict[str, Course]) -> None:
    subsidy = dict(zip(map(str, RULES.quarters), found["base"].printed["subsidy_btc"], strict=True))
    assert (subsidy["2028Q1"], subsidy["2028Q2"], subsidy["2028Q3"]) == (3.125, 1.7514, 1.5625)
    assert (subsidy["2032Q1"], subsidy["2032Q2"], subsidy["2032Q3"]) == (1.5625, 0.8499, 0.78125)
    assert all(later <= before for before, later in pairwise(subsidy.values()))


def test_difficulty_keeps_its_limits_and_falls_at_the_halving(found: dict[str, Course]) -> None:
    halving = [str(q) for q in RULES.quarters].index("2028Q2")
    for name in ("bear", "base", "bull"):
        begins = found[name].begins
        path = found[name].exact["difficulty_t"][begins:]
        moves = path[1:] / path[:-1] - 1.0
        assert moves.max() <= 0.07 + 1e-9
        assert moves.min() >= -0.15 - 1e-9
        assert moves[halving - begins - 1] < -0.14


def test_hashprice_is_the_published_one(found: dict[str, Course]) -> None:
    """Market-decks 7 prints 28.8 in 2026Q3 and 9.6 in 2032Q2, of unrounded bitcoin and difficulty."""
    p = found["base"].printed
    columns = (p["btc_usd"], p["difficulty_t"], p["subsidy_btc"], p["fee_frac"])
    hashprice = np.asarray(hashprice_usd_per_ph_day(*columns, 0.0))
    assert hashprice[[0, 23]] == pytest.approx([28.8, 9.6], rel=0.01)


def test_lease_and_gpu_rent_do_not_only_rise_or_fall(found: dict[str, Course]) -> None:
    bust, boom = (found[name].printed for name in ("bear", "bull"))
    assert bust["lease_idx"].min() == 0.81
    assert bust["lease_idx"][-1] > bust["lease_idx"].min() < bust["lease_idx"][0]
    assert boom["gpu_rent_idx"].max() == 1.05
    assert boom["gpu_rent_idx"][-1] < boom["gpu_rent_idx"][0] < boom["gpu_rent_idx"].max()


def test_the_crunch_shuts_all_markets_for_four_quarters_at_300_basis_points() -> None:
    rows = {(r["scenario"], r["quarter"]): r for r in shipped("market")}
    shut = {k for k, r in rows.items() if "false" in (r["convert_open"], r["equity_open"])}
    assert shut == {("credit_crunch", f"2028Q{q}") for q in range(1, 5)}
    assert {rows[k]["spread_add_frac"] for k in shut} == {"0.03"}
    assert {rows[k]["project_debt_open"] for k in shut} == {"false"}


def test_before_its_branch_a_scenario_is_its_trunk(found: dict[str, Course]) -> None:
    for name, rule in RULES.scenarios.items():
        if rule.leaves is None:
            continue
        begins = found[name].begins
        assert str(RULES.quarters[begins]) == str(rule.at)
        assert min(r["quarter"] for r in shipped("market") if r["scenario"] == name) == str(rule.at)
        for column in ("btc_usd", "difficulty_t", "resale_idx", "lease_idx"):
            trunk = found[rule.leaves].exact[column][:begins]
            assert found[name].exact[column][:begins].tolist() == trunk.tolist()


def test_the_readme_names_every_file_of_the_deck() -> None:
    text = Path(DECK / "README.md").read_text(encoding="utf-8")
    for name in ("rules.toml", "market_shapes.csv", "provenance.csv", "hashshift deck"):
        assert name in text
