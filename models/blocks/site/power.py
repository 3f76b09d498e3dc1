"""POW: the interconnect, what it costs before it earns, and how it grows."""

from collections.abc import Sequence

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, term, total
from models.blocks.ports import Begun, Held, Load, Tenure
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.site import Site
from models.params.outlook import Outlook
from models.params.power import ExpansionParams, SitePower

Array = NDArray[np.float64]


def add_power(
    b: pyo.Block,
    outlook: Outlook,
    site: Site,
    power: SitePower,
    loads: Sequence[Load],
    slack_mw: list[Linear],
    slack_room_mw: list[Linear],
    begun: Sequence[Begun],
    held: Sequence[Held],
    ours: Tenure,
    books: Books,
) -> None:
    """Capacity in gross MW, bills in MWh. Maths: docs/program.md, POW-1 ... POW-7."""
    tree = outlook.tree
    grown = _add_expansions(b, outlook, site, power.expansions, books)
    occupied = [total(load.gross_mw[n] for load in loads) for n in tree.nodes]
    energised = [grown(n, True) + ours.at(n) * float(power.energised_mw[n]) for n in tree.nodes]

    @b.Constraint(
        tree.nodes, doc="POW-1 interconnect occupied within energised, at the peak of every hour [MW]"
    )
    def occupied_within_energised(b, n):
        return at_most(occupied[n], energised[n])

    @b.Constraint(tree.nodes, doc="POW-6 machines on slack within what tenants leave unused [MW]")
    def slack_within_room(b, n):
        return at_most(slack_mw[n], slack_room_mw[n])

    @b.Constraint(tree.leaves, doc="POW-7 HPC begun or committed by the leaf within energised there [MW]")
    def begun_within_energised(b, leaf):
        reserved = total(x.kept[leaf] * x.arrays.reserved_gross_mw for x in held)
        for x in begun:
            if outlook.below[x.node][leaf]:
                reserved.add(x.route.gross_mw, x.count)
        return at_most(reserved, grown(leaf, False) + ours.at(leaf) * float(power.energised_mw[leaf]))

    _add_bills(b, outlook, power, energised, occupied, loads, books)
    _note_limits(b, site, power, (occupied, slack_mw), books)
    ours.post(books, CashLine.FIXED_COST, np.full(len(tree.nodes), -power.fixed_cost_usd_m_per_q))
    _post_security(outlook, power, ours, books)
    for n in np.flatnonzero(power.resale_gain_usd_m_per_mw):
        books.post_at(CashLine.RESALE_GAIN, int(n), energised[n] * float(power.resale_gain_usd_m_per_mw[n]))
    for leaf in tree.leaves:
        worth = float(power.energised_mw[leaf]) * site.unconverted_value_usd_m_per_mw
        ours.worth(books, ValueLine.LAND_AND_POWER, leaf, worth)


def _post_security(outlook: Outlook, power: SitePower, ours: Tenure, books: Books) -> None:
    """Security in cash follows the site: posted when it is bought, back in the quarter after its sale."""
    tree = outlook.tree

    def rise(secured: Array, before: float) -> Array:
        return np.array([secured[n] - (secured[tree.parent[n]] if n else before) for n in tree.nodes])

    posted = power.security_usd_m * ours.standing
    before = power.security_before_usd_m * float(ours.is_opening)
    books.post_constant(CashLine.SECURITY, -rise(posted, before))
    for _, variable, weight in ours.trades:
        books.post(CashLine.SECURITY, variable, -rise(power.security_usd_m * weight, 0.0))
    ours.tally(books, Tally.RESTRICTED, power.security_usd_m)
    for leaf in tree.leaves:
        ours.worth(books, ValueLine.RESTRICTED, leaf, float(power.security_usd_m[leaf]))


def _add_expansions(
    b: pyo.Block, outlook: Outlook, site: Site, offered: Sequence[ExpansionParams], books: Books
):
    """Steps of interconnect; returns MW added at a node, ready ones or all begun."""
    tree = outlook.tree
    keys = [(i, n) for i, x in enumerate(offered) for n in x.starts]
    b.steps = pyo.Var(
        keys,
        domain=pyo.NonNegativeIntegers,
        bounds=lambda _, i, n: (0, offered[i].expansion.max_steps),
        doc="steps begun",
    )
    for i, n in keys:
        x = offered[i]
        books.decide(Quantity.EXPAND, n, b.steps[i, n], site=site.site, item=x.expansion.expansion)
        books.post(CashLine.EXPANSION_SPEND, b.steps[i, n], -x.spend[n])
        books.spend(site.site, b.steps[i, n], x.spend[n])
        after = np.zeros(len(tree.nodes))
        for m in tree.descendants(n):
            leaf = tree.leaves_below(m)[0]
            between = [k for k in tree.path(leaf) if tree.period[k] > tree.period[m]]
            after[m] = x.spend[n][between].sum() + x.remaining[n][leaf]
        books.tally(Tally.REMAINING_OWN, b.steps[i, n], after)
        security = x.expansion.security_usd_m
        books.post_at(CashLine.SECURITY, n, term(b.steps[i, n], -security))
        books.tally(Tally.RESTRICTED, b.steps[i, n], security * outlook.below[n])
        for leaf in tree.leaves_below(n):
            books.worth(ValueLine.RESTRICTED, leaf, security, b.steps[i, n])
        for leaf, amount in x.remaining[n].items():
            books.worth(ValueLine.REMAINING_SPEND, leaf, -amount, b.steps[i, n])
            if tree.period[leaf] - tree.period[n] >= x.expansion.lead_q:
                gained = x.expansion.step_mw * site.unconverted_value_usd_m_per_mw
                books.worth(ValueLine.LAND_AND_POWER, leaf, gained, b.steps[i, n])

    @b.Constraint(
        range(len(offered)), tree.leaves, doc="POW-2 expansion steps within what is offered [steps]"
    )
    def steps_within_offer(b, i, leaf):
        begun = Linear()
        for n in offered[i].starts:
            if outlook.below[n][leaf]:
                begun.add(1.0, b.steps[i, n])
        return at_most(begun, offered[i].expansion.max_steps)

    def grown(n: int, ready_only: bool) -> Linear:
        result = Linear()
        for i, m in keys:
            lead = offered[i].expansion.lead_q if ready_only else 0
            if outlook.below[m][n] and tree.period[n] - tree.period[m] >= lead:
                result.add(offered[i].expansion.step_mw, b.steps[i, m])
        return result

    return grown


def _add_bills(
    b: pyo.Block,
    outlook: Outlook,
    power: SitePower,
    energised: list[Linear],
    occupied: list[Linear],
    loads: Sequence[Load],
    books: Books,
) -> None:
    tree = outlook.tree
    charged = [n for n in tree.nodes if power.demand_rate[n] > 0.0]
    owed = [n for n in tree.nodes if power.owed_mwh_per_mw[n] > 0.0]
    b.billed_mw = pyo.Var(charged, domain=pyo.NonNegativeReals, doc="demand billed [gross MW]")
    b.shortfall_gwh = pyo.Var(owed, domain=pyo.NonNegativeReals, doc="take-or-pay energy not drawn [GWh]")

    @b.Constraint(charged, doc="POW-3 demand billed covers what is occupied [MW]")
    def billed_covers_occupied(b, n):
        return at_most(occupied[n], term(b.billed_mw[n]))

    @b.Constraint(charged, doc="POW-4 demand billed covers the minimum bill [MW]")
    def billed_covers_minimum(b, n):
        return at_most(energised[n] * float(power.min_bill_frac[n]), term(b.billed_mw[n]))

    @b.Constraint(owed, doc="POW-5 take-or-pay energy that is not drawn is paid [GWh]")
    def shortfall_paid(b, n):
        drawn = total(load.energy_mwh[n] for load in loads) * 1e-3
        owed = energised[n] * (float(power.owed_mwh_per_mw[n]) * 1e-3)
        return at_most(owed - drawn, term(b.shortfall_gwh[n]))

    for n in charged:
        books.post_at(CashLine.DEMAND_CHARGE, n, term(b.billed_mw[n], -power.demand_rate[n]))
        repaid = total(load.recovered_mw[n] for load in loads)
        books.post_at(CashLine.DEMAND_RECOVERED, n, repaid * float(power.demand_rate[n]))
    for n in owed:
        books.post_at(CashLine.TAKE_OR_PAY, n, term(b.shortfall_gwh[n], -1e3 * power.take_or_pay_rate[n]))


def _note_limits(
    b: pyo.Block, site: Site, power: SitePower, loads_mw: Sequence[list[Linear]], books: Books
) -> None:
    """What POW-1 to POW-6 keep small: nothing draws, or is billed for, more than could ever be energised."""
    steps_mw = sum(x.expansion.step_mw * x.expansion.max_steps for x in power.expansions)
    for what, by_node in enumerate(loads_mw):
        for n, load in enumerate(by_node):
            most = float(power.energised_mw[n]) + steps_mw
            for coef, variable in zip(load.coefs, load.variables, strict=True):
                if coef > 0.0:
                    books.limit(variable, ("drawn", what, site.site, n), coef, most)
    for n, variable in b.billed_mw.items():
        books.limit(variable, ("billed", site.site, n), 1.0, float(power.energised_mw[n]) + steps_mw)
    for n, variable in b.shortfall_gwh.items():
        owed = float(power.owed_mwh_per_mw[n]) * 1e-3 * (float(power.energised_mw[n]) + steps_mw)
        books.limit(variable, ("shortfall", site.site, n), 1.0, owed)
