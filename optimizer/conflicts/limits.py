"""Inputs that say how much: limits of sites, tenants, crews and budgets, with the rows that each bounds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.domain.row import Row
from models.units import USD_M_PER_KW_MONTH
from optimizer.conflicts.elastic import (
    Array,
    Cell,
    Change,
    Elastic,
    Translation,
    key_of,
    outward,
    prices,
    quarters,
    text_of,
)
from optimizer.conflicts.place import Places


def amount(
    row: Row, column: str, told: str, *, up: bool, whole: bool = False, per: float = 1.0, unit: str = ""
) -> Translation:
    """How a number that rises or falls is told; ``per`` is what of the column a unit of the input is."""
    cell, was = Cell(row.table, key_of(row), column), float(getattr(row, column) or 0.0)

    def translate(given: float, _: Array) -> tuple[str, tuple[Change, ...]]:
        more = outward(given * per, up=True)
        if whole:
            more = float(-(-given * per // 1))
        now = was + more if up else max(0.0, was - more)
        words = told.format(by=f"{abs(now - was):,.6g}{unit}", now=f"{now:,.6g}{unit}")
        value = text_of(int(now)) if whole else f"{now:.9g}"
        return words, (Change(cell, text_of(getattr(row, column)), value),)

    return translate


@dataclass(frozen=True, eq=False)
class Limits:
    """The limits of what is built, let and spent."""

    p: Portfolio
    places: Places
    signed: tuple[str, ...]

    def all(self) -> Iterator[Elastic]:
        """Every limit that has rows in the program."""
        found = [*self._sites(), *self._contracts(), *self._crews(), *self._equipment(), *self._budgets()]
        yield from (e for e in found if e.rows)

    def _rows(self, rule: str, place: str = "", *, where: object = None, coef: float = 1.0, at: int = 0):  # type: ignore[no-untyped-def]
        """Rows of a rule, all or those whose index says so, with what a unit relaxes them by."""
        return [(i, coef) for i, key in self.places.rows(rule, place) if where is None or key[at] == where]

    def _sites(self) -> Iterator[Elastic]:
        for s in self.p.sites:
            yield from self._power(s.site)
            yield from self._cooling(s.site)
            if s.water_limit_m3_per_q is not None:
                told = f"have {{by}} m3 of water a quarter more at {s.site}, {{now}}"
                yield Elastic(
                    Cell(s.table, s.site, "water_limit_m3_per_q"),
                    "water",
                    f"{s.site} has {s.water_limit_m3_per_q:,.0f} m3 of water a quarter",
                    prices()["water"],
                    amount(s, "water_limit_m3_per_q", told, up=True, per=1000.0),
                    rows=self._rows("COO-3", s.site),
                )
            least = min(
                (p.module_mw for x in self.p.site_products for p in self.p.products
                 if x.site == s.site and x.product == p.product), default=1.0
            )  # fmt: skip
            yield Elastic(
                Cell(s.table, s.site, "max_hpc_critical_mw"),
                "site_limit",
                f"{s.site} takes {s.max_hpc_critical_mw:g} critical MW at most",
                prices()["site_limit"],
                amount(
                    s, "max_hpc_critical_mw", f"let {s.site} take {{by}} critical MW more, {{now}}", up=True
                ),
                rows=[*self._rows("CNV-2", s.site), *self._rows("CNV-3", s.site, coef=1.0 / least)],
            )
            yield from self._products(s.site)

    def _power(self, site: str) -> Iterator[Elastic]:
        tree = self.places.program.params.tree
        rows = sorted((r for r in self.p.power if r.site == site), key=lambda r: r.from_quarter)
        for r, after in zip(rows, [*(r.from_quarter for r in rows[1:]), None], strict=True):
            until = after or tree.first + tree.horizon_q
            at = {n for n in tree.nodes if r.from_quarter <= tree.quarter(n) < until}
            touched = [
                (i, 1.0)
                for rule in ("POW-1", "POW-7")
                for i, key in self.places.rows(rule, site)
                if key[0] in at
            ]
            since = f" from {r.from_quarter}" if r.from_quarter > tree.first else ""
            yield Elastic(
                Cell(r.table, key_of(r), "energised_mw"),
                "energised",
                f"{site} energises {r.energised_mw:g} MW{since}",
                prices()["energised"],
                amount(r, "energised_mw", f"energise {{by}} MW more at {site}{since}, {{now}} MW", up=True),
                rows=touched,
            )
        for k, x in enumerate(y for y in self.places.program.params.power[site].expansions):
            of = next((e for e in self.p.expansions if e.expansion == x.expansion.expansion), None)
            if of is None:
                continue  # one that comes sooner
            columns = [
                j
                for j, d in self.places.columns(Quantity.EXPAND)
                if d.site == site and d.item == of.expansion
            ]
            yield Elastic(
                Cell(of.table, key_of(of), "max_steps"),
                "expansion_steps",
                f"expansion {of.expansion} of {site} brings {of.max_steps} x {of.step_mw:g} MW at most",
                prices()["expansion_steps"] * of.step_mw,
                amount(
                    of, "max_steps", f"have {{by}} more of {of.expansion}, {{now}} steps", up=True, whole=True
                ),
                rows=self._rows("POW-2", site, where=k),
                raised=columns,
            )

    def _cooling(self, site: str) -> Iterator[Elastic]:
        for c in self.p.cooling:
            if c.site != site:
                continue
            yield Elastic(
                Cell(c.table, key_of(c), "existing_mw"),
                "cooling_plant",
                f"{site} rejects {c.existing_mw:g} MW of heat by {c.cooling} today; a plant of "
                f"{c.module_mw:g} MW takes {quarters(c.lead_q)}",
                prices()["cooling_plant"],
                amount(
                    c, "existing_mw", f"have {{by}} MW of {c.cooling} cooling more at {site} at once", up=True
                ),
                rows=[
                    *self._rows("COO-1", site, where=c.cooling),
                    *self._rows("COO-4", site, where=c.cooling),
                ],
            )
            columns = [
                j for j, d in self.places.columns(Quantity.COOL) if d.site == site and d.item == c.cooling
            ]
            told = f"make room for {{by}} more of {c.cooling} at {site}, {{now}} plants"
            yield Elastic(
                Cell(c.table, key_of(c), "max_modules"),
                "cooling_modules",
                f"{site} has room for {c.max_modules} plants of {c.cooling} of {c.module_mw:g} MW",
                prices()["cooling_modules"] * c.module_mw,
                amount(c, "max_modules", told, up=True, whole=True),
                rows=self._rows("COO-2", site, where=c.cooling),
                raised=columns,
            )  # fmt: skip

    def _products(self, site: str) -> Iterator[Elastic]:
        mw = {p.product: p.module_mw for p in self.p.products}
        for x in self.p.site_products:
            if x.site != site:
                continue
            columns = [
                j for j, d in self.places.columns(Quantity.START) if d.site == site and d.item == x.product
            ]
            told = f"let {site} hold {{by}} more of {x.product}, {{now}} modules"
            yield Elastic(
                Cell(x.table, key_of(x), "max_modules"),
                "site_limit",
                f"{site} holds {x.max_modules} modules of {x.product} of {mw[x.product]:g} MW at most",
                prices()["site_limit"] * mw[x.product],
                amount(x, "max_modules", told, up=True, whole=True),
                rows=[
                    *self._rows("CNV-1", site, where=x.product),
                    *self._rows("CNV-3", site),
                ],
                raised=columns,
            )

    def _contracts(self) -> Iterator[Elastic]:
        sites = [s.site for s in self.p.sites]
        for c in self.p.contracts:
            rent = max(0.01, c.first_year_rent_usd_per_kw_month * USD_M_PER_KW_MONTH)
            less = c.min_mw - self._module(c.contract)
            if c.contract in self.signed and less > 0.0:
                told = f"agree with {c.tenant} on {{by}} MW less, {{now}} MW at least ({c.contract})"
                yield Elastic(
                    Cell(c.table, c.contract, "min_mw"),
                    "min_mw",
                    f"{c.state} {c.contract} asks for {c.min_mw:g} MW at least",
                    prices()["min_mw"] * rent,
                    amount(c, "min_mw", told, up=False),
                    most=less,
                    rows=[r for s in sites for r in self._rows("TEN-2", s, where=c.contract)],
                )  # fmt: skip
            yield Elastic(
                Cell(c.table, c.contract, "max_mw"),
                "max_mw",
                f"{c.state} {c.contract} takes {c.max_mw:g} MW at most",
                prices()["max_mw"] * rent,
                amount(c, "max_mw", f"have {c.contract} take {{by}} MW more, {{now}} MW", up=True),
                rows=[
                    *(r for s in sites for r in self._rows("TEN-1", s, where=c.contract)),
                    *self._rows("ALO-6", where=c.contract),
                ],
            )
        for group in dict.fromkeys(c.exclusive_group for c in self.p.contracts if c.exclusive_group):
            inside = [c for c in self.p.contracts if c.exclusive_group == group and c.contract in self.signed]
            for c in inside[1:]:
                cell = Cell(c.table, c.contract, "exclusive_group")

                def translate(
                    _: float, __: Array, cell: Cell = cell, group: str = str(group)
                ) -> tuple[str, tuple[Change, ...]]:
                    words = f"agree that {cell.key} may be signed beside the others of group {group}"
                    return words, (Change(cell, group, ""),)

                yield Elastic(
                    cell, "exclusive", f"at most one offer of group {group} is signed: "
                    + ", ".join(x.contract for x in self.p.contracts if x.exclusive_group == group),
                    prices()["exclusive"], translate, 1, rows=self._rows("ALO-2", where=group),
                )  # fmt: skip

    def _module(self, contract: str) -> float:
        """MW of the smallest module that serves a contract: an offer is signed for one at least."""
        mw = {x.product: x.module_mw for x in self.p.products}
        starts = (d for _, d in self.places.columns(Quantity.START) if d.contract == contract)
        return min((mw[d.item] for d in starts), default=np.inf)

    def _crews(self) -> Iterator[Elastic]:
        firm, tree = self.p.firm, self.places.program.params.tree
        grows = (
            f", {firm.building_cap_growth_mw_per_q:g} more each quarter"
            if firm.building_cap_growth_mw_per_q
            else ""
        )
        yield Elastic(
            Cell(firm.table, key_of(firm), "building_cap_mw"),
            "crews",
            f"crews build {firm.building_cap_mw:g} critical MW at a time{grows}",
            prices()["crews"],
            amount(firm, "building_cap_mw", "have crews for {by} critical MW more at a time, {now}", up=True),
            rows=[(i, 1.0) for i, key in self.places.rows("ALO-3") if key[0] in tree.nodes],
        )

    def _equipment(self) -> Iterator[Elastic]:
        for x in self.p.long_lead:
            place = x.site or ""
            yield Elastic(
                Cell(x.table, key_of(x), "in_hand_mw"),
                "equipment",
                f"{x.equipment} comes {quarters(x.lead_q)} after it is ordered; "
                f"{x.in_hand_mw:g} MW are in hand",
                prices()["equipment"],
                amount(x, "in_hand_mw", f"find {{by}} MW of {x.equipment} at once", up=True),
                rows=self._rows("EQP-1", place, where=x.equipment),
            )
            columns = [j for j, d in self.places.columns(Quantity.ORDERED_MW) if d.item == x.equipment]
            yield Elastic(
                Cell(x.table, key_of(x), "max_mw"),
                "equipment",
                f"makers deliver {x.max_mw:g} MW of {x.equipment} at most",
                prices()["equipment"],
                amount(x, "max_mw", f"have makers deliver {{by}} MW of {x.equipment} more", up=True),
                rows=self._rows("EQP-2", place, where=x.equipment),
                raised=columns,
            )

    def _budgets(self) -> Iterator[Elastic]:
        for x in self.p.budgets:
            of = f" at {x.site}" if x.site else ""
            whose = "of own money" if x.counts == "own" else "of anyone's money"
            yield Elastic(
                Cell(x.table, x.budget, "cap_usd_m"),
                "budget",
                f"budget {x.budget} lets ${x.cap_usd_m:,.6g}M {whose} be spent{of} from {x.from_quarter} to "
                f"{x.to_quarter}",
                prices()["budget"],
                amount(x, "cap_usd_m", f"raise budget {x.budget} by ${{by}} to ${{now}}", up=True, unit="M"),
                rows=self._rows("COV-4", where=x.budget),
                context=tuple(self._spent(x.site)),
            )

    def _spent(self, site: str | None) -> Iterator[str]:
        """What commitments still take of own money."""
        first = self.places.program.params.tree.first
        at = {c.commitment: c.site for c in self.p.commitments}
        owed: dict[str, float] = {}
        for f in self.p.commitment_flows:
            if f.quarter >= first and f.funded_by in ("own", "vendor") and site in (None, at[f.commitment]):
                owed[f.commitment] = owed.get(f.commitment, 0.0) + f.amount_usd_m
        for name, usd_m in sorted(owed.items(), key=lambda kv: -kv[1])[:3]:
            yield f"commitment {name} still takes ${usd_m:,.6g}M of own money"
