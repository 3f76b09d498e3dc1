"""Magnitudes: numbers that are allowed, yet look as if they were written in another unit."""

from collections.abc import Iterator
from typing import NamedTuple

from models.domain.portfolio import Portfolio
from models.findings import Finding
from optimizer.inputs.checks.references import rows_of
from optimizer.inputs.checks.register import Check, doubt, reads
from optimizer.inputs.columns import unit


class Magnitude(NamedTuple):
    """What a column usually holds; zero and empty are never doubted."""

    table: str
    column: str
    low: float
    high: float
    instead: str
    """What the number may have been written in."""


MAGNITUDES = (
    Magnitude("company", "price_usd", 0.01, 10_000, "another currency"),
    Magnitude("company", "basic_shares_m", 0.1, 20_000, "shares or thousands"),
    Magnitude("company", "cost_of_equity_frac", 0.02, 0.5, "percent"),
    Magnitude("company", "straight_spread_frac", 0.001, 0.5, "percent or basis points"),
    Magnitude("company", "cash_yield_spread_frac", 0, 0.5, "percent or basis points"),
    Magnitude("company", "overhead_growth_frac_per_year", -0.5, 0.5, "percent"),
    Magnitude("company", "cash_floor_usd_m", 0.01, 50_000, "$ or thousands"),
    Magnitude("entities", "unrestricted_cash_usd_m", 0, 100_000, "$ or thousands"),
    Magnitude("entities", "escrow_usd_m", 0, 100_000, "$ or thousands"),
    Magnitude("valuation", "rate_frac", 0.02, 0.5, "percent"),
    Magnitude("sites", "sale_cap_rate_frac", 0.03, 0.2, "percent, or a multiple of NOI"),
    Magnitude("power", "energised_mw", 0.1, 10_000, "kW"),
    Magnitude("power", "price_usd_per_mwh", 10, 1_000, "cents per kWh"),
    Magnitude("power", "adder_usd_per_mwh", 0.5, 300, "cents per kWh"),
    Magnitude("power", "demand_charge_usd_per_kw_month", 0.1, 60, "$ per MW or per year"),
    Magnitude("power", "price_growth_frac_per_year", -0.5, 0.5, "percent"),
    Magnitude("cooling", "capex_usd_m_per_module", 0.01, 500, "$ or thousands"),
    Magnitude("products", "capex_usd_m_per_mw", 0.05, 100, "$ per kW"),
    Magnitude("products", "gpu_capex_usd_m_per_mw", 1, 100, "$ per kW"),
    Magnitude("products", "refresh_q", 8, 40, "years"),
    Magnitude("products", "refresh_cost_frac", 0.1, 1.5, "percent"),
    Magnitude("products", "contingency_frac", 0, 0.5, "percent"),
    Magnitude("products", "opex_usd_per_kw_month", 0.5, 300, "$ per MW or per year"),
    Magnitude("products", "opex_growth_frac_per_year", -0.5, 0.5, "percent"),
    Magnitude("contracts", "first_year_rent_usd_per_kw_month", 20, 3_000, "$ per kW and year"),
    Magnitude("contracts", "escalator_frac_per_year", -0.5, 0.5, "percent"),
    Magnitude("commitment_flows", "amount_usd_m", 0, 50_000, "$ or thousands"),
    Magnitude("machines", "j_per_th", 5, 150, "W per TH/s of another kind"),
    Magnitude("machines", "price_usd_per_th", 0.5, 200, "$ per machine"),
    Magnitude("fleets", "mw", 0.01, 5_000, "kW"),
    Magnitude("debt", "principal_usd_m", 0.01, 50_000, "$ or thousands"),
    Magnitude("debt", "coupon_or_spread_frac", 0, 0.5, "percent or basis points"),
    Magnitude("convertibles", "principal_usd_m", 0.01, 50_000, "$ or thousands"),
    Magnitude("convertibles", "coupon_frac", 0, 0.5, "percent"),
    Magnitude("debt", "refinance_spread_frac", 0.001, 0.5, "percent or basis points"),
    Magnitude("treasury", "btc", 1, 1_000_000, "$M or thousands"),
    Magnitude("treasury", "sell_cost_frac", 0.0001, 0.1, "percent or basis points"),
    Magnitude("instruments", "spread_frac", 0.001, 0.5, "percent or basis points"),
    Magnitude("market", "btc_trough_usd", 1_000, 10_000_000, "thousands of $"),
    Magnitude("credit_classes", "spread_frac", 0.001, 0.5, "percent or basis points"),
    Magnitude("credit_classes", "refinance_spread_frac", 0.001, 0.5, "percent or basis points"),
    Magnitude("long_lead", "cost_usd_m_per_mw", 0.01, 10, "$ per kW"),
    Magnitude("take_outs", "max_usd_m", 0.1, 50_000, "$ or thousands"),
    Magnitude("vendor_leases", "spread_frac", 0.001, 0.5, "percent or basis points"),
    Magnitude("vendor_leases", "max_usd_m", 0.1, 50_000, "$ or thousands"),
    Magnitude("instruments", "max_usd_m", 0.1, 50_000, "$ or thousands"),
    Magnitude("instruments", "coupon_frac", 0, 0.5, "percent"),
    Magnitude("tax_groups", "rate_frac", 0.02, 0.6, "percent"),
    Magnitude("tax_groups", "losses_usd_m", 0.01, 50_000, "$ or thousands"),
    Magnitude("tax_groups", "basis_usd_m", 0.01, 100_000, "$ or thousands"),
    Magnitude("instruments", "spread_frac", 0.001, 0.5, "percent or basis points"),
    Magnitude("leverage_blocks", "add_frac", 0, 0.2, "percent or basis points"),
    Magnitude("market", "btc_usd", 1_000, 10_000_000, "thousands of $"),
    Magnitude("market", "difficulty_t", 1, 10_000, "another unit than trillions"),
    Magnitude("market", "base_rate_frac", 0, 0.5, "percent"),
    Magnitude("market", "spread_add_frac", 0, 0.5, "percent or basis points"),
    Magnitude("market_shapes", "mean_usd_per_mwh", 5, 1_000, "cents per kWh"),
)


def _magnitude_check(usual: Magnitude) -> Check:
    @reads(usual.table)
    def as_usual(portfolio: Portfolio) -> Iterator[Finding]:
        for row in rows_of(portfolio, usual.table):
            value = getattr(row, usual.column)
            if value and not usual.low <= value <= usual.high:
                message = f"{value:g} is outside the usual {usual.low:g} to {usual.high:g}"
                remedy = f"write it in {unit(usual.column) or 'its own unit'}; is it in {usual.instead}?"
                yield doubt("magnitude", row, usual.column, message, remedy)

    return as_usual


CHECKS = tuple(map(_magnitude_check, MAGNITUDES))
