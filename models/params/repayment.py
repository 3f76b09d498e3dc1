"""The terms of an existing loan as what falls due by quarter, and the reserve that is kept for it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.finance import Debt
from models.domain.portfolio import Portfolio
from models.formulas.repayment import balloon_due_frac, listed_share, sculpted_share
from models.params.streams import profile
from models.timetree import Quarter
from models.units import QUARTERS_PER_YEAR

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Repayment:
    """Share of what is owed that is repaid in each quarter from the first repayment to the maturity."""

    debt: Debt
    share: Array
    balloon_due_frac: float
    """Of what is repaid at maturity, what is no instalment."""

    def repaid_frac(self, quarter: Quarter) -> float:
        """Share of what is owed in a quarter that is repaid in it."""
        if quarter >= self.debt.maturity_quarter:
            return 1.0
        k = quarter - self.debt.first_repayment_quarter
        return float(self.share[k]) if k >= 0 else 0.0

    def scheduled_frac(self, quarter: Quarter) -> float:
        """Share of what is repaid in a quarter that is an instalment, no balloon."""
        return 1.0 - self.balloon_due_frac if quarter == self.debt.maturity_quarter else 1.0


def repayment_of(portfolio: Portfolio, debt: Debt) -> Repayment:
    """Read the terms of a loan."""
    payments, balloon = debt.maturity_quarter - debt.first_repayment_quarter + 1, debt.balloon_frac or 0.0
    if debt.repayment == "bullet":
        return Repayment(debt, np.append(np.zeros(payments - 1), 1.0), 1.0)
    if debt.repayment == "sculpted":
        shape = profile(portfolio, debt.repayment_profile or "")
        share = sculpted_share(shape, debt.coupon_or_spread_frac / QUARTERS_PER_YEAR, balloon)
    elif debt.repayment == "listed":
        share = listed_share(profile(portfolio, debt.repayment_profile or ""), balloon)
    else:
        share = listed_share(np.full(payments, 1.0 / payments), balloon)
    return Repayment(debt, share, balloon_due_frac(share, balloon))


@dataclass(frozen=True, eq=False)
class Reserve:
    """What is kept for the service of a loan, by node. [$M]"""

    cash: Array
    """Restricted, at the end of the quarter."""
    released: Array
    """With the last payment."""
    letter: Array
    """Covered by a letter of credit instead, during the quarter."""
    fee: Array
    """Of the letter."""


def reserve_of(debt: Debt, quarters: tuple[Quarter, ...]) -> Reserve:
    """The reserve of a loan in the quarter of each node."""
    to_go = np.array([float(debt.maturity_quarter - q) for q in quarters])
    amount, in_cash = debt.dsra_usd_m or 0.0, float(debt.dsra_form == "cash")
    letter = amount * (1.0 - in_cash) * (to_go >= 0.0).astype(float)
    return Reserve(
        cash=amount * in_cash * (to_go > 0.0).astype(float),
        released=amount * in_cash * (to_go == 0.0).astype(float),
        letter=letter,
        fee=letter * (debt.dsra_fee_frac or 0.0) / QUARTERS_PER_YEAR,
    )
