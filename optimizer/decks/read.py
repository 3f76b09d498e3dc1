"""Rules of a deck from a TOML file, or all that is wrong with it."""

from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from models.domain.deck import FORMS, Bound, DeckRules, MarginBound, Rule
from models.findings import Finding, InputError
from models.timetree import Quarter
from optimizer.inputs.columns import nearest
from optimizer.inputs.manifest import read_toml
from optimizer.inputs.read import read_bytes

TAGS: dict[str, type[Rule] | None] = {**FORMS, "number": None, "multiple": Bound, "margin": MarginBound}
"""What the parts of an error's place that are in no file stand for."""
WORDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "dict_type": "a section",
    "model_type": "a section",
    "tuple_type": "a list",
}
A_PATH = (
    "write a number, { start = 1, growth = { 2027Q1 = 0.03 } }, { steps = { 2027Q1 = 1 } }, "
    "{ nodes = { 2027Q1 = 1 }, between = 'linear' }, { spot = 60000, drift = { 2027Q1 = 0.04 }, ... } "
    "or { same_as = 'capex_idx', times = 1 }"
)
MAX_RULES_BYTES = 1_000_000
"""No rules of a deck are longer; those of the shipped one have 12,000 bytes."""
Place = tuple[str | int, ...]


def read_rules(file: Path) -> DeckRules:
    """The rules of a deck, each part by itself as it should be.

    Raises
    ------
    InputError
        With everything that is missing, unknown or of the wrong kind.
    """
    data = read_bytes(file, within=file.absolute().parent, most=MAX_RULES_BYTES)
    if isinstance(data, Finding):
        raise InputError((data,))
    said = read_toml(data, file.name)
    if isinstance(said, Finding):
        raise InputError((said,))
    try:
        return DeckRules.model_validate(said)
    except ValidationError as trouble:
        found = {_told(file.name, detail) for detail in trouble.errors(include_url=False)}
        raise InputError(tuple(sorted(found))) from None


def fault(file: str, code: str, place: str, message: str, remedy: str) -> Finding:
    """An error in the rules, placed by its keys, joined by dots."""
    return Finding("error", code, file, place, "", message, remedy)


def _told(file: str, detail: ErrorDetails) -> Finding:
    place, holds = _walked(detail["loc"])
    said, kind = detail["input"], detail["type"]
    if kind == "missing":
        return fault(file, "missing-key", place, "it is missing", _meaning(holds, detail["loc"]))
    if kind == "extra_forbidden":
        key, known = str(detail["loc"][-1]), tuple(holds.model_fields) if holds else ()
        remedy = nearest(key, known, "known here: " + ", ".join(known))
        return fault(file, "unknown-key", place, f"'{key}' is not a key of it", remedy)
    if kind.startswith("union_tag"):
        return _no_form(file, place, said)
    shown = f"{said!r:.60}"
    if kind in WORDS:
        return fault(file, "bad-value", place, f"{shown} does not fit", f"write {WORDS[kind]}")
    return fault(
        file, "bad-value", place, f"{shown} does not fit", detail["msg"].removeprefix("Value error, ")
    )


def _no_form(file: str, place: str, said: object) -> Finding:
    """A path in no form that is known; a misspelt key is likely."""
    for key in said if isinstance(said, dict) else ():
        meant = nearest(str(key), list(FORMS), "")
        if meant:
            return fault(file, "unknown-key", f"{place}.{key}", f"'{key}' is not a key of a path", meant)
    return fault(file, "bad-value", place, f"{said!r:.60} is no path", A_PATH)


def _walked(loc: Place) -> tuple[str, type[Rule] | None]:
    """Where in the file an error lies, and the part of the rules that holds its last key."""
    holds: Any = DeckRules
    within: type[Rule] | None = DeckRules
    keys: list[str] = []
    for part in loc:
        if part == "[key]":
            continue
        within = holds if isinstance(holds, type) and issubclass(holds, Rule) else None
        if within is not None:
            keys.append(str(part))
            field = within.model_fields.get(str(part))
            holds = _bare(field.annotation) if field else None
        elif get_origin(holds) in (dict, tuple):
            keys.append(str(part))
            holds = _bare(get_args(holds)[1 if get_origin(holds) is dict else 0])
        elif part in TAGS:
            holds = TAGS[str(part)]
    return ".".join(keys), within


def _bare(annotation: Any) -> Any:
    """A type without None and without what is noted at it; a choice of several stays one."""
    if get_origin(annotation) in (Union, UnionType):
        kept = [part for part in get_args(annotation) if part is not NoneType]
        return _bare(kept[0]) if len(kept) == 1 else annotation
    return _bare(get_args(annotation)[0]) if hasattr(annotation, "__metadata__") else annotation


def _meaning(holds: type[Rule] | None, loc: Place) -> str:
    """What a missing key wants."""
    field = holds.model_fields.get(str(loc[-1])) if holds else None
    if field is None:
        return "write it"
    kind = _bare(field.annotation)
    section = get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, Rule))
    plain = {float: "a number", int: "a whole number", str: "text in quotes", Quarter: "a quarter"}
    wanted = "a section" if section else "a list" if get_origin(kind) is tuple else plain.get(kind)
    choices = " or ".join(map(repr, get_args(kind))) if get_origin(kind) is Literal else "it"
    return f"write {wanted or choices}" + (f": {field.description}" if field.description else "")
