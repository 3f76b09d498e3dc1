"""The statements of the auditor's small plan and of toys tie, and a shift of any of their lines is caught."""

import threading

import pandas as pd
import pytest

from models.blocks.program import build_program
from models.domain.portfolio import Portfolio
from models.domain.statements import BalanceLine, EquityLine, IncomeLine
from models.params.params import compile_params
from models.timetree import TimeTree
from optimizer.audit.book import Book
from optimizer.audit.court import Court
from optimizer.audit.rebuild import rebuild
from optimizer.audit.ties import STATEMENTS, Ties
from optimizer.audit.verdict import audit
from optimizer.plans.extract import extract
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.search import search_plan
from tests import portfolios as make
from tests.audit import small
from tests.oracle.toys import TOYS

LIVES = [{"asset": a, "life_q": q} for a, q in (("halls", 100), ("gpus", 20), ("cooling", 60), ("power", 40))]
CASES = (
    "halls sold on a tree",
    "cloud renewed",
    "terminated on a tree",
    "coins on a tree",
    "bought back",
    "joint venture on a tree",
    "listed",
)
MATERIAL_USD_M = 0.01


def test_the_small_plan_ties_to_the_cent() -> None:
    """Everything at once, by the auditor's arithmetic alone."""
    portfolio = make.with_rows(small.portfolio(), "book_lives", *LIVES)
    tree = small.tree_of(portfolio)
    tables = rebuild(portfolio, tree, small.decisions(tree), value_per_share_usd=5.0)
    court = Court()
    Ties(Book(portfolio, tree), tables, court).check()
    assert court.checks > 20 * len(tree.nodes)
    assert not court.failures


def planned(portfolio: Portfolio, tree: TimeTree) -> tuple[dict[str, pd.DataFrame], float, str]:
    """Tables, value per share and objective."""
    program = build_program(compile_params(portfolio, tree))
    outcome, _ = search_plan(
        program, compile_matrix(program.model), Options(gap=0.02), threading.Event(), lambda *_: None
    )
    return extract(program, outcome.value_per_share_usd), outcome.value_per_share_usd, outcome.objective


@pytest.mark.parametrize("name", CASES)
def test_statements_of_toys_tie_and_each_line_is_watched(name: str) -> None:
    """The audit finds nothing in the plan, and objects where any one cell of a line is moved."""
    make_portfolio, time_of = TOYS[name]
    portfolio = make.with_rows(make_portfolio(), "book_lives", *LIVES)
    tree = time_of(portfolio)
    tables, price, objective = planned(portfolio, tree)
    verdict = audit(portfolio, tree, tables, value_per_share_usd=price, objective=objective)
    assert not verdict.failures
    court = Court()
    for table in STATEMENTS:
        for _, rows in tables[table].groupby("line", sort=False):
            shifted = tables[table].copy()
            shifted.loc[rows.index[len(rows) // 2], "usd_m"] += MATERIAL_USD_M
            court = Court()
            Ties(Book(portfolio, tree), {**tables, table: shifted}, court).check()
            assert court.failures, (table, rows["line"].iloc[0])


def test_the_small_plan_uses_every_line() -> None:
    """But one: it has no halls that are late."""
    portfolio = make.with_rows(small.portfolio(), "book_lives", *LIVES)
    tree = small.tree_of(portfolio)
    tables = rebuild(portfolio, tree, small.decisions(tree), value_per_share_usd=5.0)
    for table, lines, unused in (
        ("income", IncomeLine, {IncomeLine.LATE_DAMAGES}),
        ("balance_sheet", BalanceLine, set()),
        ("changes_in_equity", EquityLine, set()),
    ):
        shown = tables[table]
        used = set(shown[shown["usd_m"].abs() > 1e-6]["line"])
        assert {str(x) for x in lines} - used == unused, table


def test_a_shift_that_ties_is_caught_too() -> None:
    """Property shown as construction, in the entity and in all as one, breaks no sum; the audit sees it."""
    make_portfolio, time_of = TOYS["joint venture"]
    portfolio = make.with_rows(make_portfolio(), "book_lives", *LIVES)
    tree = time_of(portfolio)
    tables, price, objective = planned(portfolio, tree)
    sheet = tables["balance_sheet"].copy()
    first = sheet[(sheet["line"] == "property") & (sheet["entity"] != "consolidated")].iloc[0]
    for entity in (first["entity"], "consolidated"):
        here = (sheet["entity"] == entity) & (sheet["node"] == first["node"])
        sheet.loc[here & (sheet["line"] == "property"), "usd_m"] -= MATERIAL_USD_M
        more = {"entity": entity, "node": first["node"], "line": "construction", "usd_m": MATERIAL_USD_M}
        sheet = pd.concat([sheet, pd.DataFrame([{**more, "quarter": "", "section": "assets"}])])
    verdict = audit(
        portfolio, tree, {**tables, "balance_sheet": sheet}, value_per_share_usd=price, objective=objective
    )
    assert {f.check for f in verdict.failures} <= {"cell", "row"}
    assert verdict.failures
