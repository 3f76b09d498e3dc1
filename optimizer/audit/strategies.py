"""What the strategies asked for get, measured again."""

from models.domain.site import Site
from optimizer.audit.tables_physical import Rows
from optimizer.audit.world import World

_MOST_OF_A_HYBRID = 0.95


def strategies(world: World) -> Rows:
    """Sites of which something is asked, at each leaf."""
    book = world.book
    found: Rows = {}
    for name, site in book.sites.items():
        asked = site.strategy or book.firm.strategy
        if asked in (None, "optimal"):
            continue
        for leaf in book.tree.leaves:
            sizes = _module_sizes(world, site)
            power = book.power(name, book.tree.quarter(leaf))
            energised = power.energised_mw if power else 0.0
            could = min(energised, _most_gross_mw(world, site)) if sizes else 0.0
            hpc, ours = world.sites.of[name].reserved_mw[leaf], world.sites.estate.ours(name, leaf)
            could *= ours
            few = max(0.0, min(sizes) * ours - hpc) if sizes else 0.0
            unmet = {
                "mine": 0.0,
                "flexible": few,
                "hybrid": few + max(0.0, hpc - _MOST_OF_A_HYBRID * could),
                "full": max(0.0, could - min(sizes, default=0.0) * ours - hpc),
            }[str(asked)]
            found[name, book.tree.label(leaf)] = {"convertible_mw": could, "unmet_mw": unmet}
    return found


def _module_sizes(world: World, site: Site) -> list[float]:
    """Gross MW of each kind of module that may stand there."""
    rows = [r for r in world.book.portfolio.site_products if r.site == site.site and site.hpc_allowed]
    return [_gross(world, row.product) for row in rows]


def _gross(world: World, product: str) -> float:
    terms = world.book.products[product]
    return terms.module_mw / terms.gross_to_critical_ratio


def _most_gross_mw(world: World, site: Site) -> float:
    """Commitments, and modules within the site's critical MW at the densest product."""
    book = world.book
    rows = [r for r in book.portfolio.site_products if r.site == site.site]
    signed = sum(
        one.total_mw * one.lease.gross_per_mw
        for one in world.sites.commitments
        if one.commitment.site == site.site
    )
    densest = max(book.products[r.product].gross_to_critical_ratio for r in rows)
    stacked = sum(r.max_modules * _gross(world, r.product) for r in rows)
    return signed + min(site.max_hpc_critical_mw / densest, stacked)
