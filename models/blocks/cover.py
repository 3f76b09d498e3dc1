"""What one borrower earns to serve its loans, and what that service takes: the two sides of its DSCR."""

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear
from models.domain.ledger import CFADS_LINES


def cfads(books: Books, n: int) -> Linear:
    """Cash of a quarter from which a borrower serves its loans. Maths: docs/program.md, section 8. [$M]"""
    return books.cash_at(n, CFADS_LINES)


def service(books: Books, n: int) -> Linear:
    """Interest and scheduled principal that a borrower pays out of it in a quarter. [$M]"""
    return books.tally_at(Tally.SERVICE, n)
