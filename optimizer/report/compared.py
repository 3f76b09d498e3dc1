"""The strategies side by side, on a terminal and as one JSON document."""

import math

from rich.console import Console, Group, RenderableType

from optimizer.report.figures import number, percent
from optimizer.report.layout import fill, section, table
from optimizer.report.worth import LABELS
from optimizer.studies.compare import Compared

LINES_TOLD = 3
SHOWN_USD = 0.005


def compared_document(found: tuple[Compared, ...], name: str) -> dict[str, object]:
    """One JSON document: a list of strategies with their figures."""
    return {"portfolio": name, "strategies": [_as_record(c) for c in found]}


def print_compared(found: tuple[Compared, ...], title: str, console: Console) -> None:
    """Print the comparison."""
    parts = [part for part in (_figures(found, title), _reasons(found)) if part is not None]
    if console.is_terminal:
        console.print(Group(*parts))
        return
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    console.file.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def _as_record(c: Compared) -> dict[str, object]:
    p = c.plan
    return {
        "strategy": c.strategy,
        "status": p.status,
        "value_per_share_usd": p.value_per_share_usd if p.tables else None,
        "gap": p.gap,
        "dilution": c.dilution_frac,
        "peak_debt_usd_m": c.peak_debt_usd_m,
        "least_liquidity_usd_m": c.least_liquidity_usd_m,
        "runway_q": c.runway_q,
        "hpc_critical_mw": c.hpc_critical_mw,
        "mining_mw": c.mining_mw,
        "unmet_mw": c.unmet_mw,
        "why": [*c.missed, *(f"{name}: {usd:+.2f} USD a share" for name, usd in _told(c))],
        "seconds": p.seconds.get("total"),
        "audit": {"passed": p.audit.passed, "checks": p.audit.checks} if p.tables else None,
    }


def _figures(found: tuple[Compared, ...], title: str) -> RenderableType:
    headings = ("Strategy!", "$/share>", "Gap>", "Dilution>", "Peak debt>", "Least cash>", "Runway>")
    rows = table(*headings, "HPC MW>", "Mining>", "Status")
    for c in found:
        p = c.plan
        if not p.tables:
            fill(rows, c.strategy, *("",) * 8, p.status)
            continue
        fill(
            rows,
            c.strategy,
            number(p.value_per_share_usd, 2),
            percent(p.gap, 2) if math.isfinite(p.gap) else "none",
            percent(c.dilution_frac),
            number(c.peak_debt_usd_m),
            number(c.least_liquidity_usd_m),
            "-" if c.runway_q is None else str(c.runway_q),
            number(c.hpc_critical_mw),
            number(c.mining_mw),
            p.status.replace("_", " "),
        )
    lacks = any(c.plan.status in ("infeasible", "feasible_with_rescue") for c in found)
    notes = (
        "Value per share and dilution (economic shares over today's) at the horizon; HPC: critical MW live.",
        "Debt, notes among it, and cash in $M. Runway: fewest quarters to the cash floor, were new",
        "shares and notes to stop and all else to go on as planned.",
        *(
            ["hashshift explain says what conflicts where a plan is missing or needs rescue."]
            if lacks
            else []
        ),
    )
    return section(f"{title}: strategies side by side", rows, *notes)


def _reasons(found: tuple[Compared, ...]) -> RenderableType | None:
    rows = table("Strategy!", "$/share>", "Why it falls short")
    best = found[0].plan.value_per_share_usd if found and found[0].plan.tables else math.nan
    for c in found[1:]:
        if not c.plan.tables:
            fill(rows, c.strategy, "", c.plan.note or c.plan.status.replace("_", " "))
            continue
        told = [f"{LABELS.get(name, name)} {usd:+.2f}" for name, usd in _told(c)]
        reasons = ["; ".join(told)] if told else ["worth the same"]
        behind = number(c.plan.value_per_share_usd - best, 2)
        fill(rows, c.strategy, behind, "\n".join([*reasons, *(f"not had: {m}" for m in c.missed)]))
    return section("Against the optimal plan", rows) if len(found) > 1 else None


def _told(c: Compared) -> list[tuple[str, float]]:
    """The lines that differ most from the optimal plan."""
    return [(name, usd) for name, usd in c.lost[:LINES_TOLD] if abs(usd) >= SHOWN_USD]
