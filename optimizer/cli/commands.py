"""What the command can do: check a portfolio, plan it, or write one to start from."""

import shlex
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from optimizer.cli.answers import Answer, answering, load_or_end, reject, write_plan
from optimizer.cli.ending import Exit, say, showing, stoppable
from optimizer.cli.refusals import refuse_kept, refuse_numbers, refuse_places, refuse_scenario

if TYPE_CHECKING:  # the rest of hashshift is imported when it is needed: --help is to be quick
    from optimizer.conflicts.explain import Explanation
    from optimizer.inputs.load import Loaded
    from optimizer.pipeline import Checked
    from optimizer.plans.plan import Plan
    from optimizer.solve.options import Options

app = typer.Typer(
    name="hashshift",
    epilog="Exit codes: 0 plan found, 1 input errors, 2 usage, 3 infeasible or unbounded, "
    "4 no plan within the limit, 5 internal error.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Portfolio = Annotated[
    str,
    typer.Argument(
        metavar="PORTFOLIO",
        help="A folder with portfolio.toml, a workbook .xlsx, or a shipped name: iren.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else, on stdout.")]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="TABLE[KEY].COLUMN=VALUE", help="Change one cell of the input; repeatable."
    ),
]


@app.callback(invoke_without_command=True)
def hashshift(
    *, version: Annotated[bool, typer.Option("--version", is_eager=True, help="Show the version.")] = False
) -> None:
    """Which megawatts of a Bitcoin miner become AI data centres, when, for whom and paid how,
    so that one share is worth the most.
    """
    if version:
        from importlib.metadata import version as installed

        with showing():
            print(f"hashshift {installed('hashshift')}")
        raise typer.Exit


@app.command("check")
def check_command(
    portfolio: Portfolio,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 where there are warnings.")] = False,
    overrides: Overrides = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Say everything that is wrong or doubtful with a portfolio, and how large its program is."""
    from optimizer.pipeline import check

    with answering(as_json) as answer:
        loaded = load_or_end(portfolio, overrides, answer)
        checked = check(loaded)
        _tell_checked(checked, loaded, answer)
        if strict and checked.findings:
            raise typer.Exit(Exit.INPUT_ERRORS)


@app.command("plan")
def plan_command(
    portfolio: Portfolio,
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write all tables and run.json here.")
    ] = None,
    gap: Annotated[float, typer.Option(help="Relative gap to prove, between 0 and 1.")] = 0.005,
    time_limit: Annotated[float, typer.Option(help="Seconds for all steps of the solve together.")] = 120.0,
    objective: Annotated[Literal["per-share", "value"], typer.Option(help="What to maximise.")] = "per-share",
    method: Annotated[Literal["exact"], typer.Option(help="exact: the whole program at once.")] = "exact",
    solver: Annotated[str, typer.Option(help="highs, or any MIP solver that Pyomo finds.")] = "highs",
    scenario: Annotated[str | None, typer.Option(metavar="NAME", help="Plan on this scenario.")] = None,
    tree: Annotated[bool, typer.Option("--tree", help="Plan on the tree of weighted scenarios.")] = False,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Threads of the solver.")] = 1,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Random seed of the solver.")] = 0,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the program at the plan's optimum, .mps or .lp."),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="FILE.zip", help="Write the plan, its inputs and its program as one archive."),
    ] = None,
    keep_decisions: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Decide first as an earlier plan does, written here with --out."),
    ] = None,
    keep_to: Annotated[
        str, typer.Option(metavar="QUARTER", help="Last quarter of it that is kept; the second by default.")
    ] = "",
    stress: Annotated[
        bool,
        typer.Option("--stress", help="Then see whether the first two quarters' decisions survive shocks."),
    ] = False,
    overrides: Overrides = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Find the plan that is worth most per share, audit it and show it.

    Ctrl-C ends the search and keeps a plan that has been found; a second one aborts.
    """
    refuse_numbers(gap, time_limit)
    if tree and scenario is not None:
        raise typer.BadParameter("a plan is on one scenario or on the tree, not both", param_hint="--tree")
    refuse_places(out, export, bundle)
    refuse_kept(keep_decisions, keep_to)
    from optimizer.pipeline import ExportError
    from optimizer.solve.options import Options

    options = Options(
        objective=objective,
        gap=gap,
        time_limit_s=time_limit,
        method=method,
        solver=solver,
        threads=threads,
        seed=seed,
        keep_decisions="" if keep_decisions is None else str(keep_decisions),
        keep_to=keep_to,
    )
    where = Request(scenario=scenario, tree=tree, export=export, bundle=bundle, out=out)
    with stoppable() as stop, answering(as_json) as answer:
        started = time.monotonic()
        loaded = load_or_end(portfolio, overrides, answer)
        read_s = time.monotonic() - started
        refuse_scenario(loaded, scenario, tree)
        not_exported = ""
        try:
            found = _planned(loaded, options, where, stop, answer)
        except ExportError as trouble:
            found, not_exported = trouble.plan, f"hashshift: not exported: {trouble}"
        if stress and found.tables:
            found = _stressed(found, loaded, options, stop, answer)
        done = _completed(found, read_s, stop.is_set())
        why = _why_none(loaded, where, options) if done.status == "infeasible" else None
        _tell_plan(done, out, answer, not_exported, why)


@app.command("init")
def init_command(
    place: Annotated[Path, typer.Argument(metavar="PLACE", help="A new folder, or a new FILE.xlsx.")],
    *,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="PORTFOLIO", help="Copy this portfolio instead."),
    ] = None,
    xlsx: Annotated[bool, typer.Option("--xlsx", help="As one workbook, PLACE.xlsx.")] = False,
) -> None:
    """Write a commented starter portfolio that solves, as a folder or as one workbook."""
    as_workbook = place.suffix.lower() == ".xlsx"
    if xlsx and not as_workbook:
        place, as_workbook = place.with_name(f"{place.name}.xlsx"), True
    from models.findings import InputError
    from optimizer.inputs.convert import write_workbook
    from optimizer.inputs.load import find
    from optimizer.inputs.template import write_template

    with answering(False) as answer:
        try:
            write = write_workbook if as_workbook else write_template
            write(place, None if source is None else find(source))
        except InputError as wrong:
            answer.input_errors(wrong.findings)
    named = shlex.quote(str(place))
    what = "a starter portfolio" if source is None else source
    where = (
        "Comments on its headers explain the columns" if as_workbook else "Its tables explain their columns"
    )
    with showing():
        print(f"Wrote {what} into {place}. {where}. Next:")
        print(f"  hashshift check {named}\n  hashshift plan {named}")


@dataclass(frozen=True, kw_only=True)
class Request:
    """Which future is planned, and where things are written."""

    scenario: str | None
    tree: bool
    export: Path | None
    bundle: Path | None
    out: Path | None


def _planned(
    loaded: "Loaded", options: "Options", where: "Request", stop: threading.Event, answer: Answer
) -> "Plan":
    """The audited plan; a plan that fails its audit is put aside and ends the command."""
    from models.findings import InputError
    from optimizer.pipeline import AuditError, plan
    from optimizer.plans.store import StoreError
    from optimizer.report.progress import shown
    from optimizer.report.terminal import console_for
    from optimizer.solve.other import SolverFailedError, UnknownSolverError

    try:
        with shown(console_for(stderr=True), quiet=answer.as_json) as tell:
            return plan(
                loaded,
                options=options,
                scenario=where.scenario,
                tree=where.tree,
                export=where.export,
                bundle=where.bundle,
                progress=tell,
                stop=stop,
            )
    except UnknownSolverError as unknown:
        raise typer.BadParameter(str(unknown), param_hint="--solver") from None
    except SolverFailedError as crash:
        say(f"hashshift: {' '.join(str(crash).split())}. Nothing was written; --solver highs is built in")
        raise typer.Exit(Exit.INTERNAL_ERROR) from None
    except StoreError as unread:
        raise typer.BadParameter(" ".join(str(unread).split()), param_hint="--keep-decisions") from None
    except InputError as wrong:
        answer.input_errors(wrong.findings)
    except AuditError as rejected:
        reject(rejected.plan, where.out, answer)


def _stressed(
    found: "Plan", loaded: "Loaded", options: "Options", stop: threading.Event, answer: Answer
) -> "Plan":
    """The plan with the table of what its first decisions survive; a stop leaves shocks out."""
    from optimizer.pipeline import Progress
    from optimizer.report.progress import shown
    from optimizer.report.terminal import console_for
    from optimizer.studies.stress import stress, stress_table

    with shown(console_for(stderr=True), quiet=answer.as_json) as tell:

        def told(shock: str, sign: Progress) -> None:
            tell(replace(sign, stage=f"{shock}, {sign.stage}"))

        tried = stress(loaded, found, options=options, progress=told, stop=stop)
    return replace(found, tables={**found.tables, "stress": stress_table(tried)})


def _why_none(loaded: "Loaded", where: Request, options: "Options") -> "Explanation | None":
    """What conflicts where there is no plan, and what would help."""
    from models.findings import InputError
    from optimizer.conflicts.explain import explain

    try:
        return explain(
            loaded,
            keep_decisions=options.keep_decisions or None,
            keep_to=options.keep_to,
            scenario=where.scenario,
            tree=where.tree,
        )
    except InputError:  # kept decisions that have no place in the loosened portfolio either
        return None


def _tell_plan(
    plan: "Plan", out: Path | None, answer: Answer, not_exported: str, why: "Explanation | None"
) -> NoReturn:
    """Write the plan, show it, and end with the code of its status."""
    from optimizer.report.document import plan_document
    from optimizer.report.explained import print_explained, short_document
    from optimizer.report.terminal import console_for, print_plan

    written = out is None or not plan.tables or write_plan(plan, out)
    if answer.as_json:
        answer.document = {
            **plan_document(plan),
            **({} if why is None else {"conflict": short_document(why)}),
        }
    else:
        with showing():
            print_plan(plan, console_for())
            if why is not None:
                print_explained(why, console_for())
    if not_exported:
        say(not_exported)
    raise typer.Exit(_code(plan) if written and not not_exported else Exit.INTERNAL_ERROR)


def _completed(plan: "Plan", read_s: float, stopped: bool) -> "Plan":
    """The plan with what the pipeline does not know: how long reading took, and who ended the search."""
    more = {name: plan.seconds.get(name, 0.0) + read_s for name in ("read", "total")}
    note = plan.note or ("interrupted" if stopped and plan.status in ("feasible", "no_plan") else "")
    return replace(plan, seconds={**plan.seconds, **more}, note=note)


def _code(plan: "Plan") -> Exit:
    if plan.tables:
        return Exit.PLAN_FOUND
    return Exit.INFEASIBLE if plan.status in ("infeasible", "unbounded") else Exit.NO_PLAN


def _tell_checked(checked: "Checked", loaded: "Loaded", answer: Answer) -> None:
    if answer.as_json:
        from optimizer.report.document import checked_document

        answer.document = checked_document(checked, loaded)
        return
    from optimizer.report.findings import print_checked
    from optimizer.report.terminal import console_for

    with showing():
        print_checked(checked, loaded, console_for())
