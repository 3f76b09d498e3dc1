"""Ctrl-C on a real portfolio: the best plan is kept, audited and written; a second one aborts."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HASHSHIFT = str(Path(sys.executable).with_name("hashshift"))
LONG = ("plan", "iren", "--gap", "0.000001", "--time-limit", "250", "--out", "out")


@contextmanager
def searching(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The command at work, a plan in hand that is better than the committed one."""
    process = subprocess.Popen(
        [HASHSHIFT, *LONG], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "relaxed" in line:
                break
        for line in process.stderr:
            if "gap" in line:
                break
        assert process.poll() is None, "it ended before it could be interrupted"
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_first_keeps_the_best_plan(tmp_path: Path, sign: signal.Signals) -> None:
    with searching(tmp_path) as process:
        process.send_signal(sign)
        shown, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
    assert "stopping; if a plan has been found it is kept" in told
    assert "interrupted" in shown
    assert "Audit passed" in shown
    kept = json.loads((tmp_path / "out" / "run.json").read_text())
    assert kept["status"] == "feasible"
    assert kept["objective"]["bound"] > kept["objective"]["value"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("after_s", [0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("command", ["check", "plan"])
def test_whenever_it_comes_there_is_no_traceback(tmp_path: Path, command: str, after_s: float) -> None:
    process = subprocess.Popen(
        [HASHSHIFT, command, "iren"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(after_s)
    process.send_signal(signal.SIGINT)
    shown, told = process.communicate(timeout=120)
    assert "Traceback" not in told
    assert process.returncode in (0, 4), told
    assert "--time-limit" not in shown


def test_the_second_aborts_and_writes_nothing(tmp_path: Path) -> None:
    with searching(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        shown, told = process.communicate(timeout=120)
        assert process.returncode == 4, told
    assert "aborted" in told
    assert shown == ""
    assert not list(tmp_path.iterdir())
