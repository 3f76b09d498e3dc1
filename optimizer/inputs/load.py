"""Load a portfolio: read, override, parse and check it, or say everything that is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from pathlib import Path

from models.domain.futures import mean_trunk
from models.domain.portfolio import TABLES, Portfolio
from models.domain.row import Row
from models.findings import Finding, InputError
from models.timetree import Quarter
from optimizer.inputs.catalogue import Gathered, Overridden, gather
from optimizer.inputs.check import check
from optimizer.inputs.checks.evidence import count_guesses
from optimizer.inputs.columns import nearest
from optimizer.inputs.manifest import Manifest
from optimizer.inputs.overrides import apply
from optimizer.inputs.parse import raw_key, read_rows
from optimizer.inputs.read import MANIFEST, RawRow
from optimizer.inputs.workbook import SECTION, SETTINGS
from optimizer.shipped import UnknownPortfolioError, data_folder, find_portfolio

LONGEST_TOLD = 2000
"""Of a message. [signs]"""
BALANCES_Q = 2
"""Balances may be so many quarters from the first one planned."""


@dataclass(frozen=True)
class Loaded:
    """A valid portfolio and what is to be said of its input."""

    name: str
    title: str
    as_of: date
    scenario: str
    """The scenario planned when none is asked for."""
    portfolio: Portfolio
    findings: tuple[Finding, ...]
    """Warnings only."""
    overridden: tuple[Overridden, ...]
    """Catalogue rows replaced by the portfolio's own, and cells changed by overrides."""
    guesses: int
    """Money inputs graded GUESS."""
    money_inputs: int
    """Cells in dollars outside the market deck."""
    digest: str
    """SHA-256 of all input files and overrides."""
    sheets: Mapping[tuple[str, str], RawRow] = field(default_factory=dict, repr=False)
    """Rows of a workbook by table and key; none of a folder."""

    def with_findings(self, more: Sequence[Finding]) -> "Loaded":
        """With what was found later, in its place in a workbook."""
        placed = [_placed(finding, self.sheets) for finding in more]
        return replace(self, findings=_told([*self.findings, *placed]))


def load(name_or_path: str | Path, *, overrides: str | Sequence[str] = ()) -> Loaded:
    """Load a portfolio's folder or workbook, or a shipped portfolio by its name.

    Parameters
    ----------
    name_or_path : str or Path
        A folder with portfolio.toml, a workbook ``.xlsx`` with the same tables as sheets, or a shipped
        name such as ``iren``; a portfolio of one's own wins.
    overrides : str or sequence of str
        Cells to change, each ``table[key].column=value``, key parts joined by ``|``; one alone is a str.

    Raises
    ------
    InputError
        With all findings, warnings included, when one of them is an error.
    """
    overrides = (overrides,) if isinstance(overrides, str) else tuple(overrides)
    gathered = gather(find(name_or_path), data_folder() / "catalogue")
    tables, changed, bad = (
        apply(gathered.tables, overrides) if gathered.manifest else (gathered.tables, [], [])
    )
    findings = [*gathered.findings, *bad]
    records: dict[str, tuple[Row, ...]] = {}
    for table in TABLES:
        rows, faults = read_rows(table, tables.get(table, ()))
        records[table] = tuple(rows)
        findings += faults
    portfolio = Portfolio.model_validate(records)
    if gathered.manifest is not None:
        if gathered.manifest.trunk == "mean" and not any(f.severity == "error" for f in findings):
            portfolio = mean_trunk(portfolio)
        broken = frozenset(f.table for f in findings if f.severity == "error")
        findings += check(portfolio, broken)
        findings += _scenario_known(gathered.manifest, portfolio, broken)
        findings += _balances_of_the_opening(gathered.manifest, portfolio, broken)
    sheets = _sheets(gathered)
    findings = _located(findings, gathered, sheets)
    if any(f.severity == "error" for f in findings):
        raise InputError(_told(findings))
    return _loaded(gathered, portfolio, findings, changed, overrides, sheets)


def _loaded(
    gathered: Gathered,
    portfolio: Portfolio,
    findings: list[Finding],
    changed: list[Overridden],
    overrides: tuple[str, ...],
    sheets: Mapping[tuple[str, str], RawRow],
) -> Loaded:
    manifest = gathered.manifest
    assert manifest is not None, "a portfolio without manifest has errors"
    guesses, money_inputs = count_guesses(portfolio)
    return Loaded(
        name=manifest.name,
        title=manifest.title,
        as_of=manifest.as_of,
        scenario=manifest.scenario,
        portfolio=portfolio,
        findings=_told(findings),
        overridden=(*gathered.overridden, *changed),
        guesses=guesses,
        money_inputs=money_inputs,
        digest=sha256("\n".join([gathered.digest, *overrides]).encode(errors="replace")).hexdigest(),
        sheets=sheets,
    )


def find(name_or_path: str | Path) -> Path:
    """Folder or workbook of a portfolio; InputError with the nearest shipped name when there is none."""
    try:
        return find_portfolio(str(name_or_path))
    except UnknownPortfolioError as miss:
        remedy = nearest(str(name_or_path), miss.shipped, "shipped: " + (", ".join(miss.shipped) or "none"))
        message = f"no folder, workbook or shipped portfolio is called '{name_or_path}'"
    except (OSError, ValueError) as trouble:
        message, remedy = f"'{str(name_or_path)[:80]}' cannot be a path: {trouble}"[:200], "name a folder"
    raise InputError(_told([Finding("error", "unknown-portfolio", "", "", "", message, remedy)]))


def _scenario_known(manifest: Manifest, portfolio: Portfolio, broken: frozenset[str]) -> list[Finding]:
    known = [s.scenario for s in portfolio.scenarios]
    if manifest.scenario in known or "scenarios" in broken:
        return []
    message = f"there is no scenario '{manifest.scenario}'"
    remedy = nearest(manifest.scenario, known, "known: " + (", ".join(known) or "none"))
    return [Finding("error", "unknown-scenario", MANIFEST, "scenario", "", message, remedy)]


def _balances_of_the_opening(
    manifest: Manifest, portfolio: Portfolio, broken: frozenset[str]
) -> list[Finding]:
    """Balances are of about the day on which the plan begins."""
    if "company" in broken or not portfolio.company:
        return []
    first = portfolio.firm.first_quarter
    as_of = Quarter.parse(f"{manifest.as_of.year:04}Q{(manifest.as_of.month + 2) // 3}")
    if abs(first - as_of) <= BALANCES_Q:
        return []
    message = f"{manifest.as_of} is far from the first quarter of the plan, {first}"
    remedy = f"the balances must be those before {first} begins: correct as_of, or first_quarter in company"
    return [Finding("warning", "as-of", MANIFEST, "as_of", "", message, remedy)]


def _sheets(gathered: Gathered) -> dict[tuple[str, str], RawRow]:
    """Rows of a workbook by table and key."""
    tables = gathered.tables if gathered.settings_at is not None else {}
    return {(table, raw_key(table, row)): row for table in TABLES for row in tables.get(table, ())}


def _located(
    findings: list[Finding], gathered: Gathered, sheets: Mapping[tuple[str, str], RawRow]
) -> list[Finding]:
    """In a workbook a finding names its cell, and what is said of settings their sheet."""
    settings = gathered.settings_at
    if settings is None:
        return findings
    return [
        replace(f, table=SETTINGS, cell=settings.get(f.row, SETTINGS))
        if f.table == MANIFEST
        else replace(f, cell=settings.get(f"{SECTION}{f.table}", SETTINGS))
        if f.code == "unknown-catalogue-row"
        else _placed(f, sheets)
        for f in findings
    ]


def _placed(finding: Finding, sheets: Mapping[tuple[str, str], RawRow]) -> Finding:
    row = sheets.get((finding.table, finding.row))
    return replace(finding, cell=row.address(finding.column)) if row and not finding.cell else finding


def _told(findings: list[Finding]) -> tuple[Finding, ...]:
    """Findings in order, in signs that any terminal can show."""
    return tuple(
        replace(
            f,
            row=_printable(f.row),
            column=_printable(f.column),
            cell=_printable(f.cell),
            message=_printable(f.message),
            remedy=_printable(f.remedy),
        )
        for f in sorted(findings)
    )


def _printable(text: str) -> str:
    shown = text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}..."
    return "".join(sign if sign.isprintable() else "?" for sign in shown)
