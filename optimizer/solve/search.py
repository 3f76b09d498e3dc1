"""One search: choose the solver, run the objective's search, fall back to value under water."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pyomo.environ as pyo

from models.blocks.program import Program
from optimizer.solve.exact import HighsProgram
from optimizer.solve.matrix import Matrix
from optimizer.solve.options import Options
from optimizer.solve.other import PyomoProgram
from optimizer.solve.outcome import Outcome
from optimizer.solve.per_share import Search, Solver, Tell, best_per_share, best_value


def search_plan(
    program: Program, matrix: Matrix, options: Options, stop: threading.Event, tell: Tell
) -> tuple[Outcome, float]:
    """The best plan found with its proof, and the committed-only value per share.

    The plan is left in the variables of the program.
    """
    solver: Solver
    if options.solver == "highs":
        solver = HighsProgram(matrix, threads=options.threads, seed=options.seed, stop=stop)
    else:
        solver = PyomoProgram(program.model, matrix, options.solver)
    search = Search(program, matrix, solver, options, stop, tell, time.monotonic())
    if options.objective == "value":
        outcome, committed = best_value(search)
    else:
        outcome, committed = best_per_share(search)
        if outcome.status == "equity_under_water":
            found, _ = best_value(search)
            if found.x is not None:
                outcome = replace(found, status="equity_under_water", note=outcome.note)
    if outcome.x is not None:
        matrix.load(outcome.x)
    return outcome, committed


def write_model(program: Program, outcome: Outcome, file: Path) -> None:
    """Write the program to .mps or .lp with the objective at the plan's lambda; else ValueError."""
    if file.suffix not in (".mps", ".lp"):
        raise ValueError(f"{file.name}: a model is written to a .mps or .lp file")
    m = program.model
    objective = program.objective(outcome.value_per_share_usd)
    # minimised, as both formats agree on no other sense; E[V] less claims is the negative of it
    m.exported = pyo.Objective(expr=(-objective).expr, sense=pyo.minimize)
    try:
        m.write(str(file), io_options={"symbolic_solver_labels": True})
    finally:
        m.del_component("exported")
    comment = "* " if file.suffix == ".mps" else "\\ "
    text = file.read_text(encoding="utf-8")
    head = f"{comment}minus (E[V] - claims) in $M at lambda = {outcome.value_per_share_usd!r} USD per share\n"
    file.write_text(head + text, encoding="utf-8")
