"""What the strategy asked of a site got: what could be converted there, and what stays unmet."""

from models.domain.site import Site
from optimizer.plans.reading import Reading
from optimizer.plans.sites import FULL_FRAC, SiteYears


def strategies(r: Reading) -> list[dict[str, object]]:
    """Rows by site and leaf, of sites of which something is asked."""
    p = r.program.params
    found: list[dict[str, object]] = []
    for site in p.portfolio.sites:
        asked = p.portfolio.strategy_of(site)
        if asked == "optimal":
            continue
        years = SiteYears(r, site)
        for leaf in p.tree.leaves:
            convertible, least = _convertible(r, site, leaf)
            found.append(
                {
                    "site": site.site,
                    "leaf": r.labels[leaf],
                    "asked": asked,
                    "convertible_mw": convertible,
                    "unmet_mw": _unmet(asked, years.committed_and_begun_gross(leaf), convertible, least),
                }
            )
    return found


def _convertible(r: Reading, site: Site, leaf: int) -> tuple[float, float]:
    """Gross MW that could become HPC, and that of the smallest module; zeros where none may be built."""
    p = r.program.params
    products = {x.product: x for x in p.portfolio.products}
    rows = [x for x in p.portfolio.site_products if x.site == site.site]
    if not rows or not site.hpc_allowed:
        return 0.0, 0.0
    committed = sum(c.reserved_gross_mw for c in p.commitments if c.commitment.site == site.site)
    critical = site.max_hpc_critical_mw / max(products[x.product].gross_to_critical_ratio for x in rows)
    modules = sum(x.max_modules * products[x.product].gross_mw for x in rows)
    most = committed + min(critical, modules)
    energised, ours = float(p.power[site.site].energised_mw[leaf]), float(r.ours(site.site)[leaf])
    return min(energised, most) * ours, min(products[x.product].gross_mw for x in rows) * ours


def _unmet(asked: str, hpc: float, convertible: float, least: float) -> float:
    """Gross MW too few, or for a hybrid too many; what machines leave of the slack is no part of it."""
    if asked == "mine":
        return 0.0
    if asked == "full":
        return max(0.0, convertible - least - hpc)
    too_many = max(0.0, hpc - FULL_FRAC * convertible) if asked == "hybrid" else 0.0
    return max(0.0, least - hpc) + too_many
