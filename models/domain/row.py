"""The base of every input row: frozen, closed to unknown columns, and carrying its own evidence."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

Grade = Literal["A", "B", "C", "D", "GK", "GUESS"]


class Row(BaseModel):
    """One row of one input table.

    ``key`` names the columns that identify a row within its table. A column whose type allows None
    may be left empty, and its description says what empty means; no other column has a default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]

    source: str | None = None
    grade: Grade | None = None
    note: str | None = None


class Provenance(Row):
    """Evidence for one cell: what a guess may range over, who says a fact."""

    table: ClassVar[str] = "provenance"
    key: ClassVar[tuple[str, ...]] = ("of_table", "row", "column")

    of_table: str
    row: str
    """Key of the row, its parts joined by '|'."""
    column: str
    low: float | None
    high: float | None
    reason: str | None
