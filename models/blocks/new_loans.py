"""The books of a loan that the plan takes besides project debt."""

from typing import Any

from models.blocks.books import Books, Tally
from models.domain.ledger import CashLine, ValueLine
from models.params.new_loans import Bullet


def post_bullet(variable: Any, loan: Bullet, books: Books, *, recourse: bool, secured: bool) -> None:
    """Service of a new loan, what it adds to debt, and what is owed of it at the leaves."""
    books.post(CashLine.LOAN_INTEREST, variable, -loan.interest)
    books.post(CashLine.LOAN_PRINCIPAL, variable, -loan.principal)
    books.tally(Tally.DEBT, variable, loan.balance)
    books.tally(Tally.INTEREST, variable, loan.interest)
    books.tally(Tally.SERVICE, variable, loan.interest)
    books.tally(Tally.DUE, variable, loan.due)
    if recourse:
        books.tally(Tally.RECOURSE, variable, loan.balance)
        books.tally(Tally.RECOURSE_INTEREST, variable, loan.interest)
    if secured:
        books.tally(Tally.SECURED, variable, loan.balance)
    for leaf in books.tree.leaves:
        books.worth(ValueLine.NEW_LOANS, leaf, -float(loan.balance[leaf]), variable)
