"""The cash that what is decided by a node brings and takes in the quarters after it, with no new issue."""

from collections import defaultdict
from collections.abc import Sequence

from models.blocks.books import Tally
from models.blocks.linear import Linear, total
from models.blocks.shares import PartOf
from models.domain.ledger import CashLine, Quantity
from models.domain.rules import YEAR_Q
from models.params.params import Params

_OPERATING = (CashLine.RENT, CashLine.TENANT_CREDIT, CashLine.OPEX, CashLine.HPC_POWER)
"""Counted of what a tenant has signed for."""
_SURE = (
    CashLine.FIXED_COST,
    CashLine.OVERHEAD,
    CashLine.MODULE_SPEND,
    CashLine.RENEWAL_CAPEX,
    CashLine.COOLING_SPEND,
    CashLine.EQUIPMENT_SPEND,
    CashLine.EXPANSION_SPEND,
    CashLine.COMMITMENT_SPEND,
    CashLine.SITE_PURCHASE,
    CashLine.TENANT_MONEY,
    CashLine.TENANT_REFUND,
    CashLine.SECURITY,
    CashLine.PROJECT_DRAWS,
    CashLine.ESCROW_INCOME,
    CashLine.PROJECT_INTEREST,
    CashLine.PROJECT_PRINCIPAL,
    CashLine.RESERVE_RELEASE,
    CashLine.LEASE_DRAWS,
    CashLine.LEASE_INTEREST,
    CashLine.LEASE_PRINCIPAL,
    CashLine.ESCROW_RELEASE,
    CashLine.DEBT_DRAWS,
    CashLine.DEBT_INTEREST,
    CashLine.DEBT_PRINCIPAL,
    CashLine.LOAN_INTEREST,
    CashLine.LOAN_PRINCIPAL,
    CashLine.CONVERT_COUPON,
    CashLine.CONVERT_PRINCIPAL,
    CashLine.NOTES_INTEREST,
    CashLine.NOTES_PRINCIPAL,
)
"""Counted whoever has signed. Mining earns and costs nothing; nothing is raised, sold or bought."""


class Ahead:
    """Sees from a node the cash of the nodes below it. Maths: docs/program.md, section 8, cash ahead."""

    def __init__(self, p: Params, all_books: Sequence[PartOf]) -> None:
        self.p, self.tree, self.all_books = p, p.tree, all_books
        self._period = {id(d.variable): p.tree.period[d.node] for b in all_books for d in b.decisions}
        merchant = {c.contract for c in p.portfolio.contracts if c.state == "merchant"}
        self._loose = [a for a in p.commitments if a.commitment.contract in merchant]
        self._counted = {
            a.commitment.site: p.portfolio.owner_of(a.commitment.site).counted for a in self._loose
        }
        loose = {a.commitment.commitment for a in self._loose}
        self._unsigned = {
            id(d.variable)
            for b in all_books
            for d in b.decisions
            if (d.quantity is Quantity.START and d.contract in merchant)
            or (d.quantity is Quantity.CANCEL and d.item in loose)
        }
        self._by_node: dict[int, dict[int, Linear]] = {}

    def quarter(self, n: int, m: int) -> Linear:
        """Net cash at ``m`` of what is decided by ``n``, a node before it. [$M]"""
        return total(part for t, part in self._parts(m).items() if t <= self.tree.period[n])

    def year(self, n: int) -> Linear:
        """Expected net cash of the next four quarters within the horizon. [$M]"""
        return total(self.quarter(n, m) * self._chance(n, m) for m in self.below(n))

    def along(self, n: int, m: int) -> Linear:
        """Net cash from after ``n`` to ``m``, on the path between them. [$M]"""
        return total(
            self.quarter(n, k) for k in self.tree.path(m) if self.tree.period[k] > self.tree.period[n]
        )

    def below(self, n: int) -> list[int]:
        """Nodes of the next four quarters."""
        last = self.tree.period[n] + YEAR_Q
        return [m for m in self.tree.descendants(n)[1:] if self.tree.period[m] <= last]

    def _chance(self, n: int, m: int) -> float:
        return float(self.tree.probability[m] / self.tree.probability[n])

    def _parts(self, m: int) -> dict[int, Linear]:
        """Net cash at a node by the quarter of the decision; what no decision changes at -1."""
        if m not in self._by_node:
            sums: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
            named = {}
            constant = -sum(
                self._counted[a.commitment.site] * float((a.rent - a.opex - a.power)[m]) for a in self._loose
            )
            for flow, counts_unsigned in self._flows(m):
                constant += flow.constant
                for coef, variable in zip(flow.coefs, flow.variables, strict=True):
                    i = id(variable)
                    if i in self._period and (counts_unsigned or i not in self._unsigned):
                        sums[self._period[i]][i] += coef
                        named[i] = variable
            found = {-1: Linear(constant=constant)}
            for t, coefs in sums.items():
                found[t] = Linear()
                for i, coef in coefs.items():
                    found[t].add(coef, named[i])
            self._by_node[m] = found
        return self._by_node[m]

    def _flows(self, m: int) -> list[tuple[Linear, bool]]:
        found = []
        for books in self.all_books:
            found.append((books.cash_at(m, _OPERATING), False))
            found.append((books.cash_at(m, _SURE), True))
            found.append((-books.tally_at(Tally.WALL, m), True))
        return found
