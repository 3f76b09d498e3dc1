"""Settings of a portfolio: what it is called, its deck and scenario, and the catalogue rows it takes."""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.findings import Finding
from optimizer.inputs.columns import nearest
from optimizer.inputs.read import MANIFEST, decode

KEYS = ("name", "title", "as_of", "deck", "scenario", "trunk", "policy", "catalogue")
TRUNKS = ("parent", "mean")
MOST_DOTS = 60
"""On a line of TOML: reading a key of very many parts takes the square of their number."""
Settings = dict[str, Any]
"""As TOML has them: keys taken from the catalogue stand in a section of their own."""
Taken = tuple[str, ...] | None
"""Keys taken from one catalogue table; None takes all its rows."""


@dataclass(frozen=True)
class Manifest:
    """What portfolio.toml says, or the sheet of settings in a workbook."""

    name: str
    title: str
    as_of: date
    deck: str | None
    """None: the portfolio holds scenarios and market itself."""
    scenario: str
    trunk: str
    """Before a branch the market is the parent scenario's, or the mean of those that are still together."""
    catalogue: dict[str, Taken]
    policy: str | None
    """The shipped guard rails that the plan keeps; None: none."""


def read_toml(data: bytes, file: str = MANIFEST) -> Settings | Finding:
    """What a TOML file says, or why it cannot be read."""
    text = decode(file, data)
    if isinstance(text, Finding):
        return text
    if max((line.count(".") for line in text.splitlines()), default=0) > MOST_DOTS:
        message, remedy = f"a line has more than {MOST_DOTS} dots", "write long lists on several lines"
        return Finding("error", "bad-toml", file, "", "", message, remedy)
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as trouble:
        message = f"it is not valid TOML: {trouble!s:.200}"
        return Finding("error", "bad-toml", file, "", "", message, "see https://toml.io")


def read_manifest(
    said: Settings, *, decks: tuple[str, ...], catalogues: tuple[str, ...], policies: tuple[str, ...]
) -> tuple[Manifest | None, list[Finding]]:
    """The manifest, or None with what is wrong with it; the names given are those that exist."""
    found = [
        _fault(
            "unknown-key", key, f"'{key}' is not a key of it", nearest(key, KEYS, "known: " + ", ".join(KEYS))
        )
        for key in said
        if key not in KEYS
    ]
    for fault in (
        _names(said),
        _as_of(said),
        _trunk(said),
        _known(said, "deck", decks),
        _known(said, "policy", policies),
        _catalogue(said, catalogues),
    ):
        found += fault
    if found:
        return None, found
    taken = {
        table: None if keys == "all" else tuple(keys) for table, keys in said.get("catalogue", {}).items()
    }
    as_of = said["as_of"] if isinstance(said["as_of"], date) else date.fromisoformat(said["as_of"])
    return Manifest(
        said["name"],
        said["title"],
        as_of,
        said.get("deck"),
        said["scenario"],
        said.get("trunk", TRUNKS[0]),
        taken,
        said.get("policy"),
    ), []


def _names(said: Settings) -> Iterator[Finding]:
    wanted: dict[str, tuple[Callable[[str], object], str]] = {
        "name": (re.compile(r"\w[\w.-]*").fullmatch, 'write a short name, such as "iren"'),
        "title": (str.strip, 'write a line, such as "IREN Limited, 30 June 2026"'),
        "scenario": (str.strip, 'name the scenario that is planned, such as "base"'),
    }
    for key, (fits, remedy) in wanted.items():
        value = said.get(key)
        if value is None:
            yield _fault("missing-key", key, "it is missing", remedy)
        elif not (isinstance(value, str) and fits(value)):
            yield _fault("bad-value", key, f"{value!r:.80} does not fit", remedy)


def _as_of(said: Settings) -> Iterator[Finding]:
    value, remedy = said.get("as_of"), 'write the date of the balances, such as "2026-06-30"'
    if value is None:
        yield _fault("missing-key", "as_of", "it is missing", remedy)
        return
    try:
        fits = type(value) is date or (isinstance(value, str) and bool(date.fromisoformat(value)))
    except ValueError:
        fits = False
    if not fits:
        yield _fault("bad-value", "as_of", f"{value!r:.80} is not a date", remedy)


def _trunk(said: Settings) -> Iterator[Finding]:
    value = said.get("trunk", TRUNKS[0])
    if value not in TRUNKS:
        yield _fault("bad-value", "trunk", f"{value!r:.80} is no way to fill the trunk", "parent or mean")


def _known(said: Settings, key: str, names: tuple[str, ...]) -> Iterator[Finding]:
    """A deck or policy, if one is named, that exists."""
    value = said.get(key)
    if value is not None and value not in names:
        known = f"known: {', '.join(names) or 'none'}"
        message = f"there is no {key} {value!r:.80}"
        yield _fault(f"unknown-{key}", key, message, nearest(str(value), names, known))


def _catalogue(said: Settings, catalogues: tuple[str, ...]) -> Iterator[Finding]:
    section = said.get("catalogue", {})
    if not isinstance(section, dict):
        yield _fault(
            "bad-value", "catalogue", "it is not a section", "write [catalogue], then products = [...]"
        )
        return
    for table, keys in section.items():
        place = f"catalogue.{table}"
        if table not in catalogues:
            known = "the catalogue has " + (", ".join(catalogues) or "no tables")
            yield _fault(
                "unknown-key", place, f"the catalogue has no '{table}'", nearest(table, catalogues, known)
            )
        elif keys != "all" and not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
            yield _fault(
                "bad-value", place, "it is not a list of keys", f'write {table} = ["..."] or {table} = "all"'
            )


def _fault(code: str, key: str, message: str, remedy: str) -> Finding:
    return Finding("error", code, MANIFEST, key, "", message, remedy)
