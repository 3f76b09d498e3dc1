"""Findings on the input, a block for each: where, what is wrong, what would be right."""

from collections import Counter
from collections.abc import Iterable
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from models.findings import Finding
from optimizer.inputs.load import Loaded
from optimizer.pipeline import Checked
from optimizer.report.figures import guessed, number

STYLES = {"error": "red", "warning": "yellow"}
SHOWN_PER_TABLE = 50


def print_findings(findings: Iterable[Finding], console: Console) -> None:
    """Print them, the errors first and those of one table together; of very many only the first."""
    found = sorted(findings, key=lambda f: (f.severity, f.table, f.row, f.column, f))
    if not found:
        return
    sizes = Counter((f.severity, f.table) for f in found)
    told = Counter[tuple[str, str]]()
    for f in found:
        group = f.severity, f.table
        told[group] += 1
        if told[group] <= SHOWN_PER_TABLE:
            console.print(_block(f, console.width), soft_wrap=True)
        elif told[group] == sizes[group]:
            left = number(sizes[group] - SHOWN_PER_TABLE)
            more = f"and {left} more {f.severity}s in {f.table or 'the folder'}"
            console.print(Text(more, style=STYLES[f.severity]), soft_wrap=True)
    errors = sum(f.severity == "error" for f in found)
    warnings = len(found) - errors
    counts = [f"{n} {word}{'s' * (n != 1)}" for n, word in ((errors, "error"), (warnings, "warning")) if n]
    console.print(", ".join(counts), highlight=False)


def _block(f: Finding, width: int) -> Text:
    """One finding; lines break between words, never within a name."""
    place = " ".join(part for part in (f.severity, f.cell or f.table, f.row, f.column) if part)
    said = f"{place}: {f.message}; {f.remedy} [{f.code}]"
    lines = wrap(said, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    block = Text("\n".join(lines))
    block.stylize(STYLES[f.severity], 0, len(f.severity))
    return block


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
