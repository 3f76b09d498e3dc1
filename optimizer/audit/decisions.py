"""The table of decisions read into records, and what is wrong with it as a table."""

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from models.domain.ledger import Quantity
from optimizer.audit.book import Book
from optimizer.audit.court import Court
from optimizer.audit.debts import is_callable
from optimizer.audit.modules import first_rent

TRADES = (Quantity.BUY_SITE, Quantity.SELL_SITE)
INTEGERS = (
    Quantity.START,
    Quantity.SIGN,
    Quantity.EXPAND,
    Quantity.COOL,
    Quantity.CANCEL,
    Quantity.OPEN,
    *TRADES,
    Quantity.HARVEST,
)
MEGAWATTS = (
    Quantity.ON_MW,
    Quantity.SLACK_MW,
    Quantity.BOUGHT_MW,
    Quantity.SOLD_MW,
    Quantity.MOVED_IN_MW,
    Quantity.MOVED_OUT_MW,
)
COINS = (Quantity.SOLD_BTC, Quantity.PLEDGED_BTC)
IN_BLOCKS = (Quantity.ISSUE, Quantity.NOTES)
"""Deals in debt, block of leverage by block."""
_COLUMNS = ("quantity", "site", "item", "contract", "since", "node", "value")


@dataclass(frozen=True)
class Start:
    """Modules of a product begun for a contract."""

    site: str
    product: str
    contract: str
    node: int
    modules: float


@dataclass(frozen=True)
class Financed:
    """Modules begun at one node whose facility closes at another."""

    site: str
    product: str
    contract: str
    begun: int
    closed: int
    modules: float


@dataclass(frozen=True)
class Leased:
    """Modules whose GPUs a lessor pays for."""

    site: str
    product: str
    contract: str
    lease: str
    begun: int
    modules: float


@dataclass(frozen=True)
class SoldBlock:
    """Let halls sold at a node: modules begun at another, or a part of a commitment."""

    site: str
    item: str
    contract: str
    begun: int
    """-1 of a commitment."""
    node: int
    count: float


@dataclass(frozen=True)
class Placed:
    """Something done at a site: an offer signed, steps or plant begun."""

    site: str
    item: str
    node: int
    amount: float


@dataclass
class Decisions:
    """All that was decided."""

    starts: list[Start] = field(default_factory=list)
    signs: list[Placed] = field(default_factory=list)
    expands: list[Placed] = field(default_factory=list)
    cools: list[Placed] = field(default_factory=list)
    orders: list[Placed] = field(default_factory=list)
    financed: list[Financed] = field(default_factory=list)
    leased: list[Leased] = field(default_factory=list)
    sold: list[SoldBlock] = field(default_factory=list)
    cancels: list[tuple[str, int]] = field(default_factory=list)
    traded: dict[tuple[Quantity, str, int], float] = field(default_factory=dict)
    """Sites bought and sold, by quantity, site, node."""
    mw: dict[tuple[Quantity, str, str, int], float] = field(default_factory=dict)
    """By quantity, site, vintage, node."""
    contributed: dict[tuple[str, int], float] = field(default_factory=dict)
    distributed: dict[tuple[str, int], float] = field(default_factory=dict)
    open: dict[tuple[str, int], float] = field(default_factory=dict)
    prepaid: dict[tuple[str, int], float] = field(default_factory=dict)
    """By debt, node."""
    called: dict[tuple[str, int], float] = field(default_factory=dict)
    taken_out: dict[tuple[str, int], float] = field(default_factory=dict)
    """Parts, by debt or take-out, node."""
    atm: dict[tuple[str, int, int], float] = field(default_factory=dict)
    """By instrument, block, node."""
    follow_on: dict[tuple[str, int], float] = field(default_factory=dict)
    taxed: dict[tuple[str, int], float] = field(default_factory=dict)
    """By tax group, node."""
    sold_btc: dict[tuple[str, int], float] = field(default_factory=dict)
    """By lot, node; the next by lot, loan, node at which the loan is taken or -1, node."""
    pledged_btc: dict[tuple[str, str, int, int], float] = field(default_factory=dict)
    cash_margin: dict[tuple[str, int], float] = field(default_factory=dict)
    borrowed: dict[tuple[str, int], float] = field(default_factory=dict)
    rolled: dict[tuple[str, int], float] = field(default_factory=dict)
    """By debt or instrument, node."""
    issue: dict[tuple[str, str, int], float] = field(default_factory=dict)
    """By instrument, block of leverage, node; so are notes."""
    notes: dict[tuple[str, str, int], float] = field(default_factory=dict)
    commit: dict[tuple[str, int], float] = field(default_factory=dict)
    drawn: dict[tuple[str, int], float] = field(default_factory=dict)
    repaid: dict[tuple[str, int], float] = field(default_factory=dict)
    repurchase: dict[tuple[str, int], float] = field(default_factory=dict)
    """Part of the whole tranche, by instrument and node."""
    harvest: dict[tuple[str, int], float] = field(default_factory=dict)
    payout: dict[tuple[str, int], float] = field(default_factory=dict)
    """Of no item, by node."""
    rescue: dict[tuple[str, int], float] = field(default_factory=lambda: defaultdict(float))
    """By borrower, empty for the company, and node."""

    def rescued(self, node: int) -> float:
        """All funding of last resort at a node. [$M]"""
        return sum(amount for (_, n), amount in self.rescue.items() if n == node)


@dataclass(frozen=True)
class _Row:
    quantity: Quantity
    site: str
    item: str
    contract: str
    since: str
    begun: int
    """Node that ``since`` names; -1 when it names none."""
    node: int
    value: float


def read_decisions(frame: pd.DataFrame, book: Book, court: Court) -> Decisions | None:
    """Records of the table; None, with the reasons in ``court``, when it cannot be read."""
    if missing := [c for c in _COLUMNS if c not in frame.columns]:
        court.require("decisions", "decisions", "", ",".join(missing), False, "a column", "none")
        return None
    decided, readable, seen = Decisions(), True, set()
    for cells in frame[list(_COLUMNS)].itertuples(index=False, name=None):
        *words, value = cells
        place = "|".join(map(str, words))
        reason = _reason(words, value, book)
        if not reason and place in seen:
            reason = "a second row of this key"
        seen.add(place)
        if court.require("decisions", "decisions", place, "value", not reason, "a valid row", reason or ""):
            _enter(decided, _row(words, value, book))
        else:
            readable = False
    return decided if readable else None


def _row(words: list[str], value: float, book: Book) -> _Row:
    quantity = Quantity(words[0])
    amount = float(round(value)) if quantity in INTEGERS else float(value)
    site, item, contract, since, node = words[1:6]
    return _Row(
        quantity, site, item, contract, since, book.node_of.get(since, -1), book.node_of[node], amount
    )


def _reason(words: list[object], value: object, book: Book) -> str:
    """What makes a row unusable; empty when nothing does."""
    if not all(isinstance(w, str) for w in words):
        return "a key that is not text"
    quantity, *_, node = map(str, words)
    if quantity not in list(Quantity):
        return "unknown quantity"
    if node not in book.node_of:
        return "unknown node"
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "not a number"
    if not math.isfinite(number):
        return "not a finite number"
    if number < -Court.MW:
        return "a negative amount"
    if Quantity(quantity) in INTEGERS and abs(number - round(number)) > Court.INTEGER:
        return "not an integer"
    return _unknown_name(_row([str(w) for w in words], number, book), book)


def _unknown_name(row: _Row, book: Book) -> str:
    """Names that the inputs do not hold, or keys that do not belong to the quantity."""
    entities, q = {e.entity for e in book.portfolio.entities}, row.quantity
    route = row.site in book.sites and row.item in book.products and row.contract in book.contracts
    kinds = {
        Quantity.FOLLOW_ON: "follow_on",
        Quantity.ISSUE: "convertible",
        Quantity.BORROWED: "btc_loan",
        Quantity.NOTES: "notes",
        Quantity.COMMIT: "revolver",
        Quantity.DRAWN: "revolver",
        Quantity.REPAID: "revolver",
        Quantity.REPURCHASE: "repurchase",
    }
    checks: dict[Quantity, Callable[[], bool]] = {
        Quantity.START: lambda: route and (row.site, book.products[row.item].cooling) in book.cooling,
        Quantity.SIGN: lambda: row.site in book.sites and row.contract in book.contracts,
        Quantity.EXPAND: lambda: row.item in book.expansions and book.expansions[row.item].site == row.site,
        Quantity.COOL: lambda: (row.site, row.item) in book.cooling,
        Quantity.FINANCED: lambda: route and _facility_exists(row, book),
        Quantity.ORDERED_MW: lambda: row.site in book.sites and _is_ordered_here(row, book),
        Quantity.LEASED: lambda: route and _is_leased(row, book),
        Quantity.CANCEL: lambda: row.item in book.commitments,
        Quantity.BUY_SITE: lambda: row.site in book.sites,
        Quantity.SELL_SITE: lambda: row.site in book.sites,
        Quantity.SELL_BLOCK: lambda: _is_built(row, book) if row.since else _is_committed(row, book),
        Quantity.CONTRIBUTED: lambda: row.item in entities - {book.parent},
        Quantity.DISTRIBUTED: lambda: row.item in entities - {book.parent},
        Quantity.OPEN: lambda: lock_up(book, row.item, row.node) > 0.0,
        Quantity.PREPAID: lambda: row.item in book.debts and _is_swept(row, book),
        Quantity.CALLED: lambda: row.item in book.debts and is_callable(book, book.debts[row.item], row.node),
        Quantity.TAKEN_OUT: lambda: row.item in book.take_outs and _may_close(row, book),
        Quantity.ATM: lambda: row.since.isdigit() and (row.item, int(row.since)) in book.blocks,
        Quantity.TAXED: lambda: _year_ends(row, book),
        Quantity.SOLD_BTC: lambda: row.item in book.lots,
        Quantity.PLEDGED_BTC: lambda: row.item in book.lots and _secures(row, book),
        Quantity.CASH_MARGIN: lambda: row.item in {c.debt for c in book.portfolio.loan_collateral},
        Quantity.ROLLED: lambda: row.item in book.debts,
        Quantity.HARVEST: lambda: not row.item,
        Quantity.PAYOUT: lambda: not row.item,
        Quantity.RESCUE: lambda: not row.item or row.item in book.alone,
    }
    if q in MEGAWATTS:
        known = row.site in book.sites and row.item in book.vintages
    elif q in kinds:
        known = row.item in book.instruments and book.instruments[row.item].kind == kinds[q]
        known = known and (q not in IN_BLOCKS or _block_exists(row, book))
    else:
        known = checks[q]()
    return "" if known else f"names unknown to the inputs, or not of {q}"


def _year_ends(row: _Row, book: Book) -> bool:
    """Whether a tax group's year, or the plan, ends at the node."""
    known = row.item in {g.tax_group for g in book.portfolio.tax_groups}
    quarter = book.tree.quarter(row.node)
    return known and (quarter.year < (quarter + 1).year or not book.tree.children[row.node])


def _is_swept(row: _Row, book: Book) -> bool:
    """Whether the loan is one that excess cash repays, and not yet due."""
    debt = book.debts[row.item]
    return bool(debt.sweep_frac) and book.tree.quarter(row.node) < debt.maturity_quarter


def _may_close(row: _Row, book: Book) -> bool:
    """Whether the quarter of the node is one in which the take-out may close."""
    terms = book.take_outs[row.item]
    return terms.from_quarter <= book.tree.quarter(row.node) <= terms.to_quarter


def lock_up(book: Book, entity: str, node: int) -> float:
    """The highest DSCR that a borrower's loans ask for at a node before it hands cash up; 0: none does."""
    quarter, least = book.tree.quarter(node), 0.0
    for debt in book.portfolio.debt:
        since = debt.lockup_from_quarter or debt.first_repayment_quarter
        if debt.entity == entity and since <= quarter <= debt.maturity_quarter:
            least = max(least, debt.lockup_dscr or 0.0)
    return least


def _block_exists(row: _Row, book: Book) -> bool:
    """Whether the instrument has the block of leverage, or has none and names none."""
    blocks = {block for name, block in book.leverage if name == row.item}
    return row.since in (blocks or {""})


def _is_ordered_here(row: _Row, book: Book) -> bool:
    """Whether equipment of the name serves the site."""
    return row.item in book.equipment and book.equipment[row.item].site in (None, row.site)


def _is_leased(row: _Row, book: Book) -> bool:
    """Whether the lessor pays for the GPUs of the product."""
    return row.since in book.leases and row.item in book.leases[row.since].products


def _is_built(row: _Row, book: Book) -> bool:
    """Whether modules of the route may have been begun before the node."""
    product = book.products.get(row.item)
    known = product is not None and row.contract in book.contracts
    known = known and (row.site, product.cooling if product else "") in book.cooling
    return known and row.begun in book.paths[row.node]


def _is_committed(row: _Row, book: Book) -> bool:
    """Whether a commitment of the name stands at the site under the contract."""
    held = book.commitments.get(row.item)
    return held is not None and (held.site, held.contract) == (row.site, row.contract)


def _facility_exists(row: _Row, book: Book) -> bool:
    """Whether the contract has lenders and the loan closes at the start or at completion."""
    begun = row.begun
    if begun < 0 or book.contracts[row.contract].credit_class not in book.classes:
        return False
    product, contract = book.products[row.item], book.contracts[row.contract]
    paid = first_rent(book, product, contract, book.tree.quarter(begun) + product.lead_q)
    at_completion = paid == book.tree.quarter(row.node) and begun in book.paths[row.node]
    return (row.node == begun or at_completion) and book.ended(row.contract, row.node) is None


def _secures(row: _Row, book: Book) -> bool:
    """Whether a loan of the lot's owner asks for coins, and is taken by then if it is the plan's."""
    owner = book.lots[row.item].entity
    if not row.since:
        with_coins = {c.debt for c in book.portfolio.loan_collateral}
        return row.contract in with_coins and book.debts[row.contract].entity == owner
    terms = book.instruments.get(row.contract)
    is_line = terms is not None and terms.kind == "btc_loan" and owner == book.parent
    return is_line and row.begun in book.paths[row.node]


def _enter(to: Decisions, row: _Row) -> None:
    q, n, value = row.quantity, row.node, row.value
    if q is Quantity.START:
        to.starts.append(Start(row.site, row.item, row.contract, n, value))
    elif q is Quantity.SIGN:
        to.signs.append(Placed(row.site, row.contract, n, value))
    elif q is Quantity.EXPAND:
        to.expands.append(Placed(row.site, row.item, n, value))
    elif q is Quantity.COOL:
        to.cools.append(Placed(row.site, row.item, n, value))
    elif q is Quantity.ORDERED_MW:
        to.orders.append(Placed(row.site, row.item, n, value))
    elif q is Quantity.FINANCED:
        to.financed.append(Financed(row.site, row.item, row.contract, row.begun, n, value))
    elif q is Quantity.LEASED:
        to.leased.append(Leased(row.site, row.item, row.contract, row.since, n, value))
    elif q is Quantity.SELL_BLOCK:
        to.sold.append(SoldBlock(row.site, row.item, row.contract, row.begun, n, value))
    elif q is Quantity.CANCEL:
        if value:
            to.cancels.append((row.item, n))
    elif q in TRADES:
        to.traded[q, row.site, n] = value
    elif q in MEGAWATTS:
        to.mw[q, row.site, row.item, n] = value
    elif q is Quantity.ATM:
        to.atm[row.item, int(row.since), n] = value
    elif q is Quantity.PLEDGED_BTC:
        to.pledged_btc[row.item, row.contract, row.begun, n] = value
    elif q in IN_BLOCKS:
        getattr(to, q.value)[row.item, row.since, n] = value
    elif q is Quantity.RESCUE:
        to.rescue[row.item, n] += value
    else:
        getattr(to, q.value)[row.item, n] = value
