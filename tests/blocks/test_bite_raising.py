"""CVT, EQT: notes and shares sold, deal by deal and block by block."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from optimizer.solve.matrix import compile_matrix
from tests.blocks.bite import Bite, Plan, built, cases, solved
from tests.blocks.hand import idle, rich
from tests.portfolios import (
    add_deals,
    add_notes,
    add_share_claims,
    small,
    tree_of,
    with_company,
    with_row,
)

BLOCKS = ("1", "2")
BLOCK_SHARES_M = 5.0
"""A tenth of a million shares traded on each of fifty days, in each of two blocks."""
DEAL, NOTE = "deal", "note"


def _raising() -> Portfolio:
    return idle(rich(add_deals(small())))


def _launched(plan: Plan, item: str, n: int) -> float:
    flags = plan.company.convertibles.is_issued if item == NOTE else plan.company.equity.is_follow_on
    return float(flags[item, n].value)


def _launches(plan: Plan, item: str, coef: float) -> Linear:
    flags = plan.company.convertibles.is_issued if item == NOTE else plan.company.equity.is_follow_on
    return Linear([coef] * len(flags), list(flags.values()))


def _largest_usd_m(plan: Plan, n: int) -> float:
    """300, and half of 100 M shares."""
    return min(300.0, 0.5 * 100.0 * plan.price_usd(n))


def _too_large(item: str, quantity: Quantity) -> Callable[[Plan], list[float]]:
    def excess(plan: Plan) -> list[float]:
        return [
            plan.at(quantity, n, item=item) - _largest_usd_m(plan, n) * _launched(plan, item, n)
            for n in plan.tree.nodes
        ]

    return excess


def _too_small(item: str, quantity: Quantity) -> Callable[[Plan], list[float]]:
    def excess(plan: Plan) -> list[float]:
        return [50.0 * _launched(plan, item, n) - plan.at(quantity, n, item=item) for n in plan.tree.nodes]

    return excess


def _too_often(item: str) -> Callable[[Plan], list[float]]:
    def excess(plan: Plan) -> list[float]:
        path = plan.tree.path
        return [sum(_launched(plan, item, m) for m in path(n)[-2:]) - 1.0 for n in plan.tree.nodes]

    return excess


def _tiny(item: str, quantity: Quantity) -> Callable[[Plan], Linear]:
    return lambda plan: _launches(plan, item, 1.0) + plan.want(quantity, -0.01)


def _most_sold(plan: Plan) -> Linear:
    return plan.want(Quantity.ATM)


def _steady() -> Portfolio:
    """The share keeps its price, so that a block has one size."""
    p = idle(rich())
    rows = tuple(row.model_copy(update={"ai_equity_idx": 1.0}) for row in p.market)
    return p.model_copy(update={"market": rows})


def _over_block(plan: Plan) -> list[float]:
    """5 M shares of a block, 50 $M, in two quarters. [$M]"""
    ages = range(2)
    return [
        plan.aged(Quantity.ATM, n, ages, since=d) - BLOCK_SHARES_M * 10.0
        for d in BLOCKS
        for n in plan.tree.nodes
    ]


def _short_programme() -> Portfolio:
    return with_company(_steady(), atm_left_usd_m=100.0)


def _over_programme(plan: Plan) -> list[float]:
    return [plan.up_to(Quantity.ATM, leaf) - 100.0 for leaf in plan.tree.leaves]


def _over_quarter(plan: Plan) -> list[float]:
    return [plan.at(Quantity.ATM, n) - 80.0 for n in plan.tree.nodes]


def _unlocked() -> Portfolio:
    p = _raising()
    return with_row(with_row(p, "instruments", DEAL, lockup_after_q=0), "instruments", NOTE, lockup_after_q=0)


def _locked() -> Portfolio:
    return with_row(
        with_row(_raising(), "instruments", DEAL, drop_lasts_q=0), "instruments", NOTE, drop_lasts_q=0
    )


def _deal_and_sell(plan: Plan) -> Linear:
    deals = _launches(plan, DEAL, 100.0) + _launches(plan, NOTE, 100.0)
    return deals + plan.want(Quantity.ATM)


def _not_quiet(shut: tuple[str, ...]) -> Callable[[Plan], list[float]]:
    """Blocks that are shut in the quarter of a deal and the next. [$M]"""

    def excess(plan: Plan) -> list[float]:
        found = []
        for n in plan.tree.nodes:
            deals = sum(_launched(plan, item, m) for item in (DEAL, NOTE) for m in plan.tree.path(n)[-2:])
            sold = sum(plan.at(Quantity.ATM, n, since=d) for d in shut)
            found.append(sold if deals > 0.5 else 0.0)
        return found

    return excess


def _few_shares() -> Portfolio:
    p = add_share_claims(add_notes(add_deals(small())))
    return with_company(idle(rich(p)), authorised_shares_m=130.0)


def _sell_everything(plan: Plan) -> Linear:
    return plan.want(Quantity.ATM) + plan.want(Quantity.FOLLOW_ON) + plan.want(Quantity.ISSUE)


def _unauthorised(plan: Plan) -> list[float]:
    """130 M: outstanding, awarded, sold, reserved for options, warrants and notes old and new. [M shares]"""
    found = []
    for n in plan.tree.nodes:
        shares = 100.0 + 0.5 * (plan.tree.period[n] + 1) + (2.0 + 1.0) + (50.0 / 20.0 + 80.0 / 12.5)
        for m in plan.tree.path(n):
            price = plan.price_usd(m)
            shares += (plan.at(Quantity.ATM, m) + plan.at(Quantity.FOLLOW_ON, m)) / price
            shares += plan.at(Quantity.ISSUE, m) / (price * 0.96 * 1.25)
        found.append(shares - 130.0)
    return found


BITES = (
    Bite(
        "CVT-1",
        _raising,
        lambda p: p.want(Quantity.ISSUE),
        _too_large(NOTE, Quantity.ISSUE),
        everywhere=True,
        name="most",
    ),
    Bite("CVT-1", _raising, _tiny(NOTE, Quantity.ISSUE), _too_small(NOTE, Quantity.ISSUE), name="least"),
    Bite("CVT-2", _raising, lambda p: _launches(p, NOTE, 1.0), _too_often(NOTE)),
    Bite("EQT-1", _steady, _most_sold, _over_block),
    Bite("EQT-2", _short_programme, _most_sold, _over_programme, everywhere=True, name="programme"),
    Bite("EQT-2", lambda: idle(rich()), _most_sold, _over_quarter, name="quarter"),
    Bite("EQT-3", _unlocked, _deal_and_sell, _not_quiet(("1",)), name="cheap-blocks"),
    Bite("EQT-3", _locked, _deal_and_sell, _not_quiet(BLOCKS), name="lock-up"),
    Bite(
        "EQT-4",
        _raising,
        lambda p: p.want(Quantity.FOLLOW_ON),
        _too_large(DEAL, Quantity.FOLLOW_ON),
        everywhere=True,
        name="most",
    ),
    Bite(
        "EQT-4", _raising, _tiny(DEAL, Quantity.FOLLOW_ON), _too_small(DEAL, Quantity.FOLLOW_ON), name="least"
    ),
    Bite("CVT-2", _raising, lambda p: _launches(p, DEAL, 1.0), _too_often(DEAL), name="follow-ons"),
    Bite("EQT-5", _few_shares, _sell_everything, _unauthorised),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()


def test_a_price_that_may_fall_shuts_no_earlier_sale() -> None:
    """5 M shares at 10 are 50 $M, whatever they would fetch in ``down`` a quarter later. [$M]"""
    plan = built(idle(rich()), tree_of)
    before = plan.tree.parent[plan.tree.scenario.index("down")]
    result = solved(compile_matrix(plan.program.model), plan.want(Quantity.ATM, node=before, since="1"))
    assert result.value == pytest.approx(50.0)
