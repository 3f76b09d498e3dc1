"""The cash to come of what is begun by a node: contracted receipts and draws less what is to be paid."""

from functools import cached_property

from optimizer.audit.committed import Committed
from optimizer.audit.obligations import is_unsigned, part_of_site
from optimizer.audit.sites import cash_security
from optimizer.audit.world import World


class Ahead:
    """Sees the nodes below a node as if nothing more were decided after it."""

    def __init__(self, world: World) -> None:
        self.world, self.book = world, world.book

    @cached_property
    def _kept(self) -> list[Committed]:
        """Every commitment as if it were never cancelled."""
        return [
            Committed(self.book, one.commitment, frozenset()) if one.cancelled_at else one
            for one in self.world.sites.commitments
        ]

    def quarter(self, n: int, m: int) -> float:
        """Net cash at ``m`` of what is decided by ``n``, a node before it. [$M]"""
        path = set(self.book.paths[n])
        sites = (
            self._modules(path, m)
            - self._sold(path, m)
            + self._commitments(n, m)
            + self._plant(path, m)
            - self._standing(n, m)
        )
        return sites + self._loans(n, m) + self._facilities(path, m) - self._notes(n, m)

    def along(self, n: int, m: int) -> float:
        """Net cash after ``n`` up to ``m``. [$M]"""
        period = self.book.tree.period
        return sum(self.quarter(n, k) for k in self.book.paths[m] if period[k] > period[n])

    def expected(self, n: int, quarters: int) -> float:
        """Expected net cash of the next quarters within the horizon. [$M]"""
        weight = self.book.tree.probability
        return sum(float(weight[m] / weight[n]) * self.quarter(n, m) for m in self.below(n, quarters))

    def below(self, n: int, quarters: int) -> list[int]:
        """Nodes of the next quarters."""
        period = self.book.tree.period
        return [m for m in self.book.below[n] if 0 < period[m] - period[n] <= quarters]

    def _modules(self, path: set[int], m: int) -> float:
        cash = 0.0
        for start, module in self.world.sites.modules:
            if start.node in path:
                q = module.at[m]
                earned = 0.0 if is_unsigned(self.book, start.contract) else q.noi - q.relet - q.credit
                part = part_of_site(self.book, start.site) * start.modules
                cash += part * (earned - q.spend - q.refresh + q.tenant_money - q.refund)
        return cash

    def _sold(self, path: set[int], m: int) -> float:
        """What halls sold by now would have earned. [$M]"""
        return sum(
            part_of_site(self.book, x.decided.site) * x.count * (q.rent - q.opex - q.power - q.refresh)
            for x in self.world.sites.sold
            if x.node in path
            for q in (x.one.at[m],)
        )

    def _commitments(self, n: int, m: int) -> float:
        cash = 0.0
        for money in self.world.money:
            given = money.at[m]
            net = given.received - given.credited - given.refunded
            cash += part_of_site(self.book, money.site) * net
        for one, kept in zip(self.world.sites.commitments, self._kept, strict=True):
            if not one.is_cancelled(n):
                q = kept.at[m]
                unsigned = is_unsigned(self.book, one.commitment.contract)
                net = (0.0 if unsigned else q.rent - q.opex - q.power) - q.own - q.gpu_debt - q.refresh
                cash += part_of_site(self.book, one.commitment.site) * net
        return cash

    def _plant(self, path: set[int], m: int) -> float:
        """What cooling and expansions still take, negative. [$M]"""
        book, decided, tree = self.book, self.world.decided, self.book.tree
        cash = 0.0
        for placed in decided.cools:
            if placed.node in path:
                plant = book.cooling[placed.site, placed.item]
                cost = placed.amount * plant.capex_usd_m_per_module * book.rows[placed.node].capex_idx
                if tree.period[m] - tree.period[placed.node] < plant.lead_q:
                    cash -= part_of_site(book, placed.site) * cost / plant.lead_q
        for placed in decided.orders:
            if placed.node in path:
                terms = book.equipment[placed.item]
                rest = terms.cost_usd_m_per_mw * (1.0 - terms.deposit_frac) * book.rows[placed.node].capex_idx
                if tree.period[m] - tree.period[placed.node] == terms.lead_q - 1:
                    cash -= part_of_site(book, placed.site) * placed.amount * rest
        for placed in decided.expands:
            if placed.node in path:
                step = book.expansions[placed.item]
                rest = (step.cost_usd_m - step.deposit_usd_m) * book.rows[placed.node].capex_idx
                if tree.period[m] - tree.period[placed.node] == step.lead_q - 1:
                    cash -= part_of_site(book, placed.site) * placed.amount * rest
        return cash

    def _standing(self, n: int, m: int) -> float:
        """Overhead, fixed costs, agreed purchases of sites and the security that power will ask for. [$M]"""
        quarter, total = self.book.tree.quarter(m), self.world.overhead(m)
        estate, before = self.world.sites.estate, self.book.tree.parent[m]
        for name, site in self.book.sites.items():
            ours = estate.known(name, m, n)
            asked = cash_security(self.book.power(name, quarter)) * ours
            asked -= cash_security(self.book.power(name, quarter + -1)) * estate.known(name, before, n)
            agreed = estate.paid(name, m) if site.state == "pending" else 0.0
            net = site.fixed_cost_usd_m_per_q * ours + asked + agreed
            total += self.book.counted[site.entity] * net
        return total

    def _loans(self, n: int, m: int) -> float:
        """Draws of the opening's loans less their service and that of loans taken by now. [$M]"""
        world, part, path = self.world, self.book.counted, self.book.paths[n]
        cash = world.spared(m, n, part)
        for what, sign in (("drawn", 1.0), ("interest", -1.0), ("principal", -1.0), ("released", 1.0)):
            cash += sign * world.terms_sum(m, what, part)
        for (name, k), gone in world.decided.called.items():
            if k in path:
                cash -= part[self.book.debts[name].entity] * gone * world.by_terms[name][m].released
        for loan in world.coins.loans:
            if loan.node in path:
                q = world.coins.schedule[loan.name][m]
                cash -= part[loan.entity] * (q.interest + q.principal)
        return cash

    def _facilities(self, path: set[int], m: int) -> float:
        cash = 0.0
        for f, facility in self.world.facilities:
            if f.closed in path:
                q = self.world.facility_at(f, facility, m)
                cash += (
                    part_of_site(self.book, f.site)
                    * f.modules
                    * (q.received + q.escrow_income - q.paid_interest - q.principal + q.released)
                )
        for out in self.world.take_outs.taken:
            if out.node in path:
                q = out.at(m)
                net = q.received - q.paid_interest - q.principal + q.released
                cash += self.book.counted[out.terms.entity] * out.part * net
        for taken in self.world.leases:
            if taken.decided.begun in path:
                one = taken.at(m)
                cash += taken.decided.modules * (one.drawn - one.paid_interest - one.principal)
        return cash

    def _notes(self, n: int, m: int) -> float:
        """Coupons and principal in full, of what is issued and not bought back by ``n``. [$M]"""
        path, debt = set(self.book.paths[n]), self.world.corporate
        new = (rolled[m] for note, rolled in self.world.notes if note.is_new and note.issued in path)
        paid = sum(q.coupon + q.principal + q.wall for q in new)
        for name, rolled in debt.gross.items():
            q = rolled[m]
            paid += (q.coupon + q.principal + q.wall) * debt.left(name, n)
        bonds = (rolled[m] for bond, rolled in debt.bonds if bond.issued in path)
        return paid + sum(q.interest + q.principal for q in bonds)
