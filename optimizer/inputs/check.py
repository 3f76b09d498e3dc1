"""All checks across tables, run at once on what could be read."""

from itertools import islice

from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.checks import (
    commitments,
    contracts,
    corporate_debt,
    covenants,
    dates,
    debt_terms,
    equipment,
    evidence,
    financing,
    magnitudes,
    offers,
    opening,
    ownership,
    payouts,
    products,
    proportions,
    references,
    shapes,
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
    *dates.CHECKS,
    *shapes.CHECKS,
    *sites.CHECKS,
    *ownership.CHECKS,
    *products.CHECKS,
    *equipment.CHECKS,
    *contracts.CHECKS,
    *offers.CHECKS,
    *terminations.CHECKS,
    *commitments.CHECKS,
    *financing.CHECKS,
    *taxes.CHECKS,
    *trades.CHECKS,
    *treasury.CHECKS,
    *covenants.CHECKS,
    *opening.CHECKS,
    *totals.CHECKS,
    *corporate_debt.CHECKS,
    *payouts.CHECKS,
    *debt_terms.CHECKS,
    *take_outs.CHECKS,
    *evidence.CHECKS,
    *magnitudes.CHECKS,
    *proportions.CHECKS,
)


MOST = 200
"""Findings of one check that are told."""


def check(portfolio: Portfolio, broken: frozenset[str] = frozenset()) -> list[Finding]:
    """Findings of every check that reads no broken table, of each the first few."""
    return [f for c in CHECKS if not c.reads & broken for f in islice(c.run(portfolio), MOST)]
