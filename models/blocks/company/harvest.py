"""HRV: payouts to the shareholders, once nothing more is begun and nothing is raised."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyomo.environ as pyo

from models.blocks.books import Books, Decision, Limit, Tally
from models.blocks.breach import LARGEST_COEFFICIENT, largest_breach
from models.blocks.linear import Linear, at_most, term, total
from models.blocks.ports import BorrowerPorts
from models.domain.ledger import (
    BEGUN,
    CORPORATE_COST_LINES,
    LENT_LINES,
    RAISED,
    CashLine,
    Quantity,
    ValueLine,
)
from models.params.params import Params

SMALLEST_COEFFICIENT = 1e-3
Limits = Mapping[int, Limit]


def add_payouts(b: pyo.Block, p: Params, books: Books) -> None:
    """What is paid out where, and what it is worth at the leaves. Maths: docs/program.md, HRV-1, HRV-3."""
    tree, firm = p.tree, p.portfolio.firm
    opens = firm.payouts_from_quarter
    nodes = [n for n in tree.nodes if opens is not None and tree.quarter(n) >= opens]
    b.is_harvest = pyo.Var(nodes, domain=pyo.Binary, doc="nothing more is begun or raised")
    b.paid_usd_m = pyo.Var(nodes, domain=pyo.NonNegativeReals, doc="paid to the shareholders [$M]")

    @b.Constraint([n for n in nodes if tree.parent[n] in nodes], doc="HRV-1 a harvest lasts [-]")
    def harvest_lasts(b, n):
        return at_most(term(b.is_harvest[tree.parent[n]]), term(b.is_harvest[n]))

    @b.Constraint(nodes, doc="HRV-3 payouts in a harvest alone, within the most of a quarter [$M]")
    def paid_in_harvest(b, n):
        most = firm.payout_max_usd_m_per_q or 0.0
        return at_most(term(b.paid_usd_m[n]), term(b.is_harvest[n], most))

    for n in nodes:
        books.decide(Quantity.HARVEST, n, b.is_harvest[n])
        books.decide(Quantity.PAYOUT, n, b.paid_usd_m[n])
        books.post_at(CashLine.PAYOUTS, n, term(b.paid_usd_m[n], -1.0))
        for leaf in tree.leaves_below(n):
            books.worth(ValueLine.PAYOUTS, leaf, p.claims.payout(n, leaf), b.paid_usd_m[n])


def add_harvest(
    b: pyo.Block, p: Params, borrowers: Sequence[BorrowerPorts], cash: pyo.Block, books: Books
) -> None:
    """What a harvest asks of the rest, once all is posted. Maths: docs/program.md, HRV-2, HRV-4 ... HRV-6."""
    tree, nodes = p.tree, list(b.is_harvest)
    all_books = (books, *(x.books for x in borrowers))
    limits = {i: limit for x in all_books for i, limit in x.limits.items()}
    decided: dict[int, list[Decision]] = {n: [] for n in nodes}
    for d in (d for x in all_books for d in x.decisions if d.node in decided):
        decided[d.node].append(d)

    @b.Constraint(nodes, doc="HRV-2 nothing is begun in a harvest [parts of what is possible]")
    def nothing_begun(b, n):
        return _none_of((d for d in decided[n] if d.quantity in BEGUN), limits, b.is_harvest[n])

    @b.Constraint(nodes, doc="HRV-2 nothing is raised in a harvest [parts of what is possible]")
    def nothing_raised(b, n):
        return _none_of((d for d in decided[n] if d.quantity in RAISED), limits, b.is_harvest[n])

    def most_raised(n: int) -> float:
        raised = total(books.cash_at(m, LENT_LINES) for m in tree.path(n))
        return largest_breach(-raised.merged(), limits)

    watched = nodes if cash.component("unspent") is not None else []

    @b.Constraint(watched, doc="HRV-4 no money raised is unspent in a harvest [$M]")
    def raised_is_spent(b, n):
        return _only_in(b.is_harvest[n], term(cash.unspent[n], -1.0), most_raised(n))

    opening = p.portfolio.parent.unrestricted_cash_usd_m

    def left_of_received(n: int) -> Linear:
        # what was received less payouts, read off cash: no borrower's column is needed
        elsewhere = (books.cash_at(m, (*LENT_LINES, *CORPORATE_COST_LINES)) for m in tree.path(n))
        return term(cash.cash[n]) - total(elsewhere) - opening

    @b.Constraint(watched, doc="HRV-5 payouts within distributions received and own income [$M]")
    def paid_of_what_is_received(b, n):
        room = left_of_received(n) + total(term(cash.spent[m]) for m in tree.path(n))
        return _only_in(b.is_harvest[n], room, opening + most_raised(n))

    has_sales = any(s.sale_cap_rate_frac is not None for s in p.portfolio.sites)
    # what is paid at the very end gains nothing
    early = [n for n in watched if has_sales and tree.children[n]]

    @b.Constraint(early, doc="HRV-5 payouts of nothing that halls sold brought [$M]")
    def paid_of_what_is_earned(b, n):
        path, brought = tree.path(n), _brought(borrowers, tree.path(n))
        built = total(x.paid.tally_at(Tally.OWN_NEED, m) for x in borrowers for m in path)
        most = opening + most_raised(n) + largest_breach(-brought, limits)
        return _only_in(b.is_harvest[n], left_of_received(n) - brought + built, most)

    replaced = {x.entity: _replaced(x) for x in borrowers}

    @b.Constraint(nodes, doc="HRV-6 in a harvest cash covers what the plan has borrowed [$M]")
    def borrowed_is_covered(b, n):
        owed = books.tally_at(Tally.DEBT, n)
        taken = total(_of(x.counted.tally_at(Tally.DEBT, n), replaced[x.entity]) for x in borrowers)
        room = (term(cash.cash[n]) - Linear(owed.coefs, owed.variables) - taken).merged()
        return _only_in(b.is_harvest[n], room, largest_breach(room, limits))


def _brought(borrowers: Sequence[BorrowerPorts], path: Sequence[int]) -> Linear:
    """The company's part of what let halls sold on a path brought. [$M]"""
    found = Linear()
    for x in borrowers:
        for y in (y for s in x.sites for y in s.sold if y.sale.node in path):
            found.add(x.owned.share * y.sale.price_usd_m, y.variable)
    return found


def _replaced(x: BorrowerPorts) -> frozenset[int]:
    """Identities of what a borrower calls of its loans, and takes on what is let and built."""
    both = (Quantity.CALLED, Quantity.TAKEN_OUT)
    return frozenset(id(d.variable) for d in x.books.decisions if d.quantity in both)


def _of(owed: Linear, variables: frozenset[int]) -> Linear:
    """The terms in some variables."""
    found = Linear()
    for coef, variable in zip(owed.coefs, owed.variables, strict=True):
        if id(variable) in variables:
            found.add(coef, variable)
    return found


def _only_in(harvest: Any, room: Linear, most: float) -> Any:
    """Room is not negative in a harvest; elsewhere it may be missing by the most that it can."""
    scale = min(1.0, LARGEST_COEFFICIENT / max(most, 1.0))
    return at_most((term(harvest, most) - room.merged()) * scale, most * scale)


def _none_of(decisions: Iterable[Decision], limits: Limits, harvest: Any) -> Any:
    """Decisions that a harvest rules out, each group as a part of the most that other rules let it be."""
    parts: dict[Any, list[tuple[float, Any]]] = {}
    for d in decisions:
        limit = limits.get(id(d.variable)) or Limit((id(d.variable),), 1.0, float(d.variable.ub))
        if limit.most > 0.0:
            parts.setdefault(limit.group, []).append((limit.weight / limit.most, d.variable))
    if not parts:
        return pyo.Constraint.Skip
    least = min(part for group in parts.values() for part, _ in group)
    scale = max(1.0, SMALLEST_COEFFICIENT / least)
    done = Linear(
        [part * scale for g in parts.values() for part, _ in g], [v for g in parts.values() for _, v in g]
    )
    return at_most(done + term(harvest, len(parts) * scale), len(parts) * scale)
