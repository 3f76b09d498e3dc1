"""Bitcoin of the treasury: what a coin fetches and counts for, and the loans that coins secure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.finance import Instrument
from models.domain.portfolio import Portfolio
from models.domain.treasury import TreasuryLot
from models.formulas.counted_rise import counted_fractions
from models.formulas.discounting import growth_factor
from models.params.loans import DebtArrays
from models.params.new_loans import Bullet, bullet
from models.params.outlook import Outlook
from models.units import QUARTERS_PER_YEAR, USD_M

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Secured:
    """An existing loan that pledged coins secure, by node. [$M]"""

    name: str
    entity: str
    opening: Array
    """Owed during the quarter."""
    balance: Array
    """Owed after it."""
    ltv_call_frac: float


@dataclass(frozen=True, eq=False)
class CoinLine:
    """Loans against bitcoin on offer, by the node at which they are taken."""

    instrument: Instrument
    loans: Mapping[int, Bullet]
    ltv_max_frac: float
    ltv_call_frac: float

    @property
    def net_frac(self) -> float:
        """Cash in hand per $ of principal."""
        return 1.0 - self.instrument.fee_frac


@dataclass(frozen=True, eq=False)
class Coins:
    """All on bitcoin; prices are $M per coin."""

    lots: tuple[TreasuryLot, ...]
    secured: tuple[Secured, ...]
    lines: tuple[CoinLine, ...]
    price: Array
    trough: Array
    uncounted_held: Array
    """Of the price of a coin held at a leaf, by node: rise beyond the cost of equity."""
    uncounted_sold: Array
    """Leaf dollars of the same rise in what a coin fetches at a node."""


def read_coins(portfolio: Portfolio, outlook: Outlook, debts: tuple[DebtArrays, ...]) -> Coins:
    """Everything on the treasury's bitcoin; loans are on offer only to a company that has coins."""
    tree, parent = outlook.tree, portfolio.parent.entity
    price = USD_M * np.array([row.btc_usd for row in outlook.rows])
    held, sold = _uncounted(portfolio, outlook, price)
    calls = {c.debt: c.ltv_call_frac for c in portfolio.loan_collateral}
    owns = any(lot.entity == parent for lot in portfolio.treasury)
    return Coins(
        lots=portfolio.treasury,
        secured=tuple(
            Secured(d.debt.debt, d.debt.entity, _opening(d, outlook), d.balance, calls[d.debt.debt])
            for d in debts
            if d.debt.debt in calls
        ),
        lines=tuple(
            _line(i, outlook, tree.nodes) for i in portfolio.instruments if i.kind == "btc_loan" and owns
        ),
        price=price,
        trough=USD_M * np.array([row.trough_usd for row in outlook.rows]),
        uncounted_held=held,
        uncounted_sold=sold,
    )


def _opening(d: DebtArrays, outlook: Outlook) -> Array:
    before = [d.debt.principal_usd_m, *(d.balance[outlook.tree.parent[n]] for n in outlook.tree.nodes[1:])]
    return np.array(before, dtype=float)


def _line(i: Instrument, outlook: Outlook, nodes: range) -> CoinLine:
    assert i.spread_frac is not None
    assert i.tenor_q is not None
    assert i.ltv_max_frac is not None
    assert i.ltv_call_frac is not None
    loans = {
        n: bullet(outlook, n, i.spread_frac, i.tenor_q) for n in nodes if outlook.rows[n].project_debt_open
    }
    return CoinLine(i, loans, i.ltv_max_frac, i.ltv_call_frac)


def _uncounted(portfolio: Portfolio, outlook: Outlook, price: Array) -> tuple[Array, Array]:
    """Rise beyond the cost of equity, of coins held at each leaf and of coins sold at each node. [$M]"""
    tree, firm = outlook.tree, portfolio.firm
    none = np.zeros(len(tree.nodes))
    if firm.equity_pricing == "market":
        return none, none
    per_q = float(growth_factor(firm.cost_of_equity_frac, 1.0 / QUARTERS_PER_YEAR))
    counted = counted_fractions(price, tree.parent, tree.probability, per_q - 1.0)
    held, leaves = none.copy(), list(tree.leaves)
    held[leaves] = price[leaves] * (1.0 - np.minimum(1.0, counted[leaves] * per_q))
    grown = growth_factor(firm.cost_of_equity_frac, outlook.years_to_end)
    return held, price * (1.0 - counted) * grown
