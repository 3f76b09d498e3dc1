"""A good plan of the starter portfolio, to be corrupted."""

import threading

import pandas as pd
import pytest

from models.blocks.program import build_program
from models.domain.futures import scenario_chain, scenario_tree
from models.domain.portfolio import Portfolio
from models.params.params import compile_params
from models.timetree import TimeTree
from optimizer.inputs.load import load
from optimizer.plans.extract import extract
from optimizer.shipped import data_folder
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.search import search_plan

GoodPlan = tuple[Portfolio, TimeTree, dict[str, pd.DataFrame], float, str]


@pytest.fixture(scope="session", params=["chain", "tree"])
def good_plan(request: pytest.FixtureRequest) -> GoodPlan:
    """Portfolio, tree, tables, value per share and objective of a plan that was solved loosely."""
    portfolio = load(data_folder() / "templates" / "starter").portfolio
    tree = scenario_tree(portfolio) if request.param == "tree" else scenario_chain(portfolio, "base")
    program = build_program(compile_params(portfolio, tree))
    outcome, _ = search_plan(
        program, compile_matrix(program.model), Options(gap=0.02), threading.Event(), lambda *_: None
    )
    price = outcome.value_per_share_usd
    return portfolio, tree, extract(program, price), price, outcome.objective
