"""Convertible notes, quantile by quantile along every path, and what is left of them at a leaf."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.finance import Convertible, Instrument
from models.timetree import Quarter
from optimizer.audit.arithmetic import QUANTILES, black_scholes, residual_factors
from optimizer.audit.book import Book


@dataclass(frozen=True)
class Note:
    """The terms of a tranche."""

    name: str
    principal_usd_m: float
    issued: int
    """Node of the issue; the root for existing notes."""
    is_new: bool
    coupon_frac: float
    maturity: Quarter
    put: Quarter | None
    put_price_frac: float
    call_from: Quarter | None
    call_trigger_frac: float
    strike_usd: float
    cap_usd: float | None
    is_physical: bool
    net_usd_m: float = 0.0
    """Cash in hand of new notes."""
    add_frac: float = 0.0
    """Of the coupon of new notes, what their block of leverage adds."""
    bound_usd_m: float = math.inf
    """Corporate debt up to which that block reaches."""

    @property
    def shares_m(self) -> float:
        """Shares reserved for it."""
        return self.principal_usd_m / self.strike_usd

    def capped_call(self, price_usd: float) -> float:
        """What the capped call pays per $ of principal."""
        if self.cap_usd is None:
            return 0.0
        return max(0.0, min(price_usd, self.cap_usd) - self.strike_usd) / self.strike_usd

    def settle(self, price_usd: float) -> tuple[float, float, float]:
        """Cash paid, worth of shares delivered, capped call received, per $ of principal."""
        parity = price_usd / self.strike_usd
        if self.is_physical:
            cash, shares = (0.0, parity) if parity > 1.0 else (1.0, 0.0)
        else:
            cash, shares = 1.0, max(0.0, parity - 1.0)
        return cash, shares, self.capped_call(price_usd)


@dataclass(frozen=True)
class NoteQuarter:
    """A tranche in one quarter, expected over the quantiles. [$M]"""

    outstanding: float
    coupon: float
    principal: float
    delivered: float
    capped_call: float
    wall: float
    """Principal due at maturity or a put beyond the cash expected."""


def existing_note(row: Convertible) -> Note:
    """Terms of a tranche outstanding at the opening."""
    return Note(
        name=row.tranche,
        principal_usd_m=row.principal_usd_m,
        issued=0,
        is_new=False,
        coupon_frac=row.coupon_frac,
        maturity=row.maturity_quarter,
        put=row.put_quarter,
        put_price_frac=row.put_price_frac if row.put_price_frac is not None else 1.0,
        call_from=row.call_from_quarter,
        call_trigger_frac=row.call_trigger_frac if row.call_trigger_frac is not None else 0.0,
        strike_usd=row.conversion_price_usd,
        cap_usd=row.cap_price_usd,
        is_physical=row.settlement == "physical",
    )


def new_note(book: Book, row: Instrument, node: int, block: str, principal_usd_m: float) -> Note:
    """Terms of notes issued at a node in a block of leverage, or in none."""
    quarter = book.tree.quarter(node)
    launch = book.share_price[node] * (1.0 - row.launch_drop_frac)
    has_cap = row.capped_call_cost_frac is not None
    return Note(
        name=f"{row.instrument}@{book.tree.label(node)}" + (f"/{block}" if block else ""),
        principal_usd_m=principal_usd_m,
        issued=node,
        is_new=True,
        coupon_frac=(row.coupon_frac or 0.0) + book.leverage_add(row.instrument, block),
        maturity=quarter + (row.tenor_q or 0),
        put=quarter + row.put_after_q if row.put_after_q is not None else None,
        put_price_frac=1.0,
        call_from=quarter + row.call_after_q if row.call_after_q is not None else None,
        call_trigger_frac=row.call_trigger_frac if row.call_trigger_frac is not None else 0.0,
        strike_usd=launch * (1.0 + (row.premium_frac or 0.0)),
        cap_usd=launch * (1.0 + (row.cap_premium_frac or 0.0)) if has_cap else None,
        is_physical=row.settlement == "physical",
        net_usd_m=principal_usd_m * (1.0 - row.fee_frac - (row.capped_call_cost_frac or 0.0)),
        add_frac=book.leverage_add(row.instrument, block),
        bound_usd_m=book.leverage_bound(row.instrument, block),
    )


def roll_note(book: Book, note: Note) -> dict[int, NoteQuarter]:
    """The tranche at each node from its issue on."""
    vol = book.rows[note.issued].share_vol_frac
    factors: dict[int, NDArray[np.float64]] = {}
    held: dict[int, list[bool]] = {}
    rolled = {}
    for n in book.below[note.issued]:
        held[n] = list(held[book.tree.parent[n]]) if n != note.issued else [True] * QUANTILES
        since = book.tree.period[n] - book.tree.period[note.issued]
        if since not in factors:
            factors[since] = residual_factors(vol, since / 4.0)
        cash = delivered = capped = 0.0
        due = _due_frac(note, book.tree.quarter(n)) * sum(held[n])
        for j in range(QUANTILES):
            if held[n][j] and (since > 0 or (not note.is_new and _is_due(note, book.tree.quarter(n)))):
                price = book.share_price[n] * float(factors[since][j])
                event = _event(note, book.tree.quarter(n), price)
                if event is not None:
                    held[n][j] = False
                    cash, delivered, capped = cash + event[0], delivered + event[1], capped + event[2]
        left = note.principal_usd_m * sum(held[n]) / QUANTILES
        each = note.principal_usd_m / QUANTILES
        rolled[n] = NoteQuarter(
            left,
            left * note.coupon_frac / 4.0,
            each * cash,
            each * delivered,
            each * capped,
            each * max(0.0, due - cash),
        )
    return rolled


def _due_frac(note: Note, quarter: Quarter) -> float:
    """What must be at hand per $ still out, should nobody take shares: par at maturity, the put price."""
    if quarter == note.maturity:
        return 1.0
    return note.put_price_frac if quarter == note.put else 0.0


def _is_due(note: Note, quarter: Quarter) -> bool:
    """An existing tranche that matures in the first quarter settles there, though nothing else happens."""
    return quarter == note.maturity


def _event(note: Note, quarter: Quarter, price_usd: float) -> tuple[float, float, float] | None:
    """What ends a quantile's note in a quarter: cash, shares, capped call per $; None when nothing does."""
    if quarter == note.maturity:
        return note.settle(price_usd)
    is_callable = note.call_from is not None and quarter >= note.call_from
    if is_callable and price_usd >= note.call_trigger_frac * note.strike_usd:
        return note.settle(price_usd)
    if note.put is not None and quarter == note.put and price_usd < note.strike_usd:
        return note.put_price_frac, 0.0, 0.0
    return None


def bond_value(book: Book, note: Note, leaf: int) -> float:
    """Coupons and par to the nearer of put and maturity, per $ outstanding at a leaf."""
    after = book.last_quarter + 1
    ends, worth = note.maturity, 1.0
    if note.put is not None and after <= note.put < ends:
        ends, worth = note.put, note.put_price_frac
    quarters = max(0, ends - after)
    y = (book.rows[leaf].base_rate_frac + book.firm.straight_spread_frac) / 4.0
    for _ in range(quarters):
        worth = (worth + note.coupon_frac / 4.0) / (1.0 + y)
    return worth


def option_value(book: Book, note: Note, leaf: int, spot_usd: float) -> float:
    """The conversion right less the capped call, per $ outstanding at a leaf."""
    years = max(0, note.maturity - (book.last_quarter + 1)) / 4.0
    row = book.rows[leaf]

    def call(strike: float) -> float:
        return (
            black_scholes(spot_usd, strike, years, row.base_rate_frac, row.share_vol_frac) / note.strike_usd
        )

    hedge = call(note.strike_usd) - call(note.cap_usd) if note.cap_usd is not None else 0.0
    return call(note.strike_usd) - hedge
