"""Every planted conflict is named by its rows, and each repair, applied with --set, lets a plan be."""

from pathlib import Path

import pytest

from optimizer import explain, load, plan
from optimizer.conflicts.explain import Explanation
from optimizer.solve.options import Options
from tests.conflicts.folder import write
from tests.conflicts.planted import PLANTED

LOOSE = Options(gap=0.05, time_limit_s=20.0)


def rows_of(e: Explanation) -> set[tuple[str, str]]:
    """Input rows of the conflict."""
    return {(m.table, m.key) for m in e.conflict}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_conflict_is_named_and_mended(name: str, tmp_path: Path) -> None:
    planted = PLANTED[name]
    folder = write(planted.portfolio(), tmp_path / "toy")
    found = explain(folder, time_limit_s=100.0, **planted.asked)
    assert found.status == "conflict"
    assert found.is_smallest
    assert set(planted.rows) <= rows_of(found)
    assert found.repairs
    assert [r.usd_m for r in found.repairs] == sorted(r.usd_m for r in found.repairs)
    cheapest = load(folder, overrides=[c.override for c in found.repairs[0].changes])
    if planted.asked:  # which a plan of its own accord need not do
        assert explain(cheapest, time_limit_s=100.0, **planted.asked).status == "nothing_conflicts"
    else:
        assert plan(cheapest, options=LOOSE).status in ("optimal", "feasible")
