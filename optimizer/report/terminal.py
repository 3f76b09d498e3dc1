"""The plan on a terminal, as a CFO reads it: worth, decisions of now, sites, money, headroom."""

import os

from rich.console import Console, Group, RenderableType

from optimizer.plans.plan import Plan
from optimizer.report.borrowers import borrowers
from optimizer.report.decided import decided_now
from optimizer.report.failure import why_no_plan
from optimizer.report.figures import Figures
from optimizer.report.headline import headline
from optimizer.report.hurdles import below_hurdle, price_of_money
from optimizer.report.limits import headroom
from optimizer.report.money import raised, sources_and_uses
from optimizer.report.sites import by_leaf, strategies, strip
from optimizer.report.stress import stressed
from optimizer.report.terminations import terminations
from optimizer.report.worth import made_of

PLAIN_WIDTH = 100
"""Columns where there is no terminal to ask."""


class _Console(Console):
    """A console that leaves a closed pipe to whoever prints, and falls silent when it is that of stderr."""

    def on_broken_pipe(self) -> None:
        if not self.stderr:
            raise BrokenPipeError
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)


def console_for(*, stderr: bool = False) -> Console:
    """A console of the terminal's width, or of a fixed one where the output is not a terminal."""
    console = _Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    return console


def render(plan: Plan, *, ascii_only: bool = False) -> list[RenderableType]:
    """The parts of the view in their order."""
    if not plan.tables:
        return [why_no_plan(plan)]
    figures = Figures(plan)
    parts = [
        headline(figures),
        made_of(figures),
        decided_now(figures),
        strategies(figures),
        terminations(figures),
        by_leaf(figures),
        strip(figures, ascii_only=ascii_only),
        sources_and_uses(figures),
        raised(figures),
        borrowers(figures),
        below_hurdle(figures),
        price_of_money(figures),
        headroom(figures),
        stressed(figures),
    ]
    return [part for part in parts if part is not None]


def print_plan(plan: Plan, console: Console) -> None:
    """Print the whole view; without spaces at the ends of lines where it is not a terminal that shows it."""
    parts = render(plan, ascii_only=console.options.ascii_only)
    if console.is_terminal:
        console.print(Group(*parts))
        return
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    console.file.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())
