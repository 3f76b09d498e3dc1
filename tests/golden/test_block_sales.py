"""A let hall sold at a cap rate, whole and by half, each line worked out by hand.

50 MW let triple-net at $100 a kW-month earn 60 $M a year. At 6.5 %, the upper end of what JLL gives for net
leases to hyperscalers in the first quarter of 2026 (5.0 to 6.5 %, apers.app), they are worth 923 $M. They
cost 400, written off over 80 quarters from the fourth quarter before the plan on. A quarter of the
contract's rate is 2 %. All but the cap rate is round and made up.
"""

import numpy as np
import pytest

from models.blocks.books import Tally
from models.blocks.linear import Linear
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.portfolio import Portfolio
from optimizer.plans.extract import extract
from optimizer.solve.matrix import compile_matrix
from tests import portfolios as make
from tests.blocks.bite import Plan, built, solved
from tests.blocks.hand import idle

CAP_RATE, NOI_USD_M_PER_Q = 0.065, 15.0
PRICE_USD_M = 923.0769


def _let(**terms: object) -> Portfolio:
    """The hill alone stands; its hall of 50 MW is let, and its tenant pays for power and all upkeep."""
    p = idle(make.add_block_sales(make.small()))
    p = make.with_row(p, "sites", "hill", sale_cap_rate_frac=CAP_RATE, sale_cost_frac=None, hpc_allowed=True)
    p = make.without(make.without(p, "contracts", "plain"), "renewals")
    net = {"power_passed_through": True, "payment_lag_q": 0, "first_year_rent_usd_per_kw_month": 100.0}
    p = make.with_row(p, "contracts", "stood", max_mw=50.0, **{**net, **terms})
    p = make.with_row(p, "commitments", "built", capex_usd_m=400.0)
    p = make.with_row(p, "commitment_flows", "built", mw_live=50.0)
    p = make.with_row(p, "power", "hill", demand_charge_usd_per_kw_month=1.0)
    p = make.with_row(p, "cooling", "hill", existing_mw=60.0)
    return make.with_all(make.add_taxes(p), "tax_groups", interest_cap_frac_of_ebitda=None)


def _sold(p: Portfolio, parts: dict[int, float], time=make.chain_of) -> Plan:
    """The plan in which so much of the hall is sold at each node."""
    plan = built(p, time)
    matrix = compile_matrix(plan.program.model)
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    for d in plan.decided(Quantity.SELL_BLOCK):
        j = matrix.column[id(d.variable)]
        lower[j] = upper[j] = parts.get(d.node, 0.0)
    assert solved(matrix, plan.program.objective(1.0), lower, upper).proved == "optimal"
    return plan


def _cash(plan: Plan, line: CashLine) -> list[float]:
    books = next(b for b in plan.program.books if b.owner == "hill-co")
    return [books.cash_at(n, (line,)).value for n in plan.tree.nodes]


def _value(plan: Plan, line: ValueLine, leaf: int) -> float:
    return sum(books.value.get(line, {}).get(leaf, Linear()).value for books in plan.program.books)


@pytest.mark.parametrize("part", [1.0, 0.5])
def test_price_and_rent(part: float) -> None:
    """60 / 0.065 = 923.08 in the second quarter; 15 of rent up to it, and what is kept of it after."""
    plan = _sold(_let(), {1: part})
    assert pytest.approx(4 * NOI_USD_M_PER_Q / CAP_RATE, abs=1e-4) == PRICE_USD_M
    price = [0.0, part * PRICE_USD_M, *[0.0] * 4]
    assert _cash(plan, CashLine.BLOCK_SALE) == pytest.approx(price, abs=1e-4)
    rent = [NOI_USD_M_PER_Q] * 2 + [NOI_USD_M_PER_Q * (1.0 - part)] * 4
    assert _cash(plan, CashLine.RENT) == pytest.approx(rent)


def test_selling_costs_come_off_the_price() -> None:
    plan = _sold(make.with_row(_let(), "sites", "hill", sale_cost_frac=0.02), {1: 1.0})
    assert _cash(plan, CashLine.BLOCK_SALE)[1] == pytest.approx(0.98 * PRICE_USD_M, abs=1e-4)


@pytest.mark.parametrize("part", [1.0, 0.5])
def test_after_tax(part: float) -> None:
    """Six of eighty parts of 400 are gone: 370 of 923 is no gain, and no part is written off after it."""
    plan = _sold(_let(), {1: part})
    books = next(b for b in plan.program.books if b.owner == "hill-co")
    written = [books.tally_at(Tally.WRITTEN_OFF, n).value for n in plan.tree.nodes]
    kept = 5.0 * (1.0 - part)
    assert written == pytest.approx([5.0, 5.0 + part * 370.0, *[kept] * 4])
    income = plan.program.model.borrower["hill-co"].taxable.income
    gain = part * (PRICE_USD_M - 370.0)
    earned = NOI_USD_M_PER_Q - 5.0 - 0.5  # less what is written off, and the site's fixed costs
    assert float(income[1].value) == pytest.approx(earned + gain, abs=1e-3)


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_the_leaf(part: float) -> None:
    """30 quarters of rent and a fifth of 400 at the end of them; the buyer's load stands on our land."""
    plan = _sold(_let(), {1: part})
    (leaf,) = plan.tree.leaves
    annuity = sum(1.02**-i for i in range(1, 31))
    left, kept = 1.0 - part, ValueLine.COMMITTED_CONTRACTS
    assert _value(plan, kept, leaf) == pytest.approx(left * 15.0 * annuity, abs=1e-6)
    assert _value(plan, ValueLine.RESIDUALS, leaf) == pytest.approx(left * 80.0 * 1.02**-30, abs=1e-6)
    land = 0.1 * (3 * 100.0 - 50.0 / 0.625)
    assert _value(plan, ValueLine.LAND_AND_POWER, leaf) == pytest.approx(land)


@pytest.mark.parametrize("passed_through", [True, False])
def test_the_buyer_repays_the_demand_charge(passed_through: bool) -> None:
    """80 MW gross at $1 a kW-month: 0.24 a quarter, from the tenant or, after the sale, from the buyer."""
    plan = _sold(_let(power_passed_through=passed_through), {1: 1.0})
    before = 0.24 if passed_through else 0.0
    assert _cash(plan, CashLine.DEMAND_CHARGE) == pytest.approx([-0.24] * 6)
    assert _cash(plan, CashLine.DEMAND_RECOVERED) == pytest.approx([before] * 2 + [0.24] * 4)


def test_the_price_is_of_what_the_buyer_keeps() -> None:
    """80 MW gross at $1 a kW-month, $2 from the fourth quarter on: 0.24 and thrice 0.48 come off 4 x 15.

    Power costs nothing, so that all else is as if the tenant paid for it: 1.68 / 0.065 = 25.85 less.
    """
    p = make.with_row(_let(power_passed_through=False), "power", "hill", price_usd_per_mwh=0.0)
    (row,) = (r.model_dump() for r in p.power if r.site == "hill")
    dearer = {"from_quarter": make.quarter(3), "demand_charge_usd_per_kw_month": 2.0}
    plan = _sold(make.with_rows(p, "power", {**row, **dearer}), {1: 1.0})
    assert _cash(plan, CashLine.BLOCK_SALE)[1] == pytest.approx(PRICE_USD_M - 25.8462, abs=1e-3)
    assert _cash(plan, CashLine.DEMAND_RECOVERED) == pytest.approx([0.0, 0.0, 0.24, 0.48, 0.48, 0.48])


@pytest.mark.parametrize(("passed_through", "lost"), [(True, 15.0), (False, 14.76)])
@pytest.mark.parametrize("part", [1.0, 0.5])
def test_covenants_forget_what_is_sold(passed_through: bool, lost: float, part: float) -> None:
    """Sold in the second quarter: at its end already no test counts its rent, not that of quarters before.

    A run-rate loses four times 15; the sum of the last four quarters 2, 3, 4, 4, 4 times 15. Where the
    landlord paid 0.24 of demand charge, which the buyer now repays, a quarter loses 14.76.
    """
    p = make.with_row(_let(power_passed_through=passed_through), "power", "hill", price_usd_per_mwh=0.0)
    rows = ((name, make.covenant("net_debt_to_ebitda", 1.0)) for name in ("run_rate", "trailing_4q"))
    p = make.with_rows(p, "covenants", *({**row, "covenant": name, "basis": name} for name, row in rows))
    earned = [_a_year(_sold(p, {1: x} if x else {})) for x in (0.0, part)]
    for basis, quarters in (("run_rate", (0, 4, 4, 4, 4, 4)), ("trailing_4q", (0, 2, 3, 4, 4, 4))):
        gone = [before - after for before, after in zip(*(x[basis] for x in earned), strict=True)]
        assert gone == pytest.approx([part * lost * k for k in quarters], abs=1e-6)


def _a_year(plan: Plan) -> dict[str, list[float]]:
    """EBITDA of a year as each covenant counts it, by node; its threshold is one."""
    found: dict[str, list[float]] = {}
    for x in plan.program.measured:
        found.setdefault(x.covenant.covenant, []).append(x.limit.value)
    return found


def test_an_escalator_within_the_four_quarters() -> None:
    """4 % a year: of the four quarters after the sale two lie in the second year, two in the third."""
    plan = _sold(_let(escalator_frac_per_year=0.04), {1: 1.0})
    noi = 15.0 * (2 * 1.04 + 2 * 1.04**2)
    assert _cash(plan, CashLine.BLOCK_SALE)[1] == pytest.approx(noi / CAP_RATE)


def test_on_a_tree_the_price_is_what_is_expected_there() -> None:
    """We pay for 48 MW at 40 $/MWh, and in ``up``, a quarter likely, at 80 from the third quarter on.

    The buyer repays 0.24 of demand charge in each quarter too.

    Of a sale late in ``up`` some of the four quarters lie beyond the horizon, at its frozen market.
    """
    p = make.on_the_spot(_let(power_passed_through=False), "hill")
    p = make.with_row(p, "market", "up", power_idx=2.0)
    plan = built(p, make.tree_of)
    tree = plan.tree
    prices = {s.node: s.price_usd_m for s in plan.program.params.sales.of_commitments["built"]}
    ups = [n for n in prices if tree.scenario[n] == "up"]
    assert len(ups) == 3
    for n, dearer in ((1, 1.25), *((n, 2.0) for n in ups)):
        days = sum((tree.quarter(n) + k).days for k in range(1, 5))
        power = dearer * 50.0 * 0.8 * 1.2 * 40.0 * 24.0 * days / 1e6
        assert prices[n] == pytest.approx((4 * (NOI_USD_M_PER_Q - 0.24) - power) / CAP_RATE)


def test_tables_tell_what_is_the_buyers() -> None:
    """Half of 50 MW, from the third quarter on; they stay live, and the contract's."""
    plan = _sold(_let(), {1: 0.5})
    tables = extract(plan.program, 1.0)
    hill = tables["site_plan"].query("site == 'hill'")
    assert list(hill["hpc_sold_mw"]) == pytest.approx([0.0, 0.0, *[25.0] * 4])
    assert list(hill["hpc_live_mw"]) == pytest.approx([50.0] * 6)
    (row,) = tables["contracts"].query("contract == 'stood'").to_dict("records")
    assert (row["mw_critical"], row["mw_sold"]) == pytest.approx((50.0, 25.0))
    (now,) = tables["decide_now"].query("quantity == 'sell_block'").to_dict("records")
    assert now["amount_usd_m"] == pytest.approx(0.5 * PRICE_USD_M, abs=1e-4)
    assert np.isclose(tables["sources_uses"].query("item == 'block_sale'")["usd_m"], 0.5 * PRICE_USD_M).all()


OFFERED_FROM = {
    "rent of a whole quarter is in hand": ({}, 0),
    "paid a quarter late": ({"payment_lag_q": 1}, 1),
    "begins in the third quarter": ({"commencement_quarter": make.quarter(2)}, 2),
}


@pytest.mark.parametrize("why", OFFERED_FROM)
def test_offered_from(why: str) -> None:
    terms, first = OFFERED_FROM[why]
    sales = built(_let(**terms), make.chain_of).program.params.sales.of_commitments["built"]
    assert [s.node for s in sales] == list(range(first, 5))


@pytest.mark.parametrize(("quarters", "last"), [(12, 3), (9, 0), (8, -1)])
def test_four_quarters_of_the_term_are_ahead(quarters: int, last: int) -> None:
    sales = built(_let(term_q=quarters), make.chain_of).program.params.sales.of_commitments["built"]
    assert [s.node for s in sales] == list(range(last + 1))


def test_buyers_may_want_more_of_the_term() -> None:
    """40 quarters from the fourth before the plan on: 33 are ahead of the third quarter's end."""
    p = make.with_row(_let(), "sites", "hill", sale_term_left_q=33)
    sales = built(p, make.chain_of).program.params.sales.of_commitments["built"]
    assert [s.node for s in sales] == [0, 1, 2]
