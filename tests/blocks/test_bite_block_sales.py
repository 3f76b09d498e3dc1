"""SIT: let halls sold at a cap rate."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import rich
from tests.portfolios import add_block_sales, add_project_debt, quarter, small, with_row

COHORT = {"site": "hill", "item": "hall", "contract": "plain"}


def _let() -> Portfolio:
    """Halls let for ten years, on debt or without."""
    p = add_project_debt(add_block_sales(small()))
    return rich(with_row(p, "contracts", "plain", credit_class="notes"))


def _held() -> Portfolio:
    """A hall that may be cancelled in the first quarter and be sold from the second one on."""
    p = add_block_sales(small())
    return rich(with_row(p, "commitments", "built", cancellable_until_quarter=quarter(0)))


def _sell_all(plan: Plan) -> Linear:
    financed, begun = plan.want(Quantity.FINANCED, 0.5, **COHORT), plan.want(Quantity.START, 0.2, **COHORT)
    return plan.want(Quantity.SELL_BLOCK, **COHORT) + financed + begun


def _sold(plan: Plan) -> list[float]:
    """Of a cohort no more is sold and financed than begun. [modules]"""
    tree = plan.tree
    return [
        plan.up_to(Quantity.SELL_BLOCK, leaf, since=tree.label(b), **COHORT)
        + plan.up_to(Quantity.FINANCED, leaf, since=tree.label(b), **COHORT)
        - plan.at(Quantity.START, b, **COHORT)
        for leaf in tree.leaves
        for b in tree.path(leaf)
    ]


def _sell_what_stands(plan: Plan) -> Linear:
    return plan.want(Quantity.SELL_BLOCK, item="built") + plan.want(Quantity.CANCEL, 0.1)


def _stood(plan: Plan) -> list[float]:
    """What stands is sold once at most, and not once it is cancelled. [-]"""
    return [
        plan.up_to(Quantity.SELL_BLOCK, leaf, item="built") + plan.up_to(Quantity.CANCEL, leaf) - 1.0
        for leaf in plan.tree.leaves
    ]


BITES = (
    Bite("SIT-5", _let, _sell_all, _sold),
    Bite("SIT-6", _held, _sell_what_stands, _stood, everywhere=True),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
