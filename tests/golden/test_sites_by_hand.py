"""A mine bought at the price of a turnkey one, and one sold, each line worked out by hand.

CleanSpark paid $430,000 a MW for 60 MW of turnkey mine without machines (theminermag.com/?p=5290): 25.8 $M.
The other figures are round: 0.5 $M a quarter of fixed costs, 1.5 of security, land and power at 0.1 $M a MW.
"""

import pytest

from models.blocks.books import Tally
from models.blocks.linear import Linear
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.portfolio import Portfolio
from optimizer.solve.matrix import compile_matrix
from tests import portfolios as make
from tests.blocks.bite import Plan, built, solved
from tests.blocks.hand import idle
from tests.portfolios import chain_of

PRICE_USD_M = 25.8


def _turnkey() -> Portfolio:
    p = make.with_row(make.add_sites(make.small()), "sites", "west", purchase_usd_m=PRICE_USD_M)
    p = make.with_all(make.add_taxes(p), "tax_groups", interest_cap_frac_of_ebitda=None)
    return make.with_company(idle(p), raise_only_what_is_spent=False)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The west is bought in the second quarter, the annex sold in the third."""
    found = built(_turnkey(), chain_of)
    wanted = found.want(Quantity.BUY_SITE, node=1) + found.want(Quantity.SELL_SITE, node=2)
    solved(compile_matrix(found.program.model), wanted + found.want(Quantity.ATM, -0.01))
    return found


def _cash(plan: Plan, owner: str, line: CashLine) -> list[float]:
    books = next(b for b in plan.program.books if b.owner == owner)
    return [books.cash_at(n, (line,)).value for n in plan.tree.nodes]


def _value(plan: Plan, line: ValueLine) -> float:
    (leaf,) = plan.tree.leaves
    return sum(books.value.get(line, {}).get(leaf, Linear()).value for books in plan.program.books)


def test_the_purchase(plan: Plan) -> None:
    """25.8 in the second quarter; with 6 for the east, which was agreed for the same one."""
    assert pytest.approx(60.0 * 0.430) == PRICE_USD_M
    paid = _cash(plan, "west-co", CashLine.SITE_PURCHASE)
    assert paid == pytest.approx([0.0, -PRICE_USD_M - 6.0, 0.0, 0.0, 0.0, 0.0])


def test_the_sale(plan: Plan) -> None:
    """40 MW x 0.5, less 2 %: 19.6 in the third quarter."""
    received = _cash(plan, "annex-co", CashLine.SITE_SALE)
    assert received == pytest.approx([0.0, 0.0, 40.0 * 0.5 * 0.98, 0.0, 0.0, 0.0])


def test_costs_and_security_follow_the_site(plan: Plan) -> None:
    """The west and the east cost from the second quarter on; the annex up to the third."""
    assert _cash(plan, "west-co", CashLine.FIXED_COST) == pytest.approx([0.0, *[-1.0] * 5])
    assert _cash(plan, "annex-co", CashLine.FIXED_COST) == pytest.approx([*[-0.5] * 3, *[0.0] * 3])
    assert _cash(plan, "west-co", CashLine.SECURITY) == pytest.approx([0.0, -3.0, *[0.0] * 4])
    assert _cash(plan, "annex-co", CashLine.SECURITY) == pytest.approx([0.0, 0.0, 0.0, 1.5, 0.0, 0.0])


def test_the_leaf(plan: Plan) -> None:
    """North, south, west and east: 290 MW at 0.1; four sites and the overhead cost on for ten years."""
    factor = sum(1.02**-i for i in range(1, 41))
    assert _value(plan, ValueLine.LAND_AND_POWER) == pytest.approx((100.0 + 100.0 + 60.0 + 30.0) * 0.1)
    assert _value(plan, ValueLine.OVERHEAD) == pytest.approx(-(1.0 + 4 * 0.5) * factor)
    assert _value(plan, ValueLine.RESTRICTED) == pytest.approx(2 * 1.5)


def test_the_gain_is_taxed_and_the_price_written_off(plan: Plan) -> None:
    """19.6 less a book value of 5; 31.8 over eighty quarters from the second on."""
    books = plan.program.books
    written = [sum(b.tally_at(Tally.WRITTEN_OFF, n).value for b in books) for n in plan.tree.nodes]
    each = (PRICE_USD_M + 6.0) / 80.0
    assert written == pytest.approx([0.0, each, each + 5.0, each, each, each])
