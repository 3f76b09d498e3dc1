"""Leaves by hand: what stands settles at the plan's own price, and debt falls due after the horizon."""

from typing import Any

import pytest

from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from optimizer.audit.rebuild import rebuild
from optimizer.plans.extract import extract
from optimizer.solve.matrix import compile_matrix
from tests import portfolios as make
from tests.blocks.bite import built, solved
from tests.blocks.hand import idle

PRICE = 2.0
"""Any price per share: the tables are those of this one, the fixed point is its own."""
BASIC_M = 100.0


def sure(p: Portfolio) -> Portfolio:
    """Share prices as on the deck, 10 throughout."""
    return make.with_all(p, "market", share_vol_frac=1e-9)


def with_notes(strike_usd: float, **changes: Any) -> Portfolio:
    """50 $M of notes without coupon, due in the fifth of six quarters, on a company that does nothing."""
    terms = {"coupon_frac": 0.0, "conversion_price_usd": strike_usd, "put_quarter": None,
             "put_price_frac": None, "call_from_quarter": None, "call_trigger_frac": None,
             "cap_price_usd": None, "settlement": "net_share",
             "maturity_quarter": make.quarter(4)}  # fmt: skip
    note = {"tranche": "due", "principal_usd_m": 50.0, **terms, **changes}
    return make.with_rows(sure(idle()), "convertibles", note)


def leaf_of(p: Portfolio) -> dict[str, float]:
    """The row of the only leaf when nothing is decided, by the plan and, the same, by the auditor."""
    plan = built(p, make.chain_of)
    matrix = compile_matrix(plan.program.model)
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    for d in plan.program.decisions:
        if d.quantity in (Quantity.ATM, Quantity.RESCUE, Quantity.BOUGHT_MW, Quantity.ISSUE):
            j = matrix.column[id(d.variable)]
            lower[j] = upper[j] = 0.0
    assert solved(matrix, plan.program.objective(PRICE), lower, upper).proved == "optimal"
    tables = extract(plan.program, PRICE)
    (row,) = tables["leaves"].to_dict("records")
    (same,) = rebuild(p, plan.tree, tables["decisions"], value_per_share_usd=PRICE)["leaves"].to_dict(
        "records"
    )
    shown = {str(k): float(v) for k, v in row.items() if k != "leaf"}
    assert shown == pytest.approx({str(k): float(v) for k, v in same.items() if k != "leaf"})
    return shown


def test_notes_in_the_money_on_the_deck_stay_debt_at_the_plans_price() -> None:
    """Struck at 5, deck 10: 50 in cash, 50 in shares. At a price below 5 they are the 50 of debt, no more."""
    row = leaf_of(with_notes(5.0))
    value = row["value_usd_m"]
    assert value > 0.0
    assert value / BASIC_M < 5.0
    assert row["own_price_usd"] == pytest.approx(value / BASIC_M)
    delivered = row["economic_shares_m"] - BASIC_M
    assert delivered == pytest.approx(5.0)


def test_above_its_strike_a_note_shares() -> None:
    """Struck at 0.5: 100 million shares of parity, 50 paid in cash and given back: (value + 50) / 200."""
    row = leaf_of(with_notes(0.5))
    own = (row["value_usd_m"] + 50.0) / (BASIC_M + 100.0)
    assert own > 0.5
    assert row["own_price_usd"] == pytest.approx(own)


def test_a_capped_call_pays_at_the_same_price() -> None:
    """Capped at 0.75: of each share of parity 0.25 come back, 25 in all: (value + 50 + 25) / 200."""
    row = leaf_of(with_notes(0.5, cap_price_usd=0.75))
    own = (row["value_usd_m"] + 75.0) / (BASIC_M + 100.0)
    assert own > 0.75
    assert row["own_price_usd"] == pytest.approx(own)


def test_options_that_expired_gain_what_the_plans_price_leaves_them() -> None:
    """A million options at 8, expired at a deck price of 10, are worth nothing where a share is worth 2."""
    options = {"claim": "options", "shares_m": 1.0, "strike_usd": 8.0, "expiry_quarter": make.quarter(3),
               "contract": None}  # fmt: skip
    row = leaf_of(make.with_rows(sure(idle()), "share_claims", options))
    assert row["economic_shares_m"] == pytest.approx(BASIC_M + 0.2)
    assert row["own_price_usd"] == pytest.approx(row["value_usd_m"] / BASIC_M)


def test_what_falls_due_after_the_horizon() -> None:
    """Six quarters planned. Notes of 50 put at 1.1 in the third after it; 12 repaid in 1.5 until then."""
    p = with_notes(40.0, maturity_quarter=make.quarter(20), put_quarter=make.quarter(8), put_price_frac=1.1)
    p = make.with_rows(
        p, "debt", make.loan("line", "north-co", 12.0, 1, 8), make.loan("bond", "parent", 7.0, 12, 12)
    )
    row = leaf_of(p)
    assert row["due_4q_usd_m"] == pytest.approx(55.0 + 3 * 1.5)
    assert row["due_8q_usd_m"] == pytest.approx(55.0 + 3 * 1.5 + 7.0)
    assert row["liquidity_usd_m"] > 0.0
