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


INDICES = ("lease", "gpu_rent", "capex", "gpu_price", "power", "ai_equity", "resale")

MAGNITUDES = (
    Magnitude("company", "price_usd", 0.01, 10_000, "another currency"),
    Magnitude("company", "basic_shares_m", 0.1, 20_000, "shares or thousands"),
    Magnitude("company", "cost_of_equity_frac", 0.02, 0.5, "percent"),
    Magnitude("company", "straight_spread_frac", 0.001, 0.5, "percent or basis points"),
    Magnitude("company", "cash_yield_spread_frac", 0, 0.05, "percent or basis points"),
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
    Magnitude("machines", "j_per_th", 5, 150, "J per GH, or watts a machine"),
    Magnitude("machines", "price_usd_per_th", 0.5, 200, "$ per machine"),
    Magnitude("fleets", "mw", 0.01, 5_000, "kW"),
    Magnitude("debt", "principal_usd_m", 0.01, 50_000, "$ or thousands"),
    Magnitude("debt", "coupon_or_spread_frac", 0, 0.5, "percent or basis points"),
    Magnitude("convertibles", "principal_usd_m", 0.01, 50_000, "$ or thousands"),
    Magnitude("convertibles", "coupon_frac", 0, 0.5, "percent"),
    Magnitude("debt", "refinance_spread_frac", 0.001, 0.5, "percent or basis points"),
    Magnitude("treasury", "btc", 0.01, 1_000_000, "satoshis or $M"),
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
    Magnitude("leverage_blocks", "add_frac", 0, 0.2, "percent or basis points"),
    Magnitude("market", "btc_usd", 1_000, 10_000_000, "thousands of $"),
    Magnitude("market", "difficulty_t", 1, 10_000, "another unit than trillions"),
    Magnitude("market", "base_rate_frac", 0, 0.5, "percent"),
    Magnitude("market", "fee_frac", 0, 0.5, "percent"),
    Magnitude("market", "spread_add_frac", 0, 0.5, "percent or basis points"),
    Magnitude("market_shapes", "mean_usd_per_mwh", 5, 1_000, "cents per kWh"),
    Magnitude("company", "authorised_shares_m", 0.1, 50_000, "shares or thousands"),
    Magnitude("company", "award_shares_m_per_q", 0.001, 1_000, "shares or thousands"),
    Magnitude("company", "traded_shares_m_per_day", 0.001, 1_000, "shares or thousands"),
    Magnitude("company", "open_days_per_q", 1, 66, "days of a year"),
    Magnitude("company", "atm_left_usd_m", 0.01, 50_000, "$ or thousands"),
    Magnitude("company", "impact_window_q", 1, 8, "months or days"),
    Magnitude("company", "btc_beta", -1, 5, "percent"),
    Magnitude("company", "ai_beta", -1, 5, "percent"),
    Magnitude("company", "overhead_usd_m_per_q", 0.01, 1_000, "$ or thousands"),
    Magnitude("company", "building_cap_mw", 0.1, 5_000, "kW"),
    Magnitude("company", "building_cap_growth_mw_per_q", 0.1, 1_000, "kW"),
    Magnitude("company", "payout_max_usd_m_per_q", 0.01, 20_000, "$ or thousands"),
    Magnitude("company", "look_ahead_q", 1, 16, "months"),
    Magnitude("entities", "collateral_cash_usd_m", 0.001, 20_000, "$ or thousands"),
    Magnitude("entities", "price_usd", 0.01, 10_000, "another currency"),
    Magnitude("entities", "shares_held_m", 0.01, 20_000, "shares or thousands"),
    Magnitude("other_lines", "ebitda_usd_m", -2_000, 2_000, "$ or thousands"),
    Magnitude("holdings", "value_usd_m", 0.001, 50_000, "$ or thousands"),
    Magnitude("sites", "fixed_cost_usd_m_per_q", 0.0001, 200, "$ or thousands"),
    Magnitude("sites", "once_cost_usd_m", 0.001, 1_000, "$ or thousands"),
    Magnitude("sites", "demolition_usd_m_per_mw", 0.0005, 5, "$ per kW"),
    Magnitude("sites", "water_limit_m3_per_q", 100, 50_000_000, "thousands of m3"),
    Magnitude("sites", "max_hpc_critical_mw", 0.1, 5_000, "kW"),
    Magnitude("sites", "unconverted_value_usd_m_per_mw", 0.001, 10, "$ per kW"),
    Magnitude("sites", "purchase_usd_m", 0.01, 10_000, "$ or thousands"),
    Magnitude("sites", "sale_usd_m_per_mw", 0.001, 20, "$ per kW"),
    Magnitude("sites", "sale_term_left_q", 4, 80, "months"),
    Magnitude("sites", "book_value_usd_m", 0.001, 10_000, "$ or thousands"),
    Magnitude("power", "security_usd_m", 0.001, 1_000, "$ or thousands"),
    Magnitude("power", "curtail_credit_usd_per_mw_q", 10, 100_000, "$ per kW, or $M"),
    Magnitude("expansions", "step_mw", 0.5, 2_000, "kW"),
    Magnitude("expansions", "cost_usd_m", 0.01, 2_000, "$ or thousands"),
    Magnitude("expansions", "deposit_usd_m", 0.001, 1_000, "$ or thousands"),
    Magnitude("expansions", "security_usd_m", 0.001, 1_000, "$ or thousands"),
    Magnitude("expansions", "lead_q", 1, 32, "months"),
    Magnitude("cooling", "existing_mw", 0.1, 2_000, "kW"),
    Magnitude("cooling", "module_mw", 0.1, 200, "kW"),
    Magnitude("cooling", "lead_q", 1, 12, "months"),
    Magnitude("cooling", "water_m3_per_mwh", 0.001, 10, "litres"),
    Magnitude("site_products", "capex_factor_frac", 0.2, 4, "percent"),
    Magnitude("products", "lead_q", 1, 16, "months"),
    Magnitude("products", "displaces_mining_q", 0, 12, "months"),
    Magnitude("products", "maintenance_frac_of_capex_per_year", 0, 0.2, "percent"),
    Magnitude("products", "module_mw", 0.1, 50, "kW"),
    Magnitude("products", "slip_q", 0, 8, "months"),
    Magnitude("contracts", "min_mw", 0.1, 2_000, "kW"),
    Magnitude("contracts", "max_mw", 0.1, 5_000, "kW"),
    Magnitude("contracts", "term_q", 1, 120, "months"),
    Magnitude("contracts", "contract_value_usd_m", 0.1, 100_000, "$ or thousands"),
    Magnitude("contracts", "noi_usd_m_per_year", 0.01, 10_000, "$ or thousands"),
    Magnitude("contracts", "late_damages_usd_per_kw_month", 0.5, 3_000, "$ per kW and year"),
    Magnitude("contract_money", "amount_usd_m", 0.01, 20_000, "$ or thousands"),
    Magnitude("contract_money", "give_back_from_q", 0, 40, "months"),
    Magnitude("contract_money", "give_back_q", 1, 80, "months"),
    Magnitude("renewals", "term_q", 1, 80, "months"),
    Magnitude("renewals", "capex_usd_m_per_mw", 0.01, 50, "$ per kW"),
    Magnitude("terminations", "fee_at_most_usd_m_per_mw", 0.01, 100, "$ per kW"),
    Magnitude("terminations", "vacancy_q", 0, 24, "months"),
    Magnitude("commitments", "capex_usd_m", 0.01, 20_000, "$ or thousands"),
    Magnitude("commitments", "gpu_capex_usd_m", 0.01, 50_000, "$ or thousands"),
    Magnitude("commitments", "cancel_fee_usd_m", 0.001, 10_000, "$ or thousands"),
    Magnitude("commitment_flows", "mw_live", 0.1, 2_000, "kW"),
    Magnitude("machines", "life_q", 6, 40, "years or months"),
    Magnitude("machines", "variable_cost_usd_per_mwh", 0.05, 50, "cents per kWh"),
    Magnitude("machines", "fixed_cost_usd_per_mw_q", 50, 200_000, "$M or $ per kW"),
    Magnitude("machines", "move_usd_per_mw", 100, 1_000_000, "$M or $ per kW"),
    Magnitude("machines", "move_q", 1, 4, "months or days"),
    Magnitude("machines", "max_move_mw_per_q", 0.1, 2_000, "kW"),
    Magnitude("machines", "max_buy_mw_per_q", 0.1, 2_000, "kW"),
    Magnitude("machines", "max_sell_mw_per_q", 0.1, 2_000, "kW"),
    Magnitude("fleets", "age_q", 0, 40, "months"),
    Magnitude("debt", "undrawn_usd_m", 0.01, 50_000, "$ or thousands"),
    Magnitude("debt", "dsra_usd_m", 0.01, 5_000, "$ or thousands"),
    Magnitude("debt", "lockup_dscr", 0.5, 5, "percent"),
    Magnitude("debt", "refinance_tenor_q", 1, 80, "months"),
    Magnitude("treasury", "basis_usd_per_btc", 100, 10_000_000, "thousands of $"),
    Magnitude("treasury", "min_hold_btc", 0.01, 1_000_000, "$M or satoshis"),
    Magnitude("convertibles", "put_price_frac", 0.5, 2, "percent"),
    Magnitude("convertibles", "call_trigger_frac", 1, 3, "percent"),
    Magnitude("convertibles", "conversion_price_usd", 0.05, 20_000, "shares per $1,000"),
    Magnitude("convertibles", "cap_price_usd", 0.05, 50_000, "percent"),
    Magnitude("share_claims", "shares_m", 0.001, 5_000, "shares or thousands"),
    Magnitude("share_claims", "strike_usd", 0.00001, 10_000, "another currency"),
    Magnitude("credit_classes", "dscr_min", 1, 4, "percent"),
    Magnitude("credit_classes", "coverage_q", 4, 120, "years or months"),
    Magnitude("credit_classes", "maturity_q", 4, 120, "years or months"),
    Magnitude("credit_classes", "reserve_q", 0, 6, "months"),
    Magnitude("long_lead", "lead_q", 1, 24, "months"),
    Magnitude("long_lead", "needed_after_q", 0, 12, "months"),
    Magnitude("long_lead", "max_mw", 0.1, 10_000, "kW"),
    Magnitude("long_lead", "in_hand_mw", 0.1, 10_000, "kW"),
    Magnitude("vendor_leases", "term_q", 4, 32, "years or months"),
    Magnitude("instruments", "min_usd_m", 0.1, 20_000, "$ or thousands"),
    Magnitude("instruments", "max_frac_of_market_cap", 0.005, 5, "percent"),
    Magnitude("instruments", "once_every_q", 1, 16, "months"),
    Magnitude("instruments", "lockup_after_q", 0, 8, "months or days"),
    Magnitude("instruments", "drop_lasts_q", 0, 8, "months or days"),
    Magnitude("instruments", "premium_frac", 0, 2, "percent"),
    Magnitude("instruments", "cap_premium_frac", 0.1, 4, "percent"),
    Magnitude("instruments", "tenor_q", 1, 80, "months"),
    Magnitude("instruments", "put_after_q", 1, 60, "months"),
    Magnitude("instruments", "call_after_q", 1, 60, "months"),
    Magnitude("instruments", "call_trigger_frac", 1, 3, "percent"),
    Magnitude("leverage_blocks", "up_to_frac_of_market_cap", 0.005, 10, "percent"),
    Magnitude("budgets", "cap_usd_m", 0.1, 50_000, "$ or thousands"),
    Magnitude("history", "ebitda_usd_m", -2_000, 2_000, "$ or thousands"),
    Magnitude("history", "interest_usd_m", 0.0001, 2_000, "$ or thousands"),
    Magnitude("history", "shares_issued_m", 0.0001, 5_000, "shares or thousands"),
    Magnitude("tax_groups", "basis_life_q", 1, 200, "months"),
    Magnitude("tax_groups", "income_so_far_usd_m", -10_000, 10_000, "$ or thousands"),
    Magnitude("tax_classes", "life_q", 4, 200, "years or months"),
    *(Magnitude("market", f"{idx}_idx", 0.02, 50, "percent") for idx in INDICES),
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
