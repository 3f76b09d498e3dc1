"""Sums over borrowers, each times a weight: the company's part of it, what it pays for, or one alone."""

from collections.abc import Mapping

Weights = Mapping[str, float] | None
"""By entity, none where it is not named; None counts all in full."""


def of(weights: Weights, entity: str) -> float:
    """The weight of an entity."""
    return 1.0 if weights is None else weights.get(entity, 0.0)
