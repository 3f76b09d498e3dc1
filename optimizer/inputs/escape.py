"""Text that a spreadsheet would run as a formula: quoted on the way out, as it was on the way in."""

import re

FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""A spreadsheet would run a cell that begins so, or it stands behind quotes already."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
"""A signed number runs nothing, and is to stay one."""


def escaped(text: str) -> str:
    """Text with a quote before it where a spreadsheet would run it.

    Examples
    --------
    >>> escaped("=1+1"), escaped("-5"), escaped("a=b")
    ("'=1+1", '-5', 'a=b')
    """
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def unescaped(text: str) -> str:
    """What was escaped.

    Examples
    --------
    >>> unescaped("'=1+1"), unescaped("'tis"), unescaped("''=1")
    ('=1+1', "'tis", "'=1")
    """
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text
