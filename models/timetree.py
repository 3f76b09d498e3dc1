"""Time: calendar quarters and the scenario tree of nodes that everything is indexed by."""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import total_ordering
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_LABEL = re.compile(r"(\d{4})Q([1-4])")


@total_ordering
@dataclass(frozen=True, slots=True)
class Quarter:
    """A calendar quarter, written ``2027Q2``; adding an integer moves by quarters."""

    index: int
    """Quarters since year 0."""

    @classmethod
    def parse(cls, label: str) -> "Quarter":
        """Quarter of a label such as ``2027Q2``; ValueError otherwise."""
        match = _LABEL.fullmatch(label.strip())
        if match is None:
            raise ValueError(f"{label!r} is not a quarter; write it like 2027Q2")
        return cls(int(match[1]) * 4 + int(match[2]) - 1)

    def __str__(self) -> str:
        return f"{self.index // 4}Q{self.index % 4 + 1}"

    def __add__(self, quarters: int) -> "Quarter":
        return Quarter(self.index + quarters)

    def __sub__(self, other: "Quarter") -> int:
        return self.index - other.index

    def __lt__(self, other: "Quarter") -> bool:
        return self.index < other.index

    @property
    def year(self) -> int:
        """Calendar year."""
        return self.index // 4

    @property
    def days(self) -> int:
        """Calendar days of the quarter."""
        year, first = self.index // 4, self.index % 4 * 3 + 1
        return sum(calendar.monthrange(year, month)[1] for month in range(first, first + 3))

    @property
    def hours(self) -> float:
        """Hours of the quarter."""
        return 24.0 * self.days

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.parse(str(value)),
            serialization=core_schema.to_string_ser_schema(),
        )


@dataclass(frozen=True)
class TimeTree:
    """A scenario tree of quarters; a chain is a tree with one leaf.

    Nodes are integers 0..N-1, parents before children, the root first. Every leaf lies in the last
    quarter. ``scenario[n]`` is the scenario whose market row holds at n.
    """

    first: Quarter
    parent: tuple[int, ...]
    """Parent of each node; -1 at the root."""
    scenario: tuple[str, ...]
    probability: NDArray[np.float64]
    """Probability of passing each node; 1 at the root. [fraction]"""
    period: tuple[int, ...] = field(init=False)
    """Quarters since the first one, of each node."""
    children: tuple[tuple[int, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        period: list[int] = []
        children: list[list[int]] = [[] for _ in self.parent]
        for n, p in enumerate(self.parent):
            period.append(0 if p < 0 else period[p] + 1)
            if p >= 0:
                children[p].append(n)
        object.__setattr__(self, "period", tuple(period))
        object.__setattr__(self, "children", tuple(map(tuple, children)))

    @property
    def nodes(self) -> range:
        """All nodes, parents first."""
        return range(len(self.parent))

    @property
    def horizon_q(self) -> int:
        """Quarters from the first to the last."""
        return max(self.period) + 1

    @property
    def leaves(self) -> tuple[int, ...]:
        """Nodes of the last quarter."""
        return tuple(n for n in self.nodes if not self.children[n])

    def quarter(self, n: int) -> Quarter:
        """Calendar quarter of node n."""
        return self.first + self.period[n]

    def label(self, n: int) -> str:
        """Name of node n: its quarter and scenario."""
        return f"{self.quarter(n)}:{self.scenario[n]}"

    def years_to_end(self, n: int) -> float:
        """Years from the start of node n's quarter to the end of the horizon."""
        return (self.horizon_q - self.period[n]) / 4.0

    def path(self, n: int) -> tuple[int, ...]:
        """Nodes from the root to n, both in."""
        back = []
        while n >= 0:
            back.append(n)
            n = self.parent[n]
        return tuple(reversed(back))

    def descendants(self, n: int) -> tuple[int, ...]:
        """Node n and all after it, parents first."""
        found, reached = [], {n}
        for m in self.nodes[n:]:
            if m == n or self.parent[m] in reached:
                reached.add(m)
                found.append(m)
        return tuple(found)

    def leaves_below(self, n: int) -> tuple[int, ...]:
        """Leaves whose path passes n."""
        return tuple(m for m in self.descendants(n) if not self.children[m])


def chain(first: Quarter, horizon_q: int, scenario: Sequence[str]) -> TimeTree:
    """A tree with one leaf; ``scenario[t]`` names the market row of quarter t."""
    return TimeTree(first, tuple(range(-1, horizon_q - 1)), tuple(scenario), np.ones(horizon_q))
