"""One project facility on one module: sized on the lender's case, then rolled forward quarter by quarter."""

from dataclasses import dataclass, replace

from models.domain.finance import CreditClass
from optimizer.audit.arithmetic import present_value
from optimizer.audit.modules import Module

_ROUNDING = 1e-9
"""A balloon may exceed its cap by this fraction: the cap is met with equality in round cases."""


@dataclass(frozen=True)
class FacilityQuarter:
    """A facility in one quarter since its close. [$M]"""

    drawn: float = 0.0
    """Increase of the balance while it is drawn, capitalised interest included."""
    interest: float = 0.0
    """Accrued on the opening balance."""
    principal: float = 0.0
    """Service less interest."""
    balance: float = 0.0
    restricted: float = 0.0
    """Escrow and reserve at the end."""
    received: float = 0.0
    """What reaches the borrower for its spend."""
    escrow_income: float = 0.0
    paid_interest: float = 0.0
    """Interest paid by the borrower; in construction escrow or the loan itself pays."""
    released: float = 0.0
    undrawn: float = 0.0
    """Still to be received from the lender."""
    escrow: float = 0.0
    """Of what is restricted: notes drawn and not yet paid out."""
    balloon: float = 0.0
    """Of the principal, what of the balloon is not rolled."""
    parent_letter: float = 0.0
    """Covered by a letter of credit that the parent answers for."""


@dataclass(frozen=True)
class Sized:
    """A loan and the service that repays it."""

    loan: float
    reserve_frac: float
    service: list[float]
    """By quarter since the first rent; the covered ones only."""
    left: list[float]
    """Owed after each of them at the locked rate."""


@dataclass(frozen=True)
class Terms:
    """What the lenders ask at a close."""

    credit: CreditClass
    rate: float
    refinance_rate: float
    escrow_rate: float
    construction_q: int
    """Q: quarters from close to the first rent."""
    gpus_serve_q: int | None = None
    """Quarters from the first rent on that the first GPUs serve: nothing is lent beyond; None: all."""
    eligible_usd_m: float = 0.0
    """Spend up to go-live that tenants pay for, and that counts as cost all the same."""

    @property
    def i(self) -> float:
        """Interest of a quarter."""
        return self.rate / 4.0


def _served(sculpted: list[float], owed: float, rate: float) -> tuple[list[float], list[float]]:
    """Service and what is owed after it; interest at least, so that the balance never rises.

    The target is what the sculpted flows alone would leave; principal is due where it lies below the balance.
    """
    service, left, target = list[float](), list[float](), owed
    for flow in sculpted:
        target += rate / 4.0 * target - flow
        balance = min(owed, max(0.0, target))
        service.append(owed + rate / 4.0 * owed - balance)
        left.append(balance)
        owed = balance
    return service, left


class Facility:
    """The facility of one module, by quarters since its close."""

    def __init__(self, terms: Terms, own_spend: list[float], lenders_case: list[float]) -> None:
        self.terms, self.own_spend = terms, own_spend
        served_q = terms.credit.coverage_q if terms.gpus_serve_q is None else max(0, terms.gpus_serve_q)
        counted_q = min(terms.credit.coverage_q, served_q)
        self.covered = [n / terms.credit.dscr_min for n in lenders_case[:counted_q]]
        self.sized = self._with_balloon_capped()
        self.quarters = self._roll()

    @property
    def loan(self) -> float:
        """The loan. [$M]"""
        return self.sized.loan

    @property
    def net(self) -> float:
        """What reaches spend over the facility's life. [$M]"""
        return sum(q.received for q in self.quarters)

    @property
    def is_in_cash(self) -> bool:
        """Whether the reserve is cash out of the loan, and not a letter of credit."""
        return self.terms.credit.reserve_form in (None, "cash")

    def _kept(self) -> float:
        """The reserve in cash. [$M]"""
        return self.sized.reserve_frac * self.loan if self.is_in_cash else 0.0

    def quarter(self, since_close_q: int) -> FacilityQuarter:
        """The facility so many quarters after its close."""
        return self.quarters[since_close_q] if since_close_q < len(self.quarters) else FacilityQuarter()

    def _weights(self) -> list[float]:
        total = sum(self.own_spend)
        return [h / total if total else 0.0 for h in self.own_spend][: self.terms.construction_q]

    def _draw_factor(self) -> float:
        """Balance at go-live of one dollar drawn with the spend."""
        q, i = self.terms.construction_q, self.terms.i
        return sum(w * (1.0 + i) ** (q - 1 - j) for j, w in enumerate(self._weights()))

    def _net_frac(self, reserve_frac: float) -> float:
        """Share of the loan that reaches spend."""
        t, fee = self.terms, self.terms.credit.fee_frac
        reserve_frac = reserve_frac if self.is_in_cash else 0.0
        if t.construction_q == 0:
            return 1.0 - fee - reserve_frac
        if t.credit.funding == "notes":
            return 1.0 - fee - t.construction_q * t.i - reserve_frac
        factor = self._draw_factor()
        fee_at_live = fee * (1.0 + t.i) ** t.construction_q
        return (1.0 - fee_at_live - reserve_frac) / factor if factor else 0.0

    def _size(self, quarters: int) -> Sized:
        """The loan when ``quarters`` of the lender's case are counted."""
        t, covered = self.terms, self.covered[:quarters]
        capacity = present_value(covered, t.rate)
        if capacity <= 0.0:
            return Sized(0.0, 0.0, [0.0] * quarters, [0.0] * quarters)
        whole, left = _served(covered, capacity, t.rate)
        reserve_frac = t.credit.reserve_q * max(whole[:4]) / capacity
        kappa = 1.0 - self._net_frac(reserve_frac)
        room = 1.0 - t.credit.ltc_max_frac * kappa
        counted, own = sum(self.own_spend) + t.eligible_usd_m, sum(self.own_spend)
        by_cost = t.credit.ltc_max_frac * counted / room if room > 0.0 else capacity
        by_use = own / (1.0 - kappa) if kappa < 1.0 else capacity
        loan = max(0.0, min(capacity, by_cost, by_use))
        part = loan / capacity
        return Sized(loan, reserve_frac, [x * part for x in whole], [x * part for x in left])

    def _with_balloon_capped(self) -> Sized:
        """The longest coverage whose balance at maturity keeps the cap."""
        t, served = self.terms, self.terms.credit.maturity_q - self.terms.construction_q
        for quarters in range(len(self.covered), 0, -1):
            sized = self._size(quarters)
            left = ([sized.loan, *sized.left, 0.0])[min(max(0, served), quarters)]
            if left <= t.credit.balloon_cap_frac * sized.loan * (1.0 + _ROUNDING) + _ROUNDING:
                return sized
        return self._size(0)

    def _roll(self) -> list[FacilityQuarter]:
        quarters = self._build()
        live = self._serve()
        if not quarters and live:  # at completion: the loan arrives in the quarter of go-live
            first = live[0]
            net = self.loan * self._net_frac(self.sized.reserve_frac)
            live[0] = FacilityQuarter(**{**first.__dict__, "drawn": self.loan, "received": net})
        return quarters + live

    def _build(self) -> list[FacilityQuarter]:
        """The quarters from close to go-live."""
        t, loan, reserve = self.terms, self.loan, self._kept()
        net = loan * self._net_frac(self.sized.reserve_frac)
        fee, rolled, still = t.credit.fee_frac * loan, [], net
        is_notes = t.credit.funding == "notes"
        balance, escrow = (loan, loan - fee) if is_notes else (fee, 0.0)
        for age, weight in enumerate(self._weights()):
            opening, draw, is_first = balance, weight * net, age == 0
            interest, income = t.i * opening, 0.0
            still -= draw
            if is_notes:
                income = t.escrow_rate / 4.0 * escrow
                escrow -= interest + draw
                drawn = loan if is_first else 0.0
            else:
                if age == t.construction_q - 1:
                    draw_reserve, escrow = reserve, reserve
                else:
                    draw_reserve = 0.0
                drawn = interest + draw + draw_reserve + (fee if is_first else 0.0)
                balance = opening + interest + draw + draw_reserve
            rolled.append(
                FacilityQuarter(
                    drawn=drawn,
                    interest=interest,
                    balance=balance,
                    restricted=escrow,
                    received=draw,
                    escrow_income=income,
                    undrawn=0.0 if is_notes else still,
                    escrow=escrow if is_notes else 0.0,
                )
            )
        return rolled

    def _serve(self) -> list[FacilityQuarter]:
        """The quarters from go-live to the last service."""
        t, sized = self.terms, self.sized
        served = t.credit.maturity_q - t.construction_q
        balance, live = sized.loan, []
        reserve = self._kept()
        after: list[float] = []
        for j, service in enumerate(sized.service[: max(0, served)], start=1):
            interest = t.i * balance
            principal, repaid = service - interest, 0.0
            if j == served:
                balloon = balance - principal
                rest = self.covered[served:]
                capacity = present_value(rest, t.refinance_rate)
                rolled = min(balloon, capacity) if balloon > _ROUNDING else 0.0
                again, _ = _served(rest, capacity, t.refinance_rate)
                after = [x * rolled / capacity for x in again] if rolled > 0.0 else []
                repaid = balloon - rolled
                principal += repaid
            balance -= principal
            live.append(
                FacilityQuarter(
                    0.0, interest, principal, balance, reserve, paid_interest=interest, balloon=repaid
                )
            )
        for service in after:
            interest = t.refinance_rate / 4.0 * balance
            balance -= service - interest
            live.append(
                FacilityQuarter(0.0, interest, service - interest, balance, reserve, paid_interest=interest)
            )
        if live:
            last = live[-1]
            live[-1] = FacilityQuarter(**{**last.__dict__, "restricted": 0.0, "released": reserve})
        return live if self.is_in_cash else [self._with_letter(q) for q in live]

    def _with_letter(self, q: FacilityQuarter) -> FacilityQuarter:
        """A quarter of service with the letter of credit and its fee."""
        credit, covered = self.terms.credit, self.sized.reserve_frac * self.loan
        fee = (credit.reserve_fee_frac or 0.0) / 4.0 * covered
        return replace(
            q,
            interest=q.interest + fee,
            paid_interest=q.paid_interest + fee,
            parent_letter=covered if credit.reserve_form == "parent_lc" else 0.0,
        )


def facility_of(module: Module, closed: int) -> Facility:
    """The facility of a module at the market of its close."""
    book = module.book
    credit, row = book.classes[module.lease.contract.credit_class or ""], book.rows[closed]
    unpaid = module.pays_from - module.live_from
    terms = Terms(
        credit,
        row.base_rate_frac + credit.spread_frac + row.spread_add_frac,
        row.base_rate_frac + credit.refinance_spread_frac + row.spread_add_frac,
        row.base_rate_frac,
        module.pays_from - book.tree.quarter(closed),
        module.product.refresh_q and module.product.refresh_q - unpaid,
        module.eligible_frac * sum(module.spend[: module.lead]),
    )
    spent = module.own_spend[: module.lead] + [0.0] * unpaid
    return Facility(terms, spent, lenders_noi(module, closed)[unpaid:])


def lenders_noi(module: Module, closed: int) -> list[float]:
    """The lender's case by quarter since go-live, to the end of the term. [$M]"""
    book, lease = module.book, module.lease
    haircut = book.classes[lease.contract.credit_class or ""].delivery_haircut_frac
    to_live = module.live_from - book.tree.quarter(closed)
    carried = tuple(0.0 for _ in module.credit_rows)
    found = []
    for j in range(max(0, lease.term_end - module.live_from)):
        moment = book.moment(closed, to_live + j)
        rent, opex, power = module.income(moment)
        credit, carried = module.credits(moment.quarter, carried, rent)
        found.append(max(0.0, haircut * (rent - opex - power) - sum(credit)))
    return found
