"""TEN: offers and options signed at a site, and the modules that only a signature allows."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyomo.environ as pyo

from models.blocks.books import Books
from models.blocks.linear import Linear, at_most, term
from models.blocks.ports import Begun
from models.domain.contract import Contract
from models.domain.ledger import CashLine, Quantity
from models.domain.site import Site
from models.timetree import TimeTree
from models.units import USD_M_PER_KW_MONTH


def add_tenants(
    b: pyo.Block,
    tree: TimeTree,
    site: Site,
    contracts: Sequence[Contract],
    over: Mapping[str, frozenset[int]],
    begun: Sequence[Begun],
    books: Books,
) -> Mapping[tuple[str, int], Any]:
    """Signatures by offer and node; ``over``: nodes at which a contract has ended. Maths: TEN-1 to TEN-4."""
    offers = {x.route.terms.contract.contract: x.route.terms.contract for x in begun}
    offers = {name: c for name, c in offers.items() if c.signable}

    def is_over(name: str | None, n: int) -> bool:
        return n in over.get(name or "", ())

    may_sign = {
        o: [n for n in signing_nodes(c, tree) if not is_over(o, n) and not is_over(c.option_of, n)]
        for o, c in offers.items()
    }
    b.signed = pyo.Var(
        [(o, n) for o, nodes in may_sign.items() for n in nodes],
        domain=pyo.Binary,
        doc="offer signed here",
    )
    for o, n in b.signed:
        books.decide(Quantity.SIGN, n, b.signed[o, n], site=site.site, contract=o)
    below = [set(tree.descendants(n)) for n in tree.nodes]

    def begun_mw(o: str, n: int) -> Linear:
        result = Linear()
        for x in begun:
            if x.route.terms.contract.contract == o and n in below[x.node]:
                result.add(x.route.module_mw, x.count)
        return result

    def signed_mw(o: str, n: int, mw: float) -> Linear:
        result = Linear()
        for m in may_sign[o]:
            if n in below[m]:
                result.add(mw, b.signed[o, m])
        return result

    starts = sorted(
        {
            (x.route.terms.contract.contract, x.node)
            for x in begun
            if x.route.terms.contract.contract in offers
        }
    )

    @b.Constraint(starts, doc="TEN-1 modules only after the signature and up to its maximum [MW]")
    def begun_after_signing(b, o, n):
        return at_most(begun_mw(o, n), signed_mw(o, n, offers[o].max_mw))

    checks = [(o, n) for o, c in offers.items() for n in deadline_nodes(c, tree) if not is_over(o, n)]

    @b.Constraint(checks, doc="TEN-2 minimum live by the deadline [MW]")
    def minimum_by_deadline(b, o, n):
        return at_most(signed_mw(o, n, offers[o].min_mw), begun_mw(o, n))

    overdue = [(o, n) for o, c in offers.items() for n in overdue_nodes(c, tree) if not is_over(o, n)]
    b.late_mw = pyo.Var(overdue, domain=pyo.NonNegativeReals, doc="critical MW late")

    @b.Constraint(overdue, doc="TEN-4 MW late after the deadline [MW]")
    def late_after_deadline(b, o, n):
        live = Linear()
        for x in begun:
            is_live = n in below[x.node] and tree.period[n] - tree.period[x.node] >= x.route.lead_q
            if x.route.terms.contract.contract == o and is_live:
                live.add(x.route.module_mw, x.count)
        return at_most(signed_mw(o, n, offers[o].min_mw) - live, term(b.late_mw[o, n]))

    for o, n in overdue:
        damages = (offers[o].late_damages_usd_per_kw_month or 0.0) * USD_M_PER_KW_MONTH
        books.post_at(CashLine.LATE_DAMAGES, n, term(b.late_mw[o, n], -damages))
        books.limit(b.late_mw[o, n], ("late", site.site, o, n), 1.0, offers[o].min_mw)

    granted_by_plan = {c.contract for c in contracts if c.signable}
    exercises = [(o, n) for o, c in offers.items() if c.option_of in granted_by_plan for n in may_sign[o]]

    @b.Constraint(exercises, doc="TEN-3 an option only where its contract is signed [signatures]")
    def exercised_after_signing(b, o, n):
        parent = offers[o].option_of
        granted = signed_mw(parent, n, 1.0) if parent in offers else Linear()
        return at_most(signed_mw(o, n, 1.0), granted)

    return {(o, n): b.signed[o, n] for o, n in b.signed}


def signing_nodes(c: Contract, tree: TimeTree) -> tuple[int, ...]:
    """Nodes within the signing window."""
    assert c.sign_from_quarter is not None
    assert c.sign_by_quarter is not None
    return tuple(n for n in tree.nodes if c.sign_from_quarter <= tree.quarter(n) <= c.sign_by_quarter)


def overdue_nodes(c: Contract, tree: TimeTree) -> tuple[int, ...]:
    """Nodes from the deadline on, before the long stop."""
    if c.deadline_quarter is None or c.long_stop_quarter is None:
        return ()
    return tuple(n for n in tree.nodes if c.deadline_quarter <= tree.quarter(n) < c.long_stop_quarter)


def deadline_nodes(c: Contract, tree: TimeTree) -> tuple[int, ...]:
    """Nodes of the last delivery's quarter; the leaves if it lies beyond the horizon or is not stated."""
    nodes = tuple(n for n in tree.nodes if tree.quarter(n) == c.last_delivery_quarter)
    return nodes or tree.leaves
