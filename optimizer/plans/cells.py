"""Cells of a plan as files show them: nothing that a spreadsheet would run, and nothing lost."""

from typing import Any

import pandas as pd

from optimizer.inputs import escape

FLOAT = "%.12g"
"""In a workbook: a dollar in a trillion, finer than any tolerance of the audit."""


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
    """A cell whose text, if it is text, no spreadsheet runs."""
    return escape.escaped(cell) if isinstance(cell, str) else cell
