"""What one borrower earns to serve its loans, and that service, from the cash book and the loans."""

from models.domain.ledger import CFADS_LINES
from optimizer.audit.world import World


def cfads(world: World, entity: str, node: int) -> float:
    """Cash of a quarter from which a borrower serves its loans. [$M]"""
    return world.ledger.total(node, CFADS_LINES, (entity,))


def service(world: World, entity: str, node: int) -> float:
    """Interest paid out of it and scheduled principal: neither balloons nor bullets. [$M]"""
    paid = world.coins.interest(node, {entity: 1.0})
    for debt in world.book.portfolio.debt:
        if debt.entity == entity:
            q = world.debts[debt.debt][node]
            paid += q.interest + q.principal - q.balloon
    for f, facility in world.facilities:
        if world.book.sites[f.site].entity == entity:
            one = world.facility_at(f, facility, node)
            paid += f.modules * (one.paid_interest + one.principal - one.balloon)
    for out in world.take_outs.taken:
        if out.terms.entity == entity:
            lent = out.at(node)
            paid += out.part * (lent.paid_interest + lent.principal - lent.balloon)
    for taken in world.leases:
        if world.book.sites[taken.decided.site].entity == entity:
            lease = taken.at(node)
            paid += taken.decided.modules * (lease.paid_interest + lease.principal - lease.buyout)
    return paid
