"""Payouts to shareholders: their terms, and what keeps the plan from paying with others' money."""

from collections.abc import Iterator

from models.domain.portfolio import Portfolio
from models.findings import Finding
from models.units import QUARTERS_PER_YEAR
from optimizer.inputs.checks.register import doubt, error, reads

TERMS = ("payouts_from_quarter", "payout_max_usd_m_per_q")


@reads("company")
def payouts_complete(portfolio: Portfolio) -> Iterator[Finding]:
    """A first quarter and the most of a quarter, both or neither."""
    for firm in portfolio.company[:1]:
        given = [column for column in TERMS if getattr(firm, column) is not None]
        if len(given) == 1:
            missing = next(column for column in TERMS if column not in given)
            message = f"{given[0]} is given without it"
            yield error("payout-terms", firm, missing, message, "write both, or neither for no payouts")
        if firm.payouts_from_quarter and firm.payouts_from_quarter - firm.first_quarter >= firm.horizon_q:
            message = f"the plan ends in {firm.first_quarter + (firm.horizon_q - 1)}"
            yield doubt(
                "payout-late", firm, TERMS[0], message, "nothing can be paid out: name an earlier one"
            )


@reads("company")
def payouts_of_own_money(portfolio: Portfolio) -> Iterator[Finding]:
    """Nobody's money but the company's own is paid out, and no share is sold below what a payout is worth."""
    for firm in portfolio.company[:1]:
        if firm.payouts_from_quarter is None:
            continue
        if not firm.raise_only_what_is_spent:
            message = "money raised could be kept and paid out"
            yield error("payout-source", firm, "raise_only_what_is_spent", message, "write true")
        if firm.equity_pricing == "market":
            message = "shares sold at market prices could be paid out at a gain"
            yield error("payout-source", firm, "equity_pricing", message, "write no_mispricing")
        grown = (1.0 + firm.cost_of_equity_frac) ** (firm.horizon_q / QUARTERS_PER_YEAR)
        if firm.rescue_price <= grown:
            message = f"a dollar paid out at once is worth {grown:.2f} at the end"
            remedy = "write more than that: rescue could be paid out at a gain"
            yield error("payout-source", firm, "rescue_price", message, remedy)


CHECKS = (payouts_complete, payouts_of_own_money)
