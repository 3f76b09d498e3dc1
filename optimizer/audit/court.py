"""Where the auditor's objections are counted: tolerances, failures, and the comparison nearest to failing."""

import math
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class AuditFailure:
    """One comparison or rule that did not hold."""

    check: str
    """Constraint ID, or the kind of comparison."""
    table: str
    row: str
    column: str
    expected: float | str
    found: float | str

    def __str__(self) -> str:
        place = " ".join(part for part in (self.table, self.row, self.column) if part)
        return f"{self.check} {place}: expected {self.expected}, found {self.found}"


Case = tuple[str, str, str, str, float | str, float | str]
"""What a failure says, as long as it may hold."""


class Court:
    """Takes checks one by one and remembers what failed."""

    USD_M: ClassVar[float] = 1e-3
    """$1,000: far below any decision, far above the rounding of sums of some thousand $M."""
    MW: ClassVar[float] = 1e-4
    """0.1 kW: a hundred times the solver's feasibility tolerance."""
    SHARES_M: ClassVar[float] = 1e-4
    """100 shares."""
    BTC: ClassVar[float] = 1e-2
    """What 1e-4 MW of the best machines would mine in a quarter, rounded up."""
    MWH: ClassVar[float] = 0.25
    """What 1e-4 MW draws in a quarter, rounded up."""
    USD: ClassVar[float] = 1e-4
    """A hundredth of a cent per share."""
    RATE: ClassVar[float] = 1e-6
    """Yearly, of an internal rate."""
    INTEGER: ClassVar[float] = 1e-6
    """The solver's own integrality tolerance."""
    PER_SHARE_REL: ClassVar[float] = 1e-4
    RATIO: ClassVar[float] = 1e-4
    """A hundredth of a percent of the value per share: the root's stopping tolerance."""

    def __init__(self) -> None:
        self.checks = 0
        self.failures: list[AuditFailure] = []
        self.worst = ("", 0.0)

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
        """Count a check that holds or does not; keep it when it does not."""
        self.checks += 1
        if not holds:
            self._reject(AuditFailure(check, table, row, column, expected, found), math.inf)
        return holds

    def near(
        self, check: str, table: str, row: str, column: str, expected: float, found: float, tolerance: float
    ) -> None:
        """Compare two amounts; what is not a number fails."""
        self._weigh((check, table, row, column, expected, found), abs(found - expected), tolerance)

    def at_most(self, check: str, place: str, found: float, limit: float, tolerance: float) -> None:
        """A rule: ``found`` may not exceed ``limit``."""
        self._weigh((check, "", place, "", limit, found), found - limit, tolerance)

    def at_least(self, check: str, place: str, found: float, limit: float, tolerance: float) -> None:
        """A rule: ``found`` may not fall short of ``limit``."""
        self._weigh((check, "", place, "", limit, found), limit - found, tolerance)

    def take_over(self, other: "Court") -> None:
        """Count what another court found as well."""
        self.checks += other.checks
        self.failures += other.failures
        self.worst = max(self.worst, other.worst, key=lambda worst: worst[1])

    def _weigh(self, case: Case, excess: float, tolerance: float) -> None:
        self.checks += 1
        size = excess / tolerance
        if not size <= 1.0:
            self._reject(AuditFailure(*case), size if math.isfinite(size) else math.inf)
        elif size > self.worst[1]:
            self.worst = (_name(AuditFailure(*case)), size)

    def _reject(self, case: AuditFailure, size: float) -> None:
        self.failures.append(case)
        if size > self.worst[1]:
            self.worst = (_name(case), size)


def _name(case: AuditFailure) -> str:
    return " ".join(part for part in (case.check, case.table, case.row, case.column) if part)
