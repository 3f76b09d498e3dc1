"""Leases of GPUs by hand: those of a real company, one module's, and that nothing is paid for twice."""

import numpy as np
import pytest
from scipy.optimize import brentq

from models.formulas.vendor_lease import lease_flows, level_payment
from models.params.params import compile_params
from tests.portfolios import add_gpu_terms, add_vendor_lease, chain_of, small, with_row, with_rows

GPUS, PAYMENTS_USD_M = 3_300, 198.0
"""IREN, reports of 2025: leases of 24 and 36 months on about 3,300 GPUs, 198 $M of payments in all."""
USD_M_PER_GPU = 130.0 / 2_400
"""IREN, 3 July 2025: 2,400 B200 and B300 for about 130 $M."""
TERMS_Q = (8, 12)


def paid(rate_frac: float) -> float:
    """All payments where half of the GPUs are leased for each term, whole, with nothing to pay at the end."""
    half = GPUS * USD_M_PER_GPU / 2.0
    return sum(term * level_payment(half, rate_frac, term, 0.0) for term in TERMS_Q)


def test_the_rate_that_a_real_lease_implies() -> None:
    """178.75 financed and 198 repaid: 7.61 % a year. The price per GPU and the halves are assumptions.

    At 7.61 % a quarter's factor is 1.01902: 8 payments of 12.149 and 12 of 8.400 are 97.2 + 100.8.
    """
    assert pytest.approx(178.75) == GPUS * USD_M_PER_GPU
    rate = brentq(lambda r: paid(r) - PAYMENTS_USD_M, 0.0, 0.5)
    assert rate == pytest.approx(0.0761, abs=5e-5)
    assert level_payment(89.375, rate, 8, 0.0) == pytest.approx(12.149, abs=1e-3)
    assert level_payment(89.375, rate, 12, 0.0) == pytest.approx(8.400, abs=1e-3)


def test_a_lease_repays_what_it_paid() -> None:
    """The present value of all payments at the implied rate is that of what went to the vendor."""
    flows = lease_flows(np.array([0.0, 30.0, 70.0]), 0.09, 8, 0.15)
    factor = 1.0225 ** -np.arange(1.0, 12.0)
    service = flows.interest_paid + flows.principal
    assert service @ factor == pytest.approx(flows.draws @ factor)
    level = service[3:-1]
    assert level == pytest.approx(np.full(7, level[0]))
    assert service[-1] == pytest.approx(level[0] + 15.0)
    assert flows.balance[-1] == 0.0


@pytest.mark.parametrize("lag", [None, 1])
def test_no_dollar_is_paid_for_twice(lag: int | None) -> None:
    """The tenant pays three tenths of everything, a lessor the rest of the GPUs: no more than is spent."""
    p = with_row(add_vendor_lease(add_gpu_terms(small())), "products", "pods", gpu_payment_lag_q=lag)
    p = with_row(p, "vendor_leases", "lessor", max_frac_of_gpus=1.0)
    money = {"contract": "cloud", "amount_usd_m": None, "received_quarter": None, "give_back_from_q": 0}
    p = with_rows(
        p, "contract_money",
        {**money, "kind": "tenant_capex", "frac_of_capex": 0.3, "give_back_q": 0, "max_frac_of_rent": 1.0},
    )  # fmt: skip
    route = next(r for r in compile_params(p, chain_of(p)).routes if r.route.key[2] == "cloud")
    module, (lease,) = route.modules[0], route.leases[0]
    own = module.spend - module.tenant_money - lease.draws
    assert own.min() >= -1e-12
    assert lease.draws.sum() == pytest.approx(0.7 * 100.0)
    assert own.sum() == pytest.approx(0.7 * 41.0)


def test_payments_begin_after_the_last_gpu_is_paid() -> None:
    """GPUs shipped in the first two quarters and paid a quarter later: repaid from the fourth on."""
    p = add_vendor_lease(add_gpu_terms(small()))
    route = next(r for r in compile_params(p, chain_of(p)).routes if r.route.key[2] == "cloud")
    (lease,) = route.leases[0]
    assert lease.draws == pytest.approx([0.0, 45.0, 45.0, 0.0, 0.0, 0.0])
    assert lease.balance[2] == pytest.approx(45.0 * 2.0225)
    assert (lease.interest_paid[:3] == 0.0).all()
    assert (lease.principal[3:] > 0.0).all()
