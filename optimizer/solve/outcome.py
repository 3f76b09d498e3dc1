"""What a solve proved, and the best plan it found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Status = Literal[
    "optimal",
    "feasible",
    "feasible_with_rescue",
    "infeasible",
    "unbounded",
    "equity_under_water",
    "no_plan",
]


SAME_REL = 1e-6
"""Of a bound and a value: what feasibility tolerances leave between equal ones."""


def no_less(bound: float, value: float) -> float:
    """A bound below a value by tolerances alone is that value; one farther below is left to the audit."""
    return value if 0.0 < value - bound <= SAME_REL * max(1.0, abs(value)) else bound


@dataclass(frozen=True, eq=False)
class MipResult:
    """One solve of one mixed-integer program that is maximised. No default claims success."""

    proved: Literal["optimal", "feasible", "infeasible", "unbounded", "nothing"]
    x: NDArray[np.float64] | None
    """Value of each column of the matrix; None where nothing was found."""
    value: float
    """Objective of ``x``, -inf without one."""
    bound: float
    """No plan is worth more; inf where nothing was proved."""
    row_dual: NDArray[np.float64] | None = None
    """Of a continuous solve: what one more of each row's limit is worth; None where it is not known."""
    loop: tuple[str, ...] = ()
    """Unbounded: the variables of the ray."""


@dataclass(frozen=True, eq=False)
class Duals:
    """Prices of the plan with its whole decisions fixed, in expected leaf dollars."""

    cash: NDArray[np.float64]
    """Of a dollar in the company's cash at each node."""
    power: Mapping[str, NDArray[np.float64]]
    """Of a gross MW more at each site and node, for what runs."""
    conversion: Mapping[str, float]
    """Of a gross MW more at each site at the end, for what is begun."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """A solved plan: its objective with a proven bound."""

    status: Status
    objective: str
    """``per-share`` or ``value``."""
    value: float
    """Value per share [USD] or value [$M] of the plan."""
    bound: float
    gap: float
    """(bound - value) / |value|."""
    value_per_share_usd: float
    x: NDArray[np.float64] | None
    steps: int
    """Programs solved."""
    note: str = ""
    loop: tuple[str, ...] = field(default=())
    duals: Duals | None = None
    committed_lines: Mapping[str, float] = field(default_factory=dict)
    """What the leaves of the committed-only plan are made of, expected, notes at their least. [$M]"""
    prices: Mapping[str, float] = field(default_factory=dict)
    """What lifting a covenant or budget is worth, by its name. [USD per share]"""
    log: str = field(default="", repr=False)
    """What the solver said; empty where it says nothing."""
    relaxed: float = np.inf
    """The objective's best without whole numbers; inf where it was not solved to its end."""
