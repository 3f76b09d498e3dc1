"""POW, COO: what the interconnect carries and costs, and what cools the halls."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.solve.matrix import compile_matrix
from tests.blocks.bite import Bite, Plan, built, cases, solved
from tests.blocks.hand import HALL_GROSS_MW, HALL_MW, begun, halls, occupied_mw, rich
from tests.portfolios import (
    SITES,
    add_commitments,
    add_expansion,
    add_rival_offers,
    chain_of,
    small,
    tree_of,
    with_row,
)

POWER_USD_PER_MWH = 40.0
"""At the north; machines that earn less stand still."""
J_PER_TH = {"n-s19": 30.0, "s-s19": 30.0, "s21:new": 20.0}


def _wide() -> Portfolio:
    return halls(rich())


def _growing() -> Portfolio:
    return rich(add_expansion(small()))


def _crowded() -> Portfolio:
    """At the north 200 MW of machines, a commitment, and an interconnect of 100 that may grow."""
    p = add_expansion(add_commitments(small()))
    return rich(with_row(p, "fleets", "n-s19", mw=200.0))


def _committed_mw(plan: Plan, n: int) -> float:
    """Gross MW of the second commitment, from the third quarter on unless it is cancelled."""
    kept = 1.0 - plan.up_to(Quantity.CANCEL, n, item="second")
    return HALL_GROSS_MW * kept if plan.tree.period[n] >= 2 else 0.0


def _crowd(plan: Plan) -> Linear:
    return plan.want(Quantity.ON_MW, site="north") + plan.want(Quantity.START, 100.0, site="north")


def _over_energised(plan: Plan) -> list[float]:
    """Machines on, halls and the commitment at the north, within what is energised there. [MW]"""
    return [
        occupied_mw(plan, n, "north") + _committed_mw(plan, n) - _energised_mw(plan, n, "north")
        for n in plan.tree.nodes
    ]


def _steps(plan: Plan) -> list[float]:
    """Two steps. [steps]"""
    return [plan.up_to(Quantity.EXPAND, leaf, item="n-line") - 2.0 for leaf in plan.tree.leaves]


def _billed_mw(plan: Plan, n: int, site: str) -> float:
    return float(plan.site(site).power.billed_mw[n].value)


def _cheap_bill(plan: Plan) -> Linear:
    bills = [bill for site in SITES for bill in plan.site(site).power.billed_mw.values()]
    return (
        plan.want(Quantity.ON_MW, 2.0) + plan.want(Quantity.START, 40.0) + Linear([-1.0] * len(bills), bills)
    )


def _unbilled(plan: Plan) -> list[float]:
    """What is occupied is billed. [MW]"""
    return [occupied_mw(plan, n, site) - _billed_mw(plan, n, site) for site in SITES for n in plan.tree.nodes]


def _least_bill(plan: Plan) -> Linear:
    bills = [bill for site in SITES for bill in plan.site(site).power.billed_mw.values()]
    return plan.want(Quantity.EXPAND, 200.0) + Linear([-1.0] * len(bills), bills)


def _energised_mw(plan: Plan, n: int, site: str) -> float:
    """100 MW, and 40 for each step at the north two quarters after it is begun."""
    return 100.0 + (40.0 * plan.up_to(Quantity.EXPAND, n, least_age=2) if site == "north" else 0.0)


def _underbilled(plan: Plan) -> list[float]:
    """Half of what is energised is billed at least. [MW]"""
    return [
        0.5 * _energised_mw(plan, n, site) - _billed_mw(plan, n, site)
        for site in SITES
        for n in plan.tree.nodes
    ]


def _shortfall(plan: Plan) -> Linear:
    short = list(plan.site("north").power.shortfall_gwh.values())
    growth = plan.want(Quantity.START, 0.01, site="north") + plan.want(Quantity.EXPAND, 1000.0)
    return growth + Linear([-1.0] * len(short), short)


def _drawn_mwh(plan: Plan, n: int) -> float:
    """Machines that earn more than their power costs, and live halls at 80 % with a PUE of 1.2. [MWh]"""
    market = plan.market(n)
    hashes_per_usd = market.difficulty_t * 1e12 * 2.0**32 / (market.subsidy_btc * market.btc_usd)
    mw = HALL_MW * begun(plan, n, "north", least_age=2) * 0.8 * 1.2
    for item, j_per_th in J_PER_TH.items():
        usd_per_mwh = 3.6e9 / j_per_th * 1e12 / hashes_per_usd
        if usd_per_mwh > POWER_USD_PER_MWH:
            mw += plan.at(Quantity.ON_MW, n, site="north", item=item)
    return plan.tree.quarter(n).hours * mw


def _unpaid_energy(plan: Plan) -> list[float]:
    """Half of what is energised at the north is drawn or paid as a shortfall. [GWh]"""
    short = plan.site("north").power.shortfall_gwh
    return [
        0.5 * _energised_mw(plan, n, "north") * plan.tree.quarter(n).hours / 1000.0
        - _drawn_mwh(plan, n) / 1000.0
        - float(short[n].value)
        for n in plan.tree.nodes
    ]


def _most_slack(plan: Plan) -> Linear:
    return plan.want(Quantity.SLACK_MW) + plan.want(Quantity.START, 1.0, contract="rival")


def _slack(plan: Plan) -> list[float]:
    """A live hall of the rival reserves 16 MW and draws 12 at most; half of the rest may be used. [MW]"""
    return [
        plan.at(Quantity.SLACK_MW, n, site=site) - 2.0 * begun(plan, n, site, "rival", least_age=2)
        for site in SITES
        for n in plan.tree.nodes
    ]


def _weak() -> Portfolio:
    p = with_row(small(), "contracts", "open", max_mw=60.0)
    return halls(rich(with_row(p, "power", "north", energised_mw=48.0)))


def _begin_late(plan: Plan) -> Linear:
    wanted = Linear()
    for n in plan.tree.nodes:
        wanted = wanted + plan.want(Quantity.START, 1.0 + plan.tree.period[n], node=n, site="north")
    return wanted


def _begun_unpowered(plan: Plan) -> list[float]:
    """Three halls of 16 gross MW fit 48, whatever stage they have reached. [MW]"""
    return [HALL_GROSS_MW * begun(plan, leaf, "north") - 48.0 for leaf in plan.tree.leaves]


def _cool_late(plan: Plan) -> Linear:
    wanted = plan.want(Quantity.START, 10.0)
    for n in plan.tree.nodes:
        cost = float(plan.tree.probability[n]) * (1.0 - plan.tree.period[n] / 10.0)
        wanted = wanted + plan.want(Quantity.COOL, -cost, node=n)
    return wanted


def _plant_mw(plan: Plan, n: int, site: str, least_age: int) -> float:
    return 20.0 + 10.0 * plan.up_to(Quantity.COOL, n, least_age, site=site)


def _hot(plan: Plan) -> list[float]:
    """Live halls within 20 MW of plant and 10 for each module begun a quarter before. [MW]"""
    return [
        HALL_MW * begun(plan, n, site, least_age=2) - _plant_mw(plan, n, site, 1)
        for site in SITES
        for n in plan.tree.nodes
    ]


def _hot_later(plan: Plan) -> list[float]:
    """All halls begun within all plant begun. [MW]"""
    return [
        HALL_MW * begun(plan, leaf, site) - _plant_mw(plan, leaf, site, 0)
        for site in SITES
        for leaf in plan.tree.leaves
    ]


def _plants(plan: Plan) -> list[float]:
    """Six modules of plant at a site. [modules]"""
    return [plan.up_to(Quantity.COOL, leaf, site=site) - 6.0 for site in SITES for leaf in plan.tree.leaves]


TWO_HALLS_M3 = 2.0 * HALL_MW * 0.8 * 1.0 * 2208.0
"""Water of two live halls in a quarter of 92 days, at a cubic metre per MWh of IT load."""


def _dry() -> Portfolio:
    return with_row(_wide(), "sites", "north", water_limit_m3_per_q=TWO_HALLS_M3)


def _begin_early(plan: Plan) -> Linear:
    wanted = Linear()
    for n in plan.tree.nodes:
        early = float(plan.tree.probability[n]) * (10.0 - plan.tree.period[n])
        wanted = wanted + plan.want(Quantity.START, early, node=n, site="north")
    return wanted


def _thirst(plan: Plan) -> list[float]:
    """Water of the live halls at the north. [1000 m3]"""
    return [
        (begun(plan, n, "north", least_age=2) * HALL_MW * 0.8 * plan.tree.quarter(n).hours - TWO_HALLS_M3)
        / 1000.0
        for n in plan.tree.nodes
    ]


BITES = (
    Bite("POW-1", _crowded, _crowd, _over_energised),
    Bite("POW-2", _crowded, lambda p: p.want(Quantity.EXPAND), _steps, everywhere=True),
    Bite("POW-3", rich, _cheap_bill, _unbilled),
    Bite("POW-4", _growing, _least_bill, _underbilled),
    Bite("POW-5", _growing, _shortfall, _unpaid_energy),
    Bite("POW-6", lambda: rich(add_rival_offers(small())), _most_slack, _slack),
    Bite("POW-7", _weak, _begin_late, _begun_unpowered, everywhere=True),
    Bite("COO-1", _wide, _cool_late, _hot),
    Bite("COO-2", _wide, lambda p: p.want(Quantity.COOL), _plants, everywhere=True),
    Bite("COO-3", _dry, _begin_early, _thirst),
    Bite("COO-4", _wide, _cool_late, _hot_later),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()


def _committed_later() -> Portfolio:
    """The north has 48 MW; its commitment is built after the horizon and takes 16 of them then."""
    p = halls(rich(with_row(add_commitments(small()), "contracts", "open", max_mw=60.0)))
    p = with_row(p, "power", "north", energised_mw=48.0)
    return with_row(
        p, "commitments", "second", occupies_from_quarter="2028Q4", cancellable_until_quarter=None
    )


def test_power_of_a_later_commitment_is_kept() -> None:
    """Two halls of 16 gross MW fit beside the commitment's 16. [modules]"""
    plan = built(_committed_later(), chain_of)
    result = solved(compile_matrix(plan.program.model), plan.want(Quantity.START, site="north"))
    assert result.value == pytest.approx(2.0)


def test_power_of_a_later_commitment_is_not_sold_as_unconverted() -> None:
    """48 MW less 16 at 0.1 $M each. [$M]"""
    plan = built(_committed_later(), chain_of)
    north = next(books for books in plan.program.books if books.owner == "north-co")
    (land,) = north.value[ValueLine.LAND_AND_POWER].values()
    assert land.constant == pytest.approx(3.2)


def test_a_kept_commitment_grants_its_slack() -> None:
    """10 MW live in the last two quarters leave half of 16 - 12 MW to machines. [MW]"""
    p = with_row(add_commitments(small()), "contracts", "loose", usable_slack_frac=0.5, slack_hours_frac=0.5)
    plan = built(rich(p), chain_of)
    wanted = plan.want(Quantity.SLACK_MW, site="north") + plan.want(Quantity.CANCEL, -100.0)
    assert solved(compile_matrix(plan.program.model), wanted).value == pytest.approx(4.0)


def test_a_cancelled_commitment_drinks_nothing() -> None:
    """Two halls begun at once may drink all the water there is. [modules]"""
    p = with_row(add_commitments(small()), "sites", "north", water_limit_m3_per_q=TWO_HALLS_M3)
    plan = built(halls(rich(p)), chain_of)
    wanted = plan.want(Quantity.START, site="north", node=0) + plan.want(Quantity.CANCEL, 100.0)
    assert solved(compile_matrix(plan.program.model), wanted).value == pytest.approx(102.0)


@pytest.mark.parametrize("time", [chain_of, tree_of])
def test_security_of_an_expansion_is_posted_and_held(time: Callable[[Portfolio], TimeTree]) -> None:
    """Two steps begun at once post three each; at each leaf they are restricted cash. [$M]"""
    plan = built(_growing(), time)
    wanted = plan.want(Quantity.EXPAND, 1000.0, node=0)
    assert solved(compile_matrix(plan.program.model), wanted).value == pytest.approx(2000.0)
    north = next(books for books in plan.program.books if books.owner == "north-co")
    posted = [north.cash_at(n, [CashLine.SECURITY]).value for n in plan.tree.nodes]
    assert posted == pytest.approx([-6.0] + [0.0] * (len(posted) - 1))
    assert [north.value[ValueLine.RESTRICTED][leaf].value for leaf in plan.tree.leaves] == pytest.approx(
        [6.0] * len(plan.tree.leaves)
    )
