"""ALO: what couples sites besides money: offers, crews, the machine pool."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, equal, term, total
from models.blocks.ports import BorrowerPorts
from models.domain.company import Company
from models.domain.contract import Contract
from models.domain.ledger import ValueLine
from models.params.mining import Vintage
from models.timetree import TimeTree


def add_allocation(
    b: pyo.Block,
    tree: TimeTree,
    firm: Company,
    contracts: Mapping[str, Contract],
    vintages: Sequence[Vintage],
    borrowers: Sequence[BorrowerPorts],
    books: Books,
) -> None:
    """Shared offers, crews and machines. Maths: docs/program.md, ALO-1 ... ALO-8."""
    _add_offers(b, tree, contracts, borrowers)

    @b.Constraint(tree.nodes, doc="ALO-3 under construction within what crews can carry [MW]")
    def building_within_crews(b, n):
        building = Linear()
        for x in borrowers:
            building = building + x.books.tally_at(Tally.BUILDING_MW, n)
        cap = firm.building_cap_mw + firm.building_cap_growth_mw_per_q * tree.period[n]
        return at_most(building, cap)

    _add_machines(b, tree, vintages, borrowers, books)


def _add_offers(
    b: pyo.Block, tree: TimeTree, contracts: Mapping[str, Contract], borrowers: Sequence[BorrowerPorts]
) -> None:
    signed = [(o, n, v) for x in borrowers for s in x.sites for (o, n), v in s.signed.items()]
    below = [set(tree.descendants(n)) for n in tree.nodes]
    groups = {c.exclusive_group for c in contracts.values() if c.exclusive_group}

    def last_nodes(nodes: set[int]) -> list[int]:
        return sorted(n for n in nodes if not any(m != n and m in nodes for m in below[n]))

    def signatures(names: set[str], n: int) -> Linear:
        result = Linear()
        for o, m, v in signed:
            if o in names and n in below[m]:
                result.add(1.0, v)
        return result

    offers = sorted({o for o, _, _ in signed})
    ends = [(o, n) for o in offers for n in last_nodes({m for p, m, _ in signed if p == o})]

    @b.Constraint(ends, doc="ALO-1 an offer is signed at most once [-]")
    def offer_once(b, o, n):
        return at_most(signatures({o}, n), 1.0)

    members = {g: {o for o in offers if contracts[o].exclusive_group == g} for g in sorted(groups)}
    group_ends = [
        (g, n) for g, names in members.items() for n in last_nodes({m for o, m, _ in signed if o in names})
    ]

    @b.Constraint(group_ends, doc="ALO-2 at most one offer of an exclusive group [-]")
    def one_of_group(b, g, n):
        return at_most(signatures(members[g], n), 1.0)

    begun = [x for p in borrowers for s in p.sites for x in s.conversion.begun]
    merchant = sorted(
        {x.route.terms.contract.contract for x in begun if x.route.terms.contract.state == "merchant"}
    )

    @b.Constraint(merchant, tree.leaves, doc="ALO-6 merchant MW within the market's depth [MW]")
    def merchant_within_depth(b, o, leaf):
        result = Linear()
        for x in begun:
            if x.route.terms.contract.contract == o and leaf in below[x.node]:
                result.add(x.route.module_mw, x.count)
        return at_most(result, contracts[o].max_mw)


def _add_machines(
    b: pyo.Block,
    tree: TimeTree,
    vintages: Sequence[Vintage],
    borrowers: Sequence[BorrowerPorts],
    books: Books,
) -> None:
    sites = [s.mining for x in borrowers for s in x.sites]
    by_name = {v.name: v for v in vintages}
    mobile = [v for v in by_name if any((v, 0) in s.moved_in for s in sites)]
    new = [v for v in by_name if by_name[v].is_new and any((v, 0) in s.bought for s in sites)]
    b.pool_mw = pyo.Var(mobile, tree.nodes, domain=pyo.NonNegativeReals, doc="machines in the pool [MW]")

    def across(field: str, v: str, n: int) -> Linear:
        result = Linear()
        for s in sites:
            if (v, n) in getattr(s, field):
                result.add(1.0, getattr(s, field)[v, n])
        return result

    @b.Constraint(mobile, tree.nodes, doc="ALO-4 pool of moved machines [MW]")
    def pool_balance(b, v, n):
        before = term(b.pool_mw[v, tree.parent[n]]) if n else Linear()
        path, back = tree.path(n), by_name[v].machine.move_q
        arrived = across("moved_out", v, path[-1 - back]) if len(path) > back else Linear()
        return equal(term(b.pool_mw[v, n]), before + arrived - across("moved_in", v, n))

    @b.Constraint(new, tree.nodes, doc="ALO-5 machines bought within what makers deliver [MW]")
    def bought_within_supply(b, v, n):
        return at_most(across("bought", v, n), by_name[v].machine.max_buy_mw_per_q)

    capped = [v for v in mobile if by_name[v].machine.max_move_mw_per_q is not None]

    @b.Constraint(capped, tree.nodes, doc="ALO-7 machines moved within what hauliers carry [MW]")
    def moved_within_capacity(b, v, n):
        return at_most(across("moved_in", v, n), by_name[v].machine.max_move_mw_per_q or 0.0)

    types = {v.machine.machine: v.machine for v in vintages if v.machine.max_sell_mw_per_q is not None}

    @b.Constraint(list(types), tree.nodes, doc="ALO-8 machines of a type sold within the market's depth [MW]")
    def sold_within_depth(b, kind, n):
        priced = [v for v in by_name if by_name[v].machine.machine == kind]
        sold = total(across("sold", v, n) for v in priced if by_name[v].resale_usd_m_per_mw[n] > 0.0)
        return at_most(sold, types[kind].max_sell_mw_per_q or 0.0)

    @b.Constraint(new, tree.nodes, doc="MIN-3 bought machines die at the end of their life [MW]")
    def stock_within_life(b, v, n):
        recent = tree.path(n)[-by_name[v].machine.life_q :]
        if len(recent) == tree.period[n] + 1:
            return pyo.Constraint.Skip
        bought = Linear()
        for m in recent:
            bought = bought + across("bought", v, m)
        return at_most(across("stock", v, n), bought)

    for v in mobile:
        for leaf in tree.leaves:
            worth = by_name[v].resale_usd_m_per_mw[leaf] * (1.0 - by_name[v].dead[leaf])
            books.worth(ValueLine.MACHINES, leaf, float(np.float64(worth)), b.pool_mw[v, leaf])
