"""A draft portfolio spoilt in one cell, and what is then found."""

import re
from typing import Any

CELL = re.compile(r"(\w+)\[(.*)\]\.(\w*)")


def place_of(cell: str) -> tuple[str, str, str]:
    """Table, row and column of a cell written table[row].column."""
    match = CELL.fullmatch(cell)
    assert match is not None, cell
    return match[1], match[2], match[3]


def spoil(draft: Any, place: str, change: str) -> None:
    """Apply one change to a draft."""
    sign, rest = change[0], change[1:].strip()
    if sign == "=":
        table, row, column = place_of(place)
        draft.set(table, row, **{column: rest})
    elif sign == "-" and "[" not in rest:
        draft.tables[rest].clear()
    elif sign == "-":
        draft.drop(*place_of(rest + ".")[:2])
    elif sign == "+":
        old, *cells = rest.split()
        draft.copy(*place_of(old + ".")[:2], **dict(cell.split("=") for cell in cells))
    else:
        cell, value = change.split("=")
        spoil(draft, cell, "=" + value)


def assert_found(draft: Any, code: str, place: tuple[str, str, str]) -> None:
    """A finding of that code stands at that place, and each finding says what to do."""
    found = draft.findings()
    places = {(f.code, f.table, f.row, f.column) for f in found}
    assert (code, *place) in places, "\n".join(map(str, found))
    assert all(f.message and f.remedy for f in found)
