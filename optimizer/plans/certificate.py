"""What a bound on every plan can be re-derived from: a program as plain arrays, with prices of its rows."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int32]
MAX_BYTES = 1_000_000_000
"""No program is larger, its arrays unpacked; that of a company on a tree stays below 50 MB."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """Maximise cost x + constant: row_lower <= A x <= row_upper, lower <= x <= upper, some of x whole.

    A is held by columns: entries ``start[j]:start[j+1]`` of ``row`` and ``coef`` are those of column j.
    Amounts in $M, MW, million shares; the objective in $M.
    """

    start: Index
    row: Index
    coef: Array
    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array
    is_integer: NDArray[np.bool_]
    cost: Array
    constant_usd_m: float
    dual: Array
    """What one more of each row's limit is worth, as a solver says. [$M]"""
    plan: Array
    """Value of each column in the plan shown."""
    per_share_usd: float
    """Value per share at which the objective is E[V] less claims; NaN where it is value itself."""

    def as_bytes(self) -> bytes:
        """What ``proof.npz`` holds: the same arrays give the same bytes."""
        held = io.BytesIO()
        np.savez_compressed(held, **{f.name: getattr(self, f.name) for f in fields(self)})
        return held.getvalue()


def read_certificate(data: bytes) -> Certificate:
    """What :meth:`Certificate.as_bytes` said; ValueError for anything else."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_BYTES:
                raise OSError(f"more than {MAX_BYTES / 1e6:,.0f} MB")
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            return _checked({f.name: held[f.name] for f in fields(Certificate)})
    except (
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        OSError,
        TypeError,
        zipfile.BadZipFile,
    ) as trouble:
        raise ValueError(f"no proof of a plan: {' '.join(str(trouble).split()):.120}") from trouble


def _checked(held: Mapping[str, NDArray[np.generic]]) -> Certificate:
    """The record of arrays, numbers and sizes that fit together; else ValueError."""
    columns, rows, entries = held["cost"].size, held["dual"].size, held["coef"].size
    sizes = {
        "start": columns + 1, "row": entries, "row_lower": rows, "row_upper": rows, "lower": columns,
        "upper": columns, "is_integer": columns, "plan": columns, "constant_usd_m": 1, "per_share_usd": 1,
    }  # fmt: skip
    wrong = [name for name, size in sizes.items() if held[name].size != size]
    if wrong:
        raise ValueError(f"{wrong[0]} has {held[wrong[0]].size} numbers where {sizes[wrong[0]]} are due")
    start, row = held["start"].astype(np.int32), held["row"].astype(np.int32)
    if start[0] != 0 or start[-1] != entries or np.any(np.diff(start) < 0):
        raise ValueError("start does not cut the entries into columns")
    if row.size and not 0 <= row.min() <= row.max() < rows:
        raise ValueError("row names rows that are not there")
    numbers = {
        name: held[name].astype(np.float64)
        for name in ("coef", "row_lower", "row_upper", "lower", "upper", "cost", "dual", "plan")
    }
    return Certificate(
        start=start,
        row=row,
        is_integer=held["is_integer"].astype(np.bool_),
        constant_usd_m=float(held["constant_usd_m"].item()),
        per_share_usd=float(held["per_share_usd"].item()),
        **numbers,
    )
