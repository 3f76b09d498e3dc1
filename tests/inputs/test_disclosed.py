"""The shipped companies tie to what they disclosed around 30 June 2026; sources stand in their READMEs."""

from typing import NamedTuple

import pytest

from optimizer.inputs.load import load
from optimizer.shipped import shipped_portfolios


class Disclosed(NamedTuple):
    """Totals of a company, and how far its tables may lie from them: what the README lists as different."""

    loans_usd_m: float
    notes_usd_m: float
    """Convertible, principal."""
    cash_usd_m: float
    """Restricted cash among it."""
    shares_m: float
    """Basic."""
    loans_off: float = 0.0
    cash_off: float = 0.0
    shares_off: float = 0.0


COMPANIES = {
    "cleanspark": Disclosed(22.2, 1800.0, 275.0, 256.6, cash_off=65.0, shares_off=3.6),
    "cipher": Disclosed(4543.0, 1472.5, 4246.3 + 795.0, 409.05, cash_off=919.5),
    "iren": Disclosed(3650.0 + 400.0, 6746.0, 5360.0, 357.4, loans_off=2730.0, cash_off=560.0),
    "bitdeer": Disclosed(
        15.0 + 200.0, 1165.0, 149.4, 241.06, loans_off=150.0, cash_off=51.0, shares_off=14.0
    ),
    "hut8": Disclosed(7500.0 + 200.0, 159.3, 6933.0, 111.0, cash_off=45.0, shares_off=3.0),
    "bitfarms": Disclosed(0.0, 1046.0, 937.0, 602.6, cash_off=47.1),
    "core-scientific": Disclosed(3300.0 + 37.0, 1085.0, 2940.0, 316.5, loans_off=22.1, cash_off=140.0),
}


def test_every_company_is_here() -> None:
    assert set(COMPANIES) <= set(shipped_portfolios())
    assert len(COMPANIES) == 7


@pytest.mark.parametrize("name", COMPANIES)
def test_totals_are_those_disclosed(name: str) -> None:
    p, told = load(name).portfolio, COMPANIES[name]
    loans = sum(d.principal_usd_m for d in p.debt)
    notes = sum(c.principal_usd_m for c in p.convertibles)
    cash = sum(e.unrestricted_cash_usd_m + e.escrow_usd_m + e.collateral_cash_usd_m for e in p.entities)
    assert notes == pytest.approx(told.notes_usd_m, abs=0.5)
    assert loans == pytest.approx(told.loans_usd_m, abs=told.loans_off + 0.05)
    assert cash == pytest.approx(told.cash_usd_m, abs=told.cash_off)
    assert p.firm.basic_shares_m == pytest.approx(told.shares_m, abs=told.shares_off + 0.05)
