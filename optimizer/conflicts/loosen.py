"""Inputs that say when and whether: the portfolio with all loosened, and what each column needs of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.domain.contract import Contract
from models.domain.ledger import Quantity
from models.domain.portfolio import Portfolio
from models.domain.row import Row
from models.domain.site import Expansion
from models.timetree import Quarter, TimeTree
from models.units import USD_M_PER_KW_MONTH
from optimizer.conflicts.elastic import Array, Cell, Change, Elastic, key_of, prices, quarters, text_of
from optimizer.conflicts.place import Places

LATER_Q = 8
"""Quarters by which a date may move."""
SOONER_Q = 4
"""Quarters by which an expansion may come sooner."""
CANCELLED_WITHIN_Q = 4
WINDOWS: dict[str, tuple[Quantity, ...]] = {
    "equity_open": (Quantity.ATM, Quantity.FOLLOW_ON),
    "convert_open": (Quantity.ISSUE,),
    "project_debt_open": (
        Quantity.FINANCED,
        Quantity.LEASED,
        Quantity.BORROWED,
        Quantity.NOTES,
        Quantity.ROLLED,
        Quantity.TAKEN_OUT,
    ),
}
SOLD_IN = {
    "equity_open": "shares can be sold",
    "convert_open": "convertibles can be issued",
    "project_debt_open": "lenders lend",
}
SOONER = " sooner by "


def loosened(p: Portfolio, tree: TimeTree, signed: Sequence[str]) -> Portfolio:
    """The portfolio in which every date and ban that may give way has done so."""
    asked = [c for c in p.contracts if c.contract in signed]
    sites = _sites_of(p, asked)
    regions = {s.region for s in p.sites if s.site in sites}
    first, horizon = tree.first, tree.first + tree.horizon_q
    tables: dict[str, tuple[Row, ...]] = {
        "contracts": tuple(_later(c, first) if c in asked else c for c in p.contracts),
        "sites": tuple(
            s.model_copy(update={"hpc_allowed": True, "earliest_conversion_quarter": first})
            if s.site in sites
            else s
            for s in p.sites
        ),
        "regions": tuple(
            r.model_copy(update={"gpu_cloud_allowed": True}) if r.region in regions else r for r in p.regions
        ),
        "site_products": tuple(
            x.model_copy(update={"earliest_quarter": first, "latest_quarter": horizon})
            if x.site in sites
            else x
            for x in p.site_products
        ),
        "expansions": tuple(y for x in p.expansions for y in (_any_time(x, tree), *_sooner(x, tree))),
        "commitments": tuple(
            c.model_copy(update={"cancellable_until_quarter": _let_go(tree)})
            if c.commitment in _loose(p, tree)
            else c
            for c in p.commitments
        ),
        "market": tuple(
            r.model_copy(update=dict.fromkeys(WINDOWS, True)) if r.quarter >= first else r for r in p.market
        ),
    }
    return p.model_copy(update=tables)


def _sites_of(p: Portfolio, asked: Sequence[Contract]) -> set[str]:
    return {s.site for s in p.sites for c in asked if not c.sites or s.site in c.sites}


def _later(c: Contract, first: Quarter) -> Contract:
    late = c.long_stop_quarter + LATER_Q if c.long_stop_quarter else None
    due = c.deadline_quarter + LATER_Q if c.deadline_quarter and late is None else c.deadline_quarter
    by = c.sign_by_quarter + _signed_later(c, first) if c.sign_by_quarter else None
    return c.model_copy(update={"deadline_quarter": due, "long_stop_quarter": late, "sign_by_quarter": by})


def _signed_later(c: Contract, first: Quarter) -> int:
    assert c.sign_by_quarter is not None
    return LATER_Q + max(0, first - c.sign_by_quarter)


def _any_time(x: Expansion, tree: TimeTree) -> Expansion:
    return x.model_copy(
        update={"earliest_quarter": tree.first, "latest_quarter": max(x.latest_quarter, tree.first + 3)}
    )


def _sooner(x: Expansion, tree: TimeTree) -> Iterator[Expansion]:
    for j in range(1, min(x.lead_q - 1, SOONER_Q) + 1):
        update = {"expansion": f"{x.expansion}{SOONER}{j}", "lead_q": x.lead_q - j}
        yield x.model_copy(update=update)


def _let_go(tree: TimeTree) -> Quarter:
    return tree.first + (CANCELLED_WITHIN_Q - 1)


def _loose(p: Portfolio, tree: TimeTree) -> set[str]:
    """Commitments that could be let go, and which the program knows how to end."""
    paid = {m.contract for m in p.contract_money}
    drawn = {f.commitment for f in p.commitment_flows if f.funded_by == "gpu_debt"}
    lent_on = {t.entity for t in p.take_outs}
    sold = {s.site for s in p.sites if s.sale_cap_rate_frac is not None or s.entity in lent_on}
    return {
        c.commitment
        for c in p.commitments
        if c.contract not in paid
        and c.commitment not in drawn
        and not c.debt
        and c.site not in sold
        and (c.cancellable_until_quarter is None or c.cancellable_until_quarter < _let_go(tree))
    }


@dataclass(frozen=True, eq=False)
class Dates:
    """The step-wise inputs of a program built of the loosened portfolio; ``p`` is as it was."""

    p: Portfolio
    places: Places
    signed: tuple[str, ...]

    @property
    def tree(self) -> TimeTree:
        """Of the plan."""
        return self.places.program.params.tree

    def all(self) -> Iterator[Elastic]:
        """Every date, lead, window and ban that may give way."""
        for c in self.p.contracts:
            if c.contract in self.signed:
                yield from self._contract(c)
        sites = _sites_of(self.p, [c for c in self.p.contracts if c.contract in self.signed])
        for s in self.p.sites:
            if s.site in sites:
                yield from self._site(s)
        yield from self._regions(sites)
        for x in self.p.site_products:
            if x.site in sites:
                yield from self._product(x)
        for offered in self.p.expansions:
            yield from self._expansion(offered)
        yield from self._commitments()
        yield from self._market()

    def _contract(self, c: Contract) -> Iterator[Elastic]:
        a_quarter = max(0.05, c.min_mw * c.first_year_rent_usd_per_kw_month * USD_M_PER_KW_MONTH)
        last = c.last_delivery_quarter
        if last is not None:
            column = "long_stop_quarter" if c.long_stop_quarter else "deadline_quarter"
            late = c.late_damages_usd_per_kw_month
            damages = c.min_mw * late * USD_M_PER_KW_MONTH if late else a_quarter
            needs = [
                (j, self._live(d) - last)
                for j, d in self.places.columns(Quantity.START)
                if d.contract == c.contract and self._live(d) > last
            ]
            says = f"{c.state} {c.contract} must have {c.min_mw:g} MW live by {last}"
            yield self._dates(
                c, column, "deadline", says, damages, needs, last, 1, "move the deadline of {} by {}",
                context=tuple(self._quickest(c)),
            )  # fmt: skip
        if c.sign_by_quarter is not None:
            needs = [
                (j, self.tree.quarter(d.node) - c.sign_by_quarter)
                for j, d in self.places.columns(Quantity.SIGN)
                if d.contract == c.contract and self.tree.quarter(d.node) > c.sign_by_quarter
            ]
            says = f"{c.state} {c.contract} is to be signed by {c.sign_by_quarter}"
            told = "keep {} open for signature {} longer"
            yield self._dates(
                c, "sign_by_quarter", "signing", says, a_quarter, needs, c.sign_by_quarter, 1, told
            )

    def _live(self, d) -> Quarter:  # type: ignore[no-untyped-def]
        """First live quarter of what is begun."""
        lead = next(x.lead_q for x in self.p.products if x.product == d.item)
        return self.tree.quarter(d.node) + lead

    def _quickest(self, c: Contract) -> Iterator[str]:
        """Which hall could serve an offer first."""
        starts = [d for _, d in self.places.columns(Quantity.START) if d.contract == c.contract]
        if starts:
            lead, product = min(
                (x.lead_q, x.product) for x in self.p.products if x.product in {d.item for d in starts}
            )
            yield f"{product}, the quickest product that serves it, takes {quarters(lead)} to build"

    def _dates(
        self,
        row: Row,
        column: str,
        family: str,
        says: str,
        usd_m: float,
        needs: Sequence[tuple[int, int]],
        was: Quarter,
        sign: int,
        told: str,
        context: tuple[str, ...] = (),
    ) -> Elastic:
        """A quarter that may come later (sign 1) or sooner (-1)."""
        cell = Cell(row.table, key_of(row), column)

        def translate(steps: float, _: Array) -> tuple[str, tuple[Change, ...]]:
            moved = was + sign * round(steps)
            words = told.format(cell.key.replace("|", " "), quarters(round(steps)))
            return f"{words}, to {moved}", (Change(cell, str(was), str(moved)),)

        most = max((k for _, k in needs), default=1)
        price = usd_m * prices()[family]
        return Elastic(cell, family, says, price, translate, most, columns=needs, context=context)

    def _site(self, s) -> Iterator[Elastic]:  # type: ignore[no-untyped-def]
        starts = [(j, d) for j, d in self.places.columns(Quantity.START) if d.site == s.site]
        if not s.hpc_allowed:
            says = f"{s.site} may not build HPC"
            yield self._flag(s, "hpc_allowed", "ban", says, f"let {s.site} build HPC", [j for j, _ in starts])
        was = s.earliest_conversion_quarter
        needs = [(j, was - self.tree.quarter(d.node)) for j, d in starts if self.tree.quarter(d.node) < was]
        if needs:
            says = f"{s.site} may be converted from {was} on"
            yield self._dates(
                s, "earliest_conversion_quarter", "window", says, 1.0, needs, was, -1,
                "let conversion at {} begin {} sooner",
            )  # fmt: skip

    def _product(self, x) -> Iterator[Elastic]:  # type: ignore[no-untyped-def]
        starts = [
            (j, self.tree.quarter(d.node))
            for j, d in self.places.columns(Quantity.START)
            if d.site == x.site and d.item == x.product
        ]
        yield from self._window(x, f"{x.product} at {x.site}", "let {} begin {} {}", starts)

    def _window(self, x, what: str, told: str, starts: list[tuple[int, Quarter]]) -> Iterator[Elastic]:  # type: ignore[no-untyped-def]
        """First and last quarter of a row, where columns of its starts lie outside."""
        for column, sign, edge, way in (
            ("earliest_quarter", -1, "from", "sooner"),
            ("latest_quarter", 1, "up to", "later"),
        ):
            was = getattr(x, column)
            needs = [(j, sign * (q - was)) for j, q in starts if sign * (q - was) > 0]
            if needs:
                says = f"{what} may begin {edge} {was}"
                yield self._dates(
                    x, column, "window", says, 1.0, needs, was, sign, told.format("{}", "{}", way)
                )

    def _regions(self, sites: set[str]) -> Iterator[Elastic]:
        cloud = {x.product for x in self.p.products if x.workload == "gpu_cloud"}
        for r in self.p.regions:
            inside = {s.site for s in self.p.sites if s.region == r.region and s.site in sites}
            if inside and not r.gpu_cloud_allowed:
                columns = [
                    j for j, d in self.places.columns(Quantity.START) if d.site in inside and d.item in cloud
                ]
                says = f"region {r.region} allows no GPU cloud"
                told = f"let region {r.region} have GPU cloud"
                yield self._flag(r, "gpu_cloud_allowed", "ban", says, told, columns)

    def _flag(
        self, row: Row, column: str, family: str, says: str, told: str, columns: Sequence[int]
    ) -> Elastic:
        cell = Cell(row.table, key_of(row), column)

        def translate(_: float, __: Array) -> tuple[str, tuple[Change, ...]]:
            return told, (Change(cell, "false", "true"),)

        return Elastic(cell, family, says, prices()[family], translate, 1, columns=[(j, 1) for j in columns])

    def _expansion(self, x: Expansion) -> Iterator[Elastic]:
        steps = [(j, d) for j, d in self.places.columns(Quantity.EXPAND) if d.site == x.site]
        sooner = []
        for j, d in steps:
            name, _, by = d.item.partition(SOONER)
            if name == x.expansion and by:
                sooner.append((j, int(by)))
        of_it = [
            (j, self.tree.quarter(d.node)) for j, d in steps if d.item.partition(SOONER)[0] == x.expansion
        ]
        if sooner:
            cell = Cell(x.table, key_of(x), "lead_q")

            def translate(k: float, _: Array) -> tuple[str, tuple[Change, ...]]:
                lead = x.lead_q - round(k)
                words = f"have expansion {x.expansion} in {quarters(lead)} instead of {x.lead_q}"
                return words, (Change(cell, str(x.lead_q), str(lead)),)

            says = f"expansion {x.expansion} of {x.site} takes {quarters(x.lead_q)}"
            most = max(k for _, k in sooner)
            yield Elastic(
                cell, "expansion_lead", says, prices()["expansion_lead"], translate, most, columns=sooner
            )
        yield from self._window(
            x, f"expansion {x.expansion} of {x.site}", "let expansion {} begin {} {}", of_it
        )

    def _commitments(self) -> Iterator[Elastic]:
        loose = _loose(self.p, self.tree)
        for c in self.p.commitments:
            if c.commitment not in loose:
                continue
            was = c.cancellable_until_quarter
            columns = [
                (j, 1)
                for j, d in self.places.columns(Quantity.CANCEL)
                if d.item == c.commitment and (was is None or self.tree.quarter(d.node) > was)
            ]
            if not columns:
                continue
            cell, until = Cell(c.table, key_of(c), "cancellable_until_quarter"), str(_let_go(self.tree))
            change = Change(cell, text_of(was), until)

            def translate(
                _: float, __: Array, name: str = c.commitment, change: Change = change
            ) -> tuple[str, tuple[Change, ...]]:
                return f"be let go of commitment {name} (to be cancelled by {change.now})", (change,)

            capex = c.capex_usd_m + c.gpu_capex_usd_m
            price = c.cancel_fee_usd_m + prices()["commitment"] * max(1.0, capex)
            yield Elastic(cell, "commitment", self._committed(c), price, translate, 1, columns=columns)

    def _committed(self, c) -> str:  # type: ignore[no-untyped-def]
        flows = [f for f in self.p.commitment_flows if f.commitment == c.commitment]
        mw = sum(f.mw_live for f in flows)
        own = sum(
            f.amount_usd_m for f in flows if f.funded_by in ("own", "vendor") and f.quarter >= self.tree.first
        )
        product = next(x for x in self.p.products if x.product == c.product)
        spent = f" and takes ${own:,.0f}M of own money" if own else ""
        return (
            f"commitment {c.commitment} takes {mw / product.gross_to_critical_ratio:g} gross MW of {c.site} "
            f"from {c.occupies_from_quarter}{spent}"
        )

    def _market(self) -> Iterator[Elastic]:
        at = {(self.tree.scenario[n], self.tree.quarter(n)): n for n in self.tree.nodes}
        for r in self.p.market:
            n = at.get((r.scenario, r.quarter))
            for column, quantities in WINDOWS.items() if n is not None else ():
                if getattr(r, column):
                    continue
                columns = [(j, 1) for j, d in self.places.columns(*quantities) if d.node == n]
                if not columns:
                    continue
                cell = Cell(r.table, key_of(r), column)
                told = f"find a window in {r.quarter} in which {SOLD_IN[column]}"
                change = Change(cell, "false", "true")

                def translate(
                    _: float, __: Array, told: str = told, change: Change = change
                ) -> tuple[str, tuple[Change, ...]]:
                    return told, (change,)

                of = f" ({r.scenario})" if len(self.tree.leaves) > 1 else ""
                says = f"no {SOLD_IN[column].replace(' can be', ' can be', 1)} in {r.quarter}{of}"
                says = says.replace("no lenders lend", "no lender lends")
                yield Elastic(
                    cell, "market_window", says, prices()["market_window"], translate, 1, columns=columns
                )
