"""A note's walk along a path and its worth after it: limits, order of events, what never changes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.formulas.convert_fate import (
    ConvertFate,
    ConvertTerms,
    Flows,
    convert_fate,
    leaf_claim,
    price_quantiles_usd,
)
from models.formulas.convert_settlement import SettlementKind, settlement_at_maturity

NEVER = 99
TERMS = ConvertTerms(
    coupon_frac=0.02,
    conversion_price_usd=16.0,
    maturity_q=24,
    settlement="net_share",
    cap_price_usd=24.0,
    put_q=(),
    put_price_frac=1.0,
    call_from_q=NEVER,
    call_trigger_frac=1.3,
    has_capped_call=True,
)
BOTH: tuple[SettlementKind, SettlementKind] = ("net_share", "physical")


def flat(price_usd: float, quarters: int = 30) -> Flows:
    return np.full(quarters, price_usd)


@st.composite
def notes(draw: st.DrawFn) -> tuple[ConvertTerms, Flows, float]:
    maturity_q = draw(st.integers(1, 30))
    terms = ConvertTerms(
        coupon_frac=draw(st.floats(0.0, 0.1)),
        conversion_price_usd=draw(st.floats(5.0, 40.0)),
        maturity_q=maturity_q,
        settlement=draw(st.sampled_from(BOTH)),
        cap_price_usd=draw(st.sampled_from([50.0, math.inf])),
        put_q=tuple(draw(st.lists(st.integers(1, 30), max_size=2, unique=True))),
        put_price_frac=draw(st.floats(0.9, 1.1)),
        call_from_q=draw(st.integers(1, 40)),
        call_trigger_frac=draw(st.floats(1.0, 1.6)),
        has_capped_call=draw(st.booleans()),
    )
    path = np.array(draw(st.lists(st.floats(1.0, 80.0), min_size=1, max_size=32)))
    return terms, path, draw(st.floats(0.0, 0.9))


@given(st.lists(st.floats(1.0, 80.0), min_size=1, max_size=40), st.floats(0.0, 1.2), st.integers(1, 64))
def test_residual_law_keeps_the_mean(path: list[float], vol_frac: float, quantiles: int) -> None:
    paths = price_quantiles_usd(np.array(path), vol_frac, quantiles)
    assert paths.mean(axis=1) == pytest.approx(np.array(path), rel=1e-12)
    assert (np.diff(paths / paths[0], axis=1) >= -1e-9).all()  # one order of quantiles for the whole life


@given(notes())
def test_principal_is_conserved(note: tuple[ConvertTerms, Flows, float]) -> None:
    terms, path, vol_frac = note
    fate = convert_fate(replace(terms, settlement="net_share", put_price_frac=1.0), path, vol_frac)
    assert fate.cash_principal_frac.sum() + fate.outstanding_frac[-1] == pytest.approx(1.0)
    assert (np.diff(fate.outstanding_frac) <= 0.0).all()
    assert fate.coupon_frac == pytest.approx(terms.coupon_frac / 4 * fate.outstanding_frac)
    assert fate.coupon_frac.size == path.size


@given(notes())
def test_way_of_settling_moves_cash_but_not_cost(note: tuple[ConvertTerms, Flows, float]) -> None:
    terms, path, vol_frac = note
    net, physical = (convert_fate(replace(terms, settlement=kind), path, vol_frac) for kind in BOTH)

    def cost(fate: ConvertFate) -> Flows:
        return fate.cash_principal_frac + fate.share_value_frac - fate.capped_call_value_frac

    assert cost(net) == pytest.approx(cost(physical))
    assert net.outstanding_frac == pytest.approx(physical.outstanding_frac)
    assert (net.share_value_frac <= physical.share_value_frac + 1e-12).all()


@given(notes())
def test_walls_show_full_principal(note: tuple[ConvertTerms, Flows, float]) -> None:
    terms, path, vol_frac = note
    fate = convert_fate(terms, path, vol_frac)
    for m in range(1, path.size):
        due = m == terms.maturity_q or (m in terms.put_q and m < terms.maturity_q)
        each = 1.0 if m == terms.maturity_q else terms.put_price_frac
        assert fate.wall_frac[m] == pytest.approx(each * fate.outstanding_frac[m - 1] if due else 0.0)
    assert fate.share_equivalents_per_usd * path == pytest.approx(fate.share_value_frac)


@pytest.mark.parametrize("price", [10.0, 16.0, 20.0, 35.0])
@pytest.mark.parametrize("settlement", BOTH)
def test_without_volatility_it_is_the_settlement(settlement: SettlementKind, price: float) -> None:
    fate = convert_fate(replace(TERMS, settlement=settlement), flat(price), 0.0)
    note = settlement_at_maturity(1.0, 16.0, 24.0, price, settlement)
    assert fate.cash_principal_frac[24] == pytest.approx(note.cash_usd_m)
    assert fate.share_value_frac[24] == pytest.approx(note.share_value_usd_m)
    assert fate.share_equivalents_per_usd[24] == pytest.approx(note.shares_out_m)
    assert fate.capped_call_value_frac[24] == pytest.approx(note.capped_call_usd_m)
    assert fate.coupon_frac == pytest.approx(np.where(np.arange(30) < 24, 0.005, 0.0))
    assert fate.wall_frac.sum() == fate.wall_frac[24] == 1.0


@pytest.mark.parametrize("settlement", BOTH)
def test_infinite_premium_is_straight_debt(settlement: SettlementKind) -> None:
    terms = replace(TERMS, settlement=settlement, conversion_price_usd=1e9, cap_price_usd=2e9)
    fate = convert_fate(terms, flat(20.0), 0.6)
    assert fate.cash_principal_frac[24] == 1.0
    assert not fate.share_value_frac.any()
    assert not fate.capped_call_value_frac.any()
    claim = leaf_claim(terms, 4, 20.0, 0.6, 0.04, 0.08)
    assert claim.net_frac == pytest.approx(0.005 * sum(1.02**-k for k in range(1, 5)) + 1.02**-4)


def test_zero_conversion_price_settled_in_shares_is_prepaid_equity() -> None:
    terms = replace(TERMS, settlement="physical", conversion_price_usd=1e-6, has_capped_call=False)
    fate = convert_fate(terms, flat(20.0), 0.6)
    assert fate.cash_principal_frac.sum() == 0.0
    assert fate.share_equivalents_per_usd[24] * 1e-6 == pytest.approx(1.0)
    claim = leaf_claim(terms, 8, 20.0, 0.6, 0.04, 0.08)
    assert claim.net_frac * 1e-6 / 20.0 == pytest.approx(1.0)


def test_uncapped_call_leaves_no_dilution() -> None:
    terms = replace(TERMS, cap_price_usd=math.inf)
    fate = convert_fate(terms, flat(30.0), 0.7)
    assert fate.share_value_frac[24] > 0.5
    assert fate.share_value_frac - fate.capped_call_value_frac == pytest.approx(0.0)
    claim = leaf_claim(terms, 8, np.array([10.0, 30.0]), 0.7, 0.04, 0.08)
    assert claim.net_frac == pytest.approx(claim.bond_frac)


def test_bare_path_would_make_a_capped_call_look_free() -> None:
    """Between K and the cap the call pays for all shares on the path, but not on its quantiles."""
    certain, around = convert_fate(TERMS, flat(20.0), 0.0), convert_fate(TERMS, flat(20.0), 0.6)
    assert certain.share_value_frac[24] == pytest.approx(certain.capped_call_value_frac[24])
    assert around.share_value_frac[24] > around.capped_call_value_frac[24] + 0.3


def test_put_below_the_conversion_price_pays_and_above_it_does_not() -> None:
    terms = replace(TERMS, put_q=(8, 16), put_price_frac=1.01)
    put, held = convert_fate(terms, flat(15.9), 0.0), convert_fate(terms, flat(16.0), 0.0)
    assert put.cash_principal_frac[8] == 1.01
    assert put.outstanding_frac[7:9].tolist() == [1.0, 0.0]
    assert not put.capped_call_value_frac.any()
    assert put.wall_frac[[8, 16, 24]].tolist() == [1.01, 0.0, 0.0]
    assert put.coupon_frac[7:9].tolist() == [0.005, 0.0]
    assert held.cash_principal_frac[8] == 0.0
    assert held.wall_frac[[8, 16, 24]].tolist() == [1.01, 1.01, 1.0]


def test_issuer_calls_at_the_trigger_and_before_a_put() -> None:
    terms = replace(TERMS, settlement="physical", call_from_q=12, put_q=(12,))
    called, not_called = convert_fate(terms, flat(20.9), 0.0), convert_fate(terms, flat(20.7), 0.0)
    assert called.share_value_frac[12] == pytest.approx(20.9 / 16)
    assert called.capped_call_value_frac[12] == pytest.approx(4.9 / 16)
    assert called.outstanding_frac[11:13].tolist() == [1.0, 0.0]
    assert not_called.outstanding_frac[12] == 1.0


def test_each_quantile_ends_once_and_by_its_own_price() -> None:
    terms = replace(TERMS, put_q=(8,), call_from_q=8)
    fate = convert_fate(terms, flat(16.0), 0.6)
    paths = price_quantiles_usd(flat(16.0), 0.6, 64)[8]
    called, put = (paths >= 20.8).mean(), (paths < 16.0).mean()
    assert fate.outstanding_frac[8] == pytest.approx(1 - called - put)
    assert fate.cash_principal_frac[8] == pytest.approx(called + put)


def test_more_quantiles_change_little() -> None:
    rough, fine = convert_fate(TERMS, flat(20.0), 0.6), convert_fate(TERMS, flat(20.0), 0.6, quantiles=4096)
    assert rough.share_value_frac[24] == pytest.approx(fine.share_value_frac[24], abs=0.02)


def test_a_note_due_at_once_has_no_fate() -> None:
    with pytest.raises(ValueError, match="no fate"):
        convert_fate(replace(TERMS, maturity_q=0), flat(20.0), 0.5)


@given(
    st.integers(0, 28),
    st.floats(0.0, 1.0),
    st.sampled_from([20.0, 24.0, math.inf]),
    st.booleans(),
    st.sampled_from([(), (20,), (4, 22)]),
)
def test_leaf_claim_rises_with_the_price(
    remaining_q: int, vol_frac: float, cap_usd: float, has_capped_call: bool, put_q: tuple[int, ...]
) -> None:
    terms = replace(TERMS, cap_price_usd=cap_usd, has_capped_call=has_capped_call, put_q=put_q)
    spots = np.linspace(0.0, 80.0, 161)
    claim = leaf_claim(terms, remaining_q, spots, vol_frac, 0.04, 0.08)
    assert (np.diff(np.asarray(claim.net_frac)) >= -1e-12).all()
    assert (np.diff(np.asarray(claim.call_frac)) >= -1e-12).all()
    assert (np.asarray(claim.capped_call_frac) >= -1e-12).all()
    for position in (0, 40, 120):
        one = leaf_claim(terms, remaining_q, float(spots[position]), vol_frac, 0.04, 0.08)
        assert one.net_frac == pytest.approx(np.asarray(claim.net_frac)[position], rel=1e-12)


@pytest.mark.parametrize("price", [0.0, 10.0, 16.0, 20.0, 35.0])
def test_leaf_claim_at_maturity_is_intrinsic(price: float) -> None:
    plain = leaf_claim(replace(TERMS, has_capped_call=False), 0, price, 0.6, 0.04, 0.08)
    assert plain.bond_frac == 1.0
    assert plain.net_frac == pytest.approx(max(1.0, price / 16))
    capped = leaf_claim(TERMS, 0, price, 0.6, 0.04, 0.08)
    assert capped.capped_call_frac == pytest.approx(max(0.0, min(price, 24.0) - 16.0) / 16)


def test_leaf_bond_runs_to_the_next_put() -> None:
    terms = replace(TERMS, put_q=(8, 20), put_price_frac=1.02)
    assert leaf_claim(terms, 12, 10.0, 0.0, 0.0, 0.08).bond_frac == pytest.approx(
        0.005 * sum(1.02**-k for k in range(1, 9)) + 1.02 * 1.02**-8
    )
    assert leaf_claim(terms, 16, 10.0, 0.0, 0.0, 0.08).bond_frac == pytest.approx(1.02)  # put at the leaf
    last = 0.005 * sum(1.02**-k for k in range(1, 4)) + 1.02**-3
    assert leaf_claim(terms, 3, 10.0, 0.0, 0.0, 0.08).bond_frac == pytest.approx(last)


def test_walk_and_leaf_meet_at_maturity() -> None:
    """A path that ends with the note alive is worth, after no more time, what one quarter more would pay."""
    short = convert_fate(replace(TERMS, maturity_q=30), flat(20.0), 0.0)
    claim = leaf_claim(replace(TERMS, maturity_q=30), 0, 20.0, 0.0, 0.04, 0.08)
    walked = convert_fate(replace(TERMS, maturity_q=30), flat(20.0, 31), 0.0)
    paid = walked.cash_principal_frac[30] + walked.share_value_frac[30] - walked.capped_call_value_frac[30]
    assert short.outstanding_frac[-1] * claim.net_frac == pytest.approx(paid)
