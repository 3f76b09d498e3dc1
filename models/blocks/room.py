"""What is begun at a site, the machines that its power carries, and the room that tenants leave on slack."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyomo.environ as pyo

from models.blocks.linear import Linear, by_node
from models.blocks.ports import Begun, Ordered
from models.blocks.site.ownership import Placed
from models.domain.site import Site, SiteCooling
from models.params.mining import MiningAtSite, Vintage
from models.params.params import Params
from models.params.streams import Terms


def placed_at(
    p: Params,
    b: pyo.Block,
    site: Site,
    begun: Sequence[Begun],
    plants: Sequence[SiteCooling],
    ordered: Sequence[Ordered],
) -> list[Placed]:
    """What is begun, ordered or signed at a site, with the most there may be of it."""
    modules = [(x.node, x.count, x.route.module_mw) for x in begun]
    found = [Placed(modules, site.max_hpc_critical_mw)]
    for plant in plants:
        counts = [(n, v, 1.0) for (c, n), v in b.cooling.added.items() if c == plant.cooling]
        found.append(Placed(counts, float(plant.max_modules)))
    for i, x in enumerate(p.power[site.site].expansions):
        counts = [(n, v, 1.0) for (j, n), v in b.power.steps.items() if j == i]
        found.append(Placed(counts, float(x.expansion.max_steps)))
    for row in {x.terms.equipment: x.terms for x in ordered}.values():
        orders = [(x.node, x.variable, 1.0) for x in ordered if x.terms.equipment == row.equipment]
        found.append(Placed(orders, row.max_mw))
    for offer in dict.fromkeys(o for o, _ in b.tenants.signed):
        found.append(Placed([(n, v, 1.0) for (o, n), v in b.tenants.signed.items() if o == offer], 1.0))
    return found


def most_machines_mw(p: Params, site: Site, fleet: Mapping[str, tuple[Vintage, MiningAtSite]]) -> float:
    """Gross MW of machines that a site on the market may hold: the opening's, or what its power can carry."""
    power = p.power[site.site]
    steps = sum(x.expansion.step_mw * x.expansion.max_steps for x in power.expansions)
    standing = sum(v.opening_mw.get(site.site, 0.0) * v.machine.overhead_frac for v, _ in fleet.values())
    return max(standing, float(power.energised_mw.max()) + steps)


def slack_room(p: Params, site: Site, begun, held) -> tuple[list[Linear], float]:
    """Gross MW that live tenants leave to machines by node, and the share of hours they leave them."""

    def per_critical_mw(terms: Terms) -> float:
        unused = 1.0 / terms.product.gross_to_critical_ratio - terms.cooling.pue
        return terms.contract.usable_slack_frac * max(0.0, unused)

    size = len(p.tree.nodes)
    room = by_node(
        ((x.count, x.arrays.live * x.route.module_mw * per_critical_mw(x.route.terms)) for x in begun), size
    )
    permitting = [x.route.terms.contract for x in begun] + [x.arrays.terms.contract for x in held]
    for x in held:
        each = per_critical_mw(x.arrays.terms)
        for n in np.flatnonzero(x.arrays.live_mw * each):
            room[n] = room[n] + x.kept[n] * (float(x.arrays.live_mw[n]) * each)
    hours = [c.slack_hours_frac for c in permitting if c.usable_slack_frac > 0.0]
    return room, min(hours, default=0.0) if site.mining_allowed else 0.0
