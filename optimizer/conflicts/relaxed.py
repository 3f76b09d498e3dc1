"""The elastic program: every input may give way at its price, and none that is held."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
from scipy.sparse import csc_array, hstack, vstack

from models.domain.ledger import Quantity
from optimizer.conflicts.elastic import Array, Elastic
from optimizer.conflicts.place import Places
from optimizer.solve.exact import HighsProgram
from optimizer.solve.matrix import Matrix
from optimizer.solve.outcome import MipResult

GIVEN_WAY = 1e-6
"""An amount below this is none."""
ROUGHLY = 0.005
"""Of the market cap: to within that the plan of greatest value is sought."""
BEGUN_USD_M = 0.01
"""Price of each whole decision: a way out begins nothing that it does not need."""
WIDEST = 1e4
"""Upper bound of a decision that has none, where a step lets it be taken at all. [$M or MW]"""


@dataclass(frozen=True, eq=False)
class Asked:
    """What a plan is asked for beside its portfolio."""

    signed: tuple[str, ...] = ()
    """Offers to be signed."""
    bounds: tuple[Array, Array] | None = None
    """Of the columns, where decisions of an earlier plan are kept."""


@dataclass(eq=False)
class Relaxed:
    """A program with one more column for each input that may give way, or for each of its steps."""

    places: Places
    elastics: Sequence[Elastic]
    asked: Asked = field(default_factory=Asked)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        m, size = self.places.matrix, len(self.places.matrix.variables)
        self.size = size
        self.first: list[int] = []
        cost, upper, whole = [0.0] * size, [], []
        place = size
        for e in self.elastics:
            self.first.append(place)
            for _ in range(max(1, e.steps)):
                cost.append(e.usd_m)
                upper.append(1.0 if e.steps else e.most)
                whole.append(bool(e.steps))
                place += 1
        self.cost = np.array(cost)
        self.cost[:size][m.is_integer] = BEGUN_USD_M
        rows, low, high = self._rows(place)
        old = hstack([m.a, self._slack(place - size)]).tocsc() if place > size else m.a
        a = csc_array(vstack([old, rows])) if rows.shape[0] else csc_array(old)
        a.sort_indices()
        low_x, high_x = (m.lower, m.upper) if self.asked.bounds is None else self.asked.bounds
        self.lower = np.concatenate([low_x, np.zeros(place - size)])
        self.upper = np.concatenate([high_x, np.array(upper)])
        for j, _ in self.places.columns(Quantity.RESCUE):
            self.upper[j] = 0.0
        for wish in self.places.program.wishes:
            self.upper[m.column[id(wish.variable)]] = 0.0
        for e in self.elastics:
            for j in e.raised:
                self.upper[j] = np.inf
            if e.kept is not None:
                j = e.kept[0]
                self.lower[j], self.upper[j] = m.lower[j], m.upper[j]
        extra = tuple(
            SimpleNamespace(name=str(e.cell)) for e in self.elastics for _ in range(max(1, e.steps))
        )
        self.matrix = Matrix(
            variables=(*m.variables, *extra),
            rows=(*m.rows, *(None for _ in range(rows.shape[0]))),
            start=a.indptr.astype(np.int32),
            row=a.indices.astype(np.int32),
            coef=a.data,
            row_lower=np.concatenate([m.row_lower, low]),
            row_upper=np.concatenate([m.row_upper, high]),
            lower=self.lower,
            upper=self.upper,
            is_integer=np.concatenate([m.is_integer, np.array(whole, dtype=bool)]),
            column=m.column,
        )
        self.solver = HighsProgram(self.matrix, threads=1, seed=0, stop=self.stop)

    def _slack(self, more: int) -> csc_array:
        """Columns of the inputs in the rows of the program."""
        i, j, value = [], [], []
        for e, first in zip(self.elastics, self.first, strict=True):
            for row, coef in (*e.rows, *e.flows):
                for k in range(max(1, e.steps)):
                    i.append(row)
                    j.append(first - self.size + k)
                    value.append(-coef)
        shape = (len(self.places.matrix.rows), more)
        return csc_array((np.array(value, dtype=float), (np.array(i, int), np.array(j, int))), shape=shape)

    def _rows(self, width: int) -> tuple[csc_array, Array, Array]:
        """What is asked for, steps in their order, and columns that only a step allows."""
        i: list[int] = []
        j: list[int] = []
        value: list[float] = []
        low: list[float] = []
        high: list[float] = []

        def row(entries: list[tuple[int, float]], lower: float, upper: float) -> None:
            for column, coef in entries:
                i.append(len(low))
                j.append(column)
                value.append(coef)
            low.append(lower)
            high.append(upper)

        for name in self.asked.signed:
            signed = [(c, 1.0) for c, d in self.places.columns(Quantity.SIGN) if d.contract == name]
            row(signed, 1.0, np.inf)
        for e, first in zip(self.elastics, self.first, strict=True):
            if e.kept is not None:
                c, least, top = e.kept
                free_low, free_high = self.places.matrix.lower[c], self.places.matrix.upper[c]
                widest = float(free_high) if np.isfinite(free_high) else top + WIDEST
                row([(c, 1.0), (first, top - widest)], -np.inf, top)
                row([(c, 1.0), (first, least - float(free_low))], least, np.inf)
            for k in range(1, e.steps):
                row([(first + k, 1.0), (first + k - 1, -1.0)], -np.inf, 0.0)
            for k in range(e.steps):
                gated = [c for c, step in e.columns if step == k + 1]
                most = self.places.matrix.upper
                bounds = [most[c] if np.isfinite(most[c]) else WIDEST for c in gated]
                entries = [(c, 1.0 / b) for c, b in zip(gated, bounds, strict=True) if b > 0.0]
                if entries:
                    row([*entries, (first + k, -float(len(entries)))], -np.inf, 0.0)
        shape = (len(low), width)
        made = csc_array((np.array(value, dtype=float), (np.array(i, int), np.array(j, int))), shape=shape)
        return made, np.array(low, dtype=float), np.array(high, dtype=float)

    def solve(self, held: Collection[int], time_limit_s: float, *, priced: bool) -> MipResult:
        """A plan with no rescue in which the ``held`` inputs stand; the cheapest one where it is priced."""
        upper = self.upper.copy()
        for i in held:
            e, first = self.elastics[i], self.first[i]
            upper[first : first + max(1, e.steps)] = 0.0
            for column, _ in e.columns:
                upper[column] = 0.0
        if (self.lower > upper).any():
            return MipResult("infeasible", None, -np.inf, -np.inf)
        return self.solver.solve(
            -self.cost if priced else np.zeros(self.cost.size),
            integer=True,
            gap_usd_m=0.01,
            time_limit_s=time_limit_s,
            lower=self.lower,
            upper=upper,
        )

    def usd_m(self, given: Mapping[int, float]) -> float:
        """Price of what gives way. [$M]"""
        return sum(self.elastics[i].usd_m * amount for i, amount in given.items())

    def rescue_usd_m(self, start: Array, time_limit_s: float) -> float:
        """Funding of last resort that a plan of greatest value takes though it could do without.

        Shares are charged at today's price; ``start`` is a plan without it.
        """
        program, m = self.places.program, self.places.matrix
        rescue = [j for j, _ in self.places.columns(Quantity.RESCUE)]
        upper = self.upper.copy()
        upper[rescue] = np.inf
        price, shares_m = (
            program.params.portfolio.firm.price_usd,
            program.params.portfolio.firm.basic_shares_m,
        )
        result = self.solver.solve(
            np.concatenate([m.cost(program.objective(price)), np.zeros(self.cost.size - self.size)]),
            integer=True,
            gap_usd_m=ROUGHLY * price * shares_m,
            time_limit_s=time_limit_s,
            lower=self.lower,
            upper=upper,
            start=start,
        )
        return 0.0 if result.x is None else float(result.x[rescue].sum())

    def given(self, x: Array) -> dict[int, float]:
        """Which inputs give way in a solution, and by how much."""
        found: dict[int, float] = {}
        for i, (e, first) in enumerate(zip(self.elastics, self.first, strict=True)):
            amount = float(x[first : first + max(1, e.steps)].sum())
            if amount > (0.5 if e.steps else GIVEN_WAY):
                found[i] = float(round(amount)) if e.steps else amount
        return found
