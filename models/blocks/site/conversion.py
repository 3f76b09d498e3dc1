"""CNV: modules begun on each route, what they spend, earn and are worth."""

from collections.abc import Sequence

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally, spread_by_leaf
from models.blocks.linear import Linear, at_most, by_node, term
from models.blocks.ports import Begun, ConversionPorts
from models.domain.ledger import CONTRACT_LINES, CashLine, Quantity, ValueLine
from models.domain.site import Site
from models.params.params import RouteParams
from models.timetree import TimeTree

_INFLOWS = (
    (CashLine.RENT, "rent"),
    (CashLine.RELET_RENT, "relet"),
    (CashLine.TERMINATION_FEE, "fee"),
    (CashLine.TENANT_MONEY, "tenant_money"),
)
_OUTFLOWS = (
    (CashLine.MODULE_SPEND, "spend"),
    (CashLine.RENEWAL_CAPEX, "refresh"),
    (CashLine.RENEWAL_CAPEX, "refit"),
    (CashLine.TENANT_CREDIT, "credit"),
    (CashLine.TENANT_REFUND, "refund"),
    (CashLine.OPEX, "opex"),
    (CashLine.HPC_POWER, "power"),
)


def add_conversion(
    b: pyo.Block, tree: TimeTree, site: Site, routes: Sequence[RouteParams], books: Books
) -> ConversionPorts:
    """Whole modules begun by route and node. Maths: docs/program.md, CNV-1 ... CNV-4."""
    keys = [(i, n) for i, r in enumerate(routes) for n in r.modules]
    b.begun = pyo.Var(
        keys,
        domain=pyo.NonNegativeIntegers,
        bounds=lambda _, i, n: (0, routes[i].route.site_product.max_modules),
        doc="modules begun",
    )
    begun = tuple(Begun(routes[i].route, n, routes[i].modules[n], b.begun[i, n]) for i, n in keys)
    for x in begun:
        _post(x, tree, books, site)
        books.limit(x.count, ("begun", site.site), x.route.module_mw, site.max_hpc_critical_mw)
    products = list(dict.fromkeys(r.route.terms.product.product for r in routes))
    below = [set(tree.descendants(n)) for n in tree.nodes]

    def begun_up_to(n: int, product: str | None, mw: bool) -> Linear:
        result = Linear()
        for x in begun:
            if n in below[x.node] and product in (None, x.route.terms.product.product):
                result.add(x.route.module_mw if mw else 1.0, x.count)
        return result

    @b.Constraint(products, tree.leaves, doc="CNV-1 modules of a product within the site's limit [modules]")
    def within_product_limit(b, p, leaf):
        limit = next(r.route.site_product.max_modules for r in routes if r.route.terms.product.product == p)
        return at_most(begun_up_to(leaf, p, mw=False), limit)

    @b.Constraint(tree.leaves, doc="CNV-2 critical MW begun within the site's limit [MW]")
    def within_site_limit(b, leaf):
        return at_most(begun_up_to(leaf, None, mw=True), site.max_hpc_critical_mw)

    if site.once_cost_usd_m > 0.0 and begun:
        _add_opening(b, tree, site, begun, books)
    return ConversionPorts(begun)


def _add_opening(b: pyo.Block, tree: TimeTree, site: Site, begun: Sequence[Begun], books: Books) -> None:
    """The site's cost that is spent once, with the first start."""
    starts = sorted({x.node for x in begun})
    b.opened = pyo.Var(starts, domain=pyo.Binary, doc="the site's first start")
    most = sum({(x.route.terms.product.product): x.route.site_product.max_modules for x in begun}.values())
    fits = site.max_hpc_critical_mw / min(x.route.module_mw for x in begun)
    below = [set(tree.descendants(n)) for n in tree.nodes]

    @b.Constraint(starts, doc="CNV-3 a first start opens the site [modules]")
    def start_opens_site(b, n):
        here = Linear()
        for x in begun:
            if n in below[x.node]:
                here.add(1.0, x.count)
        opened = Linear()
        for m in starts:
            if n in below[m]:
                opened.add(min(float(most), fits), b.opened[m])
        return at_most(here, opened)

    @b.Constraint(tree.leaves, doc="CNV-4 a site opens at most once on each path [-]")
    def opens_once(b, leaf):
        opened = Linear()
        for m in starts:
            if leaf in below[m]:
                opened.add(1.0, b.opened[m])
        return at_most(opened, 1.0)

    @b.Constraint(starts, doc="CNV-5 a site opens with modules begun at the same node [modules]")
    def opens_with_modules(b, n):
        here = Linear()
        for x in begun:
            if x.node == n:
                here.add(1.0, x.count)
        return at_most(term(b.opened[n]), here)

    for n in starts:
        cost = np.zeros(len(tree.nodes))
        cost[n] = site.once_cost_usd_m
        books.post(CashLine.ONCE_SPEND, b.opened[n], -cost)
        books.spend(site.site, b.opened[n], cost)


def _post(x: Begun, tree: TimeTree, books: Books, site: Site) -> None:
    a, p = x.arrays, x.route.terms.product
    books.decide(
        Quantity.START,
        x.node,
        x.count,
        site=site.site,
        item=p.product,
        contract=x.route.terms.contract.contract,
    )
    for line, name in _INFLOWS:
        books.post(line, x.count, getattr(a, name))
    for line, name in _OUTFLOWS:
        books.post(line, x.count, -getattr(a, name))
    books.spend(site.site, x.count, a.spend + a.refresh + a.refit)
    books.tally(Tally.DUE, x.count, a.payable)
    books.tally(Tally.OWN_NEED, x.count, -a.tenant_money, site.site)
    books.tally(Tally.BUILDING_MW, x.count, x.route.module_mw * a.building)
    books.tally(Tally.LATE_LOSS, x.count, a.late)
    books.tally(Tally.REMAINING_OWN, x.count, a.remaining_own)
    books.tally(Tally.REMAINING_UNSIGNED, x.count, a.remaining_unsigned)
    for worth, sign, by_leaf in (
        (CONTRACT_LINES[x.route.terms.contract.state], 1.0, a.signed_value),
        (ValueLine.RENEWALS, 1.0, a.renewals_value),
        (ValueLine.RESIDUALS, 1.0, a.residuals_value),
        (ValueLine.RENEWAL_CAPEX, -1.0, a.refresh_value),
        (ValueLine.REMAINING_SPEND, -1.0, a.remaining_spend),
        (ValueLine.UNEARNED_TENANT_MONEY, -1.0, a.unearned),
    ):
        for leaf, amount in spread_by_leaf(by_leaf):
            books.worth(worth, leaf, sign * amount, x.count)
    for leaf in tree.leaves_below(x.node):
        books.worth(
            ValueLine.LAND_AND_POWER, leaf, -x.route.gross_mw * site.unconverted_value_usd_m_per_mw, x.count
        )


def module_load(begun: Sequence[Begun], field: str, scale_gross: bool, size: int) -> list[Linear]:
    """An array of the modules summed by node, per module or per gross MW of it."""
    return by_node(
        ((x.count, getattr(x.arrays, field) * (x.route.gross_mw if scale_gross else 1.0)) for x in begun),
        size,
    )
