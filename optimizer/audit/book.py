"""The portfolio opened for looking things up: by name, by quarter, by node and beyond the last one."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from models.domain.contract import Commitment, CommitmentFlow, Contract, ContractMoney, Renewal
from models.domain.futures import market_rows
from models.domain.market import MarketRow
from models.domain.mining import Fleet, Machine
from models.domain.portfolio import Portfolio
from models.domain.product import Product
from models.domain.site import Power, Site, SiteCooling
from models.domain.termination import Termination
from models.timetree import Quarter, TimeTree

NEW = ":new"
"""Ending of the vintage that the plan buys of a machine."""


@dataclass(frozen=True)
class Moment:
    """A quarter and the market that rules in it; beyond its own quarter the market of ``node`` is frozen."""

    node: int
    ahead_q: int
    """Quarters after the node's own; negative before the root."""
    period: int
    """Quarters since the first one."""
    quarter: Quarter
    market: MarketRow


@dataclass(frozen=True)
class Vintage:
    """Machines of one type and age."""

    name: str
    machine: Machine
    age_q: int
    """At the root."""
    is_new: bool

    def age(self, period: int) -> int:
        """Age in a quarter, `:new` as if bought at the root. [quarters]"""
        return self.age_q + period

    def is_dead(self, period: int) -> bool:
        """Whether a fleet of the table is past its life."""
        return not self.is_new and self.age(period) >= self.machine.life_q


class Book:
    """Portfolio, tree and market rows, indexed."""

    def __init__(self, portfolio: Portfolio, tree: TimeTree) -> None:
        self.portfolio = portfolio
        self.tree = tree
        self.firm = portfolio.firm
        self.rows = market_rows(portfolio, tree)
        self.sites: dict[str, Site] = {s.site: s for s in portfolio.sites}
        self.products: dict[str, Product] = {p.product: p for p in portfolio.products}
        self.contracts: dict[str, Contract] = {c.contract: c for c in portfolio.contracts}
        self.renewals: dict[str, Renewal] = {r.contract: r for r in portfolio.renewals}
        self.commitments: dict[str, Commitment] = {c.commitment: c for c in portfolio.commitments}
        self.machines: dict[str, Machine] = {m.machine: m for m in portfolio.machines}
        self.fleets: dict[str, Fleet] = {f.fleet: f for f in portfolio.fleets}
        self.expansions = {e.expansion: e for e in portfolio.expansions}
        self.cooling: dict[tuple[str, str], SiteCooling] = {(c.site, c.cooling): c for c in portfolio.cooling}
        self.site_products = {(p.site, p.product): p for p in portfolio.site_products}
        self.classes = {c.credit_class: c for c in portfolio.credit_classes}
        self.equipment = {x.equipment: x for x in portfolio.long_lead}
        self.take_outs = {x.take_out: x for x in portfolio.take_outs}
        self.leases = {x.lease: x for x in portfolio.vendor_leases}
        self.instruments = {i.instrument: i for i in portfolio.instruments}
        self.blocks = {(b.instrument, b.block): b for b in portfolio.impact}
        self.debts = {d.debt: d for d in portfolio.debt}
        self.lots = {x.lot: x for x in portfolio.treasury}
        self.leverage = {(b.instrument, str(b.block)): b for b in portfolio.leverage_blocks}
        self.regions = {r.region: r for r in portfolio.regions}
        self.valuation = {v.stream: v for v in portfolio.valuation}
        self.shapes = {m.market: m for m in portfolio.market_shapes}
        self.parent = portfolio.parent.entity
        self.entities = {e.entity: e for e in portfolio.entities}
        self.borrowers = tuple(name for name in self.entities if name != self.parent)
        self.counted = {name: e.counted for name, e in self.entities.items()}
        self.paid = {name: e.paid for name, e in self.entities.items()}
        self.node_of = {tree.label(n): n for n in tree.nodes}
        self._endings = self._find_endings()
        self._money: dict[str, list[ContractMoney]] = defaultdict(list)
        for row in portfolio.contract_money:
            self._money[row.contract].append(row)
        self._flows: dict[str, list[CommitmentFlow]] = defaultdict(list)
        for flow in portfolio.commitment_flows:
            self._flows[flow.commitment].append(flow)
        self._power: dict[str, list[Power]] = defaultdict(list)
        for power in sorted(portfolio.power, key=lambda p: p.from_quarter):
            self._power[power.site].append(power)

    def payer(self, tax_group: str) -> str:
        """Who pays the tax of a group: a listed subsidiary its own, the parent all others."""
        listed = (e for e in self.entities.values() if e.kind == "listed")
        return next((e.entity for e in listed if e.tax_group == tax_group), self.parent)

    @cached_property
    def alone(self) -> tuple[str, ...]:
        """Borrowers that the company cannot help, or that a covenant stands on: each its own rescue."""
        tested = {c.entity for c in self.portfolio.covenants}
        return tuple(e for e in self.borrowers if e in tested or not self.entities[e].takes_contributions)

    @cached_property
    def profiles(self) -> dict[str, tuple[float, ...]]:
        """Each profile's fractions in the order of their steps."""
        steps: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for point in self.portfolio.profiles:
            steps[point.profile].append((point.step, point.frac))
        return {name: tuple(frac for _, frac in sorted(found)) for name, found in steps.items()}

    @cached_property
    def vintages(self) -> dict[str, Vintage]:
        """Every fleet, and what may be bought of each machine."""
        found = {
            f.fleet: Vintage(f.fleet, self.machines[f.machine], f.age_q, False) for f in self.portfolio.fleets
        }
        for name, machine in self.machines.items():
            found[name + NEW] = Vintage(name + NEW, machine, 0, True)
        return found

    @cached_property
    def share_price(self) -> tuple[float, ...]:
        """Deck share price at each node. [USD]"""
        root, firm = self.rows[0], self.firm
        return tuple(
            firm.price_usd
            * (row.btc_usd / root.btc_usd) ** firm.btc_beta
            * (row.ai_equity_idx / root.ai_equity_idx) ** firm.ai_beta
            for row in self.rows
        )

    @cached_property
    def paths(self) -> tuple[tuple[int, ...], ...]:
        """Path from the root to each node."""
        return tuple(self.tree.path(n) for n in self.tree.nodes)

    @cached_property
    def below(self) -> tuple[tuple[int, ...], ...]:
        """Each node and all after it."""
        return tuple(self.tree.descendants(n) for n in self.tree.nodes)

    @cached_property
    def last_quarter(self) -> Quarter:
        """Quarter of the leaves."""
        return self.tree.first + (self.tree.horizon_q - 1)

    def ended(self, contract: str, node: int) -> Termination | None:
        """How a contract has ended before its term by a node; None while it runs."""
        return self._endings.get((contract, node))

    def _find_endings(self) -> dict[tuple[str, int], Termination]:
        """The first ending of each contract on the path to each node."""
        rows = {(t.contract, t.scenario, t.quarter): t for t in self.portfolio.terminations}
        found: dict[tuple[str, int], Termination] = {}
        for contract in {t.contract for t in self.portfolio.terminations}:
            for n in self.tree.nodes:
                row = found.get((contract, self.tree.parent[n]))
                row = row or rows.get((contract, self.tree.scenario[n], self.tree.quarter(n)))
                if row is not None:
                    found[contract, n] = row
        return found

    def ends_at(self, contract: str, node: int) -> bool:
        """Whether a contract ends before its term at a node."""
        found = self.ended(contract, node)
        return found is not None and found.quarter == self.tree.quarter(node)

    def money(self, contract: str) -> Sequence[ContractMoney]:
        """The tenant money of a contract."""
        return self._money.get(contract, ())

    def flows(self, commitment: str) -> Sequence[CommitmentFlow]:
        """The rows of a commitment."""
        return self._flows.get(commitment, ())

    def power(self, site: str, quarter: Quarter) -> Power | None:
        """The power row that holds in a quarter; None before the first."""
        found = None
        for row in self._power.get(site, ()):
            if row.from_quarter <= quarter:
                found = row
        return found

    def leverage_bound(self, instrument: str, block: str) -> float:
        """Corporate debt up to which a block of leverage reaches; infinite where there is none. [$M]"""
        if not block:
            return math.inf
        cap = self.firm.price_usd * self.firm.basic_shares_m
        return self.leverage[instrument, block].up_to_frac_of_market_cap * cap

    def leverage_add(self, instrument: str, block: str) -> float:
        """What a block of leverage adds to a coupon. [fraction]"""
        return self.leverage[instrument, block].add_frac if block else 0.0

    def moment(self, node: int, ahead_q: int = 0) -> Moment:
        """A node's quarter, or one after it under its frozen market."""
        period = self.tree.period[node] + ahead_q
        return Moment(node, ahead_q, period, self.tree.first + period, self.rows[node])

    def earlier(self, moment: Moment, lag_q: int) -> Moment:
        """The moment ``lag_q`` quarters before, along the path; before the root its market holds."""
        node, ahead = moment.node, moment.ahead_q - lag_q
        while ahead < 0 and self.tree.parent[node] >= 0:
            node, ahead = self.tree.parent[node], ahead + 1
        return self.moment(node, ahead)

    def window(self, node: int, quarters: int) -> tuple[int, ...]:
        """The node and its ``quarters - 1`` ancestors."""
        return self.paths[node][-quarters:] if quarters > 0 else ()

    def commitments_at(self, site: str) -> tuple[Commitment, ...]:
        """Commitments of a site, in table order."""
        return tuple(c for c in self.portfolio.commitments if c.site == site)
