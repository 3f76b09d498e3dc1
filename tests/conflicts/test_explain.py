"""What explain says beside the planted conflicts: plans that exist, kept decisions, trees, little time."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.blocks.program import build_program
from models.domain.futures import scenario_chain
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.findings import InputError
from models.params.params import compile_params
from optimizer import explain, load, plan
from optimizer.conflicts.loosen import Dates, loosened
from optimizer.conflicts.place import Places, places
from optimizer.conflicts.relaxed import Relaxed
from optimizer.plans.store import write as write_plan
from optimizer.solve.matrix import compile_matrix
from tests import portfolios as make
from tests.conflicts.folder import write
from tests.conflicts.planted import PLANTED, SIGN, base, q
from tests.oracle.test_statuses import loaded

FOLLOWING = frozenset({Quantity.FINANCED, Quantity.LEASED, Quantity.SELL_BLOCK})
"""Decisions on what is begun: none where nothing is."""


def _places(p: Portfolio) -> Places:
    program = build_program(compile_params(p, scenario_chain(p, "base")))
    return places(program, compile_matrix(program.model))


def _shut(p: Portfolio) -> Portfolio:
    """No deal in the second quarter."""
    shut = dict.fromkeys(("convert_open", "equity_open", "project_debt_open"), False)
    return make.with_row(p, "market", f"base|{q(1)}", **shut)


@pytest.mark.parametrize(
    "made",
    [
        base,
        lambda: make.add_expansion(base()),
        lambda: _shut(make.add_deals(make.add_project_debt(base()))),
        lambda: make.add_corporate_debt(make.add_commitments(make.small())),
    ],
)
def test_the_loosened_program_is_the_portfolios_own_where_nothing_gives_way(made) -> None:  # type: ignore[no-untyped-def]
    """The same decisions, but for those that a step allows, and the same optimum of the relaxation."""
    p = made()
    signed = tuple(c.contract for c in p.contracts if c.signable)
    own = _places(p)
    loose = _places(loosened(p, scenario_chain(p, "base"), signed))
    elastics = list(Dates(p, loose, signed).all())
    gated = {column for e in elastics for column, _ in e.columns}

    def decided(at: Places, but: set[int]) -> set[tuple[object, ...]]:
        return {
            (d.quantity, d.site, d.item, d.contract, d.since, d.node)
            for d in at.program.decisions
            if at.matrix.column[id(d.variable)] not in but and d.quantity not in FOLLOWING
        }

    assert decided(loose, gated) == decided(own, set())
    assert gated
    worth = []
    for at, given in ((own, ()), (loose, elastics)):
        relaxed = Relaxed(at, given)
        upper = relaxed.upper.copy()
        upper[relaxed.size :] = 0.0
        upper[list(gated) if given else []] = 0.0
        cost = np.zeros(relaxed.cost.size)
        cost[: relaxed.size] = at.matrix.cost(at.program.objective(10.0))
        solved = relaxed.solver.solve(
            cost, integer=False, gap_usd_m=0.0, time_limit_s=60.0, lower=relaxed.lower, upper=upper
        )
        assert solved.proved == "optimal"
        worth.append(solved.value)
    assert worth[0] == pytest.approx(worth[1], rel=1e-7)


def test_every_repair_lets_a_plan_be_and_not_the_cheapest_alone() -> None:
    planted = PLANTED["coins"]
    found = explain(loaded(planted.portfolio()), time_limit_s=100.0)
    assert len(found.repairs) >= 3
    assert len({c.cell.table for r in found.repairs for c in r.changes}) >= 3


def test_each_repair_by_itself(tmp_path: Path) -> None:
    folder = write(PLANTED["cooling lead"].portfolio(), tmp_path / "toy")
    found = explain(folder, time_limit_s=100.0, **SIGN)
    assert len(found.repairs) >= 2
    for repair in found.repairs:
        mended = load(folder, overrides=[c.override for c in repair.changes])
        assert explain(mended, time_limit_s=100.0, **SIGN).status == "nothing_conflicts"


def test_no_row_of_a_conflict_can_be_left_out(tmp_path: Path) -> None:
    """Each of the three rows, loosened by itself, ends the conflict."""
    folder = write(PLANTED["expansion lead"].portfolio(), tmp_path / "toy")
    found = explain(folder, time_limit_s=100.0, **SIGN)
    assert len(found.conflict) == 3
    for loose in (
        "contracts[lease].deadline_quarter=2028Q2",
        "expansions[n-line].lead_q=1",
        "power[north|2025Q1].energised_mw=20",
    ):
        freed = load(folder, overrides=loose)
        assert explain(freed, time_limit_s=100.0, **SIGN).status == "nothing_conflicts"


def test_a_deadline_on_a_tree() -> None:
    p = make.two_scenarios(PLANTED["deadline"].portfolio())
    found = explain(loaded(p), tree=True, time_limit_s=100.0, **SIGN)
    assert ("contracts", "lease") in {(m.table, m.key) for m in found.conflict}
    assert found.repairs


def test_decisions_of_an_earlier_plan_are_kept_or_named(tmp_path: Path) -> None:
    """The offer was signed and a hall begun; now it must be live a quarter sooner than that hall can be."""
    rich = make.with_row(base(), "contracts", "lease", first_year_rent_usd_per_kw_month=400.0)
    rich = make.with_row(rich, "site_products", "north", earliest_quarter=q(1))
    folder = write(rich, tmp_path / "toy")
    earlier = plan(folder)
    assert {"sign", "start"} <= set(earlier.tables["decisions"]["quantity"])
    write_plan(earlier, tmp_path / "out")
    sooner = load(folder, overrides="contracts[lease].deadline_quarter=2027Q2")
    found = explain(sooner, keep_decisions=tmp_path / "out", time_limit_s=100.0)
    assert found.status == "conflict"
    rows = {(m.table, m.key.partition("|")[0]) for m in found.conflict}
    assert ("contracts", "lease") in rows
    assert ("decisions", "sign") in rows or ("decisions", "start") in rows
    assert "contracts" in {c.cell.table for r in found.repairs for c in r.changes}


def test_an_offer_that_nothing_can_serve_is_said() -> None:
    p = make.with_row(base(), "contracts", "lease", workloads=("gpu_cloud",))
    found = explain(loaded(p), **SIGN)
    assert found.status == "conflict"
    assert any("no product of north is what lease asks for" in line for line in found.asked)
    assert not found.repairs


def test_an_unknown_offer_is_an_input_error() -> None:
    with pytest.raises(InputError) as wrong:
        explain(loaded(base()), sign=("leese",))
    assert wrong.value.findings[0].code == "unknown-offer"
    assert "lease" in wrong.value.findings[0].remedy


def test_no_time_claims_nothing() -> None:
    found = explain(loaded(PLANTED["dilution"].portfolio()), time_limit_s=0.01)
    assert not found.is_whole
    assert not found.repairs


def test_findings_go_with_the_answer() -> None:
    p = replace(loaded(base()), title="Named")
    assert explain(p).title == "Named"
    assert explain(p).status == "nothing_conflicts"


def _ran(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "optimizer.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_and_plan_say_what_conflicts(tmp_path: Path) -> None:
    """A contradiction found while the program is built is told like any other."""
    folder = str(write(PLANTED["budget"].portfolio(), tmp_path / "toy"))
    told = _ran("explain", folder)
    assert told.returncode == 3
    assert "budget year lets $39M of own money be spent" in told.stdout
    assert "--set 'budgets[year].cap_usd_m=44'" in told.stdout
    planned = _ran("plan", folder, "--json")
    assert planned.returncode == 3
    document = json.loads(planned.stdout)
    assert document["status"] == "infeasible"
    assert {"table": "budgets", "row": "year"}.items() <= document["conflict"]["conflict"][-1].items()
