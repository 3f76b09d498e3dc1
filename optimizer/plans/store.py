"""A plan on disk: its tables as CSV, Parquet and one workbook beside run.json, swapped in as a whole."""

import ctypes
import errno
import fcntl
import io
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from optimizer.plans.cells import escaped, exact
from optimizer.plans.layout import KIND, LOG, PROOF, RUN
from optimizer.plans.plan import Plan
from optimizer.plans.tables import BY_NAME, DECLARED, Table
from optimizer.plans.workbook import FILE as WORKBOOK
from optimizer.plans.workbook import workbook

ASIDE = ".hashshift-"
"""What is not yet whole is written into a folder of this name beside its place."""
AT_CWD, EXCHANGE = -100, 2
"""Of Linux's renameat2: from the working folder; both places exist, and what stands in them is exchanged."""
REJECTED = ".rejected"
"""Added to the folder's name when the audit refuses the plan."""


class StoreError(Exception):
    """The folder holds what is not ours, or cannot be written."""


def write(plan: Plan, folder: Path) -> Path:
    """Write a plan into a folder, or beside it as ``FOLDER.rejected`` when its audit failed.

    An existing folder is replaced as a whole, and only if it is empty or an earlier plan; files in it that
    are not of the plan are carried over. On any failure it stays as it was.

    Returns
    -------
    Path
        The folder written.

    Raises
    ------
    StoreError
        When the folder is not ours to replace, or cannot be written.
    """
    target = folder.resolve()
    if not plan.audit.passed:
        target = target.with_name(target.name + REJECTED)
    refuse_foreign(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=ASIDE, dir=target.parent) as aside:
            made, was = Path(aside) / "made", Path(aside) / "was"
            made.mkdir()
            _fill(plan, made)
            with _in_turn(target.parent):
                refuse_foreign(target)
                _carry_over(target, made, _files_of(target))
                _swap(made, target, was)
    except OSError as trouble:
        raise StoreError(f"'{target}' cannot be written: {trouble.strerror or trouble}") from trouble
    return target


def refuse_foreign(folder: Path) -> None:
    """Say no to a folder that a plan may not replace: one with files of others and no plan in it."""
    try:
        target = folder.resolve()
        if target in _working_folders():
            raise StoreError(f"'{target}' is the working folder or above it: name a folder of its own")
        if target.exists() and not target.is_dir():
            raise StoreError(f"'{target}' is a file: name a folder")
        holds_others = target.exists() and any(target.iterdir()) and not _files_of(target)
    except (OSError, ValueError) as trouble:
        raise _refusal(folder, "read", trouble) from trouble
    if holds_others:
        raise StoreError(f"'{target}' holds files but no plan of hashshift: name a new folder")


def _working_folders() -> set[Path]:
    """The working folder and those above it; none where it has been deleted."""
    try:
        here = Path.cwd().resolve()
    except OSError:
        return set()
    return {here, *here.parents}


def refuse_unwritable(place: Path) -> None:
    """Say no, before any work, to a file or folder that could not be written in the end."""
    try:
        target = place.resolve()
        near = target.parent
        while not near.exists():
            near = near.parent
        longest = max(len(os.fsencode(part)) for part in (target.name + REJECTED, *target.parts))
        if longest > os.pathconf(near, "PC_NAME_MAX"):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        for folder in {near, target if target.is_dir() else near}:
            os.rmdir(tempfile.mkdtemp(prefix=ASIDE, dir=folder))
    except (OSError, ValueError) as trouble:
        raise _refusal(place, "written", trouble) from trouble


def _refusal(place: Path, done: str, trouble: Exception) -> StoreError:
    return StoreError(f"'{place!s:.120}' cannot be {done}: {getattr(trouble, 'strerror', None) or trouble}")


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables of a plan on disk, as they were written."""
    if not _files_of(folder):
        raise StoreError(f"'{folder}' holds no plan of hashshift")
    return {t.name: pd.read_parquet(folder / f"{t.name}.parquet") for t in DECLARED if _has(folder, t)}


def plain(value: object) -> object:
    """A value as JSON can hold it; what is not a finite number becomes None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    return str(value)


def _has(folder: Path, table: Table) -> bool:
    return (folder / f"{table.name}.parquet").is_file()


def _files_of(folder: Path) -> frozenset[str]:
    """Names of the files that a plan wrote into a folder; none when it is not a plan's."""
    try:
        said = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return frozenset()
    if not isinstance(said, dict) or said.get("kind") != KIND:
        return frozenset()
    return frozenset([RUN, *map(str, said.get("files", ()))])


def contents(plan: Plan, more: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Files of a plan by their place in its folder, ``more`` among them; run.json has the hash of each."""
    files, shown = dict[str, bytes](), dict[str, pd.DataFrame]()
    for name, frame in _declared(plan):
        shown[name] = frame.apply(escaped) if len(frame) else frame
        text = shown[name].to_csv(None, index=False, float_format=exact, lineterminator="\n")
        files[f"{name}.csv"] = text.encode("utf-8")
        parquet = io.BytesIO()
        pq.write_table(_arrow(name, frame), parquet)
        files[f"{name}.parquet"] = parquet.getvalue()
    files |= {WORKBOOK: workbook(plan, shown), **plan.inputs, **(more or {})}
    if plan.certificate is not None:
        files[PROOF] = plan.certificate.as_bytes()
    if plan.log:
        files[LOG] = plan.log.encode("utf-8")
    hashes = {name: sha256(data).hexdigest() for name, data in files.items()}
    said = plain({"kind": KIND, **_scalars(plan), "files": list(files), "sha256": hashes})
    text = json.dumps(said, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return {RUN: text.encode("utf-8", errors="replace"), **files}


def _fill(plan: Plan, folder: Path) -> None:
    for name, data in contents(plan).items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)


def _declared(plan: Plan) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables in the declared order, columns too."""
    for table in DECLARED:
        if table.name in plan.tables:
            frame = plan.tables[table.name]
            yield table.name, frame[[c.name for c in table.columns]].reset_index(drop=True)


def _arrow(name: str, frame: pd.DataFrame) -> pa.Table:
    """A table whose columns carry their units; types do not depend on whether it has rows."""
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    fields = []
    for column, field in zip(BY_NAME[name].columns, arrow.schema, strict=True):
        if pa.types.is_null(field.type):
            field = field.with_type(pa.string() if column.unit == "-" else pa.float64())
        fields.append(field.with_metadata({"unit": column.unit, "role": column.role}))
    return arrow.cast(pa.schema(fields, metadata=arrow.schema.metadata))


def _scalars(plan: Plan) -> dict[str, object]:
    """Everything of a plan but its tables."""
    tree = plan.tree
    return {
        "name": plan.name,
        "title": plan.title,
        "as_of": plan.as_of,
        "scenario": plan.scenario,
        "status": plan.status,
        "note": plan.note,
        "loop": plan.loop,
        "objective": plan.proved,
        "value_per_share_usd": plan.value_per_share_usd,
        "own_price_usd": plan.own_price_usd,
        "committed_value_per_share_usd": plan.committed_value_per_share_usd,
        "price_usd": plan.price_usd,
        "implied_return": plan.implied_return,
        "beyond_horizon_frac": plan.beyond_horizon_frac,
        "beyond_contracts_frac": plan.beyond_contracts_frac,
        "shares_m": plan.shares_m,
        "taxes": plan.taxes,
        "audit": asdict(plan.audit),
        "evidence": asdict(plan.evidence),
        "findings": [asdict(f) for f in plan.findings],
        "seconds": plan.seconds,
        "run": plan.run,
        "nodes": [
            {
                "node": tree.label(n),
                "parent": tree.label(tree.parent[n]) if tree.parent[n] >= 0 else None,
                "probability": tree.probability[n],
            }
            for n in tree.nodes
        ],
        "tables": {
            t.name: {"purpose": t.purpose, "columns": [asdict(c) for c in t.columns]}
            for t in DECLARED
            if t.name in plan.tables
        },
    }


def _carry_over(target: Path, made: Path, ours: frozenset[str], below: str = "") -> None:
    """Copy what others put into an earlier plan's folder, and into the folders that the plan made in it."""
    if not target.exists():
        return
    for entry in target.iterdir():
        name, place = f"{below}{entry.name}", made / entry.name
        if name in ours or place.is_file():
            continue
        is_folder = entry.is_dir() and not entry.is_symlink()
        if is_folder and (place.exists() or any(file.startswith(f"{name}/") for file in ours)):
            _carry_over(entry, place, ours, f"{name}/")
            continue
        made.mkdir(exist_ok=True)
        if is_folder:
            shutil.copytree(entry, place, symlinks=True)
        else:
            shutil.copy2(entry, place, follow_symlinks=False)


@contextmanager
def _in_turn(folder: Path) -> Iterator[None]:
    """Of several runs that write into one folder, one at a time; where nothing can be locked, at once."""
    held = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _swap(made: Path, target: Path, was: Path) -> None:
    """Put the new folder in the place of the old one: at one stroke where the system can.

    Elsewhere the old one is put aside first, and comes back if the second step fails.
    """
    if not target.exists():
        os.rename(made, target)
        return
    if _exchanged(made, target):
        return
    os.rename(target, was)
    try:
        os.rename(made, target)
    except BaseException:
        os.rename(was, target)
        raise


def _exchanged(one: Path, other: Path) -> bool:
    """Whether two folders have changed places at one stroke, as Linux can on most file systems."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    return bool(renameat2(AT_CWD, os.fsencode(one), AT_CWD, os.fsencode(other), EXCHANGE) == 0)
