"""Equipment ordered ahead, by hand: what is paid when; order and hall add up to the all-in figure."""

import pytest

from models.blocks.books import Tally
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.params.params import compile_params
from optimizer.plans.extract import extract
from optimizer.solve.matrix import compile_matrix
from tests.blocks.bite import Plan, built, solved
from tests.blocks.hand import halls, rich
from tests.portfolios import add_long_lead, chain_of, small, with_row

COST, DEPOSIT = 15.0, 3.0
"""Transformers for 10 MW at 1.5 $M per MW, a fifth of it down."""
ALL_IN = 80.0


def ordered_once(resale_frac: float = 0.4, hall: bool = True) -> Plan:
    """10 MW ordered in the first quarter; a hall begun at the north in the second, beside one in hand."""
    p = with_row(halls(rich(add_long_lead(small()))), "long_lead", "transformers", resale_frac=resale_frac)
    plan = built(p, chain_of)
    wanted = plan.want(Quantity.ORDERED_MW, 1.0, site="north", node=0) + plan.want(Quantity.ORDERED_MW, -5.0)
    if hall:
        wanted = wanted + plan.want(Quantity.START, 200.0, site="north", contract="open", node=1)
    wanted = wanted + plan.want(Quantity.START, -20.0) + plan.want(Quantity.SIGN, -100.0)
    for d in plan.decided(Quantity.ORDERED_MW, site="north", node=0):
        d.variable.setlb(10.0)
        d.variable.setub(10.0)
    for d in plan.decided(Quantity.START):
        d.variable.setub(1.0)
    solved(compile_matrix(plan.program.model), wanted)
    return plan


def north(plan: Plan):  # type: ignore[no-untyped-def]
    """The books of the north."""
    return next(b for b in plan.program.books if b.owner == "north-co")


def test_a_deposit_and_the_rest_on_delivery() -> None:
    """3 in the first quarter, 12 in the third; 12 is own spend to come until then."""
    plan = ordered_once(hall=False)
    paid = [-north(plan).cash_at(n, [CashLine.EQUIPMENT_SPEND]).value for n in plan.tree.nodes]
    assert paid == pytest.approx([DEPOSIT, 0.0, COST - DEPOSIT, 0.0, 0.0, 0.0])
    left = [north(plan).tally_at(Tally.REMAINING_OWN, n).value for n in plan.tree.nodes]
    assert left == pytest.approx([12.0, 12.0, 0.0, 0.0, 0.0, 0.0])


def test_order_and_hall_add_up() -> None:
    """A hall of 80 all-in spends 65 where its transformers are ordered apart."""
    p = add_long_lead(small())
    route = next(r for r in compile_params(p, chain_of(p)).routes if r.route.key == ("north", "hall", "open"))
    assert route.modules[0].spend.sum() + COST == pytest.approx(ALL_IN)
    other = with_row(p, "long_lead", "transformers", site="south")
    route = next(r for r in compile_params(other, chain_of(other)).routes if r.route.key[0] == "north")
    assert route.modules[0].spend.sum() == pytest.approx(ALL_IN)


def test_undoing_an_order_costs_its_deposit() -> None:
    """Of 15 $M ordered, 3 are lost, and the plan's table of now says so."""
    plan = ordered_once(hall=False)
    (row,) = extract(plan.program, 1.0)["decide_now"].query("quantity == 'ordered_mw'").to_dict("records")
    assert (row["value"], row["amount_usd_m"]) == pytest.approx((10.0, COST))
    assert row["undo_usd_m"] == pytest.approx(DEPOSIT)
    assert "deposit" in row["undo"]


@pytest.mark.parametrize(("hall", "unused_mw"), [(False, 20.0), (True, 10.0)])
def test_unused_equipment_resells(hall: bool, unused_mw: float) -> None:
    """Ten in hand, ten ordered; a hall uses ten. The rest brings two fifths of its price."""
    plan = ordered_once(hall=hall)
    begun = sum(plan.at(Quantity.START, n) for n in plan.tree.nodes)
    assert begun == pytest.approx(float(hall))
    leaf = plan.tree.leaves[0]
    worth = sum(
        books.value[ValueLine.EQUIPMENT][leaf].value
        for books in plan.program.books
        if ValueLine.EQUIPMENT in books.value
    )
    assert worth == pytest.approx(0.4 * 1.5 * unused_mw)
