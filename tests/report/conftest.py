"""Small plans made by hand, on a chain of four quarters and on a tree of two leaves."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.findings import Finding
from models.timetree import Quarter, TimeTree, chain
from optimizer.plans.plan import Audit, Evidence, Plan
from optimizer.plans.tables import TABLES

FIRST = Quarter.parse("2026Q3")
CHAIN = chain(FIRST, 4, ["base"] * 4)
TREE = TimeTree(
    FIRST,
    (-1, 0, 1, 1, 2, 3),
    ("base", "base", "base", "bear", "base", "bear"),
    np.array([1.0, 1.0, 0.75, 0.25, 0.75, 0.25]),
)
MakePlan = Callable[..., Plan]


@pytest.fixture
def make_plan() -> MakePlan:
    """A factory: fields of the plan to change, and ``tree=True`` for two leaves."""

    def make(*, tree: bool = False, **changed: object) -> Plan:
        return replace(_plan(TREE if tree else CHAIN), **changed)  # type: ignore[arg-type]

    return make


@pytest.fixture
def no_plan() -> MakePlan:
    """A factory of results without a plan."""

    def make(status: str, **changed: object) -> Plan:
        nothing = {
            "status": status,
            "tables": {},
            "audit": Audit(False, 0, "", ()),
            "value": -np.inf,
            "bound": np.inf,
            "gap": np.inf,
        }
        return replace(_plan(CHAIN), **(nothing | changed))  # type: ignore[arg-type]

    return make


def _plan(tree: TimeTree) -> Plan:
    return Plan(
        name="small",
        title="Small Mining [a test]",
        as_of="2026-06-30",
        scenario="base" if len(tree.leaves) == 1 else "tree",
        status="optimal",
        objective="per-share",
        value=12.5,
        bound=12.55,
        gap=0.004,
        value_per_share_usd=12.5,
        own_price_usd=12.75,
        committed_value_per_share_usd=9.25,
        committed_lines={"machines": 40.0, "existing_debt": -90.0, "overhead": -60.0},
        taxes="before tax",
        price_usd=10.0,
        implied_return=0.25,
        beyond_horizon_frac=0.62,
        beyond_contracts_frac=0.18,
        shares_m=110.04,
        tree=tree,
        tables=_tables(tree),
        audit=Audit(True, 1234, "CSH-2 2026Q4", (), bound_checked=12.75),
        evidence=Evidence(80, 20, ("sites alpha",)),
        findings=(Finding("warning", "doubt", "sites", "alpha", "region", "odd", "look"),),
        seconds={"read": 0.1, "build": 0.2, "solve": 0.3, "audit": 0.4, "total": 1.0},
        note="",
        loop=(),
        run={"versions": {"python": "3.11"}, "bad": float("nan")},
    )


def _tables(tree: TimeTree) -> dict[str, pd.DataFrame]:
    nodes = [tree.label(n) for n in tree.nodes]
    leaves = [tree.label(n) for n in tree.leaves]
    found = {
        "decisions": _decisions(nodes),
        "site_plan": [r for n in tree.nodes for r in _site_plan(tree, n)],
        "site_summary": [r for leaf in leaves for r in _site_summary(leaf)],
        "contracts": [
            ["ig-lease", "alpha", leaf, 40.0, 0.0, "an enterprise", "offer", "2026Q3"] for leaf in leaves
        ],
        "financing": [
            ["note-a", nodes[0], 1500.0, 1450.0, 90.0, "2026Q3", "convertible"],
            ["atm", nodes[-1], 200.0, 190.0, 15.0, "2027Q2", "atm"],
        ],
        "sources_uses": [row for leaf in leaves for row in _sources_uses(leaf)],
        "liquidity": [
            [label, 62.0 + i, 5.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 0.0, 50.0, 8.0 + i, 3 - i, label[:6]]
            for i, label in enumerate(nodes)
        ],
        "project_waterfall": [
            [
                "alpha-co",
                leaf,
                quarter,
                30.0,
                4.0,
                26.0,
                5.0,
                paid,
                0.0,
                0.0,
                0.0,
                0.0,
                4.0,
                owed,
                dscr,
                1.6,
                0.7,
            ]
            for leaf in leaves
            for quarter, paid, owed, dscr in (
                ("2026Q3", 0.0, 400.0, 5.2),
                ("2026Q4", 15.0, 385.0, 1.3),
                ("2027Q1", 13.0, 372.0, 1.4),
            )
        ],
        "covenants": [
            ["lender-test", label, 90.0 - i, 80.0, 10.0 - i, label[:6], "minimum_liquidity", 0.25]
            for i, label in enumerate(nodes)
        ],
        "collateral": [
            ["coin-loan", label, 10.0, 200.0, 20.0 - i, 0.0, 5.0 - 0.75 * i, label[:6], 0.5]
            for i, label in enumerate(nodes)
        ],
        "hurdles": [
            [
                "module",
                "alpha",
                "hall",
                "ig-lease",
                nodes[0],
                800.0,
                75.0,
                0.21,
                "",
                "2027Q1",
                "no",
                "2026Q3",
                80.0,
            ],
            [
                "machine",
                "beta",
                "s21:new",
                "",
                nodes[0],
                12.0,
                -1.5,
                0.0,
                "nothing comes back",
                "after the horizon",
                "yes",
                "2026Q3",
                0.2,
            ],
        ],
        "prices": [[n, 50.0, n[:6], 1.2 - 0.05 * i, 0.1] for i, n in enumerate(nodes)],
        "leaves": [
            [leaf, float(tree.probability[n]), 1500.0, 120.0, 12.5, 12.5, 14.0, 12.75, 600.0, 150.0, 400.0]
            for n, leaf in zip(tree.leaves, leaves, strict=True)
        ],
        "value": [
            row
            for leaf in leaves
            for row in (
                [leaf, "project_debt", -900.0],
                [leaf, "offered_contracts", 2300.0],
                [leaf, "cash", 100.0],
                [leaf, "holdings", 0.0],
            )
        ],
        "claims": [
            row
            for leaf in leaves
            for row in ([leaf, "awards", 25.0], [leaf, "note-a@2026Q3:base", 60.0], [leaf, "option", 40.0])
        ],
        "convertibles": [["note-a@2026Q3:base", 10.0, 60.0, 0.0, 0.0, 60.0]],
        "cap_table": [[leaf, "basic", 110.0, 110.0] for leaf in leaves],
        "decide_now": [
            [*row, "2026Q3", amount, last_day(row), "binding once signed", 0.02 * amount]
            for row, amount in zip(_decisions(nodes), (0.0, 800.0, 1500.0, 20.0, 30.0), strict=True)
        ],
    }
    return {t.name: pd.DataFrame(found.get(t.name, []), columns=[c.name for c in t.columns]) for t in TABLES}


def _decisions(nodes: list[str]) -> list[list[object]]:
    return [
        ["sign", "alpha", "", "ig-lease", "", nodes[0], 1.0],
        ["start", "alpha", "colo", "ig-lease", "", nodes[0], 2.0],
        ["issue", "", "note-a", "", "", nodes[0], 1500.0],
        ["atm", "", "=atm", "", "1", nodes[1], 20.0],
        ["atm", "", "=atm", "", "2", nodes[1], 30.0],
    ]


def last_day(row: list[object]) -> str:
    """Until when it may wait."""
    return "2026Q4" if row[0] == "sign" else ""


def _site_plan(tree: TimeTree, n: int) -> list[list[object]]:
    label, t = tree.label(n), tree.period[n]
    live, building = (40.0, 0.0) if t >= 2 else (0.0, 40.0)
    alpha = [
        "alpha",
        label,
        1.0,
        100.0,
        60.0,
        live,
        0.0,
        building,
        2.0 if t == 0 else 0.0,
        30.0,
        0.0,
        10.0,
        -0.0,
        0.0,
        0.0,
    ]
    beta = ["beta", label, 1.0, 50.0, 0.0, 0.0, 0.0, 0.0, 0.0, 50.0, 0.0, 0.0, 12.5, 99360.0, 45.0]
    return [[*alpha, str(tree.quarter(n))], [*beta, str(tree.quarter(n))]]


def _site_summary(leaf: str) -> list[list[object]]:
    is_bear = leaf.endswith("bear")
    return [
        ["alpha", leaf, "full" if is_bear else "hybrid", 40.0, 60.0, 30.0, 800.0, 90.0, 75.0, 0.21, "",
         "2027Q1", "an enterprise", 80.0, 1.2, 0.3],
        ["beta", leaf, "mine", 0.0, 0.0, 50.0, 0.0, 0.0, 0.0, 0.0, "no own outlay", "no own outlay",
         "", 0.0, 0.4, 0.0],
    ]  # fmt: skip


def _sources_uses(leaf: str) -> list[list[object]]:
    return [
        [leaf, "source", "opening_cash", 100.0],
        [leaf, "source", "convert_proceeds", 1450.0],
        [leaf, "source", "rent", 50.5],
        [leaf, "use", "module_spend", 1200.0],
        [leaf, "use", "once_spend", 300.5],
        [leaf, "use", "closing_cash", 100.0],
    ]
