"""A portfolio made in code, written as the folder that a planner would have."""

import csv
from pathlib import Path

from models.domain.portfolio import TABLES, Portfolio


def write(p: Portfolio, folder: Path) -> Path:
    """All its tables as CSV and its manifest."""
    folder.mkdir(exist_ok=True)
    manifest = ('name = "toy"', 'title = "Toy"', 'as_of = "2026-12-31"', 'scenario = "base"')
    (folder / "portfolio.toml").write_text("\n".join(manifest) + "\n")
    for table, record in TABLES.items():
        rows = getattr(p, table)
        if rows:
            with (folder / f"{table}.csv").open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(record.model_fields)
                writer.writerows([_cell(getattr(row, name)) for name in record.model_fields] for row in rows)
    return folder


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "; ".join(value) if isinstance(value, tuple) else str(value)
