"""A portfolio as one workbook: the same portfolio, the same findings with their cells, and no other end."""

import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from xlsxwriter import Workbook as NewWorkbook

from models.findings import Finding, InputError
from models.timetree import Quarter
from optimizer.inputs import workbook
from optimizer.inputs.convert import write_workbook
from optimizer.inputs.load import load
from optimizer.inputs.template import write_template
from optimizer.shipped import find_portfolio, shipped_portfolios

Place = tuple[str, str, str, str, str]


def found(file: Path, *overrides: str) -> tuple[Finding, ...]:
    """What is found, whether the workbook loads or not."""
    try:
        return load(file, overrides=overrides).findings
    except InputError as refused:
        return refused.findings


def places(findings: tuple[Finding, ...]) -> set[Place]:
    return {(f.code, f.table, f.row, f.column, f.cell) for f in findings}


@pytest.fixture
def file(draft: Any, tmp_path: Path) -> Path:
    """The small portfolio as a workbook."""
    write_workbook(tmp_path / "small.xlsx", draft.write())
    return tmp_path / "small.xlsx"


def spoilt(file: Path, change: Callable[[Workbook], object]) -> Path:
    """The workbook after a change, as openpyxl saves it."""
    book = load_workbook(file)
    change(book)
    book.save(file)
    return file


def cell(book: Workbook, table: str, row: int, column: str) -> Any:
    """Cell of a column by its name."""
    sheet = book[table]
    names = [head.value for head in sheet[1]]
    return sheet.cell(row, names.index(column) + 1)


def put(table: str, row: int, column: str, value: object) -> Callable[[Workbook], None]:
    def change(book: Workbook) -> None:
        cell(book, table, row, column).value = value

    return change


def with_part(file: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """The workbook with one part of its archive changed."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, change(content) if name == part else content)
    return file


@pytest.mark.parametrize("name", shipped_portfolios())
def test_a_folder_as_a_workbook_is_the_same_portfolio(name: str, tmp_path: Path) -> None:
    write_workbook(tmp_path / "one.xlsx", find_portfolio(name))
    folder, one = load(name), load(tmp_path / "one.xlsx")
    assert one.portfolio == folder.portfolio
    for fact in ("name", "title", "as_of", "scenario", "findings", "guesses", "money_inputs"):
        assert getattr(one, fact) == getattr(folder, fact), fact


def test_the_starter_is_the_same_as_a_workbook_and_as_a_folder(tmp_path: Path) -> None:
    write_template(tmp_path / "my mine")
    write_workbook(tmp_path / "my mine.xlsx")
    folder, one = load(tmp_path / "my mine"), load(tmp_path / "my mine.xlsx")
    assert one.portfolio == folder.portfolio
    assert (one.name, one.findings, one.guesses) == ("my-mine", (), folder.guesses)


def test_what_stands_on_the_sheets(tmp_path: Path) -> None:
    write_workbook(tmp_path / "one.xlsx")
    book = load_workbook(tmp_path / "one.xlsx")
    assert book.sheetnames[0] == "portfolio"
    for sheet in book:
        assert sheet.freeze_panes == "A2", sheet.title
        assert all(head.comment.text for head in sheet[1]), sheet.title
        assert all(len(text) <= 32_767 for text in (head.comment.text for head in sheet[1]))
    energised, resale, quarter = (
        cell(book, "power", 2, c) for c in ("energised_mw", "resale_allowed", "from_quarter")
    )
    assert (energised.value, resale.value, quarter.value) == (100, False, "2026Q3")
    assert "MW" in cell(book, "power", 1, "energised_mw").comment.text
    assert cell(book, "contracts", 2, "sites").value == "west;lakes"
    settings = {row[0].value: row[1].value for row in book["portfolio"].iter_rows(min_row=2)}
    assert settings["catalogue.machines"] == "s21; s21-xp"
    assert settings["catalogue.valuation"] == "all"
    assert settings["name"] == "one"


def test_the_same_portfolio_gives_the_same_bytes(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a" / "one.xlsx")
    write_workbook(tmp_path / "b" / "one.xlsx")
    assert (tmp_path / "a" / "one.xlsx").read_bytes() == (tmp_path / "b" / "one.xlsx").read_bytes()


def test_what_is_there_or_not_a_folder_is_left_alone(file: Path, draft: Any) -> None:
    before = file.read_bytes()
    for source in (None, draft.folder, file):
        with pytest.raises(InputError) as refused:
            write_workbook(file, source)
        assert [f.code for f in refused.value.findings] == ["not-written"]
    draft.folder.joinpath("sites.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError) as refused:
        write_workbook(file.with_name("new.xlsx"), draft.folder)
    assert [f.code for f in refused.value.findings] == ["not-utf-8"]
    assert file.read_bytes() == before
    assert sorted(entry.name for entry in file.parent.iterdir()) == ["small", "small.xlsx"]


@pytest.mark.parametrize("text", ["0.1", "1e-7", "4", "4.0", "1_000", "0.30000000000000004", "nan", "9" * 30])
def test_a_number_is_judged_as_in_a_folder(draft: Any, tmp_path: Path, text: str) -> None:
    draft.set("sites", "alpha", once_cost_usd_m=text)
    write_workbook(tmp_path / "one.xlsx", draft.write())

    def outcome(place: Path) -> object:
        try:
            return load(place).portfolio.sites[0].once_cost_usd_m
        except InputError as refused:
            return {(f.code, f.table, f.row, f.column) for f in refused.findings}

    assert outcome(tmp_path / "one.xlsx") == outcome(draft.folder)


@pytest.mark.parametrize(
    ("table", "column", "value", "read"),
    [
        ("sites", "once_cost_usd_m", 4, 4.0),
        ("sites", "once_cost_usd_m", 1.25e-7, 1.25e-7),
        ("sites", "once_cost_usd_m", " 4.5 ", 4.5),
        ("sites", "hpc_allowed", True, True),
        ("sites", "hpc_allowed", "Yes", True),
        ("company", "horizon_q", 4.0, 4),
        ("sites", "earliest_conversion_quarter", " 2026Q3", Quarter.parse("2026Q3")),
        ("sites", "note", "=not run", "=not run"),
        ("sites", "note", 7, "7"),
    ],
)
def test_cells_are_read_as_a_spreadsheet_types_them(
    file: Path, table: str, column: str, value: object, read: object
) -> None:
    def change(book: Workbook) -> None:
        target = cell(book, table, 2, column)
        target.value = value
        if isinstance(value, str):
            target.data_type = "s"

    (row, *_) = getattr(load(spoilt(file, change)).portfolio, table)
    assert getattr(row, column) == read


def test_a_percentage_is_its_fraction(file: Path) -> None:
    def change(book: Workbook) -> None:
        target = cell(book, "company", 2, "cost_of_equity_frac")
        target.value, target.number_format = 0.175, "0.0%"

    assert load(spoilt(file, change)).portfolio.firm.cost_of_equity_frac == 0.175


def test_empty_rows_notes_and_sheets_of_notes_are_left_out(file: Path) -> None:
    before = load(file).portfolio

    def change(book: Workbook) -> None:
        book["sites"].insert_rows(1, 2)
        book["sites"]["A1"] = "# our sites"
        book["sites"].merge_cells("A1:F1")
        book["sites"].insert_rows(5)
        book["sites"].append(["#", "more of it", 3])
        book.create_sheet("Sheet1")
        book.create_sheet("# my sums")["B2"] = "=1+1"
        book["regions"]["A9"].number_format = "0.0"

    assert load(spoilt(file, change)).portfolio == before


def drop(name: str) -> Callable[[Workbook], None]:
    return lambda book: book.remove(book[name])


def rename(old: str, new: str) -> Callable[[Workbook], None]:
    def change(book: Workbook) -> None:
        book[old].title = new

    return change


def head(table: str, column: str, name: str | None) -> Callable[[Workbook], None]:
    return put(table, 1, column, name)


def beyond(book: Workbook) -> None:
    book["regions"].cell(2, book["regions"].max_column + 2).value = "x"


def merge(cells: str) -> Callable[[Workbook], None]:
    table, _, area = cells.partition("!")
    return lambda book: book[table].merge_cells(area)


def emptied(book: Workbook) -> None:
    book.remove(book["regions"])
    book.create_sheet("regions")


def setting(key: str, value: object) -> Callable[[Workbook], None]:
    """Change a setting, or add one."""

    def change(book: Workbook) -> None:
        sheet = book["portfolio"]
        at = next(row for row in range(2, 9) if sheet.cell(row, 1).value in (key, None))
        sheet.cell(at, 1).value, sheet.cell(at, 2).value = key, value

    return change


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (rename("sites", "SITE"), ("unknown-sheet", "sites", "SITE", "", "SITE")),
        (rename("budgets", "budget"), ("unknown-sheet", "budgets", "budget", "", "budget")),
        (drop("portfolio"), ("no-manifest", "portfolio", "", "", "")),
        (emptied, ("no-header", "regions", "", "", "regions")),
        (head("sites", "region", "regionn"), ("unknown-column", "sites", "", "regionn", "sites!C1")),
        (head("sites", "region", "site"), ("duplicate-column", "sites", "line 1", "site", "sites!C1")),
        (head("sites", "region", None), ("unnamed-column", "sites", "line 1", "", "sites!1:1")),
        (
            put("sites", 2, "earliest_conversion_quarter", date(2027, 4, 1)),
            ("date-cell", "sites", "alpha", "earliest_conversion_quarter", "sites!K2"),
        ),
        (
            put("sites", 3, "site", datetime(2027, 4, 1, 9)),
            ("date-cell", "sites", "line 3", "site", "sites!A3"),
        ),
        (put("fleets", 3, "mw", "=1+1"), ("formula-without-value", "fleets", "beta-s21", "mw", "fleets!D3")),
        (put("fleets", 3, "mw", "#REF!"), ("error-cell", "fleets", "beta-s21", "mw", "fleets!D3")),
        (put("fleets", 3, "mw", "x" * 32_767), ("not-a-number", "fleets", "beta-s21", "mw", "fleets!D3")),
        (put("fleets", 3, "mw", None), ("empty-cell", "fleets", "beta-s21", "mw", "fleets!D3")),
        (put("fleets", 3, "mw", True), ("not-a-number", "fleets", "beta-s21", "mw", "fleets!D3")),
        (put("fleets", 3, "mw", -1), ("out-of-range", "fleets", "beta-s21", "mw", "fleets!D3")),
        (put("fleets", 3, "age_q", 2.5), ("not-a-number", "fleets", "beta-s21", "age_q", "fleets!E3")),
        (put("fleets", 3, "fleet", "alpha-s21"), ("duplicate-key", "fleets", "alpha-s21", "", "fleets!3:3")),
        (put("fleets", 3, "site", "gamma"), ("unknown-reference", "fleets", "beta-s21", "site", "fleets!B3")),
        (beyond, ("ragged-row", "regions", "texas", "", "regions!{beyond}2")),
        (setting("as_of", "30 June"), ("bad-value", "portfolio", "as_of", "", "portfolio!B4")),
        (setting("name", None), ("missing-key", "portfolio", "name", "", "portfolio!B2")),
        (setting("scenario", "bass"), ("unknown-scenario", "portfolio", "scenario", "", "portfolio!B5")),
        (setting("deck", "mid"), ("unknown-deck", "portfolio", "deck", "", "portfolio!B6")),
        (setting("catalogue", "all"), ("unknown-key", "portfolio", "catalogue", "", "portfolio!A6")),
        (
            setting("catalogue.product", "all"),
            ("unknown-key", "portfolio", "catalogue.product", "", "portfolio!B6"),
        ),
        (
            setting("catalogue.products", "ALL"),
            ("unknown-catalogue-row", "products", "ALL", "", "portfolio!B6"),
        ),
        (merge("sites!D2:D3"), ("merged-cells", "sites", "", "", "sites!D2:D3")),
        (merge("portfolio!B2:C2"), ("merged-cells", "portfolio", "", "", "portfolio!B2:C2")),
        (head("portfolio", "note", "remark"), ("unknown-column", "portfolio", "", "remark", "portfolio!C1")),
        (head("portfolio", "value", "note"), ("missing-column", "portfolio", "", "value", "portfolio")),
        (put("portfolio", 2, "key", None), ("empty-cell", "portfolio", "line 2", "key", "portfolio!A2")),
        (put("portfolio", 3, "key", "name"), ("duplicate-key", "portfolio", "name", "", "portfolio!A3")),
    ],
)
def test_each_fault_is_found_with_its_cell(
    file: Path, change: Callable[[Workbook], None], place: Place
) -> None:
    findings = found(spoilt(file, change))
    letter = (
        "" if "{" not in place[4] else load_workbook(file)["regions"].dimensions.split(":")[1].rstrip("2")
    )
    *where, at = place
    wanted = (*where, at.format(beyond=letter))
    assert wanted in places(findings), findings
    (told,) = [f for f in findings if (f.code, f.table, f.row, f.column, f.cell) == wanted]
    assert told.severity == "error"
    assert str(told).startswith(f"error {told.code} {told.cell or told.table}")


def test_the_nearest_name_is_told(file: Path) -> None:
    (finding,) = [f for f in found(spoilt(file, rename("budgets", "budget"))) if f.code == "unknown-sheet"]
    assert finding.remedy == "did you mean 'budgets'?"


def test_a_fault_is_told_once_and_others_of_its_row_too(file: Path) -> None:
    def change(book: Workbook) -> None:
        cell(book, "fleets", 3, "mw").value = date(2027, 1, 1)
        cell(book, "fleets", 3, "age_q").value = "x"

    assert places(found(spoilt(file, change))) == {
        ("date-cell", "fleets", "beta-s21", "mw", "fleets!D3"),
        ("not-a-number", "fleets", "beta-s21", "age_q", "fleets!E3"),
    }


def test_a_date_is_a_date_where_one_is_wanted(file: Path) -> None:
    assert load(spoilt(file, setting("as_of", datetime(2026, 6, 30)))).as_of == date(2026, 6, 30)


def test_overrides_are_checked_with_their_cell(file: Path) -> None:
    assert load(file, overrides="contracts[lease].max_mw=55").portfolio.contracts[0].max_mw == 55
    ((*_, at),) = places(found(file, "contracts[lease].max_mw=x"))
    assert at == "contracts!K2"


def test_the_digest_follows_the_bytes_and_not_the_name(file: Path) -> None:
    first = load(file).digest
    assert load(file.rename(file.with_name("other.XLSX"))).digest == first
    spoilt(file.with_name("other.XLSX"), put("sites", 2, "note", "changed"))
    assert load(file.with_name("other.XLSX")).digest != first


def test_a_formula_counts_by_the_value_stored_beside_it(tmp_path: Path) -> None:
    values = {"region": "texas", "climate": "BLANK", "gpu_cloud_allowed": True, "source": "#DIV/0!"}
    made = NewWorkbook(tmp_path / "one.xlsx")
    sheet = made.add_worksheet("regions")
    for n, (column, value) in enumerate(values.items()):
        sheet.write_string(0, n, column)
        sheet.write_formula(1, n, '=IF(TRUE,"x")', None, value)
    made.close()
    spreadsheets = with_part(
        tmp_path / "one.xlsx", "xl/worksheets/sheet1.xml", lambda x: x.replace(b"BLANK", b"")
    )
    own = workbook.read_workbook(spreadsheets)
    (row,) = own.tables["regions"].rows
    assert row.cells == {"region": "texas", "climate": None, "gpu_cloud_allowed": "true"}
    assert ("error-cell", "regions", "texas", "source", "regions!D2") in places(tuple(own.findings))


def test_only_a_workbook_is_read_as_one(draft: Any) -> None:
    folder = draft.write()
    folder.rename(folder.with_name("small.xlsx"))
    assert load(folder.with_name("small.xlsx")).name == "small"
