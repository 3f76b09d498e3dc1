"""Everything that follows from the decisions, put together: sites, loans, notes, and the cash of all."""

from collections.abc import Callable

from models.domain.ledger import CashLine
from optimizer.audit.arithmetic import grown
from optimizer.audit.book import Book
from optimizer.audit.coins import Coins
from optimizer.audit.committed import committed_money
from optimizer.audit.corporate_debt import CorporateDebt
from optimizer.audit.debts import DebtQuarter, less_called, roll_debt
from optimizer.audit.decisions import Decisions, Financed, Leased, lock_up
from optimizer.audit.facilities import Facility, FacilityQuarter, facility_of
from optimizer.audit.leases import LeaseOfGpus, Taken
from optimizer.audit.ledger import Ledger
from optimizer.audit.machines import Machines
from optimizer.audit.modules import Module
from optimizer.audit.notes import Note, NoteQuarter, existing_note, new_note, roll_note
from optimizer.audit.shares import Weights, of
from optimizer.audit.sites import SiteBook, Sites
from optimizer.audit.take_outs import TakeOuts


class World:
    """The plan as the auditor sees it."""

    def __init__(self, book: Book, decided: Decisions) -> None:
        self.book, self.decided = book, decided
        self.ledger = Ledger(book)
        self.machines = Machines(book, decided)
        self.sites = Sites(book, decided, self.machines, self.ledger)
        self.money = committed_money(book, self.sites.commitments)
        for money in self.money:
            self.sites.add_money(money)
        self._facility: dict[tuple[str, str, str, int, int], Facility] = {}
        self.facilities = [(f, self.facility(f)) for f in decided.financed if f.modules]
        for financed, facility in self.facilities:
            self._post_facility(financed, facility)
        self.leases = [
            Taken(book, x, LeaseOfGpus(book.leases[x.lease], self._module_of(x)))
            for x in decided.leased
            if x.modules
        ]
        for taken in self.leases:
            self._post_lease(taken)
        self.debts: dict[str, dict[int, DebtQuarter]] = {}
        self.by_terms: dict[str, dict[int, DebtQuarter]] = {}
        """As if nothing were repaid before its time."""
        for debt in book.portfolio.debt:
            swept = roll_debt(book, debt, decided.prepaid)
            self.debts[debt.debt] = less_called(book, debt, swept, decided.called)
            self.by_terms[debt.debt] = roll_debt(book, debt)
            self._post_debt(debt.entity, self.debts[debt.debt])
        self.take_outs = TakeOuts(book, decided, self.sites.commitments, self.money, self.by_terms)
        self.take_outs.post(self.ledger)
        self.coins = Coins(book, decided, self.debts)
        self.coins.post(self.ledger)
        existing = [existing_note(row) for row in book.portfolio.convertibles]
        self.corporate = CorporateDebt(book, decided, existing)
        self.corporate.post(self.ledger)
        self.notes = self._notes(existing)
        self._post_treasury()
        for entity in book.borrowers:
            self.ledger.roll_block(entity)
        self._roll_company()

    def facility(self, f: Financed) -> Facility:
        """The facility of one module of what was financed."""
        key = (f.site, f.product, f.contract, f.begun, f.closed)
        if key not in self._facility:
            module = self.sites.module(f.site, f.product, f.contract, f.begun)
            self._facility[key] = facility_of(module, f.closed)
        return self._facility[key]

    def facility_at(self, f: Financed, facility: Facility, node: int) -> FacilityQuarter:
        """One module's facility at a node; nothing where it has not closed."""
        if f.closed not in self.book.paths[node]:
            return FacilityQuarter()
        return facility.quarter(self.book.tree.period[node] - self.book.tree.period[f.closed])

    def _post_facility(self, f: Financed, facility: Facility) -> None:
        post = self.ledger.post_site
        for n in self.book.below[f.closed]:
            q = self.facility_at(f, facility, n)
            if f.closed == f.begun:
                self.sites.of[f.site].funded[n] += f.modules * q.received
            post(f.site, n, CashLine.PROJECT_DRAWS, f.modules * q.received)
            post(f.site, n, CashLine.ESCROW_INCOME, f.modules * q.escrow_income)
            post(f.site, n, CashLine.PROJECT_INTEREST, -f.modules * q.paid_interest)
            post(f.site, n, CashLine.PROJECT_PRINCIPAL, -f.modules * q.principal)
            post(f.site, n, CashLine.RESERVE_RELEASE, f.modules * q.released)

    def _module_of(self, x: Leased) -> Module:
        return self.sites.module(x.site, x.product, x.contract, x.begun)

    def _post_lease(self, taken: Taken) -> None:
        x, post = taken.decided, self.ledger.post_site
        for n in self.book.below[x.begun]:
            q = taken.at(n)
            self.sites.of[x.site].funded[n] += x.modules * q.drawn
            post(x.site, n, CashLine.LEASE_DRAWS, x.modules * q.drawn)
            post(x.site, n, CashLine.LEASE_INTEREST, -x.modules * q.paid_interest)
            post(x.site, n, CashLine.LEASE_PRINCIPAL, -x.modules * q.principal)

    def lease_sum(self, node: int, what: str, weights: Weights = None, *, lessor: str | None = None) -> float:
        """Sum over leases, or those of one lessor, of one of their quantities at a node. [$M]"""
        owner = self.book.sites
        return sum(
            of(weights, owner[t.decided.site].entity) * t.decided.modules * float(getattr(t.at(node), what))
            for t in self.leases
            if lessor is None or t.name == lessor
        )

    def _post_debt(self, entity: str, rolled: dict[int, DebtQuarter]) -> None:
        for n, q in rolled.items():
            self.ledger.post(entity, n, CashLine.DEBT_DRAWS, q.drawn)
            self.ledger.post(entity, n, CashLine.DEBT_INTEREST, -q.interest)
            self.ledger.post(entity, n, CashLine.DEBT_PRINCIPAL, -q.principal)
            self.ledger.post(entity, n, CashLine.RESERVE_RELEASE, q.released)
            self.ledger.post(entity, n, CashLine.CALL_PREMIUM, -q.premium)

    def _notes(self, existing: list[Note]) -> list[tuple[Note, dict[int, NoteQuarter]]]:
        notes = [(note, self.corporate.thinned(note.name)) for note in existing]
        for (name, block, n), principal in self.decided.issue.items():
            if principal > 0.0:
                note = new_note(self.book, self.book.instruments[name], n, block, principal)
                notes.append((note, roll_note(self.book, note)))
        return notes

    def overhead(self, node: int) -> float:
        """Overhead of the quarter. [$M]"""
        firm = self.book.firm
        growth = grown(firm.overhead_growth_frac_per_year, self.book.tree.period[node])
        return firm.overhead_usd_m_per_q * growth

    def equity_net(self, node: int) -> float:
        """Net proceeds of shares sold at a node. [$M]"""
        net = 0.0
        for (name, block, n), gross in self.decided.atm.items():
            if n == node:
                discount = self.book.blocks[name, block].discount_frac
                net += gross * (1.0 - discount) * (1.0 - self.book.instruments[name].fee_frac)
        for (name, n), gross in self.decided.follow_on.items():
            if n == node:
                terms = self.book.instruments[name]
                net += gross * (1.0 - terms.launch_drop_frac) * (1.0 - terms.fee_frac)
        return net

    def notes_net(self, node: int) -> float:
        """Net proceeds of convertibles issued at a node. [$M]"""
        net = 0.0
        for (name, _, n), principal in self.decided.issue.items():
            if n == node:
                terms = self.book.instruments[name]
                net += principal * (1.0 - terms.fee_frac - (terms.capped_call_cost_frac or 0.0))
        return net

    def tax_paid(self, node: int, payer: str) -> float:
        """Tax of the calendar year that ends at a node, of the groups that an entity pays for. [$M]"""
        if self.book.tree.quarter(node).year == (self.book.tree.quarter(node) + 1).year:
            return 0.0
        groups = [g for g in self.book.portfolio.tax_groups if self.book.payer(g.tax_group) == payer]
        return sum(g.rate_frac * self.decided.taxed.get((g.tax_group, node), 0.0) for g in groups)

    def raised(self, node: int) -> float:
        """Net proceeds of shares, notes and loans against bitcoin. [$M]"""
        notes = self.notes_net(node) + self.corporate.net(node)
        return self.equity_net(node) + notes + self.coins.proceeds(node)

    def _post_treasury(self) -> None:
        book, parent, post = self.book, self.book.parent, self.ledger.post
        for line in book.portfolio.other_lines:
            for n in book.tree.nodes:
                if book.tree.quarter(n) == line.quarter:
                    post(parent, n, CashLine.OTHER_LINES, line.ebitda_usd_m)
        for n in book.tree.nodes:
            post(parent, n, CashLine.OVERHEAD, -self.overhead(n))
            post(parent, n, CashLine.EQUITY_PROCEEDS, self.equity_net(n))
            post(parent, n, CashLine.CONVERT_PROCEEDS, self.notes_net(n))
            for entity in book.entities:
                post(entity, n, CashLine.TAX, -self.tax_paid(n, entity))
            post(parent, n, CashLine.PAYOUTS, -self.decided.payout.get(("", n), 0.0))
        for _, rolled in self.notes:
            for n, q in rolled.items():
                post(parent, n, CashLine.CONVERT_COUPON, -q.coupon)
                post(parent, n, CashLine.CONVERT_PRINCIPAL, -q.principal)
        for (entity, n), amount in self.decided.rescue.items():
            post(entity or parent, n, CashLine.RESCUE, amount)
        for amounts, sign, own, others in (
            (self.decided.contributed, 1.0, CashLine.CONTRIBUTED, CashLine.PARTNER_CONTRIBUTED),
            (self.decided.distributed, -1.0, CashLine.DISTRIBUTED, CashLine.PARTNER_DISTRIBUTED),
        ):
            for (entity, n), amount in amounts.items():
                ours = book.entities[entity].share * amount
                post(entity, n, own, sign * ours)
                post(entity, n, others, sign * (amount - ours))
                post(parent, n, own, -sign * ours)

    def _roll_company(self) -> None:
        book, ledger, parent = self.book, self.ledger, self.book.parent
        for n in book.tree.nodes:
            before = book.tree.parent[n]
            opening = ledger.cash[parent, before] if n else book.portfolio.parent.unrestricted_cash_usd_m
            rate = max(0.0, book.rows[n].base_rate_frac - book.firm.cash_yield_spread_frac)
            raised = self.raised(n)
            ledger.post(parent, n, CashLine.INTEREST_INCOME, rate / 4.0 * (opening + 0.5 * raised))
            ledger.cash[parent, n] = opening + ledger.entity_total(parent, n)

    def over_sites(self, weights: Weights, figure: Callable[[SiteBook], float]) -> float:
        """Sum of a figure over sites, each times the weight of its owner."""
        owner = self.book.sites
        return sum(of(weights, owner[s].entity) * figure(here) for s, here in self.sites.of.items())

    def late_loss(self, node: int, weights: Weights = None) -> float:
        """What late deliveries would cost so far. [$M]"""
        return self.over_sites(weights, lambda here: here.late_loss.get(node, 0.0))

    def guaranteed(self, node: int) -> float:
        """Own spend still to come that the company has guaranteed. [$M]"""
        owed = 0.0
        for name, e in self.book.entities.items():
            if e.completion_guarantee_frac:
                only = {name: e.completion_guarantee_frac}
                owed += self.remaining_own(node, only) - self.remaining_draws(node, only)
        return owed

    def wall(self, node: int) -> float:
        """Principal of notes due at a node beyond the cash that it is expected to take. [$M]"""
        return sum(rolled[node].wall for _, rolled in self.notes if node in rolled)

    def locked(self, node: int) -> float:
        """Cash of borrowers that lock-ups hold. [$M]"""
        return sum(self.locked_of(entity, node) for entity in self.book.borrowers)

    def locked_of(self, entity: str, node: int) -> float:
        """Cash of a borrower in a lock-up. [$M]"""
        is_shut = lock_up(self.book, entity, node) > 0.0 and not self.decided.open.get((entity, node))
        return self.ledger.cash[entity, node] if is_shut else 0.0

    def in_reach(self, node: int) -> float:
        """The company's part of borrowers' cash that they may hand up; none of a listed one's. [$M]"""
        quarter, found = self.book.tree.quarter(node), 0.0
        for name in self.book.borrowers:
            free = self.ledger.cash[name, node] - self.locked_of(name, node)
            found += self.book.entities[name].in_reach(quarter) * free
        return found

    def spared(self, node: int, seen: int, weights: Weights = None) -> float:
        """Of the service of existing loans, what was called or repaid before its time takes away. [$M]"""
        found, quarter = 0.0, self.book.tree.quarter(node)
        for (name, m), usd_m in self.decided.prepaid.items():
            debt = self.book.debts[name]
            is_known = m in self.book.paths[seen] and m in self.book.paths[node] and m != node
            if is_known and quarter <= debt.maturity_quarter:
                base = self.book.rows[node].base_rate_frac if debt.rate_kind == "floating" else 0.0
                weight = of(weights, debt.entity)
                found += weight * usd_m * (debt.coupon_or_spread_frac + base) / 4.0
                found += weight * usd_m if quarter == debt.maturity_quarter else 0.0
        for (name, m), part in self.decided.called.items():
            if m in self.book.paths[seen] and m in self.book.paths[node]:
                q = self.by_terms[name][node]
                found += of(weights, self.book.debts[name].entity) * part * (q.interest + q.principal)
        return found

    def remaining_own(self, node: int, weights: Weights = None) -> float:
        """Own spend of all that is begun or committed after the quarter of a node. [$M]"""
        return self.over_sites(weights, lambda here: here.remaining_own.get(node, 0.0))

    def own_spend(self, site: str, node: int) -> float:
        """Spend of a site that nobody else funds; a close at completion funds none. [$M]"""
        return self.ledger.site_spend(site, node) - self.sites.of[site].funded[node]

    def all_spend(self, site: str, node: int) -> float:
        """Spend of a site, whoever pays. [$M]"""
        return self.ledger.site_spend(site, node) + self.sites.of[site].tenant_paid[node]

    def total_own_spend(self, node: int, weights: Weights = None) -> float:
        """Own spend of all sites. [$M]"""
        sites = self.book.sites.values()
        return sum(of(weights, s.entity) * self.own_spend(s.site, node) for s in sites)

    def remaining_draws(self, node: int, weights: Weights = None) -> float:
        """Spend that facilities closed at start, and lessors, will still pay after a node. [$M]"""
        left = 0.0
        for f, facility in self.facilities:
            weight = of(weights, self.book.sites[f.site].entity)
            if f.closed == f.begun and f.closed in self.book.paths[node]:
                age = self.book.tree.period[node] - self.book.tree.period[f.closed]
                ahead = range(age + 1, facility.terms.construction_q)
                left += weight * f.modules * sum(facility.quarter(k).received for k in ahead)
        return left + self.lease_sum(node, "undrawn", weights)

    def remaining_escrow(self, node: int, weights: Weights = None) -> float:
        """Rows funded by escrow after the quarter of a node. [$M]"""
        return self.over_sites(weights, lambda here: here.remaining_escrow.get(node, 0.0))

    def entity_escrow(self, node: int, weights: Weights = None) -> float:
        """What is left of the entities' escrow. [$M]"""
        left = sum(of(weights, name) * e.escrow_usd_m for name, e in self.book.entities.items())
        for one in self.sites.commitments:
            weight = of(weights, self.book.sites[one.commitment.site].entity)
            left -= weight * sum(one.at[m].escrow for m in self.book.paths[node])
        return left

    def facility_sum(self, node: int, what: str, weights: Weights = None) -> float:
        """Sum over facilities, take-outs with them, of one of their quantities at a node. [$M]"""
        on_modules = sum(
            of(weights, self.book.sites[f.site].entity)
            * f.modules
            * float(getattr(self.facility_at(f, facility, node), what))
            for f, facility in self.facilities
        )
        return on_modules + self.take_outs.total(node, what, weights)

    def debt_sum(self, node: int, what: str, weights: Weights = None) -> float:
        """Sum over existing loans of one of their quantities at a node. [$M]"""
        loans = self.book.debts.values()
        return sum(of(weights, d.entity) * float(getattr(self.debts[d.debt][node], what)) for d in loans)

    def terms_sum(self, node: int, what: str, weights: Weights = None) -> float:
        """The same, as if nothing were repaid before its time. [$M]"""
        loans = self.book.debts.values()
        return sum(of(weights, d.entity) * float(getattr(self.by_terms[d.debt][node], what)) for d in loans)

    def restricted(self, node: int, weights: Weights = None) -> float:
        """All restricted cash. [$M]"""
        entities = self.book.entities.items()
        collateral = sum(of(weights, name) * e.collateral_cash_usd_m for name, e in entities)
        security = self.over_sites(weights, lambda here: here.security[node])
        own = self.entity_escrow(node, weights) + collateral + security + self.coins.margins(node, weights)
        own += self.debt_sum(node, "reserve", weights)
        return own + self.facility_sum(node, "restricted", weights)

    def undrawn(self, node: int) -> float:
        """Loans and revolvers not yet drawn, and draws to come of closed facilities. [$M]"""
        existing = sum(rolled[node].undrawn for rolled in self.debts.values())
        existing += self.lease_sum(node, "undrawn")
        return existing + self.facility_sum(node, "undrawn") + self.corporate.total(node, "undrawn")

    def interest(self, node: int, weights: Weights = None) -> float:
        """Interest accrued on loans and notes, and coupons. [$M]"""
        coupons = sum(rolled[node].coupon for _, rolled in self.notes if node in rolled)
        parents = self.corporate.total(node, "interest") + coupons
        loans = self.debt_sum(node, "interest", weights) + self.facility_sum(node, "interest", weights)
        loans += self.lease_sum(node, "interest", weights)
        return loans + self.coins.interest(node, weights) + of(weights, self.book.parent) * parents

    def debt(self, node: int, weights: Weights = None) -> float:
        """Balances of loans and notes, and convertibles outstanding at par. [$M]"""
        notes = sum(rolled[node].outstanding for _, rolled in self.notes if node in rolled)
        parents = self.corporate.total(node, "balance") + notes
        loans = self.debt_sum(node, "balance", weights) + self.facility_sum(node, "balance", weights)
        loans += self.lease_sum(node, "balance", weights)
        return loans + self.coins.owed(node, weights) + of(weights, self.book.parent) * parents

    def corporate_uses(self, node: int) -> float:
        """What raised money may pay for at a node beside own spend: standing uses, debt repaid. [$M]"""
        existing = sum(q[node].coupon + q[node].principal for note, q in self.notes if not note.is_new)
        standing = self._standing_uses(node, node) - self.spared(node, node, self.book.paid)
        return standing + existing + self.corporate.repaid(node)

    def uses_ahead(self, node: int, seen: int) -> float:
        """Uses of a quarter after ``seen``, as they are known there: by what is decided by then. [$M]"""
        total = (
            self._standing_uses(node, seen)
            - self.spared(node, seen, self.book.paid)
            + self.corporate.bonds_due(node, seen)
        )
        for name, q in self.corporate.gross.items():
            total += (q[node].coupon + q[node].principal) * self.corporate.left(name, seen)
        return total

    def _standing_uses(self, node: int, seen: int) -> float:
        """Overhead, the company's part of existing debt by its terms and of fixed costs known. [$M]"""
        paid = self.book.paid
        fixed = self.sites.estate.fixed_cost(node, seen, paid)
        service = self.terms_sum(node, "interest", paid) + self.terms_sum(node, "principal", paid)
        return self.overhead(node) + fixed + service
