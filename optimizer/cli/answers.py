"""Where a command's result goes: text or one JSON document, and folders of plans."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from optimizer.cli.ending import Exit, Stopped, say, showing

if TYPE_CHECKING:  # the rest of hashshift is imported when it is needed: --help is to be quick
    from models.findings import Finding
    from optimizer.inputs.load import Loaded
    from optimizer.plans.plan import Plan

AUDIT_FAILURES_SHOWN = 10


class Answer:
    """Where a command's result goes: one JSON document, or text."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.document: dict[str, object] | None = None

    def input_errors(self, findings: "Iterable[Finding]") -> NoReturn:
        """Tell what is wrong with the input, and end."""
        from optimizer.report.document import without_plan
        from optimizer.report.findings import print_findings
        from optimizer.report.terminal import console_for

        if self.as_json:
            self.document = without_plan("input_errors", findings)
        else:
            print_findings(findings, console_for(stderr=True))
        raise typer.Exit(Exit.INPUT_ERRORS)


@contextmanager
def answering(as_json: bool) -> Iterator[Answer]:
    """With JSON, whatever is printed meanwhile, by solvers too, goes to stderr; the document comes last."""
    answer = Answer(as_json)
    if not as_json:
        yield answer
        return
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield answer
    except Stopped:
        from optimizer.report.document import without_plan

        answer.document = without_plan("no_plan", ())
        raise
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        os.close(stdout)
        if answer.document is not None:
            _print_document(answer.document)


def _print_document(document: dict[str, object]) -> None:
    from optimizer.report.document import as_text

    with showing():
        sys.stdout.buffer.write(as_text(document).encode() + b"\n")


def load_or_end(portfolio: str, overrides: list[str], answer: Answer) -> "Loaded":
    from models.findings import InputError
    from optimizer.pipeline import load

    try:
        return load(portfolio, overrides=tuple(overrides))
    except InputError as wrong:
        answer.input_errors(wrong.findings)


def reject(plan: "Plan", out: Path | None, answer: Answer) -> NoReturn:
    """A plan that its audit refuses is an error, not a plan: say what failed, keep it apart."""
    from optimizer.report.document import without_plan

    failures = plan.audit.failures
    say(f"hashshift: internal error: the audit refuses the plan; {len(failures)} checks fail. A bug.")
    for failure in failures[:AUDIT_FAILURES_SHOWN]:
        say(f"  {failure}")
    if out is not None:
        write_plan(plan, out)
    verdict = {"passed": False, "checks": plan.audit.checks, "worst": plan.audit.worst}
    nothing = without_plan("no_plan", plan.findings)
    answer.document = {**nothing, "audit": verdict, "note": "the audit refuses the plan"}
    raise typer.Exit(Exit.INTERNAL_ERROR)


def write_plan(plan: "Plan", out: Path) -> bool:
    from optimizer.plans.store import StoreError, write

    try:
        say(f"Written to {_near(write(plan, out))}")
    except StoreError as trouble:
        say(f"hashshift: not written: {trouble}")
        return False
    return True


def _near(folder: Path) -> Path:
    try:
        here = Path.cwd()
    except OSError:  # it has been deleted
        return folder
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
