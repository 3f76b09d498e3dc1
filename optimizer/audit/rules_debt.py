"""Rules on what the plan borrows in the company's own name and buys back of its convertibles."""

import math
from collections import defaultdict

from optimizer.audit.court import Court
from optimizer.audit.world import World

_DEAL_USD_M = 1e-6
"""A deal below one dollar is none."""
_SHARE = 1e-6


class DebtRules:
    """Rules TRE-11 to TRE-18."""

    def __init__(self, world: World, court: Court) -> None:
        self.world, self.court = world, court
        self.book, self.decided, self.debt = world.book, world.decided, world.corporate

    def check(self) -> None:
        """Take every check."""
        self._notes()
        self._leverage()
        self._revolvers()
        self._repurchases()

    def _at(self, node: int, name: str = "") -> str:
        label = self.book.tree.label(node)
        return f"{name}|{label}" if name else label

    def _notes(self) -> None:
        book, court = self.book, self.court
        sizes: dict[tuple[str, int], float] = defaultdict(float)
        for (name, _, n), principal in self.decided.notes.items():
            sizes[name, n] += principal
        deals = {key: size for key, size in sizes.items() if size > _DEAL_USD_M}
        for (name, n), size in deals.items():
            terms, place = book.instruments[name], self._at(n, name)
            cap = terms.max_frac_of_market_cap * book.share_price[n] * book.firm.basic_shares_m
            court.at_least("TRE-11", place, size, terms.min_usd_m, Court.USD_M)
            court.at_most("TRE-11", place, size, min(terms.max_usd_m, cap), Court.USD_M)
            is_open = book.rows[n].project_debt_open
            court.require("TRE-11", "decisions", place, "node", is_open, "an open market", "shut")
            window = book.window(n, terms.once_every_q)
            recent = sum(1 for _, m in deals if m in window)
            court.at_most("TRE-12", place, recent, 1, _SHARE)

    def _leverage(self) -> None:
        """What is issued up to a bound fits between it and what stood, or was placed, before."""
        converts = [note for note, _ in self.world.notes if note.is_new]
        issued = [(c.issued, c.bound_usd_m) for c in converts]
        issued += [(b.issued, b.bound_usd_m) for b, _ in self.debt.bonds]
        for n in sorted({n for n, _ in issued}):
            for bound in sorted({x for m, x in issued if m == n and x < math.inf}):
                room = bound - self._standing(n)
                room = room + self.debt.bought_back(n) if room > 0.0 else 0.0
                taken = self.debt.placed(n, bound, converts) + self._held(n, bound)
                self.court.at_most("TRE-13", self._at(n), taken, room, Court.USD_M)

    def _standing(self, node: int) -> float:
        """Corporate debt of the opening, loans at the most that they will be from here on. [$M]"""
        found, tree = self.debt.outstanding(node), self.book.tree
        for row in self.book.portfolio.debt:
            if row.kind == "corporate" and self.book.entities[row.entity].kind != "listed":
                loan = self.world.debts[row.debt]
                found += max(loan[m].balance for m in tree.descendants(node))
        return found

    def _held(self, node: int, bound_usd_m: float) -> float:
        """Issued before the node in blocks up to a bound, and still outstanding. [$M]"""
        found = 0.0
        for note, quarters in self.world.notes:
            if note.is_new and note.issued != node and note.bound_usd_m <= bound_usd_m and node in quarters:
                found += quarters[node].outstanding
        for bond, schedule in self.debt.bonds:
            if bond.issued != node and bond.bound_usd_m <= bound_usd_m and node in schedule:
                found += schedule[node].balance
        return found

    def _revolvers(self) -> None:
        book, court, tree = self.book, self.court, self.book.tree
        for (name, n), amount in self.decided.commit.items():
            if amount <= _DEAL_USD_M:
                continue
            terms, place = book.instruments[name], self._at(n, name)
            court.at_least("TRE-14", place, amount, terms.min_usd_m, Court.USD_M)
            court.at_most("TRE-14", place, amount, terms.max_usd_m, Court.USD_M)
            since = terms.available_from_quarter
            is_first = since is not None and tree.quarter(n) == max(since, tree.first)
            court.require("TRE-14", "decisions", place, "node", is_first, "its first quarter", "another")
        for name, rolled in self.debt.revolvers.items():
            terms = book.instruments[name]
            for n, q in rolled.items():
                place, opening = self._at(n, name), rolled[tree.parent[n]].balance if n else 0.0
                is_last = tree.quarter(n) == terms.available_until_quarter
                line = self.debt.commitment(name, n) if self.debt.is_running(terms, n) else 0.0
                court.at_most("TRE-15", place, q.principal, opening, Court.USD_M)
                court.at_most("TRE-15", place, q.balance if is_last else 0.0, 0.0, Court.USD_M)
                court.at_most("TRE-16", place, q.balance, line, Court.USD_M)

    def _repurchases(self) -> None:
        paid: dict[tuple[str, int], float] = defaultdict(float)
        for b in self.debt.buybacks:
            paid[b.terms.instrument, b.node] += b.paid_usd_m
        for name, n in self.decided.repurchase:
            limit = self.book.instruments[name].max_usd_m
            self.court.at_most("TRE-18", self._at(n, name), paid[name, n], limit, Court.USD_M)
        for tranche in sorted({i.tranche for i in self.book.portfolio.instruments if i.tranche}):
            for leaf in self.book.tree.leaves:
                left = self.debt.left(tranche, leaf)
                self.court.at_least("TRE-17", self._at(leaf, tranche), left, 0.0, _SHARE)
