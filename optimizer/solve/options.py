"""What a user may ask of a solve."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from models.timetree import Quarter

Objective = Literal["per-share", "value"]
Method = Literal["exact"]
MOST_THREADS = 64
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of one plan; the defaults are those of the command line.

    Raises
    ------
    ValueError
        With what is allowed instead.
    """

    objective: Objective = "per-share"
    gap: float = 0.005
    """Relative gap to prove."""
    time_limit_s: float = 120.0
    """For all steps together."""
    method: Method = "exact"
    solver: str = "highs"
    """HiGHS through its own interface; any other name goes to Pyomo."""
    threads: int = 1
    seed: int = 0
    keep_decisions: str = ""
    """Folder of an earlier plan, whose first decisions this one keeps; empty: none."""
    keep_to: str = ""
    """Last quarter whose decisions are kept, like 2026Q4; empty: the second one."""
    keep_money: bool = False
    """Keep with them what was moved at the day's prices: the worlds part only after the last quarter kept."""
    least_rescue: bool = False
    """First find the least funding of last resort that any plan needs, and keep to it."""

    def __post_init__(self) -> None:
        """Refuse what no solve can be asked for."""
        threads, seed = f"a whole number from 1 to {MOST_THREADS}", f"a whole number from 0 to {LARGEST_SEED}"
        allowed = (
            ("objective", self.objective in get_args(Objective), "per-share or value"),
            ("gap", _is_amount(self.gap), "a finite number, 0 or more"),
            ("time_limit_s", _is_amount(self.time_limit_s), "a finite number of seconds, 0 or more"),
            ("method", self.method in get_args(Method), "exact"),
            ("solver", isinstance(self.solver, str), "highs, or the name of a solver that Pyomo knows"),
            ("threads", _is_count(self.threads) and 1 <= self.threads <= MOST_THREADS, threads),
            ("seed", _is_count(self.seed) and 0 <= self.seed <= LARGEST_SEED, seed),
        )
        if self.keep_to:
            Quarter.parse(self.keep_to)
        wrong = [
            f"{name} is {getattr(self, name)!r}; write {what}" for name, fits, what in allowed if not fits
        ]
        if wrong:
            raise ValueError(". ".join(wrong))


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value < math.inf


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
