"""TKO: a loan is called once, what is let is lent on once, in its place, within the most of the lender."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import rich
from tests.portfolios import add_take_outs, small, with_all, with_row

DEAR, MOST_USD_M = "dear-loan", 8.0


def _let() -> Portfolio:
    return with_all(rich(add_take_outs(small())), "sites", hpc_allowed=False)


def _free() -> Portfolio:
    """As much as lenders like, in place of nothing."""
    p = with_row(_let(), "take_outs", "swap", debt=None, max_usd_m=1000.0)
    return with_row(p, "take_outs", "fresh", max_usd_m=1000.0)


def _by_leaf(plan: Plan, quantity: Quantity, **where: str) -> list[float]:
    return [plan.up_to(quantity, leaf, **where) - 1.0 for leaf in plan.tree.leaves]


def _called(plan: Plan) -> Linear:
    return plan.want(Quantity.CALLED)


def _taken(plan: Plan) -> Linear:
    return plan.want(Quantity.TAKEN_OUT) + plan.want(Quantity.CALLED, -0.01)


def _fresh(plan: Plan) -> Linear:
    return plan.want(Quantity.TAKEN_OUT, item="fresh")


def _ahead_of_called(plan: Plan) -> list[float]:
    return [
        plan.up_to(Quantity.TAKEN_OUT, n, item="swap") - plan.up_to(Quantity.CALLED, n, item=DEAR)
        for n in plan.tree.nodes
    ]


def _lent_usd_m(plan: Plan) -> list[float]:
    loans = {(x.terms.take_out, x.node): x.facility.loan_usd_m for x in plan.program.params.take_outs}
    return [
        sum(
            plan.at(Quantity.TAKEN_OUT, n, item=name) * x
            for (name, n), x in loans.items()
            if n in path and name == "fresh"
        )
        - MOST_USD_M
        for path in (plan.tree.path(leaf) for leaf in plan.tree.leaves)
    ]


BITES = (
    Bite("TKO-1", _let, _called, lambda plan: _by_leaf(plan, Quantity.CALLED, item=DEAR), everywhere=True),
    Bite("TKO-2", _free, _taken, lambda plan: _by_leaf(plan, Quantity.TAKEN_OUT), everywhere=True),
    Bite("TKO-3", _let, _taken, _ahead_of_called),
    Bite("TKO-4", _let, _fresh, _lent_usd_m, everywhere=True),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
