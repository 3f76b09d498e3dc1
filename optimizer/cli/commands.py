"""What the command can do: check a portfolio, plan it, or write one to start from."""

import math
import os
import shlex
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from optimizer.cli.ending import Exit, Stopped, say, showing, stoppable

if TYPE_CHECKING:  # the rest of hashshift is imported when it is needed: --help is to be quick
    from models.findings import Finding
    from optimizer.inputs.load import Loaded
    from optimizer.pipeline import Checked
    from optimizer.plans.plan import Plan
    from optimizer.solve.options import Options

AUDIT_FAILURES_SHOWN = 10

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
def check_command(portfolio: Portfolio, *, overrides: Overrides = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Say everything that is wrong or doubtful with a portfolio, and how large its program is."""
    from optimizer.pipeline import check

    with answering(as_json) as answer:
        loaded = load_or_end(portfolio, overrides, answer)
        _tell_checked(check(loaded), loaded, answer)


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
    """Find the plan that is worth most per share, audit it and show it.

    Ctrl-C ends the search and keeps a plan that has been found; a second one aborts.
    """
    refuse_numbers(gap, time_limit)
    if tree and scenario is not None:
        raise typer.BadParameter("a plan is on one scenario or on the tree, not both", param_hint="--tree")
    refuse_places(out, export)
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
    where = Request(scenario=scenario, tree=tree, export=export, out=out)
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
        _tell_plan(_completed(found, read_s, stop.is_set()), out, answer, not_exported)


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
    out: Path | None


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


def refuse_numbers(gap: float, time_limit: float) -> None:
    if not 0.0 < gap < 1.0:
        raise typer.BadParameter("a gap lies between 0 and 1, such as 0.005", param_hint="--gap")
    if not 0.0 < time_limit < math.inf:
        raise typer.BadParameter("a time limit is a number of seconds above 0", param_hint="--time-limit")


def refuse_places(out: Path | None, export: Path | None) -> None:
    """Say now what could not be written at the end."""
    if out is None and export is None:
        return
    from optimizer.plans.store import StoreError, refuse_foreign, refuse_unwritable

    if export is not None:
        from optimizer.solve.search import model_ending

        try:
            model_ending(export)
            refuse_unwritable(export)
            if export.is_dir() or not export.absolute().parent.is_dir():
                raise StoreError(f"'{export}' is not a file in a folder that exists")
        except (ValueError, StoreError) as refusal:
            raise typer.BadParameter(str(refusal), param_hint="--export") from None
    if out is not None:
        try:
            refuse_foreign(out)
            refuse_unwritable(out)
        except StoreError as refusal:
            raise typer.BadParameter(str(refusal), param_hint="--out") from None


def refuse_kept(folder: Path | None, to: str) -> None:
    """Say now what cannot be kept of an earlier plan."""
    from models.timetree import Quarter

    if folder is None and to:
        raise typer.BadParameter("it goes with --keep-decisions", param_hint="--keep-to")
    if folder is not None and not (folder / "decisions.csv").is_file():
        wrong = f"'{folder}' holds no decisions.csv of a plan"
        raise typer.BadParameter(wrong, param_hint="--keep-decisions")
    try:
        if to:
            Quarter.parse(to)
    except ValueError as wrong_quarter:
        raise typer.BadParameter(str(wrong_quarter), param_hint="--keep-to") from None


def refuse_scenario(loaded: "Loaded", scenario: str | None, tree: bool) -> None:
    known = {s.scenario: s.probability for s in loaded.portfolio.scenarios}
    if scenario is not None and scenario not in known:
        wrong = f"there is no scenario '{scenario}'; known: {', '.join(known)}"
        raise typer.BadParameter(wrong, param_hint="--scenario")
    if tree and all(p is None for p in known.values()):
        raise typer.BadParameter("no scenario of the deck carries a probability", param_hint="--tree")


def load_or_end(portfolio: str, overrides: list[str], answer: Answer) -> "Loaded":
    from models.findings import InputError
    from optimizer.pipeline import load

    try:
        return load(portfolio, overrides=tuple(overrides))
    except InputError as wrong:
        answer.input_errors(wrong.findings)


def _planned(
    loaded: "Loaded", options: "Options", where: "Request", stop: threading.Event, answer: Answer
) -> "Plan":
    """The audited plan; a plan that fails its audit is put aside and ends the command."""
    from models.findings import InputError
    from optimizer.pipeline import AuditError, plan
    from optimizer.report.progress import shown
    from optimizer.report.terminal import console_for
    from optimizer.solve.other import UnknownSolverError

    try:
        with shown(console_for(stderr=True), quiet=answer.as_json) as tell:
            return plan(
                loaded,
                options=options,
                scenario=where.scenario,
                tree=where.tree,
                export=where.export,
                progress=tell,
                stop=stop,
            )
    except UnknownSolverError as unknown:
        raise typer.BadParameter(str(unknown), param_hint="--solver") from None
    except InputError as wrong:
        answer.input_errors(wrong.findings)
    except AuditError as rejected:
        reject(rejected.plan, where.out, answer)


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


def _tell_plan(plan: "Plan", out: Path | None, answer: Answer, not_exported: str) -> NoReturn:
    """Write the plan, show it, and end with the code of its status."""
    from optimizer.report.document import plan_document
    from optimizer.report.terminal import console_for, print_plan

    written = out is None or not plan.tables or write_plan(plan, out)
    if answer.as_json:
        answer.document = plan_document(plan)
    else:
        with showing():
            print_plan(plan, console_for())
    if not_exported:
        say(not_exported)
    raise typer.Exit(_code(plan) if written and not not_exported else Exit.INTERNAL_ERROR)


def write_plan(plan: "Plan", out: Path) -> bool:
    from optimizer.plans.store import StoreError, write

    try:
        say(f"Written to {_near(write(plan, out))}")
    except StoreError as trouble:
        say(f"hashshift: not written: {trouble}")
        return False
    return True


def _completed(plan: "Plan", read_s: float, stopped: bool) -> "Plan":
    """The plan with what the pipeline does not know: how long reading took, and who ended the search."""
    more = {name: plan.seconds.get(name, 0.0) + read_s for name in ("read", "total")}
    note = plan.note or ("interrupted" if stopped and plan.status in ("feasible", "no_plan") else "")
    return replace(plan, seconds={**plan.seconds, **more}, note=note)


def _near(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


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
