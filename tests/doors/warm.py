"""The command as a process of its own, forked from one that has imported it: starting is what takes long."""

import atexit
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

IMPORTED = ("optimizer.cli.explain", "optimizer.pipeline", "optimizer.report.terminal", "pyomo.environ",
            "xlsxwriter", "tests.doors.warm")  # fmt: skip
MEGABYTE = 2**20


@dataclass
class Started:
    """A command that runs; what it says is in files."""

    process: ForkServerProcess
    said: Path

    @property
    def stdout(self) -> str:
        """What it has shown so far."""
        return self.said.with_suffix(".out").read_text()

    @property
    def stderr(self) -> str:
        """What it has told so far."""
        return self.said.with_suffix(".err").read_text()

    def until(self, word: str) -> None:
        """Wait for a word on stderr."""
        ends = time.monotonic() + 120.0
        while word not in self.stderr:
            assert self.process.is_alive(), self.stderr
            assert time.monotonic() < ends, self.stderr
            time.sleep(0.01)

    def send(self, number: int) -> None:
        """A signal to the command, as a user sends it."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def ended(self) -> int:
        """Its exit code."""
        self.process.join(240.0)
        assert self.process.exitcode is not None, "it does not end"
        return self.process.exitcode


def start(
    words: tuple[str, ...], cwd: Path, code: str = "", stdout: str = "", terminal: str = "", **limits: int
) -> Started:
    """Start it in a folder after some lines of Python that break it on purpose, within limits of the system.

    ``stdout`` is a path; a file beside the folder by default. ``terminal`` is one that it gets its keys from.
    ``memory_mb`` comes on top of what it has.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    said = cwd.with_name(f"{cwd.name}-{time.monotonic_ns()}")
    streams = (stdout or str(said.with_suffix(".out")), str(said.with_suffix(".err")))
    for stream in streams:
        Path(stream).touch()
    process = context.Process(target=_run, args=(words, str(cwd), code, streams, terminal, limits))
    process.start()
    return Started(process, said)


def _run(
    words: tuple[str, ...],
    cwd: str,
    code: str,
    streams: tuple[str, str],
    terminal: str,
    limits: Mapping[str, int],
) -> None:
    os.chdir(cwd)
    if terminal:  # the first that a new session opens is the one that it answers to
        os.setsid()
        os.open(terminal, os.O_RDWR)
    for number, stream in enumerate(streams, 1):
        os.dup2(os.open(stream, os.O_WRONLY), number)
    if "file_kb" in limits:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits["file_kb"] * 1024, resource.RLIM_INFINITY))
    if "memory_mb" in limits:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + limits["memory_mb"] * MEGABYTE
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    exec(code, {})
    from optimizer.cli import main

    sys.argv = ["hashshift", *words]
    try:
        main()
    except SystemExit as end:
        atexit._run_exitfuncs()
        os._exit(int(end.code or 0))
