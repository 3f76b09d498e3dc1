"""Shipped portfolios are found by name, one of the user's own comes first, a miss says what exists."""

from pathlib import Path

import pytest

from optimizer import shipped
from optimizer.shipped import UnknownPortfolioError, data_folder, find_portfolio, shipped_portfolios


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An optimizer package as a wheel lays it out, with two portfolios; the working directory is empty."""
    package = tmp_path / "site-packages" / "optimizer"
    for name in ("tiny", "iren"):
        (package / "_data" / "portfolios" / name).mkdir(parents=True)
    (package / "_data" / "portfolios" / "README.md").touch()
    monkeypatch.setattr(shipped, "__file__", str(package / "shipped.py"))
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    return package


def test_a_checkout_reads_its_own_data() -> None:
    assert data_folder() == Path(__file__).parents[2] / "data"


def test_a_wheel_reads_the_data_it_carries(packaged: Path) -> None:
    (packaged.parent / "data").mkdir()  # somebody else's folder in site-packages
    assert data_folder() == packaged / "_data"


def test_shipped_names_are_the_folders(packaged: Path) -> None:
    assert shipped_portfolios() == ("iren", "tiny")


def test_a_name_is_found_from_any_folder(packaged: Path) -> None:
    assert find_portfolio("tiny") == packaged / "_data" / "portfolios" / "tiny"


def test_a_portfolio_of_ones_own_wins_over_a_shipped_name(packaged: Path) -> None:
    Path("tiny").mkdir()
    assert find_portfolio("tiny") == packaged / "_data" / "portfolios" / "tiny", "any folder of that name"
    (Path("tiny") / "portfolio.toml").touch()
    assert find_portfolio("tiny") == Path("tiny")


@pytest.mark.parametrize("name", ["", "README.md", "../portfolios/tiny"])
def test_only_names_are_shipped(packaged: Path, name: str) -> None:
    with pytest.raises(UnknownPortfolioError):
        find_portfolio(name)


def test_a_miss_names_what_is_shipped_and_the_nearest(packaged: Path) -> None:
    with pytest.raises(
        UnknownPortfolioError, match=r"'IRENE'.*did you mean 'iren'\? Shipped: iren, tiny"
    ) as e:
        find_portfolio("IRENE")
    assert (e.value.nearest, e.value.shipped) == ("iren", ("iren", "tiny"))


def test_a_miss_without_a_near_name_only_lists(packaged: Path) -> None:
    with pytest.raises(UnknownPortfolioError, match=r"of that name\. Shipped") as e:
        find_portfolio("zzz")
    assert e.value.nearest is None
