"""Decisions of now: each kind is told, and what it costs to undo those that have a sum, by hand."""

import math
from collections.abc import Callable

import pytest

from models.blocks.program import Program, build_program
from models.domain.ledger import DECIDED_NOW, Quantity
from models.params.params import compile_params
from optimizer.plans.reading import Reading
from optimizer.plans.undoing import undo_usd_m
from optimizer.report.decided import ORDER
from tests import portfolios as make

TWICE = 2.0
"""Units of each decision."""
DEAR = 1.25
"""Index of capital costs: deposits follow it."""


@pytest.fixture(scope="module")
def program() -> Program:
    """One of everything that can be decided at the opening, with a tariff on machines and a broker's fee."""
    p = make.with_all(make.full(), "market", capex_idx=DEAR, asic_tariff_frac=0.1)
    p = make.with_row(p, "instruments", "atm", fee_frac=0.01)
    return build_program(compile_params(p, make.chain_of(p)))


def _lent(program: Program) -> float:
    """All that may be taken out at first, of which one per cent is the lender's fee."""
    return next(x.facility.loan_usd_m for x in program.params.take_outs if x.terms.take_out == "fresh")


LOST: dict[Quantity, tuple[dict[str, str], Callable[[Program], float]]] = {
    Quantity.EXPAND: ({"item": "n-line"}, lambda _: 2.0 * DEAR),  # the deposit
    Quantity.ORDERED_MW: ({"item": "transformers"}, lambda _: 0.2 * 1.5 * DEAR),
    Quantity.BOUGHT_MW: ({"item": "s21:new"}, lambda _: 0.5 * 1.1 - 0.8 * 0.5),  # tariff and wear
    Quantity.ATM: ({"since": "2"}, lambda _: 1.0 - 0.95 * 0.99),  # the second block, and the fee
    Quantity.FOLLOW_ON: ({"item": "deal"}, lambda _: 1.0 - 0.96 * 0.98),
    Quantity.ISSUE: ({"item": "note"}, lambda _: 0.02 + 0.06),  # the fee and the capped call
    Quantity.NOTES: ({"item": "bond"}, lambda _: 0.02),
    Quantity.COMMIT: ({"item": "line"}, lambda _: 0.01),
    Quantity.BORROWED: ({"item": "coin-line"}, lambda _: 0.01),
    Quantity.TAKEN_OUT: ({"item": "fresh"}, lambda program: 0.01 * _lent(program)),
    Quantity.SOLD_BTC: ({"item": "free"}, lambda _: 0.1 * 0.01),  # a coin is worth 0.1 $M
}


@pytest.mark.parametrize("quantity", LOST)
def test_undoing_costs(program: Program, quantity: Quantity) -> None:
    where, lost = LOST[quantity]
    kind = [d for d in program.decisions if d.quantity is quantity]
    found = [d for d in kind if all(getattr(d, k) == v for k, v in where.items())]
    first = min(d.node for d in found)
    for d in (d for d in found if d.node == first):
        cost = undo_usd_m(Reading(program, 1.0, {}), d, TWICE)
        assert cost == pytest.approx(TWICE * lost(program), rel=1e-9)


def test_what_cannot_be_undone_has_no_sum(program: Program) -> None:
    others = [d for d in program.decisions if d.quantity not in LOST]
    assert {Quantity.START, Quantity.SIGN, Quantity.BUY_SITE} <= {d.quantity for d in others}
    assert all(math.isnan(undo_usd_m(Reading(program, 1.0, {}), d, TWICE)) for d in others)


def test_each_kind_of_decision_of_now_is_told() -> None:
    """In its place of the order, with what keeps a plan alive behind it."""
    assert sorted(ORDER) == sorted(DECIDED_NOW | {Quantity.RESCUE})
