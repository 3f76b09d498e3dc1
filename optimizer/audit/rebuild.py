"""All tables of a plan, rebuilt from the inputs, the tree, the decisions and the price per share."""

from collections.abc import Sequence

import pandas as pd

from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.audit import tables_coins, tables_money, tables_physical
from optimizer.audit.book import Book
from optimizer.audit.court import Court
from optimizer.audit.covenants import Test, covenant_tests
from optimizer.audit.decisions import read_decisions
from optimizer.audit.hurdles import hurdles, prices, with_returns
from optimizer.audit.leaf_figures import leaves
from optimizer.audit.share_counts import share_counts
from optimizer.audit.statements import Statements
from optimizer.audit.strategies import strategies
from optimizer.audit.tables_physical import Rows
from optimizer.audit.terminations import terminations
from optimizer.audit.valuation import Valuation
from optimizer.audit.waterfall import project_waterfall
from optimizer.audit.world import World
from optimizer.plans.tables import BY_NAME


class UnreadableDecisionsError(ValueError):
    """The table of decisions cannot be read."""


def rebuild_rows(worth: Valuation, tests: Sequence[Test], value_per_share_usd: float) -> dict[str, Rows]:
    """Audited columns of every table, by key."""
    world, statements = worth.world, Statements(worth)
    return {
        "decisions": tables_physical.decisions(world),
        "site_plan": tables_physical.site_plan(world),
        "mining": tables_physical.mining(world),
        "site_summary": with_returns(world, tables_physical.site_summary(world)),
        "hurdles": hurdles(world),
        "prices": prices(world),
        "strategies": strategies(world),
        "contracts": tables_physical.contracts(world),
        "terminations": terminations(world),
        "financing": tables_money.financing(world),
        "sources_uses": tables_money.sources_uses(world),
        "cash_flow": tables_money.cash_flow(world),
        **statements.tables,
        "share_counts": share_counts(statements),
        "debt_schedule": tables_money.debt_schedule(world),
        "project_waterfall": project_waterfall(world),
        "bitcoin": tables_coins.bitcoin(world),
        "collateral": tables_coins.collateral(world),
        "convert_schedule": tables_money.convert_schedule(world),
        "convertibles": tables_money.convertibles(world),
        "cap_table": tables_money.cap_table(worth, value_per_share_usd),
        "liquidity": tables_money.liquidity(world),
        "commitments": tables_physical.commitments(world),
        "covenants": tables_money.covenants(tests, world.book.tree),
        "tax": tables_money.tax(worth),
        "stakes": tables_money.stakes(worth),
        "value": tables_money.value(worth),
        "claims": tables_money.claims(worth, value_per_share_usd),
        "leaves": leaves(worth, value_per_share_usd),
        "decide_now": tables_physical.decide_now(world),
    }


def value_plan(portfolio: Portfolio, tree: TimeTree, decisions: pd.DataFrame) -> Valuation:
    """Worth of a plan by the auditor's arithmetic; UnreadableDecisionsError when the table cannot be read."""
    book, court = Book(portfolio, tree), Court()
    decided = read_decisions(decisions, book, court)
    if decided is None:
        raise UnreadableDecisionsError("; ".join(map(str, court.failures)))
    return Valuation(World(book, decided))


def rebuild(
    portfolio: Portfolio, tree: TimeTree, decisions: pd.DataFrame, *, value_per_share_usd: float
) -> dict[str, pd.DataFrame]:
    """Every table with its key and audited columns."""
    worth = value_plan(portfolio, tree, decisions)
    tables = {}
    for name, rows in rebuild_rows(worth, covenant_tests(worth), value_per_share_usd).items():
        spec = BY_NAME[name]
        columns = [*spec.key, *spec.audited]
        cells = [[*key, *(row[c] for c in spec.audited)] for key, row in rows.items()]
        tables[name] = pd.DataFrame(cells, columns=columns)
    return tables
