"""Cells of a plan as files show them: nothing that a spreadsheet would run, no noise of arithmetic."""

from typing import Any

import pandas as pd

FLOAT = "%.12g"
"""A dollar in a trillion: finer than any tolerance of the audit."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a cell that begins so."""


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
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
