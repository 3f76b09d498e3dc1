"""LSE: GPUs that vendors or lessors pay for, by cohort of modules, repaid in level payments."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import at_most, term, total
from models.blocks.new_loans import LoanLines, post_amortised
from models.blocks.ports import Begun, Leased
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.site import Site
from models.params.vendor_leases import LeaseArrays

_LINES = LoanLines(CashLine.LEASE_DRAWS, CashLine.LEASE_INTEREST, CashLine.LEASE_PRINCIPAL, ValueLine.LEASES)


def add_vendor_leases(
    b: pyo.Block,
    site: Site,
    begun: Sequence[Begun],
    offered: Sequence[tuple[LeaseArrays, ...]],
    financed: Mapping[tuple[int, int], Any],
    books: Books,
) -> tuple[Leased, ...]:
    """Modules whose GPUs are leased; ``financed`` carry project debt, by cohort and close. Maths: LSE-1."""
    keyed = {(i, x.terms.lease): x for i, xs in enumerate(offered) for x in xs}
    b.leased = pyo.Var(list(keyed), domain=pyo.NonNegativeReals, doc="modules whose GPUs are leased")
    for (i, name), x in keyed.items():
        _post(begun[i], x, b.leased[i, name], site, books)
        most = site.max_hpc_critical_mw
        books.limit(b.leased[i, name], ("financed", site.site), begun[i].route.module_mw, most)

    def last_closes(i: int) -> list[int]:
        closes = [close for j, close in financed if j == i]
        return [c for c in closes if c != begun[i].node] or [begun[i].node]

    @b.Constraint(
        [(i, c) for i, xs in enumerate(offered) if xs for c in last_closes(i)],
        doc="LSE-1 leased or financed within begun, none twice [modules]",
    )
    def leased_within_begun(b, i, close):
        leased = total(term(b.leased[i, x.terms.lease]) for x in offered[i])
        lent = total(term(financed[i, c]) for c in {begun[i].node, close} if (i, c) in financed)
        return at_most(leased + lent, term(begun[i].count))

    return tuple(Leased(x.terms, b.leased[key], x.balance) for key, x in keyed.items())


def _post(x: Begun, a: LeaseArrays, variable: Any, site: Site, books: Books) -> None:
    _, product, contract = x.route.key
    books.decide(
        Quantity.LEASED,
        x.node,
        variable,
        site=site.site,
        item=product,
        contract=contract,
        since=a.terms.lease,
    )
    post_amortised(variable, a, _LINES, books)
    books.tally(Tally.RECOURSE, variable, a.balance)
    books.tally(Tally.RECOURSE_INTEREST, variable, a.interest)
    books.tally(Tally.UNDRAWN, variable, a.to_pay)
    books.tally(Tally.REMAINING_OWN, variable, -a.to_pay)
    books.tally(Tally.OWN_NEED, variable, -a.draws, site.site)
