"""How the command ends: its exit codes, interrupts, and streams that are closed or full."""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Exit(IntEnum):
    """What the exit code says."""

    PLAN_FOUND = 0
    INPUT_ERRORS = 1
    USAGE = 2
    INFEASIBLE = 3
    NO_PLAN = 4
    INTERNAL_ERROR = 5


class Stopped(BaseException):
    """The user wants the command to end at once."""


class StdoutError(Exception):
    """What was to be shown could not be written."""


_aborted = threading.Event()


def listen() -> None:
    """From now on Ctrl-C and SIGTERM raise Stopped, and end the process where that is not heard."""

    def unheard(raised: "sys.UnraisableHookArgs") -> None:
        if raised.exc_type is Stopped:
            os._exit(Exit.NO_PLAN)
        sys.__unraisablehook__(raised)

    sys.unraisablehook = unheard
    for number in SIGNALS:
        signal.signal(number, _abort)


def interrupted() -> bool:
    """Whether the user wanted the command to end at once."""
    return _aborted.is_set()


def _abort(*_: object) -> None:
    if _aborted.is_set():
        os._exit(Exit.NO_PLAN)
    _aborted.set()
    raise Stopped


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set the event, and a plan that has been found is kept; the second one aborts."""
    stop = threading.Event()

    def on_signal(*_: object) -> None:
        if stop.is_set():
            _abort()
        stop.set()
        with suppress(OSError):
            os.write(2, b"\nstopping; if a plan has been found it is kept (Ctrl-C again aborts)\n")

    before = {number: signal.signal(number, on_signal) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(code: int) -> NoReturn:
    """End with a code; nothing interrupts the interpreter any more."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def settle_streams() -> None:
    """Streams that take any text; a closed stdout is refused, a closed stderr is silence."""
    if sys.stderr is None:
        forget(2)
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - for as long as the process runs
    if sys.stdout is None:
        forget(1)
        raise StdoutError("it is closed")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def forget(number: int) -> None:
    """Send to nowhere what is still written to a stream."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)


@contextmanager
def showing() -> Iterator[None]:
    """Around all that is shown: a reader who has gone away is no fault, a full disk is one."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        forget(1)
    except OSError as trouble:
        forget(1)
        raise StdoutError(trouble.strerror or str(trouble)) from trouble


def say(line: str) -> None:
    """Tell the user something beside the result."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)
