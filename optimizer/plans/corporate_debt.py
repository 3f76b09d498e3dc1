"""What tables say of notes, revolvers and repurchases: money raised, and schedules of what is owed."""

from collections.abc import Iterator

import numpy as np

from models.domain.ledger import Quantity
from optimizer.plans.reading import Array, Reading

Raised = tuple[str, str, int, float, float, float]
"""Instrument, kind, node; gross, net [$M] and shares [M]."""
Schedule = tuple[str, str, list[Array]]
"""Loan and entity; drawn, interest, principal, balance, restricted by node. [$M]"""


def raised(r: Reading) -> Iterator[Raised]:
    """Notes issued, revolvers drawn less repaid, and, negative, what is paid for convertibles bought back."""
    p = r.program.params
    bonds = {o.instrument.instrument: o for o in p.bond_offers}
    for d, v in r.by_quantity[Quantity.NOTES]:
        yield d.item, "notes", d.node, v, v * bonds[d.item].net_frac, 0.0
    for quantity, sign in ((Quantity.DRAWN, 1.0), (Quantity.REPAID, -1.0)):
        for d, v in r.by_quantity[quantity]:
            yield d.item, "revolver", d.node, sign * v, sign * v, 0.0
    for offer, n, frac in r.bought:
        note = offer.retired[n]
        principal = frac * note.principal_usd_m
        gone, shares = principal * float(note.outstanding[n]), principal / note.terms.conversion_price_usd
        yield offer.instrument.instrument, "repurchase", n, -gone, -frac * offer.price_usd_m[n], -shares


def schedules(r: Reading) -> Iterator[Schedule]:
    """Notes by deal and block of leverage, and revolvers."""
    p, parent = r.program.params, r.program.params.portfolio.parent.entity
    nothing = np.zeros(len(p.tree.nodes))
    bonds = {o.instrument.instrument: o.bonds for o in p.bond_offers}
    for d, v in r.by_quantity[Quantity.NOTES]:
        bond = bonds[d.item][d.node, d.since]
        drawn = nothing.copy()
        drawn[d.node] = v
        yield (
            bond.name,
            parent,
            [drawn, v * bond.interest, v * bond.principal, v * bond.outstanding, nothing],
        )
    for offer in p.revolver_offers:
        name = offer.instrument.instrument
        line, drawn, repaid, balance, interest = (nothing.copy() for _ in range(5))
        for d, v in r.by_quantity[Quantity.COMMIT]:
            line += v * p.outlook.below[d.node] if d.item == name else 0.0
        for quantity, moved in ((Quantity.DRAWN, drawn), (Quantity.REPAID, repaid)):
            for d, v in r.by_quantity[quantity]:
                moved[d.node] += v if d.item == name else 0.0
        for n in p.tree.nodes:
            opening = balance[p.tree.parent[n]] if n else 0.0
            balance[n] = opening + drawn[n] - repaid[n]
            interest[n] = offer.interest[n] * opening + offer.fee[n] * (line[n] - opening)
        yield name, parent, [drawn, interest, repaid, balance, nothing]
