"""Terms of project debt by hand: River Bend's notes on time and late, a sweep, reserves.

River Bend, $M (the deal's facts and conventions stand in ``test_formulas_river_bend``): 3,250 at 6.192 %,
245 MW that earn 91.538 a quarter, principal in the 59 quarters 2028Q2-2042Q4, service sculpted to income
that rises 3 % each first quarter. Halls of 82, 82 and 81 MW earn from 2027Q3, 2027Q4 and 2028Q1; two
quarters late, from 2028Q1, 2028Q2 and 2028Q3. Interest of the four quarters of 2027, 50.310 each, is cash
in hand.
"""

from typing import Any

import pandas as pd
import pytest

from models.domain.ledger import CashLine, Quantity
from models.domain.portfolio import Portfolio
from models.params.loans import debt_arrays
from models.params.outlook import read_outlook
from optimizer.audit.book import Book
from optimizer.audit.cover import cfads, service
from optimizer.audit.debts import principal_by_quarter, roll_debt
from optimizer.audit.rebuild import value_plan
from optimizer.audit.valuation import Valuation
from optimizer.audit.waterfall import project_waterfall
from optimizer.plans.extract import extract
from optimizer.solve.matrix import compile_matrix
from tests.blocks.bite import Plan, built, solved
from tests.blocks.hand import halls, idle, rich
from tests.oracle.enumeration import COLUMNS
from tests.portfolios import (
    add_project_debt,
    chain_of,
    contract,
    covenant,
    loan,
    quarter,
    small,
    with_all,
    with_row,
    with_rows,
    without,
)

NORTH, NOTES, Q = "north-co", "river-bend-notes", 0.01548
INTEREST = 3250.0 * Q


def exactly(text: str) -> Any:
    """A figure as a hand calculation prints it."""
    decimals = len(text.partition(".")[2])
    return pytest.approx(float(text.replace(",", "")), rel=0, abs=0.5 * 10**-decimals + 1e-9)


def river_bend(*halls: tuple[int, float], **terms: Any) -> Portfolio:
    """The campus alone, its halls earning from so many quarters after 2027Q1 on."""
    p = without(idle(rich(small())), "instruments")
    p = with_all(p, "sites", fixed_cost_usd_m_per_q=0.0)
    p = with_row(p, "power", "north", energised_mw=400.0)
    p = with_row(p, "entities", NORTH, unrestricted_cash_usd_m=4 * INTEREST)
    rent = 454.0 * 15.0 / sum(1.03**k for k in range(15)) / 245.0 / 12.0 * 1000.0
    lease = contract(
        "lease-15", "committed", sites=("north",), max_mw=245.0, commencement_quarter=quarter(2), term_q=62,
        first_year_rent_usd_per_kw_month=rent, escalator_frac_per_year=0.03,
    )  # fmt: skip
    p = with_rows(p, "contracts", lease)
    hall = {"commitment": "campus", "site": "north", "contract": "lease-15", "product": "hall", "debt": None}
    dates = {"occupies_from_quarter": quarter(0), "cancellable_until_quarter": None}
    money = {"capex_usd_m": 3316.0, "gpu_capex_usd_m": 0.0, "cancel_fee_usd_m": 0.0}
    p = with_rows(p, "commitments", {**hall, **dates, **money})
    for ahead, mw in halls:
        flow = {"quarter": quarter(ahead), "funded_by": "own", "amount_usd_m": 0.0, "mw_live": mw}
        p = with_rows(p, "commitment_flows", {"commitment": "campus", **flow})
    shape = [1.03 ** ((k + 1) // 4) for k in range(59)]
    p = with_rows(p, "profiles", *({"profile": "noi", "step": k, "frac": x} for k, x in enumerate(shape)))
    sculpted = {"repayment": "sculpted", "repayment_profile": "noi", "coupon_or_spread_frac": 0.06192}
    return with_rows(p, "debt", loan(NOTES, NORTH, 3250.0, 5, 63, lockup_dscr=1.15, **sculpted, **terms))


def on_time(**terms: Any) -> Portfolio:
    """The third hall earns from 2028Q1."""
    return river_bend((2, 82.0), (3, 82.0), (4, 81.0), **terms)


def two_quarters_late() -> Portfolio:
    """It earns from 2028Q3, after the plan's last quarter."""
    return river_bend((4, 82.0), (5, 82.0), (6, 81.0))


def decided(p: Portfolio, *wanted: tuple[Quantity, float]) -> Plan:
    """The plan that presses on some decisions; what is put in costs most of all."""
    plan = built(p, chain_of)
    aim = plan.want(Quantity.CONTRIBUTED, -100.0)
    for quantity, weight in wanted:
        aim = aim + plan.want(quantity, weight)
    assert solved(compile_matrix(plan.program.model), aim).proved == "optimal"
    return plan


def audited(plan: Plan) -> Valuation:
    """The auditor's reading of the decisions."""
    rows = [
        (str(d.quantity), d.site, d.item, d.contract, d.since, plan.tree.label(d.node), d.variable.value)
        for d in plan.program.decisions
        if abs(d.variable.value) > 1e-9
    ]
    return value_plan(plan.portfolio, plan.tree, pd.DataFrame(rows, columns=COLUMNS))


TABLE = [
    ("2028Q1", "50.310", "0", "3,250.000"),
    ("2028Q2", "50.310", "19.798", "3,230.202"),
    ("2028Q4", "49.692", "20.416", "3,189.681"),
    ("2029Q4", "48.299", "23.912", "3,096.198"),
    ("2030Q4", "46.682", "27.696", "2,987.922"),
    ("2031Q4", "44.821", "31.788", "2,863.649"),
    ("2032Q2", "43.794", "35.113", "2,793.958"),
    ("2034Q4", "37.580", "46.133", "2,381.519"),
    ("2037Q4", "27.360", "64.115", "1,703.339"),
    ("2040Q4", "13.419", "86.539", "780.295"),
    ("2042Q4", "1.617", "104.428", "0.000"),
]


def test_the_table_by_the_terms() -> None:
    """Beyond the horizon by the auditor's arithmetic; both hold the same within it."""
    p = on_time()
    book = Book(p, chain_of(p))
    debt = book.debts[NOTES]
    owed, found = 3250.0, {}
    for label, repaid in principal_by_quarter(book, debt, 60).items():
        found[str(label)] = (Q * owed, repaid, owed - repaid)
        owed -= repaid
    for label, *printed in TABLE:
        assert list(found[label]) == [exactly(text) for text in printed]
    rolled = roll_debt(book, debt)
    arrays = debt_arrays(p, debt, read_outlook(p, chain_of(p)))
    for n in book.tree.nodes:
        assert arrays.interest[n] == pytest.approx(rolled[n].interest, abs=1e-9)
        assert arrays.principal[n] == pytest.approx(rolled[n].principal, abs=1e-9)
        assert arrays.balance[n] == pytest.approx(rolled[n].balance, abs=1e-9)
    assert arrays.balance[5] == exactly("3,230.202")
    assert arrays.due[5] == pytest.approx(sum(found[q][1] for q in ("2028Q3", "2028Q4", "2029Q1", "2029Q2")))


WATERFALL = [
    ("2028Q2", "91.538", "50.310", "19.798", "3,230.202"),
    ("2031Q4", "100.026", "44.821", "31.788", "2,863.649"),
    ("2034Q4", "109.301", "37.580", "46.133", "2,381.519"),
    ("2037Q4", "119.436", "27.360", "64.115", "1,703.339"),
    ("2040Q4", "130.511", "13.419", "86.539", "780.295"),
    ("2042Q4", "138.459", "1.617", "104.428", "0.000"),
]


def test_the_waterfall_runs_to_the_last_payment() -> None:
    """A base term 2028Q1-2042Q4 as sized: 1.3057 in every quarter, and of what is left to come too."""
    base_term = {"commencement_quarter": quarter(4), "term_q": 60}
    plan = decided(
        with_row(on_time(dsra_usd_m=140.2, dsra_form="cash"), "contracts", "lease-15", **base_term)
    )
    table = extract(plan.program, 10.0)["project_waterfall"]
    rows = {row["quarter"]: row for row in table[table["entity"] == NORTH].to_dict("records")}
    rebuilt = project_waterfall(audited(plan).world)
    assert list(rows)[-1] == "2042Q4"
    assert len(rebuilt) == len(rows) == 64
    for (_, _, label), row in rebuilt.items():
        assert {name: rows[label][name] for name in row} == pytest.approx(row, abs=1e-9)
    for label, noi, interest, principal, balance in WATERFALL:
        row = rows[label]
        found = [row[f"{name}_usd_m"] for name in ("cfads", "interest", "principal", "balance")]
        assert found == [exactly(text) for text in (noi, interest, principal, balance)]
        assert row["dscr"] == exactly("1.3057")
    assert rows["2028Q1"]["llcr"] == exactly("1.30566")
    assert rows["2028Q1"]["ltc_frac"] == pytest.approx(3250.0 / (3316.0 + 4 * INTEREST + 140.2))
    unknown = 2 * INTEREST + 65.0  # interest of two quarters before the plan, and the fee
    assert 3250.0 / (3250.0 / rows["2028Q1"]["ltc_frac"] + unknown) == pytest.approx(0.85, abs=5e-4)
    assert rows["2042Q4"]["reserve_usd_m"] == 140.2


@pytest.mark.parametrize("closed", [0, 2])
@pytest.mark.parametrize("funding", ["notes", "delayed_draw"])
def test_a_loan_at_its_limit_is_that_part_of_all_that_lenders_count(closed: int, funding: str) -> None:
    """60 % of one hall, closed at its start or its end: fee, construction interest, reserve are cost."""
    limits = {"ltc_max_frac": 0.6, "dscr_min": 1.01, "fee_frac": 0.02, "funding": funding}
    p = with_all(rich(halls(add_project_debt(small()))), "credit_classes", **limits)
    tree = chain_of(p)
    first, close = tree.label(0), tree.label(closed)
    rows = [("sign", "north", "", "lease", "", first, 1.0),
            ("start", "north", "hall", "lease", "", first, 1.0),
            ("financed", "north", "hall", "lease", first, close, 1.0)]  # fmt: skip
    world = value_plan(p, tree, pd.DataFrame(rows, columns=COLUMNS)).world
    ((_, facility),) = world.facilities
    spent = sum(facility.own_spend)
    table = project_waterfall(world)
    for t in range(2, 6):
        row = table[NORTH, tree.label(tree.leaves[0]), quarter(t)]
        assert row["balance_usd_m"] / row["ltc_frac"] == pytest.approx(facility.loan / 0.6)
    assert facility.loan / 0.6 > spent + 0.02 * facility.loan


def test_on_time_cash_is_handed_up() -> None:
    """91.538 earned and 70.108 due: 1.3057, above 1.15; what is left comes up, with the rent of 2027."""
    plan = decided(on_time(), (Quantity.DISTRIBUTED, 1.0))
    assert plan.at(Quantity.OPEN, 5, item=NORTH) == 1.0
    assert [v for _, v in plan.program.model.borrower[NORTH].terms.locked_usd_m.items()] == []
    spare = 30.637 + 61.274 + (91.538 - INTEREST) + (91.538 - 70.108)
    assert plan.up_to(Quantity.DISTRIBUTED, 5, item=NORTH) == pytest.approx(spare, abs=0.01)
    world = audited(plan).world
    assert cfads(world, NORTH, 5) / service(world, NORTH, 5) == exactly("1.3057")
    assert world.locked(5) == 0.0


def test_two_quarters_late_is_locked_up() -> None:
    """61.274 earned and 70.108 due: 0.874. Short by 19.673 and 8.834, which somebody must put in."""
    plan = decided(two_quarters_late(), (Quantity.DISTRIBUTED, 1.0), (Quantity.OPEN, 1e3))
    assert plan.at(Quantity.OPEN, 5, item=NORTH) == 0.0
    assert plan.up_to(Quantity.CONTRIBUTED, 5, item=NORTH) == exactly("28.507")
    world = audited(plan).world
    assert service(world, NORTH, 4) - cfads(world, NORTH, 4) == exactly("19.673")
    assert service(world, NORTH, 5) - cfads(world, NORTH, 5) == exactly("8.834")
    assert cfads(world, NORTH, 5) / service(world, NORTH, 5) == exactly("0.874")


def test_cash_that_is_locked_up_is_no_liquidity() -> None:
    """Fifty more than it takes stay behind; the liquidity that covenants see lacks them."""
    hoard = 4 * INTEREST + 28.507 + 50.0
    p = with_row(two_quarters_late(), "entities", NORTH, unrestricted_cash_usd_m=hoard)
    p = with_rows(p, "covenants", covenant("minimum_liquidity", 10.0))
    plan = decided(p)
    world = audited(plan).world
    assert world.ledger.cash[NORTH, 5] == pytest.approx(50.0, abs=0.01)
    assert world.locked(5) == pytest.approx(50.0, abs=0.01)
    seen = next(x for x in plan.program.measured if x.node == 5)
    counted = world.ledger.company_cash(5) + world.ledger.cash["south-co", 5]
    assert seen.value.value == pytest.approx(counted)


def swept() -> Portfolio:
    """100 at 8 %: ten in each of five quarters and a balloon of fifty, half of excess cash swept."""
    p = without(idle(rich(small())), "instruments")
    terms = {"balloon_frac": 0.5, "sweep_frac": 0.5}
    return with_rows(p, "debt", loan("notes", NORTH, 100.0, 1, 5, **terms))


def test_a_sweep() -> None:
    """Six handed up in the second quarter repay six of the last payment: interest falls by 0.12."""
    plan = built(swept(), chain_of)
    handed = next(iter(plan.decided(Quantity.DISTRIBUTED, item=NORTH, node=1))).variable
    handed.setlb(6.0)
    assert solved(compile_matrix(plan.program.model), plan.want(Quantity.PREPAID, -1.0)).proved == "optimal"
    assert plan.at(Quantity.PREPAID, 1, item="notes") == pytest.approx(6.0)
    expected = [
        (2.00, 0.0, 100.0),
        (2.00, 16.0, 84.0),
        (1.68, 10.0, 74.0),
        (1.48, 10.0, 64.0),
        (1.28, 10.0, 54.0),
        (1.08, 54.0, 0.0),
    ]
    rolled = audited(plan).world.debts["notes"]
    books = next(b for b in plan.program.books if b.owner == NORTH)
    for n, (interest, principal, balance) in enumerate(expected):
        q = rolled[n]
        assert (q.interest, q.principal, q.balance) == pytest.approx((interest, principal, balance))
        paid = books.cash_at(n, (CashLine.DEBT_INTEREST, CashLine.DEBT_PRINCIPAL)).value
        assert paid == pytest.approx(-interest - principal)


def test_what_is_swept_cannot_be_rolled() -> None:
    """Of the last payment of 60, 6 are gone; half of the other 54 may be rolled."""
    roll = {"refinance_spread_frac": 0.03, "refinance_tenor_q": 4, "refinance_max_frac": 0.5}
    plan = built(with_row(swept(), "debt", "notes", **roll), chain_of)
    next(iter(plan.decided(Quantity.DISTRIBUTED, item=NORTH, node=1))).variable.setlb(6.0)
    wanted = plan.want(Quantity.ROLLED) + plan.want(Quantity.PREPAID, -1.0)
    assert solved(compile_matrix(plan.program.model), wanted).proved == "optimal"
    assert plan.at(Quantity.ROLLED, 5, item="notes") == pytest.approx(27.0)


def test_reserve_in_cash_and_by_letter() -> None:
    """Of 140.2: released in 2042Q4 and restricted until then, or a letter at 2 % for 0.701 a quarter."""
    kept = {"dsra_usd_m": 140.2, "dsra_form": "cash"}
    world = audited(decided(on_time(**kept))).world
    assert world.restricted(5) == pytest.approx(140.2)
    letter = {"dsra_usd_m": 140.2, "dsra_form": "parent_lc", "dsra_fee_frac": 0.02}
    plan = decided(on_time(**letter))
    world = audited(plan).world
    assert world.restricted(5) == 0.0
    assert world.debts[NOTES][5].interest == exactly("51.011")
    arrays = next(d for d in plan.program.params.debts if d.debt.debt == NOTES)
    assert arrays.interest[5] == exactly("51.011")
