"""A Pyomo model compiled once to arrays; only bounds and costs change between solves."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from models.blocks.linear import Linear

if TYPE_CHECKING:
    from scipy.sparse import csc_array

Array = NDArray[np.float64]
Index = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Matrix:
    """Columns, rows and bounds of a program: row_lower <= A x <= row_upper, lower <= x <= upper.

    A is held by columns: entries ``start[j]:start[j+1]`` of ``row`` and ``coef`` are those of column j.
    """

    variables: tuple[Any, ...]
    rows: tuple[Any, ...]
    """The Pyomo constraint of each row."""
    start: Index
    row: Index
    coef: Array
    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array
    is_integer: NDArray[np.bool_]
    column: dict[int, int]
    """Position of a variable by its identity."""
    free: tuple[Array, Array] | None = None
    """Bounds before decisions of an earlier plan were set in them; None where none were."""

    @property
    def a(self) -> "csc_array":
        """A as a sparse array of scipy, which only those load who ask for it."""
        from scipy.sparse import csc_array

        return csc_array((self.coef, self.row, self.start), shape=(len(self.rows), len(self.variables)))

    def cost(self, objective: Linear) -> Array:
        """Coefficients of an objective by column; its constant is left out."""
        cost = np.zeros(len(self.variables))
        for coef, variable in zip(objective.coefs, objective.variables, strict=True):
            cost[self.column[id(variable)]] += coef
        return cost

    def at(self, x: Array, objective: Linear) -> float:
        """Value of an objective at ``x``, constant in."""
        return float(self.cost(objective) @ x) + objective.constant

    def load(self, x: Array) -> None:
        """Write a solution into the Pyomo variables."""
        for variable, value in zip(self.variables, x, strict=True):
            variable.set_value(float(value), skip_validation=True)

    def coefficient_range(self) -> tuple[float, float]:
        """Smallest and largest absolute coefficient."""
        sizes = np.abs(self.coef)
        return (float(sizes.min()), float(sizes.max())) if sizes.size else (1.0, 1.0)


def compile_matrix(model: pyo.ConcreteModel) -> Matrix:
    """Compile the constraints of a model; every variable of the model is a column.

    Every body is a LinearExpression, as :mod:`models.blocks.linear` writes them.
    """
    variables = tuple(model.component_data_objects(pyo.Var, descend_into=True))
    column = {id(v): j for j, v in enumerate(variables)}
    rows = tuple(model.component_data_objects(pyo.Constraint, active=True, descend_into=True))
    entries: list[tuple[int, int, float]] = []
    for i, constraint in enumerate(rows):
        body = constraint.body
        entries += [
            (column[id(v)], i, float(c)) for c, v in zip(body.linear_coefs, body.linear_vars, strict=True)
        ]
    start, row, coef = _by_column(entries, len(variables), len(rows))
    bounds = [v.bounds for v in variables]
    limits = [(c.lower, c.upper) for c in rows]
    return Matrix(
        variables=variables,
        rows=rows,
        start=start,
        row=row,
        coef=coef,
        row_lower=_filled([low for low, _ in limits], -np.inf),
        row_upper=_filled([high for _, high in limits], np.inf),
        lower=_filled([low for low, _ in bounds], -np.inf),
        upper=_filled([high for _, high in bounds], np.inf),
        is_integer=np.array([not v.is_continuous() for v in variables]),
        column=column,
    )


def _by_column(entries: list[tuple[int, int, float]], columns: int, rows: int) -> tuple[Index, Index, Array]:
    """Entries sorted by column and row, those of one place added up."""
    place = np.array([j * rows + i for j, i, _ in entries], dtype=np.int64)
    unique, inverse = np.unique(place, return_inverse=True)
    coef = np.bincount(inverse, weights=[c for _, _, c in entries], minlength=unique.size)
    held = coef != 0.0
    unique, coef = unique[held], coef[held]
    start = np.searchsorted(unique, np.arange(columns + 1, dtype=np.int64) * rows)
    return start.astype(np.int32), (unique % rows).astype(np.int32), coef


def _filled(values: list[Any], missing: float) -> Array:
    return np.array([missing if v is None else float(pyo.value(v)) for v in values], dtype=float)
