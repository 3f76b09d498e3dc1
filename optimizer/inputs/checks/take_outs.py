"""Take-outs: loans that may be called, by borrowers alone, and lenders on what is let and built."""

from collections.abc import Iterator

from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.checks.register import doubt, error, reads


@reads("debt", "entities")
def calls_whole(portfolio: Portfolio) -> Iterator[Finding]:
    """A loan that may be called has a day and a price, a borrower, and no sweep."""
    kinds = {e.entity: e.kind for e in portfolio.entities}
    for debt in portfolio.debt:
        if (debt.call_from_quarter is None) != (debt.call_price_frac is None):
            empty = "call_from_quarter" if debt.call_from_quarter is None else "call_price_frac"
            yield error(
                "call-terms", debt, empty, "a call needs both a quarter and a price", "write both, or none"
            )
        if debt.call_from_quarter is None:
            continue
        if debt.call_from_quarter >= debt.maturity_quarter:
            message = f"{debt.call_from_quarter} is not before the maturity {debt.maturity_quarter}"
            yield error("call-terms", debt, "call_from_quarter", message, "write an earlier quarter")
        if kinds.get(debt.entity) == "parent" or debt.kind in ("btc", "corporate"):
            message = "only loans of borrowers on what they have built can be called"
            yield error("call-terms", debt, "call_from_quarter", message, "leave it empty")
        if debt.sweep_frac is not None:
            message = "what sweeps is repaid out of what is handed up, and may not be called too"
            yield error("call-terms", debt, "sweep_frac", message, "leave it empty, or the call")


@reads("take_outs", "debt", "entities", "company")
def take_outs_fit(portfolio: Portfolio) -> Iterator[Finding]:
    """A take-out is a borrower's, in a window, and replaces a loan of its own that may be called."""
    kinds, debts = {e.entity: e.kind for e in portfolio.entities}, {d.debt: d for d in portfolio.debt}
    for row in portfolio.take_outs:
        if kinds.get(row.entity) == "parent":
            message = "the company has no halls of its own: a take-out is without recourse to it"
            yield error("take-out-terms", row, "entity", message, "name a borrower")
        if row.to_quarter < row.from_quarter:
            message = f"{row.to_quarter} is before from_quarter {row.from_quarter}"
            yield error("take-out-terms", row, "to_quarter", message, f"write {row.from_quarter} or later")
        debt = debts.get(row.debt or "")
        if debt is not None and debt.entity != row.entity:
            message = f"'{row.debt}' is owed by '{debt.entity}'"
            yield error("take-out-terms", row, "debt", message, f"name a loan of '{row.entity}'")
        elif debt is not None and debt.call_from_quarter is None:
            message = f"'{row.debt}' cannot be called"
            remedy = "write its call_from_quarter and call_price_frac, or name another loan"
            yield error("take-out-terms", row, "debt", message, remedy)


@reads("take_outs", "sites", "commitments", "contracts")
def something_is_let(portfolio: Portfolio) -> Iterator[Finding]:
    """A borrower without a committed contract has nothing that such lenders look at."""
    owner = {s.site: s.entity for s in portfolio.sites}
    signed = {c.contract for c in portfolio.contracts if c.state == "committed"}
    let = {owner.get(c.site) for c in portfolio.commitments if c.contract in signed}
    for row in portfolio.take_outs:
        if row.entity not in let:
            message = f"'{row.entity}' has no commitment under a committed contract: nothing is lent"
            yield doubt("nothing-let", row, "entity", message, "name who owns the halls, or take the row out")


CHECKS = (calls_whole, take_outs_fit, something_is_let)
