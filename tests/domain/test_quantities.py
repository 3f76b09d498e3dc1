"""What a plan decides is classed once: begun, raised, a deal of another kind, or run."""

from collections import Counter

from models.domain.ledger import BEGUN, BEYOND_COMMITTED, DEALS, RAISED, Quantity

RUN = frozenset(
    {
        *(Quantity.ON_MW, Quantity.SLACK_MW, Quantity.MOVED_OUT_MW),
        *(Quantity.SOLD_MW, Quantity.SELL_SITE, Quantity.SELL_BLOCK, Quantity.SOLD_BTC),
        *(Quantity.PREPAID, Quantity.CALLED, Quantity.REPAID),
        *(Quantity.PLEDGED_BTC, Quantity.CASH_MARGIN),
        *(Quantity.CONTRIBUTED, Quantity.DISTRIBUTED, Quantity.OPEN, Quantity.TAXED),
        *(Quantity.HARVEST, Quantity.PAYOUT, Quantity.RESCUE),
    }
)
"""Neither: machines run, assets sold, debts repaid, security laid down, cash handed on, the last resort."""


def test_each_quantity_is_classed_once() -> None:
    """A new one belongs to BEGUN or RAISED, to what goes beyond the committed plan besides, or here."""
    classes = (BEGUN, RAISED, BEYOND_COMMITTED - BEGUN, DEALS - RAISED, RUN)
    times = Counter(quantity for members in classes for quantity in members)
    assert times == Counter(Quantity)
