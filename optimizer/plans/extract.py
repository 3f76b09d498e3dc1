"""From a solved program to the declared tables."""

import pandas as pd

from models.blocks.program import Program
from optimizer.plans.claims import claim_tables
from optimizer.plans.coins import coin_tables
from optimizer.plans.money import money_tables
from optimizer.plans.reading import Reading
from optimizer.plans.sites import site_tables
from optimizer.plans.strategies import strategies
from optimizer.plans.tables import TABLES
from optimizer.plans.taxes import tax_tables


def extract(program: Program, value_per_share_usd: float) -> dict[str, pd.DataFrame]:
    """All declared tables of the solution that the program's variables hold, columns in declared order."""
    reading = Reading(program, value_per_share_usd)
    found = {**money_tables(reading), **site_tables(reading), **claim_tables(reading), **tax_tables(reading)}
    found["strategies"] = pd.DataFrame(strategies(reading))
    found |= coin_tables(reading)
    tables = {}
    for table in TABLES:
        names = [c.name for c in table.columns]
        frame = found[table.name]
        tables[table.name] = frame[names] if len(frame) else pd.DataFrame(columns=names)
    return tables
