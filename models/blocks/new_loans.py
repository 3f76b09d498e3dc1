"""The books of a loan that the plan takes."""

from dataclasses import dataclass
from typing import Any

from models.blocks.books import Books, Tally
from models.domain.ledger import CashLine, ValueLine
from models.params.loans import FacilityArrays
from models.params.new_loans import Bullet
from models.params.vendor_leases import LeaseArrays


@dataclass(frozen=True)
class LoanLines:
    """Where a kind of loan is booked."""

    draws: CashLine
    interest: CashLine
    principal: CashLine
    owed: ValueLine


_PROJECT = LoanLines(
    CashLine.PROJECT_DRAWS, CashLine.PROJECT_INTEREST, CashLine.PROJECT_PRINCIPAL, ValueLine.PROJECT_DEBT
)


def post_amortised(variable: Any, loan: FacilityArrays | LeaseArrays, lines: LoanLines, books: Books) -> None:
    """Draws and service of a secured loan, what it adds to debt, and what is owed of it at the leaves."""
    books.post(lines.draws, variable, loan.draws)
    books.post(lines.interest, variable, -loan.interest_paid)
    books.post(lines.principal, variable, -loan.principal)
    books.tally(Tally.DEBT, variable, loan.balance)
    books.tally(Tally.SECURED, variable, loan.balance)
    books.tally(Tally.DUE, variable, loan.due)
    books.tally(Tally.INTEREST, variable, loan.interest)
    books.tally(Tally.SERVICE, variable, loan.interest_paid + loan.scheduled)
    for leaf in books.tree.leaves:
        if loan.balance[leaf]:
            books.worth(lines.owed, leaf, -float(loan.balance[leaf]), variable)


def post_facility(variable: Any, f: FacilityArrays, books: Books) -> None:
    """A facility without recourse, its escrow, its reserve and what the parent answers for of it."""
    post_amortised(variable, f, _PROJECT, books)
    books.post(CashLine.ESCROW_INCOME, variable, f.escrow_income)
    books.post(CashLine.RESERVE_RELEASE, variable, f.reserve_release)
    books.tally(Tally.RECOURSE, variable, f.parent_letter)
    books.tally(Tally.RESTRICTED, variable, f.restricted)
    books.tally(Tally.UNDRAWN, variable, f.undrawn)
    for leaf in books.tree.leaves_below(f.close):
        books.worth(ValueLine.RESTRICTED, leaf, float(f.restricted[leaf]), variable)


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
