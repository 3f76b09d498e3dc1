"""Inputs of the treasury: cash, shares, tests, ways to raise money, coins; and strategies."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.blocks.metrics import Measured
from models.domain.portfolio import Portfolio
from models.domain.rules import Covenant
from models.timetree import Quarter, TimeTree
from models.units import USD_M
from optimizer.conflicts.elastic import (
    Array,
    Cell,
    Change,
    Elastic,
    key_of,
    outward,
    prices,
    text_of,
)
from optimizer.conflicts.limits import amount
from optimizer.conflicts.place import Places

WIDE = 1e4
"""By how much a row is relaxed that an input switches off. [$M or MW]"""
IN_MILLIONS = frozenset(
    {"minimum_liquidity", "recourse_debt", "secured_debt", "funded_commitments", "stress_liquidity"}
)
"""Metrics whose threshold is an amount of money."""
METRICS = {
    "minimum_liquidity": "liquidity of at least ${0:,.6g}M",
    "net_debt_to_ebitda": "net debt of at most {0:g} times EBITDA",
    "interest_cover": "EBITDA of at least {0:g} times interest",
    "dscr": "cash flow of at least {0:g} times debt service",
    "net_debt_to_market_cap": "net debt of at most {0:g} times the market cap",
    "market_cap": "no issue while the market cap is below ${0:,.6g}M",
    "recourse_debt": "debt with recourse of at most ${0:,.6g}M",
    "secured_debt": "secured debt of at most ${0:,.6g}M",
    "maturities": "liquidity of at least {0:g} times what falls due in a year",
    "dilution": "new shares of at most {0:.3g} of the opening count in four quarters",
    "cash_cover": "cash for {0:g} quarters of overhead and interest",
    "funded_commitments": "${0:,.6g}M left of what is begun, funded for a year",
    "maturity_wall": "liquidity of at least {0:g} times what falls due in the year after the horizon",
    "solvency": "assets of at least {0:g} times debt at the horizon",
    "unsigned_building": "at most {0:g} of liquidity for unsigned halls",
    "stress_liquidity": "${0:,.6g}M left in each of four quarters with markets shut",
    "tenant_share": "at most {0:g} of contracted MW on one tenant",
}
MARGIN = 1e-3
"""By which part a ratio is loosened beyond what the plan in hand needs."""


@dataclass(frozen=True, eq=False)
class Money:
    """What the company and its shareholders hold it to."""

    p: Portfolio
    places: Places

    @property
    def tree(self) -> TimeTree:
        """Of the plan."""
        return self.places.program.params.tree

    def all(self) -> Iterator[Elastic]:
        """Every rule on money that has rows in the program."""
        found = (
            *self._company(),
            *self._cash(),
            *self._covenants(),
            *self._instruments(),
            *self._coins(),
            *self._strategies(),
        )
        yield from (e for e in found if e.rows or e.flows)

    def _of(self, rule: str, place: str = "", coef: float = 1.0) -> list[tuple[int, float]]:
        return [(i, coef) for i, _ in self.places.rows(rule, place)]

    def _company(self) -> Iterator[Elastic]:
        firm, key = self.p.firm, key_of(self.p.firm)
        yield Elastic(
            Cell(firm.table, key, "cash_floor_usd_m"),
            "floor",
            f"the company keeps ${firm.cash_floor_usd_m:,.6g}M of cash at least",
            prices()["floor"],
            amount(
                firm, "cash_floor_usd_m", "lower the liquidity floor by ${by} to ${now}", up=False, unit="M"
            ),
            most=firm.cash_floor_usd_m,
            rows=[*self._of("CSH-2"), *self._of("VAL-1")],
        )
        awarded = (
            f", {firm.award_shares_m_per_q:g}M awarded each quarter" if firm.award_shares_m_per_q else ""
        )
        yield Elastic(
            Cell(firm.table, key, "authorised_shares_m"),
            "authorised",
            f"{firm.authorised_shares_m:,.6g}M shares are authorised, {firm.basic_shares_m:,.6g}M outstanding"
            f"{awarded}",
            prices()["authorised"] * firm.price_usd,
            amount(firm, "authorised_shares_m", "have {by} more shares authorised, {now}", up=True, unit="M"),
            rows=self._of("EQT-5"),
        )
        programme = [(i, 1.0) for i, k in self.places.rows("EQT-2") if len(k) == 1]
        yield Elastic(
            Cell(firm.table, key, "atm_left_usd_m"),
            "programme",
            f"${firm.atm_left_usd_m:,.6g}M are left of the at-the-market programme",
            prices()["programme"],
            amount(
                firm,
                "atm_left_usd_m",
                "enlarge the at-the-market programme by ${by} to ${now}",
                up=True,
                unit="M",
            ),
            rows=programme,
        )

    def _cash(self) -> Iterator[Elastic]:
        for e in self.p.entities:
            is_parent = e.kind == "parent"
            if not (
                is_parent or any(c.entity == e.entity for c in self.p.covenants) or not e.takes_contributions
            ):
                continue  # the company can give it money
            rule, coef = ("CSH-1", 1.0) if is_parent else ("SPV-1", 10.0)
            place = "" if is_parent else e.entity
            told = f"bring ${{by}} of cash into {e.entity} before {self.tree.first}"
            opening = [(i, coef) for i, k in self.places.rows(rule, place) if k[0] == 0]
            yield Elastic(
                Cell(e.table, e.entity, "unrestricted_cash_usd_m"),
                "opening_cash",
                f"{e.entity} opens with ${e.unrestricted_cash_usd_m:,.6g}M of cash",
                prices()["opening_cash"],
                amount(e, "unrestricted_cash_usd_m", told, up=True, unit="M"),
                flows=opening,
                context=tuple(self._owed(e.entity)) if is_parent else (),
            )  # fmt: skip

    def _owed(self, parent: str) -> Iterator[str]:
        """What the company has to pay, whatever it decides: the largest few, by quarter."""
        first, last = self.tree.first, self.tree.first + (self.tree.horizon_q - 1)
        found: list[tuple[float, str]] = []
        spent: dict[tuple[str, Quarter], float] = {}
        for f in self.p.commitment_flows:
            if f.funded_by in ("own", "vendor") and first <= f.quarter <= last:
                spent[f.commitment, f.quarter] = spent.get((f.commitment, f.quarter), 0.0) + f.amount_usd_m
        found += [(usd, f"commitment {name} takes ${usd:,.6g}M in {q}") for (name, q), usd in spent.items()]
        found.append(
            (
                self.p.firm.overhead_usd_m_per_q,
                f"overhead takes ${self.p.firm.overhead_usd_m_per_q:,.6g}M a quarter",
            )
        )
        yield from (text for usd, text in sorted(found, key=lambda x: -x[0])[:4] if usd > 0.0)

    def _covenants(self) -> Iterator[Elastic]:
        by_name: dict[str, list[Measured]] = {}
        for m in self.places.program.measured:
            by_name.setdefault(m.covenant.covenant, []).append(m)
        for c in self.p.covenants:
            rows = [self.places.row_of[id(r)] for r in self.places.program.tests.get(c.covenant, ())]
            if not rows or c.is_incurrence:
                continue
            of = f" of {c.entity}" if c.entity else ""
            kind = "covenant" if c.source_of_rule == "contract" else "guard rail"
            span = f" from {c.from_quarter}" if c.from_quarter else ""
            span += f" to {c.to_quarter}" if c.to_quarter else ""
            is_shares = c.metric == "dilution"
            price = prices()["shares_covenant"] * self.p.firm.price_usd if is_shares else prices()["covenant"]
            yield Elastic(
                Cell(c.table, c.covenant, "threshold"),
                "covenant",
                f"{kind} {c.covenant} asks for {METRICS[c.metric].format(c.threshold)}{of}{span}",
                price,
                self._threshold(c, by_name.get(c.covenant, [])),
                most=c.threshold if c.metric in IN_MILLIONS and _is_least(c) else np.inf,
                rows=[(i, 1.0) for i in rows],
            )

    def _threshold(self, c: Covenant, measured: list[Measured]):  # type: ignore[no-untyped-def]
        """The threshold at which a solution would pass, a little beyond."""
        cell = Cell(c.table, c.covenant, "threshold")

        def translate(given: float, x: Array) -> tuple[str, tuple[Change, ...]]:
            if c.metric in IN_MILLIONS:
                up = not _is_least(c)
                now = c.threshold + outward(given, up=True) * (1.0 if up else -1.0)
                now = max(0.0, now)
            else:
                needed = max((-self.places.at(x, m.headroom) for m in measured), default=0.0)
                beyond = max(1.0, given / needed) if needed > 0.0 else 1.0
                now = c.threshold + (self._ratio(c, measured, x) - c.threshold) * beyond
                now = outward(max(0.0, now), up=now > c.threshold)
            word = "raise" if now > c.threshold else "lower"
            words = f"{word} {c.covenant} from {c.threshold:,.6g} to {now:,.6g}"
            return words, (Change(cell, text_of(c.threshold), f"{now:.9g}"),)

        return translate

    def _ratio(self, c: Covenant, measured: list[Measured], x: Array) -> float:
        """The worst ratio of a solution at which there is anything to divide by, rounded outward."""
        worst = c.threshold
        for m in measured:
            value, limit = self.places.at(x, m.value), self.places.at(x, m.limit)
            base = limit / c.threshold if c.threshold else 0.0
            if base <= 0.0:
                continue
            if m.is_least:
                worst = min(worst, outward(max(0.0, value / base * (1.0 - MARGIN)), up=False))
            else:
                worst = max(worst, outward(value / base * (1.0 + MARGIN), up=True))
        return float(worst)

    def _instruments(self) -> Iterator[Elastic]:
        rules = {
            "atm": ("EQT-2",), "follow_on": ("EQT-4",), "convertible": ("CVT-1",), "notes": ("TRE-11",),
            "revolver": ("TRE-14",), "btc_loan": ("TRE-8",), "repurchase": (),
        }  # fmt: skip
        for x in self.p.instruments:
            rows = [
                (i, 1.0)
                for rule in rules[x.kind]
                for i, k in self._at_most(rule)
                if x.instrument in (k[0], *k[1:2])
            ]
            yield Elastic(
                Cell(x.table, x.instrument, "max_usd_m"),
                "instrument",
                f"{x.instrument} brings ${x.max_usd_m:,.6g}M at a time at most",
                prices()["instrument"],
                amount(
                    x,
                    "max_usd_m",
                    f"enlarge {x.instrument} by ${{by}} to ${{now}} at a time",
                    up=True,
                    unit="M",
                ),
                rows=rows,
            )

    def _at_most(self, rule: str) -> Iterator[tuple[int, tuple[object, ...]]]:
        """Rows of a rule that bound from above what a deal brings, not those of its least size."""
        for i, key in self.places.rows(rule):
            if "least" not in self.places.matrix.rows[i].parent_component().local_name:
                yield i, key

    def _coins(self) -> Iterator[Elastic]:
        btc = float(self.places.program.params.outlook.rows[0].btc_usd) * USD_M
        for x in self.p.treasury:
            place = "" if x.entity == self.p.parent.entity else x.entity
            yield Elastic(
                Cell(x.table, x.lot, "min_hold_btc"),
                "coins",
                f"{x.min_hold_btc:,.0f} BTC of {x.lot} are never sold",
                prices()["coins"] * btc,
                amount(
                    x,
                    "min_hold_btc",
                    f"sell {{by}} BTC of {x.lot} that were to be kept, {{now}} stay",
                    up=False,
                ),
                most=x.min_hold_btc,
                rows=[(i, 1.0) for i, k in self.places.rows("TRE-3", place) if k[0] == x.lot],
            )
            yield Elastic(
                Cell(x.table, x.lot, "sell_cap_frac_per_q"),
                "coins",
                f"{x.sell_cap_frac_per_q:.3g} of {x.lot} ({x.btc:,.0f} BTC) may be sold in a quarter",
                prices()["coins"] * btc * x.btc,
                amount(x, "sell_cap_frac_per_q", f"sell {{now}} of {x.lot} in a quarter", up=True),
                most=1.0 - x.sell_cap_frac_per_q,
                rows=[(i, x.btc) for i, k in self.places.rows("TRE-2", place) if k[0] == x.lot],
            )

    def _strategies(self) -> Iterator[Elastic]:
        for s in self.p.sites:
            strategy = self.p.strategy_of(s)
            if strategy == "optimal":
                continue
            rows = [
                (i, WIDE)
                for rule in ("STR-1", "STR-2", "STR-3", "STR-4", "STR-5")
                for i, _ in self.places.rows(rule, s.site)
            ]
            cell = Cell(s.table, s.site, "strategy")
            change = Change(cell, text_of(s.strategy), "optimal")
            asks = {
                "full": "all that can be converted is",
                "mine": "nothing is converted",
                "hybrid": "a part is converted and a part mines on",
                "flexible": "a part is converted and machines run on what its tenants leave",
            }[strategy]

            def translate(
                _: float, __: Array, name: str = strategy, change: Change = change
            ) -> tuple[str, tuple[Change, ...]]:
                return f"give up strategy {name} at {change.cell.key}", (change,)

            yield Elastic(
                cell, "strategy", f"strategy {strategy} at {s.site}: {asks}", prices()["strategy"],
                translate, 1, rows=rows,
            )  # fmt: skip


def _is_least(c: Covenant) -> bool:
    """Whether the threshold of a test in $M is the least that may be left."""
    return c.metric not in ("recourse_debt", "secured_debt")
