"""A plan: what was decided, what it is worth, what was proved, and its tables."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from models.findings import Finding
from models.timetree import TimeTree
from optimizer.plans.certificate import Certificate
from optimizer.solve.outcome import Status


@dataclass(frozen=True)
class Audit:
    """The auditor's verdict in short."""

    passed: bool
    checks: int
    worst: str
    failures: tuple[str, ...]
    bound_checked: float = math.inf
    """What no plan exceeds by the auditor's own arithmetic; inf where nothing was there to derive it from."""


@dataclass(frozen=True)
class Evidence:
    """How much of what the plan rests on is guessed."""

    money_inputs: int
    guesses: int
    overridden: tuple[str, ...]
    """Catalogue rows that the portfolio replaces, and cells set by --set."""


@dataclass(frozen=True, eq=False)
class Plan:
    """The result of one run; immutable. ``tables`` is empty where there is no plan."""

    name: str
    title: str
    as_of: str
    scenario: str
    """Name of the scenario, or ``tree``."""
    status: Status
    objective: str
    value: float
    """Of the objective: value per share [USD], or value [$M]."""
    bound: float
    gap: float
    value_per_share_usd: float
    own_price_usd: float
    """Value per share if what was outstanding at the opening settles at the plan's own price. [USD]"""
    committed_value_per_share_usd: float
    committed_lines: Mapping[str, float]
    """What the committed-only plan's leaves are made of, expected, notes as owed. [$M]"""
    taxes: Literal["before tax", "after tax"]
    """What every value is: after tax where the portfolio has tax groups."""
    price_usd: float
    """Share price at the opening."""
    implied_return: float
    """Yearly return of a buyer at today's price. [fraction]"""
    beyond_horizon_frac: float
    """Share of positive value at the leaves that lies beyond the horizon."""
    beyond_contracts_frac: float
    """Share of positive value at the leaves beyond signed contracts."""
    shares_m: float
    """Expected economic shares at the horizon."""
    tree: TimeTree
    tables: Mapping[str, pd.DataFrame]
    audit: Audit
    evidence: Evidence
    findings: tuple[Finding, ...]
    seconds: Mapping[str, float]
    """read, build, solve, audit, total."""
    note: str
    """Why the status is what it is; empty when optimal."""
    loop: tuple[str, ...]
    """Unbounded: the variables that grow together."""
    run: Mapping[str, object]
    """What reproduces it: versions, options, digest of the inputs, coefficient range."""
    inputs: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """What it was made from, as it was used: contents by place in the run folder."""
    log: str = field(default="", repr=False)
    """What the solver said; empty where it says nothing."""
    certificate: Certificate | None = field(default=None, repr=False)
    """What the audit's own bound is derived from; None where the solver gave no prices."""

    @property
    def proved(self) -> dict[str, object]:
        """The objective with its bound by branch and bound, and the one that the audit derives anew."""
        return {
            "name": self.objective,
            "value": self.value,
            "bound": self.bound,
            "gap": self.gap,
            "bound_checked": self.audit.bound_checked,
        }
