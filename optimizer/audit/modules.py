"""The life of one module, quarter by quarter: built, let, credited, and what is left of it at a leaf."""

from dataclasses import dataclass, replace
from functools import cached_property

from models.domain.contract import Contract
from models.domain.product import Product
from models.timetree import Quarter
from optimizer.audit.arithmetic import at_step, present_value, respread
from optimizer.audit.book import Book, Moment
from optimizer.audit.lease import CreditRow, Lease
from optimizer.audit.refresh import gpus_at_end, refit_cost, refresh_cost


@dataclass(frozen=True)
class ModuleQuarter:
    """One module in one quarter; amounts positive, $M."""

    rent: float
    relet: float
    fee: float
    """Paid when the contract ends before its term."""
    opex: float
    power: float
    credit: float
    refund: float
    kept: float
    """Tenant money that becomes income when the contract ends."""
    recovered: float
    spend: float
    payable: float
    """GPUs shipped and not yet paid, the tenant's part of them apart."""
    refresh: float
    """GPUs replaced and halls refitted."""
    tenant_money: float
    energy_mwh: float
    late_loss: float
    occupied_mw: float
    building_mw: float
    live_mw: float
    utilised_mw: float

    @property
    def noi(self) -> float:
        """Net operating income, before credits."""
        return self.rent + self.relet - self.opex - self.power


@dataclass(frozen=True)
class Carried:
    """What one quarter hands to the next."""

    credits: tuple[float, ...] = ()
    """Due and not yet given, by row of tenant money."""
    given: tuple[float, ...] = ()
    """By row, so far."""
    lost: float = 0.0


@dataclass(frozen=True)
class Tail:
    """What a module is worth after a leaf. [$M]"""

    signed: float
    renewed: float
    residual: float
    refresh: float
    """What GPUs and halls will cost again."""

    def with_left(self, usd_m: float) -> "Tail":
        """With what is left of terms that have ended."""
        return replace(self, residual=self.residual + usd_m)


def first_rent(book: Book, product: Product, contract: Contract, live_from: Quarter) -> Quarter:
    """First quarter in which rent of halls live from a quarter on is received."""
    ramp, quarter = book.profiles[product.ramp_profile], live_from
    while quarter < contract.commencement_quarter or at_step(ramp, quarter - live_from) == 0.0:
        quarter += 1
    return quarter + contract.payment_lag_q


class Module:
    """One module of a product at a site for a contract, begun at a node."""

    def __init__(self, book: Book, site: str, product: str, contract: str, begun: int) -> None:
        self.book, self.begun = book, begun
        self.lease = Lease(book, site, book.products[product], book.contracts[contract])
        self.product = self.lease.product
        self.at: dict[int, ModuleQuarter] = {}
        self.state: dict[int, Carried] = {}
        self._price()
        nothing = tuple(0.0 for _ in self.credit_rows)
        for n in book.below[begun]:
            before = Carried(nothing, nothing) if n == begun else self.state[book.tree.parent[n]]
            self.at[n], self.state[n] = self._quarter(book.moment(n), before)

    def _price(self) -> None:
        """Capex at the prices of the start, its spend, and the tenant's share of it."""
        book, p, row = self.book, self.product, self.book.rows[self.begun]
        site, contract = book.sites[self.lease.site], self.lease.contract
        self.mw, self.lead = p.module_mw, p.lead_q
        self.gross = p.module_mw * self.lease.gross_per_mw
        factor = book.site_products[site.site, p.product].capex_factor_frac
        self.building_usd_m = (
            p.capex_usd_m_per_mw * p.module_mw * factor * (1.0 + p.contingency_frac) * row.capex_idx
        )
        demolition = site.demolition_usd_m_per_mw * self.gross if p.archetype == "rebuild" else 0.0
        ordered = sum(
            x.cost_usd_m_per_mw * p.module_mw * row.capex_idx
            for x in book.portfolio.long_lead
            if x.serves(p.product, site.site)
        )
        self.capex = self.building_usd_m + demolition - ordered
        self.gpus = p.gpu_capex_usd_m_per_mw * p.module_mw * row.gpu_price_idx
        lag = p.gpu_payment_lag_q or 0
        self.spend = [self.capex * w for w in respread(book.profiles[p.spend_profile], self.lead)]
        self.spend += [0.0] * lag
        self.shipped, self.gpus_paid = [0.0] * len(self.spend), [0.0] * len(self.spend)
        if p.gpu_spend_profile:
            for age, share in enumerate(respread(book.profiles[p.gpu_spend_profile], self.lead)):
                self.shipped[age] = self.gpus * share
                self.gpus_paid[age + lag] = self.gpus * share
                self.spend[age + lag] += self.gpus * share
        money = book.money(contract.contract)
        self.tenant_frac = sum(m.frac_of_capex or 0.0 for m in money)
        self.eligible_frac = sum(m.frac_of_capex or 0.0 for m in money if m.eligible_for_ltc)
        self.owed_frac = sum(m.frac_of_capex or 0.0 for m in money if m.give_back_q)
        live_from = book.tree.quarter(self.begun) + self.lead
        cost = self.capex + self.gpus
        self.credit_rows = tuple(
            CreditRow(
                (m.frac_of_capex or 0.0) * cost / m.give_back_q,
                live_from + m.give_back_from_q,
                m.give_back_q,
                m.max_frac_of_rent,
            )
            for m in money
            if m.give_back_q
        )

    @cached_property
    def own_spend(self) -> list[float]:
        """Own spend by age. [$M]"""
        return [s * (1.0 - self.tenant_frac) for s in self.spend]

    @cached_property
    def ramp(self) -> tuple[float, ...]:
        """Utilisation since go-live."""
        return self.book.profiles[self.product.ramp_profile]

    @cached_property
    def live_from(self) -> Quarter:
        """Calendar quarter of go-live."""
        return self.book.tree.quarter(self.begun) + self.lead

    @cached_property
    def pays_from(self) -> Quarter:
        """First quarter in which rent comes in."""
        return first_rent(self.book, self.product, self.lease.contract, self.live_from)

    def used_mw(self, moment: Moment) -> float:
        """Critical MW in use: utilisation, nothing before go-live."""
        since = moment.quarter - self.live_from
        return self.mw * at_step(self.ramp, since) if since >= 0 else 0.0

    def rent_received(self, moment: Moment) -> float:
        """Rent that was due a payment lag before. [$M]"""
        due = self.book.earlier(moment, self.lease.contract.payment_lag_q)
        return self.lease.rent_due(due, self.used_mw(due), self.book.moment(self.begun))

    def relet_received(self, moment: Moment) -> float:
        """Rent from those who came after the tenant, due a payment lag before. [$M]"""
        due = self.book.earlier(moment, self.lease.contract.payment_lag_q)
        return self.lease.relet_rent_due(due, self.used_mw(due))

    def end_fee(self, node: int) -> float:
        """What is paid when the contract ends at a node. [$M]"""
        if not self.book.ends_at(self.lease.contract.contract, node):
            return 0.0
        ahead = [self.book.moment(node, k) for k in self.lease.quarters_left(node)]
        begun = self.book.moment(self.begun)
        lost = [self.lease.agreed_rent(m, self.used_mw(m), begun) for m in ahead]
        return self.lease.end_fee(node, self.mw, lost)

    def residual(self, moment: Moment) -> float:
        """What is left at the end of the last term. [$M]"""
        is_last = moment.quarter + 1 == self.lease.last_end
        if not is_last or moment.quarter < self.live_from:
            return 0.0
        gpus = gpus_at_end(self.lease, moment, self.live_from, self.gpus, self._gpus_new)
        return self.product.residual_frac * self.building_usd_m + gpus

    def _gpus_new(self, moment: Moment) -> float:
        """All GPUs of the module at the price of the day. [$M]"""
        return self.product.gpu_capex_usd_m_per_mw * self.mw * moment.market.gpu_price_idx

    def refresh(self, moment: Moment) -> float:
        """GPUs replaced in a quarter, as far as it is expected to be let. [$M]"""
        return refresh_cost(self.lease, moment, self.live_from, self._gpus_new(moment))

    def refit(self, moment: Moment) -> float:
        """Spent on halls for a renewal that begins in a quarter, as far as it is expected. [$M]"""
        return refit_cost(self.lease, moment, self.live_from, self.mw)

    def payable(self, age: int, is_over: bool) -> float:
        """GPUs shipped and not yet paid at the end of an age, the tenant's part apart. [$M]"""
        lag = self.product.gpu_payment_lag_q or 0
        return sum(self.shipped[max(0, age - lag + 1) : age + 1]) * (
            1.0 - (0.0 if is_over else self.tenant_frac)
        )

    def income(self, moment: Moment) -> tuple[float, float, float]:
        """Rent received, opex and power of a quarter. [$M]"""
        used = self.used_mw(moment)
        maintained = self.building_usd_m if moment.quarter >= self.live_from else 0.0
        opex = self.lease.opex(moment, used, maintained)
        return self.rent_received(moment), opex, self.lease.power(moment, used)

    def credits(
        self, quarter: Quarter, carried: tuple[float, ...], rent: float
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Tenant credits of a quarter by row, and what each carries on. [$M]"""
        given = [row.given(quarter, owed, rent) for row, owed in zip(self.credit_rows, carried, strict=True)]
        return tuple(g for g, _ in given), tuple(left for _, left in given)

    def _settled(self, node: int, given: tuple[float, ...]) -> tuple[float, float]:
        """Tenant money paid back, and kept, when the contract ends at a node. [$M]"""
        name, age = (
            self.lease.contract.contract,
            self.book.tree.period[node] - self.book.tree.period[self.begun],
        )
        if not self.book.ends_at(name, node):
            return 0.0, 0.0
        refund, kept = 0.0, 0.0
        for row, credited in zip((m for m in self.book.money(name) if m.give_back_q), given, strict=True):
            left = max(0.0, (row.frac_of_capex or 0.0) * sum(self.spend[:age]) - credited)
            refund += left if row.refundable_on_termination else 0.0
            kept += 0.0 if row.refundable_on_termination else left
        return refund, kept

    def _quarter(self, moment: Moment, before: Carried) -> tuple[ModuleQuarter, Carried]:
        age = moment.period - self.book.tree.period[self.begun]
        is_live, product = age >= self.lead, self.product
        rent, opex, power = self.income(moment)
        is_over, relet = self.lease.is_over(moment), self.relet_received(moment)
        now, carried = self.credits(moment.quarter, before.credits, 0.0 if is_over else rent)
        refund, kept = self._settled(moment.node, before.given)
        credit, given = sum(now), tuple(g + c for g, c in zip(before.given, now, strict=True))
        lost = before.lost + (max(0.0, rent + relet - opex - power - credit) if is_live else 0.0)
        spend = self.spend[age] if age < len(self.spend) else 0.0
        used = self.used_mw(moment)
        quarter = ModuleQuarter(
            rent=rent,
            relet=relet,
            fee=self.end_fee(moment.node),
            opex=opex,
            power=power,
            credit=credit,
            refund=refund,
            kept=kept,
            recovered=self.lease.demand_recovered(moment, self.mw) if is_live else 0.0,
            spend=spend,
            payable=self.payable(age, is_over),
            refresh=self.refresh(moment) + self.refit(moment),
            tenant_money=0.0 if is_over else spend * self.tenant_frac,
            energy_mwh=self.lease.energy(moment, used),
            late_loss=lost if is_live and age < self.lead + product.slip_q else 0.0,
            occupied_mw=self.gross if age >= max(0, self.lead - product.displaces_mining_q) else 0.0,
            building_mw=0.0 if is_live else self.mw,
            live_mw=self.mw if is_live and moment.quarter < self.lease.last_end else 0.0,
            utilised_mw=used,
        )
        return quarter, Carried(carried, given, lost)

    def remaining_own(self, node: int) -> float:
        """Own spend after the quarter of a node. [$M]"""
        age = self.book.tree.period[node] - self.book.tree.period[self.begun]
        is_over = self.book.ended(self.lease.contract.contract, node) is not None
        return sum((self.spend if is_over else self.own_spend)[age + 1 :])

    def unearned(self, node: int) -> float:
        """Tenant money to be given back, received or still to come, that is not yet credited. [$M]"""
        if self.book.ended(self.lease.contract.contract, node) is not None:
            return 0.0
        return self.owed_frac * sum(self.spend) - sum(self.state[node].given)

    def tail(self, leaf: int) -> Tail:
        """Worth after a leaf: net operating income in the term; renewal and residual. [$M]"""
        end = max(self.lease.last_end + self.lease.contract.payment_lag_q, self.live_from)
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
