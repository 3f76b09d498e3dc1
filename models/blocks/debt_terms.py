"""DBT: lock-ups and sweeps of a borrower's loans, between what it earns and what it hands up."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.breach import LARGEST_COEFFICIENT, largest_breach
from models.blocks.cover import cfads, service
from models.blocks.linear import Linear, at_most, term, total
from models.blocks.ports import DebtUse
from models.domain.company import Entity
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.params.loans import DebtArrays
from models.params.sweeps import Prepaid, Sweep

_ROW_SCALE = 10.0
"""Margins of a few dollars per MW stay above the smallest coefficient allowed."""
_NOT_TAKEN_IN = (
    CashLine.CONTRIBUTED,
    CashLine.PARTNER_CONTRIBUTED,
    CashLine.DISTRIBUTED,
    CashLine.PARTNER_DISTRIBUTED,
    CashLine.RESCUE,
    CashLine.CASH_MARGIN,
)
"""What a borrower is given and hands up; cash beside coins was its own before."""


def add_prepayments(b: pyo.Block, sweeps: Sequence[Sweep], books: Books) -> tuple[DebtUse, ...]:
    """Loans repaid before their time: what each dollar changes. Maths: docs/program.md, section 6."""
    keyed = {(s.debt.debt, x.node): (s, x) for s in sweeps for x in s.prepaid}
    b.prepaid_usd_m = pyo.Var(list(keyed), domain=pyo.NonNegativeReals, doc="repaid before its time [$M]")
    for (debt, n), (sweep, x) in keyed.items():
        variable = b.prepaid_usd_m[debt, n]
        books.limit(variable, ("prepaid", debt), 1.0, sweep.most_usd_m)
        books.decide(Quantity.PREPAID, n, variable, item=debt)
        _post(sweep, x, variable, books)
    return tuple(
        DebtUse(n, b.prepaid_usd_m[debt, n], -x.interest + np.minimum(x.principal, 0.0))
        for (debt, n), (_, x) in keyed.items()
    )


def _post(sweep: Sweep, x: Prepaid, variable: Any, books: Books) -> None:
    debt = sweep.debt
    books.post(CashLine.DEBT_PRINCIPAL, variable, -x.principal)
    books.post(CashLine.DEBT_INTEREST, variable, x.interest)
    for what, values in (
        (Tally.DEBT, x.balance),
        (Tally.DUE, x.due),
        (Tally.INTEREST, x.interest),
        (Tally.SERVICE, x.interest),
        (Tally.RECOURSE, x.balance * debt.recourse),
        (Tally.RECOURSE_INTEREST, x.interest * debt.recourse),
        (Tally.SECURED, x.balance * (debt.kind != "corporate")),
    ):
        books.tally(what, variable, -values)
    for leaf in books.tree.leaves:
        books.worth(ValueLine.EXISTING_DEBT, leaf, float(x.balance[leaf]), variable)


def add_debt_terms(
    b: pyo.Block,
    entity: Entity,
    debts: Sequence[DebtArrays],
    sweeps: Sequence[Sweep],
    cash: pyo.Var,
    distributed: pyo.Var,
    books: Books,
) -> None:
    """What the lenders of a borrower let it hand up. Maths: docs/program.md, section 8, DBT-1 ... DBT-5."""
    _add_lock_up(b, entity, debts, cash, distributed, books)
    tree = books.tree
    by_debt = {s.debt.debt: s for s in sweeps}
    keys = [(s.debt.debt, x.node) for s in sweeps for x in s.prepaid]

    @b.Constraint(keys, doc="DBT-4 what is handed up repays the loan that sweeps [$M]")
    def swept(b, debt, n):
        return at_most(term(distributed[n], by_debt[debt].per_distributed), term(b.prepaid_usd_m[debt, n]))

    @b.Constraint(
        [(s.debt.debt, leaf) for s in sweeps for leaf in tree.leaves],
        doc="DBT-5 repaid before its time within what falls due last [$M]",
    )
    def prepaid_within_last(b, debt, leaf):
        nodes = (n for n in tree.path(leaf) if (debt, n) in b.prepaid_usd_m)
        return at_most(total(term(b.prepaid_usd_m[debt, n]) for n in nodes), by_debt[debt].most_usd_m)


def least_dscr(debts: Sequence[DebtArrays], books: Books, n: int) -> float:
    """The highest lock-up that is tested at a node; 0 where none is."""
    quarter = books.tree.quarter(n)
    tested = (d.debt.lockup_dscr for d in debts if d.debt.is_tested(quarter))
    return max((x for x in tested if x is not None), default=0.0)


def _add_lock_up(
    b: pyo.Block,
    entity: Entity,
    debts: Sequence[DebtArrays],
    cash: pyo.Var,
    distributed: pyo.Var,
    books: Books,
) -> None:
    asked = {n: least_dscr(debts, books, n) for n in books.tree.nodes}
    tested = [n for n, least in asked.items() if least > 0.0]
    room = {n: (cfads(books, n) - service(books, n) * asked[n]).merged() for n in tested}
    short = {n: largest_breach(x, books.limits) for n, x in room.items()}
    spare = {n: largest_breach(-x, books.limits) for n, x in room.items()}
    held = _most_held(entity, cash, books) if tested else {}
    b.is_open = pyo.Var(
        tested,
        domain=pyo.Binary,
        bounds=lambda _, n: (float(short[n] <= 0.0), float(spare[n] >= 0.0)),
        doc="the borrower may hand cash up",
    )
    doubtful = [n for n in tested if short[n] > 0.0 and spare[n] >= 0.0]
    b.locked_usd_m = pyo.Var(doubtful, domain=pyo.NonNegativeReals, doc="cash that a lock-up holds [$M]")
    for n in tested:
        books.decide(Quantity.OPEN, n, b.is_open[n], item=entity.entity)
        here = np.zeros(len(books.tree.nodes))
        here[n] = 1.0
        if spare[n] < 0.0:
            books.tally(Tally.LOCKED, cash[n], here)
        elif n in doubtful:
            books.limit(b.locked_usd_m[n], ("held", entity.entity, n), 1.0, held[n])
            books.tally(Tally.LOCKED, b.locked_usd_m[n], here)

    @b.Constraint(doubtful, doc="DBT-1 open only where income covers the service as the lenders ask [$0.1M]")
    def open_if_covered(b, n):
        scale = min(_ROW_SCALE, LARGEST_COEFFICIENT / short[n])
        return at_most((term(b.is_open[n], short[n]) - room[n]) * scale, short[n] * scale)

    @b.Constraint(tested, doc="DBT-2 nothing is handed up in a lock-up [$M]")
    def handed_up_if_open(b, n):
        if short[n] <= 0.0:
            return pyo.Constraint.Skip
        scale = min(1.0, LARGEST_COEFFICIENT / max(1.0, held[n]))
        return at_most(term(distributed[n], scale), term(b.is_open[n], held[n] * scale))

    @b.Constraint(doubtful, ("all", "own", "none"), doc="DBT-3 a lock-up holds all cash there is [$M]")
    def locked_is_cash(b, n, part):
        scale = min(1.0, LARGEST_COEFFICIENT / max(1.0, held[n]))
        locked, open_part = term(b.locked_usd_m[n], scale), term(b.is_open[n], held[n] * scale)
        if part == "all":
            return at_most(term(cash[n], scale) - open_part, locked)
        return at_most(locked, term(cash[n], scale) if part == "own" else -open_part + held[n] * scale)


def _most_held(entity: Entity, cash: pyo.Var, books: Books) -> dict[int, float]:
    """All that a borrower can have taken in by a node, what it is given apart. [$M]"""
    lines = [line for line in books.cash if line not in _NOT_TAKEN_IN]
    taken_in: dict[int, Linear] = {}
    for n in books.tree.nodes:
        here = books.cash_at(n, lines).merged()
        gains = Linear(constant=max(0.0, here.constant))
        before = taken_in[books.tree.parent[n]] if n else Linear(constant=entity.unrestricted_cash_usd_m)
        for coef, variable in zip(here.coefs, here.variables, strict=True):
            if n and variable is cash[books.tree.parent[n]]:  # what a treasury of its own earns
                gains = gains + before * coef
            else:
                gains.add(max(0.0, coef), variable)
        taken_in[n] = (before + gains).merged()
    return {n: largest_breach(-x, books.limits) for n, x in taken_in.items()}
