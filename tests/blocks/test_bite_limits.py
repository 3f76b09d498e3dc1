"""COV, VAL: covenants, budgets, and that the last quarter leaves nothing unpaid."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import (
    LEAD_Q,
    begun,
    company_cash_usd_m,
    halls,
    idle,
    late_loss_usd_m,
    liquidity_usd_m,
    merchant,
    own_spend_usd_m,
    remaining_own_usd_m,
)
from tests.portfolios import (
    add_budgets,
    add_debt,
    add_notes,
    add_other_business,
    add_rival_offers,
    covenant,
    small,
    with_all,
    with_row,
    with_rows,
    without,
)

LOAN_USD_M = (40.0, 40.0, 40.0, 40.0, 40.0, 0.0)
LEASE_LINE_USD_M = (12.0, 10.5, 9.0, 7.5, 6.0, 4.5)
"""Twelve in eight equal parts from the second quarter on."""
LOAN_INTEREST_USD_M = 0.8
"""A quarter of 8 % on 40; the lease line pays 4 + 2 % on its opening balance."""
NOTE_COUPON_USD_M = (0.25, 0.25, 0.25, 0.25, 0.0, 0.0)
"""A quarter of 2 % on 50, up to the quarter before it matures."""
IDLE_EBITDA_USD_M = 0.0
"""Hosting earns two; overhead takes one and the sites a half each."""


def _tested(p: Portfolio, metric: str, threshold: float) -> Portfolio:
    return with_rows(p, "covenants", covenant(metric, threshold))


def _liquid() -> Portfolio:
    return _tested(merchant(), "minimum_liquidity", 60.0)


def _spend(plan: Plan) -> Linear:
    """Build, and raise no more than that takes; a rescue costs more than any hall is wanted."""
    return (
        plan.want(Quantity.START, 10.0) + plan.want(Quantity.RESCUE, -100.0) + plan.want(Quantity.ATM, -0.01)
    )


def _illiquid(plan: Plan) -> list[float]:
    """60 in the company and its borrowers, and the first rent of each hall is not counted on. [$M]"""
    return [60.0 + late_loss_usd_m(plan, n) - liquidity_usd_m(plan, n) for n in plan.tree.nodes]


def _indebted() -> Portfolio:
    p = with_row(
        idle(add_other_business(add_debt(small()))), "entities", "parent", unrestricted_cash_usd_m=20.0
    )
    return _tested(
        with_row(p, "entities", "north-co", unrestricted_cash_usd_m=5.0), "net_debt_to_ebitda", 2.0
    )


def _cheapest_cure(plan: Plan) -> Linear:
    return plan.want(Quantity.RESCUE, -1.0) + plan.want(Quantity.ATM, -1.0)


def _overlent(plan: Plan) -> list[float]:
    """Debt less cash within twice EBITDA of a year; a rescue cures EBITDA. [$M]"""
    found = []
    for n in plan.tree.nodes:
        t = plan.tree.period[n]
        net = LOAN_USD_M[t] + LEASE_LINE_USD_M[t] - liquidity_usd_m(plan, n)
        found.append(net - 2.0 * 4.0 * (IDLE_EBITDA_USD_M + plan.at(Quantity.RESCUE, n)))
    return found


def _interest_bearing() -> Portfolio:
    p = without(add_notes(add_other_business(add_debt(small()))), "convertibles", "later")
    return _tested(idle(p), "interest_cover", 0.5)


def _uncovered(plan: Plan) -> list[float]:
    """EBITDA and rescue are half the interest at least. [$M]"""
    found = []
    for n in plan.tree.nodes:
        t = plan.tree.period[n]
        opening = LEASE_LINE_USD_M[max(0, t - 1)]
        interest = LOAN_INTEREST_USD_M + 0.06 / 4.0 * opening + NOTE_COUPON_USD_M[t]
        found.append(0.5 * interest - IDLE_EBITDA_USD_M - plan.at(Quantity.RESCUE, n))
    return found


def _delivering(metric: str, threshold: float) -> Portfolio:
    """Halls whose first rent counts for nothing: they help the test a quarter later."""
    p = add_other_business(add_debt(small()))
    p = with_all(merchant(p), "power", demand_charge_usd_per_kw_month=0.0, take_or_pay_frac=0.0)
    return _tested(p, metric, threshold)


def _build_at_once(plan: Plan) -> Linear:
    wanted = plan.want(Quantity.RESCUE, -1.0) + plan.want(Quantity.ATM, -0.01)
    for n in plan.tree.nodes:
        early = float(plan.tree.probability[n]) * (10.0 - plan.tree.period[n])
        wanted = wanted + plan.want(Quantity.START, early, node=n)
    return wanted


def _sure_ebitda_usd_m(plan: Plan, n: int) -> float:
    """EBITDA of the idle company, 4.5 for each live hall that is not just delivered, and the rescue. [$M]"""
    earned = IDLE_EBITDA_USD_M + 4.5 * begun(plan, n, least_age=LEAD_Q)
    return earned - late_loss_usd_m(plan, n) + plan.at(Quantity.RESCUE, n)


def _overlent_if_late(plan: Plan) -> list[float]:
    """Debt less what cash is sure within twice the sure EBITDA of a year. [$M]"""
    found = []
    for n in plan.tree.nodes:
        t = plan.tree.period[n]
        sure_cash = liquidity_usd_m(plan, n) - late_loss_usd_m(plan, n)
        net = LOAN_USD_M[t] + LEASE_LINE_USD_M[t] - sure_cash
        found.append(net - 2.0 * 4.0 * _sure_ebitda_usd_m(plan, n))
    return found


def _uncovered_if_late(plan: Plan) -> list[float]:
    """Sure EBITDA is four times the interest at least. [$M]"""
    found = []
    for n in plan.tree.nodes:
        interest = LOAN_INTEREST_USD_M + 0.06 / 4.0 * LEASE_LINE_USD_M[max(0, plan.tree.period[n] - 1)]
        found.append(4.0 * interest - _sure_ebitda_usd_m(plan, n))
    return found


def _budgeted() -> Portfolio:
    """100 of own money in all; 162 of anyone's at the north in the first year: two halls and the opening."""
    p = add_budgets(halls(add_rival_offers(small())))
    p = with_all(p, "entities", unrestricted_cash_usd_m=3000.0)
    return with_row(with_row(p, "budgets", "own", cap_usd_m=100.0), "budgets", "n-all", cap_usd_m=162.0)


def _own_only() -> Portfolio:
    return without(_budgeted(), "budgets", "n-all")


def _north_only() -> Portfolio:
    return without(_budgeted(), "budgets", "own")


def _spend_own(plan: Plan) -> Linear:
    return plan.want(Quantity.START) + plan.want(Quantity.COOL, 0.01)


def _over_own(plan: Plan) -> list[float]:
    """Own money: a tenant who pays a fifth of his hall leaves four fifths to count. [$M]"""
    return [sum(own_spend_usd_m(plan, n) for n in plan.tree.path(leaf)) - 100.0 for leaf in plan.tree.leaves]


def _over_north(plan: Plan) -> list[float]:
    """Anyone's money, in the first four quarters, at the north. [$M]"""
    return [
        sum(own_spend_usd_m(plan, n, ("north",), tenants_pay=False) for n in plan.tree.path(leaf)[:4]) - 162.0
        for leaf in plan.tree.leaves
    ]


def _begin_last(plan: Plan) -> Linear:
    """Halls in the last quarter, and no cash kept to finish them."""
    wanted = plan.want(Quantity.CONTRIBUTED, 0.001) + plan.want(Quantity.DISTRIBUTED, -0.01)
    for leaf in plan.tree.leaves:
        wanted = wanted + plan.want(Quantity.START, 10.0, node=leaf)
    return wanted + plan.want(Quantity.RESCUE, -100.0)


def _unpaid(plan: Plan) -> list[float]:
    """The second half of halls just begun lies above the floor of ten. [$M]"""
    return [
        remaining_own_usd_m(plan, leaf) + 10.0 - company_cash_usd_m(plan, leaf) for leaf in plan.tree.leaves
    ]


BITES = (
    Bite("COV-1", _liquid, _spend, _illiquid),
    Bite("COV-2", _indebted, _cheapest_cure, _overlent),
    Bite("COV-3", _interest_bearing, _cheapest_cure, _uncovered),
    Bite(
        "COV-2",
        lambda: _delivering("net_debt_to_ebitda", 2.0),
        _build_at_once,
        _overlent_if_late,
        name="late",
    ),
    Bite(
        "COV-3", lambda: _delivering("interest_cover", 4.0), _build_at_once, _uncovered_if_late, name="late"
    ),
    Bite("COV-4", _own_only, _spend_own, _over_own, everywhere=True, name="own"),
    Bite(
        "COV-4",
        _north_only,
        lambda p: p.want(Quantity.START, site="north"),
        _over_north,
        everywhere=True,
        name="all",
    ),
    Bite("VAL-1", merchant, _begin_last, _unpaid, everywhere=True),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
