"""The auditor's rules and arithmetic read as a linear program: an oracle that sees no block and no matrix.

All that the auditor weighs is affine in what a plan decides in megawatts and dollars, so one plan and one
more per such decision give every rule's coefficients. The whole decisions are then tried one by one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.audit.book import Book
from optimizer.audit.court import Court
from optimizer.audit.covenants import check_covenants, covenant_tests
from optimizer.audit.decisions import INTEGERS, read_decisions
from optimizer.audit.rules_money import MoneyRules
from optimizer.audit.rules_physical import PhysicalRules
from optimizer.audit.valuation import Valuation
from optimizer.audit.world import World
from tests.oracle.enumeration import COLUMNS

Array = NDArray[np.float64]
Key = tuple[str, str, str, str, str, str]
"""Quantity, site, item, contract, since, node: a row of the table of decisions without its value."""
Rule = tuple[str, str, int]
"""ID, place, and which of several at that place."""
SHARES = (Quantity.ATM, Quantity.FOLLOW_ON, Quantity.ISSUE, Quantity.REPURCHASE)
SWITCHES = (Quantity.OPEN,)
"""Whole decisions on which the slopes of rules depend."""
DEALS = (Quantity.FOLLOW_ON, Quantity.ISSUE, Quantity.COMMIT)


class Recorder(Court):
    """A court that notes by how much every rule is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[Rule, float] = {}
        self.refused: list[str] = []
        self.rules: dict[tuple[str, str], int] = {}

    def _note(self, check: str, place: str, headroom: float) -> None:
        times = self.rules[check, place] = self.rules.get((check, place), 0) + 1
        self.kept[check, place, times] = headroom

    def breaks(self, rules: frozenset[Rule]) -> bool:
        """Whether one of these rules is broken."""
        return any(headroom < -1e-7 and r in rules for r, headroom in self.kept.items())

    def at_most(self, check: str, place: str, found: float, limit: float, tolerance: float) -> None:
        """Headroom below a limit."""
        self._note(check, place, limit - found)

    def at_least(self, check: str, place: str, found: float, limit: float, tolerance: float) -> None:
        """Headroom above a limit."""
        self._note(check, place, found - limit)

    def require(
        self,
        check: str,
        table: str,
        row: str,
        column: str,
        holds: bool,
        expected: float | str,
        found: float | str,
    ) -> bool:
        """A condition without measure."""
        if not holds:
            self.refused.append(f"{check} {row}")
        return holds


@dataclass(frozen=True, eq=False)
class Judged:
    """One plan in the auditor's eyes."""

    kept: Mapping[Rule, float]
    refused: Sequence[str]
    worth: Valuation


@dataclass(eq=False)
class AuditorsProgram:
    """A portfolio's decisions, judged by the auditor alone."""

    portfolio: Portfolio
    tree: TimeTree
    amounts: Sequence[Key]
    """Decisions in megawatts and dollars."""
    counts: Mapping[Key, int]
    """Whole decisions, each with the most it may be."""
    _gradients: dict[tuple[Key, ...], tuple[dict[Rule, Array], Array]] = field(default_factory=dict)
    _fixed: dict[tuple[Key, ...], frozenset[Rule]] = field(default_factory=dict)

    @cached_property
    def book(self) -> Book:
        """The auditor's view of the inputs."""
        return Book(self.portfolio, self.tree)

    def judge(self, values: Mapping[Key, float]) -> Judged:
        """All rules on a plan; what it does not name is zero."""
        judged = self.judge_unless(values, frozenset())
        assert judged is not None
        return judged

    def judge_unless(self, values: Mapping[Key, float], fixed: frozenset[Rule]) -> Judged | None:
        """All rules on a plan; None once rules of megawatts refuse it, or break one that is fixed."""
        keys = [*self.counts, *self.amounts]
        frame = pd.DataFrame([(*k, values.get(k, 0.0)) for k in keys], columns=COLUMNS)
        court = Recorder()
        decided = read_decisions(frame, self.book, court)
        assert decided is not None, court.refused
        world = World(self.book, decided)
        PhysicalRules(world, court).check()
        if fixed and (court.refused or court.breaks(fixed)):
            return None
        MoneyRules(world, court).check()
        worth = Valuation(world)
        check_covenants(covenant_tests(worth), self.tree, court)
        return Judged(court.kept, court.refused, worth)

    @property
    def deals(self) -> list[Key]:
        """Marketed deals: launched or not."""
        return [k for k in self.amounts if k[0] in DEALS]

    def least(self, deal: Key) -> float:
        """The smallest size of a deal; a whole decision that opens a rule is made or not. [$M]"""
        if deal[0] in SWITCHES:
            return 1.0
        return next(i.min_usd_m for i in self.portfolio.instruments if i.instrument == deal[2])

    def combinations(self) -> Iterator[tuple[dict[Key, float], tuple[Key, ...]]]:
        """Every count of everything, and every set of deals."""
        ranges = [range(most + 1) for most in self.counts.values()]
        for counted in product(*ranges):
            whole = {k: float(v) for k, v in zip(self.counts, counted, strict=True) if v}
            for launched in product((False, True), repeat=len(self.deals)):
                yield whole, tuple(k for k, yes in zip(self.deals, launched, strict=True) if yes)

    def coefficients(self, launched: tuple[Key, ...]) -> tuple[dict[Rule, Array], Array]:
        """Slope of every rule in every amount, and that of E[V], where these deals are launched."""
        if launched not in self._gradients:
            base = {k: self.least(k) for k in launched}
            start = self.judge(base)
            slopes = {r: np.zeros(len(self.amounts)) for r in start.kept}
            worth = np.zeros(len(self.amounts))
            for j, key in enumerate(self.amounts):
                if key[0] in DEALS and key not in launched:
                    continue
                moved = self.judge({**base, key: base.get(key, 0.0) + 1.0})
                assert list(moved.kept) == list(start.kept), f"{key} brings rules of its own"
                for r in slopes:
                    slopes[r][j] = moved.kept[r] - start.kept[r]
                worth[j] = moved.worth.expected - start.worth.expected
            self._gradients[launched] = slopes, worth
        return self._gradients[launched]

    def claim_slopes(self, launched: tuple[Key, ...], price: float) -> Array:
        """What others take of a dollar of each amount raised."""
        base = {k: self.least(k) for k in launched}
        start, slopes = self.judge(base).worth.expected_claims(price), np.zeros(len(self.amounts))
        for j, key in enumerate(self.amounts):
            if key[0] in SHARES and (key[0] not in DEALS or key in launched):
                moved = self.judge({**base, key: base.get(key, 0.0) + 1.0})
                slopes[j] = moved.worth.expected_claims(price) - start
        return slopes

    def best_of(
        self, whole: Mapping[Key, float], launched: tuple[Key, ...], start: Judged, claims: Array
    ) -> dict[Key, float] | None:
        """The best amounts for a combination whose plan without amounts is ``start``."""
        by_rule, worth = self.coefficients(launched)
        flat = np.zeros(len(self.amounts))  # of rules that only a whole decision brings up
        rules, slopes = list(start.kept), np.array([by_rule.get(r, flat) for r in start.kept])
        base = np.array([self.least(k) if k in launched else 0.0 for k in self.amounts])
        room = np.array(list(start.kept.values())) - slopes @ base
        shut = [k[0] in DEALS and k not in launched for k in self.amounts]
        found = linprog(
            claims - worth,
            A_ub=-slopes,
            b_ub=room,
            bounds=[(0.0, 0.0 if s else None) for s in shut],
            method="highs",
        )
        assert found.status in (0, 2), f"{found.message}: the auditor's rules leave money on the table"
        if found.status == 2:
            return None
        plan = {**whole, **{k: float(v) for k, v in zip(self.amounts, found.x, strict=True) if v > 1e-10}}
        seen = self.judge(plan)
        expected = room + slopes @ found.x
        bent = [r for r, e in zip(rules, expected, strict=True) if abs(seen.kept[r] - e) > 1e-5]
        assert not bent, f"rules of the auditor that are not affine: {bent[:5]}"
        return plan

    def possible(self, whole: Mapping[Key, float], launched: tuple[Key, ...]) -> Judged | None:
        """A combination without amounts; None if it is refused or breaks a rule that no amount moves."""
        if launched not in self._fixed:
            slopes, _ = self.coefficients(launched)
            self._fixed[launched] = frozenset(
                r for r, by_amount in slopes.items() if np.abs(by_amount).max(initial=0.0) <= 1e-12
            )
        fixed = self._fixed[launched]
        start = self.judge_unless({**whole, **{k: self.least(k) for k in launched}}, fixed)
        if start is None or start.refused:
            return None
        moved = self.coefficients(launched)[0].keys() - fixed
        hopeless = any(headroom < -1e-7 for r, headroom in start.kept.items() if r not in moved)
        return None if hopeless else start

    def best_per_share(self) -> tuple[float, dict[Key, float], int]:
        """The greatest value per share, its plan, and how many combinations were possible."""
        price, best, possible = 0.0, {}, 0
        shares = self.portfolio.firm.basic_shares_m
        slopes: dict[tuple[Key, ...], Array] = {}
        for whole, launched in self.combinations():
            launched += tuple(k for k in whole if k[0] in SWITCHES)
            start = self.possible(whole, launched)
            if start is None:
                continue
            possible += 1
            while True:
                if launched not in slopes:
                    slopes[launched] = self.claim_slopes(launched, price)
                plan = self.best_of(whole, launched, start, slopes[launched])
                if plan is None:
                    break
                worth = self.judge(plan).worth
                left = worth.expected - worth.expected_claims(price) - price * shares
                if left <= 1e-7 * shares * max(1.0, price):
                    break
                price, best = worth.root(), plan
                slopes.clear()
        return price, best, possible


def auditors_program(
    portfolio: Portfolio, tree: TimeTree, keys: Sequence[Key], most: Mapping[Key, int]
) -> AuditorsProgram:
    """Split rows of decisions into whole ones, with their limits, and amounts."""
    whole = {str(q) for q in INTEGERS}
    return AuditorsProgram(
        portfolio, tree, [k for k in keys if k[0] not in whole], {k: most[k] for k in keys if k[0] in whole}
    )
