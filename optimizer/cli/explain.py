"""The command that says why there is no plan, and what would help."""

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.answers import answering, load_or_end
from optimizer.cli.commands import AsJson, Overrides, Portfolio
from optimizer.cli.deck import app
from optimizer.cli.ending import Exit, say, showing, stoppable
from optimizer.cli.refusals import refuse_kept, refuse_numbers, refuse_scenario

__all__ = ["app"]


@app.command("explain")
def explain_command(
    portfolio: Portfolio,
    *,
    sign: Annotated[
        list[str],
        typer.Option("--sign", metavar="OFFER", help="The plan shall sign this offer; repeatable."),
    ] = [],  # noqa: B006
    time_limit: Annotated[float, typer.Option(help="Seconds; the best found by then is told.")] = 30.0,
    scenario: Annotated[str | None, typer.Option(metavar="NAME", help="Plan on this scenario.")] = None,
    tree: Annotated[bool, typer.Option("--tree", help="Plan on the tree of weighted scenarios.")] = False,
    keep_decisions: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Decide first as an earlier plan does, written here with --out."),
    ] = None,
    keep_to: Annotated[
        str, typer.Option(metavar="QUARTER", help="Last quarter of it that is kept; the second by default.")
    ] = "",
    overrides: Overrides = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Say which input rows leave no plan, and the cheapest changes after which there is one.

    A plan that needs funding of last resort, or leaves a strategy unmet, is none here. Exit codes: 0 nothing
    conflicts, 3 a conflict is explained, 4 neither was found within the limit.
    """
    refuse_numbers(0.5, time_limit)
    if tree and scenario is not None:
        raise typer.BadParameter("a plan is on one scenario or on the tree, not both", param_hint="--tree")
    refuse_kept(keep_decisions, keep_to)
    from models.findings import InputError
    from optimizer.conflicts.explain import explain
    from optimizer.plans.store import StoreError
    from optimizer.report.explained import explained_document, print_explained
    from optimizer.report.terminal import console_for

    def tell(stage: str) -> None:
        if not as_json:
            say(f"looking at {stage} ...")

    with stoppable() as stop, answering(as_json) as answer:
        loaded = load_or_end(portfolio, overrides, answer)
        refuse_scenario(loaded, scenario, tree)
        try:
            found = explain(
                loaded,
                sign=sign,
                keep_decisions=keep_decisions,
                keep_to=keep_to,
                scenario=scenario,
                tree=tree,
                time_limit_s=time_limit,
                progress=tell,
                stop=stop,
            )
        except InputError as wrong:
            answer.input_errors(wrong.findings)
        except StoreError as unread:
            raise typer.BadParameter(" ".join(str(unread).split()), param_hint="--keep-decisions") from None
        if as_json:
            answer.document = explained_document(found)
        else:
            with showing():
                print_explained(found, console_for())
    codes = {"nothing_conflicts": Exit.PLAN_FOUND, "conflict": Exit.INFEASIBLE, "unknown": Exit.NO_PLAN}
    raise typer.Exit(codes[found.status])
