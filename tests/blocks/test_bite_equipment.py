"""EQP: equipment that is ordered before the halls that need it."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import HALL_MW, begun, halls, rich
from tests.portfolios import SITES, add_long_lead, small, with_row

AHEAD_Q, IN_HAND_MW, MOST_MW = 1, 10.0, 30.0
"""Ordered three quarters before it is there, needed two quarters after a start."""


def _anywhere() -> Portfolio:
    return halls(rich(add_long_lead(small())))


def _north() -> Portfolio:
    return with_row(_anywhere(), "long_lead", "transformers", site="north")


def _build_bare(plan: Plan) -> Linear:
    return plan.want(Quantity.START) + plan.want(Quantity.ORDERED_MW, -0.01)


def _bare(plan: Plan, sites: tuple[str, ...]) -> list[float]:
    """Ten MW are in hand; more halls, wherever, need what was ordered a quarter before. [MW]"""
    return [
        HALL_MW * sum(begun(plan, n, site) for site in sites)
        - IN_HAND_MW
        - plan.up_to(Quantity.ORDERED_MW, n, AHEAD_Q)
        for n in plan.tree.nodes
    ]


def _ordered(plan: Plan) -> list[float]:
    """Makers deliver 30 MW. [MW]"""
    return [plan.up_to(Quantity.ORDERED_MW, leaf) - MOST_MW for leaf in plan.tree.leaves]


BITES = (
    Bite("EQP-1", _anywhere, _build_bare, lambda p: _bare(p, SITES), name="anywhere"),
    Bite("EQP-1", _north, _build_bare, lambda p: _bare(p, ("north",)), name="at a site"),
    Bite("EQP-2", _anywhere, lambda p: p.want(Quantity.ORDERED_MW), _ordered, everywhere=True),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
