"""Bitcoin held is no money machine: on a deck that rises, nothing is gained by raising money to keep it."""

from dataclasses import replace

import numpy as np
import pytest

from models.blocks.program import build_program
from models.domain.ledger import BEYOND_COMMITTED, DEALS, Quantity
from models.domain.portfolio import Portfolio
from models.params.params import compile_params
from optimizer.solve.matrix import compile_matrix
from tests import portfolios as make
from tests.blocks.hand import idle
from tests.oracle.enumeration import Case
from tests.properties.test_treasury import worth_without


def short_of_cash(rise_frac_per_year: float, k: float, rises_at: int = 0) -> Portfolio:
    """Sites that do nothing and cost money, coins enough to pay for it, shares that may be sold instead."""
    p = make.add_treasury(idle(make.small()))
    for table in ("instruments", "debt", "loan_collateral"):
        p = make.without(p, table, "coin-line", "coin-loan")
    p = make.without(p, "treasury", "pledged", "n-coins")
    for e in p.entities:
        p = make.with_row(p, "entities", e.entity, unrestricted_cash_usd_m=3.0 if e.kind == "spv" else 12.0)
    rows = []
    for row in p.market:
        t = max(0, row.quarter - make.FIRST - rises_at)
        more = {"up": 1.3, "down": 0.7}.get(row.scenario, 1.0)
        price = 1e5 * more * (1.0 + rise_frac_per_year) ** (t / 4.0)
        rows.append(row.model_copy(update={"btc_usd": price, "ai_equity_idx": 1.0}))
    p = make.with_all(p.model_copy(update={"market": tuple(rows)}), "valuation", years=0.0)
    return make.with_company(p, cost_of_equity_frac=k, overhead_usd_m_per_q=2.0)


@pytest.mark.parametrize("k", [0.0, 0.12, 0.2])
@pytest.mark.parametrize(("rise", "rises_at"), [(0.05, 0), (0.6, 0), (0.6, 3), (3.0, 2)])
@pytest.mark.parametrize("time", [make.chain_of, make.tree_of])
def test_selling_shares_to_keep_bitcoin_gains_nothing(time, rise: float, rises_at: int, k: float) -> None:
    p = short_of_cash(rise, k, rises_at)
    case = Case.of(p, time(p))
    alone = worth_without(case, BEYOND_COMMITTED | DEALS)
    assert alone > 0.0
    assert alone * (1.0 - 1e-9) <= worth_without(case, BEYOND_COMMITTED) <= alone * 1.001


def uncharged(p: Portfolio) -> Case:
    """The program without the charge."""
    tree = make.chain_of(p)
    params = compile_params(p, tree)
    none = np.zeros(len(tree.nodes))
    program = build_program(
        replace(params, coins=replace(params.coins, uncounted_held=none, uncounted_sold=none))
    )
    return Case(p, tree, program, compile_matrix(program.model))


def test_without_the_charge_it_would() -> None:
    """A deck that rises by 60 % a year, shares that cost 12: the more are sold, the better."""
    case = uncharged(short_of_cash(0.6, 0.12))
    assert worth_without(case, BEYOND_COMMITTED) > 1.01 * worth_without(case, BEYOND_COMMITTED | DEALS)


def test_a_fall_may_be_escaped_and_no_more() -> None:
    """Coins that lose half a year: 150, the most, are sold in the first quarter and 100 in the second."""
    p = make.with_all(short_of_cash(-0.5, 0.12), "entities", unrestricted_cash_usd_m=100.0)
    case = Case.of(p, make.chain_of(p))
    sold = worth_without(case, BEYOND_COMMITTED | DEALS)
    kept = worth_without(case, BEYOND_COMMITTED | DEALS | {Quantity.SOLD_BTC})
    escaped = 0.1 * (150.0 * (0.99 - 0.5**1.25) + 100.0 * (0.99 * 0.5**0.25 - 0.5**1.25))
    assert (sold - kept) * p.firm.basic_shares_m == pytest.approx(escaped, rel=1e-6)


@pytest.mark.parametrize("rise", [0.0, 0.1, 1.0])
def test_bitcoin_alone_is_worth_the_deck_up_to_the_cost_of_equity(rise: float) -> None:
    """Cash enough: every coin is kept, and counts for what 30 grow to, at k at most. [$M]"""
    p = make.with_all(short_of_cash(rise, 0.12), "entities", unrestricted_cash_usd_m=100.0)
    case = Case.of(p, make.chain_of(p))
    bare = Case.of(make.without(p, "treasury"), make.chain_of(p))
    gained = worth_without(case, BEYOND_COMMITTED | DEALS) - worth_without(bare, BEYOND_COMMITTED | DEALS)
    # to the price of the last quarter, five quarters on; a dollar from the opening grows for six
    expected = 30.0 * min((1.0 + rise) ** 1.25, 1.12**1.5)
    assert gained * p.firm.basic_shares_m == pytest.approx(expected, rel=1e-6)
