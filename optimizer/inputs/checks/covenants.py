"""Covenants: terms that fit the metric, and the past that those need which look back."""

from collections.abc import Iterator

from models.domain.portfolio import Portfolio
from models.domain.rules import EBITDA_METRICS, LEAF_METRICS, YEAR_Q, Covenant
from models.findings import Finding
from models.timetree import Quarter
from optimizer.inputs.checks.register import doubt, error, listed, reads

ON_ISSUING = ("market_cap", "dilution")
"""Metrics that limit what is issued by themselves."""


@reads("covenants")
def covenant_terms(portfolio: Portfolio) -> Iterator[Finding]:
    """Basis and test are stated only where they mean something."""
    for row in portfolio.covenants:
        if row.basis is not None and row.metric not in EBITDA_METRICS:
            message = f"{row.metric} has nothing to add up over quarters"
            yield error("covenant-terms", row, "basis", message, "leave it empty")
        if row.is_incurrence and row.metric in (*ON_ISSUING, *LEAF_METRICS):
            why = (
                "is tested at the end alone" if row.metric in LEAF_METRICS else "limits what is issued itself"
            )
            yield error("covenant-terms", row, "test", f"{row.metric} {why}", "leave it empty")


@reads("covenants", "budgets")
def tests_told_apart(portfolio: Portfolio) -> Iterator[Finding]:
    """No budget is called as a covenant: a plan lists both in one table."""
    names = {row.covenant for row in portfolio.covenants}
    for row in portfolio.budgets:
        if row.budget in names:
            message = f"a covenant is called '{row.budget}' too"
            yield error("same-name", row, "budget", message, "give one of them another name")


@reads("company", "history")
def history_is_past(portfolio: Portfolio) -> Iterator[Finding]:
    """History lies in the year before the plan."""
    for firm in portfolio.company[:1]:
        for row in portfolio.history:
            before = firm.first_quarter - row.quarter
            if not 0 < before <= YEAR_Q:
                wanted = f"{firm.first_quarter + -YEAR_Q} to {firm.first_quarter + -1}"
                message = f"no test asks for it: the plan begins in {firm.first_quarter}"
                yield error("history-quarter", row, "quarter", message, f"write quarters of {wanted}")


@reads("covenants", "company", "history")
def history_where_asked(portfolio: Portfolio) -> Iterator[Finding]:
    """Tests that look back over four quarters know the quarters before the first."""
    known = {row.quarter: row for row in portfolio.history}
    for firm in portfolio.company[:1]:
        for row in portfolio.covenants:
            asked = _asked(row, firm.first_quarter)
            missing = [str(q) for q in asked if q not in known]
            if row.basis == "trailing_4q" and missing:
                message = f"it looks back on {listed(missing)}, which history does not have"
                yield error("no-history", row, "basis", message, "add them to history, or begin it later")
            untold = [str(q) for q in asked if q not in known or known[q].shares_issued_m is None]
            if row.metric == "dilution" and untold:
                message = f"shares issued in {listed(untold)} are not known and count as none"
                yield doubt("no-history", row, "metric", message, "add shares_issued_m to history")


def _asked(row: Covenant, first: Quarter) -> list[Quarter]:
    """Quarters before the first that the test's first quarters look back on."""
    begins = 0 if row.from_quarter is None else max(0, row.from_quarter - first)
    return [first + -back for back in range(YEAR_Q - 1 - begins, 0, -1)]


CHECKS = (covenant_terms, tests_told_apart, history_is_past, history_where_asked)
