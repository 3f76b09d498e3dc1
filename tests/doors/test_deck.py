"""`hashshift deck` as a process: what it writes, what it leaves alone, how it fails."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.inputs.load import load
from optimizer.shipped import data_folder

DECK = data_folder() / "catalogue" / "decks" / "mid-2026"
TABLES = ("scenarios.csv", "market.csv", "market_shapes.csv", "provenance.csv")


def deck(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "optimizer.cli", "deck", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[2])


def test_it_writes_the_shipped_deck_byte_by_byte(tmp_path: Path) -> None:
    done = deck(DECK / "rules.toml", tmp_path / "new" / "deck")
    assert (done.returncode, done.stderr) == (0, "")
    assert "7 scenarios" in done.stdout
    assert {f.name for f in (tmp_path / "new" / "deck").iterdir()} == set(TABLES)
    for table in TABLES:
        assert (tmp_path / "new" / "deck" / table).read_bytes() == (DECK / table).read_bytes()


def test_a_portfolio_takes_the_deck_that_is_written_into_it(tmp_path: Path) -> None:
    """Its own evidence and its other tables stay; a second time changes nothing."""
    folder = tmp_path / "mine"
    shutil.copytree(data_folder() / "templates" / "starter", folder)
    manifest = folder / "portfolio.toml"
    shipped = load(folder).portfolio
    said = manifest.read_text(encoding="utf-8")
    manifest.write_text(said.replace('deck = "mid-2026"\n', ""), encoding="utf-8")
    evidence = folder / "provenance.csv"
    evidence.write_text("# what we know\n" + evidence.read_text(encoding="utf-8"), encoding="utf-8")
    assert deck(DECK / "rules.toml", folder).returncode == 0
    loaded = load(folder).portfolio
    assert (loaded.market, loaded.scenarios) == (shipped.market, shipped.scenarios)
    assert loaded.market_shapes == shipped.market_shapes
    assert set(loaded.provenance) == set(shipped.provenance)
    once = evidence.read_bytes()
    assert once.startswith(b"# what we know\n")
    assert deck(DECK / "rules.toml", folder).returncode == 0
    assert evidence.read_bytes() == once


def test_wrong_rules_write_nothing(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        (DECK / "rules.toml").read_text(encoding="utf-8").replace("quarters = 28", "quaters = 28")
    )
    done = deck(rules, tmp_path / "out")
    assert done.returncode == 1
    assert "did you mean 'quarters'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["rules.toml", "rules.toml/below"])
def test_a_file_is_no_folder(tmp_path: Path, place: str) -> None:
    shutil.copy(DECK / "rules.toml", tmp_path)
    done = deck(tmp_path / "rules.toml", tmp_path / place)
    assert done.returncode == 1
    assert "[not-written]" in done.stderr
    assert [f.name for f in tmp_path.iterdir()] == ["rules.toml"]


def test_evidence_that_cannot_be_read_is_not_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "provenance.csv").write_text('of_table,row\n"half a row', encoding="utf-8")
    done = deck(DECK / "rules.toml", tmp_path)
    assert done.returncode == 1
    assert [f.name for f in tmp_path.iterdir()] == ["provenance.csv"]


def test_usage() -> None:
    assert deck(DECK / "rules.toml").returncode == 2
