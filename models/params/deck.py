"""From the rules of a deck to its numbers: every column of every scenario, quarter by quarter."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.deck import (
    COLUMNS,
    FEES,
    OPTIONAL,
    Columns,
    DeckRules,
    Growth,
    MachinePrices,
    Nodes,
    Origin,
    Path,
    Same,
    Spot,
    Steps,
)
from models.formulas.hashprice import (
    BLOCK_SECONDS,
    SECONDS_PER_DAY,
    hashprice_usd_per_ph_day,
    mean_subsidy_btc,
)
from models.formulas.network import (
    difficulty_t,
    follow,
    hashrate_target,
    machine_margin_usd_per_th,
    spot_law,
)
from models.timetree import Quarter
from models.units import QUARTERS_PER_YEAR, USD_M

Array = NDArray[np.float64]
BLOCKS_PER_DAY = SECONDS_PER_DAY / BLOCK_SECONDS
"""That difficulty aims at."""
UNLIMITED = 1e9
"""Rise in a quarter that is no limit."""


@dataclass(frozen=True, eq=False)
class Course:
    """One scenario from the deck's first quarter on, whether or not it has left its trunk by then."""

    begins: int
    """Quarter of the deck from which it is on its own."""
    exact: Mapping[str, Array]
    """Columns before rounding; before the branch those of the trunk."""
    printed: Mapping[str, Array]
    """Columns of ``market``, rounded; before the branch by its own rules."""


def courses(rules: DeckRules) -> dict[str, Course]:
    """The course of each scenario; the rules have been checked."""
    found: dict[str, Course] = {}
    left = dict(rules.scenarios)
    while left:
        for name in [n for n, rule in left.items() if rule.leaves is None or rule.leaves in found]:
            found[name] = _course(rules, name, found.get(left.pop(name).leaves or ""))
    return {name: found[name] for name in rules.scenarios}


def resale_target(rules: MachinePrices, columns: Mapping[str, Array], power_idx: Array) -> Array:
    """What machine prices tend to: a year's margin over the one at which the index is 1."""
    hashprice = hashprice_usd_per_ph_day(
        columns["btc_usd"], columns["difficulty_t"], columns["subsidy_btc"], columns["fee_frac"], 0.0
    )
    margin = machine_margin_usd_per_th(hashprice, rules.j_per_th, rules.power_usd_per_mwh * power_idx)
    return np.maximum(rules.least_idx, margin / margin_at_one(rules))


def margin_at_one(rules: MachinePrices) -> float:
    """A year's margin at which the index of machine prices tends to 1. [$/(TH/s)/year]"""
    h, power = rules.hashprice_usd_per_ph_day, rules.power_usd_per_mwh
    return float(machine_margin_usd_per_th(h, rules.j_per_th, power))


def _course(rules: DeckRules, name: str, trunk: Course | None) -> Course:
    """Stated columns, then those that follow from them; machine prices follow the printed ones."""
    quarters, rule = rules.quarters, rules.scenarios[name]
    begins = 0 if rule.at is None else rule.at - quarters[0]
    columns = rules.stated(name)
    exact: dict[str, Array] = {}
    for column in columns:
        exact[column] = _values(columns, column, quarters, begins, trunk)
    if "subsidy_btc" not in exact:
        exact["subsidy_btc"] = _subsidy(rules)
    if "fee_frac" not in exact:
        exact["fee_frac"] = exact[FEES] / exact["subsidy_btc"]
    if "difficulty_t" not in exact:
        exact["difficulty_t"] = _difficulty(rules, exact, begins, trunk)
    printed = {c: _rounded(exact[c], rules.digits.get(c)) for c in (*COLUMNS, *OPTIONAL) if c in exact}
    if "resale_idx" not in exact:
        machines = rules.machines
        trail = _trail("resale_idx", machines.begins_at, begins, trunk)
        target = resale_target(machines, printed, printed["power_idx"])
        exact["resale_idx"] = _on(
            trail, target, machines.start_idx, (machines.moved_frac_per_q, UNLIMITED, 1.0)
        )
        printed["resale_idx"] = _rounded(exact["resale_idx"], rules.digits.get("resale_idx"))
    if trunk:
        exact = {c: np.concatenate([trunk.exact.get(c, x)[:begins], x[begins:]]) for c, x in exact.items()}
    return Course(begins, exact, printed)


def _values(
    columns: Columns, column: str, quarters: tuple[Quarter, ...], begins: int, trunk: Course | None
) -> Array:
    """A stated column by quarter."""
    path: Path = columns[column]
    if isinstance(path, Same):
        return path.times * _values(columns, path.same_as, quarters, begins, trunk)
    if isinstance(path, Growth):
        grown = _compounded(path.growth, quarters)
        if path.start != "trunk":
            return path.start * grown
        assert trunk is not None, "a root does not start from a trunk"
        before = trunk.exact[column][:begins]
        return np.concatenate([before, before[-1] * grown[begins:] / grown[begins - 1]])
    if isinstance(path, Spot):
        t = np.arange(len(quarters))
        to_end = _compounded(path.drift, quarters)
        to_middle = to_end / _yearly(path.drift, quarters) ** (0.5 / QUARTERS_PER_YEAR)
        law = (path.volatility_frac, path.spread_at_most, path.deviations)
        return spot_law(path.spot, to_middle, (t + 0.5) / QUARTERS_PER_YEAR, law)
    if isinstance(path, Nodes):
        known = sorted(path.nodes.items())
        at, worth = [float(q.index) for q, _ in known], np.array([x for _, x in known])
        here = [float(q.index) for q in quarters]
        if path.between == "geometric":
            return np.asarray(np.exp(np.interp(here, at, np.log(worth))))
        return np.asarray(np.interp(here, at, worth))
    if isinstance(path, Steps):
        return _held(dict(path.steps), quarters)
    return np.full(len(quarters), float(path))


def _held(steps: Mapping[Quarter, float], quarters: tuple[Quarter, ...]) -> Array:
    """What holds in each quarter: the last step at or before it."""
    return np.array([float(steps[max(q for q in steps if q <= here)]) for here in quarters])


def _yearly(rates: Mapping[Quarter, float], quarters: tuple[Quarter, ...]) -> Array:
    return 1.0 + _held(rates, quarters)


def _compounded(rates: Mapping[Quarter, float], quarters: tuple[Quarter, ...]) -> Array:
    """Growth from the opening to the end of each quarter."""
    by_quarter: Array = _yearly(rates, quarters) ** (1.0 / QUARTERS_PER_YEAR)
    return np.asarray(np.cumprod(by_quarter), dtype=np.float64)


def _subsidy(rules: DeckRules) -> Array:
    """Mean subsidy of each quarter by block height. [BTC]"""
    blocks = rules.network.blocks_per_day * np.array([float(q.days) for q in rules.quarters])
    first = rules.network.height + np.concatenate([[0.0], np.cumsum(blocks)[:-1]])
    return np.asarray(mean_subsidy_btc(first, blocks))


def _difficulty(rules: DeckRules, exact: Mapping[str, Array], begins: int, trunk: Course | None) -> Array:
    """Difficulty after the answer of hashrate to revenue. [10^12]"""
    network = rules.network
    reward_btc = exact["subsidy_btc"] * (1.0 + exact["fee_frac"])
    revenue = BLOCKS_PER_DAY * reward_btc * exact["btc_usd"] * USD_M
    years = (np.arange(len(rules.quarters)) + 0.5) / QUARTERS_PER_YEAR
    target = difficulty_t(network.start_eh_per_s) * hashrate_target(
        revenue / network.start_revenue_usd_m_per_day,
        network.supply_elasticity,
        network.efficiency_gain_frac_per_year,
        years,
    )
    trail = _trail("difficulty_t", network.begins_at, begins, trunk)
    lag = network.moved_frac_per_q, network.rise_at_most_frac_per_q, network.fall_at_most_frac_per_q
    return _on(trail, np.asarray(target), float(difficulty_t(network.start_eh_per_s)), lag)


def _trail(column: str, begins_at: Origin, begins: int, trunk: Course | None) -> Array:
    """What a lagged column has been before it is a scenario's own."""
    return trunk.exact[column][:begins] if trunk and begins_at == "trunk" else np.empty(0)


def _on(trail: Array, target: Array, start: float, lag: tuple[float, float, float]) -> Array:
    """A trail, or a start without one, that goes on after its target."""
    at = trail.size
    return np.concatenate([trail, follow(target[at:], float(trail[-1]) if at else start, *lag)])


def _rounded(values: Array, digits: int | None) -> Array:
    return values if digits is None else np.array([round(float(x), digits) for x in values])
