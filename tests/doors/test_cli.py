"""The command as a process: its documents, its exit codes, and that nothing is lost or half-written."""

import json
import os
import pty
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

HASHSHIFT = str(Path(sys.executable).with_name("hashshift"))
KEYS = {"status", "objective", "value_per_share_usd", "committed_value_per_share_usd", "implied_return",
        "shares_m", "seconds", "audit", "sites", "financing", "findings"}  # fmt: skip
FAST = ("--gap", "0.02", "--time-limit", "60")
HEAVY = {"highspy", "numpy", "openpyxl", "pandas", "pyarrow", "pydantic", "pyomo", "rich", "scipy",
         "xlsxwriter"}  # fmt: skip
SECTIONS = (
    "before tax",
    "are guesses",
    "What the value is made of",
    "Decided in the next two quarters",
    "Strategy per site",
    "Megawatts by quarter",
    "Sources and uses",
    "Money raised by quarter",
    "Covenants and liquidity",
)

Done = subprocess.CompletedProcess[str]


def run(*arguments: str, cwd: Path, command: tuple[str, ...] = (HASHSHIFT,), **env: str) -> Done:
    return subprocess.run(
        [*command, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, **env},
    )


def patched(code: str, *arguments: str, cwd: Path, **env: str) -> Done:
    """The command after some lines of Python that break it on purpose."""
    script = f"{code}\nimport sys; from optimizer.cli import main; sys.argv[1:] = {list(arguments)!r}; main()"
    return run("-c", script, cwd=cwd, command=(sys.executable,), **env)


def document(done: Done) -> dict[str, object]:
    """What stands on stdout, all of it, as one document."""
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the starter portfolio in ``demo``."""
    folder = tmp_path_factory.mktemp("home")
    done = run("init", "demo", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "hashshift plan demo" in done.stdout
    return folder


@pytest.fixture(scope="module")
def planned(home: Path) -> Done:
    """The starter planned into ``out``, told as JSON."""
    return run("plan", "demo", *FAST, "--json", "--out", "out", "--export", "program.mps", cwd=home)


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    started = time.monotonic()
    done = run("--help", cwd=tmp_path)
    assert time.monotonic() - started < 5.0, "measured 0.1 s; its limit is the bench's to hold"
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("check", "plan", "init"))
    show = f"import optimizer.cli, sys; print({HEAVY} & set(sys.modules))"
    assert run("-c", show, cwd=tmp_path, command=(sys.executable,)).stdout == "set()\n"


def test_json_is_one_document(planned: Done) -> None:
    assert planned.returncode == 0, planned.stderr
    said = document(planned)
    assert set(said) >= KEYS
    assert said["status"] == "optimal"
    assert said["audit"]["passed"] is True  # type: ignore[index]
    assert said["seconds"]["read"] > 0.0  # type: ignore[index]
    assert "in hand" not in planned.stderr, "no progress with --json where there is no terminal"


def test_the_folder_holds_the_same_plan(planned: Done, home: Path) -> None:
    from optimizer.plans.store import read_tables

    said, kept = document(planned), json.loads((home / "out" / "run.json").read_text())
    assert kept["objective"] == said["objective"]
    tables = read_tables(home / "out")
    assert set(tables["site_summary"]["site"]) == {site["site"] for site in said["sites"]}  # type: ignore[attr-defined,index]
    sides = tables["sources_uses"].groupby("side")["usd_m"].sum()
    assert sides["source"] == pytest.approx(sides["use"], abs=1e-3)
    assert (home / "program.mps").stat().st_size > 1000


def test_the_view_is_plain_text_where_there_is_no_terminal(home: Path) -> None:
    done = run("plan", "demo", *FAST, cwd=home)
    assert done.returncode == 0, done.stderr
    for words in SECTIONS:
        assert words in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 100
    told = [line for line in done.stderr.splitlines() if "in hand $" in line and "bound $" in line]
    assert any("solving" in line for line in told), "while the tree is searched, not only after it"


def test_a_terminal_shows_live_progress(home: Path) -> None:
    ours, theirs = pty.openpty()
    command = [HASHSHIFT, "plan", "demo", *FAST, "--json"]
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=theirs, env=env) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: read(ours), b""))
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["status"] == "optimal"
    os.close(ours)
    assert b"in hand $" in shown


def read(terminal: int) -> bytes:
    """What a terminal shows next; nothing when its other end is closed."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_check_says_what_is_there(home: Path) -> None:
    done = run("check", "demo", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "can be planned" in done.stdout
    assert "coefficients from" in done.stdout
    said = document(run("check", "demo", "--json", cwd=home))
    assert said["status"] == "ok"
    assert said["program"]["rows"] > 0  # type: ignore[index]


def test_a_strict_check_fails_on_warnings(home: Path) -> None:
    doubtful = ("--set", "sites[west].once_cost_usd_m=20000")
    assert run("check", "demo", "--strict", cwd=home).returncode == 0
    assert run("check", "demo", *doubtful, cwd=home).returncode == 0
    done = run("check", "demo", "--strict", *doubtful, "--json", cwd=home)
    assert done.returncode == 1
    assert "magnitude" in done.stdout
    assert document(done)["status"] == "ok"


BAD = ("--set", "sites[west].region=atlantis", "--set", "nonsense")


@pytest.mark.parametrize("command", ["check", "plan"])
def test_input_errors_are_findings(home: Path, command: str) -> None:
    done = run(command, "demo", *BAD, cwd=home)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "atlantis" in done.stderr
    assert "2 errors" in done.stderr
    said = document(again := run(command, "demo", *BAD, "--json", cwd=home))
    assert again.returncode == 1
    assert said["status"] == "input_errors"
    assert {f["severity"] for f in said["findings"]} == {"error"}  # type: ignore[attr-defined]


def test_input_errors_leave_an_earlier_plan_alone(planned: Done, home: Path) -> None:
    assert planned.returncode == 0
    before = contents(home / "out")
    assert "inputs/portfolio.toml" in before
    assert run("plan", "demo", *BAD, "--out", "out", cwd=home).returncode == 1
    assert contents(home / "out") == before


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_an_unknown_portfolio_is_an_input_error(tmp_path: Path) -> None:
    done = run("plan", "irem", cwd=tmp_path)
    assert done.returncode == 1
    assert "did you mean 'iren'?" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--gap", "0"), "--gap"),
        (("--gap", "nan"), "--gap"),
        (("--gap", "1"), "--gap"),
        (("--time-limit", "0"), "--time-limit"),
        (("--time-limit", "inf"), "--time-limit"),
        (("--threads", "0"), "--threads"),
        (("--threads", "65"), "--threads"),
        (("--seed", "-1"), "--seed"),
        (("--objective", "glory"), "--objective"),
        (("--method", "magic"), "--method"),
        (("--scenario", "base", "--tree"), "--tree"),
        (("--scenario", "nirvana"), "base"),
        (("--solver", "abacus"), "--solver"),
        (("--export", "program.xls"), "--export"),
        (("--export", "no/such/folder/program.mps"), "--export"),
        (("--out", "demo"), "--out"),
        (("--export", f"{'x' * 300}.mps"), "too long"),
        (("--export", "demo/sites.csv/program.mps"), "--export"),
        (("--out", "."), "--out"),
        (("--out", ""), "--out"),
        (("--out", "x" * 250), "too long"),
        (("--out", f"new/{'x' * 300}/plan"), "too long"),
        (("--out", "demo/sites.csv/plan"), "Not a directory"),
        (("--what",), "--what"),
    ],
)
def test_usage_errors(home: Path, arguments: tuple[str, ...], word: str) -> None:
    done = run("plan", "demo", *arguments, cwd=home)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert word in done.stderr


def test_a_workbook_is_written_checked_and_planned_like_a_folder(planned: Done, home: Path) -> None:
    done = run("init", "my mine.xlsx", cwd=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert "hashshift plan 'my mine.xlsx'\n" in done.stdout
    assert "can be planned" in run("check", "my mine.xlsx", cwd=home).stdout
    one = run("plan", "my mine.xlsx", *FAST, "--json", cwd=home)
    assert one.returncode == 0, one.stderr
    for key in ("status", "value_per_share_usd", "sites", "financing"):
        assert document(one)[key] == document(planned)[key], key


def test_a_portfolio_is_put_into_a_workbook(home: Path) -> None:
    assert run("init", "tiny.xlsx", "--from", "tiny", cwd=home).returncode == 0
    assert "(tiny, as of 2026-12-31): can be" in run("check", "tiny.xlsx", cwd=home).stdout
    assert run("init", "tiny.xlsx", "--from", "tiny", cwd=home).returncode == 1
    assert "did you mean 'iren'?" in " ".join(
        run("init", "a.xlsx", "--from", "irene", cwd=home).stderr.split()
    )


def test_a_workbook_may_be_asked_for(home: Path) -> None:
    assert "into asked.xlsx" in run("init", "asked", "--xlsx", cwd=home).stdout
    assert (home / "asked.xlsx").is_file()
    assert (
        run("init", "asked.xlsx", "--xlsx", cwd=home).returncode == 1
    )  # there already, and no second ending


def test_a_shipped_portfolio_is_copied_into_a_folder(home: Path) -> None:
    assert run("init", "copied", "--from", "tiny", cwd=home).returncode == 0
    assert "(tiny, as of 2026-12-31): can be" in run("check", "./copied", cwd=home).stdout
    assert run("init", "copied", "--from", "tiny", cwd=home).returncode == 1
    assert run("init", "other", "--from", "my mine.xlsx", cwd=home).returncode == 1
    assert not (home / "other").exists()


def test_findings_on_a_workbook_name_their_cells(home: Path) -> None:
    done = run("check", "my mine.xlsx", "--set", "sites[west].once_cost_usd_m=x", "--json", cwd=home)
    assert done.returncode == 1
    (finding,) = document(done)["findings"]  # type: ignore[misc,attr-defined]
    assert (finding["table"], finding["cell"]) == ("sites", "sites!F2")
    (home / "broken.xlsx").write_bytes(b"PK")
    for command in ("check", "plan"):
        done = run(command, "broken.xlsx", cwd=home)
        assert (done.returncode, done.stdout) == (1, "")
        assert "[not-a-workbook]" in done.stderr


def test_init_refuses_a_folder_in_use(home: Path) -> None:
    done = run("init", "demo", cwd=home)
    assert done.returncode == 1
    assert "not an empty folder" in " ".join(done.stderr.split())


def test_a_bug_is_one_line_and_a_traceback_on_demand(home: Path) -> None:
    broken = (
        "import optimizer.pipeline as p\ndef load(*a, **k): raise ValueError('three\\nwords')\np.load = load"
    )
    done = patched(broken, "check", "demo", cwd=home)
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
    assert "internal error, ValueError: three words" in done.stderr
    assert "HASHSHIFT_TRACEBACK=1" in done.stderr
    assert "Traceback" in patched(broken, "check", "demo", cwd=home, HASHSHIFT_TRACEBACK="1").stderr


def test_what_others_print_stays_off_the_document(home: Path) -> None:
    noisy = (
        "import os, optimizer.pipeline as p\nload = p.load\n"
        "def noise(*a, **k): os.write(1, b'native'); print('python'); return load(*a, **k)\np.load = noise"
    )
    done = patched(noisy, "check", "demo", "--json", cwd=home)
    assert document(done)["status"] == "ok"
    assert "native" in done.stderr
    assert "python" in done.stderr


def test_a_plan_that_fails_its_audit_is_kept_apart(planned: Done, home: Path) -> None:
    assert planned.returncode == 0
    before = (home / "out" / "run.json").read_bytes()
    strict = (
        "import optimizer.pipeline as p\nfrom dataclasses import replace\n"
        "from optimizer.plans.plan import Audit\nplan = p.plan\n"
        "def refuse(*a, **k):\n"
        "    raise p.AuditError(replace(plan(*a, **k), audit=Audit(False, 3, 'cash', ('cash is off',))))\n"
        "p.plan = refuse"
    )
    done = patched(strict, "plan", "demo", *FAST, "--json", "--out", "out", cwd=home)
    assert done.returncode == 5
    assert "cash is off" in done.stderr
    assert document(done)["audit"] == {"passed": False, "checks": 3, "worst": "cash"}
    assert (home / "out" / "run.json").read_bytes() == before
    assert json.loads((home / "out.rejected" / "run.json").read_text())["audit"]["passed"] is False


def in_shell(script: str, cwd: Path) -> Done:
    return subprocess.run(["bash", "-c", script], cwd=cwd, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("words", ["check demo", "check demo --json", "--help", "--version"])
def test_a_closed_pipe_is_no_bug(home: Path, words: str) -> None:
    done = in_shell(f"set -o pipefail; {HASHSHIFT} {words} | true", home)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_stderr_does_not_end_a_plan(home: Path) -> None:
    done = in_shell(f"{HASHSHIFT} plan demo {' '.join(FAST)} 2> >(true); echo $?", home)
    assert done.stdout.endswith("\n0\n")
    assert in_shell(f"{HASHSHIFT} check demo 2>&-", home).returncode == 0


@pytest.mark.parametrize("words", ["check demo", "check demo --json", "--help", "--version"])
@pytest.mark.parametrize("stdout", [">/dev/full", ">&-"])
def test_a_stdout_that_takes_nothing_is_said(home: Path, words: str, stdout: str) -> None:
    done = in_shell(f"{HASHSHIFT} {words} {stdout}", home)
    assert done.returncode == 5
    assert done.stderr.startswith("hashshift: cannot write")
    assert done.stderr.count("\n") == 1
    assert "bug" not in done.stderr


def test_the_version_is_told(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path).stdout == f"hashshift {version('hashshift')}\n"


def test_init_says_commands_that_can_be_pasted(tmp_path: Path) -> None:
    done = run("init", "my mines", cwd=tmp_path)
    assert "hashshift check 'my mines'\n" in done.stdout


def test_too_little_memory_is_no_bug(home: Path) -> None:
    full = "import optimizer.pipeline as p\ndef load(*a, **k): raise MemoryError\np.load = load"
    done = patched(full, "check", "demo", cwd=home)
    assert (done.returncode, done.stderr.count("\n")) == (5, 1)
    assert "out of memory" in done.stderr


def test_an_export_may_be_written_in_capitals(home: Path) -> None:
    done = run("plan", "demo", *FAST, "--export", "PROGRAM.LP", cwd=home)
    assert done.returncode == 0, done.stderr
    assert (home / "PROGRAM.LP").read_text(encoding="utf-8").endswith("end\n")
    assert not list(home.glob(".hashshift-*"))


def test_a_failed_export_does_not_lose_the_plan(home: Path) -> None:
    full = "def fail(*a): raise OSError(28, 'No space left')"
    broken = f"import optimizer.pipeline as p\n{full}\np.write_model = fail"
    done = patched(broken, "plan", "demo", *FAST, "--out", "kept", "--export", "x.mps", cwd=home)
    assert done.returncode == 5
    assert "not exported: 'x.mps': No space left" in done.stderr
    assert "bug" not in done.stderr
    assert "Audit passed" in done.stdout
    assert (home / "kept" / "run.json").is_file()
