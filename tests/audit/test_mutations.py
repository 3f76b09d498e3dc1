"""No wrong cell passes in a plan of any company that ships: each is named, and other decisions are refused.

A plan is audited as it stands first. Cells outside the decisions are independent, so many are made wrong in
one audit; a decision moves everything, so it takes an audit of its own. `make prove` does it on the whole
horizon, and ten times as often.
"""

import numpy as np
import pytest

from optimizer.plans.tables import BY_NAME, TABLES
from tests.audit.mutate import columns_of, decided_otherwise, judged, unnoticed
from tests.audit.seven import COMPANIES, first_plan

HORIZON_Q = 12
"""Half of the companies' own: the auditor is on trial here, not the plan."""
CELLS = 150
WANTED = 500
"""Wrong cells in all, at least."""
REAL = {"start", "sign", "financed", "on_mw", "contributed", "distributed"}
"""Decided in each of the plans, beside much else; without them there would be little to make wrong."""
EXEMPT = {
    "site_summary": "tenants npv_company_usd_m one_mw_more_usd_m quarter_earlier_usd_m",
    "hurdles": "npv_company_usd_m",
    "prices": "cash_usd hurdle_frac",
    "strategies": "asked",
    "contracts": "tenant state signed_quarter",
    "terminations": "tenant paid_by",
    "financing": "kind",
    "income": "section",
    "balance_sheet": "section",
    "debt_schedule": "entity",
    "bitcoin": "entity",
    "collateral": "ltv_frac",
    "covenants": "metric price_usd_per_share",
    "stakes": "kind ownership_frac",
    "decide_now": "amount_usd_m last_quarter undo undo_usd_m",
}
"""Columns that nothing depends on and no audit rebuilds: prices of the solver, and words beside a key."""


@pytest.mark.parametrize("name", COMPANIES)
def test_no_wrong_cell_passes(name: str) -> None:
    plan = first_plan(name, HORIZON_Q)
    assert set(plan.tables["decisions"]["quantity"]) >= REAL
    own = judged(plan)
    assert unnoticed(plan, own, 0, seed=0) == (0, [])
    assert own.court.failures == []
    spoilt, missed = unnoticed(plan, own, CELLS, seed=0)
    assert spoilt == CELLS
    assert missed == []
    otherwise = list(decided_otherwise(plan, np.random.default_rng(0), each=1))
    assert len(otherwise) >= len(REAL)
    assert [cell for cell, refused in otherwise if not refused] == []


def test_there_are_enough_of_them() -> None:
    assert CELLS * len(COMPANIES) >= WANTED


def test_what_no_audit_rebuilds_is_known() -> None:
    exempt = {t.name: {c.name for c in t.columns} - set(columns_of(t)) for t in TABLES}
    assert {name: found for name, found in exempt.items() if found} == {
        name: set(columns.split()) for name, columns in EXEMPT.items()
    }
    assert set(EXEMPT) <= set(BY_NAME)
