"""DBT: what lenders let a borrower hand up, on two sites that mine and build nothing.

The figures are those of ``tests.portfolios``: the north owes 40 at 8 %, sculpted over four quarters with a
balloon of 24, locked up below a DSCR of 1.5 from the third quarter on, two thirds of what it hands up repaid
before its time.
"""

from collections.abc import Callable

import numpy as np
import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import rich
from tests.portfolios import add_debt_terms, small, with_all, with_row

NORTH, NOTES, RATE_Q = "north-co", "term-notes", 0.02
LEAST_DSCR, TESTED = 1.5, range(2, 5)
SWEPT_PER_DOLLAR = 0.4 / 0.6


def _mining() -> Portfolio:
    p = with_all(rich(add_debt_terms(small())), "sites", hpc_allowed=False)
    return with_all(p, "power", demand_charge_usd_per_kw_month=0.0, take_or_pay_frac=0.0)


def _unswept() -> Portfolio:
    return with_row(_mining(), "debt", NOTES, sweep_frac=None)


def schedule() -> list[tuple[float, float]]:
    """Interest and instalment of the four payments; a balloon of 24 is due with the last."""
    shape = [1.0, 1.0, 1.1, 1.1]
    worth = sum(x / (1.0 + RATE_Q) ** (k + 1) for k, x in enumerate(shape))
    level = (40.0 - 24.0 / (1.0 + RATE_Q) ** 4) / worth
    owed, paid = 40.0, []
    for x in shape:
        interest = RATE_Q * owed
        paid.append((interest, level * x - interest))
        owed -= level * x - interest
    assert owed == pytest.approx(24.0)
    return paid


def _tested(plan: Plan) -> list[int]:
    return [n for n in plan.tree.nodes if plan.tree.period[n] in TESTED]


def _earned_usd_m(plan: Plan, n: int) -> float:
    """Machines at their margin, less a half of fixed costs."""
    params = plan.program.params
    margin = {v: at.margin_usd_m_per_mw[n] for (v, site), at in params.mining.items() if site == "north"}
    on = (d for d in plan.decided(Quantity.ON_MW, site="north", node=n))
    return sum(float(d.variable.value) * margin[d.item] for d in on) - 0.5


def _service_usd_m(plan: Plan, n: int) -> float:
    interest, instalment = schedule()[plan.tree.period[n] - 1]
    early = plan.up_to(Quantity.PREPAID, n, 1, item=NOTES)
    return interest + instalment - RATE_Q * early


def _open(plan: Plan, n: int) -> float:
    return plan.at(Quantity.OPEN, n, item=NORTH)


def _not_covered(plan: Plan) -> list[float]:
    return [
        (LEAST_DSCR * _service_usd_m(plan, n) - _earned_usd_m(plan, n)) * _open(plan, n)
        - (1.0 - _open(plan, n))
        for n in _tested(plan)
    ]


def _open_and_idle(plan: Plan) -> Linear:
    return plan.want(Quantity.OPEN, 10.0, item=NORTH) + plan.want(Quantity.ON_MW, -0.01)


def _handed_up_shut(plan: Plan) -> list[float]:
    return [plan.at(Quantity.DISTRIBUTED, n, item=NORTH) - 1e6 * _open(plan, n) for n in _tested(plan)]


def _shut_and_handed_up(plan: Plan) -> Linear:
    return plan.want(Quantity.DISTRIBUTED, item=NORTH) + plan.want(Quantity.OPEN, -1e5, item=NORTH)


def _terms(plan: Plan) -> tuple[dict[int, object], dict[int, object]]:
    block = plan.program.model.borrower[NORTH]
    return dict(block.own.cash.items()), dict(block.terms.locked_usd_m.items())


def _uncounted(plan: Plan) -> list[float]:
    cash, locked = _terms(plan)
    found = []
    for n in locked:
        held = float(cash[n].value) * (1.0 - _open(plan, n))  # type: ignore[attr-defined]
        found.append(abs(held - float(locked[n].value)))  # type: ignore[attr-defined]
    return found


def _held(weight: float) -> Callable[[Plan], Linear]:
    """Much cash, and as little of it locked as may be, or as much."""

    def wanted(plan: Plan) -> Linear:
        cash, locked = _terms(plan)
        parts = plan.want(Quantity.OPEN, 10.0 * np.sign(weight), item=NORTH)
        for n, variable in locked.items():
            parts.add(weight, variable)
            parts.add(1.0, cash[n])
        return parts

    return wanted


def _under_swept(plan: Plan) -> list[float]:
    return [
        SWEPT_PER_DOLLAR * plan.at(Quantity.DISTRIBUTED, n, item=NORTH)
        - plan.at(Quantity.PREPAID, n, item=NOTES)
        for n in plan.tree.nodes
        if plan.tree.period[n] < 4
    ]


def _handed_up(plan: Plan) -> Linear:
    return plan.want(Quantity.DISTRIBUTED, item=NORTH) + plan.want(Quantity.PREPAID, -0.1)


def _over_prepaid(plan: Plan) -> list[float]:
    """The last instalment and the balloon are all there is to repay before its time."""
    last = schedule()[-1][1] + 24.0
    return [plan.up_to(Quantity.PREPAID, leaf, item=NOTES) - last for leaf in plan.tree.leaves]


def _prepaid(plan: Plan) -> Linear:
    return plan.want(Quantity.PREPAID, item=NOTES)


BITES = (
    Bite("DBT-1", _mining, _open_and_idle, _not_covered),
    Bite("DBT-2", _unswept, _shut_and_handed_up, _handed_up_shut),
    Bite("DBT-3", _unswept, _held(-0.5), _uncounted, name="uncounted"),
    Bite("DBT-3", _unswept, _held(0.5), _uncounted, name="overcounted"),
    Bite("DBT-4", _mining, _handed_up, _under_swept),
    Bite("DBT-5", _mining, _prepaid, _over_prepaid, everywhere=True),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
