"""A small portfolio without any finding, held as text so that tests can spoil one cell at a time."""

import csv
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models.domain.portfolio import TABLES
from models.findings import Finding, InputError
from optimizer.inputs.columns import columns_of
from optimizer.inputs.load import Loaded, load

MANIFEST = 'name = "small"\ntitle = "A small portfolio"\nas_of = "2026-06-30"\nscenario = "base"\n'

CELLS: dict[str, str] = {
    "company": """
        name=Small ticker=SML first_quarter=2026Q3 horizon_q=4 price_usd=10 basic_shares_m=100
        authorised_shares_m=300 award_shares_m_per_q=1 traded_shares_m_per_day=5 open_days_per_q=40
        atm_left_usd_m=200 impact_window_q=2 btc_beta=0.4 ai_beta=1.3 overhead_usd_m_per_q=5
        overhead_growth_frac_per_year=0.03 cash_floor_usd_m=20 cost_of_equity_frac=0.15
        straight_spread_frac=0.05 cash_yield_spread_frac=0.002 pool_fee_frac=0.01 building_cap_mw=100
        building_cap_growth_mw_per_q=25 raise_only_what_is_spent=true look_ahead_q=4
        equity_pricing=no_mispricing rescue_price=10""",
    "entities": """
        entity=top kind=parent unrestricted_cash_usd_m=150 escrow_usd_m=0 collateral_cash_usd_m=0
        tax_group=us /
        entity=north kind=spv unrestricted_cash_usd_m=10 escrow_usd_m=30 collateral_cash_usd_m=0
        tax_group=us""",
    "other_lines": "line=repairs quarter=2026Q3 ebitda_usd_m=1.5",
    "holdings": "asset=bitcoin value_usd_m=12 indexed_to=btc haircut_frac=0.1",
    "valuation": """
        stream=powered_shell rate_frac=0.08 decline_frac_per_year=0 years= / stream=colocation
        rate_frac=0.09 decline_frac_per_year=0 years= / stream=gpu_cloud rate_frac=0.14
        decline_frac_per_year=0 years= / stream=mining rate_frac=0.2 decline_frac_per_year=0.3 years= /
        stream=overhead rate_frac=0.1 decline_frac_per_year=0 years=10""",
    "regions": "region=texas new_mining_allowed=true gpu_cloud_allowed=true asic_tariff_applies=true",
    "sites": """
        site=alpha entity=north region=texas market=west fixed_cost_usd_m_per_q=0.5 once_cost_usd_m=2
        demolition_usd_m_per_mw=0.05 water_limit_m3_per_q=30000 hpc_allowed=true mining_allowed=true
        earliest_conversion_quarter=2026Q3 max_hpc_critical_mw=60 unconverted_value_usd_m_per_mw=0.5 /
        site=beta entity=north region=texas market= fixed_cost_usd_m_per_q=0.5 once_cost_usd_m=2
        demolition_usd_m_per_mw=0.05 water_limit_m3_per_q= hpc_allowed=true mining_allowed=true
        earliest_conversion_quarter=2026Q3 max_hpc_critical_mw=40 unconverted_value_usd_m_per_mw=0.5""",
    "power": """
        site=alpha from_quarter=2026Q3 energised_mw=100 price_basis=spot price_usd_per_mwh=
        price_growth_frac_per_year=0 adder_usd_per_mwh=8 demand_charge_usd_per_kw_month=1 min_bill_frac=0
        take_or_pay_frac=0 resale_allowed=true security_usd_m=1 security_form=cash
        curtail_credit_usd_per_mw_q=2000 / site=beta from_quarter=2026Q2 energised_mw=80 price_basis=fixed
        price_usd_per_mwh=45 price_growth_frac_per_year=0.02 adder_usd_per_mwh=3
        demand_charge_usd_per_kw_month=0 min_bill_frac=0 take_or_pay_frac=0.5 resale_allowed=false
        security_usd_m=1 security_form=lc curtail_credit_usd_per_mw_q=0""",
    "expansions": """
        expansion=alpha-2 site=alpha step_mw=25 max_steps=1 cost_usd_m=10 security_usd_m=2 deposit_usd_m=1
        lead_q=2 earliest_quarter=2026Q3 latest_quarter=2027Q1""",
    "cooling": """
        site=alpha cooling=dlc existing_mw=0 module_mw=10 capex_usd_m_per_module=8 lead_q=2 max_modules=6
        pue=1.2 water_m3_per_mwh=0.2 / site=beta cooling=air existing_mw=20 module_mw=10
        capex_usd_m_per_module=5 lead_q=2 max_modules=4 pue=1.4 water_m3_per_mwh=0""",
    "site_products": """
        site=alpha product=colo max_modules=3 earliest_quarter=2026Q3 latest_quarter=2027Q2
        capex_factor_frac=1 / site=beta product=cloud max_modules=2 earliest_quarter=2026Q3
        latest_quarter=2027Q2 capex_factor_frac=1.1""",
    "products": """
        product=colo workload=colocation archetype=rebuild cooling=dlc module_mw=20
        gross_to_critical_ratio=0.7 load_frac=0.8 capex_usd_m_per_mw=9 contingency_frac=0.05
        gpu_capex_usd_m_per_mw=0 spend_profile=even gpu_spend_profile= lead_q=2 displaces_mining_q=1
        ramp_profile=ramp opex_usd_per_kw_month=15 opex_growth_frac_per_year=0.03
        maintenance_frac_of_capex_per_year=0.01 residual_frac=0.3 gpu_residual_frac=0 slip_q=1 /
        product=cloud workload=gpu_cloud archetype=reuse cooling=air module_mw=10
        gross_to_critical_ratio=0.7 load_frac=0.8 capex_usd_m_per_mw=4 contingency_frac=0.05
        gpu_capex_usd_m_per_mw=28 spend_profile=even gpu_spend_profile=at-end lead_q=2 displaces_mining_q=0
        ramp_profile=ramp opex_usd_per_kw_month=60 opex_growth_frac_per_year=0.03
        maintenance_frac_of_capex_per_year=0.01 residual_frac=0.3 gpu_residual_frac=0.2 slip_q=1""",
    "profiles": """
        profile=even step=0 frac=0.5 / profile=even step=1 frac=0.5 / profile=at-end step=0 frac=0 /
        profile=at-end step=1 frac=1 / profile=ramp step=0 frac=0.6 / profile=ramp step=1 frac=1 /
        profile=resale step=0 frac=0.8 / profile=resale step=1 frac=0.7 / profile=resale step=2 frac=0.5 /
        profile=falling step=0 frac=0.75 / profile=falling step=1 frac=0.25""",
    "contracts": """
        contract=lease state=offer tenant=hyper guarantor= credit_class=ig sites=alpha;beta
        workloads=colocation coolings=dlc min_mw=20 max_mw=60 billing_basis=critical
        first_year_rent_usd_per_kw_month=130 rent_indexed_to=none escalator_frac_per_year=0.03
        commencement_quarter=2027Q2 term_q=60 contract_value_usd_m= power_passed_through=true
        opex_passed_through_frac=1 delivery_probability_frac=0.9 payment_lag_q=0 sign_from_quarter=2026Q3
        sign_by_quarter=2026Q4 deadline_quarter=2027Q2 exclusive_group= usable_slack_frac=0
        slack_hours_frac=0 / contract=signed state=committed tenant=cloudy guarantor=big credit_class=
        sites=beta workloads=gpu_cloud coolings=air min_mw=0 max_mw=20 billing_basis=critical
        first_year_rent_usd_per_kw_month=800 rent_indexed_to=none escalator_frac_per_year=0
        commencement_quarter=2026Q3 term_q=20 contract_value_usd_m=960 power_passed_through=false
        opex_passed_through_frac=0 delivery_probability_frac=1 payment_lag_q=1 sign_from_quarter=
        sign_by_quarter= deadline_quarter= exclusive_group= usable_slack_frac=0 slack_hours_frac=0 /
        contract=open state=merchant tenant=market guarantor= credit_class= sites=beta workloads=gpu_cloud
        coolings=air min_mw=0 max_mw=20 billing_basis=critical first_year_rent_usd_per_kw_month=500
        rent_indexed_to=gpu_rent escalator_frac_per_year=0 commencement_quarter=2026Q3 term_q=20
        contract_value_usd_m= power_passed_through=false opex_passed_through_frac=0
        delivery_probability_frac=1 payment_lag_q=0 sign_from_quarter= sign_by_quarter= deadline_quarter=
        exclusive_group= usable_slack_frac=0 slack_hours_frac=0""",
    "contract_money": """
        contract=lease kind=prepayment frac_of_capex=0.1 amount_usd_m= received_quarter= give_back_from_q=4
        give_back_q=8 max_frac_of_rent=0.5 refundable_on_termination=true / contract=signed kind=prepayment
        frac_of_capex= amount_usd_m=40 received_quarter=2026Q3 give_back_from_q=0 give_back_q=8
        max_frac_of_rent=0.5 refundable_on_termination=false""",
    "renewals": "contract=lease probability_frac=0.5 rent_basis=min term_q=20",
    "terminations": """
        scenario=bear contract=signed quarter=2027Q1 paid_by=guarantor fee_frac_of_remaining_rent=0.5
        fee_months_of_rent=0 fee_at_most_usd_m_per_mw=8 vacancy_q=2 relet_rent_frac=0.7 /
        scenario=base contract=lease quarter=2027Q2 paid_by=nobody fee_frac_of_remaining_rent=0
        fee_months_of_rent=0 fee_at_most_usd_m_per_mw= vacancy_q= relet_rent_frac=""",
    "commitments": """
        commitment=hall site=beta contract=signed product=cloud debt=gpu-loan capex_usd_m=80
        gpu_capex_usd_m=560 occupies_from_quarter=2026Q3 cancellable_until_quarter= cancel_fee_usd_m=0""",
    "commitment_flows": """
        commitment=hall quarter=2026Q3 funded_by=gpu_debt amount_usd_m=200 mw_live=0 / commitment=hall
        quarter=2026Q4 funded_by=gpu_debt amount_usd_m=100 mw_live=10 / commitment=hall quarter=2026Q4
        funded_by=escrow amount_usd_m=30 mw_live=0 / commitment=hall quarter=2027Q1 funded_by=own
        amount_usd_m=5 mw_live=10""",
    "machines": """
        machine=s21 j_per_th=17.5 price_usd_per_th=12 life_q=16 resale_profile=resale overhead_frac=1.05
        variable_cost_usd_per_mwh=1 fixed_cost_usd_per_mw_q=5000 move_usd_per_mw=20000 move_q=1
        max_buy_mw_per_q=50 uptime_frac=0.95""",
    "fleets": """
        fleet=alpha-s21 site=alpha machine=s21 mw=90 age_q=4 / fleet=beta-s21 site=beta machine=s21 mw=40
        age_q=6""",
    "debt": """
        debt=gpu-loan entity=north kind=gpu recourse=false principal_usd_m=50 undrawn_usd_m=300
        rate_kind=floating coupon_or_spread_frac=0.0225 commitment_fee_frac=0.004
        first_repayment_quarter=2027Q1 maturity_quarter=2031Q4 repayment=straight refinance_spread_frac=0.03
        refinance_tenor_q=8 refinance_max_frac=0.5 call_from_quarter=2028Q1 call_price_frac=1.01 /
        debt=coin-loan entity=top kind=btc recourse=false principal_usd_m=20 undrawn_usd_m=0
        rate_kind=fixed coupon_or_spread_frac=0.09 commitment_fee_frac=0 first_repayment_quarter=2027Q2
        maturity_quarter=2027Q2 repayment=bullet""",
    "treasury": """
        lot=free entity=top btc=500 basis_usd_per_btc=45000 pledged_to= min_hold_btc=100
        sell_cap_frac_per_q=0.5 sell_cost_frac=0.005 / lot=pledged entity=top btc=600 pledged_to=coin-loan
        basis_usd_per_btc=50000 min_hold_btc=0 sell_cap_frac_per_q=1 sell_cost_frac=0.005""",
    "loan_collateral": "debt=coin-loan ltv_call_frac=0.75",
    "convertibles": """
        tranche=cvt-31 principal_usd_m=200 coupon_frac=0.01 maturity_quarter=2031Q2 put_quarter=2029Q2
        put_price_frac=1 call_from_quarter=2028Q4 call_trigger_frac=1.3 conversion_price_usd=14
        settlement=any cap_price_usd=20""",
    "share_claims": """
        claim=warrant shares_m=3 strike_usd=0.01 expiry_quarter=2030Q4 contract=lease / claim=option
        shares_m=2 strike_usd=8 expiry_quarter=2030Q4 contract=""",
    "credit_classes": """
        credit_class=ig spread_frac=0.022 ltc_max_frac=0.8 dscr_min=1.3 coverage_q=56 maturity_q=60
        balloon_cap_frac=0.1 refinance_spread_frac=0.025 funding=delayed_draw fee_frac=0.02 reserve_q=2
        delivery_haircut_frac=0.95 closes_at_start=true closes_at_completion=true""",
    "long_lead": """
        equipment=transformers site= products=colo cost_usd_m_per_mw=0.6 deposit_frac=0.2 lead_q=6
        needed_after_q=1 max_mw=80 in_hand_mw=20 resale_frac=0.4""",
    "take_outs": """
        take_out=lender entity=north credit_class=ig debt= from_quarter=2026Q3 to_quarter=2027Q1
        max_usd_m=100""",
    "vendor_leases": """
        lease=lessor products=cloud max_frac_of_gpus=1 spread_frac=0.04 term_q=8 buyout_frac=0
        max_usd_m=200""",
    "instruments": """
        instrument=atm kind=atm min_usd_m=0 max_usd_m=100 max_frac_of_market_cap=0.2 once_every_q=1
        lockup_after_q=0 launch_drop_frac=0 drop_lasts_q=0 fee_frac=0.02 coupon_frac= premium_frac=
        capped_call_cost_frac= cap_premium_frac= tenor_q= put_after_q= call_after_q= call_trigger_frac=
        settlement= / instrument=cvt kind=convertible min_usd_m=100 max_usd_m=300 max_frac_of_market_cap=0.3
        once_every_q=2 lockup_after_q=1 launch_drop_frac=0.06 drop_lasts_q=1 fee_frac=0.025 coupon_frac=0.01
        premium_frac=0.3 capped_call_cost_frac=0.09 cap_premium_frac=1 tenor_q=24 put_after_q=16
        call_after_q=12 call_trigger_frac=1.3 settlement=net_share / instrument=coin-line kind=btc_loan
        min_usd_m=0 max_usd_m=50 max_frac_of_market_cap=1 once_every_q=1 lockup_after_q=0 launch_drop_frac=0
        drop_lasts_q=0 fee_frac=0.01 tenor_q=4 spread_frac=0.045 ltv_max_frac=0.6 ltv_call_frac=0.75
        / instrument=bond kind=notes min_usd_m=50
        max_usd_m=200 max_frac_of_market_cap=0.3 once_every_q=2 lockup_after_q=0 launch_drop_frac=0
        drop_lasts_q=0 fee_frac=0.02 tenor_q=20 spread_frac=0.06 / instrument=line kind=revolver min_usd_m=10
        max_usd_m=50 max_frac_of_market_cap=1 once_every_q=1 lockup_after_q=0 launch_drop_frac=0
        drop_lasts_q=0 fee_frac=0.01 spread_frac=0.02 commitment_fee_frac=0.004
        available_from_quarter=2026Q3 available_until_quarter=2027Q2 / instrument=buyback kind=repurchase
        min_usd_m=0 max_usd_m=100 max_frac_of_market_cap=1 once_every_q=1 lockup_after_q=0
        launch_drop_frac=0 drop_lasts_q=0 fee_frac=0 premium_frac=0.02 tranche=cvt-31""",
    "leverage_blocks": """
        instrument=bond block=1 up_to_frac_of_market_cap=0.3 add_frac=0 / instrument=bond block=2
        up_to_frac_of_market_cap=0.6 add_frac=0.015""",
    "impact": """
        instrument=atm block=1 up_to_frac_of_volume=0.05 discount_frac=0.01 / instrument=atm block=2
        up_to_frac_of_volume=0.1 discount_frac=0.03""",
    "covenants": """
        covenant=liquidity source_of_rule=policy metric=minimum_liquidity threshold=20 from_quarter=2026Q3
        to_quarter=2027Q2""",
    "tax_groups": """
        tax_group=us rate_frac=0.25 losses_usd_m=50 loss_use_frac=0.8 losses_value_frac=0.5 basis_usd_m=30
        basis_life_q=12 income_so_far_usd_m=-4 interest_cap_frac_of_ebitda=0.3""",
    "tax_classes": """
        tax_class=building bonus_frac=0 life_q=156 default_for=halls;power / tax_class=equipment bonus_frac=1
        life_q=20 profile=falling default_for=gpus;machines;cooling""",
    "history": """
        quarter=2025Q3 ebitda_usd_m=9 interest_usd_m=1 shares_issued_m=2 / quarter=2025Q4 ebitda_usd_m=8
        interest_usd_m=1 shares_issued_m=0 / quarter=2026Q1 ebitda_usd_m=7 interest_usd_m=1
        shares_issued_m=1 / quarter=2026Q2 ebitda_usd_m=6 interest_usd_m=1 shares_issued_m=0""",
    "stated_totals": """
        total=cash_usd_m amount=190 difference=0 / total=basic_shares_m amount=100 difference=0""",
    "budgets": "budget=beta-cap site=beta counts=own from_quarter=2026Q3 to_quarter=2027Q2 cap_usd_m=500",
    "scenarios": """
        scenario=base branch_from= branch_quarter= probability=0.6 / scenario=bear branch_from=base
        branch_quarter=2027Q1 probability=0.4""",
    "market_shapes": """
        market=west mean_usd_per_mwh=38 d1=-3 d2=10 d3=16 d4=20 d5=24 d6=28 d7=33 d8=40 d9=58 d10=154""",
    "provenance": """
        of_table=products row=colo column=capex_usd_m_per_mw low=8 high=13 reason=deals / of_table=sites
        row=alpha column=once_cost_usd_m low=1 high=3 reason=estimate""",
}
MARKET = """
        subsidy_btc=3.125 fee_frac=0.008 lease_idx=1 gpu_rent_idx=1 capex_idx=1 gpu_price_idx=1 power_idx=1
        ai_equity_idx=1 resale_idx=1 base_rate_frac=0.0365 spread_add_frac=0 share_vol_frac=0.55
        asic_tariff_frac=0.1 convert_open=true equity_open=true project_debt_open=true"""
PATH = {"base": ("2026Q3", "2026Q4", "2027Q1", "2027Q2"), "bear": ("2027Q1", "2027Q2")}
PRICES = {"base": "btc_usd=61000 difficulty_t=135", "bear": "btc_usd=40000 difficulty_t=115"}

Tables = dict[str, list[dict[str, str]]]


def _rows(text: str) -> list[dict[str, str]]:
    return [dict(cell.split("=", 1) for cell in row.split()) for row in text.split(" / ")]


def good_tables() -> Tables:
    """All tables of the small portfolio, as text."""
    tables = {table: _rows(" ".join(CELLS[table].split())) for table in TABLES if table in CELLS}
    market = [f"scenario={s} quarter={q} {PRICES[s]} {MARKET}" for s, path in PATH.items() for q in path]
    return {**tables, "market": _rows(" ".join(" / ".join(market).split()))}


GOOD = good_tables()


@dataclass
class Draft:
    """A portfolio on its way to a folder."""

    folder: Path
    tables: Tables = field(default_factory=lambda: deepcopy(GOOD))
    manifest: str = MANIFEST

    def row(self, table: str, key: str) -> dict[str, str]:
        """The row of a key, its parts joined by '|'."""
        names = TABLES[table].key
        return next(row for row in self.tables[table] if "|".join(row[name] for name in names) == key)

    def set(self, table: str, key: str, **cells: str) -> "Draft":
        """Change cells of one row."""
        self.row(table, key).update(cells)
        return self

    def drop(self, table: str, key: str) -> "Draft":
        """Delete one row."""
        self.tables[table].remove(self.row(table, key))
        return self

    def copy(self, table: str, key: str, **cells: str) -> "Draft":
        """Add a row that differs from an old one in some cells."""
        self.tables[table].append({**self.row(table, key), **cells})
        return self

    def write(self) -> Path:
        """Write the folder."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "portfolio.toml").write_text(self.manifest, encoding="utf-8")
        for table, rows in self.tables.items():
            names = list(dict.fromkeys([*columns_of(TABLES[table]), *(name for row in rows for name in row)]))
            with (self.folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, names, restval="")
                writer.writeheader()
                writer.writerows(rows)
        return self.folder

    def load(self, *overrides: str) -> Loaded:
        """Write and load."""
        return load(str(self.write()), overrides=overrides)

    def findings(self, *overrides: str) -> tuple[Finding, ...]:
        """Write and load; what is found, whether it loads or not."""
        try:
            return self.load(*overrides).findings
        except InputError as refused:
            return refused.findings


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    """The small portfolio, not yet written."""
    return Draft(tmp_path / "small")


@pytest.fixture
def drafted(tmp_path: Path) -> Callable[[], Draft]:
    """As many fresh drafts as a test wants, in one folder."""
    return lambda: Draft(tmp_path / "small")
