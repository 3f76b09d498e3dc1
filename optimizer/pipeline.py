"""From a portfolio to an audited plan: every door goes through here."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from models.blocks.linear import ContradictionError
from models.blocks.program import Program, build_program
from models.domain.futures import scenario_chain, scenario_tree
from models.domain.ledger import DECIDED_NOW
from models.findings import Finding
from models.params.params import compile_params
from models.timetree import Quarter, TimeTree
from optimizer.audit.bound import margins
from optimizer.audit.proof import Claimed
from optimizer.audit.rerun import audit_run
from optimizer.audit.verdict import audit
from optimizer.inputs.frozen import frozen_files
from optimizer.inputs.load import Loaded, load
from optimizer.plans.bundle import bundle_ending, write_bundle
from optimizer.plans.certificate import Certificate
from optimizer.plans.extract import extract
from optimizer.plans.kept import KEPT as KEPT_QUANTITIES
from optimizer.plans.kept import TABLE, keep, read_kept
from optimizer.plans.layout import INPUTS, KEPT, MODEL
from optimizer.plans.plan import Audit, Plan
from optimizer.plans.summary import summarise
from optimizer.solve.certify import row_prices
from optimizer.solve.matrix import Matrix, compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.outcome import Outcome
from optimizer.solve.per_share import VALUE_STAGE
from optimizer.solve.search import model_ending, search_plan, write_model
from optimizer.trades.cycles import cycles

__all__ = [
    "VALUE_STAGE",
    "AuditError",
    "Checked",
    "ExportError",
    "Progress",
    "UnknownScenarioError",
    "audit_run",
    "check",
    "future",
    "load",
    "plan",
]


@dataclass(frozen=True)
class Progress:
    """One sign of life of a long solve."""

    stage: str
    value: float
    """In hand: USD per share; $M in the stage VALUE_STAGE."""
    bound: float
    seconds: float


@dataclass(frozen=True)
class Checked:
    """What a check found, and the size and coefficient range of the program."""

    findings: tuple[Finding, ...]
    coefficient_low: float
    coefficient_high: float
    rows: int
    columns: int
    integers: int


class AuditError(Exception):
    """A plan that the audit does not accept; ``plan`` is that plan."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(f"the audit rejects the plan: {'; '.join(plan.audit.failures[:3])}")
        self.plan = plan


class ExportError(Exception):
    """The program could not be written; ``plan`` is the plan, whole and audited."""

    def __init__(self, plan: Plan, file: Path, why: str) -> None:
        super().__init__(f"'{file}': {why}")
        self.plan = plan


class UnknownScenarioError(KeyError):
    """The deck has no such scenario."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.known = known

    def __str__(self) -> str:
        return f"there is no scenario {self.args[0]!r}; known: {', '.join(self.known)}"


def plan(
    portfolio: Loaded | str | Path,
    *,
    options: Options | None = None,
    scenario: str | None = None,
    tree: bool = False,
    export: str | Path | None = None,
    bundle: str | Path | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Plan:
    """Find the best conversion plan of a portfolio and audit it.

    Parameters
    ----------
    portfolio : Loaded, str or Path
        What :func:`load` returned, or its argument.
    options : Options, optional
        Objective, gap, limits; defaults as on the command line.
    scenario : str, optional
        Plan on this scenario alone; the portfolio's own by default.
    tree : bool
        Plan on the tree of all scenarios that carry a probability.
    export : str or Path, optional
        Write the program at the plan's lambda to this ``.mps`` or ``.lp`` file.
    bundle : str or Path, optional
        Write the plan, what it was made from and its program to this ``.zip`` file.
    progress : callable, optional
        Told of every improvement.
    stop : threading.Event, optional
        Set it to end the search; the best plan so far is kept.

    Raises
    ------
    InputError
        The portfolio cannot be used, or what ``options.keep_decisions`` names has no place in it; carries
        all findings.
    StoreError
        That folder holds no decisions.
    ValueError
        Both a scenario and the tree are asked for, or no scenario has a probability, or the ending of
        ``export`` is neither ``.mps`` nor ``.lp``, or that of ``bundle`` not ``.zip``.
    UnknownScenarioError
        There is no such scenario; a KeyError.
    AuditError
        The audit rejects the plan.
    ExportError
        The plan is there, the exported file or the bundle is not.
    """
    options = options or Options()
    if export is not None:
        model_ending(Path(export))
    if bundle is not None:
        bundle_ending(Path(bundle))
    started = time.monotonic()
    loaded = _weighed(portfolio)
    time_tree = future(loaded, scenario, tree)
    clock = {"read": time.monotonic() - started}

    def tell(stage: str, value: float, bound: float) -> None:
        if progress is not None:
            progress(Progress(stage, value, bound, time.monotonic() - started))

    program, matrix, certificate, inputs = None, None, None, dict[str, bytes]()
    stop = stop or threading.Event()
    try:
        with _timed(clock, "build"):
            program, matrix = _build(loaded, time_tree)
            matrix = _keep(program, matrix, options)
            inputs = _used(loaded, options)
        with _timed(clock, "solve"):
            outcome, committed = search_plan(program, matrix, options, stop, tell)
    except ContradictionError as broken:
        outcome, committed = _contradiction(options, str(broken)), 0.0
    tables: dict[str, pd.DataFrame] = {}
    verdict = Audit(passed=False, checks=0, worst="no plan to audit", failures=())
    with _timed(clock, "audit"):
        if program is not None and outcome.x is not None:
            tables = extract(program, outcome.value_per_share_usd, outcome.prices, outcome.duals)
            assert matrix is not None
            if not stop.is_set():
                certificate = certificate_of(program, matrix, outcome, options.threads)
            verdict = _audited(loaded, time_tree, tables, outcome, options.gap, certificate)
    clock["total"] = time.monotonic() - started
    result = summarise(
        loaded,
        options,
        time_tree,
        outcome,
        scenario="tree" if tree else scenario or loaded.scenario,
        committed=committed,
        tables=tables,
        audit=verdict,
        seconds=clock,
        matrix=matrix,
        inputs=inputs,
        certificate=certificate,
    )
    if tables and not verdict.passed:
        raise AuditError(result)
    if program is not None:
        _write_files(result, program, outcome, export, bundle)
    return result


def _write_files(
    result: Plan, program: Program, outcome: Outcome, export: str | Path | None, bundle: str | Path | None
) -> None:
    """The exported program, and the bundle of a plan that there is; else ExportError."""
    file = Path("" if export is None else export)
    try:
        if export is not None:
            write_model(program, outcome, file)
        if bundle is not None and result.tables:
            file = Path(bundle)
            with tempfile.TemporaryDirectory(prefix="hashshift-") as aside:
                model = Path(aside) / MODEL
                write_model(program, outcome, model)
                write_bundle(result, file, model.read_bytes())
    except OSError as trouble:
        raise ExportError(result, file, trouble.strerror or str(trouble)) from trouble


def _used(loaded: Loaded, options: Options) -> dict[str, bytes]:
    """What the plan is made from, by its place in the run folder."""
    used = {f"{INPUTS}{name}": data for name, data in frozen_files(loaded).items()}
    if options.keep_decisions:
        file = f"{TABLE}.csv"
        used[f"{KEPT}{file}"] = (Path(options.keep_decisions) / file).read_bytes()
    return used


def _keep(program: Program, matrix: Matrix, options: Options) -> Matrix:
    """With the first decisions of an earlier plan, where one is named."""
    if not options.keep_decisions:
        return matrix
    first = program.params.tree.first
    last = Quarter.parse(options.keep_to) if options.keep_to else first + 1
    quantities = DECIDED_NOW if options.keep_money else KEPT_QUANTITIES
    kept = read_kept(Path(options.keep_decisions), first, last, quantities)
    return keep(program, matrix, kept, last, quantities)


def check(portfolio: Loaded | str | Path) -> Checked:
    """Findings of a portfolio that loads, and the coefficient range of its program on its own scenario."""
    loaded = _weighed(portfolio)
    try:
        _, matrix = _build(loaded, scenario_chain(loaded.portfolio, loaded.scenario))
    except ContradictionError as broken:
        finding = Finding(
            "warning", "contradiction", "", "", "", str(broken), "no plan can satisfy this; see explain"
        )
        return Checked((*loaded.findings, finding), 0.0, 0.0, 0, 0, 0)
    low, high = matrix.coefficient_range()
    return Checked(
        loaded.findings, low, high, len(matrix.rows), len(matrix.variables), int(matrix.is_integer.sum())
    )


def _weighed(portfolio: Loaded | str | Path) -> Loaded:
    """A portfolio that loads, with the rounds of trades that would make money out of nothing."""
    loaded = portfolio if isinstance(portfolio, Loaded) else load(portfolio)
    return loaded.with_findings(cycles(loaded.portfolio))


def future(loaded: Loaded, scenario: str | None, tree: bool) -> TimeTree:
    """The chain of one scenario, the portfolio's own by default, or the tree of those with a probability."""
    known = {s.scenario: s.probability for s in loaded.portfolio.scenarios}
    if tree and scenario is not None:
        raise ValueError("a plan is on one scenario or on the tree, not both")
    if tree and all(weight is None for weight in known.values()):
        raise ValueError("no scenario of the deck carries a probability, so there is no tree")
    if tree:
        return scenario_tree(loaded.portfolio)
    if scenario is not None and scenario not in known:
        raise UnknownScenarioError(scenario, tuple(known))
    return scenario_chain(loaded.portfolio, loaded.scenario if scenario is None else scenario)


def _build(loaded: Loaded, tree: TimeTree) -> tuple[Program, Matrix]:
    program = build_program(compile_params(loaded.portfolio, tree))
    return program, compile_matrix(program.model)


@contextmanager
def _timed(clock: dict[str, float], name: str) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        clock[name] = time.monotonic() - began


def certificate_of(program: Program, matrix: Matrix, outcome: Outcome, threads: int) -> Certificate | None:
    """The program relaxed, where the search began, with prices for the audit; None where it has none."""
    if outcome.x is None or not np.isfinite(outcome.relaxed):
        return None
    by_value = outcome.objective == "value"
    objective = program.value_objective() if by_value else program.objective(outcome.relaxed)
    bare = Certificate(
        start=matrix.start,
        row=matrix.row,
        coef=matrix.coef,
        row_lower=matrix.row_lower,
        row_upper=matrix.row_upper,
        lower=matrix.lower,
        upper=matrix.upper,
        is_integer=matrix.is_integer,
        cost=matrix.cost(objective),
        constant_usd_m=objective.constant,
        dual=np.zeros(len(matrix.rows)),
        plan=outcome.x,
        per_share_usd=np.nan if by_value else outcome.relaxed,
    )
    prices = row_prices(program, matrix, objective, margins(bare), threads=threads)
    return None if prices is None else replace(bare, dual=prices)


def _audited(
    loaded: Loaded,
    tree: TimeTree,
    tables: Mapping[str, pd.DataFrame],
    outcome: Outcome,
    asked_gap: float,
    certificate: Certificate | None,
) -> Audit:
    claimed = Claimed(
        outcome.status,
        outcome.objective,
        outcome.value,
        outcome.bound,
        outcome.gap,
        asked_gap,
        certificate,
    )
    verdict = audit(
        loaded.portfolio,
        tree,
        tables,
        value_per_share_usd=outcome.value_per_share_usd,
        objective=outcome.objective,
        claimed=claimed,
    )
    failures = tuple(str(f) for f in verdict.failures)
    return Audit(verdict.passed, verdict.checks, verdict.worst, failures, verdict.bound_checked)


def _contradiction(options: Options, why: str) -> Outcome:
    return Outcome("infeasible", options.objective, -np.inf, np.inf, np.inf, 0.0, None, 0, note=why)
