"""The root that is the value per share, with claims that bend."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.formulas.value_per_share import root_lambda


@given(st.floats(1, 1e5), st.floats(1, 1e3), st.floats(0, 5e4), st.floats(0.5, 500))
def test_root_with_a_note_that_may_convert(
    value: float, shares: float, principal: float, strike: float
) -> None:
    def left(price: float) -> float:
        return value - shares * price - max(principal, price * principal / strike)

    if value <= principal:
        with pytest.raises(ValueError, match="under water"):
            root_lambda(left, 0.0, 1.0)
        return
    price = root_lambda(left, 0.0, 1.0)
    below, above = (value - principal) / shares, value / (shares + principal / strike)
    assert price == pytest.approx(min(below, above), rel=1e-9, abs=1e-9)


def test_under_water_without_root_and_without_bracket() -> None:
    with pytest.raises(ValueError, match="under water"):
        root_lambda(lambda price: -5.0 - price, 0.0, 1.0)
    with pytest.raises(ValueError, match="any price"):
        root_lambda(lambda price: 1.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="bracket"):
        root_lambda(lambda price: 1.0 - price, 2.0, 1.0)
