"""Time: scenarios form a tree, the deck covers the horizon on each path, spans begin before they end."""

from collections.abc import Iterator
from typing import NamedTuple

from models.domain.futures import owner
from models.domain.market import MarketRow, Scenario
from models.domain.portfolio import Portfolio
from models.domain.row import Row
from models.findings import Finding
from models.timetree import Quarter
from optimizer.inputs.checks.references import rows_of
from optimizer.inputs.checks.register import Check, error, listed, reads, span

EVIDENCE = {"scenario", "source", "grade", "note"}
"""Columns of the deck that two scenarios may differ in before they part."""


def branches(portfolio: Portfolio) -> dict[str, Scenario] | None:
    """Scenarios by name if each leads to a root by known branches; None otherwise."""
    by_name = {s.scenario: s for s in portfolio.scenarios}
    for scenario in portfolio.scenarios:
        seen: set[str] = set()
        name: str | None = scenario.scenario
        while name is not None:
            if name in seen or name not in by_name:
                return None
            seen.add(name)
            name = by_name[name].branch_from
    return by_name


@reads("scenarios")
def one_root(portfolio: Portfolio) -> Iterator[Finding]:
    """Exactly one scenario branches from none, and none from itself."""
    roots = [s for s in portfolio.scenarios if s.branch_from is None]
    if not portfolio.scenarios:
        remedy = "name a deck among the settings, or write the tables scenarios and market"
        yield Finding("error", "no-scenario", "scenarios", "", "", "there is no scenario", remedy)
    for extra in roots[1:]:
        message = f"it branches from none, and so does '{roots[0].scenario}'"
        yield error(
            "two-roots", extra, "branch_from", message, f"name the scenario it leaves: {roots[0].scenario}"
        )
    by_name = {s.scenario: s for s in portfolio.scenarios}
    for scenario in portfolio.scenarios:
        path, name = [scenario.scenario], scenario.branch_from
        while name is not None and name in by_name and name not in path:
            path.append(name)
            name = by_name[name].branch_from
        if name == scenario.scenario:
            loop = " from ".join([*path, name])
            remedy = "let one of them branch from none"
            yield error("branch-cycle", scenario, "branch_from", f"it branches in a circle: {loop}", remedy)


@reads("scenarios")
def branches_dated(portfolio: Portfolio) -> Iterator[Finding]:
    """A branch has its quarter, after that of the scenario it leaves."""
    by_name = {s.scenario: s for s in portfolio.scenarios}
    for scenario in portfolio.scenarios:
        if (scenario.branch_from is None) != (scenario.branch_quarter is None):
            column = "branch_quarter" if scenario.branch_quarter is None else "branch_from"
            message = "a branch needs both branch_from and branch_quarter"
            yield error("half-branch", scenario, column, message, "fill both, or leave both empty")
            continue
        left = by_name.get(scenario.branch_from or "")
        if (
            left
            and left.branch_quarter
            and scenario.branch_quarter
            and scenario.branch_quarter <= left.branch_quarter
        ):
            message = f"it leaves '{left.scenario}' before that begins in {left.branch_quarter}"
            remedy = f"write a later quarter, or branch from '{left.branch_from}'"
            yield error("branch-order", scenario, "branch_quarter", message, remedy)


@reads("scenarios", "company")
def probabilities(portfolio: Portfolio) -> Iterator[Finding]:
    """Weights of the tree sum to one, and its scenarios share the first quarter."""
    weighted = [s for s in portfolio.scenarios if s.probability is not None]
    total = sum(s.probability or 0.0 for s in weighted)
    if weighted and abs(total - 1.0) > 1e-6:
        message = f"probabilities sum to {total:.6g}"
        remedy = "make those of the tree's scenarios sum to 1; leave the others empty"
        yield Finding("error", "probability-sum", "scenarios", "", "probability", message, remedy)
    by_name = branches(portfolio)
    if by_name is None or not portfolio.company:
        return
    first = portfolio.firm.first_quarter
    trunk = [owner(by_name, s.scenario, first) for s in weighted]
    for scenario, holder in zip(weighted, trunk, strict=True):
        if holder != trunk[0]:
            message = f"in the first quarter, {first}, it is no longer '{trunk[0]}'"
            remedy = f"branch after {first}, or leave its probability empty"
            yield error("late-trunk", scenario, "branch_quarter", message, remedy)


@reads("scenarios", "market", "company")
def deck_covers_horizon(portfolio: Portfolio) -> Iterator[Finding]:
    """Each path has a market row in every quarter planned."""
    by_name = branches(portfolio)
    if by_name is None or not portfolio.company:
        return
    known = {(r.scenario, r.quarter) for r in portfolio.market}
    first = portfolio.firm.first_quarter
    for scenario in portfolio.scenarios:
        wanted = [first + t for t in range(portfolio.firm.horizon_q)]
        own = [q for q in wanted if owner(by_name, scenario.scenario, q) == scenario.scenario]
        missing = [q for q in own if (scenario.scenario, q) not in known]
        if missing:
            message = f"market has no rows of it for {listed(missing)}"
            covered = span(wanted[0], wanted[-1])
            yield error(
                "deck-gap", scenario, "", message, f"the plan needs {covered}: add rows or shorten horizon_q"
            )


@reads("scenarios", "market")
def trunk_is_common(portfolio: Portfolio) -> Iterator[Finding]:
    """Rows of a scenario before its branch, if there are any, say what the trunk says."""
    by_name = branches(portfolio)
    if by_name is None:
        return
    rows = {(r.scenario, r.quarter): r for r in portfolio.market}
    for row in portfolio.market:
        if row.scenario not in by_name:
            continue
        holder = owner(by_name, row.scenario, row.quarter)
        trunk = rows.get((holder, row.quarter), row)
        for column in _differing(row, trunk):
            message = f"{row.scenario} leaves '{holder}' later, yet differs from its {getattr(trunk, column)}"
            yield error("trunk-differs", row, column, message, "delete the row, or branch earlier")


def _differing(row: MarketRow, trunk: MarketRow) -> list[str]:
    names = [name for name in MarketRow.model_fields if name not in EVIDENCE]
    return [name for name in names if getattr(row, name) != getattr(trunk, name)]


class Span(NamedTuple):
    """Two quarters of one row that must not run backwards."""

    table: str
    start: str
    end: str


SPANS = (
    Span("covenants", "from_quarter", "to_quarter"),
    Span("budgets", "from_quarter", "to_quarter"),
    Span("expansions", "earliest_quarter", "latest_quarter"),
    Span("site_products", "earliest_quarter", "latest_quarter"),
    Span("contracts", "sign_from_quarter", "sign_by_quarter"),
    Span("contracts", "sign_from_quarter", "deadline_quarter"),
    Span("contracts", "deadline_quarter", "long_stop_quarter"),
    Span("debt", "first_repayment_quarter", "maturity_quarter"),
    Span("convertibles", "put_quarter", "maturity_quarter"),
    Span("convertibles", "call_from_quarter", "maturity_quarter"),
    Span("instruments", "available_from_quarter", "available_until_quarter"),
)


def _span_check(pair: Span) -> Check:
    @reads(pair.table)
    def forwards(portfolio: Portfolio) -> Iterator[Finding]:
        for row in rows_of(portfolio, pair.table):
            start, end = _quarter(row, pair.start), _quarter(row, pair.end)
            if start and end and end < start:
                message = f"{end} is before {pair.start} {start}"
                yield error("span-backwards", row, pair.end, message, f"write {start} or later")

    return forwards


def _quarter(row: Row, column: str) -> Quarter | None:
    value = getattr(row, column)
    return value if isinstance(value, Quarter) else None


@reads("company", "debt", "convertibles", "share_claims", "instruments")
def not_yet_over(portfolio: Portfolio) -> Iterator[Finding]:
    """What is owed or lent at the opening ends, and claims expire, in the plan's first quarter or later."""
    ends: list[tuple[Row, str]] = [
        (row, "maturity_quarter") for row in (*portfolio.debt, *portfolio.convertibles)
    ]
    ends += [(claim, "expiry_quarter") for claim in portfolio.share_claims]
    ends += [(line, "available_until_quarter") for line in portfolio.instruments]
    for firm in portfolio.company[:1]:
        for row, column in ends:
            end = _quarter(row, column)
            if end is not None and end < firm.first_quarter:
                message = f"{end} is before the plan begins in {firm.first_quarter}"
                yield error("already-over", row, column, message, "delete the row, or correct the quarter")


CHECKS = (
    one_root,
    branches_dated,
    probabilities,
    deck_covers_horizon,
    trunk_is_common,
    *map(_span_check, SPANS),
    not_yet_over,
)
