"""Contracts that end before their term, by hand: a guarantor pays, money goes back, halls are let again."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.domain.futures import scenario_chain
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.portfolio import Portfolio
from models.formulas.lease import first_year_rent_usd_per_kw_month
from models.formulas.termination import termination_fee_usd_m
from optimizer.audit.book import Book
from optimizer.audit.facilities import facility_of
from optimizer.audit.modules import Module
from optimizer.audit.rebuild import value_plan
from optimizer.inputs.load import load
from tests.blocks.bite import Plan, built
from tests.blocks.hand import halls, idle
from tests.oracle.enumeration import COLUMNS
from tests.portfolios import (
    add_project_debt,
    add_rival_offers,
    add_taxes,
    chain_of,
    contract,
    quarter,
    small,
    termination,
    tree_of,
    with_all,
    with_company,
    with_row,
    with_rows,
)

LINES = (
    CashLine.RENT,
    CashLine.RELET_RENT,
    CashLine.TERMINATION_FEE,
    CashLine.TENANT_MONEY,
    CashLine.TENANT_CREDIT,
    CashLine.TENANT_REFUND,
)


def let(name: str, mw: float, rent: float, term_q: int, since: int, **changes: Any) -> Portfolio:
    """A hall in use since the quarter ``since`` under a contract of its own, and nothing else that moves."""
    p = with_all(idle(), "power", energised_mw=400.0)
    terms = {
        "first_year_rent_usd_per_kw_month": rent,
        "term_q": term_q,
        "commencement_quarter": quarter(since),
    }
    p = with_rows(
        p, "contracts", contract(name, "committed", max_mw=mw, sites=("north",), **terms, **changes)
    )
    p = with_rows(
        p, "commitments",
        {"commitment": "hall", "site": "north", "contract": name, "product": "hall", "debt": None,
         "capex_usd_m": 1500.0, "gpu_capex_usd_m": 0.0, "occupies_from_quarter": quarter(since - 1),
         "cancellable_until_quarter": None, "cancel_fee_usd_m": 0.0},
    )  # fmt: skip
    flow = {"commitment": "hall", "quarter": quarter(since), "funded_by": "own", "amount_usd_m": 0.0}
    return with_rows(p, "commitment_flows", {**flow, "mw_live": mw})


def ends(p: Portfolio, name: str, ahead: int, **changes: Any) -> Portfolio:
    """The base scenario ends a contract; nobody pays and the halls stay dark unless it is said."""
    nothing = {"paid_by": "nobody", "fee_frac_of_remaining_rent": 0.0, "fee_at_most_usd_m_per_mw": None}
    dark = {"vacancy_q": None, "relet_rent_frac": None}
    return with_rows(p, "terminations", termination("base", name, ahead, **{**nothing, **dark, **changes}))


def by_line(plan: Plan) -> dict[CashLine, list[float]]:
    """Cash of the north by line and quarter, to the program; the auditor sees the same."""
    books = next(b for b in plan.program.books if b.owner == "north-co")
    found = {x: [books.cash_at(n, [x]).constant for n in plan.tree.nodes] for x in LINES}
    worth = value_plan(plan.portfolio, plan.tree, pd.DataFrame([], columns=COLUMNS))
    ledger = worth.world.ledger
    for line, by_node in found.items():
        seen = [ledger.at_site.get(("north", n, line), 0.0) for n in plan.tree.nodes]
        assert seen == pytest.approx(by_node, abs=1e-9), line
    return found


def worth_of(plan: Plan) -> Mapping[ValueLine, float]:
    """What the halls are worth at the only leaf, to the program; the auditor sees the same."""
    leaf = plan.tree.leaves[0]
    books = next(b for b in plan.program.books if b.owner == "north-co")
    lines = (
        ValueLine.COMMITTED_CONTRACTS,
        ValueLine.RENEWALS,
        ValueLine.RESIDUALS,
        ValueLine.UNEARNED_TENANT_MONEY,
    )
    found = {x: books.value[x][leaf].constant if x in books.value else 0.0 for x in lines}
    seen = value_plan(plan.portfolio, plan.tree, pd.DataFrame([], columns=COLUMNS)).at_leaf[leaf]
    assert [seen[x] for x in lines] == pytest.approx([found[x] for x in lines], abs=1e-9)
    return found


# Barber Lake: 168 MW critical, 3.0 bn over ten years (149 $/kW-month on average, no escalator known), and
# Google answers for 1.4 bn. A quarter's rent is 3,000 / 40 = 75; a MW's part of the backstop 1,400 / 168.
BARBER_LAKE = {"mw": 168.0, "value_usd_m": 3000.0, "backstop_usd_m": 1400.0, "term_q": 40}


@pytest.mark.parametrize(("gone_q", "paid_usd_m"), [(8, 1400.0), (22, 1350.0), (36, 300.0)])
def test_the_backstop_of_barber_lake(gone_q: int, paid_usd_m: float) -> None:
    """After two years 32 x 75 = 2,400 are to come, 1,400 of them covered; after nine years all 300 are."""
    left = np.full(BARBER_LAKE["term_q"] - gone_q, 75.0)
    assert termination_fee_usd_m(left, 1.0, 0.0, BARBER_LAKE["backstop_usd_m"]) == pytest.approx(paid_usd_m)


def test_a_tenant_with_a_backstop_defaults() -> None:
    """It goes after ten quarters, in the plan's third: 75 a quarter until then, 1,400 from the guarantor.

    A year later the halls are let again at 80 % of the first-year rent, as the market stands: 60 a quarter.
    At the leaf the lease is worth nothing any more; what came after it runs to where the lease would have.
    """
    b = BARBER_LAKE
    rent = first_year_rent_usd_per_kw_month(b["value_usd_m"], b["mw"], b["term_q"], 0.0)
    assert rent == pytest.approx(148.81, abs=0.01)
    p = let("barber", b["mw"], rent, b["term_q"], -8, guarantor="Google")
    pays = {"paid_by": "guarantor", "fee_frac_of_remaining_rent": 1.0}
    cap = {"fee_at_most_usd_m_per_mw": b["backstop_usd_m"] / b["mw"]}
    plan = built(ends(p, "barber", 2, **pays, **cap, vacancy_q=3, relet_rent_frac=0.8), chain_of)
    cash = by_line(plan)
    assert cash[CashLine.RENT] == pytest.approx([75.0, 75.0, 0.0, 0.0, 0.0, 0.0])
    assert cash[CashLine.RELET_RENT] == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.0, 60.0])
    assert cash[CashLine.TERMINATION_FEE] == pytest.approx([0.0, 0.0, 1400.0, 0.0, 0.0, 0.0])
    ahead = sum(60.0 / 1.02**i for i in range(1, 27))  # 40 - 8 - 6 quarters after the horizon at 8 %
    assert worth_of(plan)[ValueLine.COMMITTED_CONTRACTS] == pytest.approx(0.0)
    residual = 0.2 * 1500.0 / 1.02**26
    assert worth_of(plan)[ValueLine.RENEWALS] == pytest.approx(ahead)
    assert worth_of(plan)[ValueLine.RESIDUALS] == pytest.approx(residual)


# IREN and Microsoft: a tranche of 50 MW, 2,425 over five years, 20 % of it prepaid: 485 in the opening cash.
# A quarter's rent is 121.25, a twentieth of the prepayment 24.25; at most 30 % of rent (36.4) is credited.
MICROSOFT = {"mw": 50.0, "rent": 808.3333333333334, "prepaid_usd_m": 485.0}


def prepaid(refundable: bool, p: Portfolio | None = None, received: int = -1) -> Portfolio:
    """A tranche in use since three quarters before the plan."""
    p = p or let("microsoft", MICROSOFT["mw"], MICROSOFT["rent"], 20, -3)
    return with_rows(
        p, "contract_money",
        {"contract": "microsoft", "kind": "prepayment", "frac_of_capex": None,
         "amount_usd_m": MICROSOFT["prepaid_usd_m"], "received_quarter": quarter(received),
         "give_back_from_q": 0, "give_back_q": 20, "max_frac_of_rent": 0.3,
         "refundable_on_termination": refundable},
    )  # fmt: skip


def test_an_unearned_prepayment_is_paid_back() -> None:
    """Three parts were credited before the plan and three in it: 485 - 6 x 24.25 = 339.5 go back."""
    cash = by_line(built(ends(prepaid(True), "microsoft", 3), chain_of))
    assert cash[CashLine.RENT] == pytest.approx([121.25] * 3 + [0.0] * 3)
    assert cash[CashLine.TENANT_CREDIT] == pytest.approx([-24.25] * 3 + [0.0] * 3)
    assert cash[CashLine.TENANT_REFUND] == pytest.approx([0.0, 0.0, 0.0, -339.5, 0.0, 0.0])
    plan = built(ends(prepaid(True), "microsoft", 3), chain_of)
    assert worth_of(plan)[ValueLine.UNEARNED_TENANT_MONEY] == 0.0


def test_money_that_has_not_come_stays_away() -> None:
    """A prepayment due in the quarter of the end is not received, so nothing of it is paid back."""
    cash = by_line(built(ends(prepaid(True, received=3), "microsoft", 3), chain_of))
    assert cash[CashLine.TENANT_MONEY] == pytest.approx([0.0] * 6)
    assert cash[CashLine.TENANT_REFUND] == pytest.approx([0.0] * 6)


@pytest.mark.parametrize("refundable", [True, False])
def test_money_that_is_kept_is_income(refundable: bool) -> None:
    """Kept, the 339.5 are taxed in the quarter of the end; paid back, they are neither income nor cost."""
    p = with_all(add_taxes(with_row(small(), "sites", "north", unconverted_value_usd_m_per_mw=0.0)),
                 "tax_groups", losses_usd_m=0.0, basis_usd_m=0.0)  # fmt: skip
    base = let("microsoft", MICROSOFT["mw"], MICROSOFT["rent"], 20, -3)
    tables = {name: getattr(p, name) for name in ("tax_groups", "tax_classes", "profiles", "entities")}
    plan = built(ends(prepaid(refundable, base.model_copy(update=tables)), "microsoft", 3), chain_of)
    standing = plan.program.params.taxes.standing["north-co"]
    kept = 0.0 if refundable else 339.5
    assert standing.kept.tolist() == pytest.approx([0.0, 0.0, 0.0, kept, 0.0, 0.0])
    worth = value_plan(plan.portfolio, plan.tree, pd.DataFrame([], columns=COLUMNS))
    assert worth.taxes._kept("home", 3) == pytest.approx(kept)


def test_two_options_in_turn() -> None:
    """A term of a year at 6, then twice a quarter if it is taken, each with even odds: 3, and a quarter of 6.

    Both are over with the plan; the hall's residual, a fifth of 1,500, is what is left.
    """
    p = let("held", 10.0, 200.0, 4, 0)
    terms = {"contract": "held", "probability_frac": 0.5, "rent_basis": "contract", "term_q": 1, "options": 2}
    plan = built(with_rows(p, "renewals", terms), chain_of)
    assert by_line(plan)[CashLine.RENT] == pytest.approx([6.0, 6.0, 6.0, 6.0, 3.0, 1.5])
    assert worth_of(plan)[ValueLine.RENEWALS] == pytest.approx(0.0)
    assert worth_of(plan)[ValueLine.RESIDUALS] == pytest.approx(300.0)


def test_months_of_rent_are_paid_on_top() -> None:
    """Nine months of 75 and a tenth of 34 x 75 = 2,550: 225 + 255."""
    p = let("barber", 168.0, 75.0 / 168.0 / 0.003, 40, -4)
    pays = {"paid_by": "tenant", "fee_frac_of_remaining_rent": 0.1, "fee_months_of_rent": 9.0}
    cash = by_line(built(ends(p, "barber", 2, **pays), chain_of))
    assert cash[CashLine.TERMINATION_FEE][2] == pytest.approx(225.0 + 255.0)


def test_what_a_tenant_was_to_pay_is_ours() -> None:
    """A hall half built, the rest of it on the tenant: once it has gone, we pay, and know it from then on."""
    p = with_company(ends(let("barber", 168.0, 148.81, 40, 4), "barber", 1), building_cap_mw=500.0)
    rows = ((0, "own", 10.0), (2, "tenant", 30.0), (3, "own", 5.0))
    flow = {"commitment": "hall", "mw_live": 0.0}
    more = [{**flow, "quarter": quarter(t), "funded_by": by, "amount_usd_m": x} for t, by, x in rows]
    plan = built(with_rows(p, "commitment_flows", *more), chain_of)
    (held,) = plan.program.params.commitments
    assert held.spend["own"].tolist() == [10.0, 0.0, 30.0, 5.0, 0.0, 0.0]
    assert held.spend["tenant"].tolist() == [0.0] * 6
    assert held.remaining_own.tolist() == [5.0, 35.0, 5.0, 0.0, 0.0, 0.0]
    assert held.remaining_unsigned.tolist() == [0.0, 35.0, 5.0, 0.0, 0.0, 0.0]
    worth = value_plan(plan.portfolio, plan.tree, pd.DataFrame([], columns=COLUMNS))
    seen = [worth.world.remaining_own(n) for n in plan.tree.nodes]
    assert seen == pytest.approx(held.remaining_own.tolist())


def rivals() -> Portfolio:
    """An offer with tenants' money and lenders: a hall of 80, 8 prepaid (credited a quarter in), 8 given."""
    p = add_project_debt(add_rival_offers(halls()))
    return with_row(p, "contract_money", "rival|prepayment", refundable_on_termination=True)


def test_a_module_whose_tenant_goes_while_it_is_built() -> None:
    """Begun at once for 2 x 40, a fifth of it paid by the tenant, who goes after the first: 4 go back."""
    up = termination("base", "rival", 1, fee_frac_of_remaining_rent=0.0, fee_months_of_rent=6.0)
    plan = built(with_rows(rivals(), "terminations", up), chain_of)
    ran = built(rivals(), chain_of).program.params
    (one,) = [r for r in plan.program.params.routes if r.route.key[::2] == ("north", "rival")]
    a = one.modules[0]
    assert a.tenant_money.tolist() == pytest.approx([8.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert a.refund.tolist() == pytest.approx([0.0, 4.0, 0.0, 0.0, 0.0, 0.0])
    rent = 220.0 * 0.003 * 10.0  # due from the third quarter on
    assert a.fee.tolist() == pytest.approx([0.0, 2.0 * rent, 0.0, 0.0, 0.0, 0.0])
    assert a.rent.tolist() == [0.0] * 6
    assert a.relet.tolist() == pytest.approx([0.0, 0.0, 0.0, 0.7 * rent, 0.7 * rent, 0.7 * rent])
    assert a.remaining_own.tolist() == pytest.approx([32.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    (same,) = [r for r in ran.routes if r.route.key == one.route.key]
    at_start = [next(f for f in r.facilities[0] if f.close == 0) for r in (one, same)]
    assert at_start[0].loan_usd_m == at_start[1].loan_usd_m > 0.0  # nobody foresees it
    assert [f.close for f in one.facilities[0]] == [0]  # and nobody lends afterwards
    assert [f.close for f in same.facilities[0]] == [0, 3]  # at the first rent, a quarter after it is due


ELIGIBLE = (((), 48.0), (("prepayment",), 54.0), (("prepayment", "tenant_capex"), 60.0))


@pytest.mark.parametrize(("eligible", "lent"), ELIGIBLE)
def test_tenants_money_that_lenders_count(eligible: tuple[str, ...], lent: float) -> None:
    """A hall of 80, a fifth of it on the tenant: 75 % of 64, of 72 with the prepayment, of 80 with all of it.

    At nine tenths of cost all of it would be 72, but only 64 are left to pay. Lenders take no fee, interest,
    or reserve here, and their coverage is loose.
    """
    p = with_all(rivals(), "credit_classes", fee_frac=0.0, reserve_q=0, spread_frac=0.0)
    p = with_all(p, "market", base_rate_frac=0.0)
    for kind in eligible:
        p = with_row(p, "contract_money", f"rival|{kind}", eligible_for_ltc=True)
    for ltc, most in ((0.75, lent), (0.9, min(64.0, 0.9 * lent / 0.75))):
        plan = built(with_all(p, "credit_classes", ltc_max_frac=ltc), chain_of)
        (one,) = [r for r in plan.program.params.routes if r.route.key[::2] == ("north", "rival")]
        at_start = next(f for f in one.facilities[0] if f.close == 0)
        assert at_start.loan_usd_m == pytest.approx(most)
        module = Module(Book(plan.portfolio, plan.tree), "north", "hall", "rival", 0)
        assert facility_of(module, 0).loan == pytest.approx(most)


def test_nobody_signs_or_builds_for_who_has_gone() -> None:
    """From its quarter on nothing begins, is signed or is owed by a deadline; options go with it."""
    p = with_rows(rivals(), "terminations", termination("base", "lease", 2))
    more = contract("more", "option", option_of="lease", sites=("north",), min_mw=10.0)
    window = {"sign_from_quarter": quarter(1), "sign_by_quarter": quarter(3), "deadline_quarter": quarter(5)}
    p = with_rows(p, "contracts", {**more, **window})
    plan = built(p, chain_of)
    for quantity in (Quantity.START, Quantity.SIGN):
        nodes = {d.node for d in plan.decided(quantity, contract="lease", site="north")}
        assert nodes == {0, 1}
    assert {d.node for d in plan.decided(Quantity.SIGN, contract="more", site="north")} == {1}
    rows = [key for key in plan.site("north").tenants.minimum_by_deadline if key[0] == "lease"]
    assert rows == []


def test_before_the_branch_nothing_is_known() -> None:
    """``up`` leaves in the third quarter and ends the lease in the fourth: other nodes are as they were."""
    p = rivals()
    told = built(with_rows(p, "terminations", termination("up", "rival", 3)), tree_of)
    untold = built(p, tree_of)
    tree = told.tree
    inside = [n for n in tree.nodes if tree.scenario[n] == "up" and tree.period[n] >= 3]
    outside = [n for n in tree.nodes if n not in inside]
    pairs = [
        (r.modules[b], s.modules[b])
        for r, s in zip(told.program.params.routes, untold.program.params.routes, strict=True)
        for b in r.modules
    ]
    names = ("rent", "relet", "fee", "refund", "credit", "tenant_money", "remaining_own", "late")
    for mine, theirs in pairs:
        for name in names:
            assert getattr(mine, name)[outside].tolist() == getattr(theirs, name)[outside].tolist()
    assert any(mine.fee[inside].any() for mine, _ in pairs)


def test_a_chain_of_another_future_runs_on() -> None:
    """The base keeps a contract that ``up`` ends."""
    p = rivals()
    told = with_rows(p, "terminations", termination("up", "rival", 3))
    mine, theirs = (built(x, chain_of).program.params for x in (told, p))
    assert mine.over == {"rival": frozenset()}
    for r, s in zip(mine.routes, theirs.routes, strict=True):
        assert [a.rent.tolist() for a in r.modules.values()] == [a.rent.tolist() for a in s.modules.values()]


def company(name: str, scenario: str, until: str, contracts: str, **terms: Any) -> Plan:
    """A shipped portfolio on a path on which all contracts of a kind end in one quarter."""
    p = load(name).portfolio
    rows = [
        {**termination(scenario, c.contract, 0, paid_by="nobody", fee_frac_of_remaining_rent=0.0,
                       fee_at_most_usd_m_per_mw=None, **terms), "quarter": until}
        for c in p.contracts
        if c.contract.startswith(contracts) and c.state == "committed"
    ]  # fmt: skip
    p = with_rows(p, "terminations", *rows)
    back = with_all(p, "contract_money", refundable_on_termination=True)
    return built(back, lambda q: scenario_chain(q, scenario))


def line_at(plan: Plan, line: CashLine, quarter: str) -> float:
    """Cash that nothing decided changes, over all borrowers."""
    n = next(n for n in plan.tree.nodes if str(plan.tree.quarter(n)) == quarter)
    return sum(books.cash_at(n, [line]).constant for books in plan.program.books)


def test_core_scientific_without_coreweave() -> None:
    """The crunch's one tenant goes with the shut markets of 2028Q1: 590 MW at 120 $/kW-month.

    Twice 16 at 0.98 and 70 at 0.97, 158 at 0.95, 140 at 0.97 and 120 at 0.95 are 567.06 MW expected, or
    204.1 a quarter of rent. Let again after a year at half of that, at the crunch's lease index of 2029Q1.
    """
    plan = company(
        "core-scientific", "credit_crunch", "2028Q1", "coreweave-", vacancy_q=4, relet_rent_frac=0.5
    )
    kept = company("core-scientific", "credit_crunch", "2028Q1", "nobody-")
    mw = 2 * 16 * 0.98 + 2 * 70 * 0.97 + 158 * 0.95 + 140 * 0.97 + 120 * 0.95
    full = mw * 120.0 * 0.003
    assert full == pytest.approx(204.14, abs=0.01)
    for when, lost in (("2027Q4", 0.0), ("2028Q1", full), ("2029Q1", full)):
        ran, left = (line_at(x, CashLine.RENT, when) for x in (kept, plan))
        assert ran - left == pytest.approx(lost)
    rows = {(r.scenario, str(r.quarter)): r for r in plan.portfolio.market}
    assert line_at(plan, CashLine.RELET_RENT, "2028Q4") == 0.0
    again = 0.5 * rows["credit_crunch", "2029Q1"].lease_idx * full
    assert line_at(plan, CashLine.RELET_RENT, "2029Q1") == pytest.approx(again)


def test_iren_without_microsoft() -> None:
    """Gone in 2029Q1, half-way: of four times 485 a twentieth was credited in each quarter of rent.

    Ten, nine, eight and eight quarters: 242.5 + 266.75 + 291 + 291 = 1,091.25 go back; no part is capped.
    """
    plan = company("iren", "base", "2029Q1", "microsoft-", vacancy_q=2, relet_rent_frac=0.5)
    assert line_at(plan, CashLine.TENANT_REFUND, "2029Q1") == pytest.approx(-1091.25)
    assert line_at(plan, CashLine.TENANT_CREDIT, "2028Q4") == pytest.approx(-4 * 24.25)
    assert line_at(plan, CashLine.TENANT_CREDIT, "2029Q1") == 0.0
    debt = [line_at(plan, CashLine.DEBT_PRINCIPAL, q) for q in ("2028Q4", "2029Q1")]
    assert debt[1] < 0.0  # what was lent on its GPUs is served on
