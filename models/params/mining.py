"""Hash machines by vintage: what a megawatt of them earns, costs and fetches at each site and node."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.domain.mining import Machine
from models.domain.portfolio import Portfolio
from models.domain.site import Site
from models.formulas.hashprice import revenue_usd_per_mwh
from models.formulas.power_margin import MachineMargin, machine_margin
from models.params.outlook import Outlook, halved_hashprice
from models.params.power import SitePower
from models.units import QUARTERS_PER_YEAR, USD_M

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Vintage:
    """Machines of one type and age; the ones that the plan buys are one vintage per type."""

    name: str
    machine: Machine
    opening_mw: dict[str, float]
    """By site. [MW]"""
    age_q: int
    """At the first quarter; of new ones as if bought then."""
    is_new: bool
    price_usd_m_per_mw: Array
    resale_usd_m_per_mw: Array
    dead: Array
    """1 from the node at which the life is over; never for new ones, whose life is a bound on purchases."""


@dataclass(frozen=True, eq=False)
class MiningAtSite:
    """Machines of one vintage at one site, per MW at the machine, by node."""

    margin_usd_m_per_mw: Array
    revenue_usd_m_per_mw: Array
    """Of the margin, coins at the price at which they are received."""
    credit_usd_m_per_mw: Array
    """Of the margin, what interruptible load is paid for."""
    power_usd_m_per_mw: Array
    """Of the margin, energy in the hours run; the rest are repairs and fixed costs."""
    running_frac: Array
    energy_mwh_per_mw: Array
    purchase_usd_m_per_mw: Array
    """Price with tariff."""
    move_usd_m_per_mw: Array
    """Transport, and the tariff on the resale value where it crosses a customs border."""
    run_off_usd_m_per_mw: dict[int, float]
    """Margin after each leaf to the end of life."""


def vintages(portfolio: Portfolio, outlook: Outlook) -> tuple[Vintage, ...]:
    """Fleets in place, then one vintage per machine that is for sale."""
    machines = {m.machine: m for m in portfolio.machines}
    found = []
    for fleet in portfolio.fleets:
        machine = machines[fleet.machine]
        found.append(_vintage(portfolio, outlook, fleet.fleet, machine, {fleet.site: fleet.mw}, fleet.age_q))
    found += [
        _vintage(portfolio, outlook, f"{m.machine}:new", m, None, 0)
        for m in portfolio.machines
        if m.max_buy_mw_per_q > 0.0
    ]
    return tuple(found)


def _vintage(
    portfolio: Portfolio,
    outlook: Outlook,
    name: str,
    machine: Machine,
    opening: dict[str, float] | None,
    age_q: int,
) -> Vintage:
    tree = outlook.tree
    profile = {x.step: x.frac for x in portfolio.profiles if x.profile == machine.resale_profile}
    index = np.array([r.resale_idx for r in outlook.rows])
    price = machine.price_usd_per_th / machine.j_per_th * index
    ages = [age_q + t for t in tree.period]
    worth = np.array([profile.get(a, 0.0) if opening is None or a < machine.life_q else 0.0 for a in ages])
    return Vintage(
        name=name,
        machine=machine,
        opening_mw=opening or {},
        age_q=age_q,
        is_new=opening is None,
        price_usd_m_per_mw=price,
        resale_usd_m_per_mw=price * worth,
        dead=np.array([float(opening is not None and a >= machine.life_q) for a in ages]),
    )


def mining_at(
    portfolio: Portfolio, vintage: Vintage, site: Site, power: SitePower, outlook: Outlook
) -> MiningAtSite:
    """What a vintage does at a site."""
    m, tree = vintage.machine, outlook.tree
    region = next(r for r in portfolio.regions if r.region == site.region)
    earned = _margins(m, power, outlook.hashprice, slice(None))
    standing = m.fixed_cost_usd_per_mw_q * USD_M
    margin = (
        m.uptime_frac * outlook.hours * earned.margin_usd_per_mwh * USD_M
        - standing
        + power.curtail_credit_usd_m_per_mw * m.overhead_frac
    )
    ran_usd_m = m.uptime_frac * outlook.hours * earned.running_frac * USD_M
    tariff = np.array([r.asic_tariff_frac for r in outlook.rows]) * region.asic_tariff_applies
    crosses = _home_area(portfolio, vintage) != (region.customs_area or region.region)
    run_off = {}
    for leaf in tree.leaves:
        at_leaf = _margins(
            m, power, np.array([halved_hashprice(portfolio, outlook, leaf)]), slice(leaf, leaf + 1)
        )
        per_q = (
            m.uptime_frac * outlook.hours[leaf] * float(at_leaf.margin_usd_per_mwh[0]) * USD_M
            - standing
            + float(power.curtail_credit_usd_m_per_mw[leaf]) * m.overhead_frac
        )
        run_off[leaf] = per_q * _run_off_factor(portfolio, max(0, m.life_q - vintage.age_q - tree.horizon_q))
    return MiningAtSite(
        margin_usd_m_per_mw=margin,
        revenue_usd_m_per_mw=ran_usd_m * revenue_usd_per_mwh(outlook.hashprice, m.j_per_th),
        credit_usd_m_per_mw=power.curtail_credit_usd_m_per_mw * m.overhead_frac,
        power_usd_m_per_mw=ran_usd_m * earned.energy_price_usd_per_mwh,
        running_frac=earned.running_frac,
        energy_mwh_per_mw=m.overhead_frac * m.uptime_frac * outlook.hours * earned.running_frac,
        purchase_usd_m_per_mw=vintage.price_usd_m_per_mw * (1.0 + tariff),
        move_usd_m_per_mw=m.move_usd_per_mw * USD_M + crosses * tariff * vintage.resale_usd_m_per_mw,
        run_off_usd_m_per_mw=run_off,
    )


def _home_area(portfolio: Portfolio, vintage: Vintage) -> str | None:
    """Customs area in which a fleet stands; None for new machines, which may come from anywhere."""
    for site in portfolio.sites:
        if site.site in vintage.opening_mw:
            region = next(r for r in portfolio.regions if r.region == site.region)
            return region.customs_area or region.region
    return None


def _margins(m: Machine, power: SitePower, hashprice: Array, nodes: slice) -> MachineMargin:
    return machine_margin(
        revenue_usd_per_mwh(hashprice, m.j_per_th),
        m.overhead_frac * power.deciles_usd_per_mwh[nodes],
        np.full(hashprice.size, m.variable_cost_usd_per_mwh),
    )


def _run_off_factor(portfolio: Portfolio, left_q: int) -> float:
    """PV of one dollar a quarter that declines, over what is left of a machine's life."""
    terms = next((v for v in portfolio.valuation if v.stream == "mining"), None)
    if terms is None:
        return 0.0
    i = np.arange(1, left_q + 1)
    kept = (1.0 - terms.decline_frac_per_year) ** (i / QUARTERS_PER_YEAR)
    return float((kept / (1.0 + terms.rate_frac / QUARTERS_PER_YEAR) ** i).sum())
