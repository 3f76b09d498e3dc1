"""TKO: existing loans called before their maturity, and loans on what a borrower has let and built."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import at_most, term, total
from models.blocks.new_loans import post_facility
from models.blocks.ports import DebtUse
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.params.take_outs import Call, TakeOutOffer


def add_calls(b: pyo.Block, calls: Sequence[Call], books: Books) -> tuple[DebtUse, ...]:
    """Parts of an owner's loans called early. Maths: docs/program.md, section 6, TKO-1."""
    keyed, tree = {(c.debt.debt, c.node): c for c in calls}, books.tree
    b.called = pyo.Var(list(keyed), domain=pyo.NonNegativeReals, doc="part of a loan called")
    for (debt, n), call in keyed.items():
        books.limit(b.called[debt, n], ("called", debt), 1.0, 1.0)
        books.decide(Quantity.CALLED, n, b.called[debt, n], item=debt)
        _post_call(call, b.called[debt, n], books)

    @b.Constraint(
        list(dict.fromkeys(debt for debt, _ in keyed)),
        tree.leaves,
        doc="TKO-1 a loan is called once at most [-]",
    )
    def called_once(b, debt, leaf):
        return at_most(total(term(b.called[debt, n]) for n in tree.path(leaf) if (debt, n) in keyed), 1.0)

    return tuple(
        DebtUse(n, b.called[debt, n], -c.gone * (c.old.interest + c.old.principal))
        for (debt, n), c in keyed.items()
    )


def _post_call(call: Call, variable: Any, books: Books) -> None:
    old, gone, debt = call.old, call.gone, call.debt
    back = call.at_node(call.reserve_usd_m)
    for line, values in (
        (CashLine.DEBT_PRINCIPAL, gone * old.principal - call.at_node(call.opening_usd_m)),
        (CashLine.DEBT_INTEREST, gone * old.interest),
        (CashLine.CALL_PREMIUM, -call.at_node(call.premium_usd_m)),
        (CashLine.RESERVE_RELEASE, back - gone * old.reserve.released),
    ):
        books.post(line, variable, values)
    for what, values in (
        (Tally.DEBT, old.balance),
        (Tally.INTEREST, old.interest),
        (Tally.SERVICE, old.interest + old.scheduled),
        (Tally.RESTRICTED, old.reserve.cash),
        (Tally.UNDRAWN, old.undrawn),
        (Tally.DUE, old.due),
        (Tally.RECOURSE, old.balance * debt.recourse + old.reserve.letter * debt.is_backed),
        (Tally.RECOURSE_INTEREST, old.interest * debt.recourse),
        (Tally.SECURED, old.balance * (debt.kind != "corporate")),
    ):
        books.tally(what, variable, -gone * values)
    for leaf in books.tree.leaves:
        books.worth(ValueLine.EXISTING_DEBT, leaf, float(gone[leaf] * old.balance[leaf]), variable)
        books.worth(ValueLine.RESTRICTED, leaf, -float(gone[leaf] * old.reserve.cash[leaf]), variable)


def add_take_outs(
    b: pyo.Block, offers: Sequence[TakeOutOffer], called: Mapping[tuple[str, int], Any], books: Books
) -> None:
    """Parts of loans on what is let and built. Maths: docs/program.md, section 5b, TKO-2 ... TKO-4."""
    keyed, tree = {(x.terms.take_out, x.node): x for x in offers}, books.tree
    terms = {x.terms.take_out: x.terms for x in offers}
    b.taken_out = pyo.Var(list(keyed), domain=pyo.NonNegativeReals, doc="part of a take-out lent")
    for (name, n), x in keyed.items():
        books.limit(b.taken_out[name, n], ("taken out", books.owner), 1.0, 1.0)
        books.decide(Quantity.TAKEN_OUT, n, b.taken_out[name, n], item=name)
        post_facility(b.taken_out[name, n], x.facility, books)

    def before(n: int, debt: str | None = None):
        """Keys on the path to a node: all of the borrower's, or those in place of one loan."""
        path = set(tree.path(n))
        return [k for k in keyed if k[1] in path and debt in (None, terms[k[0]].debt)]

    @b.Constraint(tree.leaves if keyed else [], doc="TKO-2 what is let is lent on once at most [-]")
    def lent_on_once(b, leaf):
        return at_most(total(term(b.taken_out[k]) for k in before(leaf)), 1.0)

    @b.Constraint(
        [(x.terms.debt, n) for (_, n), x in keyed.items() if x.terms.debt],
        doc="TKO-3 what replaces a loan comes as that is called [-]",
    )
    def in_place_of_called(b, debt, n):
        gone = total(term(called[debt, m]) for m in tree.path(n) if (debt, m) in called)
        return at_most(total(term(b.taken_out[k]) for k in before(n, debt)), gone)

    @b.Constraint(list(terms), tree.leaves, doc="TKO-4 lent within the most of the take-out [$M]")
    def lent_at_most(b, name, leaf):
        own = (k for k in before(leaf) if k[0] == name)
        return at_most(
            total(term(b.taken_out[k], keyed[k].facility.loan_usd_m) for k in own), terms[name].max_usd_m
        )
