"""The smallest set of input rows that cannot all stand, and the ways out that were met on the way."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from optimizer.conflicts.elastic import Array
from optimizer.conflicts.relaxed import Relaxed

LONGEST_SOLVE_S = 5.0


@dataclass(frozen=True, eq=False)
class WayOut:
    """A plan in which some inputs give way."""

    given: dict[int, float]
    x: Array
    usd_m: float


@dataclass(eq=False)
class Found:
    """What the search has found out by the time it ended."""

    is_infeasible: bool = False
    is_beyond: bool = False
    """No plan even with all inputs loosened."""
    ways: list[WayOut] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)
    """Input rows that cannot all stand."""
    held: set[int] = field(default_factory=set)
    """The inputs of them that conflict."""
    is_smallest: bool = False
    solves: int = 0


def search(relaxed: Relaxed, ends: float, tell: Callable[[str], None], *, known: bool = False) -> Found:
    """Hold inputs until no plan is left: those held conflict, and each plan met on the way is a way out.

    Then leave out every input row that is not needed for the conflict, one at a time.
    """
    found, everything = Found(is_infeasible=known), set(range(len(relaxed.elastics)))

    def left() -> float:
        return min(LONGEST_SOLVE_S, ends - time.monotonic())

    def solve(held: set[int], *, priced: bool):  # type: ignore[no-untyped-def]
        found.solves += 1
        return relaxed.solve(held, max(0.1, left()), priced=priced)

    if not known:
        tell("whether a plan exists")
        result = solve(everything, priced=False)
        if result.x is not None:
            return found
        found.is_infeasible = result.proved == "infeasible"
    held: set[int] = set()
    while left() > 0.0:
        tell("ways out")
        result = solve(held, priced=True)
        if result.x is None:
            break
        given = relaxed.given(result.x)
        if not given:
            found.is_infeasible = False
            return found
        found.ways.append(WayOut(given, result.x, relaxed.usd_m(given)))
        found.is_infeasible = True
        held |= set(given)
    else:
        return _ended(found, relaxed, held)
    if result.proved != "infeasible":
        return _ended(found, relaxed, held)
    found.is_infeasible = True
    found.is_beyond = not held
    rows = _rows(relaxed, held)
    members = {row: {i for i in held if relaxed.elastics[i].row == row} for row in rows}
    tell("the smallest conflict")
    for row in sorted(rows, key=lambda r: -min(relaxed.elastics[i].usd_m for i in members[r])):
        if left() <= 0.0:
            return _ended(found, relaxed, held)
        fewer = held - members[row]
        if solve(fewer, priced=False).proved == "infeasible":
            held = fewer
    found.is_smallest = left() > 0.0
    return _ended(found, relaxed, held)


def _ended(found: Found, relaxed: Relaxed, held: set[int]) -> Found:
    found.held, found.rows = held, _rows(relaxed, held)
    return found


def _rows(relaxed: Relaxed, held: set[int]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(relaxed.elastics[i].row for i in sorted(held)))
