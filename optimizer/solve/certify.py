"""Prices of the rows of a program, from which a bound on every plan can be re-derived without its solver."""

import re
import threading

import numpy as np
from numpy.typing import NDArray

from models.blocks.linear import Linear
from models.blocks.program import Program
from models.domain.ledger import Quantity
from optimizer.solve.exact import HighsProgram
from optimizer.solve.matrix import Matrix

Array = NDArray[np.float64]
MARGIN = 1e-7
"""$M per unit: what reduced costs keep from zero, ten times the solver's tolerance."""
TIME_LIMIT_S = 60.0
ATTEMPTS = 6
TO_AND_FRO = frozenset(
    {
        Quantity.CONTRIBUTED,
        Quantity.DISTRIBUTED,
        Quantity.DRAWN,
        Quantity.REPAID,
    }
)
"""Money that can go and come back at no cost: a margin on both would be worth more without end."""


def row_prices(
    program: Program, matrix: Matrix, objective: Linear, sides: Array, *, threads: int
) -> Array | None:
    """Duals of the LP relaxation, its reduced costs below zero where ``sides`` is 1 and above where -1.

    By a margin, where that is possible. HiGHS solves it anew, whoever solved the program. None if it
    fails.
    """
    solver = HighsProgram(matrix, threads=threads, seed=0, stop=threading.Event())
    cost, margin = matrix.cost(objective), MARGIN * sides
    margin[[matrix.column[id(d.variable)] for d in program.decisions if d.quantity in TO_AND_FRO]] = 0.0
    family = np.array([_family(v.name) for v in matrix.variables])
    for _ in range(ATTEMPTS):
        found = solver.solve(cost + margin, integer=False, gap_usd_m=0.0, time_limit_s=TIME_LIMIT_S)
        if found.proved != "unbounded" or not found.loop:
            return found.row_dual
        margin[np.isin(family, [_family(name) for name in found.loop])] = 0.0
    return None


def _family(name: str) -> str:
    """A variable's name without its places."""
    return re.sub(r"\[[^]]*\]", "", name)
