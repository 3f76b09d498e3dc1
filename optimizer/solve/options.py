"""What a user may ask of a solve."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of one plan; the defaults are those of the command line."""

    objective: Literal["per-share", "value"] = "per-share"
    gap: float = 0.005
    """Relative gap to prove."""
    time_limit_s: float = 120.0
    """For all steps together."""
    method: Literal["exact"] = "exact"
    solver: str = "highs"
    """HiGHS through its own interface; any other name goes to Pyomo."""
    threads: int = 1
    seed: int = 0
