"""From a solved program to the declared tables."""

from collections.abc import Mapping
from functools import partial

import pandas as pd

from models.blocks.program import Program
from optimizer.plans.bookkeeping import accounts_of
from optimizer.plans.claims import claim_tables
from optimizer.plans.coins import coin_tables
from optimizer.plans.hurdles import hurdle_rows
from optimizer.plans.money import money_tables
from optimizer.plans.prices import at_company_prices, price_rows
from optimizer.plans.reading import Reading
from optimizer.plans.share_counts import share_counts
from optimizer.plans.sites import site_tables
from optimizer.plans.stakes import stakes
from optimizer.plans.statements import statement_tables
from optimizer.plans.strategies import strategies
from optimizer.plans.tables import TABLES
from optimizer.plans.taxes import tax_tables
from optimizer.plans.terminations import terminations
from optimizer.solve.outcome import Duals


def extract(
    program: Program,
    value_per_share_usd: float,
    prices: Mapping[str, float] | None = None,
    duals: Duals | None = None,
) -> dict[str, pd.DataFrame]:
    """All declared tables of the solution that the program's variables hold, columns in declared order.

    ``prices`` are those of the covenants and budgets, by name; empty cells where there are none.
    [USD per share]
    """
    reading = Reading(program, value_per_share_usd, prices or {}, duals)
    found = {**money_tables(reading), **site_tables(reading), **claim_tables(reading), **tax_tables(reading)}
    found["strategies"] = pd.DataFrame(strategies(reading))
    found["terminations"] = pd.DataFrame(terminations(reading))
    found["stakes"] = stakes(reading)
    found |= coin_tables(reading)
    accounts = accounts_of(reading)
    found |= statement_tables(reading, accounts)
    found["share_counts"] = pd.DataFrame(share_counts(reading, accounts))
    found["hurdles"] = pd.DataFrame(hurdle_rows(reading, partial(at_company_prices, reading)))
    found["prices"] = pd.DataFrame(price_rows(reading))
    tables = {}
    for table in TABLES:
        names = [c.name for c in table.columns]
        frame = found[table.name]
        tables[table.name] = frame[names] if len(frame) else pd.DataFrame(columns=names)
    return tables
