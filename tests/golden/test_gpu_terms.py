"""GPUs by hand: paid after shipment, replaced while they are let, what lenders and tax make of it."""

import numpy as np
import pytest

from models.params.params import Params, compile_params
from tests.portfolios import (
    add_gpu_terms,
    add_project_debt,
    add_taxes,
    chain_of,
    quarter,
    small,
    with_all,
    with_row,
    with_rows,
)

GPUS = 100.0
"""Of a module of 5 MW at 20 $M per MW, in two equal quarters like its hall of 40."""
NEW = 50.0
"""Half of the GPUs, replaced two quarters after go-live and every two quarters after that."""
LIVE, END = 2, 18
"""The contract runs from the third quarter for sixteen."""
RATE_Q = 0.04


def compiled(p: object = None) -> Params:
    """The small portfolio with a GPU cloud whose GPUs are paid late and served two quarters."""
    portfolio = add_gpu_terms(small()) if p is None else p
    return compile_params(portfolio, chain_of(portfolio))  # type: ignore[arg-type]


def first_module(p: Params):  # type: ignore[no-untyped-def]
    """A module begun for the offer in the first quarter."""
    return next(r for r in p.routes if r.route.key == ("south", "pods", "cloud")).modules[0]


def test_gpus_are_paid_after_shipment() -> None:
    """Halls 20 + 20; GPUs shipped 50 + 50, paid a quarter later; 50 is owed at the end of both quarters."""
    module = first_module(compiled())
    rebuilt = 0.1 * 10.0  # demolition of 10 gross MW, with the halls
    spent = [20.0 + rebuilt / 2.0, 20.0 + rebuilt / 2.0 + 50.0, 50.0, 0.0, 0.0, 0.0]
    assert module.spend == pytest.approx(spent)
    assert module.payable == pytest.approx([50.0, 50.0, 0.0, 0.0, 0.0, 0.0])
    assert module.own_spend_by_age == pytest.approx(spent[:3])


def test_gpus_are_replaced_to_the_end_of_the_term() -> None:
    """At quarters 4, 6, ..., 16, not at 18: the term is over. The leaf is the sixth quarter."""
    module = first_module(compiled())
    assert module.refresh == pytest.approx([0.0, 0.0, 0.0, 0.0, NEW, 0.0])
    after = [NEW if t % 2 == 0 else 0.0 for t in range(6, END)]
    later = next(iter(module.later_refresh.values()))
    assert later[: len(after)] == pytest.approx(after)
    assert not later[len(after) :].any()
    worth = sum(NEW / (1.0 + RATE_Q) ** i for i in (1, 3, 5, 7, 9, 11))
    assert next(iter(module.refresh_value.values())) == pytest.approx(worth)


def test_the_residual_is_that_of_the_last_gpus() -> None:
    """The last ones, of quarter 16, have served at the end: a tenth of 50, not of 100."""
    new = first_module(compiled())
    old = first_module(compiled(with_row(add_gpu_terms(small()), "products", "pods", refresh_q=None)))
    at_end = (1.0 + RATE_Q) ** -(END - 6)
    fell = next(iter(old.residuals_value.values())) - next(iter(new.residuals_value.values()))
    assert fell == pytest.approx((0.1 * GPUS - 0.1 * NEW) * at_end)


def test_a_renewal_replaces_with_its_probability() -> None:
    """Replaced at 18 and 20 with one half; the last GPUs, a quarter old at the end, are worth 0.55 of new."""
    p = with_row(add_gpu_terms(small()), "products", "pods", refresh_q=16, refresh_cost_frac=0.5)
    renewal = {"contract": "cloud", "probability_frac": 0.5, "rent_basis": "min", "term_q": 4}
    module = first_module(compiled(with_rows(p, "renewals", renewal)))
    later = next(iter(module.later_refresh.values()))
    assert later[18 - 6] == pytest.approx(0.5 * NEW)
    assert np.flatnonzero(later).tolist() == [18 - 6]
    plain = first_module(
        compiled(with_rows(with_row(p, "products", "pods", refresh_q=None), "renewals", renewal))
    )
    gained = 0.5 * NEW * (1.0 - 0.9 * 4.0 / 16.0) - 0.5 * 0.1 * GPUS
    rose = next(iter(module.residuals_value.values())) - next(iter(plain.residuals_value.values()))
    assert rose == pytest.approx(gained * (1.0 + RATE_Q) ** -(22 - 6))


def test_lenders_count_nothing_beyond_the_first_gpus() -> None:
    """Twelve quarters of coverage become two; what is paid to the vendor after go-live is not lent upon."""
    p = with_all(add_project_debt(add_gpu_terms(small())), "credit_classes", reserve_q=0)
    route = next(r for r in compiled(p).routes if r.route.key == ("south", "pods", "cloud"))
    loan = next(f for f in route.facilities[0] if f.close == 0)
    served = np.flatnonzero(loan.principal + loan.interest_paid)
    assert served.tolist() == [LIVE, LIVE + 1]


@pytest.mark.parametrize("which", ["within", "after"])
def test_replaced_gpus_are_written_off(which: str) -> None:
    """From their own quarter on: two fifths at once, the rest in twenty parts."""
    p = with_row(add_gpu_terms(add_taxes(small())), "products", "pods", gpu_tax_class="short")
    p = with_row(p, "products", "pods", refresh_q=2 if which == "within" else 4)
    params = compiled(with_all(p, "products", gpu_payment_lag_q=None))
    module = first_module(params)
    plain = compiled(
        with_row(with_all(p, "products", gpu_payment_lag_q=None), "products", "pods", refresh_q=None)
    )
    key = next(k for k in params.taxes.units if k[1:] == ("south", "pods", "cloud", "", 0))
    new, old = params.taxes.units[key], plain.taxes.units[key]
    gained = new.written_off - old.written_off
    if which == "within":
        assert gained == pytest.approx([0.0] * 4 + [NEW * (0.4 + 0.03), NEW * 0.03])
    else:
        assert gained == pytest.approx(np.zeros(6))
    parts = [0.43] + [0.03] * 19
    left = 0.0
    for t in np.flatnonzero(module.refresh).tolist() + [
        6 + int(i) for i in np.flatnonzero(next(iter(module.later_refresh.values())))
    ]:
        left += sum(NEW * part / (1.0 + RATE_Q) ** (t + i - 5) for i, part in enumerate(parts) if t + i > 5)
    assert new.left[5] - old.left[5] == pytest.approx(left)


def test_the_opening_of_the_contract_is_as_stated() -> None:
    """What the cases above count on."""
    terms = next(c for c in add_gpu_terms(small()).contracts if c.contract == "cloud")
    assert (str(terms.commencement_quarter), terms.term_q) == (quarter(LIVE), END - LIVE)
