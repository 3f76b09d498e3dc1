"""Sites bought and sold: what a trade must say, and what may not stand at a site that is not ours yet."""

from collections.abc import Iterator

from models.domain.portfolio import Portfolio
from models.domain.site import Site
from models.findings import Finding
from optimizer.inputs.checks.register import doubt, error, reads


@reads("sites", "company")
def purchases_said(portfolio: Portfolio) -> Iterator[Finding]:
    """Price and quarter for a site that is to be bought, within the plan; none for one that is owned."""
    for site in portfolio.sites:
        for column in ("purchase_usd_m", "purchase_by_quarter"):
            if site.is_owned != (getattr(site, column) is None):
                message = "it is owned already" if site.is_owned else f"a {site.state} site needs it"
                remedy = "leave it empty, or make it a candidate" if site.is_owned else "write it"
                yield error("purchase-terms", site, column, message, remedy)
        by = site.purchase_by_quarter
        for firm in portfolio.company[:1]:
            last = firm.first_quarter + (firm.horizon_q - 1)
            if by is not None and by < firm.first_quarter:
                message = f"{by} is before the plan begins in {firm.first_quarter}"
                yield error(
                    "purchase-terms", site, "purchase_by_quarter", message, "it lapsed, or it is owned"
                )
            if by is not None and site.state == "pending" and by > last:
                message = f"{by} is after the plan ends in {last}"
                yield error("purchase-terms", site, "purchase_by_quarter", message, "delete the site")


@reads("sites", "commitments", "debt", "tax_groups")
def sales_said(portfolio: Portfolio) -> Iterator[Finding]:
    """Only what is owned, without commitments, and never the last site that secures a loan, is for sale."""
    committed = {c.site for c in portfolio.commitments}
    indebted = {d.entity for d in portfolio.debt if d.kind not in ("corporate", "btc")}
    kept = {s.entity for s in portfolio.sites if s.sale_usd_m_per_mw is None}
    for site in portfolio.sites:
        if site.sale_usd_m_per_mw is None:
            offered = {"sale_cost_frac"} if site.sale_cap_rate_frac is not None else set()
            for column in ("sale_cost_frac", "book_value_usd_m"):
                if getattr(site, column) is not None and column not in offered:
                    yield error("sale-terms", site, column, "the site is not for sale", "leave it empty")
            continue
        if portfolio.tax_groups and site.book_value_usd_m is None:
            message = "its gain is taxed, and what it stands in the tax books at is not known"
            yield error(
                "sale-terms", site, "book_value_usd_m", message, "write it, or a guess with its range"
            )
        if not site.is_owned:
            message = "what is bought is not sold again"
            yield error("sale-terms", site, "sale_usd_m_per_mw", message, "leave it empty until it is owned")
        if site.site in committed:
            message = "commitments stand at it"
            yield error("sale-terms", site, "sale_usd_m_per_mw", message, "leave it empty")
        if site.entity in indebted and site.entity not in kept:
            message = f"loans of '{site.entity}' are secured by it, and none of its sites is kept"
            yield error(
                "sale-terms", site, "sale_usd_m_per_mw", message, "leave one of its sites without a price"
            )


@reads("sites", "commitments")
def halls_to_sell(portfolio: Portfolio) -> Iterator[Finding]:
    """A cap rate stands where halls are let, or may be."""
    committed = {c.site for c in portfolio.commitments}
    for site in portfolio.sites:
        if (site.sale_cap_rate_frac is None) != (site.sale_term_left_q is None):
            missing = "sale_term_left_q" if site.sale_term_left_q is None else "sale_cap_rate_frac"
            message = "a cap rate is asked for a lease that has so long to run: each needs the other"
            yield error("sale-terms", site, missing, message, "write both, or neither")
        if site.sale_cap_rate_frac is not None and not site.hpc_allowed and site.site not in committed:
            message = "no hall is let there, or may be"
            yield error("sale-terms", site, "sale_cap_rate_frac", message, "leave it empty")


@reads("sites", "fleets", "commitments")
def empty_until_ours(portfolio: Portfolio) -> Iterator[Finding]:
    """Nothing stands or is committed at a site that is yet to be bought."""
    later: dict[str, Site] = {s.site: s for s in portfolio.sites if not s.is_owned}
    for fleet in portfolio.fleets:
        if fleet.site in later and fleet.mw > 0.0:
            message = f"'{fleet.site}' is not ours at the opening"
            yield error("not-ours-yet", fleet, "site", message, "put the machines where they stand")
    for commitment in portfolio.commitments:
        row = later.get(commitment.site)
        if row is not None and row.state == "candidate":
            message = f"'{commitment.site}' may never be bought"
            yield error("not-ours-yet", commitment, "site", message, "make the site pending or owned")


@reads("sites", "power")
def no_quick_flip(portfolio: Portfolio) -> Iterator[Finding]:
    """A candidate's power is worth no multiple of its price by a stated number alone."""
    for site in portfolio.sites:
        if site.state != "candidate":
            continue
        price = site.purchase_usd_m or 0.0
        power = [p.energised_mw for p in portfolio.power if p.site == site.site]
        worth = max(power, default=0.0) * site.unconverted_value_usd_m_per_mw
        if worth > price:
            message = f"unused, its power counts {worth:.4g} $M at the leaf and costs {price:.4g}"
            remedy = "value it at its price at most, or the plan buys it for the number alone"
            yield doubt("land-over-price", site, "unconverted_value_usd_m_per_mw", message, remedy)


CHECKS = (purchases_said, sales_said, halls_to_sell, empty_until_ours, no_quick_flip)
