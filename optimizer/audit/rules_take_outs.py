"""The rules on calls and take-outs, checked again."""

from optimizer.audit.court import Court
from optimizer.audit.world import World

_PART = 1e-6


class TakeOutRules:
    """Rules TKO-1 to TKO-4."""

    def __init__(self, world: World, court: Court) -> None:
        self.world, self.court = world, court
        self.book, self.taken = world.book, world.take_outs.taken

    def check(self) -> None:
        """Take every check."""
        book, court = self.book, self.court
        for leaf in book.tree.leaves:
            path, label = book.paths[leaf], book.tree.label(leaf)
            for debt in book.debts:
                court.at_most("TKO-1", f"{debt}|{label}", self._called(debt, leaf), 1.0, _PART)
            for entity in book.borrowers:
                lent = sum(x.part for x in self.taken if x.terms.entity == entity and x.node in path)
                court.at_most("TKO-2", f"{entity}|{label}", lent, 1.0, _PART)
            for name, terms in book.take_outs.items():
                own = (x for x in self.taken if x.terms.take_out == name and x.node in path)
                lent = sum(x.part * x.facility.loan for x in own)
                court.at_most("TKO-4", f"{name}|{label}", lent, terms.max_usd_m, Court.USD_M)
        for x in self.taken:
            is_open = book.rows[x.node].project_debt_open
            court.require("TKO-2", "decisions", x.name, "node", is_open, "lenders in the market", "none")
        for n in book.tree.nodes:
            for debt in {x.debt for x in book.take_outs.values() if x.debt}:
                own = (x for x in self.taken if x.terms.debt == debt and x.node in book.paths[n])
                place = f"{debt}|{book.tree.label(n)}"
                court.at_most("TKO-3", place, sum(x.part for x in own), self._called(debt, n), _PART)

    def _called(self, debt: str, node: int) -> float:
        """Part of a loan called by a node."""
        return sum(self.world.decided.called.get((debt, m), 0.0) for m in self.book.paths[node])
