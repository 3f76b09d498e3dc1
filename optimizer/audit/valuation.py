"""Value at the leaves, what others take of it, and the price per share at which the two meet."""

from collections import defaultdict
from functools import cached_property

from models.domain.ledger import CONTRACT_LINES, Quantity, ValueLine
from models.units import QUARTERS_PER_YEAR
from optimizer.audit.arithmetic import black_scholes, fully_halved, root
from optimizer.audit.committed import Committed
from optimizer.audit.corporate_debt import Buyback
from optimizer.audit.modules import Module
from optimizer.audit.notes import Note, NoteQuarter, bond_value, option_value
from optimizer.audit.overhead import worth_of_going_on
from optimizer.audit.power import hash_one_mw, resale_usd_m, with_subsidy
from optimizer.audit.shares import Weights, of
from optimizer.audit.taxes import Taxes
from optimizer.audit.world import World

NEW_SHARES, AWARDS, DELIVERED = "new shares", "awards", "delivered"
FAIR_COST = "fair cost of notes"
"""Claims that are neither a tranche nor a share claim."""


ByEntity = dict[str, float]
Income = tuple[dict[tuple[str, ValueLine], float], ByEntity, ByEntity, ByEntity]


class Valuation:
    """Worth of the plan."""

    def __init__(self, world: World) -> None:
        self.world, self.book = world, world.book
        self.taxes = Taxes(world)
        self._incomes: dict[int, Income] = {}

    # --- value -----------------------------------------------------------------------------------

    def lines(self, leaf: int) -> dict[ValueLine, float]:
        """Components of value at the end of a leaf, all of each, and what of them belongs to others. [$M]"""
        rescued = sum(self.world.decided.rescued(n) for n in self.book.paths[leaf])
        shared = ((name, e.share) for name, e in self.book.entities.items() if e.share < 1.0)
        return {
            **self.parts(leaf, None),
            ValueLine.MINORITY: -sum((1.0 - share) * self.whole(name, leaf) for name, share in shared),
            ValueLine.RESCUE: -self.book.firm.rescue_price * rescued,
        }

    def whole(self, entity: str, leaf: int) -> float:
        """All that an entity is worth to its owners, rescue apart. [$M]"""
        return sum(self.parts(leaf, {entity: 1.0}).values())

    def parts(self, leaf: int, weights: Weights) -> dict[ValueLine, float]:
        """Components of value of some entities, each times its weight; rescue apart. [$M]"""
        world, book = self.world, self.book
        ledger, owned = world.ledger, of(weights, book.parent)
        tails, machines, continued, later = self._income(leaf)
        loans = world.facility_sum(leaf, "balance", weights)
        spend = world.remaining_own(leaf, weights) + world.remaining_escrow(leaf, weights)
        return {
            ValueLine.CASH: sum(of(weights, name) * ledger.cash[name, leaf] for name in book.entities),
            ValueLine.RESTRICTED: world.restricted(leaf, weights),
            ValueLine.EXISTING_DEBT: -world.debt_sum(leaf, "balance", weights),
            ValueLine.PROJECT_DEBT: -loans,
            ValueLine.LEASES: -world.lease_sum(leaf, "balance", weights),
            ValueLine.NEW_LOANS: -world.coins.owed(leaf, weights),
            ValueLine.CORPORATE_DEBT: -owned * world.corporate.total(leaf, "balance"),
            ValueLine.UNEARNED_TENANT_MONEY: -world.over_sites(weights, lambda here: here.unearned[leaf]),
            ValueLine.REMAINING_SPEND: -spend,
            **self._by_line(tails, weights),
            ValueLine.EQUIPMENT: self._equipment(leaf, weights),
            ValueLine.MACHINES: sum(of(weights, name) * x for name, x in machines.items()),
            ValueLine.LAND_AND_POWER: self._land(leaf, weights),
            ValueLine.HOLDINGS: owned * self._holdings(leaf),
            ValueLine.PAYOUTS: owned * self._paid_out(leaf),
            ValueLine.OVERHEAD: sum(of(weights, name) * x for name, x in continued.items()),
            ValueLine.TAX_LATER: -self.taxes.later(leaf, later, weights),
            ValueLine.TAX_OWED: -self.taxes.owed(leaf, weights),
            ValueLine.TAX_LOSSES: self.taxes.losses_worth(leaf, weights),
            ValueLine.BITCOIN: sum(
                of(weights, name) * world.coins.worth(leaf, name) for name in book.entities
            ),
            ValueLine.UNCOUNTED_RISE: -sum(
                of(weights, name) * world.coins.uncounted(leaf, name) for name in book.entities
            ),
        }

    def _income(self, leaf: int) -> "Income":
        """Halls, machines and costs after a leaf, and what they come to, each by entity; worked out once."""
        if leaf not in self._incomes:
            parts = self._tails(leaf), self._machines(leaf), self._continued(leaf)
            self._incomes[leaf] = (*parts, self._later_income(leaf, *parts))
        return self._incomes[leaf]

    def _continued(self, leaf: int) -> dict[str, float]:
        """Overhead and fixed costs after a leaf, negative: of what others own a part of, and all others'."""
        owners = self.book.entities
        costs: dict[str, float] = defaultdict(float, {self.book.parent: self.world.overhead(leaf)})
        for site in self.book.portfolio.sites:
            payer = site.entity if owners[site.entity].share < 1.0 else self.book.parent
            costs[payer] += site.fixed_cost_usd_m_per_q * self.world.sites.estate.ours(site.site, leaf)
        worth = worth_of_going_on(self.book)
        return {name: -cost * worth for name, cost in costs.items()}

    @cached_property
    def at_leaf(self) -> dict[int, dict[ValueLine, float]]:
        """Components of value at every leaf. [$M]"""
        return {leaf: self.lines(leaf) for leaf in self.book.tree.leaves}

    @cached_property
    def expected(self) -> float:
        """E[V]. [$M]"""
        return sum(self._weight(leaf) * sum(found.values()) for leaf, found in self.at_leaf.items())

    def _weight(self, node: int) -> float:
        return float(self.book.tree.probability[node])

    def _tails(self, leaf: int) -> dict[tuple[str, ValueLine], float]:
        """Base terms by the state of their contract, and what lies beyond them, by entity. [$M]"""
        found: dict[tuple[str, ValueLine], float] = defaultdict(float)
        path = set(self.book.paths[leaf])
        held: list[tuple[float, Module | Committed]] = [
            (s.modules, m) for s, m in self.world.sites.modules if s.node in path
        ]
        held += [(1.0, c) for c in self.world.sites.commitments]
        held += [(-x.count, x.one) for x in self.world.sites.sold if x.is_gone(leaf)]
        for count, one in held:
            tail, entity = one.tail(leaf), self.book.sites[one.lease.site].entity
            found[entity, CONTRACT_LINES[one.lease.contract.state]] += count * tail.signed
            found[entity, ValueLine.RENEWALS] += count * tail.renewed
            found[entity, ValueLine.RESIDUALS] += count * tail.residual
            if tail.refresh:
                found[entity, ValueLine.RENEWAL_CAPEX] -= count * tail.refresh
        return found

    def _by_line(self, tails: dict[tuple[str, ValueLine], float], weights: Weights) -> dict[ValueLine, float]:
        of_tails = (
            *CONTRACT_LINES.values(),
            ValueLine.RENEWALS,
            ValueLine.RESIDUALS,
            ValueLine.RENEWAL_CAPEX,
        )
        found = dict.fromkeys(of_tails, 0.0)
        for (entity, line), worth in tails.items():
            found[line] += of(weights, entity) * worth
        return found

    def _later_income(
        self,
        leaf: int,
        tails: dict[tuple[str, ValueLine], float],
        machines: dict[str, float],
        continued: dict[str, float],
    ) -> dict[str, float]:
        """What a leaf is worth for later income, less overhead and fixed costs, by entity. [$M]"""
        found: dict[str, float] = defaultdict(float)
        for (entity, line), worth in (*tails.items(), *(((e, None), x) for e, x in machines.items())):
            found[entity] += 0.0 if line is ValueLine.RENEWAL_CAPEX else worth
        for name, costs in continued.items():
            found[name] += costs
        for e in self.book.portfolio.entities:
            coins = self.world.coins
            found[e.entity] += coins.worth(leaf, e.entity) - coins.uncounted(leaf, e.entity)
        return {e.entity: found[e.entity] for e in self.book.portfolio.entities}

    def _machines(self, leaf: int) -> dict[str, float]:
        """Machines by entity: resale, or run-off where they run and it is more; the pool is the parent's."""
        book, machines = self.book, self.world.machines
        moment = book.moment(leaf)
        halved = with_subsidy(moment, fully_halved(moment.market.subsidy_btc))
        worth: dict[str, float] = defaultdict(float)
        for site, name in machines.places:
            vintage, owner = book.vintages[name], book.sites[site].entity
            resale = resale_usd_m(book, vintage, moment)
            worth[owner] += machines.stock[site, name, leaf] * resale
            on = machines.mw(Quantity.ON_MW, site, name, leaf)
            if on:
                terms = book.valuation["mining"]
                margin, run_off = hash_one_mw(book, site, vintage, halved).margin_usd_m, 0.0
                for i in range(1, vintage.machine.life_q - vintage.age(moment.period)):
                    decline = (1.0 - terms.decline_frac_per_year) ** (i / 4.0)
                    run_off += margin * decline / (1.0 + terms.rate_frac / 4.0) ** i
                worth[owner] += on * max(0.0, run_off - resale)
        for name in {vintage for _, vintage in machines.places}:
            worth[book.parent] += machines.pool[name, leaf] * resale_usd_m(book, book.vintages[name], moment)
        return worth

    def _land(self, leaf: int, weights: Weights) -> float:
        return sum(
            of(weights, self.book.sites[name].entity)
            * (here.energised_mw[leaf] - here.reserved_mw[leaf])
            * self.book.sites[name].unconverted_value_usd_m_per_mw
            for name, here in self.world.sites.of.items()
        )

    def _equipment(self, leaf: int, weights: Weights) -> float:
        """Unused equipment at its share of the lowest price on the path."""
        lowest = min(self.book.rows[n].capex_idx for n in self.book.paths[leaf])
        return sum(
            of(weights, self.book.sites[x.site].entity if x.site else self.book.parent)
            * x.resale_frac
            * x.cost_usd_m_per_mw
            * lowest
            * self.world.sites.unused_mw(x.equipment, leaf)
            for x in self.book.portfolio.long_lead
        )

    def _holdings(self, leaf: int) -> float:
        risen = self.book.rows[leaf].btc_usd / self.book.rows[0].btc_usd
        return sum(
            h.value_usd_m * (1.0 - h.haircut_frac) * (risen if h.indexed_to == "btc" else 1.0)
            for h in self.book.portfolio.holdings
        )

    def _paid_out(self, leaf: int) -> float:
        """Payouts on the way to a leaf, grown at the cost of equity since the end of their quarters. [$M]"""
        tree, paid = self.book.tree, 0.0
        for n in self.book.paths[leaf]:
            grown = (1.0 + self.book.firm.cost_of_equity_frac) ** (tree.years_to_end(n) - 0.25)
            share = self.leaf_factor[leaf] / self.expected_factor[n]
            paid += self.world.decided.payout.get(("", n), 0.0) * grown * share
        return paid

    # --- claims ----------------------------------------------------------------------------------

    @cached_property
    def leaf_factor(self) -> dict[int, float]:
        """g: deck share price of each leaf over its expectation."""
        price, leaves = self.book.share_price, self.book.tree.leaves
        mean = sum(self._weight(leaf) * price[leaf] for leaf in leaves)
        return {leaf: price[leaf] / mean for leaf in leaves}

    @cached_property
    def expected_factor(self) -> tuple[float, ...]:
        """E[g | n]."""
        return tuple(
            sum(
                self._weight(leaf) / self._weight(n) * self.leaf_factor[leaf]
                for leaf in self.book.tree.leaves_below(n)
            )
            for n in self.book.tree.nodes
        )

    def floor_growth(self, node: int) -> float:
        """What a dollar raised at a node must at least be worth at the end; 0 under market pricing."""
        if self.book.firm.equity_pricing == "market":
            return 0.0
        years = self.book.tree.years_to_end(node)
        return float((1.0 + self.book.firm.cost_of_equity_frac) ** years)

    def cost(self, node: int, price: float) -> float:
        """c: leaf dollars that a market dollar of shares delivered at a node costs."""
        at_price = price * self.expected_factor[node] / self.book.share_price[node]
        return max(at_price, self.floor_growth(node))

    def cost_at(self, node: int, leaf: int, price: float) -> float:
        """c as it falls on one leaf below the node: in proportion to the deck's share prices there."""
        return self.cost(node, price) * self.leaf_factor[leaf] / self.expected_factor[node]

    def spot(self, note: Note, leaf: int, price: float) -> float:
        """Share price at the leaf by which what is left of a tranche is valued. [USD]"""
        g = self.leaf_factor[leaf]
        if not note.is_new:
            return price * g
        n = note.issued
        grown_price = self.book.share_price[n] * self.floor_growth(n)
        return max(price * g, grown_price * g / self.expected_factor[n])

    def sold_gross(self, node: int) -> float:
        """Gross dollars of shares sold at a node. [$M]"""
        decided = self.world.decided
        atm = sum(gross for (_, _, n), gross in decided.atm.items() if n == node)
        return atm + sum(gross for (_, n), gross in decided.follow_on.items() if n == node)

    def delivered_net(self, node: int, is_new: bool) -> float:
        """Market dollars of shares delivered by notes at a node, less the capped calls. [$M]"""
        here = [rolled[node] for note, rolled in self.world.notes if node in rolled and note.is_new == is_new]
        return sum(q.delivered - q.capped_call for q in here)

    def is_vested(self, contract: str | None, node: int) -> bool:
        """Whether a share claim counts: vested, or its offer signed by then on the path."""
        if contract is None:
            return True
        path = self.book.paths[node]
        return any(s.item == contract and s.amount and s.node in path for s in self.world.decided.signs)

    def note_claim(self, note: Note, at_leaf: NoteQuarter, leaf: int, price: float) -> float:
        """Worth of what is left of a tranche at a leaf. [$M]"""
        spot = self.spot(note, leaf, price)
        each = bond_value(self.book, note, leaf) + option_value(self.book, note, leaf, spot)
        return at_leaf.outstanding * each

    def short_of_straight_debt(self, note: Note, rolled: dict[int, NoteQuarter], price: float) -> float:
        """Leaf dollars by which a new note is cheaper than straight debt, at each leaf below. [$M]"""
        book, firm, tree = self.book, self.book.firm, self.book.tree
        if not note.is_new or firm.equity_pricing == "market":
            return 0.0
        row = book.rows[note.issued]
        straight = row.base_rate_frac + row.spread_add_frac + firm.straight_spread_frac
        y = 1.0 + (straight + note.add_frac) / 4.0
        at_end = y ** (tree.horizon_q - tree.period[note.issued])
        worth = 0.0
        for n, q in rolled.items():
            chance = self._weight(n) / self._weight(note.issued)
            since = tree.period[n] - tree.period[note.issued] + 1
            worth += chance * (q.coupon + q.principal) / y**since
            worth += chance * (q.delivered - q.capped_call) * self.cost(n, price) / at_end
            if not tree.children[n]:
                worth += chance * self.note_claim(note, q, n, price) / at_end
        return max(0.0, note.net_usd_m - worth) * at_end

    def repurchase_gain(self, bought: Buyback, price: float) -> float:
        """Leaf dollars by which notes bought back save more than what was paid may earn, at each leaf below.

        It may earn the rate of straight debt or the cost of equity, whichever is less. [$M]
        """
        book, firm, tree, n = self.book, self.book.firm, self.book.tree, bought.node
        if firm.equity_pricing == "market":
            return 0.0
        row = book.rows[n]
        straight = row.base_rate_frac + row.spread_add_frac + firm.straight_spread_frac
        earns = min(1.0 + straight / 4.0, (1.0 + firm.cost_of_equity_frac) ** 0.25)
        at_end = earns ** (tree.horizon_q - 1 - tree.period[n])
        worth = 0.0
        for m in book.below[n]:
            q = self.world.corporate.gross[bought.note.name][m]
            chance, is_later = self._weight(m) / self._weight(n), m != n
            cash = q.coupon + (q.principal if is_later else 0.0)
            worth += chance * cash * at_end / earns ** (tree.period[m] - tree.period[n])
            if is_later:
                per_dollar = price * self.expected_factor[m] / book.share_price[m]
                worth += chance * (q.delivered - q.capped_call) * per_dollar
            if not tree.children[m]:
                worth += chance * self.note_claim(bought.note, q, m, price)
        return max(0.0, float(bought.frac * worth - bought.paid_usd_m * at_end))

    def claims(self, leaf: int, price: float) -> dict[str, float]:
        """What others than today's shareholders take at a leaf. [$M]"""
        book, firm, path = self.book, self.book.firm, self.book.paths[leaf]
        cost = {n: self.cost_at(n, leaf, price) for n in path}
        own = {n: price * self.leaf_factor[leaf] / book.share_price[n] for n in path}
        awarded = firm.award_shares_m_per_q * book.tree.horizon_q
        found = {
            NEW_SHARES: sum(self.sold_gross(n) * cost[n] for n in path),
            AWARDS: awarded * price * self.leaf_factor[leaf],
            DELIVERED: sum(
                self.delivered_net(n, True) * cost[n] + self.delivered_net(n, False) * own[n] for n in path
            ),
        }
        found[FAIR_COST] = 0.0
        for note, rolled in self.world.notes:
            if leaf in rolled:
                found[note.name] = self.note_claim(note, rolled[leaf], leaf, price)
                found[FAIR_COST] += self.short_of_straight_debt(note, rolled, price)
        for bought in self.world.corporate.buybacks:
            if bought.node in path:
                found[FAIR_COST] += self.repurchase_gain(bought, price)
        row = book.rows[leaf]
        for claim in book.portfolio.share_claims:
            years = (claim.expiry_quarter - (book.last_quarter + 1)) / 4.0
            expires = claim.expiry_quarter - book.tree.first
            worth = 0.0
            if claim.expiry_quarter > book.last_quarter:
                if self.is_vested(claim.contract, leaf):
                    spot = price * self.leaf_factor[leaf]
                    each = black_scholes(
                        spot, claim.strike_usd, years, row.base_rate_frac, row.share_vol_frac
                    )
                    worth = claim.shares_m * each
            elif expires >= 0 and self.is_vested(claim.contract, path[expires]):
                n = path[expires]
                worth = claim.shares_m * max(0.0, book.share_price[n] - claim.strike_usd) * own[n]
            found[claim.claim] = worth
        return found

    def expected_claims(self, price: float) -> float:
        """E[claims] at a price per share. [$M]"""
        return sum(
            self._weight(leaf) * sum(self.claims(leaf, price).values()) for leaf in self.book.tree.leaves
        )

    def root(self) -> float:
        """Price per share at which E[V] = price x N0 + E[claims]; 0 when claims exceed the value. [USD]"""

        def surplus(price: float) -> float:
            return self.expected - price * self.book.firm.basic_shares_m - self.expected_claims(price)

        return root(surplus, self.book.firm.price_usd)

    def implied_return(self, price: float) -> float:
        """Yearly return of a buyer at today's price. [fraction]"""
        ratio = price / self.book.firm.price_usd
        return float(ratio ** (QUARTERS_PER_YEAR / self.book.tree.horizon_q) - 1.0)
