"""What was signed before the plan: each commitment, and the tenant money of each committed contract."""

from collections import defaultdict
from dataclasses import dataclass

from models.domain.contract import Commitment, CommitmentFlow
from models.timetree import Quarter
from optimizer.audit.arithmetic import present_value
from optimizer.audit.book import Book, Moment
from optimizer.audit.lease import CreditRow, Lease
from optimizer.audit.modules import Tail
from optimizer.audit.refresh import gpus_at_end, refit_cost, refresh_cost


@dataclass(frozen=True)
class CommitmentQuarter:
    """A commitment in one quarter; amounts positive, $M."""

    rent: float = 0.0
    relet: float = 0.0
    end_fee: float = 0.0
    """Paid to us when the contract ends before its term."""
    opex: float = 0.0
    power: float = 0.0
    recovered: float = 0.0
    energy_mwh: float = 0.0
    own: float = 0.0
    """Own and vendor rows, when paid; a tenant's rows once it has gone."""
    taken_over: float = 0.0
    """Of it, the tenant's rows."""
    escrow: float = 0.0
    tenant: float = 0.0
    gpu_debt: float = 0.0
    fee: float = 0.0
    payable: float = 0.0
    """Shipped by vendors and paid a quarter later."""
    refresh: float = 0.0
    """GPUs replaced."""
    remaining_own: float = 0.0
    """Own and vendor rows paid after the quarter, a tenant's too once it has gone."""
    remaining_escrow: float = 0.0
    occupied_mw: float = 0.0
    building_mw: float = 0.0
    live_mw: float = 0.0
    reserved_mw: float = 0.0
    """Gross MW, whatever the stage; 0 once cancelled."""


class Committed:
    """One commitment along the tree, cancelled where the plan says so."""

    def __init__(self, book: Book, commitment: Commitment, cancelled_at: frozenset[int]) -> None:
        self.book, self.commitment = book, commitment
        self.lease = Lease(
            book, commitment.site, book.products[commitment.product], book.contracts[commitment.contract]
        )
        self.flows = book.flows(commitment.commitment)
        self.total_mw = sum(f.mw_live for f in self.flows)
        self.cancelled_at = cancelled_at
        self.at = {n: self._quarter(n) for n in book.tree.nodes}

    def is_cancelled(self, node: int) -> bool:
        """Whether it is gone in the quarter of a node."""
        return any(n in self.cancelled_at for n in self.book.paths[node])

    def live_mw(self, quarter: Quarter) -> float:
        """Critical MW live in a quarter."""
        return sum(f.mw_live for f in self.flows if f.quarter <= quarter)

    def income(self, moment: Moment) -> tuple[float, float, float]:
        """Rent received, opex and power of a quarter. [$M]"""
        live = self.live_mw(moment.quarter)
        due = self.book.earlier(moment, self.lease.contract.payment_lag_q)
        is_history = moment.quarter < self.book.tree.first + self.lease.contract.payment_lag_q
        rent = 0.0 if is_history else self.lease.rent_due(due, self.live_mw(due.quarter))
        capex = self.commitment.capex_usd_m * self._share(live)
        return rent, self.lease.opex(moment, live, capex), self.lease.power(moment, live)

    def relet_received(self, moment: Moment) -> float:
        """Rent from those who came after the tenant, due a payment lag before. [$M]"""
        due = self.book.earlier(moment, self.lease.contract.payment_lag_q)
        return self.lease.relet_rent_due(due, self.live_mw(due.quarter))

    def end_fee(self, node: int) -> float:
        """What is paid when the contract ends at a node. [$M]"""
        if not self.book.ends_at(self.lease.contract.contract, node):
            return 0.0
        ahead = [self.book.moment(node, k) for k in self.lease.quarters_left(node)]
        lost = [self.lease.agreed_rent(m, self.live_mw(m.quarter)) for m in ahead]
        return self.lease.end_fee(node, self.total_mw, lost)

    def residual(self, moment: Moment) -> float:
        """What is left at the end of the last term. [$M]"""
        if moment.quarter + 1 != self.lease.last_end:
            return 0.0
        halls = self.lease.product.residual_frac * self.commitment.capex_usd_m
        gpus = self.commitment.gpu_capex_usd_m
        worth = halls * self._share(self.live_mw(moment.quarter))
        for flow in self.flows:
            if flow.quarter <= moment.quarter:
                at_end = gpus_at_end(self.lease, moment, flow.quarter, gpus, self._gpus_new)
                worth += self._share(flow.mw_live) * at_end
        return worth

    def _gpus_new(self, moment: Moment) -> float:
        """All GPUs at the price of the day. [$M]"""
        return self.commitment.gpu_capex_usd_m * moment.market.gpu_price_idx / self.book.rows[0].gpu_price_idx

    def refresh(self, moment: Moment) -> float:
        """GPUs replaced in a quarter, each part so long after it went live. [$M]"""
        new = self._gpus_new(moment)
        return sum(
            self._share(f.mw_live) * refresh_cost(self.lease, moment, f.quarter, new) for f in self.flows
        )

    def refit(self, moment: Moment) -> float:
        """Spent on halls for a renewal that begins in a quarter, as far as it is expected. [$M]"""
        return sum(refit_cost(self.lease, moment, f.quarter, f.mw_live) for f in self.flows)

    def _share(self, live_mw: float) -> float:
        return live_mw / self.total_mw if self.total_mw else 0.0

    def _paid(self, flow: CommitmentFlow) -> Quarter:
        return flow.quarter + (1 if flow.funded_by == "vendor" else 0)

    def _spent(self, quarter: Quarter, *funders: str) -> float:
        first = self.book.tree.first
        return sum(
            f.amount_usd_m
            for f in self.flows
            if f.funded_by in funders and f.quarter >= first and self._paid(f) == quarter
        )

    def _left(self, quarter: Quarter, *funders: str) -> float:
        """Rows of some funders paid after a quarter, history apart. [$M]"""
        first = self.book.tree.first
        return sum(
            f.amount_usd_m
            for f in self.flows
            if f.funded_by in funders and f.quarter >= first and self._paid(f) > quarter
        )

    def _shipped(self, quarter: Quarter) -> float:
        """Shipped by a vendor in the quarter, who is paid in the next one. [$M]"""
        return sum(f.amount_usd_m for f in self.flows if f.funded_by == "vendor" and f.quarter == quarter)

    def _quarter(self, node: int) -> CommitmentQuarter:
        if self.is_cancelled(node):
            fee = self.commitment.cancel_fee_usd_m if node in self.cancelled_at else 0.0
            return CommitmentQuarter(fee=fee)
        moment = self.book.moment(node)
        quarter, live = moment.quarter, self.live_mw(moment.quarter)
        rent, opex, power = self.income(moment)
        occupies = quarter >= self.commitment.occupies_from_quarter
        gross = self.total_mw * self.lease.gross_per_mw
        own, is_over = ("own", "vendor"), self.lease.is_over(moment)
        ours = (*own, "tenant") if is_over else own
        return CommitmentQuarter(
            rent=rent,
            relet=self.relet_received(moment),
            end_fee=self.end_fee(node),
            opex=opex,
            power=power,
            recovered=self.lease.demand_recovered(moment, live),
            energy_mwh=self.lease.energy(moment, live),
            own=self._spent(quarter, *ours),
            taken_over=self._spent(quarter, "tenant") if is_over else 0.0,
            escrow=self._spent(quarter, "escrow"),
            tenant=0.0 if is_over else self._spent(quarter, "tenant"),
            gpu_debt=self._spent(quarter, "gpu_debt"),
            payable=self._shipped(quarter),
            refresh=self.refresh(moment) + self.refit(moment),
            remaining_own=self._left(quarter, *ours),
            remaining_escrow=self._left(quarter, "escrow"),
            occupied_mw=gross if occupies else 0.0,
            building_mw=self.total_mw - live if occupies else 0.0,
            live_mw=live if quarter < self.lease.last_end else 0.0,
            reserved_mw=gross,
        )

    def tail(self, leaf: int) -> Tail:
        """Worth after a leaf. [$M]"""
        if self.is_cancelled(leaf):
            return Tail(0.0, 0.0, 0.0, 0.0)
        end = self.lease.last_end + self.lease.contract.payment_lag_q
        signed, renewed, residual, refresh = [], [], [], []
        for ahead in range(1, max(0, end - self.book.last_quarter) + 1):
            moment = self.book.moment(leaf, ahead)
            in_term, after = self.lease.parted(moment, self.income(moment), self.relet_received(moment))
            signed.append(in_term)
            renewed.append(after)
            residual.append(self.residual(moment))
            refresh.append(self.refresh(moment) + self.refit(moment))
        left = sum(self.residual(self.book.moment(n)) for n in self.book.paths[leaf])
        rate = self.lease.rate
        by_kind = (signed, renewed, residual, refresh)
        return Tail(*(present_value(flows, rate) for flows in by_kind)).with_left(left)


@dataclass(frozen=True)
class MoneyQuarter:
    """Tenant money of a committed contract in one quarter. [$M]"""

    received: float
    credited: float
    refunded: float
    kept: float
    """Income: never given back, or not given back because the contract ended."""
    unearned: float
    """Received less credited to date, of what is given back."""


class CommittedMoney:
    """The tenant money of a committed contract, booked at the site of its first commitment."""

    def __init__(self, book: Book, contract: str, held: list[Committed]) -> None:
        self.book, self.contract, self.site = book, contract, held[0].commitment.site
        start = book.contracts[contract].commencement_quarter
        self.rows = book.money(contract)
        self.credit_rows = tuple(
            CreditRow(
                (m.amount_usd_m or 0.0) / m.give_back_q,
                start + m.give_back_from_q,
                m.give_back_q,
                m.max_frac_of_rent,
            )
            for m in self.rows
            if m.give_back_q
        )
        self.at: dict[int, MoneyQuarter] = {}
        self.held = held
        self.opening = sum(self._received(book.tree.first + -1)) - sum(self._history())
        """To be given back at the opening. [$M]"""
        self.carried = dict[int, tuple[float, ...]]()
        """Due and not yet given after a quarter, by row."""
        carried = self.carried
        credited: dict[int, tuple[float, ...]] = {}
        for n in book.tree.nodes:
            parent, quarter = book.tree.parent[n], book.tree.quarter(n)
            is_over = book.ended(contract, n) is not None
            rent = 0.0 if is_over else sum(c.at[n].rent for c in held)
            owed = carried[parent] if parent >= 0 else tuple(0.0 for _ in self.credit_rows)
            before = credited[parent] if parent >= 0 else self._history()
            given = [r.given(quarter, left, rent) for r, left in zip(self.credit_rows, owed, strict=True)]
            carried[n] = tuple(left for _, left in given)
            credited[n] = tuple(b + now for b, (now, _) in zip(before, given, strict=True))
            comes = [m for m in self.rows if m.received_quarter == quarter and not is_over]
            back, kept = self._settled(contract, n, before)
            self.at[n] = MoneyQuarter(
                received=sum(m.amount_usd_m or 0.0 for m in comes),
                credited=sum(now for now, _ in given),
                refunded=back,
                kept=kept + sum(m.amount_usd_m or 0.0 for m in comes if not m.give_back_q),
                unearned=0.0 if is_over else sum(self._received(quarter)) - sum(credited[n]),
            )

    def credits_after(self, leaf: int, quarters: int) -> list[float]:
        """Credits of the quarters after a leaf. [$M]"""
        owed, found = self.carried[leaf], [0.0] * quarters
        is_over = self.book.ended(self.contract, leaf) is not None
        for k in range(quarters) if self.credit_rows and not is_over else ():
            moment = self.book.moment(leaf, k + 1)
            rent = sum(c.income(moment)[0] for c in self.held)
            given = [
                r.given(moment.quarter, left, rent) for r, left in zip(self.credit_rows, owed, strict=True)
            ]
            found[k], owed = sum(now for now, _ in given), tuple(left for _, left in given)
        return found

    def _settled(self, contract: str, node: int, credited: tuple[float, ...]) -> tuple[float, float]:
        """What is paid back, and what is kept, when the contract ends at a node. [$M]"""
        if not self.book.ends_at(contract, node):
            return 0.0, 0.0
        given_back = [m for m in self.rows if m.give_back_q]
        received = self._received(self.book.tree.quarter(node) + -1)
        left = [max(0.0, r - c) for r, c in zip(received, credited, strict=True)]
        back = sum(x for m, x in zip(given_back, left, strict=True) if m.refundable_on_termination)
        return back, sum(left) - back

    def _when(self, received: Quarter | None) -> Quarter:
        return received if received is not None else self.book.tree.first + -1

    def _received(self, quarter: Quarter) -> list[float]:
        """Of each row that is given back, what has come by the end of a quarter. [$M]"""
        return [
            (m.amount_usd_m or 0.0) if self._when(m.received_quarter) <= quarter else 0.0
            for m in self.rows
            if m.give_back_q
        ]

    def _history(self) -> tuple[float, ...]:
        """Credits before the first quarter by row, taken as given on their plan dates. [$M]"""
        first = self.book.tree.first
        return tuple(r.part_usd_m * min(r.parts, max(0, first - r.first)) for r in self.credit_rows)


def committed_money(book: Book, held: list[Committed]) -> list[CommittedMoney]:
    """The tenant money of every committed contract that has commitments."""
    by_contract: dict[str, list[Committed]] = defaultdict(list)
    for one in held:
        by_contract[one.commitment.contract].append(one)
    return [
        CommittedMoney(book, name, ones)
        for name, ones in by_contract.items()
        if book.contracts[name].state == "committed" and book.money(name)
    ]
