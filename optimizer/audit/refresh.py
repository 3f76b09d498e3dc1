"""GPUs replaced while they are let, rolled forward from their first day, and halls refitted for renewals."""

from collections.abc import Callable

from models.timetree import Quarter
from optimizer.audit.book import Moment
from optimizer.audit.lease import Lease


def _is_due(lease: Lease, quarter: Quarter, live_from: Quarter) -> bool:
    served, life = quarter - live_from, lease.product.refresh_q
    return life is not None and served > 0 and served % life == 0 and quarter < lease.last_end


def refresh_cost(lease: Lease, moment: Moment, live_from: Quarter, new_usd_m: float) -> float:
    """What replacing them costs in a quarter, by the probability that they are let in it. [$M]"""
    if not _is_due(lease, moment.quarter, live_from):
        return 0.0
    return (
        (lease.product.refresh_cost_frac or 0.0)
        * new_usd_m
        * lease.weight(moment.quarter)
        * lease.is_used(moment)
    )


def refit_cost(lease: Lease, moment: Moment, live_from: Quarter, mw: float) -> float:
    """What making halls ready for a renewal that begins in a quarter is expected to cost. [$M]"""
    renewal, since = lease.book.renewals.get(lease.contract.contract), moment.quarter - lease.term_end
    if renewal is None or renewal.capex_usd_m_per_mw is None or moment.quarter < live_from:
        return 0.0
    if since < 0 or since % renewal.term_q or moment.quarter >= lease.last_end:
        return 0.0
    each = renewal.capex_usd_m_per_mw * moment.market.capex_idx
    return each * mw * lease.weight(moment.quarter) * lease.is_used(moment)


def gpus_at_end(
    lease: Lease, end: Moment, live_from: Quarter, first_usd_m: float, new_usd_m: Callable[[Moment], float]
) -> float:
    """Worth in the last quarter of the last term of the GPUs in place then, first ones or new. [$M]"""
    product = lease.product
    worth = product.gpu_residual_frac * first_usd_m
    for back in range(end.quarter - live_from - 1, -1, -1):
        moment = lease.book.earlier(end, back)
        quarter = end.quarter + -back
        if _is_due(lease, quarter, live_from):
            chance = lease.weight(quarter) * lease.is_used(moment)
            served = (back + 1) / (product.refresh_q or 1)
            kept = 1.0 - (1.0 - product.gpu_residual_frac) * min(1.0, served)
            new = (product.refresh_cost_frac or 0.0) * new_usd_m(moment) * kept
            worth = chance * new + (1.0 - chance) * worth
    return worth
