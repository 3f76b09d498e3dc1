"""Power at each site: what is energised, what it costs flat and by decile, what must be paid regardless."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.market import MarketShape
from models.domain.portfolio import Portfolio
from models.domain.site import Expansion, Power, Site
from models.formulas.power_margin import scaled_shape
from models.params.outlook import Future, Outlook
from models.timetree import Quarter
from models.units import USD_M, USD_M_PER_KW_MONTH

Array = NDArray[np.float64]
DECILES = 10


@dataclass(frozen=True, eq=False)
class PowerPrices:
    """Price terms of one site, readable at any quarter and power index."""

    rows: tuple[Power, ...]
    shape: MarketShape | None

    def row(self, quarter: Quarter) -> Power:
        """The power row that holds in a quarter; the first one before it."""
        held = [r for r in self.rows if r.from_quarter <= quarter]
        return held[-1] if held else self.rows[0]

    def fixed_usd_per_mwh(self, quarter: Quarter) -> float:
        """Contract price without adder; 0 on spot."""
        row = self.row(quarter)
        years = max(0, (quarter - row.from_quarter) // 4)
        return (row.price_usd_per_mwh or 0.0) * (1.0 + row.price_growth_frac_per_year) ** years

    def deciles_usd_per_mwh(self, quarter: Quarter, power_idx: float) -> Array:
        """Price of each decile of hours, adder in. [USD/MWh]"""
        row = self.row(quarter)
        if row.price_basis == "spot" or row.resale_allowed:
            assert self.shape is not None
            shape = np.array(self.shape.deciles)
            spot = scaled_shape(shape, float(shape.mean()), self.shape.mean_usd_per_mwh * power_idx)
            return spot + row.adder_usd_per_mwh
        return np.full(DECILES, self.fixed_usd_per_mwh(quarter) + row.adder_usd_per_mwh)

    def flat_usd_per_mwh(self, quarter: Quarter, power_idx: float) -> float:
        """Price of a load that never stops. [USD/MWh]"""
        return float(self.deciles_usd_per_mwh(quarter, power_idx).mean())


@dataclass(frozen=True, eq=False)
class ExpansionParams:
    """One expansion; spend [$M per step] by start node and node."""

    expansion: Expansion
    starts: tuple[int, ...]
    spend: dict[int, Array]
    remaining: dict[int, dict[int, float]]
    """Spend after each leaf. [$M per step]"""


@dataclass(frozen=True, eq=False)
class SitePower:
    """Power of one site by node."""

    energised_mw: Array
    deciles_usd_per_mwh: Array
    """Shape (nodes, 10)."""
    demand_rate: Array
    """[$M per gross MW billed and quarter]"""
    min_bill_frac: Array
    """Of energised MW."""
    owed_mwh_per_mw: Array
    """Take-or-pay energy per energised MW; 0 where it may be resold. [MWh/MW]"""
    take_or_pay_rate: Array
    """[$M per MWh not drawn]"""
    resale_gain_usd_m_per_mw: Array
    """Gain on committed energy that is resold, per energised MW."""
    security_usd_m: Array
    """Posted in cash. [$M]"""
    security_before_usd_m: float
    """In the quarter before the first. [$M]"""
    curtail_credit_usd_m_per_mw: Array
    fixed_cost_usd_m_per_q: float
    once_cost_usd_m: float
    expansions: tuple[ExpansionParams, ...]


def prices_of(portfolio: Portfolio, site: Site) -> PowerPrices:
    """Price terms of a site."""
    rows = sorted((r for r in portfolio.power if r.site == site.site), key=lambda r: r.from_quarter)
    shape = next((s for s in portfolio.market_shapes if s.market == site.market), None)
    return PowerPrices(tuple(rows), shape)


def flat_prices(prices: PowerPrices, future: Future) -> Array:
    """Flat price in each quarter of a future. [USD/MWh]"""
    return np.array(
        [prices.flat_usd_per_mwh(q, float(i)) for q, i in zip(future.quarters, future.power_idx, strict=True)]
    )


def site_power(portfolio: Portfolio, site: Site, prices: PowerPrices, outlook: Outlook) -> SitePower:
    """Power of one site on the tree."""
    tree = outlook.tree
    rows = [prices.row(tree.quarter(n)) for n in tree.nodes]
    live = np.array([float(tree.quarter(n) >= prices.rows[0].from_quarter) for n in tree.nodes])
    energised = live * np.array([r.energised_mw for r in rows])
    fixed = np.array([prices.fixed_usd_per_mwh(tree.quarter(n)) for n in tree.nodes])
    deciles = np.array(
        [prices.deciles_usd_per_mwh(tree.quarter(n), outlook.rows[n].power_idx) for n in tree.nodes]
    )
    owed = np.array([r.take_or_pay_frac for r in rows]) * outlook.hours
    resold = np.array([float(r.resale_allowed) for r in rows])
    spot = deciles.mean(axis=1) - np.array([r.adder_usd_per_mwh for r in rows])
    security = live * np.array([r.security_usd_m if r.security_form == "cash" else 0.0 for r in rows])
    opening = prices.rows[0].from_quarter < tree.first
    before = prices.row(tree.first + (-1))
    posted = before.security_usd_m if opening and before.security_form == "cash" else 0.0
    return SitePower(
        energised_mw=energised,
        deciles_usd_per_mwh=deciles,
        demand_rate=np.array([r.demand_charge_usd_per_kw_month for r in rows]) * USD_M_PER_KW_MONTH,
        min_bill_frac=np.array([r.min_bill_frac for r in rows]),
        owed_mwh_per_mw=owed * (1.0 - resold),
        take_or_pay_rate=fixed * USD_M,
        resale_gain_usd_m_per_mw=owed * resold * (spot - fixed) * USD_M,
        security_usd_m=security,
        security_before_usd_m=posted,
        curtail_credit_usd_m_per_mw=np.array([r.curtail_credit_usd_per_mw_q for r in rows]) * USD_M,
        fixed_cost_usd_m_per_q=site.fixed_cost_usd_m_per_q,
        once_cost_usd_m=site.once_cost_usd_m,
        expansions=tuple(_expansion(x, outlook) for x in portfolio.expansions if x.site == site.site),
    )


def _expansion(x: Expansion, outlook: Outlook) -> ExpansionParams:
    tree = outlook.tree
    starts = tuple(n for n in tree.nodes if x.earliest_quarter <= tree.quarter(n) <= x.latest_quarter)
    by_age = np.zeros(x.lead_q)
    by_age[0] += x.deposit_usd_m
    by_age[-1] += x.cost_usd_m - x.deposit_usd_m
    spend, remaining = {}, {}
    for b in starts:
        cost = by_age * outlook.rows[b].capex_idx
        spend[b], remaining[b] = on_nodes(outlook, b, cost)
    return ExpansionParams(x, starts, spend, remaining)


def on_nodes(outlook: Outlook, b: int, by_age: Array) -> tuple[Array, dict[int, float]]:
    """An array by age from start node ``b`` put on the nodes below it, and what is left after each leaf."""
    tree = outlook.tree
    placed = np.zeros(len(tree.nodes))
    for m in tree.descendants(b):
        age = tree.period[m] - tree.period[b]
        if age < by_age.size:
            placed[m] = by_age[age]
    within = tree.horizon_q - tree.period[b]
    left = float(by_age[within:].sum())
    return placed, dict.fromkeys(tree.leaves_below(b), left)
