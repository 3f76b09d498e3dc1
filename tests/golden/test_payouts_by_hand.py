"""What three payouts are worth, by hand.

Idle sites: the north holds 50 and the south 20, and each pays 0.5 of fixed costs in each of six quarters, so
that 64 can be handed up in all. The parent's own 200 pays its overhead and may not be paid out. Cash earns
nothing (4 % less a spread of 4 %), equity costs 12 %. Payouts are open from the third quarter on, at most 25
a quarter:

    quarter  paid   years to the end   at the end       more than kept as cash
    3rd        25   0.75               27.2179          2.2179
    4th        25   0.50               26.4575          1.4575
    5th        14   0.25               14.4023          0.4023
                                                        4.0777, over 100 M shares
"""

import threading

import pytest

from models.domain.ledger import Quantity, ValueLine
from models.domain.portfolio import Portfolio
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.search import search_plan
from tests.blocks.bite import Plan, built
from tests.blocks.hand import idle
from tests.portfolios import chain_of, quarter, small, with_company, with_row

PAID = (25.0, 25.0, 14.0)
YEARS = (0.75, 0.5, 0.25)
AT_END = (27.2179, 26.4575, 14.4023)
MORE_USD_M = 4.0777


def _idle() -> Portfolio:
    return with_row(idle(small()), "entities", "north-co", unrestricted_cash_usd_m=50.0)


def _solved(p: Portfolio) -> tuple[Plan, float]:
    plan = built(p, chain_of)
    options = Options(gap=1e-9)
    found, _ = search_plan(
        plan.program, compile_matrix(plan.program.model), options, threading.Event(), lambda *_: None
    )
    assert found.status == "optimal"
    return plan, found.value_per_share_usd


def test_three_payouts_by_hand() -> None:
    assert [p * 1.12**t for p, t in zip(PAID, YEARS, strict=True)] == pytest.approx(AT_END, abs=1e-4)
    assert sum(AT_END) - sum(PAID) == pytest.approx(MORE_USD_M, abs=1e-4)
    _, kept = _solved(_idle())
    terms = {"payouts_from_quarter": quarter(2), "payout_max_usd_m_per_q": 25.0}
    plan, paid = _solved(with_company(_idle(), **terms))
    assert paid - kept == pytest.approx(MORE_USD_M / 100.0, abs=1e-6)
    assert [plan.at(Quantity.PAYOUT, n) for n in (2, 3, 4)] == pytest.approx(PAID, abs=1e-6)
    worth = plan.program.books[0].value[ValueLine.PAYOUTS][5]
    assert worth.value - plan.at(Quantity.PAYOUT, 5) == pytest.approx(sum(AT_END), abs=1e-3)
