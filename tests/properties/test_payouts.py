"""Payouts gain nothing from money raised: what the treasury could raise is of no use to them."""

import threading
from collections.abc import Callable

import pytest

from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.search import search_plan
from tests.blocks.bite import BITE_TIMES, built, components
from tests.blocks.hand import idle
from tests.portfolios import (
    add_corporate_debt,
    add_deals,
    quarter,
    small,
    with_all,
    with_company,
    with_row,
    without,
)

PAYOUTS = {"payouts_from_quarter": quarter(1), "payout_max_usd_m_per_q": 200.0}
Time = Callable[[Portfolio], TimeTree]


def _treasury(*, raises: bool) -> Portfolio:
    """Cash at the borrowers to be handed up, overhead to be paid, and all that can be raised, or nothing."""
    p = idle(add_corporate_debt(add_deals(small())))
    p = with_all(p, "entities", unrestricted_cash_usd_m=90.0)
    p = with_company(p, overhead_usd_m_per_q=24.0, **PAYOUTS)
    p = with_row(p, "valuation", "overhead", years=0.0)
    p = with_row(p, "instruments", "bond", spread_frac=0.01, fee_frac=0.0)
    return p if raises else without(without(without(p, "impact"), "leverage_blocks"), "instruments")


def _per_share(p: Portfolio, time: Time, *lifted: str) -> float:
    plan = built(p, time)
    for rule in lifted:
        for component in components(plan.program.model, rule):
            component.deactivate()
    matrix = compile_matrix(plan.program.model)
    found, _ = search_plan(plan.program, matrix, Options(gap=1e-8), threading.Event(), lambda *_: None)
    assert found.status == "optimal"
    return found.value_per_share_usd


@pytest.mark.parametrize("time", [t for _, t in BITE_TIMES], ids=[n for n, _ in BITE_TIMES])
def test_money_raised_is_of_no_use_to_payouts(time: Time) -> None:
    own = _per_share(_treasury(raises=False), time)
    assert _per_share(_treasury(raises=True), time) == pytest.approx(own, rel=1e-6)


@pytest.mark.parametrize("rule", ["HRV-2", "HRV-6"])
@pytest.mark.parametrize("time", [t for _, t in BITE_TIMES], ids=[n for n, _ in BITE_TIMES])
def test_without_its_rules_it_would_be(time: Time, rule: str) -> None:
    """Notes would pay the overhead, so that the cash of the company and its borrowers is paid out."""
    own = _per_share(_treasury(raises=False), time)
    lifted = _per_share(_treasury(raises=True), time, rule)
    assert lifted > own * (1.0 + 1e-4)
