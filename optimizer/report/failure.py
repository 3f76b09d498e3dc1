"""What is said when there is no plan: what conflicts, what grows without limit, or what ran out."""

import re

from rich.console import Group, RenderableType
from rich.text import Text

from optimizer.plans.plan import Plan
from optimizer.report.figures import number

FAMILIES = {
    "ALO": "what sites share: offers, crews, machines",
    "CNV": "modules that can be begun",
    "COM": "commitments",
    "COO": "cooling plant and water",
    "COV": "covenants and budgets",
    "CSH": "company cash and its floor",
    "CVT": "convertible notes",
    "EQT": "sales of shares",
    "MIN": "mining machines",
    "POW": "power at a site",
    "PRJ": "project debt",
    "SPV": "cash of a borrower",
    "TRE": "notes, revolver and repurchases of the company",
    "TEN": "tenants' minimum and maximum MW",
    "VAL": "value and spend at the horizon",
}
SHOWN = 12
HELP = "hashshift explain, with the same portfolio, names the rows that conflict and what would help."


def why_no_plan(plan: Plan) -> RenderableType:
    """A few lines a planner can act on."""
    title = Text(f"{plan.title}: ", style="bold")
    title.append(plan.status.replace("_", " "), style="bold red")
    return Group(title, *(Text(line) for line in _lines(plan)))


def _lines(plan: Plan) -> list[str]:
    if plan.status == "infeasible":
        lines = ["No plan satisfies the portfolio's constraints, whatever is decided.", *_said(plan.note)]
        options = plan.run.get("options")
        if isinstance(options, dict) and options.get("keep_decisions"):
            lines = [f"No plan keeps the decisions of {options['keep_decisions']}.", *_said(plan.note)]
        return [*lines, HELP]
    if plan.status == "unbounded":
        lines = ["Value grows without limit: the inputs hold a money machine.", *_said(plan.note)]
        more = f" and {len(plan.loop) - SHOWN} more" if len(plan.loop) > SHOWN else ""
        grows = [f"These grow together: {', '.join(plan.loop[:SHOWN])}{more}."] if plan.loop else []
        return [*lines, *grows, "Limit one of them, or correct the price that pays for the loop."]
    if plan.status == "equity_under_water":
        return ["No plan found has positive value per share."]
    spent = number(float(plan.seconds.get("total", 0.0)))
    lines = [f"No plan was found in {spent} s; that there is none is not proved.", *_said(plan.note)]
    more = "Give it more time with --time-limit, or a wider --gap."
    return [*lines, *([more] if _out_of_time(plan) else [])]


def _out_of_time(plan: Plan) -> bool:
    """Whether the search used up its time."""
    options = plan.run.get("options")
    limit = options.get("time_limit_s") if isinstance(options, dict) else None
    return limit is not None and float(plan.seconds.get("solve", 0.0)) >= 0.95 * float(limit)


def _said(note: str) -> list[str]:
    """The note, and in words what constraints it names."""
    if not note:
        return []
    named = dict.fromkeys(f for f in re.findall(r"\b([A-Z]{3})-\d+\b", note) if f in FAMILIES)
    meant = [f"{family}: {FAMILIES[family]}" for family in named]
    return [f"Why: {note}", *(f"     {line}" for line in meant)]
