"""Names that one table uses and another must have."""

from collections.abc import Iterator
from typing import NamedTuple, get_args

from models.domain.portfolio import TABLES, Portfolio
from models.domain.product import Workload
from models.domain.row import Row
from models.findings import Finding
from optimizer.inputs.checks.register import Check, doubt, error, label, listed, reads
from optimizer.inputs.columns import columns_of, nearest


class Reference(NamedTuple):
    """``table.column`` names rows of table ``to`` by the first part of their key."""

    table: str
    column: str
    to: str


MEANT = 20
"""Unknown names of a column for which the nearest known one is looked for: it takes time."""

REFERENCES = (
    Reference("sites", "entity", "entities"),
    Reference("sites", "region", "regions"),
    Reference("sites", "market", "market_shapes"),
    Reference("power", "site", "sites"),
    Reference("expansions", "site", "sites"),
    Reference("contracts", "option_of", "contracts"),
    Reference("cooling", "site", "sites"),
    Reference("site_products", "site", "sites"),
    Reference("site_products", "product", "products"),
    Reference("products", "spend_profile", "profiles"),
    Reference("products", "gpu_spend_profile", "profiles"),
    Reference("products", "ramp_profile", "profiles"),
    Reference("machines", "resale_profile", "profiles"),
    Reference("contracts", "sites", "sites"),
    Reference("contracts", "credit_class", "credit_classes"),
    Reference("contract_money", "contract", "contracts"),
    Reference("renewals", "contract", "contracts"),
    Reference("terminations", "scenario", "scenarios"),
    Reference("terminations", "contract", "contracts"),
    Reference("commitments", "site", "sites"),
    Reference("commitments", "contract", "contracts"),
    Reference("commitments", "product", "products"),
    Reference("commitments", "debt", "debt"),
    Reference("commitment_flows", "commitment", "commitments"),
    Reference("share_claims", "contract", "contracts"),
    Reference("fleets", "site", "sites"),
    Reference("fleets", "machine", "machines"),
    Reference("debt", "entity", "entities"),
    Reference("debt", "repayment_profile", "profiles"),
    Reference("treasury", "entity", "entities"),
    Reference("treasury", "pledged_to", "debt"),
    Reference("loan_collateral", "debt", "debt"),
    Reference("take_outs", "entity", "entities"),
    Reference("take_outs", "credit_class", "credit_classes"),
    Reference("take_outs", "debt", "debt"),
    Reference("vendor_leases", "products", "products"),
    Reference("long_lead", "products", "products"),
    Reference("long_lead", "site", "sites"),
    Reference("long_lead", "tax_class", "tax_classes"),
    Reference("impact", "instrument", "instruments"),
    Reference("leverage_blocks", "instrument", "instruments"),
    Reference("instruments", "tranche", "convertibles"),
    Reference("budgets", "site", "sites"),
    Reference("covenants", "entity", "entities"),
    Reference("entities", "tax_group", "tax_groups"),
    Reference("products", "tax_class", "tax_classes"),
    Reference("products", "gpu_tax_class", "tax_classes"),
    Reference("cooling", "tax_class", "tax_classes"),
    Reference("expansions", "tax_class", "tax_classes"),
    Reference("sites", "tax_class", "tax_classes"),
    Reference("machines", "tax_class", "tax_classes"),
    Reference("tax_classes", "profile", "profiles"),
    Reference("scenarios", "branch_from", "scenarios"),
    Reference("market", "scenario", "scenarios"),
)


def rows_of(portfolio: Portfolio, table: str) -> tuple[Row, ...]:
    """Records of a table by its name."""
    rows: tuple[Row, ...] = getattr(portfolio, table)
    return rows


def _named(value: object) -> tuple[str, ...]:
    """Names in one cell: none, one, or several."""
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, tuple) else (str(value),)


def _reference_check(reference: Reference) -> Check:
    table, column, to = reference

    @reads(table, to)
    def names_exist(portfolio: Portfolio) -> Iterator[Finding]:
        known = sorted({str(getattr(row, row.key[0])) for row in rows_of(portfolio, to)})
        listing, there = f"add it to {to}, or write one of: {listed(known, 12)}", frozenset(known)
        remedies: dict[str, str] = {}
        for row in rows_of(portfolio, table):
            for name in _named(getattr(row, column)):
                if name not in there:
                    if name not in remedies and len(remedies) < MEANT:
                        remedies[name] = nearest(name, known, listing)
                    remedy = remedies.get(name, listing)
                    yield error("unknown-reference", row, column, f"{to} has no '{name}'", remedy)

    return names_exist


@reads("contracts", "products", "cooling")
def contract_words_known(portfolio: Portfolio) -> Iterator[Finding]:
    """Workloads and coolings of contracts are ones that exist."""
    coolings = sorted({p.cooling for p in portfolio.products} | {c.cooling for c in portfolio.cooling})
    for contract in portfolio.contracts:
        for column, known in (("workloads", list(get_args(Workload))), ("coolings", coolings)):
            for name in getattr(contract, column):
                if name not in known:
                    remedy = nearest(name, known, f"write some of: {listed(known, 12)}")
                    yield error("unknown-reference", contract, column, f"no product has '{name}'", remedy)


@reads("provenance")
def evidence_of_tables(portfolio: Portfolio) -> Iterator[Finding]:
    """Evidence is about tables and columns that exist."""
    for row in portfolio.provenance:
        if row.of_table not in TABLES:
            remedy = nearest(row.of_table, list(TABLES), f"tables: {listed(TABLES, 40)}")
            yield error("unknown-reference", row, "of_table", f"there is no table '{row.of_table}'", remedy)
        elif row.column not in columns_of(TABLES[row.of_table]):
            known = list(columns_of(TABLES[row.of_table]))
            message = f"{row.of_table} has no column '{row.column}'"
            yield error(
                "unknown-reference",
                row,
                "column",
                message,
                nearest(row.column, known, f"it has {listed(known, 40)}"),
            )


def _evidence_check(table: str) -> Check:
    @reads("provenance", table)
    def evidence_of_rows(portfolio: Portfolio) -> Iterator[Finding]:
        about = [row for row in portfolio.provenance if row.of_table == table]
        known = {label(row) for row in rows_of(portfolio, table)} if about else set()
        for row in about:
            if row.row not in known:
                remedy = nearest(
                    row.row, sorted(known), "delete it, or write a row's key, its parts joined by '|'"
                )
                yield doubt("stale-evidence", row, "row", f"{table} has no row '{row.row}'", remedy)

    return evidence_of_rows


CHECKS = (
    *map(_reference_check, REFERENCES),
    contract_words_known,
    evidence_of_tables,
    *map(_evidence_check, TABLES),
)
