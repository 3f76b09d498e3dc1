"""Which sites are ours in which quarter: owned at the opening, bought on the way, sold."""

from models.domain.ledger import Quantity
from optimizer.audit.book import Book
from optimizer.audit.decisions import Decisions
from optimizer.audit.shares import Weights, of


class Estate:
    """Reads the purchases and sales of sites."""

    def __init__(self, book: Book, decided: Decisions) -> None:
        self.book, self.decided = book, decided

    def times(self, quantity: Quantity, site: str, nodes: tuple[int, ...]) -> float:
        """How often a site is bought or sold at some nodes."""
        return sum(self.decided.traded.get((quantity, site, n), 0.0) for n in nodes)

    def ours(self, site: str, node: int) -> float:
        """1 in a quarter in which a site is ours: from that of its purchase on, up to that of its sale."""
        row, path = self.book.sites[site], self.book.paths[node]
        if row.state == "candidate":
            held = self.times(Quantity.BUY_SITE, site, path)
        elif row.state == "pending":
            by = row.purchase_by_quarter
            held = float(by is not None and self.book.tree.quarter(node) >= by)
        else:
            held = 1.0
        return held - self.times(Quantity.SELL_SITE, site, path[:-1])

    def before(self, site: str, node: int) -> float:
        """1 where it was ours in the quarter before."""
        if node:
            return self.ours(site, self.book.tree.parent[node])
        return float(self.book.sites[site].state not in ("candidate", "pending"))

    def paid(self, site: str, node: int) -> float:
        """Price of a purchase in a quarter. [$M]"""
        row, quarter = self.book.sites[site], self.book.tree.quarter(node)
        agreed = row.state == "pending" and row.purchase_by_quarter == quarter
        bought = self.times(Quantity.BUY_SITE, site, (node,)) + float(agreed)
        return bought * (row.purchase_usd_m or 0.0)

    def still_to_pay(self, site: str, node: int) -> float:
        """Price of an agreed purchase after a quarter. [$M]"""
        row, quarter = self.book.sites[site], self.book.tree.quarter(node)
        if row.state != "pending" or row.purchase_by_quarter is None or row.purchase_by_quarter <= quarter:
            return 0.0
        return row.purchase_usd_m or 0.0

    def received(self, site: str, node: int) -> float:
        """What a sale brings in a quarter, its cost taken off. [$M]"""
        row = self.book.sites[site]
        power = self.book.power(site, self.book.tree.quarter(node))
        mw = power.energised_mw if power is not None else 0.0
        price = mw * (row.sale_usd_m_per_mw or 0.0) * (1.0 - (row.sale_cost_frac or 0.0))
        return self.times(Quantity.SELL_SITE, site, (node,)) * price

    def fixed_cost(self, node: int, seen: int, weights: Weights = None) -> float:
        """Fixed costs of sites in a quarter, as known at ``seen``, each times its owner's weight. [$M]"""
        return sum(
            of(weights, site.entity) * self.known(name, node, seen) * site.fixed_cost_usd_m_per_q
            for name, site in self.book.sites.items()
        )

    def known(self, site: str, node: int, seen: int) -> float:
        """1 where a site is ours in a quarter, by what is decided up to ``seen``, a node before it."""
        row, tree = self.book.sites[site], self.book.tree
        if row.state == "pending":
            return self.ours(site, node)
        kept = self.ours(site, seen)
        if tree.period[node] > tree.period[seen]:
            kept -= self.decided.traded.get((Quantity.SELL_SITE, site, seen), 0.0)
        return kept
