"""A good plan of the program passes; with any audited column spoilt it does not.

``good_plan`` is a fixture of conftest.py: (portfolio, tree, tables, value per share, objective).
"""

from collections.abc import Mapping

import pandas as pd

from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.audit.verdict import audit
from tests.audit.corrupt import Auditor, corruptions, malformed

GoodPlan = tuple[Portfolio, TimeTree, Mapping[str, pd.DataFrame], float, str]


def test_a_good_plan_passes(good_plan: GoodPlan) -> None:
    portfolio, tree, tables, price, objective = good_plan
    verdict = audit(portfolio, tree, tables, value_per_share_usd=price, objective=objective)
    assert verdict.failures == ()


def test_no_wrong_cell_passes(good_plan: GoodPlan) -> None:
    auditor = Auditor(*good_plan)
    for seed in range(3):
        for case in corruptions(auditor.tables, seed):
            assert not auditor.audit(case.tables).passed, f"{case} of {seed}"


def test_no_malformed_table_passes(good_plan: GoodPlan) -> None:
    auditor = Auditor(*good_plan)
    for what, spoilt in malformed(auditor.tables):
        assert not auditor.audit(spoilt).passed, what
