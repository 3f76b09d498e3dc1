"""What capacity under a contract earns and costs in one quarter, whether built by the plan or committed."""

from dataclasses import dataclass

from models.domain.contract import Contract
from models.domain.product import Product
from models.timetree import Quarter
from models.units import USD_M, USD_M_PER_KW_MONTH
from optimizer.audit.arithmetic import grown, stepped
from optimizer.audit.book import Book, Moment
from optimizer.audit.power import tariff


@dataclass(frozen=True)
class Lease:
    """A product at a site under a contract, with the calendar of its terms."""

    book: Book
    site: str
    product: Product
    contract: Contract

    @property
    def term_end(self) -> Quarter:
        """First quarter after the term."""
        return self.contract.commencement_quarter + self.contract.term_q

    @property
    def last_end(self) -> Quarter:
        """First quarter after the last term."""
        renewal = self.book.renewals.get(self.contract.contract)
        return self.term_end + (renewal.term_q * (renewal.options or 1) if renewal else 0)

    @property
    def gross_per_mw(self) -> float:
        """Gross MW reserved per critical MW."""
        return 1.0 / self.product.gross_to_critical_ratio

    def weight(self, quarter: Quarter) -> float:
        """1 in the term, in each renewal its probability times that of the one before, 0 after."""
        if quarter < self.term_end:
            return 1.0
        if quarter < self.last_end:
            renewal, chance, end = self.book.renewals[self.contract.contract], 1.0, self.term_end
            while end <= quarter:
                chance, end = chance * renewal.probability_frac, end + renewal.term_q
            return chance
        return 0.0

    def is_over(self, moment: Moment) -> bool:
        """Whether the contract has ended before its term."""
        end = self.book.ended(self.contract.contract, moment.node)
        return end is not None and moment.quarter >= end.quarter

    def is_let_again(self, moment: Moment) -> bool:
        """Whether its halls have found others."""
        end = self.book.ended(self.contract.contract, moment.node)
        return end is not None and end.vacancy_q is not None and moment.quarter >= end.quarter + end.vacancy_q

    def is_used(self, moment: Moment) -> bool:
        """Whether somebody is in the halls."""
        return not self.is_over(moment) or self.is_let_again(moment)

    def rent_due(self, moment: Moment, mw: float, begun: Moment | None = None) -> float:
        """Rent due from the tenant for the quarter, as long as the contract runs. [$M]"""
        return 0.0 if self.is_over(moment) else self.agreed_rent(moment, mw, begun)

    def relet_rent_due(self, moment: Moment, mw: float) -> float:
        """Rent due for the quarter from those who came after the tenant. [$M]"""
        end = self.book.ended(self.contract.contract, moment.node)
        if end is None or not self.is_let_again(moment):
            return 0.0
        is_cloud = self.product.workload == "gpu_cloud"
        index = moment.market.gpu_rent_idx if is_cloud else moment.market.lease_idx
        rate = self.contract.first_year_rent_usd_per_kw_month * (end.relet_rent_frac or 0.0) * index
        return self.weight(moment.quarter) * rate * USD_M_PER_KW_MONTH * self._billed(mw)

    def end_fee(self, node: int, mw: float, lost_usd_m: list[float]) -> float:
        """What is paid at a node where the contract ends, for rent that falls away from there on. [$M]"""
        end = self.book.ended(self.contract.contract, node)
        due = [rent for rent in lost_usd_m if rent > 0.0]
        if end is None or not due:
            return 0.0
        asked = end.fee_frac_of_remaining_rent * sum(due) + end.fee_months_of_rent / 3.0 * due[0]
        if end.fee_at_most_usd_m_per_mw is None:
            return asked
        return min(asked, end.fee_at_most_usd_m_per_mw * mw * self.contract.delivery_probability_frac)

    def quarters_left(self, node: int) -> range:
        """Quarters from a node's own to the end of the term, counted from the node's."""
        return range(max(0, self.term_end - self.book.tree.quarter(node)))

    def _billed(self, mw: float) -> float:
        """MW that rent is paid on, as expected."""
        basis = self.gross_per_mw if self.contract.billing_basis == "gross" else 1.0
        return mw * basis * self.contract.delivery_probability_frac

    def agreed_rent(self, moment: Moment, mw: float, begun: Moment | None = None) -> float:
        """Rent of the contract, on ``mw`` critical MW in use; an offer is indexed as of ``begun``. [$M]"""
        contract, market = self.contract, moment.market
        weight = self.weight(moment.quarter)
        if weight == 0.0 or mw == 0.0:
            return 0.0
        fixed_at = begun.market if begun is not None and contract.signable else market
        own_index = {"none": 1.0, "lease": fixed_at.lease_idx, "gpu_rent": fixed_at.gpu_rent_idx}
        since = moment.quarter - contract.commencement_quarter
        if since < 0:
            return 0.0
        first_year = contract.first_year_rent_usd_per_kw_month
        rate = (
            first_year
            * stepped(contract.escalator_frac_per_year, since)
            * own_index[contract.rent_indexed_to]
        )
        if moment.quarter >= self.term_end:
            is_cloud = self.product.workload == "gpu_cloud"
            asked = first_year * (market.gpu_rent_idx if is_cloud else market.lease_idx)
            by_basis = {"contract": rate, "market": asked, "min": min(rate, asked)}
            rate = by_basis[self.book.renewals[contract.contract].rent_basis]
        return weight * rate * USD_M_PER_KW_MONTH * self._billed(mw)

    def opex(self, moment: Moment, mw_used: float, capex_usd_m: float) -> float:
        """Operations, and maintenance of ``capex_usd_m`` that is live. [$M]"""
        product, contract = self.product, self.contract
        kept = 1.0 - contract.opex_passed_through_frac
        growth = grown(product.opex_growth_frac_per_year, moment.period)
        operations = kept * product.opex_usd_per_kw_month * USD_M_PER_KW_MONTH * mw_used * growth
        maintenance = product.maintenance_frac_of_capex_per_year / 4.0 * capex_usd_m
        share = self.weight(moment.quarter) * contract.delivery_probability_frac
        return share * (operations * self.is_used(moment) + maintenance)

    def energy(self, moment: Moment, mw_used: float) -> float:
        """Energy drawn, whoever pays for it. [MWh]"""
        cooling = self.book.cooling[self.site, self.product.cooling]
        load = mw_used * self.product.load_frac * cooling.pue
        share = self.weight(moment.quarter) * self.contract.delivery_probability_frac
        return load * moment.quarter.hours * share * self.is_used(moment)

    def power(self, moment: Moment, mw_used: float) -> float:
        """Energy paid by us. [$M]"""
        if self.contract.power_passed_through or mw_used == 0.0:
            return 0.0
        return self.energy(moment, mw_used) * tariff(self.book, self.site, moment).flat * USD_M

    def demand_recovered(self, moment: Moment, mw_live: float) -> float:
        """Demand charge that the tenant pays back. [$M]"""
        power = self.book.power(self.site, moment.quarter)
        if not self.contract.power_passed_through or power is None or moment.quarter >= self.last_end:
            return 0.0
        if not self.is_used(moment):
            return 0.0
        return mw_live * self.gross_per_mw * power.demand_charge_usd_per_kw_month * USD_M_PER_KW_MONTH

    def parted(self, moment: Moment, income: tuple[float, float, float], relet: float) -> tuple[float, float]:
        """Net operating income of a quarter, what falls to the base term and the rest. [$M]

        Rent falls where it was due, a payment lag before it is received.
        """
        due = moment.quarter + -self.contract.payment_lag_q
        rent, opex, power = income
        costs, in_term = opex + power, moment.quarter < self.term_end and not self.is_over(moment)
        signed = (rent if due < self.term_end else 0.0) - (costs if in_term else 0.0)
        return signed, rent + relet - costs - signed

    @property
    def rate(self) -> float:
        """Yearly rate at which the workload's streams are valued."""
        return self.book.valuation[self.product.workload].rate_frac


@dataclass(frozen=True)
class CreditRow:
    """Tenant money given back in equal parts, capped by rent."""

    part_usd_m: float
    first: Quarter
    parts: int
    cap_frac: float

    def given(self, quarter: Quarter, carried_usd_m: float, rent_usd_m: float) -> tuple[float, float]:
        """Credit of the quarter and what is carried on. [$M]"""
        falls_due = 0 <= quarter - self.first < self.parts
        owed = carried_usd_m + (self.part_usd_m if falls_due else 0.0)
        credit = min(owed, self.cap_frac * max(0.0, rent_usd_m))
        return credit, owed - credit
