"""Corporate debt: terms of notes, revolvers and repurchases, and the blocks of leverage."""

from collections.abc import Iterator
from itertools import pairwise

from models.domain.finance import Instrument, LeverageBlock
from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.checks.register import doubt, error, reads

NEEDS = {
    "notes": ("spread_frac", "tenor_q"),
    "revolver": ("spread_frac", "commitment_fee_frac", "available_from_quarter", "available_until_quarter"),
    "repurchase": ("premium_frac", "tranche"),
}
"""Columns that a kind of debt cannot do without."""
OF_COINS = ("btc_loan", "spread_frac")
"""Checked with the loans against bitcoin."""
COLUMNS = (
    "spread_frac",
    "commitment_fee_frac",
    "available_from_quarter",
    "available_until_quarter",
    "tranche",
)
"""Columns that mean nothing to any other kind."""
OF_SHARES = ("lockup_after_q", "launch_drop_frac", "drop_lasts_q")
"""What only a deal in shares or convertibles does to the share price."""
IN_BLOCKS = ("notes", "convertible")


@reads("instruments")
def debt_complete(portfolio: Portfolio) -> Iterator[Finding]:
    """Notes, revolvers and repurchases have their terms, and nothing else has them."""
    for instrument in portfolio.instruments:
        needs = NEEDS.get(instrument.kind, ())
        for column in needs:
            if getattr(instrument, column) is None:
                yield error("debt-terms", instrument, column, f"a {instrument.kind} needs it", "write it")
        for column in COLUMNS:
            stray = column not in needs and (instrument.kind, column) != OF_COINS
            if stray and getattr(instrument, column) is not None:
                message = f"it means nothing to the kind {instrument.kind}"
                yield error("debt-terms", instrument, column, message, "leave it empty")
        if needs:
            yield from _without_effect(instrument)


def _without_effect(instrument: Instrument) -> Iterator[Finding]:
    for column in OF_SHARES:
        if getattr(instrument, column):
            message = f"a {instrument.kind} does not move the share price"
            yield error("debt-terms", instrument, column, message, "write 0")
    if instrument.kind == "repurchase" and instrument.min_usd_m > 0.0:
        message = "as little may be bought back as one likes"
        yield error("debt-terms", instrument, "min_usd_m", message, "write 0")


@reads("instruments", "debt")
def names_apart(portfolio: Portfolio) -> Iterator[Finding]:
    """No instrument has the name of a loan: the plan's tables could not tell them apart."""
    loans = {d.debt for d in portfolio.debt}
    for instrument in portfolio.instruments:
        if instrument.instrument in loans:
            message = "a loan of the table debt has this name"
            yield error("name-taken", instrument, "instrument", message, "rename one of them")


@reads("company", "instruments")
def notes_cost_what_debt_costs(portfolio: Portfolio) -> Iterator[Finding]:
    """Notes are no cheaper than the company's unsecured debt is said to be."""
    for firm in portfolio.company[:1]:
        for i in portfolio.instruments:
            if i.kind == "notes" and i.spread_frac is not None and i.spread_frac < firm.straight_spread_frac:
                message = f"it is below straight_spread_frac {firm.straight_spread_frac:g} of the company"
                remedy = "one of them is wrong: convertibles bought back with such notes would gain by it"
                yield doubt("cheap-notes", i, "spread_frac", message, remedy)


def _blocks_of(portfolio: Portfolio, instrument: str) -> list[LeverageBlock]:
    rows = (x for x in portfolio.leverage_blocks if x.instrument == instrument)
    return sorted(rows, key=lambda x: x.block)


@reads("instruments", "leverage_blocks")
def leverage_in_blocks(portfolio: Portfolio) -> Iterator[Finding]:
    """Blocks of leverage are numbered, get wider, and never cheaper; only debt has them."""
    kinds = {i.instrument: i.kind for i in portfolio.instruments}
    for name in dict.fromkeys(x.instrument for x in portfolio.leverage_blocks):
        blocks = _blocks_of(portfolio, name)
        if kinds.get(name, "notes") not in IN_BLOCKS:
            message = f"'{name}' is of kind {kinds[name]}"
            yield error(
                "leverage-blocks", blocks[0], "instrument", message, "only notes and convertibles have blocks"
            )
        for n, block in enumerate(blocks):
            if block.block != n + 1:
                message = f"block {n + 1} is missing before it"
                yield error("leverage-blocks", block, "block", message, "number the blocks 1, 2, 3, ...")
                break
        for before, block in pairwise(blocks):
            if block.up_to_frac_of_market_cap <= before.up_to_frac_of_market_cap:
                message = f"it is not above the {before.up_to_frac_of_market_cap:g} of the block before"
                yield error(
                    "leverage-blocks", block, "up_to_frac_of_market_cap", message, "bounds are cumulative"
                )
            if block.add_frac < before.add_frac:
                message = f"it is below the {before.add_frac:g} of the block before"
                yield error("leverage-blocks", block, "add_frac", message, "later blocks are never cheaper")


@reads("company", "convertibles", "debt", "leverage_blocks")
def leverage_has_room(portfolio: Portfolio) -> Iterator[Finding]:
    """Debt of the opening leaves room below the last bound."""
    owed = sum(c.principal_usd_m for c in portfolio.convertibles)
    owed += sum(d.principal_usd_m for d in portfolio.debt if d.kind == "corporate")
    for firm in portfolio.company[:1]:
        cap = firm.price_usd * firm.basic_shares_m
        for name in dict.fromkeys(x.instrument for x in portfolio.leverage_blocks):
            last = _blocks_of(portfolio, name)[-1]
            if owed >= last.up_to_frac_of_market_cap * cap:
                message = f"corporate debt of the opening is {owed / cap:.2f} of the market cap already"
                remedy = "nothing can be issued until some is repaid: check the bound"
                yield doubt("no-leverage-left", last, "up_to_frac_of_market_cap", message, remedy)


CHECKS = (names_apart, debt_complete, notes_cost_what_debt_costs, leverage_in_blocks, leverage_has_room)
