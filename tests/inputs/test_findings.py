"""Names that do not exist, and findings that take more than one cell or say more than a code."""

from typing import Any

import pytest

from models.domain.portfolio import TABLES
from tests.inputs.spoiling import assert_found, place_of

NAMES = """
sites[alpha].entity sites[alpha].region sites[alpha].market power[alpha|2026Q3].site expansions[alpha-2].site
cooling[beta|air].site site_products[alpha|colo].site site_products[alpha|colo].product
products[colo].spend_profile products[cloud].gpu_spend_profile products[colo].ramp_profile
machines[s21].resale_profile contracts[lease].sites contracts[lease].workloads contracts[lease].coolings
contracts[lease].credit_class contract_money[lease|prepayment].contract renewals[lease].contract
terminations[bear|signed].scenario terminations[bear|signed].contract
commitments[hall].site commitments[hall].contract commitments[hall].product commitments[hall].debt
commitment_flows[hall|2027Q1|own].commitment share_claims[warrant].contract fleets[alpha-s21].site
fleets[alpha-s21].machine debt[gpu-loan].entity debt[gpu-loan].repayment_profile impact[atm|2].instrument
budgets[beta-cap].site
leverage_blocks[bond|2].instrument instruments[buyback].tranche
entities[top].tax_group products[colo].tax_class products[cloud].gpu_tax_class cooling[beta|air].tax_class
expansions[alpha-2].tax_class machines[s21].tax_class treasury[free].entity treasury[pledged].pledged_to
sites[beta].tax_class tax_classes[equipment].profile covenants[liquidity].entity
loan_collateral[coin-loan].debt
long_lead[transformers].site long_lead[transformers].products long_lead[transformers].tax_class
vendor_leases[lessor].products
take_outs[lender].entity take_outs[lender].credit_class take_outs[lender].debt
scenarios[bear].branch_from market[bear|2027Q1].scenario sites[alpha].entity
provenance[products|colo|capex_usd_m_per_mw].of_table
provenance[products|colo|capex_usd_m_per_mw].column
"""


@pytest.mark.parametrize("place", NAMES.split())
def test_a_name_that_does_not_exist_is_found(draft: Any, place: str) -> None:
    table, key, column = place_of(place)
    draft.set(table, key, **{column: "nowhere"})
    after = (
        "nowhere" if name == column else part
        for name, part in zip(TABLES[table].key, key.split("|"), strict=True)
    )
    assert_found(draft, "unknown-reference", (table, "|".join(after), column))


def test_a_contract_names_at_least_one_site(draft: Any) -> None:
    draft.set("contracts", "lease", sites=";")
    assert_found(draft, "empty-cell", ("contracts", "lease", "sites"))


def test_money_that_is_never_given_back_is_not_refunded(draft: Any) -> None:
    draft.set("contract_money", "lease|prepayment", give_back_q="0")
    place = ("contract_money", "lease|prepayment", "refundable_on_termination")
    assert_found(draft, "termination-money", place)


def test_history_of_commitments_neither_draws_nor_spends(draft: Any) -> None:
    draft.copy("commitment_flows", "hall|2026Q3|gpu_debt", quarter="2026Q1", amount_usd_m="999")
    draft.copy("commitment_flows", "hall|2026Q4|escrow", quarter="2026Q2", amount_usd_m="999")
    assert draft.findings() == ()


def test_a_broken_table_silences_only_the_checks_that_read_it(draft: Any) -> None:
    draft.set("products", "colo", module_mw="x").set("fleets", "beta-s21", machine="s99")
    found = {(f.code, f.table) for f in draft.findings()}
    assert found == {("not-a-number", "products"), ("unknown-reference", "fleets")}


def test_a_contract_value_comes_with_the_rent_that_gives_it(draft: Any) -> None:
    """River Bend: 7,000 over 15 years at 3 % is a first-year rent of 128.02, though the average is 158.7."""
    draft.set("contracts", "lease", max_mw="245", first_year_rent_usd_per_kw_month="158.73")
    draft.set("contracts", "lease", contract_value_usd_m="7000")
    (finding,) = [f for f in draft.findings() if f.code == "contract-value"]
    assert "8,679" in finding.message
    assert "128.02" in finding.remedy


@pytest.mark.parametrize(
    ("repayment", "profile", "rate_kind", "column"),
    [
        ("listed", "ramp", "fixed", "repayment_profile"),
        ("sculpted", "even", "floating", "rate_kind"),
        ("sculpted", "at-end", "fixed", "repayment_profile"),
    ],
)
def test_a_profile_repays_a_loan(
    draft: Any, repayment: str, profile: str, rate_kind: str, column: str
) -> None:
    """Shares that sum to 1.6; a sculpted loan that floats; service that does not pay the interest."""
    draft.set("debt", "coin-loan", first_repayment_quarter="2027Q1", rate_kind=rate_kind)
    draft.set("debt", "coin-loan", repayment=repayment, repayment_profile=profile)
    assert_found(draft, "repayment-terms", ("debt", "coin-loan", column))


def test_a_plan_that_begins_with_the_tax_year_has_no_income_so_far(draft: Any) -> None:
    draft.set("company", "Small", first_quarter="2027Q1", horizon_q="2")
    assert ("tax-year-begun", "us") in {(f.code, f.row) for f in draft.findings()}
    draft.set("tax_groups", "us", income_so_far_usd_m="")
    assert "tax-year-begun" not in {f.code for f in draft.findings()}


def test_guesses_without_ranges_are_one_doubt_a_table(draft: Any) -> None:
    draft.set("products", "cloud", grade="GUESS").set("sites", "beta", grade="GUESS")
    found = [f for f in draft.findings() if f.code == "guess-without-range"]
    assert [(f.severity, f.table) for f in found] == [("warning", "products"), ("warning", "sites")]
    assert "3 guesses lack their ranges: cloud capex_usd_m_per_mw, " in found[0].message
