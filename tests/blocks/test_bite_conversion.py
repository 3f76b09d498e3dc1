"""CNV, TEN, COM: what may be begun, signed and cancelled."""

from collections.abc import Callable

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import CashLine, Quantity
from models.domain.portfolio import Portfolio
from optimizer.solve.matrix import compile_matrix
from tests.blocks.bite import Bite, Plan, built, cases, solved
from tests.blocks.hand import HALL_MW, begun, halls, opened, rich
from tests.portfolios import (
    SITES,
    add_commitments,
    add_late_damages,
    add_option,
    chain_of,
    small,
    with_all,
    with_row,
)


def _most_starts(plan: Plan) -> Linear:
    return plan.want(Quantity.START, site="north")


def _wide() -> Portfolio:
    return halls(rich())


def _free_to_open() -> Portfolio:
    return with_all(_wide(), "sites", once_cost_usd_m=0.0)  # an opening bounds the halls of a site too


def _narrow() -> Portfolio:
    return with_row(_free_to_open(), "sites", "north", max_hpc_critical_mw=30.0)


def _modules(plan: Plan) -> list[float]:
    """Four halls may stand at the north, whoever they are for. [modules]"""
    return [begun(plan, leaf, "north") - 4.0 for leaf in plan.tree.leaves]


def _critical(plan: Plan) -> list[float]:
    """30 MW at the north. [MW]"""
    return [HALL_MW * begun(plan, leaf, "north") - 30.0 for leaf in plan.tree.leaves]


def _start_unopened(plan: Plan) -> Linear:
    flags = [flag for site in SITES for flag in plan.site(site).conversion.opened.values()]
    return plan.want(Quantity.START) + Linear([-1.0] * len(flags), flags)


def _unopened(plan: Plan) -> list[float]:
    """No hall before the site opens, four after it. [modules]"""
    return [
        begun(plan, n, site) - 4.0 * sum(opened(plan, m, site) for m in plan.tree.path(n))
        for site in SITES
        for n in plan.tree.nodes
    ]


def _open_often(plan: Plan) -> Linear:
    flags = [flag for site in SITES for flag in plan.site(site).conversion.opened.values()]
    return Linear([1.0] * len(flags), flags)


def _openings(plan: Plan) -> list[float]:
    """One opening of a site on each path. [-]"""
    return [
        sum(opened(plan, n, site) for n in plan.tree.path(leaf)) - 1.0
        for site in SITES
        for leaf in plan.tree.leaves
    ]


def _open_idly(plan: Plan) -> Linear:
    return _open_often(plan) + plan.want(Quantity.START, -0.1)


def _opened_for_nothing(plan: Plan) -> list[float]:
    """A site opens where a hall is begun. [modules]"""
    return [
        opened(plan, n, site) - plan.at(Quantity.START, n, site=site)
        for site in SITES
        for n in plan.tree.nodes
    ]


def _start_unsigned(plan: Plan) -> Linear:
    return plan.want(Quantity.START, contract="lease") + plan.want(Quantity.SIGN, -0.5, contract="lease")


def _unsigned(plan: Plan) -> list[float]:
    """No hall of the lease at a site before it is signed there, 40 MW after. [MW]"""
    return [
        HALL_MW * begun(plan, n, site, "lease")
        - 40.0 * plan.up_to(Quantity.SIGN, n, site=site, contract="lease")
        for site in SITES
        for n in plan.tree.nodes
    ]


def _sign_idly(plan: Plan) -> Linear:
    return plan.want(Quantity.SIGN, 10.0) + plan.want(Quantity.START, -1.0)


def _undelivered(plan: Plan) -> list[float]:
    """20 MW of a signed lease are live in the fifth quarter. [MW]"""
    return [
        20.0 * plan.up_to(Quantity.SIGN, n, site=site, contract="lease")
        - HALL_MW * begun(plan, n, site, "lease", least_age=2)
        for site in SITES
        for n in plan.tree.nodes
        if plan.tree.period[n] == 4
    ]


def _sign_and_begin_late(plan: Plan) -> Linear:
    late = [v for site in SITES for v in plan.site(site).tenants.late_mw.values()]
    early = Linear()
    for n in plan.tree.nodes:
        if plan.tree.period[n] < 3:
            early = early + plan.want(Quantity.START, -0.1, node=n, contract="lease")
    wanted = plan.want(Quantity.SIGN, 10.0, contract="lease", node=0)
    return wanted + early + Linear([-0.001] * len(late), late)


def _unpaid_lateness(plan: Plan) -> list[float]:
    """20 MW of a signed lease are live in the fifth quarter, or late. [MW]"""
    return [
        20.0 * plan.up_to(Quantity.SIGN, n, site=site, contract="lease")
        - HALL_MW * begun(plan, n, site, "lease", least_age=2)
        - float(plan.site(site).tenants.late_mw["lease", n].value)
        for site in SITES
        for n in plan.tree.nodes
        if plan.tree.period[n] == 4
    ]


def _exercise_unsigned(plan: Plan) -> Linear:
    return plan.want(Quantity.SIGN, contract="more") + plan.want(Quantity.SIGN, -0.5, contract="lease")


def _ungranted(plan: Plan) -> list[float]:
    """The option is taken up where, and not before, the lease that grants it is signed. [-]"""
    return [
        plan.up_to(Quantity.SIGN, n, site=site, contract="more")
        - plan.up_to(Quantity.SIGN, n, site=site, contract="lease")
        for site in SITES
        for n in plan.tree.nodes
    ]


def _cancellations(plan: Plan) -> list[float]:
    """The second commitment goes once. [-]"""
    return [plan.up_to(Quantity.CANCEL, leaf, item="second") - 1.0 for leaf in plan.tree.leaves]


BITES = (
    Bite("CNV-1", _free_to_open, _most_starts, _modules, everywhere=True),
    Bite("CNV-2", _narrow, _most_starts, _critical, everywhere=True),
    Bite("CNV-3", _wide, _start_unopened, _unopened),
    Bite("CNV-4", _wide, _open_often, _openings, everywhere=True),
    Bite("CNV-5", _wide, _open_idly, _opened_for_nothing),
    Bite("TEN-1", _wide, _start_unsigned, _unsigned),
    Bite("TEN-2", _wide, _sign_idly, _undelivered),
    Bite("TEN-4", lambda: halls(rich(add_late_damages(small()))), _sign_and_begin_late, _unpaid_lateness),
    Bite("TEN-3", lambda: halls(rich(add_option(small()))), _exercise_unsigned, _ungranted),
    Bite(
        "COM-1",
        lambda: halls(rich(add_commitments(small()))),
        lambda p: p.want(Quantity.CANCEL),
        _cancellations,
        everywhere=True,
    ),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()


@pytest.mark.parametrize("is_late", [False, True])
def test_a_late_hall_pays_damages(is_late: bool) -> None:
    """20 MW due in the fifth quarter come in the sixth: 20 x 50 x 0.003 = 3 $M."""
    plan = built(halls(rich(add_late_damages(small()))), chain_of)
    wanted = plan.want(Quantity.SIGN, 10.0, contract="lease", site="north", node=0)
    wanted = wanted + plan.want(Quantity.START, 0.1, contract="lease", site="north", node=3 if is_late else 2)
    wanted = wanted + plan.want(Quantity.START, -1.0)
    late = list(plan.site("north").tenants.late_mw.values())
    solved(compile_matrix(plan.program.model), wanted + Linear([-0.001] * len(late), late))
    books = next(b for b in plan.program.books if b.owner == "north-co")
    paid = [books.cash_at(n, [CashLine.LATE_DAMAGES]).value for n in plan.tree.nodes]
    assert paid == pytest.approx([0.0, 0.0, 0.0, 0.0, -3.0 if is_late else 0.0, 0.0])
