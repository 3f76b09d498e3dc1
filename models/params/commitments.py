"""What is already signed or half-built: its spend, its rent and what it is worth beyond the horizon."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.domain.contract import Commitment, ContractMoney
from models.domain.portfolio import Portfolio
from models.formulas.discounting import present_value
from models.formulas.lease import give_back
from models.params.outlook import Future, Outlook
from models.params.refresh import Refresh, refit_of, refresh_of
from models.params.streams import Later, Stream, Terms, later_of, stream, terms_of
from models.params.terminations import Ending, Endings, settled

Array = NDArray[np.float64]
FUNDERS = ("own", "escrow", "tenant", "gpu_debt")
_PLACED = (
    "rent",
    "relet",
    "receivable",
    "fee",
    "opex",
    "power",
    "energy_mwh",
    "served",
    "used",
    *FUNDERS,
    "taken_over",
    "remaining_own",
    "remaining_unsigned",
)


@dataclass(frozen=True, eq=False)
class CommitmentArrays:
    """One commitment by node. Money [$M], energy [MWh], MW; leaf figures by leaf [$M]."""

    commitment: Commitment
    terms: Terms
    rent: Array
    relet: Array
    receivable: Array
    """Rent due and not yet received."""
    fee: Array
    """Paid when the contract ends before its term."""
    opex: Array
    power: Array
    energy_mwh: Array
    recovered_mw: Array
    live_mw: Array
    building_mw: Array
    occupied_gross_mw: Array
    reserved_gross_mw: float
    """All of it, whatever its stage."""
    spend: dict[str, Array]
    """By who funds it; vendor rows are own spend a quarter later, tenant rows own spend once it has gone."""
    taken_over_usd_m: Array
    """Of it, what a tenant was to pay that has gone."""
    payable: Array
    """Of own spend still to come, what vendors have shipped."""
    refresh: Array
    """GPUs replaced."""
    refit: Array
    """Halls made ready for renewals."""
    remaining_own: Array
    """Own spend after the node, as the contract stands there, replaced GPUs apart."""
    remaining_unsigned: Array
    """Of it, what no tenant has signed for."""
    signed_value: Mapping[int, float]
    renewals_value: Mapping[int, float]
    """Rent after the base term and of halls let again, less costs."""
    residuals_value: Mapping[int, float]
    remaining_spend: Mapping[int, float]
    refresh_value: Mapping[int, float]
    """What GPUs and halls cost again after the leaf, as it is worth there."""
    later: Mapping[int, Later]
    """Credits are those of its contract."""
    later_refresh: Mapping[int, Array]
    """GPUs replaced in each quarter after the leaf."""
    later_refit: Mapping[int, Array]
    """Halls made ready then."""
    cancel_nodes: tuple[int, ...]
    streams: Mapping[int, Stream]
    """From the first quarter to the last term's end, by leaf: what lenders look to."""


@dataclass(frozen=True, eq=False)
class ContractMoneyArrays:
    """Tenant money of a committed contract, booked at the site of its first commitment. [$M]"""

    contract: str
    site: str
    received: Array
    credit: Array
    refund: Array
    """When the contract ends before its term."""
    kept: Array
    """Income: never given back, or not given back because the contract ended."""
    opening_usd_m: float
    """Received before the first quarter and still to be given back then."""
    unearned: Mapping[int, float]
    later_credit: Mapping[int, Array]
    """After the horizon, by leaf."""


def commitment_arrays(
    portfolio: Portfolio,
    outlook: Outlook,
    futures: tuple[Future, ...],
    flat_prices: Mapping[str, Mapping[int, Array]],
    endings: Mapping[str, Endings],
) -> tuple[tuple[CommitmentArrays, ...], tuple[ContractMoneyArrays, ...]]:
    """All commitments and the money of their contracts.

    ``flat_prices`` are by site and leaf, each of shape (quarters of the future,). [USD/MWh]
    """
    sites = {s.site: s for s in portfolio.sites}
    products = {p.product: p for p in portfolio.products}
    contracts = {c.contract: c for c in portfolio.contracts}
    found: list[CommitmentArrays] = []
    rents: dict[tuple[str, int], Array] = {}
    for c in portfolio.commitments:
        ends = endings.get(c.contract, {})
        terms = terms_of(portfolio, sites[c.site], products[c.product], contracts[c.contract], ends)
        streams = {f.leaf: _stream(portfolio, c, terms, f, flat_prices[c.site][f.leaf]) for f in futures}
        refreshed = {f.leaf: _refresh(portfolio, c, terms, f) for f in futures}
        streams = {
            leaf: replace(s, residual=s.residual + refreshed[leaf].residual) for leaf, s in streams.items()
        }
        found.append(_arrays(portfolio, c, terms, outlook, futures, streams, refreshed))
        for leaf, s in streams.items():
            key = (c.contract, leaf)
            rents[key] = rents.get(key, np.zeros(s.rent.size)) + s.rent
    money = []
    for name in dict.fromkeys(c.contract for c in portfolio.commitments):
        site = next(c.site for c in portfolio.commitments if c.contract == name)
        rows = [m for m in portfolio.contract_money if m.contract == name]
        if rows:
            by_leaf = {f.leaf: rents[name, f.leaf] for f in futures}
            money.append(_money(portfolio, name, site, outlook, futures, by_leaf, endings.get(name, {})))
    return tuple(found), tuple(money)


def _live_mw(portfolio: Portfolio, c: Commitment, future: Future) -> Array:
    live = np.zeros(len(future.quarters))
    for flow in portfolio.commitment_flows:
        if flow.commitment == c.commitment:
            live[max(0, flow.quarter - future.quarters[0]) :] += flow.mw_live
    return live


def _total_mw(portfolio: Portfolio, c: Commitment) -> float:
    return sum(f.mw_live for f in portfolio.commitment_flows if f.commitment == c.commitment)


def _stream(portfolio: Portfolio, c: Commitment, terms: Terms, future: Future, flat_price: Array) -> Stream:
    live = _live_mw(portfolio, c, future)
    sizes = (c.capex_usd_m, c.gpu_capex_usd_m, _total_mw(portfolio, c))
    return stream(terms, future, flat_price, live, np.ones(live.size), sizes, None)


def _refresh(portfolio: Portfolio, c: Commitment, terms: Terms, future: Future) -> Refresh:
    """Each part of the GPUs is replaced so many quarters after it went live."""
    found = Refresh(np.zeros(len(future.quarters)), np.zeros(len(future.quarters)))
    new_usd_m = c.gpu_capex_usd_m * future.gpu_price_idx / future.gpu_price_idx[0]
    for flow in portfolio.commitment_flows:
        if flow.commitment == c.commitment and flow.mw_live:
            part = flow.mw_live / _total_mw(portfolio, c)
            live_from = flow.quarter - future.quarters[0]
            x = refresh_of(terms, future, part * new_usd_m, part * c.gpu_capex_usd_m, live_from)
            found = Refresh(found.cost + x.cost, found.residual + x.residual)
    return found


def _refit(portfolio: Portfolio, c: Commitment, terms: Terms, future: Future) -> Array:
    """Halls of each part made ready for renewals."""
    flows = [f for f in portfolio.commitment_flows if f.commitment == c.commitment]
    parts = (refit_of(terms, future, f.mw_live, f.quarter - future.quarters[0]) for f in flows)
    return sum(parts, np.zeros(len(future.quarters)))


def _spend(portfolio: Portfolio, c: Commitment, outlook: Outlook, length: int) -> dict[str, Array]:
    spend = {funder: np.zeros(length) for funder in FUNDERS}
    for flow in portfolio.commitment_flows:
        if flow.commitment == c.commitment:
            late = flow.funded_by == "vendor"
            t = flow.quarter - outlook.tree.first + late
            if t >= 0 and flow.quarter >= outlook.tree.first:
                spend["own" if late else flow.funded_by][t] += flow.amount_usd_m
    return spend


def _arrays(
    portfolio: Portfolio,
    c: Commitment,
    terms: Terms,
    outlook: Outlook,
    futures: tuple[Future, ...],
    streams: Mapping[int, Stream],
    refreshed: Mapping[int, Refresh],
) -> CommitmentArrays:
    tree = outlook.tree
    period = list(tree.period)
    total = _total_mw(portfolio, c)
    gross = total / terms.product.gross_to_critical_ratio
    length = len(futures[0].quarters)
    spend = _spend(portfolio, c, outlook, length)
    payable = np.zeros(length)
    for flow in portfolio.commitment_flows:
        if flow.commitment == c.commitment and flow.funded_by == "vendor" and flow.quarter >= tree.first:
            payable[flow.quarter - tree.first] += flow.amount_usd_m
    replaced, refitted = np.zeros(len(tree.nodes)), np.zeros(len(tree.nodes))
    refits = {f.leaf: _refit(portfolio, c, terms, f) for f in futures}
    placed = {name: np.zeros(len(tree.nodes)) for name in _PLACED}
    signed, renewed, residual, remaining = {}, {}, {}, {}
    for future in futures:
        s, h = streams[future.leaf], future.horizon_q
        paid = _paid(spend, terms, terms.endings.get(future.leaf))
        for name, values in {**vars(s), **paid}.items():
            if name in placed:
                placed[name][list(future.path)] = values[:h]
        replaced[list(future.path)] = refreshed[future.leaf].cost[:h]
        refitted[list(future.path)] = refits[future.leaf][:h]
        in_term = s.rent - s.rent_renewed - (s.opex + s.power) * s.in_term
        after = s.rent_renewed + s.relet - (s.opex + s.power) * (s.served - s.in_term)
        signed[future.leaf] = present_value(in_term[h:], terms.rate_frac)
        renewed[future.leaf] = present_value(after[h:], terms.rate_frac)
        left = present_value(s.residual[h:], terms.rate_frac)
        residual[future.leaf] = left + float(s.residual[:h].sum())
        remaining[future.leaf] = float((paid["own"] + paid["escrow"])[h:].sum())
    live = _live_mw(portfolio, c, futures[0])
    taken = np.array([float(q >= c.occupies_from_quarter) for q in futures[0].quarters])
    until = c.cancellable_until_quarter
    served, used = placed.pop("served"), placed.pop("used")
    return CommitmentArrays(
        commitment=c,
        terms=terms,
        recovered_mw=used
        * live[period]
        / terms.product.gross_to_critical_ratio
        * terms.contract.power_passed_through,
        live_mw=live[period] * served,
        building_mw=((total - live) * taken)[period],
        occupied_gross_mw=(gross * taken)[period],
        reserved_gross_mw=gross,
        spend={funder: placed.pop(funder) for funder in FUNDERS},
        taken_over_usd_m=placed.pop("taken_over"),
        payable=payable[period],
        refresh=replaced,
        refit=refitted,
        **placed,
        signed_value=signed,
        renewals_value=renewed,
        residuals_value=residual,
        remaining_spend=remaining,
        refresh_value={
            f.leaf: present_value((refreshed[f.leaf].cost + refits[f.leaf])[f.horizon_q :], terms.rate_frac)
            for f in futures
        },
        later={f.leaf: later_of(streams[f.leaf], f.horizon_q, np.zeros(length)) for f in futures},
        later_refresh={f.leaf: refreshed[f.leaf].cost[f.horizon_q :] for f in futures},
        later_refit={f.leaf: refits[f.leaf][f.horizon_q :] for f in futures},
        cancel_nodes=tuple(n for n in tree.nodes if until is not None and tree.quarter(n) <= until),
        streams=streams,
    )


def _paid(spend: Mapping[str, Array], terms: Terms, ending: Ending | None) -> dict[str, Array]:
    """Spend of a path by who pays it, and own spend still to come; what a tenant leaves unpaid is ours."""
    own, tenant = spend["own"], spend["tenant"]
    stays = np.ones(own.size) if ending is None else (np.arange(own.size) < ending.at).astype(float)
    left = _after(own) + _after(tenant) * (1.0 - stays)
    signed = 0.0 if terms.contract.state == "merchant" else stays
    return {
        **spend,
        "own": own + tenant * (1.0 - stays),
        "tenant": tenant * stays,
        "taken_over": tenant * (1.0 - stays),
        "remaining_own": left,
        "remaining_unsigned": left * (1.0 - signed),
    }


def _after(by_quarter: Array) -> Array:
    """What comes after each quarter."""
    return np.append(np.cumsum(by_quarter[:0:-1])[::-1], 0.0)


def _money(
    portfolio: Portfolio,
    name: str,
    site: str,
    outlook: Outlook,
    futures: tuple[Future, ...],
    rents: Mapping[int, Array],
    endings: Endings,
) -> ContractMoneyArrays:
    tree = outlook.tree
    start = next(c.commencement_quarter for c in portfolio.contracts if c.contract == name) - tree.first
    received, credit, refund, kept = (np.zeros(len(tree.nodes)) for _ in range(4))
    unearned, opening = dict.fromkeys(tree.leaves, 0.0), 0.0
    later = {f.leaf: np.zeros(len(f.quarters) - f.horizon_q) for f in futures}
    for m in portfolio.contract_money:
        if m.contract != name or m.amount_usd_m is None or m.received_quarter is None:
            continue
        due = m.received_quarter - tree.first
        row = {into: np.zeros(len(tree.nodes)) for into in ("received", "credit", "refund", "kept")}
        if m.give_back_q and due < 0:
            opening += m.amount_usd_m - _given_before(m, start + m.give_back_from_q)
        for future in futures:
            ending, h = endings.get(future.leaf), future.horizon_q
            comes = due < (h if ending is None else ending.at)
            here = np.zeros(len(future.quarters))
            if comes and due >= 0:
                here[due] = m.amount_usd_m
            by_quarter = {"received": here}
            if m.give_back_q:
                before, given = _given_back(m, start + m.give_back_from_q, rents[future.leaf])
                one = settled(m, m.amount_usd_m * comes - before, given, h, ending)
                unearned[future.leaf] += one.unearned_usd_m if comes else 0.0
                later[future.leaf] = later[future.leaf] + one.credit[h:]
                by_quarter |= {"credit": one.credit, "refund": one.refund, "kept": one.kept}
            else:
                by_quarter["kept"] = here
            for into, values in by_quarter.items():
                row[into][list(future.path)] = values[:h]
        received, credit = received + row["received"], credit + row["credit"]
        refund, kept = refund + row["refund"], kept + row["kept"]
    return ContractMoneyArrays(name, site, received, credit, refund, kept, opening, unearned, later)


def _given_before(m: ContractMoney, first: int) -> float:
    """What was given back before the plan, on its dates. [$M]"""
    assert m.amount_usd_m is not None
    return m.amount_usd_m * min(m.give_back_q, max(0, -first)) / m.give_back_q


def _given_back(m: ContractMoney, first: int, rents: Array) -> tuple[float, Array]:
    """What was given back before the plan, and what is from then on. [$M]"""
    assert m.amount_usd_m is not None
    past, before = min(m.give_back_q, max(0, -first)), _given_before(m, first)
    if past == m.give_back_q:
        return before, np.zeros(rents.size)
    left_q = m.give_back_q - past
    return before, give_back(m.amount_usd_m - before, rents, max(0, first), left_q, m.max_frac_of_rent)
