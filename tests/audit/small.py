"""A small company by hand, with one of everything, and a plan for it."""

from itertools import pairwise

import numpy as np
import pandas as pd

from models.domain.futures import scenario_tree
from models.domain.portfolio import Portfolio
from models.timetree import TimeTree

FIRST, HORIZON = "2027Q1", 10
ROUTE = ("north", "hall", "lease")


def quarter(ahead: int) -> str:
    """Label of a quarter so many after the first."""
    index = 2027 * 4 + ahead
    return f"{index // 4}Q{index % 4 + 1}"


def _company() -> dict[str, object]:
    return {
        "name": "Small", "ticker": "SML", "first_quarter": FIRST, "horizon_q": HORIZON, "price_usd": 10.0,
        "basic_shares_m": 100.0, "authorised_shares_m": 400.0, "award_shares_m_per_q": 0.2,
        "traded_shares_m_per_day": 2.0, "open_days_per_q": 40.0, "atm_left_usd_m": 300.0,
        "impact_window_q": 2,
        "btc_beta": 0.5, "ai_beta": 1.0, "overhead_usd_m_per_q": 3.0, "overhead_growth_frac_per_year": 0.03,
        "cash_floor_usd_m": 20.0, "cost_of_equity_frac": 0.12, "straight_spread_frac": 0.04,
        "cash_yield_spread_frac": 0.002, "pool_fee_frac": 0.01, "building_cap_mw": 100.0,
        "building_cap_growth_mw_per_q": 5.0, "raise_only_what_is_spent": True, "look_ahead_q": 4,
        "equity_pricing": "no_mispricing", "rescue_price": 10.0,
        "payouts_from_quarter": quarter(7), "payout_max_usd_m_per_q": 30.0,
    }  # fmt: skip


def _site(name: str, entity: str, market: str | None, **changed: object) -> dict[str, object]:
    return {
        "site": name, "entity": entity, "region": "here", "market": market, "fixed_cost_usd_m_per_q": 0.5,
        "once_cost_usd_m": 2.0, "demolition_usd_m_per_mw": 0.1, "water_limit_m3_per_q": 1e6,
        "hpc_allowed": True,
        "mining_allowed": True, "earliest_conversion_quarter": FIRST, "max_hpc_critical_mw": 60.0,
        "unconverted_value_usd_m_per_mw": 0.8, **changed,
    }  # fmt: skip


def _power(site: str, since: int, mw: float, basis: str, **changed: object) -> dict[str, object]:
    return {
        "site": site, "from_quarter": quarter(since), "energised_mw": mw, "price_basis": basis,
        "price_usd_per_mwh": 40.0 if basis == "fixed" else None, "price_growth_frac_per_year": 0.02,
        "adder_usd_per_mwh": 3.0, "demand_charge_usd_per_kw_month": 2.0, "min_bill_frac": 0.5,
        "take_or_pay_frac": 0.0, "resale_allowed": False, "security_usd_m": 1.0, "security_form": "cash",
        "curtail_credit_usd_per_mw_q": 500.0, **changed,
    }  # fmt: skip


def _product(name: str, **changed: object) -> dict[str, object]:
    return {
        "product": name, "workload": "colocation", "archetype": "rebuild", "cooling": "air",
        "module_mw": 10.0,
        "gross_to_critical_ratio": 0.7, "load_frac": 0.8, "capex_usd_m_per_mw": 8.0, "contingency_frac": 0.05,
        "gpu_capex_usd_m_per_mw": 0.0, "spend_profile": "spend", "gpu_spend_profile": None, "lead_q": 3,
        "displaces_mining_q": 2, "ramp_profile": "ramp", "opex_usd_per_kw_month": 10.0,
        "opex_growth_frac_per_year": 0.03, "maintenance_frac_of_capex_per_year": 0.01, "residual_frac": 0.3,
        "gpu_residual_frac": 0.1, "slip_q": 1, **changed,
    }  # fmt: skip


def _contract(name: str, state: str, **changed: object) -> dict[str, object]:
    return {
        "contract": name, "state": state, "tenant": "T", "guarantor": None, "credit_class": None,
        "sites": "north;south", "workloads": "colocation;gpu_cloud", "coolings": "air", "min_mw": 0.0,
        "max_mw": 40.0, "billing_basis": "critical", "first_year_rent_usd_per_kw_month": 140.0,
        "rent_indexed_to": "none", "escalator_frac_per_year": 0.03, "commencement_quarter": quarter(4),
        "term_q": 40, "contract_value_usd_m": None, "power_passed_through": True,
        "opex_passed_through_frac": 0.5,
        "delivery_probability_frac": 0.97, "payment_lag_q": 0, "sign_from_quarter": None,
        "sign_by_quarter": None, "deadline_quarter": None, "exclusive_group": None, "usable_slack_frac": 0.0,
        "slack_hours_frac": 0.0, **changed,
    }  # fmt: skip


def _contracts() -> list[dict[str, object]]:
    window = {"sign_from_quarter": FIRST, "sign_by_quarter": quarter(4)}
    return [
        _contract(
            "lease", "offer", credit_class="ig", min_mw=20.0, deadline_quarter=quarter(7), payment_lag_q=1,
            usable_slack_frac=0.5, slack_hours_frac=0.4, exclusive_group="g", **window,
        ),
        _contract(
            "cloud", "offer", credit_class="gpu", first_year_rent_usd_per_kw_month=900.0, term_q=16,
            power_passed_through=False, exclusive_group="h", **window,
        ),
        _contract("open", "merchant", rent_indexed_to="gpu_rent", power_passed_through=False, term_q=12),
        _contract("held", "committed", commencement_quarter="2026Q4", term_q=30, payment_lag_q=1),
        _contract("whole", "committed", sites="venture", commencement_quarter="2026Q3", payment_lag_q=1,
                  power_passed_through=False),
        _contract("plain", "offer", sites="hill", **window),
        _contract("firm", "committed", sites="hill", commencement_quarter="2026Q2", payment_lag_q=1,
                  power_passed_through=False),
    ]  # fmt: skip


def _instruments() -> list[dict[str, object]]:
    def one(name: str, kind: str, drop: float, **changed: object) -> dict[str, object]:
        return {
            "instrument": name, "kind": kind, "min_usd_m": 10.0, "max_usd_m": 200.0,
            "max_frac_of_market_cap": 0.3,
            "once_every_q": 2, "lockup_after_q": 1, "launch_drop_frac": drop, "drop_lasts_q": 2,
            "fee_frac": 0.02,
            "coupon_frac": None, "premium_frac": None, "capped_call_cost_frac": None,
            "cap_premium_frac": None,
            "tenor_q": None, "put_after_q": None, "call_after_q": None, "call_trigger_frac": None,
            "settlement": None, **changed,
        }  # fmt: skip

    return [
        one("atm", "atm", 0.0, min_usd_m=0.0, lockup_after_q=0),
        one("deal", "follow_on", 0.06),
        one(
            "note", "convertible", 0.06, coupon_frac=0.01, premium_frac=0.3, capped_call_cost_frac=0.07,
            cap_premium_frac=1.0, tenor_q=20, put_after_q=12, call_after_q=4, call_trigger_frac=1.3,
            settlement="net_share",
        ),
        one("coin-line", "btc_loan", 0.0, min_usd_m=0.0, max_usd_m=40.0, spread_frac=0.04, tenor_q=3,
            ltv_max_frac=0.6, ltv_call_frac=0.75),
        one("senior", "notes", 0.0, lockup_after_q=0, tenor_q=6, spread_frac=0.05),
        one(
            "revolver", "revolver", 0.0, lockup_after_q=0, max_usd_m=40.0, spread_frac=0.02,
            commitment_fee_frac=0.004, available_from_quarter=FIRST, available_until_quarter=quarter(7),
        ),
        one("buyback", "repurchase", 0.0, min_usd_m=0.0, lockup_after_q=0, premium_frac=0.02, tranche="old"),
    ]  # fmt: skip


def _credit(name: str, funding: str, **changed: object) -> dict[str, object]:
    return {
        "credit_class": name, "spread_frac": 0.025, "ltc_max_frac": 0.8, "dscr_min": 1.3, "coverage_q": 36,
        "maturity_q": 24, "balloon_cap_frac": 0.5, "refinance_spread_frac": 0.03, "funding": funding,
        "fee_frac": 0.02, "reserve_q": 2, "delivery_haircut_frac": 0.95, "closes_at_start": True,
        "closes_at_completion": True, **changed,
    }  # fmt: skip


def _market() -> list[dict[str, object]]:
    rows = []
    for scenario, drift in (("base", 0.0), ("up", 0.02), ("down", -0.02)):
        for t in range(HORIZON):
            k = (1.0 + drift) ** max(0, t - 3)
            rows.append({
                "scenario": scenario, "quarter": quarter(t), "btc_usd": 90_000.0 * k * 1.01**t,
                "difficulty_t": 120.0 * 1.01**t, "subsidy_btc": 3.125 if t < 6 else 1.5625, "fee_frac": 0.02,
                "lease_idx": k, "gpu_rent_idx": k * 0.99**t, "capex_idx": 1.005**t, "gpu_price_idx": 0.98**t,
                "power_idx": 1.01**t * k, "ai_equity_idx": k * 1.01**t, "resale_idx": 0.97**t,
                "base_rate_frac": 0.037 + 0.0005 * t, "spread_add_frac": 0.001 * t, "share_vol_frac": 0.6,
                "asic_tariff_frac": 0.1, "convert_open": True, "equity_open": True, "project_debt_open": True,
            })  # fmt: skip
    return rows


def _finance() -> dict[str, object]:
    existing = {"kind": "gpu", "recourse": True, "commitment_fee_frac": 0.004, "rate_kind": "floating"}
    return {
        "debt": [
            {"debt": "line", "entity": "n-co", "principal_usd_m": 20.0, "undrawn_usd_m": 12.0,
             "coupon_or_spread_frac": 0.02, "first_repayment_quarter": quarter(2),
             "maturity_quarter": quarter(12), "repayment": "straight", "dsra_usd_m": 2.0,
             "dsra_form": "parent_lc", "dsra_fee_frac": 0.02, **existing},
            {"debt": "term", "entity": "s-co", "principal_usd_m": 24.0, "undrawn_usd_m": 0.0,
             "coupon_or_spread_frac": 0.06, "first_repayment_quarter": quarter(1),
             "maturity_quarter": quarter(8), "repayment": "sculpted", "repayment_profile": "noi",
             "balloon_frac": 0.5, "dsra_usd_m": 1.0, "dsra_form": "cash", "lockup_dscr": 1.1,
             "lockup_from_quarter": quarter(2), "sweep_frac": 0.5, **existing, "rate_kind": "fixed",
             "recourse": False},
            {"debt": "dear", "entity": "e-co", "principal_usd_m": 2.0, "undrawn_usd_m": 0.0,
             "coupon_or_spread_frac": 0.06, "first_repayment_quarter": quarter(1),
             "maturity_quarter": quarter(14), "repayment": "straight", "dsra_usd_m": 0.5,
             "dsra_form": "cash", "call_from_quarter": quarter(2), "call_price_frac": 1.03, **existing,
             "kind": "project"},
            {"debt": "beside", "entity": "e-co", "principal_usd_m": 0.5, "undrawn_usd_m": 0.0,
             "coupon_or_spread_frac": 0.03, "first_repayment_quarter": quarter(1),
             "maturity_quarter": quarter(12), "repayment": "straight", **existing},
            {"debt": "bond", "entity": "Small", "principal_usd_m": 30.0, "undrawn_usd_m": 0.0,
             "coupon_or_spread_frac": 0.03, "first_repayment_quarter": quarter(7),
             "maturity_quarter": quarter(7), "repayment": "bullet", "refinance_spread_frac": 0.03,
             "refinance_tenor_q": 8, "refinance_max_frac": 0.5, **existing},
            {"debt": "coin-loan", "entity": "Small", "principal_usd_m": 8.0, "undrawn_usd_m": 0.0,
             "coupon_or_spread_frac": 0.05, "first_repayment_quarter": quarter(6),
             "maturity_quarter": quarter(6), "repayment": "bullet", **existing, "kind": "btc"},
        ],
        "treasury": [
            {"lot": name, "entity": "Small", "btc": btc, "pledged_to": loan, "min_hold_btc": 20.0,
             "basis_usd_per_btc": 40_000.0,
             "sell_cap_frac_per_q": 0.5, "sell_cost_frac": 0.01}
            for name, btc, loan in (("free", 400.0, None), ("pledged", 150.0, "coin-loan"))
        ],
        "loan_collateral": [{"debt": "coin-loan", "ltv_call_frac": 0.7}],
        "convertibles": [
            {"tranche": "old", "principal_usd_m": 60.0, "coupon_frac": 0.02, "maturity_quarter": quarter(14),
             "put_quarter": quarter(5), "put_price_frac": 1.0, "call_from_quarter": quarter(3),
             "call_trigger_frac": 1.3, "conversion_price_usd": 9.0, "settlement": "physical",
             "cap_price_usd": 14.0},
        ],
        "share_claims": [
            {"claim": "warrant", "shares_m": 5.0, "strike_usd": 8.0, "expiry_quarter": quarter(12),
             "contract": "lease"},
            {"claim": "option", "shares_m": 2.0, "strike_usd": 6.0, "expiry_quarter": quarter(4),
             "contract": None},
        ],
        "credit_classes": [_credit("ig", "notes"), _credit("gpu", "delayed_draw", maturity_q=12,
        coverage_q=12, reserve_form="parent_lc", reserve_fee_frac=0.015)],
        "take_outs": [
            {"take_out": name, "entity": "e-co", "credit_class": "ig", "debt": debt,
             "from_quarter": quarter(2), "to_quarter": quarter(7), "max_usd_m": most}
            for name, debt, most in (("swap", "dear", 7.0), ("fresh", None, 3.0))
        ],
        "instruments": _instruments(),
        "long_lead": [
            {"equipment": "switchgear", "site": "north", "products": "hall", "cost_usd_m_per_mw": 1.2,
             "deposit_frac": 0.25, "lead_q": 3, "needed_after_q": 2, "max_mw": 80.0, "in_hand_mw": 6.0,
             "resale_frac": 0.3}
        ],
        "vendor_leases": [
            {"lease": "lessor", "products": "pods", "max_frac_of_gpus": 0.9, "spread_frac": 0.05,
             "term_q": 4, "buyout_frac": 0.1, "max_usd_m": 150.0}
        ],
        "impact": [
            {"instrument": "atm", "block": b, "up_to_frac_of_volume": 0.05 * b, "discount_frac": 0.02 * b}
            for b in (1, 2)
        ],
        "history": [
            {"quarter": quarter(-back), "ebitda_usd_m": 4.0, "interest_usd_m": 1.0, "shares_issued_m": 0.4}
            for back in (1, 2, 3, 4)
        ],
        "leverage_blocks": [
            {"instrument": i, "block": b, "up_to_frac_of_market_cap": upto, "add_frac": add}
            for i in ("senior", "note")
            for b, upto, add in ((1, 0.15, 0.0), (2, 0.5, 0.01))
        ],
        "covenants": _rails() + [
            {"covenant": metric, "source_of_rule": "policy", "metric": metric, "threshold": level,
             "from_quarter": quarter(8), "to_quarter": quarter(20)}
            for metric, level in (("minimum_liquidity", 10.0), ("net_debt_to_ebitda", 30.0),
            ("interest_cover", 0.1))
        ],
        "budgets": [
            {"budget": "own", "site": None, "counts": "own", "from_quarter": quarter(0),
             "to_quarter": quarter(3), "cap_usd_m": 900.0},
            {"budget": "north", "site": "north", "counts": "all", "from_quarter": quarter(1),
             "to_quarter": quarter(9), "cap_usd_m": 900.0},
        ],
    }  # fmt: skip


def _rails() -> list[dict[str, object]]:
    def one(metric: str, level: float, **changed: object) -> dict[str, object]:
        return {"covenant": metric.replace("_", "-"), "source_of_rule": "policy", "metric": metric,
                "threshold": level, **changed}  # fmt: skip

    on_issue = {"test": "incurrence", "basis": "trailing_4q"}
    return [
        one("net_debt_to_market_cap", 2.0), one("market_cap", 950.0),
        one("recourse_debt", 400.0), one("secured_debt", 900.0), one("maturities", 0.5),
        one("dilution", 0.2), one("cash_cover", 2.0), one("funded_commitments", 10.0),
        one("stress_liquidity", 5.0), one("unsigned_building", 1.0), one("maturity_wall", 0.5),
        one("solvency", 0.5), one("net_debt_to_ebitda", 90.0, covenant="new-debt", **on_issue),
        one("interest_cover", 0.01, covenant="new-interest", to_quarter=quarter(1), **on_issue),
        one("minimum_liquidity", 20.0, covenant="n-cash", entity="n-co"),
        one("net_debt_to_ebitda", 90.0, covenant="n-debt", entity="n-co", from_quarter=quarter(7)),
        one("interest_cover", 0.1, covenant="n-cover", entity="n-co", from_quarter=quarter(7)),
        one("dscr", 0.8, covenant="n-dscr", entity="n-co", from_quarter=quarter(7), basis="trailing_4q"),
    ]  # fmt: skip


def _tenancy() -> dict[str, object]:
    money = {"give_back_from_q": 1, "give_back_q": 6, "max_frac_of_rent": 0.3}
    flows = [("own", 0, 6.0, 4.0), ("vendor", 0, 3.0, 0.0), ("escrow", 1, 4.0, 0.0), ("gpu_debt", 2, 12.0,
    2.0),
             ("tenant", 2, 5.0, 0.0), ("own", 3, 2.0, 4.0)]  # fmt: skip
    return {
        "contracts": _contracts(),
        "contract_money": [
            {"contract": "lease", "kind": "prepayment", "frac_of_capex": 0.1, "amount_usd_m": None,
             "received_quarter": None, "refundable_on_termination": True, **money},
            {"contract": "lease", "kind": "tenant_capex", "frac_of_capex": 0.05, "amount_usd_m": None,
             "received_quarter": None, "give_back_from_q": 0, "give_back_q": 0, "max_frac_of_rent": 1.0},
            {"contract": "held", "kind": "prepayment", "frac_of_capex": None, "amount_usd_m": 8.0,
             "received_quarter": "2026Q3", "refundable_on_termination": True, **money},
            {"contract": "whole", "kind": "prepayment", "frac_of_capex": None, "amount_usd_m": 1.0,
             "received_quarter": "2026Q3", **money},
            {"contract": "held", "kind": "incentive", "frac_of_capex": None, "amount_usd_m": 3.0,
             "received_quarter": quarter(2), "refundable_on_termination": False, **money},
        ],
        "terminations": [
            {"scenario": "down", "contract": "lease", "quarter": quarter(8), "paid_by": "tenant",
             "fee_frac_of_remaining_rent": 0.3, "fee_months_of_rent": 3.0, "fee_at_most_usd_m_per_mw": None,
             "vacancy_q": 2, "relet_rent_frac": 0.8},
            {"scenario": "up", "contract": "held", "quarter": quarter(5), "paid_by": "tenant",
             "fee_frac_of_remaining_rent": 1.0, "fee_months_of_rent": 0.0, "fee_at_most_usd_m_per_mw": 2.0,
             "vacancy_q": None, "relet_rent_frac": None},
        ],
        "renewals": [
            {"contract": name, "probability_frac": 0.6, "rent_basis": basis, "term_q": 6, "options": 2,
             "capex_usd_m_per_mw": 0.7}
            for name, basis in (("lease", "contract"), ("cloud", "min"), ("held", "market"))
        ],
        "commitments": [
            {"commitment": "half-built", "site": "north", "contract": "held", "product": "hall",
             "debt": "line",
             "capex_usd_m": 80.0, "gpu_capex_usd_m": 0.0, "occupies_from_quarter": FIRST,
             "cancellable_until_quarter": None, "cancel_fee_usd_m": 0.0},
            {"commitment": "maybe", "site": "south", "contract": "open", "product": "hall", "debt": None,
             "capex_usd_m": 20.0, "gpu_capex_usd_m": 5.0, "occupies_from_quarter": quarter(1),
             "cancellable_until_quarter": quarter(3), "cancel_fee_usd_m": 1.5},
            {"commitment": "let", "site": "venture", "contract": "whole", "product": "hall", "debt": None,
             "capex_usd_m": 18.0, "gpu_capex_usd_m": 0.0, "occupies_from_quarter": "2026Q3",
             "cancellable_until_quarter": None, "cancel_fee_usd_m": 0.0},
            {"commitment": "stands", "site": "hill", "contract": "firm", "product": "hall", "debt": None,
             "capex_usd_m": 20.0, "gpu_capex_usd_m": 0.0, "occupies_from_quarter": "2026Q1",
             "cancellable_until_quarter": None, "cancel_fee_usd_m": 0.0},
        ],
        "commitment_flows": [
            {"commitment": "half-built", "quarter": quarter(t), "funded_by": by, "amount_usd_m": usd,
             "mw_live": mw}
            for by, t, usd, mw in flows
        ] + [
            {"commitment": "maybe", "quarter": quarter(4), "funded_by": "own", "amount_usd_m": 15.0,
             "mw_live": 2.0},
            {"commitment": "let", "quarter": quarter(1), "funded_by": "tenant", "amount_usd_m": 1.0,
             "mw_live": 2.0},
            {"commitment": "stands", "quarter": "2026Q2", "funded_by": "own", "amount_usd_m": 20.0,
             "mw_live": 2.5},
        ],
    }  # fmt: skip


def _estate() -> dict[str, object]:
    old = {"uptime_frac": 0.94, "resale_profile": "resale", "overhead_frac": 1.05,
    "variable_cost_usd_per_mwh": 2.0,
           "fixed_cost_usd_per_mw_q": 3000.0, "move_usd_per_mw": 20_000.0, "move_q": 1}  # fmt: skip
    window = {"earliest_quarter": FIRST, "latest_quarter": quarter(9)}
    return {
        "regions": [{"region": "here", "new_mining_allowed": True, "gpu_cloud_allowed": True,
                     "asic_tariff_applies": True}],
        "sites": [
            _site("north", "n-co", "grid"), _site("south", "s-co", "grid", strategy="hybrid"),
            _site("west", "s-co", None, state="candidate", purchase_usd_m=12.0,
                  purchase_by_quarter=quarter(4)),
            _site("annex", "n-co", None, sale_usd_m_per_mw=0.4, sale_cost_frac=0.03, book_value_usd_m=2.0),
            _site("east", "s-co", None, state="pending", purchase_usd_m=3.0, purchase_by_quarter=quarter(3)),
            _site("venture", "e-co", "grid"), _site("quoted", "w-co", "grid"),
            _site("hill", "h-co", None, sale_cap_rate_frac=0.07, sale_cost_frac=0.02,
                  sale_term_left_q=4),
        ],
        "power": [
            *(_power(s, -4, 20.0, "spot") for s in ("venture", "quoted")),
            _power("north", -4, 60.0, "spot"), _power("north", 5, 100.0, "spot", security_usd_m=3.0),
            _power("west", -4, 30.0, "fixed"), _power("annex", -4, 12.0, "fixed"),
            _power("east", -4, 9.0, "fixed"), _power("hill", -4, 30.0, "fixed"),
            _power("south", -4, 80.0, "fixed", take_or_pay_frac=0.9),
            _power("south", 6, 80.0, "fixed", take_or_pay_frac=0.5, resale_allowed=True, security_form="lc"),
        ],
        "expansions": [{"expansion": "line-2", "site": "north", "step_mw": 10.0, "max_steps": 2,
                        "cost_usd_m": 6.0, "deposit_usd_m": 1.0, "security_usd_m": 1.0, "lead_q": 3,
                        **window}],
        "cooling": [
            {"site": s, "cooling": "air", "existing_mw": 5.0, "module_mw": 10.0,
             "capex_usd_m_per_module": 6.0,
             "lead_q": 2, "max_modules": 5, "pue": 1.25, "water_m3_per_mwh": 0.1}
            for s in ("north", "south", "west", "annex", "venture", "hill")
        ],
        "site_products": [
            {"site": s, "product": p, "max_modules": 4, "capex_factor_frac": 1.1, **window}
            for s in ("north", "south")
            for p in ("hall", "pods")
        ] + [{"site": "hill", "product": "hall", "max_modules": 1, "capex_factor_frac": 1.0, **window}],
        "products": [
            _product("hall"),
            _product("pods", workload="gpu_cloud", archetype="new_pad", gpu_capex_usd_m_per_mw=20.0,
                     gpu_spend_profile="late", lead_q=2, capex_usd_m_per_mw=5.0, module_mw=5.0,
                     gpu_payment_lag_q=1, refresh_q=4, refresh_cost_frac=0.4),
        ],
        "profiles": [
            {"profile": name, "step": i, "frac": f}
            for name, fracs in (("spend", (0.2, 0.5, 0.3)), ("late", (0.0, 0.4, 0.6)), ("ramp", (0.6, 1.0)),
                                ("noi", (1.0, 1.0, 1.0, 1.0, 1.1, 1.1, 1.1, 1.1)),
                                ("resale", tuple(max(0.05, 0.7 - 0.03 * i) for i in range(30))))
            for i, f in enumerate(fracs)
        ],
        "machines": [
            {"machine": "s1", "j_per_th": 17.5, "price_usd_per_th": 8.0, "life_q": 20,
             "max_buy_mw_per_q": 20.0, "max_sell_mw_per_q": 12.0, **old},
            {"machine": "s0", "j_per_th": 29.5, "price_usd_per_th": 4.0, "life_q": 12,
             "max_buy_mw_per_q": 0.0, **old},
        ],
        "fleets": [
            {"fleet": "n-s1", "site": "north", "machine": "s1", "mw": 25.0, "age_q": 4},
            {"fleet": "s-s0", "site": "south", "machine": "s0", "mw": 40.0, "age_q": 6},
            {"fleet": "e-s1", "site": "venture", "machine": "s1", "mw": 12.0, "age_q": 4},
            {"fleet": "w-s1", "site": "quoted", "machine": "s1", "mw": 15.0, "age_q": 4},
        ],
        "market_shapes": [{"market": "grid", "mean_usd_per_mwh": 45.0,
                           **{f"d{i}": 10.0 * i - 5.0 for i in range(1, 11)}}],
    }  # fmt: skip


def portfolio() -> Portfolio:
    """The company."""
    rate = {"decline_frac_per_year": 0.15, "years": 12.0}
    return Portfolio.model_validate({
        "company": [_company()],
        "entities": [
            {"entity": name, "kind": kind, "unrestricted_cash_usd_m": cash, "escrow_usd_m": escrow,
             "collateral_cash_usd_m": 1.0, "tax_group": group, **terms}
            for name, kind, cash, escrow, group, terms in (
                ("Small", "parent", 300.0, 0.0, "home", {}),
                ("n-co", "spv", 900.0, 6.0, "home", {"completion_guarantee_frac": 0.2}),
                ("s-co", "spv", 500.0, 0.0, "south", {}),
                ("e-co", "jv", 40.0, 0.0, "home",
                 {"ownership_frac": 0.5, "upstream_from_quarter": quarter(2)}),
                ("w-co", "listed", 60.0, 0.0, "west",
                 {"ownership_frac": 0.6, "price_usd": 4.0, "shares_held_m": 10.0}),
                ("h-co", "spv", 150.0, 0.0, "home", {}),
            )
        ],
        "tax_groups": [
            {"tax_group": "home", "rate_frac": 0.25, "losses_usd_m": 400.0, "loss_use_frac": 0.8,
             "losses_value_frac": 0.5, "basis_usd_m": 24.0, "basis_life_q": 16, "income_so_far_usd_m": None,
             "interest_cap_frac_of_ebitda": 0.3},
            {"tax_group": "south", "rate_frac": 0.2, "losses_usd_m": 0.0, "loss_use_frac": 1.0,
             "losses_value_frac": 0.0, "basis_usd_m": 0.0, "basis_life_q": 1, "income_so_far_usd_m": None,
             "interest_cap_frac_of_ebitda": None, "regime": "elsewhere"},
            {"tax_group": "west", "rate_frac": 0.2, "losses_usd_m": 100.0, "loss_use_frac": 1.0,
             "losses_value_frac": 0.5, "basis_usd_m": 8.0, "basis_life_q": 4, "income_so_far_usd_m": None,
             "interest_cap_frac_of_ebitda": None},
        ],
        "tax_classes": [
            {"tax_class": "long", "bonus_frac": 0.1, "life_q": 60, "default_for": "halls;power"},
            {"tax_class": "short", "bonus_frac": 0.4, "life_q": 20, "default_for": "gpus;cooling;machines"},
            {"tax_class": "balance", "bonus_frac": 0.1, "life_q": 30, "profile": "spend",
             "regime": "elsewhere", "default_for": "halls;power;gpus;cooling;machines"},
        ],
        "other_lines": [{"line": "hosting", "quarter": quarter(t), "ebitda_usd_m": 1.0} for t in range(3)],
        "holdings": [{"asset": "coins", "value_usd_m": 40.0, "indexed_to": "btc", "haircut_frac": 0.1}],
        "valuation": [
            {"stream": s, "rate_frac": r, **rate}
            for s, r in (("powered_shell", 0.08), ("colocation", 0.09), ("gpu_cloud", 0.14), ("mining", 0.18),
                         ("overhead", 0.1))
        ],
        "scenarios": [
            {"scenario": "base", "branch_from": None, "branch_quarter": None, "probability": None},
            {"scenario": "up", "branch_from": "base", "branch_quarter": quarter(4), "probability": 0.5},
            {"scenario": "down", "branch_from": "base", "branch_quarter": quarter(4), "probability": 0.5},
        ],
        "market": _market(),
        **_estate(),
        **_tenancy(),
        **_finance(),
    })  # fmt: skip


COLUMNS = ("quantity", "site", "item", "contract", "since", "node", "value")


def decisions(tree: TimeTree) -> pd.DataFrame:
    """A plan with one of everything."""
    nodes = {(tree.period[n], tree.scenario[n]): tree.label(n) for n in tree.nodes}
    trunk = {t: label for (t, scenario), label in nodes.items() if scenario == "base"}
    up4, up6, up7, up8 = (nodes[t, "up"] for t in (4, 6, 7, 8))
    rows = [
        ("sign", "north", "", "lease", "", trunk[1], 1.0),
        ("start", *ROUTE, "", trunk[1], 2.0),
        ("start", *ROUTE, "", up4, 1.0),
        ("financed", *ROUTE, trunk[1], trunk[1], 1.5),
        ("financed", *ROUTE, up4, up8, 0.5),
        ("sign", "hill", "", "plain", "", trunk[0], 1.0),
        ("start", "hill", "hall", "plain", "", trunk[0], 1.0),
        ("cool", "hill", "air", "", "", trunk[0], 1.0),
        ("sell_block", "hill", "hall", "plain", trunk[0], up6, 0.5),
        ("sell_block", "hill", "hall", "plain", trunk[0], up7, 0.25),
        ("sell_block", "hill", "stands", "firm", "", trunk[2], 0.25),
        ("sell_block", "hill", "stands", "firm", "", nodes[8, "up"], 0.5),
        ("sign", "south", "", "cloud", "", trunk[2], 1.0),
        ("start", "south", "pods", "cloud", "", trunk[2], 1.0),
        ("financed", "south", "pods", "cloud", trunk[2], trunk[2], 1.0),
        ("start", "south", "pods", "open", "", up4, 1.0),
        ("leased", "south", "pods", "open", "lessor", up4, 0.75),
        ("cool", "north", "air", "", "", trunk[1], 3.0),
        ("ordered_mw", "north", "switchgear", "", "", trunk[0], 15.0),
        ("ordered_mw", "north", "switchgear", "", "", trunk[2], 12.0),
        ("cool", "south", "air", "", "", trunk[1], 1.0),
        ("buy_site", "west", "", "", "", trunk[1], 1.0),
        ("cool", "west", "air", "", "", trunk[2], 1.0),
        ("sell_site", "annex", "", "", "", up4, 1.0),
        ("expand", "north", "line-2", "", "", trunk[0], 1.0),
        ("cancel", "", "maybe", "", "", trunk[2], 1.0),
        ("bought_mw", "south", "s1:new", "", "", trunk[2], 8.0),
        ("moved_out_mw", "north", "n-s1", "", "", trunk[2], 15.0),
        ("moved_in_mw", "south", "n-s1", "", "", trunk[3], 10.0),
        ("sold_mw", "south", "s-s0", "", "", trunk[3], 25.0),
        ("sold_mw", "south", "s-s0", "", "", up6, 15.0),
        ("sold_mw", "south", "s-s0", "", "", nodes[6, "down"], 15.0),
        ("atm", "", "atm", "", "1", trunk[0], 20.0),
        ("atm", "", "atm", "", "2", trunk[0], 10.0),
        ("follow_on", "", "deal", "", "", up4, 12.0),
        ("sold_btc", "", "free", "", "", trunk[1], 60.0),
        ("sold_btc", "", "free", "", "", up4, 10.0),
        ("pledged_btc", "", "free", "coin-loan", "", trunk[2], 30.0),
        ("cash_margin", "", "coin-loan", "", "", trunk[2], 1.0),
        ("borrowed", "", "coin-line", "", "", trunk[3], 8.0),
        ("pledged_btc", "", "free", "coin-line", trunk[3], trunk[3], 160.0),
        ("rolled", "", "bond", "", "", up7, 12.0),
        ("issue", "", "note", "", "1", trunk[1], 40.0),
        ("notes", "", "senior", "", "1", trunk[2], 20.0),
        ("notes", "", "senior", "", "2", trunk[2], 10.0),
        ("commit", "", "revolver", "", "", trunk[0], 30.0),
        ("drawn", "", "revolver", "", "", trunk[1], 15.0),
        ("repaid", "", "revolver", "", "", trunk[3], 5.0),
        ("repaid", "", "revolver", "", "", nodes[7, "up"], 10.0),
        ("repaid", "", "revolver", "", "", nodes[7, "down"], 10.0),
        ("repurchase", "", "buyback", "", "", trunk[2], 0.25),
        ("repurchase", "", "buyback", "", "", up4, 0.5),
        ("harvest", "", "", "", "", nodes[8, "down"], 1.0),
        ("harvest", "", "", "", "", nodes[9, "down"], 1.0),
        ("payout", "", "", "", "", nodes[8, "down"], 4.0),
        ("payout", "", "", "", "", nodes[9, "down"], 3.0),
        ("rescue", "", "", "", "", trunk[3], 1.0),
        ("contributed", "", "n-co", "", "", trunk[1], 5.0),
        ("distributed", "", "s-co", "", "", trunk[1], 4.0),
        ("distributed", "", "s-co", "", "", up6, 2.0),
        ("open", "", "s-co", "", "", up6, 1.0),
        ("prepaid", "", "term", "", "", trunk[1], 4.0),
        ("prepaid", "", "term", "", "", up6, 2.0),
        ("called", "", "dear", "", "", trunk[2], 0.5),
        ("called", "", "dear", "", "", up6, 0.25),
        ("taken_out", "", "swap", "", "", trunk[2], 0.3),
        ("taken_out", "", "swap", "", "", up6, 0.25),
        ("taken_out", "", "fresh", "", "", up7, 0.25),
        ("contributed", "", "e-co", "", "", trunk[0], 6.0),
        ("distributed", "", "e-co", "", "", trunk[3], 3.0),
    ]
    for group, taxed in (("home", 5.0), ("south", 3.0), ("west", 4.0)):
        # the years in which a tenant pays to go, and in which halls are sold
        paid = {nodes[9, "down"]: 23.0, up7: 21.0} if group == "home" else {}
        ends = [(label, paid.get(label, taxed)) for label in year_ends(tree)]
        rows += [("taxed", "", group, "", "", label, amount) for label, amount in ends]
    for n in tree.nodes:
        t, label = tree.period[n], tree.label(n)
        rows.append(("on_mw", "north", "n-s1", "", "", label, 20.0 if t < 2 else 8.0))
        rows.append(("on_mw", "venture", "e-s1", "", "", label, 12.0))
        rows.append(("on_mw", "quoted", "w-s1", "", "", label, 15.0))
        if t >= 5:
            rows.append(("slack_mw", "north", "n-s1", "", "", label, 0.7))
        if t < 6:
            rows.append(("on_mw", "south", "s-s0", "", "", label, 40.0 if t < 3 else 15.0))
        if t >= 3:
            rows.append(("on_mw", "south", "n-s1", "", "", label, 10.0))
            rows.append(("on_mw", "south", "s1:new", "", "", label, 8.0))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def year_ends(tree: TimeTree) -> list[str]:
    """Nodes at which a year, or the plan, ends."""
    return [tree.label(n) for n in tree.nodes if tree.period[n] in (3, 7, HORIZON - 1)]


def tree_of(company: Portfolio) -> TimeTree:
    """Its scenario tree: one trunk, two branches."""
    found = scenario_tree(company)
    assert all(found.period[b] - found.period[a] == 1 for a, b in pairwise(found.path(found.leaves[0])))
    assert np.isclose(sum(found.probability[leaf] for leaf in found.leaves), 1.0)
    return found
