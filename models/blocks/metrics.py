"""What every metric of the covenants table says at a node: a value, its limit, and which must not be less."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.blocks import cover
from models.blocks.ahead import Ahead
from models.blocks.books import Books, Tally
from models.blocks.leaning import leaning
from models.blocks.linear import Linear, recent, term, total
from models.blocks.ports import BorrowerPorts, Raised, Treasury
from models.blocks.shares import PartOf
from models.domain.ledger import DEBT_LINES, EBITDA_LINES, CashLine, ValueLine
from models.domain.rules import LEAF_METRICS, YEAR_Q, Covenant, History
from models.params.params import Params

_INTEREST = "interest_usd_m"
_EBITDA = "ebitda_usd_m"


@dataclass(frozen=True, eq=False)
class Measured:
    """A covenant at a node; the headroom of one that holds is not negative."""

    covenant: Covenant
    node: int
    """At which it is tested."""
    at: int
    """For which: a node ahead in a test of liquidity to come, else the same."""
    value: Linear
    limit: Linear
    is_least: bool
    """Whether the limit is the least that the value may be, or the most."""

    @property
    def headroom(self) -> Linear:
        """Positive where there is room."""
        return self.value - self.limit if self.is_least else self.limit - self.value


Sides = tuple[Linear, Linear, bool]


class Metrics:
    """The metrics of a program whose books are written. Maths: docs/program.md, COV-1 ... GRD-6.

    Of the company: its own books and its part of each borrower's. Of one borrower: all of its books.
    """

    def __init__(
        self,
        p: Params,
        treasury: Treasury,
        borrowers: Sequence[BorrowerPorts],
        raised: Raised,
        books: Books,
        entity: str | None = None,
    ) -> None:
        self.p, self.tree, self.firm = p, p.tree, p.portfolio.firm
        self.treasury, self.borrowers, self.raised, self.entity = treasury, borrowers, raised, entity
        self.counted = (PartOf(books, 1.0), *(x.counted for x in borrowers))
        self.sold = [(x.owned.counted, y) for x in borrowers for s in x.sites for y in s.sold]
        self.ahead = Ahead(p, self.counted)
        self._history = {} if entity else {h.quarter: h for h in p.portfolio.history}
        self._by_metric: Mapping[str, Callable[[Covenant, int], Sides]] = {
            "minimum_liquidity": self._minimum_liquidity,
            "net_debt_to_ebitda": self._net_debt_to_ebitda,
            "interest_cover": self._interest_cover,
            "dscr": self._dscr,
            "net_debt_to_market_cap": self._net_debt_to_market_cap,
            "recourse_debt": self._recourse_debt,
            "secured_debt": self._secured_debt,
            "maturities": self._maturities,
            "maturity_wall": self._maturities,
            "dilution": self._dilution,
            "cash_cover": self._cash_cover,
            "funded_commitments": self._funded_commitments,
            "solvency": self._solvency,
            "unsigned_building": self._unsigned_building,
        }

    @classmethod
    def of(cls, p: Params, x: BorrowerPorts) -> "Metrics":
        """Those of one borrower, as if it stood alone."""
        nothing = Raised((), (), (), ())
        found = cls(p, Treasury(x.cash, x.rescue), (), nothing, x.books, x.entity)
        found.sold = [(1.0, y) for s in x.sites for y in s.sold]
        return found

    @property
    def covenants(self) -> list[Covenant]:
        """The rows of the table that these metrics are for."""
        return [c for c in self.p.portfolio.covenants if c.entity == self.entity]

    def measured(self, c: Covenant) -> Iterator[Measured]:
        """A covenant at every node of its span."""
        for n in self.tree.leaves if c.metric in LEAF_METRICS else self.tree.nodes:
            if not c.holds_in(self.tree.quarter(n)):
                continue
            if c.metric == "stress_liquidity":
                for m in (n, *self.ahead.below(n)):
                    left = self.unwalled(n) + self.ahead.along(n, m)
                    yield Measured(c, n, m, left, Linear(constant=c.threshold), True)
            elif c.metric == "tenant_share":
                for i, sides in enumerate(leaning(self.p, self.borrowers, c.threshold, n)):
                    yield Measured(c, n, i, *sides, False)
            elif c.metric == "market_cap":
                if self._market_cap(n) < c.threshold:
                    yield Measured(c, n, n, self._raised_gross(n), Linear(), False)
            else:
                yield Measured(c, n, n, *self._by_metric[c.metric](c, n))

    def tallied(self, what: Tally, n: int) -> Linear:
        """A tally over the company and its part of all borrowers."""
        return total(books.tally_at(what, n) for books in self.counted)

    def sure_cash(self, n: int) -> Linear:
        """Unrestricted cash in reach, every open delivery late. [$M]"""
        cash = total(x.in_reach(n) for x in self.borrowers) + term(self.treasury.cash[n])
        return cash - self.tallied(Tally.LATE_LOSS, n)

    def unwalled(self, n: int) -> Linear:
        """Of it, what is left when the notes due in the quarter take their principal in full. [$M]"""
        return self.sure_cash(n) - self.tallied(Tally.WALL, n)

    def free(self, n: int) -> Linear:
        """And when what is guaranteed to be completed has been paid for. [$M]"""
        return self.unwalled(n) - total(x.guaranteed(n) for x in self.borrowers)

    def _rescue(self, n: int) -> Linear:
        return term(self.treasury.rescue[n])

    def _net_debt(self, n: int) -> Linear:
        return self.tallied(Tally.DEBT, n) - self.sure_cash(n)

    def _looked_back(self, c: Covenant, n: int, column: str, at: Callable[[int], Linear]) -> Linear:
        """Sum of the last quarters of a covenant's basis, those before the first from history. [$M]"""
        nodes = self.tree.path(n)[-c.looks_back_q :]
        before = total(Linear(constant=getattr(h, column)) for h in self._past(c.looks_back_q, n))
        return total(at(m) for m in nodes) + before

    def _past(self, quarters: int, n: int) -> Iterator[History]:
        """Quarters before the first among the last ones at a node."""
        for back in range(self.tree.period[n] + 1, quarters):
            quarter = self.tree.quarter(n) + -back
            if quarter in self._history:
                yield self._history[quarter]

    def _cured_ebitda(self, c: Covenant, n: int) -> Linear:
        """EBITDA and rescue of the quarters looked at, every open delivery late. [$M]"""

        def cured(m: int) -> Linear:
            return total(books.cash_at(m, (*EBITDA_LINES, CashLine.RESCUE)) for books in self.counted)

        earned = self._looked_back(c, n, _EBITDA, cured) - self._sold_since(c, n)
        return earned - self.tallied(Tally.LATE_LOSS, n)

    def _sold_since(self, c: Covenant, n: int) -> Linear:
        """Of the quarters looked at, what halls sold by now have earned. [$M]"""
        path, found = self.tree.path(n), Linear()
        for part, y in self.sold:
            if part and y.sale.node in path:
                found.add(part * float(y.sale.before[list(path[-c.looks_back_q :])].sum()), y.variable)
        return found

    def _minimum_liquidity(self, c: Covenant, n: int) -> Sides:
        return self.free(n), Linear(constant=c.threshold), True

    def _net_debt_to_ebitda(self, c: Covenant, n: int) -> Sides:
        a_year = self._cured_ebitda(c, n) * (YEAR_Q / c.looks_back_q)
        return self._net_debt(n), a_year * c.threshold, False

    def _interest_cover(self, c: Covenant, n: int) -> Sides:
        interest = self._looked_back(c, n, _INTEREST, lambda m: self.tallied(Tally.INTEREST, m))
        return self._cured_ebitda(c, n), interest * c.threshold, True

    def _dscr(self, c: Covenant, n: int) -> Sides:
        """CFADS and rescue of the quarters looked at against their service, every open delivery late. [$M]"""
        nodes, books = self.tree.path(n)[-c.looks_back_q :], self.counted[0].books
        rescued = total(books.cash_at(m, (CashLine.RESCUE,)) for m in nodes)
        earned = total(cover.cfads(books, m) for m in nodes) + rescued - self.tallied(Tally.LATE_LOSS, n)
        earned -= self._sold_since(c, n)
        return earned, total(cover.service(books, m) for m in nodes) * c.threshold, True

    def _market_cap(self, n: int) -> float:
        return float(self.p.outlook.share_price_usd[n]) * self.firm.basic_shares_m

    def _net_debt_to_market_cap(self, c: Covenant, n: int) -> Sides:
        return self._net_debt(n), Linear(constant=c.threshold * self._market_cap(n)), False

    def _raised_gross(self, n: int) -> Linear:
        sold = total(term(v) for m, v in self.raised.sold if m == n)
        notes = [(note.issue, v) for v, note in self.raised.issued]
        return sold + total(term(v) for m, v in (*notes, *self.raised.borrowed) if m == n)

    def _recourse_debt(self, c: Covenant, n: int) -> Sides:
        owed = self.tallied(Tally.RECOURSE, n) - self._rescue(n)
        return owed, Linear(constant=c.threshold), False

    def _secured_debt(self, c: Covenant, n: int) -> Sides:
        owed = self.tallied(Tally.SECURED, n) - self._rescue(n)
        return owed, Linear(constant=c.threshold), False

    def _maturities(self, c: Covenant, n: int) -> Sides:
        return self.free(n), self.tallied(Tally.DUE, n) * c.threshold, True

    def _dilution(self, c: Covenant, n: int) -> Sides:
        """Shares sold, and reserved for new notes, in four quarters. [M]"""
        price = self.p.outlook.share_price_usd
        window = set(recent(list(self.tree.nodes), self.tree.parent, n, YEAR_Q))
        before = sum(h.shares_issued_m or 0.0 for h in self._past(YEAR_Q, n))
        new = Linear(constant=before)
        for m, variable in self.raised.sold:
            if m in window:
                new.add(1.0 / float(price[m]), variable)
        for variable, note in self.raised.issued:
            if note.issue in window:
                new.add(1.0 / note.terms.conversion_price_usd, variable)
        return new, Linear(constant=max(before, c.threshold * self.firm.basic_shares_m)), False

    def _cash_cover(self, c: Covenant, n: int) -> Sides:
        a_quarter = self.tallied(Tally.RECOURSE_INTEREST, n) + float(self.p.overhead_usd_m[n])
        return self.free(n), a_quarter * c.threshold, True

    def _funded_commitments(self, c: Covenant, n: int) -> Sides:
        funds = self.unwalled(n) + self.tallied(Tally.LINE, n) + self.ahead.year(n)
        return funds, Linear(constant=c.threshold), True

    def _solvency(self, c: Covenant, leaf: int) -> Sides:
        owed = (*DEBT_LINES, ValueLine.RESCUE, ValueLine.PAYOUTS, ValueLine.MINORITY)
        assets = total(books.worth_at(leaf, owed) for books in self.counted)
        listed = [x for x in self.borrowers if x.owned.kind == "listed"]
        equity = total(PartOf(x.books, 1.0).worth_at(leaf, (ValueLine.RESCUE,)) for x in listed)
        return assets + equity, self.tallied(Tally.DEBT, leaf) * c.threshold, True

    def _unsigned_building(self, c: Covenant, n: int) -> Sides:
        return self.tallied(Tally.REMAINING_UNSIGNED, n), self.free(n) * c.threshold, False
