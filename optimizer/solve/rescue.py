"""Rescue first: the least funding of last resort with which there is a plan bounds all that follows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.ledger import Quantity
from optimizer.solve.outcome import MipResult, Outcome, Status
from optimizer.solve.per_share import RESCUE_TOLERANCE_USD_M, Search

Array = NDArray[np.float64]
SHARE_OF_TIME = 0.5
GAP_USD_M = 0.01
"""How closely the least rescue is found where some is needed."""
EARLY = 0.05
"""What a quarter earlier counts more, beyond what cash earns in it: rescue comes when it is needed."""
CASH = "cash"
NOT_PROVED = "no plan without rescue was found in the time given; that there is none is not proved"


@dataclass(frozen=True, eq=False)
class Needed:
    """Whether the search can go on from a plan of least rescue."""

    ending: Outcome | None
    """What the search ends with where there is no plan to go on from."""
    fails: str = ""
    """What rescue is needed for: a covenant or budget, else cash; empty where none is needed."""


def least_rescue(search: Search) -> Needed:
    """Bound rescue by the least that any plan needs; a first plan without any is enough.

    The bounds are set in the matrix, so that the best plan found next keeps them; the search starts from the
    plan that needed no more.
    """
    matrix, columns = search.matrix, _columns(search)
    found = _solve(search, columns)
    if found.proved in ("infeasible", "unbounded"):
        return Needed(_without_plan(search, "infeasible", _fails(search, columns)))
    used = np.zeros(len(columns)) if found.x is None else found.x[columns]
    needed = bool((used > RESCUE_TOLERANCE_USD_M).any())
    if found.x is None or (needed and found.proved != "optimal"):
        return Needed(_without_plan(search, "no_plan", NOT_PROVED))
    fails = (_fails(search, columns) or CASH) if needed else ""
    matrix.upper[columns] = np.where(used > RESCUE_TOLERANCE_USD_M, used + RESCUE_TOLERANCE_USD_M, 0.0)
    search.start = found.x
    search.start[columns] = np.minimum(found.x[columns], matrix.upper[columns])
    return Needed(None, fails)


def _without_plan(search: Search, status: Status, note: str) -> Outcome:
    return Outcome(status, search.options.objective, -np.inf, np.inf, np.inf, 0.0, None, 0, note=note)


def _fails(search: Search, columns: list[int]) -> str:
    """The first covenant or budget that alone stands in the way, and the first quarter that breaks it."""
    row_of = {id(row): i for i, row in enumerate(search.matrix.rows)}
    tree = search.program.params.tree
    for name, held in search.program.tests.items():
        found = _solve(search, columns, [row_of[id(row)] for row in held])
        if found.x is None or (found.x[columns] > RESCUE_TOLERANCE_USD_M).any():
            continue
        broken = [
            tree.period[x.node]
            for x in search.program.measured
            if x.covenant.covenant == name and search.matrix.at(found.x, x.headroom) < -RESCUE_TOLERANCE_USD_M
        ]
        return f"{name} in {tree.first + min(broken)}" if broken else name
    return ""


def _columns(search: Search) -> list[int]:
    rescue = (d.variable for d in search.program.decisions if d.quantity is Quantity.RESCUE)
    return [search.matrix.column[id(variable)] for variable in rescue]


def _solve(search: Search, columns: list[int], lifted: Sequence[int] = ()) -> MipResult:
    cost, tree = np.zeros(len(search.matrix.variables)), search.program.params.tree
    for d in search.program.decisions:
        if d.quantity is Quantity.RESCUE:
            early = EARLY * (tree.horizon_q - tree.period[d.node])
            cost[search.matrix.column[id(d.variable)]] = -(1.0 + early)
    return search.solver.solve(
        cost,
        integer=True,
        gap_usd_m=GAP_USD_M,
        time_limit_s=SHARE_OF_TIME * search.seconds_left(),
        lifted=lifted,
    )
