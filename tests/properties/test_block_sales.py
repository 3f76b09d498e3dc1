"""A sale at a cap rate gains where that is below the yield on what the halls are worth, and only there."""

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.search import search_plan
from tests import portfolios as make
from tests.blocks.bite import BITE_TIMES, Plan, built
from tests.blocks.hand import idle
from tests.oracle.toys import halls_sold

Time = Callable[[Portfolio], TimeTree]
TIMES = pytest.mark.parametrize("time", [t for _, t in BITE_TIMES], ids=[n for n, _ in BITE_TIMES])
CAP_RATES = (0.001, 0.04, 0.08, 0.12, 0.16, 0.25, 1.0)


def _per_share(p: Portfolio, time: Time) -> tuple[float, float, Plan]:
    """Value per share, how much is sold of all that may be, and the plan."""
    plan = built(p, time)
    matrix = compile_matrix(plan.program.model)
    found, _ = search_plan(plan.program, matrix, Options(gap=1e-8), threading.Event(), lambda *_: None)
    assert found.status == "optimal"
    assert found.x is not None
    matrix.load(found.x)
    sold = sum(float(d.variable.value) for d in plan.decided(Quantity.SELL_BLOCK))
    return found.value_per_share_usd, sold, plan


def _at(p: Portfolio, cap_rate_frac: float | None) -> Portfolio:
    terms = {"sale_cap_rate_frac": cap_rate_frac, "sale_cost_frac": 0.01, "sale_term_left_q": 4}
    offered = terms if cap_rate_frac is not None else dict.fromkeys(terms)
    return make.with_row(p, "sites", "hill", **offered)


@TIMES
def test_a_lower_cap_rate_is_never_worse(time: Time) -> None:
    p = halls_sold()
    worth = [_per_share(_at(p, c), time) for c in CAP_RATES]
    values = [value for value, _, _ in worth]
    assert all(low >= high * (1.0 - 1e-7) for low, high in pairwise(values))
    assert values[1] > values[3] > values[-1]
    kept, _, _ = _per_share(_at(p, None), time)
    assert values[-1] == pytest.approx(kept, rel=1e-7)
    assert worth[-1][1] == pytest.approx(0.0, abs=1e-6)


@TIMES
def test_nothing_is_sold_twice_however_low_the_cap_rate(time: Time) -> None:
    """On each path the hall that stands is sold whole, once, and of each new one no more than is begun."""
    _, _, plan = _per_share(_at(halls_sold(), 0.001), time)
    for leaf in plan.tree.leaves:
        assert plan.up_to(Quantity.SELL_BLOCK, leaf, item="built") == pytest.approx(1.0)
        new = plan.up_to(Quantity.SELL_BLOCK, leaf, item="hall")
        assert new <= plan.up_to(Quantity.START, leaf, site="hill") + 1e-6


def _held() -> tuple[Portfolio, float]:
    """A hall for 6 a quarter, money enough and nothing else to do with it; the cap rate that is its yield.

    Sold in the last quarter but one it costs a quarter of rent, 30 after the leaf and a residual of 16, each
    quarter at 2 %; cash earns nothing.
    """
    p = idle(make.add_block_sales(make.small()))
    p = make.without(make.without(p, "contracts", "plain"), "renewals")
    p = make.with_row(p, "contracts", "stood", payment_lag_q=0, power_passed_through=True)
    kept = 6.0 + 6.0 * sum(1.02**-i for i in range(1, 31)) + 16.0 * 1.02**-30
    return make.with_all(p, "entities", unrestricted_cash_usd_m=90.0), 4 * 6.0 * 0.99 / kept


def test_a_sale_gains_below_its_own_yield_and_not_above() -> None:
    p, own_yield = _held()
    kept, _, _ = _per_share(_at(p, None), make.chain_of)
    below, sold, _ = _per_share(_at(p, own_yield * 0.999), make.chain_of)
    above, unsold, _ = _per_share(_at(p, own_yield * 1.001), make.chain_of)
    assert sold == pytest.approx(1.0)
    assert below > kept * (1.0 + 1e-6)
    assert unsold == pytest.approx(0.0, abs=1e-6)
    assert above == pytest.approx(kept, rel=1e-9)


@pytest.mark.parametrize("of_own_yield", [0.8, 1.001])
def test_payouts_add_nothing_to_a_sale(of_own_yield: float) -> None:
    """Payouts count at 12 % a year: of the price they would gain that over the 8 % at which rent counts."""
    p, own_yield = _held()
    gains = []
    for portfolio in (p, make.with_company(make.add_payouts(p), payout_max_usd_m_per_q=500.0)):
        kept, _, _ = _per_share(_at(portfolio, None), make.chain_of)
        offered, _, _ = _per_share(_at(portfolio, own_yield * of_own_yield), make.chain_of)
        gains.append(offered - kept)
    assert gains[0] == pytest.approx(0.373 if of_own_yield < 1.0 else 0.0, abs=1e-3)
    assert -1e-6 < gains[1] < gains[0] + 1e-6
