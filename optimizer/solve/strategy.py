"""What of a strategy cannot be had is given up first; the plan is the best that keeps the rest."""

import numpy as np

from optimizer.solve.per_share import Search

SHARE_OF_TIME = 0.4
ROOM_MW = 1e-6


def give_up(search: Search) -> None:
    """Bound what stays unmet by what the plan leaves unmet that pays its price for it.

    The bounds are set in the matrix and in the program, so that an exported model holds them; the search
    starts from the plan that left no more unmet.
    """
    program, matrix = search.program, search.matrix
    if search.options.objective == "value":
        objective, lam = program.value_objective(), 1.0
    else:
        bound = search.relaxed(0.0)
        lam = bound if np.isfinite(bound) else 0.0
        objective = program.objective(lam)
    result = search.solver.solve(
        matrix.cost(objective - program.wished),
        integer=True,
        gap_usd_m=search.options.gap * max(lam, 0.01) * search.shares_m,
        time_limit_s=SHARE_OF_TIME * search.seconds_left(),
    )
    if result.x is None:
        return
    for wish in program.wishes:
        column = matrix.column[id(wish.variable)]
        unmet = max(0.0, float(result.x[column])) + ROOM_MW
        matrix.upper[column] = unmet
        wish.variable.setub(unmet)
    search.start = result.x
