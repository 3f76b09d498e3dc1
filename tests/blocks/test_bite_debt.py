"""TRE: notes in blocks of leverage, a revolver, convertibles bought back; and what they do to other rules.

The figures are those of ``tests.portfolios``: notes of 98 cents net at 9 % (10 % from 150 of debt on), a
revolver of 40 at 6 % with 0.4 % on what is undrawn and 1 % at the start, a convertible of 40 at 10 %, struck
at 12, that costs 1.01 times par or parity.
"""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import company_cash_usd_m, idle, liquidity_usd_m, rich
from tests.portfolios import (
    add_corporate_debt,
    add_deals,
    add_debt,
    add_other_business,
    add_repurchase,
    covenant,
    small,
    with_all,
    with_company,
    with_row,
    with_rows,
    without,
)

BOND, LINE, BUYBACK, FIRST_BLOCK_USD_M = "bond", "line", "buyback", 150.0
LINE_ENDS = 4
"""Quarter at whose end the revolver is repaid."""
LOAN_USD_M = (40.0, 40.0, 40.0, 40.0, 40.0, 0.0)
STANDING_USES_USD_M = 2.0
"""A quarter: one of overhead, a half of fixed costs at each site."""


def _borrowing(p: Portfolio | None = None) -> Portfolio:
    return idle(rich(add_corporate_debt(p or small())))


def _unblocked() -> Portfolio:
    return without(_borrowing(), "leverage_blocks")


def _short_notes() -> Portfolio:
    """Repaid at the end of the quarter after their own."""
    return with_row(_borrowing(), "instruments", BOND, tenor_q=2)


def _buying() -> Portfolio:
    return idle(rich(add_repurchase(small())))


def _buying_freely() -> Portfolio:
    return with_row(_buying(), "instruments", BUYBACK, max_usd_m=1000.0)


def _duty(p: Portfolio) -> Portfolio:
    """With the duty to spend what is raised."""
    return with_company(p, raise_only_what_is_spent=True)


def _launched(plan: Plan, n: int) -> float:
    return float(plan.company.notes.is_issued[BOND, n].value)


def _launches(plan: Plan, coef: float) -> Linear:
    flags = plan.company.notes.is_issued
    return Linear([coef] * len(flags), list(flags.values()))


def _too_large(plan: Plan) -> list[float]:
    """300, and half of 100 M shares at the deck's price. [$M]"""
    most = {n: min(300.0, 50.0 * plan.price_usd(n)) for n in plan.tree.nodes}
    return [plan.at(Quantity.NOTES, n) - most[n] * _launched(plan, n) for n in plan.tree.nodes]


def _too_small(plan: Plan) -> list[float]:
    return [20.0 * _launched(plan, n) - plan.at(Quantity.NOTES, n) for n in plan.tree.nodes]


def _too_often(plan: Plan) -> list[float]:
    path = plan.tree.path
    return [sum(_launched(plan, m) for m in path(n)[-2:]) - 1.0 for n in plan.tree.nodes]


def _held_usd_m(plan: Plan, n: int, life_q: int) -> float:
    """In the first block from before: notes as long as they live, convertibles all along. [$M]"""
    notes = plan.aged(Quantity.NOTES, n, range(1, life_q), since="1")
    return notes + plan.aged(Quantity.ISSUE, n, range(1, 6), since="1")


def _beyond_block(loan: tuple[float, ...] = (0.0,) * 6, life_q: int = 8) -> Callable[[Plan], list[float]]:
    def excess(plan: Plan) -> list[float]:
        found = []
        for n in plan.tree.nodes:
            cheap = sum(plan.at(q, n, since="1") for q in (Quantity.NOTES, Quantity.ISSUE))
            stands = loan[plan.tree.period[n]] + _held_usd_m(plan, n, life_q)
            found.append(cheap - max(0.0, FIRST_BLOCK_USD_M - stands))
        return found

    return excess


def _cheap(plan: Plan) -> Linear:
    wanted = plan.want(Quantity.NOTES, since="1") + plan.want(Quantity.ISSUE, since="1")
    return wanted + plan.want(Quantity.NOTES, -0.01, since="2") + plan.want(Quantity.ISSUE, -0.01, since="2")


def _beyond_last_block(plan: Plan) -> list[float]:
    """500 of debt is the most that anyone lends up to. [$M]"""
    return [plan.up_to(Quantity.NOTES, n) - 500.0 for n in plan.tree.nodes]


def _arranged(plan: Plan) -> float:
    return float(plan.company.revolver.is_arranged[LINE, 0].value)


def _owed_usd_m(plan: Plan, n: int) -> float:
    """Drawn and not repaid. [$M]"""
    return plan.up_to(Quantity.DRAWN, n) - plan.up_to(Quantity.REPAID, n) if n >= 0 else 0.0


def _unrolled(plan: Plan) -> list[float]:
    """The balance is what was drawn and not repaid; nothing is left when the revolver ends. [$M]"""
    balance = plan.company.revolver.balance_usd_m
    return [
        abs((float(balance[LINE, n].value) if (LINE, n) in balance else 0.0) - _owed_usd_m(plan, n))
        for n in plan.tree.nodes
    ]


def _repaid_unowed(plan: Plan) -> list[float]:
    return [plan.at(Quantity.REPAID, n) - _owed_usd_m(plan, plan.tree.parent[n]) for n in plan.tree.nodes]


def _overdrawn(plan: Plan) -> list[float]:
    return [_owed_usd_m(plan, n) - plan.up_to(Quantity.COMMIT, n) for n in plan.tree.nodes]


def _draw(plan: Plan) -> Linear:
    return plan.want(Quantity.DRAWN) + plan.want(Quantity.REPAID, -0.5)


def _bought_twice(plan: Plan) -> list[float]:
    return [plan.up_to(Quantity.REPURCHASE, leaf) - 1.0 for leaf in plan.tree.leaves]


def _price_usd_m(plan: Plan, n: int) -> float:
    """Of the whole tranche: 1.01 times par, or parity where the share stands above 12. [$M]"""
    return 40.0 * 1.01 * max(1.0, plan.price_usd(n) / 12.0)


def _overpaid(plan: Plan) -> list[float]:
    return [_price_usd_m(plan, n) * plan.at(Quantity.REPURCHASE, n) - 30.0 for n in plan.tree.nodes]


def _everything() -> Portfolio:
    """Notes, revolver, repurchases and shares, and sites that cost two a quarter with the overhead."""
    return _duty(with_row(_borrowing(add_repurchase(small())), "instruments", BOND, tenor_q=2))


def _refinanced() -> Portfolio:
    """The same with notes of three quarters: before they fall due, others may be sold to repay them."""
    return with_row(_everything(), "instruments", BOND, tenor_q=3)


def _raised_usd_m(plan: Plan, n: int) -> float:
    shares = 0.98 * plan.at(Quantity.ATM, n, since="1") + 0.95 * plan.at(Quantity.ATM, n, since="2")
    return shares + 0.98 * plan.at(Quantity.NOTES, n)


def _interest_usd_m(plan: Plan, n: int) -> float:
    """Notes at 9 or 10 % in their two quarters, the revolver, and the coupons that are left. [$M]"""
    notes = sum(
        rate / 4.0 * plan.aged(Quantity.NOTES, n, range(2), since=block)
        for block, rate in (("1", 0.09), ("2", 0.1))
    )
    opening, runs = _owed_usd_m(plan, plan.tree.parent[n]), plan.tree.period[n] <= LINE_ENDS
    line = 0.06 / 4.0 * opening + 0.001 * (plan.up_to(Quantity.COMMIT, n) - opening) if runs else 0.0
    return notes + line + 1.0 * (1.0 - plan.up_to(Quantity.REPURCHASE, n))


def _repaid_usd_m(plan: Plan, n: int) -> float:
    """Notes of the quarter before, the revolver, and the price of notes bought back. [$M]"""
    due = plan.aged(Quantity.NOTES, n, range(1, 2)) + plan.at(Quantity.REPAID, n)
    return due + _price_usd_m(plan, n) * plan.at(Quantity.REPURCHASE, n)


def _company_cash(plan: Plan) -> list[float]:
    """3,000 at the opening, what comes in and what is paid. [$M]"""
    found, cash = [], {-1: 3000.0}
    for n in plan.tree.nodes:
        came = _raised_usd_m(plan, n) + plan.at(Quantity.DRAWN, n) + plan.at(Quantity.RESCUE, n)
        came += plan.at(Quantity.DISTRIBUTED, n) - plan.at(Quantity.CONTRIBUTED, n)
        paid = 1.0 + _interest_usd_m(plan, n) + _repaid_usd_m(plan, n) + 0.01 * plan.at(Quantity.COMMIT, n)
        cash[n] = cash[plan.tree.parent[n]] + came - paid
        found.append(abs(company_cash_usd_m(plan, n) - cash[n]))
    return found


def _most_cash(plan: Plan) -> Linear:
    cash = list(plan.company.cash.cash.values())
    trade = (
        plan.want(Quantity.NOTES, 0.1) + plan.want(Quantity.DRAWN, 0.2) + plan.want(Quantity.REPURCHASE, 9.0)
    )
    return Linear([0.01] * len(cash), cash) + trade + plan.want(Quantity.RESCUE, -10.0)


def _unspent(plan: Plan, n: int) -> float:
    return float(plan.company.cash.unspent[n].value)


def _spent(plan: Plan, n: int) -> float:
    return float(plan.company.cash.spent[n].value)


def _lost_track(plan: Plan) -> list[float]:
    """All raised and drawn is spent or unspent. [$M]"""
    return [
        abs(
            _unspent(plan, n)
            - sum(
                _raised_usd_m(plan, m) + plan.at(Quantity.DRAWN, m) - _spent(plan, m)
                for m in plan.tree.path(n)
            )
        )
        for n in plan.tree.nodes
    ]


def _misspent(plan: Plan) -> list[float]:
    """Raised money pays two of standing uses, the coupons that are left, and what is repaid. [$M]"""
    return [
        _spent(plan, n)
        - STANDING_USES_USD_M
        - 1.0 * (1.0 - plan.up_to(Quantity.REPURCHASE, n))
        - _repaid_usd_m(plan, n)
        for n in plan.tree.nodes
    ]


def _without_use(plan: Plan) -> list[float]:
    """Unspent money will go into four quarters of uses and older notes that fall due in the next. [$M]"""
    found = []
    for n in plan.tree.nodes:
        quarters = min(4, plan.tree.horizon_q - 1 - plan.tree.period[n])
        coupons = 1.0 * (1.0 - plan.up_to(Quantity.REPURCHASE, n))
        due = plan.aged(Quantity.NOTES, n, range(1, 2)) if quarters else 0.0
        found.append(_unspent(plan, n) - quarters * (STANDING_USES_USD_M + coupons) - due)
    return found


def _raise_early(plan: Plan) -> Linear:
    unspent = plan.company.cash.unspent
    kept = Linear([10.0 - plan.tree.period[n] for n in unspent], list(unspent.values()))
    return kept + plan.want(Quantity.NOTES, 0.1) + plan.want(Quantity.REPURCHASE, 0.1)


def _spend(plan: Plan) -> Linear:
    spent = plan.company.cash.spent
    return Linear([1.0] * len(spent), list(spent.values())) + plan.want(Quantity.REPURCHASE, 0.1)


def _tested(metric: str, threshold: float) -> Portfolio:
    """Cash of 10 at the sites and 20 in the company."""
    p = with_row(add_repurchase(add_corporate_debt(small())), "instruments", BOND, tenor_q=2)
    p = with_all(idle(add_other_business(p)), "entities", unrestricted_cash_usd_m=5.0)
    p = with_row(p, "entities", "parent", unrestricted_cash_usd_m=20.0)
    return with_rows(p, "covenants", covenant(metric, threshold))


def _borrow(plan: Plan) -> Linear:
    wanted = plan.want(Quantity.NOTES) + plan.want(Quantity.DRAWN, 0.5)
    return wanted + plan.want(Quantity.RESCUE, -1000.0) + plan.want(Quantity.ATM, -0.01)


def _overlent(plan: Plan) -> list[float]:
    """Notes, the revolver and the tranche less cash within twice a year's EBITDA, nil but for rescue. [$M]"""
    return [
        plan.at(Quantity.NOTES, n)
        + _owed_usd_m(plan, n)
        + 40.0 * (1.0 - plan.up_to(Quantity.REPURCHASE, n))
        - liquidity_usd_m(plan, n)
        - 8.0 * plan.at(Quantity.RESCUE, n)
        for n in plan.tree.nodes
    ]


def _uncovered(plan: Plan) -> list[float]:
    """EBITDA of nil and rescue are half the interest at least. [$M]"""
    return [0.5 * _interest_usd_m(plan, n) - plan.at(Quantity.RESCUE, n) for n in plan.tree.nodes]


def _few_shares() -> Portfolio:
    """104 M may exist: 100 do, 40/12 are reserved."""
    return with_company(_buying_freely(), authorised_shares_m=104.0)


def _unauthorised(plan: Plan) -> list[float]:
    """Shares sold, and those that the tranche still reserves. [M shares]"""
    found = []
    for n in plan.tree.nodes:
        sold = sum(plan.at(Quantity.ATM, m) / plan.price_usd(m) for m in plan.tree.path(n))
        found.append(sold + 40.0 / 12.0 * (1.0 - plan.up_to(Quantity.REPURCHASE, n)) - 4.0)
    return found


BITES = (
    Bite("TRE-11", _unblocked, lambda p: p.want(Quantity.NOTES), _too_large, everywhere=True, name="most"),
    Bite("TRE-11", _unblocked, lambda p: _launches(p, 1.0) + p.want(Quantity.NOTES, -0.01), _too_small),
    Bite("TRE-12", _unblocked, lambda p: _launches(p, 1.0), _too_often),
    Bite("TRE-13", _borrowing, _cheap, _beyond_block()),
    Bite("TRE-13", lambda: _borrowing(add_debt(small())), _cheap, _beyond_block(LOAN_USD_M), name="loan"),
    Bite("TRE-13", _short_notes, _cheap, _beyond_block(life_q=1), everywhere=False, name="repaid"),
    Bite("TRE-13", lambda: _borrowing(add_deals(small())), _cheap, _beyond_block(), name="two kinds"),
    Bite("TRE-13", _borrowing, lambda p: p.want(Quantity.NOTES), _beyond_last_block, name="last"),
    Bite("TRE-14", _borrowing, lambda p: p.want(Quantity.COMMIT), lambda p: [
        p.at(Quantity.COMMIT, 0) - 40.0 * _arranged(p)], name="most"),
    Bite("TRE-14", _borrowing, lambda p: p.want(Quantity.COMMIT, -1.0) + Linear(
        [20.0], [p.company.revolver.is_arranged[LINE, 0]]), lambda p: [
        10.0 * _arranged(p) - p.at(Quantity.COMMIT, 0)], name="least"),
    Bite("TRE-15", _borrowing, lambda p: p.want(Quantity.DRAWN), _unrolled, name="rolls"),
    Bite("TRE-15", _borrowing, lambda p: p.want(Quantity.REPAID), _repaid_unowed, name="repaid"),
    Bite("TRE-16", _borrowing, _draw, _overdrawn),
    Bite("TRE-17", _buying_freely, lambda p: p.want(Quantity.REPURCHASE), _bought_twice, everywhere=True),
    Bite("TRE-18", _buying, lambda p: p.want(Quantity.REPURCHASE, node=0), _overpaid),
    Bite("CSH-1", _everything, _most_cash, _company_cash, name="of debt"),
    Bite("CSH-3", _everything, _raise_early, _lost_track, name="of debt"),
    Bite("CSH-4", _everything, _spend, _misspent, name="of debt"),
    Bite("CSH-5", _refinanced, _raise_early, _without_use, name="of debt"),
    Bite("COV-2", lambda: _tested("net_debt_to_ebitda", 2.0), _borrow, _overlent, name="of debt"),
    Bite("COV-3", lambda: _tested("interest_cover", 0.5), _borrow, _uncovered, name="of debt"),
    Bite("EQT-5", _few_shares, lambda p: p.want(Quantity.ATM), _unauthorised, name="bought back"),
)  # fmt: skip


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
