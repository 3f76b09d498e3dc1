"""The one JSON document that a run prints, whatever became of it."""

import json
from collections.abc import Iterable
from dataclasses import asdict

from models.findings import Finding
from optimizer.inputs.load import Loaded
from optimizer.pipeline import Checked
from optimizer.plans.plan import Plan
from optimizer.plans.store import plain
from optimizer.report.figures import Figures, Row
from optimizer.report.sites import strategy_of

SECONDS = ("read", "build", "solve", "audit", "total")
MEGAWATTS = ("hpc_critical_mw", "hpc_gross_mw", "mining_mw", "capex_usd_m")


def plan_document(plan: Plan) -> dict[str, object]:
    """A plan's document; on a tree, amounts are probability-weighted."""
    figures = Figures(plan)
    return {
        **without_plan(plan.status, plan.findings),
        "objective": plan.proved,
        "value_per_share_usd": plan.value_per_share_usd if plan.tables else None,
        "own_price_usd": plan.own_price_usd if plan.tables else None,
        "committed_value_per_share_usd": plan.committed_value_per_share_usd,
        "taxes": plan.taxes,
        "implied_return": plan.implied_return if plan.tables else None,
        "shares_m": plan.shares_m if plan.tables else None,
        "seconds": {name: plan.seconds.get(name) for name in SECONDS},
        "audit": {"passed": plan.audit.passed, "checks": plan.audit.checks, "worst": plan.audit.worst}
        if plan.tables
        else None,
        "sites": _sites(figures),
        "financing": _financing(figures),
        "stress": figures.rows("stress"),
        "note": plan.note,
        "loop": plan.loop,
    }


def without_plan(status: str, findings: Iterable[Finding]) -> dict[str, object]:
    """The document's keys where there is nothing but a status and findings."""
    return {
        "status": status,
        "objective": None,
        "value_per_share_usd": None,
        "own_price_usd": None,
        "committed_value_per_share_usd": None,
        "taxes": None,
        "implied_return": None,
        "shares_m": None,
        "seconds": None,
        "audit": None,
        "sites": [],
        "financing": [],
        "stress": [],
        "findings": [asdict(f) for f in sorted(findings)],
        "note": "",
        "loop": [],
    }


def checked_document(checked: Checked, loaded: Loaded) -> dict[str, object]:
    """What a check found of a portfolio that can be planned."""
    return {
        "status": "ok",
        "findings": [asdict(f) for f in sorted(checked.findings)],
        "coefficients": {"low": checked.coefficient_low, "high": checked.coefficient_high},
        "program": {"rows": checked.rows, "columns": checked.columns, "integers": checked.integers},
        "money_inputs": loaded.money_inputs,
        "guesses": loaded.guesses,
    }


def as_text(document: dict[str, object]) -> str:
    """The document as JSON; what is not a finite number is null."""
    return json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False)


def _sites(figures: Figures) -> list[dict[str, object]]:
    by_site: dict[str, list[Row]] = {}
    for row in figures.rows("site_summary"):
        by_site.setdefault(str(row["site"]), []).append(row)
    return [
        {"site": site, "strategy": strategy_of(rows), **{m: figures.expected(rows, m) for m in MEGAWATTS}}
        for site, rows in by_site.items()
    ]


def _financing(figures: Figures) -> list[dict[str, object]]:
    amounts: dict[str, float] = {}
    for row in figures.rows("financing"):
        name = str(row["instrument"])
        amounts[name] = amounts.get(name, 0.0) + figures.expected([row], "gross_usd_m")
    return [{"instrument": name, "amount_usd_m": amount} for name, amount in sorted(amounts.items())]
