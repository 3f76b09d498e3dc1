"""Linear expressions, small and fast to build: coefficients, variables, a constant."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.core.expr import LinearExpression

Array = NDArray[np.float64]
NOISE = 1e-9
"""$M, MW or shares per unit that differences of equal floats leave behind."""


_stand_in: ContextVar[Any] = ContextVar("stand_in", default=None)


class ContradictionError(Exception):
    """A constraint without any decision in it that the data break."""


@contextmanager
def contradictions_kept(nought: Any) -> Iterator[None]:
    """Rules that the data break are written on a variable that is 0, so that they can be relaxed."""
    token = _stand_in.set(nought)
    try:
        yield
    finally:
        _stand_in.reset(token)


@dataclass
class Linear:
    """constant + sum of coefficient x variable."""

    coefs: list[float] = field(default_factory=list)
    variables: list[Any] = field(default_factory=list)
    constant: float = 0.0

    def add(self, coef: float, variable: Any) -> None:
        """Add a term in place; rounding noise is no term."""
        if abs(coef) > NOISE:
            self.coefs.append(float(coef))
            self.variables.append(variable)

    def __add__(self, other: "Linear | float") -> "Linear":
        if isinstance(other, Linear):
            return Linear(
                self.coefs + other.coefs, self.variables + other.variables, self.constant + other.constant
            )
        return Linear(list(self.coefs), list(self.variables), self.constant + other)

    def __mul__(self, scale: float) -> "Linear":
        return Linear([c * scale for c in self.coefs], list(self.variables), self.constant * scale)

    def __neg__(self) -> "Linear":
        return self * -1.0

    def __sub__(self, other: "Linear | float") -> "Linear":
        return self + (-other)

    def merged(self) -> "Linear":
        """One term for each variable; what cancels to noise is no term."""
        sums: dict[int, float] = {}
        named: dict[int, Any] = {}
        for coef, variable in zip(self.coefs, self.variables, strict=True):
            sums[id(variable)] = sums.get(id(variable), 0.0) + coef
            named[id(variable)] = variable
        result = Linear(constant=self.constant)
        for i, coef in sums.items():
            result.add(coef, named[i])
        return result

    @property
    def value(self) -> float:
        """Value at the current solution."""
        return self.constant + sum(c * v.value for c, v in zip(self.coefs, self.variables, strict=True))

    @property
    def expr(self) -> Any:
        """As a Pyomo expression."""
        return LinearExpression(constant=self.constant, linear_coefs=self.coefs, linear_vars=self.variables)


def term(variable: Any, coef: float = 1.0) -> Linear:
    """coefficient x variable."""
    return Linear([float(coef)], [variable])


def total(parts: Iterable[Linear]) -> Linear:
    """Sum of many."""
    result = Linear()
    for part in parts:
        result.coefs += part.coefs
        result.variables += part.variables
        result.constant += part.constant
    return result


def by_node(pairs: Iterable[tuple[Any, Array]], size: int) -> list[Linear]:
    """One expression per node out of variables with their coefficients by node."""
    result = [Linear() for _ in range(size)]
    for variable, values in pairs:
        for n in np.flatnonzero(values):
            result[n].add(values[n], variable)
    return result


def _impossible() -> Any:
    """The left side of a rule that the data alone break."""
    return LinearExpression(linear_coefs=[1.0], linear_vars=[_stand_in.get()])


def at_most(left: Linear, right: Linear | float) -> Any:
    """The rule left <= right; no rule where the data keep it, ContradictionError where they break it."""
    gap = left - right
    if not gap.variables:
        if gap.constant > 1e-9:
            if _stand_in.get() is not None:
                return _impossible() <= -gap.constant
            raise ContradictionError(
                f"needs {left.constant:,.4f} where {left.constant - gap.constant:,.4f} is at most there"
            )
        return pyo.Constraint.Skip
    return LinearExpression(linear_coefs=gap.coefs, linear_vars=gap.variables) <= -gap.constant


def equal(left: Linear, right: Linear | float) -> Any:
    """The rule left == right."""
    gap = left - right
    if not gap.variables:
        if abs(gap.constant) > 1e-9:
            if _stand_in.get() is not None:
                return _impossible() == -gap.constant
            raise ContradictionError(f"must equal but differs by {gap.constant:,.4f}")
        return pyo.Constraint.Skip
    return LinearExpression(linear_coefs=gap.coefs, linear_vars=gap.variables) == -gap.constant


def recent(nodes: Sequence[int], parent: Sequence[int], n: int, quarters: int) -> tuple[int, ...]:
    """Node n and its ancestors of the last ``quarters`` quarters that are in ``nodes``."""
    allowed, found = set(nodes), []
    while n >= 0 and quarters > 0:
        if n in allowed:
            found.append(n)
        n, quarters = parent[n], quarters - 1
    return tuple(found)
