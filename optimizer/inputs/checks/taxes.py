"""Taxes: every entity in a group, every asset in a class, and the year that the plan begins in."""

from collections.abc import Iterator

from models.domain.portfolio import Portfolio
from models.domain.row import Row
from models.domain.tax import ASSETS
from models.findings import Finding
from optimizer.inputs.checks.register import doubt, error, listed, reads


@reads("tax_groups", "entities")
def entities_in_groups(portfolio: Portfolio) -> Iterator[Finding]:
    """Where there are tax groups each entity names one, and each has entities."""
    names = [g.tax_group for g in portfolio.tax_groups]
    for entity in portfolio.entities if names else ():
        if entity.tax_group is None:
            message = "it is in no tax group, and others are taxed"
            remedy = f"write one of: {listed(names)}; what pays no tax is in a group of rate 0"
            yield error("untaxed-entity", entity, "tax_group", message, remedy)
    used = {e.tax_group for e in portfolio.entities}
    for group in portfolio.tax_groups:
        if group.tax_group not in used:
            message = "no entity is in it: its losses and its basis save nobody tax"
            yield doubt(
                "empty-tax-group", group, "tax_group", message, "name it in entities, or delete the row"
            )


@reads("tax_groups", "company")
def year_so_far(portfolio: Portfolio) -> Iterator[Finding]:
    """Income of the year so far is stated where the plan begins within one, and only there."""
    for firm in portfolio.company[:1]:
        begun = firm.first_quarter.year == (firm.first_quarter + (-1)).year
        for group in portfolio.tax_groups:
            if begun and group.income_so_far_usd_m is None:
                message = f"the plan begins in {firm.first_quarter}, within a tax year"
                remedy = (
                    f"write the taxable income of {firm.first_quarter.year} before it, 0 if there was none"
                )
                yield error("tax-year-begun", group, "income_so_far_usd_m", message, remedy)
            if not begun and group.income_so_far_usd_m is not None:
                message = f"the plan begins in {firm.first_quarter}, with the tax year"
                yield error("tax-year-begun", group, "income_so_far_usd_m", message, "leave it empty")


@reads("tax_classes")
def one_default_each(portfolio: Portfolio) -> Iterator[Finding]:
    """Classes are the default of kinds that exist, one class of each."""
    taken: dict[str, str] = {}
    for held in portfolio.tax_classes:
        for kind in held.default_for or ():
            if kind not in ASSETS:
                message = f"'{kind}' is no kind of asset"
                yield error("unknown-asset", held, "default_for", message, f"write some of: {listed(ASSETS)}")
            elif kind in taken:
                message = f"'{taken[kind]}' is the default of {kind} already"
                yield error("two-defaults", held, "default_for", message, f"leave {kind} to one of them")
            taken.setdefault(kind, held.tax_class)


def _used(portfolio: Portfolio) -> Iterator[tuple[Row, str, str]]:
    """Rows that are written off, the column that may name their class, and their kind."""
    for product in portfolio.products:
        yield product, "tax_class", "halls"
        if product.gpu_capex_usd_m_per_mw > 0.0:
            yield product, "gpu_tax_class", "gpus"
    for commitment in portfolio.commitments:
        for product in portfolio.products:
            if product.product == commitment.product and commitment.gpu_capex_usd_m > 0.0:
                yield product, "gpu_tax_class", "gpus"
    for plant in portfolio.cooling:
        if plant.max_modules:
            yield plant, "tax_class", "cooling"
    for expansion in portfolio.expansions:
        yield expansion, "tax_class", "power"
    for site in portfolio.sites:
        if not site.is_owned:
            yield site, "tax_class", "power"
    for machine in portfolio.machines:
        if machine.max_buy_mw_per_q > 0.0:
            yield machine, "tax_class", "machines"


@reads("tax_groups", "tax_classes", "products", "commitments", "cooling", "expansions", "sites", "machines")
def assets_in_classes(portfolio: Portfolio) -> Iterator[Finding]:
    """Where there are tax groups, all that may be built or bought has a class; classes have groups."""
    if not portfolio.tax_groups:
        for held in portfolio.tax_classes:
            message = "nothing is taxed: the portfolio has no tax groups"
            yield doubt("unused-tax-class", held, "tax_class", message, "add tax_groups, or delete the row")
        return
    defaults = {kind for held in portfolio.tax_classes for kind in held.default_for or ()}
    told: set[tuple[int, str]] = set()
    for row, column, kind in _used(portfolio):
        if getattr(row, column) is None and kind not in defaults and (id(row), column) not in told:
            told.add((id(row), column))
            message = f"it names no tax class, and none is the default for {kind}"
            remedy = f"name one, or write {kind} in default_for of a row of tax_classes"
            yield error("asset-without-class", row, column, message, remedy)


CHECKS = (entities_in_groups, year_so_far, one_default_each, assets_in_classes)
