"""The rules between borrowers and their owners, checked again."""

from models.domain.ledger import Quantity
from optimizer.audit.court import Court
from optimizer.audit.world import World


def check_owners(world: World, court: Court) -> None:
    """OWN-1 ... OWN-5."""
    book, decided = world.book, world.decided
    for name in book.borrowers:
        e, only = book.entities[name], {name: 1.0}
        for n in book.tree.nodes:
            place = f"{name}|{book.tree.label(n)}"
            if not e.may_hand_up(book.tree.quarter(n)):
                court.at_most("OWN-1", place, decided.distributed.get((name, n), 0.0), 0.0, Court.USD_M)
            if not e.takes_contributions:
                court.at_most("OWN-2", place, decided.contributed.get((name, n), 0.0), 0.0, Court.USD_M)
            if e.kind == "listed":
                cash = world.ledger.cash[name, n]
                court.at_least("OWN-3", place, cash, world.late_loss(n, only), Court.USD_M)
                if n in book.tree.leaves:
                    left = world.remaining_own(n, only) - world.remaining_draws(n, only)
                    court.at_least("OWN-4", place, cash, left, Court.USD_M)
    for (quantity, site, vintage, n), mw in decided.mw.items():
        is_move = quantity in (Quantity.MOVED_IN_MW, Quantity.MOVED_OUT_MW)
        if is_move and book.entities[book.sites[site].entity].share < 1.0:
            court.at_most("OWN-5", f"{site}|{vintage}|{book.tree.label(n)}", mw, 0.0, Court.MW)
