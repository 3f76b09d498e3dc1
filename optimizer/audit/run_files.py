"""The files of a run folder or an audit bundle, read with bounds and held against their hashes."""

import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from models.findings import Finding
from optimizer.plans.layout import KIND, RUN

MAX_BYTES = 500_000_000
"""No run is larger, all files together; seven companies on a tree stay below 50 MB."""
MAX_FILES = 1_000
REMEDY = "name a folder that 'hashshift plan --out' has written, or a file of '--bundle'"
UNREADABLE = (
    OSError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
"""What damaged archives and files raise; RuntimeError where a part is encrypted."""

Read = Callable[[str, int], bytes]
"""Contents of a file of the run, of at most so many bytes and one more; an error of UNREADABLE otherwise."""


@dataclass(frozen=True)
class RunFiles:
    """What a run says of itself, and its files."""

    said: Mapping[str, Any]
    """Of run.json; empty when it cannot be read."""
    files: Mapping[str, bytes]
    """Contents of those that are listed, by their place; what is missing or too large is not there."""
    findings: tuple[Finding, ...]


def read_run(place: Path) -> RunFiles:
    """Files of a run; findings name those that are missing or are not as they were written."""
    try:
        if place.is_dir():
            return _listed(_from_folder(place))
        with zipfile.ZipFile(place) as archive:
            return _listed(_from_archive(archive))
    except FileNotFoundError:
        return _none(f"'{place!s:.120}' does not exist")
    except UNREADABLE as trouble:
        return _none(f"'{place!s:.120}' is neither a folder nor an archive that can be read: {_why(trouble)}")


def _listed(read: Read) -> RunFiles:
    """All files that run.json lists."""
    try:
        said = json.loads(_bounded(read, RUN, MAX_BYTES))
    except (*UNREADABLE, KeyError) as trouble:
        return _none(f"{RUN} cannot be read: {_why(trouble)}")
    if not isinstance(said, dict) or said.get("kind") != KIND:
        return _none(f"{RUN} is not that of a plan")
    hashes = said.get("sha256")
    if not isinstance(hashes, dict) or not hashes or len(hashes) > MAX_FILES:
        return RunFiles(said, {}, (_fault("no-hashes", RUN, "it lists no hashes of its files", REMEDY),))
    files: dict[str, bytes] = {}
    findings: list[Finding] = []
    left = MAX_BYTES
    for name, expected in hashes.items():
        again = "put the file back as it was written, or plan anew"
        try:
            files[name] = _bounded(read, name, left)
        except (*UNREADABLE, KeyError):
            findings.append(_fault("missing-file", name, "it is listed, but cannot be read", again))
            continue
        left -= len(files[name])
        if sha256(files[name]).hexdigest() != expected:
            findings.append(_fault("changed-file", name, "it is not as it was written", again))
    return RunFiles(said, files, tuple(findings))


def _bounded(read: Read, name: str, most: int) -> bytes:
    data = read(name, most)
    if len(data) > most:
        raise ValueError(f"more than {MAX_BYTES / 1e6:,.0f} MB")
    return data


def _from_folder(folder: Path) -> Read:
    inside = folder.resolve()

    def read(name: str, most: int) -> bytes:
        file = (inside / name).resolve(strict=True)
        if not file.is_relative_to(inside) or not file.is_file():
            raise ValueError("it is not a file of the folder")
        with file.open("rb") as content:
            return content.read(most + 1)

    return read


def _from_archive(archive: zipfile.ZipFile) -> Read:
    """Nothing is unpacked to a disk, and only what is listed is read."""

    def read(name: str, most: int) -> bytes:
        with archive.open(name) as content:
            return content.read(most + 1)

    return read


def _why(trouble: Exception) -> str:
    return " ".join(str(getattr(trouble, "strerror", None) or trouble).split())[:120]


def _none(message: str) -> RunFiles:
    return RunFiles({}, {}, (_fault("not-a-run", "", message, REMEDY),))


def _fault(code: str, file: str, message: str, remedy: str) -> Finding:
    return Finding("error", code, f"{file:.120}", "", "", message, remedy)
