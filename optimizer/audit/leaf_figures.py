"""Each future in figures: its worth, the price at which what stands would settle, what falls due after it."""

from optimizer.audit.arithmetic import root
from optimizer.audit.tables_physical import Rows
from optimizer.audit.valuation import Valuation
from optimizer.audit.waterfall import serve_after
from optimizer.audit.world import World

_WINDOWS = (4, 8)


def leaves(worth: Valuation, price: float) -> Rows:
    """Each future beside the plan's price and the deck's."""
    book, own = worth.book, own_price(worth)
    found: Rows = {}
    for leaf in book.tree.leaves:
        at_leaf = price * worth.leaf_factor[leaf]
        value = sum(worth.at_leaf[leaf].values())
        others = sum(worth.claims(leaf, price).values())
        shares = book.firm.basic_shares_m + (others / at_leaf if at_leaf > 0.0 else 0.0)
        found[book.tree.label(leaf),] = {
            "probability": float(book.tree.probability[leaf]),
            "value_usd_m": value,
            "economic_shares_m": shares,
            "value_per_share_usd": value / shares,
            "plan_price_usd": at_leaf,
            "deck_price_usd": book.share_price[leaf],
            "own_price_usd": own * worth.leaf_factor[leaf],
            "liquidity_usd_m": worth.world.ledger.company_cash(leaf) + worth.world.in_reach(leaf),
            **{f"due_{k}q_usd_m": falls_due(worth.world, leaf, k) for k in _WINDOWS},
        }
    return found


def falls_due(world: World, leaf: int, quarters: int) -> float:
    """Principal asked for in the quarters after a leaf, the company's share of what borrowers owe. [$M]"""
    book = world.book
    ahead = [book.tree.quarter(leaf) + k for k in range(1, quarters + 1)]
    due = world.corporate.due_in(leaf, ahead)
    for name, part in book.counted.items():
        if part > 0.0:
            due += part * sum(q.principal + q.balloon for q in serve_after(world, name, leaf)[:quarters])
    for note, rolled in world.notes:
        if leaf in rolled:
            is_put = note.put is not None and note.put in ahead and note.put < note.maturity
            asked = max(float(note.maturity in ahead), note.put_price_frac if is_put else 0.0)
            due += asked * rolled[leaf].outstanding
    return due


def own_price(worth: Valuation) -> float:
    """Price per share at which value meets the claims if what stands settles at that price too. [USD]

    Convertibles of the opening that the deck's prices have ended on the way take the greater of par and
    parity at the leaf, less their capped calls; options that have expired their gain there.
    """
    book, tree = worth.book, worth.book.tree

    def surplus(price: float) -> float:
        left = -price * book.firm.basic_shares_m
        for leaf in tree.leaves:
            there = price * worth.leaf_factor[leaf]
            taken = worth.claims(leaf, price)
            for claim in book.portfolio.share_claims:
                if claim.expiry_quarter <= book.last_quarter and worth.is_vested(claim.contract, leaf):
                    taken[claim.claim] = claim.shares_m * max(0.0, there - claim.strike_usd)
            worth_there = sum(worth.at_leaf[leaf].values()) + _cash_to_notes(worth, leaf)
            others = sum(taken.values()) - _delivered(worth, leaf, price) + _settled(worth, leaf, there)
            left += float(tree.probability[leaf]) * (worth_there - others)
        return left

    return root(surplus, book.firm.price_usd)


def _cash_to_notes(worth: Valuation, leaf: int) -> float:
    """Cash principal of the opening's convertibles on the way to a leaf. [$M]"""
    path = worth.book.paths[leaf]
    standing = (rolled for note, rolled in worth.world.notes if not note.is_new)
    return sum(rolled[n].principal for rolled in standing for n in path)


def _delivered(worth: Valuation, leaf: int, price: float) -> float:
    """What shares delivered by the opening's convertibles take at a leaf. [$M]"""
    factor, paid = worth.leaf_factor[leaf], worth.book.share_price
    return sum(worth.delivered_net(n, False) * price * factor / paid[n] for n in worth.book.paths[leaf])


def _settled(worth: Valuation, leaf: int, price: float) -> float:
    """Claims at a price of what ended of the opening's convertibles on the way, but by a repurchase. [$M]"""
    found, corporate = 0.0, worth.world.corporate
    for note, rolled in worth.world.notes:
        if not note.is_new:
            bought = sum(
                b.frac * corporate.gross[note.name][b.node].outstanding
                for b in corporate.buybacks
                if b.note.name == note.name and b.node in worth.book.paths[leaf]
            )
            ended = (note.principal_usd_m - bought - rolled[leaf].outstanding) / note.principal_usd_m
            cash, shares, hedge = note.settle(price)
            found += ended * note.principal_usd_m * (cash + shares - hedge)
    return found
