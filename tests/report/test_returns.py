"""Internal rates and paybacks, beside an independent library and by hand."""

import numpy as np
import numpy_financial
import pytest

from optimizer.audit.hurdles import _paid_back, _rate
from optimizer.plans.returns import return_of

QUARTERS = [f"2027Q{t}" for t in range(1, 9)]
FLOWS = ((-100.0, 30.0, 40.0, 60.0), (-50.0, -70.0, 10.0, 150.0), (-10.0, 2.0, 3.0))


@pytest.mark.parametrize(
    "flows", [(-100.0, 30.0, 40.0, 60.0), (-50.0, -70.0, 10.0, 150.0), (-10.0, 2.0, 3.0)]
)
def test_rates_are_those_of_a_library(flows: tuple[float, ...]) -> None:
    """Its rate of a period is a quarter's."""
    yearly = (1.0 + float(numpy_financial.irr(flows))) ** 4 - 1.0
    found = return_of(np.array(flows), 0.0, 0.12, QUARTERS)
    assert found.irr_frac == pytest.approx(yearly, rel=1e-9)
    assert _rate(list(flows))[0] == pytest.approx(yearly, rel=1e-9)


@pytest.mark.parametrize(
    ("flows", "left", "reason", "payback"),
    [
        ((0.0, 5.0), 0.0, "no own outlay", "no own outlay"),
        ((5.0, -1.0), 0.0, "money comes before the outlay", "at once"),
        ((-5.0, -1.0), 0.0, "nothing comes back", "after the horizon"),
        ((5.0, -6.0), 0.0, "money comes before the outlay", "after the horizon"),
        ((-10.0, 30.0, -25.0), 3.0, "several rates solve it", "2027Q1"),
        ((-1.0, 9.0), 0.0, "above 1,000 % a year", "2027Q1"),
        ((-8.0, 2.0, 2.0), 6.0, "", "after the horizon"),
    ],
)
def test_a_rate_that_is_not_stated_says_why(
    flows: tuple[float, ...], left: float, reason: str, payback: str
) -> None:
    found = return_of(np.array(flows), left, 0.12, QUARTERS)
    assert (found.irr_reason, found.payback_quarter) == (reason, payback)
    assert found.irr_frac == 0.0 or not reason
    assert _rate([*flows[:-1], flows[-1] + left])[1] == reason
    paid = _paid_back(list(flows))
    assert (QUARTERS[paid - 1] if isinstance(paid, int) else paid) == payback


def test_a_hall_by_hand() -> None:
    """40 at the end of each of two quarters, then 6 a quarter, 80 left: at 12 % a year."""
    found = return_of(np.array([0.0, -40.0, -40.0, 6.0, 6.0]), 80.0, 0.12, QUARTERS)
    d = 1.12**-0.25
    assert found.npv_usd_m == pytest.approx(-40.0 * d - 40.0 * d**2 + 6.0 * d**3 + 86.0 * d**4)
    assert found.outlay_usd_m == 80.0
    assert found.below_cost_of_equity == "no"
