"""Tables on value and on who takes it: value, claims, cap_table, convert_schedule, convertibles."""

import numpy as np
import pandas as pd

from models.domain.ledger import Quantity
from models.params.notes import NoteArrays
from optimizer.plans.falling_due import due_after
from optimizer.plans.reading import Reading

PRICE_STEPS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
"""Of the opening share price."""
DUE_Q = (4, 8)
"""Quarters after a leaf in which what falls due is told."""


def claim_tables(r: Reading) -> dict[str, pd.DataFrame]:
    """All tables on value and shares."""
    return {
        "convert_schedule": pd.DataFrame(_schedule(r)),
        "convertibles": pd.DataFrame(_by_price(r)),
        "cap_table": pd.DataFrame(_cap_table(r)),
        "value": pd.DataFrame(_value(r)),
        "claims": pd.DataFrame(_claims(r)),
        "leaves": pd.DataFrame(_leaves(r)),
    }


def _value(r: Reading) -> list[dict[str, object]]:
    rows = []
    for leaf in r.program.params.tree.leaves:
        totals: dict[str, float] = {}
        for books in r.program.books:
            for line, parts in books.value.items():
                if leaf in parts:
                    totals[str(line)] = totals.get(str(line), 0.0) + parts[leaf].value
        rows += [{"leaf": r.labels[leaf], "line": line, "usd_m": x} for line, x in totals.items()]
    return rows


def claims_at(r: Reading, leaf: int, lam: float) -> dict[str, float]:
    """Claims at a leaf by name at a price per share, today's shareholders apart. [$M]"""
    p = r.program.params
    claims, tree = p.claims, p.tree
    sold = r.by_quantity[Quantity.ATM] + r.by_quantity[Quantity.FOLLOW_ON]
    below = p.outlook.below
    found = {
        "new shares": sum(v * claims.new_shares(lam, d.node, leaf) for d, v in sold if below[d.node][leaf]),
        "awards": claims.awards(lam, leaf),
        "delivered": 0.0,
        "fair cost of notes": 0.0,
    }
    for note, size in r.notes:
        if below[note.issue][leaf]:
            found[note.tranche] = size * claims.note_at_leaf(lam, note, leaf)
            found["delivered"] += size * claims.note_delivered(lam, note, leaf)
            found["fair cost of notes"] += size * claims.fair_cost_gap(lam, note)
    for offer, n, frac in r.bought:
        if below[n][leaf]:
            found["fair cost of notes"] += frac * claims.repurchase_gain(lam, offer, n)
    signed = {d.contract for d, _ in r.by_quantity[Quantity.SIGN] if d.node in tree.path(leaf)}
    for claim in p.portfolio.share_claims:
        if claim.contract is None or claim.contract in signed:
            found[claim.claim] = claims.share_claim(lam, claim, leaf)
    return found


def _claims(r: Reading) -> list[dict[str, object]]:
    return [
        {"leaf": r.labels[leaf], "claim": name, "usd_m": x}
        for leaf in r.program.params.tree.leaves
        for name, x in claims_at(r, leaf, r.lam).items()
    ]


def _shares(claim_usd_m: float, price_usd: float) -> float:
    """Shares that a claim is worth. [M]"""
    return claim_usd_m / price_usd if price_usd > 0.0 else 0.0


def _cap_table(r: Reading) -> list[dict[str, object]]:
    p = r.program.params
    firm, tree, below = p.portfolio.firm, p.tree, p.outlook.below
    prices = p.outlook.share_price_usd
    rows: list[dict[str, object]] = []
    for leaf in tree.leaves:
        price = r.lam * p.outlook.leaf_weight[leaf]
        taken = claims_at(r, leaf, r.lam)
        awards = firm.award_shares_m_per_q * tree.horizon_q
        sold = sum(
            v / float(prices[d.node])
            for d, v in r.by_quantity[Quantity.ATM] + r.by_quantity[Quantity.FOLLOW_ON]
            if below[d.node][leaf]
        )
        delivered = 0.0
        for note, size in r.notes:
            path = [n for n in tree.path(leaf) if below[note.issue][n]]
            net = (note.delivered - note.capped_call)[path]
            delivered += size * float(np.sum(net / prices[path]))
        holders = [
            ("basic", firm.basic_shares_m, firm.basic_shares_m),
            ("awards", _shares(taken["awards"], price), awards),
            ("sold", _shares(taken["new shares"], price), sold),
            ("delivered", _shares(taken["delivered"], price), delivered),
            ("fair cost of notes", _shares(taken["fair cost of notes"], price), 0.0),
        ]
        for note, size in r.notes:
            if below[note.issue][leaf]:
                out = size * float(note.outstanding[leaf])
                economic = _shares(taken[note.tranche], price)
                holders.append((note.tranche, economic, out / note.terms.conversion_price_usd))
        for claim in p.portfolio.share_claims:
            if claim.claim in taken:
                reported = claim.shares_m * max(0.0, 1.0 - claim.strike_usd / price) if price > 0.0 else 0.0
                holders.append((claim.claim, _shares(taken[claim.claim], price), reported))
        rows += [
            {"leaf": r.labels[leaf], "holder": h, "economic_shares_m": e, "reported_shares_m": s}
            for h, e, s in holders
        ]
    return rows


def _schedule(r: Reading) -> list[dict[str, object]]:
    p = r.program.params
    return [
        {
            "tranche": note.tranche,
            "node": r.labels[n],
            "quarter": r.quarters[n],
            "outstanding_usd_m": size * note.outstanding[n],
            "coupon_usd_m": size * note.coupon[n],
            "principal_usd_m": size * note.principal[n],
            "delivered_usd_m": size * note.delivered[n],
            "capped_call_usd_m": size * note.capped_call[n],
        }
        for note, size in r.notes
        for n in p.tree.descendants(note.issue)
    ]


def _by_price(r: Reading) -> list[dict[str, object]]:
    rows = []
    for note, size in r.notes:
        for step in PRICE_STEPS:
            price = step * r.program.params.portfolio.firm.price_usd
            s = note.settled(size, price)
            rows.append(
                {
                    "tranche": note.tranche,
                    "price_usd": price,
                    "cash_usd_m": float(s.cash_usd_m),
                    "shares_out_m": float(s.shares_out_m),
                    "shares_back_m": float(s.shares_back_m),
                    "net_cost_usd_m": float(s.net_cost_usd_m),
                }
            )
    return rows


def own_price_usd(r: Reading) -> float:
    """Value per share if what stood at the opening settles at the plan's own price: a fixed point.

    docs/program.md, section 9. What the deck's prices have ended on the way to a leaf takes the greater of
    par and parity at lambda g there, less its capped call; the cash that it took is given back.
    """
    p = r.program.params
    tree, chance = p.tree, p.tree.probability
    standing = [(note, size) for note, size in r.notes if not note.is_new]
    value = 0.0
    for leaf in tree.leaves:
        path = list(tree.path(leaf))
        paid = sum(size * float(note.principal[path].sum()) for note, size in standing)
        value += float(chance[leaf]) * (sum(b.value_at(leaf).value for b in r.program.books) + paid)

    def claimed(lam: float) -> float:
        return sum(float(chance[leaf]) * _claimed_at_own_price(r, leaf, lam) for leaf in tree.leaves)

    return p.claims.value_per_share(value, claimed)


def _claimed_at_own_price(r: Reading, leaf: int, lam: float) -> float:
    """All claims at a leaf if what ended on the way settles at lambda g. [$M]"""
    p, taken = r.program.params, claims_at(r, leaf, lam)
    price = lam * p.outlook.leaf_weight[leaf]
    for note, size in r.notes:
        if not note.is_new:
            ended = size * (1.0 - float(note.outstanding[leaf]) - _bought_frac(r, note, leaf))
            strike, terms = note.terms.conversion_price_usd, note.terms
            hedge = max(0.0, min(price, terms.cap_price_usd) - strike) * terms.has_capped_call
            settled = ended * (max(strike, price) - hedge) / strike
            taken[note.tranche] += settled - size * p.claims.note_delivered(lam, note, leaf)
    for claim in p.portfolio.share_claims:
        if claim.claim in taken and claim.expiry_quarter <= p.tree.quarter(leaf):
            taken[claim.claim] = claim.shares_m * max(0.0, price - claim.strike_usd)
    return sum(taken.values())


def _bought_frac(r: Reading, note: NoteArrays, leaf: int) -> float:
    """Part of a tranche that was bought back on the way to a leaf."""
    below = r.program.params.outlook.below
    bought = (x for x in r.bought if x[0].instrument.tranche == note.tranche and below[x[1]][leaf])
    return sum(frac * float(offer.retired[n].outstanding[n]) for offer, n, frac in bought)


def _leaves(r: Reading) -> list[dict[str, object]]:
    p = r.program.params
    own = own_price_usd(r)
    liquid = r.cash(r.program.books[0]) + r.over_borrowers(lambda x, n: x.in_reach(n))
    rows: list[dict[str, object]] = []
    for leaf in p.tree.leaves:
        value = sum(books.value_at(leaf).value for books in r.program.books)
        price = r.lam * p.outlook.leaf_weight[leaf]
        taken = sum(claims_at(r, leaf, r.lam).values())
        shares = p.portfolio.firm.basic_shares_m + _shares(taken, price)
        rows.append(
            {
                "leaf": r.labels[leaf],
                "probability": float(p.tree.probability[leaf]),
                "value_usd_m": value,
                "economic_shares_m": shares,
                "value_per_share_usd": value / shares,
                "plan_price_usd": price,
                "deck_price_usd": float(p.outlook.share_price_usd[leaf]),
                "own_price_usd": own * float(p.outlook.leaf_weight[leaf]),
                "liquidity_usd_m": float(liquid[leaf]),
                **{f"due_{k}q_usd_m": due_after(r, leaf, k) for k in DUE_Q},
            }
        )
    return rows
