"""Units, size and choice: neither dollars nor doubling nor more to choose from make a share worth less."""

import pytest
from hypothesis import given

from models.domain.portfolio import Portfolio
from tests import portfolios as make
from tests.properties import draws

SLACK = 3.0 * draws.GAP

UNIT_PRICES = ("price_usd", "conversion_price_usd", "cap_price_usd", "strike_usd")
"""Dollars of one share."""


def scaled(p: Portfolio, k: float) -> Portfolio:
    """All dollars k times as many, and all shares, so that one share is what it was."""

    def factor(name: str) -> float:
        if name in UNIT_PRICES:
            return 1.0
        is_decile = name[0] == "d" and name[1:].isdigit()
        return k if "usd" in name or is_decile or name.split("_per_")[0].endswith("shares_m") else 1.0

    tables = {}
    for table in type(p).model_fields:
        rows = []
        for row in getattr(p, table):
            changes = {
                name: value * factor(name)
                for name, value in row.model_dump().items()
                if isinstance(value, float) and factor(name) != 1.0
            }
            rows.append(row.model_copy(update=changes))
        tables[table] = tuple(rows)
    return p.model_copy(update=tables)


@draws.few(15)
@given(draws.planned_on(draws.companies()))
def test_thousandfold_money_and_shares_leave_a_share_what_it_was(drawn: draws.Drawn) -> None:
    p, tree = drawn
    assert draws.worth(scaled(p, 1000.0), tree) == pytest.approx(draws.worth(p, tree), rel=1e-5, abs=1e-9)


def doubled(p: Portfolio) -> Portfolio:
    """The company twice: a second site and offer like the first, all else twice as much."""
    for table in ("sites", "power", "cooling", "site_products", "fleets", "expansions"):
        for row in getattr(p, table):
            twin = {**row.model_dump(), "site": "twin"}
            for name in ("fleet", "expansion"):
                if name in twin:
                    twin[name] = f"twin-{twin[name]}"
            if "entity" in twin:
                twin["entity"] = "twin-co"
            p = make.with_rows(p, table, twin)
    for e in p.entities:
        if e.kind == "spv":
            p = make.with_rows(p, "entities", {**e.model_dump(), "entity": "twin-co"})
    spvs = {e.entity for e in p.entities if e.kind == "spv"}
    for table, name, names in (
        ("debt", "debt", ("principal_usd_m", "undrawn_usd_m")),
        ("treasury", "lot", ("btc", "min_hold_btc")),
    ):
        for row in getattr(p, table):
            cells = row.model_dump()
            if cells["entity"] in spvs:
                p = make.with_rows(p, table, {**cells, name: f"twin-{cells[name]}", "entity": "twin-co"})
            else:
                p = make.with_row(p, table, cells[name], **{k: 2.0 * cells[k] for k in names})
    for c in p.contracts:
        if c.state == "offer":
            p = make.with_rows(
                p, "contracts", {**c.model_dump(), "contract": f"twin-{c.contract}", "sites": ("twin",)}
            )
        else:
            p = make.with_row(p, "contracts", c.contract, sites=("north", "twin"), max_mw=2.0 * c.max_mw)
    for claim in p.share_claims:
        if claim.contract is None:
            p = make.with_row(p, "share_claims", claim.claim, shares_m=2.0 * claim.shares_m)
        else:
            twin = {"claim": f"twin-{claim.claim}", "contract": f"twin-{claim.contract}"}
            p = make.with_rows(p, "share_claims", {**claim.model_dump(), **twin})
    twice: dict[str, tuple[str, ...]] = {
        "company": (
            "basic_shares_m", "authorised_shares_m", "award_shares_m_per_q", "traded_shares_m_per_day",
            "atm_left_usd_m", "overhead_usd_m_per_q", "cash_floor_usd_m", "building_cap_mw",
        ),
        "instruments": ("max_usd_m",),
        "machines": ("max_buy_mw_per_q", "max_sell_mw_per_q", "max_move_mw_per_q"),
        "convertibles": ("principal_usd_m",),
        "holdings": ("value_usd_m",),
        "other_lines": ("ebitda_usd_m",),
        "tax_groups": ("losses_usd_m", "basis_usd_m"),
    }  # fmt: skip
    for table, names in twice.items():
        rows = getattr(p, table)
        more = (
            {name: 2.0 * getattr(row, name) for name in names if getattr(row, name) is not None}
            for row in rows
        )
        p = p.model_copy(
            update={table: tuple(row.model_copy(update=u) for row, u in zip(rows, more, strict=True))}
        )
    parent = p.parent
    return make.with_row(
        p, "entities", parent.entity, unrestricted_cash_usd_m=2.0 * parent.unrestricted_cash_usd_m
    )


@draws.few(15)
@given(draws.planned_on(draws.companies()))
def test_two_companies_in_one_are_worth_no_less_a_share(drawn: draws.Drawn) -> None:
    p, tree = drawn
    twice = doubled(p)
    assert draws.worth(twice, tree) >= draws.worth(p, tree) * (1.0 - SLACK) - 1e-9


@draws.few(10)
@given(draws.planned_on(draws.companies()))
def test_what_may_not_be_done_is_never_missed_to_advantage(drawn: draws.Drawn) -> None:
    """Each way to act or to raise money shut in turn: none of them makes a share worth more."""
    p, tree = drawn
    best = draws.worth(p, tree)
    shut: tuple[make.Change, ...] = (
        lambda q: make.with_all(q, "sites", hpc_allowed=False),
        lambda q: make.with_all(q, "machines", max_buy_mw_per_q=0.0),
        lambda q: make.with_all(q, "market", equity_open=False),
        lambda q: make.with_all(q, "market", convert_open=False, project_debt_open=False),
    )
    for close in shut:
        assert draws.worth(close(p), tree) <= best * (1.0 + SLACK)
