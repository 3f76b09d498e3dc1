"""TRE: coins sold, kept and pledged, loans against them, balloons rolled."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import idle, rich
from tests.portfolios import add_refinancing, add_treasury, quarter, small, with_row

COINS = {
    "free": ("parent", 300.0, 0.5),
    "pledged": ("parent", 200.0, 1.0),
    "n-coins": ("north-co", 20.0, 0.5),
}
"""Lots: owner, coins at the opening, and what may be sold of them in a quarter."""
LOAN, LINE, LOAN_USD_M, DUE, TENOR_Q = "coin-loan", "coin-line", 10.0, 4, 2


def _holding() -> Portfolio:
    return idle(rich(add_treasury(small())))


def _usd_m(plan: Plan, n: int) -> float:
    """A coin at its mean price: 0.1 on the base, half as much again in ``up``, half in ``down``."""
    return plan.market(n).btc_usd / 1e6


def _trough_usd_m(plan: Plan, n: int) -> float:
    return (plan.market(n).btc_trough_usd or plan.market(n).btc_usd) / 1e6


def _held(plan: Plan, lot: str, n: int) -> float:
    owner = COINS[lot][0]
    block = plan.company if owner == "parent" else plan.program.model.borrower[owner]
    return float(block.coins.held_btc[lot, n].value)


def _lost_coins(plan: Plan) -> list[float]:
    """Coins held are those of the opening less all sold since. [BTC]"""
    return [
        abs(_held(plan, lot, n) - btc + plan.up_to(Quantity.SOLD_BTC, n, item=lot))
        for lot, (_, btc, _) in COINS.items()
        for n in plan.tree.nodes
    ]


def _keep_and_sell(plan: Plan) -> Linear:
    held = list(plan.company.coins.held_btc.values())
    return plan.want(Quantity.SOLD_BTC) + Linear([1.0] * len(held), held)


def _sell_early(plan: Plan) -> Linear:
    wanted = Linear()
    for n in plan.tree.nodes:
        wanted = wanted + plan.want(Quantity.SOLD_BTC, 10.0 - plan.tree.period[n], node=n)
    return wanted


def _sold_at_once(plan: Plan) -> list[float]:
    return [
        plan.at(Quantity.SOLD_BTC, n, item=lot) - frac * btc
        for lot, (_, btc, frac) in COINS.items()
        for n in plan.tree.nodes
    ]


def _all_sold(plan: Plan) -> list[float]:
    """Fifty coins are kept. [BTC]"""
    return [50.0 - (300.0 - plan.up_to(Quantity.SOLD_BTC, leaf, item="free")) for leaf in plan.tree.leaves]


def _runs(plan: Plan, issue: int, n: int) -> tuple[bool, bool]:
    """Whether a loan of the line is owed in a quarter, and whether it is after it."""
    age = plan.tree.period[n] - plan.tree.period[issue] if issue in plan.tree.path(n) else -1
    return 1 <= age <= TENOR_Q, 0 <= age < TENOR_Q


def _securing(plan: Plan, lot: str, n: int, *, after: bool) -> float:
    """Coins of a lot that secure loans in a quarter, or after it. [BTC]"""
    runs_on = plan.tree.period[n] < DUE if after else plan.tree.period[n] <= DUE
    coins = 0.0
    if runs_on:
        coins += COINS[lot][1] * (lot == "pledged") + plan.up_to(
            Quantity.PLEDGED_BTC, n, item=lot, contract=LOAN
        )
    for issue in plan.tree.path(n):
        if _runs(plan, issue, n)[after]:
            label = plan.tree.label(issue)
            coins += plan.up_to(Quantity.PLEDGED_BTC, n, item=lot, contract=LINE, since=label)
    return coins


def _pledged_twice(plan: Plan) -> list[float]:
    return [
        _securing(plan, lot, n, after=after) - _held(plan, lot, n)
        for lot in ("free", "pledged")
        for n in plan.tree.nodes
        for after in (False, True)
    ]


def _pledge_and_sell(plan: Plan) -> Linear:
    return plan.want(Quantity.PLEDGED_BTC) + plan.want(Quantity.SOLD_BTC, 0.5)


def _fallen() -> Portfolio:
    """A quarter in which a coin is worth 40,000 for a while: 200 of them secure six of the ten owed."""
    return with_row(_holding(), "market", f"base|{quarter(2)}", btc_trough_usd=40_000.0)


def _cover(plan: Plan, n: int, loan: str, since: str = "") -> float:
    coins = 200.0 * (loan == LOAN)
    return coins + plan.up_to(Quantity.PLEDGED_BTC, n, contract=loan, since=since)


def _called(plan: Plan) -> list[float]:
    """Three quarters of the coins at the trough, and cash beside them, cover what is owed. [$M]"""
    return [
        LOAN_USD_M
        - 0.75 * _trough_usd_m(plan, n) * _cover(plan, n, LOAN)
        - plan.at(Quantity.CASH_MARGIN, n, item=LOAN)
        for n in plan.tree.nodes
        if plan.tree.period[n] <= DUE
    ]


def _least_collateral(plan: Plan) -> Linear:
    return plan.want(Quantity.PLEDGED_BTC, -0.1) + plan.want(Quantity.CASH_MARGIN, -1.0)


def _borrow(plan: Plan) -> Linear:
    return plan.want(Quantity.BORROWED) + plan.want(Quantity.PLEDGED_BTC, -1e-3)


def _line_called(plan: Plan) -> list[float]:
    """Four fifths of the coins at the trough cover a loan of the line while it runs. [$M]"""
    return [
        plan.at(Quantity.BORROWED, issue) - 0.8 * _trough_usd_m(plan, n) * _cover(plan, n, LINE, label)
        for n in plan.tree.nodes
        for issue in plan.tree.path(n)
        for label in (plan.tree.label(issue),)
        if _runs(plan, issue, n)[0]
    ]


def _falls_late() -> Portfolio:
    """The second quarter of a loan is worse than its first: what was enough is not."""
    p = with_row(_fallen(), "instruments", LINE, ltv_max_frac=0.8)
    return with_row(p, "market", f"base|{quarter(1)}", btc_trough_usd=None)


def _over_ltv(plan: Plan) -> list[float]:
    """Six tenths of the coins of its day are lent. [$M]"""
    return [
        plan.at(Quantity.BORROWED, n) - 0.6 * _usd_m(plan, n) * _cover(plan, n, LINE, plan.tree.label(n))
        for n in plan.tree.nodes
    ]


def _generous() -> Portfolio:
    """A lender who gives eight tenths: what the next quarter's trough leaves is less in some."""
    return with_row(_fallen(), "instruments", LINE, ltv_max_frac=0.8)


def _unsafe(plan: Plan) -> list[float]:
    """Coins of the first day, at the trough of each next quarter. [$M]"""
    return [
        plan.at(Quantity.BORROWED, n)
        - 0.8 * _trough_usd_m(plan, m) * _cover(plan, n, LINE, plan.tree.label(n))
        for n in plan.tree.nodes
        for m in plan.tree.children[n] or (n,)
    ]


def _small_line() -> Portfolio:
    return with_row(_holding(), "instruments", LINE, max_usd_m=5.0)


def _over_line(plan: Plan) -> list[float]:
    """Loans of this quarter and the last are out. [$M]"""
    return [plan.aged(Quantity.BORROWED, n, range(TENOR_Q)) - 5.0 for n in plan.tree.nodes]


def _rolled(plan: Plan) -> list[float]:
    """Six tenths of twenty. [$M]"""
    due = [n for n in plan.tree.nodes if plan.tree.period[n] == 3]
    return [plan.at(Quantity.ROLLED, n, item="balloon") - 12.0 for n in due]


BITES = (
    Bite("TRE-1", _holding, _keep_and_sell, _lost_coins),
    Bite("TRE-2", _holding, _sell_early, _sold_at_once),
    Bite("TRE-3", _holding, lambda p: p.want(Quantity.SOLD_BTC), _all_sold, everywhere=True),
    Bite("TRE-4", _holding, _pledge_and_sell, _pledged_twice),
    Bite("TRE-5", _fallen, _least_collateral, _called),
    Bite("TRE-5", _falls_late, _borrow, _line_called, name="new loan"),
    Bite("TRE-6", _holding, _borrow, _over_ltv),
    Bite("TRE-7", _generous, _borrow, _unsafe),
    Bite("TRE-8", _small_line, _borrow, _over_line),
    Bite(
        "TRE-9",
        lambda: idle(rich(add_refinancing(small()))),
        lambda p: p.want(Quantity.ROLLED),
        _rolled,
        everywhere=True,
    ),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
