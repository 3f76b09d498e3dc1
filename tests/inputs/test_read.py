"""Folders and CSV files: whatever is wrong with the bytes is a finding with its file and line."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.findings import Finding, InputError
from optimizer.inputs import read
from optimizer.inputs.load import load
from optimizer.inputs.read import read_csv


def refused(path: object) -> tuple[Finding, ...]:
    """Findings of a folder that does not load."""
    with pytest.raises(InputError) as refusal:
        load(str(path))
    return refusal.value.findings


def codes(findings: tuple[Finding, ...]) -> set[tuple[str, str, str]]:
    return {(f.code, f.table, f.row) for f in findings}


def rows(text: str) -> list[dict[str, str | None]]:
    table, found = read_csv("sites", "sites.csv", text.encode())
    assert found == []
    return [row.cells for row in table.rows]


def test_cells_are_stripped_and_empty_ones_none() -> None:
    assert rows("a, b ,c\n 1 ,,x y \n") == [{"a": "1", "b": None, "c": "x y"}]


@pytest.mark.parametrize("text", ["\ufeffa,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\r1,2", "a,b,,\n1,2,,\n,,,\n\n"])
def test_marks_line_ends_and_empty_cells_at_the_end_do_not_matter(text: str) -> None:
    assert rows(text) == [{"a": "1", "b": "2"}]


def test_comment_lines_are_left_out_also_with_quotes() -> None:
    assert rows('# said "so, by "me\n a,b\n  # second, "\n1,2\n#end') == [{"a": "1", "b": "2"}]


def test_a_quoted_cell_may_hold_commas_lines_and_hashes() -> None:
    assert rows('a,b\n"1, one\n# more\n\nend",2\n') == [{"a": "1, one\n# more\n\nend", "b": "2"}]


def test_lines_are_counted_from_the_top_of_the_file() -> None:
    table, _ = read_csv("sites", "sites.csv", b"# note\n\na,b\n# note\n1,2\n\n3,4\n")
    assert [row.line for row in table.rows] == [5, 7]


@pytest.mark.parametrize(
    ("data", "code", "row"),
    [
        (b"a,b\n1,2\n\xff\xfe,4\n", "not-utf-8", "line 3"),
        (b"a,b\n1,\x002\n", "nul-byte", "line 2"),
        (b"a,b\n1,2\n1\n", "ragged-row", "line 3"),
        (b"a,b\n1,2,3\n", "ragged-row", "line 2"),
        (b"a,b,a\n1,2,3\n", "duplicate-column", "line 1"),
        (b"a,,b\n1,2,3\n", "unnamed-column", "line 1"),
        (b"a;b\n1;2\n", "not-commas", "line 1"),
        (b"a\tb\n1\t2\n", "not-commas", "line 1"),
        (b'a,b\n"1,2\n', "bad-csv", ""),
        (b"a,b\n" + b"x" * 200_000 + b",2\n", "bad-csv", ""),
        (b"", "no-header", ""),
        (b"# only notes\n", "no-header", ""),
    ],
)
def test_spoilt_bytes_are_found(data: bytes, code: str, row: str) -> None:
    _, found = read_csv("sites", "sites.csv", data)
    assert codes(tuple(found)) == {(code, "sites", row)}


def test_a_missing_folder_a_file_and_an_unknown_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert codes(refused(tmp_path / "file")) == {("not-a-folder", "", "")}
    for name in (tmp_path / "none", "no-such-portfolio", "", "x" * 5000, "a\0b"):
        assert codes(refused(name)) == {("unknown-portfolio", "", "")}


def test_a_folder_without_manifest_says_only_that(tmp_path: Path) -> None:
    (tmp_path / "whatever.csv").touch()
    assert codes(refused(tmp_path)) == {("no-manifest", "portfolio.toml", "")}


def spoil_name(folder: Path) -> None:
    (folder / "contracts.csv").rename(folder / "contract.csv")


def spoil_case(folder: Path) -> None:
    (folder / "sites.csv").rename(folder / "Sites.CSV")


def spoil_kind(folder: Path) -> None:
    (folder / "sites.csv").unlink()
    (folder / "sites.csv").mkdir()


def spoil_pipe(folder: Path) -> None:
    (folder / "sites.csv").unlink()
    os.mkfifo(folder / "sites.csv")


def spoil_link(folder: Path) -> None:
    (folder / "sites.csv").rename(folder.parent / "sites.csv")
    (folder / "sites.csv").symlink_to(folder.parent / "sites.csv")


def spoil_loop(folder: Path) -> None:
    (folder / "sites.csv").unlink()
    (folder / "sites.csv").symlink_to(folder / "sites.csv")


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (spoil_name, ("unknown-table", "contracts", "contract.csv")),
        (spoil_case, ("unknown-table", "sites", "Sites.CSV")),
        (spoil_kind, ("not-a-file", "sites", "")),
        (spoil_pipe, ("not-a-file", "sites", "")),
        (spoil_link, ("link-leaves-folder", "sites", "")),
        (spoil_loop, ("unreadable", "sites", "")),
    ],
)
def test_a_spoilt_file_is_the_only_finding(
    draft: Any, spoil: Callable[[Path], None], finding: tuple[str, str, str]
) -> None:
    spoil(draft.write())
    assert codes(refused(draft.folder)) == {finding}


def test_links_within_the_folder_and_to_the_folder_are_read(draft: Any) -> None:
    folder = draft.write()
    (folder / "sites.csv").rename(folder / "mine.txt")
    (folder / "sites.csv").symlink_to("mine.txt")
    (folder.parent / "link").symlink_to(folder)
    assert load(str(folder.parent / "link")).name == "small"


def test_a_huge_file_is_not_read(draft: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MAX_TABLE_BYTES", 3000)
    assert ("too-large", "contracts", "") not in codes(draft.findings())
    monkeypatch.setattr(read, "MAX_TABLE_BYTES", 700)
    assert ("too-large", "contracts", "") in codes(draft.findings())


def test_a_very_long_table_is_cut_short(draft: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MAX_MORE_ROWS", {"profiles": 11})
    assert codes(draft.findings()) == set()
    monkeypatch.setattr(read, "MAX_MORE_ROWS", {"profiles": 10})
    assert codes(draft.findings()) == {("too-many-rows", "profiles", "line 12")}


def test_a_table_without_commas_is_one_finding(draft: Any) -> None:
    folder = draft.write()
    text = (folder / "sites.csv").read_text(encoding="utf-8").replace(",", ";")
    (folder / "sites.csv").write_text(text, encoding="utf-8")
    assert codes(refused(folder)) == {("not-commas", "sites", "line 1")}


def test_strangers_are_named_and_papers_are_not(draft: Any) -> None:
    folder = draft.write()
    for name in ("README.md", "sources.txt", ".DS_Store", "sites.csv~", "plan.xlsx"):
        (folder / name).touch()
    assert codes(load(str(folder)).findings) == {("not-read", "", "plan.xlsx")}
