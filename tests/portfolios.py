"""Small valid portfolios in code, with round numbers, for calculation by hand.

``small()`` is two mining sites, one offer, the open market and a share programme. Each function of
``FEATURES`` adds one more thing to a portfolio, and ``full()`` has them all. ``with_row`` and its kin change
one thing of a portfolio; ``chain_of`` and ``tree_of`` give the time to plan it on. Every row is validated.
A test holds that the checks of the input find no error in any of them.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from models.domain.futures import scenario_chain, scenario_tree
from models.domain.portfolio import TABLES, Portfolio
from models.domain.row import Row
from models.timetree import Quarter, TimeTree

FIRST = Quarter.parse("2027Q1")
HORIZON_Q = 6
SITES = ("north", "south")
Change = Callable[[Portfolio], Portfolio]


def quarter(ahead: int) -> str:
    """Label of the quarter so many after the first."""
    return str(FIRST + ahead)


# --- changing a portfolio ---------------------------------------------------------------------------------


def key_of(row: Row) -> tuple[str, ...]:
    """What identifies a row in its table."""
    return tuple(str(getattr(row, name)) for name in row.key)


def _matches(row: Row, key: str) -> bool:
    return key in ("|".join(key_of(row)), key_of(row)[0])


def _with_table(p: Portfolio, table: str, rows: Iterable[Row]) -> Portfolio:
    return p.model_copy(update={table: tuple(rows)})


def with_row(p: Portfolio, table: str, key: str, **changes: Any) -> Portfolio:
    """Change the rows of a table whose key, or the first part of it, is ``key``."""
    rows: tuple[Row, ...] = getattr(p, table)
    if not any(_matches(row, key) for row in rows):
        raise KeyError(f"{table} has no '{key}'")
    return _with_table(p, table, (_changed(row, changes) if _matches(row, key) else row for row in rows))


def with_all(p: Portfolio, table: str, **changes: Any) -> Portfolio:
    """Change every row of a table."""
    return _with_table(p, table, (_changed(row, changes) for row in getattr(p, table)))


def with_rows(p: Portfolio, table: str, *rows: Mapping[str, Any]) -> Portfolio:
    """Add rows to a table."""
    return _with_table(p, table, (*getattr(p, table), *(TABLES[table].model_validate(row) for row in rows)))


def without(p: Portfolio, table: str, *keys: str) -> Portfolio:
    """Take rows out of a table, all of them when no key is given."""
    rows: tuple[Row, ...] = getattr(p, table)
    return _with_table(
        p, table, (row for row in rows if keys and not any(_matches(row, key) for key in keys))
    )


def with_company(p: Portfolio, **changes: Any) -> Portfolio:
    """Change the company's row."""
    return with_all(p, "company", **changes)


def _changed(row: Row, changes: Mapping[str, Any]) -> Row:
    return type(row).model_validate({**row.model_dump(), **changes})


# --- time -------------------------------------------------------------------------------------------------


def chain_of(p: Portfolio) -> TimeTree:
    """The base scenario alone: six nodes."""
    return scenario_chain(p, "base")


def tree_of(p: Portfolio) -> TimeTree:
    """Three scenarios: ``up`` leaves in the third quarter, ``down`` in the fifth. Twelve nodes."""
    return scenario_tree(p)


def two_scenarios(p: Portfolio) -> Portfolio:
    """Without ``down``: base and ``up``, half each."""
    p = without(without(p, "scenarios", "down"), "market", "down")
    return with_all(p, "scenarios", probability=0.5)


def identical_scenarios(p: Portfolio) -> Portfolio:
    """All scenarios with the market and the terminations of the base: the tree says what the chain says."""
    base = {row.quarter: row for row in p.market if row.scenario == "base"}
    twins = (base[row.quarter].model_copy(update={"scenario": row.scenario}) for row in p.market)
    ends = (
        row.model_copy(update={"scenario": s.scenario})
        for row in p.terminations
        for s in p.scenarios
        if row.scenario == "base" and (s.branch_quarter is None or s.branch_quarter <= row.quarter)
    )
    return _with_table(_with_table(p, "market", twins), "terminations", ends)


# --- the small portfolio ----------------------------------------------------------------------------------


def _company() -> dict[str, Any]:
    return {
        "name": "Small Miner", "ticker": "SML", "first_quarter": quarter(0), "horizon_q": HORIZON_Q,
        "price_usd": 10.0, "basic_shares_m": 100.0, "authorised_shares_m": 400.0,
        "award_shares_m_per_q": 0.0, "traded_shares_m_per_day": 1.0, "open_days_per_q": 50.0,
        "atm_left_usd_m": 300.0, "impact_window_q": 2, "btc_beta": 0.0, "ai_beta": 1.0,
        "overhead_usd_m_per_q": 1.0, "overhead_growth_frac_per_year": 0.0, "cash_floor_usd_m": 10.0,
        "cost_of_equity_frac": 0.12, "straight_spread_frac": 0.04, "cash_yield_spread_frac": 0.04,
        "pool_fee_frac": 0.0, "building_cap_mw": 80.0, "building_cap_growth_mw_per_q": 0.0,
        "raise_only_what_is_spent": True, "look_ahead_q": 4, "equity_pricing": "no_mispricing",
        "rescue_price": 10.0,
    }  # fmt: skip


def _entity(name: str, kind: str, cash: float) -> dict[str, Any]:
    money = {"unrestricted_cash_usd_m": cash, "escrow_usd_m": 0.0, "collateral_cash_usd_m": 0.0}
    return {"entity": name, "kind": kind, **money}


def _site(name: str, market: str | None) -> dict[str, Any]:
    return {
        "site": name, "entity": f"{name}-co", "region": "here", "market": market,
        "fixed_cost_usd_m_per_q": 0.5, "once_cost_usd_m": 2.0, "demolition_usd_m_per_mw": 0.0,
        "water_limit_m3_per_q": None, "hpc_allowed": True, "mining_allowed": True,
        "earliest_conversion_quarter": quarter(0), "max_hpc_critical_mw": 60.0,
        "unconverted_value_usd_m_per_mw": 0.1,
    }  # fmt: skip


def _power(site: str, basis: str) -> dict[str, Any]:
    return {
        "site": site, "from_quarter": "2025Q1", "energised_mw": 100.0, "price_basis": basis,
        "price_usd_per_mwh": 40.0 if basis == "fixed" else None, "price_growth_frac_per_year": 0.0,
        "adder_usd_per_mwh": 0.0, "demand_charge_usd_per_kw_month": 1.0, "min_bill_frac": 0.5,
        "take_or_pay_frac": 0.5 if basis == "fixed" else 0.0, "resale_allowed": False, "security_usd_m": 0.0,
        "security_form": "cash", "curtail_credit_usd_per_mw_q": 0.0,
    }  # fmt: skip


def cooling(site: str, kind: str, **changes: Any) -> dict[str, Any]:
    """A cooling plant: 20 MW stand, modules of 10 MW cost 2 $M and take a quarter."""
    return {
        "site": site, "cooling": kind, "existing_mw": 20.0, "module_mw": 10.0, "capex_usd_m_per_module": 2.0,
        "lead_q": 1, "max_modules": 6, "pue": 1.2, "water_m3_per_mwh": 1.0, **changes,
    }  # fmt: skip


def product(name: str, **changes: Any) -> dict[str, Any]:
    """A hall of 10 MW critical, 16 gross, for 80 $M in two equal quarters."""
    return {
        "product": name, "workload": "colocation", "archetype": "reuse", "cooling": "air", "module_mw": 10.0,
        "gross_to_critical_ratio": 0.625, "load_frac": 0.8, "capex_usd_m_per_mw": 8.0,
        "contingency_frac": 0.0, "gpu_capex_usd_m_per_mw": 0.0, "spend_profile": "even",
        "gpu_spend_profile": None, "lead_q": 2, "displaces_mining_q": 1, "ramp_profile": "at-once",
        "opex_usd_per_kw_month": 0.0, "opex_growth_frac_per_year": 0.0,
        "maintenance_frac_of_capex_per_year": 0.0, "residual_frac": 0.2, "gpu_residual_frac": 0.0,
        "slip_q": 1, **changes,
    }  # fmt: skip


def site_product(site: str, name: str, **changes: Any) -> dict[str, Any]:
    """That a product may be begun at a site in every quarter, four times."""
    window = {"earliest_quarter": quarter(0), "latest_quarter": quarter(HORIZON_Q - 1)}
    return {"site": site, "product": name, "max_modules": 4, "capex_factor_frac": 1.0, **window, **changes}


def contract(name: str, state: str, **changes: Any) -> dict[str, Any]:
    """A net lease at 200 $/kW-month: a hall earns 6 $M a quarter from the third quarter on, for ten years."""
    return {
        "contract": name, "state": state, "tenant": "Tenant", "guarantor": None, "credit_class": None,
        "sites": SITES, "workloads": ("colocation",), "coolings": ("air",), "min_mw": 0.0, "max_mw": 40.0,
        "billing_basis": "critical", "first_year_rent_usd_per_kw_month": 200.0, "rent_indexed_to": "none",
        "escalator_frac_per_year": 0.0, "commencement_quarter": quarter(2), "term_q": 40,
        "contract_value_usd_m": None, "power_passed_through": True, "opex_passed_through_frac": 1.0,
        "delivery_probability_frac": 1.0, "payment_lag_q": 0, "sign_from_quarter": None,
        "sign_by_quarter": None, "deadline_quarter": None, "exclusive_group": None, "usable_slack_frac": 0.0,
        "slack_hours_frac": 0.0,
        **changes,
    }  # fmt: skip


def offer(name: str, **changes: Any) -> dict[str, Any]:
    """An offer of 20 to 40 MW, to be signed in the first three quarters and live by the fifth."""
    window = {"sign_from_quarter": quarter(0), "sign_by_quarter": quarter(2), "deadline_quarter": quarter(4)}
    return contract(name, "offer", **{"min_mw": 20.0, **window, **changes})


def _machine(name: str, j_per_th: float, max_buy_mw: float) -> dict[str, Any]:
    return {
        "machine": name, "j_per_th": j_per_th, "price_usd_per_th": 10.0, "life_q": 30, "uptime_frac": 1.0,
        "resale_profile": "resale", "overhead_frac": 1.0, "variable_cost_usd_per_mwh": 0.0,
        "fixed_cost_usd_per_mw_q": 0.0, "move_usd_per_mw": 10_000.0, "move_q": 1,
        "max_move_mw_per_q": None, "max_buy_mw_per_q": max_buy_mw,
    }  # fmt: skip


def instrument(name: str, kind: str, **changes: Any) -> dict[str, Any]:
    """A way to raise money; a deal is of 50 to 300 $M, once in two quarters."""
    return {
        "instrument": name, "kind": kind, "min_usd_m": 50.0, "max_usd_m": 300.0,
        "max_frac_of_market_cap": 0.5, "once_every_q": 2, "lockup_after_q": 0, "launch_drop_frac": 0.0,
        "drop_lasts_q": 0, "fee_frac": 0.0, "coupon_frac": None, "premium_frac": None,
        "capped_call_cost_frac": None, "cap_premium_frac": None, "tenor_q": None, "put_after_q": None,
        "call_after_q": None, "call_trigger_frac": None, "settlement": None,
        **changes,
    }  # fmt: skip


def _market() -> list[dict[str, Any]]:
    """Flat in each scenario: the share is worth 10 on the base, 20 in ``up`` and 5 in ``down``."""
    worlds = {"base": (0, 1.0, 100_000.0), "up": (2, 2.0, 150_000.0), "down": (4, 0.5, 50_000.0)}
    return [
        {
            "scenario": name, "quarter": quarter(t), "btc_usd": btc, "difficulty_t": 120.0,
            "subsidy_btc": 3.125, "fee_frac": 0.0, "lease_idx": 1.0, "gpu_rent_idx": 1.0, "capex_idx": 1.0,
            "gpu_price_idx": 1.0, "power_idx": 1.0, "ai_equity_idx": share, "resale_idx": 1.0,
            "base_rate_frac": 0.04, "spread_add_frac": 0.0, "share_vol_frac": 0.5, "asic_tariff_frac": 0.0,
            "convert_open": True, "equity_open": True, "project_debt_open": True,
        }
        for name, (since, share, btc) in worlds.items()
        for t in range(since, HORIZON_Q)
    ]  # fmt: skip


def _scenario(name: str, branch_from: str | None, ahead: int | None, probability: float) -> dict[str, Any]:
    since = None if ahead is None else quarter(ahead)
    return {
        "scenario": name, "branch_from": branch_from, "branch_quarter": since, "probability": probability
    }  # fmt: skip


def _profile(name: str, *steps: float) -> list[dict[str, Any]]:
    return [{"profile": name, "step": i, "frac": frac} for i, frac in enumerate(steps)]


def small() -> Portfolio:
    """Two mining sites of 100 MW, an offer, the open market, new machines, and shares sold at the market."""
    rates = {"powered_shell": 0.08, "colocation": 0.08, "gpu_cloud": 0.16, "mining": 0.2, "overhead": 0.08}
    impact = {"instrument": "atm"}
    return Portfolio.model_validate({
        "company": [_company()],
        "entities": [
            _entity("parent", "parent", 200.0),
            *(_entity(f"{site}-co", "spv", 20.0) for site in SITES),
        ],
        "valuation": [
            {"stream": s, "rate_frac": r, "decline_frac_per_year": 0.1,
             "years": 10.0 if s == "overhead" else None}
            for s, r in rates.items()
        ],
        "regions": [
            {"region": "here", "new_mining_allowed": True, "gpu_cloud_allowed": True,
             "asic_tariff_applies": True, "customs_area": None}
        ],
        "sites": [_site("north", None), _site("south", "grid")],
        "power": [_power("north", "fixed"), _power("south", "spot")],
        "market_shapes": [
            {"market": "grid", "mean_usd_per_mwh": 40.0, **{f"d{i}": 8.0 * i for i in range(1, 11)}}
        ],
        "cooling": [cooling(s, "air") for s in SITES],
        "products": [product("hall")],
        "site_products": [site_product(s, "hall") for s in SITES],
        "profiles": [
            *_profile("even", 0.5, 0.5), *_profile("at-once", 1.0), *_profile("ramp", 0.5, 1.0),
            *_profile("resale", *(0.8 - 0.025 * age for age in range(31))),
        ],
        "contracts": [
            offer("lease"),
            contract("open", "merchant", max_mw=30.0, first_year_rent_usd_per_kw_month=150.0, term_q=20),
        ],
        "machines": [_machine("s19", 30.0, 0.0), _machine("s21", 20.0, 20.0)],
        "fleets": [
            {"fleet": "n-s19", "site": "north", "machine": "s19", "mw": 60.0, "age_q": 8},
            {"fleet": "s-s19", "site": "south", "machine": "s19", "mw": 80.0, "age_q": 4},
        ],
        "instruments": [instrument("atm", "atm", min_usd_m=0.0, max_usd_m=80.0, once_every_q=1)],
        "impact": [
            {**impact, "block": 1, "up_to_frac_of_volume": 0.1, "discount_frac": 0.02},
            {**impact, "block": 2, "up_to_frac_of_volume": 0.2, "discount_frac": 0.05},
        ],
        "scenarios": [
            _scenario("base", None, None, 0.5),
            _scenario("up", "base", 2, 0.25),
            _scenario("down", "base", 4, 0.25),
        ],
        "market": _market(),
    })  # fmt: skip


# --- what can be added ------------------------------------------------------------------------------------


def add_rival_offers(p: Portfolio) -> Portfolio:
    """A dearer offer that excludes ``lease``: slack for machines, late pay, tenant money, a renewal."""
    p = with_row(p, "contracts", "lease", exclusive_group="anchor")
    p = with_rows(
        p, "contracts",
        offer("rival", tenant="Rival", exclusive_group="anchor", first_year_rent_usd_per_kw_month=220.0,
              escalator_frac_per_year=0.02, payment_lag_q=1, power_passed_through=False,
              usable_slack_frac=0.5, slack_hours_frac=0.5),
    )  # fmt: skip
    back = {"contract": "rival", "amount_usd_m": None, "received_quarter": None, "max_frac_of_rent": 0.5}
    p = with_rows(
        p, "contract_money",
        {**back, "kind": "prepayment", "frac_of_capex": 0.1, "give_back_from_q": 1, "give_back_q": 8},
        {**back, "kind": "tenant_capex", "frac_of_capex": 0.1, "give_back_from_q": 0, "give_back_q": 0},
    )  # fmt: skip
    renewal = {
        "contract": "rival",
        "probability_frac": 0.5,
        "rent_basis": "min",
        "term_q": 10,
        "options": 2,
        "capex_usd_m_per_mw": 0.5,
    }
    return with_rows(p, "renewals", renewal)


def add_cloud(p: Portfolio) -> Portfolio:
    """A GPU cloud of 5 MW modules, 10 gross, liquid-cooled, at the southern site."""
    pods = product(
        "pods", workload="gpu_cloud", archetype="rebuild", cooling="liquid", module_mw=5.0,
        gross_to_critical_ratio=0.5, gpu_capex_usd_m_per_mw=20.0, gpu_spend_profile="even",
        ramp_profile="ramp", opex_usd_per_kw_month=20.0, gpu_residual_frac=0.1,
        maintenance_frac_of_capex_per_year=0.02, slip_q=2,
    )  # fmt: skip
    p = with_rows(p, "products", pods)
    p = with_rows(p, "site_products", site_product("south", "pods"))
    p = with_rows(p, "cooling", cooling("south", "liquid", existing_mw=0.0, module_mw=5.0, pue=1.1))
    p = with_row(p, "sites", "south", demolition_usd_m_per_mw=0.1, water_limit_m3_per_q=200_000.0)
    cloud = {
        "workloads": ("gpu_cloud",),
        "coolings": ("liquid",),
        "term_q": 16,
        "power_passed_through": False,
    }
    return with_rows(
        p, "contracts",
        offer("cloud", min_mw=5.0, max_mw=20.0, first_year_rent_usd_per_kw_month=900.0,
              opex_passed_through_frac=0.0, **cloud),
        contract("gpu-market", "merchant", max_mw=10.0, first_year_rent_usd_per_kw_month=800.0,
                 rent_indexed_to="gpu_rent", **cloud),
    )  # fmt: skip


def add_gpu_terms(p: Portfolio) -> Portfolio:
    """GPUs are paid a quarter after shipment; half of them are replaced in their third quarter."""
    p = p if any(x.product == "pods" for x in p.products) else add_cloud(p)
    return with_row(p, "products", "pods", gpu_payment_lag_q=1, refresh_q=2, refresh_cost_frac=0.5)


def gpu_lease(name: str, **changes: Any) -> dict[str, Any]:
    """Nine tenths of the GPUs of pods: four payments at 9 %, a tenth in the end, 150 owed at a time."""
    return {
        "lease": name, "products": ("pods",), "max_frac_of_gpus": 0.9, "spread_frac": 0.05, "term_q": 4,
        "buyout_frac": 0.1, "max_usd_m": 150.0, **changes,
    }  # fmt: skip


def add_vendor_lease(p: Portfolio) -> Portfolio:
    """A lessor pays for GPUs, of a GPU cloud that is added where there is none."""
    p = p if any(x.product == "pods" for x in p.products) else add_cloud(p)
    return with_rows(p, "vendor_leases", gpu_lease("lessor"))


def add_long_lead(p: Portfolio) -> Portfolio:
    """Transformers of halls: 1.5 $M per MW, a fifth down, three quarters; ten MW in hand, 30 to be had."""
    return with_rows(
        p, "long_lead",
        {"equipment": "transformers", "site": None, "products": ("hall",), "cost_usd_m_per_mw": 1.5,
         "deposit_frac": 0.2, "lead_q": 3, "needed_after_q": 2, "max_mw": 30.0, "in_hand_mw": 10.0,
         "resale_frac": 0.4},
    )  # fmt: skip


def credit_class(name: str, funding: str, **changes: Any) -> dict[str, Any]:
    """A lender: 80 % of cost, DSCR 1.25, six per cent."""
    return {
        "credit_class": name, "spread_frac": 0.02, "ltc_max_frac": 0.8, "dscr_min": 1.25, "coverage_q": 32,
        "maturity_q": 20, "balloon_cap_frac": 0.6, "refinance_spread_frac": 0.03, "funding": funding,
        "fee_frac": 0.01, "reserve_q": 2, "delivery_haircut_frac": 1.0, "closes_at_start": True,
        "closes_at_completion": True, **changes,
    }  # fmt: skip


def add_project_debt(p: Portfolio) -> Portfolio:
    """Notes on the offers for halls, a delayed draw on the cloud; both at the start and at completion."""
    p = with_rows(p, "credit_classes", credit_class("notes", "notes"))
    p = with_rows(p, "credit_classes", credit_class("drawn", "delayed_draw", coverage_q=12, maturity_q=12))
    classes = {"lease": "notes", "rival": "notes", "cloud": "drawn"}
    for c in p.contracts:
        if c.contract in classes:
            p = with_row(p, "contracts", c.contract, credit_class=classes[c.contract])
    return p


def add_debt(p: Portfolio) -> Portfolio:
    """A corporate loan of 40 at 8 %, due within the horizon, and one of the north repaid in parts."""
    loan = {"recourse": True, "undrawn_usd_m": 0.0, "commitment_fee_frac": 0.0}
    return with_rows(
        p, "debt",
        {**loan, "debt": "loan", "entity": "parent", "kind": "corporate", "principal_usd_m": 40.0,
         "rate_kind": "fixed", "coupon_or_spread_frac": 0.08, "first_repayment_quarter": quarter(5),
         "maturity_quarter": quarter(5), "repayment": "bullet"},
        {**loan, "debt": "lease-line", "entity": "north-co", "kind": "lease", "principal_usd_m": 12.0,
         "rate_kind": "floating", "coupon_or_spread_frac": 0.02, "first_repayment_quarter": quarter(1),
         "maturity_quarter": quarter(8), "repayment": "straight"},
    )  # fmt: skip


def loan(name: str, entity: str, usd_m: float, first: int, last: int, **changes: Any) -> dict[str, Any]:
    """A loan of a borrower at 8 %, repaid in equal parts between two quarters."""
    return {
        "debt": name, "entity": entity, "kind": "project", "recourse": False, "principal_usd_m": usd_m,
        "undrawn_usd_m": 0.0, "rate_kind": "fixed", "coupon_or_spread_frac": 0.08, "commitment_fee_frac": 0.0,
        "first_repayment_quarter": quarter(first), "maturity_quarter": quarter(last),
        "repayment": "straight", **changes,
    }  # fmt: skip


def add_debt_terms(p: Portfolio) -> Portfolio:
    """North: 40 sculpted, a balloon, reserve, lock-up and sweep. South: 12 by list, and a letter."""
    steps = (*_profile("noi", 1.0, 1.0, 1.1, 1.1), *_profile("steps", 0.5, 0.0, 0.25, 0.25))
    p = with_rows(p, "profiles", *steps)
    kept = {"dsra_usd_m": 2.0, "dsra_form": "cash", "lockup_dscr": 1.5, "sweep_frac": 0.4}
    sculpted = {"repayment": "sculpted", "repayment_profile": "noi", "balloon_frac": 0.6}
    listed = {"repayment": "listed", "repayment_profile": "steps", "lockup_dscr": 1.2}
    letter = {"dsra_usd_m": 3.0, "dsra_form": "parent_lc", "dsra_fee_frac": 0.02}
    return with_rows(
        p, "debt",
        loan("term-notes", "north-co", 40.0, 1, 4, **sculpted, **kept, lockup_from_quarter=quarter(2)),
        loan("listed-notes", "south-co", 12.0, 1, 4, **listed, **letter, rate_kind="floating",
             coupon_or_spread_frac=0.03),
    )  # fmt: skip


def add_notes(p: Portfolio) -> Portfolio:
    """Two convertibles: 50 that mature within the horizon, 80 that run on with a put, a call and a cap."""
    plain = {
        "put_quarter": None,
        "put_price_frac": None,
        "call_from_quarter": None,
        "call_trigger_frac": None,
    }
    return with_rows(
        p, "convertibles",
        {**plain, "tranche": "due", "principal_usd_m": 50.0, "coupon_frac": 0.02,
         "maturity_quarter": quarter(4), "conversion_price_usd": 20.0, "settlement": "net_share",
         "cap_price_usd": None},
        {"tranche": "later", "principal_usd_m": 80.0, "coupon_frac": 0.0, "maturity_quarter": quarter(24),
         "put_quarter": quarter(12), "put_price_frac": 1.0, "call_from_quarter": quarter(2),
         "call_trigger_frac": 1.3, "conversion_price_usd": 12.5, "settlement": "physical",
         "cap_price_usd": 20.0},
    )  # fmt: skip


def add_commitments(p: Portfolio) -> Portfolio:
    """South: 10 MW for a tenant who prepays, half of it on debt. North: 10 MW that may be cancelled."""
    p = with_rows(
        p, "contracts",
        contract("held", "committed", sites=("south",), max_mw=10.0),
        contract("loose", "committed", sites=("north",), max_mw=10.0, commencement_quarter=quarter(4)),
    )  # fmt: skip
    p = with_rows(
        p, "contract_money",
        {"contract": "held", "kind": "prepayment", "frac_of_capex": None, "amount_usd_m": 8.0,
         "received_quarter": quarter(1), "give_back_from_q": 1, "give_back_q": 4, "max_frac_of_rent": 0.5},
    )  # fmt: skip
    p = with_rows(
        p, "commitments",
        {"commitment": "first", "site": "south", "contract": "held", "product": "hall", "debt": "hall-loan",
         "capex_usd_m": 80.0, "gpu_capex_usd_m": 0.0, "occupies_from_quarter": quarter(0),
         "cancellable_until_quarter": None, "cancel_fee_usd_m": 0.0},
        {"commitment": "second", "site": "north", "contract": "loose", "product": "hall", "debt": None,
         "capex_usd_m": 80.0, "gpu_capex_usd_m": 0.0, "occupies_from_quarter": quarter(2),
         "cancellable_until_quarter": quarter(1), "cancel_fee_usd_m": 2.0},
    )  # fmt: skip
    flows = (
        ("first", 0, "own", 10.0, 0.0), ("first", 0, "vendor", 4.0, 0.0), ("first", 1, "escrow", 6.0, 0.0),
        ("first", 1, "gpu_debt", 20.0, 0.0), ("first", 2, "tenant", 5.0, 5.0), ("first", 3, "own", 5.0, 5.0),
        ("second", 1, "own", 20.0, 0.0), ("second", 3, "own", 20.0, 0.0), ("second", 4, "own", 4.0, 10.0),
    )  # fmt: skip
    names = ("commitment", "quarter", "funded_by", "amount_usd_m", "mw_live")
    for name, ahead, *rest in flows:
        p = with_rows(p, "commitment_flows", dict(zip(names, (name, quarter(ahead), *rest), strict=True)))
    p = with_row(p, "entities", "south-co", escrow_usd_m=10.0, collateral_cash_usd_m=1.0)
    return with_rows(
        p, "debt",
        {"debt": "hall-loan", "entity": "south-co", "kind": "gpu", "recourse": False, "principal_usd_m": 10.0,
         "undrawn_usd_m": 20.0, "rate_kind": "floating", "coupon_or_spread_frac": 0.04,
         "commitment_fee_frac": 0.01, "first_repayment_quarter": quarter(3), "maturity_quarter": quarter(14),
         "repayment": "straight"},
    )  # fmt: skip


def add_expansion(p: Portfolio) -> Portfolio:
    """Two steps of 40 MW at the north: 8 each, 2 of it down, 3 as security, ready after two quarters."""
    return with_rows(
        p, "expansions",
        {"expansion": "n-line", "site": "north", "step_mw": 40.0, "max_steps": 2, "cost_usd_m": 8.0,
         "deposit_usd_m": 2.0, "security_usd_m": 3.0, "lead_q": 2, "earliest_quarter": quarter(0),
         "latest_quarter": quarter(5)},
    )  # fmt: skip


TRADED = ("west", "annex", "east")


def add_sites(p: Portfolio) -> Portfolio:
    """The west, 60 MW, may be bought for 20; the annex, 40 MW, may be sold; the east is bought anyway."""
    p = with_rows(p, "entities", _entity("west-co", "spv", 20.0), _entity("annex-co", "spv", 20.0))
    west = {"state": "candidate", "purchase_usd_m": 20.0, "purchase_by_quarter": quarter(2)}
    annex = {"sale_usd_m_per_mw": 0.5, "sale_cost_frac": 0.02, "book_value_usd_m": 5.0}
    east = {"state": "pending", "purchase_usd_m": 6.0, "purchase_by_quarter": quarter(1)}
    p = with_rows(
        p, "sites",
        {**_site("west", None), **west, "max_hpc_critical_mw": 30.0}, {**_site("annex", None), **annex},
        {**_site("east", None), **east, "entity": "west-co", "hpc_allowed": False},
    )  # fmt: skip
    megawatts = zip(TRADED, (60.0, 40.0, 30.0), strict=True)
    secured = {"security_usd_m": 1.5}
    p = with_rows(p, "power", *({**_power(s, "fixed"), "energised_mw": mw, **secured} for s, mw in megawatts))
    p = with_rows(p, "cooling", *(cooling(s, "air") for s in TRADED[:2]))
    p = with_rows(p, "site_products", *(site_product(s, "hall") for s in TRADED[:2]))
    fleet = {"fleet": "a-s19", "site": "annex", "machine": "s19", "mw": 30.0, "age_q": 8}
    p = with_rows(p, "fleets", fleet)
    for name in ("lease", "open"):
        p = with_row(p, "contracts", name, sites=(*SITES, *TRADED[:2]))
    return p


def add_deals(p: Portfolio) -> Portfolio:
    """A follow-on and a capped convertible, each with a launch drop of 4 % and a quarter of lock-up."""
    quiet = {"launch_drop_frac": 0.04, "drop_lasts_q": 2, "lockup_after_q": 1}
    note = {
        "coupon_frac": 0.01, "premium_frac": 0.25, "capped_call_cost_frac": 0.06, "cap_premium_frac": 1.0,
        "tenor_q": 20, "put_after_q": 12, "call_after_q": 8, "call_trigger_frac": 1.3,
        "settlement": "net_share",
    }  # fmt: skip
    p = with_rows(p, "instruments", instrument("deal", "follow_on", fee_frac=0.02, **quiet))
    return with_rows(p, "instruments", instrument("note", "convertible", fee_frac=0.02, **quiet, **note))


def corporate_debt() -> tuple[dict[str, Any], ...]:
    """Notes of two years, 5 % over the base rate, and a revolver of 40 for the first five quarters."""
    return (
        instrument("bond", "notes", fee_frac=0.02, spread_frac=0.05, tenor_q=8, min_usd_m=20.0),
        instrument(
            "line", "revolver", min_usd_m=10.0, max_usd_m=40.0, fee_frac=0.01, spread_frac=0.02,
            commitment_fee_frac=0.004, available_from_quarter=quarter(0), available_until_quarter=quarter(4),
        ),
    )  # fmt: skip


def leverage(name: str, *blocks: tuple[float, float]) -> list[dict[str, Any]]:
    """Blocks of leverage: up to so much of the opening market cap of 1,000, at so much more."""
    return [
        {"instrument": name, "block": i, "up_to_frac_of_market_cap": upto, "add_frac": add}
        for i, (upto, add) in enumerate(blocks, 1)
    ]


def add_corporate_debt(p: Portfolio) -> Portfolio:
    """Notes and a revolver; notes and convertibles cost 1 % more from 150 of debt, 500 is the most."""
    p = with_rows(p, "instruments", *corporate_debt())
    rising = [i.instrument for i in p.instruments if i.kind in ("notes", "convertible")]
    rows = (row for name in rising for row in leverage(name, (0.15, 0.0), (0.5, 0.01)))
    return with_rows(p, "leverage_blocks", *rows)


def add_repurchase(p: Portfolio) -> Portfolio:
    """A convertible of 40 at 10 %, struck at 12, that may be bought back at 1 % over par or parity."""
    p = with_rows(
        p, "convertibles",
        {"tranche": "dear", "principal_usd_m": 40.0, "coupon_frac": 0.1, "maturity_quarter": quarter(16),
         "put_quarter": None, "put_price_frac": None, "call_from_quarter": None, "call_trigger_frac": None,
         "conversion_price_usd": 12.0, "settlement": "net_share", "cap_price_usd": None},
    )  # fmt: skip
    terms = {"min_usd_m": 0.0, "max_usd_m": 30.0, "premium_frac": 0.01, "tranche": "dear"}
    return with_rows(p, "instruments", instrument("buyback", "repurchase", **terms))


def covenant(metric: str, threshold: float, **changes: Any) -> dict[str, Any]:
    """A test of every quarter, named as its metric."""
    span = {"from_quarter": quarter(0), "to_quarter": quarter(HORIZON_Q - 1)}
    return {
        "covenant": metric,
        "source_of_rule": "contract",
        "metric": metric,
        "threshold": threshold,
        **span,
        **changes,
    }


def add_covenants(p: Portfolio) -> Portfolio:
    """All three tests, from the fourth quarter on."""
    tests = {"minimum_liquidity": 20.0, "net_debt_to_ebitda": 10.0, "interest_cover": 0.5}
    p = with_rows(p, "covenants", *(covenant(metric, at) for metric, at in tests.items()))
    return with_all(p, "covenants", from_quarter=quarter(3))


def add_history(p: Portfolio) -> Portfolio:
    """The year before the first quarter: EBITDA of 3, interest of 1 and half a million shares a quarter."""
    past = {"ebitda_usd_m": 3.0, "interest_usd_m": 1.0, "shares_issued_m": 0.5}
    return with_rows(p, "history", *({"quarter": quarter(-back), **past} for back in (4, 3, 2, 1)))


def add_guard_rails(p: Portfolio) -> Portfolio:
    """Every other test of the table, some trailing, some where notes are issued, each in loose measure."""
    leaf = {"from_quarter": None, "to_quarter": None}
    trailing = {"test": "incurrence", "basis": "trailing_4q"}
    return with_rows(
        add_history(p), "covenants",
        covenant("net_debt_to_market_cap", 1.0),
        covenant("market_cap", 1100.0, from_quarter=quarter(5)),
        covenant("recourse_debt", 400.0), covenant("secured_debt", 500.0),
        covenant("maturities", 0.5, from_quarter=quarter(2)), covenant("dilution", 0.2),
        covenant("cash_cover", 2.0), covenant("funded_commitments", 0.0, from_quarter=quarter(1)),
        covenant("stress_liquidity", 0.0, from_quarter=quarter(1)), covenant("unsigned_building", 1.0),
        covenant("maturity_wall", 0.5, **leaf), covenant("solvency", 1.0, **leaf),
        covenant("tenant_share", 1.0, **leaf),
        covenant("net_debt_to_ebitda", 12.0, covenant="new-debt", **trailing),
        covenant("interest_cover", 0.5, covenant="new-interest", **trailing),
    )  # fmt: skip


def add_budgets(p: Portfolio) -> Portfolio:
    """400 of own money in all, 300 of anyone's at the north within the first year."""
    span = {"from_quarter": quarter(0)}
    return with_rows(
        p, "budgets",
        {**span, "budget": "own", "site": None, "counts": "own", "to_quarter": quarter(5),
         "cap_usd_m": 400.0},
        {**span, "budget": "n-all", "site": "north", "counts": "all", "to_quarter": quarter(3),
         "cap_usd_m": 300.0},
    )  # fmt: skip


def add_short_lived_machines(p: Portfolio) -> Portfolio:
    """A machine for sale that dies after four quarters; five MW of it can be moved in one, four sold."""
    limits = {"max_move_mw_per_q": 5.0, "max_sell_mw_per_q": 4.0}
    return with_rows(p, "machines", {**_machine("s15", 15.0, 10.0), "life_q": 4, **limits})


def add_share_claims(p: Portfolio) -> Portfolio:
    """Warrants that vest when ``lease`` is signed, options that expire within the horizon, and awards."""
    p = with_company(p, award_shares_m_per_q=0.5)
    return with_rows(
        p, "share_claims",
        {"claim": "warrant", "shares_m": 2.0, "strike_usd": 12.0, "expiry_quarter": quarter(20),
         "contract": "lease"},
        {"claim": "options", "shares_m": 1.0, "strike_usd": 8.0, "expiry_quarter": quarter(3),
         "contract": None},
    )  # fmt: skip


def add_other_business(p: Portfolio) -> Portfolio:
    """Hosting that earns 2 a quarter, and bitcoin held."""
    hosting = ({"line": "hosting", "quarter": quarter(t), "ebitda_usd_m": 2.0} for t in range(HORIZON_Q))
    p = with_rows(p, "other_lines", *hosting)
    return with_rows(
        p, "holdings", {"asset": "coins", "value_usd_m": 20.0, "indexed_to": "btc", "haircut_frac": 0.1}
    )  # fmt: skip


def termination(scenario: str, contract: str, ahead: int, **changes: Any) -> dict[str, Any]:
    """Half of the rent to come is paid, at most 8 $M a MW; a quarter later the halls are let at 0.7 of it."""
    return {
        "scenario": scenario, "contract": contract, "quarter": quarter(ahead), "paid_by": "tenant",
        "fee_frac_of_remaining_rent": 0.5, "fee_months_of_rent": 0.0, "fee_at_most_usd_m_per_mw": 8.0,
        "vacancy_q": 1, "relet_rent_frac": 0.7, **changes,
    }  # fmt: skip


def add_terminations(p: Portfolio) -> Portfolio:
    """``lease`` ends on the base, ``rival`` in ``up``; what was committed ends too, some of it for good."""
    dark = {"vacancy_q": None, "relet_rent_frac": None, "fee_at_most_usd_m_per_mw": None}
    free = {"paid_by": "nobody", "fee_frac_of_remaining_rent": 0.0, "fee_at_most_usd_m_per_mw": None}
    rows = (
        termination("base", "lease", 5),
        termination("up", "rival", 4, fee_frac_of_remaining_rent=0.0, fee_months_of_rent=9.0),
        termination("base", "held", 2, **free),
        termination("down", "loose", 5, **dark),
        termination("base", "cloud", 5, vacancy_q=0, relet_rent_frac=0.5),
    )
    held = {c.contract for c in p.contracts}
    if "rival" in held:
        p = with_row(p, "contract_money", "rival|prepayment", refundable_on_termination=True)
    if "held" in held:
        p = with_row(p, "contract_money", "held", refundable_on_termination=False)
    return with_rows(p, "terminations", *(row for row in rows if row["contract"] in held))


def add_late_damages(p: Portfolio) -> Portfolio:
    """``lease`` may be a quarter late, for 50 $/kW-month of what is missing."""
    damages = {"long_stop_quarter": quarter(5), "late_damages_usd_per_kw_month": 50.0}
    return with_row(p, "contracts", "lease", **damages)


def add_option(p: Portfolio) -> Portfolio:
    """The tenant of ``lease`` may take 20 MW more, one or two quarters later, at 190 $/kW-month."""
    window = {"sign_from_quarter": quarter(1), "sign_by_quarter": quarter(3)}
    terms = {"min_mw": 10.0, "max_mw": 20.0, "first_year_rent_usd_per_kw_month": 190.0, **window}
    more = {"commencement_quarter": quarter(3), "deadline_quarter": quarter(5)}
    return with_rows(p, "contracts", contract("more", "option", option_of="lease", **terms, **more))


def tax_group(name: str, **changes: Any) -> dict[str, Any]:
    """A quarter of income; losses of 20 offset up to 80 % of a year's; 24 are written off in 12 quarters."""
    return {
        "tax_group": name, "rate_frac": 0.25, "losses_usd_m": 20.0, "loss_use_frac": 0.8,
        "losses_value_frac": 0.5, "basis_usd_m": 24.0, "basis_life_q": 12, "income_so_far_usd_m": None,
        "interest_cap_frac_of_ebitda": None, **changes,
    }  # fmt: skip


def add_taxes(p: Portfolio) -> Portfolio:
    """The south is taxed apart, by classes of its own, its interest capped; plant is faster than halls."""
    p = with_rows(p, "tax_groups", tax_group("home"))
    capped = {"losses_usd_m": 0.0, "basis_usd_m": 0.0, "interest_cap_frac_of_ebitda": 0.3}
    south = tax_group("south", rate_frac=0.2, loss_use_frac=1.0, regime="elsewhere", **capped)
    p = with_rows(with_rows(p, "tax_groups", south), "profiles", *_profile("falling", 0.5, 0.3, 0.2))
    p = with_rows(
        p, "tax_classes",
        {"tax_class": "short", "bonus_frac": 0.4, "life_q": 20, "default_for": ("gpus", "cooling")},
        {"tax_class": "long", "bonus_frac": 0.0, "life_q": 80, "default_for": ("halls", "power")},
        {"tax_class": "at-once", "bonus_frac": 1.0, "life_q": 1, "default_for": ("machines",)},
        {"tax_class": "balance", "bonus_frac": 0.1, "life_q": 24, "profile": "falling", "regime": "elsewhere",
         "default_for": ("gpus", "cooling", "halls", "power", "machines")},
    )  # fmt: skip
    p = with_all(p, "entities", tax_group="home")
    for e in p.entities:
        if e.kind == "listed":
            p = with_rows(p, "tax_groups", tax_group(e.entity, losses_usd_m=1.0))
            p = with_row(p, "entities", e.entity, tax_group=e.entity)
    return with_row(p, "entities", "south-co", tax_group="south")


def lot(name: str, btc: float, **changes: Any) -> dict[str, Any]:
    """Coins of the parent, half of which may be sold in a quarter, for one per cent."""
    return {
        "lot": name, "entity": "parent", "btc": btc, "basis_usd_per_btc": 60_000.0, "min_hold_btc": 0.0,
        "sell_cap_frac_per_q": 0.5, "sell_cost_frac": 0.01, **changes,
    }  # fmt: skip


def add_treasury(p: Portfolio) -> Portfolio:
    """Coins free, pledged to a loan of 10 and of the north, and a lender who takes more of them."""
    p = with_rows(
        p, "treasury",
        lot("free", 300.0, min_hold_btc=50.0), lot("n-coins", 20.0, entity="north-co"),
        lot("pledged", 200.0, pledged_to="coin-loan", sell_cap_frac_per_q=1.0),
    )  # fmt: skip
    p = with_rows(
        p, "debt",
        {"debt": "coin-loan", "entity": "parent", "kind": "btc", "recourse": False, "principal_usd_m": 10.0,
         "undrawn_usd_m": 0.0, "rate_kind": "fixed", "coupon_or_spread_frac": 0.08,
         "commitment_fee_frac": 0.0, "first_repayment_quarter": quarter(4), "maturity_quarter": quarter(4),
         "repayment": "bullet"},
    )  # fmt: skip
    p = with_rows(p, "loan_collateral", {"debt": "coin-loan", "ltv_call_frac": 0.75})
    terms = {"spread_frac": 0.04, "ltv_max_frac": 0.6, "ltv_call_frac": 0.8, "tenor_q": 2, "fee_frac": 0.01}
    line = instrument("coin-line", "btc_loan", **terms, min_usd_m=0.0, max_usd_m=30.0)
    p = with_row(p, "market", f"base|{quarter(1)}", btc_trough_usd=80_000.0)
    return with_rows(p, "instruments", line)


def add_refinancing(p: Portfolio) -> Portfolio:
    """A loan of 20 of the north, due in the fourth quarter; lenders would roll six tenths of it."""
    return with_rows(
        p, "debt",
        {"debt": "balloon", "entity": "north-co", "kind": "project", "recourse": False,
         "principal_usd_m": 20.0, "undrawn_usd_m": 0.0, "rate_kind": "fixed", "coupon_or_spread_frac": 0.06,
         "commitment_fee_frac": 0.0, "first_repayment_quarter": quarter(3), "maturity_quarter": quarter(3),
         "repayment": "bullet", "refinance_spread_frac": 0.03, "refinance_tenor_q": 2,
         "refinance_max_frac": 0.6},
    )  # fmt: skip


def add_take_outs(p: Portfolio) -> Portfolio:
    """A yard let and built: a dear loan of 18 that may be called at 102, one of 4 beside it, two lenders."""
    p = with_rows(p, "entities", _entity("yard-co", "spv", 5.0))
    p = with_rows(p, "sites", {**_site("yard", None), "hpc_allowed": False, "mining_allowed": False})
    p = with_rows(p, "power", {**_power("yard", "fixed"), "energised_mw": 20.0})
    p = with_rows(p, "cooling", cooling("yard", "air", max_modules=0))
    since = {"commencement_quarter": quarter(-4), "term_q": 30, "payment_lag_q": 1}
    paid = {"power_passed_through": False, "opex_passed_through_frac": 0.0}
    p = with_rows(
        p, "contracts", contract("whole", "committed", sites=("yard",), max_mw=10.0, **since, **paid)
    )
    p = with_rows(
        p, "contract_money",
        {"contract": "whole", "kind": "prepayment", "frac_of_capex": None, "amount_usd_m": 6.0,
         "received_quarter": quarter(-4), "give_back_from_q": 0, "give_back_q": 12, "max_frac_of_rent": 0.5},
    )  # fmt: skip
    p = with_rows(
        p, "commitments",
        {"commitment": "yard-hall", "site": "yard", "contract": "whole", "product": "hall", "debt": None,
         "capex_usd_m": 80.0, "gpu_capex_usd_m": 0.0, "occupies_from_quarter": quarter(-4),
         "cancellable_until_quarter": None, "cancel_fee_usd_m": 0.0},
    )  # fmt: skip
    live = {"commitment": "yard-hall", "quarter": quarter(1), "funded_by": "tenant"}
    p = with_rows(p, "commitment_flows", {**live, "amount_usd_m": 2.0, "mw_live": 2.0})
    live = {"commitment": "yard-hall", "quarter": quarter(-4), "funded_by": "own"}
    p = with_rows(p, "commitment_flows", {**live, "amount_usd_m": 60.0, "mw_live": 8.0})
    dear = {"coupon_or_spread_frac": 0.12, "dsra_usd_m": 1.0, "dsra_form": "cash", "lockup_dscr": 1.1}
    call = {"call_from_quarter": quarter(1), "call_price_frac": 1.02}
    p = with_rows(
        p, "debt",
        loan("dear-loan", "yard-co", 18.0, 0, 11, **dear, **call),
        loan("beside", "yard-co", 4.0, 0, 7, rate_kind="floating", coupon_or_spread_frac=0.03),
    )  # fmt: skip
    p = with_rows(p, "credit_classes", credit_class("whole-loan", "notes", ltc_max_frac=0.75))
    lent = {"entity": "yard-co", "credit_class": "whole-loan", "from_quarter": quarter(0)}
    return with_rows(
        p, "take_outs",
        {**lent, "take_out": "swap", "debt": "dear-loan", "to_quarter": quarter(3), "max_usd_m": 45.0},
        {**lent, "take_out": "fresh", "debt": None, "to_quarter": quarter(2), "max_usd_m": 8.0},
    )  # fmt: skip


def add_payouts(p: Portfolio) -> Portfolio:
    """Shareholders may be paid from the third quarter on, at most 60 a quarter."""
    return with_company(p, payouts_from_quarter=quarter(2), payout_max_usd_m_per_q=60.0)


def add_owners(p: Portfolio) -> Portfolio:
    """A joint venture at a dam, half ours, and a listed miner on a mesa, three fifths ours."""
    p = with_rows(
        p, "entities",
        {**_entity("dam-co", "jv", 10.0), "ownership_frac": 0.5, "upstream_from_quarter": quarter(2),
         "completion_guarantee_frac": 0.4},
        {**_entity("mesa-co", "listed", 30.0), "ownership_frac": 0.6, "price_usd": 5.0,
         "shares_held_m": 8.0},
    )  # fmt: skip
    p = with_rows(p, "sites", _site("dam", None), {**_site("mesa", None), "max_hpc_critical_mw": 10.0})
    p = with_rows(p, "power", _power("dam", "fixed"), _power("mesa", "fixed"))
    p = with_rows(p, "cooling", cooling("dam", "air"), cooling("mesa", "air"))
    p = with_rows(p, "products", product("shed"))
    p = with_rows(p, "site_products", *(site_product(s, "shed", max_modules=1) for s in ("dam", "mesa")))
    market = {"max_mw": 20.0, "first_year_rent_usd_per_kw_month": 150.0, "term_q": 20}
    p = with_rows(p, "contracts", contract("shared", "merchant", sites=("dam", "mesa"), **market))
    fleet = {"machine": "s19", "age_q": 4}
    p = with_rows(
        p, "fleets",
        {**fleet, "fleet": "d-s19", "site": "dam", "mw": 20.0},
        {**fleet, "fleet": "m-s19", "site": "mesa", "mw": 30.0},
    )  # fmt: skip
    return with_rows(p, "covenants", covenant("dscr", 0.2, entity="north-co", from_quarter=quarter(4)))


def add_block_sales(p: Portfolio) -> Portfolio:
    """A hill where let halls may be sold at 6.5 %: one that stands, let for ten years, and one to build."""
    p = with_rows(p, "entities", _entity("hill-co", "spv", 90.0))
    offered = {"sale_cap_rate_frac": 0.065, "sale_term_left_q": 4, "sale_cost_frac": 0.01}
    p = with_rows(p, "sites", {**_site("hill", None), "mining_allowed": False, **offered})
    p = with_rows(p, "power", _power("hill", "fixed"))
    p = with_rows(p, "cooling", cooling("hill", "air", existing_mw=20.0, max_modules=0))
    p = with_rows(p, "site_products", site_product("hill", "hall", max_modules=1))
    p = with_rows(
        p, "contracts",
        offer("plain", sites=("hill",), min_mw=0.0, max_mw=10.0, deadline_quarter=None),
        contract("stood", "committed", sites=("hill",), max_mw=10.0, commencement_quarter=quarter(-4),
                 payment_lag_q=1, power_passed_through=False),
    )  # fmt: skip
    p = with_rows(
        p, "commitments",
        {"commitment": "built", "site": "hill", "contract": "stood", "product": "hall", "debt": None,
         "capex_usd_m": 80.0, "gpu_capex_usd_m": 0.0, "occupies_from_quarter": quarter(-6),
         "cancellable_until_quarter": None, "cancel_fee_usd_m": 0.0},
    )  # fmt: skip
    again = {"probability_frac": 0.5, "rent_basis": "contract", "term_q": 8, "capex_usd_m_per_mw": 0.5}
    p = with_rows(p, "renewals", *({**again, "contract": c} for c in ("plain", "stood")))
    live = {"quarter": quarter(-4), "funded_by": "own", "amount_usd_m": 80.0, "mw_live": 10.0}
    return with_rows(p, "commitment_flows", {"commitment": "built", **live})


def on_the_spot(p: Portfolio, site: str) -> Portfolio:
    """A site's power at the grid's price, 40 $/MWh on average, for what is drawn."""
    p = with_row(p, "sites", site, market="grid")
    p = with_row(p, "power", site, price_basis="spot", price_usd_per_mwh=None, take_or_pay_frac=0.0)
    grid = (row.model_dump() for row in small().market_shapes if row.market == "grid")
    return with_rows(without(p, "market_shapes", "grid"), "market_shapes", *grid)


FEATURES: tuple[Change, ...] = (
    add_long_lead, add_rival_offers, add_late_damages, add_option, add_cloud, add_gpu_terms, add_vendor_lease,
    add_project_debt, add_debt, add_debt_terms, add_notes, add_commitments, add_expansion, add_sites,
    add_short_lived_machines, add_deals, add_covenants, add_guard_rails, add_budgets,
    add_terminations,
    add_share_claims, add_other_business, add_treasury, add_refinancing, add_take_outs, add_corporate_debt,
    add_repurchase, add_owners, add_block_sales, add_taxes, add_payouts,
)  # fmt: skip
"""Everything that ``full`` has beyond ``small``, in the order in which it is added; taxes fall on all."""


def full(without: Change | None = None) -> Portfolio:
    """One of everything, but for what is left out."""
    p = small()
    for add in FEATURES:
        p = p if add is without else add(p)
    return p


def penniless() -> Portfolio:
    """No cash to open with while a convertible matures, and no let hall to be sold: only rescue helps."""
    return with_all(full(add_block_sales), "entities", unrestricted_cash_usd_m=0.0)


def _small_with(add: Change) -> Portfolio:
    return add(small())


PORTFOLIOS: dict[str, Callable[[], Portfolio]] = {
    "small": small,
    **{add.__name__.removeprefix("add_"): partial(_small_with, add) for add in FEATURES},
    "full": full,
    "penniless": penniless,
}  # fmt: skip
"""Every portfolio of this factory by name."""
