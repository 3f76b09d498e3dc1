"""Whether the decisions of the first two quarters survive each shock."""

import math

from rich.console import RenderableType

from optimizer.report.figures import Figures, number
from optimizer.report.layout import fill, section, table


def stressed(figures: Figures) -> RenderableType | None:
    """One line for each shock; nothing where the plan was not put under stress."""
    rows = figures.rows("stress")
    if not rows:
        return None
    found = table("If", "Survives!", "$/share>", "Rescue $M>", "From!", "What fails")
    for row in rows:
        worth, rescue = float(row["value_per_share_usd"]), float(row["rescue_usd_m"])
        cells = (
            str(row["survives"]),
            "" if math.isnan(worth) else number(worth, 2),
            "" if math.isnan(rescue) else figures.usd_m(rescue),
            str(row["rescue_quarter"]),
        )
        fill(found, str(row["what_changes"]), *cells, str(row["why"]))
    about = (
        "Each plan keeps what is signed, begun and issued in the first two quarters; no: none can without "
        "rescue funding"
    )
    return section("If the world turns after the decisions of the first two quarters", found, about)
