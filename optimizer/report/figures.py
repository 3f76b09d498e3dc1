"""Rows and probability-weighted sums of a plan's tables, and numbers in print."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from optimizer.plans.plan import Plan

Row = dict[str, Any]


class Figures:
    """A plan's tables as rows, with the probability of every node and leaf."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        tree = plan.tree
        self.node_of = {tree.label(n): n for n in tree.nodes}
        self.probability = {tree.label(n): float(tree.probability[n]) for n in tree.nodes}
        self.leaves = tuple(tree.label(n) for n in tree.leaves)
        self.quarters = tuple(str(tree.first + t) for t in range(tree.horizon_q))

    @property
    def is_tree(self) -> bool:
        """Whether there is more than one leaf."""
        return len(self.leaves) > 1

    @property
    def last_quarter(self) -> str:
        """The horizon's last quarter."""
        return self.quarters[-1]

    def rows(self, table: str) -> list[Row]:
        """Rows of a table; none when the plan has no such table."""
        frame = self.plan.tables.get(table)
        if frame is None:
            return []
        names = [str(name) for name in frame.columns]
        return [dict(zip(names, cells, strict=True)) for cells in frame.itertuples(index=False, name=None)]

    def expected(self, rows: Iterable[Row], column: str) -> float:
        """Sum of a column, each row weighted with the probability of its node or leaf."""
        return sum(self.probability[_place(row)] * float(row[column]) for row in rows)

    def quarter_of(self, row: Row) -> str:
        """Calendar quarter of a row's node."""
        return _place(row).partition(":")[0]

    def when(self, row: Row) -> str:
        """Quarter of a row's node, with its scenario where the tree has several."""
        label = _place(row)
        quarter, _, scenario = label.partition(":")
        return f"{quarter} {scenario}" if self.probability[label] < 1.0 else quarter

    @cached_property
    def digits(self) -> int:
        """Decimals that amounts in $M are shown with: none for a company, one for a small portfolio."""
        largest = max((abs(float(row["usd_m"])) for row in self.rows("sources_uses")), default=0.0)
        return 0 if largest >= 1000.0 else 1

    def usd_m(self, amount: float) -> str:
        """An amount in $M."""
        return number(amount, self.digits)

    def is_shown(self, amount: float) -> bool:
        """Whether an amount in $M is more than a zero in print."""
        return abs(amount) >= 0.5 * 10.0**-self.digits

    def sums(self, name: str, by: str) -> dict[str, float]:
        """Sums of a table's $M over nodes or leaves, by another column."""
        found: dict[str, float] = {}
        for row in self.rows(name):
            key = str(row[by])
            found[key] = found.get(key, 0.0) + self.expected([row], "usd_m")
        return found

    @cached_property
    def shares_m(self) -> float:
        """Economic shares at the horizon, those of the table leaves."""
        return self.expected(self.rows("leaves"), "economic_shares_m")

    @cached_property
    def basic_shares_m(self) -> float:
        """Shares of today's holders."""
        basic = (row for row in self.rows("cap_table") if row["holder"] == "basic")
        return self.expected(basic, "economic_shares_m")

    @property
    def rounding(self) -> str:
        """How amounts are rounded."""
        return "rounded to whole $M" if self.digits == 0 else "rounded to $0.1M"


def number(value: float, digits: int = 0) -> str:
    """A number with thousands separators, never a negative zero.

    Examples
    --------
    >>> number(-1234.56, 1), number(-0.01)
    ('-1,234.6', '0')
    """
    text = f"{value:,.{digits}f}"
    return text.removeprefix("-") if not any(c in "123456789" for c in text) else text


def percent(fraction: float, digits: int = 0) -> str:
    """A fraction in percent.

    Examples
    --------
    >>> percent(0.0048, 2)
    '0.48 %'
    """
    return f"{number(100.0 * fraction, digits)} %"


def guessed(guesses: int, money_inputs: int) -> str:
    """How much of the input in dollars is guessed."""
    share = guesses / money_inputs if money_inputs else 0.0
    return f"Of {number(money_inputs)} money inputs, {number(guesses)} are guesses ({percent(share)})."


def _place(row: Row) -> str:
    return str(row["node"] if "node" in row else row["leaf"])
