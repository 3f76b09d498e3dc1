"""Tables of a plan as they were written: read from CSV, and held against the Parquet files beside them."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from models.findings import Finding
from optimizer.inputs.escape import unescaped
from optimizer.plans.tables import TABLES

REMEDY = "put the file back as it was written, or plan anew"


def read_tables(files: Mapping[str, bytes]) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    """All declared tables, and what is wrong with their files."""
    tables: dict[str, pd.DataFrame] = {}
    findings: list[Finding] = []
    for name in (table.name for table in TABLES):
        if f"{name}.csv" not in files or f"{name}.parquet" not in files:
            continue
        try:
            text, twin = _texts(files[f"{name}.csv"]), pq.ParquetFile(io.BytesIO(files[f"{name}.parquet"]))
            if list(text.columns) != twin.schema_arrow.names or len(text) != twin.metadata.num_rows:
                message = "its CSV and Parquet files have other rows or columns"
                findings.append(Finding("error", "tables-differ", name, "", "", message, REMEDY))
                continue
            columns = {field.name: _typed(text[field.name], field.type) for field in twin.schema_arrow}
            tables[name] = pd.DataFrame(columns, index=text.index)
            findings += _differences(name, tables[name], twin.read())
        except (ValueError, OverflowError, OSError, pa.ArrowException) as trouble:
            why = " ".join(str(trouble).split())[:120]
            findings.append(Finding("error", "unreadable-table", name, "", "", why, REMEDY))
    return tables, findings


def _texts(data: bytes) -> pd.DataFrame:
    """Cells as text, nothing guessed."""
    return pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8", index_col=False)


def _typed(cells: "pd.Series[Any]", kind: pa.DataType) -> "pd.Series[Any]":
    """Cells of the type that the Parquet file declares; ValueError for what is not of it."""
    if pa.types.is_floating(kind):
        return cells.map(lambda text: float(text) if text else np.nan).astype(float)
    if pa.types.is_integer(kind):
        return cells.map(int).astype("int64")
    if pa.types.is_boolean(kind):
        return cells.map({"True": True, "False": False}).astype(object)
    return cells.map(unescaped).astype(object)


def _differences(name: str, frame: pd.DataFrame, twin: pa.Table) -> Iterator[Finding]:
    """The first cell of each column in which the two files do not say the same."""
    for column in frame.columns:
        mine, other = frame[column].tolist(), twin.column(column).to_pylist()
        for row, (here, there) in enumerate(zip(mine, other, strict=True), start=1):
            if not _same(here, there):
                message = f"its CSV file says {here!r:.60}, its Parquet file {there!r:.60}"
                yield Finding("error", "tables-differ", name, f"row {row}", column, message, REMEDY)
                break


def _same(here: object, there: object) -> bool:
    if there is None:
        return here == "" or here != here
    return here == there or (here != here and there != there)
