"""What a dollar repaid of a loan before its time changes: the last payment, and interest until then."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.domain.finance import Debt
from models.domain.rules import YEAR_Q
from models.params.loans import DebtArrays
from models.params.outlook import Outlook
from models.units import QUARTERS_PER_YEAR

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prepaid:
    """A dollar repaid at a node, by node."""

    node: int
    balance: Array
    """By which less is owed at the end of the quarter."""
    interest: Array
    """By which less is paid."""
    principal: Array
    """1 where it is repaid, -1 where it is missing from the last payment."""
    due: Array
    """By which less falls due in the four quarters after the node."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """A loan that excess cash repays."""

    debt: Debt
    most_usd_m: float
    """Repaid before its time on a path at most: the last payment, or what is owed a year past the horizon."""
    prepaid: tuple[Prepaid, ...]

    @property
    def per_distributed(self) -> float:
        """Repaid at least with each dollar that is handed up."""
        assert self.debt.sweep_frac is not None
        return self.debt.sweep_frac / (1.0 - self.debt.sweep_frac)


def sweeps(debts: Sequence[DebtArrays], outlook: Outlook) -> tuple[Sweep, ...]:
    """Every loan with a sweep, with the nodes before its maturity."""
    tree = outlook.tree
    return tuple(
        Sweep(
            d.debt,
            d.last_payment_usd_m,
            tuple(
                _prepaid(d.debt, n, outlook)
                for n in tree.nodes
                if tree.quarter(n) < d.debt.maturity_quarter and d.balance[n] > 0.0
            ),
        )
        for d in debts
        if d.debt.sweep_frac
    )


def _prepaid(debt: Debt, n: int, outlook: Outlook) -> Prepaid:
    tree = outlook.tree
    below = outlook.below[n]
    to_go = np.array([debt.maturity_quarter - tree.quarter(m) for m in tree.nodes])
    floating = outlook.base_rate_frac * (debt.rate_kind == "floating")
    later = below.copy()
    later[n] = 0.0
    principal = -below * (to_go == 0)
    principal[n] = 1.0
    return Prepaid(
        node=n,
        balance=below * (to_go > 0),
        interest=later * (to_go >= 0) * (debt.coupon_or_spread_frac + floating) / QUARTERS_PER_YEAR,
        principal=principal,
        due=below * (to_go > 0) * (to_go <= YEAR_Q),
    )


def less_prepaid(d: DebtArrays, prepaid: Prepaid, usd_m: float) -> DebtArrays:
    """A loan's arrays after something is repaid of it."""
    return replace(
        d,
        interest=d.interest - usd_m * prepaid.interest,
        principal=d.principal + usd_m * prepaid.principal,
        balance=d.balance - usd_m * prepaid.balance,
        due=d.due - usd_m * prepaid.due,
    )
