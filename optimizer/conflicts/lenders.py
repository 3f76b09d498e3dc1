"""Inputs of lenders and owners: what falls due, collateral, lock-ups, and when cash may come up."""

from collections.abc import Iterator
from dataclasses import dataclass

from models.domain.finance import Convertible, Debt
from models.domain.portfolio import Portfolio
from models.timetree import Quarter, TimeTree
from optimizer.conflicts.elastic import Array, Cell, Change, Elastic, key_of, prices, quarters, text_of
from optimizer.conflicts.limits import amount
from optimizer.conflicts.place import Places

WIDE = 1e4
"""By how much a row is relaxed that an input switches off. [$M]"""


@dataclass(frozen=True, eq=False)
class Lenders:
    """What those who have lent hold the company to."""

    p: Portfolio
    places: Places

    @property
    def tree(self) -> TimeTree:
        """Of the plan."""
        return self.places.program.params.tree

    def all(self) -> Iterator[Elastic]:
        """Every term that has rows in the program."""
        found = (*self._loans(), *self._notes(), *self._upstream())
        yield from (e for e in found if e.rows or e.flows)

    def _loans(self) -> Iterator[Elastic]:
        arrays = {d.debt.debt: d for d in self.places.program.params.debts}
        for d in self.p.debt:
            a = arrays[d.debt]
            due = [n for n in self.tree.nodes if self.tree.quarter(n) == d.maturity_quarter]
            rule, place, scale = self._purse(d.entity)
            if due and not any(c.debt == d.debt for c in self.p.loan_collateral):
                flows = self._deferred(
                    rule, place, scale, {n: float(a.principal[n]) for n in due}, d.coupon_or_spread_frac
                )
                yield self._maturity(d, "maturity_quarter", d.maturity_quarter, flows, f"loan {d.debt}",
                                     max(float(a.principal[n]) for n in due))  # fmt: skip
            if d.lockup_dscr is not None:
                cell, was = Cell(d.table, d.debt, "lockup_dscr"), text_of(d.lockup_dscr)

                def drop(
                    _: float, __: Array, cell: Cell = cell, was: str = was
                ) -> tuple[str, tuple[Change, ...]]:
                    return f"have the lenders of {cell.key} lift their lock-up", (Change(cell, was, ""),)

                yield Elastic(
                    cell, "lock_up",
                    f"loan {d.debt} locks up {d.entity} below a DSCR of {d.lockup_dscr:g}",
                    prices()["lock_up"] * max(1.0, d.principal_usd_m), drop, 1,
                    rows=[(i, WIDE) for i, _ in self.places.rows("DBT-2", d.entity)],
                )  # fmt: skip
        for c in self.p.loan_collateral:
            debt = next(d for d in self.p.debt if d.debt == c.debt)
            place = "" if debt.entity == self.p.parent.entity else debt.entity
            owed, btc = debt.principal_usd_m, sum(x.btc for x in self.p.treasury if x.pledged_to == c.debt)
            told = f"have {c.debt} called only above {{now}} of its coins' price"
            trough = self.places.program.params.coins.trough
            rows = [
                (i, btc * float(trough[k[2]])) for i, k in self.places.rows("TRE-5", place) if k[0] == c.debt
            ]
            yield Elastic(
                Cell(c.table, c.debt, "ltv_call_frac"),
                "loan_to_value",
                f"loan {c.debt} is called above {c.ltv_call_frac:g} of its coins' price",
                prices()["loan_to_value"] * max(1.0, owed),
                amount(c, "ltv_call_frac", told, up=True),
                most=1.0 - c.ltv_call_frac,
                rows=rows,
            )  # fmt: skip

    def _purse(self, entity: str) -> tuple[str, str, float]:
        """The rule by which an owner's cash rolls, its place and its scale."""
        return ("CSH-1", "", 1.0) if entity == self.p.parent.entity else ("SPV-1", entity, 10.0)

    def _deferred(
        self, rule: str, place: str, scale: float, due: dict[int, float], rate: float
    ) -> list[tuple[int, float]]:
        """A part of what falls due stays in the purse, and its interest goes out of it to the end."""
        row = {k[0]: i for i, k in self.places.rows(rule, place)}
        found: dict[int, float] = {}
        for n, usd_m in due.items():
            for m in self.tree.descendants(n):
                flow = usd_m if m == n else -usd_m * rate / 4.0
                found[row[m]] = found.get(row[m], 0.0) + flow * scale
        return list(found.items())

    def _maturity(
        self,
        row: Debt | Convertible,
        column: str,
        was: Quarter,
        flows: list[tuple[int, float]],
        name: str,
        usd_m: float,
        rows: tuple[tuple[int, float], ...] = (),
    ) -> Elastic:
        cell, later = Cell(row.table, key_of(row), column), self.tree.first + self.tree.horizon_q
        says = f"{name} has ${usd_m:,.6g}M to repay in {was}"

        def translate(_: float, __: Array) -> tuple[str, tuple[Change, ...]]:
            words = f"move the repayment of {name} by {quarters(later - was)}, to {later}"
            changes = [Change(cell, str(was), str(later))]
            if isinstance(row, Debt) and row.repayment == "bullet":
                first = Cell(row.table, key_of(row), "first_repayment_quarter")
                changes.append(Change(first, str(row.first_repayment_quarter), str(later)))
            return words, tuple(changes)

        return Elastic(
            cell,
            "maturity",
            says,
            prices()["maturity"] * max(1.0, usd_m),
            translate,
            1,
            flows=flows,
            rows=rows,
        )

    def _notes(self) -> Iterator[Elastic]:
        notes = {n.tranche: n for n in self.places.program.params.notes}
        walls = {k[0]: i for i, k in self.places.rows("CSH-2")}
        for c in self.p.convertibles:
            for column, quarter in (("maturity_quarter", c.maturity_quarter), ("put_quarter", c.put_quarter)):
                nodes = [n for n in self.tree.nodes if self.tree.quarter(n) == quarter]
                note = notes.get(c.tranche)
                if not nodes or quarter is None or note is None:
                    continue
                paid = {n: c.principal_usd_m * float(note.principal[n]) for n in nodes}
                wall = tuple((walls[n], c.principal_usd_m * float(note.wall[n])) for n in nodes if n in walls)
                flows = self._deferred("CSH-1", "", 1.0, paid, c.coupon_frac)
                what = "convertible" if column == "maturity_quarter" else "the put of convertible"
                usd_m = max(c.principal_usd_m * float(note.principal[n] + note.wall[n]) for n in nodes)
                if usd_m > 0.0:
                    yield self._maturity(c, column, quarter, flows, f"{what} {c.tranche}", usd_m, wall)

    def _upstream(self) -> Iterator[Elastic]:
        for e in self.p.entities:
            shut = [(i, WIDE) for i, _ in self.places.rows("OWN-1", e.entity)]
            was, first = e.upstream_from_quarter, self.tree.first
            if not shut or was is None:
                continue
            cell = Cell(e.table, e.entity, "upstream_from_quarter")
            change = Change(cell, str(was), str(first))

            def translate(_: float, __: Array, change: Change = change) -> tuple[str, tuple[Change, ...]]:
                return f"have {change.cell.key} hand cash up from {change.now}", (change,)

            says = f"{e.entity} hands nothing up before {was}"
            price = prices()["upstream"] * (was - first)
            yield Elastic(cell, "upstream", says, price, translate, 1, rows=shut)
