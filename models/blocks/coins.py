"""TRE: bitcoin held, sold and pledged by one owner, and the loans that it secures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, equal, term, total
from models.blocks.new_loans import post_bullet
from models.domain.company import Entity
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.treasury import TreasuryLot
from models.params.coins import Array, CoinLine, Coins
from models.timetree import TimeTree
from models.units import USD_M

EXISTING = -1
"""Node of a loan that was taken before the plan."""
LoanKey = tuple[str, int]
"""Debt or instrument, and the node at which it is taken."""


@dataclass(frozen=True, eq=False)
class Loan:
    """A loan that coins secure: owed per unit of ``size`` during each quarter and after it. [$M]"""

    size: Linear
    opening: Array
    balance: Array
    ltv_call_frac: float


def add_coins(b: pyo.Block, coins: Coins, tree: TimeTree, entity: Entity, books: Books) -> None:
    """Coins of an owner and its loans against them. Maths: docs/program.md, section 11, TRE-1 ... TRE-8."""
    lots = {x.lot: x for x in coins.lots if x.entity == entity.entity}
    nodes = list(tree.nodes)
    lines = {x.instrument.instrument: x for x in coins.lines if lots and entity.kind == "parent"}
    b.held_btc = pyo.Var(list(lots), nodes, domain=pyo.NonNegativeReals, doc="coins held [BTC]")
    b.sold_btc = pyo.Var(list(lots), nodes, domain=pyo.NonNegativeReals, doc="coins sold [BTC]")
    taken = [(i, n) for i, x in lines.items() for n in x.loans]
    b.borrowed_usd_m = pyo.Var(taken, domain=pyo.NonNegativeReals, doc="loan against bitcoin [$M]")
    loans: dict[LoanKey, Loan] = {
        (x.name, EXISTING): Loan(Linear(constant=1.0), x.opening, x.balance, x.ltv_call_frac)
        for x in coins.secured
        if x.entity == entity.entity
    }
    margins = [(name, n) for (name, _), x in loans.items() for n in nodes if x.opening[n] > 0.0]
    b.margin_usd_m = pyo.Var(margins, domain=pyo.NonNegativeReals, doc="cash beside pledged coins [$M]")
    for i, n in taken:
        terms, size = lines[i].loans[n], term(b.borrowed_usd_m[i, n])
        loans[i, n] = Loan(size, terms.opening, terms.balance, lines[i].ltv_call_frac)
    pledged = _pledged(b, tree, coins, list(lots), loans, books)

    @b.Constraint(list(lots), nodes, doc="TRE-1 coins held are those before less those sold [BTC]")
    def coins_roll(b, lot, n):
        before = term(b.held_btc[lot, tree.parent[n]]) if n else Linear(constant=lots[lot].btc)
        return equal(term(b.held_btc[lot, n]), before - term(b.sold_btc[lot, n]))

    @b.Constraint(list(lots), nodes, doc="TRE-2 coins sold in a quarter within the lot's cap [BTC]")
    def sold_within_cap(b, lot, n):
        return at_most(term(b.sold_btc[lot, n]), lots[lot].sell_cap_frac_per_q * lots[lot].btc)

    @b.Constraint(list(lots), tree.leaves, doc="TRE-3 coins kept to the end [BTC]")
    def enough_kept(b, lot, leaf):
        return at_most(Linear(constant=lots[lot].min_hold_btc), term(b.held_btc[lot, leaf]))

    _add_pledge_rules(b, coins, tree, list(lots), loans, pledged)
    _add_borrowing_rules(b, coins, tree, list(lots), lines, loans, pledged)
    _post_coins(b, coins, tree, lots, books)
    for (lot, _), variable in b.sold_btc.items():
        books.limit(variable, ("sold", lot), 1.0, lots[lot].btc)
    for i, n in taken:
        _post_loan(b.borrowed_usd_m[i, n], lines[i], n, tree, books)
        books.limit(b.borrowed_usd_m[i, n], ("borrowed", i, n), 1.0, lines[i].instrument.max_usd_m)
        books.decide(Quantity.BORROWED, n, b.borrowed_usd_m[i, n], item=i)
    for name, n in margins:
        _post_margin(b.margin_usd_m[name, n], n, tree, books)
        books.decide(Quantity.CASH_MARGIN, n, b.margin_usd_m[name, n], item=name)


class Pledged:
    """Coins that secure a loan at a node: what secured it at the opening, and all added since."""

    def __init__(self, added: Any, opening: Mapping[tuple[str, LoanKey], float], tree: TimeTree) -> None:
        self._added, self._opening, self._tree = added, opening, tree

    def of(self, lot: str, loan: LoanKey, n: int) -> Linear:
        """Coins of one lot. [BTC]"""
        found = Linear(constant=self._opening.get((lot, loan), 0.0))
        for m in self._tree.path(n):
            if (lot, *loan, m) in self._added:
                found.add(1.0, self._added[lot, *loan, m])
        return found


def _pledged(
    b: pyo.Block, tree: TimeTree, coins: Coins, lots: list[str], loans: Mapping[LoanKey, Loan], books: Books
) -> Pledged:
    """The coins that may be added while a loan runs; none is taken back before it is repaid."""
    keys = [
        (lot, name, issue, n)
        for lot in lots
        for (name, issue), x in loans.items()
        for n in tree.nodes
        if x.opening[n] > 0.0 or n == issue
    ]
    b.pledged_btc = pyo.Var(keys, domain=pyo.NonNegativeReals, doc="coins newly pledged [BTC]")
    for lot, name, issue, n in keys:
        since = "" if issue == EXISTING else tree.label(issue)
        books.decide(
            Quantity.PLEDGED_BTC, n, b.pledged_btc[lot, name, issue, n], item=lot, contract=name, since=since
        )
    opening = {(x.lot, (x.pledged_to, EXISTING)): x.btc for x in coins.lots if x.pledged_to}
    return Pledged(b.pledged_btc, opening, tree)


def _add_pledge_rules(
    b: pyo.Block,
    coins: Coins,
    tree: TimeTree,
    lots: list[str],
    loans: Mapping[LoanKey, Loan],
    pledged: Pledged,
) -> None:
    """Coins secure one loan at a time, and enough of them."""

    def secured(n: int) -> Iterator[tuple[LoanKey, ...]]:
        """The loans that run in a quarter, and those that run on after it."""
        during = tuple(key for key, x in loans.items() if x.opening[n] > 0.0)
        after = tuple(key for key, x in loans.items() if x.balance[n] > 0.0)
        yield during
        if not set(after) <= set(during):
            yield after

    rows = [(lot, n, t) for lot in lots for n in tree.nodes for t, keys in enumerate(secured(n)) if keys]

    @b.Constraint(rows, doc="TRE-4 coins pledged, in the quarter and after it, within those held [BTC]")
    def pledged_within_held(b, lot, n, t):
        keys = tuple(secured(n))[t]
        return at_most(total(pledged.of(lot, key, n) for key in keys), term(b.held_btc[lot, n]))

    running = [(*key, n) for key, x in loans.items() for n in tree.nodes if x.opening[n] > 0.0]

    @b.Constraint(running, doc="TRE-5 loan within its call level at the quarter's trough price [$M]")
    def below_call(b, name, issue, n):
        loan = loans[name, issue]
        cover = total(pledged.of(lot, (name, issue), n) for lot in lots)
        cover = cover * (loan.ltv_call_frac * float(coins.trough[n]))
        if issue == EXISTING:
            cover = cover + term(b.margin_usd_m[name, n])
        return at_most(loan.size * float(loan.opening[n]), cover)


def _add_borrowing_rules(
    b: pyo.Block,
    coins: Coins,
    tree: TimeTree,
    lots: list[str],
    lines: Mapping[str, CoinLine],
    loans: Mapping[LoanKey, Loan],
    pledged: Pledged,
) -> None:
    """A loan is taken on coins enough for its own day and for each next one, within the lender's line."""
    taken = [key for key in loans if key[1] != EXISTING]

    def cover(name: str, n: int, usd_m_per_btc: float) -> Linear:
        return total(pledged.of(lot, (name, n), n) for lot in lots) * usd_m_per_btc

    @b.Constraint(taken, doc="TRE-6 loan against bitcoin within its largest share of the coins' price [$M]")
    def within_ltv(b, i, n):
        return at_most(loans[i, n].size, cover(i, n, lines[i].ltv_max_frac * float(coins.price[n])))

    nexts = [(i, n, m) for i, n in taken for m in tree.children[n] or (n,)]

    @b.Constraint(nexts, doc="TRE-7 coins of its first day keep a loan below its call at each child [$M]")
    def safe_at_children(b, i, n, m):
        return at_most(loans[i, n].size, cover(i, n, lines[i].ltv_call_frac * float(coins.trough[m])))

    @b.Constraint(list(lines), tree.nodes, doc="TRE-8 loans against bitcoin within the line [$M]")
    def within_line(b, i, n):
        out = Linear()
        for m, loan in lines[i].loans.items():
            out.add(float(loan.balance[n]), b.borrowed_usd_m[i, m])
        return at_most(out, lines[i].instrument.max_usd_m)


def _post_coins(b: pyo.Block, coins: Coins, tree: TimeTree, lots, books: Books) -> None:
    for lot, terms in lots.items():
        for n in tree.nodes:
            sold = b.sold_btc[lot, n]
            books.decide(Quantity.SOLD_BTC, n, sold, item=lot)
            fetched = float(coins.price[n]) * (1.0 - terms.sell_cost_frac)
            books.post_at(CashLine.BITCOIN_SALE, n, term(sold, fetched))
            books.tally(Tally.WRITTEN_OFF, sold, _basis(terms, n, tree))
            for leaf in tree.leaves_below(n):
                books.worth(ValueLine.UNCOUNTED_RISE, leaf, -float(coins.uncounted_sold[n]), sold)
        for leaf in tree.leaves:
            held = b.held_btc[lot, leaf]
            books.tally(Tally.COIN_BASIS, held, _basis(terms, leaf, tree))
            books.worth(ValueLine.BITCOIN, leaf, float(coins.price[leaf]), held)
            books.worth(ValueLine.UNCOUNTED_RISE, leaf, -float(coins.uncounted_held[leaf]), held)


def _basis(lot: TreasuryLot, n: int, tree: TimeTree) -> Array:
    """What a coin cost, at one node. [$M]"""
    here = np.zeros(len(tree.nodes))
    here[n] = USD_M * (lot.basis_usd_per_btc or 0.0)
    return here


def _post_loan(variable: Any, line: CoinLine, n: int, tree: TimeTree, books: Books) -> None:
    proceeds = np.zeros(len(tree.nodes))
    proceeds[n] = line.net_frac
    books.post(CashLine.LOAN_PROCEEDS, variable, proceeds)
    post_bullet(variable, line.loans[n], books, recourse=True, secured=True)


def _post_margin(variable: Any, n: int, tree: TimeTree, books: Books) -> None:
    """Laid down in the quarter, restricted after it, back or laid down anew in the next."""
    flow, kept = np.zeros(len(tree.nodes)), np.zeros(len(tree.nodes))
    flow[n], kept[n] = -1.0, 1.0
    flow[list(tree.children[n])] = 1.0
    books.post(CashLine.CASH_MARGIN, variable, flow)
    books.tally(Tally.RESTRICTED, variable, kept)
    if not tree.children[n]:
        books.worth(ValueLine.RESTRICTED, n, 1.0, variable)
