"""The closed vocabularies of the financial statements, and the lives that book depreciation takes."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Literal, TypeVar

from pydantic import Field

from models.domain.row import Row

Line = TypeVar("Line", bound=StrEnum)
CONSOLIDATED = "consolidated"
"""Name under which all entities are shown as one."""
OPENING = "opening"
"""Name of the balance before the first quarter."""


class BookLife(Row):
    """Over how long assets of a kind are depreciated in the statements, in equal parts."""

    table: ClassVar[str] = "book_lives"
    key: ClassVar[tuple[str, ...]] = ("asset",)

    asset: Literal["halls", "gpus", "cooling", "power"] = Field(
        description="power: connections, long-lead equipment, sites bought; without a row: kept at cost"
    )
    life_q: int = Field(ge=1, le=400, description="from the quarter in which it goes live")


class IncomeLine(StrEnum):
    """Lines of the income statement; income positive, cost negative."""

    MINING_REVENUE = "mining_revenue"
    """Coins at the price of the quarter in which they are received, the pool's fee taken off."""
    INTERRUPTIBLE_CREDITS = "interruptible_credits"
    RENT = "rent"
    """Of powered shells and colocation, as it falls due, halls let again included."""
    CLOUD_REVENUE = "cloud_revenue"
    """The same of GPU clouds."""
    DEMAND_RECOVERED = "demand_recovered"
    POWER_RESOLD = "power_resold"
    TERMINATION_FEES = "termination_fees"
    TENANT_CONTRIBUTIONS = "tenant_contributions"
    """Tenant money that is never given back."""
    LINES_OF_BUSINESS = "lines_of_business"
    """EBITDA of lines of business that the plan does not decide."""
    MINING_POWER = "mining_power"
    MINING_UPKEEP = "mining_upkeep"
    HPC_POWER = "hpc_power"
    HPC_OPEX = "hpc_opex"
    DEMAND_CHARGES = "demand_charges"
    TAKE_OR_PAY = "take_or_pay"
    SITE_COSTS = "site_costs"
    LATE_DAMAGES = "late_damages"
    OVERHEAD = "overhead"
    STOCK_AWARDS = "stock_awards"
    SITE_OPENINGS = "site_openings"
    CANCEL_FEES = "cancel_fees"
    MACHINE_MOVES = "machine_moves"
    DEPRECIATION = "depreciation"
    MACHINES_SOLD = "machines_sold"
    """Gain or loss against the carrying amount; so of what follows."""
    HALLS_SOLD = "halls_sold"
    SITES_SOLD = "sites_sold"
    BITCOIN_GAINS = "bitcoin_gains"
    """Of coins held, at the market, and what their sale costs."""
    WRITTEN_OFF = "written_off"
    """Commitments cancelled."""
    INTEREST_INCOME = "interest_income"
    INTEREST_EXPENSE = "interest_expense"
    """All that accrues, what is capitalised included."""
    INTEREST_CAPITALISED = "interest_capitalised"
    FINANCING_COSTS = "financing_costs"
    """Fees of loans and notes, when they are raised."""
    DEBT_RETIRED = "debt_retired"
    """What is paid for loans called and notes bought back, above or below their carrying amount."""
    SHARE_OF_RESULTS = "share_of_results"
    """Of the parent alone: its part of what the others earn."""
    INCOME_TAX = "income_tax"
    NET_INCOME = "net_income"
    TO_MINORITIES = "to_minorities"
    """Of net income, what others own."""
    TO_SHAREHOLDERS = "to_shareholders"


class BalanceLine(StrEnum):
    """Lines of the balance sheet."""

    CASH = "cash"
    RESTRICTED_CASH = "restricted_cash"
    RECEIVABLES = "receivables"
    BITCOIN = "bitcoin"
    HOLDINGS = "holdings"
    CONSTRUCTION = "construction"
    PROPERTY = "property"
    INVESTMENTS = "investments"
    """Of the parent alone: its part of the others' equity."""
    TOTAL_ASSETS = "total_assets"
    PAYABLES = "payables"
    TENANT_MONEY = "tenant_money"
    TAX_PAYABLE = "tax_payable"
    PROJECT_DEBT = "project_debt"
    LEASE_LIABILITIES = "lease_liabilities"
    BITCOIN_LOANS = "bitcoin_loans"
    CORPORATE_NOTES = "corporate_notes"
    REVOLVER = "revolver"
    CONVERTIBLE_NOTES = "convertible_notes"
    """At principal."""
    RESCUE_FUNDING = "rescue_funding"
    TOTAL_LIABILITIES = "total_liabilities"
    OPENING_EQUITY = "opening_equity"
    """What balances the opening, and never changes."""
    PAID_IN_CAPITAL = "paid_in_capital"
    """Since the opening."""
    RETAINED_EARNINGS = "retained_earnings"
    """Since the opening."""
    MINORITY_INTERESTS = "minority_interests"
    TOTAL_EQUITY = "total_equity"


class EquityLine(StrEnum):
    """Lines of the changes in equity of a quarter."""

    BEFORE = "before"
    NET_INCOME = "net_income"
    SHARES_ISSUED = "shares_issued"
    """Net of what selling them costs."""
    STOCK_AWARDS = "stock_awards"
    NOTES_CONVERTED = "notes_converted"
    """Carrying amount of notes settled, less the cash paid for them."""
    CAPPED_CALLS = "capped_calls"
    CONTRIBUTED = "contributed"
    DISTRIBUTED = "distributed"
    MACHINES_MOVED = "machines_moved"
    """Between entities, at their carrying amount."""
    PAYOUTS = "payouts"
    AFTER = "after"


_INCOME_SECTIONS: Mapping[str, tuple[IncomeLine, IncomeLine]] = {
    "revenue": (IncomeLine.MINING_REVENUE, IncomeLine.LINES_OF_BUSINESS),
    "cost": (IncomeLine.MINING_POWER, IncomeLine.MACHINE_MOVES),
    "depreciation": (IncomeLine.DEPRECIATION, IncomeLine.DEPRECIATION),
    "gains_and_losses": (IncomeLine.MACHINES_SOLD, IncomeLine.WRITTEN_OFF),
    "finance": (IncomeLine.INTEREST_INCOME, IncomeLine.DEBT_RETIRED),
    "associates": (IncomeLine.SHARE_OF_RESULTS, IncomeLine.SHARE_OF_RESULTS),
    "tax": (IncomeLine.INCOME_TAX, IncomeLine.INCOME_TAX),
    "total": (IncomeLine.NET_INCOME, IncomeLine.TO_SHAREHOLDERS),
}
_BALANCE_SECTIONS: Mapping[str, tuple[BalanceLine, BalanceLine]] = {
    "assets": (BalanceLine.CASH, BalanceLine.INVESTMENTS),
    "liabilities": (BalanceLine.PAYABLES, BalanceLine.RESCUE_FUNDING),
    "equity": (BalanceLine.OPENING_EQUITY, BalanceLine.MINORITY_INTERESTS),
}


def _members(first: Line, last: Line) -> tuple[Line, ...]:
    lines = list(type(first))
    return tuple(lines[lines.index(first) : lines.index(last) + 1])


INCOME_SECTIONS = {name: _members(*ends) for name, ends in _INCOME_SECTIONS.items()}
"""Lines of each section in order; the sum of all but the totals is net income."""
BALANCE_SECTIONS = {name: _members(*ends) for name, ends in _BALANCE_SECTIONS.items()}
"""Lines of each section in order, totals apart."""
EARNED = tuple(line for name, lines in INCOME_SECTIONS.items() if name != "total" for line in lines)
"""Lines that add up to net income."""
TOTALS = {
    "assets": BalanceLine.TOTAL_ASSETS,
    "liabilities": BalanceLine.TOTAL_LIABILITIES,
    "equity": BalanceLine.TOTAL_EQUITY,
}
"""Total of each section of the balance sheet."""
DEBT_LINE = {
    "gpu": BalanceLine.PROJECT_DEBT,
    "project": BalanceLine.PROJECT_DEBT,
    "corporate": BalanceLine.CORPORATE_NOTES,
    "lease": BalanceLine.LEASE_LIABILITIES,
    "btc": BalanceLine.BITCOIN_LOANS,
}
"""Where existing loans stand by their kind, and what rolls them."""
