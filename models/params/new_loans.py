"""Loans that the plan may take besides project debt: bullets at the rate of their day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.finance import Debt
from models.domain.rules import YEAR_Q
from models.params.loans import DebtArrays
from models.params.outlook import Outlook
from models.units import QUARTERS_PER_YEAR

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bullet:
    """A loan per $ of principal, by node: drawn at the end of its quarter, repaid whole ``tenor_q`` later."""

    drawn: int
    """The node at which it is taken."""
    rate_frac: float
    tenor_q: int
    opening: Array
    """Owed during the quarter."""
    balance: Array
    """Owed after it."""
    interest: Array
    principal: Array
    due: Array
    """To be repaid in the next four quarters, those after the horizon too."""


def bullet(outlook: Outlook, n: int, spread_frac: float, tenor_q: int) -> Bullet:
    """A loan taken at node ``n``, its rate fixed there: base rate, its spread and what the market adds."""
    tree, row = outlook.tree, outlook.rows[n]
    opening, balance, principal, due = (np.zeros(len(tree.nodes)) for _ in range(4))
    for m in tree.descendants(n):
        age = tree.period[m] - tree.period[n]
        opening[m] = float(1 <= age <= tenor_q)
        balance[m] = float(age < tenor_q)
        principal[m] = float(age == tenor_q)
        due[m] = float(age < tenor_q <= age + YEAR_Q)
    rate = row.base_rate_frac + spread_frac + row.spread_add_frac
    return Bullet(n, rate, tenor_q, opening, balance, rate / QUARTERS_PER_YEAR * opening, principal, due)


@dataclass(frozen=True, eq=False)
class Roll:
    """The right to replace what an existing loan owes at its maturity, at one node."""

    debt: Debt
    most_usd_m: float
    loan: Bullet


def rolls(debts: tuple[DebtArrays, ...], outlook: Outlook) -> tuple[Roll, ...]:
    """Every balloon that falls due within the horizon, in an open window, with the right to roll it."""
    found = []
    for d in debts:
        terms = d.debt
        if terms.refinance_max_frac is None:
            continue
        assert terms.refinance_spread_frac is not None
        assert terms.refinance_tenor_q is not None
        for n in outlook.tree.nodes:
            if outlook.tree.quarter(n) == terms.maturity_quarter and outlook.rows[n].project_debt_open:
                loan = bullet(outlook, n, terms.refinance_spread_frac, terms.refinance_tenor_q)
                found.append(Roll(terms, terms.refinance_max_frac * float(d.principal[n]), loan))
    return tuple(found)
