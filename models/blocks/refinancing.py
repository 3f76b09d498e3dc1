"""TRE: what an existing loan owes at its maturity, rolled into a new one."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most, term, total
from models.blocks.new_loans import post_bullet
from models.domain.ledger import CashLine, Quantity
from models.params.new_loans import Roll


def add_refinancing(
    b: pyo.Block, rolls: Sequence[Roll], early: Mapping[tuple[str, int], Linear], books: Books
) -> None:
    """Balloons of an owner's loans, less what ``early`` repays of them. Maths: section 6, TRE-9."""
    by_key, tree = {(r.debt.debt, r.loan.drawn): r for r in rolls}, books.tree
    b.rolled_usd_m = pyo.Var(list(by_key), domain=pyo.NonNegativeReals, doc="rolled at maturity [$M]")

    @b.Constraint(list(by_key), doc="TRE-9 rolled at most a fraction of what falls due [$M]")
    def rolled_at_most(b, debt, n):
        frac = by_key[debt, n].debt.refinance_max_frac or 0.0
        gone = total(early[debt, m] * frac for m in tree.path(n) if (debt, m) in early)
        return at_most(term(b.rolled_usd_m[debt, n]) + gone, by_key[debt, n].most_usd_m)

    for (debt, n), roll in by_key.items():
        variable, here = b.rolled_usd_m[debt, n], np.zeros(len(books.tree.nodes))
        here[n] = 1.0
        books.limit(variable, ("rolled", debt, n), 1.0, roll.most_usd_m)
        books.decide(Quantity.ROLLED, n, variable, item=debt)
        books.post(CashLine.REFINANCED, variable, here)
        books.tally(Tally.ROLLED, variable, here)
        secured = roll.debt.kind != "corporate"
        post_bullet(variable, roll.loan, books, recourse=roll.debt.recourse, secured=secured)
