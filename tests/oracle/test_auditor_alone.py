"""The plan found is the best by the auditor's rules alone: no block and no matrix of the program is read."""

import threading

import pytest

from optimizer.audit.decisions import INTEGERS
from optimizer.solve.options import Options
from optimizer.solve.search import search_plan
from tests import portfolios as make
from tests.oracle.auditors_program import AuditorsProgram, auditors_program
from tests.oracle.enumeration import Case
from tests.oracle.toys import TOYS

TIGHT = 1e-7
EQUAL = 1e-6
JUDGED_ALONE = (
    "plant",
    "rivals",
    "project debt",
    "project debt on a tree",
    "taken out",
    "taken out on a tree",
    "machines",
    "halls sold",
    "halls sold taxed",
    "claims",
    "terminated",
    "covenants",
    "taxes",
    "coins",
    "coins on a tree",
    "coins taxed",
    "shared",
    "shared on a tree",
    "revolver",
    "bought back",
    "payouts",
    "leased",
    "equipped",
    "joint venture",
    "listed",
)
"""Toys of so few decisions that the auditor alone can say what is best; larger ones are for `make prove`."""


def judged_alone(name: str) -> tuple[AuditorsProgram, Case]:
    """A toy without what is the larger of two amounts, which no single slope describes: bills, own spend."""
    portfolio, time_of = TOYS[name]
    p = make.with_company(make.without(portfolio(), "budgets"), raise_only_what_is_spent=False)
    p = make.with_all(p, "power", demand_charge_usd_per_kw_month=0.0, take_or_pay_frac=0.0)
    case = Case.of(p, time_of(p))
    keys = {
        (str(d.quantity), d.site, d.item, d.contract, d.since, case.tree.label(d.node)): d
        for d in case.program.decisions
    }
    most = {
        key: round(case.matrix.upper[case.matrix.column[id(d.variable)]])
        for key, d in keys.items()
        if d.quantity in INTEGERS
    }
    return auditors_program(p, case.tree, list(keys), most), case


@pytest.mark.parametrize("name", JUDGED_ALONE)
def test_the_auditors_rules_alone_lead_to_the_same_plan(name: str) -> None:
    holds_alone(name)


def holds_alone(name: str) -> None:
    """The search finds what is best of all whole decisions by the auditor's rules."""
    alone, case = judged_alone(name)
    best, plan, possible = alone.best_per_share()
    outcome, _ = search_plan(
        case.program, case.matrix, Options(gap=TIGHT), threading.Event(), lambda *_: None
    )
    assert outcome.value == pytest.approx(best, rel=EQUAL)
    assert possible >= 3
    assert any(key[0] == "start" for key in plan)
