"""What one module does from its start to its last term: money, megawatts and value, route by route."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.domain.contract import Contract, ContractMoney, Renewal
from models.domain.portfolio import Portfolio
from models.domain.product import Product
from models.domain.site import Site, SiteCooling, SiteProduct
from models.formulas.construction import is_live, occupied, ramp, spend
from models.formulas.discounting import present_value
from models.formulas.lease import escalator_factor, give_back
from models.params.outlook import Future, Outlook
from models.params.power import PowerPrices
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

    @property
    def term_end(self) -> Quarter:
        """First quarter after the base term."""
        return self.contract.commencement_quarter + self.contract.term_q

    @property
    def last_end(self) -> Quarter:
        """First quarter after the last term."""
        return self.term_end + (self.renewal.term_q if self.renewal else 0)


@dataclass(frozen=True)
class Route:
    """A way to convert: a product at a site for a contract."""

    terms: Terms
    site_product: SiteProduct
    spend_profile: Array
    gpu_spend_profile: Array
    ramp_profile: Array

    @property
    def key(self) -> tuple[str, str, str]:
        """Site, product, contract."""
        return self.terms.site.site, self.terms.product.product, self.terms.contract.contract

    @property
    def module_mw(self) -> float:
        """Critical MW of a module."""
        return self.terms.product.module_mw

    @property
    def gross_mw(self) -> float:
        """Gross MW that a module reserves."""
        return self.module_mw / self.terms.product.gross_to_critical_ratio


@dataclass(frozen=True, eq=False)
class Stream:
    """Money and energy by quarter, positive as named. [$M], energy [MWh]"""

    rent: Array
    """Received, base term and renewal."""
    rent_renewed: Array
    """Of it, what was due after the base term."""
    opex: Array
    power: Array
    energy_mwh: Array
    in_term: Array
    """1 in live quarters of the base term."""
    served: Array
    """1 in live quarters up to the last term end."""
    residual: Array
    """At the end of the last quarter of the last term."""

    @property
    def noi(self) -> Array:
        """Rent - opex - power."""
        return self.rent - self.opex - self.power


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
    chance = before_end + renewed * (terms.renewal.probability_frac if terms.renewal else 0.0)
    billed = live_mw / (p.gross_to_critical_ratio if c.billing_basis == "gross" else 1.0)
    price = _rent_usd_per_kw_month(terms, future, since, renewed, begun)
    due = (since >= 0.0) * price * USD_M_PER_KW_MONTH * billed * load * chance
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
    energy = live_mw * p.load_frac * terms.cooling.pue * future.hours * load * chance
    power = np.zeros(len(quarters)) if c.power_passed_through else energy * flat_price * USD_M
    live = (live_mw > 0.0).astype(float)
    last = np.array([float(q + 1 == terms.last_end) for q in quarters])
    residual = p.residual_frac * capex_usd_m + p.gpu_residual_frac * gpu_usd_m
    return Stream(
        rent=lagged(due, c.payment_lag_q),
        rent_renewed=lagged(due * renewed, c.payment_lag_q),
        opex=(opex + upkeep) * chance,
        power=power,
        energy_mwh=energy,
        in_term=live * before_end,
        served=live * before_last,
        residual=last * live_mw / total_mw * residual,
    )


def lagged(flows: Array, lag_q: int) -> Array:
    """Flows paid ``lag_q`` quarters later."""
    return np.concatenate([np.zeros(lag_q), flows[: flows.size - lag_q]]) if lag_q else flows


def _rent_usd_per_kw_month(
    terms: Terms, future: Future, since: Array, renewed: Array, begun: int | None
) -> Array:
    c = terms.contract
    index = {"none": np.ones_like(since), "lease": future.lease_idx, "gpu_rent": future.gpu_rent_idx}
    running = c.first_year_rent_usd_per_kw_month * escalator_factor(since, c.escalator_frac_per_year)
    own = index[c.rent_indexed_to]
    running = running * (own[begun] if c.state == "offer" and begun is not None else own)
    if terms.renewal is None or terms.renewal.rent_basis == "contract":
        return running
    market_index = index["gpu_rent" if terms.product.workload == "gpu_cloud" else "lease"]
    market = c.first_year_rent_usd_per_kw_month * market_index
    after = market if terms.renewal.rent_basis == "market" else np.minimum(market, running)
    return np.where(renewed > 0.0, after, running)


@dataclass(frozen=True, eq=False)
class ModuleArrays:
    """One module begun at one node, by node. Money [$M], energy [MWh], MW; leaf figures by leaf. [$M]"""

    spend: Array
    tenant_money: Array
    rent: Array
    credit: Array
    opex: Array
    power: Array
    energy_mwh: Array
    recovered_mw: Array
    """Gross MW whose demand charge the tenant repays."""
    late: Array
    live: Array
    occupied: Array
    building: Array
    signed_value: Mapping[int, float]
    beyond_value: Mapping[int, float]
    remaining_spend: Mapping[int, float]
    unearned: Mapping[int, float]
    own_spend_by_age: Array
    """Spend less tenant money, from the start to go-live."""
    lender_base: Stream
    """The stream of the first leaf below, for the lender's case."""
    lender_credit: Array

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False


_PLACED = (
    "rent",
    "credit",
    "opex",
    "power",
    "energy_mwh",
    "recovered_mw",
    "late",
    "live",
    "occupied",
    "building",
    "spend",
    "tenant_money",
)


def module_arrays(
    route: Route, b: int, outlook: Outlook, futures: tuple[Future, ...], flat_prices: Mapping[int, Array]
) -> ModuleArrays:
    """A module of ``route`` begun at node ``b``, on every path below."""
    tree, p, terms = outlook.tree, route.terms.product, route.terms
    begun, row = tree.period[b], outlook.rows[b]
    building_usd_m, demolition_usd_m, gpu_usd_m = _capex(route, row.capex_idx, row.gpu_price_idx)
    by_age = spend(building_usd_m + demolition_usd_m, route.spend_profile, p.lead_q)
    if gpu_usd_m > 0.0:
        by_age = by_age + spend(gpu_usd_m, route.gpu_spend_profile, p.lead_q)
    tenant_frac = sum(m.frac_of_capex or 0.0 for m in terms.money)
    given_frac = sum(m.frac_of_capex or 0.0 for m in terms.money if m.give_back_q)
    capex_usd_m = float(by_age.sum())
    placed = {name: np.zeros(len(tree.nodes)) for name in _PLACED}
    signed, beyond, remaining, unearned = {}, {}, {}, {}
    lender: tuple[Stream, Array] | None = None
    for future in futures:
        if not outlook.below[b][future.leaf]:
            continue
        ages = len(future.quarters) - begun
        alive = is_live(p.lead_q, ages)
        load = np.zeros(ages)
        load[p.lead_q :] = ramp(route.ramp_profile, ages)[: max(0, ages - p.lead_q)]
        pad = np.zeros(begun)
        s = stream(
            terms,
            future,
            flat_prices[future.leaf],
            np.concatenate([pad, route.module_mw * alive]),
            np.concatenate([pad, load]),
            (building_usd_m, gpu_usd_m, route.module_mw),
            begun,
        )
        credit = _credits(terms, s.rent, begun + p.lead_q, capex_usd_m)
        lender = lender or (s, credit)
        age_of = np.arange(len(future.quarters)) - begun
        whole = {
            "rent": s.rent,
            "credit": credit,
            "opex": s.opex,
            "power": s.power,
            "energy_mwh": s.energy_mwh,
            "recovered_mw": s.served * route.gross_mw * terms.contract.power_passed_through,
            "late": _late(s.noi - credit, begun, p.lead_q, p.slip_q),
            "live": s.served,
            "occupied": np.concatenate([pad, occupied(p.lead_q, p.displaces_mining_q, ages)]),
            "building": ((age_of >= 0) & (age_of < p.lead_q)).astype(float),
            "spend": _from(by_age, begun, len(future.quarters)),
            "tenant_money": _from(by_age * tenant_frac, begun, len(future.quarters)),
        }
        nodes = list(future.path[begun:])
        for name, values in whole.items():
            placed[name][nodes] = values[begun : future.horizon_q]
        h, leaf = future.horizon_q, future.leaf
        in_term = s.rent - s.rent_renewed - (s.opex + s.power) * s.in_term
        after = s.rent_renewed - (s.opex + s.power) * (s.served - s.in_term) + s.residual
        signed[leaf] = present_value(in_term[h:], terms.rate_frac)
        beyond[leaf] = present_value(after[h:], terms.rate_frac) + float(s.residual[:h].sum())
        remaining[leaf] = float((whole["spend"] - whole["tenant_money"])[h:].sum())
        unearned[leaf] = capex_usd_m * given_frac - float(credit[:h].sum())
    assert lender is not None
    return ModuleArrays(
        **placed,
        signed_value=signed,
        beyond_value=beyond,
        remaining_spend=remaining,
        unearned=unearned,
        own_spend_by_age=by_age * (1.0 - tenant_frac),
        lender_base=lender[0],
        lender_credit=lender[1],
    )


def _capex(route: Route, capex_idx: float, gpu_idx: float) -> tuple[float, float, float]:
    """Building with contingency, demolition, GPUs. [$M]"""
    p, mw = route.terms.product, route.module_mw
    building = (
        p.capex_usd_m_per_mw
        * mw
        * route.site_product.capex_factor_frac
        * (1.0 + p.contingency_frac)
        * capex_idx
    )
    razed = route.terms.site.demolition_usd_m_per_mw * route.gross_mw if p.archetype == "rebuild" else 0.0
    return building, razed, p.gpu_capex_usd_m_per_mw * mw * gpu_idx


def _credits(terms: Terms, rent: Array, live_from: int, capex_usd_m: float) -> Array:
    credit = np.zeros(rent.size)
    for m in terms.money:
        if m.give_back_q:
            amount = (m.frac_of_capex or 0.0) * capex_usd_m
            credit += give_back(
                amount, rent, live_from + m.give_back_from_q, m.give_back_q, m.max_frac_of_rent
            )
    return credit


def _late(noi: Array, begun: int, lead_q: int, slip_q: int) -> Array:
    """What would not have arrived, were the delivery late by its slip; known to be on time after that."""
    late = np.zeros(noi.size)
    live_from = begun + lead_q
    window = np.cumsum(np.maximum(0.0, noi[live_from : live_from + slip_q]))
    late[live_from : live_from + window.size] = window
    return late


def _from(by_age: Array, begun: int, length: int) -> Array:
    return np.concatenate([np.zeros(begun), by_age, np.zeros(length)])[:length]


def routes(portfolio: Portfolio) -> tuple[Route, ...]:
    """Every route that offers, products and sites allow."""
    products = {p.product: p for p in portfolio.products}
    sites = {s.site: s for s in portfolio.sites}
    regions = {r.region: r for r in portfolio.regions}
    open_contracts = [c for c in portfolio.contracts if c.state != "committed"]
    found = []
    for sp in portfolio.site_products:
        site, product = sites[sp.site], products[sp.product]
        if not site.hpc_allowed:
            continue
        if product.workload == "gpu_cloud" and not regions[site.region].gpu_cloud_allowed:
            continue
        for c in open_contracts:
            if c.sites and site.site not in c.sites:
                continue
            if c.workloads and product.workload not in c.workloads:
                continue
            if c.coolings and product.cooling not in c.coolings:
                continue
            found.append(
                Route(
                    terms_of(portfolio, site, product, c),
                    sp,
                    profile(portfolio, product.spend_profile),
                    profile(portfolio, product.gpu_spend_profile)
                    if product.gpu_spend_profile
                    else np.ones(1),
                    profile(portfolio, product.ramp_profile),
                )
            )
    return tuple(found)


def terms_of(portfolio: Portfolio, site: Site, product: Product, contract: Contract) -> Terms:
    """Bring together what fixes a stream."""
    return Terms(
        site=site,
        product=product,
        contract=contract,
        cooling=next(c for c in portfolio.cooling if c.site == site.site and c.cooling == product.cooling),
        renewal=next((r for r in portfolio.renewals if r.contract == contract.contract), None),
        money=tuple(m for m in portfolio.contract_money if m.contract == contract.contract),
        rate_frac=next(v.rate_frac for v in portfolio.valuation if v.stream == product.workload),
    )


def profile(portfolio: Portfolio, name: str) -> Array:
    """Fractions of a profile in the order of its steps."""
    steps = sorted((x.step, x.frac) for x in portfolio.profiles if x.profile == name)
    return np.array([frac for _, frac in steps])


def open_starts(route: Route, outlook: Outlook) -> tuple[int, ...]:
    """Nodes at which a module of the route may begin."""
    tree, sp, c, site = outlook.tree, route.site_product, route.terms.contract, route.terms.site
    first = max(sp.earliest_quarter, site.earliest_conversion_quarter)
    lead_q = route.terms.product.lead_q
    found = []
    for n in tree.nodes:
        q = tree.quarter(n)
        live = q + lead_q
        if not first <= q <= sp.latest_quarter or live >= route.terms.term_end:
            continue
        if c.sign_from_quarter is not None and q < c.sign_from_quarter:
            continue
        if c.deadline_quarter is not None and live > c.deadline_quarter:
            continue
        found.append(n)
    return tuple(found)


def lender_noi(
    route: Route, arrays: ModuleArrays, future: Future, prices: PowerPrices, power_idx: float
) -> Array:
    """NOI less credits by quarter of the future, power at the index of the close held flat. [$M]"""
    s = arrays.lender_base
    flat = np.array([prices.flat_usd_per_mwh(q, power_idx) for q in future.quarters])
    power = (
        np.zeros(s.rent.size) if route.terms.contract.power_passed_through else s.energy_mwh * flat * USD_M
    )
    return s.rent - s.opex - power
