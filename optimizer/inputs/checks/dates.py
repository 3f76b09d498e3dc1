"""Dates that cannot be, or that the plan never reaches."""

from collections.abc import Iterator
from typing import NamedTuple

from models.domain.portfolio import Portfolio
from models.domain.row import Row
from models.findings import Finding
from models.timetree import Quarter
from optimizer.inputs.checks.references import rows_of
from optimizer.inputs.checks.register import Check, doubt, error, reads


class Reached(NamedTuple):
    """A quarter without which a row does nothing, unless it lies on the plan's side of it."""

    table: str
    column: str
    is_end: bool
    """Whether the row ends with it, and must not have ended; else it must begin within the plan."""


REACHED = (
    Reached("site_products", "latest_quarter", is_end=True),
    Reached("site_products", "earliest_quarter", is_end=False),
    Reached("expansions", "latest_quarter", is_end=True),
    Reached("expansions", "earliest_quarter", is_end=False),
    Reached("covenants", "to_quarter", is_end=True),
    Reached("covenants", "from_quarter", is_end=False),
    Reached("budgets", "to_quarter", is_end=True),
    Reached("budgets", "from_quarter", is_end=False),
    Reached("take_outs", "to_quarter", is_end=True),
    Reached("take_outs", "from_quarter", is_end=False),
    Reached("contracts", "sign_from_quarter", is_end=False),
    Reached("commitments", "cancellable_until_quarter", is_end=True),
    Reached("convertibles", "put_quarter", is_end=True),
    Reached("other_lines", "quarter", is_end=True),
    Reached("other_lines", "quarter", is_end=False),
)


def _reached_check(reached: Reached) -> Check:
    table, column, is_end = reached

    @reads(table, "company")
    def within_plan(portfolio: Portfolio) -> Iterator[Finding]:
        for firm in portfolio.company[:1]:
            last = firm.first_quarter + (firm.horizon_q - 1)
            for row in rows_of(portfolio, table):
                at = getattr(row, column)
                if at is None or (at >= firm.first_quarter if is_end else at <= last):
                    continue
                side = (
                    f"before the plan begins in {firm.first_quarter}"
                    if is_end
                    else f"after it ends in {last}"
                )
                remedy = "the row has no effect: correct the quarter, or delete it"
                yield doubt("outside-plan", row, column, f"{at} is {side}", remedy)

    return within_plan


@reads("company")
def last_deal_is_past(portfolio: Portfolio) -> Iterator[Finding]:
    """The last convertible deal before the plan lies before it."""
    for firm in portfolio.company[:1]:
        deal = firm.last_convertible_quarter
        if deal is not None and deal >= firm.first_quarter:
            message = f"{deal} is not before the plan begins in {firm.first_quarter}"
            yield error("not-past", firm, "last_convertible_quarter", message, "write an earlier quarter")


def _after(row: Row, column: str, at: Quarter, ends: Quarter, contract: str) -> Finding:
    message = f"{at} is after '{contract}' ends with {ends}"
    return doubt("after-contract", row, column, message, "correct the quarter, or the contract's term_q")


@reads("contracts", "contract_money", "commitments", "commitment_flows", "renewals", "company")
def contracts_not_over(portfolio: Portfolio) -> Iterator[Finding]:
    """What is committed is not over; nothing of it is paid or goes live after its end."""
    terms = {c.contract: c.commencement_quarter + (c.term_q - 1) for c in portfolio.contracts}
    renewed = {r.contract: r.all_terms_q for r in portfolio.renewals}
    ends = {name: end + renewed.get(name, 0) for name, end in terms.items()}
    for firm in portfolio.company[:1]:
        for contract in portfolio.contracts:
            if contract.state == "committed" and ends[contract.contract] < firm.first_quarter:
                message = f"it ends with {ends[contract.contract]}, before the plan begins"
                yield doubt("contract-over", contract, "term_q", message, "quarters, not years? or delete it")
    for money in portfolio.contract_money:
        at, end = money.received_quarter, terms.get(money.contract)
        if at is not None and end is not None and at > end:
            yield _after(money, "received_quarter", at, end, money.contract)
    under = {c.commitment: c.contract for c in portfolio.commitments}
    for flow in portfolio.commitment_flows:
        name = under.get(flow.commitment, "")
        if flow.mw_live > 0.0 and name in ends and flow.quarter > ends[name]:
            yield _after(flow, "quarter", flow.quarter, ends[name], name)


@reads("debt")
def lockups_before_maturity(portfolio: Portfolio) -> Iterator[Finding]:
    """A lock-up is tested while the loan runs."""
    for debt in portfolio.debt:
        at = debt.lockup_from_quarter
        if at is not None and at > debt.maturity_quarter:
            message = f"{at} is after the maturity {debt.maturity_quarter}"
            yield error("span-backwards", debt, "lockup_from_quarter", message, "write an earlier quarter")


@reads("fleets", "machines")
def machines_alive(portfolio: Portfolio) -> Iterator[Finding]:
    """Machines in place have not outlived their type."""
    lives = {m.machine: m.life_q for m in portfolio.machines}
    for fleet in portfolio.fleets:
        life = lives.get(fleet.machine)
        if life is not None and fleet.age_q >= life and fleet.mw > 0.0:
            message = f"at {fleet.age_q} quarters it has outlived the {life} of '{fleet.machine}'"
            yield doubt("worn-out", fleet, "age_q", message, "it never runs: correct age_q or life_q")


CHECKS = (
    *map(_reached_check, REACHED),
    last_deal_is_past,
    contracts_not_over,
    lockups_before_maturity,
    machines_alive,
)
