"""What a dollar in hand can become by the end without building anything: cash, machines, notes, coins."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.portfolio import Portfolio
from models.params.claims import Claims
from models.params.coins import Coins
from models.params.corporate_debt import RepurchaseOffer
from models.params.mining import Vintage, vintages
from models.params.outlook import Outlook
from models.timetree import TimeTree
from models.units import QUARTERS_PER_YEAR

Array = NDArray[np.float64]
CASH = "kept as cash"


@dataclass(frozen=True, eq=False)
class Grown:
    """Leaf dollars expected of a dollar at a node, put to its best use there, and what that use is."""

    usd: Array
    use: tuple[str, ...]

    def ends_as(self, n: int, tree: TimeTree) -> str:
        """The first use but cash, at the node or below it."""
        below = (self.use[m] for m in tree.descendants(n))
        return next((name for name in below if name != CASH), CASH)


Use = Callable[[int, Array], Iterator[tuple[float, str]]]
"""Of a node, and of what a dollar grows to from nodes at or below it: leaf dollars of a dollar put in, and
the use's name. Asked of every node, those below before those above."""


def cash_yield(portfolio: Portfolio, outlook: Outlook) -> Array:
    """What a dollar of cash earns in the quarter of each node."""
    rate = outlook.base_rate_frac - portfolio.firm.cash_yield_spread_frac
    return np.maximum(0.0, rate) / QUARTERS_PER_YEAR


def grown(portfolio: Portfolio, outlook: Outlook, given: Iterable[Use]) -> Grown:
    """From the leaves backwards: the best of cash and of the uses given."""
    tree, earned = outlook.tree, 1.0 + cash_yield(portfolio, outlook)
    usd, names, chosen = np.ones(len(tree.nodes)), [CASH] * len(tree.nodes), tuple(given)
    for n in reversed(tree.nodes):
        if tree.children[n]:
            usd[n] = _ahead(outlook, n, earned * usd)
        for gain, name in (found for use in chosen for found in use(n, usd)):
            if gain > usd[n] * (1.0 + 1e-9):
                usd[n], names[n] = gain, name
    return Grown(usd, tuple(names))


def _ahead(outlook: Outlook, n: int, by_node: Mapping[int, float] | Array) -> float:
    """Expectation at a node over its children; nothing at a leaf."""
    tree = outlook.tree
    return sum(float(tree.probability[c] / tree.probability[n]) * float(by_node[c]) for c in tree.children[n])


def machines(portfolio: Portfolio, outlook: Outlook) -> list[tuple[Vintage, Use]]:
    """New machines bought where no tariff falls on them, if there is such a site, left idle and sold again.

    To move them costs money and what they fetch does not depend on the site, so no round gains by a move.
    """
    regions = {r.region: r for r in portfolio.regions}
    sites = [regions[s.region] for s in portfolio.sites if s.mining_allowed]
    taxed = [r.asic_tariff_applies for r in sites if r.new_mining_allowed]
    tariff = np.array([r.asic_tariff_frac for r in outlook.rows]) * all(taxed)
    new = (v for v in vintages(portfolio, outlook) if v.is_new and taxed)
    return [(v, _machine(v, v.price_usd_m_per_mw * (1.0 + tariff), outlook)) for v in new]


def _machine(vintage: Vintage, price: Array, outlook: Outlook) -> Use:
    held: dict[int, float] = {}

    def use(n: int, usd: Array) -> Iterator[tuple[float, str]]:
        later = _ahead(outlook, n, held)
        held[n] = max(float(vintage.resale_usd_m_per_mw[n] * usd[n]), later)
        if price[n] > 0.0:
            yield later / float(price[n]), f"spent on machines {vintage.machine.machine}, idle until sold"

    return use


def repurchases(outlook: Outlook, claims: Claims, offers: Iterable[RepurchaseOffer], lam: float) -> list[Use]:
    """Convertibles bought back: coupons, principal and claims saved, less what is charged of a gain."""
    return [_repurchase(outlook, claims, offer, lam) for offer in offers]


def _repurchase(outlook: Outlook, claims: Claims, offer: RepurchaseOffer, lam: float) -> Use:
    def use(n: int, usd: Array) -> Iterator[tuple[float, str]]:
        if n in offer.price_usd_m:
            note, chance = offer.retired[n], float(outlook.tree.probability[n])
            weight = outlook.tree.probability / chance * outlook.below[n]
            saved = note.principal_usd_m * float(np.sum(weight * (note.coupon + note.principal) * usd))
            saved -= claims.repurchase(lam, offer, n) / chance
            yield saved / offer.price_usd_m[n], f"spent on notes {note.tranche} bought back"

    return use


def coins(portfolio: Portfolio, outlook: Outlook, held: Coins) -> list[Use]:
    """Coins kept for later instead of being sold, by what counts of their rise."""
    costs = sorted({lot.sell_cost_frac for lot in portfolio.treasury if lot.sell_cap_frac_per_q > 0.0})
    return [_coin(outlook, held, 1.0 - cost) for cost in costs]


def _coin(outlook: Outlook, held: Coins, net_frac: float) -> Use:
    kept: dict[int, float] = {}

    def use(n: int, usd: Array) -> Iterator[tuple[float, str]]:
        brings, charged = float(held.price[n]) * net_frac, float(held.uncounted_sold[n])
        is_leaf = not outlook.tree.children[n]
        later = float(held.price[n] - held.uncounted_held[n]) if is_leaf else _ahead(outlook, n, kept)
        kept[n] = max(brings * float(usd[n]) - charged, later)
        yield (later + charged) / brings, "left in coins that need not be sold"

    return use
