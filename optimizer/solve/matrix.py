"""A Pyomo model compiled once to arrays; only bounds and costs change between solves."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy.sparse import csc_array

from models.blocks.linear import Linear

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Matrix:
    """Columns, rows and bounds of a program: row_lower <= A x <= row_upper, lower <= x <= upper."""

    variables: tuple[Any, ...]
    rows: tuple[Any, ...]
    """The Pyomo constraint of each row."""
    a: csc_array
    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array
    is_integer: NDArray[np.bool_]
    column: dict[int, int]
    """Position of a variable by its identity."""

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
        sizes = np.abs(self.a.data)
        sizes = sizes[sizes > 0.0]
        return (float(sizes.min()), float(sizes.max())) if sizes.size else (1.0, 1.0)


def compile_matrix(model: pyo.ConcreteModel) -> Matrix:
    """Compile the constraints of a model; every variable of the model is a column."""
    variables = list(model.component_data_objects(pyo.Var, descend_into=True))
    model.add_component("compiled_objective", pyo.Objective(expr=0.0 * variables[0]))
    form = LinearStandardFormCompiler().write(model, mixed_form=True, column_order=variables)
    model.del_component("compiled_objective")
    position = {id(v): j for j, v in enumerate(form.columns)}
    unused = [v for v in variables if id(v) not in position]
    columns = [*form.columns, *unused]
    position = {id(v): j for j, v in enumerate(columns)}
    kind = np.array([row.bound_type for row in form.rows])
    rhs = np.asarray(form.rhs, dtype=float)
    a = csc_array(form.A)
    a = csc_array(
        (a.data, a.indices, np.append(a.indptr, np.full(len(unused), a.indptr[-1]))),
        shape=(a.shape[0], len(columns)),
    )
    bounds = [v.bounds for v in columns]
    return Matrix(
        variables=tuple(columns),
        rows=tuple(row.constraint for row in form.rows),
        a=a,
        row_lower=np.where(kind == 1, -np.inf, rhs),
        row_upper=np.where(kind == -1, np.inf, rhs),
        lower=np.array([-np.inf if low is None else low for low, _ in bounds], dtype=float),
        upper=np.array([np.inf if high is None else high for _, high in bounds], dtype=float),
        is_integer=np.array([not v.is_continuous() for v in columns]),
        column=position,
    )
