"""The table of contracts that end before their term, rebuilt."""

from collections import defaultdict

from optimizer.audit.tables_physical import Rows
from optimizer.audit.world import World


def terminations(world: World) -> Rows:
    """MW under a contract at each site where it ends, the fee and what is paid back."""
    book = world.book
    ends = [(t.contract, n) for t in book.portfolio.terminations for n in book.tree.nodes]
    ends = [(name, n) for name, n in dict.fromkeys(ends) if book.ends_at(name, n)]
    found: Rows = {}
    for name, n in ends:
        sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for start, module in world.sites.modules:
            if start.contract == name and start.node in book.paths[n]:
                q = module.at[n]
                for i, each in enumerate((module.mw, q.fee, q.refund)):
                    sums[start.site][i] += start.modules * each
        for one in world.sites.commitments:
            if one.commitment.contract == name and not one.is_cancelled(n):
                sums[one.commitment.site][0] += one.total_mw
                sums[one.commitment.site][1] += one.at[n].end_fee
        for money in world.money:
            if money.contract == name:
                sums[money.site][2] += money.at[n].refunded
        for site, (mw, fee, refund) in sums.items():
            found[name, site, book.tree.label(n)] = {
                "mw_critical": mw,
                "fee_usd_m": fee,
                "refund_usd_m": refund,
            }
    return found
