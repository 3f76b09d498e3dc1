"""Any other MIP solver that Pyomo knows, behind the same interface."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.contrib.solver.common.factory import SolverFactory as NewFactory
from pyomo.contrib.solver.common.results import SolutionStatus, TerminationCondition

from models.blocks.linear import Linear
from optimizer.solve.matrix import Matrix
from optimizer.solve.outcome import MipResult

Array = NDArray[np.float64]
ALIASES = {"scip": "scip_direct"}
"""Names under which Pyomo keeps a solver's in-process interface."""


class UnknownSolverError(LookupError):
    """No such solver is installed."""


class PyomoProgram:
    """The Pyomo model itself, solved by name. Maximises."""

    def __init__(self, model: pyo.ConcreteModel, matrix: Matrix, name: str) -> None:
        self.model, self.matrix, self.name = model, matrix, name
        self.solver = _solver(name)

    def solve(
        self,
        cost: Array,
        *,
        integer: bool,
        gap_usd_m: float,
        time_limit_s: float,
        lower: Array | None = None,
        upper: Array | None = None,
        start: Array | None = None,
        progress: Callable[[float, float], None] | None = None,
    ) -> MipResult:
        """Maximise ``cost`` x to an absolute gap; start and progress are left to HiGHS."""
        m = self.matrix
        objective = Linear()
        for j in np.flatnonzero(cost):
            objective.add(cost[j], m.variables[j])
        self._set_columns(integer, m.lower if lower is None else lower, m.upper if upper is None else upper)
        self.model.in_hand = pyo.Objective(expr=objective.expr, sense=pyo.maximize)
        try:
            results = self._run(gap_usd_m, time_limit_s)
            return self._read(results, objective, integer)
        finally:
            self.model.del_component("in_hand")
            self._set_columns(True, m.lower, m.upper)

    def _set_columns(self, integer: bool, lower: Array, upper: Array) -> None:
        for v, low, high, whole in zip(
            self.matrix.variables, lower, upper, self.matrix.is_integer, strict=True
        ):
            v.domain = pyo.Integers if integer and whole else pyo.Reals
            v.setlb(low if np.isfinite(low) else None)
            v.setub(high if np.isfinite(high) else None)

    def _run(self, gap_usd_m: float, time_limit_s: float) -> Any:
        results = self.solver.solve(
            self.model,
            load_solutions=False,
            raise_exception_on_nonoptimal_result=False,
            time_limit=max(1.0, time_limit_s),
            rel_gap=0.0,
            abs_gap=max(1e-6, gap_usd_m),
        )
        return results

    def _read(self, results: Any, objective: Linear, integer: bool) -> MipResult:
        condition = results.termination_condition
        if condition in (TerminationCondition.provenInfeasible, TerminationCondition.locallyInfeasible):
            return MipResult("infeasible", None, -np.inf, -np.inf)
        if condition in (TerminationCondition.unbounded, TerminationCondition.infeasibleOrUnbounded):
            return MipResult("unbounded", None, np.inf, np.inf)
        found = results.solution_status in (SolutionStatus.optimal, SolutionStatus.feasible)
        bound = results.objective_bound
        bound = float(bound) if bound is not None and np.isfinite(bound) else np.inf
        if not found:
            return MipResult("nothing", None, -np.inf, bound)
        results.solution_loader.load_vars()
        x = np.array([0.0 if v.value is None else float(v.value) for v in self.matrix.variables])
        value = objective.value
        optimal = condition == TerminationCondition.convergenceCriteriaSatisfied
        if optimal and not (integer and self.matrix.is_integer.any()):
            bound = value
        return MipResult("optimal" if optimal else "feasible", x, value, max(bound, value))


def _solver(name: str) -> Any:
    try:
        solver = NewFactory(ALIASES.get(name, name))
        usable = bool(solver.available())
    except Exception as trouble:
        raise UnknownSolverError(f"Pyomo knows no solver '{name}'") from trouble
    if not usable:
        raise UnknownSolverError(f"the solver '{name}' is not installed")
    return solver
