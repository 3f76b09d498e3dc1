"""Ways out as changes of the input, each proved by solving the portfolio with it applied."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from models.blocks.linear import ContradictionError
from models.blocks.program import build_program
from models.domain.finance import CreditClass
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.findings import InputError
from models.params.params import compile_params
from models.timetree import TimeTree
from optimizer.conflicts.conflict import Found, WayOut
from optimizer.conflicts.elastic import Change, changed
from optimizer.conflicts.keeping import Keeping
from optimizer.conflicts.place import places
from optimizer.conflicts.relaxed import Asked, Relaxed
from optimizer.conflicts.terms import ON_MONEY, Term, least, terms
from optimizer.inputs.check import check
from optimizer.solve.matrix import compile_matrix

MOST_REPAIRS = 4
NEAR = 5.0
"""Repairs that cost up to so many times the cheapest one are told beside it; a second one always."""
MARGINS = (1.0, 1.01, 1.1, 1.5, 2.0, 3.0)
"""Amounts tried, as parts of what the elastic program needs: at the very edge a plan without funding of last
resort may be so poor that the plan worth most takes that funding at its penal price."""
VALUED_S = 5.0
RESCUED_USD_M = 1e-3
FEWER = 2.0
"""A repair of fewer inputs is told in place of one of more that costs at least half as much."""


@dataclass(frozen=True)
class Repair:
    """A change of the input after which a plan exists: the portfolio so changed has been solved."""

    words: tuple[str, ...]
    changes: tuple[Change, ...]
    usd_m: float
    """By the stated prices. [$M]"""
    is_clean: bool = True
    """Whether the plan worth most takes no funding of last resort either, at its penal price."""


@dataclass(eq=False)
class Workshop:
    """Where ways out become repairs."""

    p: Portfolio
    tree: TimeTree
    relaxed: Relaxed
    keeping: Keeping | None
    ends: float
    """By the monotonic clock."""

    @property
    def is_late(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.ends

    def repairs(self, found: Found) -> tuple[tuple[Repair, ...], tuple[Term, ...], bool]:
        """Repairs, cheapest first; lenders' terms that conflict; and whether all was tried in time."""
        good: dict[frozenset[Change], Repair] = {}
        for way in sorted(found.ways, key=lambda w: w.usd_m):
            cheapest = min((r.usd_m for r in good.values()), default=0.0)
            if len(good) >= MOST_REPAIRS or (len(good) >= 2 and way.usd_m > NEAR * cheapest):
                break
            if self.is_late:
                return self._told(good), (), False
            repair = self._verified(self._slim(way))
            if repair is not None:
                good.setdefault(frozenset(repair.changes), repair)
        guilty: list[Term] = []
        families = {self.relaxed.elastics[i].family for i in found.held}
        for term in terms(self.p, families, self._served_by()):
            if self.is_late:
                return self._told(good), tuple(guilty), False
            level = least(term, self._helps)
            if level is not None:
                guilty.append(term)
                change = term.change(level)
                repair = Repair((term.told.format(level),), (change,), term.usd_m(level))
                good[frozenset(repair.changes)] = repair
        return self._told(good), tuple(guilty), True

    def _served_by(self) -> list[str]:
        """Products that serve what is to be signed."""
        starts = self.relaxed.places.columns(Quantity.START)
        return [d.item for _, d in starts if d.contract in self.relaxed.asked.signed]

    def _told(self, good: dict[frozenset[Change], Repair]) -> tuple[Repair, ...]:
        return tuple(sorted(good.values(), key=lambda r: r.usd_m))

    def _slim(self, way: WayOut) -> WayOut:
        """The way out with fewer inputs, where that costs little more."""
        everything, dearest = set(range(len(self.relaxed.elastics))), FEWER * way.usd_m
        for i in sorted(way.given, key=lambda i: self.relaxed.elastics[i].usd_m * way.given[i]):
            if len(way.given) == 1 or i not in way.given or self.is_late:
                continue
            held = (everything - set(way.given)) | {i}
            result = self.relaxed.solve(held, max(0.1, self.ends - time.monotonic()), priced=True)
            if result.x is None:
                continue
            given = self.relaxed.given(result.x)
            if self.relaxed.usd_m(given) <= dearest:
                way = WayOut(given, result.x, self.relaxed.usd_m(given))
        return way

    def _verified(self, way: WayOut) -> Repair | None:
        """The way out as changed cells with which a plan without rescue exists; None where none is found."""
        found: Repair | None = None
        for margin in MARGINS:
            words: list[str] = []
            changes: list[Change] = []
            usd_m = 0.0
            for i, given in way.given.items():
                e = self.relaxed.elastics[i]
                more = given if e.steps else min(e.most, given * margin)
                told, cells = e.translate(more, way.x)
                words.append(told)
                changes += cells
                usd_m += e.usd_m * more
            is_on_money = any(self.relaxed.elastics[i].family in ON_MONEY for i in way.given)
            proof = self._proof(changes, is_on_money=is_on_money)
            if proof != "none" and (found is None or proof == "clean"):
                found = Repair(tuple(words), tuple(dict.fromkeys(changes)), usd_m, proof == "clean")
            is_fixed = all(self.relaxed.elastics[i].steps for i in way.given)
            if proof == "clean" or is_fixed or self.is_late:
                break
        return found

    def _helps(self, change: Change) -> bool:
        is_on_money = change.cell.table == CreditClass.table
        return self._proof([change], is_on_money=is_on_money) == "clean"

    def _proof(self, changes: Sequence[Change], *, is_on_money: bool) -> Literal["none", "lean", "clean"]:
        """Whether the changed portfolio has a plan without rescue, and whether the best one needs none."""
        try:
            new = changed(self.p, changes)
            if any(f.severity == "error" for f in check(new)):
                return "none"
            program = build_program(compile_params(new, self.tree))
            at = places(program, compile_matrix(program.model))
            bounds = self.keeping.changed(changes).bounds(at) if self.keeping else None
        except (ValueError, ContradictionError, InputError):
            return "none"
        alone = Relaxed(at, (), Asked(self.relaxed.asked.signed, bounds), self.relaxed.stop)
        found = alone.solve((), max(1.0, self.ends - time.monotonic()), priced=False)
        if found.x is None:
            return "none"
        if not is_on_money:
            return "clean"
        valued_s = min(VALUED_S, self.ends - time.monotonic())
        is_clean = valued_s > 0.0 and alone.rescue_usd_m(found.x, valued_s) <= RESCUED_USD_M
        return "clean" if is_clean else "lean"
