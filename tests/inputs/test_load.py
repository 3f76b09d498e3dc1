"""Loading: the manifest, what the catalogue gives, what is overridden, and what is said of the input."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from models.findings import Finding
from optimizer.inputs.catalogue import Overridden
from optimizer.inputs.load import load
from optimizer.shipped import data_folder

STARTER = data_folder() / "templates" / "starter"
CATALOGUE = (
    'deck = "mid-2026"\n[catalogue]\nproducts = ["colo-air-reuse"]\n'
    'profiles = ["spend-3q", "ramp-colo"]\nregions = ["ohio"]\n'
)


def place(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.table, finding.row


def own_deck_dropped(draft: Any) -> Any:
    """The small portfolio on the shipped deck, with some catalogue rows."""
    draft.manifest += CATALOGUE
    for table in ("scenarios", "market"):
        del draft.tables[table]
    return draft


def test_what_is_loaded(draft: Any) -> None:
    loaded = draft.load()
    assert (loaded.name, loaded.title, loaded.as_of) == ("small", "A small portfolio", date(2026, 6, 30))
    assert (loaded.scenario, loaded.findings, loaded.overridden) == ("base", (), ())
    assert [s.site for s in loaded.portfolio.sites] == ["alpha", "beta"]
    assert loaded.portfolio.contracts[0].sites == ("alpha", "beta")


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("name", "nome", ("missing-key", "portfolio.toml", "name")),
        ("scenario", "scenaro", ("unknown-key", "portfolio.toml", "scenaro")),
        ('"small"', "3", ("bad-value", "portfolio.toml", "name")),
        ('"small"', '"a/../b"', ("bad-value", "portfolio.toml", "name")),
        ('"2026-06-30"', '"30 June"', ("bad-value", "portfolio.toml", "as_of")),
        ('"2026-06-30"', "2026", ("bad-value", "portfolio.toml", "as_of")),
        ('"base"', '"bass"', ("unknown-scenario", "portfolio.toml", "scenario")),
        ("title =", "title", ("bad-toml", "portfolio.toml", "")),
        ("title", "\0", ("nul-byte", "portfolio.toml", "line 2")),
        ("title =", "x = " + "[" * 5000 + "\ntitle =", ("bad-toml", "portfolio.toml", "")),
        ('"base"', '"base"\ndeck = "../mid-2026"', ("unknown-deck", "portfolio.toml", "deck")),
        ('"base"', '"base"\ndeck = ["mid-2026"]', ("unknown-deck", "portfolio.toml", "deck")),
        ('"base"', '"base"\npolicy = "prudence"', ("unknown-policy", "portfolio.toml", "policy")),
        ('"base"', '"base"\ncatalogue = 3', ("bad-value", "portfolio.toml", "catalogue")),
        (
            '"base"',
            '"base"\n[catalogue]\nsites = "all"',
            ("unknown-key", "portfolio.toml", "catalogue.sites"),
        ),
        (
            '"base"',
            '"base"\n[catalogue]\nproducts = "x"',
            ("bad-value", "portfolio.toml", "catalogue.products"),
        ),
        ('"base"', '"base"\n[catalogue]\nproducts = ["x"]', ("unknown-catalogue-row", "products", "x")),
    ],
)
def test_a_spoilt_manifest_is_found(draft: Any, old: str, new: str, finding: tuple[str, str, str]) -> None:
    draft.manifest = draft.manifest.replace(old, new, 1)
    assert finding in {place(f) for f in draft.findings()}


def test_a_toml_date_is_a_date(draft: Any) -> None:
    draft.manifest = draft.manifest.replace('"2026-06-30"', "2026-06-30")
    assert draft.load().as_of == date(2026, 6, 30)


def test_catalogue_rows_come_with_their_evidence_and_no_others(draft: Any) -> None:
    portfolio = own_deck_dropped(draft).load().portfolio
    assert [p.product for p in portfolio.products] == ["colo-air-reuse", "colo", "cloud"]
    assert {p.profile for p in portfolio.profiles} >= {"spend-3q", "ramp-colo", "even"}
    assert {r.region for r in portfolio.regions} == {"texas", "ohio"}
    witnesses = {p.row for p in portfolio.provenance if p.of_table == "products"}
    assert witnesses == {"colo-air-reuse", "colo"}


def test_an_own_row_replaces_the_whole_catalogue_row_and_is_reported(draft: Any) -> None:
    own_deck_dropped(draft).copy("products", "colo", product="colo-air-reuse", slip_q="3")
    loaded = draft.load()
    (replaced,) = [p for p in loaded.portfolio.products if p.product == "colo-air-reuse"]
    assert (replaced.slip_q, replaced.source) == (3, None)
    assert not [p for p in loaded.portfolio.provenance if p.row == "colo-air-reuse"]
    (report,) = loaded.overridden
    assert (report.table, report.row, report.column) == ("products", "colo-air-reuse", "")
    assert report.was.startswith("catalogue/products.csv line")
    assert report.now.startswith("products.csv line")


def test_own_rows_are_checked_together_with_those_of_the_deck(draft: Any) -> None:
    own_deck_dropped(draft)
    draft.tables["scenarios"] = [
        {"scenario": "base", "branch_from": "", "branch_quarter": "", "probability": "0.2"}
    ]
    assert ("probability-sum", "scenarios", "") in {place(f) for f in draft.findings()}


def test_the_whole_catalogue_and_deck_are_sound(draft: Any) -> None:
    tables = sorted(file.stem for file in (data_folder() / "catalogue").glob("*.csv"))
    taken = "".join(f'{table} = "all"\n' for table in tables if table not in ("provenance", "policies"))
    own_deck_dropped(draft)
    draft.manifest = draft.manifest.split("[catalogue]")[0] + "[catalogue]\n" + taken
    for table in ("valuation", "regions", "instruments", "impact", "leverage_blocks", "tax_classes"):
        del draft.tables[table]
    assert draft.load().findings == ()


@pytest.mark.parametrize("policy", ["core", "prudent"])
def test_a_policy_brings_its_rows_and_own_rows_replace_them(draft: Any, policy: str) -> None:
    draft.copy("covenants", "liquidity", covenant="solvency", metric="solvency", threshold="2")
    draft.manifest += f'policy = "{policy}"\n'
    loaded = draft.load()
    rows = {c.covenant: c for c in loaded.portfolio.covenants}
    assert loaded.findings == ()
    assert rows["funded-commitments"].policy == policy
    assert rows["funded-commitments"].to_quarter is None
    assert rows["solvency"].threshold == 2.0
    assert rows["solvency"].policy is None
    assert [(o.table, o.row) for o in loaded.overridden] == [("covenants", "solvency")]
    assert ("stress-liquidity" in rows) == (policy == "prudent")


def test_a_cell_of_a_policy_can_be_set(draft: Any) -> None:
    draft.manifest += 'policy = "prudent"\n'
    loaded = draft.load("covenants[cash-cover].threshold=3")
    assert {c.covenant: c.threshold for c in loaded.portfolio.covenants}["cash-cover"] == 3.0


@pytest.mark.parametrize(
    ("override", "check"),
    [
        ("contracts[lease].max_mw=55", lambda p: p.contracts[0].max_mw == 55),
        ("power[alpha|2026Q3].energised_mw = 120", lambda p: p.power[0].energised_mw == 120),
        ("contracts[lease].guarantor=a, b & c = d", lambda p: p.contracts[0].guarantor == "a, b & c = d"),
        ("share_claims[warrant].contract=", lambda p: p.share_claims[0].contract is None),
    ],
)
def test_an_override_changes_one_cell_and_is_reported(draft: Any, override: str, check: Any) -> None:
    loaded = draft.load(override)
    assert check(loaded.portfolio)
    (report,) = loaded.overridden
    assert f"{report.table}[{report.row}].{report.column}" in override
    assert report.now == override.split("=", 1)[1].strip()


def test_one_override_may_be_a_str(draft: Any) -> None:
    loaded = load(draft.write(), overrides="contracts[lease].max_mw=55")
    assert loaded.portfolio.contracts[0].max_mw == 55


@pytest.mark.parametrize(
    ("as_of", "doubted"),
    [("2026-01-01", False), ("2025-12-31", True), ("2027-03-31", False), ("2027-04-01", True)],
)
def test_balances_are_of_about_the_opening(draft: Any, as_of: str, doubted: bool) -> None:
    draft.manifest = draft.manifest.replace("2026-06-30", as_of)
    assert [(f.severity, f.code, f.row) for f in draft.findings()] == [
        ("warning", "as-of", "as_of")
    ] * doubted


def test_a_later_override_sees_the_earlier_one(draft: Any) -> None:
    loaded = draft.load("contracts[lease].max_mw=55", "contracts[lease].max_mw=50")
    assert loaded.overridden == (
        Overridden("contracts", "lease", "max_mw", "60", "55"),
        Overridden("contracts", "lease", "max_mw", "55", "50"),
    )


@pytest.mark.parametrize(
    ("override", "remedy"),
    [
        ("rubbish", "table[key].column=value"),
        ("contracts.max_mw=3", "table[key].column=value"),
        ("contract[lease].max_mw=3", "did you mean 'contracts'?"),
        ("contracts[leese].max_mw=3", "did you mean 'lease'?"),
        ("contracts[lease].maxmw=3", "did you mean 'max_mw'?"),
        ("contracts[lease].contract=x", "columns: state"),
        ("expansions[none].step_mw=3", "rows, by expansion: alpha-2"),
        ("power[beta].energised_mw=3", "rows, by site|from_quarter: beta|2026Q2, alpha|2026Q3"),
    ],
)
def test_a_bad_override_is_a_finding(draft: Any, override: str, remedy: str) -> None:
    (finding,) = draft.findings(override)
    assert finding.code == "bad-override"
    assert override in finding.message
    assert remedy in finding.remedy


def test_an_override_is_checked_like_any_cell(draft: Any) -> None:
    found = {(f.code, f.table, f.row, f.column) for f in draft.findings("contracts[lease].max_mw=x")}
    assert found == {("not-a-number", "contracts", "lease", "max_mw")}


def test_guesses_are_counted_cell_by_cell(draft: Any) -> None:
    before = draft.load()
    draft.set("products", "cloud", grade="GUESS").copy(
        "provenance", "products|colo|capex_usd_m_per_mw", row="cloud", grade="B", low="", high=""
    )
    after = draft.load()
    assert (before.guesses, after.guesses) == (0, 2)  # opex and GPUs; capex is graded B on its own
    assert after.money_inputs == before.money_inputs > 50


def test_the_digest_follows_every_byte_and_override(draft: Any) -> None:
    first = draft.load().digest
    assert draft.load().digest == first
    assert draft.load("contracts[lease].max_mw=60").digest != first
    with (draft.folder / "sites.csv").open("a", encoding="utf-8") as file:
        file.write("# a comment\n")
    assert load(str(draft.folder)).digest != first


def test_a_shipped_portfolio_is_found_by_its_path_too() -> None:
    assert load(Path(STARTER)).portfolio == load(str(STARTER)).portfolio
