"""What a portfolio says itself, before anything is taken from the catalogue: its settings and its tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.findings import Finding
from optimizer.inputs.manifest import Settings, read_toml
from optimizer.inputs.parse import column_faults
from optimizer.inputs.read import MANIFEST, RawTable, read_csv, read_folder


@dataclass
class Own:
    """Settings and tables as they stand, what is wrong with them, and the bytes that they were read from."""

    settings: Settings | None = None
    """None when they are missing or cannot be read."""
    settings_at: Mapping[str, str] | None = None
    """Cell of each setting in a workbook; None when the portfolio is a folder."""
    tables: dict[str, RawTable] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)


def read_own_folder(folder: Path) -> Own:
    """A folder with portfolio.toml and CSV files."""
    contents, found = read_folder(folder)
    own = Own(findings=found, contents=contents)
    if MANIFEST not in contents:
        return own
    settings = read_toml(contents[MANIFEST])
    if isinstance(settings, Finding):
        own.findings.append(settings)
    else:
        own.settings = settings
    for name, data in contents.items():
        if name != MANIFEST:
            table = name.removesuffix(".csv")
            own.tables[table], faults = read_table(table, name, data)
            own.findings += faults
    return own


def read_table(name: str, place: str, data: bytes) -> tuple[RawTable, list[Finding]]:
    """One table file as text, and what is wrong with its form and columns."""
    raw, faults = read_csv(name, place, data)
    readable = raw.columns and not any(fault.code == "not-commas" for fault in faults)
    return raw, [*faults, *(column_faults(name, raw) if readable else ())]
