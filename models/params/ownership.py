"""Sites bought and sold: from which node on each is ours, and what it costs or brings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.site import Site
from models.params.outlook import Outlook
from models.params.power import SitePower
from models.timetree import TimeTree

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ownership:
    """One site."""

    standing: Array
    """1 at the nodes where it is ours whatever is decided, unless it is sold."""
    buys: tuple[int, ...]
    """Nodes at which it may be bought; it is ours from that node on."""
    sales: tuple[int, ...]
    """Nodes at which it may be sold; it is ours up to that node."""
    purchase_usd_m: float
    due_usd_m: Array
    """The price of a purchase that is agreed, by node."""
    sale_usd_m: Array
    """What its sale brings by node, its cost taken off."""

    @property
    def is_given(self) -> bool:
        """Whether it is ours throughout."""
        return bool(self.standing.all()) and not self.sales

    def after(self, n: int, tree: TimeTree) -> Array:
        """1 at the nodes below ``n`` but not at it."""
        mark = np.zeros(len(tree.nodes))
        mark[[m for m in tree.descendants(n) if m != n]] = 1.0
        return mark


def ownership(site: Site, power: SitePower, outlook: Outlook) -> Ownership:
    """Who owns a site on the tree."""
    tree, size = outlook.tree, len(outlook.tree.nodes)
    by = site.purchase_by_quarter
    price = site.purchase_usd_m or 0.0
    standing, due = np.ones(size), np.zeros(size)
    buys: tuple[int, ...] = ()
    if not site.is_owned:
        assert by is not None
        agreed = site.state == "pending"
        standing = np.array([float(agreed and tree.quarter(n) >= by) for n in tree.nodes])
        due = np.array([price * (agreed and tree.quarter(n) == by) for n in tree.nodes])
        buys = tuple(n for n in tree.nodes if tree.quarter(n) <= by and not agreed)
    each, kept = site.sale_usd_m_per_mw, 1.0 - (site.sale_cost_frac or 0.0)
    return Ownership(
        standing=standing,
        buys=buys,
        sales=() if each is None else tuple(n for n in tree.nodes if tree.children[n]),
        purchase_usd_m=price,
        due_usd_m=due,
        sale_usd_m=power.energised_mw * (each or 0.0) * kept,
    )
