"""The door: what conflicts in a portfolio, and the cheapest changes after which a plan exists."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.blocks.program import build_program
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.findings import Finding, InputError
from models.params.params import compile_params
from models.timetree import Quarter, TimeTree
from optimizer.conflicts.conflict import Found, search
from optimizer.conflicts.elastic import Elastic
from optimizer.conflicts.keeping import Keeping, kept_elastics
from optimizer.conflicts.lenders import Lenders
from optimizer.conflicts.limits import Limits
from optimizer.conflicts.loosen import Dates, loosened
from optimizer.conflicts.money import Money
from optimizer.conflicts.place import Places, places
from optimizer.conflicts.relaxed import Asked, Relaxed
from optimizer.conflicts.repairs import Repair, Workshop
from optimizer.inputs.columns import nearest
from optimizer.inputs.load import Loaded, load
from optimizer.pipeline import future
from optimizer.plans.kept import read_kept
from optimizer.solve.matrix import compile_matrix

TIME_LIMIT_S = 30.0
VERIFYING_PART = 0.35
"""Of the time, kept for solving the portfolio with each repair applied."""


@dataclass(frozen=True)
class Member:
    """An input row that stands in the conflict."""

    table: str
    key: str
    columns: tuple[str, ...]
    says: str
    """What it demands, in words."""


@dataclass(frozen=True)
class Explanation:
    """Why there is no plan, and what would help."""

    name: str
    title: str
    status: Literal["nothing_conflicts", "conflict", "unknown"]
    asked: tuple[str, ...]
    """What was asked for beside the portfolio."""
    conflict: tuple[Member, ...]
    facts: tuple[str, ...]
    """What goes with the conflict and is not for the planner to change."""
    is_smallest: bool
    """Whether no row of the conflict can be left out; else it is the smallest found in time."""
    repairs: tuple[Repair, ...]
    """Cheapest first."""
    is_whole: bool
    """Whether the search ended by itself, not by its time limit."""
    seconds: float
    solves: int
    findings: tuple[Finding, ...]


def explain(
    portfolio: Loaded | str | Path,
    *,
    sign: Sequence[str] = (),
    keep_decisions: str | Path | None = None,
    keep_to: str = "",
    scenario: str | None = None,
    tree: bool = False,
    time_limit_s: float = TIME_LIMIT_S,
    progress: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> Explanation:
    """Name the smallest set of input rows that conflict, and the cheapest repairs.

    No plan here means none without funding of last resort, and none that leaves a strategy unmet.

    Parameters
    ----------
    portfolio : Loaded, str or Path
        What :func:`optimizer.load` returned, or its argument.
    sign : sequence of str
        Offers that the plan shall sign: why it cannot is explained.
    keep_decisions, keep_to : str or Path, optional
        An earlier plan's folder whose first decisions shall be kept, up to a quarter.
    scenario, tree
        As of :func:`optimizer.plan`.
    time_limit_s : float
        After which the best found so far is told.

    Raises
    ------
    InputError
        The portfolio cannot be used, or an offer is not one that can be signed.
    """
    started = time.monotonic()
    ends = started + time_limit_s
    loaded = portfolio if isinstance(portfolio, Loaded) else load(portfolio)
    p, time_tree = loaded.portfolio, future(loaded, scenario, tree)
    _refuse_unknown(p, sign)
    tell = progress or (lambda _: None)
    keeping = None
    if keep_decisions is not None:
        last = Quarter.parse(keep_to) if keep_to else time_tree.first + 1
        keeping = Keeping(read_kept(Path(keep_decisions), time_tree.first, last), last)
    wanted = tuple(dict.fromkeys([*sign, *(keeping.signed if keeping else ())]))
    tell("the program")
    at = _built(loosened(p, time_tree, wanted), time_tree)
    elastics: list[Elastic] = [
        *Dates(p, at, wanted).all(),
        *Limits(p, at, wanted).all(),
        *Money(p, at).all(),
        *Lenders(p, at).all(),
        *(kept_elastics(keeping, at) if keeping else ()),
    ]
    bounds = keeping.bounds(at) if keeping else None
    asked = Asked(tuple(sign), bounds)
    relaxed = Relaxed(at, elastics, asked, stop or threading.Event())
    found = search(relaxed, started + (1.0 - VERIFYING_PART) * time_limit_s, tell)
    tell("the repairs")
    workshop = Workshop(p, time_tree, relaxed, keeping, ends)
    repairs, terms, tried_all = workshop.repairs(found)
    status: Literal["nothing_conflicts", "conflict", "unknown"] = "conflict"
    if not found.is_infeasible:
        status = "nothing_conflicts" if not found.rows else "unknown"
    members, facts = _members(relaxed, found)
    members += tuple(Member(t.cell.table, t.cell.key, (t.cell.column,), t.says) for t in terms)
    facts = tuple(fact for fact in facts if not any(fact in t.says or t.cell.key in fact for t in terms))
    return Explanation(
        name=loaded.name,
        title=loaded.title,
        status=status,
        asked=tuple(_asked(p, at, sign, keep_decisions, keeping)),
        conflict=members,
        facts=facts,
        is_smallest=found.is_smallest,
        repairs=repairs,
        is_whole=status == "nothing_conflicts" or (found.is_smallest and tried_all),
        seconds=time.monotonic() - started,
        solves=found.solves,
        findings=loaded.findings,
    )


def _refuse_unknown(p: Portfolio, sign: Sequence[str]) -> None:
    offers = [c.contract for c in p.contracts if c.signable]
    wrong = [name for name in sign if name not in offers]
    if wrong:
        raise InputError(
            tuple(
                Finding("error", "unknown-offer", "contracts", name, "", "no offer or option is called so",
                        nearest(name, offers, "offers: " + (", ".join(offers) or "none")))
                for name in wrong
            )
        )  # fmt: skip


def _built(p: Portfolio, tree: TimeTree) -> Places:
    program = build_program(compile_params(p, tree), keep_contradictions=True)
    return places(program, compile_matrix(program.model))


def _asked(
    p: Portfolio, at: Places, sign: Sequence[str], folder: str | Path | None, keeping: Keeping | None
) -> list[str]:
    """What was asked for, and where that has no place in the portfolio at all."""
    told = []
    can = {d.contract for _, d in at.columns(Quantity.SIGN)}
    for name in sign:
        c = next(c for c in p.contracts if c.contract == name)
        by = f" by {c.last_delivery_quarter}" if c.last_delivery_quarter else ""
        told.append(f"{c.state} {name} is to be signed: {c.min_mw:g} to {c.max_mw:g} MW for {c.tenant}{by}")
        if name not in can:
            what = ", ".join((*c.workloads, *c.coolings)) or "any product"
            told.append(f"no product of {', '.join(c.sites) or 'any site'} is what {name} asks for ({what})")
    if keeping is not None:
        told.append(f"decisions of {folder} are kept up to {keeping.last}")
    return told


def _members(relaxed: Relaxed, found: Found) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    """The rows of the conflict in words, and the facts beside them."""
    members, facts = [], dict[str, None]()
    for table, key in found.rows:
        of = [e for i, e in enumerate(relaxed.elastics) if e.row == (table, key) and i in found.held]
        says = list(dict.fromkeys(e.says for e in of))
        families = {e.family for e in of}
        if "deadline" in families:
            says = [e.says for e in of if e.family != "min_mw"]
        columns = tuple(dict.fromkeys(e.cell.column for e in of))
        members.append(Member(table, key, columns, "; ".join(says)))
        facts.update(dict.fromkeys(x for e in of for x in e.context))
    return tuple(members), tuple(facts)
