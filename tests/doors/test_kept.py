"""Decisions handed from one plan to another: kept by quarter and place, or refused where they do not fit."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from models.findings import InputError
from models.timetree import Quarter
from optimizer import load, plan
from optimizer.plans.kept import read_kept
from optimizer.plans.plan import Plan
from optimizer.plans.store import StoreError, write
from optimizer.shipped import data_folder
from optimizer.solve.options import Options

STARTER = str(data_folder() / "templates" / "starter")
GAP = 0.002
Run = Callable[..., Plan]


def first_quarters(found: Plan, quarters: int = 2) -> pd.DataFrame:
    """What is decided now, as the plan shows it."""
    labels = [str(found.tree.first + t) for t in range(quarters)]
    now = found.tables["decide_now"]
    return now[now["node"].str.partition(":")[0].isin(labels)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    """The starter's own plan, written."""
    found = plan(load(STARTER), options=Options(gap=GAP))
    return found, write(found, tmp_path_factory.mktemp("kept") / "base")


def options(folder: Path, to: str = "") -> Options:
    """The same search that keeps what stands in a folder."""
    return Options(gap=GAP, keep_decisions=str(folder), keep_to=to)


def test_a_plan_that_keeps_its_own_decisions_is_worth_the_same(base: tuple[Plan, Path]) -> None:
    mine, folder = base
    again = plan(load(STARTER), options=options(folder))
    assert again.status == "optimal"
    assert again.value == pytest.approx(mine.value, rel=2 * GAP)
    assert again.committed_value_per_share_usd == pytest.approx(mine.committed_value_per_share_usd, rel=1e-4)
    key = ["quantity", "site", "item", "contract"]
    kept, made = (first_quarters(p).groupby(key)["value"].sum() for p in (mine, again))
    assert made.reindex(kept.index).tolist() == pytest.approx(kept.tolist(), rel=1e-4, abs=1e-4)


def test_the_first_half_year_of_the_base_in_a_bear_market(base: tuple[Plan, Path]) -> None:
    """It is decided as on the base, audited there, and worth no more than what the bear's own plan is."""
    mine, folder = base
    own = plan(load(STARTER), options=Options(gap=GAP), scenario="bear")
    held = plan(load(STARTER), options=options(folder), scenario="bear")
    assert held.audit.passed
    assert held.value <= own.bound * (1.0 + 1e-9)
    for quantity in ("start", "sign", "cool", "expand"):
        there, here = (decided(p, quantity) for p in (mine, held))
        assert here == pytest.approx(there, abs=1e-4), quantity


def decided(found: Plan, quantity: str) -> float:
    """All of a quantity in the first quarters."""
    now = first_quarters(found)
    return float(now[now["quantity"] == quantity]["value"].sum())


def test_more_quarters_leave_less_to_decide(base: tuple[Plan, Path]) -> None:
    mine, folder = base
    last = str(mine.tree.first + (mine.tree.horizon_q - 1))
    first = str(mine.tree.first)
    short, long = (read_kept(folder, mine.tree.first, Quarter.parse(to)) for to in (first, last))
    assert set(short) < set(long)
    whole = plan(load(STARTER), options=options(folder, last))
    assert whole.value == pytest.approx(mine.value, rel=1e-4)


def spoilt(folder: Path, into: Path, **cells: str) -> Path:
    """A copy of a run's decisions with some cells of the first start changed."""
    frame = pd.read_csv(folder / "decisions.csv", dtype=str, keep_default_na=False)
    at = frame.index[frame["quantity"] == "start"][0]
    for column, said in cells.items():
        frame.loc[at, column] = said
    into.mkdir()
    frame.to_csv(into / "decisions.csv", index=False)
    return into


@pytest.mark.parametrize(
    ("column", "said"),
    [("site", "nowhere"), ("contract", "nobody"), ("item", "nothing"), ("node", "soon"), ("value", "many")],
)
def test_what_has_no_place_is_a_finding(
    base: tuple[Plan, Path], tmp_path: Path, column: str, said: str
) -> None:
    first = {"node": f"{base[0].tree.first}:base"} if column != "node" else {}
    folder = spoilt(base[1], tmp_path / "run", **first, **{column: said})
    with pytest.raises(InputError) as refused:
        plan(load(STARTER), options=options(folder))
    (finding,) = refused.value.findings
    assert finding.table == "decisions"
    assert finding.row.startswith("start|")
    assert finding.column == ("node" if column == "value" else column)
    assert finding.message
    assert finding.remedy


def test_two_futures_that_part_are_a_finding(tmp_path: Path) -> None:
    rows = [f"sign,alpha,,lease,,2027Q1:{name},{value}" for name, value in (("up", 1), ("down", 0))]
    header = "quantity,site,item,contract,since,node,value"
    (tmp_path / "decisions.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    quarter = Quarter.parse("2027Q1")
    with pytest.raises(InputError) as refused:
        read_kept(tmp_path, quarter, quarter)
    assert "another future" in refused.value.findings[0].message


def test_a_folder_without_decisions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        plan(load("tiny"), options=Options(keep_decisions=str(tmp_path)))


HEADER = "quantity,site,item,contract,since,node,value"
FIRST = Quarter.parse("2026Q3")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("strat,alpha,colo,lease,,2026Q3:base,1", "quantity"),
        ("start,alpha,colo,lease,,2026Q3:base,nan", "value"),
        ("start,alpha,colo,lease,,2026Q3:base,inf", "value"),
        ("start,alpha", "node"),
    ],
)
def test_no_row_is_passed_over_in_silence(tmp_path: Path, row: str, column: str) -> None:
    (tmp_path / "decisions.csv").write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_kept(tmp_path, FIRST, FIRST)
    (finding,) = refused.value.findings
    assert (finding.code, finding.table, finding.column) == ("kept-decision", "decisions", column)
    assert finding.remedy


def test_nothing_is_kept_up_to_a_quarter_before_the_plan(tmp_path: Path) -> None:
    (tmp_path / "decisions.csv").write_text(HEADER + "\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_kept(tmp_path, FIRST, FIRST + -1)
    assert [f.message for f in refused.value.findings] == ["nothing is decided up to 2026Q2"]


@pytest.mark.parametrize(
    "data", [b"", b'a,b\n"x', b"\xff\xfe\x00,", f"{HEADER}\nx,start,a,b,c,,2026Q3,1\n".encode()]
)
def test_a_file_that_is_no_table_of_decisions_is_a_usage_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "decisions.csv").write_bytes(data)
    with pytest.raises(StoreError):
        read_kept(tmp_path, FIRST, FIRST)


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command as a process."""
    call = [sys.executable, "-m", "optimizer.cli", *arguments]
    return subprocess.run(call, capture_output=True, text=True, check=False, timeout=300)


def test_the_command_says_why_with_its_exit_code(base: tuple[Plan, Path], tmp_path: Path) -> None:
    """0 where it fits, 1 for what is unknown, 2 for a folder that is none, 3 where no plan keeps it."""
    folder = base[1]
    search = ("--gap", "0.05", "--json")
    fits = run("plan", STARTER, "--keep-decisions", str(folder), *search)
    assert fits.returncode == 0, fits.stderr
    first = f"{base[0].tree.first}:base"
    unknown = spoilt(folder, tmp_path / "unknown", node=first, site="nowhere")
    refused = run("plan", STARTER, "--keep-decisions", str(unknown), *search)
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["findings"][0]["column"] == "site"
    assert run("plan", STARTER, "--keep-decisions", str(tmp_path)).returncode == 2
    (tmp_path / "decisions.csv").write_text('a,b\n"x', encoding="utf-8")
    assert run("plan", STARTER, "--keep-decisions", str(tmp_path)).returncode == 2
    assert run("plan", STARTER, "--keep-to", "2026Q4").returncode == 2
    many = spoilt(folder, tmp_path / "many", node=first, value="40")
    impossible = run("plan", STARTER, "--keep-decisions", str(many), "--gap", "0.05")
    assert impossible.returncode == 3, impossible.stderr
    assert "No plan keeps the decisions of" in impossible.stdout


def test_decisions_of_a_hostile_folder_are_refused(tmp_path: Path) -> None:
    first = Quarter.parse("2026Q3")
    file = tmp_path / "decisions.csv"
    with file.open("wb") as made:
        made.truncate(1_000_000_000)
    with pytest.raises(StoreError, match="more than 20"):
        read_kept(tmp_path, first, first)
    for content in (b"a," * 10**6, b"\0" * 10**6, b'"' + b"x\n" * 10**6, b"\xff\xfe" * 100):
        file.write_bytes(content)
        with pytest.raises((StoreError, InputError)):
            read_kept(tmp_path, first, first)
    file.unlink()
    file.symlink_to("/dev/zero")
    with pytest.raises(StoreError, match="outside the folder"):
        read_kept(tmp_path, first, first)


def test_names_that_were_quoted_are_kept_as_they_were(tmp_path: Path) -> None:
    lines = ("quantity,site,item,contract,since,node,value", "start,'=site,hall,'@c,,2026Q3:base,1")
    (tmp_path / "decisions.csv").write_text("\n".join(lines), encoding="utf-8")
    first = Quarter.parse("2026Q3")
    assert list(read_kept(tmp_path, first, first)) == [("start", "=site", "hall", "@c", "", "2026Q3")]
