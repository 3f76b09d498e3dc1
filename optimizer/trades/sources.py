"""Ways to have money in hand that need no project: per gross dollar, what comes in and what it costs."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.portfolio import Portfolio
from models.domain.row import Row
from models.params.claims import Claims
from models.params.coins import CoinLine
from models.params.corporate_debt import BondOffer
from models.params.new_loans import Bullet, Roll, bullet
from models.params.notes import NoteOffer
from models.params.outlook import Outlook

Array = NDArray[np.float64]
KINDS = SHARES, NOTES, LOANS, RESCUE = "shares", "notes", "loans", "rescue"
"""What a source may be put to: shares and rescue to anything, notes to all but coins, loans to cash.

A loan below the cost of equity against coins that rise by it, or to retire dearer notes, gains as a loan on a
hall does: that is leverage, and no round. A revolver's rate floats above what cash earns."""


@dataclass(frozen=True, eq=False)
class Source:
    """A gross dollar raised at a node."""

    row: Row
    column: str
    kind: str
    node: int
    net_usd: float
    """In hand at the end of the quarter."""
    paid: Array
    """Interest and principal by node, to be paid in cash."""
    claimed_usd: float
    """Leaf dollars expected to be owed, or claimed, at the end."""
    owed: Array
    """What a yearly rate is paid on in the quarter of a node; zero for shares."""
    early: bool = True
    """Raised during the quarter, and so earning interest in half of it; else at its end."""


def shares(portfolio: Portfolio, outlook: Outlook, claims: Claims, lam: float) -> Iterator[Source]:
    """Shares sold at the market, in the cheapest block, and follow-ons."""
    firm, cost, none = portfolio.firm, claims.per_market_dollar(lam), np.zeros(len(outlook.tree.nodes))
    column = "equity_pricing" if firm.equity_pricing == "market" else "cost_of_equity_frac"
    for i in portfolio.instruments:
        off = [b.discount_frac for b in portfolio.impact if b.instrument == i.instrument]
        off += [i.launch_drop_frac] if i.kind == "follow_on" else []
        for n in outlook.tree.nodes if off else ():
            if outlook.rows[n].equity_open:
                net = (1.0 - min(off)) * (1.0 - i.fee_frac)
                yield Source(firm, column, SHARES, n, net, none, float(cost[n]), none)


def rescue(portfolio: Portfolio, outlook: Outlook) -> Iterator[Source]:
    """Funding of last resort, which nothing limits but its price."""
    firm, none = portfolio.firm, np.zeros(len(outlook.tree.nodes))
    for n in outlook.tree.nodes:
        yield Source(firm, "rescue_price", RESCUE, n, 1.0, none, firm.rescue_price, none, early=False)


def convertibles(
    outlook: Outlook, claims: Claims, offers: tuple[NoteOffer, ...], lam: float
) -> Iterator[Source]:
    """New convertibles, by what they claim of a share worth ``lam``."""
    for offer in offers:
        for (n, _), note in offer.notes.items():
            claimed = claims.note(lam, note) / float(outlook.tree.probability[n])
            paid = note.coupon + note.principal
            terms = (offer.net_frac, paid, claimed, note.outstanding)
            yield Source(offer.instrument, "coupon_frac", NOTES, n, *terms)


def straight_notes(outlook: Outlook, offers: tuple[BondOffer, ...]) -> Iterator[Source]:
    """Straight notes, at par at the end."""
    for offer in offers:
        for (n, _), bond in offer.bonds.items():
            paid, owed = bond.interest + bond.principal, bond.outstanding + bond.principal
            left = _at_leaves(outlook, n, bond.outstanding)
            yield Source(offer.instrument, "spread_frac", NOTES, n, offer.net_frac, paid, left, owed)


def loans(
    portfolio: Portfolio, outlook: Outlook, lines: tuple[CoinLine, ...], balloons: tuple[Roll, ...]
) -> Iterator[Source]:
    """Loans against bitcoin, balloons rolled, and what lenders on halls ask, as bullets.

    Who builds anyway may borrow more of it than he needs, so the terms of halls are compared too.
    """
    for line in lines:
        for loan in line.loans.values():
            yield _loan(line.instrument, "spread_frac", line.net_frac, loan, outlook)
    for roll in balloons:
        yield _loan(roll.debt, "refinance_spread_frac", 1.0, roll.loan, outlook)
    used = {c.credit_class for c in portfolio.contracts} | {x.credit_class for x in portfolio.take_outs}
    for terms in portfolio.credit_classes:
        for n in outlook.tree.nodes if terms.credit_class in used else ():
            if outlook.rows[n].project_debt_open:
                loan = bullet(outlook, n, terms.spread_frac, terms.maturity_q)
                yield _loan(terms, "spread_frac", 1.0 - terms.fee_frac, loan, outlook)


def _loan(row: Row, column: str, net_frac: float, loan: Bullet, outlook: Outlook) -> Source:
    paid, left = loan.interest + loan.principal, _at_leaves(outlook, loan.drawn, loan.balance)
    early = row.table == "instruments"
    return Source(row, column, LOANS, loan.drawn, net_frac, paid, left, loan.opening, early)


def _at_leaves(outlook: Outlook, n: int, by_node: Array) -> float:
    """Expectation at a node of what stands at the leaves below it."""
    chance = outlook.tree.probability
    return sum(float(chance[leaf] / chance[n] * by_node[leaf]) for leaf in outlook.tree.leaves_below(n))
