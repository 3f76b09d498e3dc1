"""The auditor's count of shares at each node, and what a share earns."""

from models.domain.statements import CONSOLIDATED, IncomeLine
from optimizer.audit.statements import Statements
from optimizer.audit.tables_physical import Rows


def share_counts(statements: Statements) -> Rows:
    """Shares outstanding, if-converted, and earnings per share of both."""
    worth, book = statements.worth, statements.book
    count, found = {-1: book.firm.basic_shares_m}, Rows()
    for n in book.tree.nodes:
        price, before = book.share_price[n], book.tree.parent[n]
        dollars = worth.sold_gross(n) + worth.delivered_net(n, True) + worth.delivered_net(n, False)
        count[n] = count[before] + book.firm.award_shares_m_per_q + dollars / price
        diluting = coupons = 0.0
        for note, rolled in worth.world.notes:
            if n in rolled:
                diluting += rolled[n].outstanding / note.strike_usd
                coupons += rolled[n].coupon
        for claim in book.portfolio.share_claims:
            if worth.is_vested(claim.contract, n) and price > claim.strike_usd:
                shares = claim.shares_m * (price - claim.strike_usd) / price
                if claim.expiry_quarter == book.tree.quarter(n):
                    count[n] += shares
                elif claim.expiry_quarter > book.tree.quarter(n):
                    diluting += shares
        earned = statements.income[CONSOLIDATED, n, IncomeLine.TO_SHAREHOLDERS]
        mean = (count[before] + count[n]) / 2.0
        found[(book.tree.label(n),)] = {
            "outstanding_m": count[n],
            "if_converted_m": count[n] + diluting,
            "earned_usd": earned / mean,
            "earned_diluted_usd": min(earned / mean, (earned + coupons) / (mean + diluting)),
        }
    return found
