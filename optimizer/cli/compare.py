"""The command that sets the strategies of a portfolio side by side."""

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.answers import answering, load_or_end, reject, write_plan
from optimizer.cli.commands import AsJson, Overrides, Portfolio, app
from optimizer.cli.ending import Exit, showing, stoppable
from optimizer.cli.refusals import refuse_numbers, refuse_places, refuse_scenario

__all__ = ["app"]


@app.command("compare")
def compare_command(
    portfolio: Portfolio,
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write each plan into a folder of its own here.")
    ] = None,
    gap: Annotated[float, typer.Option(help="Relative gap to prove, between 0 and 1.")] = 0.005,
    time_limit: Annotated[float, typer.Option(help="Seconds for each strategy.")] = 120.0,
    scenario: Annotated[str | None, typer.Option(metavar="NAME", help="Plan on this scenario.")] = None,
    tree: Annotated[bool, typer.Option("--tree", help="Plan on the tree of weighted scenarios.")] = False,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Threads of the solver.")] = 1,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Random seed of the solver.")] = 0,
    overrides: Overrides = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Plan once for each strategy (optimal, full, hybrid, flexible, mine) and say why each falls short."""
    refuse_numbers(gap, time_limit)
    if tree and scenario is not None:
        raise typer.BadParameter("a plan is on one scenario or on the tree, not both", param_hint="--tree")
    refuse_places(out)
    from optimizer.pipeline import AuditError, Progress
    from optimizer.report.compared import compared_document, print_compared
    from optimizer.report.progress import shown
    from optimizer.report.terminal import console_for
    from optimizer.solve.options import Options
    from optimizer.studies.compare import compare

    options = Options(gap=gap, time_limit_s=time_limit, threads=threads, seed=seed)
    with stoppable() as stop, answering(as_json) as answer:
        loaded = load_or_end(portfolio, overrides, answer)
        refuse_scenario(loaded, scenario, tree)
        with shown(console_for(stderr=True), quiet=answer.as_json) as tell:

            def told(strategy: str, sign: Progress) -> None:
                tell(Progress(f"{strategy}, {sign.stage}", sign.value, sign.bound, sign.seconds))

            try:
                found = compare(
                    loaded, options=options, scenario=scenario, tree=tree, progress=told, stop=stop
                )
            except AuditError as rejected:
                reject(rejected.plan, out, answer)
        if as_json:
            answer.document = compared_document(found, loaded.name)
        else:
            with showing():
                print_compared(found, loaded.title, console_for())
        written = out is None or all(write_plan(c.plan, out / c.strategy) for c in found if c.plan.tables)
    if not any(c.plan.tables for c in found):
        raise typer.Exit(Exit.NO_PLAN)
    raise typer.Exit(Exit.PLAN_FOUND if written else Exit.INTERNAL_ERROR)
