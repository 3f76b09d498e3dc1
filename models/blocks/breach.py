"""How far a row can be broken at most, of what other rules keep its variables to."""

from collections.abc import Mapping
from typing import Any

from models.blocks.books import Limit
from models.blocks.linear import Linear

LARGEST_COEFFICIENT = 1e4


def largest_breach(headroom: Linear, limits: Mapping[int, Limit]) -> float:
    """By how much a test can be broken at most, of what other rules keep its variables to. [$M]

    One term for each variable, of which none is negative: cash of the company lies above its floor.
    """
    by_group: dict[Any, float] = {}
    for coef, variable in zip(headroom.coefs, headroom.variables, strict=True):
        if coef < 0.0:
            i = id(variable)
            limit = limits.get(i) or Limit((i,), 1.0, _upper_bound(variable))
            by_group[limit.group] = max(by_group.get(limit.group, 0.0), -coef / limit.weight * limit.most)
    return sum(by_group.values()) - headroom.constant


def _upper_bound(variable: Any) -> float:
    if variable.ub is None:
        raise ValueError(f"a test of incurrence needs to know how large {variable.name} can be")
    return float(variable.ub)
