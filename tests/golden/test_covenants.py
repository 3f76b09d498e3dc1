"""Cipher's notes of September 2025 in the tests of maturities: 1,300 due at the put, or at maturity.

Facts (golden case (b)): 1,300 $M at 0 %, put on 1 October 2029, due on 1 October 2031, K = 16.0325 $, capped
call to 23.32 $. Where the share stands at 10 all holders put in 2029Q4; at 20 none does, and 1,300 are due in
2031Q4. A year before each, from 2028Q4 to 2029Q3 and from 2030Q4 to 2031Q3, liquidity has to cover them.
"""

import pytest

from models.domain.portfolio import Portfolio
from models.params.params import compile_params
from models.timetree import Quarter
from optimizer.audit.book import Book
from optimizer.audit.decisions import Decisions
from optimizer.audit.obligations import due_in_a_year
from optimizer.audit.world import World
from tests.blocks.hand import idle
from tests.portfolios import chain_of, small, with_all, with_company, with_rows, without

FIRST, LAST = Quarter.parse("2028Q3"), Quarter.parse("2031Q4")
PRINCIPAL_USD_M = 1300.0
BEFORE_PUT = {"2028Q4", "2029Q1", "2029Q2", "2029Q3"}
BEFORE_MATURITY = {"2030Q4", "2031Q1", "2031Q2", "2031Q3"}


def cipher(price_usd: float) -> Portfolio:
    """The notes alone, on a share price that does not move."""
    p = idle(small())
    still = next(row for row in p.market if row.scenario == "base")
    p = without(without(p, "market"), "scenarios", "up", "down")
    horizon_q = LAST - FIRST + 1
    rows = ({**still.model_dump(), "quarter": str(FIRST + t)} for t in range(horizon_q))
    p = with_all(with_rows(p, "market", *rows), "market", share_vol_frac=1e-6)
    p = with_company(p, first_quarter=str(FIRST), horizon_q=horizon_q, price_usd=price_usd)
    return with_rows(
        p, "convertibles",
        {"tranche": "cipher-2031", "principal_usd_m": PRINCIPAL_USD_M, "coupon_frac": 0.0,
         "maturity_quarter": "2031Q4", "put_quarter": "2029Q4", "put_price_frac": 1.0,
         "call_from_quarter": None, "call_trigger_frac": None, "conversion_price_usd": 16.0325,
         "settlement": "net_share", "cap_price_usd": 23.32},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("price_usd", "asked"), [(10.0, BEFORE_PUT), (20.0, BEFORE_PUT | BEFORE_MATURITY)], ids=["at 10", "at 20"]
)
def test_a_year_before_the_put_and_before_maturity_all_is_due(price_usd: float, asked: set[str]) -> None:
    p = cipher(price_usd)
    tree = chain_of(p)
    (note,) = compile_params(p, tree).notes
    world = World(Book(p, tree), Decisions())
    for n in tree.nodes:
        due = PRINCIPAL_USD_M if str(tree.quarter(n)) in asked else 0.0
        assert PRINCIPAL_USD_M * float(note.due[n]) == pytest.approx(due)
        assert due_in_a_year(world, n) == pytest.approx(due)
