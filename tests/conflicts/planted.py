"""Toy portfolios with one conflict planted in each: the input rows that conflict, and what is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.domain.portfolio import Portfolio
from tests import portfolios as make
from tests.oracle import toys

NORTH = "power", "north|2025Q1"
LEASE = "contracts", "lease"
HALL = "site_products", "north|hall"
FIRM = "company", "Small Miner"
q = make.quarter


@dataclass(frozen=True)
class Planted:
    """A portfolio with a conflict in it."""

    portfolio: Callable[[], Portfolio]
    rows: tuple[tuple[str, str], ...]
    """Input rows that were made to conflict: all of them are to be named."""
    asked: Mapping[str, Any] = field(default_factory=dict)


SIGN = {"sign": ("lease",)}


def base() -> Portfolio:
    """One site, five quarters; an offer of 10 to 20 MW, signed in the first quarter, live in the fourth."""
    p = toys.north_only(toys.short(make.small(), 5))
    p = make.with_row(p, "contracts", "lease", deadline_quarter=q(3))
    p = make.with_row(p, "site_products", "north", latest_quarter=q(3))
    return make.without(p, "contracts", "open")


def lease(**changes: Any) -> Callable[[], Portfolio]:
    """The offer changed."""
    return lambda: make.with_row(base(), "contracts", "lease", **changes)


def row(table: str, key: str, **changes: Any) -> Callable[[], Portfolio]:
    """One row changed."""
    return lambda: make.with_row(base(), table, key, **changes)


def firm(**changes: Any) -> Callable[[], Portfolio]:
    """The company changed."""
    return lambda: make.with_company(base(), **changes)


def site_window() -> Portfolio:
    """Halls may begin in any quarter, but the site is not free before the third."""
    return make.with_row(base(), "sites", "north", earliest_conversion_quarter=q(2))


def line(**changes: Any) -> Portfolio:
    """Ten MW are energised and an expansion brings 40 more."""
    p = make.add_expansion(make.with_row(base(), "power", "north", energised_mw=10.0))
    p = make.with_row(p, "fleets", "n-s19", mw=5.0)
    return make.with_row(p, "expansions", "n-line", **changes)


def held() -> Portfolio:
    """A commitment that cannot be cancelled and still costs 44 of own money."""
    p = make.without(make.add_commitments(make.small()), "commitments", "first")
    p = make.without(make.without(p, "commitment_flows", "first"), "contracts", "held")
    p = make.without(make.without(p, "contract_money"), "debt", "hall-loan")
    p = toys.north_only(toys.short(p, 5))
    p = make.without(p, "contracts", "open")
    p = make.without(p, "contracts", "lease")
    return make.with_row(p, "commitments", "second", cancellable_until_quarter=None)


def budget() -> Portfolio:
    """A budget of 39 for what costs 44."""
    cap = {"budget": "year", "site": None, "counts": "own", "from_quarter": q(0), "to_quarter": q(4)}
    return make.with_rows(held(), "budgets", {**cap, "cap_usd_m": 39.0})


def due(**cash: float) -> Portfolio:
    """A convertible of 150 falls due in the second quarter, and little brings money."""
    p = make.add_notes(toys.north_only(toys.short(make.small())))
    p = make.without(make.without(p, "convertibles", "later"), "contracts", "lease", "open")
    p = make.with_row(p, "machines", "s21", max_buy_mw_per_q=0.0)
    land = {"asset": "land", "value_usd_m": 400.0, "indexed_to": "none", "haircut_frac": 0.0}
    p = make.with_rows(p, "holdings", land)
    p = make.with_row(p, "convertibles", "due", principal_usd_m=150.0, maturity_quarter=q(1))
    return toys.poor(make.with_company(p, atm_left_usd_m=30.0), cash.get("cash", 20.0))


def needs_shares(**changes: Any) -> Portfolio:
    """Sixty of the maturity must be raised with shares, of which there are enough but for what is changed."""
    p = make.with_company(due(cash=100.0), atm_left_usd_m=200.0, traded_shares_m_per_day=5.0)
    p = make.with_row(p, "instruments", "atm", max_usd_m=150.0)
    return make.with_company(p, **changes)


def dilution() -> Portfolio:
    """Shares of half a per cent of the count a year, where five per cent are needed."""
    return make.with_rows(needs_shares(), "covenants", make.covenant("dilution", 0.005))


def shut() -> Portfolio:
    """Nobody buys shares until the maturity is over."""
    p = needs_shares()
    for n in range(2):
        p = make.with_row(p, "market", f"base|{q(n)}", equity_open=False)
    return p


def covenant(metric: str, threshold: float) -> Callable[[], Portfolio]:
    """A loan of 300, and a test that it does not pass."""

    def made() -> Portfolio:
        p = make.without(make.add_debt(base()), "debt", "lease-line")
        p = make.with_rows(p, "covenants", make.covenant(metric, threshold))
        late = {"first_repayment_quarter": q(9), "maturity_quarter": q(9)}
        return make.with_row(p, "debt", "loan", principal_usd_m=300.0, **late)

    return made


def secured() -> Portfolio:
    """A loan of 12 on the north, and notes that allow 5 of secured debt."""
    p = make.without(make.add_debt(base()), "debt", "loan")
    return make.with_rows(p, "covenants", make.covenant("secured_debt", 5.0))


def coins() -> Portfolio:
    """Bitcoin worth 200 is never sold, though 130 fall due."""
    keep = make.lot("hoard", 2000.0, min_hold_btc=1900.0, basis_usd_per_btc=None)
    return make.with_rows(make.with_company(due(), atm_left_usd_m=0.0), "treasury", keep)


def upstream() -> Portfolio:
    """The cash lies with the borrower, and may not come up before the maturity."""
    p = make.with_row(due(), "entities", "north-co", unrestricted_cash_usd_m=250.0)
    return make.with_row(p, "entities", "north-co", upstream_from_quarter=q(3))


def cloud() -> Portfolio:
    """A GPU cloud is to be signed in a region that allows none."""
    p = toys.short(make.add_cloud(make.small()), 5)
    p = make.without(p, "contracts", "lease", "open")
    return make.with_row(p, "regions", "here", gpu_cloud_allowed=False)


def rivals() -> Portfolio:
    """Two offers of one group are to be signed."""
    p = toys.short(make.add_rival_offers(make.small()), 5)
    p = make.with_row(p, "contracts", "rival", min_mw=10.0, max_mw=10.0)
    return make.without(p, "contracts", "open")


def full() -> Portfolio:
    """All of the north is to be converted, whose crews cannot build one hall."""
    return make.with_company(make.with_row(base(), "sites", "north", strategy="full"), building_cap_mw=5.0)


def mine() -> Portfolio:
    """Nothing is to be built, and an offer is to be signed."""
    return make.with_row(base(), "sites", "north", strategy="mine")


def equipment() -> Portfolio:
    """Transformers take three quarters, and none is in hand."""
    p = make.add_long_lead(base())
    return make.with_row(p, "long_lead", p.long_lead[0].equipment, in_hand_mw=0.0, lead_q=3, needed_after_q=0)


def margin() -> Portfolio:
    """A loan of 10 against 120 coins is called at a trough of 90,000, and the cash lies elsewhere."""
    p = make.add_treasury(base())
    p = make.without(make.without(p, "instruments", "coin-line"), "treasury", "free", "n-coins")
    p = make.with_row(p, "treasury", "pledged", btc=120.0, sell_cap_frac_per_q=0.0)
    p = make.with_row(p, "market", f"base|{q(1)}", btc_trough_usd=90_000.0)
    p = make.with_row(p, "debt", "coin-loan", first_repayment_quarter=q(9), maturity_quarter=q(9))
    p = make.with_row(p, "entities", "north-co", upstream_from_quarter=q(4))
    p = make.with_company(p, cash_floor_usd_m=1.0, overhead_usd_m_per_q=0.2)
    p = make.without(make.without(p, "contracts", "lease"), "instruments", "atm")
    return toys.poor(make.without(p, "impact"), 3.2)


def wall() -> Portfolio:
    """A loan of 80 must be repaid in the third quarter; there are 40 and nobody lends or buys shares."""
    p = make.without(make.add_debt(base()), "debt", "lease-line")
    p = make.without(make.without(make.without(p, "instruments"), "impact"), "contracts", "lease")
    due_then = {"first_repayment_quarter": q(2), "maturity_quarter": q(2)}
    return toys.poor(make.with_row(p, "debt", "loan", principal_usd_m=80.0, **due_then), 20.0)


def lender() -> Portfolio:
    """An offer is to be signed with borrowed money, and lenders lend 10 % of cost."""
    p = make.add_project_debt(base())
    p = make.without(make.without(p, "instruments"), "impact")
    return toys.poor(make.with_row(p, "credit_classes", "notes", ltc_max_frac=0.1), 30.0)


PLANTED = {
    "deadline": Planted(lease(deadline_quarter=q(1)), (LEASE,), SIGN),
    "signing": Planted(lease(sign_from_quarter=q(-2), sign_by_quarter=q(-1)), (LEASE,), SIGN),
    "product window": Planted(
        row("site_products", "north", earliest_quarter=q(2), latest_quarter=q(3)), (HALL, LEASE), SIGN
    ),
    "site window": Planted(site_window, (("sites", "north"), LEASE), SIGN),
    "power": Planted(row("power", "north", energised_mw=10.0), (NORTH,), SIGN),
    "expansion lead": Planted(lambda: line(lead_q=4), (("expansions", "n-line"), NORTH, LEASE), SIGN),
    "cooling": Planted(
        row("cooling", "north", existing_mw=0.0, max_modules=0), (("cooling", "north|air"),), SIGN
    ),
    "cooling lead": Planted(
        row("cooling", "north", existing_mw=0.0, max_modules=2, lead_q=5),
        (("cooling", "north|air"), LEASE),
        SIGN,
    ),
    "water": Planted(row("sites", "north", water_limit_m3_per_q=100.0), (("sites", "north"),), SIGN),
    "site limit": Planted(row("sites", "north", max_hpc_critical_mw=5.0), (("sites", "north"),), SIGN),
    "module limit": Planted(lease(min_mw=30.0, max_mw=40.0), (HALL, LEASE), SIGN),
    "crews": Planted(firm(building_cap_mw=5.0), (FIRM,), SIGN),
    "equipment": Planted(equipment, (("long_lead", "transformers"), LEASE), SIGN),
    "ban": Planted(row("sites", "north", hpc_allowed=False), (("sites", "north"),), SIGN),
    "region": Planted(cloud, (("regions", "here"),), {"sign": ("cloud",)}),
    "rivals": Planted(rivals, (("contracts", "rival"),), {"sign": ("lease", "rival")}),
    "strategy full": Planted(full, (("sites", "north"), FIRM)),
    "strategy mine": Planted(mine, (("sites", "north"),), SIGN),
    "budget": Planted(budget, (("budgets", "year"),)),
    "floor": Planted(firm(cash_floor_usd_m=900.0), (FIRM,)),
    "convertible due": Planted(due, (("convertibles", "due"),)),
    "loan due": Planted(wall, (("debt", "loan"),)),
    "dilution": Planted(dilution, (("covenants", "dilution"), ("convertibles", "due"))),
    "authorised": Planted(lambda: needs_shares(authorised_shares_m=107.6), (FIRM, ("convertibles", "due"))),
    "programme": Planted(lambda: needs_shares(atm_left_usd_m=2.0), (FIRM, ("convertibles", "due"))),
    "shut windows": Planted(shut, (("market", f"base|{q(1)}"), ("convertibles", "due"))),
    "leverage": Planted(covenant("net_debt_to_ebitda", 1.0), (("covenants", "net_debt_to_ebitda"),)),
    "liquidity": Planted(covenant("minimum_liquidity", 900.0), (("covenants", "minimum_liquidity"),)),
    "interest": Planted(covenant("interest_cover", 60.0), (("covenants", "interest_cover"),)),
    "secured": Planted(secured, (("covenants", "secured_debt"),)),
    "coins": Planted(coins, (("treasury", "hoard"), ("convertibles", "due"))),
    "upstream": Planted(upstream, (("entities", "north-co"), ("convertibles", "due"))),
    "margin call": Planted(margin, (("loan_collateral", "coin-loan"),)),
    "lender": Planted(lender, (("credit_classes", "notes"),), SIGN),
}
