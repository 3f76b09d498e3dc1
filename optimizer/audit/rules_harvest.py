"""The rules on payouts to the shareholders, checked again."""

from collections.abc import Mapping

from models.domain.ledger import CORPORATE_COST_LINES, LENT_LINES, CashLine, Quantity
from optimizer.audit.court import Court
from optimizer.audit.world import World

_ANYTHING = 1e6
"""More than any plan begins, raises or owes in a quarter. [modules, MW, $M]"""
_NOTHING = 1e-6


class HarvestRules:
    """Rules HRV-1 to HRV-6."""

    def __init__(self, world: World, court: Court) -> None:
        self.world, self.court = world, court
        self.book, self.decided = world.book, world.decided

    def check(self, unspent: Mapping[int, float] | None) -> None:
        """Take every check; ``unspent`` is money raised and not yet spent, where it must be spent. [$M]"""
        tree, firm, court = self.book.tree, self.book.firm, self.court
        opens = firm.payouts_from_quarter
        for n in tree.nodes:
            is_open = opens is not None and tree.quarter(n) >= opens
            place, harvest, paid = tree.label(n), self._harvest(n), self.decided.payout.get(("", n), 0.0)
            if not is_open:
                court.at_most("HRV-3", place, harvest + paid, 0.0, _NOTHING)
                continue
            before = self._harvest(tree.parent[n]) if n else 0.0
            court.at_most("HRV-1", place, before, harvest, _NOTHING)
            elsewhere = _ANYTHING * (1.0 - harvest)
            court.at_most("HRV-2", place, self._begun(n), elsewhere, Court.MW)
            court.at_most("HRV-2", place, self._raised(n), elsewhere, Court.USD_M)
            most = (firm.payout_max_usd_m_per_q or 0.0) * harvest
            court.at_most("HRV-3", place, paid, most, Court.USD_M)
            if unspent is not None:
                court.at_most("HRV-4", place, unspent[n], elsewhere, Court.USD_M)
                received = self._received(n)
                with_raised = received + self._raised_so_far(n) - unspent[n]
                court.at_least("HRV-5", place, with_raised, -elsewhere, Court.USD_M)
                offers = any(s.sale_cap_rate_frac is not None for s in self.book.portfolio.sites)
                if offers and tree.children[n]:
                    earned = received - self._brought(n) + self._built(n)
                    court.at_least("HRV-5", place, earned, -elsewhere, Court.USD_M)
            covered = self.world.ledger.company_cash(n) - self._borrowed(n)
            court.at_least("HRV-6", place, covered, -elsewhere, Court.USD_M)

    def _harvest(self, node: int) -> float:
        return self.decided.harvest.get(("", node), 0.0)

    def _begun(self, node: int) -> float:
        """Modules, steps, plant, signatures, machines, sites, debt and leases at a node: of any unit."""
        decided = self.decided
        placed = (*decided.signs, *decided.expands, *decided.cools, *decided.orders)
        count = sum(x.amount for x in placed if x.node == node)
        count += sum(x.modules for x in decided.starts if x.node == node)
        count += sum(x.modules for x in decided.financed if x.closed == node)
        count += sum(x.modules for x in decided.leased if x.begun == node)
        bought = (mw for (q, _, _, n), mw in decided.mw.items() if q is Quantity.BOUGHT_MW and n == node)
        sites = (x for (q, _, n), x in decided.traded.items() if q is Quantity.BUY_SITE and n == node)
        return count + sum(bought) + sum(sites)

    def _raised(self, node: int) -> float:
        """Shares sold, notes and loans taken, revolvers arranged and drawn at a node. [$M]"""
        decided = self.decided
        by_three = (decided.atm, decided.issue, decided.notes)
        total = sum(x for deals in by_three for (_, _, n), x in deals.items() if n == node)
        by_two = (decided.follow_on, decided.borrowed, decided.commit, decided.drawn)
        total += sum(x for (_, n), x in decided.taken_out.items() if n == node)
        return total + sum(x for deals in by_two for (_, n), x in deals.items() if n == node)

    def _brought(self, node: int) -> float:
        """The company's part of what let halls sold on the way brought. [$M]"""
        sold = (x for x in self.world.sites.sold if x.node in self.book.paths[node])
        owned = ((x, self.book.entities[self.book.sites[x.decided.site].entity]) for x in sold)
        return sum(e.share * x.price_usd_m for x, e in owned)

    def _built(self, node: int) -> float:
        """Own spend on the way. [$M]"""
        return sum(self.world.total_own_spend(m, self.book.paid) for m in self.book.paths[node])

    def _raised_so_far(self, node: int) -> float:
        """Money raised on the way. [$M]"""
        return sum(self.world.raised(m) + self.world.corporate.drawn(m) for m in self.book.paths[node])

    def _received(self, node: int) -> float:
        """What came to the company on the way, less payouts. [$M]"""
        others = (*LENT_LINES, *CORPORATE_COST_LINES)
        counted = [line for line in CashLine if line not in others]
        parent = (self.book.parent,)
        return sum(self.world.ledger.total(m, counted, parent) for m in self.book.paths[node])

    def _borrowed(self, node: int) -> float:
        """What the plan owes in the company's name, less what it bought back of its convertibles. [$M]"""
        world, coins = self.world, self.world.coins
        owed = world.corporate.total(node, "balance")
        for note, rolled in world.notes:
            if node in rolled:
                before = 0.0 if note.is_new else world.corporate.gross[note.name][node].outstanding
                owed += rolled[node].outstanding - before
        for name, existing in world.debts.items():
            called = 1.0 - existing[node].kept
            part = self.book.counted[self.book.debts[name].entity]
            owed -= part * called * world.by_terms[name][node].balance
        owed += world.take_outs.total(node, "balance", self.book.counted)
        own = (coins.schedule[x.name] for x in coins.loans if x.entity == self.book.parent)
        return owed + sum(rolled[node].balance for rolled in own if node in rolled)
