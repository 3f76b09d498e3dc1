"""Which future holds when: the scenario tree of a portfolio and the market row at each of its nodes."""

import numpy as np

from models.domain.market import MarketRow, Scenario
from models.domain.portfolio import Portfolio
from models.timetree import Quarter, TimeTree, chain


def owner(scenarios: dict[str, Scenario], name: str, quarter: Quarter) -> str:
    """Scenario whose market row holds in ``quarter`` for someone who ends up in ``name``."""
    for _ in scenarios:
        scenario = scenarios[name]
        if (
            scenario.branch_from is None
            or scenario.branch_quarter is None
            or quarter >= scenario.branch_quarter
        ):
            return name
        name = scenario.branch_from
    raise ValueError(f"the scenarios branch in a circle at '{name}'")


def scenario_chain(portfolio: Portfolio, name: str) -> TimeTree:
    """The single path of one scenario; KeyError if it is not in the deck."""
    by_name = {s.scenario: s for s in portfolio.scenarios}
    first, horizon_q = portfolio.firm.first_quarter, portfolio.firm.horizon_q
    return chain(first, horizon_q, [owner(by_name, name, first + t) for t in range(horizon_q)])


def scenario_tree(portfolio: Portfolio) -> TimeTree:
    """The tree of all scenarios that carry a probability; paths part at their branch quarters."""
    by_name = {s.scenario: s for s in portfolio.scenarios}
    first, horizon_q = portfolio.firm.first_quarter, portfolio.firm.horizon_q
    weights = {s.scenario: s.probability for s in portfolio.scenarios if s.probability is not None}
    parent: list[int] = []
    scenario: list[str] = []
    probability: list[float] = []
    here: dict[str, int] = dict.fromkeys(weights, -1)
    for t in range(horizon_q):
        made: dict[str, int] = {}
        for name, weight in weights.items():
            holder = owner(by_name, name, first + t)
            if holder not in made:
                made[holder] = len(parent)
                parent.append(here[name])
                scenario.append(holder)
                probability.append(0.0)
            here[name] = made[holder]
            probability[made[holder]] += weight
    return TimeTree(first, tuple(parent), tuple(scenario), np.array(probability))


def market_rows(portfolio: Portfolio, tree: TimeTree) -> tuple[MarketRow, ...]:
    """The market row of each node of ``tree``; KeyError where the deck has none."""
    rows = {(r.scenario, r.quarter): r for r in portfolio.market}
    return tuple(rows[tree.scenario[n], tree.quarter(n)] for n in tree.nodes)


def mean_trunk(portfolio: Portfolio) -> Portfolio:
    """The portfolio with each trunk quarter at the mean of the scenarios that have not parted yet.

    Numbers are averaged by probability over the scenarios that share the quarter, each with its own row where
    it has one; open windows are the holder's. All that derives from prices is computed from these means.
    """
    by_name = {s.scenario: s for s in portfolio.scenarios}
    rows = {(r.scenario, r.quarter): r for r in portfolio.market}
    weights = {s.scenario: s.probability for s in portfolio.scenarios if s.probability is not None}
    kept: list[MarketRow] = []
    for (name, quarter), row in rows.items():
        if owner(by_name, name, quarter) != name:
            continue
        members = [s for s in weights if owner(by_name, s, quarter) == name]
        told = [(weights[s], rows.get((s, quarter), row)) for s in members]
        kept.append(_mean(row, told) if told else row)
    return portfolio.model_copy(update={"market": tuple(kept)})


def _mean(holder: MarketRow, told: list[tuple[float, MarketRow]]) -> MarketRow:
    total = sum(weight for weight, _ in told)
    names = [n for n, field in MarketRow.model_fields.items() if field.annotation is float]
    means = {n: sum(weight * getattr(row, n) for weight, row in told) / total for n in names}
    if any(row.btc_trough_usd is not None for _, row in told):
        means["btc_trough_usd"] = sum(weight * row.trough_usd for weight, row in told) / total
    return holder.model_copy(update=means)
