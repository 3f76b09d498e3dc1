"""SIT: sites bought and sold, and what stands only at one of ours."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import HALL_MW, begun, halls, rich
from tests.portfolios import add_sites, quarter, small, with_row, with_rows

WEST_MW, WEST_HALLS_MW, ANNEX_PLANTS = 60.0, 30.0, 6.0


def _market() -> Portfolio:
    return rich(add_sites(small()))


def _built() -> Portfolio:
    """Halls are signed and begun in any quarter."""
    return halls(with_row(_market(), "contracts", "lease", min_mw=0.0))


def _bare() -> Portfolio:
    """Nothing but land is left of the annex when its power ends, and so no other rule keeps it from it."""
    p = with_row(halls(_market()), "sites", "annex", hpc_allowed=False)
    ended = next(row for row in p.power if row.site == "annex").model_dump()
    return with_rows(p, "power", {**ended, "from_quarter": quarter(1), "energised_mw": 0.0})


def _bought_up_to(plan: Plan, n: int) -> float:
    return plan.up_to(Quantity.BUY_SITE, n, site="west")


def _bought(plan: Plan) -> list[float]:
    """The west is bought once. [-]"""
    return [_bought_up_to(plan, leaf) - 1.0 for leaf in plan.tree.leaves]


def _sold(plan: Plan) -> list[float]:
    """The annex is sold once. [-]"""
    return [plan.up_to(Quantity.SELL_SITE, leaf, site="annex") - 1.0 for leaf in plan.tree.leaves]


def _begin_then_buy(plan: Plan) -> Linear:
    return plan.want(Quantity.START, site="west", node=0) + plan.want(Quantity.BUY_SITE, 0.1, node=1)


def _begun_before(plan: Plan) -> list[float]:
    """Halls at the west, 30 MW at most, are begun no sooner than it is bought. [MW]"""
    return [
        HALL_MW * begun(plan, n, "west") - WEST_HALLS_MW * _bought_up_to(plan, n) for n in plan.tree.nodes
    ]


def _sign_only(plan: Plan) -> Linear:
    return plan.want(Quantity.SIGN, site="west") + plan.want(Quantity.BUY_SITE, -0.1)


def _signed_before(plan: Plan) -> list[float]:
    """A lease at the west is signed no sooner than it is bought. [-]"""
    return [plan.up_to(Quantity.SIGN, n, site="west") - _bought_up_to(plan, n) for n in plan.tree.nodes]


def _build_and_sell(plan: Plan) -> Linear:
    return plan.want(Quantity.COOL, site="annex") + plan.want(Quantity.SELL_SITE, 0.5)


def _built_and_sold(plan: Plan) -> list[float]:
    """Plant is begun at the annex, six modules at most, only where it is never sold. [modules]"""
    return [
        plan.up_to(Quantity.COOL, leaf, site="annex")
        - ANNEX_PLANTS * (1.0 - plan.up_to(Quantity.SELL_SITE, leaf, site="annex"))
        for leaf in plan.tree.leaves
    ]


def _park(plan: Plan) -> Linear:
    return plan.want(Quantity.BOUGHT_MW, site="west") + plan.want(Quantity.BUY_SITE, -0.1)


def _parked(plan: Plan) -> list[float]:
    """No machine stands at the west before it is bought, and then 60 MW at most. [MW]"""
    stock = plan.site("west").mining.stock
    return [
        sum(float(v.value) for (_, m), v in stock.items() if m == n) - WEST_MW * _bought_up_to(plan, n)
        for n in plan.tree.nodes
    ]


def _leave_late(plan: Plan) -> Linear:
    stock = list(plan.site("annex").mining.stock.values())
    return Linear([1.0] * len(stock), stock) + plan.want(Quantity.SELL_SITE, 300.0, node=0)


def _left(plan: Plan) -> list[float]:
    """From the quarter after its sale on no machine stands at the annex; before, 40 MW at most. [MW]"""
    stock = plan.site("annex").mining.stock
    return [
        sum(float(v.value) for (_, m), v in stock.items() if m == n)
        - 40.0 * (1.0 - plan.up_to(Quantity.SELL_SITE, n, least_age=1, site="annex"))
        for n in plan.tree.nodes
    ]


BITES = (
    Bite("SIT-1", _market, lambda p: p.want(Quantity.BUY_SITE), _bought, everywhere=True),
    Bite("SIT-2", _bare, lambda p: p.want(Quantity.SELL_SITE), _sold, everywhere=True),
    Bite("SIT-3", _built, _begin_then_buy, _begun_before, name="begun"),
    Bite("SIT-3", _built, _sign_only, _signed_before, name="signed"),
    Bite("SIT-3", _built, _build_and_sell, _built_and_sold, name="sold"),
    Bite("SIT-4", _market, _park, _parked, name="bought"),
    Bite("SIT-4", _market, _leave_late, _left, name="sold"),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
