"""Each check across tables: a good portfolio spoilt in one place is found out there."""

import re
from pathlib import Path
from typing import Any

import pytest

import optimizer.inputs.checks
from tests.inputs.spoiling import assert_found, place_of, spoil

# code, where it must be seen, and what is spoilt: '= value' there, 'cell=value' elsewhere, '- table' or
# '- table[row]' deletes, '+ table[row] cell=value ...' adds a changed copy; several are joined by ' & '.
SPOILT = """
no-scenario         scenarios[].                           - scenarios
two-roots           scenarios[bear].branch_from            =
branch-cycle        scenarios[base].branch_from            = bear & scenarios[base].branch_quarter=2027Q2
half-branch         scenarios[bear].branch_quarter         =
branch-order        scenarios[worse].branch_quarter        + scenarios[bear] scenario=worse branch_from=bear
probability-sum     scenarios[].probability                scenarios[bear].probability=0.3
late-trunk          scenarios[bear].branch_quarter         = 2026Q3
deck-gap            scenarios[bear].                       - market[bear|2027Q2]
deck-gap            scenarios[base].                       company[Small].horizon_q=5
trunk-differs       market[bear|2026Q4].lease_idx          + market[base|2026Q4] scenario=bear lease_idx=1.1
span-backwards      covenants[liquidity].to_quarter        = 2026Q2
span-backwards      budgets[beta-cap].to_quarter           = 2026Q2
span-backwards      expansions[alpha-2].latest_quarter     = 2026Q2
span-backwards      site_products[alpha|colo].latest_quarter = 2026Q2
span-backwards      contracts[lease].sign_by_quarter       = 2026Q2
span-backwards      contracts[lease].deadline_quarter      = 2026Q2
span-backwards      debt[gpu-loan].maturity_quarter        = 2026Q4
span-backwards      convertibles[cvt-31].maturity_quarter  = 2029Q1
already-over        debt[gpu-loan].maturity_quarter        = 2026Q2
already-over        convertibles[cvt-31].maturity_quarter  = 2026Q2
already-over        share_claims[option].expiry_quarter    = 2026Q2
company-count       company[].                             - company
company-count       company[Twin].                         + company[Small] name=Twin
parent-count        entities[].kind                        entities[top].kind=spv
parent-count        entities[north].kind                   = parent
no-site             sites[].                               - sites
site-of-parent      sites[beta].entity                     = top
entity-terms        entities[north].ownership_frac         entities[north].kind=jv
entity-terms        entities[north].kind                   entities[north].ownership_frac=0.6
entity-terms        entities[top].completion_guarantee_frac = 0.5
entity-terms        entities[north].contributions_allowed  = true
entity-terms        entities[north].price_usd         = 5 & \
entities[north].kind=listed & entities[north].ownership_frac=0.6
taxed-together      entities[north].tax_group entities[north].kind=listed & \
entities[north].ownership_frac=0.6
recourse-of-listed  debt[gpu-loan].recourse = true & \
entities[north].kind=listed & entities[north].ownership_frac=0.6
shared-equipment    long_lead[transformers].site entities[north].kind=listed & \
entities[north].ownership_frac=0.6
covenant-scope      covenants[liquidity].entity            covenants[liquidity].metric=dscr
covenant-scope      covenants[liquidity].entity            = top
covenant-scope      covenants[liquidity].metric            = solvency & covenants[liquidity].entity=north
covenant-scope      covenants[liquidity].test              = incurrence & covenants[liquidity].entity=north
covenant-scope covenants[liquidity].from_quarter covenants[liquidity].entity=north & \
covenants[liquidity].metric=dscr & covenants[liquidity].basis=trailing_4q
stream-not-valued   valuation[mining].stream               - valuation[mining]
overhead-years      valuation[overhead].years              =
overhead-years      valuation[mining].years                = 5
other-stream        valuation[colocation].growth_frac_per_year = 0.02
other-stream        valuation[overhead].decline_frac_per_year = 0.1
no-power            sites[alpha].site                      power[alpha|2026Q3].from_quarter=2026Q4
price-basis         power[beta|2026Q2].price_usd_per_mwh   =
price-basis         power[alpha|2026Q3].price_usd_per_mwh  = 40
price-basis         power[alpha|2026Q3].take_or_pay_frac   = 0.2
no-market           power[beta|2026Q2].price_basis         = spot
no-market           power[beta|2026Q2].resale_allowed      = true
no-cooling          site_products[alpha|colo].product      - cooling[alpha|dlc]
not-allowed-here    site_products[alpha|colo].site         sites[alpha].hpc_allowed=false
not-allowed-here    site_products[beta|cloud].product      regions[texas].gpu_cloud_allowed=false
not-allowed-here    fleets[beta-s21].site                  sites[beta].mining_allowed=no
profile-gap         profiles[ramp|2].step                  profiles[ramp|1].step=2
profile-sum         profiles[even|1].frac                  = 0.4
profile-sum         profiles[at-end|1].frac                = 0.9
ramp-over-one       profiles[ramp|1].frac                  = 1.2
resale-over-new     profiles[resale|0].frac                = 1
resale-rises        profiles[resale|2].frac                = 0.75
gpu-profile         products[cloud].gpu_spend_profile      =
gpu-profile         products[colo].gpu_spend_profile       = even
gpu-profile         products[cloud].gpu_capex_usd_m_per_mw = 0 & products[cloud].gpu_spend_profile=
equipment-lead      long_lead[transformers].needed_after_q = 7
equipment-share     long_lead[transformers].cost_usd_m_per_mw = 9.5
equipment-trade     long_lead[transformers].resale_frac    = 0.85
gpu-terms           products[colo].refresh_q               = 16
gpu-terms           products[cloud].refresh_q              products[cloud].refresh_cost_frac=0.8
gpu-terms           products[cloud].refresh_cost_frac      products[cloud].refresh_q=16
signing-window      contracts[lease].sign_by_quarter       =
signing-window      contracts[signed].sign_from_quarter    = 2026Q3
signing-window      contracts[open].deadline_quarter       = 2027Q1
no-deadline         contracts[lease].deadline_quarter      =
lapsed-offer        contracts[lease].sign_by_quarter  = 2026Q2 & contracts[lease].sign_from_quarter=2026Q1
min-over-max        contracts[lease].min_mw                = 61
merchant-terms      contracts[open].credit_class           = ig
committed-terms     contracts[signed].rent_indexed_to      = lease
option-terms        contracts[lease].option_of             = signed
option-terms contracts[more].option_of + contracts[lease] contract=more state=option
option-terms contracts[more].option_of + contracts[lease] contract=more state=option option_of=open
option-terms contracts[more].sites + contracts[lease] contract=more state=option option_of=signed
option-terms contracts[lease].rent_indexed_to = lease & contracts[lease].state=option
late-terms          contracts[lease].long_stop_quarter     = 2027Q4
late-terms          contracts[lease].long_stop_quarter     contracts[lease].late_damages_usd_per_kw_month=10
signing-window      contracts[signed].long_stop_quarter    = 2027Q1
span-backwards      contracts[lease].long_stop_quarter     = 2026Q3
late-deadline       contracts[lease].deadline_quarter      = 2027Q3 & contracts[lease].term_q=1
contract-value      contracts[signed].contract_value_usd_m = 975
contract-value      contracts[signed].contract_value_usd_m contracts[signed].billing_basis=gross
tenant-money        contract_money[lease|prepayment].frac_of_capex =
tenant-money        contract_money[lease|prepayment].amount_usd_m = 5
tenant-money        contract_money[signed|prepayment].received_quarter =
tenant-money        contract_money[signed|prepayment].eligible_for_ltc = true
tenant-money        contract_money[open|prepayment].contract + contract_money[lease|prepayment] contract=open
unserved-offer      contracts[lease].sites                 contracts[lease].coolings=air
unserved-offer      contracts[lease].sites                 products[colo].lead_q=4
unserved-offer      contracts[lease].sites                 sites[alpha].hpc_allowed=false
unserved-offer      contracts[lease].min_mw                sites[alpha].max_hpc_critical_mw=15
noi-over-rent       contracts[signed].noi_usd_m_per_year   = 193
water-short         sites[alpha].water_limit_m3_per_q      = 2000
spend-unfunded      commitment_flows[].amount_usd_m        commitment_flows[hall|2027Q1|own].amount_usd_m=5000
stated-total        stated_totals[cash_usd_m].amount       entities[top].unrestricted_cash_usd_m=193
stated-total        stated_totals[basic_shares_m].amount   = 103
stated-total        stated_totals[cash_usd_m].note         = & stated_totals[cash_usd_m].difference=1
early-termination   terminations[bear|signed].quarter      = 2026Q4
idle-termination    terminations[bear|signed].quarter      = 2027Q3
idle-termination    terminations[base|lease].quarter       = 2026Q2
idle-termination    terminations[bear|signed].quarter      contracts[signed].term_q=2
termination-terms   terminations[bear|open].contract       + terminations[bear|signed] contract=open
termination-terms   terminations[base|lease].paid_by       = tenant
termination-terms   terminations[bear|signed].paid_by      = nobody
termination-terms   terminations[bear|signed].paid_by      contracts[signed].guarantor=
termination-terms   terminations[bear|signed].vacancy_q    =
termination-money   contract_money[lease|prepayment].refundable_on_termination =
commitment-misfit   commitments[hall].contract             = lease
commitment-misfit   commitments[hall].site                 contracts[signed].sites=alpha
commitment-misfit   commitments[hall].product              contracts[signed].coolings=dlc
undelivered         contracts[signed].state                commitments[hall].contract=open
over-contract       contracts[signed].max_mw               = 19
live-unoccupied     commitments[hall].occupies_from_quarter = 2027Q1
no-debt-named       commitments[hall].debt                 =
not-cancellable     commitments[hall].cancellable_until_quarter = 2026Q4
undrawn-mismatch    debt[gpu-loan].undrawn_usd_m           = 303
escrow-short        entities[north].escrow_usd_m           = 29
no-cooling          commitments[hall].product              - cooling[beta|air]
over-building-cap   company[Small].building_cap_mw         = 19
over-interconnect   power[beta|2026Q2].energised_mw        = 28
fleet-without-power power[beta|2026Q2].energised_mw        = 60
min-over-max        instruments[cvt].min_usd_m             = 301
convertible-terms   instruments[atm].coupon_frac           = 0.01
convertible-terms   instruments[cvt].settlement            =
convertible-terms   instruments[cvt].put_after_q           = 24
half-given          instruments[cvt].cap_premium_frac      =
half-given          instruments[cvt].call_after_q          =
half-given          convertibles[cvt-31].put_price_frac    =
cap-below-strike    instruments[cvt].cap_premium_frac      = 0.3
cap-below-strike    convertibles[cvt-31].cap_price_usd     = 14
payout-terms        company[Small].payout_max_usd_m_per_q  company[Small].payouts_from_quarter=2026Q4
payout-terms        company[Small].payouts_from_quarter    company[Small].payout_max_usd_m_per_q=10
payout-late         company[Small].payouts_from_quarter    = 2027Q3 & company[Small].payout_max_usd_m_per_q=10
payout-source company[Small].rescue_price = 1.1 & company[Small].payouts_from_quarter=2026Q4
payout-source company[Small].equity_pricing = market & company[Small].payouts_from_quarter=2026Q4
payout-source company[Small].raise_only_what_is_spent = false & company[Small].payouts_from_quarter=2026Q4
debt-terms          instruments[bond].tenor_q              =
debt-terms          instruments[line].available_until_quarter =
debt-terms          instruments[buyback].tranche           =
debt-terms          instruments[cvt].spread_frac           = 0.02
debt-terms          instruments[bond].commitment_fee_frac  = 0.004
debt-terms          instruments[bond].launch_drop_frac     = 0.06
debt-terms          instruments[buyback].min_usd_m         = 10
convertible-terms   instruments[line].tenor_q              = 20
convertible-terms   instruments[bond].premium_frac         = 0.3
name-taken          instruments[gpu-loan].instrument       instruments[line].instrument=gpu-loan
cheap-notes         instruments[bond].spread_frac          = 0.01
leverage-blocks     leverage_blocks[atm|2].instrument      leverage_blocks[bond|2].instrument=atm
leverage-blocks     leverage_blocks[bond|3].block          leverage_blocks[bond|2].block=3
leverage-blocks     leverage_blocks[bond|2].up_to_frac_of_market_cap = 0.3
leverage-blocks     leverage_blocks[bond|2].add_frac       leverage_blocks[bond|1].add_frac=0.02
no-leverage-left    leverage_blocks[bond|2].up_to_frac_of_market_cap convertibles[cvt-31].principal_usd_m=600
span-backwards      instruments[line].available_until_quarter = 2026Q2
already-over        instruments[line].available_until_quarter = 2026Q2
impact-blocks       instruments[atm].kind                  - impact
impact-blocks       impact[atm|3].block                    impact[atm|2].block=3
impact-blocks       impact[atm|2].up_to_frac_of_volume     = 0.05
impact-blocks       impact[atm|2].discount_frac            = 0
unused-programme    company[Small].atm_left_usd_m          - instruments & - impact
over-authorised     company[Small].authorised_shares_m     = 123
vested-claim        share_claims[warrant].contract         = signed
purchase-terms      sites[beta].purchase_usd_m             = 5
purchase-terms      sites[beta].purchase_by_quarter        sites[beta].state=candidate
purchase-terms sites[beta].purchase_by_quarter = 2026Q2 & sites[beta].state=pending
purchase-terms sites[beta].purchase_by_quarter = 2030Q1 & sites[beta].state=pending
sale-terms          sites[beta].sale_cost_frac             = 0.02
sale-terms          sites[beta].book_value_usd_m           sites[beta].sale_usd_m_per_mw=0.4
sale-terms          sites[beta].sale_usd_m_per_mw          = 0.4
sale-terms sites[beta].sale_usd_m_per_mw = 0.4 & sites[beta].state=candidate & - commitments
sale-terms sites[beta].sale_usd_m_per_mw = 0.4 & sites[alpha].sale_usd_m_per_mw=0.4 & - commitments
sale-terms sites[beta].sale_term_left_q sites[beta].sale_cap_rate_frac=0.06
sale-terms sites[beta].sale_cap_rate_frac sites[beta].sale_term_left_q=8
sale-terms sites[beta].sale_cap_rate_frac = 0.06 & \
sites[beta].sale_term_left_q=8 & sites[beta].hpc_allowed=false & - commitments
not-ours-yet        fleets[beta-s21].site                  sites[beta].state=candidate
not-ours-yet        commitments[hall].site                 sites[beta].state=candidate
land-over-price sites[beta].unconverted_value_usd_m_per_mw = 1 & sites[beta].state=candidate
asset-without-class sites[beta].tax_class sites[beta].state=pending & tax_classes[building].default_for=halls
kept-over-held      treasury[free].min_hold_btc            = 501
no-basis            treasury[free].basis_usd_per_btc       =
pledge-misfit       treasury[pledged].pledged_to           = gpu-loan
pledge-misfit       treasury[pledged].pledged_to           treasury[pledged].entity=north
margin-terms        loan_collateral[gpu-loan].debt         + loan_collateral[coin-loan] debt=gpu-loan
margin-terms        debt[coin-loan].kind                   - loan_collateral
margin-call         loan_collateral[coin-loan].ltv_call_frac = 0.5
debt-terms          instruments[cvt].spread_frac           = 0.03
btc-loan-terms      instruments[coin-line].tenor_q         =
btc-loan-terms      instruments[coin-line].min_usd_m       = 1
btc-loan-terms      instruments[coin-line].ltv_call_frac   = 0.5
roll-terms          debt[coin-loan].refinance_max_frac     = 0.5
roll-terms          debt[gpu-loan].refinance_tenor_q       =
repayment-terms     debt[gpu-loan].repayment_profile       debt[gpu-loan].repayment=listed
repayment-terms     debt[gpu-loan].repayment_profile       = even
repayment-terms     debt[gpu-loan].repayment_profile       = even & debt[gpu-loan].repayment=listed
repayment-terms     debt[coin-loan].balloon_frac           = 0.5
late-draw           debt[gpu-loan].first_repayment_quarter = 2026Q3 & debt[gpu-loan].balloon_frac=0.5
reserve-terms       debt[gpu-loan].dsra_form               debt[gpu-loan].dsra_usd_m=5
reserve-terms debt[gpu-loan].dsra_fee_frac debt[gpu-loan].dsra_usd_m=5 & debt[gpu-loan].dsra_form=lc
reserve-terms       credit_classes[ig].reserve_fee_frac    credit_classes[ig].reserve_form=parent_lc
borrower-terms      debt[coin-loan].lockup_dscr            = 1.2
borrower-terms      debt[gpu-loan].lockup_from_quarter     = 2027Q1
borrower-terms      debt[coin-loan].sweep_frac             = 0.5 & debt[coin-loan].entity=north
call-terms          debt[gpu-loan].call_price_frac         =
call-terms          debt[gpu-loan].call_from_quarter       = 2031Q4
call-terms          debt[gpu-loan].sweep_frac              = 0.5
call-terms          debt[coin-loan].call_from_quarter      = 2026Q4 & debt[coin-loan].call_price_frac=1
take-out-terms      take_outs[lender].entity               = top
take-out-terms      take_outs[lender].to_quarter           = 2026Q2
take-out-terms      take_outs[lender].debt                 = coin-loan
take-out-terms      take_outs[lender].debt                 = gpu-loan & debt[gpu-loan].call_from_quarter=
nothing-let         take_outs[lender].entity               - commitments
trough-over-price   market[base|2026Q3].btc_trough_usd     = 61001
covenant-terms      covenants[liquidity].basis             = trailing_4q
covenant-terms      covenants[liquidity].test              = incurrence & covenants[liquidity].metric=dilution
covenant-terms      covenants[liquidity].test              = incurrence & covenants[liquidity].metric=solvency
no-history covenants[liquidity].basis = trailing_4q & covenants[liquidity].metric=interest_cover & - history
no-history          covenants[liquidity].metric            = dilution & history[2026Q1].shares_issued_m=
same-name           budgets[liquidity].budget              budgets[beta-cap].budget=liquidity
history-quarter     history[2026Q3].quarter                history[2026Q2].quarter=2026Q3
below-floor         entities[top].unrestricted_cash_usd_m  = 19
guess-without-range products[].                            products[cloud].grade=GUESS
stale-evidence      provenance[sites|x|once_cost_usd_m].row + provenance[sites|alpha|once_cost_usd_m] row=x
outside-range       products[colo].capex_usd_m_per_mw      = 14
range-backwards     provenance[products|colo|capex_usd_m_per_mw].low = 14
untaxed-entity      entities[north].tax_group              =
empty-tax-group     tax_groups[old].tax_group              + tax_groups[us] tax_group=old
tax-year-begun      tax_groups[us].income_so_far_usd_m     =
unknown-asset       tax_classes[building].default_for      = halls;power;roads
two-defaults        tax_classes[equipment].default_for     tax_classes[building].default_for=halls;power;gpus
write-off-steps     tax_classes[equipment].profile         tax_classes[equipment].life_q=21
write-off-steps     tax_classes[equipment].profile         profiles[falling|1].frac=0.5
unknown-regime      tax_groups[us].regime                  = mars
unused-tax-class    tax_classes[building].tax_class        - tax_groups
asset-without-class products[colo].tax_class               tax_classes[building].default_for=power
asset-without-class products[cloud].gpu_tax_class          tax_classes[equipment].default_for=machines;cooling
asset-without-class cooling[alpha|dlc].tax_class           tax_classes[equipment].default_for=machines;gpus
asset-without-class expansions[alpha-2].tax_class          tax_classes[building].default_for=halls
asset-without-class machines[s21].tax_class                tax_classes[equipment].default_for=gpus;cooling
unserved-offer      contracts[lease].sites                 power[alpha|2026Q3].energised_mw=0 & - expansions
unserved-offer      contracts[lease].min_mw = 60 & power[alpha|2026Q3].energised_mw=80 & - expansions
unserved-offer      contracts[lease].min_mw = 60 & power[alpha|2026Q3].energised_mw=60 & \
expansions[alpha-2].lead_q=4
unserved-offer      contracts[lease].min_mw                = 30 & contracts[lease].max_mw=35
unserved-offer      contracts[lease].min_mw                = 60 & cooling[alpha|dlc].max_modules=5
unserved-offer      contracts[lease].sites                 cooling[alpha|dlc].lead_q=4
unserved-offer      contracts[lease].min_mw = 60 & company[Small].building_cap_mw=20 & \
company[Small].building_cap_growth_mw_per_q=0
unserved-offer contracts[lease].sites sites[alpha].state=pending & sites[alpha].purchase_by_quarter=2027Q1 \
& sites[alpha].purchase_usd_m=5 & sites[alpha].tax_class=building & - fleets[alpha-s21]
lease-without-gpus  vendor_leases[lessor].products         = cloud;colo
shape-mean          market_shapes[west].d10                = -999
shape-order         market_shapes[west].d3                 = 9
broken-at-opening   covenants[liquidity].threshold         = 161
broken-at-opening   covenants[liquidity].threshold         = 30 & covenants[liquidity].entity=north
broken-at-opening   covenants[liquidity].threshold         = 1001 & covenants[liquidity].metric=market_cap
broken-at-opening   covenants[liquidity].threshold         = 199 & covenants[liquidity].metric=recourse_debt
broken-at-opening   covenants[liquidity].threshold         = 69 & covenants[liquidity].metric=secured_debt
broken-at-opening covenants[liquidity].threshold = 0.1 & \
covenants[liquidity].metric=net_debt_to_market_cap
broken-at-opening covenants[liquidity].threshold = 3.6 & covenants[liquidity].metric=net_debt_to_ebitda & \
covenants[liquidity].basis=trailing_4q
broken-at-opening covenants[liquidity].threshold = 6.1 & covenants[liquidity].metric=interest_cover
broken-at-opening   covenants[liquidity].threshold         = 0.009 & covenants[liquidity].metric=dilution
broken-at-opening   covenants[liquidity].threshold         = 8.1 & covenants[liquidity].metric=maturities
broken-at-opening   covenants[liquidity].threshold         = 29.2 & covenants[liquidity].metric=cash_cover
budget-spent        budgets[beta-cap].cap_usd_m            = 4
budget-spent        budgets[beta-cap].cap_usd_m            = 334 & budgets[beta-cap].counts=all
outside-plan        site_products[alpha|colo].latest_quarter = 2026Q1 & \
site_products[alpha|colo].earliest_quarter=2025Q1
outside-plan expansions[alpha-2].earliest_quarter = 2027Q3 & expansions[alpha-2].latest_quarter=2028Q1
outside-plan        covenants[liquidity].from_quarter      = 2027Q3 & covenants[liquidity].to_quarter=
outside-plan        budgets[beta-cap].to_quarter           = 2026Q2 & budgets[beta-cap].from_quarter=2026Q1
outside-plan        take_outs[lender].to_quarter           = 2026Q2 & take_outs[lender].from_quarter=2026Q1
outside-plan        convertibles[cvt-31].put_quarter       = 2026Q2
outside-plan        other_lines[repairs|2027Q3].quarter    other_lines[repairs|2026Q3].quarter=2027Q3
not-past            company[Small].last_convertible_quarter = 2026Q3
contract-over       contracts[signed].term_q               = 5 & contracts[signed].commencement_quarter=2025Q1
after-contract      contract_money[signed|prepayment].received_quarter = 2031Q3
after-contract      commitment_flows[hall|2027Q1|own].quarter contracts[signed].term_q=2
span-backwards      debt[gpu-loan].lockup_from_quarter     = 2032Q1 & debt[gpu-loan].lockup_dscr=1.1
worn-out            fleets[beta-s21].age_q                 = 16
repayment-terms debt[coin-loan].repayment_profile debt[coin-loan].repayment=sculpted & \
debt[coin-loan].repayment_profile=nil & + profiles[even|0] profile=nil frac=0
proportion          company[Small].overhead_usd_m_per_q    = 51
proportion          company[Small].award_shares_m_per_q    = 4
proportion          company[Small].traded_shares_m_per_day = 60
proportion          sites[alpha].fixed_cost_usd_m_per_q    = 12
proportion          history[2026Q2].interest_usd_m         = 20
proportion          contracts[lease].term_q                = 15
proportion          instruments[bond].tenor_q              = 5
magnitude           covenants[liquidity].threshold         = 8 & covenants[liquidity].metric=tenant_share
magnitude           tax_groups[us].rate_frac               = 0.99
magnitude           power[beta|2026Q2].price_usd_per_mwh   = 4.5
magnitude           contracts[lease].first_year_rent_usd_per_kw_month = 15
magnitude           products[colo].capex_usd_m_per_mw      = 9000
magnitude           valuation[mining].rate_frac            = 0.9
magnitude           market[base|2026Q3].btc_usd            = 61
"""
CASES = [line.split(maxsplit=2) for line in SPOILT.strip().splitlines()]


def test_the_good_portfolio_has_no_finding(draft: Any) -> None:
    assert draft.findings() == ()


@pytest.mark.parametrize(("code", "place", "changes"), CASES, ids=[" ".join(case) for case in CASES])
def test_what_is_spoilt_is_found(draft: Any, code: str, place: str, changes: str) -> None:
    for change in changes.split(" & "):
        spoil(draft, place, change.strip())
    assert_found(draft, code, place_of(place))


def test_every_code_of_a_check_has_a_case() -> None:
    folder = Path(optimizer.inputs.checks.__file__).parent
    text = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    written = re.findall(r'(?:error|doubt|Finding)\(\s*(?:"(?:error|warning)",\s*)?"([a-z-]+)"', text)
    codes = set(written) - {"error", "warning"}
    assert len(codes) > 40
    assert codes == {"unknown-reference", *(code for code, *_ in CASES)}
