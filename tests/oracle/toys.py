"""Toy portfolios so small that every combination of their whole decisions can be tried, one per family.

Each begins with ``tests.portfolios.small``: a site or two, four quarters, windows of a quarter or two.
"""

from collections.abc import Callable

from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from tests import portfolios as make

HORIZON_Q = 4
NORTH_ONLY = {"sites": "south", "power": "south", "cooling": "south", "site_products": "south"}


def short(p: Portfolio, horizon_q: int = HORIZON_Q) -> Portfolio:
    """Fewer quarters; what begins must begin in the first two."""
    p = make.with_company(p, horizon_q=horizon_q)
    p = make.with_all(p, "site_products", latest_quarter=make.quarter(1), max_modules=2)
    p = make.with_row(p, "contracts", "lease", sign_by_quarter=make.quarter(0), min_mw=10.0, max_mw=20.0)
    p = make.with_row(p, "contracts", "open", max_mw=10.0)
    return make.with_all(p, "cooling", max_modules=1)


def north_only(p: Portfolio) -> Portfolio:
    """The northern site alone."""
    for table, key in NORTH_ONLY.items():
        p = make.without(p, table, key)
    p = make.without(p, "entities", "south-co")
    p = make.without(p, "fleets", "s-s19")
    p = make.without(p, "market_shapes")
    for c in p.contracts:
        p = make.with_row(p, "contracts", c.contract, sites=("north",))
    return p


def poor(p: Portfolio, cash_usd_m: float) -> Portfolio:
    """The parent's cash cut: what is built must be paid for with money raised."""
    return make.with_row(p, "entities", "parent", unrestricted_cash_usd_m=cash_usd_m)


def conversion() -> Portfolio:
    """Halls at one site for an offer or the market, plant short by a hall, machines worth as much as some."""
    p = north_only(short(make.small()))
    p = make.with_row(p, "contracts", "open", first_year_rent_usd_per_kw_month=185.0, max_mw=20.0)
    p = make.with_row(p, "contracts", "lease", first_year_rent_usd_per_kw_month=165.0)
    return make.with_row(p, "cooling", "north", existing_mw=10.0, capex_usd_m_per_module=6.0)


def conversion_on_tree() -> Portfolio:
    """Halls for the market after a branch: rent and cost rise in one world only."""
    p = make.two_scenarios(conversion())
    p = make.without(p, "contracts", "lease")
    p = make.with_row(p, "contracts", "open", rent_indexed_to="lease", first_year_rent_usd_per_kw_month=170.0)
    p = make.with_all(p, "site_products", earliest_quarter=make.quarter(1), latest_quarter=make.quarter(2))
    return make.with_row(p, "market", "up", lease_idx=1.5, capex_idx=1.05, btc_usd=100_000.0)


def rivals() -> Portfolio:
    """Two sites and two offers that exclude each other, though there is cash and room for both."""
    p = make.add_rival_offers(short(make.small()))
    p = make.without(p, "contracts", "open")
    p = make.with_all(p, "site_products", latest_quarter=make.quarter(0), max_modules=1)
    p = make.with_row(p, "contracts", "rival", sign_by_quarter=make.quarter(0), min_mw=10.0, max_mw=10.0)
    p = make.with_row(p, "contracts", "lease", max_mw=10.0)
    return make.with_all(p, "cooling", max_modules=0, existing_mw=20.0)


def plant() -> Portfolio:
    """A hall up to the last quarter, in need of plant begun no later, both cheaper by the quarter."""
    p = north_only(short(make.small(), 3))
    p = make.without(p, "contracts", "lease")
    p = make.with_row(p, "contracts", "open", max_mw=10.0, first_year_rent_usd_per_kw_month=170.0)
    p = make.with_row(p, "cooling", "north", existing_mw=0.0, lead_q=2, capex_usd_m_per_module=9.0)
    p = make.with_row(p, "site_products", "north", latest_quarter=make.quarter(2), max_modules=1)
    p = make.with_row(p, "products", "hall", capex_usd_m_per_mw=7.0)
    for t in range(3):
        p = make.with_row(p, "market", f"base|{make.quarter(t)}", capex_idx=1.0 - 0.1 * t)
    return p


def project_debt() -> Portfolio:
    """A lender at the start or at completion, and little cash."""
    p = make.add_project_debt(north_only(short(make.small(), 5)))
    p = make.with_row(p, "credit_classes", "notes", fee_frac=0.02, ltc_max_frac=0.7)
    return poor(make.with_all(p, "cooling", max_modules=0), 60.0)


def deals() -> Portfolio:
    """A convertible with its launch drop against few shares sold at the market."""
    p = make.add_deals(north_only(short(make.small())))
    p = make.without(p, "instruments", "deal")
    p = make.with_company(p, traded_shares_m_per_day=0.3)
    p = make.with_row(p, "instruments", "note", min_usd_m=60.0, max_usd_m=120.0)
    return poor(make.with_all(p, "cooling", max_modules=0), 60.0)


def deals_on_tree() -> Portfolio:
    """A follow-on against shares sold at the market, when the share may double in the third quarter."""
    p = make.two_scenarios(make.add_deals(north_only(short(make.small()))))
    p = make.without(p, "instruments", "note")
    p = make.with_row(p, "instruments", "deal", min_usd_m=40.0, launch_drop_frac=0.03)
    p = make.with_row(p, "contracts", "lease", deadline_quarter=make.quarter(3))
    return poor(make.with_all(p, "cooling", max_modules=0), 50.0)


def _one_committed() -> Portfolio:
    """The north with one commitment that may be cancelled, and nothing that the south has."""
    p = make.without(make.add_commitments(make.small()), "commitments", "first")
    p = make.without(make.without(p, "commitment_flows", "first"), "contracts", "held")
    p = make.without(make.without(p, "contract_money"), "debt", "hall-loan")
    return make.with_all(north_only(short(p)), "cooling", max_modules=0)


def commitments() -> Portfolio:
    """A commitment that loses money until it is cancelled, and takes the room of a better hall."""
    p = make.with_row(_one_committed(), "contracts", "loose", first_year_rent_usd_per_kw_month=60.0)
    p = make.with_row(p, "power", "north", energised_mw=34.0)
    return make.with_row(p, "fleets", "n-s19", mw=20.0)


def expansion() -> Portfolio:
    """A full site that must grow before it can convert more."""
    p = make.add_expansion(north_only(short(make.small())))
    p = make.with_row(p, "power", "north", energised_mw=20.0)
    p = make.with_row(p, "fleets", "n-s19", mw=20.0)
    p = make.with_row(p, "expansions", "n-line", step_mw=20.0, latest_quarter=make.quarter(1), lead_q=2)
    p = make.with_row(p, "site_products", "north", latest_quarter=make.quarter(2))
    return make.with_all(p, "cooling", max_modules=0)


def sites() -> Portfolio:
    """A full site, one to buy that takes a hall, a mine that may be sold, one that comes by agreement."""
    return _sites(make.add_sites(north_only(short(make.small()))))


def _sites(p: Portfolio) -> Portfolio:
    p = make.without(p, "contracts", "lease")
    p = make.with_row(p, "contracts", "open", sites=("north", "west"), max_mw=20.0)
    p = make.with_row(p, "contracts", "open", first_year_rent_usd_per_kw_month=185.0)
    p = make.without(p, "site_products", "annex")
    p = make.with_all(p, "site_products", max_modules=1, latest_quarter=make.quarter(1))
    p = make.with_row(p, "sites", "west", purchase_by_quarter=make.quarter(1))
    p = make.with_row(p, "sites", "annex", hpc_allowed=False)
    p = make.with_row(p, "power", "north", energised_mw=30.0)
    p = make.with_row(p, "fleets", "n-s19", mw=25.0)
    p = make.with_row(p, "fleets", "a-s19", mw=40.0)
    p = make.with_row(p, "machines", "s21", max_buy_mw_per_q=10.0)
    return poor(make.with_all(p, "cooling", max_modules=0), 120.0)


def sites_on_tree() -> Portfolio:
    """The same where bitcoin may rise by half: the mine is kept for it, or sold."""
    p = make.two_scenarios(sites())
    p = make.with_row(p, "sites", "annex", sale_usd_m_per_mw=0.7)
    for t in (2, 3):
        p = make.with_row(p, "market", f"up|{make.quarter(t)}", btc_usd=150_000.0)
    return make.with_all(p, "site_products", latest_quarter=make.quarter(0))


def sites_taxed() -> Portfolio:
    """Price written off, gain taxed: a year ends with the plan."""
    p = make.add_taxes(make.add_sites(short(make.small())))
    p = _sites(north_only(make.with_row(p, "tax_groups", "home", losses_usd_m=2.0)))
    return make.without(p, "tax_groups", "south")


def halls_sold() -> Portfolio:
    """Little cash: part of a let hall is sold for a new one, on debt or with a lease to sell on."""
    p = make.add_project_debt(_halls_sold(make.small(), 0.12))
    p = make.with_row(p, "credit_classes", "notes", closes_at_completion=False, ltc_max_frac=0.3)
    return make.with_row(p, "contracts", "plain", credit_class="notes")


def _halls_sold(p: Portfolio, cap_rate_frac: float) -> Portfolio:
    p = make.without(make.add_block_sales(north_only(short(p, 6))), "contracts", "lease")
    p = make.with_row(p, "contracts", "open", max_mw=10.0, first_year_rent_usd_per_kw_month=185.0)
    p = make.with_all(p, "site_products", max_modules=1, latest_quarter=make.quarter(1))
    p = make.with_row(p, "sites", "hill", sale_cap_rate_frac=cap_rate_frac)
    p = make.with_row(p, "entities", "hill-co", unrestricted_cash_usd_m=20.0)
    p = make.with_row(p, "machines", "s21", max_buy_mw_per_q=0.0)
    p = make.with_company(p, traded_shares_m_per_day=0.2)
    return poor(make.with_all(p, "cooling", max_modules=0), 15.0)


def halls_sold_before_payouts() -> Portfolio:
    """What halls bring pays for a new one or is kept: it is no money for the shareholders."""
    return make.with_company(halls_sold(), payouts_from_quarter=make.quarter(3), payout_max_usd_m_per_q=200.0)


def halls_sold_tested() -> Portfolio:
    """Debt of the parent, and a test of four quarters that count nothing of what is sold by then."""
    bonds = make.loan("bonds", "parent", 140.0, 11, 11, kind="corporate", recourse=True, repayment="bullet")
    p = make.with_rows(halls_sold(), "debt", {**bonds, "coupon_or_spread_frac": 0.02})
    test = make.covenant("net_debt_to_ebitda", 4.0, basis="trailing_4q", from_quarter=make.quarter(3))
    return make.with_rows(make.add_history(p), "covenants", test)


def halls_sold_on_tree() -> Portfolio:
    """At a joint venture, without debt: power that the landlord pays for may cost three times as much."""
    p = make.two_scenarios(make.on_the_spot(_halls_sold(make.small(), 0.15), "hill"))
    p = make.with_row(p, "entities", "hill-co", kind="jv", ownership_frac=0.5)
    p = make.with_row(p, "market", "up", power_idx=3.0)
    return make.with_row(p, "site_products", "north", latest_quarter=make.quarter(0))


def halls_sold_taxed() -> Portfolio:
    """What was still to be written off comes off the price, the rest is taxed; a renewal costs at the end."""
    p = make.without(_halls_sold(make.add_taxes(make.small()), 0.13), "tax_groups", "south")
    p = make.with_row(p, "contracts", "stood", payment_lag_q=0, term_q=9)
    return make.with_all(p, "entities", tax_group="home")


def machines() -> Portfolio:
    """A hall in the way of machines that may be sold, or moved to the site with room and dearer power."""
    p = short(make.small())
    p = make.without(p, "contracts", "open")
    p = make.with_row(p, "power", "north", energised_mw=80.0, price_usd_per_mwh=45.0)
    p = make.with_row(p, "power", "south", energised_mw=90.0)
    p = make.with_row(p, "contracts", "lease", sites=("south",))
    p = make.with_row(p, "machines", "s21", max_buy_mw_per_q=5.0)
    p = make.with_row(p, "machines", "s19", max_sell_mw_per_q=25.0)
    return make.with_all(p, "cooling", max_modules=0)


def cloud() -> Portfolio:
    """A GPU cloud for an offer or the market on debt, short of plant and water, GPUs ever cheaper."""
    p = make.add_project_debt(make.add_cloud(short(make.small())))
    p = make.without(p, "contracts", "open")
    p = make.without(p, "contracts", "lease")
    p = make.without(p, "site_products", "north")
    p = make.without(p, "site_products", "south|hall")
    p = make.with_row(p, "site_products", "south", latest_quarter=make.quarter(1), max_modules=2)
    p = make.with_row(p, "contracts", "cloud", sign_by_quarter=make.quarter(0), max_mw=10.0)
    p = make.with_row(p, "contracts", "gpu-market", max_mw=5.0)
    p = make.with_row(p, "cooling", "south|liquid", max_modules=2)
    p = make.with_row(p, "sites", "south", water_limit_m3_per_q=16_000.0)
    for t in range(HORIZON_Q):
        p = make.with_row(p, "market", f"base|{make.quarter(t)}", gpu_price_idx=0.95**t)
    return poor(p, 80.0)


def cloud_renewed() -> Portfolio:
    """The same with GPUs paid late and replaced every quarter, taxed, with a test of what falls due."""
    p = make.with_row(make.add_gpu_terms(cloud()), "products", "pods", refresh_q=1, refresh_cost_frac=0.02)
    p = make.with_rows(make.add_taxes(p), "covenants", make.covenant("maturities", 0.5))
    p = make.with_row(p, "contracts", "gpu-market", max_mw=5.0, first_year_rent_usd_per_kw_month=900.0)
    renewal = {
        "contract": "cloud",
        "probability_frac": 0.5,
        "rent_basis": "min",
        "term_q": 2,
        "options": 2,
        "capex_usd_m_per_mw": 0.4,
    }
    return make.with_rows(p, "renewals", renewal)


def leased() -> Portfolio:
    """GPUs on a lease or on project debt, with a limit, tests of all that is owed, and shares that cost."""
    p = make.add_vendor_lease(make.add_history(make.add_debt(cloud())))
    p = make.with_row(p, "vendor_leases", "lessor", max_usd_m=60.0, term_q=2)
    p = make.without(make.without(p, "debt", "lease-line"), "contracts", "gpu-market")
    p = make.with_row(p, "site_products", "south", latest_quarter=make.quarter(0))
    p = make.with_all(p, "cooling", max_modules=0, existing_mw=10.0)
    p = make.with_row(p, "contracts", "cloud", sites=("south",))
    p = make.with_row(p, "sites", "south", water_limit_m3_per_q=None)
    p = make.with_all(p, "credit_classes", closes_at_start=False)
    p = make.with_rows(
        p, "covenants",
        make.covenant("recourse_debt", 110.0), make.covenant("secured_debt", 150.0),
        make.covenant("maturities", 0.3), make.covenant("cash_cover", 4.0),
        make.covenant("funded_commitments", 2.0), make.covenant("stress_liquidity", 1.0),
        make.covenant("solvency", 1.1, from_quarter=None, to_quarter=None),
    )  # fmt: skip
    return poor(p, 100.0)


def equipped() -> Portfolio:
    """Halls that need transformers ordered a quarter before, dearer every quarter, with one in hand."""
    p = make.add_long_lead(north_only(make.add_taxes(short(make.small()))))
    p = make.with_row(p, "long_lead", "transformers", max_mw=15.0, cost_usd_m_per_mw=2.0)
    p = make.without(p, "contracts", "lease")
    p = make.with_row(p, "contracts", "open", first_year_rent_usd_per_kw_month=185.0)
    p = make.with_row(p, "site_products", "north", max_modules=2, latest_quarter=make.quarter(2))
    for t in range(HORIZON_Q):
        p = make.with_row(p, "market", f"base|{make.quarter(t)}", capex_idx=1.0 + 0.02 * t)
    return poor(make.with_all(p, "cooling", max_modules=0), 100.0)


def covenants() -> Portfolio:
    """Tests and budgets that bind: less is built than would pay."""
    p = make.add_debt(make.add_project_debt(north_only(short(make.small(), 5))))
    p = make.with_rows(
        make.add_covenants(p), "covenants", {**make.covenant("interest_cover", 1.5), "covenant": "c"}
    )
    p = make.with_row(p, "covenants", "net_debt_to_ebitda", threshold=2.0, from_quarter=make.quarter(4))
    p = make.with_rows(
        p, "budgets",
        {"budget": "own", "site": None, "counts": "own", "from_quarter": make.quarter(0),
         "to_quarter": make.quarter(2), "cap_usd_m": 90.0},
    )  # fmt: skip
    return poor(make.with_all(p, "cooling", max_modules=0), 100.0)


def _railed(p: Portfolio) -> Portfolio:
    """Rails that decide how much is built and when, and how it is paid."""
    p = make.without(make.add_deals(make.add_debt(make.add_history(p))), "instruments", "deal")
    p = make.with_row(p, "instruments", "note", min_usd_m=40.0, max_usd_m=90.0)
    p = make.with_rows(
        p, "covenants",
        make.covenant("funded_commitments", 5.0), make.covenant("stress_liquidity", 2.0),
        make.covenant("cash_cover", 8.0), make.covenant("maturities", 0.5),
        make.covenant("dilution", 0.12), make.covenant("unsigned_building", 0.6),
        make.covenant("maturity_wall", 1.0, from_quarter=None, to_quarter=None),
        make.covenant("solvency", 1.5, from_quarter=None, to_quarter=None),
        make.covenant("net_debt_to_market_cap", 0.1), make.covenant("recourse_debt", 130.0),
        make.covenant("net_debt_to_ebitda", 9.0, test="incurrence", basis="trailing_4q"),
    )  # fmt: skip
    return poor(make.with_all(p, "cooling", max_modules=0), 90.0)


def guard_rails() -> Portfolio:
    """Rails on a chain: halls for the lease and the market, an old loan, a note before the last quarter."""
    p = _railed(north_only(short(make.small(), 5)))
    return make.with_row(p, "market", f"base|{make.quarter(4)}", convert_open=False)


def guard_rails_on_tree() -> Portfolio:
    """The same where the share may double."""
    p = make.two_scenarios(guard_rails())
    p = make.with_row(p, "instruments", "note", once_every_q=4)
    return make.with_all(p, "site_products", latest_quarter=make.quarter(0))


def shared() -> Portfolio:
    """Two tenants, the better behind a hall in hand already: half at most may lean on either."""
    p = make.without(_one_committed(), "contracts", "open")
    p = make.with_row(p, "contracts", "loose", guarantor="Giant")
    p = make.with_row(p, "contracts", "lease", guarantor="Giant")
    terms = {
        "sites": ("north",),
        "first_year_rent_usd_per_kw_month": 160.0,
        "sign_by_quarter": make.quarter(0),
    }
    p = make.with_rows(p, "contracts", make.offer("other", tenant="Other", min_mw=10.0, max_mw=20.0, **terms))
    always = {"from_quarter": None, "to_quarter": None}
    p = make.with_rows(p, "covenants", make.covenant("tenant_share", 0.5, **always))
    p = make.without(make.without(make.without(p, "fleets"), "instruments"), "impact")
    p = make.with_all(p, "site_products", latest_quarter=make.quarter(0))
    return make.with_all(make.with_all(p, "sites", mining_allowed=False), "cooling", existing_mw=60.0)


def shared_on_tree() -> Portfolio:
    """The same where halls cost twice as much in one world, and neither tenant insists on any."""
    p = make.two_scenarios(shared())
    for name in ("lease", "other"):
        p = make.with_row(p, "contracts", name, min_mw=0.0)
    p = make.with_all(p, "site_products", earliest_quarter=make.quarter(2), latest_quarter=make.quarter(2))
    return make.with_row(p, "market", "up", capex_idx=2.0)


def _on_terms(p: Portfolio) -> Portfolio:
    """Halls paid with what the north hands up, while its lenders test, sweep, and are kept a reserve."""
    p = make.without(make.add_debt_terms(p), "debt", "listed-notes")
    p = make.with_row(p, "debt", "term-notes", lockup_dscr=1.2)
    p = make.with_rows(p, "covenants", make.covenant("minimum_liquidity", 12.0))
    p = make.with_row(p, "entities", "north-co", unrestricted_cash_usd_m=40.0)
    p = make.with_company(p, traded_shares_m_per_day=0.5)
    return poor(make.with_all(p, "cooling", max_modules=0), 70.0)


def debt_terms() -> Portfolio:
    """Lock-up, sweep and reserve on a chain."""
    return _on_terms(north_only(short(make.small())))


def debt_terms_on_tree() -> Portfolio:
    """The same where the share may double, and halls for the lease alone."""
    p = make.without(make.two_scenarios(debt_terms()), "contracts", "open")
    return make.with_all(p, "site_products", latest_quarter=make.quarter(0))


def taken_out() -> Portfolio:
    """Halls paid with what lenders bring on a yard that is let: a dear loan called in its place, or not."""
    p = make.without(make.add_take_outs(north_only(short(make.small()))), "contracts", "open")
    p = make.with_row(p, "debt", "dear-loan", lockup_dscr=None)
    p = make.with_row(p, "take_outs", "swap", max_usd_m=30.0)
    p = make.with_company(p, traded_shares_m_per_day=0.2)
    return poor(make.with_all(p, "cooling", max_modules=0), 15.0)


def taken_out_on_tree() -> Portfolio:
    """The same where money is cheaper in one world, and dear in the other."""
    p = make.with_all(make.two_scenarios(taken_out()), "site_products", max_modules=1)
    return make.with_row(p, "market", "up", base_rate_frac=0.02, spread_add_frac=0.01)


def project_debt_on_tree() -> Portfolio:
    """A loan at completion, on either branch, for halls begun before it, while an old loan falls due."""
    p = make.two_scenarios(make.add_debt(make.add_project_debt(north_only(short(make.small())))))
    p = make.without(p, "debt", "lease-line")
    due = {"first_repayment_quarter": make.quarter(2), "maturity_quarter": make.quarter(2)}
    p = make.with_row(p, "debt", "loan", principal_usd_m=90.0, **due)
    p = make.with_all(p, "site_products", latest_quarter=make.quarter(0))
    p = make.with_all(p, "credit_classes", closes_at_start=False)
    p = make.with_row(p, "market", "up", base_rate_frac=0.07)
    p = make.without(p, "contracts", "open")
    p = make.with_company(p, traded_shares_m_per_day=0.5)
    return poor(make.with_all(p, "cooling", max_modules=0), 160.0)


def short_lived() -> Portfolio:
    """New machines that live three quarters on a horizon of four: what they resell for at that age counts."""
    p = make.without(north_only(short(make.small())), "contracts", "open")
    p = make.with_row(p, "machines", "s21", life_q=3, price_usd_per_th=4.0)
    return make.with_all(p, "cooling", max_modules=0)


def claims() -> Portfolio:
    """Warrants that only a signature vests, notes that convert, options and awards; the offer barely pays."""
    p = make.add_notes(make.add_share_claims(north_only(short(make.small(), 5))))
    p = make.with_row(p, "share_claims", "warrant", shares_m=8.0)
    p = make.with_row(p, "contracts", "lease", first_year_rent_usd_per_kw_month=165.0)
    return make.with_all(p, "cooling", max_modules=0)


def terminated() -> Portfolio:
    """A tenant that pays ahead, and lenders, who do not know that it goes after a quarter or two of rent."""
    p = make.add_project_debt(north_only(make.add_rival_offers(short(make.small(), 5))))
    p = make.with_row(p, "contracts", "rival", sign_by_quarter=make.quarter(0), min_mw=10.0, max_mw=20.0)
    p = make.with_row(p, "contract_money", "rival|prepayment", refundable_on_termination=True)
    p = make.without(p, "contracts", "open")
    months = {"fee_frac_of_remaining_rent": 0.0, "fee_months_of_rent": 9.0, "vacancy_q": 0}
    p = make.with_rows(p, "terminations", make.termination("base", "rival", 3, **months))
    p = make.with_row(p, "contracts", "lease", first_year_rent_usd_per_kw_month=175.0)
    return poor(make.with_all(p, "cooling", max_modules=0), 90.0)


def terminated_on_tree() -> Portfolio:
    """The same tenant goes only where the share does not double; what was committed ends there as well."""
    p = make.two_scenarios(make.add_commitments(make.add_rival_offers(short(make.small()))))
    p = make.without(p, "contracts", "open")
    p = make.with_row(p, "contracts", "rival", sign_by_quarter=make.quarter(0), min_mw=10.0, max_mw=10.0)
    p = make.with_row(p, "contracts", "lease", max_mw=10.0)
    p = make.add_terminations(p)
    p = make.with_row(p, "terminations", "up|rival", scenario="base", quarter=make.quarter(2))
    p = make.without(p, "terminations", "down|loose")
    p = make.with_row(p, "terminations", "base|lease", quarter=make.quarter(3))
    p = make.with_all(p, "site_products", latest_quarter=make.quarter(0), max_modules=1)
    return make.with_all(p, "cooling", max_modules=0, existing_mw=30.0)


def taxes() -> Portfolio:
    """A hall or two and machines, a loan, and a year that ends within the plan: losses, and tax to pay."""
    p = make.add_taxes(make.add_debt(short(make.small(), 5)))
    p = make.with_row(p, "tax_groups", "home", losses_usd_m=8.0, interest_cap_frac_of_ebitda=0.1)
    p = make.with_row(north_only(p), "contracts", "open", first_year_rent_usd_per_kw_month=185.0)
    p = make.with_row(p, "contracts", "lease", first_year_rent_usd_per_kw_month=170.0)
    return poor(make.with_all(p, "cooling", max_modules=0), 100.0)


def taxes_on_tree() -> Portfolio:
    """The same where the share and the bitcoin may rise in the third quarter, within the tax year."""
    return make.two_scenarios(taxes())


def coins() -> Portfolio:
    """Halls paid with coins, loans on coins or shares; a loan on coins that is called for more."""
    return _coins(make.small())


def _coins(p: Portfolio) -> Portfolio:
    p = make.add_refinancing(make.add_treasury(north_only(short(p))))
    p = make.with_row(p, "market", f"base|{make.quarter(2)}", btc_trough_usd=40_000.0)
    due = {"first_repayment_quarter": make.quarter(2), "maturity_quarter": make.quarter(2)}
    p = make.with_row(p, "debt", "balloon", **due)
    return poor(make.with_all(p, "cooling", max_modules=0), 50.0)


def coins_on_tree() -> Portfolio:
    """A coin may rise by half or fall by a third: what of the rise counts, and what loans it bears."""
    p = make.two_scenarios(coins())
    for t in (2, 3):
        p = make.with_row(p, "market", f"base|{make.quarter(t)}", btc_usd=70_000.0, btc_trough_usd=60_000.0)
    p = make.with_all(p, "site_products", latest_quarter=make.quarter(0))
    return make.without(p, "contracts", "open")


def coins_taxed() -> Portfolio:
    """Coins whose gain is taxed when they are sold, or after the plan; new loans' interest is deducted."""
    p = make.with_all(_coins(make.add_taxes(make.small())), "tax_groups", losses_usd_m=0.0, basis_usd_m=0.0)
    return make.with_row(p, "treasury", "n-coins", basis_usd_per_btc=120_000.0)


def notes() -> Portfolio:
    """Notes beside an old loan, in two blocks of leverage of which the second is dear, against few shares."""
    p = make.without(make.add_debt(north_only(short(make.small()))), "debt", "lease-line")
    bond, _ = make.corporate_debt()
    p = make.with_rows(p, "instruments", {**bond, "once_every_q": 1, "max_usd_m": 80.0})
    p = make.with_rows(p, "leverage_blocks", *make.leverage("bond", (0.1, 0.0), (0.16, 0.06)))
    for t in (2, 3):
        p = make.with_row(p, "market", f"base|{make.quarter(t)}", project_debt_open=False)
    p = make.with_company(p, traded_shares_m_per_day=0.3)
    return poor(make.with_all(p, "cooling", max_modules=0), 60.0)


def revolver_on_tree() -> Portfolio:
    """A revolver that must be repaid in the last quarter, when the share may double in the third one."""
    p = make.two_scenarios(north_only(short(make.small())))
    _, line = make.corporate_debt()
    p = make.with_rows(p, "instruments", {**line, "available_until_quarter": make.quarter(3)})
    p = make.with_row(p, "contracts", "lease", deadline_quarter=make.quarter(3))
    p = make.with_company(p, traded_shares_m_per_day=0.5)
    return poor(make.with_all(p, "cooling", max_modules=0), 60.0)


def bought_back() -> Portfolio:
    """Dear notes, retired with what a hall leaves over, on a tree: they convert where the share doubles."""
    p = make.two_scenarios(make.add_repurchase(north_only(short(make.small()))))
    p = make.without(p, "contracts", "open")
    p = make.with_row(p, "convertibles", "dear", conversion_price_usd=16.0, call_from_quarter=make.quarter(3),
                      call_trigger_frac=1.2)  # fmt: skip
    p = make.with_row(p, "instruments", "buyback", max_usd_m=25.0)
    return poor(make.with_all(p, "cooling", max_modules=0), 130.0)


def payouts() -> Portfolio:
    """What machines earn and borrowers hold, for one hall more or for the shareholders; shares for sale."""
    p = make.without(north_only(short(make.small())), "contracts", "open")
    p = make.with_row(p, "contracts", "lease", first_year_rent_usd_per_kw_month=165.0)
    p = make.with_company(p, payouts_from_quarter=make.quarter(1), payout_max_usd_m_per_q=35.0)
    p = make.with_row(p, "entities", "north-co", unrestricted_cash_usd_m=190.0)
    p = make.with_row(p, "machines", "s21", max_buy_mw_per_q=0.0)
    return poor(make.with_all(p, "cooling", max_modules=0), 30.0)


def payouts_on_tree() -> Portfolio:
    """The same with notes for sale, where the share may double: paid on one branch, raised on the other."""
    p = make.two_scenarios(payouts())
    bond, _ = make.corporate_debt()
    p = make.with_rows(p, "instruments", {**bond, "min_usd_m": 10.0, "max_usd_m": 40.0, "once_every_q": 4})
    p = make.with_row(p, "contracts", "lease", deadline_quarter=make.quarter(3), max_mw=10.0)
    p = make.with_company(p, payouts_from_quarter=make.quarter(2))
    p = make.with_row(p, "contracts", "lease", sign_by_quarter=make.quarter(2))
    return make.with_row(p, "site_products", "north", latest_quarter=make.quarter(2), max_modules=1)


def joint_venture() -> Portfolio:
    """Halls in a joint venture, financed by lenders who test it alone, its completion guaranteed by half."""
    p = make.add_taxes(make.add_debt(make.add_project_debt(short(make.small(), 5))))
    p = make.without(north_only(p), "tax_groups", "south")
    p = make.with_row(
        p, "entities", "north-co", kind="jv", ownership_frac=0.6, completion_guarantee_frac=0.5,
        upstream_from_quarter=make.quarter(3), unrestricted_cash_usd_m=12.0,
    )  # fmt: skip
    p = make.with_rows(
        p, "covenants",
        make.covenant("dscr", 1.1, entity="north-co", from_quarter=make.quarter(3)),
        make.covenant("minimum_liquidity", 6.0, entity="north-co", covenant="n-cash"),
        make.covenant("minimum_liquidity", 14.0), make.covenant("solvency", 1.2),
    )  # fmt: skip
    return poor(make.with_all(p, "cooling", max_modules=0), 70.0)


def joint_venture_on_tree() -> Portfolio:
    """The same where the share may double, without lenders."""
    p = make.two_scenarios(make.without(joint_venture(), "credit_classes"))
    p = make.with_all(p, "contracts", credit_class=None)
    return make.with_all(p, "site_products", latest_quarter=make.quarter(0))


def listed() -> Portfolio:
    """A listed miner converts with its own cash, pays its own tax, and dividends from the third quarter."""
    p = make.with_row(short(make.small()), "entities", "north-co", kind="listed", ownership_frac=0.6)
    p = make.without(make.add_taxes(p), "contracts", "open")
    p = make.with_row(p, "sites", "south", hpc_allowed=False)
    p = make.without(make.without(p, "site_products", "south"), "cooling", "south")
    p = make.with_row(
        p, "entities", "north-co", unrestricted_cash_usd_m=90.0, upstream_from_quarter=make.quarter(2)
    )
    p = make.with_rows(p, "covenants", make.covenant("minimum_liquidity", 30.0))
    return poor(make.with_all(p, "cooling", max_modules=0), 20.0)


TOYS: dict[str, tuple[Callable[[], Portfolio], Callable[[Portfolio], TimeTree]]] = {
    "conversion": (conversion, make.chain_of),
    "conversion on a tree": (conversion_on_tree, make.tree_of),
    "rivals": (rivals, make.chain_of),
    "plant": (plant, make.chain_of),
    "project debt": (project_debt, make.chain_of),
    "deals": (deals, make.chain_of),
    "deals on a tree": (deals_on_tree, make.tree_of),
    "commitments": (commitments, make.chain_of),
    "expansion": (expansion, make.chain_of),
    "sites": (sites, make.chain_of),
    "sites on a tree": (sites_on_tree, make.tree_of),
    "sites taxed": (sites_taxed, make.chain_of),
    "halls sold": (halls_sold, make.chain_of),
    "halls sold before payouts": (halls_sold_before_payouts, make.chain_of),
    "halls sold under a test": (halls_sold_tested, make.chain_of),
    "halls sold on a tree": (halls_sold_on_tree, make.tree_of),
    "halls sold taxed": (halls_sold_taxed, make.chain_of),
    "machines": (machines, make.chain_of),
    "short-lived machines": (short_lived, make.chain_of),
    "claims": (claims, make.chain_of),
    "cloud": (cloud, make.chain_of),
    "cloud renewed": (cloud_renewed, make.chain_of),
    "leased": (leased, make.chain_of),
    "equipped": (equipped, make.chain_of),
    "covenants": (covenants, make.chain_of),
    "guard rails": (guard_rails, make.chain_of),
    "guard rails on a tree": (guard_rails_on_tree, make.tree_of),
    "shared": (shared, make.chain_of),
    "shared on a tree": (shared_on_tree, make.tree_of),
    "debt terms": (debt_terms, make.chain_of),
    "debt terms on a tree": (debt_terms_on_tree, make.tree_of),
    "taken out": (taken_out, make.chain_of),
    "taken out on a tree": (taken_out_on_tree, make.tree_of),
    "project debt on a tree": (project_debt_on_tree, make.tree_of),
    "terminated": (terminated, make.chain_of),
    "terminated on a tree": (terminated_on_tree, make.tree_of),
    "taxes": (taxes, make.chain_of),
    "taxes on a tree": (taxes_on_tree, make.tree_of),
    "coins": (coins, make.chain_of),
    "coins on a tree": (coins_on_tree, make.tree_of),
    "coins taxed": (coins_taxed, make.chain_of),
    "notes": (notes, make.chain_of),
    "revolver": (revolver_on_tree, make.tree_of),
    "bought back": (bought_back, make.tree_of),
    "payouts": (payouts, make.chain_of),
    "payouts on a tree": (payouts_on_tree, make.tree_of),
    "joint venture": (joint_venture, make.chain_of),
    "joint venture on a tree": (joint_venture_on_tree, make.tree_of),
    "listed": (listed, make.chain_of),
}
"""Every toy by name, with the time it is planned on."""
