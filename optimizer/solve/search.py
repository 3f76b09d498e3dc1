"""One search: choose the solver, run the objective's search, fall back to value under water."""

import tempfile
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
from optimizer.solve.per_share import Search, Solver, Tell, best_per_share, best_value, lifted_outcome
from optimizer.solve.prices import price_money, price_tests
from optimizer.solve.rescue import least_rescue
from optimizer.solve.strategy import give_up

NOTES = "convertibles"
"""Line of the committed-only plan that the notes of the opening claim."""
MODEL_COMMENTS = {".mps": "*", ".lp": "\\"}
"""How a line of comment begins, by the ending of the file."""


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
    if program.wishes:
        give_up(search)
    needed = least_rescue(search) if options.least_rescue else None
    if needed is not None and needed.ending is not None:
        return needed.ending, 0.0
    if options.objective == "value":
        outcome, committed = best_value(search)
    else:
        outcome, committed = best_per_share(search)
        if outcome.status == "equity_under_water":
            found, _ = best_value(search)
            if found.x is not None and found.value_per_share_usd <= 0.0:
                outcome = replace(found, status="equity_under_water", note=outcome.note)
            elif found.x is not None:
                outcome = lifted_outcome(search, found.x, outcome)
    outcome = replace(outcome, committed_lines=_made_of(search))
    if needed is not None and needed.fails:
        outcome = replace(outcome, note=needed.fails)
    if outcome.x is not None:
        matrix.load(outcome.x)
        if not stop.is_set():
            tests, money = price_tests(search, outcome), price_money(search, outcome)
            outcome = replace(outcome, prices=tests, duals=money)
    said = solver.log if isinstance(solver, HighsProgram) else ()
    return replace(outcome, log="".join(said)), committed


def _made_of(search: Search) -> dict[str, float]:
    """Expected value of the committed-only plan by line, and what notes claim of worthless shares. [$M]"""
    if search.bare is None:
        return {}
    search.matrix.load(search.bare)
    p, found = search.program.params, dict[str, float]()
    for books in search.program.books:
        for line, by_leaf in books.value.items():
            for leaf, worth in by_leaf.items():
                found[line.value] = found.get(line.value, 0.0) + float(p.tree.probability[leaf]) * worth.value
    found[NOTES] = -p.claims.standing(0.0, p.notes)
    return found


def model_ending(file: Path) -> str:
    """What kind of model a file is by its name, ``.mps`` or ``.lp``; ValueError for any other."""
    ending = file.suffix.lower()
    if ending not in MODEL_COMMENTS:
        raise ValueError(f"'{file.name:.120}' ends neither in .mps nor in .lp")
    return ending


def write_model(program: Program, outcome: Outcome, file: Path) -> None:
    """Write the program to .mps or .lp with the objective at the plan's lambda; else ValueError.

    It is written beside the file and put in its place when it is whole.
    """
    ending = model_ending(file)
    m = program.model
    objective = program.objective(outcome.value_per_share_usd)
    # minimised, as both formats agree on no other sense; E[V] less claims is the negative of it
    m.exported = pyo.Objective(expr=(-objective).expr, sense=pyo.minimize)
    try:
        with tempfile.TemporaryDirectory(prefix=".hashshift-", dir=file.absolute().parent) as aside:
            made = Path(aside) / f"model{ending}"
            m.write(str(made), io_options={"symbolic_solver_labels": True})
            at = f"at lambda = {outcome.value_per_share_usd!r} USD per share"
            head = f"{MODEL_COMMENTS[ending]} minus (E[V] - claims) in $M {at}\n"
            made.write_text(head + made.read_text(encoding="utf-8"), encoding="utf-8")
            made.replace(file)
    finally:
        m.del_component("exported")
