"""The command that audits a plan again from its files alone."""

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.answers import answering
from optimizer.cli.commands import AsJson
from optimizer.cli.compare import app
from optimizer.cli.ending import Exit, showing

__all__ = ["app"]


@app.command("audit")
def audit_command(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A folder of 'plan --out', or a file of 'plan --bundle'.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Audit a plan again from its files alone: hashes, every table, every rule, the value per share.

    Exit codes: 0 passed, 1 the run cannot be read or its files were changed, 5 the audit refuses the plan.
    """
    from optimizer.audit.rerun import audit_run
    from optimizer.report.audited import audited_document, print_audited
    from optimizer.report.terminal import console_for

    with answering(as_json) as answer:
        found = audit_run(run)
        if as_json:
            answer.document = audited_document(found)
        else:
            with showing():
                print_audited(found, console_for(), console_for(stderr=True))
    if not found.is_whole:
        raise typer.Exit(Exit.INPUT_ERRORS)
    raise typer.Exit(Exit.PLAN_FOUND if found.passed else Exit.INTERNAL_ERROR)
