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
    renewals = {r.contract: r for r in portfolio.renewals}
    kept = [1.0] * round(QUARTERS_PER_YEAR * (terms.years or 0.0))
    for c in (c for c in portfolio.contracts if c.state == "committed"):
        renewal, term_left_q = renewals.get(c.contract), c.commencement_quarter + c.term_q - (last + 1)
        ends = term_left_q + (renewal.all_terms_q if renewal else 0)
        kept += [0.0] * (ends - len(kept))
        for k in range(ends):
            runs = 1.0 if renewal is None or k < term_left_q else renewal.chance(k - term_left_q)
            kept[k] = max(kept[k], runs)
    ahead = np.arange(1.0, len(kept) + 1.0)
    grown = (1.0 + (terms.growth_frac_per_year or 0.0)) ** (ahead / QUARTERS_PER_YEAR)
    return float((np.array(kept) * grown * (1.0 + terms.rate_frac / QUARTERS_PER_YEAR) ** -ahead).sum())
