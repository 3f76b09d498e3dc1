"""The command `hashshift`; its commands are imported when interrupts can no longer leave a traceback."""

import errno
import os
import sys
from typing import NoReturn

from optimizer.cli.ending import (
    Exit,
    StdoutError,
    Stopped,
    forget,
    interrupted,
    leave,
    listen,
    say,
    settle_streams,
)
from optimizer.cli.watch import watched

TRACEBACK = "HASHSHIFT_TRACEBACK"
NO_MEMORY = ("cannot allocate memory", "failed to map segment", "can't start new thread", "bad_alloc")
"""How libraries say that they have none."""
UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""What the system says when a disk is full or gone."""


def _command() -> None:
    from optimizer.cli.explain import app  # the last of the modules that add commands to it

    app(prog_name="hashshift")


def main() -> None:
    """Run the command; never a traceback, unless it is asked for."""
    listen()
    stdout = sys.stdout
    try:
        settle_streams()
        watched(_command)
    except Stopped:
        say("aborted")
        os._exit(Exit.NO_PLAN)  # a solver may still run in a thread, and does not end with the interpreter
    except StdoutError as trouble:
        say(f"hashshift: cannot write to stdout: {trouble}")
        leave(Exit.INTERNAL_ERROR)
    except MemoryError:
        _out_of_memory()
    except Exception as bug:
        if interrupted():  # a module that was being imported made something else of it
            os._exit(Exit.NO_PLAN)
        if os.environ.get(TRACEBACK):
            raise
        if _is_memory(bug):
            _out_of_memory()
        if isinstance(bug, OSError) and bug.errno in UNWRITTEN:
            say(f"hashshift: cannot write: {bug.strerror}")
            leave(Exit.INTERNAL_ERROR)
        said = " ".join(str(bug).split()) or "no message"
        say(
            f"hashshift: internal error, {type(bug).__name__}: {said}. This is a bug; "
            f"{TRACEBACK}=1 in the environment shows the traceback."
        )
        leave(Exit.INTERNAL_ERROR)
    except SystemExit as end:
        if sys.stdout is not stdout and "--help" in sys.argv:  # typer met a reader who had gone away
            leave(Exit.PLAN_FOUND)
        try:
            sys.stdout.flush()
        except OSError:
            forget(1)
        leave(end.code if isinstance(end.code, int) else Exit.PLAN_FOUND)


def _is_memory(bug: BaseException) -> bool:
    """Whether it is want of memory, of a library that could not be loaded or of a thread too."""
    if isinstance(bug, MemoryError) or getattr(bug, "errno", None) == errno.ENOMEM:
        return True
    return any(words in str(bug).lower() for words in NO_MEMORY) or (
        bug.__cause__ is not None and _is_memory(bug.__cause__)
    )


def _out_of_memory() -> NoReturn:
    say("hashshift: out of memory; plan fewer quarters, sites or scenarios. No half-written plan is left")
    leave(Exit.INTERNAL_ERROR)
