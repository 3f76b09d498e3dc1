"""OWN: what a borrower may hand up, what may be put in, and what others own of it."""

from collections.abc import Sequence

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import at_most, term, total
from models.blocks.ports import SitePorts
from models.blocks.shares import PartOf
from models.domain.company import Entity
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.params.outlook import Outlook
from models.timetree import TimeTree

NOT_SHARED = (ValueLine.RESCUE, ValueLine.MINORITY)
"""Lines of a borrower's value that its owners do not share: rescue is the company's loss."""


def post_transfers(entity: Entity, tree: TimeTree, contributed: pyo.Var, distributed: pyo.Var, books: Books):
    """Contributions and distributions, the company's part and that of partners."""
    share = entity.share
    for n in tree.nodes:
        books.post_at(CashLine.CONTRIBUTED, n, term(contributed[n], share))
        books.post_at(CashLine.DISTRIBUTED, n, term(distributed[n], -share))
        books.decide(Quantity.CONTRIBUTED, n, contributed[n], item=entity.entity)
        books.decide(Quantity.DISTRIBUTED, n, distributed[n], item=entity.entity)
        if share < 1.0:
            books.post_at(CashLine.PARTNER_CONTRIBUTED, n, term(contributed[n], 1.0 - share))
            books.post_at(CashLine.PARTNER_DISTRIBUTED, n, term(distributed[n], share - 1.0))


def post_own_rescue(entity: Entity, tree: TimeTree, rescue: pyo.Var, price: float, books: Books) -> None:
    """Funding of last resort of a borrower alone: all of its price is the company's loss."""
    for n in rescue:
        books.post_at(CashLine.RESCUE, n, term(rescue[n]))
        books.decide(Quantity.RESCUE, n, rescue[n], item=entity.entity)
        for leaf in tree.leaves_below(n):
            books.worth(ValueLine.RESCUE, leaf, -price, rescue[n])


def post_treasury_income(
    entity: Entity, outlook: Outlook, spread_frac: float, cash: pyo.Var, books: Books
) -> None:
    """What a treasury of its own earns on its opening cash."""
    tree = outlook.tree
    for n in tree.nodes:
        yield_q = max(0.0, float(outlook.base_rate_frac[n]) - spread_frac) / 4.0
        if n:
            books.post_at(CashLine.INTEREST_INCOME, n, term(cash[tree.parent[n]], yield_q))
        else:
            opening = np.zeros(len(tree.nodes))
            opening[n] = entity.unrestricted_cash_usd_m * yield_q
            books.post_constant(CashLine.INTEREST_INCOME, opening)


def add_owner_rules(
    b: pyo.Block,
    entity: Entity,
    tree: TimeTree,
    sites: Sequence[SitePorts],
    cash: pyo.Var,
    contributed: pyo.Var,
    distributed: pyo.Var,
    books: Books,
) -> None:
    """Rules between a borrower and its owners. Maths: docs/program.md, section 8, OWN-1 ... OWN-5."""
    nodes = list(tree.nodes)
    shut = [n for n in nodes if not entity.may_hand_up(tree.quarter(n))]
    closed = [] if entity.takes_contributions else nodes
    own = nodes if entity.kind == "listed" else []

    @b.Constraint(shut, doc="OWN-1 nothing is handed up before the quarter from which it may be [$M]")
    def nothing_upstream(b, n):
        return at_most(term(distributed[n]), 0.0)

    @b.Constraint(closed, doc="OWN-2 nothing is put into a listed subsidiary that takes no money [$M]")
    def nothing_put_in(b, n):
        return at_most(term(contributed[n]), 0.0)

    @b.Constraint(own, doc="OWN-3 a listed subsidiary's cash covers its deliveries late [$M]")
    def late_losses_covered(b, n):
        return at_most(books.tally_at(Tally.LATE_LOSS, n), term(cash[n]))

    @b.Constraint([n for n in own if n in tree.leaves], doc="OWN-4 its own spend left at the leaf too [$M]")
    def spend_left_covered(b, n):
        return at_most(books.tally_at(Tally.REMAINING_OWN, n), term(cash[n]))

    keys = [(s.site, v, n) for s in sites for v, n in s.mining.moved_out if entity.share < 1.0]
    mining = {s.site: s.mining for s in sites}

    @b.Constraint(keys, doc="OWN-5 machines that others own a part of do not move [MW]")
    def machines_stay(b, s, v, n):
        moves = (mining[s].moved_out, mining[s].moved_in)
        return at_most(total(term(x[v, n]) for x in moves if (v, n) in x), 0.0)


def post_minority(entity: Entity, tree: TimeTree, books: Books) -> None:
    """What others own of all that the borrower is worth; posted when all else is."""
    if entity.share < 1.0:
        for leaf in tree.leaves:
            others = PartOf(books, entity.share - 1.0).worth_at(leaf, NOT_SHARED)
            books.worth_at(ValueLine.MINORITY, leaf, others)
