"""The shocks: which cells each of them changes, by hand, and whether the first decisions survive them."""

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from models.domain.portfolio import TABLES, Portfolio
from models.findings import Finding, InputError
from optimizer.inputs.load import Loaded
from optimizer.pipeline import AuditError, plan
from optimizer.plans.plan import Audit, Plan
from optimizer.solve.options import Options
from optimizer.studies import stress as study
from tests import portfolios as make
from tests.oracle import toys

TIGHT = Options(gap=1e-6)
Cell = tuple[str, str, str]


def loaded(p: Portfolio) -> Loaded:
    """As if read from a folder."""
    about: dict[str, Any] = {"findings": (), "overridden": (), "guesses": 0, "money_inputs": 1, "digest": ""}
    named: dict[str, Any] = {"name": "toy", "title": "Toy", "as_of": date(2026, 12, 31), "scenario": "base"}
    return Loaded(portfolio=p, **named, **about)


def cells(p: Portfolio) -> dict[Cell, object]:
    """Every cell by table, key and column."""
    return {
        (table, "|".join(make.key_of(row)), column): cell
        for table in TABLES
        for row in getattr(p, table)
        for column, cell in row.model_dump(exclude={"source", "grade", "note"}).items()
    }


def changed(p: Portfolio, shock: study.Shock) -> dict[Cell, tuple[object, object]]:
    """Cells before and after a shock, those that differ; a row that is not there has empty ones."""
    before, after = cells(p), cells(shock(p))
    both = {key: (before.get(key), after.get(key)) for key in {**before, **after}}
    return {key: pair for key, pair in both.items() if pair[0] != pair[1]}


def tables_of(found: dict[Cell, tuple[object, object]]) -> set[tuple[str, str]]:
    """Tables and columns that differ."""
    return {(table, column) for table, _, column in found}


FULL = make.full()


def test_markets_are_shut_in_the_third_to_the_sixth_quarter() -> None:
    found = changed(make.small(), study.markets_shut)
    windows = {"convert_open", "equity_open", "project_debt_open"}
    assert {(table, column) for table, _, column in found} == {("market", w) for w in windows}
    quarters = {key.partition("|")[2] for _, key, _ in found}
    assert quarters == {"2027Q3", "2027Q4", "2028Q1", "2028Q2"}
    assert set(found.values()) == {(True, False)}


def test_the_base_rate_is_two_points_higher_from_the_third_quarter_on() -> None:
    found = changed(FULL, study.rates_up)
    assert tables_of(found) == {("market", "base_rate_frac")}
    assert min(key.partition("|")[2] for _, key, _ in found) == "2027Q3"
    assert len(found) == sum(row.quarter >= make.FIRST + 2 for row in FULL.market)
    assert all(after == pytest.approx(before + 0.02) for before, after in found.values())  # type: ignore[operator]


def test_bitcoin_and_machines_fetch_three_fifths_from_the_third_quarter_on() -> None:
    p = make.with_all(FULL, "market", btc_trough_usd=50_000.0, btc_usd=80_000.0, resale_idx=0.5)
    found = changed(p, study.btc_down)
    assert tables_of(found) == {("market", c) for c in ("btc_usd", "btc_trough_usd", "resale_idx")}
    assert found["market", "base|2027Q3", "btc_usd"] == (80_000.0, pytest.approx(48_000.0))
    assert found["market", "base|2027Q3", "btc_trough_usd"] == (50_000.0, pytest.approx(30_000.0))
    assert found["market", "base|2027Q3", "resale_idx"] == (0.5, pytest.approx(0.3))
    assert not any("2027Q2" in key or "2027Q1" in key for _, key, _ in found)
    none = changed(make.with_all(FULL, "market", btc_trough_usd=None), study.btc_down)
    assert ("market", "btc_trough_usd") not in tables_of(none), (
        "an empty trough is the mean, and falls with it"
    )


def test_capex_is_15_percent_more_and_the_overrun_of_commitments_is_ours() -> None:
    p = make.add_commitments(make.small())
    found = changed(p, study.capex_up)
    market = [pair for (table, _, _), pair in found.items() if table == "market"]
    assert len(market) == 2 * len(p.market)
    assert all(after == pytest.approx(1.15 * before) for before, after in market)  # type: ignore[operator]
    for product in p.products:
        worth = found["products", product.product, "residual_frac"][1]
        assert worth == pytest.approx(product.residual_frac / 1.15)
    before = sum(x.amount_usd_m for x in p.commitment_flows)
    ours = sum(x.amount_usd_m for x in p.commitment_flows if x.funded_by == "own")
    after = study.capex_up(p).commitment_flows
    assert sum(x.amount_usd_m for x in after) == pytest.approx(1.15 * before)
    assert sum(x.amount_usd_m for x in after if x.funded_by == "own") == pytest.approx(ours + 0.15 * before)
    assert sum(x.mw_live for x in after) == pytest.approx(sum(x.mw_live for x in p.commitment_flows))
    assert tables_of(found) <= {
        ("market", "capex_idx"), ("market", "gpu_price_idx"), ("products", "residual_frac"),
        ("products", "gpu_residual_frac"), ("sites", "once_cost_usd_m"), ("sites", "demolition_usd_m_per_mw"),
        *(("commitment_flows", c) for c in ("commitment", "quarter", "funded_by", "amount_usd_m", "mw_live")),
    }  # fmt: skip


def test_rent_comes_two_quarters_later_and_spend_when_it_was_to() -> None:
    p = make.add_commitments(make.small())
    late = study.rent_late(p)
    spent, live = ({}, {}), ({}, {})  # type: ignore[var-annotated]
    for n, version in enumerate((p, late)):
        for x in version.commitment_flows:
            spent[n][x.commitment, x.quarter] = spent[n].get((x.commitment, x.quarter), 0.0) + x.amount_usd_m
            if x.mw_live:
                live[n][x.commitment, x.quarter] = live[n].get((x.commitment, x.quarter), 0.0) + x.mw_live
    assert {k: v for k, v in spent[1].items() if v} == {k: v for k, v in spent[0].items() if v}
    shifted = {(name, q + 2 if q > make.FIRST else q): mw for (name, q), mw in live[0].items()}
    assert live[1] == shifted != live[0]
    more = late.firm.building_cap_mw - p.firm.building_cap_mw
    assert more == pytest.approx(sum(mw for (_, q), mw in live[0].items() if q > make.FIRST))
    for old, new in zip(p.products, late.products, strict=True):
        ramps = [
            [x.frac for x in sorted(v.profiles, key=lambda x: x.step) if x.profile == name]
            for v, name in ((p, old.ramp_profile), (late, new.ramp_profile))
        ]
        assert ramps[1] == [0.0, 0.0, *ramps[0]]
    assert late.contracts == p.contracts
    assert set(p.profiles) <= set(late.profiles)


def stressed(p: Portfolio, *shocks: str) -> pd.DataFrame:
    """The table of a toy's plan under some shocks."""
    toy = loaded(p)
    found = plan(toy, options=TIGHT)
    assert found.status == "optimal"
    tried = study.stress(toy, found, shocks=shocks, options=TIGHT)
    assert all(x.plan is None or not x.plan.tables or x.plan.audit.passed for x in tried)
    return study.stress_table(tried).set_index("shock")


def test_a_rich_company_survives_all_and_is_worth_no_more() -> None:
    p = toys.project_debt()
    found, worth = stressed(p, *study.SHOCKS), plan(loaded(p), options=TIGHT).value
    assert list(found.index) == list(study.SHOCKS)
    assert set(found["survives"]) == {"yes"}
    assert found["rescue_usd_m"].tolist() == [0.0] * len(found)
    for shock in ("rent-late", "capex-up", "btc-down"):
        assert found.loc[shock, "value_per_share_usd"] < worth
    assert found.loc["markets-shut", "value_per_share_usd"] <= worth * (1.0 + 1e-6)


def leaning_on_shares() -> Portfolio:
    """Nothing to build; a convertible of 50 falls due in the fourth quarter, shares bring what is missing."""
    p = make.add_notes(toys.north_only(toys.short(make.small())))
    p = make.without(make.without(p, "convertibles", "later"), "contracts", "lease", "open")
    p = make.with_row(p, "convertibles", "due", maturity_quarter=make.quarter(3))
    land = {"asset": "land", "value_usd_m": 400.0, "indexed_to": "none", "haircut_frac": 0.0}
    p = make.with_rows(make.without(p, "fleets"), "holdings", land)
    return make.with_row(toys.poor(p, 20.0), "machines", "s21", max_buy_mw_per_q=0.0)


def test_who_leans_on_open_markets_does_not_survive_shut_ones() -> None:
    found = stressed(leaning_on_shares(), "markets-shut").loc["markets-shut"]
    assert (found["survives"], found["why"], found["rescue_quarter"]) == ("no", "cash", "2027Q4")
    # in hand are 20 + 20; overhead takes 1 a quarter, three coupons of 0.25 fall due, and the idle site costs
    # 20.12 in the four quarters; 50 are paid back and 10 must be left
    assert found["rescue_usd_m"] == pytest.approx(50.0 + 10.0 - (40.0 - 4.0 - 0.75 - 20.12), abs=1e-3)


def test_a_covenant_that_fails_is_named_with_its_quarter() -> None:
    p = make.without(leaning_on_shares(), "convertibles")
    p = make.with_company(p, raise_only_what_is_spent=False)
    bank = make.covenant("minimum_liquidity", 30.0, covenant="bank", from_quarter=make.quarter(3))
    found = stressed(make.with_rows(p, "covenants", bank), "markets-shut").loc["markets-shut"]
    assert (found["survives"], found["why"]) == ("no", "bank in 2027Q4")
    assert found["rescue_usd_m"] == pytest.approx(30.0 - (40.0 - 4.0 - 20.12), abs=1e-3)


def test_what_cannot_be_planned_or_audited_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = loaded(leaning_on_shares())
    decided = plan(toy, options=TIGHT)
    no_place = Finding("error", "kept-decision", "decisions", "", "node", "it has no place", "")
    refused = replace(decided, audit=Audit(passed=False, checks=1, worst="cash", failures=("cash is off",)))
    for trouble, why in ((InputError((no_place,)), "it has no place"), (AuditError(refused), "cash is off")):

        def fail(*_: object, trouble: Exception = trouble, **__: object) -> Plan:
            raise trouble

        monkeypatch.setattr(study, "plan", fail)
        table = study.stress_table(study.stress(toy, decided, shocks=("rates-up",)))
        assert table["survives"].tolist() == ["not known"]
        assert why in table["why"][0]
        assert table[["value_per_share_usd", "rescue_usd_m"]].isna().all(axis=None)
