"""Why there is no plan, on a terminal and as one JSON document."""

from dataclasses import asdict

from rich.console import Console, Group, RenderableType
from rich.text import Text

from optimizer.conflicts.explain import Explanation
from optimizer.conflicts.repairs import Repair

LEANS = "A plan then needs no funding of last resort, but the one worth most may take some."


def explained_document(e: Explanation) -> dict[str, object]:
    """The explanation's one JSON document."""
    return {
        "portfolio": e.name,
        "status": e.status,
        "asked": list(e.asked),
        "conflict": [
            {"table": m.table, "row": m.key, "columns": list(m.columns), "says": m.says} for m in e.conflict
        ],
        "facts": list(e.facts),
        "is_smallest": e.is_smallest,
        "repairs": [
            {
                "words": list(r.words),
                "usd_m": r.usd_m,
                "is_clean": r.is_clean,
                "set": [c.override for c in r.changes],
                "changes": [
                    {**asdict(c.cell), "was": c.was, "now": c.now} for c in r.changes
                ],
            }
            for r in e.repairs
        ],
        "is_whole": e.is_whole,
        "seconds": e.seconds,
        "programs_solved": e.solves,
        "findings": [asdict(f) for f in sorted(e.findings)],
    }  # fmt: skip


def short_document(e: Explanation) -> dict[str, object]:
    """What belongs into the document of a plan that there is not."""
    whole = explained_document(e)
    return {name: whole[name] for name in ("status", "asked", "conflict", "facts", "is_smallest", "repairs")}


def print_explained(e: Explanation, console: Console) -> None:
    """Print the explanation; without spaces at the ends of lines where it is not a terminal that shows it."""
    parts = _parts(e)
    if console.is_terminal:
        console.print(Group(*parts))
        return
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    console.file.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def _parts(e: Explanation) -> list[RenderableType]:
    title = Text(f"{e.title}: ", style="bold")
    if e.status == "nothing_conflicts":
        title.append("nothing conflicts", style="bold green")
        return [
            title,
            Text("A plan exists that needs no funding of last resort."),
            *_lines(e.asked, "It does what was asked: "),
        ]
    if e.status == "unknown":
        title.append("not known", style="bold yellow")
        more = f"{e.seconds:.0f} s were too few to find a plan, or that there is none: raise --time-limit."
        return [title, Text(more)]
    title.append("no plan", style="bold red")
    parts: list[RenderableType] = [title, Text()]
    if e.asked or e.conflict:
        smallest = (
            "These cannot all hold" if e.is_smallest else "Among these is what conflicts (time ran out)"
        )
        parts.append(Text(f"{smallest}:", style="bold"))
        parts += [_item(f"{line} (asked for)") for line in e.asked]
        parts += [_item(f"{m.says}  [{m.table} {m.key}: {', '.join(m.columns)}]") for m in e.conflict]
        parts += [_item(line, mark=" ") for line in e.facts]
    parts.append(Text())
    if not e.repairs:
        late = "No repair was found within the time: raise --time-limit."
        parts.append(Text("No change of these inputs was found that lets a plan be." if e.is_whole else late))
        return parts
    parts.append(Text("Each of these, applied, lets a plan be (solved again; cheapest first):", style="bold"))
    for n, r in enumerate(e.repairs, 1):
        parts += _repair(n, r)
    ended = (
        ""
        if e.is_whole
        else " The time limit came first: there may be smaller conflicts and cheaper repairs."
    )
    parts.append(
        Text(
            f"Prices are guesses, stated in data/conflicts/prices.csv. {e.seconds:.1f} s.{ended}", style="dim"
        )
    )
    return parts


def _repair(n: int, r: Repair) -> list[RenderableType]:
    sets = " ".join(f"--set '{c.override}'" for c in r.changes if c.cell.table != "decisions")
    return [
        _item("; ".join(r.words) + f"  (${r.usd_m:,.2f}M)", mark=f"{n}."),
        *([] if r.is_clean else [Text(f"     {LEANS}")]),
        *([Text(f"     {sets}", style="dim", overflow="fold")] if sets else []),
    ]


def _item(line: str, mark: str = "-") -> Text:
    return Text(f"  {mark} {line}", overflow="fold")


def _lines(asked: tuple[str, ...], lead: str) -> list[RenderableType]:
    return [Text(lead + "; ".join(asked))] if asked else []
