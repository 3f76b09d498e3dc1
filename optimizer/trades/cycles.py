"""Rounds of trades that make money out of nothing: found in the input, and named with what would be right."""

from collections.abc import Iterator
from itertools import chain

import numpy as np

from models.domain.futures import scenario_chain, scenario_tree
from models.domain.portfolio import Portfolio
from models.findings import Finding
from models.params.claims import Claims
from models.params.coins import read_coins
from models.params.corporate_debt import bond_offers, repurchase_offers
from models.params.loans import debt_arrays
from models.params.new_loans import rolls
from models.params.notes import existing_notes, note_offers
from models.params.outlook import Outlook, read_outlook
from models.timetree import TimeTree
from models.units import QUARTERS_PER_YEAR
from optimizer.trades import sources, uses
from optimizer.trades.sources import LOANS, RESCUE, SHARES, Source
from optimizer.trades.uses import CASH, Grown

CODE = "arbitrage"
SMALL_USD = 1e-6
"""A round that makes less of a dollar makes nothing."""

Gain = tuple[float, Finding]


def cycles(portfolio: Portfolio) -> list[Finding]:
    """One finding for each source of money, or machine, that brings more than it costs: where it does most.

    Looked for on every scenario by itself, and on the tree of those that carry a probability. A share counts
    as worth its price of the opening, as nothing is known yet of the plan's own.
    """
    found: dict[tuple[str, str], Gain] = {}
    for where, tree in _times(portfolio):
        for gain, finding in _on(portfolio, read_outlook(portfolio, tree), where):
            key = (finding.table, finding.row)
            if key not in found or gain > found[key][0]:
                found[key] = (gain, finding)
    return sorted(finding for _, finding in found.values())


def _times(portfolio: Portfolio) -> Iterator[tuple[str, TimeTree]]:
    for s in portfolio.scenarios:
        yield f"scenario '{s.scenario}'", scenario_chain(portfolio, s.scenario)
    if sum(s.probability is not None for s in portfolio.scenarios) > 1:
        yield "the tree", scenario_tree(portfolio)


def _on(portfolio: Portfolio, outlook: Outlook, where: str) -> Iterator[Gain]:
    lam, claims = portfolio.firm.price_usd, Claims(portfolio, outlook)
    notes = existing_notes(portfolio, outlook)
    debts = tuple(debt_arrays(portfolio, d, outlook) for d in portfolio.debt)
    held = read_coins(portfolio, outlook, debts)
    buybacks = repurchase_offers(portfolio, notes, outlook)

    def best(kind: str) -> Grown:
        chosen = [] if kind == LOANS else uses.repurchases(outlook, claims, buybacks, lam)
        chosen += uses.coins(portfolio, outlook, held) if kind in (SHARES, RESCUE) else []
        return uses.grown(portfolio, outlook, chosen)

    yield from _machines(portfolio, outlook, where)
    half = 1.0 + 0.5 * uses.cash_yield(portfolio, outlook)
    by_kind = {kind: best(kind) for kind in sources.KINDS}
    for source in chain(
        sources.shares(portfolio, outlook, claims, lam),
        sources.convertibles(outlook, claims, note_offers(portfolio, outlook), lam),
        sources.straight_notes(outlook, bond_offers(portfolio, outlook)),
        sources.loans(portfolio, outlook, held.lines, rolls(debts, outlook)),
        sources.rescue(portfolio, outlook),
    ):
        in_hand = source.net_usd * (float(half[source.node]) if source.early else 1.0)
        yield from _raised(outlook, source, in_hand, by_kind[source.kind], where)


def _machines(portfolio: Portfolio, outlook: Outlook, where: str) -> Iterator[Gain]:
    """Machines that sell for more than they cost, cash forgone included."""
    cash = uses.grown(portfolio, outlook, ())
    for vintage, use in uses.machines(portfolio, outlook):
        traded = uses.grown(portfolio, outlook, [use])
        for n, name in enumerate(traded.use):
            ratio = float(traded.usd[n] / cash.usd[n])
            if name != CASH and ratio > 1.0 + SMALL_USD:
                when = outlook.tree.quarter(n)
                message = (
                    f"in {where}, bought in {when} and idle, they bring {ratio:.3g} of their cost in cash"
                )
                remedy = f"lower resale to {1.0 / ratio:.3f} of what it is, or flatten resale_idx"
                row = vintage.machine
                yield (
                    ratio,
                    Finding("warning", CODE, row.table, row.machine, "resale_profile", message, remedy),
                )


def _raised(outlook: Outlook, source: Source, in_hand: float, best: Grown, where: str) -> Iterator[Gain]:
    """Money raised that brings more than it costs, put to the best use there is without building."""
    n, tree = source.node, outlook.tree
    weight = tree.probability / tree.probability[n] * outlook.below[n]
    brings = in_hand * float(best.usd[n])
    costs = float(np.sum(weight * source.paid * best.usd)) + source.claimed_usd
    if brings > costs + SMALL_USD:
        asked = float(np.sum(weight * source.owed * best.usd)) / QUARTERS_PER_YEAR
        message = f"in {where}, a dollar of {tree.quarter(n)} costs {costs:.4g} by the end; "
        message += f"{best.ends_as(n, tree)}, it brings {brings:.4g}"
        remedy = _right(source, brings, brings - costs, asked, float(outlook.years_to_end[n]))
        key = "|".join(str(getattr(source.row, part)) for part in source.row.key)
        yield (
            brings - costs,
            Finding("warning", CODE, source.row.table, key, source.column, message, remedy),
        )


def _right(source: Source, brings: float, gain: float, asked: float, years: float) -> str:
    """What the cell would have to say."""
    if source.column == "equity_pricing":
        return "write no_mispricing, or take the plan for a bet on the deck's prices"
    if source.kind == RESCUE:
        return f"write more than {brings:.4f}, or correct what it is put to"
    if source.kind == SHARES:
        return f"write {brings ** (1.0 / years) - 1.0:.4f} or more, or correct what it is put to"
    least = float(getattr(source.row, source.column)) + gain / asked if asked > 0.0 else None
    return "raise its fee" if least is None else f"write {least:.4f} or more, or correct what it is put to"
