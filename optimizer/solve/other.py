"""Any other MIP solver that Pyomo knows, behind the same interface."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.common.errors import ApplicationError
from pyomo.common.log import LoggingIntercept
from pyomo.contrib.solver.common.base import SolverBase
from pyomo.contrib.solver.common.factory import SolverFactory as NewFactory
from pyomo.contrib.solver.common.results import SolutionStatus, TerminationCondition

from models.blocks.linear import Linear
from optimizer.solve.matrix import Matrix
from optimizer.solve.outcome import MipResult, no_less

Array = NDArray[np.float64]
ALIASES = {"scip": "scip_direct"}
"""Names under which Pyomo keeps a solver's in-process interface."""


class UnknownSolverError(LookupError):
    """No such solver is installed."""


class SolverFailedError(RuntimeError):
    """The solver crashed, or ended without an answer that can be read."""


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
        lifted: Sequence[int] = (),
        progress: Callable[[float, float], None] | None = None,
        heeds_stop: bool = True,
    ) -> MipResult:
        """Maximise ``cost`` x to an absolute gap, without the ``lifted`` rows.

        Start, progress and stopping are left to HiGHS.
        """
        m = self.matrix
        objective = Linear()
        for j in np.flatnonzero(cost):
            objective.add(cost[j], m.variables[j])
        self._set_columns(integer, m.lower if lower is None else lower, m.upper if upper is None else upper)
        for i in lifted:
            m.rows[i].deactivate()
        try:
            found = self._once(objective, integer, gap_usd_m, time_limit_s)
            if found.proved != "unbounded":
                return found
            # some solvers say so of what has no plan at all
            plan = self._once(Linear(), integer, gap_usd_m, time_limit_s)
            if plan.x is not None or plan.proved == "unbounded":
                return found
            return plan
        finally:
            for i in lifted:
                m.rows[i].activate()
            self._set_columns(True, m.lower, m.upper)

    def _once(self, objective: Linear, integer: bool, gap_usd_m: float, time_limit_s: float) -> MipResult:
        self.model.in_hand = pyo.Objective(expr=objective.expr, sense=pyo.maximize)
        try:
            if isinstance(self.solver, SolverBase):
                return self._read(self._run(gap_usd_m, time_limit_s), objective, integer)
            return self._run_legacy(objective, integer, time_limit_s)
        finally:
            self.model.del_component("in_hand")

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
        x, value = self._values(), objective.value
        optimal = condition == TerminationCondition.convergenceCriteriaSatisfied
        if optimal and not (integer and self.matrix.is_integer.any()):
            bound = value
        return MipResult("optimal" if optimal else "feasible", x, value, no_less(bound, value))

    def _run_legacy(self, objective: Linear, integer: bool, time_limit_s: float) -> MipResult:
        """Through Pyomo's older interface, which has no common option for the gap: the solver's own holds."""
        try:
            results = self.solver.solve(self.model, timelimit=max(1.0, time_limit_s))
        except ApplicationError as crash:
            raise SolverFailedError(f"the solver '{self.name}' failed: {crash}") from crash
        except (RuntimeError, ValueError):  # how that interface says that there is no solution to load
            return MipResult("nothing", None, -np.inf, np.inf)
        condition, legacy = results.solver.termination_condition, pyo.TerminationCondition
        if condition == legacy.infeasible:
            return MipResult("infeasible", None, -np.inf, -np.inf)
        if condition in (legacy.unbounded, legacy.infeasibleOrUnbounded):
            return MipResult("unbounded", None, np.inf, np.inf)
        if condition not in (legacy.optimal, legacy.feasible, legacy.maxTimeLimit):
            return MipResult("nothing", None, -np.inf, np.inf)
        value, told = objective.value, results.problem.upper_bound
        is_lp = not (integer and self.matrix.is_integer.any())
        bound = (
            value if is_lp and condition == legacy.optimal else float(told) if told is not None else np.inf
        )
        proved: Literal["optimal", "feasible"] = "optimal" if condition == legacy.optimal else "feasible"
        return MipResult(proved, self._values(), value, no_less(bound, value))

    def _values(self) -> Array:
        return np.array([0.0 if v.value is None else float(v.value) for v in self.matrix.variables])


def _solver(name: str) -> Any:
    """A solver by its name in Pyomo's newer interface, or else in the older one."""
    try:
        solver = NewFactory(ALIASES.get(name, name))
        usable = bool(solver.available())
    except Exception:  # each plugin fails in its own way where its solver is missing
        solver, usable = None, False
    if not usable:
        with LoggingIntercept(module="pyomo"):
            solver = pyo.SolverFactory(name)
            usable = bool(solver.available(exception_flag=False))
    if not usable:
        raise UnknownSolverError(f"Pyomo knows no solver '{name}', or it is not installed here")
    return solver
