"""Project facilities that modules can carry, and the service of existing debt."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.finance import CreditClass, Debt
from models.domain.portfolio import Portfolio
from models.domain.rules import YEAR_Q
from models.formulas.project_finance import Facility, LoanTerms, size_facility
from models.params.modules import ModuleArrays, Route, lender_noi
from models.params.outlook import Future, Outlook
from models.params.power import PowerPrices
from models.params.repayment import Repayment, Reserve, repayment_of, reserve_of
from models.params.terminations import over_at
from models.timetree import TimeTree
from models.units import QUARTERS_PER_YEAR

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FacilityArrays:
    """A facility of one module by node. [$M]"""

    close: int
    facility: Facility
    """By quarter since the close, beyond the horizon too."""
    loan_usd_m: float
    draws: Array
    """Cash that pays or reimburses spend."""
    drawn: Array
    """Rise of the balance that is not repayment: loan of notes, draws with fee, interest and reserve."""
    interest: Array
    """Accrued, with the fee of a letter of credit."""
    interest_paid: Array
    principal: Array
    """Paid, the balloon's part in cash included."""
    scheduled: Array
    """Of it, all but the balloon."""
    balance: Array
    restricted: Array
    """Escrow and reserve."""
    parent_letter: Array
    """Letter of credit for the reserve that the parent answers for."""
    escrow_income: Array
    reserve_release: Array
    to_pay: Array
    """Spend that the facility will still pay, out of escrow or by new draws."""
    undrawn: Array
    """Of it, what is still to be drawn: nothing of notes, which lie in escrow."""
    due: Array
    """Balloon that is to be repaid in cash in the next four quarters."""


def close_nodes(route: Route, b: int, outlook: Outlook, lender: CreditClass) -> tuple[int, ...]:
    """Nodes at which a facility on modules begun at ``b`` may close."""
    tree = outlook.tree
    nodes = [b] if lender.closes_at_start else []
    if lender.closes_at_completion:
        paying = first_rent(route, b, tree)
        nodes += [c for c in tree.descendants(b) if tree.period[c] == paying]
    over = over_at(route.terms.endings, tree)
    return tuple(c for c in nodes if outlook.rows[c].project_debt_open and c not in over)


def first_rent(route: Route, b: int, tree: TimeTree) -> int:
    """Quarters since the first to that in which rent comes in: until then lenders count construction."""
    live, contract = tree.period[b] + route.lead_q, route.terms.contract
    ready = max(live, contract.commencement_quarter - tree.first)
    while route.ramp_profile[min(ready - live, route.ramp_profile.size - 1)] == 0.0:
        ready += 1
    return ready + contract.payment_lag_q


def facility_arrays(
    route: Route,
    b: int,
    close: int,
    arrays: ModuleArrays,
    outlook: Outlook,
    lender: CreditClass,
    future: Future,
    prices: PowerPrices,
) -> FacilityArrays | None:
    """Size a facility and place it on the nodes below its close; None where nothing can be lent."""
    tree, row = outlook.tree, outlook.rows[close]
    paying, end = first_rent(route, b, tree), route.terms.term_end - tree.first
    to_paying, lead_q = paying - tree.period[close], route.lead_q
    unpaid_q = paying - tree.period[b] - lead_q
    noi = lender.delivery_haircut_frac * lender_noi(route, arrays, future, prices, row.power_idx)
    case = np.maximum(0.0, noi - arrays.lender_credit)[paying:end]
    own_spend = np.append(arrays.own_spend_by_age[:lead_q], np.zeros(unpaid_q))
    gpus_serve_q = (route.terms.product.refresh_q or unpaid_q + case.size) - unpaid_q
    if case.size == 0 or not case.any() or own_spend.min() < 0.0 or gpus_serve_q < 1:
        return None
    terms = loan_terms(
        lender,
        outlook,
        close,
        coverage_q=min(lender.coverage_q, case.size, gpus_serve_q),
        counted_over_own=_counted_over_own(route),
    )
    if terms.maturity_q <= to_paying:
        return None
    try:
        facility = size_facility(terms, own_spend, case, to_paying)
    except ValueError:  # the reserve and the interest would take the whole loan: nobody lends on such terms
        return None
    return place(facility, lender, close, outlook) if facility.loan_usd_m > 0.0 else None


def _counted_over_own(route: Route) -> float:
    """Cost that lenders count over own spend: tenants' money comes off it unless it is eligible."""
    own = 1.0 - sum(m.frac_of_capex or 0.0 for m in route.terms.money)
    eligible = sum(m.frac_of_capex or 0.0 for m in route.terms.money if m.eligible_for_ltc)
    return 1.0 + eligible / own if own > 0.0 else 1.0


def loan_terms(
    lender: CreditClass, outlook: Outlook, close: int, *, coverage_q: int, counted_over_own: float
) -> LoanTerms:
    """What a class of lender asks for in the market of a node."""
    row = outlook.rows[close]
    return LoanTerms(
        rate_frac=row.base_rate_frac + lender.spread_frac + row.spread_add_frac,
        dscr=lender.dscr_min,
        coverage_q=coverage_q,
        maturity_q=lender.maturity_q,
        ltc_frac=lender.ltc_max_frac,
        fee_frac=lender.fee_frac,
        reserve_q=lender.reserve_q,
        balloon_cap_frac=lender.balloon_cap_frac,
        refinance_rate_frac=row.base_rate_frac + lender.refinance_spread_frac + row.spread_add_frac,
        funding=lender.funding,
        escrow_rate_frac=row.base_rate_frac,
        counted_over_own=counted_over_own,
        letter_fee_frac=None if lender.reserve_form in (None, "cash") else lender.reserve_fee_frac or 0.0,
    )


def place(f: Facility, lender: CreditClass, close: int, outlook: Outlook) -> FacilityArrays:
    """A sized facility on the nodes below its close."""
    tree = outlook.tree
    below = tree.descendants(close)
    age = [tree.period[m] - tree.period[close] for m in below]
    end = f.balance_usd_m.size

    def on_tree(values: Array) -> Array:
        placed = np.zeros(len(tree.nodes))
        placed[list(below)] = [values[a] if a < end else 0.0 for a in age]
        return placed

    repaid = f.principal_usd_m + f.balloon_repaid_usd_m
    drawn = np.diff(f.balance_usd_m, prepend=0.0) + repaid
    to_pay = np.maximum(0.0, f.draws_usd_m.sum() - np.cumsum(f.draws_usd_m))
    return FacilityArrays(
        close=close,
        facility=f,
        loan_usd_m=f.loan_usd_m,
        draws=on_tree(f.draws_usd_m),
        drawn=on_tree(drawn),
        interest=on_tree(f.interest_usd_m + f.letter_fee_usd_m),
        interest_paid=on_tree(f.interest_cash_usd_m + f.letter_fee_usd_m),
        principal=on_tree(repaid),
        scheduled=on_tree(f.principal_usd_m),
        balance=on_tree(f.balance_usd_m),
        restricted=on_tree(f.escrow_usd_m + f.reserve_usd_m),
        parent_letter=on_tree(f.letter_usd_m * (lender.reserve_form == "parent_lc")),
        escrow_income=on_tree(f.escrow_income_usd_m),
        reserve_release=on_tree(f.reserve_release_usd_m),
        to_pay=on_tree(to_pay),
        undrawn=on_tree(to_pay if lender.funding == "delayed_draw" else np.zeros(end)),
        due=on_tree(_next_year(f.balloon_repaid_usd_m)),
    )


@dataclass(frozen=True, eq=False)
class DebtArrays:
    """An existing loan by node. [$M]"""

    debt: Debt
    draws: Array
    interest: Array
    """With the fees for commitment and letter of credit."""
    principal: Array
    scheduled: Array
    """Of it, what is repaid in parts: no balloon, nothing of a bullet."""
    balance: Array
    undrawn: Array
    due: Array
    """Principal of the next four quarters, those after the horizon too."""
    reserve: Reserve
    repayment: Repayment
    later_draws: Mapping[int, float]
    """After the horizon, by quarters since the first."""
    last_payment_usd_m: float
    """Due at maturity, or owed a year after the horizon if that lies beyond."""


def debt_arrays(portfolio: Portfolio, debt: Debt, outlook: Outlook) -> DebtArrays:
    """Roll an existing loan along the tree."""
    tree, repayment = outlook.tree, repayment_of(portfolio, debt)
    by_quarter = draws_by_quarter(portfolio, debt, tree)
    reserve = reserve_of(debt, tuple(tree.quarter(n) for n in tree.nodes))
    size = len(tree.nodes)
    repaid, owed_after = _principal_by_quarter(repayment, by_quarter, tree)
    to_maturity = debt.maturity_quarter - tree.first
    due = _next_year(repaid)[list(tree.period)]
    draws, interest, principal, balance, undrawn = (np.zeros(size) for _ in range(5))
    for n in tree.nodes:
        before = balance[tree.parent[n]] if n else debt.principal_usd_m
        left = undrawn[tree.parent[n]] if n else debt.undrawn_usd_m
        rate = debt.coupon_or_spread_frac + (
            outlook.base_rate_frac[n] if debt.rate_kind == "floating" else 0.0
        )
        draws[n] = by_quarter.get(tree.period[n], 0.0)
        interest[n] = (rate * before + debt.commitment_fee_frac * left) / QUARTERS_PER_YEAR
        owed = before + draws[n]
        principal[n] = owed * repayment.repaid_frac(tree.quarter(n))
        balance[n] = owed - principal[n]
        undrawn[n] = left - draws[n]
    interest += reserve.fee
    scheduled = principal * [repayment.scheduled_frac(tree.quarter(n)) for n in tree.nodes]
    later = {t: usd_m for t, usd_m in by_quarter.items() if t >= tree.horizon_q}
    last = float(repaid[to_maturity]) if to_maturity < repaid.size else owed_after
    return DebtArrays(
        debt, draws, interest, principal, scheduled, balance, undrawn, due, reserve, repayment, later, last
    )


def draws_by_quarter(portfolio: Portfolio, debt: Debt, tree: TimeTree) -> dict[int, float]:
    """What commitments draw of a loan, by quarters since the first. [$M]"""
    drawing = {c.commitment for c in portfolio.commitments if c.debt == debt.debt}
    found: dict[int, float] = {}
    for flow in portfolio.commitment_flows:
        if flow.commitment in drawing and flow.funded_by == "gpu_debt":
            t = flow.quarter - tree.first
            found[t] = found.get(t, 0.0) + flow.amount_usd_m
    return found


def _principal_by_quarter(
    repayment: Repayment, draws: dict[int, float], tree: TimeTree
) -> tuple[Array, float]:
    """Repayments from the first quarter to a year after the horizon, and what is owed then. [$M]"""
    owed, repaid = repayment.debt.principal_usd_m, np.zeros(tree.horizon_q + YEAR_Q)
    for t in range(repaid.size):
        owed += draws.get(t, 0.0)
        repaid[t] = owed * repayment.repaid_frac(tree.first + t)
        owed -= repaid[t]
    return repaid, owed


def _next_year(by_quarter: Array) -> Array:
    """Sum over the four quarters after each; nothing lies beyond the last."""
    padded = np.concatenate([by_quarter[1:], np.zeros(YEAR_Q)])
    return np.array([padded[t : t + YEAR_Q].sum() for t in range(by_quarter.size)])
