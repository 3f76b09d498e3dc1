"""What one module does from its start to its last term: money, megawatts and value, route by route."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from models.domain.contract import ContractMoney
from models.domain.portfolio import Portfolio
from models.domain.site import SiteProduct
from models.formulas.construction import is_live, occupied, ramp, spend
from models.formulas.discounting import present_value
from models.formulas.lease import give_back
from models.params.outlook import Future, Outlook
from models.params.power import PowerPrices
from models.params.refresh import refit_of, refresh_of
from models.params.streams import Later, Stream, Terms, lagged, later_of, profile, stream, terms_of
from models.params.terminations import Endings, Settled, over_at, settled
from models.units import USD_M

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Route:
    """A way to convert: a product at a site for a contract."""

    terms: Terms
    site_product: SiteProduct
    spend_profile: Array
    gpu_spend_profile: Array
    ramp_profile: Array
    equipment_usd_m_per_mw: float = 0.0
    """Of capex, what is ordered apart, at the prices of the opening."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Site, product, contract."""
        return self.terms.site.site, self.terms.product.product, self.terms.contract.contract

    def ordered_usd_m(self, capex_idx: float) -> float:
        """Of a module's capex, long-lead equipment, which is ordered apart. [$M]"""
        return self.equipment_usd_m_per_mw * self.module_mw * capex_idx

    @property
    def module_mw(self) -> float:
        """Critical MW of a module."""
        return self.terms.product.module_mw

    @property
    def gross_mw(self) -> float:
        """Gross MW that a module reserves."""
        return self.terms.product.gross_mw

    @property
    def lead_q(self) -> int:
        """Quarters from the start to the first live one."""
        return self.terms.product.lead_q


@dataclass(frozen=True, eq=False)
class ModuleArrays:
    """One module begun at one node, by node. Money [$M], energy [MWh], MW; leaf figures by leaf. [$M]"""

    spend: Array
    payable: Array
    """GPUs shipped and not yet paid, less what the tenant pays of them."""
    unpaid: Array
    """The same, whoever pays."""
    refresh: Array
    """GPUs replaced."""
    refit: Array
    """Halls made ready for renewals."""
    tenant_money: Array
    rent: Array
    relet: Array
    receivable: Array
    """Rent due and not yet received."""
    fee: Array
    """Paid when the contract ends before its term."""
    credit: Array
    refund: Array
    kept: Array
    """Tenant money that becomes income when the contract ends."""
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
    renewals_value: Mapping[int, float]
    """Rent after the base term and of halls let again, less costs."""
    residuals_value: Mapping[int, float]
    remaining_own: Array
    """Own spend after the node, as the contract stands there."""
    remaining_unsigned: Array
    """Of it, what no tenant has signed for."""
    remaining_spend: Mapping[int, float]
    unearned: Mapping[int, float]
    refresh_value: Mapping[int, float]
    """What GPUs and halls cost again after the leaf, as it is worth there."""
    later: Mapping[int, Later]
    later_refresh: Mapping[int, Array]
    """GPUs replaced in each quarter after the leaf."""
    later_refit: Mapping[int, Array]
    """Halls made ready then."""
    own_spend_by_age: Array
    """Spend less tenant money, from the start to the last payment, as long as the contract runs."""
    own_gpus_by_age: Array
    """Of it, GPUs."""
    lender_base: Stream
    """The stream of the first leaf below, for the lender's case: nobody foresees its contract's end."""
    lender_credit: Array

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False


_PLACED = (
    "rent",
    "relet",
    "receivable",
    "fee",
    "credit",
    "refund",
    "kept",
    "opex",
    "power",
    "energy_mwh",
    "recovered_mw",
    "late",
    "live",
    "occupied",
    "building",
    "spend",
    "payable",
    "unpaid",
    "refresh",
    "refit",
    "tenant_money",
    "remaining_own",
    "remaining_unsigned",
)


def module_arrays(
    route: Route, b: int, outlook: Outlook, futures: tuple[Future, ...], flat_prices: Mapping[int, Array]
) -> ModuleArrays:
    """A module of ``route`` begun at node ``b``, on every path below."""
    tree, p, terms = outlook.tree, route.terms.product, route.terms
    begun, row = tree.period[b], outlook.rows[b]
    building_usd_m, demolition_usd_m, gpu_usd_m = capex_of(route, row.capex_idx, row.gpu_price_idx)
    halls_usd_m = building_usd_m + demolition_usd_m - route.ordered_usd_m(row.capex_idx)
    by_age, gpus_by_age, payable = _spend_by_age(route, halls_usd_m, gpu_usd_m)
    tenant_frac = sum(m.frac_of_capex or 0.0 for m in terms.money)
    capex_usd_m = float(by_age.sum())
    placed = {name: np.zeros(len(tree.nodes)) for name in _PLACED}
    signed, renewed, residual = {}, {}, {}
    remaining, unearned, later, refits, leased = {}, {}, {}, {}, {}
    lender: tuple[Stream, Array] | None = None
    for future in futures:
        if not outlook.below[b][future.leaf]:
            continue
        ages = len(future.quarters) - begun
        alive = is_live(p.lead_q, ages)
        load = np.zeros(ages)
        load[p.lead_q :] = ramp(route.ramp_profile, ages)[: max(0, ages - p.lead_q)]
        pad = np.zeros(begun)
        given = (
            flat_prices[future.leaf],
            np.concatenate([pad, route.module_mw * alive]),
            np.concatenate([pad, load]),
            (building_usd_m, gpu_usd_m, route.module_mw),
            begun,
        )
        s, ending = stream(terms, future, *given), terms.endings.get(future.leaf)
        new_usd_m = p.gpu_capex_usd_m_per_mw * route.module_mw * future.gpu_price_idx
        refreshed = refresh_of(terms, future, new_usd_m, gpu_usd_m, begun + p.lead_q)
        s = replace(s, residual=s.residual + refreshed.residual)
        refit = refit_of(terms, future, route.module_mw, begun + p.lead_q)
        money = _settled(terms, s.rent, begun, by_age, future)
        credit = _sum(s.rent.size, (m.credit for m in money))
        if lender is None:  # no lender foresees the end of a contract
            foreseen = s if ending is None else stream(replace(terms, endings={}), future, *given)
            credits = _credits(terms, foreseen.rent, begun + p.lead_q, capex_usd_m)
            lender = foreseen, _sum(s.rent.size, (c for _, c in credits))
        stays = np.ones(s.rent.size) if ending is None else np.arange(s.rent.size) < ending.at
        tenants_frac = tenant_frac * stays
        age_of = np.arange(len(future.quarters)) - begun
        spent = _from(by_age, begun, len(future.quarters))
        left = _from(_after(by_age), begun, len(future.quarters)) * (1.0 - tenants_frac)
        whole = {
            "rent": s.rent,
            "relet": s.relet,
            "receivable": s.receivable,
            "fee": s.fee,
            "credit": credit,
            "refund": _sum(s.rent.size, (m.refund for m in money)),
            "kept": _sum(s.rent.size, (m.kept for m in money)),
            "opex": s.opex,
            "power": s.power,
            "energy_mwh": s.energy_mwh,
            "recovered_mw": s.used * route.gross_mw * terms.contract.power_passed_through,
            "late": _late(s.noi - credit, begun, p.lead_q, p.slip_q),
            "live": s.served,
            "occupied": np.concatenate([pad, occupied(p.lead_q, p.displaces_mining_q, ages)]),
            "building": ((age_of >= 0) & (age_of < p.lead_q)).astype(float),
            "spend": spent,
            "payable": _from(payable, begun, len(future.quarters)) * (1.0 - tenants_frac),
            "unpaid": _from(payable, begun, len(future.quarters)),
            "refresh": refreshed.cost,
            "refit": refit,
            "tenant_money": spent * tenants_frac,
            "remaining_own": left,
            "remaining_unsigned": left * (1.0 - stays * (terms.contract.state != "merchant")),
        }
        nodes = list(future.path[begun:])
        for name, values in whole.items():
            placed[name][nodes] = values[begun : future.horizon_q]
        h, leaf = future.horizon_q, future.leaf
        in_term = s.rent - s.rent_renewed - (s.opex + s.power) * s.in_term
        after = s.rent_renewed + s.relet - (s.opex + s.power) * (s.served - s.in_term)
        signed[leaf] = present_value(in_term[h:], terms.rate_frac)
        renewed[leaf] = present_value(after[h:], terms.rate_frac)
        residual[leaf] = present_value(s.residual[h:], terms.rate_frac) + float(s.residual[:h].sum())
        remaining[leaf] = float(by_age[max(0, h - begun) :].sum() * (1.0 - tenants_frac[h - 1]))
        later[leaf], refits[leaf], leased[leaf] = refreshed.cost[h:], refit[h:], later_of(s, h, credit)
        unearned[leaf] = sum(m.unearned_usd_m for m in money)
    assert lender is not None
    return ModuleArrays(
        **placed,
        signed_value=signed,
        renewals_value=renewed,
        residuals_value=residual,
        remaining_spend=remaining,
        unearned=unearned,
        refresh_value={leaf: present_value(x + refits[leaf], terms.rate_frac) for leaf, x in later.items()},
        later_refresh=later,
        later_refit=refits,
        later=leased,
        own_spend_by_age=by_age * (1.0 - tenant_frac),
        own_gpus_by_age=gpus_by_age * (1.0 - tenant_frac),
        lender_base=lender[0],
        lender_credit=lender[1],
    )


def _spend_by_age(route: Route, halls_usd_m: float, gpu_usd_m: float) -> tuple[Array, Array, Array]:
    """What is paid at each age, GPUs of it, and what is shipped and still to be paid at its end. [$M]"""
    p = route.terms.product
    lag_q = p.gpu_payment_lag_q or 0
    none = np.zeros(lag_q)
    paid = np.append(spend(halls_usd_m, route.spend_profile, p.lead_q), none)
    if gpu_usd_m == 0.0:
        return paid, np.zeros(paid.size), np.zeros(paid.size)
    shipped = np.append(spend(gpu_usd_m, route.gpu_spend_profile, p.lead_q), none)
    gpus_paid = lagged(shipped, lag_q)
    return paid + gpus_paid, gpus_paid, np.maximum(0.0, np.cumsum(shipped) - np.cumsum(gpus_paid))


def capex_of(route: Route, capex_idx: float, gpu_idx: float) -> tuple[float, float, float]:
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


def _credits(
    terms: Terms, rent: Array, live_from: int, capex_usd_m: float
) -> Iterator[tuple[ContractMoney, Array]]:
    """Each row that is given back, with its credits by quarter."""
    for m in terms.money:
        if m.give_back_q:
            amount = (m.frac_of_capex or 0.0) * capex_usd_m
            first = live_from + m.give_back_from_q
            yield m, give_back(amount, rent, first, m.give_back_q, m.max_frac_of_rent)


def _settled(terms: Terms, rent: Array, begun: int, by_age: Array, future: Future) -> list[Settled]:
    """Tenant money that is given back, row by row, up to the end of its contract."""
    ending = terms.endings.get(future.leaf)
    paid_for = by_age if ending is None else by_age[: max(0, ending.at - begun)]
    live_from = begun + terms.product.lead_q
    return [
        settled(m, (m.frac_of_capex or 0.0) * float(paid_for.sum()), credit, future.horizon_q, ending)
        for m, credit in _credits(terms, rent, live_from, float(by_age.sum()))
    ]


def _after(by_age: Array) -> Array:
    """What comes after each age."""
    return np.append(np.cumsum(by_age[:0:-1])[::-1], 0.0)


def _sum(quarters: int, parts: Iterable[Array]) -> Array:
    return sum(parts, np.zeros(quarters))


def _late(noi: Array, begun: int, lead_q: int, slip_q: int) -> Array:
    """What would not have arrived, were the delivery late by its slip; known to be on time after that."""
    late = np.zeros(noi.size)
    live_from = begun + lead_q
    window = np.cumsum(np.maximum(0.0, noi[live_from : live_from + slip_q]))
    late[live_from : live_from + window.size] = window
    return late


def _from(by_age: Array, begun: int, length: int) -> Array:
    return np.concatenate([np.zeros(begun), by_age, np.zeros(length)])[:length]


def routes(portfolio: Portfolio, endings: Mapping[str, Endings]) -> tuple[Route, ...]:
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
                    terms_of(portfolio, site, product, c, endings.get(c.contract, {})),
                    sp,
                    profile(portfolio, product.spend_profile),
                    profile(portfolio, product.gpu_spend_profile)
                    if product.gpu_spend_profile
                    else np.ones(1),
                    profile(portfolio, product.ramp_profile),
                    sum(
                        x.cost_usd_m_per_mw
                        for x in portfolio.long_lead
                        if x.serves(product.product, site.site)
                    ),
                )
            )
    return tuple(found)


def open_starts(route: Route, outlook: Outlook) -> tuple[int, ...]:
    """Nodes at which a module of the route may begin."""
    tree, sp, c, site = outlook.tree, route.site_product, route.terms.contract, route.terms.site
    first = max(sp.earliest_quarter, site.earliest_conversion_quarter)
    lead_q = route.terms.product.lead_q
    over = over_at(route.terms.endings, tree)
    found = []
    for n in tree.nodes:
        if n in over:
            continue
        q = tree.quarter(n)
        live = q + lead_q
        if not first <= q <= sp.latest_quarter or live >= route.terms.term_end:
            continue
        if c.sign_from_quarter is not None and q < c.sign_from_quarter:
            continue
        if c.last_delivery_quarter is not None and live > c.last_delivery_quarter:
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
