"""The declared tables of a plan: keys, columns, units, and whether the audit recomputes them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Role = Literal["key", "audited", "explanation"]


@dataclass(frozen=True)
class Column:
    """One column: its unit ("-" for names and counts) and who vouches for it."""

    name: str
    unit: str
    role: Role


@dataclass(frozen=True)
class Table:
    """One table of a plan; its key columns identify a row."""

    name: str
    purpose: str
    columns: tuple[Column, ...]

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns."""
        return tuple(c.name for c in self.columns if c.role == "key")

    @cached_property
    def audited(self) -> tuple[str, ...]:
        """Names of the columns that the audit recomputes."""
        return tuple(c.name for c in self.columns if c.role == "audited")


def _table(name: str, purpose: str, key: str, audited: str, explanation: str = "") -> Table:
    """Columns are written ``name[unit]``; names without a bracket have none."""

    def columns(text: str, role: Role) -> list[Column]:
        pairs = [word.rstrip("]").partition("[") for word in text.split()]
        return [Column(name, unit or "-", role) for name, _, unit in pairs]

    return Table(
        name,
        purpose,
        (*columns(key, "key"), *columns(audited, "audited"), *columns(explanation, "explanation")),
    )


TABLES: tuple[Table, ...] = (
    _table(
        "decisions",
        "every decision that is not zero; with the inputs it rebuilds all else",
        "quantity site item contract since node",
        "value[by_quantity]",
    ),
    _table(
        "site_plan",
        "what each site's megawatts do in each quarter",
        "site node",
        "ours energised_mw[MW] hpc_gross_mw[MW] hpc_live_mw[MW] hpc_sold_mw[MW] building_mw[MW] "
        "modules_begun mining_mw[MW] slack_mw[MW] idle_mw[MW] btc_mined[BTC] mining_energy_mwh[MWh] "
        "mining_mean_mw[MW]",
        "quarter",
    ),
    _table(
        "mining", "machines by vintage", "site vintage node", "stock_mw[MW] on_mw[MW] slack_mw[MW]", "quarter"
    ),
    _table(
        "site_summary",
        "each site at the horizon",
        "site leaf",
        "strategy hpc_critical_mw[MW] hpc_gross_mw[MW] mining_mw[MW] capex_usd_m[$M] debt_usd_m[$M] "
        "npv_usd_m[$M] irr_frac[yearly] irr_reason payback_quarter",
        "tenants npv_company_usd_m[leaf_$M] one_mw_more_usd_m[leaf_$M] quarter_earlier_usd_m[leaf_$M]",
    ),
    _table(
        "hurdles",
        "each module cohort, machine purchase and expansion: what own money put into it earns",
        "kind site item contract node",
        "outlay_usd_m[$M] npv_usd_m[$M] irr_frac[yearly] irr_reason payback_quarter below_cost_of_equity",
        "quarter npv_company_usd_m[leaf_$M]",
    ),
    _table(
        "prices",
        "what one more dollar of company cash is worth, and the return that it must earn to the end",
        "node",
        "company_cash_usd_m[$M]",
        "quarter cash_usd[leaf_USD] hurdle_frac[yearly]",
    ),
    _table(
        "strategies",
        "what the strategies asked for get: gross MW that could become HPC, and what stays unmet",
        "site leaf",
        "convertible_mw[MW] unmet_mw[MW]",
        "asked",
    ),
    _table(
        "contracts",
        "offers signed and contracts held, at the horizon",
        "contract site leaf",
        "mw_critical[MW] mw_sold[MW]",
        "tenant state signed_quarter",
    ),
    _table(
        "terminations",
        "contracts that end before their term: MW under them, what is paid and what is paid back",
        "contract site node",
        "mw_critical[MW] fee_usd_m[$M] refund_usd_m[$M]",
        "quarter tenant paid_by",
    ),
    _table(
        "financing",
        "money raised: gross, what arrives, and shares sold or reserved",
        "instrument node",
        "gross_usd_m[$M] net_usd_m[$M] shares_m[M]",
        "quarter kind",
    ),
    _table(
        "sources_uses",
        "where the money comes from and goes to, over the horizon",
        "leaf side item",
        "usd_m[$M]",
    ),
    _table(
        "cash_flow", "every movement of cash, inflows positive", "entity node line", "usd_m[$M]", "quarter"
    ),
    _table(
        "income",
        "income statement of each entity and of all as one: income positive, cost negative",
        "entity node line",
        "usd_m[$M]",
        "quarter section",
    ),
    _table(
        "balance_sheet",
        "balance sheet of each entity and of all as one, the opening first",
        "entity node line",
        "usd_m[$M]",
        "quarter section",
    ),
    _table(
        "changes_in_equity",
        "how equity comes from what it was before the quarter",
        "entity node line",
        "usd_m[$M]",
        "quarter",
    ),
    _table(
        "share_counts",
        "shares outstanding and if-converted at the deck's prices, and what a share earns",
        "node",
        "outstanding_m[M] if_converted_m[M] earned_usd[USD] earned_diluted_usd[USD]",
        "quarter",
    ),
    _table(
        "debt_schedule",
        "each loan; facilities are site|product|contract|begun|closed",
        "debt node",
        "drawn_usd_m[$M] interest_usd_m[$M] principal_usd_m[$M] balance_usd_m[$M] restricted_usd_m[$M]",
        "quarter entity",
    ),
    _table(
        "project_waterfall",
        "each borrower with debt on the path to a leaf, and by the terms to its last maturity",
        "entity leaf quarter",
        "revenue_usd_m[$M] opex_usd_m[$M] cfads_usd_m[$M] interest_usd_m[$M] principal_usd_m[$M] "
        "balloon_usd_m[$M] sweep_usd_m[$M] reserve_usd_m[$M] contributed_usd_m[$M] distributed_usd_m[$M] "
        "balance_usd_m[$M] dscr[times] llcr[times] ltc_frac[fraction]",
    ),
    _table(
        "bitcoin",
        "coins of each lot: after the quarter's sale, sold, securing loans, and at the market's price",
        "lot node",
        "held_btc[BTC] sold_btc[BTC] pledged_btc[BTC] market_usd_m[$M]",
        "quarter entity",
    ),
    _table(
        "collateral",
        "each loan that coins secure: owed in the quarter, and what it may be at the trough before a call",
        "loan node",
        "owed_usd_m[$M] pledged_btc[BTC] at_trough_usd_m[$M] cash_usd_m[$M] headroom_usd_m[$M]",
        "quarter ltv_frac",
    ),
    _table(
        "convert_schedule",
        "convertibles over time, expected over the residual price law",
        "tranche node",
        "outstanding_usd_m[$M] coupon_usd_m[$M] principal_usd_m[$M] delivered_usd_m[$M] "
        "capped_call_usd_m[$M]",
        "quarter",
    ),
    _table(
        "convertibles",
        "each tranche at maturity by share price",
        "tranche price_usd",
        "cash_usd_m[$M] shares_out_m[M] shares_back_m[M] net_cost_usd_m[$M]",
    ),
    _table(
        "cap_table",
        "shares at the horizon: economic at lambda, reported if-converted with the capped call out",
        "leaf holder",
        "economic_shares_m[M] reported_shares_m[M]",
    ),
    _table(
        "liquidity",
        "cash against the floor, and for how many quarters it stays above it if markets shut after this one",
        "node",
        "company_cash_usd_m[$M] block_cash_usd_m[$M] locked_usd_m[$M] out_of_reach_usd_m[$M] "
        "restricted_usd_m[$M] undrawn_usd_m[$M] late_loss_usd_m[$M] wall_usd_m[$M] guaranteed_usd_m[$M] "
        "floor_usd_m[$M] headroom_usd_m[$M] runway_q[quarters]",
        "quarter",
    ),
    _table(
        "commitments",
        "what was signed before the plan",
        "commitment node",
        "own_usd_m[$M] funded_usd_m[$M] remaining_own_usd_m[$M] live_mw[MW]",
        "quarter",
    ),
    _table(
        "covenants",
        "tests, their headroom, and the value per share gained if one alone were lifted",
        "covenant node",
        "value threshold headroom",
        "quarter metric price_usd_per_share[USD]",
    ),
    _table(
        "tax",
        "each tax group's year, or the part of it that the plan has, by the node that ends it",
        "tax_group node",
        "interest_usd_m[$M] written_off_usd_m[$M] taxable_income_usd_m[$M] losses_used_usd_m[$M] "
        "losses_left_usd_m[$M] tax_usd_m[$M]",
        "quarter",
    ),
    _table(
        "stakes",
        "what others own a part of: all of it, the company's part, and what the market says of that part",
        "entity leaf",
        "whole_usd_m[$M] part_usd_m[$M] market_usd_m[$M]",
        "kind ownership_frac",
    ),
    _table("value", "components of value at each leaf", "leaf line", "usd_m[$M]"),
    _table("claims", "what others than today's shareholders take at lambda", "leaf claim", "usd_m[$M]"),
    _table(
        "leaves",
        "each future: its worth per economic share, beside lambda g, the deck's price, and what lambda g "
        "would be if what stood at the opening settled at it; liquidity, and debt due in the quarters after",
        "leaf",
        "probability value_usd_m[$M] economic_shares_m[M] value_per_share_usd[USD] plan_price_usd[USD] "
        "deck_price_usd[USD] own_price_usd[USD] liquidity_usd_m[$M] due_4q_usd_m[$M] due_8q_usd_m[$M]",
    ),
    _table(
        "decide_now",
        "what is signed, ordered and raised in the next two quarters",
        "quantity site item contract since node",
        "value[by_quantity]",
        "quarter amount_usd_m last_quarter undo undo_usd_m[$M]",
    ),
)
"""All tables, in the order in which they are written."""

STRESS = _table(
    "stress",
    "whether the decisions of the first two quarters can be carried through if the world turns: the best "
    "plan that keeps them, audited on the changed inputs",
    "shock",
    "",
    "survives value_per_share_usd[USD] rescue_usd_m[$M] rescue_quarter why what_changes",
)
"""Of a plan that has been put under stress; no part of the plan itself."""
DECLARED = (*TABLES, STRESS)

BY_NAME = {table.name: table for table in DECLARED}
