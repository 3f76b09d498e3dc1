"""Equipment ordered apart: in time, a part of what its halls cost, and no trade by itself."""

from collections.abc import Iterator

from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.checks.register import error, listed, reads


@reads("long_lead")
def needed_within_lead(portfolio: Portfolio) -> Iterator[Finding]:
    """An order does not come after the start that it serves."""
    for row in portfolio.long_lead:
        if row.needed_after_q > row.lead_q:
            message = f"needed {row.needed_after_q} quarters after a start, delivered after {row.lead_q}"
            remedy = "write at most lead_q: then it is ordered with the start"
            yield error("equipment-lead", row, "needed_after_q", message, remedy)


@reads("long_lead", "site_products", "products")
def part_of_capex(portfolio: Portfolio) -> Iterator[Finding]:
    """What is ordered apart is a part of the capex of the modules that need it."""
    products = {p.product: p for p in portfolio.products}
    for row in portfolio.long_lead:
        for sp in portfolio.site_products:
            product = products.get(sp.product)
            if product is None or not row.serves(sp.product, sp.site):
                continue
            apart = [x for x in portfolio.long_lead if x.serves(sp.product, sp.site)]
            cost = sum(x.cost_usd_m_per_mw for x in apart)
            whole = product.capex_usd_m_per_mw * sp.capex_factor_frac * (1.0 + product.contingency_frac)
            if cost >= whole:
                message = f"{cost:g} ordered apart of the {whole:g} that {sp.product} costs at {sp.site}"
                remedy = "capex_usd_m_per_mw of products has this equipment in it: write less than it here"
                yield error("equipment-share", row, "cost_usd_m_per_mw", message, remedy)
                break


@reads("long_lead", "tax_groups")
def no_equipment_trade(portfolio: Portfolio) -> Iterator[Finding]:
    """Resale and the tax that its cost saves never pay for equipment that nobody uses."""
    rate = max((g.rate_frac for g in portfolio.tax_groups), default=0.0)
    for row in portfolio.long_lead:
        if row.resale_frac + rate >= 1.0:
            message = f"{row.resale_frac:g} on resale and {rate:g} of tax pay for it"
            yield error("equipment-trade", row, "resale_frac", message, f"write less than {1.0 - rate:g}")


@reads("vendor_leases", "products")
def leases_of_gpus(portfolio: Portfolio) -> Iterator[Finding]:
    """Lessors pay for the GPUs of products that have some."""
    without = {p.product for p in portfolio.products if p.gpu_capex_usd_m_per_mw == 0.0}
    for row in portfolio.vendor_leases:
        named = [name for name in row.products if name in without]
        if named:
            message = f"{listed(named)} has no GPUs that a lessor could pay for"
            yield error(
                "lease-without-gpus", row, "products", message, "leave it out, or write its GPU capex"
            )


CHECKS = (needed_within_lead, part_of_capex, no_equipment_trade, leases_of_gpus)
