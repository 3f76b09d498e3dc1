"""Prints, as markdown, the figures that the companies' READMEs show.

    .venv/bin/python tests/bench/companies.py bitfarms            one company, or several; all without a name
    .venv/bin/python tests/bench/companies.py bitfarms --write    also between the marks in its README

It plans base, bear and bull, then base under each shipped policy, then each strategy: eleven plans a company;
with --short the first three alone.
"""

import argparse
import math
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from optimizer.inputs.catalogue import policies
from optimizer.inputs.load import Loaded, load
from optimizer.pipeline import plan
from optimizer.plans.plan import Plan
from optimizer.shipped import data_folder
from optimizer.solve.options import Options
from optimizer.studies.compare import compare

COMPANIES = ("bitdeer", "bitfarms", "cipher", "cleanspark", "core-scientific", "hut8", "iren")
SCENARIOS = ("base", "bear", "bull")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
"""The marks in a README between which its figures stand."""
KINDS = {
    "atm": "shares at the market",
    "follow_on": "follow-ons",
    "convertible": "convertible notes",
    "notes": "corporate notes",
    "revolver": "revolver, drawn",
    "btc_loan": "loans against bitcoin",
    "project_debt": "project debt",
    "refinanced": "existing loans replaced",
    "take_out": "take-outs",
    "debt": "existing lines drawn",
    "lease": "leases of GPUs",
}


def main() -> None:
    """Plan the companies named, and print or write what their READMEs show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="COMPANY", help=", ".join(COMPANIES))
    parser.add_argument("--gap", type=float, default=0.005)
    parser.add_argument("--time-limit", type=float, default=120.0, help="seconds for each plan")
    parser.add_argument("--write", action="store_true", help="also into the README, between its marks")
    parser.add_argument("--short", action="store_true", help="without guard rails and strategies")
    asked = parser.parse_args()
    options = Options(gap=asked.gap, time_limit_s=asked.time_limit)
    for name in asked.names or COMPANIES:
        text = "\n".join(figures(name, options, short=asked.short))
        print(f"# {name}\n\n{text}", flush=True)
        if asked.write:
            write_between_marks(data_folder() / "portfolios" / name / "README.md", text)


def figures(name: str, options: Options, *, short: bool) -> Iterator[str]:
    """All tables of one company, line by line."""
    loaded = load(name)
    plans = {scenario: plan(loaded, options=options, scenario=scenario) for scenario in SCENARIOS}
    base = plans["base"]
    yield f"Values in $ a share at mid-2032, {base.taxes}; HPC in critical MW; by `tests/bench/companies.py`."
    yield from values(plans)
    yield from signed(base)
    yield from sites(base)
    yield from raised(plans)
    if short:
        command = f"`tests/bench/companies.py {name}`"
        yield f"\nGuard rails and strategies are printed by {command}, not yet put in here."
        return
    yield from guard_rails(name, base, options)
    yield from strategies(loaded, options)


def table(*headings: str) -> Iterator[str]:
    """The head of a markdown table; headings that end in '>' are of numbers."""
    yield ""
    yield "| " + " | ".join(h.rstrip(">") for h in headings) + " |"
    yield "|" + "|".join("---:" if h.endswith(">") else "---" for h in headings) + "|"


def line(*cells: object) -> str:
    """One row of a markdown table."""
    return "| " + " | ".join(f"{c:,.0f}" if isinstance(c, float) else str(c) for c in cells) + " |"


def values(plans: dict[str, Plan]) -> Iterator[str]:
    """Value now, committed only and with the plan, by scenario."""
    yield from table(
        "Scenario", "Now>", "Committed only>", "With the plan>", "Proved to>", "A year>", "Status"
    )
    for scenario, p in plans.items():
        now, held, best = (f"{v:.2f}" for v in per_share(p))
        gap = f"{p.gap:.2%}" if math.isfinite(p.gap) else "none"
        yield line(scenario, now, held, best, gap, f"{p.implied_return:+.1%}", p.status.replace("_", " "))


def per_share(p: Plan) -> tuple[float, float, float]:
    """Market price at the opening, committed-only value, value of the plan. [USD]"""
    return p.price_usd, p.committed_value_per_share_usd, p.value_per_share_usd


def signed(base: Plan) -> Iterator[str]:
    """What the plan signs and begins, by contract and site."""
    yield from table("Signs", "At", "In", "Critical MW>", "Begins")
    contracts = base.tables["contracts"]
    starts = base.tables["decisions"].query("quantity == 'start'")
    begun = starts.groupby(["contract", "site"], sort=False)["node"].agg(
        lambda nodes: ", ".join(quarters(nodes))
    )
    for row in contracts[contracts["state"] != "committed"].to_dict("records"):
        began = begun.get((row["contract"], row["site"]), "as committed")
        yield line(
            row["contract"],
            row["site"],
            row["signed_quarter"] or row["state"],
            float(row["mw_critical"]),
            began,
        )


def quarters(nodes: Sequence[str]) -> list[str]:
    """Quarters of nodes, each once, in order."""
    return sorted({str(node).split(":")[0] for node in nodes})


def sites(base: Plan) -> Iterator[str]:
    """Megawatts by use at the horizon."""
    yield from table("Site", "Strategy", "HPC>", "HPC gross>", "Mining>", "Tenants at the horizon")
    found = base.tables["site_summary"]
    for row in found.to_dict("records"):
        mw = (float(row[c]) for c in ("hpc_critical_mw", "hpc_gross_mw", "mining_mw"))
        yield line(
            row["site"], row["strategy"], *mw, row["tenants"] if isinstance(row["tenants"], str) else ""
        )
    total = (float(found[c].sum()) for c in ("hpc_critical_mw", "hpc_gross_mw", "mining_mw"))
    yield line("all", "", *total, "")


def raised(plans: dict[str, Plan]) -> Iterator[str]:
    """Gross money raised over the plan, by kind and scenario. [$M]"""
    yield from table("Raised, gross $M", *(f"{s}>" for s in plans))
    money = {
        s: p.tables["financing"].groupby("kind")["gross_usd_m"].sum() if p.tables else pd.Series(dtype=float)
        for s, p in plans.items()
    }
    for kind in dict.fromkeys(k for found in money.values() for k in found.index):
        amounts = [float(found.get(kind, 0.0)) for found in money.values()]
        if max(amounts) >= 0.5:
            yield line(KINDS.get(str(kind), str(kind).replace("_", " ")), *amounts)


def guard_rails(name: str, base: Plan, options: Options) -> Iterator[str]:
    """What each shipped policy costs per share in base, and the dearest of its rails."""
    yield from table("Guard rails", "With the plan>", "Cost>", "Committed only>", "Dearest rail", "Status")
    own = load(name).portfolio.covenants
    without = ("none",) if any(row.policy for row in own) else ()
    for policy in (*without, *policies(data_folder() / "catalogue")):
        p = plan(with_policy(name, policy), options=options, scenario="base")
        if not p.tables:
            yield line(policy, "", "", "", "", p.status.replace("_", " "))
            continue
        cost = base.value_per_share_usd - p.value_per_share_usd
        rails = p.tables["covenants"].groupby("covenant")["price_usd_per_share"].max()
        dearest = f"{rails.idxmax()} {rails.max():.2f}" if len(rails) and rails.max() >= 0.005 else ""
        _, held, best = (f"{v:.2f}" for v in per_share(p))
        yield line(policy, best, f"{cost:.2f}", held, dearest, p.status.replace("_", " "))


def with_policy(name: str, policy: str) -> Loaded:
    """A shipped portfolio under another policy, or under none."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / name
        shutil.copytree(data_folder() / "portfolios" / name, copy)
        settings = copy / "portfolio.toml"
        kept = [x for x in settings.read_text(encoding="utf-8").splitlines() if not x.startswith("policy")]
        if policy != "none":
            kept.insert(1, f'policy = "{policy}"')
        settings.write_text("\n".join(kept) + "\n", encoding="utf-8")
        return load(copy)


def strategies(loaded: Loaded, options: Options) -> Iterator[str]:
    """The five lines of `hashshift compare`."""
    head = ("Strategy", "$ a share>", "Dilution>", "Peak debt $M>", "Least cash $M>", "HPC MW>", "Mining MW>")
    yield from table(*head, "Falls short by")
    for c in compare(loaded, options=options):
        if not c.plan.tables:
            yield line(c.strategy, "", "", "", "", "", "", c.plan.status.replace("_", " "))
            continue
        told = (f"{row}: {usd:+.2f}".replace("_", " ") for row, usd in c.lost[:2] if abs(usd) >= 0.005)
        why = "; ".join((*c.missed[:2], *told)) if c.strategy != "optimal" else ""
        amounts = (c.peak_debt_usd_m, c.least_liquidity_usd_m, c.hpc_critical_mw, c.mining_mw)
        yield line(c.strategy, f"{c.plan.value_per_share_usd:.2f}", f"{c.dilution_frac:.0%}", *amounts, why)


def write_between_marks(readme: Path, text: str) -> None:
    """Replace what stands between the marks."""
    before = readme.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if len(pattern.findall(before)) != 1:
        raise SystemExit(f"{readme}: needs one pair of '{BEGIN}' and '{END}'")
    readme.write_text(pattern.sub(lambda _: f"{BEGIN}\n{text}\n{END}", before), encoding="utf-8")


if __name__ == "__main__":
    main()
