"""What becomes of each site: its strategy at the horizon, and its megawatts quarter by quarter."""

import math

from rich.console import Group, RenderableType
from rich.text import Text

from optimizer.report.figures import Figures, Row, number, percent
from optimizer.report.layout import fill, section, table

BLOCKS = "\N{MIDDLE DOT}\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
ASCII_BLOCKS = ".12345678"
"""Nothing, then eight heights."""
USES = (
    ("hpc_live_mw", "HPC live", "green"),
    ("building_mw", "building", "yellow"),
    ("mining_mw", "mining", "blue"),
    ("idle_mw", "idle", "dim"),
)
LEAF_PRICES = ("Per share $>", "Lambda g $>", "Deck $>")
NOTHING_MW = 0.05


def strategies(figures: Figures) -> RenderableType:
    """One line per site: what it is at the horizon, and what that costs."""
    found = table("Site!", "Strategy!", "HPC MW>", "HPC gross MW>", "Mining MW>", "Capex $M>", "Tenants")
    sums = [0.0] * 4
    for site, rows in _by_site(figures, "site_summary").items():
        amounts = [
            figures.expected(rows, c) for c in ("hpc_critical_mw", "hpc_gross_mw", "mining_mw", "capex_usd_m")
        ]
        sums = [a + b for a, b in zip(sums, amounts, strict=True)]
        tenants = "; ".join(
            dict.fromkeys(t for row in rows for t in str(row["tenants"] or "").split("; ") if t)
        )
        fill(found, site, strategy_of(rows), *_cells(figures, amounts), tenants)
    fill(found, "all sites", "", *_cells(figures, sums), "", style="bold")
    title = f"Strategy per site, at the end of {figures.last_quarter}"
    about = (
        "HPC MW critical, mining MW at the meter; capex over the horizon, machines apart, " + figures.rounding
    )
    return section(title + _weighted(figures), found, about)


def strategy_of(rows: list[Row]) -> str:
    """The site's strategy label; where leaves differ, all of them."""
    return "/".join(dict.fromkeys(str(row["strategy"]) for row in rows))


def strip(figures: Figures, *, ascii_only: bool = False) -> RenderableType:
    """One character a quarter for each use of each site's megawatts."""
    blocks = ASCII_BLOCKS if ascii_only else BLOCKS
    width = max(len(name) for _, name, _ in USES) + 2
    parts: list[RenderableType] = [Text(" " * width + _years(figures), style="dim")]
    for site, rows in _by_site(figures, "site_plan").items():
        parts += _site_strip(figures, site, rows, blocks, width)
    heights = " ".join(f"{blocks[i]} {number(100.0 * i / 8)} %" for i in (1, 2, 4, 6, 8))
    legend = (
        f"One character a quarter, years above. Height: share of the site's largest energised MW\n"
        f"({blocks[0]} none, {heights}). Right: MW in the first and last quarter.\n"
        "HPC live and building are critical MW; mining and idle are MW at the meter."
    )
    return section("Megawatts by quarter" + _weighted(figures), Group(*parts), Text(legend, style="dim"))


def by_leaf(figures: Figures) -> RenderableType | None:
    """On a tree: what each leaf comes to; nothing on a chain."""
    if not figures.is_tree:
        return None
    found = table("Leaf!", "Chance>", "Value $M>", "Shares M>", *LEAF_PRICES, "HPC MW>", "Mining MW>")
    sites = figures.rows("site_summary")
    for row in figures.rows("leaves"):
        leaf = str(row["leaf"])
        here = [r for r in sites if r["leaf"] == leaf]
        megawatts = [number(sum(float(r[c]) for r in here)) for c in ("hpc_critical_mw", "mining_mw")]
        prices = [number(row[c], 2) for c in ("value_per_share_usd", "plan_price_usd", "deck_price_usd")]
        sizes = [figures.usd_m(row["value_usd_m"]), number(row["economic_shares_m"], 1)]
        fill(found, leaf.partition(":")[2], percent(row["probability"], 1), *sizes, *prices, *megawatts)
    about = (
        "Value before the claims of others, over economic shares. Lambda g: the plan's value per share\n"
        "in that future; deck: the share price of the market deck there."
    )
    return section(f"Leaves of the tree, at the end of {figures.last_quarter}", found, about)


def _cells(figures: Figures, amounts: list[float]) -> list[str]:
    return [*(number(x) for x in amounts[:3]), figures.usd_m(amounts[3])]


def _by_site(figures: Figures, name: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in figures.rows(name):
        found.setdefault(str(row["site"]), []).append(row)
    return found


def _weighted(figures: Figures) -> str:
    return " (probability-weighted)" if figures.is_tree else ""


def _years(figures: Figures) -> str:
    """Two digits of the year over its first quarter, and over the first column where there is room."""
    marks = [" "] * (len(figures.quarters) + 2)
    for t, quarter in enumerate(figures.quarters):
        starts = quarter.endswith("Q1") or (t == 0 and quarter.endswith("Q2"))
        if starts:
            marks[t : t + 2] = quarter[2:4]
    return "".join(marks).rstrip()


def _site_strip(
    figures: Figures, site: str, rows: list[Row], blocks: str, width: int
) -> list[RenderableType]:
    peak = max((float(row["energised_mw"]) for row in rows), default=0.0)
    first, last = (_by_quarter(figures, rows, "energised_mw")[i] for i in (0, -1))
    energised = (
        f"{number(first)} MW energised"
        if first == last
        else f"{number(first)} to {number(last)} MW energised"
    )
    parts: list[RenderableType] = [Text(f"{site}, {energised}")]
    for column, name, style in USES:
        amounts = _by_quarter(figures, rows, column)
        if max(amounts) < NOTHING_MW:
            continue
        line = Text(f"{name:>{width - 2}}  ")
        line.append("".join(_block(x, peak, blocks) for x in amounts), style=style)
        line.append(f"  {number(amounts[0])} to {number(amounts[-1])}")
        parts.append(line)
    return parts


def _by_quarter(figures: Figures, rows: list[Row], column: str) -> list[float]:
    sums = dict.fromkeys(figures.quarters, 0.0)
    for row in rows:
        sums[figures.quarter_of(row)] += figures.expected([row], column)
    return list(sums.values())


def _block(amount: float, peak: float, blocks: str) -> str:
    """The block whose height is the share; what is there at all is seen."""
    if amount < NOTHING_MW:
        return blocks[0]
    share = amount / peak if peak > 0.0 else 1.0
    return blocks[min(8, max(1, math.floor(8.0 * share + 0.5)))]
