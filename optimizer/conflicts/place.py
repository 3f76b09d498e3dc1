"""Where the rows and columns of a program come from: rule, site or entity, index; decision by its names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.blocks.books import Decision
from models.blocks.linear import Linear
from models.blocks.program import Program
from models.domain.ledger import Quantity
from optimizer.conflicts.elastic import Array
from optimizer.solve.matrix import Matrix

Key = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Places:
    """A compiled program by the rules of its rows and the decisions of its columns."""

    program: Program
    matrix: Matrix
    by_rule: dict[tuple[str, str], list[tuple[int, Key]]]
    row_of: dict[int, int]

    def rows(self, rule: str, place: str = "") -> Iterator[tuple[int, Key]]:
        """Rows of a rule at a site, of an entity or of the company, each with its index."""
        yield from self.by_rule.get((rule, place), ())

    def columns(self, *quantities: Quantity) -> Iterator[tuple[int, Decision]]:
        """Columns of decisions of some kinds."""
        for d in self.program.decisions:
            if d.quantity in quantities:
                yield self.matrix.column[id(d.variable)], d

    def at(self, x: Array, expression: Linear) -> float:
        """Value of an expression at a solution."""
        return self.matrix.at(x[: len(self.matrix.variables)], expression)

    def label(self, n: int) -> str:
        """Quarter of a node, and its scenario where there is more than one path."""
        tree = self.program.params.tree
        return str(tree.quarter(n)) if len(tree.leaves) == 1 else tree.label(n)


def places(program: Program, matrix: Matrix) -> Places:
    """Read the rules and indices of all rows."""
    by_rule: dict[tuple[str, str], list[tuple[int, Key]]] = {}
    for i, row in enumerate(matrix.rows):
        index = row.index()
        key = index if isinstance(index, tuple) else (index,)
        rule = str(row.parent_component().doc or "").partition(" ")[0]
        by_rule.setdefault((rule, _place(row)), []).append((i, key))
    return Places(program, matrix, by_rule, {id(row): i for i, row in enumerate(matrix.rows)})


def _place(row: Any) -> str:
    """The innermost site or entity among the blocks of a row; empty for the company."""
    block = row.parent_block()
    while block is not None:
        if block.index() is not None:
            return str(block.index())
        block = block.parent_block()
    return ""
