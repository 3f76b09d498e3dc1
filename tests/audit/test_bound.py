"""The bound from prices alone: exact by hand, never below the best plan, worse with worse prices."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from optimizer.audit.bound import allowed, implied_bounds, margins, reduced_costs, safe_bound_usd_m
from optimizer.plans.certificate import Certificate, read_certificate

INF = math.inf
CLOSE = 1e-12


def certificate(
    a: list[list[float]],
    cost: list[float],
    dual: list[float],
    *,
    rows: tuple[list[float], list[float]],
    columns: tuple[list[float], list[float]],
    constant: float = 0.0,
) -> Certificate:
    """From a dense matrix, zeros left out."""
    dense = np.array(a, dtype=float)
    column, row = np.nonzero(dense.T)
    return Certificate(
        start=np.concatenate([[0], np.cumsum(np.count_nonzero(dense, axis=0))]).astype(np.int32),
        row=row.astype(np.int32),
        coef=dense.T[column, row],
        row_lower=np.array(rows[0]),
        row_upper=np.array(rows[1]),
        lower=np.array(columns[0]),
        upper=np.array(columns[1]),
        is_integer=np.zeros(len(cost), dtype=bool),
        cost=np.array(cost),
        constant_usd_m=constant,
        dual=np.array(dual),
        plan=np.zeros(len(cost)),
        per_share_usd=math.nan,
    )


def by_hand(dual: float) -> Certificate:
    """3 x + 2 y + 5 at most, x + y <= 4, 0 <= x <= 3, 0 <= y: 3 x 3 + 2 x 1 + 5 = 16 is the best."""
    return certificate(
        [[1.0, 1.0]], [3.0, 2.0], [dual],
        rows=([-INF], [4.0]), columns=([0.0, 0.0], [3.0, INF]), constant=5.0,
    )  # fmt: skip


def test_at_the_right_price_the_bound_is_the_best() -> None:
    # a unit of the row is worth 2: 2 x 4 + (3 - 2) x 3 + 5
    assert safe_bound_usd_m(by_hand(2.0)) == pytest.approx(16.0, rel=CLOSE)
    assert safe_bound_usd_m(by_hand(2.0)) >= 16.0


@pytest.mark.parametrize(("dual", "bound"), [(2.5, 2.5 * 4 + 0.5 * 3 + 5), (3.0, 17.0), (4.0, 21.0)])
def test_a_wrong_price_is_a_worse_bound(dual: float, bound: float) -> None:
    assert safe_bound_usd_m(by_hand(dual)) == pytest.approx(bound, rel=CLOSE)


@pytest.mark.parametrize("dual", [1.9, -1.0, math.nan, INF])
def test_a_price_too_low_leaves_the_implied_limit(dual: float) -> None:
    """y has no limit of its own; the row lets it be 4 at most. No price: 3 x 3 + 2 x 4 + 5."""
    found = safe_bound_usd_m(by_hand(dual))
    assert found == pytest.approx(1.9 * 4 + 1.1 * 3 + 0.1 * 4 + 5 if dual == 1.9 else 22.0, rel=CLOSE)


def test_a_price_on_a_side_without_limit_counts_for_nothing() -> None:
    c = certificate([[1.0]], [1.0], [-2.0], rows=([-INF], [4.0]), columns=([0.0], [9.0]))
    assert allowed(c).tolist() == [0.0]
    assert safe_bound_usd_m(c) == pytest.approx(9.0, rel=CLOSE)


def test_what_nothing_limits_is_bounded_by_nothing() -> None:
    c = certificate([[1.0, -1.0]], [1.0, 0.0], [0.0], rows=([0.0], [0.0]), columns=([0.0, 0.0], [INF, INF]))
    assert margins(c).tolist() == [1.0, 1.0]
    assert safe_bound_usd_m(c) == INF
    # one unit more of the equation: x - y = 0 is worth 1 to x and costs y as much; y stays free to grow
    assert safe_bound_usd_m(replace(c, dual=np.array([1.0]), cost=np.array([1.0, -1.0]))) == pytest.approx(
        0.0
    )


def lent_on(rate: float, share: float, y: list[float]) -> Certificate:
    """Money of a parent, 10 at first, to and fro an affiliate that it owns a share of, at no cost.

    Columns: cash of the parent, of the affiliate, sent, handed back, over one period; what is left counts.
    """
    return certificate(
        [[1.0, 0.0, share, -share], [0.0, 1.0, -1.0, 1.0], [-1.0 - rate, 0.0, 0.0, 0.0]],
        [0.0, 0.0, 0.0, 0.0], y,
        rows=([10.0, 3.0, -INF], [10.0, 3.0, 20.0]), columns=([0.0] * 4, [INF] * 4),
    )  # fmt: skip


def test_prices_of_equations_move_to_where_rounding_does_no_harm() -> None:
    """0.1 of a share and a price of a third: sent and handed back cost nothing only in fractions."""
    share, price = 0.1, 1.0 / 3.0
    c = lent_on(0.02, share, [price, share * price, 0.0])
    c = replace(c, cost=np.array([price - 1e-6, share * price - 1e-6, 0.0, 0.0]))
    low, high = reduced_costs(c, allowed(c))
    assert (high[2:] > 0.0).all()
    assert (low[2:] < 0.0).all()
    assert safe_bound_usd_m(c) == pytest.approx(10.0 * price + 3.0 * share * price, rel=1e-9)
    exact = Fraction(10) * Fraction(price) + Fraction(3) * Fraction(share) * Fraction(price)
    assert Fraction(safe_bound_usd_m(c)) >= exact - Fraction(1, 10**15)


def test_columns_without_end_are_bounded_by_their_rows() -> None:
    """x >= 2, x + y <= 7, y - z >= -1 with 0 <= z <= 4: y is at most 5 and at least -1, x at most 8."""
    c = certificate(
        [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, -1.0]], [0.0] * 3, [0.0] * 3,
        rows=([2.0, -INF, -1.0], [INF, 7.0, INF]), columns=([-INF, -INF, 0.0], [INF, INF, 4.0]),
    )  # fmt: skip
    lower, upper = implied_bounds(c)
    assert lower == pytest.approx([2.0, -1.0, 0.0])
    assert upper == pytest.approx([8.0, 5.0, 4.0])
    assert lower[0] <= 2.0
    assert lower[1] <= -1.0
    assert upper[0] >= 8.0
    assert upper[1] >= 5.0


AMOUNTS = st.sampled_from([-3.0, -1.0, -0.1, 0.0, 0.1, 0.3, 1.0, 7.0])


@given(st.data())
def test_no_prices_bound_below_the_best_plan(data: st.DataObject) -> None:
    """Random programs, whole and not, with random prices and with those of the relaxation."""
    rows, columns = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    a = data.draw(
        st.lists(st.lists(AMOUNTS, min_size=columns, max_size=columns), min_size=rows, max_size=rows)
    )
    cost = data.draw(st.lists(AMOUNTS, min_size=columns, max_size=columns))
    ends = data.draw(st.lists(st.sampled_from([0.3, 1.0, 5.0]), min_size=columns, max_size=columns))
    limits = data.draw(st.lists(st.sampled_from([0.0, 0.1, 2.0]), min_size=rows, max_size=rows))
    sides = [[0.0] * columns, ends]
    upper = np.array(a) @ np.array(ends) * 0.5 + np.array(limits)
    found = linprog(-np.array(cost), A_ub=np.array(a), b_ub=upper, bounds=np.array(sides).T, method="highs")
    whole = milp(
        -np.array(cost), integrality=np.ones(columns), bounds=Bounds(*sides),
        constraints=LinearConstraint(np.array(a), -np.inf, upper),
    )  # fmt: skip
    dual = data.draw(st.lists(AMOUNTS, min_size=rows, max_size=rows))
    c = certificate(
        a, cost, dual, rows=([-INF] * rows, upper.tolist()), columns=(sides[0], sides[1])
    )  # fmt: skip
    if found.status == 0:
        best = -found.fun
        assert safe_bound_usd_m(c) >= best - 1e-9 * max(1.0, abs(best))
        relaxed = safe_bound_usd_m(replace(c, dual=-found.ineqlin.marginals))
        assert relaxed == pytest.approx(best, rel=1e-7, abs=1e-7)
    if whole.status == 0:
        assert safe_bound_usd_m(c) >= -whole.fun - 1e-9 * max(1.0, abs(whole.fun))


def test_a_certificate_is_read_as_it_was_written() -> None:
    c = by_hand(2.0)
    read = read_certificate(c.as_bytes())
    assert safe_bound_usd_m(read) == safe_bound_usd_m(c)
    assert c.as_bytes() == read.as_bytes()


def spoilt(c: Certificate, **changes: object) -> bytes:
    return replace(c, **changes).as_bytes()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x05\x06" + b"\0" * 18,
        b"\x93NUMPY\x01\x00",
        by_hand(2.0).as_bytes()[:400],
        spoilt(by_hand(2.0), row=np.array([0, 9], dtype=np.int32)),
        spoilt(by_hand(2.0), start=np.array([0, 2, 1], dtype=np.int32)),
        spoilt(by_hand(2.0), lower=np.zeros(3)),
        spoilt(by_hand(2.0), cost=np.array(["a", "b"])),
        spoilt(by_hand(2.0), constant_usd_m=np.array([1.0, 2.0])),
    ],
)
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_certificate(data)
