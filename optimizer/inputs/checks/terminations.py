"""Contracts that end before their term: when they may, what is paid, and what becomes of tenants' money."""

from collections.abc import Iterator

from models.domain.portfolio import Portfolio
from models.domain.termination import Termination
from models.findings import Finding
from models.timetree import Quarter
from optimizer.inputs.checks.register import error, reads


@reads("terminations", "contracts", "renewals", "scenarios", "company")
def within_the_plan(portfolio: Portfolio) -> Iterator[Finding]:
    """A contract ends within the plan and its terms, and not before its scenario is a future of its own."""
    contracts = {c.contract: c for c in portfolio.contracts}
    branched = {s.scenario: s.branch_quarter for s in portfolio.scenarios}
    renewed_q = {r.contract: r.all_terms_q for r in portfolio.renewals}
    for firm in portfolio.company[:1]:
        last = firm.first_quarter + (firm.horizon_q - 1)
        for row in portfolio.terminations:
            since, contract = branched.get(row.scenario), contracts.get(row.contract)
            if since is not None and row.quarter < since:
                message = f"'{row.scenario}' branches in {since}: before it nobody knows of this"
                remedy = f"write {since} or later, or let the scenario branch earlier"
                yield error("early-termination", row, "quarter", message, remedy)
            ends = [] if contract is None else [contract.commencement_quarter + contract.term_q]
            ends = [end + (renewed_q.get(row.contract, 0) - 1) for end in ends]
            yield from _outside(row, firm.first_quarter, min([last, *ends]))


def _outside(row: Termination, first: Quarter, last: Quarter) -> Iterator[Finding]:
    if not first <= row.quarter <= last:
        message = f"the plan and the contract run together from {first} to {last}"
        yield error(
            "idle-termination", row, "quarter", message, "write a quarter of these, or delete the row"
        )


@reads("terminations", "contracts")
def terms_agree(portfolio: Portfolio) -> Iterator[Finding]:
    """Only tenants end contracts; who pays pays something; halls let again have a rent."""
    contracts = {c.contract: c for c in portfolio.contracts}
    for row in portfolio.terminations:
        contract = contracts.get(row.contract)
        if contract is not None and contract.state == "merchant":
            message = "the open market has no contract that could end"
            yield error("termination-terms", row, "contract", message, "let lease_idx fall instead")
        if contract is not None and row.paid_by == "guarantor" and contract.guarantor is None:
            message = f"'{row.contract}' names no guarantor"
            yield error(
                "termination-terms", row, "paid_by", message, "name one in contracts, or write tenant"
            )
        asks = row.fee_frac_of_remaining_rent > 0.0 or row.fee_months_of_rent > 0.0
        if asks != (row.paid_by != "nobody"):
            message = f"paid by {row.paid_by}, and {'something' if asks else 'nothing'} is asked"
            yield error(
                "termination-terms", row, "paid_by", message, "state a fee and who pays it, or neither"
            )
        if (row.vacancy_q is None) != (row.relet_rent_frac is None):
            message = "halls let again have both a vacancy and a rent"
            yield error("termination-terms", row, "vacancy_q", message, "fill both, or leave both empty")


@reads("terminations", "contract_money")
def money_is_settled(portfolio: Portfolio) -> Iterator[Finding]:
    """Money still to be earned when a contract ends is paid back, or kept."""
    ending = {row.contract for row in portfolio.terminations}
    for money in portfolio.contract_money:
        stated = money.refundable_on_termination is not None
        if money.give_back_q == 0 and stated:
            message = "it is never given back, so nothing of it is unearned"
            yield error("termination-money", money, "refundable_on_termination", message, "leave it empty")
        elif money.give_back_q and money.contract in ending and not stated:
            message = "a scenario ends its contract"
            remedy = "say whether what is not yet credited is paid back then: true or false"
            yield error("termination-money", money, "refundable_on_termination", message, remedy)


CHECKS = (within_the_plan, terms_agree, money_is_settled)
