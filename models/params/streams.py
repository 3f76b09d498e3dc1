"""What capacity under a contract earns and costs by quarter, built by the plan or committed before."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.contract import Contract, ContractMoney, Renewal
from models.domain.portfolio import Portfolio
from models.domain.product import Product
from models.domain.site import Site, SiteCooling
from models.formulas.lease import escalator_factor
from models.formulas.termination import tenancy, termination_fee_usd_m
from models.params.outlook import Future
from models.params.terminations import Endings
from models.timetree import Quarter
from models.units import QUARTERS_PER_YEAR, USD_M, USD_M_PER_KW_MONTH

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Terms:
    """Everything that fixes the stream of a module or of a commitment but its dates and its size."""

    site: Site
    product: Product
    contract: Contract
    cooling: SiteCooling
    renewal: Renewal | None
    money: tuple[ContractMoney, ...]
    rate_frac: float
    """Discount rate of the workload's stream."""
    endings: Endings
    """Where the contract ends before its term."""

    @property
    def term_end(self) -> Quarter:
        """First quarter after the base term."""
        return self.contract.commencement_quarter + self.contract.term_q

    @property
    def last_end(self) -> Quarter:
        """First quarter after the last term."""
        return self.term_end + (self.renewal.all_terms_q if self.renewal else 0)

    def chance(self, since_first_q: int, first: Quarter) -> float:
        """That the contract runs so many quarters after the first."""
        after = since_first_q - (self.term_end - first)
        if after < 0:
            return 1.0
        return self.renewal.chance(after) if self.renewal else 0.0


@dataclass(frozen=True, eq=False)
class Stream:
    """Money and energy by quarter, positive as named. [$M], energy [MWh]"""

    rent: Array
    """Received, base term and renewal."""
    rent_renewed: Array
    """Of it, what was due after the base term."""
    relet: Array
    """Received of halls let again after their contract ended early."""
    receivable: Array
    """Rent due and not yet received, at the end of the quarter."""
    fee: Array
    """Paid for that end."""
    opex: Array
    power: Array
    energy_mwh: Array
    in_term: Array
    """1 in live quarters of the base term, while the contract runs."""
    used: Array
    """1 in live quarters up to the last term end in which somebody is in the halls."""
    served: Array
    """1 in live quarters up to the last term end."""
    residual: Array
    """At the end of the last quarter of the last term."""

    @property
    def noi(self) -> Array:
        """Rent - opex - power."""
        return self.rent + self.relet - self.opex - self.power


@dataclass(frozen=True, eq=False)
class Later:
    """The base term after the horizon, by quarter: what lenders look to. [$M]"""

    rent: Array
    cost: Array
    """Opex and power."""
    credit: Array
    """Tenant money given back."""


def later_of(s: Stream, horizon_q: int, credit: Array) -> Later:
    """The part of a stream that is the base term's and comes after the horizon."""
    rent, cost = s.rent - s.rent_renewed, (s.opex + s.power) * s.in_term
    return Later(*(values[horizon_q:] for values in (rent, cost, credit)))


def stream(
    terms: Terms,
    future: Future,
    flat_price: Array,
    live_mw: Array,
    utilisation: Array,
    sizes: tuple[float, float, float],
    begun: int | None,
) -> Stream:
    """The stream of capacity whose live MW and utilisation are given by quarter of a future.

    Parameters
    ----------
    live_mw : ndarray of shape (quarters,)
        Critical MW live. [MW]
    utilisation : ndarray of shape (quarters,)
        Ramp, the delivery probability apart. [fraction]
    sizes : capex as base of maintenance and building residual, GPU capex, total MW. [$M, $M, MW]
    begun : quarter in which the module begins, which fixes the rent of an indexed offer; None: committed
    """
    c, p = terms.contract, terms.product
    capex_usd_m, gpu_usd_m, total_mw = sizes
    quarters, load = future.quarters, utilisation * c.delivery_probability_frac
    since = np.array([q - c.commencement_quarter for q in quarters], dtype=float)
    growth = (1.0 + p.opex_growth_frac_per_year) ** (np.arange(len(quarters)) / QUARTERS_PER_YEAR)
    before_end = np.array([float(q < terms.term_end) for q in quarters])
    before_last = np.array([float(q < terms.last_end) for q in quarters])
    renewed = before_last - before_end
    chance = np.array([terms.chance(t, quarters[0]) for t in range(len(quarters))])
    billed = live_mw / (p.gross_to_critical_ratio if c.billing_basis == "gross" else 1.0)
    price = _rent_usd_per_kw_month(terms, future, since, renewed, begun)
    each = USD_M_PER_KW_MONTH * billed * load * chance
    due = (since >= 0.0) * price * each
    stays, let_again = tenancy_of(terms, future)
    used = stays + let_again
    opex = (
        (1.0 - c.opex_passed_through_frac)
        * p.opex_usd_per_kw_month
        * USD_M_PER_KW_MONTH
        * growth
        * live_mw
        * load
    )
    share = live_mw / total_mw * c.delivery_probability_frac
    upkeep = p.maintenance_frac_of_capex_per_year / QUARTERS_PER_YEAR * capex_usd_m * share
    energy = live_mw * p.load_frac * terms.cooling.pue * future.hours * load * chance * used
    power = np.zeros(len(quarters)) if c.power_passed_through else energy * flat_price * USD_M
    live = (live_mw > 0.0).astype(float)
    last = np.array([float(q + 1 == terms.last_end) for q in quarters])
    residual = p.residual_frac * capex_usd_m + p.gpu_residual_frac * gpu_usd_m
    relet = _relet_usd_per_kw_month(terms, future) * each * let_again
    return Stream(
        rent=lagged(due * stays, c.payment_lag_q),
        rent_renewed=lagged(due * renewed * stays, c.payment_lag_q),
        relet=lagged(relet, c.payment_lag_q),
        receivable=owed_of(due * stays + relet, c.payment_lag_q),
        fee=_fee(terms, future, due * before_end, total_mw),
        opex=(opex * used + upkeep) * chance,
        power=power,
        energy_mwh=energy,
        in_term=live * before_end * stays,
        used=live * before_last * used,
        served=live * before_last,
        residual=last * live_mw / total_mw * residual,
    )


def lagged(flows: Array, lag_q: int) -> Array:
    """Flows paid ``lag_q`` quarters later."""
    return np.concatenate([np.zeros(lag_q), flows[: flows.size - lag_q]]) if lag_q else flows


def owed_of(flows: Array, lag_q: int) -> Array:
    """What of flows paid ``lag_q`` quarters later is owed at the end of each quarter."""
    return np.cumsum(flows - lagged(flows, lag_q)) if lag_q else np.zeros(flows.size)


def _rent_usd_per_kw_month(
    terms: Terms, future: Future, since: Array, renewed: Array, begun: int | None
) -> Array:
    c = terms.contract
    index = {"none": np.ones_like(since), "lease": future.lease_idx, "gpu_rent": future.gpu_rent_idx}
    running = c.first_year_rent_usd_per_kw_month * escalator_factor(since, c.escalator_frac_per_year)
    own = index[c.rent_indexed_to]
    running = running * (own[begun] if c.signable and begun is not None else own)
    if terms.renewal is None or terms.renewal.rent_basis == "contract":
        return running
    market_index = index["gpu_rent" if terms.product.workload == "gpu_cloud" else "lease"]
    market = c.first_year_rent_usd_per_kw_month * market_index
    after = market if terms.renewal.rent_basis == "market" else np.minimum(market, running)
    return np.where(renewed > 0.0, after, running)


def tenancy_of(terms: Terms, future: Future) -> tuple[Array, Array]:
    """Quarters in which the tenant stays, and in which its halls are let again."""
    ending, quarters = terms.endings.get(future.leaf), len(future.quarters)
    if ending is None:
        return np.ones(quarters), np.zeros(quarters)
    return tenancy(quarters, ending.at, ending.row.vacancy_q)


def _relet_usd_per_kw_month(terms: Terms, future: Future) -> Array:
    """Rent of halls let again: a share of the first-year rent, at the market's index."""
    ending = terms.endings.get(future.leaf)
    index = future.gpu_rent_idx if terms.product.workload == "gpu_cloud" else future.lease_idx
    share = 0.0 if ending is None else ending.row.relet_rent_frac or 0.0
    return terms.contract.first_year_rent_usd_per_kw_month * share * index


def _fee(terms: Terms, future: Future, rents_usd_m: Array, total_mw: float) -> Array:
    """What is paid when the contract ends before its term, by quarter. [$M]"""
    fee, ending = np.zeros(len(future.quarters)), terms.endings.get(future.leaf)
    if ending is not None:
        row, cap = ending.row, ending.row.fee_at_most_usd_m_per_mw
        most = np.inf if cap is None else cap * total_mw * terms.contract.delivery_probability_frac
        lost = rents_usd_m[ending.at :]
        fee[ending.at] = termination_fee_usd_m(
            lost, row.fee_frac_of_remaining_rent, row.fee_months_of_rent, most
        )
    return fee


def terms_of(
    portfolio: Portfolio, site: Site, product: Product, contract: Contract, endings: Endings
) -> Terms:
    """Bring together what fixes a stream."""
    return Terms(
        site=site,
        product=product,
        contract=contract,
        cooling=next(c for c in portfolio.cooling if c.site == site.site and c.cooling == product.cooling),
        renewal=next((r for r in portfolio.renewals if r.contract == contract.contract), None),
        money=tuple(m for m in portfolio.contract_money if m.contract == contract.contract),
        rate_frac=next(v.rate_frac for v in portfolio.valuation if v.stream == product.workload),
        endings=endings,
    )


def profile(portfolio: Portfolio, name: str) -> Array:
    """Fractions of a profile in the order of its steps."""
    steps = sorted((x.step, x.frac) for x in portfolio.profiles if x.profile == name)
    return np.array([frac for _, frac in steps])
