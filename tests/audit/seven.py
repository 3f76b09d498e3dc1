"""Good plans of the companies that ship, found cheaply: whole, with real decisions, far from the best."""

import threading
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.blocks.program import build_program
from models.domain.futures import scenario_chain
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.params.params import compile_params
from models.timetree import TimeTree
from optimizer.inputs.load import load
from optimizer.plans.extract import extract
from optimizer.solve.exact import HighsProgram
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.per_share import Search
from optimizer.solve.polish import polished

COMPANIES = ("bitdeer", "bitfarms", "cipher", "cleanspark", "core-scientific", "hut8", "iren")
FIRST_INCUMBENTS = 1
TIME_LIMIT_S = 120.0
AT_PRICE_FRAC = 0.25
"""Of today's share price: lambda at which the one program is solved."""
NO_GAP_USD_M = 1e7


@dataclass(frozen=True)
class GoodPlan:
    """What an auditor is given."""

    portfolio: Portfolio
    tree: TimeTree
    tables: dict[str, pd.DataFrame]
    value_per_share_usd: float
    objective: str = "per-share"


def first_plan(name: str, horizon_q: int | None = None) -> GoodPlan:
    """The first plan without rescue that the solver comes upon, its continuous part at the best."""
    loaded = load(name)
    if horizon_q is not None:
        loaded = load(name, overrides=f"company[{loaded.portfolio.firm.name}].horizon_q={horizon_q}")
    tree = scenario_chain(loaded.portfolio, loaded.scenario)
    program = build_program(compile_params(loaded.portfolio, tree))
    matrix = compile_matrix(program.model)
    upper = matrix.upper.copy()
    for d in program.decisions:
        if d.quantity is Quantity.RESCUE:
            upper[matrix.column[id(d.variable)]] = 0.0
    stop = threading.Event()
    solver = HighsProgram(matrix, threads=1, seed=0, stop=stop)
    solver.highs.setOptionValue("mip_max_improving_sols", FIRST_INCUMBENTS)
    options = Options(gap=0.5, time_limit_s=TIME_LIMIT_S)
    search = Search(program, matrix, solver, options, stop, lambda *_: None, time.monotonic())
    lam = AT_PRICE_FRAC * loaded.portfolio.firm.price_usd
    found, _ = search.at(lam, integer=True, gap_usd_m=NO_GAP_USD_M, upper=upper)
    assert found.x is not None, name
    x = polished(search, program.objective(lam), found.x)
    assert x is not None, name
    lam = search.root(x)
    matrix.load(x)
    return GoodPlan(loaded.portfolio, tree, extract(program, lam), float(np.float64(lam)))
