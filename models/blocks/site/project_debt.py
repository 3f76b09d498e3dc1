"""PRJ: facilities taken by cohort of modules, sized by the lender, served as sculpted."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import at_most, term, total
from models.blocks.new_loans import post_facility
from models.blocks.ports import Begun
from models.domain.ledger import Quantity
from models.domain.site import Site
from models.params.loans import FacilityArrays
from models.timetree import TimeTree


def add_project_debt(
    b: pyo.Block,
    tree: TimeTree,
    site: Site,
    begun: Sequence[Begun],
    offered: Sequence[tuple[FacilityArrays, ...]],
    books: Books,
) -> Mapping[tuple[int, int], Any]:
    """Modules financed by cohort and close; ``offered`` runs along ``begun``. Maths: PRJ-1.

    Returned are the modules financed by cohort and close.
    """
    keyed: Mapping[tuple[int, int], FacilityArrays] = {
        (i, f.close): f for i, fs in enumerate(offered) for f in fs
    }
    b.financed = pyo.Var(list(keyed), domain=pyo.NonNegativeReals, doc="modules financed")
    for (i, close), f in keyed.items():
        _post(begun[i], f, b.financed[i, close], tree, site, books)
        module_mw = begun[i].route.module_mw
        books.limit(b.financed[i, close], ("financed", site.site), module_mw, site.max_hpc_critical_mw)

    def last_closes(i: int) -> list[int]:
        later = [f.close for f in offered[i] if f.close != begun[i].node]
        return later or [f.close for f in offered[i]]

    @b.Constraint(
        [(i, c) for i, _ in enumerate(offered) for c in last_closes(i)],
        doc="PRJ-1 financed within begun [modules]",
    )
    def financed_within_begun(b, i, close):
        closes = {begun[i].node, close}
        taken = total(term(b.financed[i, c]) for c in closes if (i, c) in keyed)
        return at_most(taken, term(begun[i].count))

    return b.financed


def _post(x: Begun, f: FacilityArrays, variable: object, tree: TimeTree, site: Site, books: Books) -> None:
    books.decide(
        Quantity.FINANCED,
        f.close,
        variable,
        site=site.site,
        item=x.route.terms.product.product,
        contract=x.route.terms.contract.contract,
        since=tree.label(x.node),
    )
    post_facility(variable, f, books)
    if f.close == x.node:  # a close at completion reimburses what was spent: it lowers no spend still to come
        books.tally(Tally.OWN_NEED, variable, -f.draws, site.site)
        books.tally(Tally.REMAINING_OWN, variable, -f.to_pay)
