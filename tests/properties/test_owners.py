"""What must hold whoever owns a part: limits of the share, cash that comes up sooner, nothing for nothing."""

from itertools import pairwise

import pytest

from models.domain.portfolio import Portfolio
from optimizer.solve.options import Options
from tests import portfolios as make
from tests.oracle.enumeration import Case
from tests.oracle.test_enumeration import solved
from tests.oracle.toys import joint_venture, listed, poor

SAME = 1e-5
SHARES = (0.3, 0.6, 0.9)


def value(p: Portfolio) -> float:
    """Value per share of the best plan. [USD]"""
    outcome, _ = solved(Case.of(p, make.chain_of(p)), Options(gap=1e-7))
    assert outcome.status == "optimal"
    return outcome.value


def north(p: Portfolio, **terms: object) -> Portfolio:
    """The northern borrower, owned otherwise."""
    return make.with_row(p, "entities", "north-co", **terms)


def test_almost_all_of_a_joint_venture_is_all_of_it() -> None:
    almost = value(north(joint_venture(), ownership_frac=1.0 - 1e-7))
    assert almost == pytest.approx(value(north(joint_venture(), kind="spv", ownership_frac=None)), rel=SAME)


def test_a_part_without_worth_costs_nothing() -> None:
    """Idle sites that cost nothing: whoever owns the north, its 20 $M are worth their amount."""
    p = make.without(make.with_all(make.small(), "sites", hpc_allowed=False, mining_allowed=False), "fleets")
    p = make.with_all(p, "sites", fixed_cost_usd_m_per_q=0.0, unconverted_value_usd_m_per_mw=0.0)
    p = make.with_all(p, "power", demand_charge_usd_per_kw_month=0.0, take_or_pay_frac=0.0)
    p = make.with_company(p, raise_only_what_is_spent=False, cash_yield_spread_frac=0.04)
    whole = value(p)
    for share in SHARES:
        part = value(north(p, kind="jv", ownership_frac=share))
        assert part == pytest.approx(whole - (1.0 - share) * 20.0 / 100.0, abs=SAME)


def test_cash_that_may_come_up_sooner_is_worth_no_less() -> None:
    quarters = (None, make.quarter(3), make.quarter(2), make.quarter(0))
    p = poor(listed(), 4.0)  # less than the floor: without dividends shares are sold
    found = [value(north(p, upstream_from_quarter=q)) for q in quarters]
    assert all(later <= sooner * (1.0 + SAME) for later, sooner in pairwise(found))
    assert found[-1] > found[0] * (1.0 + SAME)


def test_a_guarantee_adds_no_value() -> None:
    free, half, whole = (
        value(north(joint_venture(), completion_guarantee_frac=frac)) for frac in (None, 0.5, 1.0)
    )
    assert whole <= half * (1.0 + SAME)
    assert half <= free * (1.0 + SAME)
