"""Options that are refused before anything is solved."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:  # the rest of hashshift is imported when it is needed: --help is to be quick
    from optimizer.inputs.load import Loaded


def refuse_numbers(gap: float, time_limit: float) -> None:
    if not 0.0 < gap < 1.0:
        raise typer.BadParameter("a gap lies between 0 and 1, such as 0.005", param_hint="--gap")
    if not 0.0 < time_limit < math.inf:
        raise typer.BadParameter("a time limit is a number of seconds above 0", param_hint="--time-limit")


def refuse_places(out: Path | None, export: Path | None = None, bundle: Path | None = None) -> None:
    """Say now what could not be written at the end."""
    if out is None and export is None and bundle is None:
        return
    from optimizer.plans.store import StoreError, refuse_foreign, refuse_unwritable

    if export is not None:
        from optimizer.solve.search import model_ending

        _refuse_file(export, model_ending, "--export")
    if bundle is not None:
        from optimizer.plans.bundle import bundle_ending

        _refuse_file(bundle, bundle_ending, "--bundle")
    if out is not None:
        try:
            refuse_foreign(out)
            refuse_unwritable(out)
        except StoreError as refusal:
            raise typer.BadParameter(str(refusal), param_hint="--out") from None


def _refuse_file(file: Path, ending: Callable[[Path], object], option: str) -> None:
    """A file of the wrong ending, or one that could not be written."""
    from optimizer.plans.store import StoreError, refuse_unwritable

    try:
        ending(file)
        refuse_unwritable(file)
        if file.is_dir() or not file.absolute().parent.is_dir():
            raise StoreError(f"'{file}' is not a file in a folder that exists")
    except (ValueError, StoreError) as refusal:
        raise typer.BadParameter(str(refusal), param_hint=option) from None


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
