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
    taken: dict[tuple[str | None, str], str] = {}
    for held in portfolio.tax_classes:
        for kind in held.default_for or ():
            if kind not in ASSETS:
                message = f"'{kind}' is no kind of asset"
                yield error("unknown-asset", held, "default_for", message, f"write some of: {listed(ASSETS)}")
            elif (held.regime, kind) in taken:
                message = f"'{taken[held.regime, kind]}' is the default of {kind} already"
                yield error("two-defaults", held, "default_for", message, f"leave {kind} to one of them")
            taken.setdefault((held.regime, kind), held.tax_class)


@reads("tax_classes", "profiles")
def steps_of_a_life(portfolio: Portfolio) -> Iterator[Finding]:
    """What a profile writes off is the whole, in steps of whole quarters."""
    for held in (c for c in portfolio.tax_classes if c.profile):
        steps = [p.frac for p in portfolio.profiles if p.profile == held.profile]
        if steps and (held.life_q % len(steps) or abs(sum(steps) - 1.0) > 1e-6):
            message = (
                f"'{held.profile}' has {len(steps)} steps of sum {sum(steps):.6g} for {held.life_q} quarters"
            )
            yield error("write-off-steps", held, "profile", message, "steps of whole quarters that sum to 1")


@reads("tax_groups", "tax_classes")
def regimes_that_are(portfolio: Portfolio) -> Iterator[Finding]:
    """A group's regime has classes."""
    regimes = {c.regime for c in portfolio.tax_classes}
    for group in portfolio.tax_groups:
        if group.regime is not None and group.regime not in regimes:
            message = f"no class is of '{group.regime}'"
            yield error(
                "unknown-regime", group, "regime", message, f"write one of: {listed(regimes - {None})}"
            )


def _used(portfolio: Portfolio) -> Iterator[tuple[Row, str, str, tuple[str, ...]]]:
    """Rows that are written off, the column that may name their class, their kind, and the sites."""
    at: dict[str, tuple[str, ...]] = {}
    for allowed in portfolio.site_products:
        at[allowed.product] = (*at.get(allowed.product, ()), allowed.site)
    for stands in portfolio.commitments:
        at[stands.product] = (*at.get(stands.product, ()), stands.site)
    for product in portfolio.products:
        sites = at.get(product.product, ())
        yield product, "tax_class", "halls", sites
        if product.gpu_capex_usd_m_per_mw > 0.0:
            yield product, "gpu_tax_class", "gpus", sites
        bought = [c.site for c in portfolio.commitments if c.product == product.product and c.gpu_capex_usd_m]
        yield product, "gpu_tax_class", "gpus", tuple(bought)
    for plant in portfolio.cooling:
        if plant.max_modules:
            yield plant, "tax_class", "cooling", (plant.site,)
    for expansion in portfolio.expansions:
        yield expansion, "tax_class", "power", (expansion.site,)
    for equipment in portfolio.long_lead:
        sites = tuple(s.site for s in portfolio.sites if equipment.site in (None, s.site))
        yield equipment, "tax_class", "power", sites
    for site in portfolio.sites:
        if not site.is_owned:
            yield site, "tax_class", "power", (site.site,)
    mines = tuple(s.site for s in portfolio.sites if s.mining_allowed)
    for machine in portfolio.machines:
        if machine.max_buy_mw_per_q > 0.0:
            yield machine, "tax_class", "machines", mines


@reads(
    "tax_groups", "tax_classes", "products", "site_products", "commitments", "cooling", "expansions", "sites",
    "machines", "entities", "long_lead",
)  # fmt: skip
def assets_in_classes(portfolio: Portfolio) -> Iterator[Finding]:
    """Where there are tax groups, all that may be built or bought has a class; classes have groups."""
    if not portfolio.tax_groups:
        for held in portfolio.tax_classes:
            message = "nothing is taxed: the portfolio has no tax groups"
            yield doubt("unused-tax-class", held, "tax_class", message, "add tax_groups, or delete the row")
        return
    defaults = {(held.regime, kind) for held in portfolio.tax_classes for kind in held.default_for or ()}
    regimes = {g.tax_group: g.regime for g in portfolio.tax_groups}
    entities = {e.entity: regimes.get(e.tax_group or "") for e in portfolio.entities}
    at = {s.site: entities.get(s.entity) for s in portfolio.sites}
    told: set[tuple[int, str]] = set()
    for row, column, kind, sites in _used(portfolio):
        without = [s for s in sites if s in at and (at[s], kind) not in defaults]
        if getattr(row, column) is None and without and (id(row), column) not in told:
            told.add((id(row), column))
            where = f"for {kind} of regime '{at[without[0]]}'" if at[without[0]] else f"for {kind}"
            message = f"it names no tax class, and none is the default {where} (site {without[0]})"
            remedy = f"name one, or write {kind} in default_for of a row of tax_classes"
            yield error("asset-without-class", row, column, message, remedy)


CHECKS = (
    entities_in_groups,
    year_so_far,
    one_default_each,
    steps_of_a_life,
    regimes_that_are,
    assets_in_classes,
)
