"""How a rule is shown to bite: without it a plan breaks it, with it the plan keeps it and goes up to it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from models.blocks.books import Decision
from models.blocks.linear import Linear
from models.blocks.program import Program, build_program
from models.domain.ledger import Quantity
from models.domain.market import MarketRow
from models.domain.portfolio import Portfolio
from models.params.params import compile_params
from models.timetree import TimeTree
from optimizer.solve.exact import HighsProgram
from optimizer.solve.matrix import Matrix, compile_matrix
from optimizer.solve.outcome import MipResult
from tests.portfolios import chain_of, tree_of

BROKEN = 0.01
"""A rule is broken by more than this, in its own unit, or the test proves nothing."""
HELD = 1e-5
UNBOUNDED = 1e5
"""Bound on what a missing rule would let grow without end."""
BITE_TIMES: tuple[tuple[str, Callable[[Portfolio], TimeTree]], ...] = (("chain", chain_of), ("tree", tree_of))


@dataclass(frozen=True, eq=False)
class Plan:
    """A program and, once solved, what it decides; read by quantity and place, never by a variable's name."""

    program: Program

    @property
    def portfolio(self) -> Portfolio:
        """What was put in."""
        return self.program.params.portfolio

    @property
    def tree(self) -> TimeTree:
        """The time that it is planned on."""
        return self.program.params.tree

    @property
    def company(self) -> Any:
        """The company's blocks, for what is no decision of its own: cash, money raised and not yet spent."""
        return self.program.model.company

    def site(self, name: str) -> Any:
        """The blocks of a site."""
        entity = next(s.entity for s in self.portfolio.sites if s.site == name)
        return self.program.model.borrower[entity].site[name]

    def decided(self, quantity: Quantity, **where: Any) -> Iterator[Decision]:
        """Decisions of a quantity with the given fields: site, item, contract, since, node."""
        for d in self.program.decisions:
            if d.quantity == quantity and all(getattr(d, name) == value for name, value in where.items()):
                yield d

    def want(self, quantity: Quantity, coef: float = 1.0, **where: Any) -> Linear:
        """A part of an objective: so much for each unit decided."""
        wanted = Linear()
        for d in self.decided(quantity, **where):
            wanted.add(coef, d.variable)
        return wanted

    def at(self, quantity: Quantity, n: int, **where: Any) -> float:
        """What is decided at a node."""
        return sum(float(d.variable.value) for d in self.decided(quantity, node=n, **where))

    def up_to(self, quantity: Quantity, n: int, least_age: int = 0, **where: Any) -> float:
        """What is decided on the path to a node, at least so many quarters before it."""
        path = self.tree.path(n)
        return sum(self.at(quantity, m, **where) for m in path[: len(path) - least_age])

    def aged(self, quantity: Quantity, n: int, ages: range, **where: Any) -> float:
        """What was decided so many quarters before a node."""
        return sum(
            self.at(quantity, self.tree.path(n)[-1 - a], **where) for a in ages if a <= self.tree.period[n]
        )

    def market(self, n: int) -> MarketRow:
        """The market at a node."""
        here = (self.tree.scenario[n], self.tree.quarter(n))
        return next(row for row in self.portfolio.market if (row.scenario, row.quarter) == here)

    def price_usd(self, n: int) -> float:
        """Share price at a node: ten at the opening, and with the AI equity index."""
        return 10.0 * self.market(n).ai_equity_idx


@dataclass(frozen=True)
class Bite:
    """One rule, a portfolio, an objective that presses on the rule, and the rule in plain arithmetic."""

    rule: str
    portfolio: Callable[[], Portfolio]
    press: Callable[[Plan], Linear]
    excess: Callable[[Plan], list[float]]
    """By place, how far the rule is broken, in its own unit; negative where there is room."""
    reached: bool = True
    """With the rule the plan goes right up to it somewhere: the rule is not tighter than it says."""
    everywhere: bool = False
    """It goes up to it at every place: on each path, not on one for all."""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.rule} {self.name}".strip()


def components(model: pyo.ConcreteModel, rule: str) -> list[Any]:
    """The constraints that carry an ID."""
    found = model.component_objects(pyo.Constraint, active=None, descend_into=True)
    return [c for c in found if id_of(c) == rule]


def id_of(component: Any) -> str:
    """First word of a constraint's doc."""
    return str(component.doc or "?").split(maxsplit=1)[0]


def built(portfolio: Portfolio, time: Callable[[Portfolio], TimeTree]) -> Plan:
    """The program of a portfolio."""
    return Plan(build_program(compile_params(portfolio, time(portfolio))))


def solved(
    matrix: Matrix, objective: Linear, lower: Any = None, upper: Any = None, gap_usd_m: float = 1e-6
) -> MipResult:
    """Maximise; the plan found is written into the variables."""
    program = HighsProgram(matrix, threads=1, seed=0, stop=threading.Event())
    result = program.solve(
        matrix.cost(objective), integer=True, gap_usd_m=gap_usd_m, time_limit_s=30.0, lower=lower, upper=upper
    )
    if result.x is not None:
        matrix.load(result.x)
    return result


def _pressed(plan: Plan, bite: Bite) -> list[float]:
    matrix = compile_matrix(plan.program.model)
    bounds = (np.maximum(matrix.lower, -UNBOUNDED), np.minimum(matrix.upper, UNBOUNDED))
    result = solved(matrix, bite.press(plan), *bounds, gap_usd_m=1e-4)
    assert result.proved == "optimal", f"{bite}: {result.proved}"
    return bite.excess(plan)


def show(bite: Bite, time: Callable[[Portfolio], TimeTree]) -> None:
    """The rule is broken without its constraints and held with them."""
    plan = built(bite.portfolio(), time)
    rules = components(plan.program.model, bite.rule)
    assert rules, f"no constraint carries {bite.rule}"
    for rule in rules:
        rule.deactivate()
    without = _pressed(plan, bite)
    assert max(without) > BROKEN, f"{bite} is held without its constraints: {without}"
    for rule in rules:
        rule.activate()
    held = _pressed(plan, bite)
    assert max(held) <= HELD, f"{bite} is broken with its constraints: {held}"
    tightest = min(held) if bite.everywhere else max(held)
    assert tightest >= -HELD or not bite.reached, f"{bite} is tighter than it says: {held}"


def cases(bites: tuple[Bite, ...]) -> list[Any]:
    """One test per bite and time."""
    return [
        pytest.param(partial(show, bite, time), id=f"{bite}-{name}".replace(" ", "-"))
        for bite in bites
        for name, time in BITE_TIMES
    ]
