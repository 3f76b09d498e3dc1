"""A site whose hall nobody rents any more says so: by the plan's label and, the same, by the auditor's."""

import pytest

from models.domain.portfolio import Portfolio
from optimizer.audit.rebuild import rebuild
from optimizer.plans.extract import extract
from optimizer.solve.matrix import compile_matrix
from tests.blocks.bite import built, solved
from tests.golden.test_terminations import let
from tests.portfolios import chain_of, with_rows


def label(p: Portfolio) -> str:
    """The north's, at the only leaf."""
    plan = built(p, chain_of)
    assert solved(compile_matrix(plan.program.model), plan.program.objective(1.0)).proved == "optimal"
    tables = extract(plan.program, 1.0)
    same = rebuild(p, plan.tree, tables["decisions"], value_per_share_usd=1.0)["site_summary"]
    found = tables["site_summary"].set_index("site")["strategy"]["north"]
    assert same.set_index("site")["strategy"]["north"] == found
    return str(found)


@pytest.mark.parametrize("is_renewed", [False, True])
def test_a_lease_that_ends_within_the_horizon(is_renewed: bool) -> None:
    """Four quarters of six, then dark; with a renewal of eight it is not, nor with a lease of thirty."""
    p = let("short", 100.0, 100.0, 4, 0)
    if is_renewed:
        renewal = {"contract": "short", "probability_frac": 0.6, "rent_basis": "market", "term_q": 8}
        p = with_rows(p, "renewals", renewal)
    assert label(p).endswith(", dark") is not is_renewed
    assert not label(let("long", 100.0, 100.0, 30, 0)).endswith(", dark")
