"""What the company may borrow in its own name or buy back: straight notes, a revolver, its convertibles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.domain.finance import Instrument
from models.domain.portfolio import Portfolio
from models.domain.rules import YEAR_Q
from models.params.leverage import Step, steps
from models.params.loans import DebtArrays
from models.params.notes import NoteArrays
from models.params.outlook import Outlook
from models.timetree import TimeTree
from models.units import QUARTERS_PER_YEAR

Array = NDArray[np.float64]


def standing_debt(notes: Sequence[NoteArrays], debts: Sequence[DebtArrays], tree: TimeTree) -> Array:
    """Corporate debt of the opening that takes room at the end of each node's quarter, at par. [$M]

    A loan still to be drawn counts at the most that it will be, so that room is never taken away again.
    """
    standing = np.zeros(len(tree.nodes))
    for note in notes:
        standing += note.principal_usd_m * note.outstanding
    for d in debts:
        if d.debt.kind == "corporate":
            standing += [max(d.balance[m] for m in tree.descendants(n)) for n in tree.nodes]
    return standing


@dataclass(frozen=True, eq=False)
class BondArrays:
    """Straight notes issued at one node in one block of leverage, per $ of principal, by node."""

    name: str
    issue: int
    step: Step
    coupon_frac: float
    interest: Array
    principal: Array
    outstanding: Array
    """At the end of the quarter."""
    due: Array
    """Of it, what falls due in the next four quarters."""


@dataclass(frozen=True, eq=False)
class BondOffer:
    """Straight notes that may be issued."""

    instrument: Instrument
    bonds: Mapping[tuple[int, str], BondArrays]
    """By issue node and block of leverage."""
    net_frac: float

    @property
    def nodes(self) -> tuple[int, ...]:
        """Nodes at which the market is open."""
        return tuple(dict.fromkeys(n for n, _ in self.bonds))


def bond_offers(portfolio: Portfolio, outlook: Outlook) -> tuple[BondOffer, ...]:
    """Every instrument of kind notes, with the nodes at which debt can be sold."""
    return tuple(
        BondOffer(
            i,
            {
                (n, step.block): _bond(i, n, step, outlook)
                for n in outlook.tree.nodes
                if outlook.rows[n].project_debt_open
                for step in steps(portfolio, i.instrument)
            },
            1.0 - i.fee_frac,
        )
        for i in portfolio.instruments
        if i.kind == "notes"
    )


def _bond(i: Instrument, n: int, step: Step, outlook: Outlook) -> BondArrays:
    assert i.spread_frac is not None
    assert i.tenor_q is not None
    tree, row = outlook.tree, outlook.rows[n]
    age = np.array(tree.period) - tree.period[n]
    runs = outlook.below[n] * (age < i.tenor_q)
    last = outlook.below[n] * (age == i.tenor_q - 1)
    coupon_frac = row.base_rate_frac + row.spread_add_frac + i.spread_frac + step.add_frac
    name = f"{i.instrument}@{tree.label(n)}" + (f"/{step.block}" if step.block else "")
    left, interest = runs - last, coupon_frac / QUARTERS_PER_YEAR * runs
    due = left * (age >= i.tenor_q - 1 - YEAR_Q)
    return BondArrays(name, n, step, coupon_frac, interest, last, left, due)


@dataclass(frozen=True, eq=False)
class RevolverOffer:
    """A revolver that may be arranged, by node."""

    instrument: Instrument
    arranged: tuple[int, ...]
    """Nodes at which it is arranged: those of its first quarter in the plan."""
    running: Array
    """1 in the quarters of its life, the last one too."""
    drawable: Array
    """1 where it may still be drawn at the quarter's end: not in the last quarter."""
    lasting: Array
    """1 where it may still be drawn at the end of the fourth quarter ahead."""
    interest: Array
    """Due at a node per $ of opening balance."""
    fee: Array
    """Due at a node per $ undrawn at its opening."""


def revolver_offers(portfolio: Portfolio, outlook: Outlook) -> tuple[RevolverOffer, ...]:
    """Every instrument of kind revolver."""
    tree, found = outlook.tree, []
    for i in portfolio.instruments:
        if i.kind != "revolver":
            continue
        since, until = i.available_from_quarter, i.available_until_quarter
        assert since is not None
        assert until is not None
        assert i.spread_frac is not None
        assert i.commitment_fee_frac is not None
        begins = max(since, tree.first)
        running = np.array([float(begins <= tree.quarter(n) <= until) for n in tree.nodes])
        drawable = np.array([float(begins <= tree.quarter(n) < until) for n in tree.nodes])
        found.append(
            RevolverOffer(
                instrument=i,
                arranged=tuple(n for n in tree.nodes if tree.quarter(n) == begins and drawable[n]),
                running=running,
                drawable=drawable,
                lasting=np.array([d * (tree.quarter(n) + YEAR_Q < until) for n, d in enumerate(drawable)]),
                interest=(outlook.base_rate_frac + i.spread_frac) / QUARTERS_PER_YEAR * running,
                fee=i.commitment_fee_frac / QUARTERS_PER_YEAR * running,
            )
        )
    return tuple(found)


@dataclass(frozen=True, eq=False)
class RepurchaseOffer:
    """An existing convertible that may be bought back in part."""

    instrument: Instrument
    price_usd_m: Mapping[int, float]
    """Paid for the whole tranche, as much of it as is expected to be outstanding, by node."""
    retired: Mapping[int, NoteArrays]
    """What is saved by buying the whole tranche at a node: its later flows and what it claims at the leaf."""


def repurchase_offers(
    portfolio: Portfolio, notes: Sequence[NoteArrays], outlook: Outlook
) -> tuple[RepurchaseOffer, ...]:
    """Every instrument of kind repurchase, with the nodes at which its tranche is outstanding."""
    by_name = {note.tranche: note for note in notes}
    found = []
    for i in portfolio.instruments:
        if i.kind != "repurchase":
            continue
        assert i.tranche is not None
        assert i.premium_frac is not None
        note = by_name[i.tranche]
        dear = (1.0 + i.premium_frac) * (1.0 + i.fee_frac)
        parity = outlook.share_price_usd / note.terms.conversion_price_usd
        price = note.principal_usd_m * note.outstanding * np.maximum(1.0, parity) * dear
        nodes = [n for n in outlook.tree.nodes if note.outstanding[n] > 0.0]
        found.append(
            RepurchaseOffer(
                i, {n: float(price[n]) for n in nodes}, {n: _retired(note, n, outlook) for n in nodes}
            )
        )
    return tuple(found)


def _retired(note: NoteArrays, n: int, outlook: Outlook) -> NoteArrays:
    """The part of a tranche's flows that a repurchase after the events of a quarter takes away."""
    since = outlook.below[n]
    later = since.copy()
    later[n] = 0.0
    return replace(
        note,
        coupon=note.coupon * since,
        outstanding=note.outstanding * since,
        principal=note.principal * later,
        delivered=note.delivered * later,
        capped_call=note.capped_call * later,
        wall=note.wall * later,
        due=note.due * since,
    )
