"""Decisions of an earlier plan as inputs that may give way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.domain.ledger import Quantity
from models.timetree import Quarter
from optimizer.conflicts.elastic import Array, Cell, Change, Elastic, prices
from optimizer.conflicts.place import Places
from optimizer.plans.kept import NOTHING, Kept, Place, keep

TABLE = "decisions"


@dataclass(frozen=True)
class Keeping:
    """What is kept of an earlier plan."""

    kept: Mapping[Place, Kept]
    last: Quarter

    @property
    def signed(self) -> tuple[str, ...]:
        """Offers that the earlier plan signs."""
        return tuple(
            place[3] for place, k in self.kept.items() if place[0] == Quantity.SIGN and k.value > 0.5
        )

    def bounds(self, at: Places) -> tuple[Array, Array]:
        """Bounds of the columns of a program that keeps it; InputError where something has no place."""
        free = [(d.variable, d.variable.lb, d.variable.ub) for d in at.program.decisions]
        held = keep(at.program, at.matrix, self.kept, self.last)
        for variable, low, high in free:
            variable.setlb(low)
            variable.setub(high)
        return held.lower, held.upper

    def changed(self, changes: Sequence[Change]) -> "Keeping":
        """With the values of some rows changed."""
        new = {c.cell.key: float(c.now) for c in changes if c.cell.table == TABLE}
        kept = {place: replace(k, value=new.get(k.row, k.value)) for place, k in self.kept.items()}
        return Keeping(kept, self.last)


def kept_elastics(keeping: Keeping, at: Places) -> Iterator[Elastic]:
    """Each decision that is kept and is something, on the program of the loosened portfolio."""
    lower, upper = keeping.bounds(at)
    tree = at.program.params.tree
    done = [j for j in range(lower.size) if lower[j] > at.matrix.lower[j] + NOTHING]
    decision = {at.matrix.column[id(d.variable)]: d for d in at.program.decisions}
    for j in done:
        d = decision[j]
        named = " ".join(filter(None, (d.quantity.replace("_", " "), d.site, d.item, d.contract)))
        place = (
            str(d.quantity),
            d.site,
            d.item,
            d.contract,
            d.since.partition(":")[0],
            str(tree.quarter(d.node)),
        )
        row = keeping.kept[place].row if place in keeping.kept else "|".join(place)
        value = float(np.round(0.5 * (lower[j] + upper[j]), 6))
        cell = Cell(TABLE, row, "value")

        def translate(
            _: float, x: Array, cell: Cell = cell, j: int = j, was: float = value, named: str = named
        ) -> tuple[str, tuple[Change, ...]]:
            return f"take back {named} of {was:g}, decide {x[j]:g}", (
                Change(cell, f"{was:g}", f"{x[j]:.9g}"),
            )

        says = f"{named} of {value:g} in {tree.quarter(d.node)} is kept"
        bounds = (j, float(lower[j]), float(upper[j]))
        yield Elastic(cell, "kept", says, prices()["kept"], translate, 1, kept=bounds)
