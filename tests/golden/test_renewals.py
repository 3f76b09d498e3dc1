"""What halls cost again at each renewal, by hand: within the horizon, after it, in taxes and in the audit."""

import numpy as np
import pytest

from models.params.params import compile_params
from optimizer.audit.book import Book
from optimizer.audit.modules import Module
from tests.portfolios import add_gpu_terms, add_taxes, chain_of, small, with_row, with_rows

RATE_Q, HORIZON, END = 0.04, 6, 18
"""The contract's term ends after eighteen quarters, two of four quarters may follow with one half each."""
EACH = 2.0 * 5.0
"""A module has 5 MW."""
RENEWAL = {
    "contract": "cloud",
    "probability_frac": 0.5,
    "rent_basis": "min",
    "term_q": 4,
    "options": 2,
    "capex_usd_m_per_mw": 2.0,
}


def company(**changed: object):  # type: ignore[no-untyped-def]
    """GPUs that nobody replaces, so that halls alone cost again."""
    p = with_row(add_gpu_terms(add_taxes(small())), "products", "pods", refresh_q=None)
    return with_rows(with_row(p, "contracts", "cloud", **changed), "renewals", RENEWAL)


def test_halls_cost_again_at_each_renewal() -> None:
    """Half of 10 in quarter 18, a quarter of 10 in quarter 22; the leaf is the end of the sixth quarter."""
    params = compile_params(company(), chain_of(company()))
    module = next(r for r in params.routes if r.route.key == ("south", "pods", "cloud")).modules[0]
    later = next(iter(module.later_refit.values()))
    assert np.flatnonzero(later).tolist() == [END - HORIZON, END + 4 - HORIZON]
    assert later[[END - HORIZON, END + 4 - HORIZON]] == pytest.approx([0.5 * EACH, 0.25 * EACH])
    worth = 0.5 * EACH * (1 + RATE_Q) ** -13 + 0.25 * EACH * (1 + RATE_Q) ** -17
    assert next(iter(module.refresh_value.values())) == pytest.approx(worth)
    assert not module.refit.any()


def test_a_renewal_within_the_horizon_is_paid_in_cash_and_written_off_as_halls() -> None:
    """A term of two quarters ends at the fifth; a tenth is written off at once, of the rest a sixteenth."""
    p = company(term_q=2)
    params = compile_params(p, chain_of(p))
    module = next(r for r in params.routes if r.route.key == ("south", "pods", "cloud")).modules[0]
    assert module.refit == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.5 * EACH, 0.0])
    free = with_row(p, "renewals", "cloud", capex_usd_m_per_mw=None)
    plain = compile_params(free, chain_of(free))
    key = next(k for k in params.taxes.units if k[1:] == ("south", "pods", "cloud", "", 0))
    gained = params.taxes.units[key].written_off - plain.taxes.units[key].written_off
    assert gained == pytest.approx([0.0] * 4 + [(0.1 + 0.9 / 16) * 0.5 * EACH, 0.9 / 16 * 0.5 * EACH])


@pytest.mark.parametrize("term_q", [2, 16])
def test_the_auditor_finds_the_same(term_q: int) -> None:
    p = company(term_q=term_q)
    tree = chain_of(p)
    module = Module(Book(p, tree), "south", "pods", "cloud", 0)
    spent = [module.at[n].refresh for n in tree.nodes]
    assert spent == pytest.approx([0.0] * 4 + [0.5 * EACH if term_q == 2 else 0.0, 0.0])
    ahead = {2: ((3, 0.25),), 16: ((13, 0.5), (17, 0.25))}[term_q]
    assert module.tail(tree.leaves[0]).refresh == pytest.approx(
        sum(chance * EACH * (1 + RATE_Q) ** -k for k, chance in ahead)
    )
