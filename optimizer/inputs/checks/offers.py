"""Offers that nobody can serve: what a site could hold for one by its deadline, at the very most."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from models.domain.contract import Contract
from models.domain.portfolio import Portfolio
from models.domain.product import Product
from models.domain.site import Site, SiteProduct
from models.findings import Finding
from models.timetree import Quarter
from optimizer.inputs.checks.register import doubt, reads
from optimizer.inputs.checks.sites import power_in

ROUNDING_MW = 1e-6


@dataclass(frozen=True)
class Room:
    """Critical MW that a site can have live for an offer, and what it is that allows no more."""

    mw: float
    why: str


@dataclass(frozen=True)
class Fitting:
    """A product that may be begun for the offer at the site in time, and how many of its modules at most."""

    product: Product
    modules: int
    start: Quarter

    @property
    def mw(self) -> float:
        return self.modules * self.product.module_mw


@reads(
    "contracts", "sites", "site_products", "products", "company", "regions", "power", "expansions", "cooling",
    "commitments", "commitment_flows",
)  # fmt: skip
def offers_can_be_met(portfolio: Portfolio) -> Iterator[Finding]:
    """Each offer has a site that can hold what it asks for by its deadline."""
    for contract in portfolio.contracts if portfolio.company else ():
        if not contract.signable or contract.sign_from_quarter is None:
            continue
        rooms = {s.site: _room(portfolio, contract, s) for s in portfolio.sites if s.site in contract.sites}
        if not rooms:
            continue
        where = max(rooms, key=lambda site: rooms[site].mw)
        most = rooms[where]
        if most.mw <= 0.0:
            message = f"no site of it can have a matching product live by the deadline; '{where}': {most.why}"
            remedy = "widen sites, workloads, coolings or deadline, or add rows to site_products"
            yield doubt("unserved-offer", contract, "sites", message, remedy)
        elif most.mw < contract.min_mw - ROUNDING_MW:
            message = f"no site holds {contract.min_mw:g} MW for it; '{where}' holds {most.mw:g}: {most.why}"
            remedy = "lower min_mw, or raise what the site can hold"
            yield doubt("unserved-offer", contract, "min_mw", message, remedy)


def _room(portfolio: Portfolio, contract: Contract, site: Site) -> Room:
    """The most that each limit allows by itself; the program keeps all of them together."""
    firm = portfolio.firm
    last = firm.first_quarter + (firm.horizon_q - 1)
    due = contract.last_delivery_quarter or contract.commencement_quarter + contract.term_q
    fitting = list(_fitting(portfolio, contract, site, due)) if site.hpc_allowed else []
    if not fitting:
        return Room(
            0.0, "nothing that fits can be begun there in time" if site.hpc_allowed else "hpc_allowed"
        )
    within = min(due, last)
    gross = _gross_mw(portfolio, site, within, is_later=due > last)
    limits = [
        Room(sum(f.mw for f in fitting), "max_modules of site_products"),
        Room(site.max_hpc_critical_mw, "max_hpc_critical_mw"),
        Room(_whole(fitting, contract.max_mw), "whole modules within max_mw of the contract"),
        Room(
            sum(min(f.modules, _times(gross, f.product.gross_mw)) * f.product.module_mw for f in fitting),
            f"{gross:g} gross MW energised by {within} and not committed",
        ),
        Room(
            max(f.product.gross_to_critical_ratio for f in fitting) * gross,
            f"{gross:g} gross MW energised by {within} and not committed",
        ),
        Room(_cooled_mw(portfolio, site, fitting, due), f"cooling plant ready by {due}"),
        Room(_built_mw(portfolio, fitting, due, last), "building_cap_mw of the company"),
    ]
    return min(limits, key=lambda limit: limit.mw)


def _fitting(portfolio: Portfolio, contract: Contract, site: Site, due: Quarter) -> Iterator[Fitting]:
    """What the site may build of what the offer asks for, begun in time."""
    products = {p.product: p for p in portfolio.products}
    barred = any(r.region == site.region and not r.gpu_cloud_allowed for r in portfolio.regions)
    for row in portfolio.site_products:
        product = products.get(row.product)
        if product is None or row.site != site.site or (barred and product.workload == "gpu_cloud"):
            continue
        start = _start(portfolio, contract, site, row)
        last = portfolio.firm.first_quarter + (portfolio.firm.horizon_q - 1)
        fits = product.workload in contract.workloads and product.cooling in contract.coolings
        if fits and start <= min(row.latest_quarter, last) and start + product.lead_q <= due:
            yield Fitting(product, row.max_modules, start)


def _start(portfolio: Portfolio, contract: Contract, site: Site, row: SiteProduct) -> Quarter:
    """The first quarter in which a module may be begun."""
    first = portfolio.firm.first_quarter
    opened = [
        first,
        row.earliest_quarter,
        site.earliest_conversion_quarter,
        contract.sign_from_quarter or first,
    ]
    if site.state == "pending" and site.purchase_by_quarter is not None:
        opened.append(site.purchase_by_quarter)
    return max(opened)


def _times(whole: float, part: float) -> int:
    return math.floor(whole / part + ROUNDING_MW)


def _whole(fitting: list[Fitting], mw: float) -> float:
    """MW of whole modules within a limit, exact where all modules are of one size."""
    sizes = {f.product.module_mw for f in fitting}
    return _times(mw, size) * size if (size := sizes.pop()) and not sizes else mw


def _gross_mw(portfolio: Portfolio, site: Site, by: Quarter, *, is_later: bool) -> float:
    """Interconnect by a quarter with all expansions, less what commitments that are kept take of it."""
    power = power_in(portfolio, site.site, by)
    first = portfolio.firm.first_quarter
    more = sum(
        e.step_mw * e.max_steps
        for e in portfolio.expansions
        if e.site == site.site
        and max(e.earliest_quarter, first) + (0 if is_later else e.lead_q) <= by
        and e.latest_quarter >= first
    )
    ratios = {p.product: p.gross_to_critical_ratio for p in portfolio.products}
    kept = {
        c.commitment: ratios[c.product]
        for c in portfolio.commitments
        if c.site == site.site
        and c.cancellable_until_quarter is None
        and c.occupies_from_quarter <= by
        and c.product in ratios
    }
    taken = sum(f.mw_live / kept[f.commitment] for f in portfolio.commitment_flows if f.commitment in kept)
    return max(0.0, (power.energised_mw if power else 0.0) + more - taken)


def _cooled_mw(portfolio: Portfolio, site: Site, fitting: list[Fitting], due: Quarter) -> float:
    """Critical MW that the site's plant can cool by the deadline; commitments have plant of their own."""
    first = portfolio.firm.first_quarter
    total = 0.0
    for cooling in {f.product.cooling for f in fitting}:
        plant = sum(
            c.existing_mw + (c.module_mw * c.max_modules if first + c.lead_q <= due else 0.0)
            for c in portfolio.cooling
            if c.site == site.site and c.cooling == cooling
        )
        mine = [f for f in fitting if f.product.cooling == cooling]
        total += min(sum(f.mw for f in mine), _whole(mine, plant))
    return total


def _built_mw(portfolio: Portfolio, fitting: list[Fitting], due: Quarter, last: Quarter) -> float:
    """Critical MW that crews can build one after the other, as if they built nothing else."""
    firm = portfolio.firm
    lead = min(f.product.lead_q for f in fitting)
    start = min(f.start for f in fitting)
    latest = min(due + -lead, last)
    cap = firm.building_cap_mw + (latest - firm.first_quarter) * firm.building_cap_growth_mw_per_q
    rounds = math.ceil((latest - start + 1) / lead)
    return rounds * _whole(fitting, cap)


CHECKS = (offers_can_be_met,)
