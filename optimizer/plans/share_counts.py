"""The table share_counts: shares outstanding and if-converted at each node, and what a share earns."""

from collections.abc import Iterator

import numpy as np

from models.domain.ledger import Quantity
from models.domain.statements import CONSOLIDATED, IncomeLine
from optimizer.plans.reading import Array, Reading
from optimizer.plans.statements import Accounts


def share_counts(r: Reading, accounts: Accounts) -> Iterator[dict[str, object]]:
    """By node, at the deck's prices. Definitions: docs/statements.md."""
    at, p = accounts.nodes, r.program.params
    prices, firm = p.outlook.share_price_usd, p.portfolio.firm
    issued = np.full(at.size, firm.award_shares_m_per_q)
    for d, v in r.by_quantity[Quantity.ATM] + r.by_quantity[Quantity.FOLLOW_ON]:
        issued[d.node] += v / float(prices[d.node])
    converted, coupons = np.zeros(at.size), np.zeros(at.size)
    for note, size in r.notes:
        issued += size * (note.delivered - note.capped_call) / prices
        converted += size * note.outstanding / note.terms.conversion_price_usd
        coupons += size * note.coupon
    exercised, open_claims = _claims(r)
    outstanding = at.summed(issued + exercised, firm.basic_shares_m)
    mean = 0.5 * (outstanding[: at.size] + at.before(outstanding))
    diluting = converted + open_claims
    earned = accounts.earned(CONSOLIDATED, (IncomeLine.TO_SHAREHOLDERS,))
    basic = earned / mean
    diluted = np.minimum(basic, (earned + coupons) / (mean + diluting))
    for n in p.tree.nodes:
        yield {
            "node": r.labels[n],
            "quarter": r.quarters[n],
            "outstanding_m": float(outstanding[n]),
            "if_converted_m": float(outstanding[n] + diluting[n]),
            "earned_usd": float(basic[n]),
            "earned_diluted_usd": float(diluted[n]),
        }


def _claims(r: Reading) -> tuple[Array, Array]:
    """Shares that warrants and options bring, net of their strike: as they expire, and while they run. [M]"""
    p = r.program.params
    prices, tree = p.outlook.share_price_usd, p.tree
    ends, runs = np.zeros(len(tree.nodes)), np.zeros(len(tree.nodes))
    for claim in p.portfolio.share_claims:
        granted = np.ones(len(tree.nodes))
        if claim.contract is not None:
            signed = (d.node for d, _ in r.by_quantity[Quantity.SIGN] if d.contract == claim.contract)
            granted = np.minimum(1.0, sum((p.outlook.below[n] for n in signed), 0.0 * granted))
        net = granted * claim.shares_m * np.maximum(0.0, 1.0 - claim.strike_usd / prices)
        left_q = np.array([claim.expiry_quarter - tree.quarter(n) for n in tree.nodes])
        ends += net * (left_q == 0)
        runs += net * (left_q > 0)
    return ends, runs
