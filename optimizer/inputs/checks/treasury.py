"""Treasury: coins and the loans they secure agree, lenders against bitcoin say all, balloons roll whole."""

from collections.abc import Iterator

from models.domain.finance import Instrument
from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.checks.register import doubt, error, reads

LOAN_TERMS = ("spread_frac", "ltv_max_frac", "ltv_call_frac")
ROLL_TERMS = ("refinance_spread_frac", "refinance_tenor_q", "refinance_max_frac")


@reads("treasury", "debt")
def lots_agree(portfolio: Portfolio) -> Iterator[Finding]:
    """Coins kept are held, and coins pledged secure a bitcoin-backed loan of their owner."""
    debts = {d.debt: d for d in portfolio.debt}
    for lot in portfolio.treasury:
        if lot.min_hold_btc > lot.btc:
            message = f"{lot.min_hold_btc:g} is more than the {lot.btc:g} held"
            yield error("kept-over-held", lot, "min_hold_btc", message, f"write {lot.btc:g} or less")
        loan = debts.get(lot.pledged_to or "")
        if loan is not None and loan.kind != "btc":
            message = f"'{loan.debt}' is of kind {loan.kind}"
            yield error(
                "pledge-misfit", lot, "pledged_to", message, "name a loan of kind btc, or write btc there"
            )
        elif loan is not None and loan.entity != lot.entity:
            message = f"'{loan.debt}' is owed by '{loan.entity}', the coins are of '{lot.entity}'"
            yield error("pledge-misfit", lot, "pledged_to", message, "name a loan of the same entity")


@reads("treasury", "tax_groups")
def coins_have_cost(portfolio: Portfolio) -> Iterator[Finding]:
    """Where gains are taxed, each lot says what its coins cost."""
    for lot in portfolio.treasury if portfolio.tax_groups else ():
        if lot.basis_usd_per_btc is None:
            message = "its gain is taxed, and what a coin cost is not known"
            yield error("no-basis", lot, "basis_usd_per_btc", message, "write it, or a guess with its range")


@reads("loan_collateral", "debt")
def loans_have_margin_terms(portfolio: Portfolio) -> Iterator[Finding]:
    """Each bitcoin-backed loan says when it is called, and no other loan does."""
    debts = {d.debt: d for d in portfolio.debt}
    terms = {c.debt for c in portfolio.loan_collateral}
    for row in portfolio.loan_collateral:
        loan = debts.get(row.debt)
        if loan is not None and loan.kind != "btc":
            message = f"'{loan.debt}' is of kind {loan.kind}, which no coins secure"
            yield error("margin-terms", row, "debt", message, "delete the row, or write kind btc in debt")
    for loan in portfolio.debt:
        if loan.kind == "btc" and loan.debt not in terms:
            message = "loan_collateral does not say when its lender calls"
            yield error("margin-terms", loan, "kind", message, "add its row to loan_collateral")


@reads("treasury", "loan_collateral", "debt", "market", "company")
def loans_open_below_call(portfolio: Portfolio) -> Iterator[Finding]:
    """In the first quarter the coins pledged already do."""
    debts = {d.debt: d for d in portfolio.debt}
    first = portfolio.firm.first_quarter if portfolio.company else None
    troughs = [row.trough_usd for row in portfolio.market if row.quarter == first]
    for row in portfolio.loan_collateral if troughs else ():
        loan = debts.get(row.debt)
        coins = sum(x.btc for x in portfolio.treasury if x.pledged_to == row.debt)
        cover = row.ltv_call_frac * coins * min(troughs) / 1e6
        if loan is not None and loan.principal_usd_m > cover:
            message = f"{loan.principal_usd_m:g} is owed where its {coins:,.0f} coins secure {cover:,.1f}"
            remedy = "the plan must add coins or cash at once: check both, and pledged_to in treasury"
            yield doubt("margin-call", row, "ltv_call_frac", message, remedy)


@reads("instruments")
def loans_on_offer_complete(portfolio: Portfolio) -> Iterator[Finding]:
    """Loans against bitcoin have their terms, and nothing else has them."""
    for i in portfolio.instruments:
        is_loan = i.kind == "btc_loan"
        for column in LOAN_TERMS:
            given = getattr(i, column) is not None
            if given and not is_loan and column != "spread_frac":
                message = f"it is for btc_loan, and this is of kind {i.kind}"
                yield error("btc-loan-terms", i, column, message, "leave it empty")
        yield from _loan_terms(i) if is_loan else ()


def _loan_terms(i: Instrument) -> Iterator[Finding]:
    for column in (*LOAN_TERMS, "tenor_q"):
        if getattr(i, column) is None:
            yield error("btc-loan-terms", i, column, "a loan against bitcoin needs it", "write it")
    if i.min_usd_m > 0.0:
        message = "a loan against bitcoin is taken in any size"
        yield error("btc-loan-terms", i, "min_usd_m", message, "write 0")
    if i.ltv_max_frac is not None and i.ltv_call_frac is not None and i.ltv_call_frac < i.ltv_max_frac:
        message = f"{i.ltv_call_frac:g} is below ltv_max_frac {i.ltv_max_frac:g}: it is called as it is drawn"
        yield error("btc-loan-terms", i, "ltv_call_frac", message, f"write {i.ltv_max_frac:g} or more")


@reads("debt")
def balloons_roll_whole(portfolio: Portfolio) -> Iterator[Finding]:
    """A right to refinance has all of its terms, and is on a loan that coins do not secure."""
    for d in portfolio.debt:
        given = [column for column in ROLL_TERMS if getattr(d, column) is not None]
        if given and d.kind == "btc":
            message = "coins secure this loan, and what replaces it is a loan against bitcoin"
            yield error(
                "roll-terms", d, given[0], message, "leave it empty, and add a btc_loan to instruments"
            )
        elif given and len(given) < len(ROLL_TERMS):
            missing = next(column for column in ROLL_TERMS if column not in given)
            message = f"it is empty, and {given[0]} is not"
            yield error("roll-terms", d, missing, message, f"write all of {', '.join(ROLL_TERMS)}, or none")


@reads("market")
def troughs_below_prices(portfolio: Portfolio) -> Iterator[Finding]:
    """The lowest price of a quarter is no higher than its price."""
    for row in portfolio.market:
        if row.trough_usd > row.btc_usd:
            message = f"it is above btc_usd {row.btc_usd:g}"
            remedy = f"write {row.btc_usd:g} or less, or leave it empty"
            yield error("trough-over-price", row, "btc_trough_usd", message, remedy)


CHECKS = (
    lots_agree,
    coins_have_cost,
    loans_have_margin_terms,
    loans_open_below_call,
    loans_on_offer_complete,
    balloons_roll_whole,
    troughs_below_prices,
)
