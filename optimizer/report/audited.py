"""What the audit of a written plan found: findings on its files, the verdict, and what it objects to."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console

from optimizer.audit.rerun import Rerun
from optimizer.report.figures import number
from optimizer.report.findings import print_findings

SHOWN = 50
"""Objections that are printed; the document has all."""


def print_audited(found: Rerun, console: Console, errors: Console) -> None:
    """Findings on the files go to ``errors``, the verdict to ``console``."""
    print_findings(found.findings, errors)
    for line in _lines(found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _lines(found: Rerun) -> list[str]:
    verdict = found.verdict
    if verdict is None:
        return ["Not audited: the files do not suffice."]
    lines = [f"{found.said.get('title', '')} ({found.said.get('name', '')}), {_written(found.said)}"]
    if verdict.passed:
        held = "all hold" if found.is_whole else "all hold in the files as they are now"
        lines.append(
            f"Audit: {number(verdict.checks)} checks, {held}; nearest to its tolerance: {verdict.worst}."
        )
        return lines
    lines.append(f"Audit: FAILED, {number(len(verdict.failures))} of {number(verdict.checks)} checks:")
    lines += [f"  {failure}" for failure in verdict.failures[:SHOWN]]
    if len(verdict.failures) > SHOWN:
        lines.append(f"  and {number(len(verdict.failures) - SHOWN)} more; --json lists them all")
    return lines


def _written(said: Mapping[str, Any]) -> str:
    run = said.get("run")
    versions = run.get("versions", {}) if isinstance(run, dict) else {}
    return f"scenario {said.get('scenario')}, written by hashshift {versions.get('hashshift', '(unknown)')}"


def audited_document(found: Rerun) -> dict[str, object]:
    """The document of an audit."""
    verdict = found.verdict
    return {
        "status": "passed" if found.passed else "failed" if found.is_whole else "input_errors",
        "name": found.said.get("name"),
        "scenario": found.said.get("scenario"),
        "run": found.said.get("run"),
        "audit": None
        if verdict is None
        else {
            "passed": verdict.passed,
            "checks": verdict.checks,
            "worst": verdict.worst,
            "bound_checked": verdict.bound_checked,
            "failures": [asdict(failure) for failure in verdict.failures],
        },
        "findings": [asdict(f) for f in sorted(found.findings)],
    }
