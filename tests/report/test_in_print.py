"""Findings, progress and numbers as they are printed."""

import io

import pytest
from rich.console import Console

from models.findings import Finding
from optimizer.pipeline import Progress
from optimizer.report.figures import number, percent
from optimizer.report.findings import print_findings
from optimizer.report.progress import line_of


@pytest.mark.parametrize(
    ("bound", "gap"), [(12.0, "gap 20.00 %"), (20.0, "gap 100.00 %"), (90.0, "gap > 100 %")]
)
def test_progress_says_no_absurd_gap(bound: float, gap: str) -> None:
    assert line_of(Progress("step", 10.0, bound, 1.0)).endswith(gap)


def findings_in_print(findings: list[Finding]) -> list[str]:
    file = io.StringIO()
    print_findings(findings, Console(file=file, width=100, highlight=False))
    return file.getvalue().splitlines()


def test_a_finding_is_a_block_that_breaks_between_words() -> None:
    wrong = ("'Q3 2026' is not a quarter", "write it like 2027Q2")
    quarter = Finding("error", "not-a-quarter", "sites", "west", "earliest_conversion_quarter", *wrong)
    long = Finding("warning", "doubt", "contracts", "a" * 60, "first_year_rent_usd_per_kw_month", *wrong)
    first, *rest, counts = findings_in_print([long, quarter])
    assert first.startswith("error sites west earliest_conversion_quarter: 'Q3 2026' is not a quarter; write")
    assert " ".join([first, rest[0].strip()]).endswith("write it like 2027Q2 [not-a-quarter]")
    assert f"warning contracts {'a' * 60}" in rest
    assert counts == "1 error, 1 warning"


def test_of_very_many_findings_a_table_shows_the_first() -> None:
    many = [Finding("error", "code", "market", f"{n:03}", "", "bad", "mend") for n in range(70)]
    lines = findings_in_print([*many, Finding("error", "code", "sites", "x", "", "bad", "mend")])
    assert lines[49:] == [
        "error market 049: bad; mend [code]",
        "and 20 more errors in market",
        "error sites x: bad; mend [code]",
        "71 errors",
    ]


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1234567.8, 0, "1,234,568"), (-0.4, 0, "0"), (-0.6, 0, "-1"), (0.05, 1, "0.1"), (-0.04, 1, "0.0")],
)
def test_numbers_in_print(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text


def test_fractions_in_print() -> None:
    assert percent(-0.1234, 1) == "-12.3 %"
