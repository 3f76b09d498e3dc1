"""Tables on money: decisions, financing, cash_flow, sources_uses, debt_schedule, liquidity, covenants."""

import numpy as np
import pandas as pd

from models.blocks.books import Decision, Tally
from models.domain.ledger import DECIDED_NOW, MARKET_LINES, CashLine, Quantity
from optimizer.plans import corporate_debt
from optimizer.plans.covenants import covenant_rows
from optimizer.plans.reading import Array, Reading
from optimizer.plans.undoing import undo_usd_m
from optimizer.plans.waterfall import waterfall_rows

NOW_Q = 2
SHORT_USD_M = 1e-3
"""Cash is below its floor by this much, or it is not."""
_IN_USD_M = (
    Quantity.ATM,
    Quantity.FOLLOW_ON,
    Quantity.ISSUE,
    Quantity.NOTES,
    Quantity.COMMIT,
    Quantity.DRAWN,
    Quantity.REPAID,
    Quantity.CASH_MARGIN,
    Quantity.BORROWED,
    Quantity.ROLLED,
    Quantity.PAYOUT,
    Quantity.PREPAID,
)
"""Decisions whose amount is the money that they move."""


def money_tables(r: Reading) -> dict[str, pd.DataFrame]:
    """All tables on money."""
    cash_flow = _cash_flow(r)
    return {
        "decisions": _decisions(r),
        "financing": pd.DataFrame(_financing(r)),
        "sources_uses": pd.DataFrame(_sources_uses(r, cash_flow)),
        "cash_flow": cash_flow,
        "debt_schedule": pd.DataFrame(_debts(r)),
        "project_waterfall": pd.DataFrame(waterfall_rows(r)),
        "liquidity": pd.DataFrame(_liquidity(r)),
        "covenants": pd.DataFrame(covenant_rows(r)),
        "decide_now": _decide_now(r),
    }


def _decisions(r: Reading) -> pd.DataFrame:
    rows = [
        {
            "quantity": str(d.quantity),
            "site": d.site,
            "item": d.item,
            "contract": d.contract,
            "since": d.since,
            "node": r.labels[d.node],
            "value": v,
        }
        for d, v in r.decided
    ]
    return pd.DataFrame(rows)


def _cash_flow(r: Reading) -> pd.DataFrame:
    parent = r.program.params.portfolio.parent.entity
    rows = []
    for books in r.program.books:
        owner = parent if books.owner == "company" else books.owner
        for line, by_node in books.cash.items():
            for n, amount in enumerate(by_node):
                value = amount.value
                if abs(value) > 1e-9:
                    rows.append(
                        {
                            "entity": owner,
                            "node": r.labels[n],
                            "quarter": r.quarters[n],
                            "line": str(line),
                            "usd_m": value,
                        }
                    )
    return pd.DataFrame(rows)


def _sources_uses(r: Reading, cash_flow: pd.DataFrame) -> list[dict[str, object]]:
    p = r.program.params
    rows: list[dict[str, object]] = []
    opening = sum(e.unrestricted_cash_usd_m for e in p.portfolio.entities)
    within = cash_flow[~cash_flow["line"].isin([str(CashLine.CONTRIBUTED), str(CashLine.DISTRIBUTED)])]
    for leaf in p.tree.leaves:
        path = {r.labels[n] for n in p.tree.path(leaf)}
        totals = within[within["node"].isin(path)].groupby("line")["usd_m"].sum()
        closing = sum(float(r.cash(b)[leaf]) for b in r.program.books)
        items = [("source", "opening_cash", opening)]
        items += [("source" if x > 0.0 else "use", str(line), abs(float(x))) for line, x in totals.items()]
        items.append(("use", "closing_cash", closing))
        rows += [{"leaf": r.labels[leaf], "side": side, "item": item, "usd_m": x} for side, item, x in items]
    return rows


def _financing(r: Reading) -> list[dict[str, object]]:
    p = r.program.params
    rows: dict[tuple[str, str, int], Array] = {}

    def book(instrument: str, kind: str, n: int, gross: float, net: float, shares: float) -> None:
        key = (instrument, kind, n)
        rows[key] = rows.get(key, np.zeros(3)) + np.array([gross, net, shares])

    terms = {i.instrument: i for i in p.portfolio.instruments}
    price = p.outlook.share_price_usd
    discounts = {(x.instrument, str(x.block)): x.discount_frac for x in p.portfolio.impact}
    for d, v in r.by_quantity[Quantity.ATM]:
        net = v * (1.0 - discounts[d.item, d.since]) * (1.0 - terms[d.item].fee_frac)
        book(d.item, "atm", d.node, v, net, v / float(price[d.node]))
    for d, v in r.by_quantity[Quantity.FOLLOW_ON]:
        net = v * (1.0 - terms[d.item].launch_drop_frac) * (1.0 - terms[d.item].fee_frac)
        book(d.item, "follow_on", d.node, v, net, v / float(price[d.node]))
    offers = {o.instrument.instrument: o for o in p.note_offers}
    for d, v in r.by_quantity[Quantity.ISSUE]:
        strike = offers[d.item].notes[d.node, d.since].terms.conversion_price_usd
        book(d.item, "convertible", d.node, v, v * offers[d.item].net_frac, v / strike)
    for row in corporate_debt.raised(r):
        book(*row)
    for t in r.taken:
        draws = float(t.arrays.draws[t.arrays.close] + t.arrays.to_pay[t.arrays.close])
        name = f"project:{t.route.terms.contract.credit_class}"
        book(name, "project_debt", t.arrays.close, t.modules * t.arrays.loan_usd_m, t.modules * draws, 0.0)
    for offer, part in r.take_outs:
        a = offer.facility
        book(
            offer.terms.take_out,
            "take_out",
            offer.node,
            part * a.loan_usd_m,
            part * float(a.draws[offer.node]),
            0.0,
        )
    for x in r.leased:
        gross = x.modules * x.arrays.financed_usd_m
        book(x.arrays.terms.lease, "lease", x.begun, gross, gross, 0.0)
    for debt in p.debts:
        for n in np.flatnonzero(debt.draws):
            book(debt.debt.debt, "debt", int(n), float(debt.draws[n]), float(debt.draws[n]), 0.0)
    for loan in r.new_loans:
        name = f"{loan.source}:rolled" if loan.kind == "refinanced" else loan.source
        book(name, loan.kind, loan.terms.drawn, loan.amount, loan.amount * loan.net_frac, 0.0)
    for d, v in r.by_quantity[Quantity.RESCUE]:
        book("rescue", "rescue", d.node, v, v, 0.0)
    return [
        {
            "instrument": i,
            "kind": kind,
            "node": r.labels[n],
            "quarter": r.quarters[n],
            "gross_usd_m": x[0],
            "net_usd_m": x[1],
            "shares_m": x[2],
        }
        for (i, kind, n), x in sorted(rows.items(), key=lambda kv: (kv[0][2], kv[0][0]))
    ]


def _debts(r: Reading) -> list[dict[str, object]]:
    p = r.program.params
    schedules: list[tuple[str, str, list[Array]]] = [
        (d.debt.debt, d.debt.entity, [d.draws, d.interest, d.principal, d.balance, d.reserve.cash])
        for d in r.debts
    ]
    schedules += corporate_debt.schedules(r)
    for t in r.taken:
        a = t.arrays
        columns = [x * t.modules for x in (a.drawn, a.interest, a.principal, a.balance, a.restricted)]
        schedules.append((t.name(r.labels), t.route.terms.site.entity, columns))
    for offer, part in r.take_outs:
        a, name = offer.facility, f"{offer.terms.take_out}@{r.labels[offer.node]}"
        columns = [x * part for x in (a.drawn, a.interest, a.principal, a.balance, a.restricted)]
        schedules.append((name, offer.terms.entity, columns))
    for x in r.leased:
        lease, none = x.arrays, np.zeros(len(p.tree.nodes))
        drawn = lease.draws + lease.interest - lease.interest_paid
        parts = (drawn, lease.interest, lease.principal, lease.balance, none)
        schedules.append((x.name(r.labels), x.route.terms.site.entity, [part * x.modules for part in parts]))
    for loan in r.new_loans:
        drawn = np.zeros(len(p.tree.nodes))
        drawn[loan.terms.drawn] = 1.0
        parts = (drawn, loan.terms.interest, loan.terms.principal, loan.terms.balance, np.zeros(drawn.size))
        schedules.append((loan.name, loan.entity, [part * loan.amount for part in parts]))
    names = ("drawn_usd_m", "interest_usd_m", "principal_usd_m", "balance_usd_m", "restricted_usd_m")
    return [
        {
            "debt": name,
            "node": r.labels[n],
            "quarter": r.quarters[n],
            "entity": entity,
            **{column: float(values[n]) for column, values in zip(names, columns, strict=True)},
        }
        for name, entity, columns in schedules
        for n in p.tree.nodes
        if any(abs(values[n]) > 1e-9 for values in columns)
    ]


def _liquidity(r: Reading) -> list[dict[str, object]]:
    p = r.program.params
    company = r.cash(r.program.books[0])
    block = sum((r.cash(b) for b in r.program.books[1:]), np.zeros(company.size))
    reach = r.over_borrowers(lambda x, n: x.in_reach(n))
    guaranteed = r.over_borrowers(lambda x, n: x.guaranteed(n))
    restricted, undrawn, locked = (r.tally(what) for what in (Tally.RESTRICTED, Tally.UNDRAWN, Tally.LOCKED))
    late, wall = r.over_borrowers(lambda x, n: x.counted.tally_at(Tally.LATE_LOSS, n)), r.tally(Tally.WALL)
    floor = p.portfolio.firm.cash_floor_usd_m
    runway = _runway_q(r, company + reach)
    return [
        {
            "node": r.labels[n],
            "quarter": r.quarters[n],
            "company_cash_usd_m": company[n],
            "block_cash_usd_m": block[n],
            "locked_usd_m": locked[n],
            "out_of_reach_usd_m": block[n] - reach[n],
            "restricted_usd_m": restricted[n],
            "undrawn_usd_m": undrawn[n],
            "late_loss_usd_m": late[n],
            "wall_usd_m": wall[n],
            "guaranteed_usd_m": guaranteed[n],
            "floor_usd_m": floor,
            "headroom_usd_m": company[n] - late[n] - wall[n] - guaranteed[n] - floor,
            "runway_q": runway[n],
        }
        for n in p.tree.nodes
    ]


def _runway_q(r: Reading, cash: Array) -> list[int]:
    """Quarters after each node to the cash floor, were markets to shut there and all else to go on."""
    tree, floor = r.program.params.tree, r.program.params.portfolio.firm.cash_floor_usd_m
    raised = np.array([r.program.books[0].cash_at(n, MARKET_LINES).value for n in tree.nodes])
    since_root = np.array([raised[list(tree.path(n))].sum() for n in tree.nodes])
    found = []
    for n in tree.nodes:
        left = cash - (since_root - since_root[n])
        short = [m for m in tree.descendants(n)[1:] if left[m] < floor - SHORT_USD_M]
        lasts = tree.horizon_q - 1 - tree.period[n]
        found.append(min((tree.period[m] - tree.period[n] - 1 for m in short), default=lasts))
    return found


def _decide_now(r: Reading) -> pd.DataFrame:
    p = r.program.params
    contracts = {c.contract: c for c in p.portfolio.contracts}
    rows = []
    for d, v in r.decided:
        if d.quantity not in DECIDED_NOW or p.tree.period[d.node] >= NOW_Q:
            continue
        contract = contracts.get(d.contract)
        last = (
            str(contract.sign_by_quarter)
            if contract and contract.sign_by_quarter and d.quantity is Quantity.SIGN
            else ""
        )
        if d.quantity is Quantity.BUY_SITE:
            last = str(next(s.purchase_by_quarter for s in p.portfolio.sites if s.site == d.site))
        rows.append(
            {
                "quantity": str(d.quantity),
                "site": d.site,
                "item": d.item,
                "contract": d.contract,
                "since": d.since,
                "node": r.labels[d.node],
                "value": v,
                "quarter": r.quarters[d.node],
                "amount_usd_m": _amount(r, d, v),
                "last_quarter": last,
                "undo": _undo(d.quantity),
                "undo_usd_m": undo_usd_m(r, d, v),
            }
        )
    columns = [
        "quantity",
        "site",
        "item",
        "contract",
        "since",
        "node",
        "value",
        "quarter",
        "amount_usd_m",
        "last_quarter",
        "undo",
        "undo_usd_m",
    ]
    return pd.DataFrame(rows, columns=columns)


def _amount(r: Reading, d: Decision, v: float) -> float:
    """Money that a decision of now moves: capex, loan, principal, proceeds. [$M]"""
    p = r.program.params
    if d.quantity is Quantity.START:
        built = next(b for b in r.built if (*b.route.key, b.node) == (d.site, d.item, d.contract, d.node))
        return v * float(built.arrays.own_spend_by_age.sum())
    if d.quantity is Quantity.FINANCED:
        taken = next(
            t
            for t in r.taken
            if t.name(r.labels) == f"{d.site}|{d.item}|{d.contract}|{d.since}|{r.labels[d.node]}"
        )
        return v * taken.arrays.loan_usd_m
    if d.quantity is Quantity.TAKEN_OUT:
        lent = {(x.terms.take_out, x.node): x.facility.loan_usd_m for x in p.take_outs}
        return v * lent[d.item, d.node]
    if d.quantity is Quantity.CALLED:
        called = {(c.debt.debt, c.node): c.opening_usd_m + c.premium_usd_m for c in p.calls}
        return v * called[d.item, d.node]
    if d.quantity is Quantity.LEASED:
        key = (d.site, d.item, d.contract, d.node, d.since)
        leased = next(x for x in r.leased if (*x.route.key, x.begun, x.arrays.terms.lease) == key)
        return v * leased.arrays.financed_usd_m
    if d.quantity is Quantity.COOL:
        plant = next(c for c in p.portfolio.cooling if (c.site, c.cooling) == (d.site, d.item))
        return float(v * plant.capex_usd_m_per_module * p.outlook.rows[d.node].capex_idx)
    if d.quantity is Quantity.ORDERED_MW:
        equipment = next(x for x in p.portfolio.long_lead if x.equipment == d.item)
        return v * equipment.cost_usd_m_per_mw * p.outlook.rows[d.node].capex_idx
    if d.quantity is Quantity.EXPAND:
        x = next(x for x in p.portfolio.expansions if x.expansion == d.item)
        return float(v * x.cost_usd_m * p.outlook.rows[d.node].capex_idx)
    if d.quantity is Quantity.BUY_SITE:
        return v * p.ownership[d.site].purchase_usd_m
    if d.quantity is Quantity.SELL_SITE:
        return v * float(p.ownership[d.site].sale_usd_m[d.node])
    if d.quantity is Quantity.SELL_BLOCK:
        return v * next(x.sale.price_usd_m for x in r.sold if x.decision is d)
    if d.quantity is Quantity.SOLD_MW:
        vintage = next(x for x in p.vintages if x.name == d.item)
        return v * float(vintage.resale_usd_m_per_mw[d.node])
    if d.quantity is Quantity.BOUGHT_MW:
        return v * float(p.mining[d.item, d.site].purchase_usd_m_per_mw[d.node])
    if d.quantity is Quantity.SOLD_BTC:
        lot = next(x for x in p.coins.lots if x.lot == d.item)
        return v * float(p.coins.price[d.node]) * (1.0 - lot.sell_cost_frac)
    if d.quantity is Quantity.REPURCHASE:
        prices = {o.instrument.instrument: o.price_usd_m for o in p.repurchase_offers}
        return v * prices[d.item][d.node]
    return v if d.quantity in _IN_USD_M else 0.0


def _undo(quantity: Quantity) -> str:
    if quantity is Quantity.ORDERED_MW:
        return "until delivery its deposit alone is lost"
    if quantity in (Quantity.START, Quantity.COOL, Quantity.EXPAND):
        return "irreversible: what is spent is lost"
    if quantity in (
        Quantity.SIGN,
        Quantity.FINANCED,
        Quantity.TAKEN_OUT,
        Quantity.CALLED,
        Quantity.LEASED,
        Quantity.ATM,
        Quantity.FOLLOW_ON,
        Quantity.ISSUE,
        Quantity.NOTES,
        Quantity.COMMIT,
        Quantity.REPURCHASE,
        Quantity.CANCEL,
        Quantity.BUY_SITE,
        Quantity.SELL_SITE,
        Quantity.SELL_BLOCK,
        Quantity.BORROWED,
        Quantity.ROLLED,
    ):
        return "binding once signed"
    if quantity in (Quantity.PLEDGED_BTC, Quantity.CASH_MARGIN):
        return "back when the loan is repaid"
    if quantity is Quantity.HARVEST:
        return "nothing may be begun or raised after it"
    if quantity is Quantity.PAYOUT:
        return "paid is paid"
    if quantity in (Quantity.DRAWN, Quantity.REPAID):
        return "repaid or drawn again while the revolver runs"
    return "bought or sold back at the market"
