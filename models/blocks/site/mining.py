"""MIN: machines kept ready, bought, sold and moved, by vintage."""

from collections.abc import Mapping

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books
from models.blocks.linear import Linear, at_most, equal, term
from models.blocks.ports import Load, MiningPorts
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.site import Region, Site
from models.params.mining import MiningAtSite, Vintage
from models.params.outlook import Outlook


def add_mining(
    b: pyo.Block,
    outlook: Outlook,
    site: Site,
    region: Region,
    fleet: Mapping[str, tuple[Vintage, MiningAtSite]],
    slack_hours_frac: float,
    books: Books,
) -> MiningPorts:
    """Machines of a site. Maths: docs/program.md, MIN-1, MIN-2.

    ``slack_hours_frac`` is the share of hours in which machines may run on HPC slack; 0 forbids it.
    """
    tree = outlook.tree
    nodes = list(tree.nodes)
    held = list(fleet)
    new = [v for v in held if fleet[v][0].is_new]
    mobile = held if region.new_mining_allowed and site.mining_allowed else []
    bounds = {(v, n): (0.0, 0.0 if fleet[v][0].dead[n] else None) for v in held for n in nodes}
    b.stock = pyo.Var(held, nodes, bounds=lambda _, v, n: bounds[v, n], doc="machines at the site [MW]")
    runs = (0.0, None if site.mining_allowed else 0.0)
    b.on_mw = pyo.Var(held, nodes, bounds=runs, doc="rated load kept ready [MW]")
    b.slack_mw = pyo.Var(
        held if slack_hours_frac > 0.0 else [],
        nodes,
        domain=pyo.NonNegativeReals,
        doc="ready on HPC slack [MW]",
    )
    b.bought = pyo.Var(new, nodes, domain=pyo.NonNegativeReals, doc="machines bought [MW]")
    b.sold = pyo.Var(held, nodes, domain=pyo.NonNegativeReals, doc="machines sold [MW]")
    b.moved_out = pyo.Var(held, nodes, domain=pyo.NonNegativeReals, doc="machines into the pool [MW]")
    b.moved_in = pyo.Var(mobile, nodes, domain=pyo.NonNegativeReals, doc="machines out of the pool [MW]")

    @b.Constraint(held, nodes, doc="MIN-1 stock of machines [MW]")
    def stock_balance(b, v, n):
        before = (
            term(b.stock[v, tree.parent[n]])
            if n
            else Linear(constant=fleet[v][0].opening_mw.get(site.site, 0.0))
        )
        change = -term(b.sold[v, n]) - term(b.moved_out[v, n])
        if v in new:
            change += term(b.bought[v, n])
        if v in mobile:
            change += term(b.moved_in[v, n])
        return equal(term(b.stock[v, n]), before + change)

    @b.Constraint(held, nodes, doc="MIN-2 ready within stock [MW]")
    def ready_within_stock(b, v, n):
        ready = term(b.on_mw[v, n])
        if slack_hours_frac > 0.0:
            ready += term(b.slack_mw[v, n])
        return at_most(ready, term(b.stock[v, n]))

    for v in held:
        _post(b, outlook, site, v, *fleet[v], slack_hours_frac, books)
    return _ports(b, fleet, len(nodes), slack_hours_frac)


def _post(
    b: pyo.Block,
    outlook: Outlook,
    site: Site,
    name: str,
    v: Vintage,
    at: MiningAtSite,
    slack_hours_frac: float,
    books: Books,
) -> None:
    tree, s = outlook.tree, site.site
    moves = (
        (Quantity.ON_MW, b.on_mw, CashLine.MINING_MARGIN, at.margin_usd_m_per_mw),
        (Quantity.SLACK_MW, b.slack_mw, CashLine.MINING_MARGIN, at.margin_usd_m_per_mw * slack_hours_frac),
        (Quantity.BOUGHT_MW, b.bought, CashLine.MACHINE_PURCHASE, -at.purchase_usd_m_per_mw),
        (Quantity.SOLD_MW, b.sold, CashLine.MACHINE_SALE, v.resale_usd_m_per_mw),
        (Quantity.MOVED_OUT_MW, b.moved_out, CashLine.MACHINE_MOVE, np.zeros(len(tree.nodes))),
        (Quantity.MOVED_IN_MW, b.moved_in, CashLine.MACHINE_MOVE, -at.move_usd_m_per_mw),
    )
    for quantity, variable, line, per_mw in moves:
        for n in tree.nodes:
            if (name, n) in variable:
                here = np.zeros(len(tree.nodes))
                here[n] = per_mw[n]
                books.decide(quantity, n, variable[name, n], site=s, item=name)
                books.post(line, variable[name, n], here)
                if quantity in (Quantity.BOUGHT_MW, Quantity.MOVED_IN_MW):
                    books.spend(s, variable[name, n], -here)
                if quantity is Quantity.BOUGHT_MW:
                    books.limit(variable[name, n], ("bought", name, n), 1.0, v.machine.max_buy_mw_per_q)
    most_mw = sum(v.opening_mw.values()) + v.is_new * v.machine.max_buy_mw_per_q * tree.horizon_q
    for n in tree.nodes:
        books.limit(b.sold[name, n], ("sold", name), 1.0, most_mw)
    for leaf in tree.leaves:
        if v.dead[leaf]:
            continue
        resale = float(v.resale_usd_m_per_mw[leaf])
        books.worth(ValueLine.MACHINES, leaf, resale, b.stock[name, leaf])
        books.worth(
            ValueLine.MACHINES, leaf, max(0.0, at.run_off_usd_m_per_mw[leaf] - resale), b.on_mw[name, leaf]
        )


def _ports(
    b: pyo.Block, fleet: Mapping[str, tuple[Vintage, MiningAtSite]], size: int, slack_hours_frac: float
) -> MiningPorts:
    def summed(variable: pyo.Var, weight: Mapping[str, np.ndarray]) -> list[Linear]:
        result = [Linear() for _ in range(size)]
        for v, n in variable:
            result[n].add(weight[v][n], variable[v, n])
        return result

    overhead = {v: np.full(size, x.machine.overhead_frac) for v, (x, _) in fleet.items()}
    energy = {v: at.energy_mwh_per_mw for v, (_, at) in fleet.items()}
    none = [Linear() for _ in range(size)]
    drawn = summed(b.on_mw, energy)
    on_slack = [x * slack_hours_frac for x in summed(b.slack_mw, energy)]
    return MiningPorts(
        load=Load(summed(b.on_mw, overhead), [on + x for on, x in zip(drawn, on_slack, strict=True)], none),
        slack_gross_mw=summed(b.slack_mw, overhead),
        bought=dict(b.bought.items()),
        sold=dict(b.sold.items()),
        moved_in=dict(b.moved_in.items()),
        moved_out=dict(b.moved_out.items()),
        stock=dict(b.stock.items()),
        stock_gross_mw=summed(b.stock, overhead),
    )
