"""Spoils portfolios and their files at random, and holds that each ends in findings or in a plan.

    .venv/bin/python tests/bench/fuzz.py                      10,000 cases, one in fifty planned
    .venv/bin/python tests/bench/fuzz.py --cases 1 --first 77 one case again

A case is its number: the same everywhere. Whatever else it ends in is printed with its number, and exits 1.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from models.findings import Finding, InputError
from optimizer.inputs.load import load
from optimizer.pipeline import AuditError, check, plan
from optimizer.solve.options import Options
from tests.inputs.fuzzing import case

LIMIT_S = 60
"""Of the wall clock, for reading and checking a case; a plan has this on top of its own limit."""


class HangError(Exception):
    """It took longer than it may."""


def _hang(_: int, __: FrameType | None) -> None:
    raise HangError


def is_told(findings: Iterable[Finding]) -> bool:
    """Whether each says what is wrong and what would be right, in signs that any terminal shows."""
    return all(f.code and f.message and f.remedy and str(f).isprintable() for f in findings)


def run(number: int, folder: Path, *, planned: bool, time_limit_s: float) -> str:
    """What one case ends in; raises whatever it should not have ended in."""
    random = Random(number)
    _, path = case(random, folder)
    try:
        loaded = load(path)
        checked = check(loaded)
        if not planned:
            return "checked, with warnings" if checked.findings else "checked"
        signal.alarm(int(LIMIT_S + 2 * time_limit_s))
        found = plan(loaded, options=Options(gap=0.02, time_limit_s=time_limit_s))
    except InputError as refused:
        return "findings" if is_told(refused.findings) else "findings without words"
    return f"plan: {found.status}"


def main() -> None:
    """Run cases and tell what they ended in."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--plan-every", type=int, default=50, help="one in so many of the sound is planned")
    parser.add_argument("--time-limit", type=float, default=20.0, help="seconds for each plan")
    parser.add_argument("--for", type=float, default=float("inf"), dest="seconds", help="stop after so long")
    asked = parser.parse_args()
    warnings.simplefilter("error")
    signal.signal(signal.SIGALRM, _hang)
    ends: Counter[str] = Counter()
    slowest, began = (0.0, -1), time.monotonic()
    for number in range(asked.first, asked.first + asked.cases):
        if time.monotonic() - began > asked.seconds:
            break
        folder = Path(tempfile.mkdtemp(prefix="hashshift-fuzz-"))
        started = time.process_time()
        signal.alarm(LIMIT_S)
        try:
            planned = number % asked.plan_every == 0
            end = run(number, folder, planned=planned, time_limit_s=asked.time_limit)
        except (Exception, HangError) as trouble:
            end = "audit refuses" if isinstance(trouble, AuditError) else type(trouble).__name__
            print(f"case {number}: {end}", flush=True)
            traceback.print_exc(limit=-4)
            end = f"FAULT: {end}"
        finally:
            signal.alarm(0)
            shutil.rmtree(folder)
        ends[end] += 1
        slowest = max(slowest, (time.process_time() - started, number))
    took = time.monotonic() - began
    print(f"{ends.total():,} cases in {took:,.0f} s; the slowest, {slowest[1]}, {slowest[0]:.1f} s")
    for end, times in sorted(ends.items()):
        print(f"{times:8,}  {end}")
    sys.exit(any(end.startswith(("FAULT", "findings without")) for end in ends))


if __name__ == "__main__":
    main()
