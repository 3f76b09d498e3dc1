"""The ways of the trade come out where their conditions hold, and only there; only inputs differ."""

import threading
from dataclasses import dataclass

import pandas as pd

from models.blocks.program import build_program
from models.domain.portfolio import Portfolio
from models.params.params import compile_params
from optimizer.plans.extract import extract
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.search import search_plan
from tests import portfolios as make


@dataclass(frozen=True)
class Found:
    """A plan's tables, read by what a planner would ask."""

    tables: dict[str, pd.DataFrame]
    value_per_share_usd: float

    @property
    def labels(self) -> dict[str, str]:
        """Strategy of each site at the horizon."""
        rows = self.tables["site_summary"]
        return dict(zip(rows["site"], rows["strategy"], strict=True))

    def decided(self, quantity: str) -> pd.DataFrame:
        """Decisions of a quantity."""
        rows = self.tables["decisions"]
        return rows[rows["quantity"] == quantity]

    def raised(self, kind: str) -> float:
        """Gross money of an instrument's kind. [$M]"""
        rows = self.tables["financing"]
        return float(rows[rows["kind"] == kind]["gross_usd_m"].sum())


def planned(p: Portfolio) -> Found:
    """The best plan on the base scenario, to a tenth of a percent."""
    program = build_program(compile_params(p, make.chain_of(p)))
    options = Options(gap=1e-3, time_limit_s=60.0)
    outcome, _ = search_plan(
        program, compile_matrix(program.model), options, threading.Event(), lambda *_: None
    )
    assert outcome.status == "optimal"
    return Found(extract(program, outcome.value_per_share_usd), outcome.value_per_share_usd)


def differing(one: Portfolio, other: Portfolio) -> set[str]:
    """Cells in which two portfolios of the same rows differ, as ``table.column``."""
    cells = set()
    for table in type(one).model_fields:
        rows, others = getattr(one, table), getattr(other, table)
        assert len(rows) == len(others), table
        for row, twin in zip(rows, others, strict=True):
            cells |= {f"{table}.{c}" for c in type(row).model_fields if getattr(row, c) != getattr(twin, c)}
    return cells


def _wanted(p: Portfolio) -> Portfolio:
    """Tenants for all that both sites can hold: an offer of 60 MW for each, and money and crews for it."""
    p = make.without(p, "contracts", "open")
    for site in make.SITES:
        terms = {"sites": (site,), "min_mw": 20.0, "max_mw": 60.0, "credit_class": "notes"}
        p = make.with_rows(p, "contracts", make.offer(f"all-{site}", **terms))
    p = make.without(p, "contracts", "lease")
    p = make.with_rows(p, "credit_classes", make.credit_class("notes", "notes"))
    p = make.with_all(p, "site_products", max_modules=6)
    p = make.with_all(p, "power", energised_mw=96.0)
    p = make.with_row(p, "fleets", "s-s19", mw=60.0)
    p = make.with_row(p, "entities", "parent", unrestricted_cash_usd_m=400.0)
    return make.with_company(p, building_cap_mw=200.0)


def test_all_sites_are_converted_where_every_megawatt_is_wanted() -> None:
    """CleanSpark's aim: halls at 200 $/kW-month pay 80 $M of capex in under four years."""
    rich = _wanted(make.small())
    assert set(planned(rich).labels.values()) == {"full"}
    poor = make.with_all(rich, "contracts", first_year_rent_usd_per_kw_month=45.0)
    assert differing(rich, poor) == {"contracts.first_year_rent_usd_per_kw_month"}
    assert set(planned(poor).labels.values()) == {"mine"}


def test_mining_is_kept_where_power_is_cheap() -> None:
    """Bitdeer's way: at 15 $/MWh modern machines earn more at the south than a lease at 120 $/kW-month."""
    p = make.with_row(_wanted(make.small()), "contracts", "all-south", first_year_rent_usd_per_kw_month=120.0)
    p = make.with_row(p, "power", "south", price_basis="fixed", price_usd_per_mwh=15.0)
    p = make.with_row(p, "fleets", "s-s19", machine="s21", mw=90.0)
    kept = planned(p)
    assert kept.labels == {"north": "full", "south": "mine"}
    assert (kept.tables["site_plan"].query("site == 'south'")["mining_mw"] > 80.0).all()
    costly = make.with_row(p, "power", "south", price_usd_per_mwh=70.0)
    assert differing(p, costly) == {"power.price_usd_per_mwh"}
    dear = planned(costly)
    assert dear.labels == {"north": "full", "south": "full"}


def test_machines_run_on_the_slack_of_a_gpu_cloud() -> None:
    """Hut 8's way: a cloud tenant leaves half of what it reserves and does not draw to machines that stop."""
    p = make.add_cloud(make.small())
    p = make.with_row(p, "entities", "parent", unrestricted_cash_usd_m=800.0)
    p = make.with_row(p, "power", "south", energised_mw=80.0)
    slack = make.with_row(p, "contracts", "cloud", usable_slack_frac=0.5, slack_hours_frac=0.9)
    slack = make.without(slack, "contracts", "open", "lease", "gpu-market")
    found = planned(slack)
    assert found.labels["south"] == "flexible"
    starts = found.decided("start")
    assert set(starts["contract"]) == {"cloud"}
    none = make.with_row(slack, "contracts", "cloud", usable_slack_frac=0.0, slack_hours_frac=0.0)
    assert differing(slack, none) == {"contracts.usable_slack_frac", "contracts.slack_hours_frac"}
    assert planned(none).labels["south"] != "flexible"


def test_a_build_out_is_paid_by_notes_where_they_are_cheap() -> None:
    """IREN's way: notes at a coupon of zero and a high premium come before shares sold at a discount."""
    p = make.add_deals(_wanted(make.small()))
    p = make.with_all(p, "contracts", credit_class=None)
    p = make.with_row(p, "entities", "parent", unrestricted_cash_usd_m=100.0)
    p = make.with_row(p, "instruments", "note", coupon_frac=0.0, premium_frac=0.5, capped_call_cost_frac=None)
    p = make.with_row(p, "instruments", "note", cap_premium_frac=None, launch_drop_frac=0.0, drop_lasts_q=0)
    cheap = planned(p)
    shares = cheap.raised("atm") + cheap.raised("follow_on")
    assert cheap.raised("convertible") > max(100.0, shares)
    first = cheap.tables["financing"].sort_values("node").iloc[0]
    assert first["kind"] == "convertible"
    costly = make.with_row(p, "instruments", "note", coupon_frac=0.2)
    assert differing(p, costly) == {"instruments.coupon_frac"}
    dear = planned(costly)
    assert dear.raised("convertible") < cheap.raised("convertible")


def test_a_hyperscalers_lease_is_built_on_project_debt() -> None:
    """Cipher's and Core Scientific's way: most of what is spent comes from lenders against the lease."""
    p = make.with_row(_wanted(make.small()), "entities", "parent", unrestricted_cash_usd_m=150.0)
    lent = planned(p)
    spent = -float(lent.tables["cash_flow"].query("line == 'module_spend'")["usd_m"].sum())
    assert lent.raised("project_debt") > 0.5 * spent > 100.0
    unlent = make.with_all(p, "contracts", credit_class=None)
    assert differing(p, unlent) == {"contracts.credit_class"}
    alone = planned(unlent)
    assert alone.raised("project_debt") == 0.0
    assert alone.decided("start")["value"].sum() < lent.decided("start")["value"].sum()
    assert lent.value_per_share_usd > alone.value_per_share_usd


def test_waiting_wins_where_new_paper_dilutes_after_a_fall() -> None:
    """Bitfarms' way: at 1.5 a share that is worth 4, halls come from cash; at 10 from notes and shares."""
    p = make.add_deals(_wanted(make.small()))
    p = make.with_all(p, "contracts", credit_class=None, first_year_rent_usd_per_kw_month=150.0)
    p = make.with_row(p, "entities", "parent", unrestricted_cash_usd_m=60.0)
    cheap = make.with_company(p, price_usd=1.5)
    assert differing(p, cheap) == {"company.price_usd"}
    fair, fallen = planned(p), planned(cheap)
    raised = [sum(f.raised(k) for k in ("atm", "follow_on", "convertible")) for f in (fair, fallen)]
    assert raised[0] > 300.0
    assert raised[1] < 0.2 * raised[0]
    begun = [f.decided("start")["value"].sum() for f in (fair, fallen)]
    assert begun[1] < 0.25 * begun[0]
    assert fallen.value_per_share_usd > 1.5
