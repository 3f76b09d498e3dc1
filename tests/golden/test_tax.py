"""Taxes by hand: case (f), a year of the plan's own, and one hall after tax; program and audit alike."""

import threading
from collections.abc import Callable, Mapping

import pandas as pd
import pytest

from models.blocks.program import Program
from models.domain.ledger import Quantity, ValueLine
from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.audit.rebuild import value_plan
from optimizer.audit.valuation import Valuation
from optimizer.audit.verdict import audit
from optimizer.plans.extract import extract
from optimizer.solve.matrix import compile_matrix
from optimizer.solve.options import Options
from optimizer.solve.search import search_plan
from tests.blocks.bite import Plan, built, solved
from tests.blocks.hand import halls
from tests.blocks.test_bite_tax import earning
from tests.portfolios import (
    add_debt,
    add_taxes,
    chain_of,
    quarter,
    small,
    tax_group,
    tree_of,
    with_all,
    with_company,
    with_rows,
)

Tables = Mapping[str, pd.DataFrame]
US_RATE = 0.21


def taxed(p: Portfolio, **group: object) -> Portfolio:
    """All entities in one group at the US rate, without losses or basis unless said."""
    terms = {"rate_frac": US_RATE, "losses_usd_m": 0.0, "basis_usd_m": 0.0, **group}
    p = with_rows(p, "tax_groups", tax_group("us", **terms))
    long = {"tax_class": "line", "bonus_frac": 0.0, "life_q": 80}
    p = with_rows(
        p, "tax_classes", {**long, "default_for": ("halls", "cooling", "power", "machines", "gpus")}
    )
    return with_all(p, "entities", tax_group="us")


def planned(p: Portfolio, time: TimeTree) -> tuple[Program, Tables, Valuation]:
    """The best plan, its tables, and the auditor's opinion of it, who found nothing wrong."""
    plan = built(p, lambda _: time)
    matrix = compile_matrix(plan.program.model)
    outcome, _ = search_plan(plan.program, matrix, Options(gap=1e-7), threading.Event(), lambda *_: None)
    price = outcome.value_per_share_usd
    tables = extract(plan.program, price)
    verdict = audit(p, time, tables, value_per_share_usd=price, objective="per-share")
    assert verdict.passed, verdict.failures[:5]
    return plan.program, tables, value_plan(p, time, tables["decisions"])


def year(tables: Tables, label: str) -> dict[str, float]:
    """The row of a tax year."""
    (row,) = tables["tax"][tables["tax"]["node"] == label].to_dict("records")
    return {str(name): float(x) for name, x in row.items() if str(name).endswith("_usd_m")}


def quarterly_tax(incomes: tuple[float, ...], share: float) -> float:
    """What a rule that taxed each quarter by itself would charge. [$M]"""
    losses = tax = 0.0
    for income in incomes:
        used = min(losses, share * max(0.0, income))
        losses += max(0.0, -income) - used
        tax += US_RATE * (max(0.0, income) - used)
    return tax


CASE_F = (-100.0, 100.0, -60.0, 60.0)


@pytest.mark.parametrize("time", [chain_of, tree_of])
def test_f_a_year_is_taxed_as_one(time: Callable[[Portfolio], TimeTree]) -> None:
    """-100, 100, -60, 60: nothing; by quarters 20 + 12 at 21 % would be 6.7."""
    assert quarterly_tax(CASE_F, 0.8) == pytest.approx(6.72)
    p = taxed(earning(small(), (*CASE_F, 0.0, 0.0)))
    tree = time(p)
    _, tables, worth = planned(p, tree)
    for n in (n for n in tree.nodes if tree.period[n] == 3):
        row = year(tables, tree.label(n))
        assert row["taxable_income_usd_m"] == pytest.approx(0.0, abs=1e-9)
        assert row["tax_usd_m"] == pytest.approx(0.0, abs=1e-9)
        found = worth.taxes.years["us", n]
        assert (found.income, found.losses) == pytest.approx((0.0, 0.0), abs=1e-9)
    assert "tax" not in set(tables["cash_flow"]["line"])


def test_losses_of_one_year_offset_their_share_of_the_next() -> None:
    """-100 late in 2027, 100 in the half of 2028 that is planned: 80 used, 20 taxed and owed, 20 left."""
    p = taxed(earning(small(), (0.0, 0.0, 0.0, -100.0, 60.0, 40.0)))
    _, tables, worth = planned(p, chain_of(p))
    assert year(tables, f"{quarter(3)}:base")["losses_left_usd_m"] == pytest.approx(100.0)
    last = year(tables, f"{quarter(5)}:base")
    assert last["losses_used_usd_m"] == pytest.approx(80.0)
    assert last["losses_left_usd_m"] == pytest.approx(20.0)
    assert last["tax_usd_m"] == pytest.approx(4.2)
    (lines,) = worth.at_leaf.values()
    assert lines[ValueLine.TAX_OWED] == pytest.approx(-4.2)
    assert lines[ValueLine.TAX_LOSSES] == pytest.approx(0.5 * 4.2)


def test_income_before_the_plan_is_taxed_with_its_year() -> None:
    """Begun in the third quarter: 30 before it and 10 in it, less losses of 20, are taxed in the fourth."""
    p = taxed(earning(small(), (0.0, 0.0, 4.0, 6.0, 0.0, 0.0)), losses_usd_m=20.0, income_so_far_usd_m=30.0)
    p = with_company(p, first_quarter=quarter(2), horizon_q=4)
    _, tables, _ = planned(p, chain_of(p))
    row = year(tables, f"{quarter(3)}:base")
    assert row["taxable_income_usd_m"] == pytest.approx(40.0)
    assert row["losses_used_usd_m"] == pytest.approx(20.0)
    paid = tables["cash_flow"].query("line == 'tax'")
    assert dict(zip(paid["quarter"], paid["usd_m"], strict=True)) == pytest.approx({quarter(3): -4.2})


def annuity(rate: float, quarters: int) -> float:
    """Present value of 1 at the end of each quarter."""
    return (1 - (1 + rate) ** -quarters) / rate


def test_one_hall_after_tax() -> None:
    """80 spent, live from the third quarter at 4.5 a quarter, written off at 1 a quarter for 80 quarters.

    2027: 9 of rent, 8 of costs, 2 of opening, 2 written off: a loss of 3. 2028 as far as planned: 9 - 4 - 2 =
    3, of which 2.4 is offset. Beyond the leaf 16 quarters of rent, a residual of 16, overhead and fixed costs
    of 2 for ten years, 76 quarters still to be written off; a quarter counts 2 %.
    """
    p = with_all(halls(), "power", demand_charge_usd_per_kw_month=0.0, take_or_pay_frac=0.0)
    p = taxed(p)
    plan, tables = one_hall(p)
    assert year(tables, f"{quarter(3)}:base")["taxable_income_usd_m"] == pytest.approx(-3.0)
    last = year(tables, f"{quarter(5)}:base")
    assert last["written_off_usd_m"] == pytest.approx(2.0)
    assert last["losses_used_usd_m"] == pytest.approx(2.4)
    assert last["losses_left_usd_m"] == pytest.approx(0.6)
    later = 4.5 * annuity(0.02, 16) + 16.0 * 1.02**-16 - 2.0 * annuity(0.02, 40) - annuity(0.02, 76)
    expected = {
        ValueLine.TAX_LATER: -US_RATE * later,
        ValueLine.TAX_OWED: -US_RATE * 0.6,
        ValueLine.TAX_LOSSES: US_RATE * 0.5 * 0.6,
    }
    assert_lines(plan, tables, expected)


def test_one_hall_by_the_classes_of_its_country() -> None:
    """The same hall where 75 and 25 % are written off in two years: 15 a quarter, then 5.

    2027: 9 - 8 - 2 - 30, a loss of 31. 2028 as far as planned: 9 - 4 - 30, and 25 more. Beyond the leaf 4
    quarters of 5 are still to be written off. The class of those without regime is not asked.
    """
    p = with_all(halls(), "power", demand_charge_usd_per_kw_month=0.0, take_or_pay_frac=0.0)
    p = with_all(taxed(p), "tax_groups", regime="elsewhere")
    steps = ({"profile": "falling", "step": i, "frac": x} for i, x in enumerate((0.75, 0.25)))
    assets = ("halls", "cooling", "power", "machines", "gpus")
    balance = {"tax_class": "balance", "bonus_frac": 0.0, "life_q": 8, "default_for": assets}
    p = with_rows(p, "profiles", *steps)
    p = with_rows(p, "tax_classes", {**balance, "profile": "falling", "regime": "elsewhere"})
    plan, tables = one_hall(p)
    assert year(tables, f"{quarter(3)}:base")["taxable_income_usd_m"] == pytest.approx(-31.0)
    last = year(tables, f"{quarter(5)}:base")
    assert last["written_off_usd_m"] == pytest.approx(30.0)
    assert last["losses_left_usd_m"] == pytest.approx(56.0)
    later = 4.5 * annuity(0.02, 16) + 16.0 * 1.02**-16 - 2.0 * annuity(0.02, 40) - 5.0 * annuity(0.02, 4)
    expected = {ValueLine.TAX_LATER: -US_RATE * later, ValueLine.TAX_LOSSES: US_RATE * 0.5 * 56.0}
    assert_lines(plan, tables, expected)


def one_hall(p: Portfolio) -> tuple[Plan, Tables]:
    """A plan of one hall begun at once in the north for what is open there, and its tables."""
    plan = built(p, chain_of)
    matrix = compile_matrix(plan.program.model)
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    for d in plan.program.decisions:
        if d.quantity is Quantity.START:
            is_it = (d.site, d.contract, d.node) == ("north", "open", 0)
            j = matrix.column[id(d.variable)]
            lower[j] = upper[j] = float(is_it)
    assert solved(matrix, plan.program.objective(1.0), lower, upper).proved == "optimal"
    return plan, extract(plan.program, 1.0)


def assert_lines(plan: Plan, tables: Tables, expected: Mapping[ValueLine, float]) -> None:
    """Lines of value, of the plan and of the auditor."""
    lines = value_plan(plan.program.params.portfolio, plan.tree, tables["decisions"]).at_leaf[
        plan.tree.leaves[0]
    ]
    shown = dict(zip(tables["value"]["line"], tables["value"]["usd_m"], strict=True))
    for line, amount in expected.items():
        assert lines[line] == pytest.approx(amount)
        assert shown[str(line)] == pytest.approx(amount)


@pytest.mark.parametrize("time", [chain_of, tree_of])
@pytest.mark.parametrize("rate_of_losses_left", [0.0, 1.0])
def test_no_plan_gains_by_taxing_early(
    time: Callable[[Portfolio], TimeTree], rate_of_losses_left: float
) -> None:
    """The least tax of every year in place of the plan's: the plan is worth no less for it, nor more."""
    p = with_all(add_taxes(add_debt(small())), "tax_groups", losses_value_frac=rate_of_losses_left)
    tree = time(p)
    _, tables, worth = planned(p, tree)
    least: dict[tuple[str, int], float] = {}
    losses: dict[tuple[str, int], float] = {}
    for (name, end), found in worth.taxes.years.items():
        group = worth.taxes.groups[name]
        path = tree.path(end)
        earlier = [losses[name, n] for n in path[:-1] if (name, n) in losses]
        before = earlier[-1] if earlier else group.losses_usd_m
        capped = max(found.income, found.income if found.capped_income is None else found.capped_income)
        least[name, end] = max(0.0, (1.0 - group.loss_use_frac) * capped, capped - before)
        losses[name, end] = before + least[name, end] - found.income
    frame = tables["decisions"][tables["decisions"]["quantity"] != "taxed"]
    rows = [("taxed", "", name, "", "", tree.label(n), x) for (name, n), x in least.items()]
    changed = pd.concat([frame, pd.DataFrame(rows, columns=list(frame.columns))])
    assert value_plan(p, tree, changed).root() == pytest.approx(worth.root(), rel=1e-6)


def test_what_has_no_tax_groups_is_before_tax() -> None:
    p = small()
    _, tables, worth = planned(p, chain_of(p))
    assert tables["tax"].empty
    (lines,) = worth.at_leaf.values()
    assert not any(lines[x] for x in (ValueLine.TAX_LATER, ValueLine.TAX_OWED, ValueLine.TAX_LOSSES))


def test_a_group_that_pays_nothing_is_before_tax() -> None:
    p = small()
    free = taxed(p, rate_frac=0.0)
    _, _, before = planned(p, chain_of(p))
    _, _, after = planned(free, chain_of(free))
    assert after.root() == pytest.approx(before.root(), rel=1e-6)
