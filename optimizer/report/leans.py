"""What a planner must not overlook, in plain words: shares worth nothing alone, and what a plan leans on."""

import math
from collections.abc import Mapping

from models.domain.ledger import ValueLine
from optimizer.report.figures import Figures, number

WORTH: dict[str, str] = {
    ValueLine.MACHINES: "mining",
    ValueLine.LAND_AND_POWER: "land and power",
    ValueLine.COMMITTED_CONTRACTS: "signed leases",
    ValueLine.OFFERED_CONTRACTS: "signed leases",
    ValueLine.MERCHANT_CONTRACTS: "halls at the market",
    ValueLine.RENEWALS: "halls let on after their leases",
    ValueLine.RESIDUALS: "halls after their last term",
    ValueLine.CASH: "cash",
    ValueLine.RESTRICTED: "cash",
    ValueLine.HOLDINGS: "holdings",
    ValueLine.BITCOIN: "bitcoin",
    ValueLine.PAYOUTS: "payouts",
}
OWED: dict[str, str] = {
    "convertibles": "convertible notes",
    ValueLine.EXISTING_DEBT: "loans",
    ValueLine.PROJECT_DEBT: "project debt",
    ValueLine.NEW_LOANS: "loans",
    ValueLine.CORPORATE_DEBT: "notes",
    ValueLine.UNEARNED_TENANT_MONEY: "money that tenants have paid ahead",
    ValueLine.REMAINING_SPEND: "building that is still to be paid",
    ValueLine.OVERHEAD: "overhead",
    ValueLine.RESCUE: "rescue funding",
    ValueLine.TAX_LATER: "taxes",
    ValueLine.TAX_OWED: "taxes",
}
"""What a line is called in a sentence."""
NOTHING_USD = 0.005
MOSTLY = 0.9
"""From here on a share of the value is nearly all of it."""


def worth_nothing(figures: Figures) -> list[str]:
    """Why the shares are worth nothing, or the bills cannot be paid, if nothing new is done."""
    plan, last = figures.plan, figures.last_quarter
    alone = plan.committed_value_per_share_usd
    if not math.isfinite(alone):
        return ["Without new leases or projects the company cannot pay for what it has committed to."]
    if alone >= NOTHING_USD:
        return []
    owed, worth = _largest(plan.committed_lines, OWED, -1.0), _largest(plan.committed_lines, WORTH, 1.0)
    left = f"what is left of {' and '.join(worth)}" if worth else "all else"
    why = f": {' and '.join(owed)} come to more than {left}" if owed else ""
    return [f"Without new money or new leases the shares are worth nothing by {last}{why}."]


def leans_on(figures: Figures) -> list[str]:
    """What a plan leans on beyond what the company has."""
    plan, found = figures.plan, []
    money = figures.rows("financing")
    rescue = figures.expected((r for r in money if r["kind"] == "rescue"), "gross_usd_m")
    if figures.is_shown(rescue):
        lent = figures.usd_m(rescue)
        found.append(f"The plan cannot pay its bills without ${lent}M of funding that nobody has offered.")
    if plan.beyond_contracts_frac >= MOSTLY and plan.value_per_share_usd > 0.0:
        found.append("Nearly all of this value rests on leases and prices that nobody has agreed to yet.")
    raised = figures.expected((r for r in money if float(r["shares_m"]) > 0.0), "gross_usd_m")
    cap = plan.price_usd * figures.basic_shares_m
    if cap > 0.0 and raised >= cap:
        sold, times = figures.usd_m(raised), number(raised / cap, 1)
        found.append(f"It sells ${sold}M of shares and convertibles: {times} times today's market value.")
    return [*found, *_falls_due(figures)]


def _falls_due(figures: Figures) -> list[str]:
    """Debt that falls due soon after each leaf, against what is liquid there."""
    found = []
    for row in figures.rows("leaves"):
        if figures.is_shown(float(row["due_8q_usd_m"])):
            due, later, liquid = (figures.usd_m(row[f"{c}_usd_m"]) for c in ("due_4q", "due_8q", "liquidity"))
            where = f" in {str(row['leaf']).partition(':')[2]}" if figures.is_tree else ""
            found.append(
                f"After {figures.last_quarter}{where} ${due}M of debt falls due within four quarters and "
                f"${later}M within eight; ${liquid}M is liquid then."
            )
    return found


def _largest(lines: Mapping[str, float], names: Mapping[str, str], sign: float) -> list[str]:
    """The names of the two largest amounts of one sign, the second only if it is not small."""
    sums: dict[str, float] = {}
    for line, usd_m in lines.items():
        if line in names:
            sums[names[line]] = sums.get(names[line], 0.0) + sign * usd_m
    ranked = sorted((x for x in sums.items() if x[1] > 0.0), key=lambda x: -x[1])[:2]
    return [name for name, usd_m in ranked if usd_m >= 0.2 * ranked[0][1]]
