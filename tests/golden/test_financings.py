"""Several financings at one site, and one over several sites, by hand: loans, service, CFADS of the borrower.

The north and the south belong to one borrower. Halls of 10 MW at both are half-built: 20 $M of the one and
30 of the other are drawn on the same notes of 8 %, of which 10 are out at the opening; from the fourth
quarter on the notes are repaid in four equal parts. A second loan of 10 at 12 %, due in the sixth, stands
beside them.
"""

import pandas as pd
import pytest

from models.blocks import cover as program_cover
from models.domain.portfolio import Portfolio
from models.params.params import compile_params
from optimizer.audit import cover
from optimizer.audit.book import Book
from optimizer.audit.court import Court
from optimizer.audit.decisions import read_decisions
from optimizer.audit.rebuild import rebuild
from optimizer.audit.world import World
from tests.blocks.bite import built
from tests.blocks.hand import idle
from tests.oracle.enumeration import COLUMNS
from tests.portfolios import (
    add_project_debt,
    chain_of,
    contract,
    quarter,
    small,
    with_all,
    with_rows,
    without,
)

NOTES_USD_M = (30.0, 60.0, 60.0, 45.0, 30.0, 15.0)
"""Balance: 10 and 20 drawn; 30 more; then sixty in four parts of 15."""
NOTES_INTEREST_USD_M = (0.2, 0.6, 1.2, 1.2, 0.9, 0.6)
"""Two per cent a quarter of the opening balance: 10, 30, 60, 60, 45, 30."""
SERVICE_USD_M = (0.5, 0.9, 1.5, 16.5, 16.2, 15.9)
"""With 0.3 of the second loan, and 15 of the notes from the fourth quarter on; its last 10 are a bullet."""
CFADS_USD_M = (-1.0, -1.0, 11.0, 11.0, 11.0, 11.0)
"""A half for each site; two halls earn 6 each from the third quarter on."""


def _loan(name: str, **terms: object) -> dict[str, object]:
    return {
        "debt": name, "entity": "north-co", "kind": "project", "recourse": False, "rate_kind": "fixed",
        "commitment_fee_frac": 0.0, **terms,
    }  # fmt: skip


def _halls(p: Portfolio) -> Portfolio:
    for site, drawn, when in (("north", 20.0, 0), ("south", 30.0, 1)):
        p = with_rows(p, "contracts", contract(f"{site}-let", "committed", sites=(site,), max_mw=10.0))
        p = with_rows(
            p, "commitments",
            {"commitment": site, "site": site, "contract": f"{site}-let", "product": "hall", "debt": "notes",
             "capex_usd_m": 80.0, "gpu_capex_usd_m": 0.0, "occupies_from_quarter": quarter(0),
             "cancellable_until_quarter": None, "cancel_fee_usd_m": 0.0},
        )  # fmt: skip
        names = ("commitment", "quarter", "funded_by", "amount_usd_m", "mw_live")
        for row in ((site, quarter(when), "gpu_debt", drawn, 0.0), (site, quarter(2), "own", 1.0, 10.0)):
            p = with_rows(p, "commitment_flows", dict(zip(names, row, strict=True)))
    return p


def financed() -> Portfolio:
    """One borrower with two sites, notes over both, and a second loan."""
    p = with_all(without(idle(), "entities", "south-co"), "sites", entity="north-co")
    notes = _loan(
        "notes", principal_usd_m=10.0, undrawn_usd_m=50.0, coupon_or_spread_frac=0.08,
        first_repayment_quarter=quarter(3), maturity_quarter=quarter(6), repayment="straight",
    )  # fmt: skip
    second = _loan(
        "second", principal_usd_m=10.0, undrawn_usd_m=0.0, coupon_or_spread_frac=0.12,
        first_repayment_quarter=quarter(5), maturity_quarter=quarter(5), repayment="bullet",
    )  # fmt: skip
    return _halls(with_rows(p, "debt", notes, second))


def test_notes_over_two_sites_are_drawn_by_both() -> None:
    p = financed()
    notes = next(d for d in compile_params(p, chain_of(p)).debts if d.debt.debt == "notes")
    assert notes.balance == pytest.approx(NOTES_USD_M)
    assert notes.interest == pytest.approx(NOTES_INTEREST_USD_M)
    assert notes.draws == pytest.approx((20.0, 30.0, 0.0, 0.0, 0.0, 0.0))


def test_a_borrower_serves_all_its_loans_from_all_its_sites() -> None:
    plan = built(financed(), chain_of)
    (borrower,) = plan.program.borrowers
    service = [program_cover.service(borrower.books, n).value for n in plan.tree.nodes]
    assert service == pytest.approx(SERVICE_USD_M)


def test_the_auditor_serves_them_alike() -> None:
    p = financed()
    book = Book(p, chain_of(p))
    decided = read_decisions(pd.DataFrame(columns=COLUMNS), book, Court())
    assert decided is not None
    world = World(book, decided)
    nodes = book.tree.nodes
    assert [cover.service(world, "north-co", n) for n in nodes] == pytest.approx(SERVICE_USD_M)
    assert [cover.cfads(world, "north-co", n) for n in nodes] == pytest.approx(CFADS_USD_M)
    assert [world.debts["notes"][n].balance for n in nodes] == pytest.approx(NOTES_USD_M)


def test_two_cohorts_of_one_site_have_a_loan_each() -> None:
    """In a flat market the loan on a hall begun a quarter later is the first one, a quarter later."""
    p = add_project_debt(small())
    tree = chain_of(p)
    route = ("north", "hall", "lease")
    first, second = tree.label(0), tree.label(1)
    rows = [("sign", "north", "", "lease", "", first, 1.0)]
    for begun in (first, second):
        rows += [("start", *route, "", begun, 1.0), ("financed", *route, begun, begun, 1.0)]
    tables = rebuild(p, tree, pd.DataFrame(rows, columns=COLUMNS), value_per_share_usd=1.0)
    schedule = tables["debt_schedule"].set_index(["debt", "node"])["balance_usd_m"]
    one, other = (schedule[f"north|hall|lease|{b}|{b}"] for b in (first, second))
    assert len(one) == 6
    assert list(other) == pytest.approx(list(one)[:5])
    assert min(one) > 0.0
