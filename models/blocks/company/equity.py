"""EQT: shares sold at the market in discount blocks, and marketed follow-ons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books
from models.blocks.linear import Linear, at_most, recent, term
from models.domain.finance import Instrument
from models.domain.ledger import CashLine, Quantity
from models.domain.portfolio import Portfolio
from models.params.outlook import Outlook


@dataclass(frozen=True)
class DiscountBlock:
    """One step of the price impact of at-the-market sales."""

    instrument: Instrument
    number: int
    volume_frac: float
    discount_frac: float


@dataclass(frozen=True, eq=False)
class EquityPorts:
    """Gross dollars sold, by node, and follow-on deals."""

    sold: Sequence[tuple[int, Any]]


def add_equity(
    b: pyo.Block,
    outlook: Outlook,
    portfolio: Portfolio,
    marketed: Mapping[tuple[str, int], Any],
    reserved: list[Linear],
    books: Books,
) -> EquityPorts:
    """Share sales. Maths: docs/program.md, EQT-1 ... EQT-5.

    ``marketed`` are the convertible deals, ``reserved`` the shares reserved for notes and claims by node. [M]
    """
    tree = outlook.tree
    window = [n for n in tree.nodes if outlook.rows[n].equity_open]
    follow_ons = {i.instrument: i for i in portfolio.instruments if i.kind == "follow_on"}
    blocks = [x for i in portfolio.instruments if i.kind == "atm" for x in discount_blocks(portfolio, i)]
    b.sold_usd_m = pyo.Var(
        range(len(blocks)),
        window,
        domain=pyo.NonNegativeReals,
        doc="gross sold at the market, at deck prices [$M]",
    )
    b.follow_on_usd_m = pyo.Var(
        list(follow_ons), window, domain=pyo.NonNegativeReals, doc="gross of a follow-on [$M]"
    )
    b.is_follow_on = pyo.Var(list(follow_ons), window, domain=pyo.Binary, doc="follow-on launched")
    deals = {**marketed, **{key: b.is_follow_on[key] for key in b.is_follow_on}}

    _add_sales(b, outlook, portfolio, blocks, window)
    _add_quiet(b, outlook, portfolio, blocks, window, deals)
    _add_follow_ons(b, outlook, portfolio, follow_ons, window)
    _add_authorised(b, outlook, portfolio, window, reserved)
    for n in window:
        for d, block in enumerate(blocks):
            net = (1.0 - block.discount_frac) * (1.0 - block.instrument.fee_frac)
            _post(
                books,
                Quantity.ATM,
                block.instrument.instrument,
                str(block.number),
                n,
                b.sold_usd_m[d, n],
                net,
            )
            books.limit(b.sold_usd_m[d, n], ("atm",), 1.0, portfolio.firm.atm_left_usd_m)
        for i, terms in follow_ons.items():
            net = (1.0 - terms.launch_drop_frac) * (1.0 - terms.fee_frac)
            _post(books, Quantity.FOLLOW_ON, i, "", n, b.follow_on_usd_m[i, n], net)
            books.limit(b.follow_on_usd_m[i, n], ("follow_on", i, n), 1.0, terms.max_usd_m)
    return EquityPorts(
        [(n, b.sold_usd_m[d, n]) for d, n in b.sold_usd_m]
        + [(n, b.follow_on_usd_m[i, n]) for i, n in b.follow_on_usd_m]
    )


def block_shares_m(portfolio: Portfolio, block: DiscountBlock) -> float:
    """Shares that a discount block takes. [M]"""
    firm = portfolio.firm
    return block.volume_frac * firm.traded_shares_m_per_day * firm.open_days_per_q


def _add_sales(b, outlook, portfolio, blocks, window) -> None:
    """What the market takes in a window of quarters, and the programme."""
    tree, firm = outlook.tree, portfolio.firm

    @b.Constraint(range(len(blocks)), window, doc="EQT-1 shares sold in a discount block within its size [M]")
    def sales_within_block(b, d, n):
        sold = Linear()
        for m in recent(window, tree.parent, n, firm.impact_window_q):
            sold.add(1.0 / float(outlook.share_price_usd[m]), b.sold_usd_m[d, m])
        return at_most(sold, block_shares_m(portfolio, blocks[d]))

    @b.Constraint(tree.leaves, doc="EQT-2 sales within what is left of the programme [$M]")
    def sales_within_programme(b, leaf):
        sold = Linear()
        for n in tree.path(leaf):
            for d in range(len(blocks)) if n in window else ():
                sold.add(1.0, b.sold_usd_m[d, n])
        return at_most(sold, firm.atm_left_usd_m)

    programmes = {x.instrument.instrument: x.instrument for x in blocks}

    @b.Constraint(list(programmes), window, doc="EQT-2 sales of a quarter within its limit [$M]")
    def sales_within_quarter(b, p, n):
        sold = Linear()
        for d, block in enumerate(blocks):
            if block.instrument.instrument == p:
                sold.add(1.0, b.sold_usd_m[d, n])
        return at_most(sold, programmes[p].max_usd_m)


def _add_authorised(b, outlook, portfolio, window, reserved) -> None:
    """Room for shares sold, awarded and reserved."""
    tree, firm = outlook.tree, portfolio.firm

    @b.Constraint(tree.nodes, doc="EQT-5 shares issued and reserved within authorised [M]")
    def within_authorised(b, n):
        issued = Linear(constant=firm.basic_shares_m + firm.award_shares_m_per_q * (tree.period[n] + 1))
        for m in tree.path(n):
            price = float(outlook.share_price_usd[m])
            if m in window:
                for variable in (b.sold_usd_m, b.follow_on_usd_m):
                    for k in {k for k, _ in variable}:
                        issued.add(1.0 / price, variable[k, m])
        return at_most(issued + reserved[n], firm.authorised_shares_m)


def discount_blocks(portfolio: Portfolio, instrument: Instrument) -> list[DiscountBlock]:
    """The blocks of a programme, cheapest first, each with its own share of volume."""
    rows = sorted(
        (x for x in portfolio.impact if x.instrument == instrument.instrument), key=lambda x: x.block
    )
    before = [0.0, *(x.up_to_frac_of_volume for x in rows)]
    return [
        DiscountBlock(instrument, x.block, x.up_to_frac_of_volume - low, x.discount_frac)
        for x, low in zip(rows, before, strict=False)
    ]


def _add_quiet(b, outlook, portfolio, blocks, window, deals) -> None:
    """After a marketed deal cheap blocks, or all, stay shut."""
    tree = outlook.tree
    terms = {i.instrument: i for i in portfolio.instruments}

    def shut_blocks(i: str, quarters_since: int) -> list[int]:
        t = terms[i]
        locked = quarters_since <= t.lockup_after_q and t.lockup_after_q > 0
        dropped = quarters_since < t.drop_lasts_q
        return [
            d for d, x in enumerate(blocks) if locked or (dropped and x.discount_frac < t.launch_drop_frac)
        ]

    pairs = [
        (i, m, n)
        for i, m in deals
        for n in tree.descendants(m)
        if n in window and shut_blocks(i, tree.period[n] - tree.period[m])
    ]

    @b.Constraint(
        pairs, doc="EQT-3 blocks cheaper than a launch drop stay shut, all of them under lock-up [$M]"
    )
    def quiet_after_deal(b, i, m, n):
        shut = shut_blocks(i, tree.period[n] - tree.period[m])
        sold, room = Linear(), Linear()
        for d in shut:
            sold.add(1.0, b.sold_usd_m[d, n])
            room.constant += block_shares_m(portfolio, blocks[d]) * float(outlook.share_price_usd[n])
        room.add(-room.constant, deals[i, m])
        return at_most(sold, room)


def _add_follow_ons(b, outlook, portfolio, follow_ons, window) -> None:
    tree, firm = outlook.tree, portfolio.firm
    keys = [(i, n) for i in follow_ons for n in window]

    @b.Constraint(keys, doc="EQT-4 follow-on at most its limit and its share of market cap [$M]")
    def follow_on_at_most(b, i, n):
        cap = follow_ons[i].max_frac_of_market_cap * float(outlook.share_price_usd[n]) * firm.basic_shares_m
        return at_most(
            term(b.follow_on_usd_m[i, n]), term(b.is_follow_on[i, n], min(follow_ons[i].max_usd_m, cap))
        )

    @b.Constraint(keys, doc="EQT-4 follow-on at least its minimum [$M]")
    def follow_on_at_least(b, i, n):
        return at_most(term(b.is_follow_on[i, n], follow_ons[i].min_usd_m), term(b.follow_on_usd_m[i, n]))

    @b.Constraint(window if follow_ons else [], doc="CVT-2 follow-ons keep their spacing [-]")
    def follow_ons_spaced(b, n):
        found = Linear()
        for i, t in follow_ons.items():
            for m in recent(window, tree.parent, n, t.once_every_q):
                found.add(1.0, b.is_follow_on[i, m])
        return at_most(found, 1.0)


def _post(
    books: Books, quantity: Quantity, item: str, block: str, n: int, variable: Any, net_frac: float
) -> None:
    proceeds = np.zeros(len(books.tree.nodes))
    proceeds[n] = net_frac
    books.decide(quantity, n, variable, item=item, since=block)
    books.post(CashLine.EQUITY_PROCEEDS, variable, proceeds)
