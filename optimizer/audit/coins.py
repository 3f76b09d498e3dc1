"""Coins held, sold and pledged, and every new loan rolled forward from its terms."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from models.domain.ledger import CashLine
from optimizer.audit.book import Book
from optimizer.audit.debts import DebtQuarter
from optimizer.audit.decisions import Decisions
from optimizer.audit.ledger import Ledger
from optimizer.audit.shares import Weights, of

USD_M = 1e-6


@dataclass(frozen=True)
class NewLoan:
    """A bullet that the plan takes at a node: against bitcoin, or to replace what an old loan owes. [$M]"""

    name: str
    """In the schedule of debts."""
    source: str
    """The instrument, or the debt that is replaced."""
    is_roll: bool
    entity: str
    node: int
    amount: float
    net: float
    rate_frac: float
    tenor_q: int


@dataclass(frozen=True)
class Backed:
    """A loan with the coins that secure it; ``since`` is -1 for one of the opening."""

    name: str
    source: str
    since: int
    entity: str
    ltv_call_frac: float
    tenor_q: int
    """0 for one of the opening."""


class Coins:
    """The treasury's bitcoin at each node, and the loans that the plan takes."""

    def __init__(self, book: Book, decided: Decisions, debts: dict[str, dict[int, DebtQuarter]]) -> None:
        self.book, self.decided, self.debts = book, decided, debts
        self.held: dict[tuple[str, int], float] = {}
        for lot in book.portfolio.treasury:
            for n in book.tree.nodes:
                before = self.held[lot.lot, book.tree.parent[n]] if n else lot.btc
                self.held[lot.lot, n] = before - decided.sold_btc.get((lot.lot, n), 0.0)
        self.loans = [*self._borrowed(), *self._rolled()]
        self.schedule = {loan.name: self._roll(loan) for loan in self.loans}

    # --- loans -----------------------------------------------------------------------------------

    def _rate(self, node: int, spread_frac: float | None) -> float:
        row = self.book.rows[node]
        return row.base_rate_frac + row.spread_add_frac + (spread_frac or 0.0)

    def _borrowed(self) -> list[NewLoan]:
        found = []
        for (name, n), amount in self.decided.borrowed.items():
            i, parent = self.book.instruments[name], self.book.parent
            label, net = f"{name}@{self.book.tree.label(n)}", amount * (1.0 - i.fee_frac)
            rate = self._rate(n, i.spread_frac)
            found.append(NewLoan(label, name, False, parent, n, amount, net, rate, i.tenor_q or 0))
        return found

    def _rolled(self) -> list[NewLoan]:
        found = []
        for (name, n), amount in self.decided.rolled.items():
            d = self.book.debts[name]
            label, rate = f"{name}@{self.book.tree.label(n)}", self._rate(n, d.refinance_spread_frac)
            tenor = d.refinance_tenor_q or 0
            found.append(NewLoan(label, name, True, d.entity, n, amount, amount, rate, tenor))
        return found

    def _roll(self, loan: NewLoan) -> dict[int, DebtQuarter]:
        """The loan from its node on."""
        rolled: dict[int, DebtQuarter] = {}
        for m in self.book.below[loan.node]:
            before = rolled.get(self.book.tree.parent[m])
            owed = before.balance if before else 0.0
            is_due = self.book.tree.period[m] - self.book.tree.period[loan.node] == loan.tenor_q
            drawn = loan.amount if m == loan.node else 0.0
            repaid = owed if is_due else 0.0
            rolled[m] = DebtQuarter(drawn, loan.rate_frac / 4.0 * owed, repaid, owed + drawn - repaid, 0.0)
        return rolled

    def _sum(self, node: int, what: str, weights: Weights) -> float:
        own = ((of(weights, x.entity), self.schedule[x.name]) for x in self.loans)
        return sum(w * float(getattr(rolled[node], what)) for w, rolled in own if node in rolled)

    def owed(self, node: int, weights: Weights = None) -> float:
        """Balances of the new loans after a quarter. [$M]"""
        return self._sum(node, "balance", weights)

    def interest(self, node: int, weights: Weights = None) -> float:
        """Interest of the new loans in a quarter. [$M]"""
        return self._sum(node, "interest", weights)

    def proceeds(self, node: int) -> float:
        """Net proceeds of loans against bitcoin taken at a node. [$M]"""
        return sum(loan.net for loan in self.loans if loan.node == node and not loan.is_roll)

    def rolled(self, node: int, weights: Weights = None) -> float:
        """Of old loans due in a quarter, what new ones replace. [$M]"""
        rolls = (x for x in self.loans if x.node == node and x.is_roll)
        return sum(of(weights, x.entity) * x.amount for x in rolls)

    # --- collateral ------------------------------------------------------------------------------

    @cached_property
    def backed(self) -> list[Backed]:
        """Every loan that coins secure."""
        found = [
            Backed(row.debt, row.debt, -1, self.book.debts[row.debt].entity, row.ltv_call_frac, 0)
            for row in self.book.portfolio.loan_collateral
        ]
        for loan in self.loans:
            if not loan.is_roll:
                call = self.book.instruments[loan.source].ltv_call_frac or 0.0
                found.append(Backed(loan.name, loan.source, loan.node, loan.entity, call, loan.tenor_q))
        return found

    def owed_during(self, loan: Backed, node: int) -> float:
        """Owed before the flows at a quarter's end. [$M]"""
        schedule = self.debts[loan.source] if loan.since < 0 else self.schedule[loan.name]
        before = self.book.tree.parent[node]
        if before >= 0:
            return schedule[before].balance if before in schedule else 0.0
        return self.book.debts[loan.source].principal_usd_m if loan.since < 0 else 0.0

    def owed_after(self, loan: Backed, node: int) -> float:
        """Owed after the flows at a quarter's end. [$M]"""
        schedule = self.debts[loan.source] if loan.since < 0 else self.schedule[loan.name]
        return schedule[node].balance if node in schedule else 0.0

    def runs(self, loan: Backed, node: int) -> tuple[bool, bool]:
        """Whether a loan is out in a quarter, and whether it is after it."""
        if loan.since < 0:
            return self.owed_during(loan, node) > 0.0, self.owed_after(loan, node) > 0.0
        if loan.since not in self.book.paths[node]:
            return False, False
        age = self.book.tree.period[node] - self.book.tree.period[loan.since]
        return 1 <= age <= loan.tenor_q, age < loan.tenor_q

    def pledged(self, lot: str, loan: Backed, node: int) -> float:
        """Coins of a lot that secure a loan. [BTC]"""
        row = self.book.lots[lot]
        opening = row.btc if loan.since < 0 and row.pledged_to == loan.source else 0.0
        path = set(self.book.paths[node])
        added = sum(
            amount
            for (of, source, since, n), amount in self.decided.pledged_btc.items()
            if (of, source, since) == (lot, loan.source, loan.since) and n in path and n >= since
        )
        return opening + added

    def cover(self, loan: Backed, node: int) -> float:
        """Coins of all lots of its borrower that secure a loan. [BTC]"""
        lots = [x.lot for x in self.book.portfolio.treasury if x.entity == loan.entity]
        return sum(self.pledged(lot, loan, node) for lot in lots)

    def margin(self, loan: Backed, node: int) -> float:
        """Cash beside the coins of a loan of the opening. [$M]"""
        return self.decided.cash_margin.get((loan.source, node), 0.0) if loan.since < 0 else 0.0

    def taken(self, lot: str, node: int) -> tuple[float, float]:
        """Coins of a lot that secure loans in a quarter, and after it. [BTC]"""
        during = sum(self.pledged(lot, x, node) for x in self.backed if self.runs(x, node)[0])
        after = sum(self.pledged(lot, x, node) for x in self.backed if self.runs(x, node)[1])
        return during, after

    # --- worth -----------------------------------------------------------------------------------

    def price(self, node: int) -> float:
        """Market price of a coin. [$M]"""
        return self.book.rows[node].btc_usd * USD_M

    @cached_property
    def _fair(self) -> dict[int, float]:
        """Discounted price of a coin without what foresight adds. [$M of the root's quarter]"""
        tree, k = self.book.tree, self.book.firm.cost_of_equity_frac
        today = {n: self.price(n) / (1.0 + k) ** (tree.period[n] / 4.0) for n in tree.nodes}
        fair = {0: today[0]}
        for n in tree.nodes:
            here = float(tree.probability[n])
            ahead = sum(float(tree.probability[m]) / here * today[m] for m in tree.children[n])
            for m in tree.children[n]:
                fair[m] = today[m] if ahead <= fair[n] else today[m] * fair[n] / ahead
        return fair

    def uncounted(self, leaf: int, entity: str | None = None) -> float:
        """Rise beyond the cost of equity of coins held at a leaf and sold on the way, in its dollars. [$M]"""
        book = self.book
        if book.firm.equity_pricing == "market":
            return 0.0
        to_end = (1.0 + book.firm.cost_of_equity_frac) ** (book.tree.horizon_q / 4.0)
        lots = [x.lot for x in book.portfolio.treasury if entity in (None, x.entity)]
        kept = sum(self.held[lot, leaf] for lot in lots)
        found = kept * max(0.0, self.price(leaf) - self._fair[leaf] * to_end)
        for (lot, n), coins in self.decided.sold_btc.items():
            if lot in lots and n in book.paths[leaf]:
                worth = self.price(n) * (1.0 + book.firm.cost_of_equity_frac) ** book.tree.years_to_end(n)
                found += coins * max(0.0, worth - self._fair[n] * to_end)
        return float(found)

    def worth(self, leaf: int, entity: str | None = None) -> float:
        """Coins held at a leaf, at its price; of all owners or of one. [$M]"""
        lots = [x.lot for x in self.book.portfolio.treasury if entity in (None, x.entity)]
        return self.price(leaf) * sum(self.held[lot, leaf] for lot in lots)

    def cost_of_held(self, entity: str, node: int) -> float:
        """What an owner's coins still held cost. [$M]"""
        lots = [x for x in self.book.portfolio.treasury if x.entity == entity]
        return USD_M * sum(self.held[x.lot, node] * (x.basis_usd_per_btc or 0.0) for x in lots)

    def cost_of_sold(self, entity: str, node: int) -> float:
        """What an owner's coins sold at a node cost. [$M]"""
        lots = [x for x in self.book.portfolio.treasury if x.entity == entity]
        sold = self.decided.sold_btc
        return USD_M * sum(sold.get((x.lot, node), 0.0) * (x.basis_usd_per_btc or 0.0) for x in lots)

    # --- cash ------------------------------------------------------------------------------------

    def margins(self, node: int, weights: Weights = None) -> float:
        """All cash that lies beside coins. [$M]"""
        laid = ((name, x) for (name, n), x in self.decided.cash_margin.items() if n == node)
        return sum(of(weights, self.book.debts[name].entity) * x for name, x in laid)

    def post(self, ledger: Ledger) -> None:
        """Book all movements of cash."""
        for (name, n), coins in self.decided.sold_btc.items():
            lot = self.book.lots[name]
            fetched = coins * self.price(n) * (1.0 - lot.sell_cost_frac)
            ledger.post(lot.entity, n, CashLine.BITCOIN_SALE, fetched)
        laid: dict[tuple[str, int], float] = defaultdict(float)
        for (name, n), amount in self.decided.cash_margin.items():
            entity = self.book.debts[name].entity
            laid[entity, n] -= amount
            for m in self.book.tree.children[n]:
                laid[entity, m] += amount
        for (entity, n), amount in laid.items():
            ledger.post(entity, n, CashLine.CASH_MARGIN, amount)
        for loan in self.loans:
            line = CashLine.REFINANCED if loan.is_roll else CashLine.LOAN_PROCEEDS
            ledger.post(loan.entity, loan.node, line, loan.net)
            for n, q in self.schedule[loan.name].items():
                ledger.post(loan.entity, n, CashLine.LOAN_INTEREST, -q.interest)
                ledger.post(loan.entity, n, CashLine.LOAN_PRINCIPAL, -q.principal)
