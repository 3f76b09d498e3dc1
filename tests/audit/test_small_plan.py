"""The audit of a small plan made by hand: it passes as rebuilt, and no fault passes."""

from collections.abc import Callable

import pandas as pd
import pytest

from models.domain.portfolio import Portfolio
from models.timetree import Quarter, TimeTree
from optimizer.audit.rebuild import rebuild, value_plan
from optimizer.audit.verdict import audit, judge
from optimizer.plans.tables import BY_NAME, TABLES
from tests.audit import small
from tests.audit.corrupt import Auditor, Corruption, corruptions, malformed

Tables = dict[str, pd.DataFrame]


def tables_of(company: Portfolio, tree: TimeTree, decided: pd.DataFrame, price: float) -> Tables:
    """Rebuilt tables with blank explanations, but for the quarter of a node."""
    found = rebuild(company, tree, decided, value_per_share_usd=price)
    return {
        name: frame.assign(
            **{
                c.name: frame["node"].str.partition(":")[0] if c.name == "quarter" and "node" in frame else ""
                for c in BY_NAME[name].columns
                if c.role == "explanation"
            }
        )
        for name, frame in found.items()
    }


def failures(
    company: Portfolio, decided: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame
) -> set[str]:
    """Rules that the plan breaks, its decisions changed."""
    tree = small.tree_of(company)
    return {f.check for f in judge(company, tree, decided(small.decisions(tree)), 1.0).court.failures}


@pytest.fixture(scope="module")
def company() -> Portfolio:
    return small.portfolio()


@pytest.fixture(scope="module")
def good(company: Portfolio) -> tuple[Portfolio, TimeTree, Tables, float]:
    tree = small.tree_of(company)
    decided = small.decisions(tree)
    price = value_plan(company, tree, decided).root()
    return company, tree, tables_of(company, tree, decided, price), price


def test_it_passes(good: tuple[Portfolio, TimeTree, Tables, float]) -> None:
    company, tree, tables, price = good
    verdict = audit(company, tree, tables, value_per_share_usd=price, objective="per_share")
    assert verdict.failures == ()
    assert verdict.passed
    assert verdict.checks > 2000


def test_every_table_has_rows(good: tuple[Portfolio, TimeTree, Tables, float]) -> None:
    assert all(len(frame) for frame in good[2].values())


def test_no_wrong_cell_passes(good: tuple[Portfolio, TimeTree, Tables, float]) -> None:
    auditor = Auditor(*good, "per_share")
    cases: list[Corruption] = list(corruptions(auditor.tables))
    assert {c.table for c in cases} == {spec.name for spec in TABLES}
    for case in cases:
        verdict = auditor.audit(case.tables)
        assert not verdict.passed, f"{case}"
        assert verdict.worst_size > 1.0


def test_no_malformed_table_passes(good: tuple[Portfolio, TimeTree, Tables, float]) -> None:
    auditor = Auditor(*good, "per_share")
    for what, spoilt in malformed(auditor.tables):
        assert not auditor.audit(spoilt).passed, what


def test_rows_of_zeros_may_be_left_out_or_written(good: tuple[Portfolio, TimeTree, Tables, float]) -> None:
    company, tree, tables, price = good
    mining = tables["mining"]
    fewer = mining[(mining[["stock_mw", "on_mw", "slack_mw"]] != 0.0).any(axis=1)]
    assert len(fewer) < len(mining)
    more = tables["cash_flow"].iloc[[0]].assign(line="rescue", usd_m=0.0)
    spoilt = {**tables, "mining": fewer, "cash_flow": pd.concat([tables["cash_flow"], more])}
    assert audit(company, tree, spoilt, value_per_share_usd=price, objective="per_share").passed


@pytest.mark.parametrize("wrong", [1.001, 0.999, float("nan")])
def test_a_wrong_value_per_share_fails(good: tuple[Portfolio, TimeTree, Tables, float], wrong: float) -> None:
    company, tree, tables, price = good
    assert not audit(company, tree, tables, value_per_share_usd=price * wrong, objective="per_share").passed


def with_value(quantity: str, value: float, *, item: str = "") -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Decisions with one quantity set to a value everywhere (or for one item)."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        hit = (frame["quantity"] == quantity) & ((frame["item"] == item) | (not item))
        return frame.assign(value=frame["value"].where(~hit, value))

    return change


def without(quantity: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Decisions without a quantity."""
    return lambda frame: frame[frame["quantity"] != quantity]


def added(*row: str | float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Decisions with one row more."""
    return lambda frame: pd.concat([frame, pd.DataFrame([row], columns=list(small.COLUMNS))])


AT = {t: f"{small.quarter(t)}:base" for t in range(4)}


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("CNV-1", with_value("start", 9.0, item="hall")),
        ("CNV-1", added("start", *small.ROUTE, "", "2029Q2:up", 9.0)),
        ("CNV-2", with_value("start", 7.0, item="hall")),
        ("POW-1", with_value("on_mw", 70.0, item="n-s1")),
        ("POW-2", with_value("expand", 3.0)),
        ("POW-6", with_value("slack_mw", 8.0)),
        ("COO-1", without("cool")),
        ("COO-2", with_value("cool", 6.0)),
        ("SIT-1", added("buy_site", "west", "", "", "", AT[2], 1.0)),
        ("SIT-1", added("buy_site", "south", "", "", "", AT[2], 1.0)),
        ("SIT-1", added("buy_site", "west", "", "", "", "2028Q2:down", 1.0)),
        ("SIT-2", added("sell_site", "annex", "", "", "", AT[2], 1.0)),
        ("SIT-2", added("sell_site", "north", "", "", "", AT[2], 1.0)),
        ("SIT-2", added("sell_site", "annex", "", "", "", "2029Q2:down", 1.0)),
        ("SIT-3", added("cool", "west", "air", "", "", AT[0], 1.0)),
        ("SIT-3", added("sign", "west", "", "lease", "", AT[0], 1.0)),
        ("SIT-3", added("cool", "annex", "air", "", "", AT[0], 1.0)),
        ("SIT-4", added("bought_mw", "west", "s1:new", "", "", AT[0], 1.0)),
        ("SIT-4", added("moved_in_mw", "annex", "n-s1", "", "", "2029Q2:up", 2.0)),
        ("SIT-5", with_value("sell_block", 0.51, item="hall")),
        ("SIT-5", added("sell_block", "hill", "hall", "plain", AT[0], AT[3], 0.1)),
        ("SIT-5", added("sell_block", "hill", "hall", "plain", AT[1], "2029Q1:up", 0.1)),
        ("SIT-5", added("sell_block", *small.ROUTE, AT[1], "2029Q1:up", 0.1)),
        ("SIT-5", added("sell_block", "hill", "hall", "plain", AT[0], "2029Q2:up", 0.1)),
        ("SIT-6", with_value("sell_block", 0.51, item="stands")),
        ("SIT-6", added("sell_block", "hill", "stands", "firm", "", AT[0], 0.1)),
        ("SIT-6", added("sell_block", "north", "half-built", "held", "", "2028Q3:down", 0.1)),
        ("ALO-8", added("sold_mw", "south", "s1:new", "", "", AT[2], 13.0)),
        ("TEN-1", without("sign")),
        ("TEN-1", added("start", "south", "hall", "lease", "", AT[1], 1.0)),
        ("TEN-2", with_value("start", 1.0, item="hall")),
        ("ALO-1", added("sign", "south", "", "lease", "", AT[2], 1.0)),
        ("ALO-3", with_value("start", 20.0, item="hall")),
        ("ALO-4", with_value("moved_in_mw", 16.0)),
        ("ALO-5", with_value("bought_mw", 21.0)),
        ("COM-1", added("cancel", "", "maybe", "", "", AT[3], 1.0)),
        ("COM-1", added("cancel", "", "half-built", "", "", AT[0], 1.0)),
        ("MIN-1", with_value("sold_mw", 41.0)),
        ("MIN-2", with_value("on_mw", 26.0, item="n-s1")),
        ("PRJ-1", with_value("financed", 2.5, item="hall")),
        ("LSE-1", with_value("leased", 1.5)),
        ("EQP-1", with_value("ordered_mw", 13.0)),
        ("EQP-2", with_value("ordered_mw", 81.0)),
        ("SPV-1", with_value("distributed", 2000.0)),
        ("DBT-2", without("open")),
        ("DBT-4", without("prepaid")),
        ("DBT-4", with_value("prepaid", 3.9)),
        ("DBT-5", with_value("prepaid", 9.0)),
        ("TKO-1", with_value("called", 0.6)),
        ("TKO-2", with_value("taken_out", 0.51, item="fresh")),
        ("TKO-3", with_value("called", 0.2)),
        ("TKO-3", added("taken_out", "", "swap", "", "", "2028Q2:down", 0.4)),
        ("TKO-4", with_value("taken_out", 0.6, item="fresh")),
        ("CSH-2", with_value("contributed", 600.0)),
        ("CSH-5", with_value("atm", 300.0)),
        ("CVT-1", with_value("issue", 1.0)),
        ("CVT-1", with_value("issue", 250.0)),
        ("CVT-2", added("issue", "", "note", "", "1", AT[2], 20.0)),
        ("TRE-11", with_value("notes", 1.0)),
        ("TRE-11", with_value("notes", 150.0)),
        ("TRE-12", added("notes", "", "senior", "", "1", AT[3], 20.0)),
        ("TRE-13", with_value("issue", 120.0)),
        ("TRE-13", added("notes", "", "senior", "", "1", AT[1], 80.0)),
        ("TRE-14", with_value("commit", 41.0)),
        ("TRE-14", with_value("commit", 5.0)),
        ("TRE-14", added("commit", "", "revolver", "", "", AT[1], 10.0)),
        ("TRE-15", with_value("repaid", 16.0)),
        ("TRE-15", with_value("repaid", 4.0)),
        ("TRE-16", with_value("drawn", 31.0)),
        ("TRE-17", with_value("repurchase", 0.51)),
        ("TRE-18", added("repurchase", "", "buyback", "", "", AT[1], 9.0)),
        ("EQT-1", with_value("atm", 100.0)),
        ("EQT-2", with_value("atm", 160.0)),
        ("EQT-3", added("atm", "", "atm", "", "1", AT[2], 1.0)),
        ("EQT-4", with_value("follow_on", 5.0)),
        ("TAX-2", with_value("taxed", 0.0, item="home")),
        ("TRE-1", with_value("sold_btc", 400.0)),
        ("TRE-2", with_value("sold_btc", 201.0)),
        ("TRE-3", with_value("sold_btc", 195.0)),
        ("TRE-4", added("pledged_btc", "", "pledged", "coin-line", AT[3], AT[3], 1.0)),
        ("TRE-4", with_value("sold_btc", 150.0)),
        ("TRE-6", with_value("borrowed", 9.5)),
        ("TRE-7", with_value("borrowed", 13.0)),
        ("TRE-8", with_value("borrowed", 41.0)),
        ("TRE-9", with_value("rolled", 15.5)),
        ("TRE-9", added("rolled", "", "bond", "", "", AT[3], 1.0)),
        ("CSH-5", with_value("borrowed", 500.0)),
        ("HRV-1", added("harvest", "", "", "", "", "2028Q4:up", 1.0)),
        ("HRV-2", added("atm", "", "atm", "", "1", "2029Q2:down", 1.0)),
        ("HRV-2", added("cool", "south", "air", "", "", "2029Q2:down", 1.0)),
        ("HRV-3", with_value("payout", 31.0)),
        ("HRV-3", without("harvest")),
        ("HRV-3", added("payout", "", "", "", "", AT[3], 1.0)),
        ("HRV-4", with_value("atm", 300.0)),
        ("HRV-5", with_value("contributed", 200.0)),
        ("HRV-6", with_value("contributed", 250.0)),
        ("OWN-1", added("distributed", "", "e-co", "", "", AT[1], 2.0)),
        ("OWN-1", added("distributed", "", "w-co", "", "", AT[3], 2.0)),
        ("OWN-2", added("contributed", "", "w-co", "", "", AT[3], 2.0)),
        ("OWN-3", with_value("taxed", 900.0, item="west")),
        ("OWN-4", with_value("taxed", 900.0, item="west")),
        ("OWN-5", added("moved_out_mw", "venture", "e-s1", "", "", AT[3], 2.0)),
        ("COV-11", with_value("on_mw", 0.0, item="n-s1")),
        ("VAL-1", added("start", "south", "hall", "open", "", "2029Q2:up", 4.0)),
    ],
)
def test_a_broken_rule_is_named(
    company: Portfolio, check: str, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    if check == "VAL-1":
        poorer = tuple(e.model_copy(update={"unrestricted_cash_usd_m": 0.0}) for e in company.entities)
        company = company.model_copy(update={"entities": poorer})
    assert check in failures(company, change)


@pytest.mark.parametrize(
    ("check", "table", "cells"),
    [
        ("COO-3", "sites", {"water_limit_m3_per_q": 100.0}),
        ("ALO-2", "contracts", {"exclusive_group": "one"}),
        ("EQT-5", "company", {"authorised_shares_m": 110.0}),
        ("COV-1", "covenants", {"threshold": 1e6}),
        ("COV-2", "covenants", {"threshold": -1e6}),
        ("COV-3", "covenants", {"threshold": 1e6}),
        ("COV-4", "budgets", {"cap_usd_m": 50.0}),
        ("MIN-3", "machines", {"life_q": 3}),
        ("PRJ-1", "credit_classes", {"closes_at_start": False}),
        ("PRJ-1", "market", {"project_debt_open": False}),
        ("CVT-1", "market", {"convert_open": False}),
        ("TRE-11", "market", {"project_debt_open": False}),
        ("EQT-2", "market", {"equity_open": False}),
        ("MIN-2", "sites", {"mining_allowed": False}),
        ("TAX-2", "tax_groups", {"loss_use_frac": 0.0}),
        ("TAX-3", "tax_groups", {"income_so_far_usd_m": 1000.0}),
        ("TAX-4", "tax_groups", {"interest_cap_frac_of_ebitda": 0.0, "income_so_far_usd_m": 1000.0}),
        ("CNV-1", "sites", {"hpc_allowed": False}),
        ("SIT-5", "sites", {"sale_cap_rate_frac": None, "sale_term_left_q": None}),
        ("SIT-5", "sites", {"sale_term_left_q": 40}),
        ("SIT-5", "products", {"slip_q": 5}),
        ("SIT-5", "contracts", {"state": "merchant"}),
        ("SIT-5", "contracts", {"deadline_quarter": Quarter.parse(small.quarter(8))}),
        ("SIT-5", "contracts", {"commencement_quarter": Quarter.parse(small.quarter(7))}),
        ("SIT-5", "contracts", {"term_q": 7}),
        ("SIT-6", "contracts", {"term_q": 9}),
        ("SIT-6", "commitments", {"cancellable_until_quarter": Quarter.parse(small.quarter(2))}),
        ("SIT-6", "take_outs", {"entity": "h-co"}),
        ("SIT-6", "contract_money", {"contract": "firm"}),
        ("SIT-5", "contract_money", {"contract": "plain"}),
        ("SIT-5", "terminations", {"contract": "plain"}),
        ("SIT-6", "terminations", {"contract": "firm"}),
        ("DBT-1", "debt", {"lockup_dscr": 50.0}),
        ("DBT-4", "debt", {"sweep_frac": 0.6}),
        ("TKO-3", "take_outs", {"debt": "dear"}),
        ("TKO-4", "take_outs", {"max_usd_m": 0.5}),
        ("TRE-5", "loan_collateral", {"ltv_call_frac": 0.5}),
        ("TRE-5", "market", {"btc_trough_usd": 50_000.0}),
        ("TRE-6", "market", {"project_debt_open": False}),
        ("TRE-7", "market", {"btc_trough_usd": 60_000.0}),
        ("TRE-9", "market", {"project_debt_open": False}),
    ],
)
def test_a_rule_of_the_inputs_bites(
    company: Portfolio, check: str, table: str, cells: dict[str, object]
) -> None:
    rows = tuple(row.model_copy(update=cells) for row in getattr(company, table))
    changed = company.model_copy(update={table: rows})
    assert check in failures(changed)


@pytest.mark.parametrize(("kind", "is_offered"), [("project", False), ("gpu", False), ("corporate", True)])
def test_what_stands_is_not_sold_beside_a_loan(company: Portfolio, kind: str, is_offered: bool) -> None:
    """A small loan of the hill's owner: what the plan builds is sold beside it, what stands is not."""
    beside = next(d for d in company.debt if d.debt == "beside")
    loan = beside.model_copy(update={"debt": "hill-loan", "entity": "h-co", "kind": kind})
    broken = failures(company.model_copy(update={"debt": (*company.debt, loan)}))
    assert ("SIT-6" not in broken) is is_offered
    assert "SIT-5" not in broken


@pytest.mark.parametrize(("parent", "is_granted"), [("lease", True), ("cloud", False), ("held", True)])
def test_an_option_needs_its_contract(company: Portfolio, parent: str, is_granted: bool) -> None:
    """At the north the lease is signed and something is committed; nobody signs the cloud."""
    lease = next(c for c in company.contracts if c.contract == "lease")
    terms = {"contract": "more", "state": "option", "option_of": parent, "min_mw": 0.0}
    contracts = (*company.contracts, lease.model_copy(update=terms))
    changed = company.model_copy(update={"contracts": contracts})
    broken = failures(changed, added("sign", "north", "", "more", "", AT[1], 1.0))
    assert ("TEN-3" in broken) is not is_granted


@pytest.mark.parametrize(
    "row",
    [
        ("start", "nowhere", "hall", "lease", "", AT[0], 1.0),
        ("begin", "north", "hall", "lease", "", AT[0], 1.0),
        ("start", *small.ROUTE, "", "2031Q1:base", 1.0),
        ("start", *small.ROUTE, "", AT[2], 0.5),
        ("start", *small.ROUTE, "", AT[2], -1.0),
        ("start", *small.ROUTE, "", AT[2], float("nan")),
        ("financed", "north", "hall", "open", AT[1], AT[1], 1.0),
        ("financed", *small.ROUTE, AT[1], AT[2], 1.0),
        ("atm", "", "atm", "", "3", AT[2], 1.0),
        ("issue", "", "deal", "", "", AT[2], 1.0),
        ("taxed", "", "abroad", "", "", AT[3], 1.0),
        ("taxed", "", "home", "", "", AT[2], 1.0),
        ("borrowed", "", "note", "", "", AT[2], 1.0),
        ("rolled", "", "note", "", "", AT[2], 1.0),
        ("open", "", "n-co", "", "", AT[2], 1.0),
        ("open", "", "s-co", "", "", AT[1], 1.0),
        ("prepaid", "", "line", "", "", AT[2], 1.0),
        ("prepaid", "", "term", "", "", "2029Q2:up", 1.0),
        ("called", "", "term", "", "", AT[2], 0.5),
        ("called", "", "dear", "", "", AT[1], 0.5),
        ("taken_out", "", "swap", "", "", AT[1], 0.5),
        ("taken_out", "", "dear", "", "", AT[2], 0.5),
        ("sell_block", "hill", "hall", "plain", "2031Q1:base", AT[2], 0.1),
        ("sell_block", "hill", "hall", "plain", "", AT[2], 0.1),
        ("sell_block", "hill", "hall", "none", AT[0], AT[2], 0.1),
        ("sell_block", "hill", "stands", "held", "", AT[2], 0.1),
        ("cash_margin", "", "bond", "", "", AT[2], 1.0),
        ("pledged_btc", "", "free", "bond", "", AT[2], 1.0),
        ("pledged_btc", "", "free", "coin-line", AT[3], AT[2], 1.0),
        ("pledged_btc", "", "free", "coin-line", "", AT[2], 1.0),
        ("sold_btc", "", "none", "", "", AT[2], 1.0),
        ("issue", "", "note", "", "", AT[2], 1.0),
        ("notes", "", "senior", "", "3", AT[2], 1.0),
        ("notes", "", "note", "", "1", AT[2], 1.0),
        ("drawn", "", "senior", "", "", AT[2], 1.0),
        ("repurchase", "", "old", "", "", AT[2], 0.1),
        ("harvest", "", "", "", "", AT[3], 0.5),
        ("payout", "", "note", "", "", AT[3], 1.0),
    ],
)
def test_unreadable_decisions_fail(
    good: tuple[Portfolio, TimeTree, Tables, float], row: tuple[str | float, ...]
) -> None:
    company, tree, tables, price = good
    spoilt = {**tables, "decisions": added(*row)(tables["decisions"])}
    verdict = audit(company, tree, spoilt, value_per_share_usd=price, objective="per_share")
    assert [f.table for f in verdict.failures] == ["decisions"]


def test_machines_that_come_to_their_end_are_sold_by_then(company: Portfolio) -> None:
    """The oldest of the small plan die in its seventh quarter: fewer sold, or more, is against MIN-1."""
    assert failures(company) == set()
    for amount in (14.999, 15.001):

        def change(frame: pd.DataFrame, amount: float = amount) -> pd.DataFrame:
            last = (frame["quantity"] == "sold_mw") & (frame["value"] == 15.0)
            assert last.sum() == 2
            return frame.assign(value=frame["value"].where(~last, amount))

        assert "MIN-1" in failures(company, change)
