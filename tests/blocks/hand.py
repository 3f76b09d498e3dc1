"""Portfolios that leave one rule to press on, and what their plans do by plain arithmetic.

The figures are those of ``tests.portfolios``: a hall is 10 MW critical and 16 gross, costs 40 $M in each of
its two quarters, takes its power from the second one on and is live from the third; a rival's tenant pays a
fifth of it.
"""

from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from tests.blocks.bite import Plan
from tests.portfolios import SITES, small, with_all, with_company, with_row, without

HALL_MW, HALL_GROSS_MW, HALL_USD_M_PER_Q = 10.0, 16.0, 40.0
LEAD_Q, RIVAL_OWN_FRAC = 2, 0.8


def rich(p: Portfolio | None = None) -> Portfolio:
    """Money and crews enough for anything, and no duty to spend what is raised."""
    p = with_all(p or small(), "entities", unrestricted_cash_usd_m=3000.0)
    return with_company(p, building_cap_mw=500.0, raise_only_what_is_spent=False)


def halls(p: Portfolio | None = None) -> Portfolio:
    """Without mining: what is spent, is spent on halls, their cooling and the opening."""
    return without(with_all(p or small(), "sites", mining_allowed=False), "fleets")


def merchant(p: Portfolio | None = None) -> Portfolio:
    """Halls at the north for the open market alone, cooled already: few whole numbers to decide."""
    p = without(with_row(halls(p), "sites", "south", hpc_allowed=False), "contracts", "lease")
    p = with_row(p, "cooling", "north", existing_mw=60.0, max_modules=0)
    return with_company(p, building_cap_mw=500.0)


def idle(p: Portfolio | None = None) -> Portfolio:
    """Sites that do nothing and cost a half each: all that moves is the company's money."""
    p = with_all(halls(p), "sites", hpc_allowed=False)
    return with_all(p, "power", demand_charge_usd_per_kw_month=0.0, take_or_pay_frac=0.0)


def begun(plan: Plan, n: int, site: str = "", contract: str = "", least_age: int = 0) -> float:
    """Halls begun on the path to a node, at least so many quarters before it."""
    where = {key: value for key, value in (("site", site), ("contract", contract)) if value}
    return plan.up_to(Quantity.START, n, least_age, item="hall", **where)


def building(plan: Plan, n: int, site: str = "", contract: str = "") -> float:
    """Halls under construction at a node."""
    return begun(plan, n, site, contract) - begun(plan, n, site, contract, LEAD_Q)


def delivered(plan: Plan, n: int, contract: str) -> float:
    """Halls in their first live quarter: what would not have arrived, were they late."""
    return begun(plan, n, contract=contract, least_age=LEAD_Q) - begun(
        plan, n, contract=contract, least_age=LEAD_Q + 1
    )


def late_loss_usd_m(plan: Plan, n: int) -> float:
    """Rent of halls just delivered: 6 $M from a lease, 4.5 from the market."""
    return 6.0 * delivered(plan, n, "lease") + 4.5 * delivered(plan, n, "open")


def occupied_mw(plan: Plan, n: int, site: str) -> float:
    """Gross MW of machines on and of halls from their second quarter on."""
    return plan.at(Quantity.ON_MW, n, site=site) + HALL_GROSS_MW * begun(plan, n, site, least_age=1)


def opened(plan: Plan, n: int, site: str) -> float:
    """Whether a site opens at a node."""
    flags = plan.site(site).conversion.opened
    return float(flags[n].value) if n in flags else 0.0


def own_spend_usd_m(plan: Plan, n: int, sites: tuple[str, ...] = SITES, tenants_pay: bool = True) -> float:
    """Spend of a quarter, of own money or of anyone's: halls, 2 per cooling module, 2 to open a site."""
    spent = 0.0
    for site in sites:
        rival = building(plan, n, site, "rival")
        others = building(plan, n, site) - rival
        spent += HALL_USD_M_PER_Q * (others + rival * (RIVAL_OWN_FRAC if tenants_pay else 1.0))
        spent += 2.0 * plan.at(Quantity.COOL, n, site=site) + 2.0 * opened(plan, n, site)
    return spent


def remaining_own_usd_m(plan: Plan, n: int) -> float:
    """Own spend still to come: the second half of halls just begun."""
    just = begun(plan, n) - begun(plan, n, least_age=1)
    rival = begun(plan, n, contract="rival") - begun(plan, n, contract="rival", least_age=1)
    return HALL_USD_M_PER_Q * (just - (1.0 - RIVAL_OWN_FRAC) * rival)


def company_cash_usd_m(plan: Plan, n: int) -> float:
    """Unrestricted cash of the parent."""
    return float(plan.company.cash.cash[n].value)


def liquidity_usd_m(plan: Plan, n: int) -> float:
    """Unrestricted cash of the parent and the borrowers."""
    blocks = plan.program.model.borrower.values()
    return company_cash_usd_m(plan, n) + sum(float(b.own.cash[n].value) for b in blocks)
