"""Where the portfolios and catalogues that come with hashshift lie, and which one a name means."""

from difflib import get_close_matches
from pathlib import Path


class UnknownPortfolioError(LookupError):
    """Neither a path that exists nor the name of a shipped portfolio."""

    def __init__(self, name: str, shipped: tuple[str, ...]) -> None:
        self.name = name
        self.shipped = shipped
        self.nearest = next(iter(get_close_matches(name.lower(), shipped, n=1)), None)
        meant = f"; did you mean '{self.nearest}'?" if self.nearest else "."
        super().__init__(
            f"no folder or file '{name}' and no shipped portfolio of that name{meant}"
            f" Shipped: {', '.join(shipped) or 'none'}"
        )


def data_folder() -> Path:
    """The folder of shipped data: inside the package when installed from a wheel, else the checkout's.

    A checkout has no `optimizer/_data`; a wheel always has.
    """
    package = Path(__file__).resolve().parent
    packaged = package / "_data"
    return packaged if packaged.is_dir() else package.with_name("data")


def shipped_portfolios() -> tuple[str, ...]:
    """The names that `find_portfolio` knows, in alphabetical order."""
    folder = data_folder() / "portfolios"
    return tuple(sorted(entry.name for entry in folder.glob("[!._]*") if entry.is_dir()))


def find_portfolio(name: str) -> Path:
    """Resolve what the user typed: a shipped name, unless a portfolio of one's own is called so, or a path.

    Raises
    ------
    UnknownPortfolioError
        With the shipped names, and the nearest of them.
    """
    path, shipped = Path(name), shipped_portfolios()
    if name in shipped and not (path / "portfolio.toml").is_file():
        return data_folder() / "portfolios" / name
    if name and path.exists():
        return path
    raise UnknownPortfolioError(name, shipped)
