"""What a run says it proved is checked: no wrong bound, gap or status passes, nor a solver that lies."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.audit.bound import safe_bound_usd_m
from optimizer.audit.proof import Claimed
from optimizer.audit.verdict import Verdict, audit
from optimizer.pipeline import AuditError, certificate_of
from optimizer.plans.certificate import Certificate
from optimizer.plans.plan import Plan
from optimizer.solve.exact import HighsProgram
from optimizer.solve.options import Options
from optimizer.solve.outcome import MipResult, Outcome
from tests.oracle import toys
from tests.oracle.enumeration import search_of
from tests.oracle.test_enumeration import case_of, tried
from tests.oracle.test_statuses import TIGHT, drowned, due_beyond_means, planned

ENUMERATED = ("conversion", "conversion on a tree", "project debt", "taxes")
NOISE = (0.0, 1e-9, 1e-6, 1e-3, 0.3)


def certified(name: str) -> Certificate:
    """A toy's program relaxed, with its prices."""
    case = case_of(name)
    outcome = Outcome(
        "feasible", "per-share", 0.0, np.inf, np.inf, 0.0, np.zeros(len(case.matrix.variables)), 0,
        relaxed=search_of(case).relaxed(0.0),
    )  # fmt: skip
    found = certificate_of(case.program, case.matrix, outcome, 1)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ENUMERATED)
def test_no_prices_bound_below_the_best_of_all(name: str) -> None:
    """With the relaxation's prices the bound is its own; spoilt prices make it worse, never wrong."""
    c, shares = certified(name), case_of(name).portfolio.firm.basic_shares_m
    best = tried(name).best.per_share
    rng, before = np.random.default_rng(0), -np.inf
    for noise in NOISE:
        dual = c.dual * (1.0 + noise * rng.normal(size=c.dual.size))
        left = safe_bound_usd_m(replace(c, dual=dual)) - c.per_share_usd * shares
        # at the relaxation's root no plan has anything left but what whole numbers cost it
        assert c.per_share_usd + max(0.0, left) / shares >= best
        assert left >= before - 1e-6 * shares
        if noise == 0.0:
            assert -1e-6 <= left / (shares * c.per_share_usd) <= 1e-5
        before = left


@cache
def good(objective: str, *, tree: bool = False) -> tuple[Portfolio, TimeTree, Plan]:
    """A plan of project debt that passes."""
    p = toys.project_debt_on_tree() if tree else toys.project_debt()
    options = Options(gap=1e-6, objective=objective)  # type: ignore[arg-type]
    found = planned(p, options, tree=tree)
    return p, found.tree, found


def claimed_of(found: Plan) -> Claimed:
    """What it claims."""
    return Claimed(
        found.status, found.objective, found.value, found.bound, found.gap, 1e-6, found.certificate
    )  # fmt: skip


def judged(objective: str, change: Callable[[Claimed], Claimed], *, tree: bool = False) -> Verdict:
    """The audit of a good plan with other claims."""
    p, time, found = good(objective, tree=tree)
    return audit(
        p, time, found.tables, value_per_share_usd=found.value_per_share_usd, objective=found.objective,
        claimed=change(claimed_of(found)),
    )  # fmt: skip


def with_bound(c: Claimed, bound: float) -> Claimed:
    """Another bound, and the gap and status that go with it."""
    gap = (bound - c.value) / abs(c.value)
    return replace(c, bound=bound, gap=gap, status="optimal" if gap <= c.asked_gap else "feasible")


def with_certificate(c: Claimed, **changes: object) -> Claimed:
    """Another certificate."""
    assert c.certificate is not None
    return replace(c, certificate=replace(c.certificate, **changes))  # type: ignore[arg-type]


def dearest(c: Claimed) -> Claimed:
    """A unit of the plan's largest column worth a thousandth more, or the constant 1 $M more."""
    assert c.certificate is not None
    cost = c.certificate.cost.copy()
    j = int(np.argmax(np.abs(cost * c.certificate.plan)))
    cost[j] *= 1.001
    return with_certificate(c, cost=cost)


def not_whole(c: Claimed) -> Claimed:
    """A whole decision off by less than any solver's tolerance."""
    assert c.certificate is not None
    x = c.certificate.plan.copy()
    x[np.flatnonzero(c.certificate.is_integer)[0]] += 1e-9
    return with_certificate(c, plan=x)


WRONG: dict[str, tuple[Callable[[Claimed], Claimed], str]] = {
    "a bound below the plan": (lambda c: with_bound(c, c.value * 0.999), "PRF-1"),
    "a gap that is another": (lambda c: replace(c, gap=c.gap + 1e-7), "PRF-2"),
    "no gap": (lambda c: replace(c, gap=np.nan), "PRF-2"),
    "a bound that the gap does not tell": (lambda c: replace(c, bound=c.bound * 1.001), "PRF-2"),
    "optimal with a gap beyond the asked": (
        lambda c: replace(with_bound(c, c.value * 1.01), status="optimal"),
        "PRF-3",
    ),
    "feasible within the gap": (lambda c: replace(c, status="feasible"), "PRF-3"),
    "rescue without any": (lambda c: replace(c, status="feasible_with_rescue"), "PRF-3"),
    "under water above it": (lambda c: replace(c, status="equity_under_water"), "PRF-3"),
    "a bound above the one that anybody can check": (
        lambda c: with_bound(c, 2.0 * c.value + 1.0),
        "PRF-6",
    ),
    "decisions that are not whole": (not_whole, "PRF-5"),
    "an objective that is another": (dearest, "PRF-5"),
    "a constant that is another": (
        lambda c: with_certificate(c, constant_usd_m=c.certificate.constant_usd_m + 1.0),  # type: ignore[union-attr]
        "PRF-5",
    ),
}


@pytest.mark.parametrize("objective", ["per-share", "value"])
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_claim_is_named(what: str, objective: str) -> None:
    change, rule = WRONG[what]
    assert judged(objective, lambda c: c).passed
    verdict = judged(objective, change)
    assert rule in {f.check.partition(" ")[0] for f in verdict.failures}
    assert all(f.check.startswith("PRF-") for f in verdict.failures)


def test_a_value_that_the_plan_has_not_is_named() -> None:
    verdict = judged("value", lambda c: with_bound(replace(c, value=c.value + 0.01), c.bound + 0.01))
    assert any(f.check == "PRF-4 value" for f in verdict.failures)


@pytest.mark.parametrize("objective", ["per-share", "value"])
def test_wrong_prices_pass_with_a_worse_bound(objective: str) -> None:
    """On a tree: whoever spoils the prices can only prove less."""
    right = judged(objective, lambda c: c, tree=True)
    spoilt = judged(objective, lambda c: with_certificate(c, dual=0.9 * c.certificate.dual), tree=True)  # type: ignore[union-attr]
    none = judged(objective, lambda c: replace(c, certificate=None), tree=True)
    assert right.passed
    assert spoilt.passed
    assert none.passed
    assert right.bound_checked < spoilt.bound_checked <= none.bound_checked == np.inf


@pytest.mark.parametrize("portfolio", [drowned, due_beyond_means])
def test_other_statuses_are_proved_too(portfolio: Callable[[], Portfolio]) -> None:
    result = planned(portfolio())
    assert result.audit.bound_checked >= result.value
    assert np.isfinite(result.audit.bound_checked)


class Liar(HighsProgram):
    """Says that nothing is above nine tenths of what it found."""

    def solve(self, cost: np.ndarray, **asked: object) -> MipResult:
        """A bound that is wrong."""
        result = super().solve(cost, **asked)  # type: ignore[arg-type]
        return replace(result, bound=0.9 * result.bound) if asked["integer"] else result


@pytest.mark.parametrize("objective", ["per-share", "value"])
def test_a_solver_that_lies_is_caught(objective: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.solve.search.HighsProgram", Liar)
    with pytest.raises(AuditError, match="PRF-1"):
        planned(toys.project_debt(), Options(gap=1e-6, objective=objective))  # type: ignore[arg-type]


def test_another_solver_is_checked_by_the_same_prices() -> None:
    scip = planned(toys.deals(), replace(TIGHT, solver="scip"))
    assert scip.audit.bound_checked == planned(toys.deals()).audit.bound_checked
