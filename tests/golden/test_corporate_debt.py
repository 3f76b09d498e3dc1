"""Deals in corporate debt worked by hand: by the program's arrays, and by the auditor's own arithmetic."""

import pandas as pd
import pytest

from models.domain.ledger import CashLine, Quantity
from models.domain.portfolio import Portfolio
from models.params.params import Params, compile_params
from optimizer.audit.court import Court
from optimizer.audit.rebuild import value_plan
from optimizer.audit.rules_money import MoneyRules
from optimizer.audit.world import World
from tests import portfolios as make
from tests.blocks.hand import idle
from tests.oracle.enumeration import COLUMNS, Case, search_of

ROOT, NEXT = f"{make.quarter(0)}:base", f"{make.quarter(1)}:base"


def audited(p: Portfolio, *rows: tuple[str, str, str, str, float]) -> World:
    """The auditor's world of a few decisions: quantity, item, block, node, value."""
    cells = [(quantity, "", item, "", block, node, value) for quantity, item, block, node, value in rows]
    return value_plan(p, make.chain_of(p), pd.DataFrame(cells, columns=COLUMNS)).world


def params(p: Portfolio) -> Params:
    """The program's arrays."""
    return compile_params(p, make.chain_of(p))


def bitdeer() -> Portfolio:
    """February 2026: 135 of the 200 $M left of the 5.25 % notes of 2029, struck at 15.95, bought at 102.4."""
    p = make.with_company(make.add_repurchase(make.small()), price_usd=10.0)
    p = make.with_row(p, "convertibles", "dear", principal_usd_m=200.0, coupon_frac=0.0525,
                      conversion_price_usd=15.95)  # fmt: skip
    return make.with_row(p, "instruments", "buyback", premium_frac=0.024, max_usd_m=150.0)


def test_bitdeer_pays_138_for_135() -> None:
    """Below the strike par counts: 135 x 1.024 = 138.24; 65 stay, at 0.853125 a quarter."""
    (offer,) = params(bitdeer()).repurchase_offers
    assert 0.675 * offer.price_usd_m[0] == pytest.approx(138.24)
    assert 0.675 * 200.0 * offer.retired[0].coupon[0] == pytest.approx(135.0 * 0.0525 / 4.0)
    world = audited(bitdeer(), ("repurchase", "buyback", "", ROOT, 0.675))
    assert world.corporate.paid(0) == pytest.approx(138.24)
    assert world.ledger.lines["parent", 0, CashLine.REPURCHASE] == pytest.approx(-138.24)
    assert world.debt(0) == pytest.approx(65.0)
    assert world.ledger.lines["parent", 0, CashLine.CONVERT_COUPON] == pytest.approx(-0.853125)


def test_above_the_strike_parity_counts() -> None:
    """At 23.925 a share, parity is 1.5: 135 x 1.5 x 1.024 = 207.36."""
    p = make.with_company(bitdeer(), price_usd=23.925)
    (offer,) = params(p).repurchase_offers
    assert 0.675 * offer.price_usd_m[0] == pytest.approx(207.36)
    assert audited(p, ("repurchase", "buyback", "", ROOT, 0.675)).corporate.paid(0) == pytest.approx(207.36)


def applied_digital() -> Portfolio:
    """November 2025: 2,350 $M at 9.25 % to 2030, unsupported; at a base rate of 3.65 % that is 5.6 % more."""
    bond, _ = make.corporate_debt()
    row = {**bond, "spread_frac": 0.056, "tenor_q": 4, "max_usd_m": 2500.0, "max_frac_of_market_cap": 3.0}
    p = make.with_all(make.with_rows(make.small(), "instruments", row), "market", base_rate_frac=0.0365)
    return make.with_rows(p, "leverage_blocks", *make.leverage("bond", (2.0, 0.0), (3.0, 0.015)))


def test_applied_digital_pays_54_a_quarter() -> None:
    """2,000 below twice the market value at 9.25 %, 350 above it at 10.75 %; here for a year."""
    placed = {"1": 2000.0, "2": 350.0}
    quarterly = 2000.0 * 0.0925 / 4.0 + 350.0 * 0.1075 / 4.0
    assert pytest.approx(54.34375) == 2350.0 * 0.0925 / 4.0
    assert quarterly == pytest.approx(54.34375 + 350.0 * 0.015 / 4.0)
    (offer,) = params(applied_digital()).bond_offers
    bonds = {block: offer.bonds[1, block] for block in placed}
    assert [bonds[b].coupon_frac for b in placed] == pytest.approx([0.0925, 0.1075])
    paid = sum(size * bonds[b].interest for b, size in placed.items())
    due = sum(size * bonds[b].principal for b, size in placed.items())
    assert paid.tolist() == pytest.approx([0.0] + [quarterly] * 4 + [0.0])
    assert due.tolist() == pytest.approx([0.0] * 4 + [2350.0, 0.0])
    world = audited(applied_digital(), *(("notes", "bond", b, NEXT, x) for b, x in placed.items()))
    for n in range(6):
        assert world.corporate.total(n, "interest") == pytest.approx(paid[n])
        assert world.corporate.total(n, "principal") == pytest.approx(due[n])
        assert world.corporate.total(n, "balance") == pytest.approx(2350.0 * (1 <= n <= 3))
    assert world.corporate.net(1) == pytest.approx(2350.0 * 0.98)


def idle_borrower() -> Portfolio:
    """Nothing to build, two a quarter to pay, notes of three quarters at 98 cents net."""
    bond, _ = make.corporate_debt()
    return idle(make.with_rows(make.small(), "instruments", {**bond, "tenor_q": 3, "min_usd_m": 0.0}))


@pytest.mark.parametrize(("principal", "is_kept"), [(10.2, True), (10.3, False), (100.0, False)])
def test_notes_are_not_raised_to_repay_themselves(principal: float, is_kept: bool) -> None:
    """Two now and eight in the year of sight are 10, or 10.204 of notes, though these fall due in it."""
    p = idle_borrower()
    case = Case.of(p, make.chain_of(p))
    fixed = {Quantity.NOTES: principal, Quantity.RESCUE: 0.0, Quantity.ATM: 0.0}
    lower, upper = case.matrix.lower.copy(), case.matrix.upper.copy()
    for d in case.program.decisions:
        if d.quantity in fixed:
            j = case.matrix.column[id(d.variable)]
            lower[j] = upper[j] = fixed[d.quantity] * (d.quantity is not Quantity.NOTES or d.node == 0)
    result, _ = search_of(case).at(1.0, integer=True, gap_usd_m=0.0, lower=lower, upper=upper)
    assert (result.x is not None) is is_kept
    rows = [("notes", "", "bond", "", "", ROOT, principal)]
    plan = value_plan(p, case.tree, pd.DataFrame(rows, columns=COLUMNS))
    court = Court()
    MoneyRules(plan.world, court).check()
    assert [f.check for f in court.failures if f.check == "CSH-5"] == ([] if is_kept else ["CSH-5"])


def cipher() -> Portfolio:
    """2026: 200 $M at SOFR + 1.5 %; assumed: 0.4 % on what is undrawn and 1 % to arrange it."""
    _, line = make.corporate_debt()
    row = {**line, "max_usd_m": 200.0, "spread_frac": 0.015, "available_until_quarter": make.quarter(3)}
    return make.with_all(make.with_rows(make.small(), "instruments", row), "market", base_rate_frac=0.0365)


def test_ciphers_revolver_costs_what_is_drawn_and_what_is_not() -> None:
    """120 drawn in the first quarter, half repaid in the third, the rest in the fourth, its last."""
    world = audited(
        cipher(), ("commit", "line", "", ROOT, 200.0), ("drawn", "line", "", ROOT, 120.0),
        ("repaid", "line", "", f"{make.quarter(2)}:base", 60.0),
        ("repaid", "line", "", f"{make.quarter(3)}:base", 60.0),
    )  # fmt: skip
    rate, fee = 0.0515 / 4.0, 0.004 / 4.0
    interest = [200.0 * fee, *[120.0 * rate + 80.0 * fee] * 2, 60.0 * rate + 140.0 * fee, 0.0, 0.0]
    assert [world.corporate.total(n, "interest") for n in range(6)] == pytest.approx(interest)
    assert [world.debt(n) for n in range(6)] == pytest.approx([120.0, 120.0, 60.0, 0.0, 0.0, 0.0])
    assert [world.undrawn(n) for n in range(6)] == pytest.approx([80.0, 80.0, 140.0, 0.0, 0.0, 0.0])
    assert world.ledger.lines["parent", 0, CashLine.REVOLVER_INTEREST] == pytest.approx(-0.2 - 2.0)
    assert world.ledger.lines["parent", 0, CashLine.REVOLVER_DRAWN] == pytest.approx(120.0)
    (offer,) = params(cipher()).revolver_offers
    assert offer.interest.tolist() == pytest.approx([rate] * 4 + [0.0] * 2)
    assert offer.drawable.tolist() == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
