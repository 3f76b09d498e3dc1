"""Sources and uses that balance, and money raised by quarter."""

from rich.console import Group, RenderableType

from models.domain.ledger import CashLine
from optimizer.report.figures import Figures
from optimizer.report.layout import fill, section, table

LABELS: dict[str, str] = {
    "opening cash": "cash at the opening",
    "closing cash": "cash at the end",
    CashLine.RENT: "rent received",
    CashLine.RELET_RENT: "rent of halls let again",
    CashLine.TENANT_CREDIT: "tenants' money credited on rent",
    CashLine.LATE_DAMAGES: "damages for late halls",
    CashLine.OPEX: "running costs of halls",
    CashLine.HPC_POWER: "power of halls",
    CashLine.MINING_MARGIN: "mining margin",
    CashLine.DEMAND_CHARGE: "demand charges",
    CashLine.DEMAND_RECOVERED: "demand charges recovered",
    CashLine.TAKE_OR_PAY: "power paid but not taken",
    CashLine.RESALE_GAIN: "power resold",
    CashLine.FIXED_COST: "fixed costs of sites",
    CashLine.MODULE_SPEND: "new halls, GPUs and power",
    CashLine.RENEWAL_CAPEX: "GPUs and halls renewed",
    CashLine.EQUIPMENT_SPEND: "new halls, GPUs and power",
    CashLine.COOLING_SPEND: "new halls, GPUs and power",
    CashLine.EXPANSION_SPEND: "new halls, GPUs and power",
    CashLine.ONCE_SPEND: "new halls, GPUs and power",
    CashLine.COMMITMENT_SPEND: "building begun before",
    CashLine.CANCEL_FEE: "cancellation fees",
    CashLine.SITE_PURCHASE: "sites bought",
    CashLine.SITE_SALE: "sites sold",
    CashLine.BLOCK_SALE: "halls sold",
    CashLine.MACHINE_PURCHASE: "machines bought and moved",
    CashLine.MACHINE_MOVE: "machines bought and moved",
    CashLine.MACHINE_SALE: "machines sold",
    CashLine.TENANT_MONEY: "tenants' money",
    CashLine.TENANT_REFUND: "tenants' money paid back",
    CashLine.TERMINATION_FEE: "paid for contracts that end",
    CashLine.SECURITY: "security for power",
    CashLine.PROJECT_DRAWS: "project debt drawn",
    CashLine.ESCROW_INCOME: "interest earned",
    CashLine.INTEREST_INCOME: "interest earned",
    CashLine.PROJECT_INTEREST: "project debt interest",
    CashLine.PROJECT_PRINCIPAL: "project debt repaid",
    CashLine.RESERVE_RELEASE: "reserves and escrow released",
    CashLine.LEASE_DRAWS: "GPUs paid by lessors",
    CashLine.LEASE_INTEREST: "GPU leases interest",
    CashLine.LEASE_PRINCIPAL: "GPU leases repaid",
    CashLine.ESCROW_RELEASE: "reserves and escrow released",
    CashLine.DEBT_DRAWS: "existing loans drawn",
    CashLine.DEBT_INTEREST: "existing loans interest",
    CashLine.DEBT_PRINCIPAL: "existing loans repaid",
    CashLine.CALL_PREMIUM: "existing loans called, above par",
    CashLine.BITCOIN_SALE: "bitcoin sold",
    CashLine.CASH_MARGIN: "cash beside pledged bitcoin",
    CashLine.LOAN_PROCEEDS: "loans against bitcoin, net",
    CashLine.REFINANCED: "existing loans rolled into new ones",
    CashLine.LOAN_INTEREST: "new loans interest",
    CashLine.LOAN_PRINCIPAL: "new loans repaid",
    CashLine.OVERHEAD: "overhead",
    CashLine.OTHER_LINES: "further lines of business",
    CashLine.CONVERT_COUPON: "convertible coupons",
    CashLine.CONVERT_PRINCIPAL: "convertibles repaid in cash",
    CashLine.CONVERT_PROCEEDS: "convertibles issued, net",
    CashLine.EQUITY_PROCEEDS: "shares sold, net",
    CashLine.TAX: "tax paid",
    CashLine.NOTES_PROCEEDS: "corporate notes issued, net",
    CashLine.NOTES_INTEREST: "corporate notes interest",
    CashLine.NOTES_PRINCIPAL: "corporate notes repaid",
    CashLine.REVOLVER_DRAWN: "revolver drawn",
    CashLine.REVOLVER_REPAID: "revolver repaid",
    CashLine.REVOLVER_INTEREST: "revolver interest and fees",
    CashLine.REPURCHASE: "convertibles bought back",
    CashLine.PAYOUTS: "paid to shareholders",
    CashLine.PARTNER_CONTRIBUTED: "put in by partners",
    CashLine.PARTNER_DISTRIBUTED: "paid out to partners",
    CashLine.RESCUE: "rescue funding",
}
"""What a line of the cash flow is called; lines of one name on one side are added up."""
QUARTERS_A_ROW = 7


def sources_and_uses(figures: Figures) -> RenderableType:
    """Two columns with the same total."""
    sources, uses = (_grouped(figures, side) for side in ("source", "use"))
    found = table("Sources!", "$M>", "Uses!", "$M>")
    for i in range(max(len(sources), len(uses))):
        left, right = (_at(figures, side, i) for side in (sources, uses))
        fill(found, *left, *right)
    totals = [figures.usd_m(sum(x for _, x in side)) for side in (sources, uses)]
    fill(found, "total", totals[0], "total", totals[1], style="bold")
    span = f"{figures.quarters[0]} to {figures.last_quarter}"
    weighted = ", probability-weighted" if figures.is_tree else ""
    return section(f"Sources and uses of cash, {span}{weighted}", found, figures.rounding)


def raised(figures: Figures) -> RenderableType:
    """Instruments by quarter, gross; only what is not zero."""
    amounts: dict[str, dict[str, float]] = {}
    for row in figures.rows("financing"):
        closed = " (closed)" if row["kind"] == "project_debt" else ""
        by_quarter = amounts.setdefault(f"{row['instrument']}{closed}", {})
        quarter = figures.quarter_of(row)
        by_quarter[quarter] = by_quarter.get(quarter, 0.0) + figures.expected([row], "gross_usd_m")
    weighted = ", probability-weighted" if figures.is_tree else ""
    title = f"Money raised by quarter, gross, $M{weighted}"
    used = sorted({q for by_quarter in amounts.values() for q, x in by_quarter.items() if abs(x) > 1e-9})
    if not used:
        return section(title, "Nothing is raised.")
    spans = [used[i : i + QUARTERS_A_ROW] for i in range(0, len(used), QUARTERS_A_ROW)]
    parts = [_span(figures, amounts, span, with_total=span is spans[-1]) for span in spans]
    notes = [f"Quarters without new money left out; {figures.rounding}"]
    if any(row["kind"] == "project_debt" for row in figures.rows("financing")):
        notes.append(
            "Project debt is what lenders commit when it closes; what is drawn stands in the sources."
        )
    if any(row["kind"] in ("revolver", "repurchase") for row in figures.rows("financing")):
        notes.append("What is repaid on a revolver, and the principal bought back, are negative.")
    return section(title, Group(*parts), *notes)


def _grouped(figures: Figures, side: str) -> list[tuple[str, float]]:
    """Lines of one side under their names, the cash first or last, the rest by size."""
    sums: dict[str, float] = {}
    for row in figures.rows("sources_uses"):
        if row["side"] == side:
            item = str(row["item"])
            name = LABELS.get(item) or LABELS.get(item.replace("_", " ")) or item.replace("_", " ")
            sums[name] = sums.get(name, 0.0) + figures.expected([row], "usd_m")
    ends = {LABELS["opening cash"]: -1, LABELS["closing cash"]: 1}
    return sorted(sums.items(), key=lambda pair: (ends.get(pair[0], 0), -pair[1]))


def _at(figures: Figures, side: list[tuple[str, float]], i: int) -> tuple[str, str]:
    return (side[i][0], figures.usd_m(side[i][1])) if i < len(side) else ("", "")


def _span(
    figures: Figures, amounts: dict[str, dict[str, float]], quarters: list[str], *, with_total: bool
) -> RenderableType:
    """Some quarters of the money raised; the last span has the total of all."""
    found = table("Instrument!", *(f"{q}>" for q in quarters), *(["all>"] if with_total else []))

    def cells(by_quarter: dict[str, float]) -> list[str]:
        shown = [figures.usd_m(by_quarter[q]) if abs(by_quarter.get(q, 0.0)) > 1e-9 else "" for q in quarters]
        return [*shown, figures.usd_m(sum(by_quarter.values()))] if with_total else shown

    for instrument, by_quarter in amounts.items():
        if with_total or any(q in by_quarter for q in quarters):
            fill(found, instrument, *cells(by_quarter))
    all_of_them: dict[str, float] = {}
    for by_quarter in amounts.values():
        for q, x in by_quarter.items():
            all_of_them[q] = all_of_them.get(q, 0.0) + x
    fill(found, "total", *cells(all_of_them), style="bold")
    return found
