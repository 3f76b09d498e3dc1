"""Bitcoin by hand: margin terms of a real loan, what of a rise counts, and a balloon that is rolled.

Two Prime's loan to Hut 8 (8-K of August 2025): 7.99 %, due after 364 days; it is called when the coins are
worth 135 % of it, and 160 % cure the call.
"""

import pandas as pd
import pytest

from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.portfolio import Portfolio
from optimizer.audit.rebuild import value_plan
from optimizer.audit.valuation import Valuation
from optimizer.solve.matrix import compile_matrix
from tests.blocks.bite import Plan, built, solved
from tests.blocks.hand import idle, rich
from tests.oracle.enumeration import COLUMNS
from tests.portfolios import (
    FIRST,
    add_refinancing,
    add_taxes,
    chain_of,
    instrument,
    lot,
    quarter,
    small,
    with_all,
    with_row,
    with_rows,
    without,
)

PRICE, CURED, CALLED, YEARLY = 60_600.0, 1.0 / 1.6, 1.0 / 1.35, 0.0799


def two_prime() -> Portfolio:
    """Ten thousand coins, a line of 100, and a price that does not move."""
    p = with_rows(idle(rich()), "treasury", lot("coins", 10_000.0))
    terms = {"spread_frac": YEARLY - 0.04, "tenor_q": 4, "ltv_max_frac": CURED, "ltv_call_frac": CALLED}
    p = with_rows(
        p, "instruments", instrument("two-prime", "btc_loan", min_usd_m=0.0, max_usd_m=100.0, **terms)
    )
    return with_all(p, "market", btc_usd=PRICE)


def borrowed(p: Portfolio) -> Plan:
    """The whole line drawn in the first quarter on as few coins as it takes, each as late as may be."""
    plan = built(p, chain_of)
    wanted = plan.want(Quantity.BORROWED, 100.0, node=0) + plan.want(Quantity.BORROWED, -1.0)
    for n in plan.tree.nodes:
        wanted = wanted + plan.want(Quantity.PLEDGED_BTC, 0.1 * n - 1.0, node=n)
    result = solved(compile_matrix(plan.program.model), wanted)
    assert result.proved == "optimal"
    return plan


def audited(plan: Plan) -> Valuation:
    """The auditor's reading of the decisions."""
    rows = [
        (
            str(d.quantity),
            d.site,
            d.item,
            d.contract,
            d.since,
            plan.tree.label(d.node),
            float(d.variable.value),
        )
        for d in plan.program.decisions
        if float(d.variable.value) > 1e-9
    ]
    return value_plan(plan.portfolio, plan.tree, pd.DataFrame(rows, columns=COLUMNS))


def test_two_prime_lends_on_160_per_cent() -> None:
    """100 x 1.6 / 0.0606 = 2,640.26 coins; interest 4 x 100 x 0.0799 / 4 = 7.99, then all of it."""
    plan = borrowed(two_prime())
    assert plan.at(Quantity.BORROWED, 0) == pytest.approx(100.0)
    assert plan.up_to(Quantity.PLEDGED_BTC, 5) == pytest.approx(2640.264, abs=1e-3)
    world = audited(plan).world
    paid = {line: [world.ledger.total(n, (line,)) for n in plan.tree.nodes] for line in CashLine}
    assert paid[CashLine.LOAN_PROCEEDS] == pytest.approx([100.0, 0, 0, 0, 0, 0])
    assert paid[CashLine.LOAN_INTEREST] == pytest.approx([0.0, *[-1.9975] * 4, 0.0])
    assert paid[CashLine.LOAN_PRINCIPAL] == pytest.approx([0.0, 0.0, 0.0, 0.0, -100.0, 0.0])


def test_coins_enough_for_the_next_quarter() -> None:
    """2,640.26 coins are called at 100 x 1.35 / 2,640.26 = 51,131; at 45,000 it takes 3,000."""
    no_call = with_row(two_prime(), "market", f"base|{quarter(1)}", btc_trough_usd=51_132.0)
    assert borrowed(no_call).up_to(Quantity.PLEDGED_BTC, 5) == pytest.approx(2640.264, abs=1e-3)
    call = with_row(two_prime(), "market", f"base|{quarter(1)}", btc_trough_usd=45_000.0)
    assert borrowed(call).at(Quantity.PLEDGED_BTC, 0) == pytest.approx(3000.0)


def test_coins_added_when_it_falls_later() -> None:
    """In the third quarter at 45,000: the 359.74 coins more are pledged then."""
    later = with_row(two_prime(), "market", f"base|{quarter(2)}", btc_trough_usd=45_000.0)
    plan = borrowed(later)
    assert plan.at(Quantity.PLEDGED_BTC, 0) == pytest.approx(2640.264, abs=1e-3)
    assert plan.up_to(Quantity.PLEDGED_BTC, 2) == pytest.approx(3000.0)


def doubling() -> Portfolio:
    """A hundred coins at 0.1; 0.15 from the third quarter on. Equity costs 12 %."""
    p = with_rows(idle(rich()), "treasury", lot("coins", 100.0))
    for t in range(2, 6):
        p = with_row(p, "market", f"base|{quarter(t)}", btc_usd=150_000.0)
    return p


@pytest.mark.parametrize(
    ("sold_at", "cash", "worth", "uncounted"),
    [
        # kept: 15 at the market; what 10 grow to from the second quarter on, 10 x 1.12^1.25 = 11.5219, counts
        (None, 0.0, 15.0, -3.4781),
        # 50 sold before the rise: 50 x 0.1 x 0.99; of the other 50, half of the above
        (0, 4.95, 7.5, -1.7391),
        # 50 sold in the third quarter, a year from the end: 50 x 0.15 x 0.99; 10 x 1.12^0.25 / 15 of it
        # count, the rest of 7.5 grows at 12 % for a year: 7.5 x (1 - 0.685822) x 1.12 = 2.6391
        (2, 7.425, 7.5, -1.7391 - 2.6391),
    ],
)
def test_what_of_a_rise_counts(sold_at: int | None, cash: float, worth: float, uncounted: float) -> None:
    p = doubling()
    tree = chain_of(p)
    rows = [] if sold_at is None else [("sold_btc", "", "coins", "", "", tree.label(sold_at), 50.0)]
    found = value_plan(p, tree, pd.DataFrame(rows, columns=COLUMNS))
    (leaf,) = tree.leaves
    assert found.at_leaf[leaf][ValueLine.BITCOIN] == pytest.approx(worth)
    assert found.at_leaf[leaf][ValueLine.UNCOUNTED_RISE] == pytest.approx(uncounted, abs=1e-4)
    sales = sum(found.world.ledger.total(n, (CashLine.BITCOIN_SALE,)) for n in tree.nodes)
    assert sales == pytest.approx(cash)
    plan = built(p, chain_of)
    for d in plan.program.decisions:
        d.variable.set_value(50.0 if (d.quantity, d.node) == (Quantity.SOLD_BTC, sold_at) else 0.0)
    for n in tree.nodes:
        gone = 50.0 if sold_at is not None and n >= sold_at else 0.0
        plan.company.coins.held_btc["coins", n].set_value(100.0 - gone)
    books = plan.program.books[0]
    assert books.value[ValueLine.BITCOIN][leaf].value == pytest.approx(worth)
    assert books.value[ValueLine.UNCOUNTED_RISE][leaf].value == pytest.approx(uncounted, abs=1e-4)


@pytest.mark.parametrize("sold_btc", [0.0, 50.0])
def test_the_gain_is_taxed_when_sold_or_later(sold_btc: float) -> None:
    """A coin cost 0.06: 50 sold bring 4.95, a gain of 1.95; what is kept gains to what of it counts."""
    p = add_taxes(doubling())
    tree = chain_of(p)
    rows = [("sold_btc", "", "coins", "", "", tree.label(0), sold_btc)]
    found = value_plan(p, tree, pd.DataFrame(rows, columns=COLUMNS))
    bare = value_plan(without(p, "treasury"), tree, pd.DataFrame([], columns=COLUMNS))
    income = [x.taxes.years["home", x.taxes.ends[0]].income for x in (found, bare)]
    assert income[0] - income[1] == pytest.approx(1.95 * sold_btc / 50.0)
    later = [x.at_leaf[tree.leaves[0]][ValueLine.TAX_LATER] for x in (found, bare)]
    kept = 1.0 - sold_btc / 100.0
    assert later[0] - later[1] == pytest.approx(-0.25 * (11.5219 - 6.0) * kept, abs=1e-4)


def test_a_balloon_rolled() -> None:
    """20 due in the fourth quarter: 12 rolled at 7 %, due two quarters on with 0.21 of interest in each."""
    p = idle(rich(add_refinancing(small())))
    plan = built(p, chain_of)
    solved(compile_matrix(plan.program.model), plan.want(Quantity.ROLLED))
    ledger = audited(plan).world.ledger
    lines = (CashLine.DEBT_PRINCIPAL, CashLine.REFINANCED, CashLine.LOAN_INTEREST, CashLine.LOAN_PRINCIPAL)
    by_line = {line: [ledger.lines["north-co", n, line] for n in plan.tree.nodes] for line in lines}
    assert by_line[CashLine.DEBT_PRINCIPAL] == pytest.approx([0, 0, 0, -20.0, 0, 0])
    assert by_line[CashLine.REFINANCED] == pytest.approx([0, 0, 0, 12.0, 0, 0])
    assert by_line[CashLine.LOAN_INTEREST] == pytest.approx([0, 0, 0, 0, -0.21, -0.21])
    assert by_line[CashLine.LOAN_PRINCIPAL] == pytest.approx([0, 0, 0, 0, 0, -12.0])


def test_a_balloon_that_runs_on_is_owed_at_par() -> None:
    p = with_row(add_refinancing(small()), "debt", "balloon", refinance_tenor_q=8)
    plan = built(idle(rich(p)), chain_of)
    solved(compile_matrix(plan.program.model), plan.want(Quantity.ROLLED))
    found = audited(plan).at_leaf[plan.tree.leaves[0]]
    assert found[ValueLine.NEW_LOANS] == pytest.approx(-12.0)
    assert found[ValueLine.EXISTING_DEBT] == pytest.approx(0.0)


def test_no_balloon_is_rolled_in_a_shut_window() -> None:
    p = with_row(add_refinancing(small()), "market", f"base|{FIRST + 3}", project_debt_open=False)
    assert list(built(p, chain_of).decided(Quantity.ROLLED)) == []
