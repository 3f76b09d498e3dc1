"""Each borrower with debt: how its income covers the service, and until when."""

from rich.console import RenderableType

from optimizer.report.figures import Figures, Row, number
from optimizer.report.layout import fill, section, table


def borrowers(figures: Figures) -> RenderableType | None:
    """One line a borrower, the worst of all paths; nothing where nobody but the company owes anything."""
    by_name: dict[str, list[Row]] = {}
    for row in figures.rows("project_waterfall"):
        by_name.setdefault(str(row["entity"]), []).append(row)
    if not by_name:
        return None
    found = table(
        "Borrower!", "Owed $M>", "DSCR least>", "in!", "mean>", "LLCR least>", "LTC most>", "Until!"
    )
    for name, rows in by_name.items():
        served = [row for row in rows if float(row["principal_usd_m"]) > 0.0 and float(row["dscr"]) > 0.0]
        covered = [float(row["llcr"]) for row in rows if float(row["llcr"]) > 0.0]
        worst = min(served, key=lambda row: float(row["dscr"]), default=None)
        mean = sum(float(row["dscr"]) for row in served) / len(served) if served else 0.0
        fill(
            found,
            name,
            figures.usd_m(max(float(row["balance_usd_m"]) for row in rows)),
            number(float(worst["dscr"]), 2) if worst else "",
            str(worst["quarter"]) if worst else "",
            number(mean, 2) if served else "",
            number(min(covered), 2) if covered else "",
            number(max(float(row["ltc_frac"]) for row in rows), 2),
            max(str(row["quarter"]) for row in rows if float(row["balance_usd_m"]) > 0.0),
        )
    about = "DSCR in quarters that repay; after the horizon base terms alone earn, at the last market"
    cost = (
        "LTC: owed over what building has cost, without fees, interest during construction and reserves, "
        "which lenders count as cost too"
    )
    return section("Borrowers with debt", found, f"{about}; {figures.rounding}", cost)
