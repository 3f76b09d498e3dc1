"""What is owed to whom at a node, and what falls due in the year after it."""

from models.domain.rules import YEAR_Q
from models.timetree import Quarter
from optimizer.audit.book import Book
from optimizer.audit.coins import NewLoan
from optimizer.audit.debts import DebtQuarter, principal_by_quarter
from optimizer.audit.notes import Note
from optimizer.audit.world import World


def notes_outstanding(world: World, node: int) -> float:
    """All convertibles at par. [$M]"""
    return sum(rolled[node].outstanding for _, rolled in world.notes if node in rolled)


def _terms(world: World, loan: NewLoan) -> tuple[bool, bool]:
    """Whether a loan of the plan is with recourse, and secured; a rolled one as what it rolls."""
    if not loan.is_roll:
        return True, True
    old = world.book.debts[loan.source]
    return old.recourse, old.kind != "corporate"


def new_loans(
    world: World, node: int, *, recourse: bool = False, secured: bool = False
) -> list[tuple[float, DebtQuarter]]:
    """The loans of the plan that are out or due at a node, with the part that the company counts."""
    found = []
    for loan in world.coins.loans:
        with_recourse, is_secured = _terms(world, loan)
        if node in world.coins.schedule[loan.name] and (
            (recourse and with_recourse) or (secured and is_secured)
        ):
            found.append((world.book.counted[loan.entity], world.coins.schedule[loan.name][node]))
    return found


def recourse_debt(world: World, node: int) -> float:
    """Loans with recourse, notes and revolvers. [$M]"""
    counted = world.book.counted
    own = (d for d in world.book.portfolio.debt if d.recourse)
    loans = sum(counted[d.entity] * world.debts[d.debt][node].balance for d in own)
    loans += letters(world, node)
    loans += sum(part * q.balance for part, q in new_loans(world, node, recourse=True))
    loans += world.corporate.total(node, "balance") + world.lease_sum(node, "balance", counted)
    return loans + notes_outstanding(world, node)


def letters(world: World, node: int) -> float:
    """Letters of credit that the parent answers for, of loans that it does not. [$M]"""
    held = (d for d in world.book.portfolio.debt if d.dsra_form == "parent_lc" and not d.recourse)
    counted = world.book.counted
    backed = sum(counted[d.entity] * world.debts[d.debt][node].letter for d in held)
    return backed + world.facility_sum(node, "parent_letter", counted)


def secured_debt(world: World, node: int) -> float:
    """Loans that are not corporate, and project debt. [$M]"""
    kinds = (d for d in world.book.portfolio.debt if d.kind != "corporate")
    counted = world.book.counted
    loans = sum(counted[d.entity] * world.debts[d.debt][node].balance for d in kinds)
    loans += sum(part * q.balance for part, q in new_loans(world, node, secured=True))
    lent = world.facility_sum(node, "balance", counted) + world.lease_sum(node, "balance", counted)
    return loans + lent


def recourse_interest(world: World, node: int) -> float:
    """Interest on loans with recourse, notes and revolvers, and coupons. [$M]"""
    counted = world.book.counted
    own = (d for d in world.book.portfolio.debt if d.recourse)
    loans = sum(counted[d.entity] * world.debts[d.debt][node].interest for d in own)
    loans += sum(part * q.interest for part, q in new_loans(world, node, recourse=True))
    loans += world.corporate.total(node, "interest") + world.lease_sum(node, "interest", counted)
    return loans + sum(rolled[node].coupon for _, rolled in world.notes if node in rolled)


def due_in_a_year(world: World, node: int) -> float:
    """Notes due or to be put, loans, balloons and GPUs shipped, in the four quarters that follow. [$M]"""
    now, tree, counted = world.book.tree.quarter(node), world.book.tree, world.book.counted
    ahead = [now + k for k in range(1, YEAR_Q + 1)]
    due = sum(
        rolled[node].outstanding * _asked(note, ahead) for note, rolled in world.notes if node in rolled
    )
    due += world.corporate.due_in(node, ahead)
    due += world.over_sites(counted, lambda here: here.payable[node])
    for taken in world.leases:
        due += part_of_site(world.book, taken.decided.site) * taken.due_after(node, YEAR_Q)
    for debt in world.book.portfolio.debt:
        repaid = principal_by_quarter(world.book, debt, YEAR_Q)
        off = world.debts[debt.debt][node].prepaid if debt.maturity_quarter in ahead else 0.0
        kept = world.debts[debt.debt][node].kept
        due += counted[debt.entity] * kept * (sum(repaid[q] for q in ahead) - off)
    for loan in world.coins.loans:
        if loan.node in world.book.paths[node]:
            age = tree.period[node] - tree.period[loan.node]
            due += counted[loan.entity] * loan.amount if age < loan.tenor_q <= age + YEAR_Q else 0.0
    for f, facility in world.facilities:
        if f.closed in world.book.paths[node]:
            age = tree.period[node] - tree.period[f.closed]
            part = counted[world.book.sites[f.site].entity] * f.modules
            due += part * sum(facility.quarter(age + k).balloon for k in range(1, YEAR_Q + 1))
    return due


def _asked(note: Note, ahead: list[Quarter]) -> float:
    """The most that holders may ask for in some quarters, per $ outstanding."""
    most = 1.0 if note.maturity in ahead else 0.0
    if note.put is not None and note.put in ahead and note.put < note.maturity:
        most = max(most, note.put_price_frac)
    return most


def is_unsigned(book: Book, contract: str) -> bool:
    """Whether no tenant has signed."""
    return book.contracts[contract].state == "merchant"


def has_no_tenant(book: Book, contract: str, node: int) -> bool:
    """Whether no tenant has signed, or the one that did has gone by a node."""
    return is_unsigned(book, contract) or book.ended(contract, node) is not None


def part_of_site(book: Book, site: str) -> float:
    """What the company counts of a site's owner. [fraction]"""
    return book.counted[book.sites[site].entity]


def unsigned_left(world: World, node: int) -> float:
    """Own spend still to come of halls that nobody has signed for. [$M]"""
    book, left = world.book, 0.0
    for start, module in world.sites.modules:
        if has_no_tenant(book, start.contract, node) and start.node in book.paths[node]:
            left += part_of_site(book, start.site) * start.modules * module.remaining_own(node)
    for one in world.sites.commitments:
        if has_no_tenant(book, one.commitment.contract, node):
            left += part_of_site(book, one.commitment.site) * one.at[node].remaining_own
    return left


def new_shares(world: World, node: int) -> float:
    """Shares sold at a node, and those reserved for the notes issued there. [M]"""
    decided, price = world.decided, world.book.share_price[node]
    sold = sum(gross for (_, _, n), gross in decided.atm.items() if n == node)
    sold += sum(gross for (_, n), gross in decided.follow_on.items() if n == node)
    reserved = sum(note.shares_m for note, _ in world.notes if note.is_new and note.issued == node)
    return sold / price + reserved


def raised_gross(world: World, node: int) -> float:
    """Gross dollars of shares sold and notes issued at a node. [$M]"""
    decided = world.decided
    total = sum(gross for (_, _, n), gross in decided.atm.items() if n == node)
    total += sum(gross for (_, n), gross in decided.follow_on.items() if n == node)
    for deals in (decided.issue, decided.notes):
        total += sum(gross for (_, _, n), gross in deals.items() if n == node)
    return total


def leaning(world: World, share: float, leaf: int) -> list[tuple[float, float, bool]]:
    """Contracted MW on each guarantor or tenant at a leaf, and how many may be: what stood may go on."""
    book = world.book
    names = {c.guarantor or c.tenant for c in book.contracts.values() if c.state != "merchant"}
    now, before = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for start, module in world.sites.modules:
        contract = book.contracts[start.contract]
        if contract.state != "merchant" and start.node in book.paths[leaf]:
            now[contract.guarantor or contract.tenant] += start.modules * module.mw
    for x in world.sites.sold:
        if x.is_gone(leaf):
            now[x.lease.contract.guarantor or x.lease.contract.tenant] -= x.count * x.mw
    for one in world.sites.commitments:
        contract = book.contracts[one.commitment.contract]
        if contract.state != "merchant":
            name = contract.guarantor or contract.tenant
            before[name] += one.total_mw
            now[name] += 0.0 if one.is_cancelled(leaf) else one.total_mw
    stood, contracted = sum(before.values()), sum(now.values())
    return [(now[x], share * contracted + max(0.0, before[x] - share * stood), False) for x in sorted(names)]
