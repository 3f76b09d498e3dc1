"""Let halls sold at a cap rate: whether they might be, what they bring, and what goes with them."""

from collections.abc import Sequence

from models.timetree import Quarter
from models.units import USD_M_PER_KW_MONTH
from optimizer.audit.book import Book
from optimizer.audit.committed import Committed, CommittedMoney
from optimizer.audit.decisions import SoldBlock
from optimizer.audit.modules import Module

_AHEAD_Q = 4
_NOTHING_USD_M = 1e-6


class Sold:
    """Modules of a cohort, or a part of a commitment, that change hands at the end of a node's quarter."""

    def __init__(self, book: Book, decided: SoldBlock, one: Module | Committed) -> None:
        self.book, self.decided, self.one = book, decided, one
        self.lease, self.node, self.count = one.lease, decided.node, decided.count
        self.mw = one.mw if isinstance(one, Module) else one.total_mw
        self.cost_usd_m = (
            sum(one.own_spend)
            if isinstance(one, Module)
            else one.commitment.capex_usd_m + one.commitment.gpu_capex_usd_m
        )

    def is_gone(self, node: int) -> bool:
        """Whether the buyer owns them in the quarter of a node."""
        return self.node in self.book.paths[node][:-1]

    @property
    def price_usd_m(self) -> float:
        """What all of them bring, the cost of the sale taken off. [$M]"""
        site = self.book.sites[self.decided.site]
        each = self._earned_after() / (site.sale_cap_rate_frac or 1.0)
        return self.count * each * (1.0 - (site.sale_cost_frac or 0.0))

    def _earned_after(self) -> float:
        """What the four quarters after the sale bring a buyer, who repays the demand charge. [$M]"""
        gross, quarter = (
            self.one.at[self.node].live_mw * self.lease.gross_per_mw,
            self.book.tree.quarter(self.node),
        )
        repaid = 0.0 if self.lease.contract.power_passed_through else gross
        charges = (self._demand_charge(quarter + k) for k in range(1, _AHEAD_Q + 1))
        return self._noi_after(self.node, _AHEAD_Q) - repaid * sum(charges)

    def _demand_charge(self, quarter: Quarter) -> float:
        """Of a gross MW in a quarter. [$M]"""
        power = self.book.power(self.lease.site, quarter)
        return power.demand_charge_usd_per_kw_month * USD_M_PER_KW_MONTH if power is not None else 0.0

    def _noi_after(self, node: int, quarters: int) -> float:
        """NOI of the quarters after a node, as expected there. [$M]"""
        book, children = self.book, self.book.tree.children[node]
        if not quarters:
            return 0.0
        if not children:
            incomes = (self.one.income(book.moment(node, i)) for i in range(1, quarters + 1))
            return sum(rent - opex - power for rent, opex, power in incomes)
        weight, found = book.tree.probability, 0.0
        for child in children:
            rent, opex, power = self.one.income(book.moment(child))
            after = rent - opex - power + self._noi_after(child, quarters - 1)
            found += float(weight[child] / weight[node]) * after
        return found

    def earned_before(self, node: int) -> float:
        """What they earned in a quarter up to their sale, less what buyers repay after it. [$M]"""
        if node not in self.book.paths[self.node] or node not in self.one.at:
            return 0.0
        quarter = self.one.at[node]
        return self.count * (quarter.rent - quarter.opex - quarter.power) - self.repaid(node)

    def repaid(self, node: int) -> float:
        """Demand charge that the buyer repays where no tenant did. [$M]"""
        quarter = self.one.at[node]
        charge = self._demand_charge(self.book.tree.quarter(node))
        billed = quarter.live_mw * self.lease.gross_per_mw * charge
        return self.count * (billed - quarter.recovered)

    # --- whether they might be sold ----------------------------------------------------------------

    def is_offered(self, money: Sequence[CommittedMoney]) -> bool:
        """Whether anybody would pay the site's cap rate for them at the node."""
        book, contract, n = self.book, self.lease.contract, self.node
        ahead_q = book.sites[self.decided.site].sale_term_left_q
        runs_on = all(book.ended(contract.contract, m) is None for m in book.below[n])
        return (
            ahead_q is not None
            and contract.state != "merchant"
            and self.lease.product.refresh_q is None
            and bool(book.tree.children[n])
            and runs_on
            and book.tree.quarter(n) + ahead_q < self.lease.term_end
            and (self._is_settled() if isinstance(self.one, Module) else self._stands(self.one, money))
            and self._earned_after() > 0.0
        )

    def _pays_in_full(self) -> bool:
        """Whether the rent received at the node is that of a quarter of the contract."""
        lag = self.lease.contract.payment_lag_q
        return self.book.tree.quarter(self.node) + -lag >= self.lease.contract.commencement_quarter

    def _is_settled(self) -> bool:
        one, quarter = self.one, self.book.tree.quarter(self.node)
        if not isinstance(one, Module) or self.decided.begun not in self.book.paths[self.node][:-1]:
            return False
        last, lag = one.lease.contract.last_delivery_quarter, one.lease.contract.payment_lag_q
        age = self.book.tree.period[self.node] - self.book.tree.period[self.decided.begun]
        is_ramped = quarter + -lag >= one.live_from + (len(one.ramp) - 1)
        return (
            self._pays_in_full()
            and is_ramped
            and quarter >= one.live_from + one.product.slip_q
            and (last is None or quarter >= last)
            and age + 1 >= len(one.spend)
            and abs(one.unearned(self.node)) <= _NOTHING_USD_M
        )

    def _stands(self, one: Committed, money: Sequence[CommittedMoney]) -> bool:
        book, quarter, row = self.book, self.book.tree.quarter(self.node), one.commitment
        owner, lag = book.sites[row.site].entity, one.lease.contract.payment_lag_q
        loans = (d for d in book.portfolio.debt if d.entity == owner)
        lent = any(d.kind not in ("corporate", "btc") for d in loans) or row.debt is not None
        lent = lent or any(x.entity == owner for x in book.portfolio.take_outs)
        since = [book.tree.first, *(f.quarter for f in one.flows if f.mw_live > 0.0)]
        until = row.cancellable_until_quarter
        still = one.at[self.node]
        to_come = any(f.quarter + (f.funded_by == "vendor") > quarter for f in one.flows)
        return (
            self._pays_in_full()
            and not lent
            and not to_come
            and still.remaining_own + still.remaining_escrow + still.payable == 0.0
            and len(since) > 1
            and max(since) + lag <= quarter
            and (until is None or until < quarter)
            and not any(self._is_owed(m) for m in money if m.contract == row.contract)
        )

    def _is_owed(self, money: CommittedMoney) -> bool:
        """Whether tenant money of the contract is still to come, or to be given back."""
        later = [m for m in self.book.below[self.node] if m != self.node]
        comes = any(money.at[m].received or money.at[m].credited > _NOTHING_USD_M for m in later)
        return comes or abs(money.at[self.node].unearned) > _NOTHING_USD_M
