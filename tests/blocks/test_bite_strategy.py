"""STR: what each strategy demands of a site."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import HALL_GROSS_MW, begun, halls, rich
from tests.portfolios import add_rival_offers, small, with_row

FOUR_HALLS_MW = 4.0 * HALL_GROSS_MW
"""What may stand at the north: four halls of 16 gross MW, within the 100 that are energised."""


def _asked(strategy: str, p: Portfolio) -> Callable[[], Portfolio]:
    return lambda: with_row(p, "sites", "north", strategy=strategy)


def _unmet(plan: Plan, rule: str, n: int) -> float:
    return float(plan.site("north").strategy.unmet[rule, n].value)


def _cheapest(plan: Plan) -> Linear:
    """Nothing is begun for its own sake, and nothing is left unmet for its own."""
    unmet = list(plan.site("north").strategy.unmet.values())
    return plan.want(Quantity.START, -0.01) + Linear([-1.0] * len(unmet), unmet)


def _busiest(plan: Plan) -> Linear:
    unmet = list(plan.site("north").strategy.unmet.values())
    return plan.want(Quantity.START, 0.1) + Linear([-1.0] * len(unmet), unmet)


def _begun(plan: Plan) -> list[float]:
    """No hall. [modules]"""
    return [begun(plan, leaf, "north") for leaf in plan.tree.leaves]


def _left(plan: Plan) -> list[float]:
    """All but less than a hall of what four take, or it is unmet. [MW]"""
    return [
        FOUR_HALLS_MW - HALL_GROSS_MW - HALL_GROSS_MW * begun(plan, n, "north") - _unmet(plan, "full", n)
        for n in plan.tree.leaves
    ]


def _none(plan: Plan) -> list[float]:
    """One hall, or it is unmet. [MW]"""
    return [
        HALL_GROSS_MW - HALL_GROSS_MW * begun(plan, n, "north") - _unmet(plan, "some", n)
        for n in plan.tree.leaves
    ]


def _too_many(plan: Plan) -> list[float]:
    """95 % of what four halls take, or it is unmet. [MW]"""
    return [
        HALL_GROSS_MW * begun(plan, n, "north") - 0.95 * FOUR_HALLS_MW - _unmet(plan, "part", n)
        for n in plan.tree.leaves
    ]


def _most_slack(plan: Plan) -> Linear:
    unmet = list(plan.site("north").strategy.unmet.values())
    return plan.want(Quantity.START, 1.0, contract="rival", node=0) + Linear([-1.0] * len(unmet), unmet)


def _unused(plan: Plan) -> list[float]:
    """A live hall of the rival leaves two MW of slack; one of them is used, or it is unmet. [MW]"""
    return [
        1.0 * begun(plan, n, "north", "rival", least_age=2)
        - plan.at(Quantity.SLACK_MW, n, site="north")
        - _unmet(plan, "slack", n)
        for n in plan.tree.nodes
    ]


BITES = (
    Bite("STR-1", _asked("mine", halls(rich())), lambda p: p.want(Quantity.START), _begun, everywhere=True),
    Bite("STR-2", _asked("full", halls(rich())), _cheapest, _left, everywhere=True),
    Bite("STR-3", _asked("hybrid", halls(rich())), _cheapest, _none, everywhere=True),
    Bite("STR-4", _asked("hybrid", halls(rich())), _busiest, _too_many, reached=False),
    Bite("STR-5", _asked("flexible", rich(add_rival_offers(small()))), _most_slack, _unused),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
