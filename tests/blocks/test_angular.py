"""The compiled matrix is block-angular: borrowers have columns of their own, few company rows couple."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.domain.futures import scenario_chain
from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.inputs.load import load
from optimizer.shipped import shipped_portfolios
from optimizer.solve.matrix import Matrix, compile_matrix
from tests.blocks.bite import BITE_TIMES, Plan, built, id_of
from tests.portfolios import PORTFOLIOS

COUPLING_PER_NODE = 8
"""Rows of the company that touch borrowers at a node, covenants with budgets and machines apart."""
PER_VINTAGE = frozenset({"ALO-4", "ALO-5", "ALO-7", "MIN-3"})
"""Rows of a vintage at a node: its pool and, where there are such limits, what is bought, hauled and dies."""
PER_MACHINE = "ALO-8"
"""Rows of a type of machine at a node: what may be sold."""
PER_CONTRACT = frozenset({"ALO-1", "ALO-2", "ALO-6"})
"""Rows that stand once per offer, group or merchant contract, wherever it ends: not one per node."""
PER_LESSOR = "LSE-2"
"""What is owed to a lessor of GPUs at a node: a limit like a covenant's, one per lessor."""
PER_EQUIPMENT = frozenset({"EQP-1", "EQP-2"})
"""Rows of equipment that any site may use, at a node."""
PER_TAX_YEAR = "TAX-1"
"""Rows of a tax group where its year ends."""
COMPANY = "company"


def block_of(part: Any) -> str:
    """The company, or the borrower whose block holds a variable or a row."""
    block = part.parent_block()
    while block.parent_block() is not block.model():
        block = block.parent_block()
    return COMPANY if block is block.model().company else str(block.index())


class Rows:
    """The rows of a matrix with the blocks that their columns belong to."""

    def __init__(self, matrix: Matrix) -> None:
        by_row = matrix.a.tocsr()
        self.matrix = matrix
        self.of_column = [block_of(v) for v in matrix.variables]
        self.own = [block_of(row) for row in matrix.rows]
        ends = zip(by_row.indptr[:-1], by_row.indptr[1:], strict=True)
        self.columns = [by_row.indices[a:b] for a, b in ends]

    def touched(self, i: int) -> set[str]:
        """Blocks of the columns in row ``i``."""
        return {self.of_column[j] for j in self.columns[i]}

    def coupling(self) -> list[Any]:
        """Rows of the company that have a borrower's column."""
        return [
            row
            for i, row in enumerate(self.matrix.rows)
            if self.own[i] == COMPANY and self.touched(i) - {COMPANY}
        ]


@pytest.fixture(scope="module", params=BITE_TIMES, ids=[name for name, _ in BITE_TIMES])
def plan(request: pytest.FixtureRequest) -> Plan:
    return built(PORTFOLIOS["full"](), request.param[1])


@pytest.fixture(scope="module")
def rows(plan: Plan) -> Rows:
    return Rows(compile_matrix(plan.program.model))


def test_rows_of_a_borrower_have_its_own_columns_alone(rows: Rows) -> None:
    strangers = [
        row.name
        for i, row in enumerate(rows.matrix.rows)
        if rows.own[i] != COMPANY and rows.touched(i) - {rows.own[i]}
    ]
    assert strangers == []


def test_every_borrower_has_rows_of_its_own_and_meets_the_company(rows: Rows, plan: Plan) -> None:
    borrowers = {e.entity for e in plan.portfolio.entities if e.kind == "spv"}
    met = {block for i, own in enumerate(rows.own) if own == COMPANY for block in rows.touched(i)}
    assert borrowers <= set(rows.own)
    assert borrowers <= met


def test_few_rows_couple_at_each_node(rows: Rows, plan: Plan) -> None:
    of_money: Counter[int] = Counter()
    of_machines: Counter[tuple[str, int]] = Counter()
    of_taxes: Counter[tuple[str, int]] = Counter()
    of_lessors: Counter[int] = Counter()
    for row in rows.coupling():
        index, rule = row.index(), id_of(row.parent_component())
        if rule in PER_VINTAGE:
            of_machines[index] += 1
        elif rule == PER_MACHINE:
            assert row.index()[0] in {m.machine for m in plan.portfolio.machines}
        elif rule == PER_TAX_YEAR:
            of_taxes[index] += 1
        elif rule in PER_EQUIPMENT:
            assert row.index()[0] in {x.equipment for x in plan.portfolio.long_lead}
        elif rule == PER_LESSOR:
            of_lessors[index[-1]] += 1
        elif rule not in PER_CONTRACT:
            of_money[index[-1] if isinstance(index, tuple) else index] += 1
    tests = len(plan.portfolio.covenants) + len(plan.portfolio.budgets)
    assert max(of_money.values()) <= COUPLING_PER_NODE + tests
    assert max(of_lessors.values()) <= len(plan.portfolio.vendor_leases)
    assert {n for _, n in of_taxes} == set(plan.program.params.taxes.years)
    assert max(of_taxes.values()) <= 2, "income, and income at the cap of interest"
    assert max(of_machines.values()) <= len(PER_VINTAGE)
    assert len({vintage for vintage, _ in of_machines}) <= len(plan.program.params.vintages)


def test_rows_per_contract_do_not_grow_with_the_quarters(rows: Rows, plan: Plan) -> None:
    several = [row for row in rows.coupling() if id_of(row.parent_component()) in PER_CONTRACT]
    groups = {c.exclusive_group for c in plan.portfolio.contracts if c.exclusive_group}
    assert len(several) <= (len(plan.portfolio.contracts) + len(groups)) * len(plan.tree.leaves)


def _out_of_range(matrix: Matrix) -> list[str]:
    by_entry = matrix.a.tocoo()
    sizes = np.abs(by_entry.data)
    wrong = np.flatnonzero((sizes > 0.0) & ((sizes < 1e-4) | (sizes > 1e5)))
    rows, columns = by_entry.row[wrong], by_entry.col[wrong]
    return [
        f"{matrix.rows[i].name}: {value:g} x {matrix.variables[j].name}"
        for i, j, value in zip(rows, columns, by_entry.data[wrong], strict=True)
    ]


@pytest.mark.parametrize("time", [time for _, time in BITE_TIMES], ids=[name for name, _ in BITE_TIMES])
@pytest.mark.parametrize("name", ["small", "full"])
def test_coefficients_of_the_factory(name: str, time: Callable[[Portfolio], TimeTree]) -> None:
    assert _out_of_range(compile_matrix(built(PORTFOLIOS[name](), time).program.model)) == []


@pytest.mark.parametrize("name", shipped_portfolios())
def test_coefficients_of_shipped_portfolios(name: str) -> None:
    loaded = load(name)
    plan = built(loaded.portfolio, lambda p: scenario_chain(p, loaded.scenario))
    assert _out_of_range(compile_matrix(plan.program.model)) == []
