"""Loans on what borrowers have let and built, sized again from the terms and rolled forward."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.domain.finance import Debt, TakeOut
from models.domain.ledger import CashLine
from optimizer.audit.book import Book
from optimizer.audit.committed import Committed, CommittedMoney
from optimizer.audit.debts import DebtQuarter, quarters_after
from optimizer.audit.decisions import Decisions
from optimizer.audit.facilities import Facility, FacilityQuarter, Terms
from optimizer.audit.ledger import Ledger
from optimizer.audit.shares import Weights, of

_NOTHING_USD_M = 1e-6
Rolled = Mapping[str, Mapping[int, DebtQuarter]]


@dataclass(frozen=True)
class TakenOut:
    """A part of a take-out that closes at a node."""

    book: Book
    terms: TakeOut
    node: int
    part: float
    facility: Facility

    @property
    def name(self) -> str:
        """Its key in the debt schedule."""
        return f"{self.terms.take_out}@{self.book.tree.label(self.node)}"

    def at(self, node: int) -> FacilityQuarter:
        """All of it at a node; nothing where it has not closed."""
        if self.node not in self.book.paths[node]:
            return FacilityQuarter()
        return self.facility.quarter(self.book.tree.period[node] - self.book.tree.period[self.node])


class TakeOuts:
    """Every take-out of the plan."""

    def __init__(
        self,
        book: Book,
        decided: Decisions,
        commitments: list[Committed],
        money: list[CommittedMoney],
        by_terms: Rolled,
    ) -> None:
        self.book, self.commitments, self.money, self.by_terms = book, commitments, money, by_terms
        self.taken = [
            TakenOut(book, book.take_outs[name], n, part, self._sized(book.take_outs[name], n))
            for (name, n), part in decided.taken_out.items()
            if part
        ]

    def total(self, node: int, what: str, weights: Weights = None) -> float:
        """Sum of one of their quantities at a node. [$M]"""
        return sum(
            of(weights, x.terms.entity) * x.part * float(getattr(x.at(node), what)) for x in self.taken
        )

    def post(self, ledger: Ledger) -> None:
        """Book all movements of cash."""
        for x in self.taken:
            for n in self.book.below[x.node]:
                q, entity = x.at(n), x.terms.entity
                ledger.post(entity, n, CashLine.PROJECT_DRAWS, x.part * q.received)
                ledger.post(entity, n, CashLine.PROJECT_INTEREST, -x.part * q.paid_interest)
                ledger.post(entity, n, CashLine.PROJECT_PRINCIPAL, -x.part * q.principal)
                ledger.post(entity, n, CashLine.RESERVE_RELEASE, x.part * q.released)

    def _sized(self, terms: TakeOut, n: int) -> Facility:
        book, credit, row = self.book, self.book.classes[terms.credit_class], self.book.rows[n]
        held = self._standing(terms.entity, n)
        others = [
            d
            for d in book.portfolio.debt
            if d.entity == terms.entity and d.debt != terms.debt and d.kind != "btc"
        ]
        cost = sum(c.commitment.capex_usd_m + c.commitment.gpu_capex_usd_m for c in held)
        cost -= sum(f.amount_usd_m for c in held for f in c.flows if f.funded_by == "tenant")
        cost -= sum(self._owed(d, n) for d in others) / credit.ltc_max_frac
        serve = [self._gpus_serve_q(c, n) for c in held if c.lease.product.refresh_q]
        case = self._case(terms, held, others, n) if min(serve, default=1) > 0 else []
        asked = Terms(
            credit,
            row.base_rate_frac + credit.spread_frac + row.spread_add_frac,
            row.base_rate_frac + credit.refinance_spread_frac + row.spread_add_frac,
            row.base_rate_frac,
            0,
            min(serve, default=None),
        )
        return Facility(asked, [max(0.0, cost)], case)

    def _standing(self, entity: str, n: int) -> list[Committed]:
        """What is let under committed contracts that are live in full, and that nothing ends."""
        whole = {c.lease.contract.contract for c in self.commitments}
        now = self.book.tree.quarter(n)
        for c in self.commitments:
            until = c.commitment.cancellable_until_quarter
            ends = any(
                self.book.ended(c.lease.contract.contract, leaf) is not None for leaf in self.book.tree.leaves
            )
            stands = (
                c.lease.contract.state == "committed"
                and self.book.sites[c.commitment.site].entity == entity
                and not ends
                and (until is None or until < self.book.tree.first)
                and c.total_mw > 0.0
                and c.live_mw(now) >= c.total_mw
            )
            if not stands:
                whole.discard(c.lease.contract.contract)
        return [c for c in self.commitments if c.lease.contract.contract in whole]

    def _gpus_serve_q(self, c: Committed, n: int) -> int:
        """Quarters from a node on until the first GPUs are replaced."""
        first_live = min(f.quarter for f in c.flows if f.mw_live > 0.0)
        return (first_live - self.book.tree.quarter(n)) + (c.lease.product.refresh_q or 0)

    def _case(self, terms: TakeOut, held: list[Committed], others: list[Debt], n: int) -> list[float]:
        """The lender's case by quarter from a node on, up to the first that leaves him nothing. [$M]"""
        book, credit = self.book, self.book.classes[terms.credit_class]
        now, found = book.tree.quarter(n), list[float]()
        quarters = max((c.lease.term_end - now for c in held), default=0)
        given, served = self._given(held, n, quarters), self._served(others, n, quarters)
        for j in range(max(0, quarters)):
            moment, noi = book.moment(n, j), 0.0
            for c in held:
                if moment.quarter < c.lease.term_end:
                    rent, opex, power = c.income(moment)
                    noi += rent - opex - power
            free = credit.delivery_haircut_frac * noi - given[j] - credit.dscr_min * served[j]
            if free <= _NOTHING_USD_M:
                return found
            found.append(free)
        return found

    def _path(self, n: int) -> tuple[int, list[int]]:
        """The first future below a node, and the nodes on the way to it."""
        leaf = next(x for x in self.book.tree.leaves if n in self.book.paths[x])
        return leaf, [
            m for m in self.book.paths[leaf] if self.book.tree.period[m] >= self.book.tree.period[n]
        ]

    def _given(self, held: list[Committed], n: int, quarters: int) -> list[float]:
        """Credits of the tenants' money. [$M]"""
        leaf, path = self._path(n)
        names, found = {c.lease.contract.contract for c in held}, [0.0] * max(0, quarters)
        for money in self.money:
            if money.contract in names:
                credits = [money.at[m].credited for m in path] + money.credits_after(leaf, quarters)
                for j in range(len(found)):
                    found[j] += credits[j]
        return found

    def _served(self, others: list[Debt], n: int, quarters: int) -> list[float]:
        """Interest and instalments of the borrower's other loans, by their terms. [$M]"""
        leaf, path = self._path(n)
        found = [0.0] * max(0, quarters)
        for debt in others:
            rolled = self.by_terms[debt.debt]
            later = quarters_after(self.book, debt, rolled[leaf], rolled[leaf].balance, leaf)
            for j, q in zip(range(len(found)), [*(rolled[m] for m in path), *later], strict=False):
                found[j] += q.interest + q.principal - q.balloon
        return found

    def _owed(self, debt: Debt, n: int) -> float:
        """Owed at the start of a node's quarter. [$M]"""
        return self.by_terms[debt.debt][self.book.tree.parent[n]].balance if n else debt.principal_usd_m
