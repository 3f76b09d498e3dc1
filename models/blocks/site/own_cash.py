"""SPV: the cash of one borrower, what it is given and what it hands up."""

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, equal, term
from models.domain.company import Entity
from models.domain.ledger import CashLine, ValueLine
from models.params.loans import DebtArrays
from models.timetree import TimeTree

_ROW_SCALE = 10.0
"""Margins of a few dollars per MW stay above the smallest coefficient allowed."""


def add_cash_of(b: pyo.Block, tree: TimeTree, *, has_rescue: bool) -> None:
    """What a borrower has, is given and hands up; funding of last resort where the company's cannot help."""
    nodes = list(tree.nodes)
    b.cash = pyo.Var(nodes, domain=pyo.NonNegativeReals, doc="unrestricted cash of the borrower [$M]")
    b.contributed = pyo.Var(nodes, domain=pyo.NonNegativeReals, doc="from its owners [$M]")
    b.distributed = pyo.Var(nodes, domain=pyo.NonNegativeReals, doc="to its owners [$M]")
    b.rescue = pyo.Var(
        nodes if has_rescue else [], domain=pyo.NonNegativeReals, doc="its own funding of last resort [$M]"
    )


def add_own_cash(b: pyo.Block, tree: TimeTree, entity: Entity, books: Books) -> None:
    """Cash of the borrower, never negative. Maths: docs/program.md, SPV-1."""
    nodes = list(tree.nodes)

    @b.Constraint(nodes, doc="SPV-1 borrower's cash rolls forward and is never negative [$0.1M]")
    def cash_balance(b, n):
        before = term(b.cash[tree.parent[n]]) if n else Linear(constant=entity.unrestricted_cash_usd_m)
        return equal(term(b.cash[n], _ROW_SCALE), (before + books.cash_at(n)) * _ROW_SCALE)

    post_restricted(entity, tree, books)
    for leaf in tree.leaves:
        books.worth(ValueLine.CASH, leaf, 1.0, b.cash[leaf])


def post_restricted(entity: Entity, tree: TimeTree, books: Books) -> None:
    """Escrow less what it has paid, and collateral: worth their amount, never liquidity."""
    held = np.full(len(tree.nodes), entity.escrow_usd_m + entity.collateral_cash_usd_m)
    books.tally_constant(Tally.RESTRICTED, held)
    for leaf in tree.leaves:
        books.worth_constant(ValueLine.RESTRICTED, leaf, float(held[leaf]))
        for n in tree.path(leaf):
            paid = books.cash.get(CashLine.ESCROW_RELEASE, [])
            if paid:
                books.worth_constant(ValueLine.RESTRICTED, leaf, -paid[n].constant)
                for coef, variable in zip(paid[n].coefs, paid[n].variables, strict=True):
                    books.worth(ValueLine.RESTRICTED, leaf, -coef, variable)
    for n in tree.nodes:
        for m in tree.path(n):
            for released in books.cash.get(CashLine.ESCROW_RELEASE, [])[m : m + 1]:
                here = np.zeros(len(tree.nodes))
                here[n] = 1.0
                books.tally_constant(Tally.RESTRICTED, -released.constant * here)


def post_debts(debts: tuple[DebtArrays, ...], tree: TimeTree, books: Books) -> None:
    """Existing loans: drawn by commitments, served as their terms say."""
    for d in debts:
        books.post_constant(CashLine.DEBT_DRAWS, d.draws)
        books.post_constant(CashLine.DEBT_INTEREST, -d.interest)
        books.post_constant(CashLine.DEBT_PRINCIPAL, -d.principal)
        books.tally_constant(Tally.DEBT, d.balance)
        books.tally_constant(Tally.INTEREST, d.interest)
        books.tally_constant(Tally.SERVICE, d.interest + d.scheduled)
        books.post_constant(CashLine.RESERVE_RELEASE, d.reserve.released)
        books.tally_constant(Tally.RESTRICTED, d.reserve.cash)
        books.tally_constant(Tally.UNDRAWN, d.undrawn)
        books.tally_constant(Tally.DUE, d.due)
        if d.debt.recourse:
            books.tally_constant(Tally.RECOURSE, d.balance)
            books.tally_constant(Tally.RECOURSE_INTEREST, d.interest)
        if d.debt.is_backed:
            books.tally_constant(Tally.RECOURSE, d.reserve.letter)
        if d.debt.kind != "corporate":
            books.tally_constant(Tally.SECURED, d.balance)
        for leaf in tree.leaves:
            books.worth_constant(ValueLine.EXISTING_DEBT, leaf, -float(d.balance[leaf]))
            books.worth_constant(ValueLine.RESTRICTED, leaf, float(d.reserve.cash[leaf]))
