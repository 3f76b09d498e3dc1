"""The financial statements of each entity and of all as one: income, balance sheet, changes in equity."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pandas as pd

from models.domain.ledger import CashLine
from models.domain.statements import (
    BALANCE_SECTIONS,
    CONSOLIDATED,
    EARNED,
    INCOME_SECTIONS,
    OPENING,
    TOTALS,
    BalanceLine,
    EquityLine,
    IncomeLine,
)
from optimizer.plans.book_assets import Nodes
from optimizer.plans.reading import Array, Reading

Lines = dict[tuple[str, StrEnum], Array]
"""By entity and line."""
_SHOWN_USD_M = 1e-9
PAID_IN = (
    EquityLine.SHARES_ISSUED,
    EquityLine.STOCK_AWARDS,
    EquityLine.NOTES_CONVERTED,
    EquityLine.CAPPED_CALLS,
    EquityLine.CONTRIBUTED,
    EquityLine.MACHINES_MOVED,
)
TAKEN_OUT = (EquityLine.DISTRIBUTED, EquityLine.PAYOUTS)


@dataclass
class Accounts:
    """What is posted to the statements. Balances by node, the opening last; flows by node. [$M]"""

    nodes: Nodes
    balance: Lines = field(default_factory=dict)
    income: Lines = field(default_factory=dict)
    equity: Lines = field(default_factory=dict)

    def holds(self, entity: str, line: BalanceLine, balance: Array) -> None:
        """A part of a balance."""
        self.balance[entity, line] = self.balance.get((entity, line), self.nodes.zero()) + balance

    def earns(self, entity: str, line: IncomeLine, flows: Array) -> None:
        """Income, or negative a cost."""
        self.income[entity, line] = self.income.get((entity, line), np.zeros(self.nodes.size)) + flows

    def adds(self, entity: str, line: EquityLine, flows: Array) -> None:
        """A change in equity beside income."""
        self.equity[entity, line] = self.equity.get((entity, line), np.zeros(self.nodes.size)) + flows

    def of(self, entity: str, line: BalanceLine) -> Array:
        """A balance."""
        return self.balance.get((entity, line), self.nodes.zero())

    def earned(self, entity: str, lines: tuple[IncomeLine, ...] = EARNED) -> Array:
        """Sum of lines of income."""
        return sum(
            (self.income.get((entity, x), np.zeros(self.nodes.size)) for x in lines),
            np.zeros(self.nodes.size),
        )

    def added(self, entity: str, lines: tuple[EquityLine, ...]) -> Array:
        """Sum of changes in equity."""
        return sum(
            (self.equity.get((entity, x), np.zeros(self.nodes.size)) for x in lines),
            np.zeros(self.nodes.size),
        )

    def net_assets(self, entity: str) -> Array:
        """Assets less liabilities."""
        assets = sum((self.of(entity, x) for x in BALANCE_SECTIONS["assets"]), self.nodes.zero())
        return assets - sum((self.of(entity, x) for x in BALANCE_SECTIONS["liabilities"]), self.nodes.zero())


def close(accounts: Accounts, shares: Mapping[str, float], parent: str) -> None:
    """Roll the equity of each entity, take the parent's part of it into the parent, and consolidate.

    ``shares`` are the parent's in each other entity.
    """
    at = accounts.nodes
    minority, to_minorities = at.zero(), np.zeros(at.size)
    for entity, share in shares.items():
        equity = _roll(accounts, entity)
        result = accounts.earned(entity)
        accounts.holds(parent, BalanceLine.INVESTMENTS, share * equity)
        accounts.earns(parent, IncomeLine.SHARE_OF_RESULTS, share * result)
        minority, to_minorities = minority + (1.0 - share) * equity, to_minorities + (1.0 - share) * result
    _roll(accounts, parent)
    for (entity, line), balance in list(accounts.balance.items()):
        is_own = entity == parent or line not in BALANCE_SECTIONS["equity"]
        if line is not BalanceLine.INVESTMENTS and is_own:
            accounts.holds(CONSOLIDATED, BalanceLine(line), balance)
    accounts.holds(CONSOLIDATED, BalanceLine.MINORITY_INTERESTS, minority)
    for (_, line), flows in list(accounts.income.items()):
        if line is not IncomeLine.SHARE_OF_RESULTS:
            accounts.earns(CONSOLIDATED, IncomeLine(line), flows)
    _consolidate_equity(accounts, shares, parent)
    for entity in (*shares, parent, CONSOLIDATED):
        result = accounts.earned(entity)
        accounts.earns(entity, IncomeLine.NET_INCOME, result)
        if entity == CONSOLIDATED:
            accounts.earns(entity, IncomeLine.TO_MINORITIES, to_minorities)
            accounts.earns(entity, IncomeLine.TO_SHAREHOLDERS, result - to_minorities)
        for section, total in TOTALS.items():
            lines = (accounts.of(entity, x) for x in BALANCE_SECTIONS[section])
            accounts.holds(entity, total, sum(lines, at.zero()))


def _roll(accounts: Accounts, entity: str) -> Array:
    """Equity of an entity: what balances its opening, then what it earns and what its owners add and take."""
    at = accounts.nodes
    opening = np.full(at.size + 1, accounts.net_assets(entity)[-1])
    paid_in = at.summed(accounts.added(entity, PAID_IN))
    retained = at.summed(accounts.earned(entity) + accounts.added(entity, TAKEN_OUT))
    accounts.holds(entity, BalanceLine.OPENING_EQUITY, opening)
    accounts.holds(entity, BalanceLine.PAID_IN_CAPITAL, paid_in)
    accounts.holds(entity, BalanceLine.RETAINED_EARNINGS, retained)
    equity = opening + paid_in + retained
    _show_roll(accounts, entity, equity)
    return equity


def _show_roll(accounts: Accounts, entity: str, equity: Array) -> None:
    accounts.adds(entity, EquityLine.BEFORE, accounts.nodes.before(equity))
    accounts.adds(entity, EquityLine.NET_INCOME, accounts.earned(entity))
    accounts.adds(entity, EquityLine.AFTER, equity[: accounts.nodes.size])


def _consolidate_equity(accounts: Accounts, shares: Mapping[str, float], parent: str) -> None:
    """The parent's changes, and what partners add and take."""
    changes = (*PAID_IN, *TAKEN_OUT)
    for line in changes:
        own = accounts.added(parent, (line,))
        partners = sum(
            ((1.0 - share) * accounts.added(e, (line,)) for e, share in shares.items()), np.zeros(own.size)
        )
        accounts.adds(CONSOLIDATED, line, own + partners)
    equity = sum((accounts.of(CONSOLIDATED, x) for x in BALANCE_SECTIONS["equity"]), accounts.nodes.zero())
    _show_roll(accounts, CONSOLIDATED, equity)


def statement_tables(r: Reading, accounts: Accounts) -> dict[str, pd.DataFrame]:
    """The tables income, balance_sheet and changes_in_equity."""
    sections = {str(x): name for name, lines in INCOME_SECTIONS.items() for x in lines}
    placed = {str(x): name for name, lines in BALANCE_SECTIONS.items() for x in (*lines, TOTALS[name])}
    return {
        "income": pd.DataFrame(_rows(r, accounts.income, IncomeLine, sections)),
        "balance_sheet": pd.DataFrame(_rows(r, accounts.balance, BalanceLine, placed)),
        "changes_in_equity": pd.DataFrame(_rows(r, accounts.equity, EquityLine, {})),
    }


def _rows(
    r: Reading, found: Lines, order: type[StrEnum], sections: Mapping[str, str]
) -> Iterator[dict[str, object]]:
    """Lines that are not zero, entity by entity, node by node, in the order of the statement."""
    entities = [CONSOLIDATED, *(e.entity for e in r.program.params.portfolio.entities)]
    by_place: dict[tuple[str, int], dict[StrEnum, float]] = defaultdict(dict)
    for (entity, line), values in found.items():
        for n, value in enumerate(values):
            if abs(value) > _SHOWN_USD_M:
                by_place[entity, n][line] = float(value)
    size = len(r.labels)
    for entity in entities:
        for n in (size, *range(size)):
            here = by_place.get((entity, n), {})
            for line in order:
                if line in here:
                    row: dict[str, object] = {"entity": entity}
                    row["node"] = r.labels[n] if n < size else OPENING
                    row["line"] = str(line)
                    row["usd_m"] = here[line]
                    row["quarter"] = r.quarters[n] if n < size else OPENING
                    yield row | ({"section": sections[str(line)]} if sections else {})


CASH_IS_INCOME: Mapping[CashLine, IncomeLine] = {
    CashLine.OPEX: IncomeLine.HPC_OPEX,
    CashLine.HPC_POWER: IncomeLine.HPC_POWER,
    CashLine.DEMAND_CHARGE: IncomeLine.DEMAND_CHARGES,
    CashLine.DEMAND_RECOVERED: IncomeLine.DEMAND_RECOVERED,
    CashLine.TAKE_OR_PAY: IncomeLine.TAKE_OR_PAY,
    CashLine.RESALE_GAIN: IncomeLine.POWER_RESOLD,
    CashLine.FIXED_COST: IncomeLine.SITE_COSTS,
    CashLine.LATE_DAMAGES: IncomeLine.LATE_DAMAGES,
    CashLine.OVERHEAD: IncomeLine.OVERHEAD,
    CashLine.OTHER_LINES: IncomeLine.LINES_OF_BUSINESS,
    CashLine.ONCE_SPEND: IncomeLine.SITE_OPENINGS,
    CashLine.CANCEL_FEE: IncomeLine.CANCEL_FEES,
    CashLine.MACHINE_MOVE: IncomeLine.MACHINE_MOVES,
    CashLine.TERMINATION_FEE: IncomeLine.TERMINATION_FEES,
    CashLine.INTEREST_INCOME: IncomeLine.INTEREST_INCOME,
    CashLine.ESCROW_INCOME: IncomeLine.INTEREST_INCOME,
    CashLine.TAX: IncomeLine.INCOME_TAX,
    CashLine.MACHINE_SALE: IncomeLine.MACHINES_SOLD,
    CashLine.BLOCK_SALE: IncomeLine.HALLS_SOLD,
    CashLine.SITE_SALE: IncomeLine.SITES_SOLD,
    CashLine.CALL_PREMIUM: IncomeLine.DEBT_RETIRED,
    CashLine.REPURCHASE: IncomeLine.DEBT_RETIRED,
}
"""Cash that is income or cost when it flows; of what is sold or retired the carrying amount counts too."""
CASH_IS_EQUITY: Mapping[CashLine, EquityLine] = {
    CashLine.EQUITY_PROCEEDS: EquityLine.SHARES_ISSUED,
    CashLine.PAYOUTS: EquityLine.PAYOUTS,
}
