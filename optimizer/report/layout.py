"""How a section and a table of the terminal view look."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


def section(title: str, *body: RenderableType) -> RenderableType:
    """A titled part of the view, with an empty line before it; text is shown as it is."""
    parts = [Text(part) if isinstance(part, str) else part for part in body]
    return Group(Text(""), Text(title, style="bold"), Padding(Group(*parts), (0, 0, 0, 2)))


def table(*headings: str) -> Table:
    """An unruled table; a heading that ends with ``>`` has its column aligned right, with ``!`` unwrapped."""
    found = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", highlight=False)
    for heading in headings:
        name = heading.rstrip(">!")
        is_number = heading.endswith(">")
        kept = is_number or heading.endswith("!")
        found.add_column(Text(name), justify="right" if is_number else "left", no_wrap=kept)
    return found


def fill(into: Table, *cells: str, style: str = "") -> None:
    """Add a row of plain text, never read as markup."""
    into.add_row(*(Text(cell) for cell in cells), style=style or None)
