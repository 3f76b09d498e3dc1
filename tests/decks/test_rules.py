"""Rules that are wrong are findings: where, what, and what would be right."""

from typing import Any

import pytest

from models.findings import InputError
from optimizer.decks.read import read_rules

GROWTH = "{ start = 1, growth = { 2027Q1 = 0.03 } }"
SPOILT = [
    ("quarters = 6", "quaters = 6", "unknown-key", "deck.quaters", "'quarters'"),
    ("quarters = 6", "", "missing-key", "deck.quarters", "whole number"),
    ("[network]", "[netwrk]", "unknown-key", "netwrk", "'network'"),
    ("[network]", "[netwrk]", "missing-key", "network", "section"),
    ("quarters = 6", "quarters = 6.5", "bad-value", "deck.quarters", "whole number"),
    ("quarters = 6", 'quarters = "6"', "bad-value", "deck.quarters", "whole number"),
    ("quarters = 6", "quarters = 0", "bad-value", "deck.quarters", "greater"),
    ('"2027Q1"\n', '"2027"\n', "bad-value", "deck.first_quarter", "2027Q2"),
    ("moved_frac_per_q = 0.5", "moved_frac_per_q = true", "bad-value", "machines.moved_frac_per_q", "number"),
    ("moved_frac_per_q = 0.5", "moved_frac_per_q = nan", "bad-value", "machines.moved_frac_per_q", "finite"),
    ('"trunk"\n\n[machines]', '"root"\n\n[machines]', "bad-value", "network.begins_at", "opening"),
    ("height = 1_000_000", f"height = 1{'0' * 400}", "bad-value", "network.height", "less"),
    ("lease_idx = 1", 'lease_idx = "1"', "bad-value", "cases.all.lease_idx", "growth"),
    ("lease_idx = 1", "lease_idx = { grwth = 1 }", "unknown-key", "cases.all.lease_idx.grwth", "'growth'"),
    ("lease_idx = 1", "lease_idx = {}", "bad-value", "cases.all.lease_idx", "growth"),
    (
        "lease_idx = 1",
        f"lease_idx = {GROWTH.replace('start', 'strat')}",
        "unknown-key",
        "cases.all.lease_idx.strat",
        "'start'",
    ),
    (
        "lease_idx = 1",
        f"lease_idx = {GROWTH.replace('0.03', '-1')}",
        "bad-value",
        "cases.all.lease_idx.2027Q1",
        "above -1",
    ),
    (
        "lease_idx = 1",
        f"lease_idx = {GROWTH.replace('2027Q1', '2027Q2')}",
        "begins-late",
        "cases.all.lease_idx.growth",
        "from 2027Q1 on",
    ),
    (
        "lease_idx = 1",
        f"lease_idx = {GROWTH.replace('2027Q1', '2027Q7')}",
        "bad-value",
        "cases.all.lease_idx.growth.2027Q7",
        "2027Q2",
    ),
    (
        "lease_idx = 1",
        "lease_idx = { nodes = { 2027Q1 = 1 } }",
        "missing-key",
        "cases.all.lease_idx.between",
        "'geometric'",
    ),
    (
        "lease_idx = 1",
        'lease_idx = { nodes = { 2027Q1 = 0 }, between = "geometric" }',
        "bad-value",
        "cases.all.lease_idx.nodes",
        "linear",
    ),
    ("lease_idx = 1", "lese_idx = 1", "unknown-name", "cases.all", "'lease_idx'"),
    ("lease_idx = 1", "", "missing-column", "scenarios.calm", "cases.all"),
    ("fees_btc = 0.03", "", "missing-column", "scenarios.calm", "cases.all"),
    ("fees_btc = 0.03", "fees_btc = 0.03\nfee_frac = 0.01", "stated-twice", "scenarios.calm", "one of them"),
    ("[cases.all]", "[cases.more]\nlease_idx = 2\n[cases.all]", None, "", ""),
    ('at = "2027Q3"', "", "half-branch", "scenarios.storm.at", "fill both"),
    ('at = "2027Q3"', 'at = "2027Q1"', "bad-value", "scenarios.storm.at", "2027Q2 or later"),
    ('at = "2027Q3"', 'at = "2029Q1"', "bad-value", "scenarios.storm.at", "2027Q2"),
    ('leaves = "calm"', 'leaves = "clam"', "unknown-reference", "scenarios.storm.leaves", "'calm'"),
    ('leaves = "calm"', 'leaves = "storm"', "branch-cycle", "scenarios.storm.leaves", "none"),
    ('leaves = "calm"\nat = "2027Q3"', "", "two-roots", "scenarios.storm.leaves", "calm"),
    ("probability = 0.4", "probability = 0.5", "probability-sum", "scenarios", "sum to 1"),
    ('cases = ["all"]', 'cases = ["al"]', "unknown-name", "scenarios.calm.cases", "'all'"),
    ('cases = ["all"]', 'cases = "all"', "bad-value", "scenarios.calm.cases", "list"),
    ('same_as = "capex_idx"', 'same_as = "capx_idx"', "unknown-name", "scenarios.calm", "'capex_idx'"),
    ('same_as = "capex_idx"', 'same_as = "gpu_price_idx"', "unknown-name", "scenarios.calm", ""),
    ("convert_open = true", "convert_open = 1", "bad-value", "cases.all.convert_open", "true or false"),
    ("power_idx = 1", "power_idx = true", "bad-value", "cases.all.power_idx", "a number"),
    ("btc_usd = 0\n", "btc_used = 0\n", "unknown-name", "digits", "'btc_usd'"),
    ("btc_usd = 0\n", "btc_usd = -99\n", "bad-value", "digits.btc_usd", "greater"),
    (
        "lease_idx = 1",
        'lease_idx = { start = "trunk", growth = { 2027Q1 = 0.1 } }',
        "no-trunk",
        "scenarios.calm",
        "opening",
    ),
    (
        "hashprice_usd_per_ph_day = 40",
        "hashprice_usd_per_ph_day = 20",
        "bad-value",
        "machines.hashprice_usd_per_ph_day",
        "raise it",
    ),
    ("quarters = 6", "quarters = 6\nnotes = { 2028Q3 = 'x' }", "bad-value", "deck.notes.2028Q3", "earlier"),
    (", 80, 90]", ", 80]", "bad-value", "markets.west.deciles", "at least 10"),
    ("base_rate_frac = 0.04", "base_rate_frac = 4", "out-of-range", "calm|2027Q1", "<= 1"),
    ("share_vol_frac = 0.5", "share_vol_frac = 0", "out-of-range", "calm|2027Q1", "> 0"),
    ("base_rate_frac = 0.04", "base_rate_frac = 0.6", "magnitude", "calm|2027Q1", "percent"),
    ("[scenarios.calm]", '[scenarios."a|b"]', "unknown-reference", "scenarios.storm.leaves", "a|b"),
]


@pytest.mark.parametrize(("old", "new", "code", "place", "remedy"), SPOILT)
def test_spoilt_rules_are_found(
    draft: Any, old: str, new: str, code: str | None, place: str, remedy: str
) -> None:
    found = draft.put(old, new).findings()
    if code is None:
        assert found == ()
        return
    told = {(f.code, f.row): f.remedy for f in found}
    assert (code, place) in told, told
    assert remedy in told[code, place]


RANGE = (
    '[[evidence.ranges]]\nscenarios = ["calm"]\ncolumns = ["btc_usd"]\nlow = 1\nhigh = 90000\nreason = "why"'
)
SPOILT_RANGES = [
    ("high = 90000", "high = 50000", "outside-range", "calm|2027Q1"),
    ("low = 1\n", "low = 100000\n", "range-backwards", "market|calm|2027Q1|btc_usd"),
    ('"btc_usd"', '"btc"', "unknown-name", "evidence.ranges.0.columns"),
    ('"calm"', '"clam"', "unknown-name", "evidence.ranges.0.scenarios"),
    ("low = 1\n", 'low = { of = "clam" }\n', "unknown-name", "evidence.ranges.0.low.of"),
    ("low = 1\n", "low = { off = 'calm' }\n", "unknown-key", "evidence.ranges.0.low.off"),
    (
        "low = 1\n",
        "low = { hashprice_of = 'calm', power_of = 'storm' }\n",
        "bad-value",
        "evidence.ranges.0.low",
    ),
    ('"btc_usd"', '"convert_open"', "bad-value", "evidence.ranges.0.columns"),
    ('"btc_usd"', '"btc_trough_usd"', "bad-value", "evidence.ranges.0.columns"),
    (RANGE, f"{RANGE}\n{RANGE}", "duplicate-key", "market|calm|2027Q1|btc_usd"),
]


@pytest.mark.parametrize(("old", "new", "code", "place"), SPOILT_RANGES)
def test_spoilt_ranges_are_found(draft: Any, old: str, new: str, code: str, place: str) -> None:
    assert draft.findings() == draft.add(RANGE).findings() == ()
    found = draft.put(old, new).findings()
    assert (code, place) in {(f.code, f.row) for f in found}, found


def test_all_faults_at_once(draft: Any) -> None:
    draft.put("quarters = 6", "quarters = 0").put("lease_idx = 1", 'lease_idx = "1"').put(
        "usd_per_unit = 0.5", ""
    )
    assert {f.row for f in draft.findings()} == {
        "deck.quarters",
        "cases.all.lease_idx",
        "markets.west.usd_per_unit",
    }


def test_a_case_stated_twice_is_settled_by_the_scenario(draft: Any) -> None:
    draft.put("[cases.all]", "[cases.more]\nlease_idx = 2\n[cases.all]")
    draft.put('probability = 0.4\ncases = ["all"]', 'probability = 0.4\ncases = ["all", "more"]')
    (finding,) = draft.findings()
    assert (finding.code, finding.row) == ("stated-twice", "scenarios.storm")
    assert "all, more" in finding.message
    assert draft.put("btc_usd = 30000", "btc_usd = 30000\nlease_idx = 3").findings() == ()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[deck\n", "bad-toml"),
        (b"x = " + b"[" * 5000, "bad-toml"),
        (b"\xff\xfe", "not-utf-8"),
        (b"a = 1\n\0", "nul-byte"),
        (b"", "missing-key"),
    ],
)
def test_what_is_no_toml(draft: Any, data: bytes, code: str) -> None:
    draft.file.write_bytes(data)
    with pytest.raises(InputError) as refused:
        read_rules(draft.file)
    assert {f.code for f in refused.value.findings} == {code}


def test_a_file_that_is_not_there(draft: Any) -> None:
    with pytest.raises(InputError) as refused:
        read_rules(draft.file)
    (finding,) = refused.value.findings
    assert finding.code == "unreadable"
