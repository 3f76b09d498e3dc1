"""Folders of files that would never end: a finding, soon and in little memory, and nothing run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.domain.portfolio import TABLES
from models.findings import InputError
from optimizer.decks.read import read_rules
from optimizer.inputs import read
from optimizer.inputs.columns import columns_of
from optimizer.inputs.load import load
from tests.inputs.conftest import Draft

MANY = 1_000_000
MANIFEST = "portfolio.toml"
DOTTED = ".".join("a" * 40_000)

CHILD = """
import json, resource, sys, time
from models.findings import InputError
from optimizer.inputs.load import load
from tests.inputs.conftest import Draft
load("tiny")
told = {}
for folder in sys.argv[1:]:
    before = time.process_time()
    try:
        found = load(folder).findings
    except InputError as refused:
        found = refused.findings
    assert all(f.code and f.message and f.remedy and len(str(f)) < 10_000 for f in found)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told[folder] = time.process_time() - before, peak_mb, sorted({f.code for f in found})
print(json.dumps(told))
"""
Told = tuple[float, float, list[str]]


def bounded(*folders: Path) -> dict[str, set[str]]:
    """Codes of what is found in folders, each within 10 s of the processor, all within 1 GB."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, folders)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Told] = json.loads(done.stdout)
    for folder, (seconds, peak_mb, codes) in told.items():
        assert seconds < 10.0, (folder, seconds, codes)
        assert peak_mb < 1000.0, (folder, peak_mb, codes)
    return {Path(folder).name: set(codes) for folder, (_, _, codes) in told.items()}


def header(table: str) -> str:
    return ",".join(columns_of(TABLES[table])) + "\n"


def sparse(file: Path, size: int) -> None:
    """A file of zeros that takes no room."""
    with file.open("wb") as made:
        made.truncate(size)


LONG = "too-many-rows"
HOSTILE: dict[str, tuple[str, bytes | int, str]] = {
    "a gigabyte of zeros": ("sites.csv", 1_000_000_000, "too-large"),
    "zeros below the limit": ("sites.csv", read.MAX_TABLE_BYTES, "nul-byte"),
    "a million rows": (
        "fleets.csv",
        header("fleets").encode() + b"a,b,c,1,1,,,\n" * 700_000,
        "too-many-rows",
    ),
    "a million rows more": ("fleets.csv", header("fleets").encode() + b"a,b,c,1,1,,,\n" * MANY, "too-large"),
    "a million short rows": ("fleets.csv", header("fleets").encode() + b"a\n" * MANY, "too-many-rows"),
    "a million empty lines": ("fleets.csv", b"fleet\n" + b"\n" * MANY, "missing-column"),
    "a million comments": ("fleets.csv", b"#\n" * MANY, "no-header"),
    "a million commas": ("fleets.csv", b"a" + b"," * MANY + b"\n", "unknown-column"),
    "a million columns": ("fleets.csv", b"a," * MANY + b"b\n", "too-many-columns"),
    "a quote that never ends": ("fleets.csv", b'a,b\n"' + b"x\n" * MANY, "bad-csv"),
    "long cells": ("fleets.csv", b"fleet,site\n" + (b"y" * 100_000 + b",x\n") * 90, "too-large"),
    "UTF-16": ("sites.csv", header("sites").encode("utf-16"), "not-utf-8"),
    "UTF-16 without a mark": ("sites.csv", header("sites").encode("utf-16-le"), "nul-byte"),
    "two encodings": ("sites.csv", header("sites").encode() + "zürich".encode("latin-1"), "not-utf-8"),
    "two separators": ("sites.csv", header("sites").encode() + b"alpha;north;texas\n", "ragged-row"),
    "pipes": ("sites.csv", header("sites").replace(",", "|").encode(), "not-commas"),
    "settings of 100 MB": (MANIFEST, 100_000_000, "too-large"),
    "settings nested deep": (MANIFEST, b"a = " + b"[" * 90_000, "bad-toml"),
    "settings in braces": (MANIFEST, b"a = " + b"{a=" * 30_000, "bad-toml"),
    "a key of many parts": (MANIFEST, f"{DOTTED} = 1\n".encode(), "bad-toml"),
    "a long number": (MANIFEST, b"a = " + b"9" * 90_000, "bad-toml"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Codes of what is found in each hostile folder."""
    root = tmp_path_factory.mktemp("hostile")
    for name, (file, content, _) in HOSTILE.items():
        folder = Draft(root / name).write()
        if isinstance(content, int):
            sparse(folder / file, content)
        else:
            (folder / file).write_bytes(content)
    folder = Draft(root / "very many files").write()
    for n in range(read.MAX_FILES):
        (folder / f"{n}.txt").touch()
    full_of_faults(Draft(root / "faults").write())
    as_long_as_may_be(Draft(root / "long"))
    return bounded(*sorted(root.iterdir()))


def full_of_faults(folder: Path) -> None:
    """Every cell of every table is wrong."""
    for table in TABLES:
        names = list(columns_of(TABLES[table]))
        rows = (",".join(f"={n}{c[:3]}" for c in names) for n in range(read.most_rows(table)))
        text = header(table) + "\n".join(rows)[:600_000]
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")


def as_long_as_may_be(draft: Draft) -> None:
    """Each row is sound by itself and none like another: every check has all of them to compare."""
    folder = draft.write()
    for table, rows in draft.tables.items():
        columns = columns_of(TABLES[table])
        names = [k for k in TABLES[table].key if columns[k].kind == "text"]
        if not names:
            continue
        lines = []
        for n in range(read.most_rows(table) - 2):
            row = rows[n % len(rows)]
            row = {**row, names[0]: f"{row[names[0]]}-{n}"}
            lines.append(",".join(row.get(column, "") for column in columns))
        (folder / f"{table}.csv").write_text(header(table) + "\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_finding_within_bounds(told: dict[str, set[str]], name: str) -> None:
    assert HOSTILE[name][2] in told[name]


def test_hostile_folders_are_findings_within_bounds(told: dict[str, set[str]]) -> None:
    assert told["very many files"] == {"too-many-files"}
    assert "too-many-faults" in told["faults"]
    assert "unknown-reference" in told["long"]


def test_tables_that_are_too_large_together(draft: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MAX_FOLDER_BYTES", 8_000)
    assert "too-large" in {f.code for f in draft.findings()}


@pytest.mark.parametrize("said", ['deck = "../decks"', 'policy = "/etc/passwd"', 'name = "../../x"'])
def test_settings_do_not_lead_out_of_the_folder(draft: Any, said: str) -> None:
    key = said.split(" ")[0]
    draft.manifest = (
        "\n".join(x for x in draft.manifest.splitlines() if not x.startswith(key)) + f"\n{said}\n"
    )
    assert {(f.severity, f.row) for f in draft.findings()} >= {("error", key)}


def test_catalogue_tables_do_not_lead_out_of_the_catalogue(draft: Any) -> None:
    draft.manifest += '\n[catalogue]\n"../portfolios/iren/sites" = "all"\n'
    assert "unknown-key" in {f.code for f in draft.findings()}


@pytest.mark.parametrize("content", [b"a = " + b"[" * 900_000, f"{DOTTED} = 1".encode(), b"\0" * 900_000])
def test_rules_of_a_deck_are_bounded_too(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rules.toml").write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_rules(tmp_path / "rules.toml")
    assert {f.code for f in refused.value.findings} <= {"bad-toml", "nul-byte"}


def test_rules_of_a_hundred_megabytes_and_linked_ones(tmp_path: Path) -> None:
    sparse(tmp_path / "rules.toml", 100_000_000)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "rules.toml").symlink_to("/dev/zero")
    for file, code in (
        (tmp_path / "rules.toml", "too-large"),
        (tmp_path / "linked" / "rules.toml", "link-leaves-folder"),
    ):
        with pytest.raises(InputError) as refused:
            read_rules(tmp_path / file)
        assert [f.code for f in refused.value.findings] == [code]


@pytest.mark.parametrize(
    "override", ["a[" * 50_000, "[" + "]." * 50_000 + "=", "sites[alpha].note=" + "=1" * 50_000]
)
def test_overrides_may_be_long(draft: Any, override: str) -> None:
    assert all(len(str(f)) < 10_000 for f in draft.findings(override))


def test_the_shipped_data_are_far_below_the_limits() -> None:
    assert len(load("iren").portfolio.market) < read.MAX_MORE_ROWS["market"] / 10
