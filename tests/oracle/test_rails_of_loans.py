"""Guard rails on plans that borrow against coins and roll old loans: program and auditor see the same."""

import pytest

from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from optimizer.audit.verdict import audit
from optimizer.plans.extract import extract
from optimizer.solve.options import Options
from tests import portfolios as make
from tests.oracle.enumeration import Case
from tests.oracle.test_enumeration import solved
from tests.oracle.toys import TOYS

LOOSE = (
    ("recourse_debt", 900.0), ("secured_debt", 900.0), ("maturities", 0.1), ("cash_cover", 0.5),
    ("funded_commitments", 0.0), ("stress_liquidity", 0.0), ("net_debt_to_market_cap", 1.0),
)  # fmt: skip
AT_THE_END = (("maturity_wall", 0.1), ("solvency", 0.5))


def railed(p: Portfolio) -> Portfolio:
    """With guard rails that bend no plan much."""
    p = make.with_rows(p, "covenants", *(make.covenant(m, at) for m, at in LOOSE))
    always = {"from_quarter": None, "to_quarter": None}
    return make.with_rows(p, "covenants", *(make.covenant(m, at, **always) for m, at in AT_THE_END))


@pytest.mark.parametrize("name", ["coins", "coins on a tree", "coins taxed"])
def test_a_plan_with_new_loans_passes_its_audit(name: str) -> None:
    toy, time_of = TOYS[name]
    p = railed(toy())
    case = Case.of(p, time_of(p))
    outcome, _ = solved(case, Options(gap=1e-6))
    tables = extract(case.program, outcome.value_per_share_usd, outcome.prices)
    found = set(tables["decisions"]["quantity"])
    assert {str(Quantity.BORROWED), str(Quantity.ROLLED)} <= found, "it takes new loans of either kind"
    verdict = audit(
        case.portfolio, case.tree, tables,
        value_per_share_usd=outcome.value_per_share_usd, objective="per-share",
    )  # fmt: skip
    assert verdict.failures == ()
