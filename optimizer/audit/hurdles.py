"""What each thing begun earns on own money, by the auditor's own arithmetic."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from models.domain.ledger import Quantity
from optimizer.audit.arithmetic import fully_halved
from optimizer.audit.decisions import Financed, Placed, Start
from optimizer.audit.facilities import Facility
from optimizer.audit.modules import Module
from optimizer.audit.power import hash_one_mw, new_price_usd_m, resale_usd_m, slack_share, with_subsidy
from optimizer.audit.tables_physical import Row, Rows
from optimizer.audit.world import World

_CENT = 1e-3
"""Less than $1,000 is nothing."""
ByNode = dict[int, float]


def _blank() -> ByNode:
    return defaultdict(float)


@dataclass
class Thing:
    """Something begun: own money by node, and what is left of it at the leaves. [$M]"""

    kind: str
    site: str
    item: str
    contract: str
    node: int
    cash: ByNode = field(default_factory=_blank)
    left: ByNode = field(default_factory=_blank)
    price: float = 0.0
    """Of the cash of the first node, paid at the start of the quarter."""


class Things:
    """All that a plan begins."""

    def __init__(self, world: World) -> None:
        self.world, self.book, self.decided = world, world.book, world.decided
        self.returning = [*self._modules(), *self._machines(), *self._expansions()]
        self.plant = [*self._cooling(), *self._openings()]

    def _modules(self) -> list[Thing]:
        found = []
        for start, module in self.world.sites.modules:
            t = Thing("module", start.site, start.product, start.contract, start.node)
            self._add_module(t, start, module)
            for f, facility in self.world.facilities:
                route = (f.site, f.product, f.contract, f.begun)
                if route == (start.site, start.product, start.contract, start.node):
                    self._add_facility(t, f, facility)
            found.append(t)
        return found

    def _add_module(self, t: Thing, start: Start, module: Module) -> None:
        land = self.book.sites[start.site].unconverted_value_usd_m_per_mw
        for n in self.book.below[start.node]:
            q = module.at[n]
            spent = q.spend + q.refresh - q.tenant_money + q.refund
            t.cash[n] += start.modules * (q.noi + q.fee - q.credit - spent)
            if not self.book.tree.children[n]:
                tail = module.tail(n)
                worth = tail.signed + tail.renewed + tail.residual - tail.refresh - module.remaining_own(n)
                worth -= module.unearned(n) + module.gross * land
                t.left[n] += start.modules * worth

    def _add_facility(self, t: Thing, f: Financed, facility: Facility) -> None:
        for n in self.book.below[f.closed]:
            q = self.world.facility_at(f, facility, n)
            service = q.paid_interest + q.principal
            t.cash[n] += f.modules * (q.received + q.escrow_income - service + q.released)
            if not self.book.tree.children[n]:
                t.left[n] += f.modules * (q.restricted - q.balance)

    def _machines(self) -> list[Thing]:
        bought = ((k, mw) for k, mw in self.decided.mw.items() if k[0] is Quantity.BOUGHT_MW and mw)
        return [self._machine(site, name, n, mw) for (_, site, name, n), mw in bought]

    def _machine(self, site: str, name: str, begun: int, bought_mw: float) -> Thing:
        """A share of the vintage at the site, that shrinks as machines are sold or moved away."""
        book, tree, machines = self.book, self.book.tree, self.world.machines
        vintage, t = book.vintages[name], Thing("machine", site, name, "", begun)
        region = book.regions[book.sites[site].region]
        tariff = book.rows[begun].asic_tariff_frac if region.asic_tariff_applies else 0.0
        t.price = bought_mw * new_price_usd_m(vintage, book.moment(begun)) * (1.0 + tariff)
        t.cash[begun] -= t.price
        kept = {begun: bought_mw}
        for n in book.below[begun]:
            moment, stock = book.moment(n), machines.stock[site, name, n]
            resale = resale_usd_m(book, vintage, moment)
            gone = sum(machines.mw(q, site, name, n) for q in (Quantity.SOLD_MW, Quantity.MOVED_OUT_MW))
            if n != begun:
                part = gone / (stock + gone) if stock + gone > 1e-9 else 0.0
                before = kept[tree.parent[n]]
                kept[n] = before * (1.0 - part)
                t.cash[n] += before * part * resale
            on = machines.mw(Quantity.ON_MW, site, name, n)
            running = on + machines.mw(Quantity.SLACK_MW, site, name, n) * slack_share(book, site)
            if stock > 1e-9 and running:
                t.cash[n] += kept[n] / stock * running * machines.hashing(site, name, n).margin_usd_m
            if not tree.children[n]:
                runs = min(1.0, on / stock) if stock > 1e-9 else 0.0
                t.left[n] += kept[n] * (resale + runs * max(0.0, self._run_off(site, name, n) - resale))
        return t

    def _run_off(self, site: str, name: str, leaf: int) -> float:
        book, moment, vintage = self.book, self.book.moment(leaf), self.book.vintages[name]
        halved = with_subsidy(moment, fully_halved(moment.market.subsidy_btc))
        terms, margin = book.valuation["mining"], hash_one_mw(book, site, vintage, halved).margin_usd_m
        left = range(1, vintage.machine.life_q - vintage.age(moment.period))
        declines, discount = 1.0 - terms.decline_frac_per_year, 1.0 + terms.rate_frac / 4.0
        return float(sum(margin * declines ** (i / 4.0) / discount**i for i in left))

    def _expansions(self) -> list[Thing]:
        return [self._expansion(placed) for placed in self.decided.expands if placed.amount]

    def _expansion(self, placed: Placed) -> Thing:
        book, step = self.book, self.book.expansions[placed.item]
        t = Thing("expansion", placed.site, placed.item, "", placed.node)
        idx, period = book.rows[placed.node].capex_idx, book.tree.period
        rest = (step.cost_usd_m - step.deposit_usd_m) * idx
        land = book.sites[placed.site].unconverted_value_usd_m_per_mw
        for n in book.below[placed.node]:
            age = period[n] - period[placed.node]
            spent = step.deposit_usd_m * idx if age == 0 else 0.0
            spent += rest if age == step.lead_q - 1 else 0.0
            t.cash[n] -= placed.amount * (spent + (step.security_usd_m if age == 0 else 0.0))
            if not book.tree.children[n]:
                worth = step.security_usd_m - (rest if age < step.lead_q - 1 else 0.0)
                worth += step.step_mw * land if age >= step.lead_q else 0.0
                t.left[n] += placed.amount * worth
        return t

    def _cooling(self) -> list[Thing]:
        found, tree = [], self.book.tree
        for placed in self.decided.cools:
            plant = self.book.cooling[placed.site, placed.item]
            cost = placed.amount * plant.capex_usd_m_per_module * self.book.rows[placed.node].capex_idx
            t = Thing("cooling", placed.site, placed.item, "", placed.node)
            for n in self.book.below[placed.node]:
                age = tree.period[n] - tree.period[placed.node]
                t.cash[n] -= cost / plant.lead_q if age < plant.lead_q else 0.0
                if not tree.children[n]:
                    t.left[n] -= cost * max(0, plant.lead_q - age - 1) / plant.lead_q
            found.append(t)
        return found

    def _openings(self) -> list[Thing]:
        begun = {(s.site, s.node) for s in self.decided.starts if s.modules}
        found = []
        for site, n in begun:
            if not any((site, m) in begun for m in self.book.paths[n][:-1]):
                t = Thing("opening", site, "", "", n)
                t.cash[n] -= self.book.sites[site].once_cost_usd_m
                found.append(t)
        return found

    def expected(self, t: Thing) -> Row:
        """The return expected where a thing begins."""
        tree = self.book.tree
        begins = tree.period[t.node]
        flows, left = [-t.price, t.price, *[0.0] * (tree.horizon_q - begins - 1)], 0.0
        for n in self.book.below[t.node]:
            chance = float(tree.probability[n] / tree.probability[t.node])
            flows[tree.period[n] - begins + 1] += chance * t.cash[n]
            left += chance * t.left[n]
        return self._row(flows, left, begins)

    def on_path(self, things: Iterable[Thing], leaf: int) -> Row:
        """The return of several things on the way to a leaf."""
        path = self.book.paths[leaf]
        chosen = [t for t in things if t.node in path]
        flows = [0.0, *(sum(t.cash[n] for t in chosen) for n in path)]
        for t in chosen:
            flows[self.book.tree.period[t.node]] -= t.price
            flows[self.book.tree.period[t.node] + 1] += t.price
        return self._row(flows, sum(t.left[leaf] for t in chosen), 0)

    def _row(self, flows: list[float], left: float, begins: int) -> Row:
        tree, whole = self.book.tree, [*flows[:-1], flows[-1] + left]
        worth = _present(whole, self.book.firm.cost_of_equity_frac)
        rate, reason = _rate(whole)
        outlay = -sum(x for x in flows if x < 0.0)
        paid = _paid_back(flows)
        return {
            "outlay_usd_m": outlay if outlay >= _CENT else 0.0,
            "npv_usd_m": worth,
            "irr_frac": rate,
            "irr_reason": reason,
            "payback_quarter": paid if isinstance(paid, str) else str(tree.first + (begins + paid - 1)),
            "below_cost_of_equity": "yes" if worth < -_CENT else "no",
        }


def hurdles(world: World) -> Rows:
    """Every module cohort, machine purchase and expansion."""
    things, label = Things(world), world.book.tree.label
    return {(t.kind, t.site, t.item, t.contract, label(t.node)): things.expected(t) for t in things.returning}


def prices(world: World) -> Rows:
    """Company cash by node; what a dollar of it is worth is no matter of arithmetic."""
    label, cash = world.book.tree.label, world.ledger.company_cash
    return {(label(n),): {"company_cash_usd_m": cash(n)} for n in world.book.tree.nodes}


def with_returns(world: World, summary: Rows) -> Rows:
    """Each site at the horizon, with the debt on its modules and what all that is begun there earns."""
    things = Things(world)
    leaf_of = {world.book.tree.label(leaf): leaf for leaf in world.book.tree.leaves}
    for key, row in summary.items():
        site, leaf = str(key[0]), leaf_of[str(key[1])]
        here = [t for t in (*things.returning, *things.plant) if t.site == site]
        found = things.on_path(here, leaf)
        row["debt_usd_m"] = sum(
            f.modules * world.facility_at(f, facility, leaf).balance
            for f, facility in world.facilities
            if f.site == site
        )
        row.update({name: found[name] for name in ("npv_usd_m", "irr_frac", "irr_reason", "payback_quarter")})
    return summary


def _present(flows: list[float], yearly: float) -> float:
    return float(sum(x / (1.0 + yearly) ** (t / 4.0) for t, x in enumerate(flows)))


def _paid_back(flows: list[float]) -> int | str:
    """Index of the quarter in which all own money has come back, or what to say instead."""
    if not any(x < -_CENT for x in flows):
        return "no own outlay"
    is_short = False
    for t, so_far in enumerate(accumulate(flows)):
        if is_short and so_far >= -_CENT:
            return t
        is_short = is_short or so_far < -_CENT
    return "after the horizon" if is_short else "at once"


def _rate(flows: list[float]) -> tuple[float, str]:
    """The internal rate, or 0 and why it is not stated."""
    if min(flows) >= -_CENT:
        return 0.0, "no own outlay"
    if max(flows) <= _CENT:
        return 0.0, "nothing comes back"
    if _turns(flows) > 1 and _turns(list(accumulate(flows))) > 1:
        return 0.0, "several rates solve it"
    if next(x for x in flows if abs(x) > _CENT) > 0.0:
        return 0.0, "money comes before the outlay"
    if _present(flows, 10.0) > 0.0:
        return 0.0, "above 1,000 % a year"
    low, high = -0.99, 10.0
    if _present(flows, low) < 0.0:
        return 0.0, "nothing comes back"
    while high - low > 1e-14 * max(1.0, abs(high)):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (middle, high) if _present(flows, middle) > 0.0 else (low, middle)
    return 0.5 * (low + high), ""


def _turns(series: list[float]) -> int:
    signs = [math.copysign(1.0, x) for x in series if abs(x) > _CENT]
    return sum(1 for a, b in pairwise(signs) if a != b)
