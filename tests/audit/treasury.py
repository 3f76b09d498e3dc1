"""A company that only holds one asset, to work value per share by hand."""

import pandas as pd

from models.domain.futures import scenario_tree
from models.domain.portfolio import Portfolio
from optimizer.audit.rebuild import value_plan
from tests.audit import small


def company(
    *, price_usd: float, shares_m: float, leaves: tuple[float, float], note_usd_m: float = 0.0
) -> Portfolio:
    """Two equally likely leaves in the second quarter,
    worth ``leaves`` before claims; deck prices follow them."""
    whole = small.portfolio()
    mean = 0.5 * sum(leaves)
    firm = whole.firm.model_copy(update={
        "horizon_q": 2, "price_usd": price_usd, "basic_shares_m": shares_m, "award_shares_m_per_q": 0.0,
        "btc_beta": 1.0, "ai_beta": 0.0, "overhead_usd_m_per_q": 0.0, "cash_floor_usd_m": 0.0,
        "equity_pricing": "market",
    })  # fmt: skip
    parent = whole.parent.model_copy(update={
        "unrestricted_cash_usd_m": 0.0, "escrow_usd_m": 0.0, "collateral_cash_usd_m": 0.0,
    })  # fmt: skip
    market = [
        row.model_copy(update={
            "btc_usd": 1e5 * (1.0 if row.quarter == firm.first_quarter else worth / mean),
            "base_rate_frac": 0.0,
        })
        for scenario, worth in (("up", leaves[0]), ("down", leaves[1]))
        for row in (r for r in whole.market if r.scenario == "base")
        for row in (row.model_copy(update={"scenario": scenario}),)
        if row.quarter - firm.first_quarter < 2
    ]  # fmt: skip
    root = [r.model_copy(update={"scenario": "base"}) for r in market if r.quarter == firm.first_quarter][:1]
    scenarios = [
        s.model_copy(update={"branch_quarter": firm.first_quarter + 1} if s.branch_from else {})
        for s in whole.scenarios
    ]
    note = whole.convertibles[0].model_copy(update={
        "principal_usd_m": note_usd_m, "coupon_frac": 0.0, "maturity_quarter": firm.first_quarter + 2,
        "put_quarter": None, "call_from_quarter": None, "conversion_price_usd": 16.0325,
        "cap_price_usd": None,
    })  # fmt: skip
    overhead = [v.model_copy(update={"years": 0.0}) for v in whole.valuation]
    holding = whole.holdings[0].model_copy(update={"value_usd_m": mean, "haircut_frac": 0.0})
    instruments = [i.model_copy(update={"fee_frac": 0.0}) for i in whole.instruments]
    impact = [b.model_copy(update={"discount_frac": 0.0}) for b in whole.impact]
    return Portfolio(
        company=(firm,), entities=(parent,), holdings=(holding,), valuation=tuple(overhead), regions=(),
        sites=(),
        power=(), scenarios=tuple(scenarios), market=(*root, *market), instruments=tuple(instruments),
        impact=tuple(impact), convertibles=(note,) if note_usd_m else (),
    )  # fmt: skip


def root(portfolio: Portfolio, *, sold_in_the_good_leaf: float = 0.0) -> float:
    """Value per share when nothing, or some shares at the market in the first leaf, is decided."""
    tree = scenario_tree(portfolio)
    good = next(n for n in tree.leaves if tree.scenario[n] == "up")
    row = ("atm", "", "atm", "", "1", tree.label(good), sold_in_the_good_leaf)
    rows = [row] if sold_in_the_good_leaf else []
    return value_plan(portfolio, tree, pd.DataFrame(rows, columns=list(small.COLUMNS))).root()
