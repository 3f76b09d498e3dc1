"""What a check is, and how it says what it found."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from models.domain.portfolio import Portfolio
from models.domain.row import Row
from models.findings import Finding

Run = Callable[[Portfolio], Iterator[Finding]]


@dataclass(frozen=True)
class Check:
    """A check, and the tables that must be sound for it to mean anything."""

    reads: frozenset[str]
    run: Run


def reads(*tables: str) -> Callable[[Run], Check]:
    """Make a check of a function of the portfolio; it runs only if these tables were read without errors."""
    return lambda run: Check(frozenset(tables), run)


def label(row: Row) -> str:
    """Key of a record, its parts joined by '|'."""
    return "|".join(str(getattr(row, part)) for part in row.key)


def error(code: str, at: Row, column: str, message: str, remedy: str) -> Finding:
    """An error in one row."""
    return Finding("error", code, at.table, label(at), column, message, remedy)


def doubt(code: str, at: Row, column: str, message: str, remedy: str) -> Finding:
    """A warning about one row."""
    return Finding("warning", code, at.table, label(at), column, message, remedy)


def listed(names: Iterable[object], limit: int = 6) -> str:
    """Names in a sentence, the first few of many."""
    known = [str(name) for name in names]
    more = f" and {len(known) - limit} more" if len(known) > limit else ""
    return (", ".join(known[:limit]) or "none") + more


def span(first: object, last: object) -> str:
    """One quarter, or from one to another."""
    return f"{first}" if first == last else f"{first} to {last}"
