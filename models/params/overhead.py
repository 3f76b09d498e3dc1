"""What overhead after the horizon is worth: for stated years, and as long as signed contracts may run."""

import numpy as np

from models.domain.portfolio import Portfolio
from models.timetree import Quarter
from models.units import QUARTERS_PER_YEAR


def overhead_factor(portfolio: Portfolio, last: Quarter) -> float:
    """Worth at the end of the last quarter of a dollar a quarter of overhead then. [quarters]

    In full for the stated years, then in each quarter with the largest chance that one of the contracts
    signed at the opening still runs: one to the end of its term, then that of the renewal. Offers do not
    count: an offer that nobody takes must cost nothing.
    """
    terms = next(v for v in portfolio.valuation if v.stream == "overhead")
    stated = np.ones(round(QUARTERS_PER_YEAR * (terms.years or 0.0)))
    kept = _largest_chance(portfolio, last)
    kept = np.append(stated, kept[stated.size :])
    ahead = np.arange(1.0, kept.size + 1.0)
    grown = (1.0 + (terms.growth_frac_per_year or 0.0)) ** (ahead / QUARTERS_PER_YEAR)
    return float((kept * grown * (1.0 + terms.rate_frac / QUARTERS_PER_YEAR) ** -ahead).sum())


def _largest_chance(portfolio: Portfolio, last: Quarter) -> np.ndarray:
    renewals = {r.contract: r for r in portfolio.renewals}
    signed = [c for c in portfolio.contracts if c.state == "committed"]
    ends = [c.commencement_quarter + c.term_q - (last + 1) for c in signed]
    lives = [r.all_terms_q if (r := renewals.get(c.contract)) else 0 for c in signed]
    kept = np.zeros(max([0, *(end + life for end, life in zip(ends, lives, strict=True))]))
    for c, end in zip(signed, ends, strict=True):
        kept[: max(0, end)] = 1.0
        renewal = renewals.get(c.contract)
        for k in range(renewal.options or 1 if renewal else 0):
            assert renewal is not None
            first = end + k * renewal.term_q
            span = slice(max(0, first), max(0, first + renewal.term_q))
            kept[span] = np.maximum(kept[span], renewal.probability_frac ** (k + 1))
    return kept
