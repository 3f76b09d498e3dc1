"""The table stakes: what is owned in part, by our arithmetic, and beside it what the market says."""

import pandas as pd

from models.blocks.shares import PartOf
from models.blocks.site.owners import NOT_SHARED
from optimizer.plans.reading import Reading


def stakes(r: Reading) -> pd.DataFrame:
    """Rows by entity and leaf, of joint ventures and listed subsidiaries."""
    p, rows = r.program.params, []
    growth = (1.0 + p.portfolio.firm.cost_of_equity_frac) ** (p.tree.horizon_q / 4.0)
    for x in r.program.borrowers:
        e = x.owned
        if e.share == 1.0:
            continue
        for leaf in p.tree.leaves:
            whole = PartOf(x.books, 1.0).worth_at(leaf, NOT_SHARED).value
            rows.append(
                {
                    "entity": e.entity,
                    "leaf": r.labels[leaf],
                    "whole_usd_m": whole,
                    "part_usd_m": e.share * whole,
                    "market_usd_m": (e.price_usd or 0.0) * (e.shares_held_m or 0.0) * growth,
                    "kind": e.kind,
                    "ownership_frac": e.share,
                }
            )
    return pd.DataFrame(rows)
