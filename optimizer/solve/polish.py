"""The plan shown: whole decisions rounded and fixed, the rest solved again, nothing next to nothing in it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.blocks.linear import Linear

if TYPE_CHECKING:
    from optimizer.solve.per_share import Search

Array = NDArray[np.float64]
DUST = 1e-6
"""MW, $M or coins: what is less is noise, unless nothing fits without it."""
SWEEPS = 3
FITS_NO_MORE = "the best plan found does not fit once its whole decisions are rounded; this one does"
FIT_NONE = "the plans found do not fit once their whole decisions are rounded; try another seed"


def last_that_fits(search: "Search", objective: Linear, plans: Sequence[Array]) -> tuple[Array | None, str]:
    """The last of some plans that can be polished, and what is to be said of it; None where none can."""
    for plan in reversed(plans):
        found = polished(search, objective, plan)
        if found is not None:
            return found, "" if plan is plans[-1] else FITS_NO_MORE
    return None, FIT_NONE


def polished(search: "Search", objective: Linear, x: Array) -> Array | None:
    """The best plan with the integers of ``x``, rounded; None where there is none.

    Amounts below DUST are set to nothing and the rest is solved again, as long as that costs nothing that
    could be seen.
    """
    m = search.matrix
    found = search.as_planned(objective, x)
    swept = np.zeros(x.size, dtype=bool)
    for _ in range(SWEEPS):
        if found is None:
            return None
        dust = (found != 0.0) & (np.abs(found) <= DUST) & (m.lower <= 0.0) & (m.upper >= 0.0)
        if not dust.any():
            break
        swept |= dust
        cleaner = search.as_planned(objective, x, nothing=swept)
        lost = np.inf if cleaner is None else m.at(found, objective) - m.at(cleaner, objective)
        if cleaner is None or lost > DUST * max(1.0, abs(m.at(found, objective))):
            break
        found = cleaner
    return found
