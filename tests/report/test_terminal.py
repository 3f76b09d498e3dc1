"""The terminal view says what a CFO asks, in 100 columns, and sums that are shown agree."""

import io
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from models.domain.ledger import CashLine, Quantity, ValueLine
from models.findings import Finding
from optimizer.plans.plan import Audit, Plan
from optimizer.report import worth
from optimizer.report.decided import ORDER, in_words
from optimizer.report.figures import Figures
from optimizer.report.money import LABELS
from optimizer.report.terminal import print_plan

MakePlan = Callable[..., Plan]


def shown(plan: Plan, *, width: int = 100, encoding: str = "utf-8") -> str:
    """The view as it is printed where there is no terminal."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    print_plan(plan, Console(file=file, width=width, highlight=False))
    file.flush()
    return raw.getvalue().decode(encoding)


def lines_with(text: str, *words: str) -> list[str]:
    return [line for line in text.splitlines() if all(word in line for word in words)]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("tree", [False, True])
def test_it_fits_100_columns(make_plan: MakePlan, tree: bool) -> None:
    text = shown(make_plan(tree=tree))
    assert max(map(len, text.splitlines())) <= 100
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_a_narrow_terminal_cuts_no_word_short_of_its_line(make_plan: MakePlan) -> None:
    narrow = shown(make_plan(), width=20)
    assert max(map(len, narrow.splitlines())) <= 20
    assert "Sources and uses" in narrow


def test_borrowers_show_how_they_cover_their_debt(make_plan: MakePlan) -> None:
    """Least DSCR 1.30 in the first of two quarters that repay, 1.35 on average."""
    text = shown(make_plan())
    (line,) = lines_with(text, "alpha-co")
    assert squeezed(line).strip() == "alpha-co 400 1.30 2026Q4 1.35 1.60 0.70 2027Q1"


def test_the_head_says_worth_and_proof(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan()))
    assert (
        "Small Mining [a test] small, as of 2026-06-30; scenario base; 2026Q3 to 2027Q2, 4 quarters" in text
    )
    assert "optimal: no plan is worth more than $12.55 per share: a gap of 0.40 %" in text
    assert "Value per share, $, before tax" in text
    assert "Value per share, $, after tax" in squeezed(shown(make_plan(taxes="after tax")))
    assert "now 10.00 market price at the opening" in text
    assert (
        "committed only 9.25 at the end of 2027Q2: nothing new begun, raised only what commitments need"
        in text
    )
    assert "with the plan 12.50 at the end of 2027Q2: 25.0 % a year for a buyer at today's price" in text
    assert "62 % lies beyond the horizon and 18 % beyond contracts signed at the opening" in text
    assert "Of 80 money inputs, 20 are guesses (25 %)." in text
    assert "Audit passed: 1,234 checks rebuilt from inputs and decisions alone." in text
    assert "1 warning on the input" in text
    assert "sites alpha" in text


@pytest.mark.parametrize("tree", [False, True])
def test_the_bridge_ties(make_plan: MakePlan, tree: bool) -> None:
    lines = shown(make_plan(tree=tree)).split("What the value is made of")[1].split("$ per share:")[0]
    total = lines.index("  value ")
    amounts = [
        [float(x.replace(",", "")) for x in re.findall(r"-?[\d,]+\.?\d*", line)[-2:]]
        for line in (lines[:total] + lines[total:]).splitlines()[2:]
        if re.search(r"\d$", line)
    ]
    values, (all_of_it, *shared) = amounts[:3], amounts[3:]
    for column in (0, 1):
        assert sum(x[column] for x in values) == pytest.approx(all_of_it[column], abs=0.02)
        assert sum(x[column] for x in shared) == pytest.approx(all_of_it[column], abs=0.02)
    assert all_of_it == [1500.0, 12.5]


def test_the_bridge_is_in_words(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan()))
    assert "contracts the plan assumes it signs 2,300 19.17" in text
    assert "project debt, owed -900 -7.50 value 1,500 12.50" in text
    assert "holdings" not in text
    assert "new notes note-a 60 0.50 warrants and options option 40 0.33" in text
    assert "today's shareholders, 12.50 x 110.0 million shares 1,375 11.46" in text
    assert "over 120.0 million economic shares" in text


def test_claims_beyond_the_value_are_told(make_plan: MakePlan) -> None:
    plan = make_plan()
    owed = plan.tables["claims"].assign(usd_m=1000.0)
    sunk = {"status": "equity_under_water", "value_per_share_usd": 0.0, "implied_return": -1.0}
    text = squeezed(shown(make_plan(tables={**plan.tables, "claims": owed}, **sunk)))
    assert "today's shareholders, 0.00 x 110.0 million shares 0 0.00" in text
    assert "what others are owed beyond the value -1,500 -12.50" in text


def test_every_line_of_value_has_a_name() -> None:
    assert set(worth.LABELS) == set(ValueLine)


def test_what_is_decided_now_is_in_words(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan()))
    assert "2026Q3 sign ig-lease with an enterprise at alpha (up to 40 MW) 2026Q4 a" in text
    assert "2026Q3 begin 2 modules of colo at alpha for ig-lease 800 a" in text
    assert "2026Q3 issue $1,500M of note-a 1,500 a" in text
    assert "2026Q4 sell $50M of new shares at the market (=atm) 50 a" in text
    assert "a) binding once signed" in text


@pytest.mark.parametrize("quantity", ORDER)
def test_every_decision_has_words(make_plan: MakePlan, quantity: Quantity) -> None:
    row = {
        "quantity": str(quantity),
        "site": "alpha",
        "item": "thing",
        "contract": "c",
        "since": "2026Q3:base",
    }
    said = in_words(Figures(make_plan()), {**row, "node": "2026Q3:base", "value": 3.0})
    assert not said.startswith(f"{quantity} 3.0")


@pytest.mark.parametrize(("count", "said"), [(2.0, "2 modules"), (1.0, "1 module"), (0.4, "0.40 modules")])
def test_debt_on_a_part_of_a_module_is_said(make_plan: MakePlan, count: float, said: str) -> None:
    row = {"quantity": Quantity.FINANCED, "site": "alpha", "item": "hall", "contract": "lease"}
    words = in_words(
        Figures(make_plan()), {**row, "since": "2026Q3:base", "node": "2026Q3:base", "value": count}
    )
    assert words == f"close project debt on {said} of hall at alpha, begun 2026Q3"


def test_what_is_operated_is_not_called_decided() -> None:
    operated = {Quantity.ON_MW, Quantity.SLACK_MW, Quantity.CONTRIBUTED, Quantity.DISTRIBUTED}
    operated |= {Quantity.TAXED, Quantity.OPEN}
    assert set(Quantity) - set(ORDER) == operated


def test_nothing_to_decide_is_said(make_plan: MakePlan) -> None:
    plan = make_plan()
    empty = {**plan.tables, "decide_now": plan.tables["decide_now"].iloc[:0]}
    assert "Nothing is signed, ordered or raised." in shown(make_plan(tables=empty))


def test_the_strip_has_a_character_a_quarter(make_plan: MakePlan) -> None:
    text = shown(make_plan())
    assert "alpha, 100 MW energised" in text
    assert lines_with(text, "HPC live", "··▃▃", "0 to 40")
    assert lines_with(text, "building", "▃▃··", "40 to 0")
    assert lines_with(text, "mining", "████", "50 to 50")
    assert lines_with(text, "idle", "▁▁▁▁", "10 to 10")
    assert lines_with(text, "  27"), "the year stands over its first quarter"


def test_where_blocks_cannot_be_printed_digits_stand_for_them(make_plan: MakePlan) -> None:
    text = shown(make_plan(), encoding="ascii")
    assert lines_with(text, "HPC live", "..33")


def test_sites_are_summed(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan()))
    assert "alpha hybrid 40 60 30 800 an enterprise" in text
    assert "all sites 40 60 80 800" in text


def test_sources_and_uses_balance(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan()))
    assert "cash at the opening 100 new halls, GPUs and power 1,500" in text
    assert "total 1,600 total 1,600" in text


def test_every_line_of_cash_has_a_name() -> None:
    within = {CashLine.CONTRIBUTED, CashLine.DISTRIBUTED}
    assert set(CashLine) - within == set(LABELS) - {"opening cash", "closing cash"}


def test_money_raised_stands_by_quarter(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan()))
    assert "Instrument 2026Q3 2027Q2 all note-a 1,500 1,500 atm 200 200 total 1,500 200 1,700" in text


def test_project_debt_raised_is_what_is_closed(make_plan: MakePlan) -> None:
    plan = make_plan()
    row = [["project:bank", plan.tree.label(0), 300.0, 100.0, 0.0, "2026Q3", "project_debt"]]
    lent = pd.DataFrame(row, columns=plan.tables["financing"].columns)
    text = squeezed(shown(make_plan(tables={**plan.tables, "financing": lent})))
    assert "project:bank (closed) 300" in text
    assert "what is drawn stands in the sources" in text


def test_many_quarters_of_money_are_told_in_parts(make_plan: MakePlan) -> None:
    plan = make_plan()
    columns = plan.tables["financing"].columns
    rows = [[f"i{k}", plan.tree.label(k % 4), 10.0, 9.0, 0.0, "", "atm"] for k in range(12)]
    text = shown(make_plan(tables={**plan.tables, "financing": pd.DataFrame(rows, columns=columns)}))
    assert max(map(len, text.splitlines())) <= 100
    assert "120" in "".join(lines_with(text, "total", "30"))


def test_the_tightest_moment_of_each_test_is_told(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan()))
    assert "company cash, at least its floor 8 2026Q3 58 50" in text
    assert "lender-test: company and site cash, at least 7 2027Q2 87 80 0.25" in text
    assert "coin-loan: what its bitcoin may secure, at least 3 2027Q2 13 10" in text


def test_a_tree_is_weighted_and_told_leaf_by_leaf(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan(tree=True)))
    assert "tree of 2 leaves" in text
    assert "alpha hybrid/full 40 60 30 800" in text
    assert "bear 25.0 % 1,500 120.0 12.50 12.50 14.00 40 80" in text
    assert "total 1,600 total 1,600" in text
    assert "atm 50 50" in text, "200 with a probability of a quarter"
    assert "lender-test: company and site cash, at least 5 2027Q2 bear" in text


def test_what_falls_due_after_the_horizon_is_told(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan()))
    due = "$150M of debt falls due within four quarters and $400M within eight; $600M is liquid then."
    assert due in text
    assert "in bear $150M of debt falls due" in squeezed(shown(make_plan(tree=True)))


def test_a_doubt_about_the_plan_is_told_in_full(make_plan: MakePlan) -> None:
    doubt = Finding("warning", "leaf-value", "leaves", "2027Q2:bear", "value", "worth half", "read on")
    text = squeezed(shown(make_plan(tree=True, findings=(doubt,))))
    assert "Doubt: leaves 2027Q2:bear: worth half; read on." in text
    assert "on the input" not in text


def test_a_rescue_is_not_hidden(make_plan: MakePlan) -> None:
    plan = make_plan(status="feasible_with_rescue")
    row = [["rescue", "2026Q4:base", 33.0, 33.0, 0.0, "2026Q4", "rescue"]]
    rescue = pd.DataFrame(row, columns=plan.tables["financing"].columns)
    text = squeezed(shown(make_plan(status=plan.status, tables={**plan.tables, "financing": rescue})))
    assert "feasible with rescue" in text
    assert "it needs $33M of rescue funding" in text


def test_a_committed_plan_that_is_not_there_has_no_number(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan(objective="value", committed_value_per_share_usd=float("nan"))))
    assert "committed only none at the end of 2027Q2" in text
    assert "only what is committed" not in text
    assert not re.search(r"\bnan\b", text)


def test_shares_that_are_worth_nothing_alone_are_said_so(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan(committed_value_per_share_usd=0.0)))
    assert "Without new money or new leases the shares are worth nothing by 2027Q2" in text
    assert "loans and overhead come to more than what is left of mining." in text
    assert "worth nothing by" not in shown(make_plan())


def test_what_is_begun_below_the_cost_of_equity_is_listed(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan()))
    assert "Begun although its own return is below the cost of equity" in text
    assert "machine s21:new at beta 12 -2 nothing comes back after the horizon" in text
    assert "module hall at alpha for ig-lease 800" not in text


def test_what_money_is_worth_is_shown(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan()))
    assert "What money is worth to the company" in text
    assert "a dollar of cash is worth, $ 1.20 1.10" in text


def test_what_is_not_proved_is_not_claimed(make_plan: MakePlan) -> None:
    text = shown(make_plan(status="feasible", gap=float("inf"), bound=float("inf"), note="interrupted"))
    assert "feasible: how far it is from the best plan is not proved (interrupted)" in squeezed(text)
    assert "inf" not in text


def test_equity_under_water_is_said(make_plan: MakePlan) -> None:
    text = shown(make_plan(status="equity_under_water", value_per_share_usd=0.0, implied_return=-1.0))
    assert "equity under water: no plan found has positive value per share" in squeezed(text)
    assert "-100" not in text
    assert "nothing is left for today's shareholders" in squeezed(text)


def test_under_water_is_said_once(make_plan: MakePlan, no_plan: MakePlan) -> None:
    note = "no plan found has positive value per share; value is maximised instead"
    for plan in (make_plan(status="equity_under_water", note=note), no_plan("equity_under_water", note=note)):
        assert squeezed(shown(plan)).lower().count("no plan found has positive value per share") == 1


def test_value_in_dollars_is_not_called_per_share(make_plan: MakePlan) -> None:
    text = squeezed(shown(make_plan(objective="value", value=2000.0, bound=2010.0, gap=0.005)))
    assert "no plan is worth more than $2,010M in value" in text


def test_greatest_value_below_the_committed_one_per_share_is_said(make_plan: MakePlan) -> None:
    both = {"objective": "value", "value": 2000.0, "bound": 2010.0}
    text = squeezed(shown(make_plan(**both, value_per_share_usd=9.0)))
    assert (
        "at $9.00 per share today's shareholders have less than the $9.25 of doing only what is committed"
        in text
    )
    assert "only what is committed" not in shown(make_plan(**both))


def test_a_failed_audit_is_shouted(make_plan: MakePlan) -> None:
    assert "Audit FAILED" in shown(make_plan(audit=Audit(False, 7, "cell", ("cell",))))


@pytest.mark.parametrize(
    ("checked", "bound", "said"),
    [
        (12.75, 12.55, "Bound of $12.75 checked without trust in the solver's arithmetic; that it is $12.55"),
        (12.55, 12.55, "checked without trust in the solver's arithmetic: all that is claimed."),
        (np.inf, 12.55, "The bound rests on the solver alone"),
    ],
)
def test_what_of_the_bound_is_checked_is_said(
    make_plan: MakePlan, checked: float, bound: float, said: str
) -> None:
    audit = Audit(True, 7, "", (), bound_checked=checked)
    assert said in squeezed(shown(make_plan(audit=audit, bound=bound)))


def test_infeasible_names_the_families(no_plan: MakePlan) -> None:
    text = shown(no_plan("infeasible", note="TEN-2 cannot hold with CNV-2"))
    assert "No plan satisfies the portfolio's constraints" in text
    assert "TEN: tenants' minimum and maximum MW" in text
    assert "CNV: modules that can be begun" in text


def test_unbounded_names_the_loop(no_plan: MakePlan) -> None:
    text = squeezed(shown(no_plan("unbounded", loop=tuple(f"v[{i}]" for i in range(14)))))
    assert "These grow together: v[0], v[1]" in text
    assert "and 2 more" in text


def test_no_plan_claims_nothing(no_plan: MakePlan) -> None:
    text = shown(no_plan("no_plan"))
    assert "No plan was found in 1 s; that there is none is not proved." in text
    assert "inf" not in text
    assert "--time-limit" not in text


@pytest.mark.parametrize(("limit", "advised"), [(120.0, False), (0.3, True)])
def test_more_time_is_advised_only_where_it_ran_out(no_plan: MakePlan, limit: float, advised: bool) -> None:
    text = shown(no_plan("no_plan", run={"options": {"time_limit_s": limit}}))
    assert ("--time-limit" in text) is advised
