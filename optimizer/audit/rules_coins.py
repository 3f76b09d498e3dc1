"""Every rule on bitcoin, its loans and rolled balloons, checked again."""

from optimizer.audit.coins import Backed
from optimizer.audit.court import Court
from optimizer.audit.world import World


class CoinRules:
    """Rules TRE."""

    def __init__(self, world: World, court: Court) -> None:
        self.world, self.court = world, court
        self.book, self.coins = world.book, world.coins

    def check(self) -> None:
        """Take every check."""
        self._lots()
        for loan in self.coins.backed:
            self._below_call(loan)
            if loan.since >= 0:
                self._taken(loan)
        self._lines()
        self._rolls()

    def _at(self, node: int, *names: str) -> str:
        return "|".join((*names, self.book.tree.label(node)))

    def _lots(self) -> None:
        court, coins = self.court, self.coins
        for lot in self.book.portfolio.treasury:
            for n in self.book.tree.nodes:
                place, held = self._at(n, lot.lot), coins.held[lot.lot, n]
                court.at_least("TRE-1", place, held, 0.0, Court.BTC)
                sold = coins.decided.sold_btc.get((lot.lot, n), 0.0)
                court.at_most("TRE-2", place, sold, lot.sell_cap_frac_per_q * lot.btc, Court.BTC)
                for pledged in coins.taken(lot.lot, n):
                    court.at_most("TRE-4", place, pledged, held, Court.BTC)
            for leaf in self.book.tree.leaves:
                kept = coins.held[lot.lot, leaf]
                court.at_least("TRE-3", self._at(leaf, lot.lot), kept, lot.min_hold_btc, Court.BTC)

    def _call(self, loan: Backed, coins: float, node: int) -> float:
        """What a number of coins may secure before the lender calls. [$M]"""
        return loan.ltv_call_frac * coins * self.book.rows[node].trough_usd * 1e-6

    def _below_call(self, loan: Backed) -> None:
        for n in self.book.tree.nodes:
            if self.coins.runs(loan, n)[0]:
                owed = self.coins.owed_during(loan, n)
                cover = self._call(loan, self.coins.cover(loan, n), n) + self.coins.margin(loan, n)
                self.court.at_most("TRE-5", self._at(n, loan.name), owed, cover, Court.USD_M)

    def _taken(self, loan: Backed) -> None:
        """A loan against bitcoin on its first day and before each next one."""
        n, terms = loan.since, self.book.instruments[loan.source]
        amount, coins = self.coins.owed_after(loan, n), self.coins.cover(loan, n)
        place, row = self._at(n, loan.source), self.book.rows[n]
        most = (terms.ltv_max_frac or 0.0) * coins * row.btc_usd * 1e-6
        self.court.at_most("TRE-6", place, amount, most, Court.USD_M)
        is_open = row.project_debt_open or amount <= Court.USD_M
        self.court.require("TRE-6", "decisions", place, "node", is_open, "an open window", "shut")
        for m in self.book.tree.children[n] or (n,):
            self.court.at_most("TRE-7", place, amount, self._call(loan, coins, m), Court.USD_M)

    def _lines(self) -> None:
        for i in self.book.portfolio.instruments:
            own = [x for x in self.coins.loans if x.source == i.instrument and not x.is_roll]
            for n in self.book.tree.nodes if own else ():
                schedules = (self.coins.schedule[x.name] for x in own)
                out = sum(schedule[n].balance for schedule in schedules if n in schedule)
                self.court.at_most("TRE-8", self._at(n, i.instrument), out, i.max_usd_m, Court.USD_M)

    def _rolls(self) -> None:
        for loan in self.coins.loans:
            if loan.is_roll:
                d, place = self.book.debts[loan.source], self._at(loan.node, loan.source)
                due = self.world.debts[loan.source][loan.node].principal
                most = (d.refinance_max_frac or 0.0) * due
                self.court.at_most("TRE-9", place, loan.amount, most, Court.USD_M)
                is_open = self.book.rows[loan.node].project_debt_open
                at_maturity = self.book.tree.quarter(loan.node) == d.maturity_quarter
                holds = (is_open and at_maturity) or loan.amount <= Court.USD_M
                self.court.require(
                    "TRE-9", "decisions", place, "node", holds, "maturity in an open window", "another node"
                )
