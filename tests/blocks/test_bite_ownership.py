"""OWN: what borrowers may hand up and be given, what others own of them, and tests on one borrower alone."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import (
    company_cash_usd_m,
    idle,
    late_loss_usd_m,
    merchant,
    own_spend_usd_m,
    remaining_own_usd_m,
)
from tests.blocks.test_bite_limits import LEASE_LINE_USD_M
from tests.portfolios import add_debt, covenant, quarter, small, with_row, with_rows

OPEN_Q = 3
"""Quarters after the first from which the north may hand up cash, where it may not at once."""
GUARANTEED, OURS = 0.5, 0.25


def _north(p: Portfolio, **terms: object) -> Portfolio:
    return with_row(p, "entities", "north-co", **terms)


def _jv(p: Portfolio) -> Portfolio:
    return _north(p, kind="jv", ownership_frac=OURS)


def _listed(p: Portfolio, **terms: object) -> Portfolio:
    """Ours by a quarter, with 100 of cash."""
    return _north(p, kind="listed", ownership_frac=OURS, unrestricted_cash_usd_m=100.0, **terms)


def _cash(plan: Plan, n: int, entity: str = "north-co") -> float:
    return float(plan.program.model.borrower[entity].own.cash[n].value)


def _tested(p: Portfolio, metric: str, threshold: float, **changes: object) -> Portfolio:
    return with_rows(p, "covenants", covenant(metric, threshold, **changes))


def _hand_up(plan: Plan) -> Linear:
    return plan.want(Quantity.DISTRIBUTED) + plan.want(Quantity.CONTRIBUTED, -1.0)


def _given(quantity: Quantity, before_q: int = 99) -> Callable[[Plan], list[float]]:
    """Given to the north, or handed up by it, in the quarters in which nothing may be. [$M]"""

    def found(plan: Plan) -> list[float]:
        nodes = (n for n in plan.tree.nodes if plan.tree.period[n] < before_q)
        return [plan.at(quantity, n, item="north-co") for n in nodes]

    return found


def _put_in(plan: Plan) -> Linear:
    rescue = plan.want(Quantity.RESCUE, -100.0)
    return rescue + plan.want(Quantity.CONTRIBUTED) + plan.want(Quantity.DISTRIBUTED, -2.0)


def _paying() -> Portfolio:
    """A listed builder that is given what it asks for and pays out what it may."""
    return _listed(merchant(), contributions_allowed=True, upstream_from_quarter=quarter(0))


def _build_and_pay(plan: Plan) -> Linear:
    rescue = plan.want(Quantity.RESCUE, -1000.0) + plan.want(Quantity.ATM, -0.01)
    return rescue + plan.want(Quantity.START, 100.0) + _hand_up(plan)


def _late_uncovered(plan: Plan) -> list[float]:
    """The first rent of each hall, by which the listed builder may be late, lies in its cash. [$M]"""
    return [late_loss_usd_m(plan, n) - _cash(plan, n) for n in plan.tree.nodes]


def _left_uncovered(plan: Plan) -> list[float]:
    return [remaining_own_usd_m(plan, leaf) - _cash(plan, leaf) for leaf in plan.tree.leaves]


def _move(plan: Plan) -> Linear:
    moves = (Quantity.MOVED_OUT_MW, Quantity.MOVED_IN_MW)
    wanted = plan.want(Quantity.RESCUE, -100.0)
    for quantity in moves:
        wanted = wanted + plan.want(quantity, site="north") + plan.want(quantity, -0.01, site="south")
    return wanted


def _moved(plan: Plan) -> list[float]:
    moves = (Quantity.MOVED_OUT_MW, Quantity.MOVED_IN_MW)
    return [sum(plan.at(q, n, site="north") for q in moves) for n in plan.tree.nodes]


# --- the company's part -----------------------------------------------------------------------------------


def _spend(plan: Plan) -> Linear:
    rescue, atm = plan.want(Quantity.RESCUE, -100.0), plan.want(Quantity.ATM, -0.01)
    return rescue + atm + plan.want(Quantity.START, 10.0)


def _pay_in(plan: Plan) -> Linear:
    cash = list(plan.company.cash.cash.values())
    return Linear([1.0] * len(cash), cash) + plan.want(Quantity.RESCUE, -100.0)


def _part_of_cash(plan: Plan) -> list[float]:
    """200, less a quarter of what the north takes and all of the south's, and one of overhead. [$M]"""
    found = []
    for n in plan.tree.nodes:
        moved = 0.0
        for name, part in (("north-co", OURS), ("south-co", 1.0)):
            moved += part * plan.up_to(Quantity.DISTRIBUTED, n, item=name)
            moved -= part * plan.up_to(Quantity.CONTRIBUTED, n, item=name)
        raised = 0.98 * plan.up_to(Quantity.ATM, n, since="1") + 0.95 * plan.up_to(Quantity.ATM, n, since="2")
        raised += plan.up_to(Quantity.RESCUE, n)
        expected = 200.0 + moved + raised - 1.0 * (plan.tree.period[n] + 1)
        found.append(abs(company_cash_usd_m(plan, n) - expected))
    return found


def _poor(p: Portfolio) -> Portfolio:
    """45 in all: 20 at the top and in the south, a quarter of 20 in the north."""
    return with_row(p, "entities", "parent", unrestricted_cash_usd_m=20.0)


def _poorer(p: Portfolio) -> Portfolio:
    """40 at the top: what is built in the north is raised."""
    return with_row(p, "entities", "parent", unrestricted_cash_usd_m=40.0)


def _spent(plan: Plan) -> Linear:
    spent = list(plan.company.cash.spent.values())
    return Linear([1.0] * len(spent), spent) + plan.want(Quantity.RESCUE, -100.0)


def _spent_on_others(plan: Plan) -> list[float]:
    """Of the north's spend, its fixed cost too, a quarter may be paid out of what is raised. [$M]"""
    found = []
    for n in plan.tree.nodes:
        uses = 1.0 + 0.5 + OURS * (0.5 + own_spend_usd_m(plan, n, ("north",)))
        found.append(float(plan.company.cash.spent[n].value) - uses)
    return found


def _begin_last(plan: Plan) -> Linear:
    """Halls in the last quarter, and no cash kept to finish them."""
    wanted = plan.want(Quantity.CONTRIBUTED, 0.001) + plan.want(Quantity.DISTRIBUTED, -0.01)
    for leaf in plan.tree.leaves:
        wanted = wanted + plan.want(Quantity.START, 10.0, node=leaf)
    return wanted + plan.want(Quantity.RESCUE, -100.0)


def _left_unpaid(plan: Plan) -> list[float]:
    """A quarter of what is left lies in the company, above the floor of ten. [$M]"""
    return [
        OURS * remaining_own_usd_m(plan, leaf) + 10.0 - company_cash_usd_m(plan, leaf)
        for leaf in plan.tree.leaves
    ]


def _liquid(p: Portfolio) -> Portfolio:
    return _tested(p, "minimum_liquidity", 60.0)


def _illiquid(part: float, from_q: int = 0, ready: float = 0.0) -> Callable[[Plan], list[float]]:
    """Sixty in the company, the south, and as much of the north as counts, what is kept ready apart. [$M]"""

    def found(plan: Plan) -> list[float]:
        lacking = []
        for n in plan.tree.nodes:
            north = part * _cash(plan, n) if plan.tree.period[n] >= from_q else 0.0
            counted = company_cash_usd_m(plan, n) + _cash(plan, n, "south-co") + north
            late = (part or 0.0) * late_loss_usd_m(plan, n)
            lacking.append(60.0 + late + ready * remaining_own_usd_m(plan, n) - counted)
        return lacking

    return found


def _into_the_north(plan: Plan) -> Linear:
    """All that can be lies in the north, the sooner the better; a rescue comes last."""
    wanted = plan.want(Quantity.RESCUE, -100.0) + plan.want(Quantity.ATM, -20.0)
    for n in plan.tree.nodes:
        early = float(plan.tree.probability[n]) * (10.0 - plan.tree.period[n])
        wanted = wanted + plan.want(Quantity.CONTRIBUTED, early, item="north-co", node=n)
        wanted = wanted + plan.want(Quantity.DISTRIBUTED, -20.0, item="north-co", node=n)
        wanted = wanted + plan.want(Quantity.CONTRIBUTED, -0.01, item="south-co", node=n)
    return wanted


def _not_ready(plan: Plan) -> list[float]:
    """Ten, half of the north's spend to come, and first rents not counted on. [$M]"""
    return [
        10.0
        + late_loss_usd_m(plan, n)
        + GUARANTEED * remaining_own_usd_m(plan, n)
        - company_cash_usd_m(plan, n)
        for n in plan.tree.nodes
    ]


# --- one borrower alone -----------------------------------------------------------------------------------


def _served() -> Portfolio:
    p = idle(add_debt(small()))
    return _tested(p, "dscr", 1.2, entity="north-co")


def _cheapest_cure(plan: Plan) -> Linear:
    return plan.want(Quantity.RESCUE, -1.0) + plan.want(Quantity.ATM, -1.0)


def _unserved(plan: Plan) -> list[float]:
    """The north earns nothing, pays a half, and 1.2 times its interest and an eighth of 12. [$M]"""
    found = []
    for n in plan.tree.nodes:
        t = plan.tree.period[n]
        service = 0.015 * LEASE_LINE_USD_M[max(0, t - 1)] + (1.5 if t else 0.0)
        found.append(1.2 * service + 0.5 - plan.at(Quantity.RESCUE, n, item="north-co"))
    return found


def _alone() -> Portfolio:
    return _tested(idle(), "minimum_liquidity", 30.0, entity="north-co")


def _short(plan: Plan) -> list[float]:
    return [30.0 - _cash(plan, n) for n in plan.tree.nodes]


def _give_least(plan: Plan) -> Linear:
    """Hand up what can be, the sooner the better."""
    wanted = plan.want(Quantity.RESCUE, -100.0)
    for n in plan.tree.nodes:
        early = float(plan.tree.probability[n]) * (10.0 - plan.tree.period[n])
        wanted = wanted + plan.want(Quantity.DISTRIBUTED, early, item="north-co", node=n)
        wanted = wanted + plan.want(Quantity.CONTRIBUTED, -early, item="north-co", node=n)
    return wanted


def _halls_of_jv() -> Portfolio:
    return _jv(merchant())


BITES = (
    Bite("OWN-1", lambda: _north(idle(), upstream_from_quarter=quarter(OPEN_Q)), _hand_up,
         _given(Quantity.DISTRIBUTED, OPEN_Q), everywhere=True),
    Bite("OWN-2", lambda: _listed(idle()), _put_in, _given(Quantity.CONTRIBUTED), everywhere=True),
    Bite("OWN-3", _paying, _build_and_pay, _late_uncovered),
    Bite("OWN-4", _paying, _build_and_pay, _left_uncovered),
    Bite("OWN-5", lambda: _jv(small()), _move, _moved, everywhere=True),
    Bite("CSH-1", lambda: _jv(idle()), _pay_in, _part_of_cash, name="of a joint venture"),
    Bite("CSH-4", lambda: _poorer(_halls_of_jv()), _spent, _spent_on_others, name="of a joint venture"),
    Bite("VAL-1", _halls_of_jv, _begin_last, _left_unpaid, name="of a joint venture", everywhere=True),
    Bite("COV-1", lambda: _liquid(_poor(_jv(idle()))), _cheapest_cure, _illiquid(OURS),
         name="of a joint venture"),
    Bite("COV-1", lambda: _liquid(_north(idle(), upstream_from_quarter=quarter(OPEN_Q))), _into_the_north,
         _illiquid(1.0, OPEN_Q), name="out of reach"),
    Bite("COV-1", lambda: _liquid(_listed(idle(), contributions_allowed=True)), _into_the_north,
         _illiquid(0.0), name="of a listed subsidiary"),
    Bite("COV-1", lambda: _liquid(_north(merchant(), completion_guarantee_frac=GUARANTEED)), _spend,
         _illiquid(1.0, ready=GUARANTEED), name="guaranteed"),
    Bite("COV-1", _alone, _give_least, _short, name="of one borrower", everywhere=True),
    Bite("CSH-2", lambda: _north(merchant(), completion_guarantee_frac=GUARANTEED), _spend, _not_ready,
         name="guaranteed"),
    Bite("COV-11", _served, _cheapest_cure, _unserved, everywhere=True),
)  # fmt: skip


@pytest.mark.parametrize("show", cases(BITES))
def test_it_bites(show: Callable[[], None]) -> None:
    show()
