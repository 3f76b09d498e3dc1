"""The table prices, and what the company's prices make of a plan's beginnings and of more power."""

import math
from collections.abc import Iterable

import numpy as np

from optimizer.plans.hurdles import Begun
from optimizer.plans.reading import Array, Reading


def price_rows(r: Reading) -> list[dict[str, object]]:
    """Worth of a dollar more at each node, in dollars at the end; empty cells where nothing is known."""
    tree, cash = r.program.params.tree, r.cash(r.program.books[0])
    found: list[dict[str, object]] = []
    for n in tree.nodes:
        worth = math.nan if r.duals is None else float(r.duals.cash[n] / tree.probability[n])
        years = tree.years_to_end(n) - 0.25
        found.append(
            {
                "node": r.labels[n],
                "company_cash_usd_m": cash[n],
                "quarter": r.quarters[n],
                "cash_usd": worth,
                "hurdle_frac": worth ** (1.0 / years) - 1.0 if years > 0.0 else math.nan,
            }
        )
    return found


def at_company_prices(r: Reading, things: Iterable[Begun], since: int = 0) -> float:
    """Own money at the price of cash, and what is left, seen from a node. [leaf $M]"""
    if r.duals is None:
        return math.nan
    tree = r.program.params.tree
    worth = sum(float(b.own.cash @ r.duals.cash + b.own.left @ tree.probability) for b in things)
    return worth / float(tree.probability[since])


def one_mw_more(r: Reading, site: str) -> float:
    """A gross MW more from the first quarter on, with what land with power is worth. [leaf $M]"""
    if r.duals is None:
        return math.nan
    land = next(s for s in r.program.params.portfolio.sites if s.site == site).unconverted_value_usd_m_per_mw
    return float(r.duals.power[site].sum()) + r.duals.conversion[site] + land


def quarter_earlier(r: Reading, site: str, energised_mw: Array) -> float:
    """All MW that are energised within the plan a quarter earlier, by the price of power there. [leaf $M]"""
    if r.duals is None:
        return math.nan
    tree, price = r.program.params.tree, r.duals.power[site]
    later = np.array(
        [energised_mw[tree.children[n][0]] if tree.children[n] else energised_mw[n] for n in tree.nodes]
    )
    return float(price @ np.maximum(0.0, later - energised_mw))
