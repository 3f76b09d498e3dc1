"""Leases of GPUs that a module can take, by its start node."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.equipment import VendorLease
from models.domain.portfolio import Portfolio
from models.domain.rules import YEAR_Q
from models.formulas.vendor_lease import LeaseFlows, lease_flows
from models.params.modules import ModuleArrays, Route
from models.params.outlook import Outlook

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LeaseArrays:
    """A lease of the GPUs of one module begun at a node, by node. [$M]"""

    terms: VendorLease
    flows: LeaseFlows
    """By quarter since the start, beyond the horizon too."""
    financed_usd_m: float
    draws: Array
    """Paid to the vendor by the lessor."""
    interest: Array
    interest_paid: Array
    principal: Array
    """With the buy-out."""
    scheduled: Array
    """Principal without it."""
    balance: Array
    to_pay: Array
    """What the lessor will still pay the vendor."""
    due: Array
    """Principal of the next four quarters, those after the horizon too."""


def lease_arrays(
    portfolio: Portfolio, route: Route, b: int, arrays: ModuleArrays, outlook: Outlook
) -> tuple[LeaseArrays, ...]:
    """Every lease on offer for the GPUs of a module; none where lenders are shut at its start."""
    row = outlook.rows[b]
    gpus = arrays.own_gpus_by_age
    if not row.project_debt_open or not gpus.any() or gpus.min() < 0.0:
        return ()
    found = []
    for terms in portfolio.vendor_leases:
        if route.terms.product.product in terms.products:
            rate = row.base_rate_frac + terms.spread_frac + row.spread_add_frac
            found.append(_place(terms, rate, gpus, b, outlook))
    return tuple(found)


def _place(terms: VendorLease, rate_frac: float, gpus: Array, b: int, outlook: Outlook) -> LeaseArrays:
    tree = outlook.tree
    flows = lease_flows(terms.max_frac_of_gpus * gpus, rate_frac, terms.term_q, terms.buyout_frac)
    below = list(tree.descendants(b))
    ages = [tree.period[m] - tree.period[b] for m in below]

    def on_tree(values: Array) -> Array:
        placed = np.zeros(len(tree.nodes))
        placed[below] = [values[age] if age < values.size else 0.0 for age in ages]
        return placed

    paid = np.append(np.cumsum(flows.principal), np.full(YEAR_Q, flows.principal.sum()))
    return LeaseArrays(
        terms=terms,
        flows=flows,
        financed_usd_m=float(flows.draws.sum()),
        draws=on_tree(flows.draws),
        interest=on_tree(flows.interest),
        interest_paid=on_tree(flows.interest_paid),
        principal=on_tree(flows.principal),
        scheduled=on_tree(flows.principal - flows.buyout),
        balance=on_tree(flows.balance),
        to_pay=on_tree(flows.draws.sum() - np.cumsum(flows.draws)),
        due=on_tree(paid[YEAR_Q:] - paid[:-YEAR_Q]),
    )
