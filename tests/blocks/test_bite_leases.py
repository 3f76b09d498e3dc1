"""LSE: GPUs that a lessor pays for."""

from collections.abc import Callable

import pytest

from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import halls, rich
from tests.portfolios import add_project_debt, add_vendor_lease, with_row

DRAWN, RATE = 45.0, 0.09
"""A lessor pays nine tenths of the 50 $M of GPUs in each of two quarters, at 4 % + 5 % a year."""


def _cloud() -> Portfolio:
    p = add_project_debt(add_vendor_lease(halls(rich())))
    return with_row(p, "vendor_leases", "lessor", max_usd_m=1e4)


def _limited() -> Portfolio:
    return with_row(_cloud(), "vendor_leases", "lessor", max_usd_m=150.0)


def _lease_more(plan: Plan):  # type: ignore[no-untyped-def]
    return plan.want(Quantity.LEASED) + plan.want(Quantity.FINANCED, 0.9, item="pods")


def _twice(plan: Plan) -> list[float]:
    """On each path no more modules are leased and financed together than are begun. [modules]"""
    where = {"site": "south", "item": "pods"}
    tree = plan.tree
    return [
        plan.at(Quantity.LEASED, b, contract=contract, **where)
        + plan.up_to(Quantity.FINANCED, leaf, contract=contract, since=tree.label(b), **where)
        - plan.at(Quantity.START, b, contract=contract, **where)
        for contract in ("cloud", "gpu-market")
        for leaf in tree.leaves
        for b in tree.path(leaf)
    ]


def _owed(plan: Plan) -> list[float]:
    """150 at a time: 45, then 91.0125, from which four payments and 9 to buy the GPUs repay it. [$M]"""
    i = RATE / 4.0
    peak = DRAWN * (2.0 + i)
    level = (peak - 9.0 * (1.0 + i) ** -4) * i / (1.0 - (1.0 + i) ** -4)
    balance = [DRAWN, peak]
    while len(balance) < 5:
        balance.append(balance[-1] * (1.0 + i) - level)
    tree = plan.tree
    return [
        sum(
            plan.at(Quantity.LEASED, m) * balance[tree.period[n] - tree.period[m]]
            for m in tree.path(n)
            if tree.period[n] - tree.period[m] < len(balance)
        )
        - 150.0
        for n in tree.nodes
    ]


BITES = (
    Bite("LSE-1", _cloud, _lease_more, _twice),
    Bite("LSE-2", _limited, lambda p: p.want(Quantity.LEASED, node=0), _owed),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
