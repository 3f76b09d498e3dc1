"""Golden case: the solved program on the shipped portfolio `tiny` is its README's hand calculation."""

import threading
from collections import defaultdict
from functools import cache

import pandas as pd
import pytest

from models.blocks.program import build_program
from models.domain.futures import scenario_chain
from models.domain.ledger import Quantity
from models.params.params import compile_params
from optimizer.inputs.load import load
from optimizer.pipeline import AuditError, plan
from optimizer.plans.plan import Plan
from optimizer.solve.exact import HighsProgram
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.per_share import Search
from tests.golden import tiny_by_hand as by_hand
from tests.golden.tiny_by_hand import CANDIDATES, FLEETS, GREATEST, NOTHING, PER_SHARE, Candidate, Loan

QUARTERS = tuple(f"2027Q{q}" for q in range(1, 5))
NODES = tuple(f"{q}:flat" for q in QUARTERS)
BETWEEN = ("contributed", "distributed")
"""Cash between the company and its sites: where it lies makes no difference, so that no test looks."""
OBJECTIVES = {"per-share": PER_SHARE, "value": GREATEST}
FACILITY = "mill|hall|lease|2027Q1:flat|2027Q1:flat"


def about(number: float) -> object:
    """The same to the solver's tolerance."""
    return pytest.approx(number, rel=0, abs=1e-6)


@cache
def solved(objective: str) -> Plan:
    """The plan proved to the last digit; whether its audit passes is a test of its own."""
    options = Options(objective="value" if objective == "value" else "per-share", gap=1e-7)
    try:
        return plan(load(by_hand.TINY), options=options)
    except AuditError as rejected:
        return rejected.plan


@pytest.fixture(params=OBJECTIVES)
def objective(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def planned(objective: str) -> Plan:
    return solved(objective)


@pytest.fixture
def hand(objective: str) -> Candidate:
    return OBJECTIVES[objective]


def by_node(table: pd.DataFrame, column: str) -> dict[str, float]:
    """A column's sums by node."""
    return {str(node): float(x) for node, x in table.groupby("node")[column].sum().items()}


def test_value_per_share(planned: Plan, hand: Candidate) -> None:
    assert planned.status == "optimal"
    assert planned.value_per_share_usd == about(hand.per_share)
    assert planned.committed_value_per_share_usd == about(NOTHING.per_share)
    assert planned.implied_return == about(hand.per_share / 8.0 - 1.0)


def test_objective(objective: str, planned: Plan, hand: Candidate) -> None:
    assert planned.objective == objective
    assert planned.value == about(hand.as_debt if objective == "value" else hand.per_share)
    assert planned.bound == pytest.approx(planned.value, rel=1e-6)


def test_the_two_plans_differ() -> None:
    value, per_share = solved("value"), solved("per-share")
    assert value.value > by_hand.PER_SHARE.as_debt + 10.0
    assert value.value_per_share_usd < per_share.committed_value_per_share_usd < per_share.value_per_share_usd


def test_decisions(planned: Plan, hand: Candidate) -> None:
    taken = by_hand.GROSS_MW * hand.modules
    wanted: dict[tuple[str, ...], float] = {
        ("sign", "mill", "", "lease", NODES[0]): 1.0,
        ("start", "mill", "hall", "lease", NODES[0]): hand.modules,
        ("financed", "mill", "hall", "lease", NODES[0]): hand.financed,
        ("issue", "", "note", "", NODES[0]): hand.note,
        ("atm", "", "atm", "", NODES[1]): hand.atm,
        ("sold_mw", "mill", "mill-poor", "", NODES[1]): taken,
        **{("on_mw", "mill", "mill-poor", "", node): hand.on_mw("mill", q) for q, node in enumerate(NODES)},
        **{("on_mw", "dam", "dam-good", "", node): 20.0 for node in NODES},
    }
    rows = planned.tables["decisions"]
    found = {
        (str(r.quantity), str(r.site), str(r.item), str(r.contract), str(r.node)): float(str(r.value))
        for r in rows[~rows["quantity"].isin(BETWEEN)].itertuples()
    }
    assert found == {key: about(x) for key, x in wanted.items() if x}


def test_cash_by_quarter(planned: Plan, hand: Candidate) -> None:
    rows = planned.tables["liquidity"]
    cash = rows["company_cash_usd_m"] + rows["block_cash_usd_m"]
    assert list(rows["node"]) == list(NODES)
    assert list(cash) == [about(x) for x in hand.cash]


def test_cash_lines(planned: Plan, hand: Candidate) -> None:
    rows = planned.tables["cash_flow"]
    rows = rows[~rows["line"].isin(BETWEEN)]
    found: dict[tuple[str, str], float] = defaultdict(float)
    for row in rows.itertuples():
        found[str(row.line).replace("_", " "), str(row.node)] += float(str(row.usd_m))
    wanted = {
        (name, NODES[q]): about(x) for name, line in hand.lines.items() for q, x in enumerate(line) if x
    }
    assert found == wanted


def test_loan_schedule(planned: Plan, hand: Candidate) -> None:
    rows = planned.tables["debt_schedule"]
    assert set(rows["debt"]) == {FACILITY}
    wanted = {
        "drawn_usd_m": (Loan.loan, 0.0, 0.0, 0.0),
        "interest_usd_m": Loan.interest,
        "principal_usd_m": Loan.principal,
        "balance_usd_m": Loan.balance,
        "restricted_usd_m": Loan.restricted,
    }
    for column, numbers in wanted.items():
        scaled = {node: about(hand.financed * x) for node, x in zip(NODES, numbers, strict=True)}
        assert by_node(rows, column) == scaled, column


def test_financing(planned: Plan, hand: Candidate) -> None:
    found = {
        str(r.kind): (float(str(r.gross_usd_m)), float(str(r.net_usd_m)), float(str(r.shares_m)))
        for r in planned.tables["financing"].itertuples()
    }
    wanted = {
        "project_debt": (hand.financed * Loan.loan, hand.financed * sum(Loan.draws), 0.0),
        "convertible": (hand.note, by_hand.NOTE_NET * hand.note, hand.note / by_hand.STRIKE),
        "atm": (hand.atm, by_hand.ATM_NET * hand.atm, hand.atm / by_hand.PRICE),
    }
    assert found == {kind: tuple(map(about, amounts)) for kind, amounts in wanted.items() if amounts[0]}


def test_value_lines(planned: Plan, hand: Candidate) -> None:
    rows = planned.tables["value"]
    found = {str(r.line).replace("_", " "): float(str(r.usd_m)) for r in rows.itertuples()}
    assert {line: x for line, x in found.items() if abs(x) > 1e-6} == {
        line: about(x) for line, x in hand.value.items()
    }


def test_claims(planned: Plan, hand: Candidate) -> None:
    rows = planned.tables["claims"]
    found = {str(r.claim): float(str(r.usd_m)) for r in rows.itertuples()}
    wanted = {f"note@{NODES[0]}": hand.note_claim, "new shares": hand.share_claim}
    assert {claim: x for claim, x in found.items() if abs(x) > 1e-6} == {
        claim: about(x) for claim, x in wanted.items() if x
    }
    assert sum(found.values()) + by_hand.SHARES * hand.per_share == about(hand.total)


def test_machines(planned: Plan, hand: Candidate) -> None:
    rows = planned.tables["mining"]
    for site, (machine, _) in FLEETS.items():
        wanted = {node: about(hand.on_mw(site, q)) for q, node in enumerate(NODES) if hand.on_mw(site, q)}
        found = by_node(rows[rows["vintage"] == f"{site}-{machine}"], "on_mw")
        assert {node: mw for node, mw in found.items() if mw} == wanted


def test_audit_agrees(planned: Plan) -> None:
    assert planned.audit.failures == ()
    assert planned.audit.passed


FORCED = {
    Quantity.START: "modules",
    Quantity.FINANCED: "financed",
    Quantity.ISSUE: "note",
    Quantity.ATM: "atm",
}


@pytest.fixture(scope="module")
def search() -> Search:
    """The program of `tiny`, ready to be solved with some of its decisions given."""
    portfolio = load(by_hand.TINY).portfolio
    program = build_program(compile_params(portfolio, scenario_chain(portfolio, "flat")))
    matrix, stop = compile_matrix(program.model), threading.Event()
    solver = HighsProgram(matrix, threads=1, seed=0, stop=stop)
    return Search(program, matrix, solver, Options(), stop, lambda *_: None, 0.0)


@pytest.mark.parametrize("name", CANDIDATES)
def test_program_values_every_candidate_the_same(search: Search, name: str) -> None:
    """With modules, loans, note and shares given as by hand, and the rest free."""
    hand, matrix = CANDIDATES[name], search.matrix
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    for d in search.program.decisions:
        if d.quantity in FORCED:
            here = d.site in ("", hand.site)
            column = matrix.column[id(d.variable)]
            lower[column] = upper[column] = getattr(hand, FORCED[d.quantity]) * here
    cost = matrix.cost(search.program.objective(hand.per_share))
    found = search.solver.solve(
        cost, integer=True, gap_usd_m=1e-9, time_limit_s=10.0, lower=lower, upper=upper
    )
    assert found.x is not None
    assert search.root(found.x) == about(hand.per_share)
    assert matrix.at(found.x, search.program.value_objective()) == about(hand.as_debt)
