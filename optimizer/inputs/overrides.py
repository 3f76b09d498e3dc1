"""`--set table[key].column=value`: one cell of a portfolio changed from the command line."""

import re
from dataclasses import replace

from models.domain.portfolio import TABLES
from models.findings import Finding
from optimizer.inputs.catalogue import Overridden, Tables
from optimizer.inputs.checks.register import listed
from optimizer.inputs.columns import columns_of, nearest
from optimizer.inputs.parse import raw_key

FORM = re.compile(r"\s*(\w+)\[(.*?)\]\.(\w+)\s*=(.*)", re.DOTALL)


def apply(tables: Tables, overrides: tuple[str, ...]) -> tuple[Tables, list[Overridden], list[Finding]]:
    """Tables with the cells changed, what was changed, and the overrides that fit nothing."""
    changed, found = dict(tables), list[Finding]()
    done: list[Overridden] = []
    for override in overrides:
        result = _apply(changed, override)
        if isinstance(result, Finding):
            found.append(result)
        else:
            done.append(result)
    return changed, done, found


def _apply(tables: Tables, override: str) -> Overridden | Finding:
    """Change one cell of ``tables``; what was there before, or why it cannot be."""
    match = FORM.fullmatch(override)
    if match is None:
        return _fault("", "", "", override, "it has another form", "write table[key].column=value")
    table, key, column, value = (part.strip() for part in match.groups())
    if table not in TABLES:
        remedy = nearest(table, list(TABLES), "tables: " + ", ".join(TABLES))
        return _fault("", "", "", override, f"there is no table '{table}'", remedy)
    columns = columns_of(TABLES[table])
    if column not in columns or column in TABLES[table].key:
        free = [name for name in columns if name not in TABLES[table].key]
        message = f"'{column}' names the row" if column in columns else f"{table} has no column '{column}'"
        return _fault(
            table, key, column, override, message, nearest(column, free, "columns: " + ", ".join(free))
        )
    rows = {raw_key(table, row): n for n, row in enumerate(tables[table])}
    if key not in rows:
        near = sorted(rows, key=lambda row: not row.startswith(f"{key}|"))
        parts = "|".join(TABLES[table].key)
        listing = f"rows, by {parts}: {listed(near, 12)}"
        meant = nearest(key, list(rows), "")
        remedy = f"{meant} {listing}" if meant else listing
        return _fault(table, key, column, override, f"{table} has no row '{key}'", remedy)
    before = tables[table]
    old = before[rows[key]]
    new = replace(old, cells={**old.cells, column: value or None})
    tables[table] = (*before[: rows[key]], new, *before[rows[key] + 1 :])
    return Overridden(table, key, column, old.cells.get(column) or "", value)


def _fault(table: str, row: str, column: str, override: str, message: str, remedy: str) -> Finding:
    told = f"--set {override:.120}: {message}"
    return Finding("error", "bad-override", table, row, column, told, remedy)
