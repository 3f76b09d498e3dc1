"""Disclosed totals: what the tables come to is what the company has said, or the difference is explained."""

from collections.abc import Iterator

from models.domain.contract import Contract
from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.checks.register import doubt, reads

TOLERANCE_FRAC = 0.01
MONTHS = 0.012
"""$M a year of one $ per kW-month on a MW."""
ROUNDING = 0.05
"""$M or M shares; totals are stated to one decimal."""


def totals_of(portfolio: Portfolio) -> dict[str, float]:
    """Every total that can be stated, from the tables."""
    loans = sum(d.principal_usd_m for d in portfolio.debt)
    notes = sum(c.principal_usd_m for c in portfolio.convertibles)
    cash = sum(
        e.unrestricted_cash_usd_m + e.escrow_usd_m + e.collateral_cash_usd_m for e in portfolio.entities
    )
    cash += sum(d.dsra_usd_m or 0.0 for d in portfolio.debt if d.dsra_form == "cash")
    basic = portfolio.firm.basic_shares_m
    vested = sum(c.shares_m for c in portfolio.share_claims if c.contract is None)
    converted = sum(c.principal_usd_m / c.conversion_price_usd for c in portfolio.convertibles)
    return {
        "loans_usd_m": loans,
        "convertibles_usd_m": notes,
        "debt_usd_m": loans + notes,
        "cash_usd_m": cash,
        "basic_shares_m": basic,
        "diluted_shares_m": basic + vested + converted,
        "bitcoin_btc": sum(lot.btc for lot in portfolio.treasury),
        "energised_mw": sum(_energised_mw(portfolio, site.site) for site in portfolio.sites),
        "contracted_mw": sum(c.max_mw for c in portfolio.contracts if c.state == "committed"),
        "contracted_rent_usd_m": sum(
            MONTHS * c.first_year_rent_usd_per_kw_month * _billed_mw(portfolio, c)
            for c in portfolio.contracts
            if c.state == "committed"
        ),
    }


def _energised_mw(portfolio: Portfolio, site: str) -> float:
    """Gross MW of a site in the first quarter."""
    rows = (r for r in portfolio.power if r.site == site and r.from_quarter <= portfolio.firm.first_quarter)
    latest = max(rows, key=lambda r: r.from_quarter, default=None)
    return latest.energised_mw if latest else 0.0


def _billed_mw(portfolio: Portfolio, contract: Contract) -> float:
    """MW that a committed contract bills once all of its commitments are live."""
    ratios = {p.product: p.gross_to_critical_ratio for p in portfolio.products}
    products = {c.commitment: c.product for c in portfolio.commitments if c.contract == contract.contract}
    gross = contract.billing_basis == "gross"
    return sum(
        flow.mw_live / (ratios.get(products[flow.commitment], 1.0) if gross else 1.0)
        for flow in portfolio.commitment_flows
        if flow.commitment in products
    )


@reads(
    "stated_totals",
    "company",
    "entities",
    "debt",
    "convertibles",
    "share_claims",
    "treasury",
    "sites",
    "power",
    "contracts",
    "commitments",
    "commitment_flows",
    "products",
)
def totals_as_stated(portfolio: Portfolio) -> Iterator[Finding]:
    """Tables come to the stated total within one per cent of it, but for the difference that is explained."""
    found = totals_of(portfolio) if portfolio.company else {}
    for row in portfolio.stated_totals if found else ():
        off = found[row.total] - row.amount
        if abs(off - row.difference) > max(ROUNDING, TOLERANCE_FRAC * row.amount):
            message = (
                f"the tables come to {found[row.total]:,.1f}, {off:+,.1f} off the {row.amount:,.1f} stated"
            )
            remedy = "correct the rows"
            if row.difference:
                remedy += f", or the difference of {row.difference:+,.1f} that is explained"
            else:
                remedy += ", or say the difference and why"
            yield doubt("stated-total", row, "amount", message, remedy)
        elif row.difference and not row.note:
            message = f"a difference of {row.difference:+,.1f} is not explained"
            yield doubt("stated-total", row, "note", message, "say in the note where it comes from")


CHECKS = (totals_as_stated,)
