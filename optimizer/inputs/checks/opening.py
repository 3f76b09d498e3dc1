"""The opening: covenants and budgets that the company's first balances and its commitments break already."""

from collections.abc import Iterator
from functools import cached_property

from models.domain.company import Company, Entity
from models.domain.finance import Convertible, Debt
from models.domain.portfolio import Portfolio
from models.domain.rules import EBITDA_METRICS, YEAR_Q, Covenant, History
from models.findings import Finding
from models.timetree import Quarter
from models.units import QUARTERS_PER_YEAR
from optimizer.inputs.checks.register import doubt, reads

AT_LEAST = ("minimum_liquidity", "market_cap", "interest_cover", "maturities", "cash_cover")
"""Metrics that must not be below their threshold; the others must not be above it."""


class Opening:
    """Balances of the first day, as the tests on the company count them. [$M]"""

    def __init__(self, portfolio: Portfolio) -> None:
        self.firm: Company = portfolio.firm
        self.first: Quarter = portfolio.firm.first_quarter
        self.entities: dict[str, Entity] = {e.entity: e for e in portfolio.entities}
        self.debts: tuple[Debt, ...] = portfolio.debt
        self.notes: tuple[Convertible, ...] = portfolio.convertibles
        self.past: list[History] = sorted(portfolio.history, key=lambda h: h.quarter)

    @cached_property
    def market_cap(self) -> float:
        return self.firm.price_usd * self.firm.basic_shares_m

    @cached_property
    def liquidity(self) -> float:
        """Unrestricted cash in the company's reach."""
        return sum(e.unrestricted_cash_usd_m * e.in_reach(self.first) for e in self.entities.values())

    @cached_property
    def par(self) -> float:
        """Convertibles outstanding."""
        return sum(n.principal_usd_m for n in self.notes)

    def owed(self, debt: Debt) -> float:
        """The company's part of a loan."""
        owner = self.entities.get(debt.entity)
        return debt.principal_usd_m * (owner.counted if owner else 1.0)

    @cached_property
    def net_debt(self) -> float:
        return sum(map(self.owed, self.debts)) + self.par - self.liquidity

    @cached_property
    def recourse(self) -> float:
        return sum(self.owed(d) for d in self.debts if d.recourse) + self.par

    @cached_property
    def secured(self) -> float:
        return sum(self.owed(d) for d in self.debts if d.kind != "corporate")

    @cached_property
    def falls_due(self) -> float:
        """At least, within four quarters: notes that mature or may be put, loans repaid at once."""
        last = self.first + (YEAR_Q - 1)
        due = sum(
            n.principal_usd_m
            for n in self.notes
            if self.first <= n.maturity_quarter <= last
            or (n.put_quarter is not None and self.first <= n.put_quarter <= last)
        )
        return due + sum(
            self.owed(d) for d in self.debts if d.repayment == "bullet" and d.maturity_quarter <= last
        )

    @cached_property
    def running(self) -> float:
        """Overhead and interest with recourse of a quarter, at fixed rates and the least of floating ones."""
        rates = sum(self.owed(d) * d.coupon_or_spread_frac for d in self.debts if d.recourse)
        coupons = sum(n.principal_usd_m * n.coupon_frac for n in self.notes)
        return self.firm.overhead_usd_m_per_q + (rates + coupons) / QUARTERS_PER_YEAR

    def earned(self, row: Covenant) -> tuple[float, float] | None:
        """EBITDA of a year and the interest on it, by the row's basis; None where history does not say."""
        quarters = self.past[-row.looks_back_q :]
        if len(quarters) < row.looks_back_q or quarters[-1].quarter != self.first + -1:
            return None
        times = YEAR_Q / row.looks_back_q
        return (
            times * sum(h.ebitda_usd_m for h in quarters),
            times * sum(h.interest_usd_m for h in quarters),
        )


def _stands_at(opening: Opening, row: Covenant) -> float | None:
    """The metric of a row at the opening; None where it cannot be told yet."""
    if row.entity is not None:
        entity = opening.entities.get(row.entity)
        liquid = entity is not None and row.metric == "minimum_liquidity"
        return entity.unrestricted_cash_usd_m if liquid and entity else None
    if row.metric in EBITDA_METRICS:
        earned = opening.earned(row)
        if earned is None:
            return None
        ebitda, interest = earned
        if row.metric == "interest_cover":
            return ebitda / interest if interest > 0.0 else None
        if opening.net_debt <= 0.0:
            return None
        return opening.net_debt / ebitda if ebitda > 0.0 else float("inf")
    amounts = {
        "minimum_liquidity": opening.liquidity,
        "market_cap": opening.market_cap,
        "recourse_debt": opening.recourse,
        "secured_debt": opening.secured,
        "net_debt_to_market_cap": opening.net_debt / opening.market_cap,
        "dilution": sum(h.shares_issued_m or 0.0 for h in opening.past[1 - YEAR_Q :])
        / opening.firm.basic_shares_m,
    }
    if opening.falls_due > 0.0:
        amounts["maturities"] = opening.liquidity / opening.falls_due
    if opening.running > 0.0:
        amounts["cash_cover"] = opening.liquidity / opening.running
    return amounts.get(row.metric)


@reads("company", "entities", "debt", "convertibles", "history", "covenants")
def tests_met_at_opening(portfolio: Portfolio) -> Iterator[Finding]:
    """No test that holds in the first quarter is failed by the balances with which it begins."""
    if not portfolio.company:
        return
    opening = Opening(portfolio)
    for row in portfolio.covenants:
        if not row.holds_in(opening.first):
            continue
        stands = _stands_at(opening, row)
        if stands is None or (stands >= row.threshold if row.metric in AT_LEAST else stands <= row.threshold):
            continue
        side = "below" if row.metric in AT_LEAST else "above"
        message = f"{row.metric} opens at {stands:,.4g}, {side} the threshold of {row.threshold:,.4g}"
        remedy = "the plan must cure it in its first quarter: check the balances and the threshold"
        if row.is_incurrence or row.metric in ("market_cap", "dilution"):
            remedy = "nothing can be issued until it is cured: check the balances and the threshold"
        yield doubt("broken-at-opening", row, "threshold", message, remedy)


@reads("company", "budgets", "commitments", "commitment_flows")
def budgets_hold_commitments(portfolio: Portfolio) -> Iterator[Finding]:
    """What is committed and cannot be cancelled fits into each budget."""
    sites = {c.commitment: c.site for c in portfolio.commitments if c.cancellable_until_quarter is None}
    for firm in portfolio.company[:1]:
        paid = [
            (flow.quarter + (flow.funded_by == "vendor"), sites[flow.commitment], flow)
            for flow in portfolio.commitment_flows
            if flow.commitment in sites
        ]
        for budget in portfolio.budgets:
            since = max(budget.from_quarter, firm.first_quarter)
            spent = sum(
                flow.amount_usd_m
                for at, site, flow in paid
                if budget.site in (None, site)
                and since <= at <= budget.to_quarter
                and (budget.counts == "all" or flow.funded_by in ("own", "vendor"))
            )
            if spent > budget.cap_usd_m + 1e-6:
                message = f"commitments alone spend {spent:,.1f} $M of it"
                remedy = f"write {spent:.1f} or more, or correct commitment_flows"
                yield doubt("budget-spent", budget, "cap_usd_m", message, remedy)


CHECKS = (tests_met_at_opening, budgets_hold_commitments)
