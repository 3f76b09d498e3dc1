"""What the value is made of, and who it belongs to: a bridge whose two ends meet."""

from rich.console import RenderableType

from models.domain.ledger import ValueLine
from optimizer.report.figures import Figures, number
from optimizer.report.layout import fill, section, table

LABELS: dict[str, str] = {
    ValueLine.COMMITTED_CONTRACTS: "contracts signed at the opening",
    ValueLine.OFFERED_CONTRACTS: "contracts the plan assumes it signs",
    ValueLine.MERCHANT_CONTRACTS: "halls rented at the market",
    ValueLine.RENEWALS: "halls let on after their contracts",
    ValueLine.RESIDUALS: "residuals of halls and GPUs",
    ValueLine.EQUIPMENT: "equipment that no hall has used",
    ValueLine.RENEWAL_CAPEX: "GPUs and halls to be renewed after the horizon",
    ValueLine.MACHINES: "mining machines",
    ValueLine.LAND_AND_POWER: "land and power that halls do not occupy",
    ValueLine.HOLDINGS: "holdings",
    ValueLine.BITCOIN: "bitcoin of the treasury",
    ValueLine.UNCOUNTED_RISE: "bitcoin's rise beyond the cost of equity, not counted",
    ValueLine.CASH: "cash",
    ValueLine.RESTRICTED: "restricted cash",
    ValueLine.EXISTING_DEBT: "existing loans, owed",
    ValueLine.PROJECT_DEBT: "project debt, owed",
    ValueLine.LEASES: "GPU leases, owed",
    ValueLine.NEW_LOANS: "loans against bitcoin and rolled loans, owed",
    ValueLine.CORPORATE_DEBT: "corporate notes and revolver, owed",
    ValueLine.UNEARNED_TENANT_MONEY: "tenants' money not yet earned",
    ValueLine.REMAINING_SPEND: "spend still to come",
    ValueLine.OVERHEAD: "overhead and fixed costs after the horizon",
    ValueLine.TAX_LATER: "tax on what is earned after the horizon",
    ValueLine.TAX_OWED: "tax owed for the last part of a year",
    ValueLine.TAX_LOSSES: "tax losses left",
    ValueLine.PAYOUTS: "paid to shareholders before, with the cost of equity since",
    ValueLine.MINORITY: "what others own of joint ventures and listed subsidiaries",
    ValueLine.RESCUE: "rescue funding at its penal price",
}
"""What a line of the table value is called, in the order in which it is told."""
CLAIMS = {
    "new shares": "shares sold by the plan",
    "awards": "share awards",
    "delivered": "shares that notes deliver before the end",
    "fair cost of notes": "new notes, up to the cost of straight debt",
}
"""What a claim of the table claims is called; the others are notes, warrants and options by name."""


def made_of(figures: Figures) -> RenderableType:
    """Every line of value to its total, and the total shared between others and today's shareholders."""
    plan = figures.plan
    shares, basic = figures.shares_m, figures.basic_shares_m
    found = table("", "$M>", "$ per share>")

    def line(name: str, usd_m: float, style: str = "") -> None:
        fill(found, name, figures.usd_m(usd_m), number(usd_m / shares, 2), style=style)

    values = figures.sums("value", "line")
    total = sum(values.values())
    for name in sorted(values, key=list(LABELS).index):
        if figures.is_shown(values[name]):
            line(LABELS[name], values[name])
    line("value", total, "bold")
    fill(found, "of which belong to", "", "", style="dim")
    claims = _named(figures)
    for name, usd_m in claims.items():
        if figures.is_shown(usd_m):
            line(f"  {name}", usd_m)
    own = plan.value_per_share_usd * basic
    each = f"{number(plan.value_per_share_usd, 2)} x {number(basic, 1)} million shares"
    line(f"  today's shareholders, {each}", own, "bold")
    lacking = total - sum(claims.values()) - own
    if figures.is_shown(lacking):
        line("  what others are owed beyond the value", lacking)
    title = f"What the value is made of, at the end of {figures.last_quarter}"
    title += " (probability-weighted)" if figures.is_tree else ""
    notes = [f"$ per share: over {number(shares, 1)} million economic shares; {figures.rounding}"]
    if figures.is_tree:
        notes.append("A mean value over mean shares is not the value per share, which weighs each future.")
    return section(title, found, *notes)


def _named(figures: Figures) -> dict[str, float]:
    """Claims by what they are called; the new notes of one instrument together."""
    tranches = {str(row["tranche"]) for row in figures.rows("convertibles")}
    found: dict[str, float] = {}
    for claim, usd_m in figures.sums("claims", "claim").items():
        issued, _, when = claim.partition("@")
        name = CLAIMS.get(claim) or (
            (f"new notes {issued}" if when else f"notes {claim}")
            if claim in tranches
            else f"warrants and options {claim}"
        )
        found[name] = found.get(name, 0.0) + usd_m
    return found
