"""More of what is good is never worse."""

from hypothesis import given
from hypothesis import strategies as st

from tests import portfolios as make
from tests.properties import draws

SLACK = 3.0 * draws.GAP
RAISES = {"atm", "follow_on", "issue", "financed", "notes", "drawn", "borrowed", "rolled"}
"""Decisions that bring money."""
DRAWN = {"tax_groups", "treasury", "convertibles", "debt", "credit_classes", "share_claims", "expansions"}
"""Tables that some of the drawn companies must have."""


def budget(cap_usd_m: float, counts: str) -> make.Change:
    """All spending of the first year under a cap."""
    row = {"budget": "cap", "site": None, "counts": counts, "cap_usd_m": cap_usd_m}
    span = {"from_quarter": make.quarter(0), "to_quarter": make.quarter(3)}
    return lambda p: make.with_rows(p, "budgets", {**row, **span})


def test_the_drawn_cases_are_not_idle() -> None:
    """At least seven in ten build something and raise money, or the properties below would say little."""
    told: list[bool] = []
    seen: set[str] = set()

    @draws.few(30)
    @given(draws.planned_on(draws.companies()))
    def tell(drawn: draws.Drawn) -> None:
        case, outcome, _ = draws.solved(*drawn)
        assert outcome.x is not None
        found = set(case.decisions(outcome.x)["quantity"])
        told.append("start" in found and bool(found & RAISES))
        seen.update(name for name in DRAWN if getattr(drawn.portfolio, name))
        seen.update(str(i.kind) for i in drawn.portfolio.instruments)

    tell()
    assert sum(told) >= 0.7 * len(told), f"{sum(told)} of {len(told)}"
    assert seen >= {*DRAWN, "notes", "revolver", "repurchase", "btc_loan", "convertible", "follow_on"}


@draws.few(15)
@given(draws.planned_on(draws.companies()), st.sampled_from(("own", "all")), st.floats(5.0, 200.0))
def test_more_budget(drawn: draws.Drawn, counts: str, cap: float) -> None:
    p, tree = drawn
    tight, loose = budget(cap, counts)(p), budget(cap * 1.5, counts)(p)
    assert draws.worth(loose, tree) >= draws.worth(tight, tree) * (1.0 - SLACK)
    assert draws.worth(p, tree) >= draws.worth(loose, tree) * (1.0 - SLACK)


@draws.few(20)
@given(draws.planned_on(draws.companies()), st.floats(20.0, 100.0), st.floats(0.5, 40.0))
def test_more_power_that_need_not_be_paid_for(drawn: draws.Drawn, mw: float, more: float) -> None:
    p, tree = drawn
    p = make.with_row(p, "power", "north", min_bill_frac=0.0, take_or_pay_frac=0.0, energised_mw=mw)
    less = make.with_row(p, "fleets", "n-s19", mw=15.0)
    wider = make.with_row(less, "power", "north", energised_mw=mw + more)
    assert draws.worth(wider, tree) >= draws.worth(less, tree) * (1.0 - SLACK)


@draws.few(20)
@given(draws.planned_on(draws.companies()), st.sampled_from(("lease", "open")), st.floats(1.01, 1.4))
def test_higher_rent(drawn: draws.Drawn, contract: str, factor: float) -> None:
    p, tree = drawn
    row = next(c for c in p.contracts if c.contract == contract)
    rent = row.first_year_rent_usd_per_kw_month * factor
    dearer = make.with_row(p, "contracts", contract, first_year_rent_usd_per_kw_month=rent)
    assert draws.worth(dearer, tree) >= draws.worth(p, tree) * (1.0 - SLACK)


@draws.few(10)
@given(
    draws.planned_on(draws.companies()),
    st.sampled_from(
        (
            ("minimum_liquidity", 60.0, 30.0),
            ("minimum_liquidity", 40.0, 0.0),
            ("net_debt_to_ebitda", 1.0, 4.0),
            ("interest_cover", 3.0, 1.0),
        )
    ),
)
def test_a_looser_covenant(drawn: draws.Drawn, rule: tuple[str, float, float]) -> None:
    p, tree = drawn
    metric, strict, lenient = rule
    tight = make.with_rows(p, "covenants", make.covenant(metric, strict))
    loose = make.with_rows(p, "covenants", make.covenant(metric, lenient))
    assert draws.worth(loose, tree) >= draws.worth(tight, tree) * (1.0 - SLACK)
    assert draws.worth(p, tree) >= draws.worth(loose, tree) * (1.0 - SLACK)


@draws.few(10)
@given(draws.planned_on(draws.companies()))
def test_more_cash_and_cheaper_money(drawn: draws.Drawn) -> None:
    p, tree = drawn
    base = draws.worth(p, tree)
    richer = make.with_row(p, "entities", "parent", unrestricted_cash_usd_m=400.0)
    assert draws.worth(richer, tree) >= base * (1.0 - SLACK)
    assert draws.worth(make.with_all(p, "instruments", fee_frac=0.1), tree) <= base * (1.0 + SLACK)
    assert draws.worth(make.with_company(p, rescue_price=20.0), tree) <= base * (1.0 + SLACK)


@draws.few(8)
@given(draws.planned_on(draws.companies()), st.sampled_from(("full", "hybrid", "flexible", "mine")))
def test_a_strategy_asked_for_is_worth_no_more_than_the_best(drawn: draws.Drawn, strategy: str) -> None:
    p, tree = drawn
    best = draws.worth(p, tree)
    assert draws.worth(make.with_company(p, strategy=strategy), tree) <= best * (1.0 + SLACK)
