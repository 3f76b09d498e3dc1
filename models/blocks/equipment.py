"""EQP: long-lead equipment, ordered with a deposit before the modules that need it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most
from models.blocks.ports import Begun, Ordered
from models.blocks.site.cooling import remaining_after
from models.domain.equipment import LongLead
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.site import Site
from models.params.outlook import Outlook
from models.params.power import on_nodes


def add_orders(
    b: pyo.Block,
    outlook: Outlook,
    site: Site,
    rows: Sequence[LongLead],
    begun: Sequence[Begun],
    books: Books,
) -> tuple[Ordered, ...]:
    """What a site orders, and what is left unused of what it and others order. Maths: EQP-1, EQP-2."""
    tree = outlook.tree
    needed = [x for x in rows if any(x.serves(m.route.key[1], site.site) for m in begun)]
    b.ordered_mw = pyo.Var(
        range(len(needed)),
        tree.nodes,
        domain=pyo.NonNegativeReals,
        bounds=lambda _, i, n: (0.0, needed[i].max_mw),
        doc="equipment ordered [critical MW]",
    )
    found = []
    for i, row in enumerate(needed):
        for n in tree.nodes:
            _post(row, n, b.ordered_mw[i, n], outlook, site, books)
            found.append(Ordered(row, n, b.ordered_mw[i, n]))
    for row in needed:
        for m in (m for m in begun if row.serves(m.route.key[1], site.site)):
            for leaf in tree.leaves_below(m.node):
                price = resale_usd_m_per_mw(row, outlook, leaf)
                books.worth(ValueLine.EQUIPMENT, leaf, -price * m.route.module_mw, m.count)
    own = [row for row in rows if row.site == site.site]
    add_sufficiency(b, outlook, own, found, begun, books)
    return tuple(found)


def add_sufficiency(
    b: pyo.Block,
    outlook: Outlook,
    rows: Sequence[LongLead],
    ordered: Sequence[Ordered],
    begun: Sequence[Begun],
    books: Books,
) -> None:
    """Equipment in time for what is begun, over one site or all. Maths: docs/program.md, EQP-1, EQP-2."""
    tree = outlook.tree
    by_name = {row.equipment: row for row in rows}
    needing = {
        name: [m for m in begun if row.serves(m.route.key[1], m.route.key[0])]
        for name, row in by_name.items()
    }

    def on_path(name: str, n: int, ahead_q: int) -> Linear:
        result = Linear()
        for x in ordered:
            in_time = outlook.below[x.node][n] and tree.period[n] - tree.period[x.node] >= ahead_q
            if x.terms.equipment == name and in_time:
                result.add(1.0, x.variable)
        return result

    @b.Constraint(
        [(name, n) for name, found in needing.items() for n in sorted({m.node for m in found})],
        doc="EQP-1 modules begun have their equipment in hand or ordered in time [MW]",
    )
    def equipped(b, name, n):
        needed = Linear()
        for m in needing[name]:
            if outlook.below[m.node][n]:
                needed.add(m.route.module_mw, m.count)
        row = by_name[name]
        return at_most(needed, on_path(name, n, row.ahead_q) + row.in_hand_mw)

    @b.Constraint(list(by_name), tree.leaves, doc="EQP-2 equipment ordered within what makers deliver [MW]")
    def ordered_within_supply(b, name, leaf):
        return at_most(on_path(name, leaf, 0), by_name[name].max_mw)

    for row in rows:
        for leaf in tree.leaves:
            price = resale_usd_m_per_mw(row, outlook, leaf)
            books.worth_constant(ValueLine.EQUIPMENT, leaf, price * row.in_hand_mw)


def resale_usd_m_per_mw(row: LongLead, outlook: Outlook, leaf: int) -> float:
    """What a MW of unused equipment brings: its share of the lowest price on the path. [$M/MW]"""
    lowest = min(outlook.rows[n].capex_idx for n in outlook.tree.path(leaf))
    return row.resale_frac * row.cost_usd_m_per_mw * lowest


def _post(row: LongLead, n: int, variable: Any, outlook: Outlook, site: Site, books: Books) -> None:
    by_age = np.zeros(row.lead_q)
    by_age[0] += row.deposit_frac
    by_age[-1] += 1.0 - row.deposit_frac
    by_age *= row.cost_usd_m_per_mw * outlook.rows[n].capex_idx
    spend, remaining = on_nodes(outlook, n, by_age)
    books.decide(Quantity.ORDERED_MW, n, variable, site=site.site, item=row.equipment)
    books.post(CashLine.EQUIPMENT_SPEND, variable, -spend)
    books.spend(site.site, variable, spend)
    books.tally(Tally.REMAINING_OWN, variable, remaining_after(outlook, n, by_age))
    for leaf, amount in remaining.items():
        books.worth(ValueLine.REMAINING_SPEND, leaf, -amount, variable)
        books.worth(ValueLine.EQUIPMENT, leaf, resale_usd_m_per_mw(row, outlook, leaf), variable)
