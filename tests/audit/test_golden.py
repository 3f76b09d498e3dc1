"""Hand-worked cases against the auditor's own arithmetic (golden-cases.md, letters as there)."""

import pytest

from models.domain.finance import CreditClass
from models.domain.portfolio import Portfolio
from models.timetree import Quarter
from optimizer.audit.arithmetic import btc_per_ph_day, fully_halved, respread, stepped
from optimizer.audit.book import Book
from optimizer.audit.facilities import Facility, Terms
from optimizer.audit.lease import CreditRow, Lease
from optimizer.audit.notes import Note
from optimizer.audit.rebuild import value_plan
from tests.audit import small, treasury

RIVER_BEND_RATE = 0.06192


def river_bend_noi(quarters: int, skipped: int) -> list[float]:
    """NOI from 2028Q1 on, 366.150 in the first year, +3 % each first quarter."""
    return [366.150 / 4 * 1.03 ** (j // 4) for j in range(skipped, skipped + quarters)]


def credit_class(**changed: object) -> CreditClass:
    row = {
        "credit_class": "c", "spread_frac": 0.025, "ltc_max_frac": 0.99, "dscr_min": 1.30566,
        "coverage_q": 80,
        "maturity_q": 80, "balloon_cap_frac": 0.0, "refinance_spread_frac": 0.025, "funding": "notes",
        "fee_frac": 0.02, "reserve_q": 0, "delivery_haircut_frac": 1.0, "closes_at_start": True,
        "closes_at_completion": True,
    }  # fmt: skip
    return CreditClass.model_validate({**row, **changed})


def terms(construction_q: int, **changed: object) -> Terms:
    return Terms(credit_class(**changed), RIVER_BEND_RATE, RIVER_BEND_RATE, 0.0365, construction_q)


def test_a_balance_is_sculpted() -> None:
    loan = Facility(terms(0), [1e5], river_bend_noi(59, 1))
    assert loan.loan == pytest.approx(3250.0, abs=0.05)
    by_quarter = {0: (19.798, 3230.202), 2: (20.416, 3189.681), 6: (23.912, 3096.198), 16: (35.113, 2793.958)}
    for j, (principal, balance) in by_quarter.items():
        assert loan.quarter(j).principal == pytest.approx(principal, abs=0.01)
        assert loan.quarter(j).balance == pytest.approx(balance, abs=0.1)
    assert loan.quarter(58).balance == pytest.approx(0.0, abs=1e-9)
    assert loan.quarter(59).balance == 0.0


@pytest.mark.parametrize(("dscr", "loan"), [(1.2, 3536.2), (1.3, 3264.2), (1.4, 3031.0)])
def test_a_coverage_sizes_the_loan(dscr: float, loan: float) -> None:
    assert Facility(terms(0, dscr_min=dscr), [1e5], river_bend_noi(59, 1)).loan == pytest.approx(
        loan, abs=0.1
    )


def test_a_cost_sizes_the_loan() -> None:
    """H 3,316.45 with k = 0.02 + 6 x 0.01548 + reserve 0.04314 gives 3,250."""
    loan = Facility(
        terms(6, ltc_max_frac=0.85, reserve_q=2, dscr_min=1.2), [3316.45 / 6] * 6, river_bend_noi(60, 0)
    )
    reserve = loan.sized.reserve_frac
    assert reserve == pytest.approx(2 * 91.538 / (1.30566 * 3250), rel=0.01)
    assert loan.loan == pytest.approx(0.85 * 3316.45 / (1 - 0.85 * (0.02 + 6 * 0.01548 + reserve)), abs=1e-6)
    assert loan.loan == pytest.approx(3250.0, rel=0.002)


def test_a_escrow_of_notes_ends_as_the_reserve() -> None:
    loan = Facility(
        terms(6, ltc_max_frac=0.85, reserve_q=2, dscr_min=1.2), [3316.45 / 6] * 6, river_bend_noi(60, 0)
    )
    assert loan.quarter(5).restricted == pytest.approx(loan.sized.reserve_frac * loan.loan)
    interest = sum(loan.quarter(j).interest for j in range(6))
    assert interest == pytest.approx(6 * RIVER_BEND_RATE / 4 * loan.loan)
    assert loan.net + loan.quarter(5).restricted + interest == pytest.approx(loan.loan * 0.98)
    assert loan.quarters[-1].released == pytest.approx(loan.sized.reserve_frac * loan.loan)


def test_a_notes_cost_more_carry_than_a_delayed_draw() -> None:
    """Spend 10/20/25/20/15/10 %, per 3,250 lent.

    Notes pay 301.9. The case's 86.0 of escrow income and 156.0 of capitalised interest are on mid-quarter
    balances of the whole 3,250; the program pays income on the opening escrow and draws at quarter ends:
    openings 3185.0, 2860.4, 2261.7, 1525.9, 926.9, 464.1 and 126.0 capitalised.
    """
    spend = [3316.45 * w for w in (0.1, 0.2, 0.25, 0.2, 0.15, 0.1)]
    notes, delayed = (
        Facility(
            terms(6, ltc_max_frac=0.85, reserve_q=2, dscr_min=1.2, funding=f), spend, river_bend_noi(60, 0)
        )
        for f in ("notes", "delayed_draw")
    )
    paid = sum(q.interest for q in notes.quarters[:6]) / notes.loan * 3250.0
    opening = [q.escrow_income / (0.0365 / 4) / notes.loan * 3250.0 for q in notes.quarters[:6]]
    capitalised = sum(q.interest for q in delayed.quarters[:6]) / delayed.loan * 3250.0
    assert paid == pytest.approx(301.9, abs=0.1)
    assert opening == pytest.approx([3185.0, 2860.4, 2261.7, 1525.9, 926.9, 464.1], abs=1.0)
    assert capitalised == pytest.approx(126.0, abs=0.1)
    assert delayed.quarter(5).balance == pytest.approx(delayed.loan)


def test_a_ramp_pays_its_interest() -> None:
    """The hand case of the formulas: income of 0.5, interest of 2, then 2.47 to the sculpted balance."""
    asked = Terms(credit_class(dscr_min=1.0, fee_frac=0.0), 0.08, 0.08, 0.0365, 0)
    loan = Facility(asked, [1000.0], [0.5, 4.0, 4.0, 99.471012])
    assert loan.loan == pytest.approx(100.0, abs=1e-5)
    assert [q.balance for q in loan.quarters] == pytest.approx([100.0, 99.53, 97.5206, 0.0], abs=1e-5)
    assert [q.principal for q in loan.quarters[:3]] == pytest.approx([0.0, 0.47, 2.0094], abs=1e-5)


def test_a_balloon_is_capped_and_rolled() -> None:
    loan = Facility(
        terms(0, coverage_q=48, maturity_q=20, balloon_cap_frac=0.6), [1e5], river_bend_noi(60, 0)
    )
    assert len(loan.sized.service) < 48
    at_maturity = loan.quarter(19).balance
    assert at_maturity <= 0.6 * loan.loan + 1e-6
    assert loan.quarter(47).balance == pytest.approx(0.0, abs=1e-6)
    assert loan.quarter(20).balance < at_maturity


def cipher(*, is_physical: bool) -> Note:
    return Note(
        name="cipher", principal_usd_m=1300.0, issued=0, is_new=False, coupon_frac=0.0,
        maturity=Quarter.parse("2031Q4"), put=None, put_price_frac=1.0, call_from=None, call_trigger_frac=0.0,
        strike_usd=16.0325, cap_usd=23.32, is_physical=is_physical,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("is_physical", "price", "cash", "out", "back", "net"),
    [
        (False, 10.0, 1300.0, 0.0, 0.0, 1300.0),
        (False, 20.0, 1300.0, 16.0853, 16.0853, 1300.0),
        (False, 35.0, 1300.0, 43.9424, 16.8831, 2247.08),
        (True, 10.0, 1300.0, 0.0, 0.0, 1300.0),
        (True, 20.0, 0.0, 81.0853, 16.0853, 1300.0),
        (True, 35.0, 0.0, 81.0853, 16.8831, 2247.08),
    ],
)
def test_b_settlement(
    is_physical: bool, price: float, cash: float, out: float, back: float, net: float
) -> None:
    note = cipher(is_physical=is_physical)
    paid, shares, capped = (1300.0 * each for each in note.settle(price))
    assert paid == pytest.approx(cash)
    assert shares / price == pytest.approx(out, abs=1e-4)
    assert capped / price == pytest.approx(back, abs=1e-4)
    assert paid + shares - capped == pytest.approx(net, abs=0.01)
    assert note.shares_m == pytest.approx(81.0853, abs=1e-4)


def test_c_a_cheap_issue_in_a_good_leaf_lowers_the_value_per_share() -> None:
    company = treasury.company(price_usd=4.8, shares_m=100.0, leaves=(1000.0, 200.0))
    assert treasury.root(company) == pytest.approx(6.0, abs=1e-9)
    assert treasury.root(company, sold_in_the_good_leaf=800.0) == pytest.approx(
        1000.0 / (100.0 + 250.0 / 3.0)
    )


def test_c_a_fair_issue_leaves_it_unchanged() -> None:
    company = treasury.company(price_usd=15.0, shares_m=10.0, leaves=(200.0, 100.0))
    assert treasury.root(company) == pytest.approx(15.0, abs=1e-9)
    assert treasury.root(company, sold_in_the_good_leaf=200.0) == pytest.approx(15.0, abs=1e-9)


@pytest.mark.parametrize(("value", "per_share"), [(14_000.0, 29.53), (6_000.0, 11.96)])
def test_d_claims_at_the_plans_own_price(value: float, per_share: float) -> None:
    company = treasury.company(price_usd=11.66, shares_m=393.0, leaves=(value, value), note_usd_m=1300.0)
    assert treasury.root(company) == pytest.approx(per_share, abs=0.005)


def test_e_first_year_rent() -> None:
    years = sum(stepped(0.03, 4 * k) for k in range(15))
    assert years == pytest.approx(18.598914, abs=1e-6)
    assert 7000.0 / years == pytest.approx(376.366, abs=1e-3)


def test_e_rent_is_paid_on_critical_mw_from_the_calendar_of_the_lease() -> None:
    company: Portfolio = small.portfolio()
    book = Book(company, small.tree_of(company))
    lease = book.contracts["lease"].model_copy(update={"first_year_rent_usd_per_kw_month": 128.016})
    one = Lease(book, "north", book.products["hall"].model_copy(), lease)
    full = lease.delivery_probability_frac
    first, second = book.moment(0, 4), book.moment(0, 8)
    assert 4 * one.rent_due(first, 245.0) == pytest.approx(376.366 * full, abs=0.01)
    assert one.rent_due(second, 245.0) == pytest.approx(1.03 * one.rent_due(first, 245.0))
    assert one.rent_due(book.moment(0, 44), 245.0) == pytest.approx(  # renewal at the running rate
        0.6 * 1.03**10 * one.rent_due(first, 245.0)
    )
    assert one.rent_due(book.moment(0, 56), 245.0) == 0.0


def test_credits_are_capped_and_carried() -> None:
    row = CreditRow(part_usd_m=10.0, first=Quarter.parse("2027Q1"), parts=2, cap_frac=0.5)
    quarter, carried, given = Quarter.parse("2026Q4"), 0.0, []
    for rent in (30.0, 12.0, 40.0, 8.0):
        credit, carried = row.given(quarter, carried, rent)
        given.append(credit)
        quarter = quarter + 1
    assert given == [0.0, 6.0, 14.0, 0.0]


def test_hashprice_and_profiles() -> None:
    """3.125 BTC a block at 120 T: 86400e15/(120e12 x 2^32) blocks per PH/s and day."""
    assert btc_per_ph_day(120.0, 3.125, 0.0, 0.0) == pytest.approx(5.2386e-4, rel=1e-4)
    assert fully_halved(2.4) == 1.5625
    assert respread((0.3, 0.7), 3) == pytest.approx([0.2, 0.1 + 0.7 / 3, 1.4 / 3])


def test_an_empty_plan_is_valued() -> None:
    company = small.portfolio()
    tree = small.tree_of(company)
    assert value_plan(company, tree, small.decisions(tree).iloc[:0]).root() > 0.0


@pytest.mark.parametrize(
    ("noi", "rate", "debt", "dscr"), [(454.0, 0.06192, 3250.0, 1.30), (655.0, 0.06129, 4250.0, 1.44)]
)
def test_g_coverage_of_river_bend_and_beacon_point(noi: float, rate: float, debt: float, dscr: float) -> None:
    """NOI is the average of 15 years at 3 % a year; at that coverage the auditor lends what was lent."""
    first = noi * 15.0 / sum(stepped(0.03, 4 * k) for k in range(15)) / 4.0
    by_quarter = [first * stepped(0.03, j) for j in range(60)]
    lender = Terms(credit_class(dscr_min=dscr), rate, rate, 0.0365, 0)
    assert Facility(lender, [1e5], by_quarter).loan == pytest.approx(debt, rel=0.02 / dscr)


def test_g_helios_is_sized_over_the_lease_and_leaves_a_balloon() -> None:
    """1,400 at 80 % of 1,750 and SOFR + 4.75 %, 36 months; NOI 90 % of 300 a year for 15 years."""
    rate, build_q = 0.0365 + 0.0475, 4
    own = [(1750.0 - build_q * rate / 4.0 * 1400.0) * w for w in (0.2, 0.3, 0.3, 0.2)]
    changed = {"dscr_min": 1.40, "ltc_max_frac": 0.8, "coverage_q": 60, "maturity_q": 12, "fee_frac": 0.0}
    row = credit_class(**changed, balloon_cap_frac=1.0)
    helios = Facility(Terms(row, rate, rate, 0.0, build_q), own, [0.9 * 300.0 / 4.0] * 60)
    assert helios.loan == pytest.approx(1400.0)
    assert len(helios.sized.service) == 60
    assert 1000.0 < helios.quarter(10).balance < 1400.0
    short = credit_class(**{**changed, "coverage_q": 12, "maturity_q": 80})
    lent = Facility(Terms(short, rate, rate, 0.0, build_q), own, [0.9 * 300.0 / 4.0] * 60).loan
    assert lent == pytest.approx(507.0, abs=1.0)  # by quarters; three yearly payments give 493


@pytest.mark.parametrize(
    ("value", "mw", "years", "average"), [(3000.0, 168.0, 10, 149.0), (9700.0, 200.0, 5, 808.0)]
)
def test_g_average_rents(value: float, mw: float, years: int, average: float) -> None:
    """Barber Lake and IREN-Microsoft: what the auditor bills at the printed rate comes to the value."""
    book = Book(small.portfolio(), small.tree_of(small.portfolio()))
    flat = {"first_year_rent_usd_per_kw_month": average, "escalator_frac_per_year": 0.0}
    lease = book.contracts["lease"].model_copy(update={**flat, "delivery_probability_frac": 1.0})
    one = Lease(book, "north", book.products["hall"].model_copy(), lease)
    assert 4 * years * one.rent_due(book.moment(0, 4), mw) == pytest.approx(value, rel=0.004)
