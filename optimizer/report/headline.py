"""The head of the view: what was proved, what a share is worth, how far to trust it."""

import math

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.domain.portfolio import TABLES as INPUT_TABLES
from optimizer.plans.plan import Plan
from optimizer.plans.tables import BY_NAME
from optimizer.report.figures import Figures, guessed, number, percent
from optimizer.report.layout import fill, section, table
from optimizer.report.leans import leans_on, worth_nothing

STATUS_STYLES = {"optimal": "bold green", "feasible": "bold yellow"}
OVERRIDES_SHOWN = 6
LEAST_SHOWN = 1e-5
"""A smaller part of a bound is tolerance."""


def headline(figures: Figures) -> RenderableType:
    """Title, status, value per share, and what it rests on."""
    plan = figures.plan
    span = f"{figures.quarters[0]} to {figures.last_quarter}, {len(figures.quarters)} quarters"
    scenario = f"tree of {len(figures.leaves)} leaves" if figures.is_tree else f"scenario {plan.scenario}"
    title = Text(plan.title, style="bold")
    about = Text(f"{plan.name}, as of {plan.as_of}; {scenario}; {span}", style="dim")
    return Group(
        title,
        about,
        Text(""),
        _status(figures),
        section(f"Value per share, $, {plan.taxes}", _per_share(figures)),
        _rests_on(figures),
    )


def proved(plan: Plan) -> str:
    """What the solve proved, in a sentence."""
    name = "per share" if plan.objective == "per-share" else "in value"
    bound = _amount(plan, plan.bound)
    if plan.gap > 10.0 or plan.gap != plan.gap:
        return "how far it is from the best plan is not proved"
    return f"no plan is worth more than {bound} {name}: a gap of {percent(plan.gap, 2)}"


def _status(figures: Figures) -> RenderableType:
    plan = figures.plan
    line = Text(plan.status.replace("_", " "), style=STATUS_STYLES.get(plan.status, "bold red"))
    if plan.status == "equity_under_water":
        line.append(": no plan found has positive value per share; this one has the greatest value")
    else:
        line.append(f": {proved(plan)}")
    if plan.status == "feasible_with_rescue":
        rescue = figures.expected(
            (r for r in figures.rows("financing") if r["kind"] == "rescue"), "gross_usd_m"
        )
        line.append(f"; it needs ${figures.usd_m(rescue)}M of rescue funding at the penal price")
        line.append(" (hashshift explain says why)")
    if plan.note and plan.status != "equity_under_water":
        line.append(f" ({plan.note})")
    return line


def _per_share(figures: Figures) -> Table:
    plan = figures.plan
    found = table("", ">", "")
    found.show_header = False
    horizon = f"at the end of {figures.last_quarter}"
    mean = ", probability-weighted" if figures.is_tree else ""
    fill(found, "now", number(plan.price_usd, 2), "market price at the opening")
    is_possible = math.isfinite(plan.committed_value_per_share_usd)
    fill(
        found,
        "committed only",
        number(plan.committed_value_per_share_usd, 2) if is_possible else "none",
        f"{horizon}: nothing new begun, raised only what commitments need",
    )
    earned = f"{horizon}{mean}: nothing is left for today's shareholders"
    if plan.value_per_share_usd > 0.0:
        earned = f"{horizon}{mean}: {percent(plan.implied_return, 1)} a year for a buyer at today's price"
    fill(found, "with the plan", number(plan.value_per_share_usd, 2), earned, style="bold")
    return found


def _rests_on(figures: Figures) -> RenderableType:
    plan = figures.plan
    lines = [
        f"Of the value, {percent(plan.beyond_horizon_frac)} lies beyond the horizon and "
        f"{percent(plan.beyond_contracts_frac)} beyond contracts signed at the opening.",
        *worth_nothing(figures),
        *leans_on(figures),
        *_less_than_committed(plan),
        guessed(plan.evidence.guesses, plan.evidence.money_inputs),
        *_changed(plan),
        audit_line(plan),
        *bound_line(plan),
        *_warnings(plan),
    ]
    return Group(Text(""), *(Text(line) for line in lines))


def audit_line(plan: Plan) -> str:
    """The auditor's verdict in a line."""
    verdict = "passed" if plan.audit.passed else "FAILED"
    checks = f"{number(plan.audit.checks)} checks rebuilt from inputs and decisions alone"
    return f"Audit {verdict}: {checks}."


def bound_line(plan: Plan) -> list[str]:
    """Which part of the bound is checked by arithmetic that trusts no solver, and which is not."""
    checked = plan.audit.bound_checked
    if not math.isfinite(checked):
        return ["The bound rests on the solver alone: it gave no prices to derive one from."]
    said = f"Bound of {_amount(plan, checked)} checked without trust in the solver's arithmetic"
    if checked - plan.bound <= LEAST_SHOWN * abs(checked):
        return [f"{said}: all that is claimed."]
    return [f"{said}; that it is {_amount(plan, plan.bound)} rests on the solver's branch and bound."]


def _amount(plan: Plan, amount: float) -> str:
    if plan.objective == "per-share":
        return f"${number(amount, 2)}"
    return f"${number(amount, int(abs(amount) < 1000.0))}M"


def _less_than_committed(plan: Plan) -> list[str]:
    """Greatest value is not always the greatest value per share."""
    if plan.objective != "value" or not plan.value_per_share_usd < plan.committed_value_per_share_usd:
        return []
    worth = f"{number(plan.value_per_share_usd, 2)} per share"
    return [
        f"This plan has the greatest value in all, not per share: at ${worth} today's shareholders have less "
        f"than the ${number(plan.committed_value_per_share_usd, 2)} of doing only what is committed."
    ]


def _changed(plan: Plan) -> list[str]:
    kept = _kept(plan)
    changed = [row for row in plan.evidence.overridden if not row.startswith("provenance ")]
    if not changed:
        return kept
    more = f" and {len(changed) - OVERRIDES_SHOWN} more" if len(changed) > OVERRIDES_SHOWN else ""
    return [*kept, f"Changed from the catalogue or by --set: {', '.join(changed[:OVERRIDES_SHOWN])}{more}."]


def _kept(plan: Plan) -> list[str]:
    """Whose first decisions these are."""
    options = plan.run.get("options")
    said = options if isinstance(options, dict) else {}
    if not said.get("keep_decisions"):
        return []
    to = said.get("keep_to") or plan.tree.first + 1
    return [f"Decisions up to {to} are those of {said['keep_decisions']}."]


def _warnings(plan: Plan) -> list[str]:
    """Doubts about the plan itself, and how many there are about its input."""
    of_plan = [f for f in plan.findings if f.table in BY_NAME and f.table not in INPUT_TABLES]
    said = [f"Doubt: {f.table} {f.row}: {f.message}; {f.remedy}." for f in of_plan]
    count = len(plan.findings) - len(of_plan)
    of_input = f"{count} warning{'s' * (count != 1)} on the input; 'hashshift check' lists them."
    return [*said, *([of_input] if count else [])]
