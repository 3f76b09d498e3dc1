"""Convertibles, existing and on offer: their expected cash by node and what they claim at a leaf."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.domain.finance import Convertible, Instrument
from models.domain.portfolio import Portfolio
from models.domain.rules import YEAR_Q
from models.formulas.convert_fate import ConvertTerms, LeafClaim, convert_fate, leaf_claim
from models.formulas.convert_settlement import Settlement, settlement_at_maturity
from models.params.leverage import Step, steps
from models.params.outlook import Outlook
from models.units import QUARTERS_PER_YEAR

Array = NDArray[np.float64]
NEVER_Q = 10_000


@dataclass(frozen=True, eq=False)
class NoteArrays:
    """One tranche issued at one node, expected per $ of principal, by node."""

    tranche: str
    issue: int
    terms: ConvertTerms
    """Quarters count from the issue node."""
    principal_usd_m: float
    """Of an existing tranche; 1 for one on offer."""
    is_new: bool
    coupon: Array
    principal: Array
    delivered: Array
    """Market value of shares delivered."""
    capped_call: Array
    outstanding: Array
    wall: Array
    """Principal due at maturity or a put beyond the cash that it is expected to take."""
    due: Array
    """Of what is outstanding, what matures or may be put in the next four quarters."""
    net_frac: float
    """Cash in hand per $ of principal of one on offer; 0 of an existing one."""
    add_frac: float
    """Of its coupon, what its block of leverage adds, and would add to that of straight debt."""

    def at_leaf(self, outlook: Outlook, leaf: int, spot_usd: float, straight_spread_frac: float) -> LeafClaim:
        """Worth beyond the horizon per $ outstanding at a share price."""
        tree, row = outlook.tree, outlook.rows[leaf]
        remaining = self.terms.maturity_q - (tree.horizon_q - tree.period[self.issue])
        rate = row.base_rate_frac + straight_spread_frac
        return leaf_claim(
            self.terms, max(0, remaining), spot_usd, row.share_vol_frac, row.base_rate_frac, rate
        )

    def settled(self, principal_usd_m: float, price_usd: float) -> Settlement:
        """What a principal takes at maturity at a share price."""
        t = self.terms
        cap = t.cap_price_usd if t.has_capped_call else t.conversion_price_usd
        return settlement_at_maturity(principal_usd_m, t.conversion_price_usd, cap, price_usd, t.settlement)


def _note(
    tranche: str, issue: int, terms: ConvertTerms, principal_usd_m: float, net_frac: float, outlook: Outlook
) -> NoteArrays:
    tree = outlook.tree
    size = len(tree.nodes)
    names = ("coupon", "principal", "delivered", "capped_call", "outstanding", "wall", "due")
    placed = {k: np.zeros(size) for k in names}
    if terms.maturity_q < 1:  # due in the first quarter: it settles at the opening price
        price = float(outlook.share_price_usd[0])
        note = NoteArrays(
            tranche, issue, terms, principal_usd_m, net_frac > 0.0, **placed, net_frac=net_frac, add_frac=0.0
        )
        s = note.settled(1.0, price)
        placed["principal"][0] = float(s.cash_usd_m)
        placed["delivered"][0] = float(s.share_value_usd_m)
        placed["capped_call"][0] = float(s.capped_call_usd_m)
        placed["wall"][0] = max(0.0, 1.0 - float(s.cash_usd_m))
        return note
    for leaf in tree.leaves_below(issue):
        path = list(tree.path(leaf)[tree.period[issue] :])
        fate = convert_fate(terms, outlook.share_price_usd[path], outlook.rows[issue].share_vol_frac)
        placed["coupon"][path] = fate.coupon_frac
        placed["principal"][path] = fate.cash_principal_frac
        placed["delivered"][path] = fate.share_value_frac
        placed["capped_call"][path] = fate.capped_call_value_frac
        placed["outstanding"][path] = fate.outstanding_frac
        placed["wall"][path] = np.maximum(0.0, fate.wall_frac - fate.cash_principal_frac)
    for n in tree.descendants(issue):
        placed["due"][n] = placed["outstanding"][n] * _due_frac(terms, tree.period[n] - tree.period[issue])
    return NoteArrays(
        tranche, issue, terms, principal_usd_m, net_frac > 0.0, **placed, net_frac=net_frac, add_frac=0.0
    )


def _due_frac(terms: ConvertTerms, age_q: int) -> float:
    """What holders may ask for in the next four quarters, per $ outstanding."""
    ahead = range(age_q + 1, age_q + YEAR_Q + 1)
    asked = [terms.put_price_frac for q in terms.put_q if q in ahead and q < terms.maturity_q]
    return max([*asked, 1.0 if terms.maturity_q in ahead else 0.0])


def existing_notes(portfolio: Portfolio, outlook: Outlook) -> tuple[NoteArrays, ...]:
    """The tranches outstanding at the opening."""
    return tuple(
        _note(c.tranche, 0, _existing_terms(c, outlook), c.principal_usd_m, 0.0, outlook)
        for c in portfolio.convertibles
    )


def _existing_terms(c: Convertible, outlook: Outlook) -> ConvertTerms:
    first = outlook.tree.first
    return ConvertTerms(
        coupon_frac=c.coupon_frac,
        conversion_price_usd=c.conversion_price_usd,
        maturity_q=c.maturity_quarter - first,
        settlement="physical" if c.settlement == "physical" else "net_share",
        cap_price_usd=c.cap_price_usd or math.inf,
        put_q=(c.put_quarter - first,) if c.put_quarter is not None and c.put_quarter > first else (),
        put_price_frac=c.put_price_frac or 1.0,
        call_from_q=max(1, c.call_from_quarter - first) if c.call_from_quarter is not None else NEVER_Q,
        call_trigger_frac=c.call_trigger_frac or math.inf,
        has_capped_call=c.cap_price_usd is not None,
    )


@dataclass(frozen=True, eq=False)
class NoteOffer:
    """A convertible that may be issued."""

    instrument: Instrument
    steps: tuple[Step, ...]
    """Its blocks of leverage."""
    notes: Mapping[tuple[int, str], NoteArrays]
    """By issue node and block of leverage."""
    net_frac: float
    """Cash in hand per $ of principal."""

    @property
    def nodes(self) -> tuple[int, ...]:
        """Nodes at which it may be issued."""
        return tuple(dict.fromkeys(n for n, _ in self.notes))


def note_offers(portfolio: Portfolio, outlook: Outlook) -> tuple[NoteOffer, ...]:
    """Every convertible instrument with the nodes whose window is open."""
    found = []
    for i in portfolio.instruments:
        if i.kind == "convertible":
            net_frac = 1.0 - i.fee_frac - (i.capped_call_cost_frac or 0.0)
            blocks = steps(portfolio, i.instrument)
            notes: dict[tuple[int, str], NoteArrays] = {}
            for n in outlook.tree.nodes:
                if outlook.rows[n].convert_open and _spaced(portfolio, i, outlook, n):
                    terms = _offer_terms(i, outlook, n)
                    plain = _note(_name(i, outlook, n), n, terms, 1.0, net_frac, outlook)
                    notes |= {(n, step.block): _in_block(plain, step) for step in blocks}
            found.append(NoteOffer(i, blocks, notes, net_frac))
    return tuple(found)


def _in_block(note: NoteArrays, step: Step) -> NoteArrays:
    """A convertible as it is issued in a block of leverage: with the coupon that the block adds."""
    if not step.block:
        return note
    return replace(
        note,
        tranche=f"{note.tranche}/{step.block}",
        terms=replace(note.terms, coupon_frac=note.terms.coupon_frac + step.add_frac),
        coupon=note.coupon + step.add_frac / QUARTERS_PER_YEAR * note.outstanding,
        add_frac=step.add_frac,
    )


def _name(i: Instrument, outlook: Outlook, n: int) -> str:
    return f"{i.instrument}@{outlook.tree.label(n)}"


def _spaced(portfolio: Portfolio, i: Instrument, outlook: Outlook, n: int) -> bool:
    """Whether the last deal before the plan is long enough ago."""
    last = portfolio.firm.last_convertible_quarter
    return last is None or outlook.tree.quarter(n) - last >= i.once_every_q


def _offer_terms(i: Instrument, outlook: Outlook, n: int) -> ConvertTerms:
    assert i.premium_frac is not None
    assert i.tenor_q is not None
    assert i.coupon_frac is not None
    launch = float(outlook.share_price_usd[n]) * (1.0 - i.launch_drop_frac)
    capped = i.capped_call_cost_frac is not None and i.cap_premium_frac is not None
    return ConvertTerms(
        coupon_frac=i.coupon_frac,
        conversion_price_usd=launch * (1.0 + i.premium_frac),
        maturity_q=i.tenor_q,
        settlement="physical" if i.settlement == "physical" else "net_share",
        cap_price_usd=launch * (1.0 + (i.cap_premium_frac or 0.0)) if capped else math.inf,
        put_q=(i.put_after_q,) if i.put_after_q is not None else (),
        put_price_frac=1.0,
        call_from_q=i.call_after_q if i.call_after_q is not None else NEVER_Q,
        call_trigger_frac=i.call_trigger_frac or math.inf,
        has_capped_call=capped,
    )
