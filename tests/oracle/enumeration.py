"""Every combination of a program's whole decisions, the rest solved by scipy, each valued by the auditor."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from models.blocks.program import Program, build_program
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.params.params import compile_params
from models.timetree import TimeTree
from optimizer.audit.notes import bond_value
from optimizer.audit.rebuild import value_plan
from optimizer.audit.valuation import Valuation
from optimizer.solve.exact import HighsProgram
from optimizer.solve.matrix import Matrix, compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.per_share import Search, Solver

Array = NDArray[np.float64]
COLUMNS = ["quantity", "site", "item", "contract", "since", "node", "value"]
SLACK = 1e-7


@dataclass(frozen=True, eq=False)
class Valued:
    """One plan: its columns, and its worth by the auditor's arithmetic."""

    x: Array
    worth: Valuation

    @cached_property
    def per_share(self) -> float:
        """Value per share. [USD]"""
        return self.worth.root()


@dataclass(frozen=True, eq=False)
class Case:
    """A portfolio built, ready to be tried."""

    portfolio: Portfolio
    tree: TimeTree
    program: Program
    matrix: Matrix

    @classmethod
    def of(cls, portfolio: Portfolio, tree: TimeTree) -> "Case":
        """Build it."""
        program = build_program(compile_params(portfolio, tree))
        return cls(portfolio, tree, program, compile_matrix(program.model))

    def decisions(self, x: Array) -> pd.DataFrame:
        """The table of decisions that the auditor reads."""
        rows = []
        for d in self.program.decisions:
            value = float(x[self.matrix.column[id(d.variable)]])
            if abs(value) > 1e-9:
                words = (str(d.quantity), d.site, d.item, d.contract, d.since, self.tree.label(d.node))
                rows.append((*words, value))
        return pd.DataFrame(rows, columns=COLUMNS)

    def valued(self, x: Array) -> Valued:
        """The auditor's opinion of a plan."""
        return Valued(x, value_plan(self.portfolio, self.tree, self.decisions(x)))

    def whole(self) -> NDArray[np.intp]:
        """Columns that are whole."""
        return np.flatnonzero(self.matrix.is_integer)

    def _opens_idly(self, chosen: Array) -> bool:
        """Whether a site pays for its opening at a node where nothing begins: to open later costs no more."""
        m, at = self.matrix, dict(zip(self.whole(), chosen, strict=True))
        begun: dict[tuple[str, int], float] = {}
        for d in self.program.decisions:
            if d.quantity is Quantity.START:
                place = (d.site, d.node)
                begun[place] = begun.get(place, 0.0) + at[m.column[id(d.variable)]]
        for borrower in self.program.model.borrower.values():
            for site, block in borrower.site.items():
                opened = block.conversion.component("opened")
                for n, variable in opened.items() if opened is not None else ():
                    if at[m.column[id(variable)]] > 0.5 and not begun.get((site, n)):
                        return True
        return False

    def combinations(self) -> Iterator[Array]:
        """Every value of the whole columns that the rows on them alone allow and that opens no site idly."""
        m, whole = self.matrix, self.whole()
        rows = csr_array(m.a)
        loose = np.asarray((abs(rows[:, np.flatnonzero(~m.is_integer)])).sum(axis=1)).ravel()
        kept = np.flatnonzero(loose == 0.0)
        a = rows[kept][:, whole].toarray()
        low, high = m.row_lower[kept] - SLACK, m.row_upper[kept] + SLACK
        least, most = m.lower[whole], m.upper[whole]
        assert np.isfinite(least).all()
        assert np.isfinite(most).all()
        floor = np.minimum(a * least, a * most)[:, ::-1].cumsum(axis=1)[:, ::-1]
        roof = np.maximum(a * least, a * most)[:, ::-1].cumsum(axis=1)[:, ::-1]
        none = np.zeros((len(kept), 1))
        floor, roof = np.hstack([floor, none]), np.hstack([roof, none])

        def extend(chosen: list[float], used: Array) -> Iterator[Array]:
            j = len(chosen)
            if np.any(used + floor[:, j] > high) or np.any(used + roof[:, j] < low):
                return
            if j == len(whole):
                if not self._opens_idly(np.array(chosen)):
                    yield np.array(chosen)
                return
            for value in np.arange(least[j], most[j] + 0.5):
                yield from extend([*chosen, float(value)], used + a[:, j] * value)

        yield from extend([], np.zeros(len(kept)))

    @cached_property
    def _rows(self) -> tuple[csr_array, Array]:
        """All rows as A x <= b."""
        m = self.matrix
        rows = csr_array(m.a)
        upper, lower = np.flatnonzero(np.isfinite(m.row_upper)), np.flatnonzero(np.isfinite(m.row_lower))
        stacked = vstack([rows[upper], -rows[lower]], format="csr")
        return stacked, np.concatenate([m.row_upper[upper], -m.row_lower[lower]])

    def best_of(self, chosen: Array, cost: Array) -> Array | None:
        """The best continuous part of a combination at fixed costs; None where there is none."""
        m, (a, b) = self.matrix, self._rows
        lower, upper = m.lower.copy(), m.upper.copy()
        lower[self.whole()] = upper[self.whole()] = chosen
        found = linprog(-cost, A_ub=a, b_ub=b, bounds=np.stack([lower, upper], axis=1), method="highs")
        assert found.status in (0, 2), found.message
        return np.asarray(found.x) if found.status == 0 else None


def search_of(case: Case, solver: Solver | None = None) -> Search:
    """A search of a built portfolio that nobody watches or stops, by HiGHS unless said otherwise."""
    stop = threading.Event()
    chosen = solver or HighsProgram(case.matrix, threads=1, seed=0, stop=stop)
    return Search(case.program, case.matrix, chosen, Options(), stop, lambda *_: None, time.monotonic())


@dataclass(frozen=True, eq=False)
class Enumerated:
    """What trying everything found."""

    best: Valued
    tried: int
    feasible: int
    worst_error: float
    """Largest difference of the program's and the auditor's worth of one plan, over its value. [fraction]"""


def enumerate_per_share(case: Case) -> Enumerated:
    """The greatest value per share of all combinations: Newton on lambda over them, from zero upwards."""
    price, best, tried, feasible, worst = 0.0, None, 0, 0, 0.0
    shares = case.portfolio.firm.basic_shares_m
    objective = case.program.objective(price)
    cost = case.matrix.cost(objective)
    for chosen in case.combinations():
        tried += 1
        found = case.best_of(chosen, cost)
        feasible += found is not None
        while found is not None:
            plan = case.valued(found)
            left = plan.worth.expected - plan.worth.expected_claims(price)
            error = abs(case.matrix.at(found, objective) - left) / max(1.0, abs(plan.worth.expected))
            worst = max(worst, error)
            if left - price * shares <= 1e-7 * shares * max(1.0, price):
                break
            if best is None or plan.per_share > best.per_share:
                best = plan
            if plan.per_share <= price * (1.0 + 1e-12):
                break
            price = plan.per_share
            objective = case.program.objective(price)
            cost = case.matrix.cost(objective)
            found = case.best_of(chosen, cost)
    assert best is not None, "no combination is worth anything"
    return Enumerated(best, tried, feasible, worst)


def enumerate_value(case: Case) -> tuple[float, int]:
    """The greatest E[V] less notes at their bond value, and how many combinations were tried."""
    objective = case.program.value_objective()
    cost = case.matrix.cost(objective)
    best, tried = -np.inf, 0
    for chosen in case.combinations():
        tried += 1
        found = case.best_of(chosen, cost)
        if found is not None:
            best = max(best, value_as_debt(case.valued(found).worth))
    return best, tried


def value_as_debt(worth: Valuation) -> float:
    """E[V] less what the leaves owe on notes, as bonds, by the auditor's arithmetic. [$M]"""
    book, owed = worth.book, 0.0
    for note, rolled in worth.world.notes:
        for leaf in book.tree.leaves:
            if leaf in rolled:
                weight = float(book.tree.probability[leaf])
                owed += weight * rolled[leaf].outstanding * bond_value(book, note, leaf)
    return worth.expected - owed
