"""What of all debt falls due in the quarters after a leaf, by its terms."""

from models.domain.ledger import Quantity
from optimizer.plans.corporate_debt import schedules
from optimizer.plans.reading import Reading
from optimizer.plans.waterfall import served_after


def due_after(r: Reading, leaf: int, quarters: int) -> float:
    """Principal of loans, notes and convertibles owed at a leaf that is asked for in some quarters after it.

    Instalments and balloons of loans and facilities, the company's share of those of borrowers; notes,
    revolvers and convertibles in full at their maturity, or at the put price where they may be put. [$M]
    """
    portfolio = r.program.params.portfolio
    due = 0.0
    for e in portfolio.entities:
        served = served_after(r, e.entity, leaf) if e.counted else ()
        due += e.counted * sum(float((x.scheduled + x.balloon)[:quarters].sum()) for x in served)
    return due + _notes_due(r, leaf, quarters) + _convertibles_due(r, leaf, quarters)


def _notes_due(r: Reading, leaf: int, quarters: int) -> float:
    """Notes issued by the plan and balances of its revolvers that end by then."""
    p = r.program.params
    last = p.tree.quarter(leaf)
    balances = {name: float(columns[3][leaf]) for name, _, columns in schedules(r)}
    terms = {i.instrument: i for i in p.portfolio.instruments}
    bonds = {o.instrument.instrument: o.bonds for o in p.bond_offers}
    due = 0.0
    for d, _ in r.by_quantity[Quantity.NOTES]:
        repaid = p.tree.quarter(d.node) + ((terms[d.item].tenor_q or 1) - 1)
        due += balances[bonds[d.item][d.node, d.since].name] if 0 < repaid - last <= quarters else 0.0
    for offer in p.revolver_offers:
        ends = offer.instrument.available_until_quarter
        is_due = ends is not None and 0 < ends - last <= quarters
        due += balances[offer.instrument.instrument] if is_due else 0.0
    return due


def _convertibles_due(r: Reading, leaf: int, quarters: int) -> float:
    """What holders of convertibles may ask for by then: par, or the put price."""
    tree, due = r.program.params.tree, 0.0
    for note, size in r.notes:
        age, terms = tree.period[leaf] - tree.period[note.issue], note.terms
        ahead = range(age + 1, age + quarters + 1)
        asked = [terms.put_price_frac for q in terms.put_q if q in ahead and q < terms.maturity_q]
        most = max([*asked, 1.0 if terms.maturity_q in ahead else 0.0])
        due += size * float(note.outstanding[leaf]) * most
    return due
