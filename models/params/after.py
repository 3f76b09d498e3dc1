"""Loans of a borrower after the horizon, by their terms and at each leaf's frozen market."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.params.loans import DebtArrays, FacilityArrays
from models.params.new_loans import Bullet
from models.params.outlook import Outlook
from models.params.vendor_leases import LeaseArrays
from models.units import QUARTERS_PER_YEAR

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Served:
    """Quarters after the horizon. [$M]"""

    interest: Array
    """Paid by the borrower, fees for commitment and letters of credit with it."""
    scheduled: Array
    balloon: Array
    released: Array
    """Reserves."""
    balance: Array

    def times(self, count: float) -> "Served":
        """Of several."""
        names = ("interest", "scheduled", "balloon", "released", "balance")
        return Served(*(getattr(self, name) * count for name in names))


def debt_after(d: DebtArrays, prepaid_usd_m: float, outlook: Outlook, leaf: int, quarters: int) -> Served:
    """An existing loan by its terms; what was repaid before its time takes off the last payments."""
    debt, first = d.debt, outlook.tree.quarter(leaf) + 1
    floating = outlook.base_rate_frac[leaf] if debt.rate_kind == "floating" else 0.0
    rate = (debt.coupon_or_spread_frac + floating) / QUARTERS_PER_YEAR
    found = Served(*(np.zeros(quarters) for _ in range(5)))
    owed, undrawn = float(d.balance[leaf]), float(d.undrawn[leaf])
    amount, fee = debt.dsra_usd_m or 0.0, (debt.dsra_fee_frac or 0.0) / QUARTERS_PER_YEAR
    for k in range(quarters):
        quarter = first + k
        if quarter > debt.maturity_quarter:
            break
        drawn = d.later_draws.get(outlook.tree.horizon_q + k, 0.0)
        left = max(0.0, owed - prepaid_usd_m)
        repaid = (owed + drawn) * d.repayment.repaid_frac(quarter)
        balance = max(0.0, owed + drawn - repaid - prepaid_usd_m)
        paid = left + drawn - balance
        found.interest[k] = (
            rate * left + debt.commitment_fee_frac / QUARTERS_PER_YEAR * undrawn + fee * amount
        )
        found.scheduled[k] = min(paid, repaid * d.repayment.scheduled_frac(quarter))
        found.balloon[k] = paid - found.scheduled[k]
        found.balance[k] = balance
        found.released[k] = amount * (debt.dsra_form == "cash" and quarter == debt.maturity_quarter)
        owed, undrawn = owed + drawn - repaid, undrawn - drawn
    return found


def facility_after(f: FacilityArrays, outlook: Outlook, leaf: int, quarters: int) -> Served:
    """A facility of one module."""
    x, since = f.facility, outlook.tree.period[leaf] - outlook.tree.period[f.close] + 1
    return Served(
        *(
            _from(values, since, quarters)
            for values in (
                x.interest_cash_usd_m + x.letter_fee_usd_m,
                x.principal_usd_m,
                x.balloon_repaid_usd_m,
                x.reserve_release_usd_m,
                x.balance_usd_m,
            )
        )
    )


def lease_after(a: LeaseArrays, begun: int, outlook: Outlook, leaf: int, quarters: int) -> Served:
    """A lease of one module's GPUs."""
    x, since = a.flows, outlook.tree.period[leaf] - outlook.tree.period[begun] + 1
    parts = (x.interest_paid, x.principal - x.buyout, x.buyout, np.zeros(x.principal.size), x.balance)
    return Served(*(_from(values, since, quarters) for values in parts))


def bullet_after(loan: Bullet, outlook: Outlook, leaf: int, quarters: int) -> Served:
    """A dollar rolled into a new loan."""
    age = np.arange(quarters) + outlook.tree.period[leaf] - outlook.tree.period[loan.drawn] + 1.0
    during, none = (age <= loan.tenor_q).astype(float), np.zeros(quarters)
    rate = loan.rate_frac / QUARTERS_PER_YEAR
    return Served(
        rate * during, none, (age == loan.tenor_q).astype(float), none, during * (age < loan.tenor_q)
    )


def _from(values: Array, since: int, quarters: int) -> Array:
    found = np.zeros(quarters)
    rest = values[max(0, since) : max(0, since) + quarters]
    found[: rest.size] = rest
    return found
