"""Newton's iteration on lambda: the plan that is worth most per share, with a proven bound."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.blocks.linear import Linear
from models.blocks.program import Program
from models.domain.ledger import BEYOND_COMMITTED, DEALS, Quantity
from optimizer.solve.matrix import Matrix
from optimizer.solve.options import Options
from optimizer.solve.outcome import MipResult, Outcome, Status, no_less
from optimizer.solve.polish import last_that_fits

Array = NDArray[np.float64]
Tell = Callable[[str, float, float], None]
"""Called with a stage, the value per share in hand and the proven bound."""

VALUE_STAGE = "greatest value"
"""The stage that is told in $M instead of USD per share."""
RESCUE_TOLERANCE_USD_M = 1e-4
LEAST_SHARE_USD = 0.01
"""A gap relative to a smaller share price would ask for more digits than there are."""
COMMITTED_GAP = 1e-3
COMMITTED_LEAST_FRAC = 0.05
"""Of today's price: nobody asks for a closer value of the committed-only plan than a gap on that."""
FIRST_TRIAL = 0.98
"""Of the LP relaxation's root: where the first program is solved."""
MAX_STEPS = 12
ROOM = 1e-6
"""By which a plan to start from may miss a bound."""
TIE_BREAK = 1e-6
"""$ per $ or coin: between equal plans, the one that sends less money and collateral to and fro."""
TO_AND_FRO = frozenset({Quantity.CONTRIBUTED, Quantity.CASH_MARGIN, Quantity.PLEDGED_BTC, Quantity.DRAWN})


class Solver(Protocol):
    """What the iteration needs of a solver of one matrix."""

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
        """Maximise ``cost`` x to an absolute gap, without the ``lifted`` rows."""
        ...


@dataclass(eq=False)
class Search:
    """The state of one search for the best plan."""

    program: Program
    matrix: Matrix
    solver: Solver
    options: Options
    stop: threading.Event
    tell: Tell
    started: float
    bare: Array | None = None
    """The committed-only plan."""
    start: Array | None = None
    """Another plan to start from, found on the way."""

    @property
    def shares_m(self) -> float:
        """Shares of today's holders."""
        return self.program.params.portfolio.firm.basic_shares_m

    def seconds_left(self) -> float:
        """Of the time limit."""
        return self.options.time_limit_s - (time.monotonic() - self.started)

    def root(self, x: Array) -> float:
        """Value per share of a plan; 0 where its equity is under water. [USD]"""
        charged = [(c, x[self.matrix.column[id(c.variable)]]) for c in self.program.charges]
        charged = [(c, amount) for c, amount in charged if amount > 1e-9]
        value = self.matrix.at(x, self.program.expected_value)
        claims, notes = self.program.params.claims, self.program.params.notes

        def claimed(lam: float) -> float:
            return claims.standing(lam, notes) + float(sum(c.at(lam) * amount for c, amount in charged))

        return claims.value_per_share(value, claimed)

    def at(
        self,
        lam: float,
        *,
        integer: bool,
        gap_usd_m: float,
        start: Array | None = None,
        lower: Array | None = None,
        upper: Array | None = None,
    ) -> tuple[MipResult, float]:
        """Solve at a fixed lambda; the second number is the bound on E[V] - claims - lambda N0."""
        objective = self.program.objective(lam)
        constant = objective.constant - lam * self.shares_m

        def progress(value: float, bound: float) -> None:
            if abs(value) < 1e20 and abs(bound) < 1e20:
                # at least this is in hand: what a surplus is worth per share depends on the plan's own deals
                in_hand = lam + min(0.0, value + constant) / self.shares_m
                self.tell("solving", in_hand, self.farthest(lam, bound + constant))

        result = self.solver.solve(
            self.matrix.cost(objective),
            integer=integer,
            gap_usd_m=gap_usd_m,
            time_limit_s=self.seconds_left(),
            lower=lower,
            upper=upper,
            start=start,
            progress=progress,
        )
        return result, result.bound + constant

    def in_usd_m(self, gap: float, lam: float) -> float:
        """A gap of a value per share in $M of value."""
        return gap * max(lam, LEAST_SHARE_USD) * self.shares_m

    def short(self, x: Array, lam: float) -> float:
        """By how much E[V] - claims of a plan is below lambda N0; grows by its economic shares. [$M]"""
        return lam * self.shares_m - self.matrix.at(x, self.program.objective(lam))

    def farthest(self, lam: float, surplus: float) -> float:
        """The greatest value per share that a bound on E[V] - claims - lambda N0 leaves open. [USD]

        A greater lambda leaves any plan less by today's shares and by what stands at the opening and grows
        with lambda: awards, options, notes. What the plan's own deals claim grows too, and is left out.
        """
        if surplus <= 0.0 or not np.isfinite(surplus):
            return lam + max(0.0, surplus)
        claims, notes = self.program.params.claims, self.program.params.notes
        value = surplus + lam * self.shares_m + claims.standing(lam, notes)
        return claims.value_per_share(value, lambda x: claims.standing(x, notes))

    def committed(self) -> tuple[float, Array | None, MipResult]:
        """Value per share with nothing new begun, its plan, and the last program solved for it.

        Nothing is raised either; only where the commitments cannot be paid without, what they need may be.
        NaN where even that is impossible.
        """
        lam, best, last = self._restricted(BEYOND_COMMITTED | DEALS)
        if best is None or self.rescue_usd_m(best) > RESCUE_TOLERANCE_USD_M:
            lam, best, last = self._restricted(BEYOND_COMMITTED)
        self.bare = best
        return lam, best, last

    def starting(self, committed: Array | None) -> Array | None:
        """Of the plans at hand that keep to the matrix's bounds, the one that is worth most; None if none."""
        m = self.matrix
        plans = [
            x
            for x in (committed, self.start)
            if x is not None and bool(np.all((x >= m.lower - ROOM) & (x <= m.upper + ROOM)))
        ]
        return max(plans, key=self.root, default=None)

    def _restricted(self, barred: frozenset[Quantity]) -> tuple[float, Array | None, MipResult]:
        lower, most = self.matrix.free or (self.matrix.lower, self.matrix.upper)
        upper = most.copy()
        for d in self.program.decisions:
            if d.quantity in barred:
                upper[self.matrix.column[id(d.variable)]] = 0.0
        for wish in self.program.wishes:
            upper[self.matrix.column[id(wish.variable)]] = np.inf
        lam, best = 0.0, None
        price = self.program.params.portfolio.firm.price_usd
        gap_usd_m, tight = self.in_usd_m(self.options.gap, price), False
        for _ in range(MAX_STEPS):
            result, surplus = self.at(lam, integer=True, gap_usd_m=gap_usd_m, lower=lower, upper=upper)
            if result.x is None:
                return (np.nan if best is None else lam), best, result
            found = self.root(result.x)
            if best is None or found > lam:
                best = result.x
            if surplus < 0.0 or (tight and found <= lam * (1.0 + 1e-6)):
                break  # under water whatever is found, or found
            lam, tight = max(lam, found), True
            gap_usd_m = self.in_usd_m(COMMITTED_GAP, max(lam, COMMITTED_LEAST_FRAC * price))
        return lam, best, result

    def relaxed(self, lam: float) -> float:
        """Newton's iteration on the LP relaxation: its root is a proven bound."""
        for _ in range(MAX_STEPS):
            result, bound = self.at(lam, integer=False, gap_usd_m=0.0)
            if result.proved != "optimal" or result.x is None:
                return np.inf
            lam = max(lam, self.root(result.x))
            if bound <= 1e-7 * max(1.0, lam) * self.shares_m:
                return lam
        return self.farthest(lam, bound)

    def as_planned(
        self,
        objective: Linear,
        x: Array,
        lifted: Sequence[int] = (),
        nothing: NDArray[np.bool_] | None = None,
    ) -> Array | None:
        """The best plan with the integers of ``x``, rounded, without the ``lifted`` rows; None if none."""
        result = self.with_integers(objective, x, lifted, nothing)
        if result.x is None:
            return None
        m = self.matrix
        found = np.clip(result.x, m.lower, m.upper)
        found[m.is_integer] = np.round(x[m.is_integer])
        if nothing is not None:
            found[nothing] = 0.0
        return found

    def with_integers(
        self,
        objective: Linear,
        x: Array,
        lifted: Sequence[int] = (),
        nothing: NDArray[np.bool_] | None = None,
    ) -> MipResult:
        """The continuous program that is left with the integers of ``x``, rounded, and some columns at 0."""
        integers = self.matrix.is_integer
        lower, upper = self.matrix.lower.copy(), self.matrix.upper.copy()
        lower[integers] = upper[integers] = np.round(x[integers])
        if nothing is not None:
            lower[nothing] = upper[nothing] = 0.0
        cost = self.matrix.cost(objective)
        for d in self.program.decisions:
            if d.quantity in TO_AND_FRO:
                cost[self.matrix.column[id(d.variable)]] -= TIE_BREAK
        return self.solver.solve(
            cost,
            integer=False,
            gap_usd_m=0.0,
            time_limit_s=30.0,
            lower=lower,
            upper=upper,
            lifted=lifted,
            heeds_stop=False,
        )

    def rescue_usd_m(self, x: Array) -> float:
        """Funding of last resort that a plan uses."""
        return sum(
            float(x[self.matrix.column[id(d.variable)]])
            for d in self.program.decisions
            if d.quantity is Quantity.RESCUE
        )


def best_per_share(search: Search) -> tuple[Outcome, float]:
    """The best plan per share and the committed-only value per share."""
    committed, best, last = search.committed()
    if last.proved == "unbounded":
        return _nothing(search, "unbounded", last.loop), committed
    best = search.starting(best)
    lam = 0.0 if best is None else max(0.0, search.root(best))
    search.tell("committed", lam, np.inf)
    plans = [] if best is None else [best]
    bound = relaxed = search.relaxed(lam)
    search.tell("relaxed", lam, bound)
    gap, steps = search.options.gap, 0
    # the first program is to find a good plan, and may prove little; found loosely, it cost a program more
    trial = max(lam, FIRST_TRIAL * bound) if np.isfinite(bound) else lam
    gap_usd_m = search.in_usd_m(0.5 * gap, trial)
    while search.seconds_left() > 0.0 and not search.stop.is_set() and steps < MAX_STEPS:
        steps += 1
        result, surplus = search.at(trial, integer=True, gap_usd_m=gap_usd_m, start=best)
        if result.proved in ("unbounded", "infeasible"):
            return _nothing(search, result.proved, result.loop), committed
        found = search.root(result.x) if result.x is not None else -np.inf
        better = result.x is not None and (best is None or found > lam)
        if better and result.x is not None:
            lam, best = found, result.x
            plans.append(best)
        bound = min(bound, search.farthest(trial, surplus))
        search.tell("step", lam, bound)
        if bound - lam <= gap * abs(lam) or result.proved == "nothing":
            break
        # that no plan reaches a lambda just above the one in hand proves the gap; there it is short by its
        # economic shares, which are more than today's, and the search may end that far from it
        ahead = lam * (1.0 + 0.5 * gap)
        if ahead == trial and not better:
            break  # the same program would be solved again
        trial = ahead
        gap_usd_m = search.short(best, trial) if best is not None else 0.0
        gap_usd_m = max(gap_usd_m, search.in_usd_m(0.5 * gap, trial))
    if best is None:
        return _nothing(search, "nothing"), committed
    shown, note = last_that_fits(search, search.program.objective(lam), plans)
    if shown is None:
        return replace(_nothing(search, "nothing"), note=note), committed
    lam = search.root(shown)
    outcome = _outcome(search, lam, no_less(bound, lam), shown, steps)
    return replace(outcome, note=note or outcome.note, relaxed=relaxed), committed


def best_value(search: Search) -> tuple[Outcome, float]:
    """The plan of greatest value, shares costing nothing, and the committed-only value per share."""
    committed, best, last = search.committed()
    if last.proved == "unbounded":
        return _nothing(search, "unbounded", last.loop), committed
    best = search.starting(best)
    objective = search.program.value_objective()

    def progress(value: float, bound: float) -> None:
        search.tell(VALUE_STAGE, value + objective.constant, bound + objective.constant)

    scale = max(1.0, abs(search.matrix.at(best, objective)) if best is not None else 1.0)
    cost = search.matrix.cost(objective)
    loose = search.solver.solve(cost, integer=False, gap_usd_m=0.0, time_limit_s=search.seconds_left())
    relaxed = loose.bound + objective.constant if loose.proved == "optimal" else np.inf
    result = search.solver.solve(
        cost,
        integer=True,
        gap_usd_m=0.9 * search.options.gap * scale,
        time_limit_s=search.seconds_left(),
        start=best,
        progress=progress,
    )
    if result.x is None:
        return _nothing(search, result.proved, result.loop), committed
    plans = [result.x] if best is None else [best, result.x]
    shown, note = last_that_fits(search, objective, plans)
    if shown is None:
        return replace(_nothing(search, "nothing"), note=note), committed
    value = search.matrix.at(shown, objective)
    bound = no_less(min(result.bound + objective.constant, relaxed), value)
    gap = (bound - value) / max(1e-9, abs(value))
    status: Status = "optimal" if gap <= search.options.gap else "feasible"
    if search.rescue_usd_m(shown) > RESCUE_TOLERANCE_USD_M:
        status = "feasible_with_rescue"
    root = search.root(shown)
    return Outcome(status, "value", value, bound, gap, root, shown, 1, note, relaxed=relaxed), committed


def lifted_outcome(search: Search, x: Array, sunk: Outcome) -> Outcome:
    """A plan worth something per share that was found only as the one of greatest value."""
    lam = search.root(x)
    return replace(_outcome(search, lam, no_less(sunk.bound, lam), x, sunk.steps), relaxed=sunk.relaxed)


def _outcome(search: Search, lam: float, bound: float, x: Array, steps: int) -> Outcome:
    gap = (bound - lam) / lam if lam > 0.0 else np.inf
    status: Status = "optimal" if gap <= search.options.gap else "feasible"
    note = ""
    if lam <= 0.0:
        status, note = (
            "equity_under_water",
            "no plan found has positive value per share; value is maximised instead",
        )
    elif search.rescue_usd_m(x) > RESCUE_TOLERANCE_USD_M:
        status = "feasible_with_rescue"
    elif status == "feasible" and search.stop.is_set():
        note = "interrupted"
    elif status == "feasible":
        note = "the time limit came before the gap was proved"
    return Outcome(status, "per-share", lam, bound, gap, lam, x, steps, note)


def _nothing(search: Search, proved: str, loop: tuple[str, ...] = ()) -> Outcome:
    status: Status = "no_plan"
    if proved == "infeasible":
        status = "infeasible"
    elif proved == "unbounded":
        status = "unbounded"
    return Outcome(status, search.options.objective, -np.inf, np.inf, np.inf, 0.0, None, 0, loop=loop)
