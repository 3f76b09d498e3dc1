"""The auditor's own financial statements: income, balance sheet and changes in equity, cell by cell."""

from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property

from models.domain.ledger import CashLine, Quantity
from models.domain.statements import (
    BALANCE_SECTIONS,
    CONSOLIDATED,
    DEBT_LINE,
    EARNED,
    OPENING,
    TOTALS,
    BalanceLine,
    EquityLine,
    IncomeLine,
)
from models.units import USD_M
from optimizer.audit.book import Moment
from optimizer.audit.carried import Carried
from optimizer.audit.committed import Committed
from optimizer.audit.machine_costs import MachineCosts
from optimizer.audit.modules import Module
from optimizer.audit.power import slack_share
from optimizer.audit.sites import cash_security
from optimizer.audit.tables_physical import Rows
from optimizer.audit.valuation import Valuation

Posts = dict[tuple[str, int, StrEnum], float]
"""By entity, node (-1: the opening) and line. [$M]"""
_B, _E, _I = BalanceLine, EquityLine, IncomeLine
_AS_CASH = {
    CashLine.OPEX: _I.HPC_OPEX,
    CashLine.HPC_POWER: _I.HPC_POWER,
    CashLine.DEMAND_CHARGE: _I.DEMAND_CHARGES,
    CashLine.DEMAND_RECOVERED: _I.DEMAND_RECOVERED,
    CashLine.TAKE_OR_PAY: _I.TAKE_OR_PAY,
    CashLine.RESALE_GAIN: _I.POWER_RESOLD,
    CashLine.FIXED_COST: _I.SITE_COSTS,
    CashLine.LATE_DAMAGES: _I.LATE_DAMAGES,
    CashLine.OVERHEAD: _I.OVERHEAD,
    CashLine.OTHER_LINES: _I.LINES_OF_BUSINESS,
    CashLine.ONCE_SPEND: _I.SITE_OPENINGS,
    CashLine.CANCEL_FEE: _I.CANCEL_FEES,
    CashLine.MACHINE_MOVE: _I.MACHINE_MOVES,
    CashLine.TERMINATION_FEE: _I.TERMINATION_FEES,
    CashLine.INTEREST_INCOME: _I.INTEREST_INCOME,
    CashLine.ESCROW_INCOME: _I.INTEREST_INCOME,
}
_ADDED = (
    _E.SHARES_ISSUED,
    _E.STOCK_AWARDS,
    _E.NOTES_CONVERTED,
    _E.CAPPED_CALLS,
    _E.CONTRIBUTED,
    _E.MACHINES_MOVED,
)
_TAKEN = (_E.DISTRIBUTED, _E.PAYOUTS)


class Statements:
    """Built from inputs, decisions and the auditor's own roll-forwards. Policy: docs/statements.md."""

    def __init__(self, worth: Valuation) -> None:
        self.worth, self.world, self.book = worth, worth.world, worth.book
        self.income: Posts = defaultdict(float)
        self.balance: Posts = defaultdict(float)
        self.equity: Posts = defaultdict(float)
        self.carried, self.machines = Carried(self.world), MachineCosts(self.world)
        self.nodes = (-1, *self.book.tree.nodes)
        self._open()
        for n in self.book.tree.nodes:
            for entity in self.book.entities:
                self._cash(entity, n)
                self._debts(entity, n)
            self._mining(n)
            self._rents(n)
            self._tenant_money(n)
            self._coins(n)
            self._fees(n)
            self._parents(n)
        for n in self.nodes:
            self._assets(n)
        self._close()

    # --- the opening -----------------------------------------------------------------------------

    def _open(self) -> None:
        """Balances before the first quarter, as the inputs state them."""
        book, put = self.book, self.balance
        for name, e in book.entities.items():
            put[name, -1, _B.CASH] = e.unrestricted_cash_usd_m
            put[name, -1, _B.RESTRICTED_CASH] = e.escrow_usd_m + e.collateral_cash_usd_m
        for site in book.sites.values():
            if self.world.sites.estate.before(site.site, 0):
                power = book.power(site.site, book.tree.first + -1)
                put[site.entity, -1, _B.RESTRICTED_CASH] += cash_security(power)
        for d in book.debts.values():
            put[d.entity, -1, DEBT_LINE[d.kind]] += d.principal_usd_m
            if d.dsra_form == "cash":
                put[d.entity, -1, _B.RESTRICTED_CASH] += d.dsra_usd_m or 0.0
        for lot in book.portfolio.treasury:
            put[lot.entity, -1, _B.BITCOIN] += lot.btc * book.rows[0].btc_usd * USD_M
        for asset in book.portfolio.holdings:
            for n in self.nodes:
                put[book.parent, n, _B.HOLDINGS] += asset.value_usd_m
        for row in book.portfolio.convertibles:
            put[book.parent, -1, _B.CONVERTIBLE_NOTES] += row.principal_usd_m
        for money in self.world.money:
            put[book.sites[money.site].entity, -1, _B.TENANT_MONEY] += money.opening

    # --- node by node ----------------------------------------------------------------------------

    def _cash(self, entity: str, n: int) -> None:
        world, only = self.world, {entity: 1.0}
        self.balance[entity, n, _B.CASH] = world.ledger.cash[entity, n]
        self.balance[entity, n, _B.RESTRICTED_CASH] = world.restricted(n, only)
        for line, income in _AS_CASH.items():
            self.income[entity, n, income] += self._moved(entity, n, line)
        self.income[entity, n, _I.INTEREST_EXPENSE] = -world.interest(n, only)
        owed = self.worth.taxes.owed(n, only) if not self.book.tree.children[n] else 0.0
        self.balance[entity, n, _B.TAX_PAYABLE] = owed
        self.income[entity, n, _I.INCOME_TAX] = -world.tax_paid(n, entity) - owed
        self.balance[entity, n, _B.RESCUE_FUNDING] = sum(
            self._moved(entity, m, CashLine.RESCUE) for m in self.book.paths[n]
        )
        self.income[entity, n, _I.DEBT_RETIRED] += self._moved(entity, n, CashLine.CALL_PREMIUM)
        if entity != self.book.parent:
            put_in = world.decided.contributed.get((entity, n), 0.0)
            self.equity[entity, n, _E.CONTRIBUTED] = put_in
            self.equity[entity, n, _E.DISTRIBUTED] = -world.decided.distributed.get((entity, n), 0.0)

    def _moved(self, entity: str, n: int, line: CashLine) -> float:
        return self.world.ledger.lines.get((entity, n, line), 0.0)

    def _debts(self, entity: str, n: int) -> None:
        world, put = self.world, self.balance
        for d in self.book.debts.values():
            if d.entity == entity:
                put[entity, n, DEBT_LINE[d.kind]] += world.debts[d.debt][n].balance
        put[entity, n, _B.PROJECT_DEBT] += world.facility_sum(n, "balance", {entity: 1.0})
        put[entity, n, _B.LEASE_LIABILITIES] += world.lease_sum(n, "balance", {entity: 1.0})
        for loan in world.coins.loans:
            kind = self.book.debts[loan.source].kind if loan.is_roll else "btc"
            rolled = world.coins.schedule[loan.name]
            if loan.entity == entity and n in rolled:
                put[entity, n, DEBT_LINE[kind]] += rolled[n].balance

    def _assets(self, n: int) -> None:
        """All that is carried, and what its going costs."""
        c, m, put, earn = self.carried, self.machines, self.balance, self.income
        for e in self.book.entities:
            put[e, n, _B.CONSTRUCTION] = c.total(e, n, "construction")
            put[e, n, _B.PROPERTY] = c.total(e, n, "in_use") + m.carried[e, n]
            put[e, n, _B.PAYABLES] = c.total(e, n, "owed")
            if n < 0:
                continue
            earn[e, n, _I.DEPRECIATION] = -c.wear[e, n] - m.wear[e, n]
            earn[e, n, _I.INTEREST_CAPITALISED] = c.capitalised[e, n]
            earn[e, n, _I.WRITTEN_OFF] -= c.cancelled[e, n]
            earn[e, n, _I.HALLS_SOLD] += self._moved(e, n, CashLine.BLOCK_SALE) - c.halls_sold[e, n]
            earn[e, n, _I.SITES_SOLD] = self._moved(e, n, CashLine.SITE_SALE) - c.sites_sold[e, n]
            earn[e, n, _I.MACHINES_SOLD] = self._moved(e, n, CashLine.MACHINE_SALE) - m.sold[e, n]
            if e != self.book.parent:
                self.equity[e, n, _E.MACHINES_MOVED] = m.moved[e, n]

    def _mining(self, n: int) -> None:
        world, price = self.world, self.book.rows[n].btc_usd * USD_M
        for site, vintage in world.machines.places:
            mw = world.machines.mw(Quantity.ON_MW, site, vintage, n)
            slack = world.machines.mw(Quantity.SLACK_MW, site, vintage, n)
            mw += slack * slack_share(self.book, site) if slack else 0.0
            if mw:
                each, e = world.machines.hashing(site, vintage, n), self.book.sites[site].entity
                self.income[e, n, _I.MINING_REVENUE] += mw * each.btc * price
                self.income[e, n, _I.INTERRUPTIBLE_CREDITS] += mw * each.credit_usd_m
                self.income[e, n, _I.MINING_POWER] -= mw * each.power_usd_m
                self.income[e, n, _I.MINING_UPKEEP] -= mw * each.upkeep_usd_m

    def _rents(self, n: int) -> None:
        """Rent that falls due, and what of the last quarters' is still to come."""
        for start, module in self.world.sites.modules:
            if start.node in self.book.paths[n]:
                self._rent(module, n, start.modules)
        for one in self.world.sites.commitments:
            if not one.is_cancelled(n):
                self._rent(one, n, 1.0)
            elif n in one.cancelled_at and n:
                entity = self.book.sites[one.commitment.site].entity
                self.income[entity, n, _I.WRITTEN_OFF] -= self._to_come(one, self.book.tree.parent[n])

    def _rent(self, one: Module | Committed, n: int, count: float) -> None:
        sales = [s for s in self.world.sites.sold if s.one is one]
        held = count - sum(s.count for s in sales if s.is_gone(n))
        leaving = sum(s.count for s in sales if s.node == n)
        entity, is_cloud = self.book.sites[one.lease.site].entity, one.lease.product.workload == "gpu_cloud"
        line, owed = _I.CLOUD_REVENUE if is_cloud else _I.RENT, self._to_come(one, n)
        self.income[entity, n, line] += held * self._due(one, self.book.moment(n))
        self.balance[entity, n, _B.RECEIVABLES] += (held - leaving) * owed
        self.income[entity, n, _I.HALLS_SOLD] -= leaving * owed

    def _due(self, one: Module | Committed, moment: Moment) -> float:
        """Rent due for a quarter, halls let again with it. [$M]"""
        if isinstance(one, Module):
            begun, used = self.book.moment(one.begun), one.used_mw(moment)
            return one.lease.rent_due(moment, used, begun) + one.lease.relet_rent_due(moment, used)
        live = one.live_mw(moment.quarter)
        return one.lease.rent_due(moment, live) + one.lease.relet_rent_due(moment, live)

    def _to_come(self, one: Module | Committed, n: int) -> float:
        """Rent due for the last quarters of the plan that is received later. [$M]"""
        lag = one.lease.contract.payment_lag_q
        path = self.book.paths[n][-lag:] if lag else ()
        return sum(self._due(one, self.book.moment(m)) for m in path)

    def _tenant_money(self, n: int) -> None:
        book = self.book
        for start, module in self.world.sites.modules:
            if start.node not in book.paths[n]:
                continue
            entity, k, q = book.sites[start.site].entity, start.modules, module.at[n]
            free = 1.0 - module.owed_frac / module.tenant_frac if module.tenant_frac else 0.0
            self.income[entity, n, _I.TENANT_CONTRIBUTIONS] += k * (q.tenant_money * free + q.kept)
            if book.ended(module.lease.contract.contract, n) is None:
                age = book.tree.period[n] - book.tree.period[start.node]
                left = module.owed_frac * sum(module.spend[: age + 1]) - sum(module.state[n].given)
                self.balance[entity, n, _B.TENANT_MONEY] += k * left
        for money in self.world.money:
            entity, m = book.sites[money.site].entity, money.at[n]
            self.income[entity, n, _I.TENANT_CONTRIBUTIONS] += m.kept
            self.balance[entity, n, _B.TENANT_MONEY] += m.unearned

    def _coins(self, n: int) -> None:
        book, before = self.book, max(0, self.book.tree.parent[n])
        now, then = book.rows[n].btc_usd * USD_M, book.rows[before].btc_usd * USD_M
        for lot in book.portfolio.treasury:
            held = self.world.coins.held[lot.lot, n]
            sold = self.world.decided.sold_btc.get((lot.lot, n), 0.0)
            gain = held * (now - then) + sold * (now * (1.0 - lot.sell_cost_frac) - then)
            self.balance[lot.entity, n, _B.BITCOIN] += held * now
            self.income[lot.entity, n, _I.BITCOIN_GAINS] += gain

    def _fees(self, n: int) -> None:
        """What raising debt costs."""
        book, world, cost = self.book, self.world, _I.FINANCING_COSTS
        for f, facility in world.facilities:
            if f.closed == n:
                fee = facility.terms.credit.fee_frac * facility.loan
                self.income[book.sites[f.site].entity, n, cost] -= f.modules * fee
        for t in world.take_outs.taken:
            if t.node == n:
                fee = t.facility.terms.credit.fee_frac * t.facility.loan
                self.income[t.terms.entity, n, cost] -= t.part * fee
        for loan in world.coins.loans:
            if loan.node == n:
                self.income[loan.entity, n, cost] -= loan.amount - loan.net
        raised = sum(b.principal_usd_m for b, _ in world.corporate.bonds if b.issued == n)
        fees = raised - world.corporate.net(n) + world.corporate.arrangement(n)
        for (name, _, m), amount in world.decided.issue.items():
            fees += amount * book.instruments[name].fee_frac if m == n else 0.0
        self.income[book.parent, n, cost] -= fees

    def _parents(self, n: int) -> None:
        """Notes, revolvers, convertibles and shares."""
        book, world, parent = self.book, self.world, self.book.parent
        before, corporate = book.tree.parent[n], self.world.corporate
        put, add = self.balance, self.equity
        put[parent, n, _B.CORPORATE_NOTES] += sum(q[n].balance for _, q in corporate.bonds if n in q)
        put[parent, n, _B.REVOLVER] += sum(q[n].balance for q in corporate.revolvers.values())
        converted = 0.0
        for note, rolled in world.notes:
            if n not in rolled:
                continue
            put[parent, n, _B.CONVERTIBLE_NOTES] += rolled[n].outstanding
            if note.is_new:
                opening = rolled[before].outstanding if n != note.issued else note.principal_usd_m
                converted += opening - rolled[n].outstanding - rolled[n].principal
            else:
                whole, stays = corporate.gross[note.name], corporate.left(note.name, before)
                opening = whole[before].outstanding if n else note.principal_usd_m
                converted += (opening - whole[n].outstanding) * stays - rolled[n].principal
        add[parent, n, _E.NOTES_CONVERTED] = converted
        for b in corporate.buybacks:
            if b.node == n:
                retired = b.frac * corporate.gross[b.note.name][n].outstanding
                self.income[parent, n, _I.DEBT_RETIRED] += retired - b.paid_usd_m
        for (name, _, m), amount in world.decided.issue.items():
            capped = book.instruments[name].capped_call_cost_frac or 0.0
            add[parent, n, _E.CAPPED_CALLS] -= amount * capped if m == n else 0.0
        add[parent, n, _E.SHARES_ISSUED] = world.equity_net(n)
        add[parent, n, _E.PAYOUTS] = -world.decided.payout.get(("", n), 0.0)
        awards = book.firm.award_shares_m_per_q * book.share_price[n]
        add[parent, n, _E.STOCK_AWARDS] = awards
        self.income[parent, n, _I.STOCK_AWARDS] = -awards

    # --- equity, and all as one ------------------------------------------------------------------

    def _close(self) -> None:
        """Equity rolls from the opening; the parent takes its part of the others'; all are added up."""
        shares = {e: self.book.entities[e].share for e in self.book.borrowers}
        for entity in self.book.borrowers:
            self._roll(entity)
        for n in self.nodes:
            for e, share in shares.items():
                self.balance[self.book.parent, n, _B.INVESTMENTS] += share * self._own(e, n)
                if n >= 0:
                    earned = self._earned(e, n)
                    self.income[self.book.parent, n, _I.SHARE_OF_RESULTS] += share * earned
                    self.income[CONSOLIDATED, n, _I.TO_MINORITIES] += (1.0 - share) * earned
                self.balance[CONSOLIDATED, n, _B.MINORITY_INTERESTS] += (1.0 - share) * self._own(e, n)
        self._roll(self.book.parent)
        self._consolidate(shares)
        for entity in (*self.book.entities, CONSOLIDATED):
            for n in self.nodes:
                for section, total in TOTALS.items():
                    self.balance[entity, n, total] = self._sum(entity, n, BALANCE_SECTIONS[section])
                if n >= 0:
                    self.income[entity, n, _I.NET_INCOME] = self._earned(entity, n)
                    self._show_roll(entity, n)

    def _own(self, entity: str, n: int) -> float:
        return self._sum(entity, n, BALANCE_SECTIONS["equity"])

    def _sum(self, entity: str, n: int, lines: tuple[BalanceLine, ...]) -> float:
        return sum(self.balance.get((entity, n, x), 0.0) for x in lines)

    def _earned(self, entity: str, n: int) -> float:
        return sum(self.income.get((entity, n, x), 0.0) for x in EARNED)

    def _roll(self, entity: str) -> None:
        put, tree = self.balance, self.book.tree
        opening = self._sum(entity, -1, BALANCE_SECTIONS["assets"])
        opening -= self._sum(entity, -1, BALANCE_SECTIONS["liabilities"])
        put[entity, -1, _B.OPENING_EQUITY] = opening
        for n in tree.nodes:
            before = tree.parent[n]
            added = sum(self.equity.get((entity, n, x), 0.0) for x in _ADDED)
            taken = sum(self.equity.get((entity, n, x), 0.0) for x in _TAKEN)
            put[entity, n, _B.OPENING_EQUITY] = opening
            put[entity, n, _B.PAID_IN_CAPITAL] = put[entity, before, _B.PAID_IN_CAPITAL] + added
            kept = put[entity, before, _B.RETAINED_EARNINGS] + self._earned(entity, n) + taken
            put[entity, n, _B.RETAINED_EARNINGS] = kept

    def _show_roll(self, entity: str, n: int) -> None:
        self.equity[entity, n, _E.BEFORE] = self._own(entity, self.book.tree.parent[n])
        self.equity[entity, n, _E.NET_INCOME] = self._earned(entity, n)
        self.equity[entity, n, _E.AFTER] = self._own(entity, n)

    def _consolidate(self, shares: dict[str, float]) -> None:
        parent, book = self.book.parent, self.book
        for n in self.nodes:
            for entity in book.entities:
                for line in (*BALANCE_SECTIONS["assets"], *BALANCE_SECTIONS["liabilities"]):
                    if line is not _B.INVESTMENTS:
                        self.balance[CONSOLIDATED, n, line] += self.balance.get((entity, n, line), 0.0)
                for earned in EARNED:
                    if earned is not _I.SHARE_OF_RESULTS and n >= 0:
                        self.income[CONSOLIDATED, n, earned] += self.income.get((entity, n, earned), 0.0)
                others = 1.0 - shares[entity] if entity != parent else 1.0
                for change in (*_ADDED, *_TAKEN):
                    moved = self.equity.get((entity, n, change), 0.0)
                    self.equity[CONSOLIDATED, n, change] += others * moved
            for line in (_B.OPENING_EQUITY, _B.PAID_IN_CAPITAL, _B.RETAINED_EARNINGS):
                self.balance[CONSOLIDATED, n, line] = self.balance[parent, n, line]
            if n >= 0:
                others_usd_m = self.income[CONSOLIDATED, n, _I.TO_MINORITIES]
                earned_usd_m = self._earned(CONSOLIDATED, n)
                self.income[CONSOLIDATED, n, _I.TO_SHAREHOLDERS] = earned_usd_m - others_usd_m

    # --- the tables ------------------------------------------------------------------------------

    def _rows(self, posts: Posts) -> Iterator[tuple[tuple[str, str, str], dict[str, float | str]]]:
        for (entity, n, line), usd_m in posts.items():
            if not usd_m:
                continue
            label = self.book.tree.label(n) if n >= 0 else OPENING
            yield (entity, label, line.value), {"usd_m": usd_m}

    @cached_property
    def tables(self) -> dict[str, Rows]:
        """The three tables."""
        return {
            "income": dict(self._rows(self.income)),
            "balance_sheet": dict(self._rows(self.balance)),
            "changes_in_equity": dict(self._rows(self.equity)),
        }
