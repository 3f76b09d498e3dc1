"""The constant that switches a test of incurrence off is never too small, and is of the row's own data."""

import threading

import numpy as np
import pytest

from models.blocks.breach import largest_breach
from models.domain.portfolio import Portfolio
from optimizer.solve.exact import HighsProgram
from optimizer.solve.matrix import compile_matrix
from tests.blocks.bite import BITE_TIMES, built
from tests.portfolios import covenant, full, with_rows, without

METRICS = (
    ("minimum_liquidity", 50.0), ("net_debt_to_ebitda", 3.0), ("interest_cover", 2.0),
    ("net_debt_to_market_cap", 0.5), ("recourse_debt", 100.0), ("secured_debt", 100.0), ("maturities", 2.0),
    ("cash_cover", 10.0), ("funded_commitments", 20.0), ("unsigned_building", 0.2),
    ("stress_liquidity", 20.0),
)  # fmt: skip
NO_RESCUE_USD_M = 0.0


def incurring() -> Portfolio:
    """Everything, every test where notes are issued."""
    p = without(without(full(), "covenants"), "budgets")
    return with_rows(p, "covenants", *(covenant(m, at, test="incurrence") for m, at in METRICS))


@pytest.mark.parametrize("time", [time for _, time in BITE_TIMES], ids=[name for name, _ in BITE_TIMES])
def test_no_plan_breaks_a_test_by_more(time) -> None:
    """Of the relaxation even: halls in parts break it by no more."""
    plan = built(incurring(), time)
    program, matrix = plan.program, compile_matrix(plan.program.model)
    limits = {i: limit for books in program.books for i, limit in books.limits.items()}
    for rows in program.tests.values():
        for row in rows:
            row.deactivate()
    free = compile_matrix(program.model)
    upper = np.array([
        min(high, limits[id(v)].most / limits[id(v)].weight) if id(v) in limits else high
        for v, high in zip(free.variables, free.upper, strict=True)
    ])  # fmt: skip
    for rescue in plan.company.cash.rescue.values():
        upper[free.column[id(rescue)]] = NO_RESCUE_USD_M
    assert {x.covenant.metric for x in program.measured} == {m for m, _ in METRICS}
    last = plan.tree.leaves[0]
    solver = HighsProgram(free, threads=1, seed=0, stop=threading.Event())
    for found in program.measured:
        if found.node not in (0, last):
            continue
        headroom = found.headroom.merged()
        cost = free.cost(-headroom)
        result = solver.solve(cost, integer=False, gap_usd_m=0.0, time_limit_s=30.0, upper=upper)
        assert result.proved == "optimal"
        breach = result.value - headroom.constant
        assert breach <= largest_breach(headroom, limits) + 1e-6, (found.covenant.metric, found.node)
    assert len(matrix.rows) > len(free.rows)
