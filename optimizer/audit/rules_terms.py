"""What lenders let borrowers hand up, checked again: lock-ups and sweeps."""

from models.domain.finance import Debt
from models.domain.rules import YEAR_Q
from optimizer.audit.court import Court
from optimizer.audit.cover import cfads, service
from optimizer.audit.debts import principal_by_quarter
from optimizer.audit.decisions import lock_up
from optimizer.audit.world import World


class TermRules:
    """Rules DBT."""

    def __init__(self, world: World, court: Court) -> None:
        self.world, self.court = world, court
        self.book, self.decided = world.book, world.decided

    def check(self) -> None:
        """Take every check."""
        for entity in self.book.borrowers:
            for n in self.book.tree.nodes:
                self._lock_up(entity, n)
        for debt in self.book.portfolio.debt:
            if debt.sweep_frac:
                self._sweep(debt, debt.sweep_frac)

    def _at(self, node: int, *names: str) -> str:
        return "|".join((*names, self.book.tree.label(node)))

    def _lock_up(self, entity: str, n: int) -> None:
        least, place = lock_up(self.book, entity, n), self._at(n, entity)
        if least <= 0.0:
            return
        if self.decided.open.get((entity, n)):
            due = least * service(self.world, entity, n)
            self.court.at_least("DBT-1", place, cfads(self.world, entity, n), due, Court.USD_M)
        else:
            handed_up = self.decided.distributed.get((entity, n), 0.0)
            self.court.at_most("DBT-2", place, handed_up, 0.0, Court.USD_M)

    def _sweep(self, debt: Debt, frac: float) -> None:
        tree, prepaid = self.book.tree, self.decided.prepaid
        for n in tree.nodes:
            if tree.quarter(n) < debt.maturity_quarter and self.world.by_terms[debt.debt][n].balance > 0.0:
                handed_up = self.decided.distributed.get((debt.entity, n), 0.0)
                least = frac * handed_up / (1.0 - frac)
                found = prepaid.get((debt.debt, n), 0.0)
                self.court.at_least("DBT-4", self._at(n, debt.debt), found, least, Court.USD_M)
        for leaf in tree.leaves:
            paid = sum(prepaid.get((debt.debt, n), 0.0) for n in self.book.paths[leaf])
            self.court.at_most("DBT-5", self._at(leaf, debt.debt), paid, self._last(debt), Court.USD_M)

    def _last(self, debt: Debt) -> float:
        """Due with the last payment, or owed a year after the horizon where that comes later. [$M]"""
        repaid = principal_by_quarter(self.book, debt, YEAR_Q)
        if debt.maturity_quarter in repaid:
            return repaid[debt.maturity_quarter]
        return debt.principal_usd_m + debt.undrawn_usd_m - sum(repaid.values())
