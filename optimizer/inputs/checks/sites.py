"""The company's parts and its sites: who owns them, and whether their power and cooling are said."""

from collections.abc import Iterator

from models.domain.portfolio import Portfolio
from models.domain.site import Power, Site
from models.findings import Finding
from models.timetree import Quarter
from optimizer.inputs.checks.register import doubt, error, listed, reads


@reads("company")
def one_company(portfolio: Portfolio) -> Iterator[Finding]:
    """There is exactly one company."""
    if not portfolio.company:
        yield Finding("error", "company-count", "company", "", "", "there is no company", "write one row")
    for extra in portfolio.company[1:]:
        yield error("company-count", extra, "", "there is more than one company", "keep one row")


@reads("entities")
def one_parent(portfolio: Portfolio) -> Iterator[Finding]:
    """Exactly one entity is the treasury."""
    parents = [e for e in portfolio.entities if e.kind == "parent"]
    if not parents:
        message = "no entity is the parent"
        yield Finding(
            "error", "parent-count", "entities", "", "kind", message, "make one row's kind 'parent'"
        )
    for extra in parents[1:]:
        message = f"'{parents[0].entity}' is the parent already"
        yield error("parent-count", extra, "kind", message, "make the others' kind 'spv'")


@reads("sites", "entities")
def owned_by_spv(portfolio: Portfolio) -> Iterator[Finding]:
    """Sites belong to borrowers below the parent."""
    parents = {e.entity for e in portfolio.entities if e.kind == "parent"}
    if not portfolio.sites:
        yield Finding("error", "no-site", "sites", "", "", "there is no site", "write at least one row")
    for site in portfolio.sites:
        if site.entity in parents:
            remedy = "give it an entity of kind 'spv'; one may own all sites"
            yield error("site-of-parent", site, "entity", f"'{site.entity}' is the parent", remedy)


@reads("valuation", "products", "machines")
def streams_valued(portfolio: Portfolio) -> Iterator[Finding]:
    """Every stream that can be live at the leaf has its rate."""
    known = {v.stream for v in portfolio.valuation}
    used = {str(p.workload) for p in portfolio.products} | {"overhead"}
    for stream in sorted(used | ({"mining"} if portfolio.machines else set())):
        if stream not in known:
            message = f"stream '{stream}' has no row"
            remedy = "add it, or take it from the catalogue among the settings"
            yield Finding("error", "stream-not-valued", "valuation", stream, "stream", message, remedy)
    for row in portfolio.valuation:
        if (row.years is None) == (row.stream == "overhead"):
            wanted = (
                "say for how many years overhead goes on" if row.stream == "overhead" else "leave it empty"
            )
            yield error("overhead-years", row, "years", "years are for overhead, and only for it", wanted)
        for column, stream in (("growth_frac_per_year", "overhead"), ("decline_frac_per_year", "mining")):
            if getattr(row, column) and row.stream != stream:
                message = f"only {stream} is valued with it"
                yield doubt("other-stream", row, column, message, f"write 0, or change the row of {stream}")


@reads("sites", "power", "company")
def power_at_opening(portfolio: Portfolio) -> Iterator[Finding]:
    """Every site has a power row that holds in the first quarter."""
    for firm in portfolio.company[:1]:
        for site in portfolio.sites:
            if power_in(portfolio, site.site, firm.first_quarter) is None:
                message = f"power has no row of it at or before {firm.first_quarter}"
                yield error("no-power", site, "site", message, f"add a power row from {firm.first_quarter}")


def power_in(portfolio: Portfolio, site: str, quarter: Quarter) -> Power | None:
    """The power row that holds at a site in a quarter."""
    rows = [p for p in portfolio.power if p.site == site and p.from_quarter <= quarter]
    return max(rows, key=lambda p: p.from_quarter, default=None)


@reads("sites", "power")
def power_priced(portfolio: Portfolio) -> Iterator[Finding]:
    """A price where it is fixed, a market where it is not."""
    sites = {s.site: s for s in portfolio.sites}
    for power in portfolio.power:
        fixed = power.price_basis == "fixed"
        if fixed and power.price_usd_per_mwh is None:
            yield error(
                "price-basis", power, "price_usd_per_mwh", "a fixed price is missing", "write it in $ per MWh"
            )
        if not fixed and power.price_usd_per_mwh is not None:
            message = "power on spot has no fixed price"
            yield error(
                "price-basis", power, "price_usd_per_mwh", message, "leave it empty, or make it fixed"
            )
        if not fixed and power.take_or_pay_frac > 0:
            message = "take-or-pay is at the fixed price, and there is none"
            yield error("price-basis", power, "take_or_pay_frac", message, "write 0, or make the price fixed")
        yield from _market_faults(power, sites.get(power.site))


def _market_faults(power: Power, site: Site | None) -> Iterator[Finding]:
    if site is None or site.market is not None:
        return
    remedy = f"name a market of market_shapes in the row of '{site.site}' in sites"
    if power.price_basis == "spot":
        yield error("no-market", power, "price_basis", "spot power needs the site's market", remedy)
    if power.resale_allowed:
        yield error("no-market", power, "resale_allowed", "resale needs the site's market", remedy)


@reads("site_products", "sites", "products", "cooling", "regions")
def buildable(portfolio: Portfolio) -> Iterator[Finding]:
    """What may be built at a site can be cooled there, and is allowed."""
    sites = {s.site: s for s in portfolio.sites}
    products = {p.product: p for p in portfolio.products}
    regions = {r.region: r for r in portfolio.regions}
    for row in portfolio.site_products:
        site, product = sites.get(row.site), products.get(row.product)
        if site is None or product is None:
            continue
        present = [c.cooling for c in portfolio.cooling if c.site == row.site]
        if product.cooling not in present:
            message = f"it needs cooling '{product.cooling}'; the site has {listed(present)}"
            yield error("no-cooling", row, "product", message, f"add {row.site}|{product.cooling} to cooling")
        if not site.hpc_allowed:
            yield doubt(
                "not-allowed-here", row, "site", "hpc_allowed is false there", "delete the row, or allow it"
            )
        region = regions.get(site.region)
        if region and product.workload == "gpu_cloud" and not region.gpu_cloud_allowed:
            message = f"gpu_cloud_allowed is false in '{region.region}'"
            yield doubt("not-allowed-here", row, "product", message, "delete the row, or allow it")


@reads("fleets", "sites")
def mining_allowed(portfolio: Portfolio) -> Iterator[Finding]:
    """Machines stand where they may run."""
    barred = {s.site for s in portfolio.sites if not s.mining_allowed}
    for fleet in portfolio.fleets:
        if fleet.site in barred and fleet.mw > 0:
            message = f"mining_allowed is false at '{fleet.site}'"
            yield doubt("not-allowed-here", fleet, "site", message, "allow it, or move the fleet")


MOST_HOURS_PER_Q = 92 * 24


@reads("sites", "cooling", "products", "site_products")
def water_for_halls(portfolio: Portfolio) -> Iterator[Finding]:
    """The water of a site cools what may be built on it, unless dry cooling takes the rest."""
    for site in portfolio.sites:
        if site.water_limit_m3_per_q is None or not site.hpc_allowed:
            continue
        wet_mw, dry_mw, thrift = _coolable(portfolio, site)
        cooled_mw = site.water_limit_m3_per_q / (thrift * MOST_HOURS_PER_Q) if thrift else wet_mw
        wanted = min(site.max_hpc_critical_mw, wet_mw + dry_mw)
        allowed = min(wanted, dry_mw + min(wet_mw, cooled_mw))
        if allowed < wanted - 1e-6:
            message = f"it lets {allowed:,.0f} MW of the {wanted:,.0f} be cooled that may be built"
            need = (wanted - dry_mw) * thrift * MOST_HOURS_PER_Q
            remedy = (
                f"{need:,.0f} would do: check unit and quarter, or leave it empty where water is no limit"
            )
            yield doubt("water-short", site, "water_limit_m3_per_q", message, remedy)


def _coolable(portfolio: Portfolio, site: Site) -> tuple[float, float, float]:
    """Critical MW of products that take water, of others, least water of a MW and hour. [MW, MW, m3]"""
    water = {c.cooling: c.water_m3_per_mwh for c in portfolio.cooling if c.site == site.site}
    most = {x.product: x.max_modules for x in portfolio.site_products if x.site == site.site}
    wet_mw, dry_mw, rates = 0.0, 0.0, []
    for product in portfolio.products:
        mw = most.get(product.product, 0) * product.module_mw
        rate = water.get(product.cooling, 0.0) * product.load_frac
        wet_mw, dry_mw = (wet_mw + mw, dry_mw) if rate > 0.0 else (wet_mw, dry_mw + mw)
        rates += [rate] if rate > 0.0 and mw > 0.0 else []
    return wet_mw, dry_mw, min(rates, default=0.0)


CHECKS = (
    one_company,
    one_parent,
    owned_by_spv,
    streams_valued,
    power_at_opening,
    power_priced,
    buildable,
    mining_allowed,
    water_for_halls,
)
