"""All params of a portfolio on a tree, made in one pass."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.portfolio import Portfolio
from models.params.block_sales import Sales, commitment_sales, module_sales
from models.params.claims import Claims
from models.params.coins import Coins, read_coins
from models.params.commitments import CommitmentArrays, ContractMoneyArrays, commitment_arrays
from models.params.corporate_debt import (
    BondOffer,
    RepurchaseOffer,
    RevolverOffer,
    bond_offers,
    repurchase_offers,
    revolver_offers,
)
from models.params.loans import DebtArrays, FacilityArrays, close_nodes, debt_arrays, facility_arrays
from models.params.mining import MiningAtSite, Vintage, mining_at, vintages
from models.params.modules import ModuleArrays, Route, module_arrays, open_starts, routes
from models.params.new_loans import Roll, rolls
from models.params.notes import NoteArrays, NoteOffer, existing_notes, note_offers
from models.params.outlook import Outlook, read_futures, read_outlook
from models.params.overhead import overhead_factor
from models.params.ownership import Ownership, ownership
from models.params.power import SitePower, flat_prices, prices_of, site_power
from models.params.sweeps import Sweep, sweeps
from models.params.take_outs import Call, Standing, TakeOutOffer, calls, take_out_offers
from models.params.tax import Taxes, taxes_of
from models.params.terminations import endings_of, over_at
from models.params.vendor_leases import LeaseArrays, lease_arrays
from models.timetree import TimeTree

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RouteParams:
    """One route: its modules by start node, and the facilities and leases each may carry."""

    route: Route
    modules: Mapping[int, ModuleArrays]
    facilities: Mapping[int, tuple[FacilityArrays, ...]]
    leases: Mapping[int, tuple[LeaseArrays, ...]]


@dataclass(frozen=True, eq=False)
class Params:
    """Frozen arrays for the blocks; rows are positions in the tuples of names."""

    portfolio: Portfolio
    outlook: Outlook
    routes: tuple[RouteParams, ...]
    power: Mapping[str, SitePower]
    ownership: Mapping[str, Ownership]
    commitments: tuple[CommitmentArrays, ...]
    over: Mapping[str, frozenset[int]]
    """Nodes at which a contract has ended before its term."""
    contract_money: tuple[ContractMoneyArrays, ...]
    sales: Sales
    vintages: tuple[Vintage, ...]
    mining: Mapping[tuple[str, str], MiningAtSite]
    """By vintage and site, where the machines may be."""
    debts: tuple[DebtArrays, ...]
    rolls: tuple[Roll, ...]
    sweeps: tuple[Sweep, ...]
    calls: tuple[Call, ...]
    take_outs: tuple[TakeOutOffer, ...]
    coins: Coins
    notes: tuple[NoteArrays, ...]
    note_offers: tuple[NoteOffer, ...]
    bond_offers: tuple[BondOffer, ...]
    revolver_offers: tuple[RevolverOffer, ...]
    repurchase_offers: tuple[RepurchaseOffer, ...]
    claims: Claims
    overhead_usd_m: Array
    overhead_factor: float
    """Worth at a leaf of a dollar a quarter of overhead then, which goes on after it. [quarters]"""
    taxes: Taxes

    @property
    def tree(self) -> TimeTree:
        """The tree that the arrays are on."""
        return self.outlook.tree


def compile_params(portfolio: Portfolio, tree: TimeTree) -> Params:
    """Params of a valid portfolio on a tree; nothing in them depends on lambda or on a decision."""
    outlook = read_outlook(portfolio, tree)
    endings = endings_of(portfolio, tree)
    open_routes = routes(portfolio, endings)
    renewals = {r.contract: r.all_terms_q for r in portfolio.renewals}
    ends = [
        c.commencement_quarter + (c.term_q + renewals.get(c.contract, 0) + c.payment_lag_q)
        for c in portfolio.contracts
    ]
    futures = read_futures(outlook, max([tree.first + tree.horizon_q, *ends]))
    prices = {s.site: prices_of(portfolio, s) for s in portfolio.sites}
    flat = {name: {f.leaf: flat_prices(p, f) for f in futures} for name, p in prices.items()}
    power = {s.site: site_power(portfolio, s, prices[s.site], outlook) for s in portfolio.sites}
    lenders = {c.credit_class: c for c in portfolio.credit_classes}
    compiled, of_modules = [], {}
    for route in open_routes:
        site = route.terms.site.site
        lender = lenders.get(route.terms.contract.credit_class or "")
        modules, facilities, leases = {}, {}, {}
        for b in open_starts(route, outlook):
            modules[b] = module_arrays(route, b, outlook, futures, flat[site])
            future = next(x for x in futures if outlook.below[b][x.leaf])
            sized = (
                [
                    facility_arrays(route, b, c, modules[b], outlook, lender, future, prices[site])
                    for c in close_nodes(route, b, outlook, lender)
                ]
                if lender
                else []
            )
            facilities[b] = tuple(f for f in sized if f is not None)
            leases[b] = lease_arrays(portfolio, route, b, modules[b], outlook)
        if modules:
            compiled.append(RouteParams(route, modules, facilities, leases))
            of_modules.update(module_sales(route, modules, outlook, prices[site]))
    found = vintages(portfolio, outlook)
    regions = {r.region: r for r in portfolio.regions}
    commitments, money = commitment_arrays(portfolio, outlook, futures, flat, endings)
    sales = Sales(of_modules, commitment_sales(portfolio, commitments, money, outlook, prices))
    debts = tuple(debt_arrays(portfolio, d, outlook) for d in portfolio.debt)
    firm = portfolio.firm
    notes = existing_notes(portfolio, outlook)
    mining = {
        (v.name, s.site): mining_at(portfolio, v, s, power[s.site], outlook)
        for v in found
        for s in portfolio.sites
        if s.site in v.opening_mw or (s.mining_allowed and regions[s.region].new_mining_allowed)
    }
    started = tuple((r.route, r.modules) for r in compiled)
    growth = (1.0 + firm.overhead_growth_frac_per_year) ** (np.array(tree.period) / 4.0)
    return Params(
        portfolio=portfolio,
        outlook=outlook,
        routes=tuple(compiled),
        power=power,
        ownership={s.site: ownership(s, power[s.site], outlook) for s in portfolio.sites},
        commitments=commitments,
        over={name: over_at(by_leaf, tree) for name, by_leaf in endings.items()},
        contract_money=money,
        sales=sales,
        vintages=found,
        mining=mining,
        debts=debts,
        rolls=rolls(debts, outlook),
        sweeps=sweeps(debts, outlook),
        calls=calls(debts, outlook),
        take_outs=take_out_offers(Standing(portfolio, outlook, futures, prices, commitments, money, debts)),
        coins=read_coins(portfolio, outlook, debts),
        notes=notes,
        note_offers=note_offers(portfolio, outlook),
        bond_offers=bond_offers(portfolio, outlook),
        revolver_offers=revolver_offers(portfolio, outlook),
        repurchase_offers=repurchase_offers(portfolio, notes, outlook),
        claims=Claims(portfolio, outlook),
        overhead_usd_m=firm.overhead_usd_m_per_q * growth,
        overhead_factor=overhead_factor(portfolio, tree.first + (tree.horizon_q - 1)),
        taxes=taxes_of(portfolio, outlook, started, commitments, money, found, mining, sales),
    )
