"""What more power is worth, by giving it: a program with a tenth of a MW more, beside the price told."""

import pytest

from models.domain.portfolio import Portfolio
from optimizer.solve.options import Options
from optimizer.solve.prices import price_money
from tests.oracle.enumeration import Case, search_of
from tests.oracle.test_enumeration import solved
from tests.oracle.toys import machines
from tests.portfolios import chain_of, with_row

MORE_MW = 0.1


def _worth(p: Portfolio, like: Case, x: object, price: float) -> float:
    """Value less claims of the continuous plan with the whole decisions of another. [$M]"""
    case = Case.of(p, like.tree)
    objective = case.program.objective(price)
    found = search_of(case).with_integers(objective, x)  # type: ignore[arg-type]
    assert found.x is not None
    return case.matrix.at(found.x, objective)


def test_a_tenth_of_a_megawatt_more_is_worth_its_price() -> None:
    p = machines()
    case = Case.of(p, chain_of(p))
    outcome, _ = solved(case, Options(gap=1e-7))
    assert outcome.x is not None
    duals = price_money(search_of(case), outcome)
    assert duals is not None
    energised = next(r.energised_mw for r in p.power if r.site == "north")
    more = with_row(p, "power", "north", energised_mw=energised + MORE_MW)
    price = outcome.value_per_share_usd
    gained = _worth(more, case, outcome.x, price) - _worth(p, case, outcome.x, price)
    land = next(s for s in p.sites if s.site == "north").unconverted_value_usd_m_per_mw
    told = float(duals.power["north"].sum()) + duals.conversion["north"] + land
    assert told * MORE_MW == pytest.approx(gained, rel=1e-6)
    assert float(duals.power["north"].sum()) > 0.0
