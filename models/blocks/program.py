"""The whole program: every block put together, and its objective at a given share price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo

from models.blocks.books import Books, Decision
from models.blocks.coins import add_coins
from models.blocks.company.allocation import add_allocation
from models.blocks.company.convertibles import add_convertibles
from models.blocks.company.corporate_notes import BondPorts, add_corporate_notes
from models.blocks.company.covenants import Tests, add_budgets, add_covenants, add_tests_of
from models.blocks.company.equity import add_equity
from models.blocks.company.harvest import add_harvest, add_payouts
from models.blocks.company.lessors import add_lessors
from models.blocks.company.leverage import add_leverage
from models.blocks.company.repurchase import RepurchasePorts, add_repurchases
from models.blocks.company.revolver import add_revolvers
from models.blocks.company.tax import add_tax, add_tax_years
from models.blocks.company.treasury import add_cash
from models.blocks.company.value import Charge, add_value, charges, expected_value
from models.blocks.debt_terms import add_debt_terms, add_prepayments
from models.blocks.equipment import add_orders, add_sufficiency
from models.blocks.linear import Linear, by_node, contradictions_kept, term
from models.blocks.metrics import Measured, Metrics
from models.blocks.ports import (
    BorrowerPorts,
    DebtUse,
    Issue,
    Load,
    Raised,
    SitePorts,
    Treasury,
    Wish,
)
from models.blocks.refinancing import add_refinancing
from models.blocks.room import most_machines_mw, placed_at, slack_room
from models.blocks.site.block_sales import add_block_sales, repaid_load
from models.blocks.site.commitments import add_commitments
from models.blocks.site.conversion import add_conversion, module_load
from models.blocks.site.cooling import add_cooling
from models.blocks.site.mining import add_mining
from models.blocks.site.own_cash import add_cash_of, add_own_cash, post_debts, post_restricted
from models.blocks.site.owners import (
    add_owner_rules,
    post_minority,
    post_own_rescue,
    post_transfers,
    post_treasury_income,
)
from models.blocks.site.ownership import add_ownership, add_place
from models.blocks.site.power import add_power
from models.blocks.site.project_debt import add_project_debt
from models.blocks.site.strategy import add_strategy
from models.blocks.site.tenants import add_tenants
from models.blocks.site.vendor_leases import add_vendor_leases
from models.blocks.take_outs import add_calls, add_take_outs
from models.blocks.taxable import TaxablePorts, add_taxable
from models.domain.company import Entity
from models.domain.ledger import ValueLine
from models.domain.site import Site
from models.params.corporate_debt import standing_debt
from models.params.params import Params


@dataclass(frozen=True, eq=False)
class Program:
    """A built program; its objective, E[V] less claims at lambda, is set by whoever solves it."""

    model: pyo.ConcreteModel
    params: Params
    books: tuple[Books, ...]
    """The company's first, then one per borrower."""
    borrowers: tuple[BorrowerPorts, ...]
    expected_value: Linear
    charges: tuple[Charge, ...]
    wishes: tuple[Wish, ...]
    """What strategies ask for in vain, at its price; in no value."""
    tests: Mapping[str, tuple[Any, ...]]
    """Rows of each covenant and budget."""
    measured: tuple[Measured, ...]
    """What each covenant says at each node."""

    @property
    def decisions(self) -> list[Decision]:
        """Every decision variable with its place."""
        return [d for books in self.books for d in books.decisions]

    def objective(self, lam: float) -> Linear:
        """E[V] - E[claims(lambda)], the claim lambda x N0 of today's shares apart. [$M]"""
        claimed = Linear(constant=self.params.claims.standing(lam, self.params.notes))
        for charge in self.charges:
            claimed.add(charge.at(lam), charge.variable)
        return self.expected_value - claimed

    def value_objective(self) -> Linear:
        """E[V] less notes at their bond value; no charge for shares. [$M]"""
        notes = sum(n.principal_usd_m * self.params.claims.note_as_debt(n) for n in self.params.notes)
        claimed = Linear(constant=notes)
        for charge in self.charges:
            claimed.add(charge.as_debt, charge.variable)
        return self.expected_value - claimed

    @property
    def wished(self) -> Linear:
        """Price of what strategies ask for in vain. [leaf $M]"""
        wished = Linear()
        for wish in self.wishes:
            wished.add(wish.price, wish.variable)
        return wished


def build_program(p: Params, *, keep_contradictions: bool = False) -> Program:
    """Build every block of a portfolio on its tree.

    Rules that the data alone break raise ContradictionError, or are kept as rows that no plan meets.
    """
    m = pyo.ConcreteModel()
    if not keep_contradictions:
        return _built(m, p)
    m.nought = pyo.Var(bounds=(0.0, 0.0), doc="stands in rules that the data alone break")
    with contradictions_kept(m.nought):
        return _built(m, p)


def _built(m: pyo.ConcreteModel, p: Params) -> Program:
    portfolio, tree = p.portfolio, p.tree
    m.company = pyo.Block()
    m.borrower = pyo.Block([e.entity for e in portfolio.borrowers])
    borrowers = [_add_borrower(m.borrower[e.entity], p, e) for e in portfolio.borrowers]
    books = Books("company", tree)
    parent = portfolio.parent
    post_debts(_of(p.debts, parent), tree, books)
    post_restricted(parent, tree, books)
    contracts = {c.contract: c for c in portfolio.contracts}
    for name in ("allocation", "convertibles", "notes", "revolver", "repurchase", "leverage", "equity"):
        m.company.add_component(name, pyo.Block())
    for name in ("lessors", "equipment", "payouts", "cash", "tax", "value", "covenants", "budgets"):
        m.company.add_component(name, pyo.Block())
    _add_treasury(m.company, p, parent, books)
    add_allocation(m.company.allocation, tree, portfolio.firm, contracts, p.vintages, borrowers, books)
    shared = [row for row in portfolio.long_lead if row.site is None]
    sites = [s for x in borrowers for s in x.sites]
    orders = [x for s in sites for x in s.ordered]
    all_begun = [x for s in sites for x in s.conversion.begun]
    add_sufficiency(m.company.equipment, p.outlook, shared, orders, all_begun, books)
    add_lessors(m.company.lessors, tree, portfolio.vendor_leases, borrowers)
    notes = add_convertibles(m.company.convertibles, p.outlook, portfolio.firm, p.notes, p.note_offers, books)
    bonds, bought, repaid = _add_corporate_debt(m.company, p, notes.issues, books)
    reserved = _reserved_shares(p, notes.issued, bought)
    equity = add_equity(m.company.equity, p.outlook, portfolio, notes.deals, reserved, books)
    groups = p.taxes.paid_by(portfolio, parent.entity)
    add_tax(m.company.tax, p, groups, books)
    add_payouts(m.company.payouts, p, books)
    spared = [use for x in borrowers for use in x.spared]
    standing = [*spared, *_fixed_costs(p, borrowers)]
    add_cash(m.company.cash, p, parent, borrowers, [*repaid, *standing], books)
    treasury = Treasury(m.company.cash.cash, m.company.cash.rescue)
    add_value(m.company.value, p, treasury.cash, borrowers, books)
    m.company.taxable = pyo.Block()
    own = add_taxable(m.company.taxable, p, parent.entity, books)
    of_borrowers = [x.taxable.part(x.owned.share) for x in borrowers if x.taxable is not None]
    add_tax_years(m.company.tax, p, groups, [x for x in (own, *of_borrowers) if x is not None])
    add_harvest(m.company.payouts, p, borrowers, m.company.cash, books)
    borrowed = [(x.node, x.variable) for x in bonds.issues]
    raised = Raised(equity.sold, notes.issued, borrowed, (notes.deals, bonds.deals))
    limits = {i: limit for x in (books, *(y.books for y in borrowers)) for i, limit in x.limits.items()}
    metrics = Metrics(p, treasury, borrowers, raised, books)
    tests = add_covenants(m.company.covenants, metrics, limits)
    own_tests = [_add_own_tests(m.borrower[x.entity], p, x) for x in borrowers]
    capped = add_budgets(m.company.budgets, tree, portfolio, borrowers)
    signed = [(o, n, v) for x in borrowers for s in x.sites for (o, n), v in s.signed.items()]
    all_books = (books, *(x.books for x in borrowers))
    return Program(
        model=m,
        params=p,
        books=all_books,
        borrowers=tuple(borrowers),
        expected_value=expected_value(p, all_books),
        charges=tuple(charges(p, notes.issued, bought.bought, equity.sold, signed)),
        wishes=tuple(wish for x in borrowers for s in x.sites for wish in s.wishes),
        tests={**capped, **{name: rows for x in (tests, *own_tests) for name, rows in x.rows.items()}},
        measured=tuple(y for x in (tests, *own_tests) for y in x.measured),
    )


def _add_corporate_debt(
    company: pyo.Block, p: Params, converts: Sequence[Issue], books: Books
) -> tuple[BondPorts, RepurchasePorts, list[DebtUse]]:
    """Notes, revolver, repurchases, and the blocks of leverage that new debt stands in."""
    firm, tree = p.portfolio.firm, p.tree
    bonds = add_corporate_notes(company.notes, p.outlook, firm, p.bond_offers, books)
    repaid = add_revolvers(company.revolver, tree, p.revolver_offers, books)
    bought = add_repurchases(company.repurchase, tree, p.repurchase_offers, books)
    listed = {e.entity for e in p.portfolio.entities if e.kind == "listed"}
    debts = [d for d in p.debts if d.debt.entity not in listed]
    standing = standing_debt(p.notes, debts, tree)
    add_leverage(company.leverage, tree, standing, bought.retired_usd_m, [*converts, *bonds.issues])
    return bonds, bought, [*bonds.uses, *repaid, *bought.uses]


def _fixed_costs(p: Params, borrowers: Sequence[BorrowerPorts]) -> list[DebtUse]:
    """Fixed costs that come with a site bought or go with one sold."""
    return [
        DebtUse(
            n, variable, weight * x.owned.paid * p.power[s.site].fixed_cost_usd_m_per_q, is_repayment=False
        )
        for x in borrowers
        for s in x.sites
        for n, variable, weight in s.ours.trades
    ]


def _reserved_shares(p: Params, issued, repurchases: RepurchasePorts) -> list[Linear]:
    """Shares reserved for notes and share claims, by node. [M]"""
    tree = p.tree
    standing = sum(c.principal_usd_m / c.conversion_price_usd for c in p.portfolio.convertibles)
    standing += sum(c.shares_m for c in p.portfolio.share_claims)
    pairs = [(v, p.outlook.below[note.issue] / note.terms.conversion_price_usd) for v, note in issued]
    for v, offer, n in repurchases.bought:
        note = offer.retired[n]
        pairs.append((v, -p.outlook.below[n] * note.principal_usd_m / note.terms.conversion_price_usd))
    return [x + standing for x in by_node(pairs, len(tree.nodes))]


def _of(rows: Sequence[Any], entity: Entity) -> tuple[Any, ...]:
    """The rows on an entity's loans."""
    return tuple(x for x in rows if x.debt.entity == entity.entity)


def _add_treasury(b: pyo.Block, p: Params, entity: Entity, books: Books) -> tuple[DebtUse, ...]:
    """Coins, loans repaid before their time, called, replaced and rolled, of an owner."""
    for name in ("coins", "refinancing", "terms", "take_outs"):
        b.add_component(name, pyo.Block())
    add_coins(b.coins, p.coins, p.tree, entity, books)
    spared = add_prepayments(b.terms, _of(p.sweeps, entity), books)
    own_calls = _of(p.calls, entity)
    spared += add_calls(b.take_outs, own_calls, books)
    offers = [x for x in p.take_outs if x.terms.entity == entity.entity]
    add_take_outs(b.take_outs, offers, b.take_outs.called, books)
    early = {key: term(variable) for key, variable in b.terms.prepaid_usd_m.items()}
    for c in (c for c in own_calls if c.last_usd_m):
        early[c.debt.debt, c.node] = term(b.take_outs.called[c.debt.debt, c.node], c.last_usd_m)
    add_refinancing(b.refinancing, _of(p.rolls, entity), early, books)
    return spared


def _add_borrower(b: pyo.Block, p: Params, entity: Entity) -> BorrowerPorts:
    books = Books(entity.entity, p.tree)
    sites = [s for s in p.portfolio.sites if s.entity == entity.entity]
    b.site = pyo.Block([s.site for s in sites])
    ports = tuple(_add_site(b.site[s.site], p, s, books) for s in sites)
    spared = _add_treasury(b, p, entity, books)
    taxable = _add_money(b, p, entity, ports, books)
    return BorrowerPorts(
        owned=entity,
        books=books,
        cash=b.own.cash,
        contributed=b.own.contributed,
        distributed=b.own.distributed,
        rescue=b.own.rescue,
        spared=tuple(replace(use, usd_m=use.usd_m * entity.paid) for use in spared),
        sites=ports,
        taxable=taxable,
    )


def _add_money(
    b: pyo.Block, p: Params, entity: Entity, sites: Sequence[SitePorts], books: Books
) -> TaxablePorts | None:
    """Cash of a borrower with its loans, owners and, where it pays its own, taxes; its income for others."""
    tree, firm = p.tree, p.portfolio.firm
    for name in ("own", "tax", "taxable", "owners", "tests"):
        b.add_component(name, pyo.Block())
    is_tested = any(c.entity == entity.entity for c in p.portfolio.covenants)
    add_cash_of(b.own, tree, has_rescue=is_tested or not entity.takes_contributions)
    post_transfers(entity, tree, b.own.contributed, b.own.distributed, books)
    post_own_rescue(entity, tree, b.own.rescue, firm.rescue_price, books)
    debts = _of(p.debts, entity)
    post_debts(debts, tree, books)
    if entity.kind == "listed":
        post_treasury_income(entity, p.outlook, firm.cash_yield_spread_frac, b.own.cash, books)
    groups = p.taxes.paid_by(p.portfolio, entity.entity)
    add_tax(b.tax, p, groups, books)
    add_own_cash(b.own, tree, entity, books)
    add_debt_terms(b.terms, entity, debts, _of(p.sweeps, entity), b.own.cash, b.own.distributed, books)
    if entity.share < 1.0:
        for s in sites:
            fixed = p.power[s.site].fixed_cost_usd_m_per_q * p.overhead_factor
            for leaf in tree.leaves:
                s.ours.worth(books, ValueLine.OVERHEAD, leaf, -fixed)
    taxable = add_taxable(b.taxable, p, entity.entity, books)
    add_tax_years(b.tax, p, groups, [taxable] if taxable is not None and groups else [])
    money = (b.own.cash, b.own.contributed, b.own.distributed)
    add_owner_rules(b.owners, entity, tree, sites, *money, books)
    post_minority(entity, tree, books)
    return None if groups else taxable


def _add_own_tests(b: pyo.Block, p: Params, x: BorrowerPorts) -> Tests:
    """Covenants that stand on one borrower alone."""
    return add_tests_of(b.tests, Metrics.of(p, x))


def _add_site(b: pyo.Block, p: Params, site: Site, books: Books) -> SitePorts:
    for name in (
        "ownership",
        "conversion",
        "tenants",
        "cooling",
        "commitments",
        "project_debt",
        "vendor_leases",
        "equipment",
        "block_sales",
        "mining",
        "power",
        "strategy",
        "place",
    ):
        b.add_component(name, pyo.Block())
    tree, size = p.tree, len(p.tree.nodes)
    routes = [r for r in p.routes if r.route.key[0] == site.site]
    owned = p.ownership[site.site]
    ours = add_ownership(b.ownership, tree, site, owned, books)
    conversion = add_conversion(b.conversion, tree, site, routes, books)
    begun = conversion.begun
    signed = add_tenants(b.tenants, tree, site, p.portfolio.contracts, p.over, begun, books)
    held = [c for c in p.commitments if c.commitment.site == site.site]
    money = [m for m in p.contract_money if m.site == site.site]
    committed = add_commitments(b.commitments, p.outlook, site, held, money, books)
    plants = [c for c in p.portfolio.cooling if c.site == site.site]
    add_cooling(b.cooling, p.outlook, site, plants, begun, committed.held, books)
    offered = [f for r in routes for n, f in r.facilities.items()]
    ordered = add_orders(b.equipment, p.outlook, site, p.portfolio.long_lead, begun, books)
    financed = add_project_debt(b.project_debt, tree, site, begun, offered, books)
    on_lease = [x for r in routes for n, x in r.leases.items()]
    leased = add_vendor_leases(b.vendor_leases, site, begun, on_lease, financed, books)
    carried = [(i, close, v) for (i, close), v in financed.items()]
    carried += [(i, begun[i].node, v) for (i, _), v in b.vendor_leases.leased.items()]
    sold = add_block_sales(b.block_sales, tree, site, begun, carried, committed.held, p.sales, books)
    room, hours_frac = slack_room(p, site, begun, committed.held)
    fleet = {v.name: (v, p.mining[v.name, site.site]) for v in p.vintages if (v.name, site.site) in p.mining}
    region = next(r for r in p.portfolio.regions if r.region == site.region)
    mining = add_mining(b.mining, p.outlook, site, region, fleet, hours_frac, books)
    modules = Load(
        module_load(begun, "occupied", True, size),
        module_load(begun, "energy_mwh", False, size),
        module_load(begun, "recovered_mw", False, size),
    )
    loads = (committed.load, modules, mining.load, repaid_load(sold, size))
    add_power(
        b.power,
        p.outlook,
        site,
        p.power[site.site],
        loads,
        mining.slack_gross_mw,
        room,
        begun,
        committed.held,
        ours,
        books,
    )
    placed = placed_at(p, b, site, begun, plants, ordered)
    add_place(b.place, tree, owned, ours, placed, mining.stock_gross_mw, most_machines_mw(p, site, fleet))
    products = {x.product: x for x in p.portfolio.products}
    wishes = add_strategy(
        b.strategy,
        p.outlook,
        site,
        p.portfolio.strategy_of(site),
        [(row, products[row.product]) for row in p.portfolio.site_products if row.site == site.site],
        p.power[site.site],
        begun,
        committed.held,
        mining.slack_gross_mw,
        room,
        ours,
    )
    return SitePorts(site.site, conversion, signed, mining, leased, ordered, sold, wishes, ours)
