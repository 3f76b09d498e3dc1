"""Tables on the treasury's bitcoin: lots over time, and the loans that coins secure."""

from collections import defaultdict

import numpy as np
import pandas as pd

from models.domain.ledger import Quantity
from optimizer.plans.reading import Array, Reading

Backing = dict[tuple[str, str], Array]
"""Coins by lot and loan, by node. [BTC]"""


def coin_tables(r: Reading) -> dict[str, pd.DataFrame]:
    """Both tables."""
    backing = _backing(r)
    return {"bitcoin": pd.DataFrame(_lots(r, backing)), "collateral": pd.DataFrame(_loans(r, backing))}


def _owed(r: Reading) -> dict[str, tuple[Array, Array, float]]:
    """Owed during and after each quarter, and the call level, of every loan that coins secure."""
    coins = r.program.params.coins
    found = {x.name: (x.opening, x.balance, x.ltv_call_frac) for x in coins.secured}
    calls = {x.instrument.instrument: x.ltv_call_frac for x in coins.lines}
    for x in r.new_loans:
        if x.source in calls:
            found[x.name] = (x.amount * x.terms.opening, x.amount * x.terms.balance, calls[x.source])
    return found


def _backing(r: Reading) -> Backing:
    p = r.program.params
    found: Backing = defaultdict(lambda: np.zeros(len(p.tree.nodes)))
    for lot in p.coins.lots:
        if lot.pledged_to:
            found[lot.lot, lot.pledged_to] += lot.btc
    for d, v in r.by_quantity[Quantity.PLEDGED_BTC]:
        loan = f"{d.contract}@{d.since}" if d.since else d.contract
        found[d.item, loan] += v * p.outlook.below[d.node]
    return found


def _lots(r: Reading, backing: Backing) -> list[dict[str, object]]:
    p, owed = r.program.params, _owed(r)
    rows: list[dict[str, object]] = []
    for lot in p.coins.lots:
        sold, held = np.zeros(len(p.tree.nodes)), np.full(len(p.tree.nodes), lot.btc)
        for d, v in r.by_quantity[Quantity.SOLD_BTC]:
            if d.item == lot.lot:
                sold[d.node] += v
                held -= v * p.outlook.below[d.node]
        own = [(coins, owed[loan]) for (of, loan), coins in backing.items() if of == lot.lot and loan in owed]
        during = sum((coins * (opening > 0.0) for coins, (opening, _, _) in own), np.zeros(held.size))
        after = sum((coins * (balance > 0.0) for coins, (_, balance, _) in own), np.zeros(held.size))
        rows += [
            {
                "lot": lot.lot,
                "node": r.labels[n],
                "quarter": r.quarters[n],
                "entity": lot.entity,
                "held_btc": held[n],
                "sold_btc": sold[n],
                "pledged_btc": max(during[n], after[n]),
                "market_usd_m": held[n] * p.coins.price[n],
            }
            for n in p.tree.nodes
        ]
    return rows


def _loans(r: Reading, backing: Backing) -> list[dict[str, object]]:
    p = r.program.params
    size = len(p.tree.nodes)
    rows: list[dict[str, object]] = []
    for name, (opening, _, call) in _owed(r).items():
        cover = sum((coins for (_, loan), coins in backing.items() if loan == name), np.zeros(size))
        cash = np.zeros(size)
        for d, v in r.by_quantity[Quantity.CASH_MARGIN]:
            if d.item == name:
                cash[d.node] += v
        worth = cover * p.coins.trough
        rows += [
            {
                "loan": name,
                "node": r.labels[n],
                "quarter": r.quarters[n],
                "owed_usd_m": opening[n],
                "pledged_btc": cover[n],
                "at_trough_usd_m": worth[n],
                "cash_usd_m": cash[n],
                "headroom_usd_m": call * worth[n] + cash[n] - opening[n],
                "ltv_frac": max(0.0, opening[n] - cash[n]) / worth[n] if worth[n] > 0.0 else 0.0,
            }
            for n in np.flatnonzero(opening)
        ]
    return rows
