"""No wrong cell passes in plans of all companies on their whole horizon: some 5,000 of them, all caught."""

import numpy as np
import pytest

from tests.audit.mutate import decided_otherwise, judged, unnoticed
from tests.audit.seven import COMPANIES, first_plan

CELLS = 120
DRAWS = 5
EACH = 8
"""Decisions of each quantity that are made wrong, an audit each."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", COMPANIES)
def test_no_wrong_cell_passes(name: str) -> None:
    plan = first_plan(name)
    own = judged(plan)
    tried = [unnoticed(plan, own, CELLS, seed) for seed in range(1, DRAWS + 1)]
    assert sum(count for count, _ in tried) == DRAWS * CELLS
    assert [missed for _, missed in tried if missed] == []
    otherwise = list(decided_otherwise(plan, np.random.default_rng(1), EACH))
    assert sum(count for count, _ in tried) + len(otherwise) >= 700
    assert [cell for cell, refused in otherwise if not refused] == []
