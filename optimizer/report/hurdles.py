"""What earns less than equity costs although it is begun, and what the company's money is worth to it."""

import math

from rich.console import RenderableType

from optimizer.report.figures import Figures, Row, number, percent
from optimizer.report.layout import fill, section, table

MOST_SHOWN = 12


def below_hurdle(figures: Figures) -> RenderableType | None:
    """Things begun whose own return is below the cost of equity; nothing where there are none."""
    rows = [r for r in figures.rows("hurdles") if r["below_cost_of_equity"] == "yes"]
    if not rows:
        return None
    rows.sort(key=lambda row: float(row["npv_usd_m"]))
    found = table("When", "What!", "Own money $M>", "NPV $M>", "IRR>", "Paid back!")
    for row in rows[:MOST_SHOWN]:
        rate = str(row["irr_reason"]) or percent(float(row["irr_frac"]), 1)
        amounts = (figures.usd_m(float(row[c])) for c in ("outlay_usd_m", "npv_usd_m"))
        fill(found, figures.when(row), _named(row), *amounts, rate, str(row["payback_quarter"]))
    more = f"; {len(rows) - MOST_SHOWN} more in the table hurdles" if len(rows) > MOST_SHOWN else ""
    about = f"Own money after tenants' and project debt, before tax, at the start of the quarter{more}"
    title = "Begun although its own return is below the cost of equity"
    why = "It may still pay: by what it opens, by power that would lie idle, or by cash that earns less."
    return section(title, found, about, why)


def _named(row: Row) -> str:
    contract = f" for {row['contract']}" if row["contract"] else ""
    return f"{row['kind']} {row['item']} at {row['site']}{contract}"


def price_of_money(figures: Figures) -> RenderableType | None:
    """What a dollar of company cash is worth by year, and the return that it must earn."""
    rows = [r for r in figures.rows("prices") if not math.isnan(float(r["cash_usd"] or math.nan))]
    if not rows:
        return None
    by_quarter: dict[str, list[Row]] = {}
    for row in rows:
        by_quarter.setdefault(figures.quarter_of(row), []).append(row)
    quarters = list(by_quarter)
    shown = [quarters[0], *(q for q in quarters[1:] if q.endswith("Q1"))]
    found = table("", *(f"{q}>" for q in shown))
    worth = {q: figures.expected(by_quarter[q], "cash_usd") for q in shown}
    last = len(figures.quarters) - 1
    years = {q: (last - figures.quarters.index(q)) / 4.0 for q in shown}
    fill(found, "a dollar of cash is worth, $", *(number(worth[q], 2) for q in shown))
    rates = (percent(worth[q] ** (1.0 / years[q]) - 1.0, 0) if years[q] > 0.0 else "" for q in shown)
    fill(found, "so it must earn, a year", *rates)
    about = f"In dollars at the end of {figures.last_quarter}, with halls, signatures and deals as planned."
    return section("What money is worth to the company", found, about)
