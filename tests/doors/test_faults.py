"""What goes wrong while the command runs, for real: it is told with its exit code, and harms no plan."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.doors.warm import start

PLAN = ("plan", "tiny", "--gap", "0.01", "--out", "out")
BY_VALUE = (*PLAN, "--objective", "value")
COMMAND = (sys.executable, "-m", "optimizer.cli")
Files = dict[str, bytes]


def files(folder: Path) -> Files:
    """Every file in a folder and below it."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan of greatest value, written."""
    folder = tmp_path_factory.mktemp("earlier")
    done = start(BY_VALUE, folder)
    assert done.ended() == 0, done.stderr
    return folder / "out"


@pytest.fixture
def home(earlier: Path, tmp_path: Path) -> Path:
    """A folder with the earlier plan in ``out``, and nothing else."""
    home = tmp_path / "home"
    shutil.copytree(earlier, home / "out")
    return home


def is_whole(folder: Path) -> str:
    """The objective of the one plan that a folder holds: its files are all those of its run.json."""
    there = files(folder)
    said = json.loads(there.pop("run.json"))
    assert {name: sha256(data).hexdigest() for name, data in there.items()} == said["sha256"]
    name: str = said["objective"]["name"]
    return name


# --- a process that dies ----------------------------------------------------------------------------------

CRASHES = {
    "the solver crashes": (
        "import ctypes, optimizer.solve.exact as e\n"
        "e.HighsProgram.solve = lambda *a, **k: ctypes.string_at(0)",
        "SIGSEGV", "value",
    ),
    "killed before the new plan is in its place": (
        "import os, optimizer.plans.store as s\ns._swap = lambda *a: os.kill(os.getpid(), 9)",
        "SIGKILL", "value",
    ),
    "killed when it has just come into its place": (
        "import os, optimizer.plans.store as s\nswap = s._swap\n"
        "def then(*a):\n    swap(*a)\n    os.abort()\ns._swap = then",
        "SIGABRT", "per-share",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CRASHES)
def test_a_process_that_dies_leaves_a_whole_plan_and_is_told(home: Path, name: str) -> None:
    code, by, left = CRASHES[name]
    done = start(PLAN, home, code)
    assert done.ended() == 5, done.stderr
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("hashshift: ")]
    assert f"ended by {by}" in told
    assert "An earlier plan in the output folder is whole" in told
    assert is_whole(home / "out") == left


def test_a_library_that_ends_the_process_is_no_input_error(home: Path) -> None:
    quits = "import ctypes, optimizer.pipeline as p\np.load = lambda *a, **k: ctypes.CDLL(None).exit(1)"
    done = start(PLAN, home, quits)
    assert done.ended() == 5
    assert "ended by a library" in done.stderr


def test_the_child_ends_with_the_command(home: Path) -> None:
    waits = (
        "import sys, time, os, optimizer.pipeline as p\n"
        "def load(*a, **k):\n    print(os.getpid(), file=sys.stderr, flush=True)\n    time.sleep(60)\n"
        "p.load = load"
    )
    at_work = start(("check", "tiny"), home, waits)
    at_work.until("\n")
    child = int(at_work.stderr)
    assert child != at_work.process.pid
    at_work.send(signal.SIGKILL)
    for _ in range(200):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("it outlives the command")


@pytest.mark.parametrize("solver", ["glpk", "cbc"])
def test_a_solver_of_its_own_that_crashes_is_named(home: Path, solver: str) -> None:
    program = home.parent / {"glpk": "glpsol", "cbc": "cbc"}[solver]
    program.write_text(
        '#!/bin/sh\ncase "$*" in *--version*) echo "GLPSOL 5.0";; *-stop*) echo "Version: 2.10.5";;\n'
        "*) kill -SEGV $$;; esac\n"
    )
    program.chmod(0o755)
    before = files(home / "out")
    path = f"import os\nos.environ['PATH'] = {str(home.parent)!r} + ':' + os.environ['PATH']"
    done = start((*PLAN, "--solver", solver), home, path)
    assert done.ended() == 5, done.stderr
    assert f"the solver '{solver}' failed" in done.stderr
    assert "Nothing was written" in done.stderr
    assert "Traceback" not in done.stderr
    assert files(home / "out") == before


# --- a signal in every stage ------------------------------------------------------------------------------

STAGES = {
    "reading": ("optimizer.pipeline", "load"),
    "building": ("optimizer.pipeline", "_build"),
    "auditing": ("optimizer.pipeline", "_audited"),
    "writing": ("optimizer.plans.store", "_carry_over"),
}


def waits_in(stage: str) -> str:
    """Lines that hold the command in a stage for half a second, and say so."""
    module, name = STAGES[stage]
    return (
        f"import os, time, sys, {module} as m\nreal = m.{name}\n"
        "def slow(*a, **k):\n    print('here', file=sys.stderr, flush=True)\n    time.sleep(0.5)\n"
        f"    return real(*a, **k)\nm.{name} = slow"
    )


@pytest.mark.parametrize(
    ("stage", "sign"),
    [("reading", signal.SIGTERM), ("building", signal.SIGINT), ("auditing", signal.SIGTERM)],
)
def test_the_first_signal_ends_the_search_and_keeps_what_is_found(
    home: Path, stage: str, sign: signal.Signals
) -> None:
    done = start(PLAN, home, waits_in(stage))
    done.until("here")
    done.send(sign)
    code, is_found = done.ended(), stage == "auditing"
    assert code == (0 if is_found else 4), done.stderr
    assert "stopping; if a plan has been found it is kept" in done.stderr
    assert "Traceback" not in done.stderr
    assert is_whole(home / "out") == ("per-share" if is_found else "value")
    assert ("Audit passed" if is_found else "No plan was found") in done.stdout
    assert list(files_beside(home)) == ["out"]


@pytest.mark.parametrize(("stage", "times"), [("writing", 1), ("writing", 2), ("auditing", 2)])
def test_a_plan_is_written_whole_or_not_at_all(home: Path, stage: str, times: int) -> None:
    done = start(PLAN, home, waits_in(stage))
    done.until("here")
    for _ in range(times):
        done.send(signal.SIGINT)
        time.sleep(0.1)
    assert done.ended() == (0 if times == 1 else 4), done.stderr
    assert is_whole(home / "out") == ("per-share" if times == 1 else "value")
    assert ("aborted" in done.stderr) == (times == 2)
    assert list(files_beside(home)) == ["out"]


def files_beside(home: Path) -> Iterator[str]:
    """What stands in a folder: nothing half-made is left there."""
    return (entry.name for entry in home.iterdir())


@pytest.fixture
def keys() -> Iterator[tuple[int, str]]:
    """A terminal: where its keys are pressed, and its name for the command."""
    ours, theirs = pty.openpty()
    yield ours, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_ctrl_c_on_a_terminal_is_one_signal_and_not_two(home: Path, keys: tuple[int, str]) -> None:
    pressed, terminal = keys
    done = start(PLAN, home, waits_in("auditing"), terminal=terminal)
    done.until("here")
    os.write(pressed, b"\x03")
    assert done.ended() == 0, done.stderr
    assert done.stderr.count("stopping") == 1
    assert is_whole(home / "out") == "per-share"


def test_ctrl_z_on_a_terminal_holds_all_of_it(home: Path, keys: tuple[int, str]) -> None:
    pressed, terminal = keys
    tells = waits_in("auditing").replace("print('here',", "print('here', os.getpid(),")
    done = start(PLAN, home, tells, terminal=terminal)
    done.until("here")
    child = int(done.stderr.partition("here ")[2].split()[0])
    os.write(pressed, b"\x1a")
    for pid in (child, done.process.pid):
        ends = time.monotonic() + 60.0
        while state(pid) != "T":
            assert time.monotonic() < ends, f"{pid} goes on: {state(pid)}"
            time.sleep(0.01)
    done.send(signal.SIGCONT)
    assert done.ended() == 0, done.stderr


def state(pid: int | None) -> str:
    """Of a process: T where it is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


# --- want of memory, room and rights ----------------------------------------------------------------------


@pytest.mark.parametrize("memory_mb", [2, 20])
def test_too_little_memory_is_told(home: Path, memory_mb: int) -> None:
    before = files(home / "out")
    done = start(PLAN, home, memory_mb=memory_mb)
    assert done.ended() == 5, done.stderr
    assert "hashshift: out of memory" in done.stderr or "hashshift: ended by" in done.stderr
    assert "Traceback" not in done.stderr
    assert files(home / "out") == before
    assert list(files_beside(home)) == ["out"]


def test_too_little_memory_to_begin_with_is_told(home: Path) -> None:
    limited = ["bash", "-c", 'ulimit -v 150000; exec "$@"', "bash", *COMMAND, *PLAN]
    done = subprocess.run(limited, cwd=home, capture_output=True, text=True, timeout=240)
    assert done.returncode == 5, done.stderr
    assert "hashshift: out of memory" in done.stderr or "hashshift: ended by" in done.stderr
    assert is_whole(home / "out") == "value"


def test_a_file_that_may_not_grow_leaves_the_earlier_plan(home: Path) -> None:
    before = files(home / "out")
    done = start(PLAN, home, file_kb=8)
    assert done.ended() == 5, done.stderr
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("hashshift: ")]
    assert told.startswith(f"hashshift: not written: '{home / 'out'}' cannot be written: ")
    assert "File too large" in told
    assert "Audit passed" in done.stdout
    assert files(home / "out") == before
    assert list(files_beside(home)) == ["out"]


@pytest.fixture
def small_disk(earlier: Path, tmp_path: Path) -> Iterator[Path]:
    """A disk that holds the earlier plan and half of another."""
    size_kb = sum(-(-len(data) // 4096) * 4 for data in files(earlier).values())
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={int(1.5 * size_kb)}k", "none", str(disk)]
    if subprocess.run(words, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a disk in memory")
    shutil.copytree(earlier, disk / "out")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_leaves_the_earlier_plan(small_disk: Path) -> None:
    before = files(small_disk / "out")
    done = start(PLAN, small_disk)
    assert done.ended() == 5, done.stderr
    assert "cannot be written" in done.stderr
    assert "No space left on device" in done.stderr
    assert "Audit passed" in done.stdout
    assert files(small_disk / "out") == before
    assert list(files_beside(small_disk)) == ["out"]


def test_a_disk_that_cannot_be_written_is_a_usage_error_at_once(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = start(PLAN, small_disk)
    assert (done.ended(), done.stdout) == (2, "")
    assert "Read-only file system" in " ".join(done.stderr.split())


def test_an_output_that_is_a_file_is_a_usage_error(home: Path) -> None:
    (home / "note").write_text("mine")
    done = start(("plan", "tiny", "--out", "note"), home)
    assert (done.ended(), done.stdout) == (2, "")
    assert "is a file: name a folder" in " ".join(done.stderr.split())
    assert (home / "note").read_text() == "mine"


def test_two_runs_into_one_folder_both_end_well_and_leave_one_plan(home: Path) -> None:
    shutil.rmtree(home / "out")
    slow = (
        "import os, time\nreal = os.rename\n"
        "def rename(*a, **k):\n    time.sleep(1.0)\n    return real(*a, **k)\nos.rename = rename"
    )
    both = [start(words, home, slow) for words in (BY_VALUE, PLAN)]
    assert [done.ended() for done in both] == [0, 0], [done.stderr for done in both]
    assert is_whole(home / "out") in ("value", "per-share")
    assert list(files_beside(home)) == ["out"]


# --- odd surroundings -------------------------------------------------------------------------------------


def test_a_plan_that_cannot_be_shown_is_written_all_the_same(home: Path) -> None:
    done = start(PLAN, home, stdout="/dev/full")
    assert done.ended() == 5
    assert "Written to out" in done.stderr
    assert "hashshift: cannot write to stdout: No space left on device" in done.stderr
    assert is_whole(home / "out") == "per-share"


def test_no_home_no_locale_no_width_no_temporary_folder_and_a_reader_who_leaves(home: Path) -> None:
    command = " ".join(f"'{word}'" for word in (*COMMAND, *PLAN))
    surroundings = "env -u HOME LC_ALL=C LANG= COLUMNS=20 TMPDIR=/nowhere"
    script = f"set -o pipefail; {surroundings} {command} | head -1"
    done = subprocess.run(["bash", "-c", script], cwd=home, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.count("\n") == 1
    assert is_whole(home / "out") == "per-share"


GONE = "import os\nos.mkdir('gone')\nos.chdir('gone')\nos.rmdir('../gone')"


def test_a_working_folder_that_is_gone_is_no_bug(home: Path) -> None:
    done = start((*PLAN[:-1], str(home / "out")), home, GONE)
    assert done.ended() == 0, done.stderr
    assert f"Written to {home / 'out'}" in done.stderr
    done = start(PLAN, home, GONE)
    assert (done.ended(), done.stdout) == (2, "")
    assert "No such file or directory" in " ".join(done.stderr.split())


def test_when_time_runs_out_before_a_plan_that_is_told(home: Path) -> None:
    mute = (
        "import optimizer.solve.exact as e\nfrom optimizer.solve.outcome import MipResult\n"
        "nothing = MipResult('nothing', None, float('-inf'), float('inf'))\n"
        "e.HighsProgram.solve = lambda *a, **k: nothing"
    )
    before = files(home / "out")
    done = start(PLAN, home, mute)
    assert done.ended() == 4, done.stderr
    assert "No plan was found in" in done.stdout
    assert files(home / "out") == before
