"""COO: heat rejection and water for the live IT load."""

from collections.abc import Sequence

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most
from models.blocks.ports import Begun, Held
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.site import Site, SiteCooling
from models.params.outlook import Outlook
from models.params.power import on_nodes


def add_cooling(
    b: pyo.Block,
    outlook: Outlook,
    site: Site,
    plants: Sequence[SiteCooling],
    begun: Sequence[Begun],
    held: Sequence[Held],
    books: Books,
) -> None:
    """Cooling plant added in whole modules. Maths: docs/program.md, COO-1 ... COO-4.

    Commitments bring their own plant; their water counts.
    """
    tree = outlook.tree
    used = {x.route.terms.product.cooling for x in begun}
    types = {p.cooling: p for p in plants if p.cooling in used}
    growing = [c for c, p in types.items() if p.max_modules > 0]
    b.added = pyo.Var(
        growing,
        tree.nodes,
        domain=pyo.NonNegativeIntegers,
        bounds=lambda _, c, n: (0, types[c].max_modules),
        doc="plant modules begun",
    )
    for c in growing:
        for n in tree.nodes:
            _post(types[c], n, b.added[c, n], outlook, site, books)
    below = [set(tree.descendants(n)) for n in tree.nodes]

    def cooled_mw(c: str, n: int, live_only: bool) -> Linear:
        result = Linear()
        for x in begun:
            if x.route.terms.product.cooling == c and n in below[x.node]:
                result.add(x.route.module_mw * (x.arrays.live[n] if live_only else 1.0), x.count)
        return result

    def plant_mw(c: str, n: int, lead_q: int) -> Linear:
        result = Linear(constant=types[c].existing_mw)
        for m in tree.nodes if c in growing else ():
            if n in below[m] and tree.period[n] - tree.period[m] >= lead_q:
                result.add(types[c].module_mw, b.added[c, m])
        return result

    @b.Constraint(list(types), tree.nodes, doc="COO-1 live IT load within ready cooling plant [MW]")
    def heat_rejected(b, c, n):
        return at_most(cooled_mw(c, n, live_only=True), plant_mw(c, n, types[c].lead_q))

    @b.Constraint(growing, tree.leaves, doc="COO-2 plant within the site's limit [modules]")
    def plant_within_limit(b, c, leaf):
        added = Linear()
        for m in tree.path(leaf):
            added.add(1.0, b.added[c, m])
        return at_most(added, types[c].max_modules)

    @b.Constraint(tree.nodes, doc="COO-3 cooling water within the site's limit [1000 m3]")
    def water_within_limit(b, n):
        if site.water_limit_m3_per_q is None:
            return pyo.Constraint.Skip
        water = Linear()
        for x in begun:
            p = x.route.terms.product
            rate = types[p.cooling].water_m3_per_mwh * p.load_frac * outlook.hours[n] / 1000.0
            water.add(rate * x.route.module_mw * x.arrays.live[n], x.count)
        for h in held:
            terms = h.arrays.terms
            rate = terms.cooling.water_m3_per_mwh * terms.product.load_frac * outlook.hours[n] / 1000.0
            water = water + h.kept[n] * (rate * float(h.arrays.live_mw[n]))
        return at_most(water, site.water_limit_m3_per_q / 1000.0)

    @b.Constraint(
        list(types), tree.leaves, doc="COO-4 what is begun by the leaf has plant, built or begun [MW]"
    )
    def heat_rejected_later(b, c, leaf):
        return at_most(cooled_mw(c, leaf, live_only=False), plant_mw(c, leaf, 0))


def _post(plant: SiteCooling, n: int, variable: pyo.Var, outlook: Outlook, site: Site, books: Books) -> None:
    each = plant.capex_usd_m_per_module * outlook.rows[n].capex_idx / plant.lead_q
    by_age = np.full(plant.lead_q, each)
    spend, remaining = on_nodes(outlook, n, by_age)
    books.decide(Quantity.COOL, n, variable, site=site.site, item=plant.cooling)
    books.post(CashLine.COOLING_SPEND, variable, -spend)
    books.spend(site.site, variable, spend)
    books.tally(Tally.REMAINING_OWN, variable, remaining_after(outlook, n, by_age))
    for leaf, amount in remaining.items():
        books.worth(ValueLine.REMAINING_SPEND, leaf, -amount, variable)


def remaining_after(outlook: Outlook, n: int, by_age: np.ndarray) -> np.ndarray:
    """What of an array by age falls after each node below ``n``."""
    tree = outlook.tree
    left = by_age.sum() - np.cumsum(by_age)
    after = np.zeros(len(tree.nodes))
    for m in tree.descendants(n):
        age = tree.period[m] - tree.period[n]
        after[m] = max(0.0, left[age]) if age < left.size else 0.0
    return after
