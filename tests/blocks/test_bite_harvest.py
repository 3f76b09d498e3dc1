"""HRV: payouts to the shareholders, and what must have ended before them.

The figures are those of ``tests.portfolios``: payouts from the third quarter on, at most 60 a quarter; 200 of
opening cash at the parent, 20 at each borrower; a quarter's overhead is 1.
"""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import BEGUN, RAISED, Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases, show
from tests.blocks.hand import company_cash_usd_m, halls, idle, merchant, rich
from tests.portfolios import (
    add_corporate_debt,
    add_long_lead,
    add_payouts,
    add_sites,
    add_take_outs,
    add_treasury,
    add_vendor_lease,
    chain_of,
    small,
    with_all,
    with_company,
    with_row,
    without,
)

FROM_Q, MOST_USD_M, PARENTS_USD_M = 2, 60.0, 400.0
HALLS = (Quantity.START, Quantity.SIGN, Quantity.EXPAND, Quantity.COOL, Quantity.BOUGHT_MW, Quantity.FINANCED)
PLACED = (Quantity.ORDERED_MW, Quantity.BUY_SITE, Quantity.LEASED)
SOLD = (Quantity.ATM, Quantity.FOLLOW_ON, Quantity.ISSUE, Quantity.NOTES, Quantity.COMMIT, Quantity.DRAWN)
LENT = (Quantity.BORROWED, Quantity.TAKEN_OUT)


def _idle() -> Portfolio:
    """Nothing but the company's money moves."""
    return with_company(add_payouts(idle(small())), raise_only_what_is_spent=True)


def _merchant() -> Portfolio:
    """Borrowers that need nobody's money to build."""
    return add_payouts(merchant(rich()))


def _placing() -> Portfolio:
    """Sites, transformers and leased GPUs for whoever wants more."""
    return add_payouts(add_vendor_lease(add_long_lead(add_sites(halls(rich())))))


def _lent() -> Portfolio:
    """Lenders on coins and on what is let and built."""
    return add_payouts(idle(rich(add_treasury(add_take_outs(small())))))


def _borrower() -> Portfolio:
    """Notes may be sold, and no shares."""
    p = without(add_payouts(idle(rich(add_corporate_debt(small())))), "leverage_blocks")
    return with_all(without(p, "instruments", "line"), "entities", unrestricted_cash_usd_m=100.0)


def _earning() -> Portfolio:
    """Borrowers with cash to hand up."""
    p = with_row(_idle(), "entities", "north-co", unrestricted_cash_usd_m=30.0)
    return with_row(p, "entities", "parent", unrestricted_cash_usd_m=PARENTS_USD_M)


def _harvests(plan: Plan, n: int) -> float:
    return plan.at(Quantity.HARVEST, n)


def _open(plan: Plan) -> list[int]:
    return [n for n in plan.tree.nodes if plan.tree.period[n] >= FROM_Q]


def _one_payout(plan: Plan) -> Linear:
    """Payouts at the third quarter, and no harvest after it."""
    wanted = Linear()
    for d in plan.decided(Quantity.HARVEST):
        wanted.add(1.0 if plan.tree.period[d.node] == FROM_Q else -1.0, d.variable)
    return wanted


def _ended(plan: Plan) -> list[float]:
    inner = [n for n in _open(plan) if plan.tree.period[n] > FROM_Q]
    return [_harvests(plan, plan.tree.parent[n]) - _harvests(plan, n) for n in inner]


def _both(*quantities: Quantity) -> Callable[[Plan], Linear]:
    def press(plan: Plan) -> Linear:
        wanted = plan.want(Quantity.HARVEST, 100.0)
        for n in _open(plan):
            for q in quantities:
                wanted = wanted + plan.want(q, 1.0, node=n)
        return wanted

    return press


def _in_harvest(*quantities: Quantity) -> Callable[[Plan], list[float]]:
    def excess(plan: Plan) -> list[float]:
        return [sum(plan.at(q, n) for q in quantities) * _harvests(plan, n) for n in _open(plan)]

    return excess


def _without_harvest(plan: Plan) -> list[float]:
    return [plan.at(Quantity.PAYOUT, n) - MOST_USD_M * _harvests(plan, n) for n in _open(plan)]


def _unspent(plan: Plan) -> list[float]:
    left = plan.company.cash.unspent
    return [float(left[n].value) * _harvests(plan, n) for n in _open(plan)]


def _raise_and_harvest(plan: Plan) -> Linear:
    return plan.want(Quantity.ATM) + plan.want(Quantity.HARVEST, 1000.0)


def _pay(plan: Plan) -> Linear:
    """Payouts, without money from nowhere."""
    return plan.want(Quantity.PAYOUT) + plan.want(Quantity.RESCUE, -1000.0)


def _beyond_received(plan: Plan) -> list[float]:
    """Payouts less what came from borrowers, less overhead and coupons that raised money paid for. [$M]"""
    found = []
    for n in _open(plan):
        path = plan.tree.path(n)
        cash = plan.company.cash
        came = sum(plan.at(Quantity.DISTRIBUTED, m) - plan.at(Quantity.CONTRIBUTED, m) for m in path)
        opening = [cash.cash[plan.tree.parent[m]].value if m else PARENTS_USD_M for m in path]
        yields = [max(0.0, plan.market(m).base_rate_frac - 0.04) / 4.0 for m in path]
        raised = [_net_raised(plan, m) for m in path]
        came += sum(y * (o + 0.5 * r) for y, o, r in zip(yields, opening, raised, strict=True))
        came += sum(float(cash.spent[m].value) for m in path)
        paid = sum(plan.at(Quantity.PAYOUT, m) for m in path)
        found.append((paid - came) * _harvests(plan, n))
    return found


def _net_raised(plan: Plan, n: int) -> float:
    discounts = {str(x.block): x.discount_frac for x in plan.portfolio.impact}
    fee = next(i.fee_frac for i in plan.portfolio.instruments if i.kind == "atm")
    return sum(plan.at(Quantity.ATM, n, since=b) * (1.0 - d) * (1.0 - fee) for b, d in discounts.items())


def _uncovered(plan: Plan) -> list[float]:
    """Notes outstanding above cash, in a harvest; notes of the factory outlive the plan. [$M]"""
    return [
        (plan.up_to(Quantity.NOTES, n) - company_cash_usd_m(plan, n)) * _harvests(plan, n)
        for n in _open(plan)
    ]


BITES = (
    Bite("HRV-1", _idle, _one_payout, _ended, everywhere=False),
    Bite("HRV-2", _merchant, _both(*HALLS), _in_harvest(*HALLS), name="begun"),
    Bite("HRV-2", _placing, _both(*PLACED), _in_harvest(*PLACED), name="placed"),
    Bite("HRV-2", _idle, _both(*SOLD), _in_harvest(*SOLD), name="raised"),
    Bite("HRV-2", _lent, _both(*LENT), _in_harvest(*LENT), name="lent"),
    Bite("HRV-3", _idle, _pay, _without_harvest),
    Bite("HRV-4", _idle, _raise_and_harvest, _unspent),
    Bite("HRV-5", _earning, _pay, _beyond_received),
    Bite("HRV-6", _borrower, lambda plan: _pay(plan) + plan.want(Quantity.NOTES, 0.1), _uncovered),
)


@pytest.mark.parametrize("check", cases(BITES))
def test_bite(check: Callable[[], None]) -> None:
    check()


def test_all_that_is_begun_or_raised_is_pressed_on() -> None:
    assert set(HALLS + PLACED + SOLD + LENT) == BEGUN | RAISED


@pytest.mark.parametrize("quantity", PLACED + LENT)
def test_pressed_on_alone(quantity: Quantity) -> None:
    """Each of what two bites press on together is decided before the harvest, or in it without the rule."""
    portfolio = _lent if quantity in LENT else _placing
    show(Bite("HRV-2", portfolio, _both(quantity), _in_harvest(quantity)), chain_of)
