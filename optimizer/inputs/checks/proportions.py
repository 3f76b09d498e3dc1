"""Proportions: numbers that are possible alone, and too large or small beside another of the portfolio."""

from collections import defaultdict
from collections.abc import Iterator

from models.domain.portfolio import Portfolio
from models.findings import Finding
from models.units import QUARTERS_PER_YEAR
from optimizer.inputs.checks.register import doubt, reads

OVERHEAD_OF_MARKET_CAP = 0.05
AWARDS_OF_SHARES = 0.03
TRADED_OF_SHARES = 0.25
"""Of the shares outstanding, in a quarter and on a day."""
FIXED_USD_M_PER_MW_Q = 0.1
"""$400,000 a MW and year; leases, staff and property tax are a tenth of it."""
LEAST_MW = 10.0
"""A smaller site has the fixed costs of one of this size."""
INTEREST_OF_DEBT = 0.06
"""In a quarter: 24 % a year."""
LEASE_Q = 20
"""Nobody builds a hall for a lease of less than five years."""
LONG_TENORS = ("convertible", "notes")
TENOR_Q = 8

THRESHOLDS: dict[str, tuple[float, float, str]] = {
    "minimum_liquidity": (0.1, 50_000, "$ or thousands"),
    "funded_commitments": (0.1, 50_000, "$ or thousands"),
    "stress_liquidity": (0.1, 50_000, "$ or thousands"),
    "market_cap": (1, 1_000_000, "$ or thousands"),
    "recourse_debt": (0.1, 100_000, "$ or thousands"),
    "secured_debt": (0.1, 100_000, "$ or thousands"),
    "net_debt_to_ebitda": (0.25, 20, "percent"),
    "interest_cover": (0.25, 20, "percent"),
    "dscr": (0.5, 5, "percent"),
    "net_debt_to_market_cap": (0.02, 5, "percent"),
    "maturities": (0.1, 10, "percent"),
    "maturity_wall": (0.1, 10, "percent"),
    "solvency": (0.1, 10, "percent"),
    "cash_cover": (0.25, 20, "months"),
    "dilution": (0.005, 2, "percent"),
    "unsigned_building": (0.02, 10, "percent"),
    "tenant_share": (0.05, 1, "percent"),
}
"""What thresholds usually are, by metric, and what else they may have been written in."""


@reads("company")
def company_in_proportion(portfolio: Portfolio) -> Iterator[Finding]:
    """What a quarter or a day takes of the company is a small part of it."""
    for firm in portfolio.company[:1]:
        cap = firm.price_usd * firm.basic_shares_m
        for column, value, most, whole, instead in (
            (
                "overhead_usd_m_per_q",
                firm.overhead_usd_m_per_q,
                OVERHEAD_OF_MARKET_CAP * cap,
                "market cap",
                "year",
            ),
            (
                "award_shares_m_per_q",
                firm.award_shares_m_per_q,
                AWARDS_OF_SHARES * firm.basic_shares_m,
                "shares",
                "year",
            ),
            (
                "traded_shares_m_per_day",
                firm.traded_shares_m_per_day,
                TRADED_OF_SHARES * firm.basic_shares_m,
                "shares",
                "quarter",
            ),
        ):
            if value > most:
                message = f"{value:g} is out of proportion to the company's {whole}: {most:.3g} would be much"
                yield doubt("proportion", firm, column, message, f"is it of a {instead}?")


@reads("sites", "power")
def fixed_costs_in_proportion(portfolio: Portfolio) -> Iterator[Finding]:
    """Fixed costs of a site are those of a quarter, in $M."""
    energised: dict[str, float] = defaultdict(float)
    for power in portfolio.power:
        energised[power.site] = max(energised[power.site], power.energised_mw)
    for site in portfolio.sites:
        much = FIXED_USD_M_PER_MW_Q * max(energised[site.site], LEAST_MW)
        if site.fixed_cost_usd_m_per_q > much:
            message = (
                f"{site.fixed_cost_usd_m_per_q:g} for {energised[site.site]:g} MW: {much:.3g} would be much"
            )
            remedy = "is it of a year, or in thousands?"
            yield doubt("proportion", site, "fixed_cost_usd_m_per_q", message, remedy)


@reads("history", "debt", "convertibles")
def interest_in_proportion(portfolio: Portfolio) -> Iterator[Finding]:
    """Interest of a past quarter is that of a quarter."""
    owed = sum(d.principal_usd_m for d in portfolio.debt)
    owed += sum(n.principal_usd_m for n in portfolio.convertibles)
    for row in portfolio.history:
        if owed > 0.0 and row.interest_usd_m > INTEREST_OF_DEBT * owed:
            message = (
                f"{row.interest_usd_m:g} on {owed:,.0f} of debt is {row.interest_usd_m / owed:.0%} a quarter"
            )
            yield doubt("proportion", row, "interest_usd_m", message, "is it of a year?")


@reads("contracts", "instruments")
def terms_in_quarters(portfolio: Portfolio) -> Iterator[Finding]:
    """Leases and notes run for years, told in quarters."""
    for contract in portfolio.contracts:
        leased = "gpu_cloud" not in contract.workloads and contract.state != "merchant"
        if leased and contract.term_q < LEASE_Q:
            years = contract.term_q / QUARTERS_PER_YEAR
            message = f"a lease of {contract.term_q} quarters is one of {years:g} years"
            yield doubt("proportion", contract, "term_q", message, "is it in years? write quarters")
    for i in portfolio.instruments:
        if i.kind in LONG_TENORS and i.tenor_q is not None and i.tenor_q < TENOR_Q:
            message = f"notes of {i.tenor_q} quarters are due after {i.tenor_q / QUARTERS_PER_YEAR:g} years"
            yield doubt("proportion", i, "tenor_q", message, "is it in years? write quarters")


@reads("covenants")
def thresholds_in_proportion(portfolio: Portfolio) -> Iterator[Finding]:
    """Thresholds are in the unit of their metric."""
    for row in portfolio.covenants:
        low, high, instead = THRESHOLDS[row.metric]
        if row.threshold and not low <= row.threshold <= high:
            message = f"{row.threshold:g} is outside the usual {low:g} to {high:g} of {row.metric}"
            yield doubt("magnitude", row, "threshold", message, f"is it in {instead}?")


CHECKS = (
    company_in_proportion,
    fixed_costs_in_proportion,
    interest_in_proportion,
    terms_in_quarters,
    thresholds_in_proportion,
)
