"""All checks across tables, run at once on what could be read."""

from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.checks import (
    commitments,
    contracts,
    corporate_debt,
    covenants,
    debt_terms,
    equipment,
    evidence,
    financing,
    magnitudes,
    ownership,
    payouts,
    products,
    references,
    sites,
    take_outs,
    taxes,
    terminations,
    timeline,
    totals,
    trades,
    treasury,
)

CHECKS = (
    *references.CHECKS,
    *timeline.CHECKS,
    *sites.CHECKS,
    *ownership.CHECKS,
    *products.CHECKS,
    *equipment.CHECKS,
    *contracts.CHECKS,
    *terminations.CHECKS,
    *commitments.CHECKS,
    *financing.CHECKS,
    *taxes.CHECKS,
    *trades.CHECKS,
    *treasury.CHECKS,
    *covenants.CHECKS,
    *totals.CHECKS,
    *corporate_debt.CHECKS,
    *payouts.CHECKS,
    *debt_terms.CHECKS,
    *take_outs.CHECKS,
    *evidence.CHECKS,
    *magnitudes.CHECKS,
)


def check(portfolio: Portfolio, broken: frozenset[str] = frozenset()) -> list[Finding]:
    """Findings of every check that reads no broken table."""
    return [finding for c in CHECKS if not c.reads & broken for finding in c.run(portfolio)]
