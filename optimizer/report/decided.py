"""What is signed, ordered and raised in the next two quarters, in plain words."""

import math
from collections.abc import Callable

from rich.console import RenderableType
from rich.table import Table

from models.domain.ledger import Quantity
from optimizer.report.figures import Figures, Row, number, percent
from optimizer.report.layout import fill, section, table

ORDER = (
    Quantity.SIGN,
    Quantity.CANCEL,
    Quantity.BUY_SITE,
    Quantity.SELL_SITE,
    Quantity.SELL_BLOCK,
    Quantity.START,
    Quantity.COOL,
    Quantity.ORDERED_MW,
    Quantity.EXPAND,
    Quantity.BOUGHT_MW,
    Quantity.MOVED_OUT_MW,
    Quantity.MOVED_IN_MW,
    Quantity.SOLD_MW,
    Quantity.FINANCED,
    Quantity.TAKEN_OUT,
    Quantity.LEASED,
    Quantity.ISSUE,
    Quantity.NOTES,
    Quantity.COMMIT,
    Quantity.DRAWN,
    Quantity.REPAID,
    Quantity.REPURCHASE,
    Quantity.FOLLOW_ON,
    Quantity.ATM,
    Quantity.ROLLED,
    Quantity.PREPAID,
    Quantity.CALLED,
    Quantity.BORROWED,
    Quantity.PLEDGED_BTC,
    Quantity.CASH_MARGIN,
    Quantity.SOLD_BTC,
    Quantity.HARVEST,
    Quantity.PAYOUT,
    Quantity.RESCUE,
)
"""What is decided, in the order in which it is told; nothing else is a commitment."""
IN_BLOCKS = (Quantity.ATM, Quantity.ISSUE, Quantity.NOTES)
"""Decided block by block, told as one."""


def decided_now(figures: Figures) -> RenderableType:
    """The table of decisions."""
    shown = _ordered(figures)
    title = "Decided in the next two quarters"
    if not shown:
        return section(title, "Nothing is signed, ordered or raised.")
    undo = _marks(shown)
    found = table("When!", "What", "$M>", "Last date!", "Undo!")
    found.columns[1].ratio = 1
    for row in shown:
        _add(found, figures, row, undo)
    notes = [f"{mark}) {text}" for text, mark in undo.items() if text]
    about = (
        f"$M: what is spent after tenants' money, or lent or raised; {figures.rounding}. Beside the letter "
    )
    about += "of the last column stands what undoing costs, where that is a sum."
    return section(title, found, about, *([f"Undo: {'; '.join(notes)}"] if notes else []))


def in_words(figures: Figures, row: Row) -> str:
    """A decision as a planner would say it."""
    quantity = Quantity(str(row["quantity"]))
    say = _WORDS.get(quantity)
    return say(figures, row) if say else f"{quantity} {number(float(row['value']), 2)}"


def _marks(rows: list[Row]) -> dict[str, str]:
    """A letter for each thing that is said about undoing."""
    said = dict.fromkeys(str(row.get("undo") or "") for row in rows)
    return {
        text: chr(ord("a") + i) if text else ""
        for i, text in enumerate(sorted(said, key=lambda text: (text == "", text)))
    }


def _add(found: Table, figures: Figures, row: Row, undo: dict[str, str]) -> None:
    amount = float(row["amount_usd_m"] or 0.0)
    shown = figures.usd_m(amount) if amount else ""
    mark = undo[str(row.get("undo") or "")]
    lost = float(row["undo_usd_m"])
    mark += f" {figures.usd_m(lost)}" if figures.is_shown(lost) and not math.isnan(lost) else ""
    fill(found, figures.when(row), in_words(figures, row), shown, str(row.get("last_quarter") or ""), mark)


def _ordered(figures: Figures) -> list[Row]:
    """Decisions by time and kind, the blocks of a sale at the market or of a deal in debt as one."""
    merged: dict[tuple[object, ...], Row] = {}
    for row in figures.rows("decide_now"):
        if row["quantity"] not in ORDER:
            continue
        block = "" if row["quantity"] in IN_BLOCKS else row["since"]
        key = (row["quantity"], row["site"], row["item"], row["contract"], block, row["node"])
        if key in merged:
            merged[key]["value"] += row["value"]
            merged[key]["undo_usd_m"] += row["undo_usd_m"]
            merged[key]["amount_usd_m"] = (merged[key].get("amount_usd_m") or 0.0) + (
                row["amount_usd_m"] or 0.0
            )
        else:
            merged[key] = row
    return sorted(
        merged.values(),
        key=lambda row: (
            figures.node_of[row["node"]],
            ORDER.index(row["quantity"]),
            row["site"],
            row["item"],
        ),
    )


def _sign(figures: Figures, row: Row) -> str:
    same = [
        c for c in figures.rows("contracts") if (c["contract"], c["site"]) == (row["contract"], row["site"])
    ]
    megawatts = max((float(c["mw_critical"]) for c in same), default=0.0)
    planned = f" (up to {number(megawatts)} MW)" if megawatts else ""
    tenant = f" with {same[0]['tenant']}" if same and same[0].get("tenant") else ""
    return f"sign {row['contract']}{tenant} at {row['site']}{planned}"


def _modules(row: Row) -> str:
    """Whole modules as such; project debt may close on a part of them."""
    count = float(row["value"])
    shown = number(count, 0 if abs(count - round(count)) < 0.005 else 2)
    return f"{shown} module{'s' * (shown != '1')} of {row['item']}"


def _start(_: Figures, row: Row) -> str:
    return f"begin {_modules(row)} at {row['site']} for {row['contract']}"


def _financed(figures: Figures, row: Row) -> str:
    begun = str(row["since"]).partition(":")[0]
    return f"close project debt on {_modules(row)} at {row['site']}, begun {begun}"


def _leased(_: Figures, row: Row) -> str:
    return f"lease the GPUs of {_modules(row)} at {row['site']} for {row['contract']} by {row['since']}"


def _sell_block(_: Figures, row: Row) -> str:
    what = _modules(row) if row["since"] else f"{percent(float(row['value']), 1)} of {row['item']}"
    begun = f", begun {str(row['since']).partition(':')[0]}" if row["since"] else ""
    return f"sell {what} at {row['site']}{begun}, let to {row['contract']}; ours to the end of the quarter"


def _cool(_: Figures, row: Row) -> str:
    count = round(float(row["value"]))
    return f"order {count} module{'s' * (count != 1)} of {row['item']} cooling plant at {row['site']}"


def _order(_: Figures, row: Row) -> str:
    return f"order {row['item']} for {number(float(row['value']), 1)} MW at {row['site']}"


def _expand(_: Figures, row: Row) -> str:
    count = round(float(row["value"]))
    return f"order {count} step{'s' * (count != 1)} of power expansion {row['item']} at {row['site']}"


def _machines(verb: str, place: str) -> Callable[[Figures, Row], str]:
    def say(_: Figures, row: Row) -> str:
        return f"{verb} {number(float(row['value']), 1)} MW of {row['item']} {place} {row['site']}"

    return say


def _coins(row: Row) -> str:
    return f"{number(float(row['value']), int(0.0 < float(row['value']) < 100.0))} BTC"


def _money(verb: str, what: str) -> Callable[[Figures, Row], str]:
    def say(figures: Figures, row: Row) -> str:
        digits = figures.digits or int(0.0 < float(row["value"]) < 10.0)
        return f"{verb} ${number(float(row['value']), digits)}M {what.format(item=row['item'])}"

    return say


_WORDS: dict[Quantity, Callable[[Figures, Row], str]] = {
    Quantity.SIGN: _sign,
    Quantity.START: _start,
    Quantity.FINANCED: _financed,
    Quantity.LEASED: _leased,
    Quantity.COOL: _cool,
    Quantity.EXPAND: _expand,
    Quantity.ORDERED_MW: _order,
    Quantity.CANCEL: lambda _, row: f"cancel the commitment {row['item']}",
    Quantity.BOUGHT_MW: _machines("buy", "for"),
    Quantity.BUY_SITE: lambda _, row: f"buy the site {row['site']}",
    Quantity.SELL_SITE: lambda _, row: f"sell the site {row['site']}; ours to the end of the quarter",
    Quantity.SELL_BLOCK: _sell_block,
    Quantity.SOLD_MW: _machines("sell", "from"),
    Quantity.MOVED_OUT_MW: _machines("move out", "of"),
    Quantity.MOVED_IN_MW: _machines("move in", "to"),
    Quantity.ISSUE: _money("issue", "of {item}"),
    Quantity.NOTES: _money("issue", "of corporate notes {item}"),
    Quantity.COMMIT: _money("arrange", "of the revolver {item}"),
    Quantity.DRAWN: _money("draw", "of the revolver {item}"),
    Quantity.REPAID: _money("repay", "of the revolver {item}"),
    Quantity.REPURCHASE: lambda _, row: f"buy back {percent(float(row['value']), 1)} by {row['item']}",
    Quantity.FOLLOW_ON: _money("sell", "of new shares in a marketed deal ({item})"),
    Quantity.ATM: _money("sell", "of new shares at the market ({item})"),
    Quantity.ROLLED: _money("roll", "of {item} into a new loan"),
    Quantity.PREPAID: _money("repay", "of {item} before its time"),
    Quantity.CALLED: lambda _, row: f"call {percent(float(row['value']), 1)} of {row['item']}",
    Quantity.TAKEN_OUT: lambda _, row: f"borrow {percent(float(row['value']), 1)} of {row['item']}",
    Quantity.BORROWED: _money("borrow", "against bitcoin ({item})"),
    Quantity.PLEDGED_BTC: lambda _, row: f"pledge {_coins(row)} of {row['item']} to {row['contract']}",
    Quantity.CASH_MARGIN: _money("keep", "of cash beside the bitcoin of {item}"),
    Quantity.SOLD_BTC: lambda _, row: f"sell {_coins(row)} of {row['item']}",
    Quantity.HARVEST: lambda *_: "begin and raise nothing more, so that shareholders are paid",
    Quantity.PAYOUT: _money("pay", "to the shareholders"),
    Quantity.RESCUE: _money("draw", "of rescue funding"),
}
