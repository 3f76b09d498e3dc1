"""Leases of GPUs that the plan takes, rolled quarter by quarter."""

from dataclasses import dataclass

from models.domain.equipment import VendorLease
from optimizer.audit.book import Book
from optimizer.audit.decisions import Leased
from optimizer.audit.modules import Module


@dataclass(frozen=True)
class LeaseQuarter:
    """A lease in one quarter since the start of its module. [$M]"""

    drawn: float = 0.0
    """Paid to the vendor."""
    interest: float = 0.0
    paid_interest: float = 0.0
    principal: float = 0.0
    buyout: float = 0.0
    """Of the principal, what ends the lease."""
    balance: float = 0.0
    undrawn: float = 0.0


class LeaseOfGpus:
    """The lease of one module's GPUs."""

    def __init__(self, terms: VendorLease, module: Module) -> None:
        row = module.book.rows[module.begun]
        self.i = (row.base_rate_frac + row.spread_add_frac + terms.spread_frac) / 4.0
        self.terms, own = terms, terms.max_frac_of_gpus * (1.0 - module.tenant_frac)
        self.draws = [own * paid for paid in module.gpus_paid]
        self.financed = sum(self.draws)
        self.quarters = self._build()
        self.quarters += self._repay(self.quarters[-1].balance)

    def quarter(self, age: int) -> LeaseQuarter:
        """The lease so many quarters after the start of its module."""
        return self.quarters[age] if age < len(self.quarters) else LeaseQuarter()

    def due(self, age: int, quarters: int) -> float:
        """Principal of the quarters after an age. [$M]"""
        return sum(self.quarter(age + k).principal for k in range(1, quarters + 1))

    def _build(self) -> list[LeaseQuarter]:
        found, owed, still = [], 0.0, self.financed
        for draw in self.draws:
            interest = self.i * owed
            owed, still = owed + interest + draw, still - draw
            found.append(LeaseQuarter(draw, interest, balance=owed, undrawn=still))
        return found

    def _repay(self, owed: float) -> list[LeaseQuarter]:
        """Level payments, of which the last comes with the buy-out."""
        found, i, term = [], self.i, self.terms.term_q
        last = self.terms.buyout_frac * self.financed
        grown = (1.0 + i) ** term
        level = (owed * grown - last) * i / (grown - 1.0) if i else (owed - last) / term
        for k in range(1, term + 1):
            interest = i * owed
            buyout = last if k == term else 0.0
            principal = level - interest + buyout
            owed -= principal
            found.append(LeaseQuarter(0.0, interest, interest, principal, buyout, owed))
        return found


@dataclass(frozen=True)
class Taken:
    """A lease with the modules that it is for."""

    book: Book
    decided: Leased
    lease: LeaseOfGpus

    @property
    def name(self) -> str:
        """Of the lessor's terms."""
        return self.decided.lease

    def at(self, node: int) -> LeaseQuarter:
        """One module's lease at a node; nothing where it was not begun."""
        book = self.book
        if self.decided.begun not in book.paths[node]:
            return LeaseQuarter()
        return self.lease.quarter(book.tree.period[node] - book.tree.period[self.decided.begun])

    def due_after(self, node: int, quarters: int) -> float:
        """Principal of all modules in the quarters after a node. [$M]"""
        book = self.book
        if self.decided.begun not in book.paths[node]:
            return 0.0
        age = book.tree.period[node] - book.tree.period[self.decided.begun]
        return self.decided.modules * self.lease.due(age, quarters)
