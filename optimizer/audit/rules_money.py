"""Every rule on cash, capital raised and the leaf, checked again."""

from collections import defaultdict
from dataclasses import dataclass

from optimizer.audit.court import Court
from optimizer.audit.rules_coins import CoinRules
from optimizer.audit.rules_debt import DebtRules
from optimizer.audit.rules_harvest import HarvestRules
from optimizer.audit.rules_owners import check_owners
from optimizer.audit.rules_take_outs import TakeOutRules
from optimizer.audit.rules_tax import check_taxes
from optimizer.audit.rules_terms import TermRules
from optimizer.audit.taxes import Taxes
from optimizer.audit.world import World

_SHARE = 1e-6
_DEAL_USD_M = 1e-6
"""A deal below one dollar is none."""


@dataclass(frozen=True)
class Deal:
    """A follow-on or an issue of notes."""

    instrument: str
    kind: str
    node: int
    gross: float


class MoneyRules:
    """Rules PRJ, SPV, DBT, CSH, CVT, EQT, VAL, TAX, TRE and HRV."""

    def __init__(self, world: World, court: Court) -> None:
        self.world, self.court = world, court
        self.book, self.decided = world.book, world.decided
        deals: dict[tuple[str, int], float] = defaultdict(float, self.decided.follow_on)
        for (name, _, n), principal in self.decided.issue.items():
            deals[name, n] += principal
        self.deals = [
            Deal(name, self.book.instruments[name].kind, n, gross)
            for (name, n), gross in deals.items()
            if gross > _DEAL_USD_M
        ]

    def check(self) -> None:
        """Take every check."""
        self._loans()
        self._leases()
        self._cash()
        unspent = self._raised_is_spent() if self.book.firm.raise_only_what_is_spent else None
        self._marketed()
        DebtRules(self.world, self.court).check()
        TermRules(self.world, self.court).check()
        TakeOutRules(self.world, self.court).check()
        self._blocks()
        self._programme()
        self._shares()
        self._leaves()
        check_owners(self.world, self.court)
        check_taxes(Taxes(self.world), self.court)
        CoinRules(self.world, self.court).check()
        HarvestRules(self.world, self.court).check(unspent)

    def _at(self, node: int, *names: str) -> str:
        return "|".join((*names, self.book.tree.label(node)))

    def _loans(self) -> None:
        begun: dict[tuple[str, str, str, int], float] = defaultdict(float)
        for s in self.decided.starts:
            begun[s.site, s.product, s.contract, s.node] += s.modules
        routes = {(f.site, f.product, f.contract, f.begun) for f in self.decided.financed}
        for route in routes:
            for leaf in self.book.tree.leaves_below(route[3]):
                financed = sum(
                    f.modules
                    for f in self.decided.financed
                    if (f.site, f.product, f.contract, f.begun) == route and f.closed in self.book.paths[leaf]
                )
                place = self._at(leaf, *route[:3], self.book.tree.label(route[3]))
                self.court.at_most("PRJ-1", place, financed, begun[route], _SHARE)
        for f in self.decided.financed:
            contract = self.book.contracts[f.contract]
            credit = self.book.classes[contract.credit_class or ""]
            allowed = credit.closes_at_start if f.begun == f.closed else credit.closes_at_completion
            is_open = self.book.rows[f.closed].project_debt_open
            holds = (allowed and is_open) or f.modules <= _SHARE
            place = self._at(f.closed, f.site, f.product, f.contract)
            self.court.require("PRJ-1", "decisions", place, "node", holds, "an open window", "shut")

    def _leases(self) -> None:
        """Begun once, financed or leased once; within each lessor's limit, while lenders are open."""
        begun: dict[tuple[str, str, str, int], float] = defaultdict(float)
        for s in self.decided.starts:
            begun[s.site, s.product, s.contract, s.node] += s.modules
        for route in {(x.site, x.product, x.contract, x.begun) for x in self.decided.leased}:
            leased = sum(
                x.modules for x in self.decided.leased if (x.site, x.product, x.contract, x.begun) == route
            )
            for leaf in self.book.tree.leaves_below(route[3]):
                lent = sum(
                    f.modules
                    for f in self.decided.financed
                    if (f.site, f.product, f.contract, f.begun) == route and f.closed in self.book.paths[leaf]
                )
                place = self._at(leaf, *route[:3], self.book.tree.label(route[3]))
                self.court.at_most("LSE-1", place, leased + lent, begun[route], _SHARE)
        for x in self.decided.leased:
            holds = self.book.rows[x.begun].project_debt_open or x.modules <= _SHARE
            place = self._at(x.begun, x.site, x.product, x.contract)
            self.court.require("LSE-1", "decisions", place, "node", holds, "an open window", "shut")
        for name, terms in self.book.leases.items():
            for n in self.book.tree.nodes:
                owed = self.world.lease_sum(n, "balance", lessor=name)
                self.court.at_most("LSE-2", self._at(n, name), owed, terms.max_usd_m, Court.USD_M)

    def _cash(self) -> None:
        ledger, firm = self.world.ledger, self.book.firm
        for n in self.book.tree.nodes:
            for entity in self.book.borrowers:
                cash = ledger.cash[entity, n]
                self.court.at_least("SPV-1", self._at(n, entity), cash, 0.0, Court.USD_M)
            late = self.world.late_loss(n, self.book.counted) + self.world.guaranteed(n)
            free = ledger.company_cash(n) - late - self.world.wall(n)
            self.court.at_least("CSH-2", self._at(n), free, firm.cash_floor_usd_m, Court.USD_M)

    def _raised_is_spent(self) -> dict[int, float]:
        """U with as much spent as may be: money raised and not yet spent is covered by what is to be paid."""
        world, tree = self.world, self.book.tree
        left: dict[int, float] = {}
        uses = [world.corporate_uses(n) for n in tree.nodes]
        for n in tree.nodes:
            before = left[tree.parent[n]] if n else 0.0
            raised = world.raised(n) + world.corporate.drawn(n)
            paid, parent = self.book.paid, self.book.parent
            spent = world.total_own_spend(n, paid) + uses[n] + world.tax_paid(n, parent)
            spent -= world.coins.rolled(n, paid)
            left[n] = max(0.0, before + raised - spent)
            ahead = sum(
                world.uses_ahead(m, n) * float(tree.probability[m] / tree.probability[n])
                for m in self.book.below[n]
                if 0 < tree.period[m] - tree.period[n] <= self.book.firm.look_ahead_q
            )
            cover = world.remaining_own(n, paid) - world.remaining_draws(n, paid) + ahead
            self.court.at_most("CSH-5", self._at(n), left[n], cover, Court.USD_M)
        return left

    def _marketed(self) -> None:
        book, court = self.book, self.court
        for deal in self.deals:
            terms, row = book.instruments[deal.instrument], book.rows[deal.node]
            is_note = deal.kind == "convertible"
            check, place = "CVT-1" if is_note else "EQT-4", self._at(deal.node, deal.instrument)
            cap = terms.max_frac_of_market_cap * book.share_price[deal.node] * book.firm.basic_shares_m
            court.at_least(check, place, deal.gross, terms.min_usd_m, Court.USD_M)
            court.at_most(check, place, deal.gross, min(terms.max_usd_m, cap), Court.USD_M)
            is_open = row.convert_open if is_note else row.equity_open
            court.require(check, "decisions", place, "node", is_open, "an open market", "shut")
            last = book.firm.last_convertible_quarter
            spaced = not is_note or last is None or book.tree.quarter(deal.node) - last >= terms.once_every_q
            court.require(
                "CVT-2", "decisions", place, "node", spaced, "spaced from the last deal", "too soon"
            )
            window = book.window(deal.node, terms.once_every_q)
            recent = sum(1 for other in self.deals if other.kind == deal.kind and other.node in window)
            court.at_most("CVT-2", place, recent, 1, _SHARE)

    def _block_shares(self, name: str, block: int) -> float:
        """Shares that a discount block takes. [M]"""
        rows = sorted(
            (r.block, r.up_to_frac_of_volume) for r in self.book.portfolio.impact if r.instrument == name
        )
        below = max((upto for b, upto in rows if b < block), default=0.0)
        share = self.book.blocks[name, block].up_to_frac_of_volume - below
        firm = self.book.firm
        return share * firm.traded_shares_m_per_day * firm.open_days_per_q

    def _is_shut(self, discount_frac: float, node: int) -> bool:
        """Whether a marketed deal keeps a discount block shut."""
        path, tree = set(self.book.paths[node]), self.book.tree
        for deal in self.deals:
            if deal.node in path:
                terms, since = (
                    self.book.instruments[deal.instrument],
                    tree.period[node] - tree.period[deal.node],
                )
                if 0 < terms.lockup_after_q >= since:
                    return True
                if since < terms.drop_lasts_q and discount_frac < terms.launch_drop_frac:
                    return True
        return False

    def _blocks(self) -> None:
        atm = self.decided.atm
        for (name, block, n), gross in atm.items():
            place = self._at(n, name, str(block))
            window = self.book.window(n, self.book.firm.impact_window_q)
            price = self.book.share_price
            recent = sum(atm.get((name, block, m), 0.0) / price[m] for m in window)
            self.court.at_most("EQT-1", place, recent, self._block_shares(name, block), Court.SHARES_M)
            shut = self._is_shut(self.book.blocks[name, block].discount_frac, n)
            self.court.at_most("EQT-3", place, gross if shut else 0.0, 0.0, Court.USD_M)
            is_open = self.book.rows[n].equity_open or gross <= Court.USD_M
            self.court.require("EQT-2", "decisions", place, "node", is_open, "an open market", "shut")

    def _programme(self) -> None:
        sold: dict[int, float] = defaultdict(float)
        by_name: dict[tuple[str, int], float] = defaultdict(float)
        for (name, _, n), gross in self.decided.atm.items():
            sold[n] += gross
            by_name[name, n] += gross
        for leaf in self.book.tree.leaves:
            total = sum(sold.get(n, 0.0) for n in self.book.paths[leaf])
            self.court.at_most("EQT-2", self._at(leaf), total, self.book.firm.atm_left_usd_m, Court.USD_M)
        for (name, n), gross in by_name.items():
            limit = self.book.instruments[name].max_usd_m
            self.court.at_most("EQT-2", self._at(n, name), gross, limit, Court.USD_M)

    def _shares(self) -> None:
        book, firm = self.book, self.book.firm
        for place in book.tree.nodes:
            path = book.paths[place]
            count = firm.basic_shares_m + firm.award_shares_m_per_q * len(path)
            for (_, _, n), gross in self.decided.atm.items():
                count += gross / book.share_price[n] if n in path else 0.0
            for (_, n), gross in self.decided.follow_on.items():
                count += gross / book.share_price[n] if n in path else 0.0
            for note, _ in self.world.notes:
                kept = 1.0 if note.is_new else self.world.corporate.left(note.name, place)
                count += note.shares_m * kept if note.issued in path else 0.0
            count += sum(claim.shares_m for claim in book.portfolio.share_claims)
            self.court.at_most("EQT-5", self._at(place), count, firm.authorised_shares_m, Court.SHARES_M)

    def _leaves(self) -> None:
        """VAL-1: what is begun can be paid for."""
        world, own = self.world, dict(self.book.paid)
        own.update((name, 0.0) for name, e in self.book.entities.items() if e.kind == "listed")
        for leaf in self.book.tree.leaves:
            free = world.ledger.company_cash(leaf) - self.book.firm.cash_floor_usd_m
            left = world.remaining_own(leaf, own) - world.remaining_draws(leaf, own)
            self.court.at_most("VAL-1", self._at(leaf), left, free, Court.USD_M)
