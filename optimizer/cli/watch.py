"""The command runs in a child: when a solver or a library crashes, the parent lives to say so."""

import atexit
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from optimizer.cli.ending import SIGNALS, Exit, say

CRASHED = "that is a crash of the solver or of another library"
KILLED = "so the system ends what takes too much memory; plan fewer quarters, sites or scenarios"
ENDED = b"."
"""What the child says when it ends by itself, unless it is aborted."""
LEFT = (
    "An earlier plan in the output folder is whole, or the new one is there, whole; a folder .hashshift-* "
    "beside it may be deleted."
)


def watched(command: Callable[[], None]) -> None:
    """Run a command in a child of its own and end with its exit code; here where there is no fork.

    Signals go to the child once each, whoever sent them: it has a process group of its own. It ends when the
    parent does.
    """
    if not hasattr(os, "fork"):
        command()
        return
    alive, held = os.pipe()
    told, tells = os.pipe()
    held_back = {*SIGNALS, signal.SIGTSTP}
    signal.pthread_sigmask(signal.SIG_BLOCK, held_back)
    child = os.fork()
    if child == 0:
        os.close(held)
        atexit.register(os.write, tells, ENDED)  # not run when a library ends the process
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # it may write on the terminal from the background
        threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, held_back)
        command()
        return
    os.close(alive)
    os.close(tells)
    _wait(child, told, held_back)


def _end_with_parent(alive: int) -> None:
    os.read(alive, 1)
    os._exit(Exit.INTERNAL_ERROR)


def _wait(child: int, told: int, held_back: set[signal.Signals]) -> None:
    def pass_on(number: int, _: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    def pause(*_: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.kill(child, signal.SIGCONT)

    for number in SIGNALS:
        signal.signal(number, pass_on)
    signal.signal(signal.SIGTSTP, pause)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, held_back)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        by = signal.Signals(os.WTERMSIG(status))
        why = KILLED if by is signal.SIGKILL else CRASHED
        say(f"hashshift: ended by {by.name} ({signal.strsignal(by)}): {why}. {LEFT}")
        os._exit(Exit.INTERNAL_ERROR)
    code = os.WEXITSTATUS(status)
    if code != Exit.NO_PLAN and os.read(told, len(ENDED)) != ENDED:
        say(f"hashshift: ended by a library, which says why above. {LEFT}")
        os._exit(Exit.INTERNAL_ERROR)
    os._exit(code)
