"""Random small companies for the properties, and how they are solved."""

import threading
from typing import Literal, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from models.domain.portfolio import Portfolio
from models.timetree import TimeTree
from optimizer.solve.options import Options
from optimizer.solve.outcome import Outcome
from optimizer.solve.search import search_plan
from tests import portfolios as make
from tests.oracle import toys
from tests.oracle.enumeration import Case

GAP = 1e-6
_OPTIONAL = (
    "expansions", "debt", "convertibles", "share_claims", "credit_classes", "holdings", "tax_groups",
    "treasury", "leverage_blocks",
)  # fmt: skip
EXTRAS: tuple[make.Change, ...] = (
    make.add_project_debt,
    make.add_deals,
    make.add_notes,
    make.add_share_claims,
    make.add_expansion,
    make.add_other_business,
    make.add_taxes,
    make.add_treasury,
    make.add_refinancing,
    make.add_corporate_debt,
    make.add_repurchase,
)


def few(examples: int) -> settings:
    """As many examples as the suite has time for, the same ones each time."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@st.composite
def companies(draw: st.DrawFn, extras: tuple[make.Change, ...] = EXTRAS) -> Portfolio:
    """A site for halls and machines, an offer and the market; short of cash, with means to raise it."""
    p = toys.short(make.small(), draw(st.integers(4, 5)))
    for add in draw(st.lists(st.sampled_from(extras), max_size=3, unique=True)) if extras else ():
        p = add(p)
    p = toys.north_only(p)
    p = toys.poor(p, draw(st.sampled_from((20.0, 50.0, 80.0, 110.0))))
    lease = {"first_year_rent_usd_per_kw_month": draw(st.sampled_from((165.0, 185.0, 205.0, 235.0)))}
    p = make.with_row(
        p, "contracts", "lease", **lease, escalator_frac_per_year=draw(st.sampled_from((0.0, 0.03)))
    )
    rent = {"first_year_rent_usd_per_kw_month": draw(st.sampled_from((120.0, 170.0)))}
    p = make.with_row(p, "contracts", "open", **rent)
    p = make.with_row(p, "power", "north", price_usd_per_mwh=draw(st.sampled_from((30.0, 45.0, 60.0))))
    p = make.with_company(
        p,
        price_usd=draw(st.sampled_from((2.0, 4.0, 10.0))),
        traded_shares_m_per_day=draw(st.sampled_from((0.5, 2.0, 5.0))),
        cost_of_equity_frac=draw(st.sampled_from((0.0, 0.12, 0.2))),
    )
    return make.with_row(p, "cooling", "north", existing_mw=draw(st.sampled_from((10.0, 20.0))))


class Drawn(NamedTuple):
    """A company with the time to plan it on; told in a line, for the examples that fail."""

    portfolio: Portfolio
    tree: TimeTree

    def __repr__(self) -> str:
        p, firm = self.portfolio, self.portfolio.firm
        rents = {c.contract: c.first_year_rent_usd_per_kw_month for c in p.contracts}
        have = [name for name in type(p).model_fields if name in _OPTIONAL and getattr(p, name)]
        cash, power = p.parent.unrestricted_cash_usd_m, p.power[0].price_usd_per_mwh
        return (
            f"{len(self.tree.leaves)} leaves, {firm.horizon_q} quarters, cash {cash}, rents {rents}, "
            f"power {power}, share {firm.price_usd}, traded {firm.traded_shares_m_per_day}, "
            f"k {firm.cost_of_equity_frac}, existing plant {p.cooling[0].existing_mw}, with {have} "
            f"and {[i.instrument for i in p.instruments]}"
        )


@st.composite
def planned_on(draw: st.DrawFn, portfolios: st.SearchStrategy[Portfolio]) -> Drawn:
    """A company with a chain or a tree to plan it on."""
    p = draw(portfolios)
    if draw(st.booleans()):
        return Drawn(p, make.chain_of(p))
    p = make.two_scenarios(p)
    p = make.with_row(p, "market", "up", ai_equity_idx=draw(st.sampled_from((0.7, 1.0, 1.6))))
    return Drawn(p, make.tree_of(p))


def solved(
    p: Portfolio, tree: TimeTree, *, objective: Literal["per-share", "value"] = "per-share"
) -> tuple[Case, Outcome, float]:
    """The search, to a gap far below what the properties look at."""
    case = Case.of(p, tree)
    options = Options(gap=GAP, objective=objective)
    outcome, committed = search_plan(case.program, case.matrix, options, threading.Event(), lambda *_: None)
    return case, outcome, committed


def worth(p: Portfolio, tree: TimeTree) -> float:
    """Value per share of the best plan; 0 under water. [USD]"""
    _, outcome, _ = solved(p, tree)
    assert outcome.status in ("optimal", "feasible_with_rescue", "equity_under_water"), outcome
    return outcome.value_per_share_usd
