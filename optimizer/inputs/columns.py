"""What a record says of its columns: kind, unit, bounds and meaning, for messages and for the starter."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from models.domain.row import Row
from models.timetree import Quarter

Kind = Literal["text", "number", "whole number", "yes/no", "quarter", "names", "choice"]

UNITS = (
    ("_usd_per_kw_month", "$ per kW-month"),
    ("_usd_m_per_mw", "$M per MW"),
    ("_usd_m_per_q", "$M per quarter"),
    ("_usd_m_per_module", "$M per module"),
    ("_usd_per_mw_q", "$ per MW and quarter"),
    ("_usd_per_mwh", "$ per MWh"),
    ("_usd_per_mw", "$ per MW"),
    ("_usd_per_th", "$ per TH/s"),
    ("_usd_per_btc", "$ per BTC"),
    ("_usd_m", "$M"),
    ("_usd", "$"),
    ("_m3_per_q", "m3 per quarter"),
    ("_m3_per_mwh", "m3 per MWh"),
    ("_shares_m_per_q", "million shares per quarter"),
    ("_shares_m_per_day", "million shares per day"),
    ("_shares_m", "million shares"),
    ("_mw_per_q", "MW per quarter"),
    ("_mw", "MW"),
    ("_frac_per_year", "fraction per year, 0.05 is 5 %"),
    ("_frac_per_q", "fraction per quarter, 0.05 is 5 %"),
    ("_frac", "fraction, 0.05 is 5 %"),
    ("_days_per_q", "days per quarter"),
    ("_q", "quarters"),
    ("_quarter", "written like 2027Q2"),
    ("_j_per_th", "J/TH"),
    ("_t", "trillions"),
    ("_btc", "BTC"),
    ("_idx", "index, 1 at the opening"),
    ("_ratio", "MW per MW"),
    ("pue", "MWh per MWh"),
    ("years", "years"),
)
"""Unit of a column by the end of its name; the first that fits holds."""

BOUND_SIGNS = (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))


@dataclass(frozen=True)
class Column:
    """One column of one table."""

    name: str
    kind: Kind
    unit: str
    """Empty when the column has none."""
    choices: tuple[str, ...]
    bounds: str
    """Such as '>= 0 and <= 1'; empty when there are none."""
    may_be_empty: bool
    meaning: str

    @property
    def wanted(self) -> str:
        """What a cell must hold, in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        if self.kind == "yes/no":
            return "true or false"
        if self.kind == "names":
            return "names separated by ';'"
        return (
            self.kind + (f" ({self.unit})" if self.unit else "") + (f" {self.bounds}" if self.bounds else "")
        )


@cache
def columns_of(record: type[Row]) -> dict[str, Column]:
    """Columns of a record, in the order of their declaration, source, grade and note last."""
    names = sorted(record.model_fields, key=lambda name: name in Row.model_fields)
    return {name: _column(name, record.model_fields[name]) for name in names}


def unit(name: str) -> str:
    """Unit of a column by its name; empty when it has none.

    Examples
    --------
    >>> unit("capex_usd_m_per_mw")
    '$M per MW'
    """
    if "frac_of" in name and not name.endswith("_per_year"):
        return "fraction, 0.05 is 5 %"
    return next((text for end, text in UNITS if ("_" + name).endswith(end)), "")


LONGEST_WORD, MOST_WORDS = 60, 500
"""Longer words, and more of them, take too long to compare."""


def nearest(word: str, known: tuple[str, ...] | list[str], otherwise: str) -> str:
    """A remedy for a word that is not known: the nearest that is, or ``otherwise``."""
    near = [name for name in known[:MOST_WORDS] if len(name) <= LONGEST_WORD]
    close = get_close_matches(word, near, n=1) if len(word) <= LONGEST_WORD else []
    return f"did you mean '{close[0]}'?" if close else otherwise


def _column(name: str, field: FieldInfo) -> Column:
    holds, optional = _without_none(field.annotation)
    choices = tuple(map(str, get_args(holds))) if get_origin(holds) is Literal else ()
    limits = [
        f"{sign} {getattr(limit, word):g}"
        for limit in field.metadata
        for word, sign in BOUND_SIGNS
        if getattr(limit, word, None) is not None
    ]
    kind = _kind(holds, bool(choices))
    return Column(
        name=name,
        kind=kind,
        unit=unit(name) if kind in ("number", "whole number", "quarter") else "",
        choices=choices,
        bounds=" and ".join(limits),
        may_be_empty=optional or not field.is_required(),
        meaning=field.description or "",
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) not in (Union, UnionType):
        return annotation, False
    kept = [part for part in get_args(annotation) if part is not NoneType]
    return kept[0], len(kept) < len(get_args(annotation))


def _kind(holds: Any, has_choices: bool) -> Kind:
    if has_choices:
        return "choice"
    kinds: dict[Any, Kind] = {
        float: "number",
        int: "whole number",
        bool: "yes/no",
        Quarter: "quarter",
        str: "text",
    }
    return kinds.get(holds, "names")
