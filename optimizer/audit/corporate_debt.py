"""What the plan borrows in the company's own name, rolled forward, and what it buys back of its notes."""

import math
from dataclasses import dataclass, replace

from models.domain.finance import Instrument
from models.domain.ledger import CashLine
from models.timetree import Quarter
from optimizer.audit.book import Book
from optimizer.audit.debts import DebtQuarter
from optimizer.audit.decisions import Decisions
from optimizer.audit.ledger import Ledger
from optimizer.audit.notes import Note, NoteQuarter, roll_note


@dataclass(frozen=True)
class Bond:
    """Straight notes issued at one node in one block of leverage."""

    name: str
    instrument: str
    issued: int
    principal_usd_m: float
    coupon_frac: float
    last: Quarter
    """At whose end they are repaid."""
    bound_usd_m: float

    def at(self, quarter: Quarter, is_issue: bool) -> DebtQuarter:
        """The notes in a quarter from their issue on. [$M]"""
        runs = self.principal_usd_m if quarter <= self.last else 0.0
        due = runs if quarter == self.last else 0.0
        interest = runs * self.coupon_frac / 4.0
        return DebtQuarter(runs if is_issue else 0.0, interest, due, runs - due, 0.0)


@dataclass(frozen=True)
class Buyback:
    """Part of an existing tranche bought at a node."""

    terms: Instrument
    note: Note
    node: int
    frac: float
    paid_usd_m: float


class CorporateDebt:
    """Notes, revolvers and repurchases of a plan."""

    def __init__(self, book: Book, decided: Decisions, existing: list[Note]) -> None:
        self.book, self.decided = book, decided
        self.gross = {note.name: roll_note(book, note) for note in existing}
        """Existing convertibles as if none were bought back."""
        self.bonds = [
            (bond, {n: bond.at(book.tree.quarter(n), n == bond.issued) for n in book.below[bond.issued]})
            for bond in (self._bond(*key, amount) for key, amount in decided.notes.items() if amount > 0.0)
        ]
        self.revolvers = {
            i.instrument: self._revolver(i) for i in book.portfolio.instruments if i.kind == "revolver"
        }
        by_name = {note.name: note for note in existing}
        self.buybacks = [
            self._buyback(book.instruments[name], by_name, n, frac)
            for (name, n), frac in decided.repurchase.items()
            if frac > 0.0
        ]

    def _bond(self, name: str, block: str, n: int, principal: float) -> Bond:
        book, row, terms = self.book, self.book.rows[n], self.book.instruments[name]
        coupon = row.base_rate_frac + row.spread_add_frac + (terms.spread_frac or 0.0)
        last = book.tree.quarter(n) + ((terms.tenor_q or 1) - 1)
        label = f"{name}@{book.tree.label(n)}" + (f"/{block}" if block else "")
        bound = book.leverage_bound(name, block)
        return Bond(label, name, n, principal, coupon + book.leverage_add(name, block), last, bound)

    def is_running(self, terms: Instrument, node: int) -> bool:
        """Whether a quarter lies in a revolver's life."""
        since, until = terms.available_from_quarter, terms.available_until_quarter
        return since is not None and until is not None and since <= self.book.tree.quarter(node) <= until

    def commitment(self, name: str, node: int) -> float:
        """What was arranged of a revolver on the way to a node. [$M]"""
        return sum(self.decided.commit.get((name, m), 0.0) for m in self.book.paths[node])

    def _revolver(self, terms: Instrument) -> dict[int, DebtQuarter]:
        name, tree, rolled = terms.instrument, self.book.tree, dict[int, DebtQuarter]()
        for n in tree.nodes:
            opening = rolled[tree.parent[n]].balance if n else 0.0
            drawn = self.decided.drawn.get((name, n), 0.0)
            repaid = self.decided.repaid.get((name, n), 0.0)
            line = self.commitment(name, n) if self.is_running(terms, n) else 0.0
            rate = self.book.rows[n].base_rate_frac + (terms.spread_frac or 0.0)
            fee = (terms.commitment_fee_frac or 0.0) * (line - opening) if line else 0.0
            balance = opening + drawn - repaid
            is_last = tree.quarter(n) == terms.available_until_quarter
            undrawn = line - balance if line and not is_last else 0.0
            rolled[n] = DebtQuarter(drawn, (rate * opening + fee) / 4.0, repaid, balance, undrawn)
        return rolled

    def arrangement(self, node: int) -> float:
        """Fees for revolvers arranged at a node. [$M]"""
        return sum(
            amount * self.book.instruments[name].fee_frac
            for (name, n), amount in self.decided.commit.items()
            if n == node
        )

    def _buyback(self, terms: Instrument, by_name: dict[str, Note], n: int, frac: float) -> Buyback:
        note = by_name[terms.tranche or ""]
        parity = self.book.share_price[n] / note.strike_usd
        dear = (1.0 + (terms.premium_frac or 0.0)) * (1.0 + terms.fee_frac)
        paid = frac * self.gross[note.name][n].outstanding * max(1.0, parity) * dear
        return Buyback(terms, note, n, frac, paid)

    def left(self, tranche: str, node: int) -> float:
        """Part of an existing tranche not bought back by the end of a node's quarter; 1 before the root."""
        path = set(self.book.paths[node]) if node >= 0 else set()
        return 1.0 - sum(b.frac for b in self.buybacks if b.note.name == tranche and b.node in path)

    def thinned(self, tranche: str) -> dict[int, NoteQuarter]:
        """An existing tranche with what was bought back gone: bought after the events of its quarter."""
        found = {}
        for n, q in self.gross[tranche].items():
            now, before = self.left(tranche, n), self.left(tranche, self.book.tree.parent[n])
            found[n] = replace(
                q,
                outstanding=q.outstanding * now,
                coupon=q.coupon * now,
                principal=q.principal * before,
                delivered=q.delivered * before,
                capped_call=q.capped_call * before,
                wall=q.wall * before,
            )
        return found

    def post(self, ledger: Ledger) -> None:
        """Book all movements of cash."""
        parent, post = self.book.parent, ledger.post
        for n in self.book.tree.nodes:
            post(parent, n, CashLine.NOTES_PROCEEDS, self.net(n))
            for _, rolled in self.bonds:
                if n in rolled:
                    post(parent, n, CashLine.NOTES_INTEREST, -rolled[n].interest)
                    post(parent, n, CashLine.NOTES_PRINCIPAL, -rolled[n].principal)
            for rolled in self.revolvers.values():
                post(parent, n, CashLine.REVOLVER_DRAWN, rolled[n].drawn)
                post(parent, n, CashLine.REVOLVER_REPAID, -rolled[n].principal)
                post(parent, n, CashLine.REVOLVER_INTEREST, -rolled[n].interest)
            post(parent, n, CashLine.REVOLVER_INTEREST, -self.arrangement(n))
            post(parent, n, CashLine.REPURCHASE, -self.paid(n))

    def net(self, node: int) -> float:
        """Net proceeds of notes issued at a node. [$M]"""
        return sum(
            bond.principal_usd_m * (1.0 - self.book.instruments[bond.instrument].fee_frac)
            for bond, _ in self.bonds
            if bond.issued == node
        )

    def drawn(self, node: int) -> float:
        """Drawn of revolvers at a node. [$M]"""
        return sum(rolled[node].drawn for rolled in self.revolvers.values())

    def paid(self, node: int) -> float:
        """Paid for convertibles bought back at a node. [$M]"""
        return sum(b.paid_usd_m for b in self.buybacks if b.node == node)

    def repaid(self, node: int) -> float:
        """Debt of the plan repaid at a node, and what its repurchases cost. [$M]"""
        revolvers = sum(rolled[node].principal for rolled in self.revolvers.values())
        return self.bonds_due(node, node) + revolvers + self.paid(node)

    def bonds_due(self, node: int, seen: int) -> float:
        """Principal that falls due at a node of notes issued before ``seen``. [$M]"""
        before = self.book.paths[seen][:-1]
        return sum(rolled[node].principal for bond, rolled in self.bonds if bond.issued in before)

    def total(self, node: int, what: str) -> float:
        """Sum of a column over notes and revolvers at a node. [$M]"""
        bonds = sum(float(getattr(rolled[node], what)) for _, rolled in self.bonds if node in rolled)
        return bonds + sum(float(getattr(rolled[node], what)) for rolled in self.revolvers.values())

    def due_in(self, node: int, ahead: list[Quarter]) -> float:
        """Balances at a node of notes and revolvers that end in some quarters. [$M]"""
        due = sum(q[node].balance for bond, q in self.bonds if node in q and bond.last in ahead)
        for name, q in self.revolvers.items():
            ends = self.book.instruments[name].available_until_quarter
            due += q[node].balance if ends in ahead else 0.0
        return due

    def lines(self, node: int, quarters: int) -> float:
        """Undrawn of revolvers open for so many quarters; balances of the others, negative. [$M]"""
        found, last = 0.0, self.book.tree.quarter(node) + quarters
        for name, q in self.revolvers.items():
            ends = self.book.instruments[name].available_until_quarter
            found += q[node].undrawn if ends is not None and ends > last else -q[node].balance
        return found

    def outstanding(self, node: int) -> float:
        """Existing convertibles, expected to be outstanding were none bought back. [$M]"""
        return sum(q[node].outstanding for q in self.gross.values())

    def bought_back(self, node: int) -> float:
        """Of them, what was bought back by then. [$M]"""
        return sum(q[node].outstanding * (1.0 - self.left(name, node)) for name, q in self.gross.items())

    def placed(self, node: int, bound_usd_m: float, converts: list[Note]) -> float:
        """Issued at a node in blocks of leverage up to a bound. [$M]"""
        issued = [(c.issued, c.bound_usd_m, c.principal_usd_m) for c in converts]
        issued += [(b.issued, b.bound_usd_m, b.principal_usd_m) for b, _ in self.bonds]
        return sum(size for n, bound, size in issued if n == node and bound <= bound_usd_m < math.inf)
