"""Test 12: prices on the coupling rows bound the optimum block by block; the auditor costs a block's plan."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from models.domain.ledger import Quantity
from optimizer.solve.matrix import Matrix
from tests.blocks.test_angular import COMPANY, Rows
from tests.oracle.enumeration import Case, search_of
from tests.oracle.test_enumeration import case_of, tried
from tests.oracle.toys import TOYS

Array = NDArray[np.float64]
WIDEST = 1e4
"""No plan of a toy needs a larger number, and no block alone may take one. [$M, MW]"""
DRAWS = 4
MOVES = frozenset({Quantity.MOVED_IN_MW, Quantity.MOVED_OUT_MW})
"""Machines on their way are the company's."""
COSTED = tuple(name for name, (portfolio, _) in TOYS.items() if not portfolio().tax_groups)
"""Toys whose blocks meet the company's value in cash alone: what is taxed is taxed in the company's books."""


@dataclass(frozen=True, eq=False)
class Priced:
    """A program at one value per share, cut into its blocks by relaxing the rows that couple them."""

    case: Case
    lam: float

    @property
    def matrix(self) -> Matrix:
        """Its matrix."""
        return self.case.matrix

    @cached_property
    def cost(self) -> Array:
        """Of each column."""
        return self.matrix.cost(self.case.program.objective(self.lam))

    @cached_property
    def rows(self) -> csr_array:
        """All rows."""
        return csr_array(self.matrix.a)

    @cached_property
    def block(self) -> NDArray[np.str_]:
        """The block of each column."""
        return np.array(Rows(self.matrix).of_column)

    @cached_property
    def coupling(self) -> NDArray[np.bool_]:
        """Rows with columns of more than one block."""
        rows = Rows(self.matrix)
        return np.array([len(rows.touched(i)) > 1 for i in range(len(self.matrix.rows))])

    def prices_of_the_relaxation(self) -> tuple[Array, float]:
        """Duals of the rows and the optimum without whole numbers."""
        search = search_of(self.case)
        result, _ = search.at(self.lam, integer=False, gap_usd_m=0.0)
        assert result.x is not None
        solver = search.solver
        dual = np.array(solver.highs.getSolution().row_dual)  # type: ignore[attr-defined]
        return np.where(self.coupling, dual, 0.0), self.matrix.at(
            result.x, self.case.program.objective(self.lam)
        )

    def best_of(
        self, block: str, cost: Array, shut: frozenset[Quantity] = frozenset()
    ) -> tuple[Array, float]:
        """A block's best plan at some costs of its columns, and a bound on its worth."""
        m = self.matrix
        mine, own = self.block == block, ~self.coupling
        own &= np.asarray(abs(self.rows[:, mine]).sum(axis=1)).ravel() > 0.0
        upper = np.minimum(m.upper, WIDEST)
        for d in self.case.program.decisions:
            if d.quantity in shut:
                upper[m.column[id(d.variable)]] = 0.0
        found = milp(
            -cost[mine],
            integrality=m.is_integer[mine].astype(int),
            bounds=Bounds(np.maximum(m.lower, -WIDEST)[mine], upper[mine]),
            constraints=[LinearConstraint(self.rows[own][:, mine], m.row_lower[own], m.row_upper[own])],
            options={"mip_rel_gap": 0.0},
        )
        assert found.status == 0, (block, found.message)
        plan = np.zeros(len(m.variables))
        plan[mine] = found.x
        proved = found.fun if found.mip_dual_bound is None else found.mip_dual_bound
        return plan, -float(proved)

    def bound(self, prices: Array, without: str = "") -> float:
        """E[V] less claims that no plan exceeds: what coupling rows sell for, and the best of each block."""
        m, used = self.matrix, prices != 0.0
        ends = np.where(prices > 0.0, m.row_upper, m.row_lower)
        sold = float(prices[used] @ ends[used])
        blocks, cost = sorted(set(self.block) - {without}), self.cost - self.rows.T @ prices
        constant = self.case.program.objective(self.lam).constant
        return constant + sold + sum(self.best_of(b, cost)[1] for b in blocks)

    def signed(self, prices: Array) -> Array:
        """Prices of a sign that their row allows: none on a side that has no end."""
        m = self.matrix
        none = np.where(prices > 0.0, ~np.isfinite(m.row_upper), ~np.isfinite(m.row_lower))
        return np.where(none | ~self.coupling, 0.0, prices)


@cache
def priced(name: str) -> Priced:
    """A toy at the value per share that trying everything found."""
    return Priced(case_of(name), tried(name).best.per_share)


def drawn(toy: Priced, seed: int) -> Array:
    """Those of the relaxation, each made smaller or larger by up to a half, a few forgotten."""
    rng = np.random.default_rng(seed)
    prices, _ = toy.prices_of_the_relaxation()
    factor = rng.uniform(0.5, 1.5, prices.size) * (rng.random(prices.size) > 0.1)
    return toy.signed(prices * factor)


@pytest.mark.parametrize("name", TOYS)
def test_no_prices_bound_below_the_best_of_all(name: str) -> None:
    toy = priced(name)
    best = toy.lam * toy.case.portfolio.firm.basic_shares_m
    for seed in range(DRAWS):
        assert toy.bound(drawn(toy, seed)) >= best * (1.0 - 1e-9)


@pytest.mark.parametrize("name", TOYS)
def test_prices_of_the_relaxation_bound_no_worse_than_it(name: str) -> None:
    toy = priced(name)
    best = toy.lam * toy.case.portfolio.firm.basic_shares_m
    prices, relaxed = toy.prices_of_the_relaxation()
    bound = toy.bound(toy.signed(prices))
    assert best * (1.0 - 1e-9) <= bound <= relaxed * (1.0 + 1e-7) + 1e-6


def test_a_block_left_out_is_seen() -> None:
    """The bound is tight enough to miss a block: without the north's plan it falls below the best of all."""
    toy = priced("conversion")
    prices, _ = toy.prices_of_the_relaxation()
    assert toy.bound(toy.signed(prices), without="north-co") < toy.lam * 100.0


def dollar_of_cash(case: Case) -> Array:
    """Expected leaf dollars of a dollar of the company's cash at each node, kept as it is."""
    tree, firm = case.tree, case.portfolio.firm
    rate = np.maximum(0.0, case.program.params.outlook.base_rate_frac - firm.cash_yield_spread_frac) / 4.0
    worth = np.array(tree.probability, dtype=float)
    for n in reversed(tree.nodes):
        if tree.children[n]:
            worth[n] = sum((1.0 + rate[c]) * worth[c] for c in tree.children[n])
    return worth


@pytest.mark.parametrize("name", COSTED)
def test_a_blocks_plans_cost_what_the_auditor_says(name: str) -> None:
    """Plans of a block, nothing raised: how they differ in the objective and in the company's cash."""
    toy = priced(name)
    case, cash = toy.case, dollar_of_cash(toy.case)
    rows = {row.name: i for i, row in enumerate(toy.matrix.rows)}
    balance = [rows[f"company.cash.cash_balance[{n}]"] for n in case.tree.nodes]

    def said(x: Array) -> float:
        handed = -(toy.rows @ x)[balance]
        return float(toy.cost @ x + cash @ handed)

    def audited(x: Array) -> float:
        worth = case.valued(x).worth
        return worth.expected - worth.expected_claims(toy.lam)

    wanted, differ = toy.cost + toy.rows[balance].T @ -cash, 0
    for block in sorted(set(toy.block) - {COMPANY}):
        rng = np.random.default_rng(0)
        nudges = rng.normal(0.0, 300.0, (DRAWS, wanted.size)) * toy.matrix.is_integer
        costs = (wanted + sign * nudge for nudge in nudges for sign in (1.0, -1.0))
        first, *others = (toy.best_of(block, cost, MOVES)[0] for cost in costs)
        for x in others:
            differ += int(np.any(np.abs((x - first)[toy.matrix.is_integer]) > 0.5))
            assert audited(x) - audited(first) == pytest.approx(said(x) - said(first), rel=1e-7, abs=1e-5)
    assert differ
