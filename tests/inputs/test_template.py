"""The starter portfolio: explained, complete, and written whole or not at all."""

from pathlib import Path

import pytest

from models.domain.portfolio import TABLES
from models.findings import InputError
from optimizer.inputs import template
from optimizer.inputs.columns import columns_of
from optimizer.inputs.load import load
from optimizer.inputs.template import write_template


def test_the_starter_loads_without_a_finding_and_under_its_folders_name(tmp_path: Path) -> None:
    write_template(tmp_path / "deep" / "my plan")
    loaded = load(str(tmp_path / "deep" / "my plan"))
    assert (loaded.name, loaded.findings, loaded.overridden) == ("my-plan", (), ())
    assert loaded.portfolio.firm.horizon_q == 8
    assert {i.kind for i in loaded.portfolio.instruments} == {"atm", "convertible"}
    assert any(c.state == "offer" and c.credit_class for c in loaded.portfolio.contracts)
    assert 0 < loaded.guesses < loaded.money_inputs


def test_every_column_of_every_file_is_explained(tmp_path: Path) -> None:
    write_template(tmp_path / "new")
    files = sorted((tmp_path / "new").glob("*.csv"))
    assert len(files) > 15
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        explained = {line[2:].split(" ")[0] for line in lines if line.startswith("# ")}
        assert set(columns_of(TABLES[file.stem])) <= explained
        assert max(len(line) for line in lines if line.startswith("#")) <= 112


def test_an_empty_folder_is_filled_also_when_it_is_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write_template(Path())
    assert Path("portfolio.toml").is_file()
    assert load(".").name == "here"


def test_a_name_of_signs_only_is_replaced(tmp_path: Path) -> None:
    write_template(tmp_path / "...--")
    assert load(str(tmp_path / "...--")).name == "starter"


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    (tmp_path / "file").touch()
    for name in ("full", "file", "file/below"):
        with pytest.raises(InputError) as refusal:
            write_template(tmp_path / name)
        assert refusal.value.findings[0].code == "not-written"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "full", "mine"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(own: object, name: str | None) -> list[tuple[str, str]]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(template, "_files", fail)
    with pytest.raises(InputError):
        write_template(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
