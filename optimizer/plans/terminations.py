"""The table of contracts that end before their term."""

from collections.abc import Iterator

from optimizer.plans.reading import Reading


def terminations(r: Reading) -> list[dict[str, object]]:
    """What each end does at each site where the contract is held, by node."""
    return [row for row in _rows(r) if row["mw_critical"]]


def _rows(r: Reading) -> Iterator[dict[str, object]]:
    p = r.program.params
    contracts = {c.contract: c for c in p.portfolio.contracts}
    payers = {(t.contract, t.quarter): t.paid_by for t in p.portfolio.terminations}
    for name, over in p.over.items():
        for n in (n for n in over if p.tree.parent[n] not in over):
            for site in p.portfolio.sites:
                mw, fee, refund = _at(r, name, site.site, n)
                yield {
                    "contract": name,
                    "site": site.site,
                    "node": r.labels[n],
                    "quarter": r.quarters[n],
                    "tenant": contracts[name].tenant,
                    "paid_by": payers[name, p.tree.quarter(n)],
                    "mw_critical": mw,
                    "fee_usd_m": fee,
                    "refund_usd_m": refund,
                }


def _at(r: Reading, contract: str, site: str, n: int) -> tuple[float, float, float]:
    """Critical MW under a contract at a site, fee received and tenant money paid back at a node."""
    p = r.program.params
    mw, fee, refund = 0.0, 0.0, 0.0
    for b in r.built:
        if b.route.key[0] == site and b.route.key[2] == contract and p.outlook.below[b.node][n]:
            mw += b.count * b.route.module_mw
            fee += b.count * float(b.arrays.fee[n])
            refund += b.count * float(b.arrays.refund[n])
    for c in p.commitments:
        if c.commitment.site == site and c.commitment.contract == contract:
            on = float(r.held(c.commitment.commitment)[n])
            mw += on * float((c.live_mw + c.building_mw).max(initial=0.0))
            fee += on * float(c.fee[n])
    refund += sum(float(m.refund[n]) for m in p.contract_money if (m.contract, m.site) == (contract, site))
    return mw, fee, refund
