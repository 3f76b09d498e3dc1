"""Golden case: the statements of the plan of `tiny` of greatest value per share, on paper.

One module of 30.0 at `mill` for rent of 2.325 and opex of 0.375 a quarter from 2027Q3 on; a loan of 15.8794
(fee 0.1588, interest 0.2382 a quarter, half a year of it capitalised); a note of 8.1864 (fee 3 %, coupon
6 %). Halls last 60 quarters.

Machines stand at what they fetch at the opening: good 10/20 x 0.4 = 0.2 per MW, 20 of them, over 16 - 8
quarters; poor 2/40 x 0.4 = 0.02, 12.5 of them, over 14 - 8. Half of the poor are sold in 2027Q2 at 0.0175.
"""

import pytest

from optimizer.pipeline import plan
from optimizer.plans.plan import Plan
from optimizer.solve.options import Options
from tests.golden import tiny_by_hand as by_hand
from tests.golden.tiny_by_hand import PER_SHARE, Loan

HOURS = (2160, 2184, 2208, 2208)
NOTE = PER_SHARE.note
HALLS = 30.0 + 2 * Loan.interest[0]
"""With the interest of two quarters of building."""
GOOD, POOR = 20 * 0.2, 12.5 * 0.02
POOR_MW = (12.5, 6.25, 6.25, 6.25)

INCOME = {
    "mining_revenue": [(20 * 100 + mw * 50) * h / 1e6 for mw, h in zip(POOR_MW, HOURS, strict=True)],
    "mining_power": [-(20 + mw) * 40 * h / 1e6 for mw, h in zip(POOR_MW, HOURS, strict=True)],
    "rent": [0, 0, 2.325, 2.325],
    "hpc_opex": [0, 0, -0.375, -0.375],
    "site_costs": [-0.4] * 4,
    "overhead": [-1.0] * 4,
    "depreciation": [
        -GOOD / 8 - POOR / 6,
        -GOOD / 8 - POOR / 12,
        -GOOD / 8 - POOR / 12 - HALLS / 60,
        -GOOD / 8 - POOR / 12 - HALLS / 60,
    ],
    "machines_sold": [0, 6.25 * 0.0175 - POOR / 2 * 5 / 6, 0, 0],
    "interest_income": list(Loan.escrow_income),
    "interest_expense": [-x - NOTE * 0.015 for x in Loan.interest],
    "interest_capitalised": [Loan.interest[0], Loan.interest[1], 0, 0],
    "financing_costs": [-Loan.fee - 0.03 * NOTE, 0, 0, 0],
}
NET_INCOME = [sum(line[q] for line in INCOME.values()) for q in range(4)]
SHEET = {
    "restricted_cash": [0, *Loan.restricted],
    "construction": [0, 12 + Loan.interest[0], HALLS, 0, 0],
    "property": [
        GOOD + POOR,
        GOOD * 7 / 8 + POOR * 5 / 6,
        GOOD * 6 / 8 + POOR / 2 * 4 / 6,
        GOOD * 5 / 8 + POOR / 2 * 3 / 6 + HALLS * 59 / 60,
        GOOD * 4 / 8 + POOR / 2 * 2 / 6 + HALLS * 58 / 60,
    ],
    "project_debt": [0, *Loan.balance],
    "convertible_notes": [0, NOTE, NOTE, NOTE, NOTE],
    "opening_equity": [10 + GOOD + POOR] * 5,
    "retained_earnings": [sum(NET_INCOME[:q]) for q in range(5)],
    "total_equity": [10 + GOOD + POOR + sum(NET_INCOME[:q]) for q in range(5)],
}
"""The opening first."""


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(str(by_hand.TINY), options=Options(gap=1e-7))


def lines(planned: Plan, table: str, nodes: list[str]) -> dict[str, list[float]]:
    """Lines of all as one, by node."""
    rows = planned.tables[table].query("entity == 'consolidated'")
    found = rows.pivot_table(index="line", columns="node", values="usd_m", fill_value=0.0)
    found = found.reindex(columns=nodes, fill_value=0.0)
    return {
        str(line): [float(x) for x in cells]
        for line, cells in zip(found.index, found.to_numpy(), strict=True)
    }


def test_income(planned: Plan) -> None:
    found = lines(planned, "income", [f"2027Q{q}:flat" for q in range(1, 5)])
    assert set(found) == {*INCOME, "net_income", "to_shareholders"}
    for line, by_quarter in INCOME.items():
        assert found[line] == pytest.approx(by_quarter, abs=1e-6), line
    assert found["net_income"] == pytest.approx(NET_INCOME, abs=1e-6)


def test_what_a_share_earns(planned: Plan) -> None:
    """3 shares; the note converts at 8 x 1.25 into more, which would save its coupon."""
    found = planned.tables["share_counts"]
    assert found["outstanding_m"].tolist() == pytest.approx([3.0] * 4)
    assert found["if_converted_m"].tolist() == pytest.approx([3.0 + NOTE / 10] * 4, abs=1e-6)
    assert found["earned_usd"].tolist() == pytest.approx([x / 3 for x in NET_INCOME], abs=1e-6)
    diluted = [min(x / 3, (x + NOTE * 0.015) / (3 + NOTE / 10)) for x in NET_INCOME]
    assert found["earned_diluted_usd"].tolist() == pytest.approx(diluted, abs=1e-6)
    assert diluted[0] < NET_INCOME[0] / 3


def test_balance_sheet(planned: Plan) -> None:
    """Cash is what equity and debt leave beside all other assets."""
    found = lines(planned, "balance_sheet", ["opening", *(f"2027Q{q}:flat" for q in range(1, 5))])
    for line, by_node in SHEET.items():
        assert found[line] == pytest.approx(by_node, abs=1e-6), line
    cash = [
        SHEET["total_equity"][k]
        + SHEET["project_debt"][k]
        + SHEET["convertible_notes"][k]
        - sum(SHEET[line][k] for line in ("restricted_cash", "construction", "property"))
        for k in range(5)
    ]
    assert found["cash"] == pytest.approx(cash, abs=1e-6)
    assert cash[0] == 10.0
