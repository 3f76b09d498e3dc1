"""A plan audited again from its files alone: a folder or a bundle, whole, changed, or none at all."""

import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

from optimizer import audit_run, plan
from optimizer.audit.rerun import Rerun
from optimizer.audit.written_tables import read_tables
from optimizer.plans.bundle import write_bundle
from optimizer.plans.certificate import read_certificate
from optimizer.plans.layout import PROOF
from optimizer.plans.plan import Plan
from optimizer.plans.store import write
from optimizer.plans.tables import TABLES
from optimizer.shipped import data_folder
from optimizer.solve.options import Options

STARTER = str(data_folder() / "templates" / "starter")
Written = tuple[Plan, Path, Path]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A plan on the tree, its folder and its bundle."""
    place = tmp_path_factory.mktemp("runs")
    found = plan(STARTER, options=Options(gap=0.05), tree=True, bundle=place / "run.zip")
    return found, write(found, place / "run"), place / "run.zip"


@pytest.fixture
def run(written: Written, tmp_path: Path) -> Path:
    """A copy of the folder, to be spoilt."""
    return Path(shutil.copytree(written[1], tmp_path / "run"))


def rewritten(run: Path, name: str, change: Callable[[bytes], bytes], *, hashed: bool = True) -> Path:
    """A run with one file changed, and its hash too, as one would who wants to deceive."""
    file, said = run / name, json.loads((run / "run.json").read_text(encoding="utf-8"))
    file.write_bytes(change(file.read_bytes()))
    if hashed:
        said["sha256"][name] = sha256(file.read_bytes()).hexdigest()
        (run / "run.json").write_text(json.dumps(said), encoding="utf-8")
    return run


def said_otherwise(run: Path, /, **changes: object) -> Path:
    """A run whose run.json says something else."""
    said = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps(said | changes), encoding="utf-8")
    return run


def codes(found: Rerun) -> set[tuple[str, str]]:
    return {(f.code, f.table) for f in found.findings}


def test_a_good_run_passes_on_its_files_alone(written: Written) -> None:
    found, folder, bundle = written
    for place in (folder, bundle):
        again = audit_run(place)
        assert again.findings == ()
        assert again.passed
        assert again.verdict is not None
        assert again.verdict.checks == found.audit.checks
        assert again.verdict.bound_checked == found.audit.bound_checked
        assert found.value <= found.bound <= again.verdict.bound_checked


def test_the_tables_come_back_without_loss(written: Written) -> None:
    found, folder, _ = written
    back, findings = read_tables(
        {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    )
    assert findings == []
    assert list(back) == [t.name for t in TABLES]
    for name, frame in found.tables.items():
        wanted = frame.reset_index(drop=True)
        pd.testing.assert_frame_equal(back[name], wanted, check_dtype=False, check_exact=True)


@pytest.mark.parametrize(
    "name", ["inputs/power.csv", "cash_flow.csv", "value.parquet", "plan.xlsx", "solver.log"]
)
def test_a_changed_file_is_named(run: Path, name: str) -> None:
    rewritten(run, name, lambda data: data + b"\n", hashed=False)
    found = audit_run(run)
    assert ("changed-file", name) in codes(found)
    assert not found.passed


@pytest.mark.parametrize("name", ["inputs/sites.csv", "decisions.csv", "leaves.parquet"])
def test_a_missing_file_is_named(run: Path, name: str) -> None:
    (run / name).unlink()
    found = audit_run(run)
    assert ("missing-file", name) in codes(found)
    assert not found.passed


def spoilt(data: bytes) -> bytes:
    """A table of decisions in which a module more is begun."""
    frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
    at = frame.index[frame["quantity"] == "start"][0]
    frame.loc[at, "value"] = str(float(frame.loc[at, "value"]) + 1)
    return frame.to_csv(index=False).encode()


def test_csv_and_parquet_must_say_the_same(run: Path) -> None:
    found = audit_run(rewritten(run, "decisions.csv", spoilt))
    assert codes(found) == {("tables-differ", "decisions")}
    assert found.findings[0].column == "value"
    assert found.verdict is not None
    assert not found.verdict.passed


def test_other_inputs_do_not_hold_the_plan(run: Path) -> None:
    """Hashes say nothing against them; the arithmetic does."""

    def dearer(data: bytes) -> bytes:
        frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
        frame["overhead_usd_m_per_q"] = [str(float(x) * 1.5) for x in frame["overhead_usd_m_per_q"]]
        return frame.to_csv(index=False).encode()

    found = audit_run(rewritten(run, "inputs/company.csv", dearer))
    assert found.is_whole
    assert found.verdict is not None
    assert {f.table for f in found.verdict.failures} >= {"cash_flow", "liquidity"}


def test_another_value_per_share_is_refused(run: Path) -> None:
    price = audit_run(run).said["value_per_share_usd"]
    found = audit_run(said_otherwise(run, value_per_share_usd=1.01 * price))
    assert found.is_whole
    assert found.verdict is not None
    assert "value_per_share_usd" in {f.column for f in found.verdict.failures}


@pytest.mark.parametrize(("name", "factor"), [("bound", 0.9), ("gap", 0.5), ("bound_checked", 0.99)])
def test_another_proof_is_refused(run: Path, name: str, factor: float) -> None:
    said = json.loads((run / "run.json").read_text(encoding="utf-8"))["objective"]
    found = audit_run(said_otherwise(run, objective=said | {name: factor * said[name]}))
    assert found.verdict is not None
    assert {f.check[:4] for f in found.verdict.failures} == {"PRF-"}


def cheaper(data: bytes) -> bytes:
    """A certificate whose prices prove less."""
    held = read_certificate(data)
    return replace(held, dual=0.9 * held.dual).as_bytes()


def test_other_prices_do_not_prove_what_is_said(run: Path) -> None:
    found = audit_run(rewritten(run, PROOF, cheaper))
    assert found.verdict is not None
    assert {f.column for f in found.verdict.failures} == {"bound_checked"}
    refused = audit_run(rewritten(run, PROOF, lambda _: b"PK"))
    assert refused.verdict is None
    assert codes(refused) == {("not-a-run", "run.json")}


def test_another_version_is_told(run: Path) -> None:
    said = json.loads((run / "run.json").read_text(encoding="utf-8"))
    said["run"]["versions"]["hashshift"] = "9.9"
    found = audit_run(said_otherwise(run, run=said["run"]))
    assert codes(found) == {("other-version", "run.json")}
    assert found.passed


@pytest.mark.parametrize("changes", [{"scenario": "none"}, {"nodes": []}, {"nodes": None}, {"sha256": {}}])
def test_what_run_json_must_say(run: Path, changes: dict[str, object]) -> None:
    found = audit_run(said_otherwise(run, **changes))
    assert not found.is_whole
    assert found.verdict is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"kind": "another"}', b"[" * 100_000, b"\xff", None])
def test_what_is_no_run_is_a_finding(tmp_path: Path, data: bytes | None) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    if data is not None:
        (folder / "run.json").write_bytes(data)
    for place in (folder, folder / "run.json", tmp_path / "nowhere"):
        found = audit_run(place)
        assert {f.code for f in found.findings} == {"not-a-run"}
        assert found.said == {}


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "inputs/../../secret", "link", "inputs"])
def test_nothing_outside_the_run_is_read(run: Path, name: str) -> None:
    (run.parent / "secret").write_text("secret")
    (run / "link").symlink_to(run.parent / "secret")
    said = json.loads((run / "run.json").read_text(encoding="utf-8"))
    hashes = {**said["sha256"], name: sha256(b"secret").hexdigest()}
    assert ("missing-file", name) in codes(audit_run(said_otherwise(run, sha256=hashes)))


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimizer.audit.run_files.MAX_BYTES", 1_000_000)
    said = {"kind": "hashshift plan", "sha256": {"big.csv": "", "more.csv": ""}}
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.json", json.dumps(said))
        archive.writestr("big.csv", bytes(2_000_000))
    assert codes(audit_run(tmp_path / "bomb.zip")) == {
        ("missing-file", "big.csv"),
        ("missing-file", "more.csv"),
    }


def test_the_bundle_holds_what_reproduces_the_plan(written: Written, tmp_path: Path) -> None:
    found, _, bundle = written
    with zipfile.ZipFile(bundle) as archive:
        assert {"README.txt", "run.json", "model.mps", "solver.log", "inputs/portfolio.toml"} <= set(
            archive.namelist()
        )
        readme, model = archive.read("README.txt").decode(), archive.read("model.mps")
        assert model.startswith(f"* minus (E[V] - claims) in $M at lambda = {found.value!r}".encode())
        assert b"HiGHS" in archive.read("solver.log")
        archive.extractall(tmp_path)
    command = next(line for line in readme.splitlines() if line.startswith("    hashshift plan inputs"))
    words = command.split()[1:]
    call = [sys.executable, "-m", "optimizer.cli", *words]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    for name in (f"{t.name}{end}" for t in TABLES for end in (".csv", ".parquet")):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_the_same_plan_gives_the_same_bundle(written: Written, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        write_bundle(written[0], tmp_path / name, b"model")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["one.zip", "two.zip"]


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command as a process."""
    call = [sys.executable, "-m", "optimizer.cli", *arguments]
    return subprocess.run(call, capture_output=True, text=True, check=False, timeout=200)


def test_exit_codes_and_the_document(written: Written, run: Path, tmp_path: Path) -> None:
    """0 passed, 1 changed or unreadable, 5 refused; --json is the one document on stdout."""
    good = command("audit", str(written[2]))
    assert good.returncode == 0, good.stderr
    assert "all hold" in good.stdout
    price = written[0].value_per_share_usd
    refused = command("audit", str(said_otherwise(run, value_per_share_usd=1.01 * price)), "--json")
    assert refused.returncode == 5, refused.stderr
    said = json.loads(refused.stdout)
    assert said["status"] == "failed"
    assert {"table", "row", "column", "expected", "found"} <= set(said["audit"]["failures"][0])
    none = command("audit", str(tmp_path / "nowhere"), "--json")
    assert none.returncode == 1
    assert json.loads(none.stdout)["findings"][0]["code"] == "not-a-run"
    assert command("plan", STARTER, "--bundle", str(tmp_path / "x.tar")).returncode == 2
