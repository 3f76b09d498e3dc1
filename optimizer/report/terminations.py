"""Contracts that a scenario ends before their term, and what that pays and takes."""

from rich.console import RenderableType

from optimizer.report.figures import Figures, number
from optimizer.report.layout import fill, section, table


def terminations(figures: Figures) -> RenderableType | None:
    """One line for each end at each site; nothing where every contract runs to its term."""
    rows = figures.rows("terminations")
    if not rows:
        return None
    found = table("Contract!", "Site!", "Ends!", "MW>", "Fee $M>", "Paid by!", "Back to tenant $M>")
    for row in sorted(rows, key=lambda row: (str(row["quarter"]), str(row["contract"]), str(row["site"]))):
        paid = figures.usd_m(float(row["fee_usd_m"]))
        back = figures.usd_m(float(row["refund_usd_m"]))
        cells = (figures.when(row), number(float(row["mw_critical"])), paid, str(row["paid_by"]), back)
        fill(found, str(row["contract"]), str(row["site"]), *cells)
    about = "Data of the scenario. Project debt of their halls is served on"
    return section("Contracts that end before their term", found, f"{about}; {figures.rounding}")
