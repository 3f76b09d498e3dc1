"""The tables of a plan on bitcoin and on the loans that it secures, rebuilt."""

from optimizer.audit.coins import USD_M
from optimizer.audit.tables_physical import Rows
from optimizer.audit.world import World


def bitcoin(world: World) -> Rows:
    """Each lot over time."""
    coins, found = world.coins, Rows()
    for lot in world.book.portfolio.treasury:
        for n in world.book.tree.nodes:
            held = coins.held[lot.lot, n]
            found[lot.lot, world.book.tree.label(n)] = {
                "held_btc": held,
                "sold_btc": coins.decided.sold_btc.get((lot.lot, n), 0.0),
                "pledged_btc": max(coins.taken(lot.lot, n)),
                "market_usd_m": held * coins.price(n),
            }
    return found


def collateral(world: World) -> Rows:
    """Each loan that coins secure, in the quarters in which it is owed."""
    coins, found = world.coins, Rows()
    for loan in coins.backed:
        for n in world.book.tree.nodes:
            owed = coins.owed_during(loan, n)
            if owed > 0.0:
                cover, cash = coins.cover(loan, n), coins.margin(loan, n)
                at_trough = cover * world.book.rows[n].trough_usd * USD_M
                found[loan.name, world.book.tree.label(n)] = {
                    "owed_usd_m": owed,
                    "pledged_btc": cover,
                    "at_trough_usd_m": at_trough,
                    "cash_usd_m": cash,
                    "headroom_usd_m": loan.ltv_call_frac * at_trough + cash - owed,
                }
    return found
