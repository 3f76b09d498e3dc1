"""SIT: let halls sold at a cap rate; what they earn and are worth after it goes with them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books
from models.blocks.linear import Linear, at_most, by_node, term
from models.blocks.ports import Begun, Held, Load, Sold
from models.domain.contract import Contract
from models.domain.ledger import CONTRACT_LINES, CashLine, Quantity, ValueLine
from models.domain.site import Site
from models.params.block_sales import BlockSale, Sales
from models.timetree import TimeTree

Carried = tuple[int, int, Any]
"""Cohort, node, and how many of its modules take project debt or a lease there."""


def add_block_sales(
    b: pyo.Block,
    tree: TimeTree,
    site: Site,
    begun: Sequence[Begun],
    carried: Sequence[Carried],
    held: Sequence[Held],
    sales: Sales,
    books: Books,
) -> tuple[Sold, ...]:
    """Modules and parts of commitments sold. Maths: docs/program.md, section 15, SIT-5, SIT-6."""
    modules = {(i, s.node): s for i, x in enumerate(begun) for s in sales.of_modules[(*x.route.key, x.node)]}
    parts = {
        (j, s.node): s
        for j, x in enumerate(held)
        for s in sales.of_commitments.get(x.arrays.commitment.commitment, ())
    }
    b.modules = pyo.Var(
        list(modules),
        bounds=lambda _, i, n: (0.0, begun[i].route.site_product.max_modules),
        doc="modules sold",
    )
    b.parts = pyo.Var(list(parts), bounds=(0.0, 1.0), doc="part of a commitment sold [-]")
    found = []
    for (i, n), s in modules.items():
        x, variable = begun[i], b.modules[i, n]
        _, product, contract = x.route.key
        where = {"item": product, "contract": contract, "since": tree.label(x.node)}
        books.decide(Quantity.SELL_BLOCK, n, variable, site=site.site, **where)
        books.limit(variable, ("sold halls", site.site), s.mw, site.max_hpc_critical_mw)
        found.append(Sold(s, x.route.terms.contract, variable))
    for (j, n), s in parts.items():
        terms, name = held[j].arrays.terms, held[j].arrays.commitment.commitment
        where = {"item": name, "contract": terms.contract.contract}
        books.decide(Quantity.SELL_BLOCK, n, b.parts[j, n], site=site.site, **where)
        books.limit(b.parts[j, n], ("sold halls", name), 1.0, 1.0)
        found.append(Sold(s, terms.contract, b.parts[j, n]))
    for sold in found:
        _post(sold.sale, sold.contract, sold.variable, site, books)

    @b.Constraint(
        _paths(tree, modules, carried),
        doc="SIT-5 sold, financed or leased within begun, none twice [modules]",
    )
    def sold_within_begun(b, i, leaf):
        path, used = set(tree.path(leaf)), Linear()
        for k, n in modules:
            if k == i and n in path:
                used.add(1.0, b.modules[i, n])
        for k, n, variable in carried:
            if k == i and n in path:
                used.add(1.0, variable)
        return at_most(used, term(begun[i].count))

    @b.Constraint(_paths(tree, parts, ()), doc="SIT-6 sold within what is held of a commitment [-]")
    def sold_within_held(b, j, leaf):
        path, sold = set(tree.path(leaf)), Linear()
        for k, n in parts:
            if k == j and n in path:
                sold.add(1.0, b.parts[j, n])
        return at_most(sold, held[j].kept[leaf])

    return tuple(found)


def repaid_load(sold: Sequence[Sold], size: int) -> Load:
    """Demand charges that buyers repay; the halls draw what they drew before."""
    none = [Linear() for _ in range(size)]
    return Load(none, none, by_node(((x.variable, x.sale.repaid_mw) for x in sold), size))


def _paths(
    tree: TimeTree, sales: Mapping[tuple[int, int], BlockSale], carried: Sequence[Carried]
) -> list[tuple[int, int]]:
    """Each cohort that may be sold with one leaf for every set of its decisions that lies on a path."""
    found: dict[tuple[int, frozenset[int]], int] = {}
    for i in dict.fromkeys(i for i, _ in sales):
        nodes = {n for k, n in sales if k == i} | {n for k, n, _ in carried if k == i}
        for leaf in tree.leaves:
            here = frozenset(nodes.intersection(tree.path(leaf)))
            if here:
                found.setdefault((i, here), leaf)
    return [(i, leaf) for (i, _), leaf in found.items()]


def _post(s: BlockSale, contract: Contract, variable: Any, site: Site, books: Books) -> None:
    price = np.zeros(s.after.size)
    price[s.node] = s.price_usd_m
    for line, values in (
        (CashLine.BLOCK_SALE, price),
        (CashLine.RENT, -s.rent),
        (CashLine.OPEX, s.opex),
        (CashLine.HPC_POWER, s.power),
        (CashLine.RENEWAL_CAPEX, s.refit),
    ):
        books.post(line, variable, values)
    books.spend(site.site, variable, -s.refit)
    for worth, sign, by_leaf in (
        (CONTRACT_LINES[contract.state], -1.0, s.signed_value),
        (ValueLine.RENEWALS, -1.0, s.renewals_value),
        (ValueLine.RESIDUALS, -1.0, s.residuals_value),
        (ValueLine.RENEWAL_CAPEX, 1.0, s.refit_value),
    ):
        for leaf, amount in by_leaf.items():
            books.worth(worth, leaf, sign * amount, variable)
