"""The strategies side by side: what each is worth, what it risks, and why it falls short."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import pandas as pd

from models.domain.ledger import ValueLine
from models.domain.portfolio import Portfolio
from models.domain.site import Strategy
from optimizer.inputs.load import Loaded, load
from optimizer.pipeline import Progress, plan
from optimizer.plans.plan import Plan
from optimizer.solve.options import Options

STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
_NOTHING_MW = 0.01


@dataclass(frozen=True, eq=False)
class Compared:
    """One strategy's plan and its figures; figures are NaN, and sites empty, where there is no plan."""

    strategy: Strategy
    plan: Plan
    dilution_frac: float
    """Economic shares at the horizon over today's, less one."""
    peak_debt_usd_m: float
    """Loans, as much of them as the company counts, and notes outstanding, largest at any node."""
    least_liquidity_usd_m: float
    """Unrestricted cash of company and borrowers, as much as is in its reach, least at any node."""
    runway_q: int | None
    """Fewest quarters to the cash floor from any node, were shares, notes and rescue to stop there and all
    else to go on as planned; None: the floor is not reached before the horizon."""
    hpc_critical_mw: float
    """Live at the horizon, expected over the leaves, as all that follows."""
    mining_mw: float
    unmet_mw: float
    """Gross MW short of what the strategy asks for."""
    missed: tuple[str, ...]
    """Sites that miss it, with what they lack."""
    lost: tuple[tuple[str, float], ...]
    """Lines of value and claims by which the share is worth less (or, positive, more) than in the optimal
    plan, largest first. [USD per basic share]"""


def compare(
    portfolio: Loaded | str | Path,
    *,
    options: Options | None = None,
    scenario: str | None = None,
    tree: bool = False,
    progress: Callable[[Strategy, Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> tuple[Compared, ...]:
    """Plan a portfolio once for each strategy, asked of every site, and set the plans side by side.

    Parameters are those of :func:`optimizer.plan`; the time limit holds for each strategy. What sites ask
    for themselves is set aside. Raises what that raises.
    """
    loaded = portfolio if isinstance(portfolio, Loaded) else load(portfolio)
    plans: dict[Strategy, Plan] = {}
    for strategy in STRATEGIES:
        if stop is not None and stop.is_set():
            break

        def tell(sign: Progress, strategy: Strategy = strategy) -> None:
            if progress is not None:
                progress(strategy, sign)

        plans[strategy] = plan(
            _asking(loaded, strategy), options=options, scenario=scenario, tree=tree, progress=tell, stop=stop
        )
    shares_m = loaded.portfolio.firm.basic_shares_m
    best = _per_share(plans["optimal"], shares_m) if "optimal" in plans else {}
    return tuple(_compared(s, p, best, loaded.portfolio) for s, p in plans.items())


def _asking(loaded: Loaded, strategy: Strategy) -> Loaded:
    """The portfolio with one strategy asked of the whole company."""
    p = loaded.portfolio
    company = tuple(row.model_copy(update={"strategy": strategy}) for row in p.company)
    sites = tuple(row.model_copy(update={"strategy": None}) for row in p.sites)
    return replace(loaded, portfolio=p.model_copy(update={"company": company, "sites": sites}))


def _compared(strategy: Strategy, p: Plan, best: dict[str, float], portfolio: Portfolio) -> Compared:
    nan, shares_m = float("nan"), portfolio.firm.basic_shares_m
    if not p.tables:
        return Compared(strategy, p, nan, nan, nan, None, nan, nan, nan, (), ())
    weight = {p.tree.label(leaf): float(p.tree.probability[leaf]) for leaf in p.tree.leaves}
    cash = _cash(p)
    summary, asked = p.tables["site_summary"], p.tables["strategies"]
    own = _per_share(p, shares_m)
    lost = {line: own.get(line, 0.0) - best.get(line, 0.0) for line in {**best, **own}} if best else {}
    return Compared(
        strategy=strategy,
        plan=p,
        dilution_frac=p.shares_m / shares_m - 1.0,
        peak_debt_usd_m=float(_debt(p, portfolio).max()),
        least_liquidity_usd_m=float(cash.min()),
        runway_q=_runway_q(p),
        hpc_critical_mw=_expected(summary, "hpc_critical_mw", weight),
        mining_mw=_expected(summary, "mining_mw", weight),
        unmet_mw=_expected(asked, "unmet_mw", weight),
        missed=_missed(strategy, summary, asked, portfolio),
        lost=tuple(sorted(lost.items(), key=lambda pair: (-abs(pair[1]), pair[0]))),
    )


def _expected(frame: pd.DataFrame, column: str, weight: dict[str, float]) -> float:
    return float((frame[column] * frame["leaf"].map(weight)).sum()) if len(frame) else 0.0


def _cash(p: Plan) -> pd.Series:
    """Unrestricted cash of company and borrowers, as much as is in its reach, by node. [$M]"""
    found = p.tables["liquidity"].set_index("node")
    return found["company_cash_usd_m"] + found["block_cash_usd_m"] - found["out_of_reach_usd_m"]


def _debt(p: Plan, portfolio: Portfolio) -> pd.Series:
    """Loans, as much of them as the company counts, and notes outstanding, by node. [$M]"""
    nodes = [p.tree.label(n) for n in p.tree.nodes]
    schedule = p.tables["debt_schedule"]
    counted = schedule["entity"].map({e.entity: e.counted for e in portfolio.entities}).astype(float)
    loans = (schedule["balance_usd_m"] * counted).groupby(schedule["node"]).sum()
    notes = p.tables["convert_schedule"].groupby("node")["outstanding_usd_m"].sum()
    return loans.reindex(nodes, fill_value=0.0) + notes.reindex(nodes, fill_value=0.0)


def _runway_q(p: Plan) -> int | None:
    """Of the table liquidity, the fewest that do not reach the horizon."""
    runway = p.tables["liquidity"].set_index("node")["runway_q"]
    left = {p.tree.label(n): p.tree.horizon_q - 1 - p.tree.period[n] for n in p.tree.nodes}
    return min((int(q) for node, q in runway.items() if q < left[str(node)]), default=None)


def _missed(
    strategy: Strategy, summary: pd.DataFrame, asked: pd.DataFrame, portfolio: Portfolio
) -> tuple[str, ...]:
    """What is lacking, with its sites at their worst leaf, a line for each kind."""
    at_leaf = {(r["site"], r["leaf"]): r for r in summary.to_dict("records")}
    rows = asked.sort_values("unmet_mw", ascending=False, kind="stable").to_dict("records")
    few: list[str] = []
    many: list[str] = []
    idle: list[str] = []
    for worst in {str(r["site"]): r for r in reversed(rows)}.values():
        site, unmet = str(worst["site"]), float(worst["unmet_mw"])
        there = at_leaf[worst["site"], worst["leaf"]]
        if unmet > _NOTHING_MW:
            is_over = strategy == "hybrid" and there["hpc_gross_mw"] > 0.5 * worst["convertible_mw"]
            (many if is_over else few).append(f"{site} {unmet:,.0f}")
        elif strategy == "flexible" and not there["strategy"].startswith("flexible"):
            idle.append(site)
    leaves_slack = any(c.usable_slack_frac > 0.0 for c in portfolio.contracts)
    kinds = (
        ("gross MW that are not converted", few),
        ("gross MW converted beyond a part", many),
        ("machines on tenants' slack in most quarters", idle if leaves_slack else []),
        ("a contract that leaves slack to machines", [] if leaves_slack else idle),
    )
    return tuple(f"{what}: {', '.join(sites)}" for what, sites in kinds if sites)


def _per_share(p: Plan, shares_m: float) -> dict[str, float]:
    """Expected lines of value, and claims negative, per basic share. [USD]"""
    if not p.tables:
        return {}
    weight = {p.tree.label(leaf): float(p.tree.probability[leaf]) for leaf in p.tree.leaves}
    value, claims = p.tables["value"], p.tables["claims"]
    lines = (value["usd_m"] * value["leaf"].map(weight)).groupby(value["line"]).sum() / shares_m
    taken = float((claims["usd_m"] * claims["leaf"].map(weight)).sum()) / shares_m
    known = {str(line) for line in ValueLine}
    return {**{str(k): float(v) for k, v in lines.items() if k in known}, "claims": -taken}
