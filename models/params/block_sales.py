"""Let halls that may be sold at a cap rate: at which nodes, at what price, and what goes with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.portfolio import Portfolio
from models.domain.rules import YEAR_Q
from models.params.commitments import CommitmentArrays, ContractMoneyArrays
from models.params.modules import ModuleArrays, Route
from models.params.outlook import Outlook
from models.params.power import PowerPrices
from models.params.streams import Later, Terms
from models.timetree import Quarter
from models.units import USD_M_PER_KW_MONTH

Array = NDArray[np.float64]
NOTHING_USD_M = 1e-9
"""What sums of equal floats leave behind."""


@dataclass(frozen=True, eq=False)
class BlockSale:
    """One module, or a whole commitment, sold at the end of a node's quarter. [$M]"""

    node: int
    mw: float
    """Critical."""
    price_usd_m: float
    """Selling costs taken off."""
    cost_usd_m: float
    """What it cost, tenants' money apart."""
    before: Array
    """What it earned up to the node, on the path to it, less the demand charge that buyers repay after it."""
    after: Array
    """1 at the nodes below the sale; the arrays that follow are zero elsewhere."""
    rent: Array
    opex: Array
    power: Array
    refit: Array
    """Halls made ready for renewals."""
    repaid_mw: Array
    """Gross MW whose demand charge the buyer repays where no tenant did."""
    live_mw: Array
    signed_value: Mapping[int, float]
    renewals_value: Mapping[int, float]
    residuals_value: Mapping[int, float]
    refit_value: Mapping[int, float]
    later: Mapping[int, Later]


@dataclass(frozen=True, eq=False)
class Sales:
    """All that may be sold."""

    of_modules: Mapping[tuple[str, str, str, int], tuple[BlockSale, ...]]
    """By site, product, contract and node of the start."""
    of_commitments: Mapping[str, tuple[BlockSale, ...]]


def module_sales(
    route: Route, modules: Mapping[int, ModuleArrays], outlook: Outlook, prices: PowerPrices
) -> dict[tuple[str, str, str, int], tuple[BlockSale, ...]]:
    """What may be sold of each cohort of a route, node by node. Maths: docs/program.md, section 15."""
    found = {}
    for begun, a in modules.items():
        nodes = [
            n
            for n in _open_nodes(route.terms, _settles(route, a, outlook.tree.quarter(begun)), outlook)
            if outlook.below[begun][n] and not _is_owed(n, outlook, (a.credit, a.tenant_money), a.unearned)
        ]
        live = a.live * route.module_mw
        size = (route.module_mw, float(a.own_spend_by_age.sum()))
        sales = (_sale(a, route.terms, size, live, n, outlook, prices) for n in nodes)
        found[(*route.key, begun)] = tuple(s for s in sales if s.price_usd_m > 0.0)
    return found


def commitment_sales(
    portfolio: Portfolio,
    commitments: Iterable[CommitmentArrays],
    money: Iterable[ContractMoneyArrays],
    outlook: Outlook,
    prices: Mapping[str, PowerPrices],
) -> dict[str, tuple[BlockSale, ...]]:
    """What may be sold of each commitment of a borrower without loans. Maths: docs/program.md, section 15.

    ``prices`` are by site.
    """
    indebted = {d.entity for d in portfolio.debt if d.kind not in ("corporate", "btc")}
    indebted |= {x.entity for x in portfolio.take_outs}
    owed = {m.contract: m for m in money}
    found = {}
    for a in commitments:
        row, contract = a.commitment, a.terms.contract
        settles = _stands(portfolio, a, outlook)
        if a.terms.site.entity in indebted or row.debt is not None or settles is None:
            continue
        m = owed.get(contract.contract)
        nodes = [
            n
            for n in _open_nodes(a.terms, settles, outlook)
            if m is None or not _is_owed(n, outlook, (m.credit, m.received), m.unearned)
        ]
        size = (float(a.live_mw.max()), row.capex_usd_m + row.gpu_capex_usd_m)
        power = prices[row.site]
        sales = (_sale(a, a.terms, size, a.live_mw, n, outlook, power) for n in nodes)
        found[row.commitment] = tuple(s for s in sales if s.price_usd_m > 0.0)
    return found


def _settles(route: Route, a: ModuleArrays, begun: Quarter) -> Quarter:
    """First quarter in which a cohort's rent is whole, no date of its contract is ahead and all is paid."""
    c, p = route.terms.contract, route.terms.product
    live = begun + route.lead_q
    return max(
        live + max(p.slip_q, route.ramp_profile.size - 1 + c.payment_lag_q),
        c.commencement_quarter + c.payment_lag_q,
        c.last_delivery_quarter or live,
        begun + (a.own_spend_by_age.size - 1),
    )


def _stands(portfolio: Portfolio, a: CommitmentArrays, outlook: Outlook) -> Quarter | None:
    """The same of a commitment; None of one that brings no megawatts."""
    flows = [f for f in portfolio.commitment_flows if f.commitment == a.commitment.commitment]
    live = [f.quarter for f in flows if f.mw_live > 0.0]
    c, until = a.terms.contract, a.commitment.cancellable_until_quarter
    if not live:
        return None
    return max(
        max([outlook.tree.first, c.commencement_quarter, *live]) + c.payment_lag_q,
        *(f.quarter + (f.funded_by == "vendor") for f in flows),
        *([] if until is None else [until + 1]),
    )


def _open_nodes(terms: Terms, settles: Quarter, outlook: Outlook) -> list[int]:
    """Nodes at which halls under a contract are offered at the site's cap rate."""
    tree, c = outlook.tree, terms.contract
    ahead_q = terms.site.sale_term_left_q
    if ahead_q is None or c.state == "merchant" or terms.product.refresh_q is not None:
        return []
    return [
        n
        for n in tree.nodes
        if tree.children[n]
        and settles <= tree.quarter(n)
        and tree.quarter(n) + ahead_q < terms.term_end
        and not any(outlook.below[n][leaf] for leaf in terms.endings)
    ]


def _is_owed(n: int, outlook: Outlook, flows: tuple[Array, ...], unearned: Mapping[int, float]) -> bool:
    """Whether tenant money is still to come after a node, or to be given back."""
    after = _after(n, outlook)
    left = max(abs(unearned[leaf]) for leaf in outlook.tree.leaves_below(n))
    return left > NOTHING_USD_M or any(float(np.abs(x * after).max()) > NOTHING_USD_M for x in flows)


def _after(n: int, outlook: Outlook) -> Array:
    after = outlook.below[n].copy()
    after[n] = 0.0
    return after


def _sale(
    a: ModuleArrays | CommitmentArrays,
    terms: Terms,
    size: tuple[float, float],
    live_mw: Array,
    n: int,
    outlook: Outlook,
    prices: PowerPrices,
) -> BlockSale:
    """``size`` is critical MW, and what they cost. [MW, $M]"""
    site, after = terms.site, _after(n, outlook)
    assert site.sale_cap_rate_frac is not None
    kept = 1.0 - (site.sale_cost_frac or 0.0)
    gross = live_mw / terms.product.gross_to_critical_ratio
    leaves = outlook.tree.leaves_below(n)
    repaid_mw, path = gross - a.recovered_mw, list(outlook.tree.path(n))
    before = np.zeros(after.size)
    charges = np.array([_demand(outlook.tree.quarter(m), prices) for m in path])
    before[path] = (a.rent - a.opex - a.power)[path] - repaid_mw[path] * charges
    earned_usd_m = _noi_ahead(a, n, outlook) - float(repaid_mw[n]) * _demand_ahead(n, outlook, prices)
    return BlockSale(
        node=n,
        mw=size[0],
        cost_usd_m=size[1],
        price_usd_m=earned_usd_m / site.sale_cap_rate_frac * kept,
        before=before,
        after=after,
        rent=a.rent * after,
        opex=a.opex * after,
        power=a.power * after,
        refit=a.refit * after,
        repaid_mw=repaid_mw * after,
        live_mw=live_mw * after,
        signed_value={leaf: a.signed_value[leaf] for leaf in leaves},
        renewals_value={leaf: a.renewals_value[leaf] for leaf in leaves},
        residuals_value={leaf: a.residuals_value[leaf] for leaf in leaves},
        refit_value={leaf: a.refresh_value[leaf] for leaf in leaves},
        later={leaf: a.later[leaf] for leaf in leaves},
    )


def _noi_ahead(a: ModuleArrays | CommitmentArrays, n: int, outlook: Outlook) -> float:
    """NOI of the four quarters after a node, as expected there; after a leaf at its frozen market. [$M]"""
    tree, found = outlook.tree, 0.0
    within = a.rent - a.opex - a.power
    for leaf in tree.leaves_below(n):
        beyond = a.later[leaf].rent - a.later[leaf].cost
        noi = np.append(within[list(tree.path(leaf))], beyond)
        t, chance = tree.period[n] + 1, tree.probability[leaf] / tree.probability[n]
        found += float(chance * noi[t : t + YEAR_Q].sum())
    return found


def _demand_ahead(n: int, outlook: Outlook, prices: PowerPrices) -> float:
    """Demand charge of the four quarters after a node. [$M per gross MW]"""
    return sum(_demand(outlook.tree.quarter(n) + k, prices) for k in range(1, YEAR_Q + 1))


def _demand(quarter: Quarter, prices: PowerPrices) -> float:
    """Demand charge of a quarter. [$M per gross MW]"""
    return prices.row(quarter).demand_charge_usd_per_kw_month * USD_M_PER_KW_MONTH
