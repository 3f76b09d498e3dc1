"""Cells of a plan as files show them: nothing that a spreadsheet would run, and nothing lost."""

from typing import Any

import pandas as pd

FLOAT = "%.12g"
"""In a workbook: a dollar in a trillion, finer than any tolerance of the audit."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a cell that begins so."""
MARK = "'"
"""Stands before such a cell, and before one that begins as if it stood there."""


def exact(number: Any) -> str:
    """The shortest text that reads back to the same number.

    Examples
    --------
    >>> exact(0.1), exact(3.0)
    ('0.1', '3')
    """
    return repr(float(number)).removesuffix(".0")


def escaped(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Text that a spreadsheet cannot take for a formula; numbers without a negative zero."""
    if pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype):
        return column.map(as_text)
    return column + 0.0 if pd.api.types.is_float_dtype(column.dtype) else column


def as_text(cell: object) -> object:
    """A cell whose text, if it is text, no spreadsheet runs.

    Examples
    --------
    >>> as_text("=1+1")
    "'=1+1"
    """
    return f"{MARK}{cell}" if isinstance(cell, str) and _runs(cell.lstrip(MARK)) else cell


def as_meant(text: str) -> str:
    """What a cell said before :func:`as_text`.

    Examples
    --------
    >>> as_meant(as_text("=1+1")), as_meant(as_text("'=1+1")), as_meant("'tis")
    ('=1+1', "'=1+1", "'tis")
    """
    return text[len(MARK) :] if text.startswith(MARK) and _runs(text.lstrip(MARK)) else text


def _runs(text: str) -> bool:
    return text.startswith(FORMULA_STARTS)
