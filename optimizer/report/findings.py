"""Findings on the input as a table, the errors first."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from models.findings import Finding
from optimizer.inputs.load import Loaded
from optimizer.pipeline import Checked
from optimizer.report.figures import guessed, number
from optimizer.report.layout import fill

STYLES = {"error": "red", "warning": "yellow"}


def print_findings(findings: Iterable[Finding], console: Console) -> None:
    """Print them all: where, what is wrong, and what would be right."""
    shown = sorted(findings)
    if not shown:
        return
    found = Table(header_style="bold", pad_edge=False, box=None, padding=(0, 2, 0, 0), highlight=False)
    for heading, ratio in (
        ("Severity", 0),
        ("Table", 0),
        ("Row", 2),
        ("Column", 2),
        ("Message", 4),
        ("Remedy", 3),
    ):
        found.add_column(heading, ratio=ratio or None, overflow="fold", no_wrap=heading == "Severity")
    for f in shown:
        fill(found, f.severity, f.table, f.row, f.column, f.message, f.remedy, style=STYLES[f.severity])
    console.print(found)
    errors = sum(f.severity == "error" for f in shown)
    warnings = len(shown) - errors
    counts = [f"{n} {word}{'s' * (n != 1)}" for n, word in ((errors, "error"), (warnings, "warning")) if n]
    console.print(", ".join(counts), highlight=False)


def print_checked(checked: Checked, loaded: Loaded, console: Console) -> None:
    """Print what a check found of a portfolio that can be planned."""
    print_findings(checked.findings, console)
    lines = (
        f"{loaded.title} ({loaded.name}, as of {loaded.as_of}): can be planned.",
        guessed(loaded.guesses, loaded.money_inputs),
        f"Program on {loaded.scenario}: {number(checked.rows)} rows, {number(checked.columns)} columns "
        f"({number(checked.integers)} integer), coefficients from {checked.coefficient_low:.0e} "
        f"to {checked.coefficient_high:.0e}.",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False)
