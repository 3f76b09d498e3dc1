"""Price shapes: deciles in order, with a mean by which they can be scaled."""

from collections.abc import Iterator
from itertools import pairwise

from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.checks.register import error, reads


@reads("market_shapes")
def deciles_in_order(portfolio: Portfolio) -> Iterator[Finding]:
    """Deciles rise, and their mean is a price."""
    for shape in portfolio.market_shapes:
        mean = sum(shape.deciles) / len(shape.deciles)
        if mean <= 0.0:
            message = f"the deciles have a mean of {mean:g}, and are scaled to mean_usd_per_mwh by it"
            yield error("shape-mean", shape, "d10", message, "correct the deciles")
        for n, (before, after) in enumerate(pairwise(shape.deciles), 2):
            if after < before:
                message = f"{after:g} is below the {before:g} of the decile before"
                yield error("shape-order", shape, f"d{n}", message, "write the cheapest first")
                break


CHECKS = (deciles_in_order,)
