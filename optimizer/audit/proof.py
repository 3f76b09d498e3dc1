"""What a run claims to have proved, held against itself, the decisions, and a bound derived anew."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimizer.audit.bound import safe_bound_usd_m
from optimizer.audit.court import Court
from optimizer.audit.notes import bond_value
from optimizer.audit.valuation import Valuation
from optimizer.plans.certificate import Certificate
from optimizer.plans.layout import PROOF

PER_SHARE = "per-share"
SAME_REL = 1e-6
"""Of two bounds: what the solver's tolerances leave between equal ones."""
LEAST_RESCUE_USD_M = 1e-4
"""Less funding of last resort is none."""
LEAST_VALUE_USD_M = 1e-9


@dataclass(frozen=True, eq=False)
class Claimed:
    """What a run says of its proof."""

    status: str
    objective: str
    """``per-share`` or ``value``."""
    value: float
    """Of the plan shown. [USD per share, or $M]"""
    bound: float
    """What no plan exceeds, as branch and bound says; inf where it proved nothing."""
    gap: float
    asked_gap: float
    certificate: Certificate | None
    """None where the solver gave no prices."""
    bound_checked: float | None = None
    """What an earlier audit derived; None where this is the first."""

    @classmethod
    def of_run(cls, said: Mapping[str, Any], certificate: Certificate | None) -> "Claimed":
        """From ``run.json``, where null is what is not finite; KeyError or TypeError if it lacks any."""
        objective = said["objective"]
        found = (objective[name] for name in ("value", "bound", "gap"))
        value, bound, gap = (math.inf if x is None else float(x) for x in found)
        asked = float(said["run"]["options"]["gap"])
        checked = math.inf if objective["bound_checked"] is None else float(objective["bound_checked"])
        return cls(said["status"], objective["name"], value, bound, gap, asked, certificate, checked)


def check_proof(claimed: Claimed, worth: Valuation, court: Court) -> float:
    """Hold the claims against one another and the plan.

    Returns
    -------
    float
        What no plan exceeds by arithmetic that trusts no solver; inf without prices. [USD per share, or $M]
    """
    _check_gap(claimed, court)
    _check_status(claimed, worth, court)
    if claimed.objective != PER_SHARE:
        expected = as_debt(worth)
        tolerance = max(Court.USD_M, 1e-7 * abs(worth.expected))
        court.near("PRF-4 value", "run", "", "value", expected, claimed.value, tolerance)
    checked = bound_checked(claimed, worth)
    if claimed.certificate is not None:
        _check_certificate(claimed, claimed.certificate, worth, court)
    slack = SAME_REL * max(1.0, abs(claimed.bound)) if math.isfinite(claimed.bound) else 0.0
    enough = checked >= claimed.value - slack
    court.require("PRF-6 bound_checked", "run", "", "value", enough, f"at most {checked!r}", claimed.value)
    no_better = checked >= claimed.bound - slack
    court.require("PRF-6 bound_checked", "run", "", "bound", no_better, f"at most {checked!r}", claimed.bound)
    said = checked if claimed.bound_checked is None else claimed.bound_checked
    same = said == checked or math.isclose(said, checked, rel_tol=1e-9)
    court.require("PRF-6 bound_checked", "run", "", "bound_checked", same, checked, said)
    return checked


def bound_checked(claimed: Claimed, worth: Valuation) -> float:
    """The bound that follows from the prices alone. [USD per share, or $M]"""
    c = claimed.certificate
    if c is None:
        return math.inf
    bound = safe_bound_usd_m(c)
    if claimed.objective != PER_SHARE:
        return bound
    # a greater value per share leaves any plan less by today's shares at least
    shares_m = worth.book.firm.basic_shares_m
    left = bound - c.per_share_usd * shares_m
    return math.nextafter(c.per_share_usd + max(0.0, left) / shares_m * (1.0 + 1e-15), math.inf)


def as_debt(worth: Valuation) -> float:
    """E[V] less what the leaves owe on notes as bonds, no share counted. [$M]"""
    book, owed = worth.book, 0.0
    for note, rolled in worth.world.notes:
        for leaf in set(book.tree.leaves) & set(rolled):
            owed += (
                float(book.tree.probability[leaf]) * rolled[leaf].outstanding * bond_value(book, note, leaf)
            )
    return worth.expected - owed


def _check_gap(claimed: Claimed, court: Court) -> None:
    """The bound is no less than the value, and the gap is what lies between them."""
    above = claimed.bound >= claimed.value
    court.require("PRF-1 bound", "run", "", "bound", above, f"at least {claimed.value!r}", claimed.bound)
    expected = math.inf
    if claimed.objective != PER_SHARE or claimed.value > 0.0:
        scale = max(LEAST_VALUE_USD_M, abs(claimed.value))
        expected = (claimed.bound - claimed.value) / scale
    same = claimed.gap == expected or math.isclose(claimed.gap, expected, rel_tol=1e-9, abs_tol=1e-12)
    court.require("PRF-2 gap", "run", "", "gap", same, expected, claimed.gap)


def _check_status(claimed: Claimed, worth: Valuation, court: Court) -> None:
    """The status is what gap, rescue and worth come to."""
    rescued = sum(worth.world.decided.rescue.values()) > LEAST_RESCUE_USD_M
    if claimed.status == "equity_under_water":
        expected = "equity_under_water" if worth.root() <= 0.0 else "worth more than nothing"
    elif rescued:
        expected = "feasible_with_rescue"
    else:
        expected = "optimal" if claimed.gap <= claimed.asked_gap else "feasible"
    court.require("PRF-3 status", "run", "", "status", claimed.status == expected, expected, claimed.status)


def _check_certificate(claimed: Claimed, c: Certificate, worth: Valuation, court: Court) -> None:
    """The program bounded is one whose objective says of the plan what the auditor says of it."""
    whole = c.plan[c.is_integer]
    dust = float(np.max(np.abs(whole - np.round(whole)), initial=0.0))
    court.require("PRF-5 whole", PROOF, "", "plan", dust == 0.0, "whole numbers", dust)
    said = math.fsum([*(c.cost * c.plan), c.constant_usd_m])
    expected = as_debt(worth)
    if claimed.objective == PER_SHARE:
        expected = worth.expected - worth.expected_claims(c.per_share_usd)
    tolerance = max(Court.USD_M, 1e-7 * abs(worth.expected))
    court.near("PRF-5 objective", PROOF, "", "plan", expected, said, tolerance)
