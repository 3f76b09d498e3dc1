"""Contracts that end before their term: where on the tree, and how their tenants' money is settled."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.contract import ContractMoney
from models.domain.portfolio import Portfolio
from models.domain.termination import Termination
from models.timetree import TimeTree

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ending:
    """The end of a contract on the path to a leaf."""

    row: Termination
    at: int
    """Quarters since the first one."""


Endings = Mapping[int, Ending]
"""By leaf; of paths on which the contract runs on there is none."""


def endings_of(portfolio: Portfolio, tree: TimeTree) -> dict[str, Endings]:
    """Endings of each contract: at the node of the row's scenario and quarter, for all paths through it."""
    rows = {(t.contract, t.scenario, t.quarter): t for t in portfolio.terminations}
    found: dict[str, Endings] = {}
    for name in dict.fromkeys(t.contract for t in portfolio.terminations):
        by_leaf: dict[int, Ending] = {}
        for leaf in tree.leaves:
            for n in reversed(tree.path(leaf)):  # the first one on a path holds
                row = rows.get((name, tree.scenario[n], tree.quarter(n)))
                if row is not None:
                    by_leaf[leaf] = Ending(row, tree.period[n])
        found[name] = by_leaf
    return found


def over_at(endings: Endings, tree: TimeTree) -> frozenset[int]:
    """Nodes at which a contract has ended."""
    return frozenset(
        n for leaf, ending in endings.items() for n in tree.path(leaf) if tree.period[n] >= ending.at
    )


@dataclass(frozen=True, eq=False)
class Settled:
    """One row of tenant money by quarter. [$M]"""

    credit: Array
    refund: Array
    kept: Array
    """What was received, is not earned, and need not be given back: income."""
    unearned_usd_m: float
    """At the end of the horizon: received or still to come, and not credited."""


def settled(
    money: ContractMoney, received_usd_m: float, credit: Array, horizon_q: int, ending: Ending | None
) -> Settled:
    """Credits up to the end of the contract, and what becomes of the rest of what was received by then.

    ``received_usd_m`` is to be given back, what was credited before the plan apart; before the end of the
    contract, where it ends.
    """
    none = np.zeros(credit.size)
    if ending is None:
        return Settled(credit, none, none, received_usd_m - float(credit[:horizon_q].sum()))
    given, refund, kept = credit.copy(), none.copy(), none.copy()
    given[ending.at :] = 0.0
    left = max(0.0, received_usd_m - float(given.sum()))
    (refund if money.refundable_on_termination else kept)[ending.at] = left
    return Settled(given, refund, kept, 0.0)
