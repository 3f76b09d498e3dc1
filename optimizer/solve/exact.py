"""The whole program to HiGHS: the one module that solves whole programs through highspy."""

import threading
import time
from collections.abc import Callable, Sequence

import highspy
import numpy as np
from numpy.typing import NDArray

from optimizer.solve.matrix import Matrix
from optimizer.solve.outcome import MipResult, no_less

Array = NDArray[np.float64]
Progress = Callable[[float, float], None]
"""Called with incumbent and bound of the program in hand."""


class HighsProgram:
    """One matrix held by HiGHS; costs and bounds change between solves. Maximises."""

    def __init__(self, matrix: Matrix, *, threads: int, seed: int, stop: threading.Event) -> None:
        self.matrix = matrix
        self.stop = stop
        self.log: list[str] = []
        """What HiGHS said, piece by piece."""
        self.highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in (
            ("output_flag", True),  # without it no progress is told either
            ("log_to_console", False),
            ("threads", threads),
            ("random_seed", seed),
            ("mip_rel_gap", 0.0),
            ("mip_feasibility_tolerance", 1e-7),
            ("primal_feasibility_tolerance", 1e-8),
            ("dual_feasibility_tolerance", 1e-8),
        ):
            _checked(self.highs.setOptionValue(name, value), name)
        _checked(self.highs.passModel(_lp(matrix)), "passModel")
        self.highs.HandleUserInterrupt = False
        self.highs.cbLogging.subscribe(lambda event: self.log.append(event.message))

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
        progress: Progress | None = None,
        heeds_stop: bool = True,
    ) -> MipResult:
        """Maximise ``cost`` x to an absolute gap, without the ``lifted`` rows. [$M]

        Runs in a thread of its own, so that an interrupt of the main thread sets ``stop`` at once and
        the best plan so far is kept.
        """
        m, h = self.matrix, self.highs
        size = len(m.variables)
        columns = np.arange(size, dtype=np.int32)
        h.changeColsCost(size, columns, cost)
        h.changeColsBounds(
            size, columns, m.lower if lower is None else lower, m.upper if upper is None else upper
        )
        kinds = np.where(m.is_integer & integer, 1, 0).astype(np.uint8)
        h.changeColsIntegrality(size, columns, kinds)
        h.changeObjectiveSense(highspy.ObjSense.kMaximize)
        h.setOptionValue("mip_abs_gap", max(1e-6, gap_usd_m))
        h.setOptionValue("time_limit", h.getRunTime() + max(0.1, time_limit_s))
        deadline = time.monotonic() + max(0.1, time_limit_s)
        if start is not None and integer:
            solution = highspy.HighsSolution()
            solution.col_value = list(start)
            h.setSolution(solution)
        self._listen(deadline, progress if integer else None, heeds_stop)
        failure: list[BaseException] = []

        def work() -> None:
            try:
                h.run()
            except BaseException as error:
                failure.append(error)

        for i in lifted:
            h.changeRowBounds(i, -highspy.kHighsInf, highspy.kHighsInf)
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        while worker.is_alive():
            worker.join(0.05)
        if failure:
            raise failure[0]
        result = self._result(integer)
        for i in lifted:
            h.changeRowBounds(i, float(m.row_lower[i]), float(m.row_upper[i]))
        return result

    def _listen(self, deadline: float, progress: Progress | None, heeds_stop: bool) -> None:
        h = self.highs
        for event in (h.cbMipInterrupt, h.cbSimplexInterrupt, h.cbIpmInterrupt, h.cbMipLogging):
            event.clear()  # type: ignore[no-untyped-call]

        def interrupt(event: object) -> None:
            # said every time: HiGHS remembers that an earlier program was interrupted
            has_to_end = (heeds_stop and self.stop.is_set()) or time.monotonic() > deadline
            event.interrupt(has_to_end)  # type: ignore[attr-defined]

        h.cbMipInterrupt.subscribe(interrupt)
        h.cbSimplexInterrupt.subscribe(interrupt)
        if progress is not None:

            def tell(event: object) -> None:
                out = event.data_out  # type: ignore[attr-defined]
                progress(out.mip_primal_bound, out.mip_dual_bound)

            h.cbMipLogging.subscribe(tell)

    def _result(self, integer: bool) -> MipResult:
        h = self.highs
        status, info = h.getModelStatus(), h.getInfo()
        s = highspy.HighsModelStatus
        if status == s.kInfeasible:
            return MipResult("infeasible", None, -np.inf, -np.inf)
        if status in (s.kUnbounded, s.kUnboundedOrInfeasible):
            return self._unbounded()
        found = info.primal_solution_status == 2
        x = np.array(h.getSolution().col_value) if found else None
        value = float(info.objective_function_value) if found else -np.inf
        if status == s.kOptimal:
            bound = float(info.mip_dual_bound) if integer and self.matrix.is_integer.any() else value
            dual = None if integer else np.array(h.getSolution().row_dual)
            return MipResult("optimal", x, value, no_less(bound, value), dual)
        if not integer:
            return MipResult("nothing", None, -np.inf, np.inf)
        bound = float(info.mip_dual_bound)
        return MipResult(
            "feasible" if found else "nothing", x, value, bound if np.isfinite(bound) else np.inf
        )

    def _unbounded(self) -> MipResult:
        """Tell unbounded from infeasible, and name the loop by its ray.

        A ray of the relaxation makes a program unbounded only if whole decisions have a plan at all.
        """
        h, size, s = self.highs, len(self.matrix.variables), highspy.HighsModelStatus
        columns = np.arange(size, dtype=np.int32)
        kinds = np.array([int(kind) for kind in h.getLp().integrality_], dtype=np.uint8)
        if kinds.any():
            cost = np.array(h.getLp().col_cost_)
            h.changeColsCost(size, columns, np.zeros(size))
            h.run()
            is_there = h.getInfo().primal_solution_status == 2
            if not is_there and h.getModelStatus() == s.kInfeasible:
                return MipResult("infeasible", None, -np.inf, -np.inf)
            if not is_there:
                return MipResult("nothing", None, -np.inf, np.inf)
            h.changeColsCost(size, columns, cost)
            h.changeColsIntegrality(size, columns, np.zeros(size, dtype=np.uint8))
        h.setOptionValue("presolve", "off")
        h.run()
        status = h.getModelStatus()
        h.setOptionValue("presolve", "choose")
        if status == s.kInfeasible:
            return MipResult("infeasible", None, -np.inf, -np.inf)
        if status != s.kUnbounded:
            return MipResult("nothing", None, -np.inf, np.inf)
        _, has_ray, ray = h.getPrimalRay()  # type: ignore[attr-defined]
        loop = ()
        if has_ray:
            moving = np.flatnonzero(np.abs(np.array(ray)) > 1e-9)
            loop = tuple(self.matrix.variables[j].name for j in moving)
        return MipResult("unbounded", None, np.inf, np.inf, loop=loop)


def _checked(status: highspy.HighsStatus, what: str) -> None:
    if status == highspy.HighsStatus.kError:
        raise RuntimeError(f"HiGHS refused {what}")


def _lp(m: Matrix) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(m.variables), len(m.rows)
    lp.col_cost_ = np.zeros(len(m.variables))
    lp.col_lower_, lp.col_upper_ = m.lower, m.upper
    lp.row_lower_, lp.row_upper_ = m.row_lower, m.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = m.start
    lp.a_matrix_.index_ = m.row
    lp.a_matrix_.value_ = m.coef
    lp.integrality_ = [
        highspy.HighsVarType.kInteger if i else highspy.HighsVarType.kContinuous for i in m.is_integer
    ]
    return lp
