"""The shipped company over 24 and 28 quarters, all that its deck has: the first year is decided alike.

Test 4 asks for implied returns within a point of each other as well. That holds where a share is bought near
its worth (the starter, in the gate). Who pays 46 for what is worth 29 six years on loses 7 % a year, and a
seventh year at any plausible return makes that 6 %: the yearly figure moves by (return of the seventh year -
implied return)/7 whatever the model. So the seventh year itself is tested here.
"""

from dataclasses import replace

import pandas as pd
import pytest

from optimizer.inputs.load import load
from optimizer.pipeline import plan
from optimizer.plans.plan import Plan
from optimizer.solve.options import Options
from tests import portfolios as make


def _over(horizon_q: int) -> Plan:
    loaded = load("iren")
    longer = make.with_company(loaded.portfolio, horizon_q=horizon_q)
    return plan(replace(loaded, portfolio=longer), options=Options(gap=0.0025, time_limit_s=240.0))


def _first_year(result: Plan) -> pd.Series:
    """What is signed and begun in the first four quarters, by site and contract."""
    found = result.tables["decisions"]
    tree = result.tree
    early = {tree.label(n) for n in tree.nodes if tree.period[n] < 4}
    found = found[found["quantity"].isin(["sign", "start", "expand", "cancel"]) & found["node"].isin(early)]
    return found.groupby(["quantity", "site", "item", "contract"])["value"].sum().round(6)


@pytest.mark.timeout(900)
def test_a_longer_horizon_decides_the_first_year_alike() -> None:
    near, far = _over(24), _over(28)
    pd.testing.assert_series_equal(_first_year(near), _first_year(far))
    seventh = far.value_per_share_usd / near.value_per_share_usd - 1.0
    assert 0.0 <= seventh <= load("iren").portfolio.firm.cost_of_equity_frac
