"""GRD-7: contracted megawatts by the guarantor, or the tenant, that they lean on."""

from collections.abc import Iterator, Sequence

from models.blocks.linear import Linear, total
from models.blocks.ports import BorrowerPorts
from models.domain.contract import Contract
from models.domain.ledger import Quantity
from models.params.params import Params


def leans_on(contract: Contract) -> str:
    """Who answers for the rent; nobody of a merchant contract."""
    return "" if contract.state == "merchant" else contract.guarantor or contract.tenant


def leaning(
    p: Params, borrowers: Sequence[BorrowerPorts], share: float, leaf: int
) -> Iterator[tuple[Linear, Linear]]:
    """Critical MW that lean on each one, and how many may: what stands at the opening may go on. [MW]"""
    path = set(p.tree.path(leaf))
    names = sorted({leans_on(c) for c in p.portfolio.contracts} - {""})
    found = {name: Linear() for name in names}
    standing = dict.fromkeys(names, 0.0)
    for x in (b for borrower in borrowers for s in borrower.sites for b in s.conversion.begun):
        name = leans_on(x.route.terms.contract)
        if name and x.node in path:
            found[name].add(x.route.module_mw, x.count)
    for y in (y for borrower in borrowers for s in borrower.sites for y in s.sold):
        if leans_on(y.contract) and y.sale.node in path:
            found[leans_on(y.contract)].add(-y.sale.mw, y.variable)
    for a in p.commitments:
        name, mw = leans_on(a.terms.contract), float((a.live_mw + a.building_mw).max(initial=0.0))
        if not name:
            continue
        found[name].constant += mw
        standing[name] += mw
        for d in (d for b in borrowers for d in b.books.decisions if d.quantity is Quantity.CANCEL):
            if d.item == a.commitment.commitment and d.node in path:
                found[name].add(-mw, d.variable)
    contracted, stands = total(found.values()), sum(standing.values())
    for name in names:
        above = max(0.0, standing[name] - share * stands)
        yield found[name], contracted * share + above
