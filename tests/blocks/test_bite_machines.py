"""ALO, MIN: what sites share besides money, and the machines at each of them."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import HALL_MW, begun, building, halls, rich
from tests.portfolios import SITES, add_commitments, add_rival_offers, small, with_company, with_row

OLD, NEW = ("n-s19", "s-s19"), "s21:new"
VINTAGES = (*OLD, NEW)


def _signatures(plan: Plan) -> list[float]:
    """The lease is signed at one site, once. [-]"""
    return [plan.up_to(Quantity.SIGN, leaf, contract="lease") - 1.0 for leaf in plan.tree.leaves]


def _rivals_signed(plan: Plan) -> list[float]:
    """The lease or its rival. [-]"""
    both = ("lease", "rival")
    return [sum(plan.up_to(Quantity.SIGN, leaf, contract=c) for c in both) - 1.0 for leaf in plan.tree.leaves]


def _few_crews() -> Portfolio:
    return with_company(
        halls(rich(add_commitments(small()))), building_cap_mw=20.0, building_cap_growth_mw_per_q=5.0
    )


def _overbuilt(plan: Plan) -> list[float]:
    """Crews carry 20 MW, and five more each quarter; two commitments count until they are live. [MW]"""
    first = (10.0, 10.0, 5.0, 0.0, 0.0, 0.0)
    second = (0.0, 0.0, 10.0, 10.0, 0.0, 0.0)
    found = []
    for n in plan.tree.nodes:
        t = plan.tree.period[n]
        kept = 1.0 - plan.up_to(Quantity.CANCEL, n, item="second")
        committed = first[t] + second[t] * kept
        found.append(HALL_MW * building(plan, n) + committed - (20.0 + 5.0 * t))
    return found


def _moved(plan: Plan) -> list[float]:
    """Machines come out of the pool a quarter after they went in. [MW]"""
    return [
        plan.up_to(Quantity.MOVED_IN_MW, n, item=v)
        - plan.up_to(Quantity.MOVED_OUT_MW, n, least_age=1, item=v)
        for v in VINTAGES
        for n in plan.tree.nodes
    ]


def _slow() -> Portfolio:
    return rich(with_row(small(), "machines", "s19", max_move_mw_per_q=15.0))


def _hauled(plan: Plan) -> list[float]:
    """15 MW a quarter of each fleet of old machines. [MW]"""
    return [plan.at(Quantity.MOVED_IN_MW, n, item=v) - 15.0 for v in OLD for n in plan.tree.nodes]


def _bought(plan: Plan) -> list[float]:
    """20 MW a quarter over all sites. [MW]"""
    return [plan.at(Quantity.BOUGHT_MW, n) - 20.0 for n in plan.tree.nodes]


def _thin() -> Portfolio:
    return rich(with_row(small(), "machines", "s19", max_sell_mw_per_q=12.0))


def _sold(plan: Plan) -> list[float]:
    """12 MW of old machines a quarter, both fleets over all sites. [MW]"""
    return [sum(plan.at(Quantity.SOLD_MW, n, item=v) for v in OLD) - 12.0 for n in plan.tree.nodes]


def _merchant(plan: Plan) -> list[float]:
    """30 MW for the open market over all sites. [MW]"""
    return [HALL_MW * begun(plan, leaf, contract="open") - 30.0 for leaf in plan.tree.leaves]


def _stock(plan: Plan, v: str, site: str, n: int) -> float:
    return float(plan.site(site).mining.stock[v, n].value)


def _most_stock(plan: Plan) -> Linear:
    stocks = [stock for site in SITES for stock in plan.site(site).mining.stock.values()]
    return Linear([1.0] * len(stocks), stocks)


def _unbalanced(plan: Plan) -> list[float]:
    """What stands at a site is what stood, came and was bought, less what left. [MW]"""
    opening = {("north", "n-s19"): 60.0, ("south", "s-s19"): 80.0}
    come, gone = (Quantity.BOUGHT_MW, Quantity.MOVED_IN_MW), (Quantity.SOLD_MW, Quantity.MOVED_OUT_MW)
    return [
        abs(
            _stock(plan, v, site, n)
            - opening.get((site, v), 0.0)
            - sum(plan.up_to(q, n, site=site, item=v) for q in come)
            + sum(plan.up_to(q, n, site=site, item=v) for q in gone)
        )
        for site in SITES
        for v in VINTAGES
        for n in plan.tree.nodes
    ]


def _ready(plan: Plan) -> list[float]:
    """Machines that run, on the grid or on slack, are there. [MW]"""
    return [
        plan.at(Quantity.ON_MW, n, site=site, item=v)
        + plan.at(Quantity.SLACK_MW, n, site=site, item=v)
        - _stock(plan, v, site, n)
        for site in SITES
        for v in VINTAGES
        for n in plan.tree.nodes
    ]


def _run_everything(plan: Plan) -> Linear:
    return plan.want(Quantity.ON_MW) + plan.want(Quantity.SLACK_MW) + plan.want(Quantity.START, 0.1)


def _dead(plan: Plan) -> list[float]:
    """Machines of two quarters of life: what stands was bought in this quarter or the one before. [MW]"""
    return [
        sum(_stock(plan, NEW, site, n) for site in SITES) - plan.aged(Quantity.BOUGHT_MW, n, range(2))
        for n in plan.tree.nodes
    ]


BITES = (
    Bite("ALO-1", lambda: halls(rich()), lambda p: p.want(Quantity.SIGN), _signatures, everywhere=True),
    Bite(
        "ALO-2",
        lambda: halls(rich(add_rival_offers(small()))),
        lambda p: p.want(Quantity.SIGN),
        _rivals_signed,
        everywhere=True,
    ),
    Bite("ALO-3", _few_crews, lambda p: p.want(Quantity.START), _overbuilt),
    Bite("ALO-4", rich, lambda p: p.want(Quantity.MOVED_IN_MW), _moved),
    Bite("ALO-5", rich, lambda p: p.want(Quantity.BOUGHT_MW), _bought, everywhere=True),
    Bite(
        "ALO-6",
        lambda: halls(rich()),
        lambda p: p.want(Quantity.START, contract="open"),
        _merchant,
        everywhere=True,
    ),
    Bite("ALO-7", _slow, lambda p: p.want(Quantity.MOVED_IN_MW), _hauled),
    Bite("ALO-8", _thin, lambda p: p.want(Quantity.SOLD_MW), _sold, everywhere=True),
    Bite("MIN-1", rich, _most_stock, _unbalanced),
    Bite("MIN-2", lambda: rich(add_rival_offers(small())), _run_everything, _ready),
    Bite("MIN-3", lambda: rich(with_row(small(), "machines", "s21", life_q=2)), _most_stock, _dead),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
