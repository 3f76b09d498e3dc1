"""PRJ, SPV, CSH: project debt, the cash of borrowers and of the company, and what raised money is for."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import (
    company_cash_usd_m,
    halls,
    idle,
    late_loss_usd_m,
    merchant,
    own_spend_usd_m,
    remaining_own_usd_m,
    rich,
)
from tests.portfolios import (
    SITES,
    add_notes,
    add_project_debt,
    small,
    with_all,
    with_company,
    with_row,
    without,
)

ATM_NET = {"1": 0.98, "2": 0.95}
"""Cash of a gross dollar of shares sold, by discount block."""
CORPORATE_USES_USD_M = 2.0
"""A quarter: one of overhead, a half of fixed costs at each site."""


def _financed(plan: Plan) -> list[float]:
    """At the start and at completion together, no more halls are financed than are begun. [modules]"""
    tree = plan.tree
    return [
        plan.up_to(Quantity.FINANCED, leaf, site=site, contract="lease", since=tree.label(b))
        - plan.at(Quantity.START, b, site=site, contract="lease")
        for site in SITES
        for leaf in tree.leaves
        for b in tree.path(leaf)
    ]


def _borrowers_cash(plan: Plan) -> list[float]:
    """20 at the opening, with what it is given, less a half a quarter, is all that it can hand up. [$M]"""
    return [
        plan.up_to(Quantity.DISTRIBUTED, n, item=f"{site}-co")
        - plan.up_to(Quantity.CONTRIBUTED, n, item=f"{site}-co")
        - (20.0 - 0.5 * (plan.tree.period[n] + 1))
        for site in SITES
        for n in plan.tree.nodes
    ]


def _hand_up(plan: Plan) -> Linear:
    return plan.want(Quantity.DISTRIBUTED) + plan.want(Quantity.CONTRIBUTED, -1.0)


def _raised_usd_m(plan: Plan, n: int) -> float:
    return sum(net * plan.at(Quantity.ATM, n, since=block) for block, net in ATM_NET.items())


def _company_cash(plan: Plan) -> list[float]:
    """200 at the opening and what comes in, less what sites are given and one a quarter of overhead. [$M]"""
    found = []
    for n in plan.tree.nodes:
        path = plan.tree.path(n)
        came = plan.up_to(Quantity.DISTRIBUTED, n) + plan.up_to(Quantity.RESCUE, n)
        came += sum(_raised_usd_m(plan, m) for m in path)
        gone = plan.up_to(Quantity.CONTRIBUTED, n) + 1.0 * len(path)
        found.append(abs(company_cash_usd_m(plan, n) - (200.0 + came - gone)))
    return found


def _most_cash(plan: Plan) -> Linear:
    cash = list(plan.company.cash.cash.values())
    return Linear([1.0] * len(cash), cash)


def _drain(plan: Plan) -> Linear:
    return (
        plan.want(Quantity.CONTRIBUTED)
        + plan.want(Quantity.START, 100.0)
        + plan.want(Quantity.RESCUE, -100.0)
        + plan.want(Quantity.DISTRIBUTED, -10.0)
    )


def _below_floor(plan: Plan) -> list[float]:
    """Ten are kept, and the first rent of each hall is not counted on. [$M]"""
    return [late_loss_usd_m(plan, n) + 10.0 - company_cash_usd_m(plan, n) for n in plan.tree.nodes]


def _due_in_full() -> Portfolio:
    """50 due in the fifth quarter, surely taken in shares: struck at 4, the share stands at 5 to 20."""
    p = with_row(without(add_notes(small()), "convertibles", "later"), "convertibles", "due", coupon_frac=0.0)
    p = with_row(p, "convertibles", "due", settlement="physical", conversion_price_usd=4.0)
    return idle(with_all(p, "market", share_vol_frac=1e-6))


def _drain_early(plan: Plan) -> Linear:
    wanted = plan.want(Quantity.RESCUE, -100.0) + plan.want(Quantity.DISTRIBUTED, -20.0)
    for n in plan.tree.nodes:
        wanted = wanted + plan.want(Quantity.CONTRIBUTED, 10.0 - plan.tree.period[n], node=n)
    return wanted


def _below_wall(plan: Plan) -> list[float]:
    """Ten are kept, and fifty more in the quarter in which the notes fall due. [$M]"""
    return [10.0 + 50.0 * (plan.tree.period[n] == 4) - company_cash_usd_m(plan, n) for n in plan.tree.nodes]


def _unspent(plan: Plan, n: int) -> float:
    return float(plan.company.cash.unspent[n].value)


def _spent(plan: Plan, n: int) -> float:
    return float(plan.company.cash.spent[n].value)


def _sell(plan: Plan) -> Linear:
    unspent = list(plan.company.cash.unspent.values())
    return plan.want(Quantity.ATM) + Linear([-0.01] * len(unspent), unspent)


def _lost_track(plan: Plan) -> list[float]:
    """All raised is spent or unspent. [$M]"""
    path = plan.tree.path
    return [
        abs(_unspent(plan, n) - sum(_raised_usd_m(plan, m) - _spent(plan, m) for m in path(n)))
        for n in plan.tree.nodes
    ]


def _spend_early(plan: Plan) -> Linear:
    first = plan.company.cash
    return Linear([1.0, -2.0], [first.spent[0], first.unspent[0]]) + plan.want(Quantity.ATM)


def _misspent(plan: Plan) -> list[float]:
    """Raised money goes into own spend and corporate uses. [$M]"""
    return [_spent(plan, n) - own_spend_usd_m(plan, n) - CORPORATE_USES_USD_M for n in plan.tree.nodes]


def _sell_early(plan: Plan) -> Linear:
    wanted = plan.want(Quantity.START, -1.0)
    for n in plan.tree.nodes:
        wanted = wanted + plan.want(Quantity.ATM, 10.0 - plan.tree.period[n], node=n)
    return wanted


def _without_use(plan: Plan) -> list[float]:
    """What is unspent will go into halls begun and four quarters of corporate uses at most. [$M]"""
    last = plan.tree.horizon_q - 1
    return [
        _unspent(plan, n)
        - remaining_own_usd_m(plan, n)
        - CORPORATE_USES_USD_M * min(4, last - plan.tree.period[n])
        for n in plan.tree.nodes
    ]


def _lavish() -> Portfolio:
    """Halls and shares enough to sell, and a duty to spend what is raised."""
    return with_company(halls(rich()), raise_only_what_is_spent=True, traded_shares_m_per_day=5.0)


def _lent() -> Portfolio:
    return halls(rich(add_project_debt(small())))


BITES = (
    Bite("PRJ-1", _lent, lambda p: p.want(Quantity.FINANCED) + p.want(Quantity.START, 0.1), _financed),
    Bite("SPV-1", idle, _hand_up, _borrowers_cash),
    Bite("CSH-1", idle, lambda p: _most_cash(p) + p.want(Quantity.RESCUE, -10.0), _company_cash),
    Bite("CSH-2", merchant, _drain, _below_floor),
    Bite("CSH-2", _due_in_full, _drain_early, _below_wall, name="with notes due"),
    Bite("CSH-3", _lavish, _sell, _lost_track),
    Bite("CSH-4", _lavish, _spend_early, _misspent),
    Bite("CSH-5", _lavish, _sell_early, _without_use),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
