"""From a plan to the accounts of its statements. Policy: docs/statements.md."""

import numpy as np

from models.blocks.books import Books, Tally
from models.domain.ledger import CashLine, Quantity, ValueLine
from models.domain.statements import DEBT_LINE, BalanceLine, EquityLine, IncomeLine
from models.params.commitments import CommitmentArrays
from models.params.modules import ModuleArrays
from models.params.streams import Terms
from optimizer.plans import corporate_debt
from optimizer.plans.book_assets import Nodes
from optimizer.plans.book_machines import machines
from optimizer.plans.book_register import Register
from optimizer.plans.reading import Array, Reading
from optimizer.plans.statements import CASH_IS_EQUITY, CASH_IS_INCOME, Accounts, close


def accounts_of(r: Reading) -> Accounts:
    """All accounts, closed and consolidated."""
    accounts = Accounts(Nodes(r))
    keeper = _Keeper(r, accounts)
    for books in r.program.books:
        keeper.cash(books)
    keeper.assets()
    keeper.machines()
    keeper.mining()
    keeper.rents()
    keeper.tenant_money()
    keeper.coins()
    keeper.loans()
    keeper.fees()
    keeper.convertibles()
    keeper.shares()
    owned = {x.entity: x.owned.share for x in r.program.borrowers}
    close(accounts, owned, keeper.parent)
    return accounts


class _Keeper:
    """Posts each kind of thing to the accounts."""

    def __init__(self, r: Reading, accounts: Accounts) -> None:
        self.reading, self.accounts, self.at = r, accounts, accounts.nodes
        self.params, self.portfolio = r.program.params, r.program.params.portfolio
        self.parent = self.portfolio.parent.entity
        self.entity = {s.site: s.entity for s in self.portfolio.sites}
        self.cohorts = {(*b.route.key, r.labels[b.node]): b for b in r.built}
        self.register = Register(r)

    def owner(self, books: Books) -> str:
        """Entity that books belong to."""
        return self.parent if books.owner == "company" else books.owner

    def flow(self, books: Books, line: CashLine) -> Array:
        """A line of cash by node."""
        found = books.cash.get(line)
        return np.array([x.value for x in found]) if found else np.zeros(self.at.size)

    def tallied(self, books: Books, what: Tally) -> Array:
        """A tally by node."""
        return np.array([books.tally_at(what, n).value for n in range(self.at.size)])

    def cash(self, books: Books) -> None:
        """Cash of both kinds, what of its movements is income or equity, interest, tax, rescue."""
        to, name = self.accounts, self.owner(books)
        entity = next(e for e in self.portfolio.entities if e.entity == name)
        closing = np.append(self.reading.cash(books), entity.unrestricted_cash_usd_m)
        to.holds(name, BalanceLine.CASH, closing)
        restricted = np.append(self.tallied(books, Tally.RESTRICTED), self._restricted_before(name))
        to.holds(name, BalanceLine.RESTRICTED_CASH, restricted)
        for line, income in CASH_IS_INCOME.items():
            to.earns(name, income, self.flow(books, line))
        for line, change in CASH_IS_EQUITY.items():
            to.adds(name, change, self.flow(books, line))
        if name != self.parent:
            for change, lines in (
                (EquityLine.CONTRIBUTED, (CashLine.CONTRIBUTED, CashLine.PARTNER_CONTRIBUTED)),
                (EquityLine.DISTRIBUTED, (CashLine.DISTRIBUTED, CashLine.PARTNER_DISTRIBUTED)),
            ):
                for line in lines:
                    to.adds(name, change, self.flow(books, line))
        to.earns(name, IncomeLine.INTEREST_EXPENSE, -self.tallied(books, Tally.INTEREST))
        owed = np.zeros(self.at.size)
        for leaf, amount in books.value.get(ValueLine.TAX_OWED, {}).items():
            owed[leaf] = -amount.value
        to.holds(name, BalanceLine.TAX_PAYABLE, np.append(owed, 0.0))
        to.earns(name, IncomeLine.INCOME_TAX, -owed)
        rescue = self.at.summed(self.flow(books, CashLine.RESCUE))
        to.holds(name, BalanceLine.RESCUE_FUNDING, rescue)

    def _restricted_before(self, name: str) -> float:
        """Restricted cash at the opening. [$M]"""
        entity = next(e for e in self.portfolio.entities if e.entity == name)
        held = entity.escrow_usd_m + entity.collateral_cash_usd_m
        held += sum(
            d.dsra_usd_m or 0.0 for d in self.portfolio.debt if d.entity == name and d.dsra_form == "cash"
        )
        sites = (s for s in self.portfolio.sites if s.entity == name and s.is_owned)
        return held + sum(self.params.power[s.site].security_before_usd_m for s in sites)

    def assets(self) -> None:
        """All but machines."""
        to = self.accounts
        for asset in self.register.assets():
            to.holds(asset.entity, BalanceLine.CONSTRUCTION, asset.construction)
            to.holds(asset.entity, BalanceLine.PROPERTY, asset.in_use)
            to.holds(asset.entity, BalanceLine.PAYABLES, asset.payable)
            to.earns(asset.entity, IncomeLine.DEPRECIATION, -asset.depreciation)
        for owned in self.register.owner.values():
            for asset in owned:
                to.earns(asset.entity, IncomeLine.WRITTEN_OFF, -asset.gone)
        for sold in self.reading.sold:
            for asset in self.register.halls_sold(sold):
                to.earns(asset.entity, IncomeLine.HALLS_SOLD, -asset.gone)
        for asset in self.register.for_sale():
            to.earns(asset.entity, IncomeLine.SITES_SOLD, -asset.gone)
        for entity, _, _, _, interest in self.register.capitalised():
            to.earns(entity, IncomeLine.INTEREST_CAPITALISED, interest)

    def machines(self) -> None:
        """Hash machines."""
        found, to = machines(self.reading), self.accounts
        for entity, balance in found.carried.items():
            to.holds(entity, BalanceLine.PROPERTY, balance)
        for entity, worn in found.depreciation.items():
            to.earns(entity, IncomeLine.DEPRECIATION, -worn)
        for entity, gone in found.gone.items():
            to.earns(entity, IncomeLine.MACHINES_SOLD, -gone)
        for entity, moved in found.moved.items():
            if entity != self.parent:
                to.adds(entity, EquityLine.MACHINES_MOVED, moved)

    def mining(self) -> None:
        """The parts of the margin of machines kept ready."""
        to = self.accounts
        for quantity in (Quantity.ON_MW, Quantity.SLACK_MW):
            for d, v in self.reading.by_quantity[quantity]:
                at, entity = self.params.mining[d.item, d.site], self.entity[d.site]
                mw = np.zeros(self.at.size)
                mw[d.node] = v * (self._slack_hours(d.site) if quantity is Quantity.SLACK_MW else 1.0)
                revenue, credit = at.revenue_usd_m_per_mw, at.credit_usd_m_per_mw
                upkeep = at.margin_usd_m_per_mw - revenue - credit + at.power_usd_m_per_mw
                to.earns(entity, IncomeLine.MINING_REVENUE, mw * revenue)
                to.earns(entity, IncomeLine.INTERRUPTIBLE_CREDITS, mw * credit)
                to.earns(entity, IncomeLine.MINING_POWER, -mw * at.power_usd_m_per_mw)
                to.earns(entity, IncomeLine.MINING_UPKEEP, mw * upkeep)

    def _slack_hours(self, site: str) -> float:
        """Share of hours in which machines may run on slack."""
        terms = [x.route.terms for x in self.params.routes] + [c.terms for c in self.params.commitments]
        here = (t.contract for t in terms if t.site.site == site)
        return min((c.slack_hours_frac for c in here if c.usable_slack_frac > 0.0), default=0.0)

    def rents(self) -> None:
        """Rent as it falls due, and what of it is not yet received."""
        ones = np.ones(self.at.size)
        for b in self.reading.built:
            self._rent(b.route.terms, b.arrays, b.count * ones, IncomeLine.WRITTEN_OFF)
        for c in self.params.commitments:
            held = self.reading.held(c.commitment.commitment)
            self._rent(c.terms, c, held, IncomeLine.WRITTEN_OFF)
        commitments = {c.commitment.commitment: c for c in self.params.commitments}
        for x in self.reading.sold:
            d, after = x.decision, -x.count * x.sale.after
            if d.since:
                cohort = self.cohorts[d.site, d.item, d.contract, d.since]
                self._rent(cohort.route.terms, cohort.arrays, after, IncomeLine.HALLS_SOLD, d.node, x.count)
            else:
                one = commitments[d.item]
                self._rent(one.terms, one, after, IncomeLine.HALLS_SOLD, d.node, x.count)

    def _rent(
        self,
        terms: Terms,
        arrays: ModuleArrays | CommitmentArrays,
        mark: Array,
        lost: IncomeLine,
        sold_at: int = -1,
        count: float = 0.0,
    ) -> None:
        """Of some halls; what is due when they leave goes with them."""
        to, entity = self.accounts, self.entity[terms.site.site]
        is_cloud = terms.product.workload == "gpu_cloud"
        line = IncomeLine.CLOUD_REVENUE if is_cloud else IncomeLine.RENT
        owed = arrays.receivable * mark
        gone = np.zeros(self.at.size)
        if sold_at >= 0:
            owed[sold_at] = -count * arrays.receivable[sold_at]
            gone[sold_at] = count * arrays.receivable[sold_at]
        balance = np.append(owed, 0.0)
        received = (arrays.rent + arrays.relet) * mark
        if sold_at < 0:
            held = np.append(mark, mark[0])
            gone = self.at.before(balance) * (mark == 0.0) * (self.at.before(held) > 0.0)
        to.holds(entity, BalanceLine.RECEIVABLES, balance)
        to.earns(entity, line, received + balance[: self.at.size] - self.at.before(balance) + gone)
        to.earns(entity, lost, -gone)

    def tenant_money(self) -> None:
        """What is to be given back, and what is never."""
        for b in self.reading.built:
            rows = b.route.terms.money
            every = sum(m.frac_of_capex or 0.0 for m in rows)
            owed = sum(m.frac_of_capex or 0.0 for m in rows if m.give_back_q) / (every or 1.0)
            a, entity = b.arrays, self.entity[b.route.key[0]]
            given = a.tenant_money * (1.0 - owed) + a.kept
            left = a.tenant_money * owed - a.credit - a.refund - a.kept
            self._unearned(entity, b.count * left, b.count * given, 0.0)
        for m in self.params.contract_money:
            left = m.received - m.credit - m.refund - m.kept
            self._unearned(self.entity[m.site], left, m.kept, m.opening_usd_m)

    def _unearned(self, entity: str, left: Array, given: Array, opening: float) -> None:
        self.accounts.holds(entity, BalanceLine.TENANT_MONEY, self.at.summed(left, opening))
        self.accounts.earns(entity, IncomeLine.TENANT_CONTRIBUTIONS, given)

    def coins(self) -> None:
        """At the market of each quarter; the opening at that of the first."""
        price = np.append(self.params.coins.price, self.params.coins.price[0])
        for lot in self.params.coins.lots:
            sold = np.zeros(self.at.size)
            for d, v in self.reading.by_quantity[Quantity.SOLD_BTC]:
                sold[d.node] += v * (d.item == lot.lot)
            held = self.at.summed(-sold, lot.btc)
            rise = self.at.before(held) * (price[: self.at.size] - self.at.before(price))
            cost = sold * price[: self.at.size] * lot.sell_cost_frac
            self.accounts.holds(lot.entity, BalanceLine.BITCOIN, held * price)
            self.accounts.earns(lot.entity, IncomeLine.BITCOIN_GAINS, rise - cost)
        for asset in self.portfolio.holdings:
            self.accounts.holds(
                self.parent, BalanceLine.HOLDINGS, np.full(self.at.size + 1, asset.value_usd_m)
            )

    def loans(self) -> None:
        """What is owed to lenders at the end of each quarter."""
        r, to = self.reading, self.accounts
        for d in r.debts:
            to.holds(d.debt.entity, DEBT_LINE[d.debt.kind], np.append(d.balance, d.debt.principal_usd_m))
        kinds = {d.debt: d.kind for d in self.portfolio.debt}
        for t in r.taken:
            entity = self.entity[t.route.key[0]]
            to.holds(entity, BalanceLine.PROJECT_DEBT, np.append(t.modules * t.arrays.balance, 0.0))
        for offer, part in r.take_outs:
            owed = np.append(part * offer.facility.balance, 0.0)
            to.holds(offer.terms.entity, BalanceLine.PROJECT_DEBT, owed)
        for x in r.leased:
            entity = self.entity[x.route.key[0]]
            to.holds(entity, BalanceLine.LEASE_LIABILITIES, np.append(x.modules * x.arrays.balance, 0.0))
        for loan in r.new_loans:
            kind = kinds[loan.source] if loan.kind == "refinanced" else "btc"
            to.holds(loan.entity, DEBT_LINE[kind], np.append(loan.amount * loan.terms.balance, 0.0))
        revolvers = {o.instrument.instrument for o in self.params.revolver_offers}
        for name, entity, (_, _, _, balance, _) in corporate_debt.schedules(r):
            line = BalanceLine.REVOLVER if name in revolvers else BalanceLine.CORPORATE_NOTES
            to.holds(entity, line, np.append(balance, 0.0))

    def fees(self) -> None:
        """What raising debt costs, charged when it is raised."""
        r, p = self.reading, self.portfolio
        lenders = {c.credit_class: c for c in p.credit_classes}
        terms = {i.instrument: i for i in p.instruments}
        for t in r.taken:
            lender = lenders[t.route.terms.contract.credit_class or ""]
            self._fee(
                self.entity[t.route.key[0]], t.arrays.close, t.modules * t.arrays.loan_usd_m * lender.fee_frac
            )
        for offer, part in r.take_outs:
            fee = part * offer.facility.loan_usd_m * lenders[offer.terms.credit_class].fee_frac
            self._fee(offer.terms.entity, offer.node, fee)
        for loan in r.new_loans:
            self._fee(loan.entity, loan.terms.drawn, loan.amount * (1.0 - loan.net_frac))
        for quantity in (Quantity.NOTES, Quantity.COMMIT, Quantity.ISSUE):
            for d, v in r.by_quantity[quantity]:
                self._fee(self.parent, d.node, v * terms[d.item].fee_frac)

    def _fee(self, entity: str, n: int, usd_m: float) -> None:
        cost = np.zeros(self.at.size)
        cost[n] = -usd_m
        self.accounts.earns(entity, IncomeLine.FINANCING_COSTS, cost)

    def convertibles(self) -> None:
        """At principal; what is settled for less cash than that is converted."""
        r, at, to = self.reading, self.at, self.accounts
        outstanding = at.zero()
        for note, principal in r.notes:
            is_old = note.tranche in {c.tranche for c in self.portfolio.convertibles}
            outstanding += principal * np.append(note.outstanding, float(is_old))
        issued, bought = np.zeros(at.size), np.zeros(at.size)
        terms = {i.instrument: i for i in self.portfolio.instruments}
        for d, v in r.by_quantity[Quantity.ISSUE]:
            issued[d.node] += v
            capped = np.zeros(at.size)
            capped[d.node] = -v * (terms[d.item].capped_call_cost_frac or 0.0)
            to.adds(self.parent, EquityLine.CAPPED_CALLS, capped)
        for offer, n, frac in r.bought:
            note = offer.retired[n]
            bought[n] += frac * note.principal_usd_m * float(note.outstanding[n])
        paid = -self.flow(r.program.books[0], CashLine.CONVERT_PRINCIPAL)
        converted = at.before(outstanding) + issued - outstanding[: at.size] - paid - bought
        to.holds(self.parent, BalanceLine.CONVERTIBLE_NOTES, outstanding)
        to.adds(self.parent, EquityLine.NOTES_CONVERTED, converted)
        to.earns(self.parent, IncomeLine.DEBT_RETIRED, bought)

    def shares(self) -> None:
        """Stock awards at the share price of their quarter."""
        awarded = self.portfolio.firm.award_shares_m_per_q * self.params.outlook.share_price_usd
        self.accounts.earns(self.parent, IncomeLine.STOCK_AWARDS, -awarded)
        self.accounts.adds(self.parent, EquityLine.STOCK_AWARDS, awarded)
