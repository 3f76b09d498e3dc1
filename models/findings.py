"""Findings: what is wrong with the input, where, and what would be right."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, order=True)
class Finding:
    """One fault or doubt in the input."""

    severity: Literal["error", "warning"]
    code: str
    table: str
    row: str
    """Key of the row, its parts joined by '|', or its line; empty when the table as a whole is meant."""
    column: str
    """Empty when the row as a whole is meant."""
    message: str
    remedy: str
    cell: str = ""
    """Where in a workbook, like sites!D7; empty when the input is a folder."""

    def __str__(self) -> str:
        place = " ".join(part for part in (self.cell or self.table, self.row, self.column) if part)
        return f"{self.severity} {self.code} {place}: {self.message}; {self.remedy}"


class InputError(Exception):
    """The input cannot be used; ``findings`` says why, all at once."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"{sum(f.severity == 'error' for f in findings)} input errors")
        self.findings = findings
