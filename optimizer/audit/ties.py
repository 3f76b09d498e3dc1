"""Whether a plan's statements tie among themselves, to the cent, at every node and for every entity."""

import math
from collections import defaultdict
from collections.abc import Mapping

import pandas as pd

from models.domain.ledger import CashLine
from models.domain.statements import (
    BALANCE_SECTIONS,
    CONSOLIDATED,
    EARNED,
    OPENING,
    TOTALS,
    BalanceLine,
    EquityLine,
    IncomeLine,
)
from optimizer.audit.book import Book
from optimizer.audit.court import Court

CENT_USD_M = 1e-8
STATEMENTS = ("income", "balance_sheet", "changes_in_equity", "cash_flow")
_B, _E, _I = BalanceLine, EquityLine, IncomeLine
_BETWEEN = (CashLine.CONTRIBUTED, CashLine.DISTRIBUTED)


class Ties:
    """Cells of the four statements as the plan shows them; what is not there is nothing."""

    def __init__(self, book: Book, tables: Mapping[str, pd.DataFrame], court: Court) -> None:
        self.book, self.court = book, court
        self.cells: dict[str, dict[tuple[str, str, str], float]] = {}
        for name in STATEMENTS:
            found: dict[tuple[str, str, str], float] = defaultdict(float)
            frame = tables[name]
            amounts = pd.to_numeric(frame["usd_m"], errors="coerce")
            keys = (frame[column].to_numpy(dtype=object) for column in ("entity", "node", "line"))
            for e, n, line, usd_m in zip(*keys, amounts.to_numpy(dtype=float), strict=True):
                found[str(e), str(n), str(line)] += float(usd_m)
            self.cells[name] = found

    def check(self) -> None:
        """Rules STM-1 to STM-5 of docs/statements.md."""
        tree = self.book.tree
        entities = (*self.book.entities, CONSOLIDATED)
        for entity in entities:
            self._balances(entity, OPENING)
            for n in tree.nodes:
                here = tree.label(n)
                before = tree.label(tree.parent[n]) if n else OPENING
                self._balances(entity, here)
                self._earns(entity, here)
                self._rolls(entity, before, here)
                if entity != CONSOLIDATED:
                    self._keeps_cash(entity, before, here)
        for node in (OPENING, *(tree.label(n) for n in tree.nodes)):
            self._adds_up(node)

    def _sheet(self, entity: str, node: str, *lines: BalanceLine) -> float:
        cells = self.cells["balance_sheet"]
        return math.fsum(cells.get((entity, node, x.value), 0.0) for x in lines)

    def _change(self, entity: str, node: str, *lines: EquityLine) -> float:
        cells = self.cells["changes_in_equity"]
        return math.fsum(cells.get((entity, node, x.value), 0.0) for x in lines)

    def _income(self, entity: str, node: str, *lines: IncomeLine) -> float:
        cells = self.cells["income"]
        return math.fsum(cells.get((entity, node, x.value), 0.0) for x in lines)

    def _near(self, rule: str, entity: str, node: str, what: str, expected: float, found: float) -> None:
        self.court.near(rule, "statements", f"{entity}|{node}", what, expected, found, CENT_USD_M)

    def _balances(self, entity: str, node: str) -> None:
        """STM-1: totals are sums of their lines; assets are liabilities and equity."""
        for section, total in TOTALS.items():
            lines = self._sheet(entity, node, *BALANCE_SECTIONS[section])
            self._near("STM-1", entity, node, total.value, lines, self._sheet(entity, node, total))
        claims = self._sheet(entity, node, _B.TOTAL_LIABILITIES, _B.TOTAL_EQUITY)
        assets = self._sheet(entity, node, _B.TOTAL_ASSETS)
        self._near("STM-1", entity, node, "assets", claims, assets)

    def _earns(self, entity: str, node: str) -> None:
        """STM-2: net income is the sum of its lines, and that of minorities and shareholders."""
        found = self._income(entity, node, _I.NET_INCOME)
        self._near("STM-2", entity, node, "net_income", self._income(entity, node, *EARNED), found)
        if entity == CONSOLIDATED:
            parts = self._income(entity, node, _I.TO_MINORITIES, _I.TO_SHAREHOLDERS)
            self._near("STM-2", entity, node, "parts of net_income", parts, found)

    def _rolls(self, entity: str, before: str, node: str) -> None:
        """STM-3: equity is that of before and what has changed it, and income is net income."""
        changes = [x for x in _E if x is not _E.AFTER]
        after = self._change(entity, node, _E.AFTER)
        self._near("STM-3", entity, node, "after", self._change(entity, node, *changes), after)
        for label, at, line in (("before", before, _E.BEFORE), ("after", node, _E.AFTER)):
            shown = self._sheet(entity, at, _B.TOTAL_EQUITY)
            self._near("STM-3", entity, node, label, shown, self._change(entity, node, line))
        earned = self._income(entity, node, _I.NET_INCOME)
        self._near("STM-3", entity, node, "net_income", earned, self._change(entity, node, _E.NET_INCOME))
        owned = entity != CONSOLIDATED
        kept = self._income(entity, node, _I.NET_INCOME if owned else _I.TO_SHAREHOLDERS)
        kept += self._change(entity, node, _E.PAYOUTS, *([_E.DISTRIBUTED] if owned else []))
        expected = self._sheet(entity, before, _B.RETAINED_EARNINGS) + kept
        found = self._sheet(entity, node, _B.RETAINED_EARNINGS)
        self._near("STM-3", entity, node, "retained_earnings", expected, found)

    def _keeps_cash(self, entity: str, before: str, node: str) -> None:
        """STM-4: cash is that of before and all movements of the cash flow."""
        moved = (self.cells["cash_flow"].get((entity, node, x.value), 0.0) for x in CashLine)
        expected = self._sheet(entity, before, _B.CASH) + math.fsum(moved)
        self._near("STM-4", entity, node, "cash", expected, self._sheet(entity, node, _B.CASH))

    def _adds_up(self, node: str) -> None:
        """STM-5: all as one are the sum of the entities, what they hold of each other apart."""
        book, others = self.book, self.book.borrowers
        shares = {e: book.entities[e].share for e in others}
        for line in (*BALANCE_SECTIONS["assets"], *BALANCE_SECTIONS["liabilities"]):
            expected = math.fsum(self._sheet(e, node, line) for e in book.entities)
            if line is not _B.INVESTMENTS:
                found = self._sheet(CONSOLIDATED, node, line)
                self._near("STM-5", CONSOLIDATED, node, line.value, expected, found)
        equity = {e: self._sheet(e, node, _B.TOTAL_EQUITY) for e in others}
        for name, entity, line, expected in (
            ("parent's part", book.parent, _B.INVESTMENTS, math.fsum(shares[e] * equity[e] for e in others)),
            (
                "minorities",
                CONSOLIDATED,
                _B.MINORITY_INTERESTS,
                math.fsum((1.0 - shares[e]) * equity[e] for e in others),
            ),
        ):
            self._near("STM-5", entity, node, name, expected, self._sheet(entity, node, line))
        own = self._sheet(book.parent, node, _B.TOTAL_EQUITY)
        ours = self._sheet(CONSOLIDATED, node, _B.TOTAL_EQUITY)
        ours -= self._sheet(CONSOLIDATED, node, _B.MINORITY_INTERESTS)
        self._near("STM-5", CONSOLIDATED, node, "shareholders' equity", own, ours)
        between = math.fsum(
            self.cells["cash_flow"].get((e, node, x.value), 0.0) for e in book.entities for x in _BETWEEN
        )
        self._near("STM-5", CONSOLIDATED, node, "cash between entities", 0.0, between)
