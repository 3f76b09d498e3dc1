"""The table hurdles: what each thing begun earns on the company's own money, beside the cost of equity."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from models.blocks.books import Decision
from models.domain.ledger import CashLine, Quantity, ValueLine
from optimizer.plans.reading import Array, Reading
from optimizer.plans.returns import Return, return_of

CASH = (
    CashLine.RENT,
    CashLine.RELET_RENT,
    CashLine.TERMINATION_FEE,
    CashLine.TENANT_REFUND,
    CashLine.TENANT_CREDIT,
    CashLine.OPEX,
    CashLine.HPC_POWER,
    CashLine.MODULE_SPEND,
    CashLine.RENEWAL_CAPEX,
    CashLine.COOLING_SPEND,
    CashLine.EXPANSION_SPEND,
    CashLine.MACHINE_PURCHASE,
    CashLine.TENANT_MONEY,
    CashLine.SECURITY,
    CashLine.PROJECT_DRAWS,
    CashLine.ESCROW_INCOME,
    CashLine.PROJECT_INTEREST,
    CashLine.PROJECT_PRINCIPAL,
    CashLine.RESERVE_RELEASE,
)
"""Cash of a thing begun, before tax; demand charges and what it displaces are the site's."""
WORTH = (
    ValueLine.COMMITTED_CONTRACTS,
    ValueLine.OFFERED_CONTRACTS,
    ValueLine.MERCHANT_CONTRACTS,
    ValueLine.RENEWALS,
    ValueLine.RESIDUALS,
    ValueLine.RENEWAL_CAPEX,
    ValueLine.REMAINING_SPEND,
    ValueLine.UNEARNED_TENANT_MONEY,
    ValueLine.LAND_AND_POWER,
    ValueLine.PROJECT_DEBT,
    ValueLine.RESTRICTED,
)
"""What is left of it at a leaf."""


@dataclass(frozen=True, eq=False)
class Own:
    """Own money by node, and what is left at each leaf. [$M]"""

    cash: Array
    left: Array
    at_start_usd_m: float = 0.0
    """Of the cash of the first node, what is paid before that quarter earns: a machine's price."""

    def __add__(self, other: "Own") -> "Own":
        return Own(self.cash + other.cash, self.left + other.left)


@dataclass(frozen=True, eq=False)
class Begun:
    """One thing begun: its place in the table, the node it begins at, its own money."""

    kind: str
    site: str
    item: str
    contract: str
    node: int
    own: Own


class Beginnings:
    """All that a plan begins, with its own money."""

    def __init__(self, r: Reading) -> None:
        self.r, self.p = r, r.program.params
        size = len(self.p.tree.nodes)
        self._cash: dict[int, Array] = defaultdict(lambda: np.zeros(size))
        self._left: dict[int, Array] = defaultdict(lambda: np.zeros(size))
        for books in r.program.books:
            for line in CASH:
                for n, amount in enumerate(books.cash.get(line, ())):
                    for coef, variable in zip(amount.coefs, amount.variables, strict=True):
                        self._cash[id(variable)][n] += coef
            for worth in WORTH:
                for leaf, amount in books.value.get(worth, {}).items():
                    for coef, variable in zip(amount.coefs, amount.variables, strict=True):
                        self._left[id(variable)][leaf] += coef

    def own(self, d: Decision, v: float) -> Own:
        """Own money of a decision."""
        i = id(d.variable)
        return Own(self._cash[i] * v, self._left[i] * v)

    def all(self) -> list[Begun]:
        """Modules with their project debt, machines bought, expansions."""
        r, found = self.r, list[Begun]()
        debt: dict[tuple[str, str, str, str], list[Own]] = defaultdict(list)
        for d, v in r.by_quantity[Quantity.FINANCED]:
            debt[d.site, d.item, d.contract, d.since].append(self.own(d, v))
        for d, v in r.by_quantity[Quantity.START]:
            own = self.own(d, v)
            for part in debt[d.site, d.item, d.contract, r.labels[d.node]]:
                own = own + part
            found.append(Begun("module", d.site, d.item, d.contract, d.node, own))
        for d, v in r.by_quantity[Quantity.BOUGHT_MW]:
            found.append(Begun("machine", d.site, d.item, "", d.node, self._machine(d, v)))
        for d, v in r.by_quantity[Quantity.EXPAND]:
            found.append(Begun("expansion", d.site, d.item, "", d.node, self.own(d, v)))
        return found

    def plant(self) -> list[Begun]:
        """Cooling plant, and the opening of each site: no return of their own."""
        r, found = self.r, list[Begun]()
        for d, v in r.by_quantity[Quantity.COOL]:
            found.append(Begun("cooling", d.site, d.item, "", d.node, self.own(d, v)))
        once = {s.site: s.once_cost_usd_m for s in self.p.portfolio.sites}
        starts = {(d.site, d.node) for d, v in r.by_quantity[Quantity.START] if v > 0.5}
        for site, n in starts:
            if not any((site, m) in starts for m in self.p.tree.path(n)[:-1]):
                cash = np.zeros(len(r.labels))
                cash[n] = -once[site]
                found.append(Begun("opening", site, "", "", n, Own(cash, np.zeros(cash.size))))
        return found

    def _machine(self, d: Decision, bought_mw: float) -> Own:
        """An equal part of all machines of the vintage at the site, until they are sold or moved away."""
        r, tree = self.r, self.p.tree
        size, price = len(tree.nodes), next(v for v in self.p.vintages if v.name == d.item)
        block = r.program.model.borrower[self._entity(d.site)].site[d.site].mining
        at, resale = self.p.mining[d.item, d.site], price.resale_usd_m_per_mw
        moved: dict[Quantity, Array] = {}
        for q in (Quantity.ON_MW, Quantity.SLACK_MW, Quantity.SOLD_MW, Quantity.MOVED_OUT_MW):
            moved[q] = np.zeros(size)
            for x, v in r.by_quantity[q]:
                if (x.site, x.item) == (d.site, d.item):
                    moved[q][x.node] += v
        hours = self._slack_hours(d.site)
        earned = (moved[Quantity.ON_MW] + hours * moved[Quantity.SLACK_MW]) * at.margin_usd_m_per_mw
        kept, cash, left = np.zeros(size), np.zeros(size), np.zeros(size)
        kept[d.node] = bought_mw
        price_usd_m = self._cash[id(d.variable)][d.node] * bought_mw
        cash[d.node] = price_usd_m
        for n in tree.descendants(d.node):
            stock = float(block.stock[d.item, n].value)
            gone = moved[Quantity.SOLD_MW][n] + moved[Quantity.MOVED_OUT_MW][n]
            if n != d.node:
                before = kept[tree.parent[n]]
                part = gone / (stock + gone) if stock + gone > 1e-9 else 0.0
                kept[n] = before * (1.0 - part)
                cash[n] += before * part * float(resale[n])
            each = 1.0 / stock if stock > 1e-9 else 0.0
            cash[n] += kept[n] * each * earned[n]
            if not tree.children[n]:
                runs = min(1.0, each * moved[Quantity.ON_MW][n])
                more = max(0.0, float(at.run_off_usd_m_per_mw[n] - resale[n]))
                left[n] = kept[n] * (float(resale[n]) + runs * more)
        return Own(cash, left, float(price_usd_m))

    def _slack_hours(self, site: str) -> float:
        """Share of the hours in which machines may run on slack: the least that a contract there permits."""
        contracts = (c for c in self.p.portfolio.contracts if site in c.sites and c.usable_slack_frac > 0.0)
        return min((c.slack_hours_frac for c in contracts), default=0.0)

    def _entity(self, site: str) -> str:
        return next(s.entity for s in self.p.portfolio.sites if s.site == site)

    def expected(self, b: Begun) -> Return:
        """The return expected where it begins."""
        tree = self.p.tree
        flows, left = np.zeros(tree.horizon_q - tree.period[b.node]), 0.0
        for m in tree.descendants(b.node):
            chance = float(tree.probability[m] / tree.probability[b.node])
            flows[tree.period[m] - tree.period[b.node]] += chance * b.own.cash[m]
            left += chance * float(b.own.left[m])
        flows[0] -= b.own.at_start_usd_m
        return self._return(np.concatenate([[b.own.at_start_usd_m], flows]), left, tree.period[b.node])

    def on_path(self, things: Iterable[Begun], leaf: int) -> Return:
        """The return of several things on the way to one leaf."""
        tree, size = self.p.tree, self.p.tree.horizon_q
        flows, left = np.zeros(size + 1), 0.0
        for b in things:
            if b.node in tree.path(leaf):
                flows[1:] += b.own.cash[list(tree.path(leaf))]
                flows[tree.period[b.node]] += b.own.at_start_usd_m
                flows[tree.period[b.node] + 1] -= b.own.at_start_usd_m
                left += float(b.own.left[leaf])
        return self._return(flows, left, 0)

    def _return(self, flows: Array, left: float, begins: int) -> Return:
        quarters = [str(self.p.tree.first + t) for t in range(begins, self.p.tree.horizon_q)]
        return return_of(flows, left, self.p.portfolio.firm.cost_of_equity_frac, quarters)


def hurdle_rows(r: Reading, at_prices: Callable[[Iterable[Begun], int], float]) -> list[dict[str, object]]:
    """Every module cohort, machine purchase and expansion with its return."""
    beginnings, found = Beginnings(r), list[dict[str, object]]()
    for b in beginnings.all():
        x = beginnings.expected(b)
        found.append(
            {
                "kind": b.kind,
                "site": b.site,
                "item": b.item,
                "contract": b.contract,
                "node": r.labels[b.node],
                "outlay_usd_m": x.outlay_usd_m,
                "npv_usd_m": x.npv_usd_m,
                "irr_frac": x.irr_frac,
                "irr_reason": x.irr_reason,
                "payback_quarter": x.payback_quarter,
                "below_cost_of_equity": x.below_cost_of_equity,
                "quarter": r.quarters[b.node],
                "npv_company_usd_m": at_prices([b], b.node),
            }
        )
    return found
