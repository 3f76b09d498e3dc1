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
        return self.term_end + (renewal.term_q if renewal else 0)

    @property
    def gross_per_mw(self) -> float:
        """Gross MW reserved per critical MW."""
        return 1.0 / self.product.gross_to_critical_ratio

    def weight(self, quarter: Quarter) -> float:
        """1 in the term, the renewal's probability in the renewal, 0 after."""
        if quarter < self.term_end:
            return 1.0
        if quarter < self.last_end:
            return self.book.renewals[self.contract.contract].probability_frac
        return 0.0

    def rent_due(self, moment: Moment, mw: float, begun: Moment | None = None) -> float:
        """Rent due for the quarter on ``mw`` critical MW in use; an offer is indexed as of ``begun``. [$M]"""
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
        billed = mw * (self.gross_per_mw if contract.billing_basis == "gross" else 1.0)
        return weight * rate * USD_M_PER_KW_MONTH * billed * contract.delivery_probability_frac

    def opex(self, moment: Moment, mw_used: float, capex_usd_m: float) -> float:
        """Operations, and maintenance of ``capex_usd_m`` that is live. [$M]"""
        product, contract = self.product, self.contract
        kept = 1.0 - contract.opex_passed_through_frac
        growth = grown(product.opex_growth_frac_per_year, moment.period)
        operations = kept * product.opex_usd_per_kw_month * USD_M_PER_KW_MONTH * mw_used * growth
        maintenance = product.maintenance_frac_of_capex_per_year / 4.0 * capex_usd_m
        share = self.weight(moment.quarter) * contract.delivery_probability_frac
        return share * (operations + maintenance)

    def energy(self, moment: Moment, mw_used: float) -> float:
        """Energy drawn, whoever pays for it. [MWh]"""
        cooling = self.book.cooling[self.site, self.product.cooling]
        load = mw_used * self.product.load_frac * cooling.pue
        share = self.weight(moment.quarter) * self.contract.delivery_probability_frac
        return load * moment.quarter.hours * share

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
        return mw_live * self.gross_per_mw * power.demand_charge_usd_per_kw_month * USD_M_PER_KW_MONTH

    def parted(self, moment: Moment, rent: float, opex: float, power: float) -> tuple[float, float]:
        """Net operating income of a quarter, what falls to the base term and the rest. [$M]

        Rent falls where it was due, a payment lag before it is received.
        """
        due = moment.quarter + -self.contract.payment_lag_q
        costs = opex + power
        signed = (rent if due < self.term_end else 0.0) - (costs if moment.quarter < self.term_end else 0.0)
        return signed, rent - costs - signed

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
