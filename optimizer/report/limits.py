"""The headroom of every money test at its tightest, and what it costs per share."""

import math

from rich.console import RenderableType

from optimizer.report.figures import Figures, Row, number
from optimizer.report.layout import fill, section, table

METRICS = {
    "minimum_liquidity": "company and site cash, at least",
    "net_debt_to_ebitda": "net debt, at most a multiple of yearly EBITDA",
    "interest_cover": "EBITDA, at least a multiple of interest",
    "net_debt_to_market_cap": "net debt, at most a multiple of the market cap",
    "market_cap": "raised while the market cap is low, at most",
    "recourse_debt": "debt with recourse, at most",
    "secured_debt": "secured debt, at most",
    "maturities": "cash, at least what falls due in a year",
    "dilution": "million shares issued in a year, at most",
    "cash_cover": "cash, at least quarters of overhead and interest",
    "funded_commitments": "cash after a year of what is begun, at least",
    "maturity_wall": "cash at the end, at least what falls due in the year after",
    "solvency": "assets at the end, at least a multiple of debt",
    "unsigned_building": "still to pay for halls without tenant, at most",
    "stress_liquidity": "cash through a year of shut markets, at least",
    "tenant_share": "contracted MW on one guarantor or tenant, at most",
    "budget": "capital spent, at most",
}
"""What each metric compares, in words."""


def headroom(figures: Figures) -> RenderableType:
    """The tightest moment of every money test, and the value per share gained if it alone were lifted."""
    found = table("Test", "Room $M>", "When!", "Value $M>", "Limit $M>", "$/share>")
    liquid = figures.rows("liquidity")
    if liquid:
        least = min(liquid, key=lambda row: float(row["headroom_usd_m"]))
        stress = float(least["late_loss_usd_m"]) + float(least["wall_usd_m"])
        amounts = (least["headroom_usd_m"], float(least["company_cash_usd_m"]) - stress, least["floor_usd_m"])
        cells = (figures.usd_m(float(x)) for x in amounts)
        fill(found, "company cash, at least its floor", *_placed(figures, least, *cells), "")
    tests: dict[tuple[str, str], list[Row]] = {}
    for row in figures.rows("covenants"):
        tests.setdefault((str(row["covenant"]), str(row["metric"])), []).append(row)
    for (name, metric), rows in tests.items():
        least = min(rows, key=lambda row: float(row["headroom"]))
        cells = (figures.usd_m(float(least[column])) for column in ("headroom", "value", "threshold"))
        label = f"{name}: {METRICS.get(metric, metric)}"
        fill(found, label, *_placed(figures, least, *cells), _price(least))
    for loan in dict.fromkeys(str(row["loan"]) for row in figures.rows("collateral")):
        rows = [row for row in figures.rows("collateral") if row["loan"] == loan]
        least = min(rows, key=lambda row: float(row["headroom_usd_m"]))
        spare, owed = float(least["headroom_usd_m"]), float(least["owed_usd_m"])
        cells = (figures.usd_m(x) for x in (spare, owed + spare, owed))
        fill(found, f"{loan}: what its bitcoin may secure, at least", *_placed(figures, least, *cells), "")
    about = "Cash is tested with every open delivery late by its slip, and notes due counted in full"
    notes = [f"{about}; {figures.rounding}"]
    if tests:
        notes.append(
            "$/share: the value per share gained if that test alone were lifted, with halls, signatures and "
            "deals as planned."
        )
    return section("Covenants and liquidity at their tightest", found, *notes)


def _placed(figures: Figures, row: Row, headroom: str, value: str, limit: str) -> tuple[str, str, str, str]:
    return headroom, figures.when(row), value, limit


def _price(row: Row) -> str:
    """Cents per share; empty where nobody has priced the test."""
    price = float(row["price_usd_per_share"])
    return "" if math.isnan(price) else number(price, 2)
