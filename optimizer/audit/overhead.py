"""Overhead after the horizon: how long it goes on, and what a dollar a quarter of it is worth."""

from models.domain.contract import Contract
from models.timetree import Quarter
from optimizer.audit.arithmetic import present_value
from optimizer.audit.book import Book


def worth_of_going_on(book: Book) -> float:
    """Worth at a leaf of a dollar a quarter of overhead then. [quarters]"""
    terms, flows, level = book.valuation["overhead"], list[float](), 1.0
    for part in _parts(book, terms.years):
        level *= (1.0 + (terms.growth_frac_per_year or 0.0)) ** 0.25
        flows.append(part * level)
    return present_value(flows, terms.rate_frac)


def _parts(book: Book, years: float | None) -> list[float]:
    """Part of overhead in each quarter after the horizon: for stated years, then while leases may run."""
    signed = [c for c in book.portfolio.contracts if c.state == "committed"]
    found = [1.0] * round(4.0 * (years or 0.0))
    quarter = book.last_quarter + 1 + len(found)
    while chance := max((_may_run(book, c, quarter) for c in signed), default=0.0):
        found.append(chance)
        quarter += 1
    return found


def _may_run(book: Book, contract: Contract, quarter: Quarter) -> float:
    """Chance that a contract still runs in a quarter, renewals in."""
    over = quarter - (contract.commencement_quarter + contract.term_q)
    renewal = book.renewals.get(contract.contract)
    if over < 0:
        return 1.0
    if renewal is None or over >= renewal.term_q * (renewal.options or 1):
        return 0.0
    return float(renewal.probability_frac ** (over // renewal.term_q + 1))
