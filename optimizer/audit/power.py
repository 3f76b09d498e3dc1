"""What a megawatt-hour costs at a site in a quarter, and what a hash machine earns with it."""

from dataclasses import dataclass, replace

from models.domain.site import Power
from models.units import USD_M
from optimizer.audit.arithmetic import btc_per_ph_day
from optimizer.audit.book import Book, Moment, Vintage

_DECILES = 10


@dataclass(frozen=True)
class Tariff:
    """Prices of one quarter."""

    deciles: tuple[float, ...]
    """With adder, cheapest hours first. [USD/MWh]"""
    flat: float
    """Their mean. [USD/MWh]"""
    fixed_bare: float
    """The fixed price without adder; 0 on spot. [USD/MWh]"""
    spot_bare: float
    """The flat spot price without adder; 0 where none is used. [USD/MWh]"""


@dataclass(frozen=True)
class Hashing:
    """One MW of machines in one quarter."""

    margin_usd_m: float
    energy_mwh: float
    btc: float
    credit_usd_m: float
    """Of the margin, what interruptible load is paid for."""
    power_usd_m: float
    """Taken off in the margin, for the hours that it runs."""
    upkeep_usd_m: float
    """Taken off in the margin, repairs and fixed costs."""


def fixed_price(power: Power, moment: Moment) -> float:
    """Fixed price with its yearly steps, adder apart. [USD/MWh]"""
    years = (moment.quarter - power.from_quarter) // 4
    return float((power.price_usd_per_mwh or 0.0) * (1.0 + power.price_growth_frac_per_year) ** years)


def tariff(book: Book, site: str, moment: Moment) -> Tariff:
    """Prices at a site in a quarter."""
    power = book.power(site, moment.quarter)
    if power is None:
        return Tariff((0.0,) * _DECILES, 0.0, 0.0, 0.0)
    is_fixed = power.price_basis == "fixed"
    bare = fixed_price(power, moment) if is_fixed else 0.0
    if is_fixed and not power.resale_allowed:
        price = bare + power.adder_usd_per_mwh
        return Tariff((price,) * _DECILES, price, bare, 0.0)
    shape = book.shapes[book.sites[site].market or ""]
    level = shape.mean_usd_per_mwh * moment.market.power_idx / (sum(shape.deciles) / _DECILES)
    deciles = tuple(d * level + power.adder_usd_per_mwh for d in shape.deciles)
    flat = sum(deciles) / _DECILES
    return Tariff(deciles, flat, bare, flat - power.adder_usd_per_mwh)


def hash_one_mw(book: Book, site: str, vintage: Vintage, moment: Moment) -> Hashing:
    """Margin, energy and bitcoin of one MW at the machine kept ready for a quarter."""
    machine, market = vintage.machine, moment.market
    per_ph_day = btc_per_ph_day(
        market.difficulty_t, market.subsidy_btc, market.fee_frac, book.firm.pool_fee_frac
    )
    revenue = per_ph_day * market.btc_usd * 1000.0 / (24.0 * machine.j_per_th)
    hours = moment.quarter.hours
    earned, running, paid = 0.0, 0, 0.0
    for price in tariff(book, site, moment).deciles:
        gain = revenue - machine.overhead_frac * price - machine.variable_cost_usd_per_mwh
        if gain > 0.0:
            earned, running = earned + gain / _DECILES, running + 1
            paid += machine.overhead_frac * price / _DECILES
    power = book.power(site, moment.quarter)
    credit = power.curtail_credit_usd_per_mw_q if power else 0.0
    margin = machine.uptime_frac * hours * earned - machine.fixed_cost_usd_per_mw_q
    share = running / _DECILES
    return Hashing(
        (margin + credit * machine.overhead_frac) * USD_M,
        machine.overhead_frac * machine.uptime_frac * hours * share,
        1000.0 / machine.j_per_th * per_ph_day * moment.quarter.days * machine.uptime_frac * share,
        credit * machine.overhead_frac * USD_M,
        machine.uptime_frac * hours * paid * USD_M,
        (machine.uptime_frac * hours * share * machine.variable_cost_usd_per_mwh) * USD_M
        + machine.fixed_cost_usd_per_mw_q * USD_M,
    )


def with_subsidy(moment: Moment, subsidy_btc: float) -> Moment:
    """The same quarter with another block subsidy."""
    return replace(moment, market=moment.market.model_copy(update={"subsidy_btc": subsidy_btc}))


def new_price_usd_m(vintage: Vintage, moment: Moment) -> float:
    """Price of new machines. [$M per MW]"""
    return vintage.machine.price_usd_per_th / vintage.machine.j_per_th * moment.market.resale_idx


def resale_usd_m(book: Book, vintage: Vintage, moment: Moment) -> float:
    """What machines of this age fetch. [$M per MW]"""
    profile = book.profiles[vintage.machine.resale_profile]
    age = vintage.age(moment.period)
    if age >= len(profile) or vintage.is_dead(moment.period):
        return 0.0
    return new_price_usd_m(vintage, moment) * profile[age]


def slack_share(book: Book, site: str) -> float:
    """Share of hours in which slack may be used: the least that a contract at the site permits."""
    shares = [
        c.slack_hours_frac for c in book.portfolio.contracts if site in c.sites and c.usable_slack_frac > 0.0
    ]
    return min(shares, default=0.0)
