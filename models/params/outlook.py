"""The market along the tree and, frozen at each leaf, beyond it; share prices and what they imply."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.futures import market_rows
from models.domain.market import MarketRow
from models.domain.portfolio import Portfolio
from models.formulas.hashprice import hashprice_usd_per_ph_day
from models.timetree import Quarter, TimeTree

Array = NDArray[np.float64]
HALVINGS_BTC = tuple(6.25 / 2**k for k in range(12))


@dataclass(frozen=True, eq=False)
class Outlook:
    """Market arrays by node."""

    tree: TimeTree
    rows: tuple[MarketRow, ...]
    hours: Array
    share_price_usd: Array
    base_rate_frac: Array
    hashprice: Array
    """[USD/(PH/s)/d], net of the pool fee."""
    years_to_end: Array
    leaf_weight: dict[int, float]
    """g of each leaf: its share price over the expected one."""
    expected_weight: Array
    """E[g | n]."""
    below: tuple[Array, ...]
    """For each node, 1 at it and its descendants."""


@dataclass(frozen=True, eq=False)
class Future:
    """The path to one leaf, run on beyond it with the market frozen; arrays by quarter from the first."""

    leaf: int
    path: tuple[int, ...]
    quarters: tuple[Quarter, ...]
    hours: Array
    lease_idx: Array
    gpu_rent_idx: Array
    gpu_price_idx: Array
    capex_idx: Array
    power_idx: Array

    @property
    def horizon_q(self) -> int:
        """Quarters within the horizon."""
        return len(self.path)


def read_outlook(portfolio: Portfolio, tree: TimeTree) -> Outlook:
    """Market arrays of the nodes of ``tree``."""
    rows = market_rows(portfolio, tree)
    firm = portfolio.firm
    root = rows[0]
    price = np.array(
        [
            firm.price_usd
            * (r.btc_usd / root.btc_usd) ** firm.btc_beta
            * (r.ai_equity_idx / root.ai_equity_idx) ** firm.ai_beta
            for r in rows
        ]
    )
    mean = sum(tree.probability[leaf] * price[leaf] for leaf in tree.leaves)
    weight = {leaf: float(price[leaf] / mean) for leaf in tree.leaves}
    below = []
    expected = np.zeros(len(tree.nodes))
    for n in tree.nodes:
        mark = np.zeros(len(tree.nodes))
        mark[list(tree.descendants(n))] = 1.0
        below.append(mark)
        expected[n] = (
            sum(tree.probability[leaf] * w for leaf, w in weight.items() if mark[leaf])
            / (tree.probability[n])
        )
    return Outlook(
        tree=tree,
        rows=rows,
        hours=np.array([tree.quarter(n).hours for n in tree.nodes]),
        share_price_usd=price,
        base_rate_frac=np.array([r.base_rate_frac for r in rows]),
        hashprice=np.array(
            [
                hashprice_usd_per_ph_day(
                    r.btc_usd, r.difficulty_t, r.subsidy_btc, r.fee_frac, firm.pool_fee_frac
                )
                for r in rows
            ]
        ),
        years_to_end=np.array([tree.years_to_end(n) for n in tree.nodes]),
        leaf_weight=weight,
        expected_weight=expected,
        below=tuple(below),
    )


def halved_hashprice(portfolio: Portfolio, outlook: Outlook, leaf: int) -> float:
    """Hashprice of a leaf with its subsidy fully halved. [USD/(PH/s)/d]"""
    row = outlook.rows[leaf]
    subsidy = max((s for s in HALVINGS_BTC if s <= row.subsidy_btc + 1e-12), default=0.0)
    return float(
        hashprice_usd_per_ph_day(
            row.btc_usd, row.difficulty_t, subsidy, row.fee_frac, portfolio.firm.pool_fee_frac
        )
    )


def read_futures(outlook: Outlook, last: Quarter) -> tuple[Future, ...]:
    """One future per leaf, running on until ``last`` at least."""
    tree = outlook.tree
    length = max(tree.horizon_q, last - tree.first + 1)
    quarters = tuple(tree.first + t for t in range(length))
    hours = np.array([q.hours for q in quarters])
    futures = []
    for leaf in tree.leaves:
        path = tree.path(leaf)
        rows = [outlook.rows[n] for n in path]
        rows += [rows[-1]] * (length - len(rows))
        futures.append(
            Future(
                leaf=leaf,
                path=path,
                quarters=quarters,
                hours=hours,
                lease_idx=np.array([r.lease_idx for r in rows]),
                gpu_rent_idx=np.array([r.gpu_rent_idx for r in rows]),
                gpu_price_idx=np.array([r.gpu_price_idx for r in rows]),
                capex_idx=np.array([r.capex_idx for r in rows]),
                power_idx=np.array([r.power_idx for r in rows]),
            )
        )
    return tuple(futures)
