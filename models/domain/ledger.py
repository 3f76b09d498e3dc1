"""The closed vocabularies of the books: lines of cash, components of value, quantities decided."""

from enum import StrEnum


class CashLine(StrEnum):
    """Lines of the cash flow; inflows positive. Every movement of cash is on exactly one."""

    RENT = "rent"
    RELET_RENT = "relet_rent"
    """Of halls let again after their contract ended early."""
    TENANT_CREDIT = "tenant_credit"
    LATE_DAMAGES = "late_damages"
    OPEX = "opex"
    HPC_POWER = "hpc_power"
    MINING_MARGIN = "mining_margin"
    DEMAND_CHARGE = "demand_charge"
    DEMAND_RECOVERED = "demand_recovered"
    TAKE_OR_PAY = "take_or_pay"
    RESALE_GAIN = "resale_gain"
    FIXED_COST = "fixed_cost"
    MODULE_SPEND = "module_spend"
    RENEWAL_CAPEX = "renewal_capex"
    """GPUs replaced, and halls refitted, while they are let."""
    COOLING_SPEND = "cooling_spend"
    EQUIPMENT_SPEND = "equipment_spend"
    """Long-lead equipment: deposits, and the rest on delivery."""
    EXPANSION_SPEND = "expansion_spend"
    ONCE_SPEND = "once_spend"
    COMMITMENT_SPEND = "commitment_spend"
    CANCEL_FEE = "cancel_fee"
    SITE_PURCHASE = "site_purchase"
    SITE_SALE = "site_sale"
    """Of a site sold whole, less what the sale costs."""
    BLOCK_SALE = "block_sale"
    """Of let halls sold at a cap rate, less what the sale costs."""
    MACHINE_PURCHASE = "machine_purchase"
    MACHINE_SALE = "machine_sale"
    MACHINE_MOVE = "machine_move"
    TENANT_MONEY = "tenant_money"
    TENANT_REFUND = "tenant_refund"
    TERMINATION_FEE = "termination_fee"
    SECURITY = "security"
    PROJECT_DRAWS = "project_draws"
    ESCROW_INCOME = "escrow_income"
    PROJECT_INTEREST = "project_interest"
    PROJECT_PRINCIPAL = "project_principal"
    RESERVE_RELEASE = "reserve_release"
    LEASE_DRAWS = "lease_draws"
    """GPUs that a lessor pays for."""
    LEASE_INTEREST = "lease_interest"
    LEASE_PRINCIPAL = "lease_principal"
    ESCROW_RELEASE = "escrow_release"
    DEBT_DRAWS = "debt_draws"
    DEBT_INTEREST = "debt_interest"
    DEBT_PRINCIPAL = "debt_principal"
    CALL_PREMIUM = "call_premium"
    """What a loan called before its maturity costs above par."""
    BITCOIN_SALE = "bitcoin_sale"
    CASH_MARGIN = "cash_margin"
    """Cash laid beside pledged coins, and back."""
    LOAN_PROCEEDS = "loan_proceeds"
    REFINANCED = "refinanced"
    LOAN_INTEREST = "loan_interest"
    LOAN_PRINCIPAL = "loan_principal"
    """Of loans that the plan takes: against bitcoin, or to roll a balloon."""
    CONTRIBUTED = "contributed"
    DISTRIBUTED = "distributed"
    """With the company; what partners pay in and are paid has lines of its own."""
    PARTNER_CONTRIBUTED = "partner_contributed"
    PARTNER_DISTRIBUTED = "partner_distributed"
    OVERHEAD = "overhead"
    OTHER_LINES = "other_lines"
    INTEREST_INCOME = "interest_income"
    CONVERT_COUPON = "convert_coupon"
    CONVERT_PRINCIPAL = "convert_principal"
    CONVERT_PROCEEDS = "convert_proceeds"
    EQUITY_PROCEEDS = "equity_proceeds"
    TAX = "tax"
    NOTES_PROCEEDS = "notes_proceeds"
    NOTES_INTEREST = "notes_interest"
    NOTES_PRINCIPAL = "notes_principal"
    REVOLVER_DRAWN = "revolver_drawn"
    REVOLVER_REPAID = "revolver_repaid"
    REVOLVER_INTEREST = "revolver_interest"
    """With the commitment fee and what it costs to arrange."""
    REPURCHASE = "repurchase"
    PAYOUTS = "payouts"
    """To the shareholders."""
    RESCUE = "rescue"


EBITDA_LINES = (
    CashLine.RENT,
    CashLine.RELET_RENT,
    CashLine.LATE_DAMAGES,
    CashLine.OPEX,
    CashLine.HPC_POWER,
    CashLine.MINING_MARGIN,
    CashLine.DEMAND_CHARGE,
    CashLine.DEMAND_RECOVERED,
    CashLine.TAKE_OR_PAY,
    CashLine.RESALE_GAIN,
    CashLine.FIXED_COST,
    CashLine.OVERHEAD,
    CashLine.OTHER_LINES,
)
"""Lines that add up to EBITDA."""

CFADS_LINES = (*EBITDA_LINES, CashLine.TENANT_CREDIT, CashLine.TAX)
"""Lines that add up to the cash from which a borrower serves its loans; tax where it pays its own."""

REVENUE_LINES = (
    CashLine.RENT,
    CashLine.RELET_RENT,
    CashLine.MINING_MARGIN,
    CashLine.DEMAND_RECOVERED,
    CashLine.RESALE_GAIN,
)
"""Of them, what comes in; the rest is what it takes."""

SERVICE_INTEREST_LINES = (
    CashLine.DEBT_INTEREST,
    CashLine.PROJECT_INTEREST,
    CashLine.LOAN_INTEREST,
    CashLine.LEASE_INTEREST,
)
"""Interest that a borrower pays out of it."""

TAXABLE_LINES = (
    *EBITDA_LINES,
    CashLine.TERMINATION_FEE,
    CashLine.SITE_SALE,
    CashLine.BLOCK_SALE,
    CashLine.MACHINE_SALE,
    CashLine.BITCOIN_SALE,
    CashLine.ESCROW_INCOME,
    CashLine.INTEREST_INCOME,
    CashLine.ONCE_SPEND,
    CashLine.CANCEL_FEE,
    CashLine.MACHINE_MOVE,
)
"""Lines that are taxable income or deducted as they are paid; interest and assets written off come off."""

LENT_LINES = (
    CashLine.EQUITY_PROCEEDS,
    CashLine.CONVERT_PROCEEDS,
    CashLine.NOTES_PROCEEDS,
    CashLine.LOAN_PROCEEDS,
    CashLine.REVOLVER_DRAWN,
    CashLine.DEBT_DRAWS,
    CashLine.REFINANCED,
)
"""Money that investors and lenders bring to the company: no payout is made of it."""

MARKET_LINES = (
    CashLine.EQUITY_PROCEEDS,
    CashLine.CONVERT_PROCEEDS,
    CashLine.NOTES_PROCEEDS,
    CashLine.RESCUE,
)
"""Money that stops when markets shut."""

CORPORATE_COST_LINES = (
    CashLine.OVERHEAD,
    CashLine.TAX,
    CashLine.CONVERT_COUPON,
    CashLine.CONVERT_PRINCIPAL,
    CashLine.DEBT_INTEREST,
    CashLine.DEBT_PRINCIPAL,
    CashLine.LOAN_INTEREST,
    CashLine.LOAN_PRINCIPAL,
    CashLine.NOTES_INTEREST,
    CashLine.NOTES_PRINCIPAL,
    CashLine.REVOLVER_INTEREST,
    CashLine.REVOLVER_REPAID,
    CashLine.REPURCHASE,
)
"""What the company pays to others than its sites and shareholders; never an inflow."""

INTEREST_EARNED_LINES = (CashLine.ESCROW_INCOME, CashLine.INTEREST_INCOME)
"""What nets interest where it is capped."""

SPEND_LINES = (
    CashLine.MODULE_SPEND,
    CashLine.RENEWAL_CAPEX,
    CashLine.COOLING_SPEND,
    CashLine.EQUIPMENT_SPEND,
    CashLine.EXPANSION_SPEND,
    CashLine.ONCE_SPEND,
    CashLine.COMMITMENT_SPEND,
    CashLine.CANCEL_FEE,
    CashLine.SITE_PURCHASE,
    CashLine.MACHINE_PURCHASE,
    CashLine.MACHINE_MOVE,
)
"""Lines that are capital spending."""


class ValueLine(StrEnum):
    """Components of a leaf's value before share claims; what is owed is negative."""

    CASH = "cash"
    RESTRICTED = "restricted"
    EXISTING_DEBT = "existing_debt"
    PROJECT_DEBT = "project_debt"
    LEASES = "leases"
    """Of GPUs, taken by the plan, at par."""
    NEW_LOANS = "new_loans"
    """Taken by the plan against bitcoin, or to roll a balloon."""
    CORPORATE_DEBT = "corporate_debt"
    """Notes issued and the revolver drawn by the plan."""
    UNEARNED_TENANT_MONEY = "unearned_tenant_money"
    REMAINING_SPEND = "remaining_spend"
    COMMITTED_CONTRACTS = "committed_contracts"
    """What was signed at the opening."""
    OFFERED_CONTRACTS = "offered_contracts"
    """What the plan assumes it signs."""
    MERCHANT_CONTRACTS = "merchant_contracts"
    RENEWALS = "renewals"
    """Rent after base terms and of halls let again, less costs."""
    RESIDUALS = "residuals"
    """What halls and GPUs are worth when their last term ends."""
    EQUIPMENT = "equipment"
    """Long-lead equipment that no module has used, at what it resells for."""
    RENEWAL_CAPEX = "renewal_capex"
    """The same after the leaf, at the rate of the stream that it serves."""
    MACHINES = "machines"
    LAND_AND_POWER = "land_and_power"
    HOLDINGS = "holdings"
    PAYOUTS = "payouts"
    """Paid to shareholders before the leaf, grown at the cost of equity."""
    BITCOIN = "bitcoin"
    UNCOUNTED_RISE = "uncounted_rise"
    """Rise of bitcoin beyond the cost of equity, of coins held and of coins sold."""
    OVERHEAD = "overhead"
    TAX_LATER = "tax_later"
    """On what the leaf is worth for later income, less what assets still write off."""
    TAX_OWED = "tax_owed"
    """On the part of a year that ends with the plan."""
    TAX_LOSSES = "tax_losses"
    """What losses left may still save."""
    MINORITY = "minority"
    """What others own of joint ventures and listed subsidiaries, negative."""
    RESCUE = "rescue"


DEBT_LINES = (
    ValueLine.EXISTING_DEBT,
    ValueLine.PROJECT_DEBT,
    ValueLine.LEASES,
    ValueLine.NEW_LOANS,
    ValueLine.CORPORATE_DEBT,
)
"""Components that are debts; convertibles are claims."""

CONTRACT_LINES = {
    "committed": ValueLine.COMMITTED_CONTRACTS,
    "offer": ValueLine.OFFERED_CONTRACTS,
    "option": ValueLine.OFFERED_CONTRACTS,
    "merchant": ValueLine.MERCHANT_CONTRACTS,
}
"""Line of the base term's value by the state of its contract."""

TAXED_VALUE_LINES = (
    *dict.fromkeys(CONTRACT_LINES.values()),
    ValueLine.RENEWALS,
    ValueLine.RESIDUALS,
    ValueLine.MACHINES,
    ValueLine.BITCOIN,
    ValueLine.UNCOUNTED_RISE,
    ValueLine.OVERHEAD,
)
"""Components that are income, or cost, after the leaf: taxed there."""


class Quantity(StrEnum):
    """Quantities that the plan decides: the first column of the table ``decisions``."""

    START = "start"
    SIGN = "sign"
    EXPAND = "expand"
    COOL = "cool"
    ORDERED_MW = "ordered_mw"
    """Long-lead equipment ordered."""
    FINANCED = "financed"
    TAKEN_OUT = "taken_out"
    """Part of a loan on what a borrower has let and built."""
    LEASED = "leased"
    """Modules whose GPUs a lessor pays for."""
    CANCEL = "cancel"
    BUY_SITE = "buy_site"
    SELL_SITE = "sell_site"
    SELL_BLOCK = "sell_block"
    """Let halls sold: modules of a cohort, or a part of a commitment."""
    ON_MW = "on_mw"
    SLACK_MW = "slack_mw"
    BOUGHT_MW = "bought_mw"
    SOLD_MW = "sold_mw"
    MOVED_IN_MW = "moved_in_mw"
    MOVED_OUT_MW = "moved_out_mw"
    CONTRIBUTED = "contributed"
    DISTRIBUTED = "distributed"
    OPEN = "open"
    """Whether a borrower may hand cash up where a lock-up is tested."""
    PREPAID = "prepaid"
    """Of an existing loan, repaid before its time."""
    CALLED = "called"
    """Part of an existing loan, called before its maturity."""
    ATM = "atm"
    FOLLOW_ON = "follow_on"
    ISSUE = "issue"
    TAXED = "taxed"
    """Income of a year that is taxed, after the losses used."""
    SOLD_BTC = "sold_btc"
    PLEDGED_BTC = "pledged_btc"
    CASH_MARGIN = "cash_margin"
    BORROWED = "borrowed"
    ROLLED = "rolled"
    NOTES = "notes"
    COMMIT = "commit"
    DRAWN = "drawn"
    REPAID = "repaid"
    REPURCHASE = "repurchase"
    HARVEST = "harvest"
    """Whether nothing more is begun or raised, so that shareholders may be paid."""
    PAYOUT = "payout"
    RESCUE = "rescue"


DECIDED_NOW = frozenset(Quantity) - {
    Quantity.ON_MW,
    Quantity.SLACK_MW,
    Quantity.CONTRIBUTED,
    Quantity.DISTRIBUTED,
    Quantity.OPEN,
    Quantity.TAXED,
    Quantity.RESCUE,
}
"""Quantities of which the next two quarters are shown apart: all but what is run from day to day."""

BEGUN = frozenset(
    {
        Quantity.START,
        Quantity.SIGN,
        Quantity.EXPAND,
        Quantity.COOL,
        Quantity.ORDERED_MW,
        Quantity.BOUGHT_MW,
        Quantity.BUY_SITE,
        Quantity.FINANCED,
        Quantity.LEASED,
    }
)
"""What commits the company to more, with the debt and leases that close for what is being built: nothing of
it in a harvest, nor in the committed-only plan."""

RAISED = frozenset(
    {
        Quantity.ATM,
        Quantity.FOLLOW_ON,
        Quantity.ISSUE,
        Quantity.NOTES,
        Quantity.COMMIT,
        Quantity.DRAWN,
        Quantity.BORROWED,
        Quantity.TAKEN_OUT,
    }
)
"""What brings the money of investors, lenders and lessors: nothing of it in a harvest."""

BEYOND_COMMITTED = BEGUN | {Quantity.CANCEL, Quantity.MOVED_IN_MW}
"""What the committed-only plan may not do. Commitments are kept and machines stay, as they do on the day; a
harvest may cancel and move, since neither begins anything."""

DEALS = RAISED | {Quantity.REPURCHASE, Quantity.ROLLED}
"""Nor these, unless what is committed cannot be paid otherwise: its debts are those of the day. A harvest may
buy notes back and roll a balloon, since neither brings money."""
