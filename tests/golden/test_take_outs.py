"""Take-outs by hand: a campus that is let and built refinances its notes at a lower rate, or borrows on them.

The halls of River Bend, once complete: 245 MW that cost 3,316 and earn 91.5384 a quarter, here level for
30 quarters to the end of the lease. Its notes are taken as 1,500 at 8 %, interest alone until all is due,
and may be called at 102. A lender asks 6.4 % (base rate 4 %, spread 2.4 %), i = 1.6 % a quarter, a DSCR of
1.25 over all 28 quarters that are left, no reserve, a fee of 1 %, and lends up to 80 % of cost.

At the start of the third quarter. Service 91.5384 / 1.25 = 73.2307 a quarter;
a28 = (1 - 1.016^-28) / 0.016 = 22.4266; P0 = 73.2307 a28 = 1,642.316.
By cost 0.8 x 3,316 / (1 - 0.8 x 0.01) = 2,674.194, so the loan is 1,642.316.
Interest of the first quarter 26.277, principal 46.954, left 1,595.362.
Of it arrives 0.99 x 1,642.316 = 1,625.893; called are 1,500, for 30 more: 95.893 is left.
Beside the notes, were they to stay: their service of 30 a quarter takes 1.25 x 30 of what is earned in the
19 quarters to their maturity: (91.5384 - 37.5) / 1.25 = 43.2307 in these, 73.2307 in the other nine. With
a19 = 16.2726: 43.2307 a19 + 73.2307 (a28 - a19) = 1,154.138. Cost counts less what is owed:
0.8 x 3,316 - 1,500 = 1,152.8, over 0.992 = 1,162.097, so coverage binds.
"""

from typing import Any

import pytest

from models.domain.ledger import CashLine, Quantity
from models.domain.portfolio import Portfolio
from optimizer.plans.extract import extract
from optimizer.solve.matrix import compile_matrix
from tests.blocks.bite import Plan, built, solved
from tests.blocks.hand import idle, rich
from tests.golden.test_debt_terms import audited, exactly
from tests.portfolios import (
    chain_of,
    contract,
    credit_class,
    loan,
    quarter,
    small,
    with_all,
    with_company,
    with_row,
    with_rows,
    without,
)

NORTH, EARNED = "north-co", 91.5384


def campus(debt: str | None, **lender: Any) -> Portfolio:
    """The campus with its notes, and a lender in their place or beside them."""
    p = without(idle(rich(small())), "instruments")
    p = with_all(p, "sites", fixed_cost_usd_m_per_q=0.0)
    p = with_row(p, "power", "north", energised_mw=400.0)
    terms = {"sites": ("north",), "max_mw": 245.0, "commencement_quarter": quarter(0), "term_q": 30}
    rent = EARNED / 3.0 / 245.0 * 1000.0
    lease = contract("lease-15", "committed", first_year_rent_usd_per_kw_month=rent, **terms)
    p = with_rows(p, "contracts", lease)
    p = with_rows(
        p, "commitments",
        {"commitment": "campus", "site": "north", "contract": "lease-15", "product": "hall", "debt": None,
         "capex_usd_m": 3316.0, "gpu_capex_usd_m": 0.0, "occupies_from_quarter": quarter(0),
         "cancellable_until_quarter": None, "cancel_fee_usd_m": 0.0},
    )  # fmt: skip
    live = {"commitment": "campus", "quarter": quarter(0), "funded_by": "own"}
    p = with_rows(p, "commitment_flows", {**live, "amount_usd_m": 0.0, "mw_live": 245.0})
    call = {"call_from_quarter": quarter(2), "call_price_frac": 1.02, "repayment": "bullet"}
    p = with_rows(p, "debt", loan("notes", NORTH, 1500.0, 20, 20, **call))
    asked = {"spread_frac": 0.024, "coverage_q": 40, "maturity_q": 40, "reserve_q": 0, **lender}
    p = with_rows(p, "credit_classes", credit_class("campus-loan", "notes", **asked))
    return with_rows(
        p, "take_outs",
        {"take_out": "new-notes", "entity": NORTH, "credit_class": "campus-loan", "debt": debt,
         "from_quarter": quarter(2), "to_quarter": quarter(2), "max_usd_m": 2000.0},
    )  # fmt: skip


def taken(p: Portfolio) -> Plan:
    """As much lent as may be, and as little called as must be."""
    plan = built(p, chain_of)
    aim = plan.want(Quantity.TAKEN_OUT) + plan.want(Quantity.CALLED, -0.01)
    assert solved(compile_matrix(plan.program.model), aim).proved == "optimal"
    return plan


def lines(plan: Plan, n: int) -> dict[CashLine, float]:
    """The borrower's cash of a quarter, as the program and as the auditor have it."""
    books = next(b for b in plan.program.books if b.owner == NORTH)
    ledger = audited(plan).world.ledger
    found = {line: books.cash_at(n, (line,)).value for line in books.cash}
    for line, usd_m in found.items():
        assert ledger.total(n, (line,), (NORTH,)) == pytest.approx(usd_m, abs=1e-7)
    return found


def test_notes_replaced_at_a_lower_rate() -> None:
    plan = taken(campus("notes"))
    assert plan.at(Quantity.TAKEN_OUT, 2) == pytest.approx(1.0)
    assert plan.at(Quantity.CALLED, 2, item="notes") == pytest.approx(1.0)
    before, here, after = (lines(plan, n) for n in (1, 2, 3))
    assert before[CashLine.DEBT_INTEREST] == exactly("-30.000")
    assert here[CashLine.DEBT_INTEREST] == pytest.approx(0.0, abs=1e-9)
    assert here[CashLine.PROJECT_DRAWS] == exactly("1,625.893")
    assert here[CashLine.DEBT_PRINCIPAL] == exactly("-1,500.000")
    assert here[CashLine.CALL_PREMIUM] == exactly("-30.000")
    assert here[CashLine.PROJECT_INTEREST] == exactly("-26.277")
    assert here[CashLine.PROJECT_PRINCIPAL] == exactly("-46.954")
    served = after[CashLine.PROJECT_INTEREST] + after[CashLine.PROJECT_PRINCIPAL]
    assert served == exactly("-73.231")
    world = audited(plan).world
    assert world.debt(2, {NORTH: 1.0}) == exactly("1,595.362")
    assert world.take_outs.taken[0].at(5).balance == pytest.approx(73.23072 * (1 - 1.016**-24) / 0.016)


def test_the_waterfall_runs_to_the_end_of_the_new_loan() -> None:
    plan = taken(campus("notes"))
    table = extract(plan.program, 1.0)["project_waterfall"]
    rows = table[table["entity"] == NORTH].set_index("quarter")
    assert rows.loc[quarter(1), "dscr"] == exactly("3.051")  # 91.5384 / 30
    assert rows.loc[quarter(2), "balloon_usd_m"] == exactly("1,500.000")
    assert rows.loc[quarter(2) : quarter(29), "dscr"].to_list() == pytest.approx([1.25] * 28)
    assert rows.index[-1] == quarter(29)
    assert rows.loc[quarter(29), "balance_usd_m"] == pytest.approx(0.0, abs=1e-6)


def test_a_loan_beside_the_notes() -> None:
    """What is let carries a second loan: all its proceeds are the borrower's."""
    plan = taken(campus(None))
    assert plan.up_to(Quantity.CALLED, 5) == pytest.approx(0.0, abs=1e-9)
    here = lines(plan, 2)
    assert here[CashLine.PROJECT_DRAWS] == exactly("1,142.597")  # 0.99 x 1,154.138
    assert here[CashLine.DEBT_INTEREST] == exactly("-30.000")
    assert here[CashLine.PROJECT_INTEREST] + here[CashLine.PROJECT_PRINCIPAL] == exactly("-43.231")


def test_cost_binds_beside_the_notes() -> None:
    """At 60 % of cost: 0.6 x 3,316 - 1,500 = 489.6, over 1 - 0.6 x 0.01."""
    offer = taken(campus(None, ltc_max_frac=0.6)).program.params.take_outs[0]
    assert offer.facility.loan_usd_m == exactly("492.555")
    assert offer.facility.facility.ltc_bound


@pytest.mark.parametrize(
    "change",
    [
        lambda p: with_row(p, "commitments", "campus", cancellable_until_quarter=quarter(1)),
        lambda p: with_row(p, "commitment_flows", "campus", quarter=quarter(3)),
        lambda p: with_row(p, "contracts", "lease-15", state="merchant"),
        lambda p: with_row(p, "market", f"base|{quarter(2)}", project_debt_open=False),
        lambda p: with_row(p, "debt", "notes", principal_usd_m=3400.0),
    ],
)
def test_nothing_is_lent_on_what_does_not_stand(change: Any) -> None:
    """What may be cancelled, is not complete or not signed; lenders away; what is owed for already."""
    assert built(change(campus(None)), chain_of).program.params.take_outs == ()


def test_gpus_that_are_replaced_end_what_is_counted() -> None:
    """Replaced after 12 quarters, so 10 are left: 73.2307 (1 - 1.016^-10) / 0.016."""
    p = with_row(campus("notes"), "products", "hall", refresh_q=12, refresh_cost_frac=0.5)
    assert built(p, chain_of).program.params.take_outs[0].facility.loan_usd_m == exactly("671.783")


def test_what_is_borrowed_on_the_campus_is_not_paid_out() -> None:
    """In a harvest the company keeps what the take-out owes, whoever had its proceeds (HRV-6)."""
    p = with_company(campus(None), payouts_from_quarter=quarter(3), payout_max_usd_m_per_q=5000.0)
    plan = built(p, chain_of)
    next(iter(plan.decided(Quantity.TAKEN_OUT))).variable.setlb(1.0)
    aim = plan.want(Quantity.HARVEST, 1e4, node=5) + plan.want(Quantity.PAYOUT)
    aim = aim + plan.want(Quantity.RESCUE, -10.0) + plan.want(Quantity.CALLED, -1e5)
    assert solved(compile_matrix(plan.program.model), aim).proved == "optimal"
    assert plan.at(Quantity.HARVEST, 5) == pytest.approx(1.0)
    cash = plan.company.cash.cash[5].value
    assert cash == pytest.approx(audited(plan).world.take_outs.total(5, "balance"), abs=1e-4)
