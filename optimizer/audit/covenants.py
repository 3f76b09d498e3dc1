"""Every covenant, guard rail and budget of a plan, measured again by the auditor's own arithmetic."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.domain.ledger import EBITDA_LINES, CashLine
from models.domain.rules import LEAF_METRICS, YEAR_Q, Budget, Covenant, History
from models.timetree import TimeTree
from optimizer.audit import obligations
from optimizer.audit.ahead import Ahead
from optimizer.audit.court import Court
from optimizer.audit.cover import cfads, service
from optimizer.audit.valuation import Valuation
from optimizer.audit.world import World

DEAL_USD_M = 1e-6
"""A deal below one dollar is none."""
RULES = {
    "minimum_liquidity": "COV-1",
    "net_debt_to_ebitda": "COV-2",
    "interest_cover": "COV-3",
    "dscr": "COV-11",
    "net_debt_to_market_cap": "COV-5",
    "market_cap": "COV-6",
    "recourse_debt": "COV-7",
    "secured_debt": "COV-7",
    "maturities": "COV-8",
    "dilution": "COV-9",
    "cash_cover": "GRD-1",
    "funded_commitments": "GRD-2",
    "maturity_wall": "GRD-3",
    "solvency": "GRD-4",
    "unsigned_building": "GRD-5",
    "stress_liquidity": "GRD-6",
    "tenant_share": "GRD-7",
}


_OWED = (
    "rescue",
    "payouts",
    "minority",
    "existing_debt",
    "project_debt",
    "leases",
    "new_loans",
    "corporate_debt",
)
"""Lines of value that are no assets of the leaf."""


@dataclass(frozen=True)
class Test:
    """One covenant or budget in one quarter; headroom positive when it holds."""

    name: str
    check: str
    node: int
    value: float
    threshold: float
    headroom: float


Sides = tuple[float, float, bool]
"""Value, limit, and whether the limit is the least that the value may be."""


class CovenantTests:
    """The table of covenants on one plan."""

    def __init__(self, worth: Valuation) -> None:
        self.worth, self.world, self.book = worth, worth.world, worth.book
        self.ahead = Ahead(self.world)
        self._by_metric: Mapping[str, Callable[[Covenant, int], Sides]] = {
            "minimum_liquidity": lambda c, n: (self.free(n), c.threshold, True),
            "net_debt_to_ebitda": self._net_debt_to_ebitda,
            "interest_cover": self._interest_cover,
            "net_debt_to_market_cap": self._net_debt_to_market_cap,
            "recourse_debt": lambda c, n: self._capped(obligations.recourse_debt, c, n),
            "secured_debt": lambda c, n: self._capped(obligations.secured_debt, c, n),
            "maturities": self._maturities,
            "maturity_wall": self._maturities,
            "dilution": self._dilution,
            "cash_cover": self._cash_cover,
            "funded_commitments": self._funded_commitments,
            "solvency": self._solvency,
            "unsigned_building": self._unsigned_building,
        }

    def tests(self) -> Iterator[Test]:
        """Every covenant in its span, those of incurrence where notes are issued; then the budgets."""
        deals = (*self.world.decided.issue.items(), *self.world.decided.notes.items())
        issued = {n for (_, _, n), principal in deals if principal > DEAL_USD_M}
        for row in self.book.portfolio.covenants:
            if row.entity is not None:
                yield from borrower_tests(self.world, row, RULES[row.metric])
                continue
            for n in self.book.tree.leaves if row.metric in LEAF_METRICS else self.book.tree.nodes:
                if row.holds_in(self.book.tree.quarter(n)) and (not row.is_incurrence or n in issued):
                    yield from self._at(row, n)
        for budget in self.book.portfolio.budgets:
            yield from budget_tests(self.world, budget)

    def _at(self, row: Covenant, n: int) -> Iterator[Test]:
        sides: list[Sides] = []
        if row.metric == "market_cap":
            if self._market_cap(n) < row.threshold:
                sides.append((obligations.raised_gross(self.world, n), 0.0, False))
        elif row.metric == "tenant_share":
            sides += obligations.leaning(self.world, row.threshold, n)
        elif row.metric == "stress_liquidity":
            below = (n, *self.ahead.below(n, YEAR_Q))
            sides += [(self.unwalled(n) + self.ahead.along(n, m), row.threshold, True) for m in below]
        else:
            sides.append(self._by_metric[row.metric](row, n))
        check = "COV-10" if row.is_incurrence else RULES[row.metric]
        for value, limit, is_least in sides:
            headroom = value - limit if is_least else limit - value
            yield Test(row.covenant, check, n, value, limit, headroom)

    def _sure_cash(self, n: int) -> float:
        """Unrestricted cash in reach, every open delivery late. [$M]"""
        late = self.world.late_loss(n, self.book.counted)
        return self.world.ledger.company_cash(n) + self.world.in_reach(n) - late

    def unwalled(self, n: int) -> float:
        """Of it, what notes due in the quarter leave when they take their principal in full. [$M]"""
        return self._sure_cash(n) - self.world.wall(n)

    def free(self, n: int) -> float:
        """And what is left when all that is guaranteed has been completed. [$M]"""
        return self.unwalled(n) - self.world.guaranteed(n)

    def _net_debt(self, n: int) -> float:
        return self.world.debt(n, self.book.counted) - self._sure_cash(n)

    def _past(self, quarters: int, n: int) -> list[History]:
        """Quarters before the first among the last ones at a node."""
        first, now = self.book.tree.first, self.book.tree.quarter(n)
        return [h for h in self.book.portfolio.history if h.quarter < first and now - h.quarter < quarters]

    def _cured_ebitda(self, row: Covenant, n: int) -> float:
        """EBITDA and rescue of the quarters looked at, every open delivery late. [$M]"""
        nodes = self.book.window(n, row.looks_back_q)
        lines, counted = (*EBITDA_LINES, CashLine.RESCUE), self.book.counted
        earned = sum(self.world.ledger.part(m, lines, counted) for m in nodes)
        before = sum(h.ebitda_usd_m for h in self._past(row.looks_back_q, n))
        sold = _sold_since(self.world, n, nodes, counted)
        return earned + before - sold - self.world.late_loss(n, counted)

    def _net_debt_to_ebitda(self, row: Covenant, n: int) -> Sides:
        a_year = self._cured_ebitda(row, n) * (4.0 if row.basis != "trailing_4q" else 1.0)
        return self._net_debt(n), row.threshold * a_year, False

    def _interest_cover(self, row: Covenant, n: int) -> Sides:
        accrued = sum(
            self.world.interest(m, self.book.counted) for m in self.book.window(n, row.looks_back_q)
        )
        accrued += sum(h.interest_usd_m for h in self._past(row.looks_back_q, n))
        return self._cured_ebitda(row, n), row.threshold * accrued, True

    def _market_cap(self, n: int) -> float:
        return self.book.share_price[n] * self.book.firm.basic_shares_m

    def _net_debt_to_market_cap(self, row: Covenant, n: int) -> Sides:
        return self._net_debt(n), row.threshold * self._market_cap(n), False

    def _capped(self, owed: Callable[[World, int], float], row: Covenant, n: int) -> Sides:
        return owed(self.world, n) - self.world.decided.rescue.get(("", n), 0.0), row.threshold, False

    def _maturities(self, row: Covenant, n: int) -> Sides:
        return self.free(n), row.threshold * obligations.due_in_a_year(self.world, n), True

    def _dilution(self, row: Covenant, n: int) -> Sides:
        before = sum(h.shares_issued_m or 0.0 for h in self._past(YEAR_Q, n))
        new = sum(obligations.new_shares(self.world, m) for m in self.book.window(n, YEAR_Q))
        return before + new, max(before, row.threshold * self.book.firm.basic_shares_m), False

    def _cash_cover(self, row: Covenant, n: int) -> Sides:
        a_quarter = self.world.overhead(n) + obligations.recourse_interest(self.world, n)
        return self.free(n), row.threshold * a_quarter, True

    def _funded_commitments(self, row: Covenant, n: int) -> Sides:
        funds = self.unwalled(n) + self.world.corporate.lines(n, YEAR_Q) + self.ahead.expected(n, YEAR_Q)
        return funds, row.threshold, True

    def _solvency(self, row: Covenant, leaf: int) -> Sides:
        counted = self.book.counted
        lines = self.worth.parts(leaf, counted)
        assets = sum(x for line, x in lines.items() if line.value not in _OWED)
        for name, e in self.book.entities.items():
            assets += e.share * self.worth.whole(name, leaf) if e.kind == "listed" else 0.0
        return assets, row.threshold * self.world.debt(leaf, counted), True

    def _unsigned_building(self, row: Covenant, n: int) -> Sides:
        return obligations.unsigned_left(self.world, n), row.threshold * self.free(n), False


def _sold_since(world: World, node: int, nodes: Sequence[int], counted: Mapping[str, float]) -> float:
    """What halls sold by a node earned in some quarters. [$M]"""
    book, found = world.book, 0.0
    for x in world.sites.sold:
        if x.node in book.paths[node]:
            part = counted.get(book.sites[x.decided.site].entity, 0.0)
            found += part * sum(x.earned_before(m) for m in nodes)
    return found


def borrower_tests(world: World, row: Covenant, check: str) -> Iterator[Test]:
    """A covenant on one borrower, all of it, in every quarter of its span in which there is a test."""
    name, book, ledger = row.entity or "", world.book, world.ledger
    only = {name: 1.0}
    for n in book.tree.nodes:
        if not row.holds_in(book.tree.quarter(n)):
            continue
        nodes, late = book.window(n, row.looks_back_q), world.late_loss(n, only)
        rescued = sum(world.decided.rescue.get((name, m), 0.0) for m in nodes)
        cash = ledger.cash[name, n] - late
        sold = _sold_since(world, n, nodes, only)
        ebitda = sum(ledger.part(m, EBITDA_LINES, only) for m in nodes) + rescued - sold - late
        value, limit, is_least = cash, row.threshold, True
        if row.metric == "net_debt_to_ebitda":
            a_year = ebitda * YEAR_Q / row.looks_back_q
            value, limit, is_least = world.debt(n, only) - cash, row.threshold * a_year, False
        elif row.metric == "interest_cover":
            value, limit = ebitda, row.threshold * sum(world.interest(m, only) for m in nodes)
        elif row.metric == "dscr":
            value = sum(cfads(world, name, m) for m in nodes) + rescued - sold - late
            limit = row.threshold * sum(service(world, name, m) for m in nodes)
        yield Test(row.covenant, check, n, value, limit, value - limit if is_least else limit - value)


def covenant_tests(worth: Valuation) -> list[Test]:
    """Every covenant in its span, and every budget's spend so far. [$M]"""
    return list(CovenantTests(worth).tests())


def budget_tests(world: World, budget: Budget) -> Iterator[Test]:
    """What counts against a budget so far, in each quarter of its span."""
    book = world.book
    for n in book.tree.nodes:
        if budget.from_quarter <= book.tree.quarter(n) <= budget.to_quarter:
            spent = sum(_counted(world, budget, m) for m in book.paths[n])
            yield Test(budget.budget, "COV-4", n, spent, budget.cap_usd_m, budget.cap_usd_m - spent)


def _counted(world: World, budget: Budget, node: int) -> float:
    """Spend of a quarter that counts against a budget. [$M]"""
    if not budget.from_quarter <= world.book.tree.quarter(node) <= budget.to_quarter:
        return 0.0
    found = 0.0
    for name, site in world.book.sites.items():
        if budget.site in (None, name):
            owner = world.book.entities[site.entity]
            part = owner.paid if budget.site is None else owner.share
            is_own = budget.counts == "own"
            found += part * world.own_spend(name, node) if is_own else world.all_spend(name, node)
    return found


def check_covenants(tests: Sequence[Test], tree: TimeTree, court: Court) -> None:
    """Every test holds."""
    for test in tests:
        place = f"{test.name}|{tree.label(test.node)}"
        court.at_least(test.check, place, test.headroom, 0.0, Court.USD_M)
