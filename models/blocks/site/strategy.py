"""STR: what a strategy that the planner asks for demands of a site, as far as it can be had."""

from collections.abc import Sequence

import pyomo.environ as pyo

from models.blocks.linear import Linear, at_most, term, total
from models.blocks.ports import Begun, Held, Tenure, Wish
from models.domain.product import Product
from models.domain.site import Site, SiteProduct, Strategy
from models.params.outlook import Outlook
from models.params.power import SitePower

UNMET_USD_M_PER_MW = 20.0
"""Leaf dollars given up for a MW of what is asked: more than a MW costs to convert, less than its rescue."""
FULL_FRAC = 0.95
SLACK_FRAC = 0.5


def add_strategy(
    b: pyo.Block,
    outlook: Outlook,
    site: Site,
    strategy: Strategy,
    products: Sequence[tuple[SiteProduct, Product]],
    power: SitePower,
    begun: Sequence[Begun],
    held: Sequence[Held],
    slack_mw: Sequence[Linear],
    slack_room_mw: Sequence[Linear],
    ours: Tenure,
) -> tuple[Wish, ...]:
    """Rules of one site's strategy, and what of them stays unmet. Maths: docs/program.md, STR-1 ... STR-5."""
    if strategy == "optimal" or not products or not site.hpc_allowed:
        return ()
    tree = outlook.tree
    convertible = _convertible_gross_mw(outlook, site, products, power, held)
    least = min(product.gross_mw for _, product in products)
    some = tree.leaves if strategy in ("hybrid", "flexible") else ()
    rules = {
        "full": tree.leaves if strategy == "full" else (),
        "some": some,
        "part": some if strategy == "hybrid" else (),
        "slack": tree.nodes if strategy == "flexible" else (),
    }
    b.unmet = pyo.Var(
        [(rule, n) for rule, nodes in rules.items() for n in nodes],
        domain=pyo.NonNegativeReals,
        doc="MW of what is asked that is not had",
    )

    def hpc(leaf: int) -> Linear:
        result = total(x.kept[leaf] * x.arrays.reserved_gross_mw for x in held)
        for x in begun:
            if outlook.below[x.node][leaf]:
                result.add(x.route.gross_mw, x.count)
        return result

    barred = tree.leaves if strategy == "mine" and begun else ()

    @b.Constraint(barred, doc="STR-1 mine: nothing is begun [modules]")
    def nothing_begun(b, leaf):
        return at_most(total(term(x.count) for x in begun if outlook.below[x.node][leaf]), 0.0)

    @b.Constraint(rules["full"], doc="STR-2 full: less than a module is left unconverted [MW]")
    def all_converted(b, leaf):
        wanted = ours.at(leaf) * max(0.0, convertible[leaf] - least)
        return at_most(wanted - hpc(leaf), term(b.unmet["full", leaf]))

    @b.Constraint(rules["some"], doc="STR-3 hybrid, flexible: a module at least is converted [MW]")
    def some_converted(b, leaf):
        return at_most(ours.at(leaf) * least - hpc(leaf), term(b.unmet["some", leaf]))

    @b.Constraint(rules["part"], doc="STR-4 hybrid: a part stays unconverted [MW]")
    def part_kept(b, leaf):
        return at_most(hpc(leaf) - FULL_FRAC * convertible[leaf], term(b.unmet["part", leaf]))

    @b.Constraint(rules["slack"], doc="STR-5 flexible: machines use half of what tenants leave [MW]")
    def slack_used(b, n):
        return at_most(slack_room_mw[n] * SLACK_FRAC - slack_mw[n], term(b.unmet["slack", n]))

    return tuple(
        Wish(b.unmet[rule, n], UNMET_USD_M_PER_MW * float(tree.probability[n]) / share)
        for rule, nodes in rules.items()
        for n, share in ((n, tree.horizon_q if rule == "slack" else 1.0) for n in nodes)
    )


def _convertible_gross_mw(
    outlook: Outlook,
    site: Site,
    products: Sequence[tuple[SiteProduct, Product]],
    power: SitePower,
    held: Sequence[Held],
) -> dict[int, float]:
    """By leaf: energised, and no more than commitments and the site's own limits let become HPC."""
    committed = sum(x.arrays.reserved_gross_mw for x in held)
    modules = sum(row.max_modules * product.gross_mw for row, product in products)
    critical = site.max_hpc_critical_mw / max(product.gross_to_critical_ratio for _, product in products)
    most = committed + min(critical, modules)
    return {leaf: min(float(power.energised_mw[leaf]), most) for leaf in outlook.tree.leaves}
