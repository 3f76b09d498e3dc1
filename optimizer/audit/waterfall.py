"""The waterfall of each borrower with debt, from the cash book and, beyond the horizon, the terms."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from models.domain.ledger import REVENUE_LINES, SERVICE_INTEREST_LINES, CashLine
from optimizer.audit.committed import Committed
from optimizer.audit.cover import cfads, service
from optimizer.audit.debts import quarters_after
from optimizer.audit.modules import Module
from optimizer.audit.tables_physical import Rows
from optimizer.audit.world import World

OWED = 0.1
"""$M: less is as good as nothing."""
REACH_Q = 160
_REPAID = (
    CashLine.DEBT_PRINCIPAL,
    CashLine.PROJECT_PRINCIPAL,
    CashLine.LOAN_PRINCIPAL,
    CashLine.LEASE_PRINCIPAL,
)


@dataclass
class Quarter:
    """A borrower in one quarter. [$M]"""

    revenue: float = 0.0
    cfads: float = 0.0
    interest: float = 0.0
    principal: float = 0.0
    balloon: float = 0.0
    sweep: float = 0.0
    reserve: float = 0.0
    contributed: float = 0.0
    distributed: float = 0.0
    balance: float = 0.0

    def serve(self, interest: float, principal: float, balloon: float, balance: float, count: float) -> None:
        """Add the service of a loan, or of several."""
        self.interest += count * interest
        self.principal += count * principal
        self.balloon += count * balloon
        self.balance += count * balance


def project_waterfall(world: World) -> Rows:
    """Every borrower on every path to its last maturity."""
    found: Rows = {}
    for entity in world.book.borrowers:
        within = {n: _quarter(world, entity, n) for n in world.book.tree.nodes}
        for leaf in world.book.tree.leaves:
            path = world.book.paths[leaf]
            quarters = [within[n] for n in path] + _after(world, entity, leaf)
            costs = [_cost(world, entity, n) for n in path]
            _add(found, world, (entity, leaf), quarters, costs)
    return found


def _add(
    found: Rows, world: World, place: tuple[str, int], quarters: list[Quarter], costs: list[float]
) -> None:
    entity, leaf = place
    owed = [t for t, q in enumerate(quarters) if q.balance > OWED or q.interest > OWED]
    if not owed:
        return
    last, worth = owed[-1], 0.0
    for t in range(last, -1, -1):
        q, cost = quarters[t], costs[min(t, len(costs) - 1)]
        if t < last and q.balance > OWED:
            after = quarters[t + 1]
            worth = (after.cfads + worth) / (1.0 + after.interest / q.balance)
        else:
            worth = 0.0
        due, is_out = q.interest + q.principal, q.balance > OWED
        found[entity, world.book.tree.label(leaf), str(world.book.tree.first + t)] = {
            "revenue_usd_m": q.revenue,
            "opex_usd_m": q.revenue - q.cfads,
            **{f"{x.name}_usd_m": getattr(q, x.name) for x in fields(q)[1:]},
            "dscr": q.cfads / due if due > OWED else 0.0,
            "llcr": worth / q.balance if is_out else 0.0,
            "ltc_frac": q.balance / cost if is_out and cost > OWED else 0.0,
        }


def _quarter(world: World, entity: str, n: int) -> Quarter:
    ledger, only = world.ledger, (entity,)
    interest = -ledger.total(n, SERVICE_INTEREST_LINES, only)
    own = {d.debt for d in world.book.portfolio.debt if d.entity == entity}
    swept = sum(x for (name, m), x in world.decided.prepaid.items() if m == n and name in own)
    repaid = -ledger.total(n, _REPAID, only) - swept
    principal = min(service(world, entity, n) - interest, repaid)
    return Quarter(
        revenue=ledger.total(n, REVENUE_LINES, only),
        cfads=cfads(world, entity, n),
        interest=interest,
        principal=principal,
        balloon=repaid - principal,
        sweep=swept,
        reserve=ledger.total(n, (CashLine.RESERVE_RELEASE,), only),
        contributed=ledger.total(n, (CashLine.CONTRIBUTED, CashLine.PARTNER_CONTRIBUTED), only),
        distributed=-ledger.total(n, (CashLine.DISTRIBUTED, CashLine.PARTNER_DISTRIBUTED), only),
        balance=_owed(world, entity, n),
    )


def _owed(world: World, entity: str, n: int) -> float:
    """All that a borrower owes after a quarter. [$M]"""
    sites = world.book.sites
    owed = sum(world.debts[d.debt][n].balance for d in world.book.portfolio.debt if d.entity == entity)
    loans = (world.coins.schedule[x.name] for x in world.coins.loans if x.entity == entity)
    owed += sum(rolled[n].balance for rolled in loans if n in rolled)
    for f, facility in world.facilities:
        if sites[f.site].entity == entity:
            owed += f.modules * world.facility_at(f, facility, n).balance
    for taken in world.leases:
        if sites[taken.decided.site].entity == entity:
            owed += taken.decided.modules * taken.at(n).balance
    return owed + world.take_outs.total(n, "balance", {entity: 1.0})


def _after(world: World, entity: str, leaf: int) -> list[Quarter]:
    """The quarters after a leaf."""
    found = serve_after(world, entity, leaf)
    _earn(world, entity, leaf, found)
    return found


def serve_after(world: World, entity: str, leaf: int) -> list[Quarter]:
    """What an entity's loans, facilities, take-outs and leases ask for in the quarters after a leaf."""
    found = [Quarter() for _ in range(REACH_Q)]
    for debt in world.book.portfolio.debt:
        if debt.entity == entity:
            _serve_debt(world, debt.debt, leaf, found)
    sites, tree = world.book.sites, world.book.tree
    for f, facility in world.facilities:
        if sites[f.site].entity == entity and f.closed in world.book.paths[leaf]:
            age = tree.period[leaf] - tree.period[f.closed]
            for k, q in enumerate(found, start=1):
                x = facility.quarter(age + k)
                q.serve(x.paid_interest, x.principal - x.balloon, x.balloon, x.balance, f.modules)
                q.reserve += f.modules * x.released
    for taken in world.leases:
        if sites[taken.decided.site].entity == entity and taken.decided.begun in world.book.paths[leaf]:
            age = tree.period[leaf] - tree.period[taken.decided.begun]
            for k, q in enumerate(found, start=1):
                y = taken.lease.quarter(age + k)
                scheduled = y.principal - y.buyout
                q.serve(y.paid_interest, scheduled, y.buyout, y.balance, taken.decided.modules)
    for out in world.take_outs.taken:
        if out.terms.entity == entity and out.node in world.book.paths[leaf]:
            age = tree.period[leaf] - tree.period[out.node]
            for k, q in enumerate(found, start=1):
                x = out.facility.quarter(age + k)
                q.serve(x.paid_interest, x.principal - x.balloon, x.balloon, x.balance, out.part)
                q.reserve += out.part * x.released
    for loan in world.coins.loans:
        if loan.entity == entity and loan.node in world.book.paths[leaf]:
            age = tree.period[leaf] - tree.period[loan.node]
            for k, q in enumerate(found, start=1):
                if age + k <= loan.tenor_q:
                    is_last = age + k == loan.tenor_q
                    q.serve(loan.rate_frac / 4.0, 0.0, float(is_last), float(not is_last), loan.amount)
    return found


def _serve_debt(world: World, name: str, leaf: int, found: list[Quarter]) -> None:
    """An existing loan: what was repaid before its time takes off the last payments."""
    at_leaf, terms, debt = world.debts[name][leaf], world.by_terms[name][leaf], world.book.debts[name]
    kept = at_leaf.kept
    if kept > 0.0:
        later = quarters_after(world.book, debt, terms, at_leaf.balance / kept, leaf)
        for q, x in zip(found, later, strict=False):
            q.serve(x.interest, x.principal - x.balloon, x.balloon, x.balance, kept)
            q.reserve += kept * x.released


def _held(world: World, entity: str, leaf: int) -> Iterator[tuple[float, Module | Committed]]:
    """Modules begun and commitments held by a node, less what has been sold before."""
    sites = world.book.sites
    for start, module in world.sites.modules:
        if sites[start.site].entity == entity and start.node in world.book.paths[leaf]:
            yield start.modules, module
    for one in world.sites.commitments:
        if sites[one.commitment.site].entity == entity and not one.is_cancelled(leaf):
            yield 1.0, one
    for sold in world.sites.sold:
        if sites[sold.decided.site].entity == entity and sold.is_gone(leaf):
            yield -sold.count, sold.one


def _earn(world: World, entity: str, leaf: int, found: list[Quarter]) -> None:
    """Rent of the base terms, what it takes, and the fixed costs of sites."""
    book = world.book
    fixed = sum(s.fixed_cost_usd_m_per_q for s in book.portfolio.sites if s.entity == entity)
    for q in found:
        q.cfads -= fixed
    for count, one in _held(world, entity, leaf):
        lag = one.lease.contract.payment_lag_q
        carried = one.state[leaf].credits if isinstance(one, Module) else ()
        end = max(one.lease.term_end, one.live_from) if isinstance(one, Module) else one.lease.term_end
        size = max(0, end + lag - book.last_quarter - 1)
        for k, q in enumerate(found, start=1):
            moment = book.moment(leaf, k)
            credit = 0.0
            if isinstance(one, Module):
                is_over = one.lease.is_over(moment)
                given, carried = one.credits(
                    moment.quarter, carried, 0.0 if is_over else one.rent_received(moment)
                )
                credit = sum(given)
            elif k > size:
                break
            income = one.income(moment)
            signed, _ = one.lease.parted(moment, income, 0.0)
            in_term = moment.quarter + -lag < one.lease.term_end
            q.revenue += count * (income[0] if in_term else 0.0)
            q.cfads += count * (signed - credit)
    for money in world.money:
        if book.sites[money.site].entity == entity:
            for q, credit in zip(found, money.credits_after(leaf, REACH_Q), strict=True):
                q.cfads -= credit


def _cost(world: World, entity: str, n: int) -> float:
    """Capex of commitments, and of modules begun what tenants do not pay. [$M]"""
    cost = 0.0
    for count, one in _held(world, entity, n):
        if isinstance(one, Module):
            cost += count * sum(one.own_spend)
        else:
            cost += count * (one.commitment.capex_usd_m + one.commitment.gpu_capex_usd_m)
    return cost + _paid_to_lenders(world, entity, n)


def _paid_to_lenders(world: World, entity: str, n: int) -> float:
    """Fees, interest and reserves in cash until halls are live. [$M]"""
    book, path = world.book, world.book.paths[n]
    cost = 0.0
    for f, facility in world.facilities:
        if book.sites[f.site].entity == entity and f.closed in path:
            cost += f.modules * (facility.loan - facility.net)
    for out in world.take_outs.taken:
        if out.terms.entity == entity and out.node in path:
            cost += out.part * (out.facility.loan - out.facility.net)
    for taken in world.leases:
        if book.sites[taken.decided.site].entity == entity and taken.decided.begun in path:
            lease = taken.lease
            owed = sum(q.principal for q in lease.quarters)
            cost += taken.decided.modules * (owed - lease.financed)
    commitments = [c for c in world.sites.commitments if book.sites[c.commitment.site].entity == entity]
    live = [f.quarter for c in commitments for f in c.flows if f.mw_live > 0.0]
    for debt in book.portfolio.debt:
        if debt.entity == entity:
            rolled = world.debts[debt.debt]
            cost += sum(rolled[m].interest for m in path if live and book.tree.quarter(m) < max(live))
            cost += rolled[n].kept * (debt.dsra_usd_m or 0.0) if debt.dsra_form == "cash" else 0.0
    return cost
