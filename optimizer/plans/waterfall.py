"""The waterfall of each borrower with debt, quarter by quarter on each path to the last maturity."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.blocks.books import Books, Tally
from models.domain.ledger import CFADS_LINES, REVENUE_LINES, SERVICE_INTEREST_LINES, CashLine, Quantity
from models.params.after import Served, bullet_after, debt_after, facility_after, lease_after
from models.params.streams import Later
from optimizer.plans.reading import Array, Reading

OWED = 0.1
"""$M: less is as good as nothing."""
REACH_Q = 160
"""Quarters after the horizon that are looked at: no loan runs longer."""
_REPAID = (
    CashLine.DEBT_PRINCIPAL,
    CashLine.PROJECT_PRINCIPAL,
    CashLine.LOAN_PRINCIPAL,
    CashLine.LEASE_PRINCIPAL,
)
_FLOWS = (
    "revenue",
    "cfads",
    "interest",
    "principal",
    "balloon",
    "sweep",
    "reserve",
    "contributed",
    "distributed",
    "balance",
)


@dataclass(frozen=True, eq=False)
class Path:
    """A borrower on the path to a leaf and beyond, by quarter. [$M]"""

    flows: dict[str, Array]
    cost: Array
    """Of what is held or begun, tenants' money apart, and of its financing."""


def waterfall_rows(r: Reading) -> list[dict[str, object]]:
    """The table."""
    tree = r.program.params.tree
    rows: list[dict[str, object]] = []
    for books in r.program.books[1:]:
        within = {n: _quarter(r, books, n) for n in tree.nodes}
        for leaf in tree.leaves:
            rows += _rows(r, books.owner, leaf, _path(r, books, leaf, within))
    return rows


def _rows(r: Reading, owner: str, leaf: int, path: Path) -> Iterator[dict[str, object]]:
    flows = path.flows
    owed = np.flatnonzero((flows["balance"] > OWED) | (flows["interest"] > OWED))
    if not owed.size:
        return
    end = int(owed[-1]) + 1
    balance, service = flows["balance"], flows["interest"] + flows["principal"]
    life = _life_value(flows["cfads"][:end], flows["interest"][:end], balance[:end])
    for t in range(end):
        is_out = balance[t] > OWED
        yield {
            "entity": owner,
            "leaf": r.labels[leaf],
            "quarter": str(r.program.params.tree.first + t),
            "revenue_usd_m": flows["revenue"][t],
            "opex_usd_m": flows["revenue"][t] - flows["cfads"][t],
            **{f"{name}_usd_m": flows[name][t] for name in _FLOWS[1:]},
            "dscr": flows["cfads"][t] / service[t] if service[t] > OWED else 0.0,
            "llcr": life[t] / balance[t] if is_out else 0.0,
            "ltc_frac": balance[t] / path.cost[t] if is_out and path.cost[t] > OWED else 0.0,
        }


def _life_value(cfads: Array, interest: Array, balance: Array) -> Array:
    """Worth of the income of later quarters up to the last in which something is owed, at the loans' rate."""
    worth = np.zeros(cfads.size)
    for t in range(cfads.size - 2, -1, -1):
        if balance[t] > OWED:
            worth[t] = (cfads[t + 1] + worth[t + 1]) / (1.0 + interest[t + 1] / balance[t])
    return worth


def _quarter(r: Reading, books: Books, n: int) -> dict[str, float]:
    """What the books say of a borrower at a node."""

    def cash(*lines: CashLine) -> float:
        return books.cash_at(n, lines).value

    interest = -cash(*SERVICE_INTEREST_LINES)
    scheduled = books.tally_at(Tally.SERVICE, n).value - interest
    debts = {d.debt.debt for d in r.program.params.debts if d.debt.entity == books.owner}
    swept = sum(v for d, v in r.by_quantity[Quantity.PREPAID] if d.node == n and d.item in debts)
    repaid = -cash(*_REPAID) - swept
    principal = min(scheduled, repaid)
    return {
        "revenue": cash(*REVENUE_LINES),
        "cfads": cash(*CFADS_LINES),
        "interest": interest,
        "principal": principal,
        "balloon": repaid - principal,
        "sweep": swept,
        "reserve": cash(CashLine.RESERVE_RELEASE),
        "contributed": cash(CashLine.CONTRIBUTED, CashLine.PARTNER_CONTRIBUTED),
        "distributed": -cash(CashLine.DISTRIBUTED, CashLine.PARTNER_DISTRIBUTED),
        "balance": books.tally_at(Tally.DEBT, n).value,
    }


def _path(r: Reading, books: Books, leaf: int, within: dict[int, dict[str, float]]) -> Path:
    path = r.program.params.tree.path(leaf)
    earned, spent = _earned_after(r, books.owner, leaf)
    served = list(served_after(r, books.owner, leaf))
    after = {name: np.zeros(REACH_Q) for name in _FLOWS}
    after["revenue"], after["cfads"] = earned, earned - spent
    for x in served:
        for name, values in (
            ("interest", x.interest),
            ("principal", x.scheduled),
            ("balloon", x.balloon),
            ("reserve", x.released),
            ("balance", x.balance),
        ):
            after[name] = after[name] + values
    flows = {name: np.append([within[n][name] for n in path], after[name]) for name in _FLOWS}
    cost = np.array([_cost(r, books.owner, n) for n in path])
    return Path(flows, np.append(cost, np.full(REACH_Q, cost[-1])))


def _sites(r: Reading, owner: str) -> set[str]:
    return {s.site for s in r.program.params.portfolio.sites if s.entity == owner}


def _earned_after(r: Reading, owner: str, leaf: int) -> tuple[Array, Array]:
    """Rent of the base terms after the horizon, and what it takes: opex, power, credits, fixed costs."""
    p, sites = r.program.params, _sites(r, owner)
    rent, cost = np.zeros(REACH_Q), np.zeros(REACH_Q)
    held: list[tuple[float, Later]] = [
        (float(r.held(c.commitment.commitment)[leaf]), c.later[leaf])
        for c in p.commitments
        if c.commitment.site in sites
    ]
    held += [
        (b.count, b.arrays.later[leaf]) for b in r.built if b.route.key[0] in sites and leaf in b.arrays.later
    ]
    held += [
        (-x.count, x.sale.later[leaf]) for x in r.sold if x.decision.site in sites and leaf in x.sale.later
    ]
    for count, later in held:
        size = min(REACH_Q, later.rent.size)
        rent[:size] += count * later.rent[:size]
        cost[:size] += count * (later.cost + later.credit)[:size]
    for money in p.contract_money:
        if money.site in sites:
            credit = money.later_credit[leaf][:REACH_Q]
            cost[: credit.size] += credit
    cost += sum(s.fixed_cost_usd_m_per_q for s in p.portfolio.sites if s.site in sites)
    return rent, cost


def served_after(r: Reading, owner: str, leaf: int) -> Iterator[Served]:
    """Loans, take-outs, facilities and leases of an entity in the quarters after a leaf."""
    p, sites, below = r.program.params, _sites(r, owner), r.program.params.outlook.below
    for terms, actual in zip(p.debts, r.debts, strict=True):
        if terms.debt.entity == owner:
            kept = r.kept(terms.debt.debt, leaf)
            early = float(kept * terms.balance[leaf] - actual.balance[leaf])
            yield debt_after(terms, early, p.outlook, leaf, REACH_Q).times(kept)
    for offer, part in r.take_outs:
        if offer.terms.entity == owner and below[offer.node][leaf]:
            yield facility_after(offer.facility, p.outlook, leaf, REACH_Q).times(part)
    for taken in r.taken:
        if taken.route.key[0] in sites and below[taken.arrays.close][leaf]:
            yield facility_after(taken.arrays, p.outlook, leaf, REACH_Q).times(taken.modules)
    for lease in r.leased:
        if lease.route.key[0] in sites and below[lease.begun][leaf]:
            yield lease_after(lease.arrays, lease.begun, p.outlook, leaf, REACH_Q).times(lease.modules)
    for loan in r.new_loans:
        if loan.entity == owner and below[loan.terms.drawn][leaf]:
            yield bullet_after(loan.terms, p.outlook, leaf, REACH_Q).times(loan.amount)


def _cost(r: Reading, owner: str, n: int) -> float:
    """Capex of commitments, and of modules begun what tenants do not pay, less what is sold. [$M]"""
    p, sites = r.program.params, _sites(r, owner)
    cost = sum(
        float(r.held(c.commitment.commitment)[n]) * (c.commitment.capex_usd_m + c.commitment.gpu_capex_usd_m)
        for c in p.commitments
        if c.commitment.site in sites
    )
    for b in r.built:
        if b.route.key[0] in sites and p.outlook.below[b.node][n]:
            cost += b.count * float(b.arrays.own_spend_by_age.sum())
    sold = (x for x in r.sold if x.decision.site in sites)
    cost -= sum(x.count * x.sale.cost_usd_m * float(x.sale.after[n]) for x in sold)
    return cost + _financing_cost(r, owner, n)


def _financing_cost(r: Reading, owner: str, n: int) -> float:
    """What loans cost until halls are live: fees, interest, reserves in cash. [$M]

    Of facilities, take-outs and leases what of the loan does not reach the spend; of existing loans their
    reserve, and the interest of the plan's quarters before the last commitment of the borrower goes live.
    """
    sites, below = _sites(r, owner), r.program.params.outlook.below
    cost = 0.0
    facilities = [(t.arrays, t.modules) for t in r.taken if t.route.key[0] in sites]
    facilities += [(offer.facility, part) for offer, part in r.take_outs if offer.terms.entity == owner]
    for a, count in facilities:
        if below[a.close][n]:
            cost += count * (a.loan_usd_m - float(a.facility.draws_usd_m.sum()))
    for x in r.leased:
        if x.route.key[0] in sites and below[x.begun][n]:
            flows = x.arrays.flows
            cost += x.modules * float(flows.principal.sum() - flows.draws.sum())
    building = list(_before_all_is_live(r, sites, n))
    for d in r.debts:
        if d.debt.entity == owner:
            reserve = (d.debt.dsra_usd_m or 0.0) * (d.debt.dsra_form == "cash")
            cost += float(d.interest[building].sum()) + r.kept(d.debt.debt, n) * reserve
    return cost


def _before_all_is_live(r: Reading, sites: set[str], n: int) -> Iterator[int]:
    """Nodes on the path to a node in whose quarter a commitment of some sites is still to go live."""
    p = r.program.params
    theirs = {c.commitment.commitment for c in p.commitments if c.commitment.site in sites}
    live = [f.quarter for f in p.portfolio.commitment_flows if f.commitment in theirs and f.mw_live > 0.0]
    return (m for m in p.tree.path(n) if live and p.tree.quarter(m) < max(live))
