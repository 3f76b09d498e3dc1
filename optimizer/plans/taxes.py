"""The table tax: each group's year by the node that ends it."""

import pandas as pd

from models.blocks.books import Tally
from models.blocks.shares import PartOf
from models.domain.ledger import INTEREST_EARNED_LINES
from optimizer.plans.reading import Reading


def tax_tables(r: Reading) -> dict[str, pd.DataFrame]:
    """All tables on taxes."""
    return {"tax": pd.DataFrame(_tax(r))}


def _tax(r: Reading) -> list[dict[str, object]]:
    p, m = r.program.params, r.program.model
    taxes, parent = p.taxes, p.portfolio.parent.entity
    rows: list[dict[str, object]] = []
    for g in taxes.groups:
        apart = [x for x in r.program.borrowers if g in taxes.paid_by(p.portfolio, x.entity)]
        block = m.borrower[apart[0].entity].tax if apart else m.company.tax
        owned = {parent: PartOf(r.program.books[0], 1.0)}
        owned |= {x.entity: PartOf(x.books, 1.0 if apart else x.owned.share) for x in r.program.borrowers}
        members = [b for entity, b in owned.items() if taxes.of_entity[entity] is g]
        for end, nodes in taxes.years.items():
            income = float(block.income[g.tax_group, end].value)
            taxed = float(block.taxed[g.tax_group, end].value)
            written_off = sum(b.tally_at(Tally.WRITTEN_OFF, n).value for b in members for n in nodes)
            in_place = float(taxes.basis[g.tax_group].written_off[list(nodes)].sum())
            rows.append(
                {
                    "tax_group": g.tax_group,
                    "node": r.labels[end],
                    "quarter": r.quarters[end],
                    "interest_usd_m": sum(_net_interest(b, n) for b in members for n in nodes),
                    "written_off_usd_m": written_off + in_place,
                    "taxable_income_usd_m": income,
                    "losses_used_usd_m": max(0.0, income) - taxed,
                    "losses_left_usd_m": float(block.losses[g.tax_group, end].value),
                    "tax_usd_m": g.rate_frac * taxed,
                }
            )
    return rows


def _net_interest(books: PartOf, n: int) -> float:
    """Interest accrued less interest earned in a quarter. [$M]"""
    return books.tally_at(Tally.INTEREST, n).value - books.cash_at(n, INTEREST_EARNED_LINES).value
