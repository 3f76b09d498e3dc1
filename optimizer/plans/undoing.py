"""What it costs to undo a decision of now, where that is a sum: fees, deposits and spreads lost."""

import math

from models.blocks.books import Decision
from models.domain.ledger import Quantity
from optimizer.plans.reading import Reading


def undo_usd_m(r: Reading, d: Decision, v: float) -> float:
    """Lost if it is undone at once; NaN where it cannot be, or where no terms say what it costs. [$M]"""
    p = r.program.params
    terms = {i.instrument: i for i in p.portfolio.instruments}
    if d.quantity is Quantity.EXPAND:
        step = next(x for x in p.portfolio.expansions if x.expansion == d.item)
        return float(v * step.deposit_usd_m * p.outlook.rows[d.node].capex_idx)
    if d.quantity is Quantity.ORDERED_MW:
        row = next(x for x in p.portfolio.long_lead if x.equipment == d.item)
        each = row.deposit_frac * row.cost_usd_m_per_mw * p.outlook.rows[d.node].capex_idx
        return float(v * each)
    if d.quantity is Quantity.BOUGHT_MW:
        vintage = next(x for x in p.vintages if x.name == d.item)
        paid = float(p.mining[d.item, d.site].purchase_usd_m_per_mw[d.node])
        return v * max(0.0, paid - float(vintage.resale_usd_m_per_mw[d.node]))
    if d.quantity is Quantity.ATM:
        discounts = {(x.instrument, str(x.block)): x.discount_frac for x in p.portfolio.impact}
        return v * (1.0 - (1.0 - discounts[d.item, d.since]) * (1.0 - terms[d.item].fee_frac))
    if d.quantity is Quantity.FOLLOW_ON:
        return v * (1.0 - (1.0 - terms[d.item].launch_drop_frac) * (1.0 - terms[d.item].fee_frac))
    if d.quantity is Quantity.ISSUE:
        return v * (terms[d.item].fee_frac + (terms[d.item].capped_call_cost_frac or 0.0))
    if d.quantity in (Quantity.NOTES, Quantity.COMMIT, Quantity.BORROWED):
        return v * terms[d.item].fee_frac
    if d.quantity is Quantity.TAKEN_OUT:
        classes = {c.credit_class: c for c in p.portfolio.credit_classes}
        offer = next(x for x in p.take_outs if (x.terms.take_out, x.node) == (d.item, d.node))
        return v * offer.facility.loan_usd_m * classes[offer.terms.credit_class].fee_frac
    if d.quantity is Quantity.SOLD_BTC:
        lot = next(x for x in p.coins.lots if x.lot == d.item)
        return v * float(p.coins.price[d.node]) * lot.sell_cost_frac
    return math.nan
