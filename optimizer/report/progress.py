"""Signs of life of a long solve: a live line on a terminal, plain lines elsewhere."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from optimizer.pipeline import VALUE_STAGE, Progress
from optimizer.report.figures import number, percent

Tell = Callable[[Progress], None]
PLAIN_EVERY_S = 5.0


@contextmanager
def shown(console: Console, *, quiet: bool) -> Iterator[Tell]:
    """What the pipeline may call while it works; silent without a terminal if ``quiet``."""
    if console.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Bar(*columns, console=console, transient=True) as bar:
            task = bar.add_task("reading and building")
            yield lambda p: bar.update(task, description=line_of(p))
    elif quiet:
        yield lambda _: None
    else:
        yield _plain_lines(console)


def line_of(progress: Progress) -> str:
    """Stage, plan in hand, bound and gap in one line."""
    parts = [progress.stage]
    if math.isfinite(progress.value):
        parts.append(f"in hand {_amount(progress, progress.value)}")
    if math.isfinite(progress.bound):
        parts.append(f"bound {_amount(progress, progress.bound)}")
    if math.isfinite(progress.value) and math.isfinite(progress.bound) and progress.value != 0.0:
        gap = (progress.bound - progress.value) / abs(progress.value)
        parts.append("gap > 100 %" if gap > 1.0 else f"gap {percent(max(0.0, gap), 2)}")
    return ", ".join(parts)


def _amount(progress: Progress, value: float) -> str:
    return f"${number(value)}M" if progress.stage == VALUE_STAGE else f"${number(value, 2)} per share"


def _plain_lines(console: Console) -> Tell:
    """A line when the stage changes, and every few seconds within it."""
    stage, told = "", -math.inf

    def tell(progress: Progress) -> None:
        nonlocal stage, told
        now = time.monotonic()
        if progress.stage == stage and now - told < PLAIN_EVERY_S:
            return
        stage, told = progress.stage, now
        console.print(Text(f"{progress.seconds:6.1f} s  {line_of(progress)}"), soft_wrap=True)

    return tell
