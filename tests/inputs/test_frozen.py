"""A portfolio written as it was used loads to the identical one, and needs nothing else."""

from pathlib import Path

import pytest

from models.domain.portfolio import TABLES, Portfolio
from optimizer.inputs.frozen import frozen_files
from optimizer.inputs.load import Loaded, load
from optimizer.inputs.template import write_template
from optimizer.shipped import data_folder

STARTER = data_folder() / "templates" / "starter"


def thawed(loaded: Loaded, folder: Path) -> Loaded:
    """What the files of a portfolio load to, from a folder of their own."""
    for name, data in frozen_files(loaded).items():
        (folder / name).write_bytes(data)
    return load(folder)


@pytest.mark.parametrize("name", [STARTER, "tiny", "iren", "hut8", "capital-rationing"])
def test_a_portfolio_comes_back_to_the_last_digit(name: str, tmp_path: Path) -> None:
    loaded = load(name)
    again = thawed(loaded, tmp_path)
    assert again.portfolio == loaded.portfolio
    for said in ("name", "title", "as_of", "scenario", "guesses", "money_inputs"):
        assert getattr(again, said) == getattr(loaded, said), said
    assert frozen_files(again) == frozen_files(loaded)


def test_nothing_is_taken_from_elsewhere(tmp_path: Path) -> None:
    thawed(load("iren"), tmp_path)
    assert (tmp_path / "market.csv").is_file()
    said = (tmp_path / "portfolio.toml").read_text(encoding="utf-8")
    assert {line.partition(" ")[0] for line in said.splitlines()} == {"name", "title", "as_of", "scenario"}


def test_cells_that_were_set_stand_in_the_tables(tmp_path: Path) -> None:
    loaded = load(STARTER, overrides="company[Example Mining].price_usd=7.25")
    assert loaded.portfolio != load(STARTER).portfolio
    assert thawed(loaded, tmp_path).portfolio == loaded.portfolio


def test_the_mean_of_a_trunk_stands_in_the_tables(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    write_template(mine)
    settings = mine / "portfolio.toml"
    settings.write_text('trunk = "mean"\n' + settings.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "frozen").mkdir()
    loaded = load(mine)
    assert loaded.portfolio.market != load(STARTER).portfolio.market
    assert thawed(loaded, tmp_path / "frozen").portfolio == loaded.portfolio


NASTY = ("#1", '"', "a,b", "two\nlines", "=1+1", "'", "None", "true", "0.10", "ü", "a ; b", "\x7f")


@pytest.mark.parametrize("text", NASTY)
def test_no_text_is_taken_for_something_else(text: str, tmp_path: Path) -> None:
    loaded = load("tiny")
    p = loaded.portfolio
    rows = tuple(row.model_copy(update={"source": text, "note": text}) for row in p.company)
    renamed = tuple(row.model_copy(update={"name": text}) for row in rows) if text == "#1" else rows
    spoken = Portfolio.model_validate({table: getattr(p, table) for table in TABLES} | {"company": renamed})
    changed = Loaded(**{**vars(loaded), "portfolio": spoken, "title": f"x{text}x"})
    again = thawed(changed, tmp_path)
    assert again.portfolio == spoken
    assert again.title == changed.title
