"""The figures of a plan that stand above its tables."""

import platform
from collections.abc import Mapping
from importlib.metadata import version

import pandas as pd

from models.domain.ledger import ValueLine
from models.findings import Finding
from models.timetree import TimeTree
from optimizer.inputs.load import Loaded
from optimizer.plans.certificate import Certificate
from optimizer.plans.plan import Audit, Evidence, Plan
from optimizer.solve.matrix import Matrix
from optimizer.solve.options import Options
from optimizer.solve.outcome import Outcome

UNSIGNED = (
    ValueLine.OFFERED_CONTRACTS,
    ValueLine.MERCHANT_CONTRACTS,
    ValueLine.RENEWALS,
    ValueLine.RESIDUALS,
    ValueLine.MACHINES,
    ValueLine.LAND_AND_POWER,
)
"""What a leaf is worth beyond the contracts that were signed at the opening."""
BEYOND = (ValueLine.COMMITTED_CONTRACTS, ValueLine.TAX_LOSSES, *UNSIGNED)
"""What a leaf is worth for what happens after it; the rest is cash, holdings and debts."""


def summarise(
    loaded: Loaded,
    options: Options,
    tree: TimeTree,
    outcome: Outcome,
    *,
    scenario: str,
    committed: float,
    tables: Mapping[str, pd.DataFrame],
    audit: Audit,
    seconds: Mapping[str, float],
    matrix: Matrix | None,
    inputs: Mapping[str, bytes],
    certificate: Certificate | None,
) -> Plan:
    """Put a plan together; ``tables`` are empty where nothing was found."""
    firm = loaded.portfolio.firm
    lam = outcome.value_per_share_usd
    years = firm.horizon_q / 4.0
    weights = {tree.label(leaf): float(tree.probability[leaf]) for leaf in tree.leaves}
    return Plan(
        name=loaded.name,
        title=loaded.title,
        as_of=str(loaded.as_of),
        scenario=scenario,
        status=outcome.status,
        objective=outcome.objective,
        value=outcome.value,
        bound=outcome.bound,
        gap=outcome.gap,
        value_per_share_usd=lam,
        own_price_usd=_own_price(tables, weights),
        committed_value_per_share_usd=committed,
        committed_lines=outcome.committed_lines,
        taxes="after tax" if loaded.portfolio.tax_groups else "before tax",
        price_usd=firm.price_usd,
        implied_return=(lam / firm.price_usd) ** (1.0 / years) - 1.0 if lam > 0.0 else -1.0,
        beyond_horizon_frac=_share(tables, weights, BEYOND),
        beyond_contracts_frac=_share(tables, weights, UNSIGNED),
        shares_m=_shares(tables, weights),
        tree=tree,
        tables=tables,
        audit=audit,
        evidence=Evidence(loaded.money_inputs, loaded.guesses, tuple(str(o) for o in loaded.overridden)),
        findings=(
            *loaded.findings,
            *_leaf_findings(tables, _own_price(tables, weights)),
            *_stake_findings(tables, weights),
        ),
        seconds=seconds,
        note=outcome.note,
        loop=outcome.loop,
        run=_run(loaded, options, outcome, matrix),
        inputs=inputs,
        log=outcome.log,
        certificate=certificate,
    )


LEAF_SPREAD = 0.2
"""A leaf worth this much more or less per share than lambda g is a finding."""
DECK_RANGE = (0.67, 1.5)
"""A deck price over lambda g outside this range is a finding."""


def _leaf_findings(tables: Mapping[str, pd.DataFrame], own: float) -> list[Finding]:
    """Futures in which the plan is worth something else than its price says, or the deck's shares are."""
    found = []
    for row in tables["leaves"].to_dict("records") if tables else ():
        leaf, plan, deck = str(row["leaf"]), float(row["plan_price_usd"]), float(row["deck_price_usd"])
        if plan <= 0.0:
            continue
        worth = float(row["value_per_share_usd"]) / plan
        if abs(worth - 1.0) > LEAF_SPREAD:
            message = f"the plan is worth {worth:.2f} times lambda g per share in this future"
            remedy = "read the value of the leaves before the average"
            found.append(
                Finding("warning", "leaf-value", "leaves", leaf, "value_per_share_usd", message, remedy)
            )
        if not DECK_RANGE[0] <= deck / plan <= DECK_RANGE[1]:
            message = (
                f"the deck's share price of {deck:,.2f} is {deck / plan:.2f} times the plan's {plan:,.2f}"
            )
            remedy = (
                "existing convertibles and options settle by the deck's price, at the plan's own a share "
                f"would be worth {own:,.2f}; check btc_beta and ai_beta"
            )
            found.append(Finding("warning", "leaf-price", "leaves", leaf, "deck_price_usd", message, remedy))
    return found


def _stake_findings(tables: Mapping[str, pd.DataFrame], weights: Mapping[str, float]) -> list[Finding]:
    """Listed subsidiaries that are worth much more or less here than on the market."""
    found = []
    stakes = tables["stakes"] if tables else pd.DataFrame(columns=["entity", "market_usd_m"])
    for name, rows in stakes[stakes["market_usd_m"] > 0.0].groupby("entity"):
        weight = rows["leaf"].map(weights)
        own, market = float((rows["part_usd_m"] * weight).sum()), float(rows["market_usd_m"].iloc[0])
        if not DECK_RANGE[0] <= own / market <= DECK_RANGE[1]:
            message = (
                f"the company's part is worth {own:,.0f} $M at the horizon, {own / market:.2f} times what "
                "the market's price, grown at the cost of equity, says"
            )
            remedy = "check its sites, coins and debts, or the price and the shares held"
            found.append(
                Finding("warning", "stake-value", "stakes", str(name), "part_usd_m", message, remedy)
            )
    return found


def _share(
    tables: Mapping[str, pd.DataFrame], weights: Mapping[str, float], lines: tuple[ValueLine, ...]
) -> float:
    """Share of some lines in the positive value of the leaves, by probability."""
    if not tables:
        return 0.0
    value = tables["value"]
    positive = value[value["usd_m"] > 0.0]
    weighted = positive["usd_m"] * positive["leaf"].map(weights)
    chosen = positive["line"].isin([str(line) for line in lines])
    return float(weighted[chosen].sum() / weighted.sum()) if weighted.sum() > 0.0 else 0.0


def _own_price(tables: Mapping[str, pd.DataFrame], weights: Mapping[str, float]) -> float:
    """Its expectation over the leaves, where it is the same price times g. [USD]"""
    if not tables:
        return 0.0
    leaves = tables["leaves"]
    return float((leaves["own_price_usd"] * leaves["leaf"].map(weights)).sum())


def _shares(tables: Mapping[str, pd.DataFrame], weights: Mapping[str, float]) -> float:
    if not tables:
        return 0.0
    caps = tables["cap_table"]
    return float((caps["economic_shares_m"] * caps["leaf"].map(weights)).sum())


def _run(loaded: Loaded, options: Options, outcome: Outcome, matrix: Matrix | None) -> dict[str, object]:
    packages = ("hashshift", "pyomo", "highspy", "numpy", "pandas")
    run: dict[str, object] = {
        "inputs_sha256": loaded.digest,
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
        "options": {
            "objective": options.objective,
            "gap": options.gap,
            "time_limit_s": options.time_limit_s,
            "method": options.method,
            "solver": options.solver,
            "threads": options.threads,
            "seed": options.seed,
            "keep_decisions": options.keep_decisions,
            "keep_to": options.keep_to,
        },
        "steps": outcome.steps,
    }
    if matrix is not None:
        low, high = matrix.coefficient_range()
        run["program"] = {
            "rows": len(matrix.rows),
            "columns": len(matrix.variables),
            "integers": int(matrix.is_integer.sum()),
            "nonzeros": int(matrix.coef.size),
            "coefficient_low": low,
            "coefficient_high": high,
        }
    return run
