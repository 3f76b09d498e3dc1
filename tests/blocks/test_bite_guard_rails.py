"""COV-5 to COV-10 and GRD: debt against the market, what falls due, dilution, new debt, and guard rails."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.domain.rules import YEAR_Q
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import (
    HALL_USD_M_PER_Q,
    LEAD_Q,
    begun,
    halls,
    idle,
    late_loss_usd_m,
    liquidity_usd_m,
    merchant,
    rich,
)
from tests.blocks.test_bite_limits import LEASE_LINE_USD_M, LOAN_INTEREST_USD_M, LOAN_USD_M
from tests.portfolios import (
    HORIZON_Q,
    add_deals,
    add_debt,
    add_history,
    add_notes,
    covenant,
    offer,
    quarter,
    small,
    with_all,
    with_company,
    with_row,
    with_rows,
    without,
)

OPENING_SHARES_M = 100.0
CORPORATE_USD_M = 2.0
"""A quarter: one of overhead, a half of fixed costs at each site."""
LEASE_USD_M, OPEN_USD_M = 6.0, 4.5
"""Rent of a hall and quarter."""
ALWAYS = {"from_quarter": None, "to_quarter": None}


def _tested(p: Portfolio, metric: str, threshold: float, **changes: object) -> Portfolio:
    return with_rows(p, "covenants", covenant(metric, threshold, **changes))


def _poor(p: Portfolio) -> Portfolio:
    """25 less in the north, 20 at the top: 45 in all, and nothing to do with it."""
    p = with_row(idle(p), "entities", "parent", unrestricted_cash_usd_m=20.0)
    return with_row(p, "entities", "north-co", unrestricted_cash_usd_m=5.0)


def _free(p: Portfolio) -> Portfolio:
    """What is raised need not be spent."""
    return with_company(p, raise_only_what_is_spent=False)


def _one_note(p: Portfolio, **changes: object) -> Portfolio:
    """Notes of 50 that nobody calls or puts."""
    return with_row(without(add_notes(p), "convertibles", "later"), "convertibles", "due", **changes)


def _cheapest_cure(plan: Plan) -> Linear:
    return plan.want(Quantity.RESCUE, -1.0) + plan.want(Quantity.ATM, -1.0)


def _issue(plan: Plan) -> Linear:
    raised = plan.want(Quantity.ATM) + plan.want(Quantity.FOLLOW_ON) + plan.want(Quantity.ISSUE)
    return raised + plan.want(Quantity.RESCUE, -100.0)


def _build(plan: Plan) -> Linear:
    """As many halls as can be, and no more raised than they take."""
    return (
        plan.want(Quantity.START, 10.0) + plan.want(Quantity.RESCUE, -100.0) + plan.want(Quantity.ATM, -0.01)
    )


def _build_early(plan: Plan) -> Linear:
    """The same, and the sooner the better."""
    wanted = plan.want(Quantity.RESCUE, -100.0) + plan.want(Quantity.ATM, -0.01)
    for n in plan.tree.nodes:
        wanted = wanted + plan.want(Quantity.START, 20.0 - 2.0 * plan.tree.period[n], node=n)
    return wanted


# --- covenants --------------------------------------------------------------------------------------------


def _geared() -> Portfolio:
    return _tested(_poor(add_debt(small())), "net_debt_to_market_cap", 0.005)


def _overgeared(plan: Plan) -> list[float]:
    """Debt less cash within 5 $M, 10 where the share doubles, 2.5 where it halves."""
    found = []
    for n in plan.tree.nodes:
        t = plan.tree.period[n]
        net = LOAN_USD_M[t] + LEASE_LINE_USD_M[t] - liquidity_usd_m(plan, n)
        found.append(net - 0.005 * plan.price_usd(n) * OPENING_SHARES_M)
    return found


def _cheap() -> Portfolio:
    return _tested(_free(idle(add_deals(small()))), "market_cap", 1500.0)


def _gross(plan: Plan, n: int) -> float:
    return sum(plan.at(q, n) for q in (Quantity.ATM, Quantity.FOLLOW_ON, Quantity.ISSUE))


def _issued_cheaply(plan: Plan) -> list[float]:
    """Nothing is raised where 100 million shares are worth less than 1,500 $M. [$M]"""
    return [_gross(plan, n) for n in plan.tree.nodes if plan.price_usd(n) * OPENING_SHARES_M < 1500.0]


def _recourse() -> Portfolio:
    return _tested(_poor(_one_note(add_debt(small()))), "recourse_debt", 100.0)


def _over_recourse(plan: Plan) -> list[float]:
    """The loan, the lease line and notes of 50 up to their maturity, less a rescue, within 100. [$M]"""
    found = []
    for n in plan.tree.nodes:
        t = plan.tree.period[n]
        owed = LOAN_USD_M[t] + LEASE_LINE_USD_M[t] + 50.0 * (t < 4)
        found.append(owed - plan.at(Quantity.RESCUE, n) - 100.0)
    return found


def _secured() -> Portfolio:
    return _tested(_poor(add_debt(small())), "secured_debt", 8.0)


def _over_secured(plan: Plan) -> list[float]:
    """The lease line alone is secured. [$M]"""
    return [
        LEASE_LINE_USD_M[plan.tree.period[n]] - plan.at(Quantity.RESCUE, n) - 8.0 for n in plan.tree.nodes
    ]


DUE_USD_M = (56.0, 96.0, 96.0, 96.0, 46.0, 4.5)
"""In the next four quarters: 50 of notes in the fifth, 40 of the loan in the sixth, the line's 1.5."""


def _maturing() -> Portfolio:
    return _tested(_poor(_one_note(add_debt(small()))), "maturities", 1.5)


def _unready(plan: Plan) -> list[float]:
    """Half as much again as falls due within a year is in cash. [$M]"""
    return [1.5 * DUE_USD_M[plan.tree.period[n]] - liquidity_usd_m(plan, n) for n in plan.tree.nodes]


def _diluting() -> Portfolio:
    return _tested(_free(idle(add_history(add_deals(small())))), "dilution", 0.1)


def _diluted(plan: Plan) -> list[float]:
    """Ten million shares a year, with half a million in each quarter before the first. [M]"""
    found = []
    for n in plan.tree.nodes:
        window = plan.tree.path(n)[-YEAR_Q:]
        shares = 0.5 * (YEAR_Q - len(window))
        for m in window:
            sold = plan.at(Quantity.ATM, m) + plan.at(Quantity.FOLLOW_ON, m)
            shares += (sold + plan.at(Quantity.ISSUE, m) / (0.96 * 1.25)) / plan.price_usd(m)
        found.append(shares - 10.0)
    return found


def _incurring() -> Portfolio:
    """No new notes over 45 of recourse debt, though 52 stand and may stand until the loan is repaid."""
    p = with_row(add_deals(add_debt(small())), "instruments", "note", min_usd_m=20.0)
    return _tested(_free(idle(p)), "recourse_debt", 45.0, test="incurrence")


def _issued_over(plan: Plan) -> list[float]:
    """Where notes are issued, they and the old debt are 45 at most. [$M]"""
    found = []
    for n in plan.tree.nodes:
        t, issued = plan.tree.period[n], plan.at(Quantity.ISSUE, n)
        if issued > 0.0:
            older = plan.up_to(Quantity.ISSUE, n) - issued
            found.append(LOAN_USD_M[t] + LEASE_LINE_USD_M[t] + older + issued - 45.0)
    return found or [-1.0]


# --- guard rails ------------------------------------------------------------------------------------------


def _covered() -> Portfolio:
    return _tested(_poor(add_debt(small())), "cash_cover", 20.0)


def _uncovered(plan: Plan) -> list[float]:
    """Twenty quarters of one of overhead and of the interest, all of it with recourse. [$M]"""
    found = []
    for n in plan.tree.nodes:
        interest = LOAN_INTEREST_USD_M + 0.06 / 4.0 * LEASE_LINE_USD_M[max(0, plan.tree.period[n] - 1)]
        found.append(20.0 * (1.0 + interest) - liquidity_usd_m(plan, n))
    return found


def _leased() -> Portfolio:
    """Halls at the north for the lease alone, cooled already."""
    p = with_row(halls(), "sites", "south", hpc_allowed=False)
    p = without(with_row(p, "cooling", "north", existing_mw=60.0, max_modules=0), "contracts", "open")
    return with_company(p, building_cap_mw=500.0)


def _funded(p: Portfolio) -> Portfolio:
    """60 at the top and 40 below: what is begun is paid for with shares yet to be sold."""
    p = with_row(p, "entities", "parent", unrestricted_cash_usd_m=60.0)
    return _tested(p, "funded_commitments", 5.0)


def _cash_at(plan: Plan, n: int, m: int) -> float:
    """At ``m``, of what is begun by ``n``: halls cost 40 in their two quarters, then a tenant pays 6. [$M]"""
    cash = -CORPORATE_USD_M
    for b in plan.tree.path(n):
        age = plan.tree.period[m] - plan.tree.period[b]
        leased = plan.at(Quantity.START, b, contract="lease")
        if age < LEAD_Q:
            cash -= HALL_USD_M_PER_Q * plan.at(Quantity.START, b)
        else:
            cash += LEASE_USD_M * leased
    return cash


def _below(plan: Plan, n: int) -> list[int]:
    last = plan.tree.period[n] + YEAR_Q
    return [m for m in plan.tree.descendants(n)[1:] if plan.tree.period[m] <= last]


def _sure(plan: Plan, n: int) -> float:
    return liquidity_usd_m(plan, n) - late_loss_usd_m(plan, n)


def _unfunded(plan: Plan) -> list[float]:
    """Cash, and what the next year brings and takes of what is begun, is 5 at least. [$M]"""
    tree, found = plan.tree, []
    for n in tree.nodes:
        year = sum(
            float(tree.probability[m] / tree.probability[n]) * _cash_at(plan, n, m) for m in _below(plan, n)
        )
        found.append(5.0 - _sure(plan, n) - year)
    return found


def _stressed(plan: Plan) -> list[float]:
    """The same in each of the four quarters, on every path. [$M]"""
    found = []
    for n in plan.tree.nodes:
        for m in (n, *_below(plan, n)):
            between = [k for k in plan.tree.path(m) if plan.tree.period[k] > plan.tree.period[n]]
            found.append(5.0 - _sure(plan, n) - sum(_cash_at(plan, n, k) for k in between))
    return found


def _walled() -> Portfolio:
    p = _one_note(add_debt(small()), maturity_quarter=quarter(HORIZON_Q + 1))
    return _tested(_poor(p), "maturity_wall", 1.0, **ALWAYS)


def _put_after() -> Portfolio:
    """Notes that run on for years, and may be put two quarters after the horizon."""
    p = without(add_notes(add_debt(small())), "convertibles", "due")
    put = {"put_quarter": quarter(HORIZON_Q + 1), "put_price_frac": 1.1}
    p = with_row(
        p,
        "convertibles",
        "later",
        principal_usd_m=50.0,
        call_from_quarter=None,
        call_trigger_frac=None,
        **put,
    )
    return _tested(_poor(p), "maturity_wall", 1.0, **ALWAYS)


def _wall(due_usd_m: float) -> Callable[[Plan], list[float]]:
    """At the end the notes' due and 4.5 of the lease line lie in cash. [$M]"""
    return lambda plan: [due_usd_m + 4.5 - liquidity_usd_m(plan, leaf) for leaf in plan.tree.leaves]


OVERHEAD_FACTOR = (1.0 - 1.02**-40) / 0.02
"""Ten years of quarters at 8 % a year."""


def _solvent() -> Portfolio:
    return _tested(_poor(add_debt(small())), "solvency", 3.0, **ALWAYS)


def _insolvent(plan: Plan) -> list[float]:
    """Cash and 20 of land less ten years of overhead and fixed costs are three times the line's 4.5. [$M]"""
    running = CORPORATE_USD_M * OVERHEAD_FACTOR
    return [3.0 * 4.5 - (liquidity_usd_m(plan, leaf) + 20.0 - running) for leaf in plan.tree.leaves]


def _speculative() -> Portfolio:
    return _tested(merchant(), "unsigned_building", 0.2)


def _too_speculative(plan: Plan) -> list[float]:
    """The second half of halls just begun is a fifth of sure cash at most. [$M]"""
    return [
        HALL_USD_M_PER_Q * (begun(plan, n) - begun(plan, n, least_age=1)) - 0.2 * _sure(plan, n)
        for n in plan.tree.nodes
    ]


def _shared() -> Portfolio:
    """The lease, and an offer of another tenant that earns less."""
    p = without(with_rows(halls(rich()), "contracts", offer("other", tenant="Other")), "contracts", "open")
    rail = covenant("tenant_share", 0.5, from_quarter=None, to_quarter=None)
    return with_rows(with_all(p, "cooling", existing_mw=60.0, max_modules=0), "covenants", rail)


def _build_for_one(plan: Plan) -> Linear:
    return plan.want(Quantity.START, contract="lease") + plan.want(Quantity.START, -0.01, contract="other")


def _beyond_share(plan: Plan) -> list[float]:
    """Of ten MW a hall. [MW]"""
    found = []
    for leaf in plan.tree.leaves:
        lease, other = (10.0 * begun(plan, leaf, contract=c) for c in ("lease", "other"))
        found += [lease - 0.5 * (lease + other), other - 0.5 * (lease + other)]
    return found


BITES = (
    Bite("GRD-7", _shared, _build_for_one, _beyond_share),
    Bite("COV-5", _geared, _cheapest_cure, _overgeared),
    Bite("COV-6", _cheap, _issue, _issued_cheaply),
    Bite("COV-7", _recourse, _cheapest_cure, _over_recourse, name="recourse"),
    Bite("COV-7", _secured, _cheapest_cure, _over_secured, name="secured"),
    Bite("COV-8", _maturing, _cheapest_cure, _unready),
    Bite("COV-9", _diluting, _issue, _diluted),
    Bite("COV-10", _incurring, _issue, _issued_over),
    Bite("GRD-1", _covered, _cheapest_cure, _uncovered),
    Bite("GRD-2", lambda: _funded(merchant()), _build_early, _unfunded, name="unsigned"),
    Bite("GRD-2", lambda: _funded(_leased()), _build_early, _unfunded, name="signed"),
    Bite("GRD-3", _walled, _cheapest_cure, _wall(50.0), everywhere=True),
    Bite("GRD-3", _put_after, _cheapest_cure, _wall(55.0), everywhere=True, name="put"),
    Bite("GRD-4", _solvent, _cheapest_cure, _insolvent, everywhere=True),
    Bite("GRD-5", _speculative, _build, _too_speculative),
    Bite("GRD-6", lambda: _tested(_leased(), "stress_liquidity", 5.0), _build, _stressed),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
