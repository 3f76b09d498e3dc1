"""Loans on what borrowers have let and built, and what calling an old loan takes away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.domain.finance import CreditClass, Debt, TakeOut
from models.domain.portfolio import Portfolio
from models.formulas.project_finance import size_facility
from models.params.after import debt_after
from models.params.commitments import CommitmentArrays, ContractMoneyArrays
from models.params.loans import DebtArrays, FacilityArrays, loan_terms, place
from models.params.outlook import Future, Outlook
from models.params.power import PowerPrices
from models.units import USD_M

Array = NDArray[np.float64]
NOTHING_USD_M = 1e-6
"""A quarter that leaves a lender less than a dollar leaves him nothing, and ends what he counts."""


@dataclass(frozen=True, eq=False)
class Call:
    """The right to call an existing loan at the start of a node's quarter."""

    old: DebtArrays
    node: int
    opening_usd_m: float
    """Owed at the start of the quarter: what is repaid."""
    reserve_usd_m: float
    """Cash kept for its service, which comes back."""
    last_usd_m: float
    """Due at its maturity by its terms; 0 where that lies beyond the horizon."""
    gone: Array
    """1 where the loan is no more."""

    @property
    def debt(self) -> Debt:
        """The terms of the loan."""
        return self.old.debt

    @property
    def premium_usd_m(self) -> float:
        """Paid above par."""
        assert self.debt.call_price_frac is not None
        return (self.debt.call_price_frac - 1.0) * self.opening_usd_m

    def at_node(self, usd_m: float) -> Array:
        """An amount at the node of the call alone."""
        here = np.zeros(self.gone.size)
        here[self.node] = usd_m
        return here

    def less(self, d: DebtArrays, part: float) -> DebtArrays:
        """A loan's arrays after a part of it, as it stood by its terms, is called."""
        names, old = ("interest", "scheduled", "balance", "undrawn", "due"), self.old
        left = {name: getattr(d, name) - part * self.gone * getattr(old, name) for name in names}
        reserve = replace(
            d.reserve,
            cash=d.reserve.cash - part * self.gone * old.reserve.cash,
            released=d.reserve.released
            + part * (self.at_node(self.reserve_usd_m) - self.gone * old.reserve.released),
            letter=d.reserve.letter - part * self.gone * old.reserve.letter,
        )
        repaid = self.at_node(self.opening_usd_m) - self.gone * old.principal
        return replace(d, **left, principal=d.principal + part * repaid, reserve=reserve)


def calls(debts: Sequence[DebtArrays], outlook: Outlook) -> tuple[Call, ...]:
    """Every callable loan at the nodes at which it may be called: all of it drawn, and not yet due."""
    tree, found = outlook.tree, []
    for d in debts:
        since, reserve = d.debt.call_from_quarter, (d.debt.dsra_usd_m or 0.0) * (d.debt.dsra_form == "cash")
        if since is None:
            continue
        for n in tree.nodes:
            gone, before = outlook.below[n], tree.parent[n]
            owed = float(d.balance[before]) if n else d.debt.principal_usd_m
            is_drawn = not (gone * d.draws).any() and not any(d.later_draws.values())
            if since <= tree.quarter(n) < d.debt.maturity_quarter and owed > 0.0 and is_drawn:
                due = [m for m in tree.descendants(n) if tree.quarter(m) == d.debt.maturity_quarter]
                last = float(d.principal[due[0]]) if due else 0.0
                found.append(Call(d, n, owed, reserve, last, gone))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class TakeOutOffer:
    """What a take-out lends at one node, all of it taken."""

    terms: TakeOut
    facility: FacilityArrays

    @property
    def node(self) -> int:
        """Where it closes."""
        return self.facility.close


@dataclass(frozen=True, eq=False)
class Standing:
    """All that lenders on what is let and built look at."""

    portfolio: Portfolio
    outlook: Outlook
    futures: tuple[Future, ...]
    prices: Mapping[str, PowerPrices]
    """By site."""
    commitments: tuple[CommitmentArrays, ...]
    money: tuple[ContractMoneyArrays, ...]
    debts: tuple[DebtArrays, ...]

    def counted(self, entity: str, n: int) -> list[CommitmentArrays]:
        """Commitments under contracts that stand whole at a node: signed, complete, and not to be undone."""
        by_contract: dict[str, list[CommitmentArrays]] = {}
        for a in self.commitments:
            by_contract.setdefault(a.commitment.contract, []).append(a)
        owner = {s.site: s.entity for s in self.portfolio.sites}
        found = []
        for held in by_contract.values():
            is_theirs = all(owner[a.commitment.site] == entity for a in held)
            if is_theirs and all(self._stands(a, n) for a in held):
                found += held
        return found

    def _stands(self, a: CommitmentArrays, n: int) -> bool:
        is_signed = a.terms.contract.state == "committed" and not a.terms.endings
        return is_signed and not a.cancel_nodes and self._complete_from(a) <= self.outlook.tree.period[n]

    def _first_flows(self, a: CommitmentArrays) -> list[int]:
        """Quarters since the first, in which its MW go live."""
        flows = self.portfolio.commitment_flows
        first = self.outlook.tree.first
        return [
            f.quarter - first for f in flows if f.commitment == a.commitment.commitment and f.mw_live > 0.0
        ]

    def _complete_from(self, a: CommitmentArrays) -> int:
        return max(self._first_flows(a), default=self.outlook.tree.horizon_q)

    def cost_usd_m(self, held: Sequence[CommitmentArrays]) -> float:
        """What the borrower has paid for it: capex less the part of tenants."""
        names = {a.commitment.commitment for a in held}
        flows = self.portfolio.commitment_flows
        tenants = sum(f.amount_usd_m for f in flows if f.commitment in names and f.funded_by == "tenant")
        return sum(a.commitment.capex_usd_m + a.commitment.gpu_capex_usd_m for a in held) - tenants

    def gpus_serve_q(self, held: Sequence[CommitmentArrays], n: int) -> int | None:
        """Quarters until the first GPUs are replaced; None: they are not."""
        now, found = self.outlook.tree.period[n], []
        for a in held:
            if a.terms.product.refresh_q:
                found.append(min(self._first_flows(a)) + a.terms.product.refresh_q - now)
        return min(found, default=None)

    def case_usd_m(
        self, lender: CreditClass, held: Sequence[CommitmentArrays], others: Sequence[DebtArrays], n: int
    ) -> Array:
        """The lender's NOI from the quarter of a node on, less what the service of other loans asks for."""
        tree, leaf = self.outlook.tree, self._leaf(n)
        power_idx, now = self.outlook.rows[n].power_idx, tree.period[n]
        end = max(a.terms.term_end - tree.first for a in held)
        noi, credit = np.zeros(end), np.zeros(end)
        quarters = [tree.first + t for t in range(end)]
        for a in held:
            s, until = a.streams[leaf], a.terms.term_end - tree.first
            power = np.zeros(until)
            if not a.terms.contract.power_passed_through:
                flat = self.prices[a.commitment.site].flat_usd_per_mwh
                price = np.array([flat(q, power_idx) for q in quarters[:until]])
                power = s.energy_mwh[:until] * price * USD_M
            noi[:until] += s.rent[:until] - s.opex[:until] - power
        names = {a.commitment.contract for a in held}
        for m in self.money:
            if m.contract in names:
                whole = np.append(m.credit[list(tree.path(leaf))], m.later_credit[leaf])[:end]
                credit[: whole.size] += whole
        served = sum((self._served(d, leaf, end) for d in others), np.zeros(end))
        free = lender.delivery_haircut_frac * noi - credit - lender.dscr_min * served
        return np.maximum(0.0, free)[now:]

    def _leaf(self, n: int) -> int:
        """The first future below a node: what is let and owed by then is the same on all."""
        return next(f.leaf for f in self.futures if self.outlook.below[n][f.leaf])

    def _served(self, d: DebtArrays, leaf: int, quarters: int) -> Array:
        """Interest and instalments of an existing loan by its terms, from the first quarter on."""
        after = debt_after(d, 0.0, self.outlook, leaf, quarters)
        within = (d.interest + d.scheduled)[list(self.outlook.tree.path(leaf))]
        return np.append(within, after.interest + after.scheduled)[:quarters]

    def owed_usd_m(self, debts: Sequence[DebtArrays], n: int) -> float:
        """Owed at the start of a quarter."""
        before = self.outlook.tree.parent[n]
        return sum(float(d.balance[before]) if n else d.debt.principal_usd_m for d in debts)

    def lent(self, terms: TakeOut, lender: CreditClass, n: int) -> FacilityArrays | None:
        """The whole take-out at a node; None where nothing can be lent."""
        held = self.counted(terms.entity, n)
        others = [
            d
            for d in self.debts
            if d.debt.entity == terms.entity and d.debt.debt != terms.debt and d.debt.kind != "btc"
        ]
        own = self.cost_usd_m(held) - self.owed_usd_m(others, n) / lender.ltc_max_frac
        case = self.case_usd_m(lender, held, others, n) if held else np.zeros(0)
        serve_q = self.gpus_serve_q(held, n)
        earning_q = int(np.append(case > NOTHING_USD_M, False).argmin())
        coverage_q = min(lender.coverage_q, earning_q, earning_q if serve_q is None else serve_q)
        if own <= 0.0 or coverage_q < 1:
            return None
        asked = loan_terms(lender, self.outlook, n, coverage_q=coverage_q, counted_over_own=1.0)
        try:
            facility = size_facility(asked, np.array([own]), case, 0)
        except ValueError:  # the reserve would take the whole loan: nobody lends on such terms
            return None
        return place(facility, lender, n, self.outlook) if facility.loan_usd_m > 0.0 else None


def take_out_offers(standing: Standing) -> tuple[TakeOutOffer, ...]:
    """Every take-out at the nodes at which it may close."""
    portfolio, outlook = standing.portfolio, standing.outlook
    lenders, found = {c.credit_class: c for c in portfolio.credit_classes}, []
    for terms in portfolio.take_outs:
        for n in outlook.tree.nodes:
            is_open = terms.from_quarter <= outlook.tree.quarter(n) <= terms.to_quarter
            if is_open and outlook.rows[n].project_debt_open:
                facility = standing.lent(terms, lenders[terms.credit_class], n)
                if facility is not None:
                    found.append(TakeOutOffer(terms, facility))
    return tuple(found)
