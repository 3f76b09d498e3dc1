"""TAX: what is taxable, how much of it losses offset, what is left of them, and interest up to its cap."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from models.blocks.linear import Linear
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Bite, Plan, cases
from tests.blocks.hand import begun, idle, merchant, opened
from tests.portfolios import (
    HORIZON_Q,
    add_debt,
    add_taxes,
    quarter,
    small,
    with_all,
    with_row,
    with_rows,
    without,
)

RATE, SHARE = 0.25, 0.8
"""Of income taxed; of income that losses offset."""
IDLE_COST_USD_M = 2.0
"""A quarter: one of overhead, a half of fixed costs at each site."""
LOAN_INTEREST_USD_M = 0.8
"""A quarter of 8 % on 40."""
CAP_FRAC = 0.3


def _one_group(p: Portfolio, losses_usd_m: float, **changes: float) -> Portfolio:
    """All entities taxed together."""
    p = with_all(add_taxes(p), "entities", tax_group="home")
    return with_row(
        without(p, "tax_groups", "south"), "tax_groups", "home", losses_usd_m=losses_usd_m, **changes
    )


def earning(p: Portfolio, incomes: tuple[float, ...]) -> Portfolio:
    """An idle company whose hosting brings these incomes after its costs, quarter by quarter."""
    rows = (
        {"line": "hosting", "quarter": quarter(t), "ebitda_usd_m": x + IDLE_COST_USD_M}
        for t, x in enumerate(incomes)
    )
    return with_rows(idle(p), "other_lines", *rows)


def _hosting(losses_usd_m: float) -> Portfolio:
    """Thirty a quarter, nothing to write off."""
    return _one_group(earning(small(), (30.0,) * HORIZON_Q), losses_usd_m, basis_usd_m=0.0)


def _building() -> Portfolio:
    """Halls for the open market, power free of charges, 24 in place written off in twelve quarters."""
    p = with_all(merchant(), "power", demand_charge_usd_per_kw_month=0.0, take_or_pay_frac=0.0)
    return _one_group(with_row(p, "entities", "parent", unrestricted_cash_usd_m=900.0), 0.0)


def _indebted(losses_usd_m: float, share: float) -> Callable[[], Portfolio]:
    """Two a quarter before 0.8 of interest, of which 0.6 may be deducted."""

    def made() -> Portfolio:
        p = without(add_debt(earning(small(), (2.0,) * HORIZON_Q)), "debt", "lease-line")
        cap = {"interest_cap_frac_of_ebitda": CAP_FRAC, "loss_use_frac": share}
        return _one_group(p, losses_usd_m, basis_usd_m=0.0, **cap)

    return made


class _Year(NamedTuple):
    """A year that ends at a node, by hand. [$M]"""

    income: float
    losses_before: float
    taxed: float


def _years(plan: Plan, income: Callable[[int], float]) -> Iterator[_Year]:
    """Years that end in the fourth quarter and at the leaf, the second half of the second one missing."""
    opening = next(g.losses_usd_m for g in plan.portfolio.tax_groups)
    for end in (n for n in plan.tree.nodes if plan.tree.period[n] in (3, HORIZON_Q - 1)):
        path, losses, last = plan.tree.path(end), opening, None
        for nodes in (path[:4], path[4:]):
            if nodes:
                earned, taxed = sum(map(income, nodes)), plan.at(Quantity.TAXED, nodes[-1])
                last = _Year(earned, losses, taxed)
                losses += taxed - earned
        assert last is not None
        yield last


def _least_taxed(plan: Plan) -> Linear:
    """As little as may be, the first year's above all."""
    wanted = plan.want(Quantity.RESCUE, -100.0)
    for n in plan.tree.nodes:
        weight = float(plan.tree.probability[n]) * (plan.tree.period[n] - 10.0)
        wanted = wanted + plan.want(Quantity.TAXED, weight, node=n)
    return wanted


def _build_and_hide(plan: Plan) -> Linear:
    return _least_taxed(plan) + plan.want(Quantity.START, 50.0) + plan.want(Quantity.START, 1e3, node=0)


def _halls_income(plan: Plan, n: int) -> float:
    """Halls let at 4.5, written off from when they live, 80 in 80 quarters; costs; 2 of what is in place."""
    live = begun(plan, n, least_age=2)
    return (4.5 - 1.0) * live - IDLE_COST_USD_M - 2.0 * opened(plan, n, "north") - 2.0


def _untaxed(plan: Plan) -> list[float]:
    """Income that escapes tax. [$M]"""
    return [y.income - y.losses_before - y.taxed for y in _years(plan, lambda n: _halls_income(plan, n))]


def _beyond_share(plan: Plan) -> list[float]:
    """Less is taxed than a fifth of the income. [$M]"""
    return [(1.0 - SHARE) * y.income - y.taxed for y in _years(plan, lambda _: 30.0)]


def _beyond_losses(plan: Plan) -> list[float]:
    """More losses are used than there are. [$M]"""
    return [y.income - y.losses_before - y.taxed for y in _years(plan, lambda _: 30.0)]


def _full_interest(_: int) -> float:
    return 2.0 - LOAN_INTEREST_USD_M


def _capped(plan: Plan, year: _Year, end_q: int) -> float:
    """Income with 0.6 of interest instead of 0.8: 0.2 more in each quarter. [$M]"""
    return year.income + (LOAN_INTEREST_USD_M - CAP_FRAC * 2.0) * end_q


def _capped_years(plan: Plan) -> Iterator[tuple[_Year, float]]:
    for year in _years(plan, _full_interest):
        quarters = round(year.income / _full_interest(0))
        yield year, _capped(plan, year, quarters)


def _beyond_capped_share(plan: Plan) -> list[float]:
    return [(1.0 - SHARE) * capped - year.taxed for year, capped in _capped_years(plan)]


def _beyond_capped_losses(plan: Plan) -> list[float]:
    """Interest above the cap is a loss of later years alone. [$M]"""
    return [capped - year.losses_before - year.taxed for year, capped in _capped_years(plan)]


BITES = (
    Bite("TAX-1", _building, _build_and_hide, _untaxed),
    Bite("TAX-2", lambda: _hosting(1000.0), _least_taxed, _beyond_share, everywhere=True),
    Bite("TAX-3", lambda: _hosting(20.0), _least_taxed, _beyond_losses, everywhere=True),
    Bite("TAX-4", _indebted(100.0, SHARE), _least_taxed, _beyond_capped_share, everywhere=True),
    Bite("TAX-4", _indebted(0.0, 1.0), _least_taxed, _beyond_capped_losses, everywhere=True, name="own year"),
)


@pytest.mark.parametrize("bites", cases(BITES))
def test_rule_bites(bites: Callable[[], None]) -> None:
    bites()
