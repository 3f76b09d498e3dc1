"""CSH: the company's unrestricted cash, its floor, and that money raised is money spent."""

from collections.abc import Sequence

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, by_node, equal, term, total
from models.blocks.ports import BorrowerPorts, DebtUse
from models.domain.company import Company, Entity
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.params.params import Params

_RAISED = (
    CashLine.EQUITY_PROCEEDS,
    CashLine.CONVERT_PROCEEDS,
    CashLine.NOTES_PROCEEDS,
    CashLine.LOAN_PROCEEDS,
)
"""Raised during a quarter; the revolver is drawn at its end."""


def add_cash(
    b: pyo.Block,
    p: Params,
    parent: Entity,
    borrowers: Sequence[BorrowerPorts],
    repaid: Sequence[DebtUse],
    books: Books,
) -> None:
    """The treasury; ``repaid`` is debt repaid by the plan. Maths: docs/program.md, CSH-1 ... CSH-5."""
    tree, firm = p.tree, p.portfolio.firm
    nodes = list(tree.nodes)
    b.cash = pyo.Var(nodes, doc="unrestricted cash of the company [$M]")
    b.rescue = pyo.Var(nodes, domain=pyo.NonNegativeReals, doc="funding of last resort [$M]")
    raised = [books.cash_at(n, _RAISED) for n in nodes]
    _post_lines(b, p, raised, borrowers, books)

    def stressed(n: int) -> Linear:
        late = total(x.counted.tally_at(Tally.LATE_LOSS, n) for x in borrowers)
        guaranteed = total(x.guaranteed(n) for x in borrowers)
        return late + guaranteed + books.tally_at(Tally.WALL, n)

    @b.Constraint(nodes, doc="CSH-1 company cash rolls forward [$M]")
    def cash_balance(b, n):
        before = term(b.cash[tree.parent[n]]) if n else Linear(constant=parent.unrestricted_cash_usd_m)
        return equal(term(b.cash[n]), before + books.cash_at(n))

    @b.Constraint(nodes, doc="CSH-2 cash above the floor, late losses, guarantees and walls [$M]")
    def cash_above_floor(b, n):
        return at_most(stressed(n) + firm.cash_floor_usd_m, term(b.cash[n]))

    if firm.raise_only_what_is_spent:
        drawn = [books.cash_at(n, (CashLine.REVOLVER_DRAWN,)) for n in nodes]
        all_raised = [x + y for x, y in zip(raised, drawn, strict=True)]
        _add_use_of_money(b, p, all_raised, borrowers, repaid, books)
    for leaf in tree.leaves:
        books.worth(ValueLine.CASH, leaf, 1.0, b.cash[leaf])
        for n in tree.path(leaf):
            books.worth(ValueLine.RESCUE, leaf, -firm.rescue_price, b.rescue[n])


def _post_lines(
    b: pyo.Block, p: Params, raised: list[Linear], borrowers: Sequence[BorrowerPorts], books: Books
) -> None:
    tree, firm = p.tree, p.portfolio.firm
    other = np.zeros(len(tree.nodes))
    for row in p.portfolio.other_lines:
        other += np.array([row.ebitda_usd_m * (tree.quarter(n) == row.quarter) for n in tree.nodes])
    books.post_constant(CashLine.OVERHEAD, -p.overhead_usd_m)
    books.post_constant(CashLine.OTHER_LINES, other)
    for n in tree.nodes:
        for x in borrowers:
            books.post_at(CashLine.CONTRIBUTED, n, term(x.contributed[n], -x.owned.share))
            books.post_at(CashLine.DISTRIBUTED, n, term(x.distributed[n], x.owned.share))
        yield_q = max(0.0, float(p.outlook.base_rate_frac[n]) - firm.cash_yield_spread_frac) / 4.0
        opening = (
            term(b.cash[tree.parent[n]]) if n else Linear(constant=p.portfolio.parent.unrestricted_cash_usd_m)
        )
        books.post_at(CashLine.INTEREST_INCOME, n, (opening + raised[n] * 0.5) * yield_q)
        books.post_at(CashLine.RESCUE, n, term(b.rescue[n]))
        books.decide(Quantity.RESCUE, n, b.rescue[n])


def _add_use_of_money(
    b: pyo.Block,
    p: Params,
    raised: list[Linear],
    borrowers: Sequence[BorrowerPorts],
    repaid: Sequence[DebtUse],
    books: Books,
) -> None:
    tree, firm = p.tree, p.portfolio.firm
    nodes, size = list(tree.nodes), len(tree.nodes)
    fixed = corporate_uses(p)
    uses = [x + float(fixed[n]) for n, x in enumerate(by_node(((u.variable, u.usd_m) for u in repaid), size))]
    known = ((u.variable, _in_sight(p, u)) for u in repaid)
    ahead = [x + float(y) for x, y in zip(by_node(known, size), uses_ahead(p, fixed, firm), strict=True)]
    b.unspent = pyo.Var(nodes, domain=pyo.NonNegativeReals, doc="raised and not yet spent [$M]")
    b.spent = pyo.Var(nodes, domain=pyo.NonNegativeReals, doc="raised money spent [$M]")

    @b.Constraint(nodes, doc="CSH-3 money raised is unspent until it is spent [$M]")
    def unspent_balance(b, n):
        before = term(b.unspent[tree.parent[n]]) if n else Linear()
        return equal(term(b.unspent[n]), before + raised[n] - term(b.spent[n]))

    @b.Constraint(nodes, doc="CSH-4 raised money spent on own spend and corporate uses [$M]")
    def spent_on_uses(b, n):
        own = total(x.paid.tally_at(Tally.OWN_NEED, n) for x in borrowers)
        rolled = books.tally_at(Tally.ROLLED, n) + total(x.paid.tally_at(Tally.ROLLED, n) for x in borrowers)
        paid = own + uses[n] - books.cash_at(n, (CashLine.TAX,)) - rolled
        return at_most(term(b.spent[n]), paid)

    @b.Constraint(nodes, doc="CSH-5 money raised has a use in sight [$M]")
    def unspent_has_use(b, n):
        own = total(x.paid.tally_at(Tally.REMAINING_OWN, n) for x in borrowers)
        return at_most(term(b.unspent[n]), own + ahead[n])


def _in_sight(p: Params, use: DebtUse) -> np.ndarray:
    """Uses ahead that a decision brings; its own repayment is none for the money of its own quarter. [$M]"""
    ahead = uses_ahead(p, use.usd_m, p.portfolio.firm) * p.outlook.below[use.since]
    if use.is_repayment:
        ahead[use.since] = min(0.0, ahead[use.since])
    return ahead


def corporate_uses(p: Params) -> np.ndarray:
    """Overhead, existing notes, the company's part of existing debt and of fixed costs, by node. [$M]"""
    uses, paid = p.overhead_usd_m.copy(), {e.entity: e.paid for e in p.portfolio.entities}
    for note in p.notes:
        uses += note.principal_usd_m * (note.coupon + note.principal)
    for d in p.debts:
        uses += paid[d.debt.entity] * (d.interest + d.principal)
    for site in p.portfolio.sites:
        uses += paid[site.entity] * site.fixed_cost_usd_m_per_q * p.ownership[site.site].standing
    return uses


def uses_ahead(p: Params, uses: np.ndarray, firm: Company) -> np.ndarray:
    """Expected uses of the next look-ahead quarters, the own quarter not counted. [$M]"""
    tree = p.tree
    ahead = np.zeros(len(tree.nodes))
    for n in tree.nodes:
        for m in tree.descendants(n):
            if 0 < tree.period[m] - tree.period[n] <= firm.look_ahead_q:
                ahead[n] += tree.probability[m] / tree.probability[n] * uses[m]
    return ahead
