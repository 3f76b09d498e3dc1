"""Contracts: windows by state, rent against the stated value, tenant money."""

from collections.abc import Iterator

from models.domain.contract import Contract, ContractMoney
from models.domain.portfolio import Portfolio
from models.findings import Finding
from models.units import QUARTERS_PER_YEAR, USD_M_PER_KW_MONTH
from optimizer.inputs.checks.register import doubt, error, reads

VALUE_TOLERANCE_FRAC = 0.01
WINDOW = ("sign_from_quarter", "sign_by_quarter")


@reads("contracts")
def windows_by_state(portfolio: Portfolio) -> Iterator[Finding]:
    """Offers have a signing window; what is signed, or needs no signature, has none."""
    for contract in portfolio.contracts:
        if contract.signable:
            for column in WINDOW:
                if getattr(contract, column) is None:
                    message = f"an {contract.state} needs it"
                    yield error("signing-window", contract, column, message, "write its signing window")
            if contract.min_mw > 0 and contract.deadline_quarter is None:
                message = "min_mw is never due without a deadline"
                yield doubt(
                    "no-deadline", contract, "deadline_quarter", message, "write a deadline, or min_mw 0"
                )
            continue
        for column in (*WINDOW, "deadline_quarter", "long_stop_quarter"):
            if getattr(contract, column) is not None:
                message = f"a {contract.state} contract is not signed within the plan"
                yield error(
                    "signing-window", contract, column, message, "leave it empty, or make it an offer"
                )


@reads("contracts", "company")
def offers_in_time(portfolio: Portfolio) -> Iterator[Finding]:
    """Offers that lapse before the plan begins can never be signed."""
    for firm in portfolio.company[:1]:
        for contract in portfolio.contracts:
            if contract.sign_by_quarter and contract.sign_by_quarter < firm.first_quarter:
                message = f"it lapses before the plan begins in {firm.first_quarter}"
                yield doubt(
                    "lapsed-offer", contract, "sign_by_quarter", message, "delete the offer, or extend it"
                )


@reads("contracts")
def contract_terms(portfolio: Portfolio) -> Iterator[Finding]:
    """Terms that must agree within one contract."""
    for contract in portfolio.contracts:
        merchant = contract.state == "merchant"
        if contract.min_mw > contract.max_mw:
            message = f"{contract.min_mw:g} is more than max_mw {contract.max_mw:g}"
            yield error("min-over-max", contract, "min_mw", message, f"write {contract.max_mw:g} or less")
        if merchant and contract.credit_class is not None:
            message = "no lender finances merchant rent"
            yield error("merchant-terms", contract, "credit_class", message, "leave it empty")
        if contract.state == "committed" and contract.rent_indexed_to != "none":
            message = "the rent of what is signed is known"
            yield error("committed-terms", contract, "rent_indexed_to", message, "write none")
        ends = contract.commencement_quarter + contract.term_q
        for column in ("deadline_quarter", "long_stop_quarter"):
            if getattr(contract, column) and getattr(contract, column) >= ends:
                message = f"rent ends with {ends + -1}"
                yield error("late-deadline", contract, column, message, "write an earlier quarter")
        given = (contract.long_stop_quarter is not None, contract.late_damages_usd_per_kw_month is not None)
        if given[0] != given[1] or (given[0] and contract.deadline_quarter is None):
            message = "a long stop, its damages and the deadline before it go together"
            yield error("late-terms", contract, "long_stop_quarter", message, "write all three, or none")


@reads("contracts", "commitments")
def options_are_granted(portfolio: Portfolio) -> Iterator[Finding]:
    """An option names the contract that grants it, which stands at its sites; its rent is agreed."""
    contracts = {c.contract: c for c in portfolio.contracts}
    loose = {c.contract for c in portfolio.commitments if c.cancellable_until_quarter is not None}
    for contract in portfolio.contracts:
        parent = contracts.get(contract.option_of or "")
        if (contract.option_of is not None) != (contract.state == "option"):
            has = "has it" if contract.option_of else "lacks it"
            message = f"a contract that is {contract.state} {has}"
            yield error("option-terms", contract, "option_of", message, "options alone name what grants them")
        elif parent is not None and parent.state not in ("offer", "committed"):
            message = f"'{parent.contract}' grants no option"
            yield error("option-terms", contract, "option_of", message, "name an offer, or what is committed")
        elif parent is not None and not set(contract.sites) <= set(parent.sites):
            apart = ", ".join(sorted(set(contract.sites) - set(parent.sites)))
            message = f"'{parent.contract}' does not stand at {apart}"
            yield error(
                "option-terms", contract, "sites", message, "an option holds at sites of its contract"
            )
        elif parent is not None and parent.contract in loose:
            message = f"a commitment of '{parent.contract}' may be cancelled"
            yield error("option-terms", contract, "option_of", message, "only a kept contract grants options")
        if contract.state == "option" and contract.rent_indexed_to != "none":
            message = "the rent of an option is agreed"
            yield error("option-terms", contract, "rent_indexed_to", message, "write none")


@reads("contracts", "commitments", "products")
def stated_value(portfolio: Portfolio) -> Iterator[Finding]:
    """The stated contract value is first-year rent x MW x escalated term within one per cent."""
    for contract in portfolio.contracts:
        billed_mw = _billed_mw(portfolio, contract)
        if contract.contract_value_usd_m is None or billed_mw is None:
            continue
        per_rent = billed_mw * _rent_sum(contract)
        implied, stated = contract.first_year_rent_usd_per_kw_month * per_rent, contract.contract_value_usd_m
        if abs(implied - stated) > VALUE_TOLERANCE_FRAC * stated:
            message = f"rent x MW x term is {implied:,.0f} $M, stated are {stated:,.0f}"
            rent = f"a first-year rent of {stated / per_rent:.2f} gives the stated value"
            remedy = f"{rent} (an average over the term is not the first year's); or leave the value empty"
            yield error("contract-value", contract, "contract_value_usd_m", message, remedy)


@reads("contracts", "commitments", "products")
def stated_income(portfolio: Portfolio) -> Iterator[Finding]:
    """No more is earned before interest and taxes than the tenant pays."""
    for contract in portfolio.contracts:
        billed_mw, noi = _billed_mw(portfolio, contract), contract.noi_usd_m_per_year
        if noi is None or billed_mw is None:
            continue
        rent = contract.first_year_rent_usd_per_kw_month * billed_mw * _rent_sum(contract)
        paid = contract.contract_value_usd_m or rent
        earned = noi * contract.term_q / QUARTERS_PER_YEAR
        if earned > paid:
            message = f"{noi:g} a year over the term is {earned:,.0f} $M, of {paid:,.0f} of rent"
            remedy = f"write {paid / contract.term_q * QUARTERS_PER_YEAR:.1f} or less, or leave it empty"
            yield doubt("noi-over-rent", contract, "noi_usd_m_per_year", message, remedy)


def _rent_sum(contract: Contract) -> float:
    """Rent of one MW over the term, per $ per kW-month in the first year. [$M]"""
    growth = 1.0 + contract.escalator_frac_per_year
    return USD_M_PER_KW_MONTH * sum(growth ** (q // QUARTERS_PER_YEAR) for q in range(contract.term_q))


def _billed_mw(portfolio: Portfolio, contract: Contract) -> float | None:
    """MW that pay rent at most; None where the gross MW of a contract are not known."""
    if contract.billing_basis == "critical":
        return contract.max_mw
    built = {c.product for c in portfolio.commitments if c.contract == contract.contract}
    ratios = {p.gross_to_critical_ratio for p in portfolio.products if p.product in built}
    return contract.max_mw / ratios.pop() if len(ratios) == 1 else None


@reads("contract_money", "contracts")
def money_by_state(portfolio: Portfolio) -> Iterator[Finding]:
    """Tenant money is a fraction of capex on offers, an amount in a quarter on committed contracts."""
    states = {c.contract: c.state for c in portfolio.contracts}
    per_module, once = ("frac_of_capex",), ("amount_usd_m", "received_quarter")
    wanted = {"offer": per_module, "option": per_module, "committed": once}
    for money in portfolio.contract_money:
        state = states.get(money.contract)
        if state == "merchant":
            yield error(
                "tenant-money", money, "contract", "the open market pays nothing ahead", "delete the row"
            )
        elif state is not None:
            yield from _money_faults(money, state, wanted[state])
            if state == "committed" and money.eligible_for_ltc:
                message = "no lender closes on what is committed"
                yield error("tenant-money", money, "eligible_for_ltc", message, "leave it empty")


def _money_faults(money: ContractMoney, state: str, wanted: tuple[str, ...]) -> Iterator[Finding]:
    for column in ("frac_of_capex", "amount_usd_m", "received_quarter"):
        given = getattr(money, column) is not None
        if given != (column in wanted):
            has = "has it" if given else "lacks it"
            message = f"tenant money of a contract that is {state} {has}"
            yield error("tenant-money", money, column, message, "leave it empty" if given else "write it")


CHECKS = (
    windows_by_state,
    offers_in_time,
    contract_terms,
    options_are_granted,
    stated_value,
    stated_income,
    money_by_state,
)
