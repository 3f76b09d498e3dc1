"""Financing: instruments that are complete, notes whose terms agree, shares that are authorised."""

from collections.abc import Iterator
from itertools import pairwise

from models.domain.finance import Instrument
from models.domain.portfolio import Portfolio
from models.domain.row import Row
from models.findings import Finding
from optimizer.inputs.checks.register import doubt, error, reads

CONVERTIBLE_NEEDS = ("coupon_frac", "premium_frac", "tenor_q", "settlement")
CONVERTIBLE_MAY = (
    "capped_call_cost_frac",
    "cap_premium_frac",
    "put_after_q",
    "call_after_q",
    "call_trigger_frac",
)

OF_DEBT = {"notes": ("tenor_q",), "btc_loan": ("tenor_q",), "repurchase": ("premium_frac",)}
"""Terms that another kind shares with convertibles."""


def _halves(row: Row, *pairs: tuple[str, str]) -> Iterator[Finding]:
    """A fault for each pair of columns of which only one is given."""
    for one, other in pairs:
        if (getattr(row, one) is None) != (getattr(row, other) is None):
            empty, given = (one, other) if getattr(row, one) is None else (other, one)
            message = f"it is empty, and {given} is not"
            yield error("half-given", row, empty, message, f"write both, or leave {given} empty too")


@reads("instruments")
def instruments_complete(portfolio: Portfolio) -> Iterator[Finding]:
    """Convertibles have their terms, and nothing else has them."""
    for instrument in portfolio.instruments:
        if instrument.min_usd_m > instrument.max_usd_m:
            message = f"{instrument.min_usd_m:g} is more than max_usd_m {instrument.max_usd_m:g}"
            yield error(
                "min-over-max", instrument, "min_usd_m", message, f"write {instrument.max_usd_m:g} or less"
            )
        convertible = instrument.kind == "convertible"
        for column in (*CONVERTIBLE_NEEDS, *CONVERTIBLE_MAY):
            given = getattr(instrument, column) is not None
            if given and not convertible and column not in OF_DEBT.get(instrument.kind, ()):
                message = f"it is for convertibles, and this is of kind {instrument.kind}"
                yield error("convertible-terms", instrument, column, message, "leave it empty")
            if not given and convertible and column in CONVERTIBLE_NEEDS:
                yield error("convertible-terms", instrument, column, "a convertible needs it", "write it")
        pairs = (("capped_call_cost_frac", "cap_premium_frac"), ("call_after_q", "call_trigger_frac"))
        yield from _halves(instrument, *pairs if convertible else ())
        yield from _instrument_dates(instrument)


def _instrument_dates(instrument: Instrument) -> Iterator[Finding]:
    for column in ("put_after_q", "call_after_q"):
        after = getattr(instrument, column)
        if after is not None and instrument.tenor_q is not None and after >= instrument.tenor_q:
            message = f"{after} is not before the maturity after {instrument.tenor_q}"
            yield error(
                "convertible-terms", instrument, column, message, "write fewer quarters, or leave it empty"
            )
    premium, cap = instrument.premium_frac, instrument.cap_premium_frac
    if premium is not None and cap is not None and cap <= premium:
        message = f"the cap {cap:g} is not above the conversion premium {premium:g}"
        yield error("cap-below-strike", instrument, "cap_premium_frac", message, "write a higher cap")


@reads("convertibles")
def notes_agree(portfolio: Portfolio) -> Iterator[Finding]:
    """Puts, calls and caps of existing notes are whole."""
    for note in portfolio.convertibles:
        yield from _halves(
            note, ("put_quarter", "put_price_frac"), ("call_from_quarter", "call_trigger_frac")
        )
        if note.cap_price_usd is not None and note.cap_price_usd <= note.conversion_price_usd:
            message = f"it is not above the conversion price {note.conversion_price_usd:g}"
            yield error(
                "cap-below-strike", note, "cap_price_usd", message, "write a higher price, or leave it empty"
            )


@reads("instruments", "impact")
def impact_in_blocks(portfolio: Portfolio) -> Iterator[Finding]:
    """At-the-market programmes have discount blocks that get wider and dearer, and nothing else has any."""
    for instrument in portfolio.instruments:
        blocks = sorted(
            (i for i in portfolio.impact if i.instrument == instrument.instrument), key=lambda i: i.block
        )
        if (instrument.kind == "atm") != bool(blocks):
            message = (
                "an at-the-market programme has no blocks in impact"
                if not blocks
                else "it has blocks in impact"
            )
            remedy = "add its blocks to impact" if not blocks else "delete them: only an atm sells in blocks"
            yield error("impact-blocks", instrument, "kind", message, remedy)
        for n, block in enumerate(blocks):
            if block.block != n + 1:
                message = f"block {n + 1} is missing before it"
                yield error("impact-blocks", block, "block", message, "number the blocks 1, 2, 3, ...")
                break
        for before, block in pairwise(blocks):
            if block.up_to_frac_of_volume <= before.up_to_frac_of_volume:
                message = f"it is not above the {before.up_to_frac_of_volume:g} of the block before"
                yield error("impact-blocks", block, "up_to_frac_of_volume", message, "volumes are cumulative")
            if block.discount_frac < before.discount_frac:
                message = f"it is below the {before.discount_frac:g} of the block before"
                yield error(
                    "impact-blocks", block, "discount_frac", message, "later blocks are never cheaper"
                )


@reads("company", "instruments")
def programme_sold(portfolio: Portfolio) -> Iterator[Finding]:
    """What is left of the at-the-market programme can be sold by an instrument."""
    for firm in portfolio.company[:1]:
        if firm.atm_left_usd_m > 0 and not any(i.kind == "atm" for i in portfolio.instruments):
            message = "no instrument of kind atm sells it"
            yield doubt(
                "unused-programme", firm, "atm_left_usd_m", message, "add one to instruments, or write 0"
            )


@reads("company", "share_claims", "convertibles")
def shares_authorised(portfolio: Portfolio) -> Iterator[Finding]:
    """Shares outstanding, awarded and reserved for claims and existing notes are authorised."""
    for firm in portfolio.company[:1]:
        count = firm.basic_shares_m + firm.award_shares_m_per_q * firm.horizon_q
        count += sum(c.shares_m for c in portfolio.share_claims)
        count += sum(n.principal_usd_m / n.conversion_price_usd for n in portfolio.convertibles)
        if count > firm.authorised_shares_m:
            message = (
                f"basic shares, awards over the horizon, claims and convertibles are {count:,.1f} million"
            )
            yield error("over-authorised", firm, "authorised_shares_m", message, f"write {count:.1f} or more")


@reads("contracts", "share_claims")
def claims_on_offers(portfolio: Portfolio) -> Iterator[Finding]:
    """A claim that waits for a signature names an offer."""
    states = {c.contract: c.state for c in portfolio.contracts}
    for claim in portfolio.share_claims:
        state = states.get(claim.contract or "")
        if state in ("committed", "merchant"):
            message = f"contract '{claim.contract}' is {state}, so the claim has vested"
            yield error("vested-claim", claim, "contract", message, "leave it empty")


@reads("company", "entities")
def cash_above_floor(portfolio: Portfolio) -> Iterator[Finding]:
    """The treasury opens above its own floor."""
    for firm in portfolio.company[:1]:
        for parent in (e for e in portfolio.entities if e.kind == "parent"):
            if parent.unrestricted_cash_usd_m < firm.cash_floor_usd_m:
                message = f"it is below cash_floor_usd_m {firm.cash_floor_usd_m:g}"
                remedy = "the plan must raise the rest at once: check both"
                yield doubt("below-floor", parent, "unrestricted_cash_usd_m", message, remedy)


CHECKS = (
    instruments_complete,
    notes_agree,
    impact_in_blocks,
    programme_sold,
    shares_authorised,
    claims_on_offers,
    cash_above_floor,
)
