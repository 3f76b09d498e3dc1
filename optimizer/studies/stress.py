"""Stress: whether the first two quarters' decisions can be carried through if the world then turns."""

import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pandas as pd

from models.domain.contract import CommitmentFlow
from models.domain.ledger import Quantity
from models.domain.market import MarketRow
from models.domain.portfolio import Portfolio
from models.domain.product import ProfilePoint
from models.domain.row import Row
from models.findings import InputError
from models.timetree import Quarter
from optimizer.inputs.load import Loaded, load
from optimizer.pipeline import AuditError, Progress, plan
from optimizer.plans.plan import Plan
from optimizer.plans.tables import STRESS
from optimizer.solve.options import Options

KEPT_Q = 2
"""Quarters whose decisions are kept; the market turns in the quarter after them."""
LATE_Q = 2
CAPEX_RISE = 0.15
BTC_FALL = 0.40
SHUT_Q = 4
RATE_RISE = 0.02
LATE = " (late)"
"""Added to the name of a ramp that begins late."""

AnyRow = TypeVar("AnyRow", bound=Row)
Change = Callable[[AnyRow], Mapping[str, object]]
Shock = Callable[[Portfolio], Portfolio]


def rent_late(p: Portfolio) -> Portfolio:
    """Halls not live at the opening earn two quarters later; they are built and paid for on time.

    Ramps of modules begin with two empty quarters; megawatts of commitments that are to go live after the
    first quarter do so two quarters later, and crews have room for them meanwhile.
    """
    ramps = sorted({x.ramp_profile for x in p.products})
    empty = [ProfilePoint(profile=name + LATE, step=k, frac=0.0) for name in ramps for k in range(LATE_Q)]
    late = [
        x.model_copy(update={"profile": x.profile + LATE, "step": x.step + LATE_Q})
        for x in p.profiles
        if x.profile in ramps
    ]
    flows: list[CommitmentFlow] = []
    waiting_mw = 0.0
    for x in p.commitment_flows:
        if x.quarter <= p.firm.first_quarter or x.mw_live == 0.0:
            flows.append(x)
            continue
        waiting_mw += x.mw_live
        flows.append(x.model_copy(update={"mw_live": 0.0}))
        flows.append(x.model_copy(update={"quarter": x.quarter + LATE_Q, "amount_usd_m": 0.0}))
    changed = {
        "profiles": (*p.profiles, *empty, *late),
        "products": _with(p.products, lambda x: {"ramp_profile": x.ramp_profile + LATE}),
        "commitment_flows": _added_up(flows),
        "company": _with(p.company, lambda x: {"building_cap_mw": x.building_cap_mw + waiting_mw}),
    }
    return p.model_copy(update=changed)


def capex_up(p: Portfolio) -> Portfolio:
    """All that is built, bought for halls or still to be paid of commitments costs 15 % more.

    Of commitments our own money pays the whole of it. Halls and GPUs fetch no more at the end of their terms.
    """
    more = 1.0 + CAPEX_RISE
    overrun = _with(
        (x for x in p.commitment_flows if x.quarter >= p.firm.first_quarter),
        lambda x: {"funded_by": "own", "amount_usd_m": x.amount_usd_m * CAPEX_RISE, "mw_live": 0.0},
    )
    changed = {
        "market": _with(p.market, lambda x: _times(x, more, "capex_idx", "gpu_price_idx")),
        "sites": _with(p.sites, lambda x: _times(x, more, "once_cost_usd_m", "demolition_usd_m_per_mw")),
        "products": _with(p.products, lambda x: _times(x, 1.0 / more, "residual_frac", "gpu_residual_frac")),
        "commitment_flows": _added_up([*p.commitment_flows, *overrun]),
    }
    return p.model_copy(update=changed)


def btc_down(p: Portfolio) -> Portfolio:
    """From the third quarter on bitcoin, at its mean and its trough, and hash machines fetch 40 % less.

    Difficulty stays, so hashprice falls as much; the deck's share price follows by btc_beta.
    """
    return _from_then_on(p, lambda x: _times(x, 1.0 - BTC_FALL, "btc_usd", "btc_trough_usd", "resale_idx"))


def markets_shut(p: Portfolio) -> Portfolio:
    """For four quarters from the third on nobody buys shares or notes, and no lender closes a loan."""
    shut = {"convert_open": False, "equity_open": False, "project_debt_open": False}
    return _from_then_on(p, lambda _: shut, SHUT_Q)


def rates_up(p: Portfolio) -> Portfolio:
    """From the third quarter on the base rate is 200 basis points higher."""
    return _from_then_on(p, lambda row: {"base_rate_frac": row.base_rate_frac + RATE_RISE})


@dataclass(frozen=True)
class Case:
    """What changes, in words and in the inputs."""

    what: str
    shock: Shock
    from_the_start: bool
    """Whether it is felt in the quarters whose decisions are kept: money then moves as the days ask."""


SHOCKS: Mapping[str, Case] = {
    "rent-late": Case("rent of halls not yet live comes two quarters late", rent_late, True),
    "capex-up": Case("what is built and still to be paid costs 15 % more", capex_up, True),
    "btc-down": Case("bitcoin and machines fetch 40 % less from the third quarter on", btc_down, False),
    "markets-shut": Case("no shares, notes or loans in the third to the sixth quarter", markets_shut, False),
    "rates-up": Case("the base rate is 2 points higher from the third quarter on", rates_up, False),
}


@dataclass(frozen=True, eq=False)
class Stressed:
    """A plan's first decisions under one shock; ``plan`` is None where none could be made that holds."""

    shock: str
    plan: Plan | None
    why: str
    """What fails, or why it is not known; empty where nothing does."""

    @property
    def survives(self) -> str:
        """``yes``: a plan without rescue keeps them; ``no``: none does, proved; or ``not known``."""
        if self.plan is None:
            return "not known"
        if self.plan.status == "infeasible" or _rescue(self.plan)[1]:
            return "no"
        return "yes" if self.plan.tables else "not known"


def stress(
    portfolio: Loaded | str | Path,
    decided: Plan,
    *,
    shocks: Iterable[str] = tuple(SHOCKS),
    options: Options | None = None,
    progress: Callable[[str, Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> tuple[Stressed, ...]:
    """Keep what a plan decides in its first two quarters, change the world, and plan the rest again.

    Parameters are those of :func:`optimizer.plan`; the future is the plan's own, and the time limit holds for
    each shock. Rescue comes first: the first plan without any shows that the decisions survive, and the best
    that is then found within the gap says what they are worth. Raises what that raises.
    """
    loaded = portfolio if isinstance(portfolio, Loaded) else load(portfolio)
    found: list[Stressed] = []
    with tempfile.TemporaryDirectory(prefix="hashshift-") as folder:
        decided.tables["decisions"].to_csv(Path(folder) / "decisions.csv", index=False)
        last = decided.tree.first + (KEPT_Q - 1)
        asked = replace(options or Options(), keep_decisions=folder, keep_to=str(last), least_rescue=True)
        for name in shocks:
            case = SHOCKS[name]
            if stop is not None and stop.is_set():
                break

            def tell(sign: Progress, name: str = name) -> None:
                if progress is not None:
                    progress(name, sign)

            changed = replace(loaded, portfolio=case.shock(loaded.portfolio))
            is_tree = decided.scenario == "tree"
            try:
                again = plan(
                    changed,
                    options=replace(asked, keep_money=not case.from_the_start),
                    scenario=None if is_tree else decided.scenario,
                    tree=is_tree,
                    progress=tell,
                    stop=stop,
                )
            except InputError as wrong:  # the decisions have no place in that world
                found.append(Stressed(name, None, wrong.findings[0].message))
                continue
            except AuditError as refused:
                found.append(Stressed(name, None, str(refused)))
                continue
            found.append(Stressed(name, again, _why(again)))
    return tuple(found)


def stress_table(found: tuple[Stressed, ...]) -> pd.DataFrame:
    """The declared table ``stress``."""
    rows = []
    for x in found:
        rescue, quarter = _rescue(x.plan)
        has_plan = x.plan is not None and bool(x.plan.tables)
        worth = x.plan.value_per_share_usd if x.plan is not None and has_plan else float("nan")
        rows.append((x.shock, x.survives, worth, rescue if has_plan else float("nan"), quarter, x.why))
    names = [c.name for c in STRESS.columns]
    return pd.DataFrame([(*row, SHOCKS[row[0]].what) for row in rows], columns=names)


def _why(found: Plan) -> str:
    if _rescue(found)[1]:
        return found.note
    if found.status == "infeasible":
        return found.note or "no plan keeps the decisions, whatever rescue it has"
    return found.note if not found.tables else ""


def _rescue(found: Plan | None) -> tuple[float, str]:
    """Expected funding of last resort, and the first quarter of it; nothing where there is no plan. [$M]"""
    if found is None or not found.tables:
        return 0.0, ""
    decisions = found.tables["decisions"]
    rows = decisions[decisions["quantity"] == str(Quantity.RESCUE)]
    weight = {found.tree.label(n): float(found.tree.probability[n]) for n in found.tree.nodes}
    quarters = [Quarter.parse(str(node).partition(":")[0]) for node in rows["node"]]
    amount = float((rows["value"] * rows["node"].map(weight)).sum()) if len(rows) else 0.0
    return amount, str(min(quarters)) if quarters else ""


def _from_then_on(p: Portfolio, change: Change[MarketRow], quarters: int | None = None) -> Portfolio:
    """The market changed after the quarters whose decisions are kept, for some quarters or to the end."""
    begins = p.firm.first_quarter + KEPT_Q
    held = [begins <= x.quarter and (quarters is None or x.quarter < begins + quarters) for x in p.market]
    market = (_with((x,), change)[0] if turns else x for x, turns in zip(p.market, held, strict=True))
    return p.model_copy(update={"market": tuple(market)})


def _with(rows: Iterable[AnyRow], change: Change[AnyRow]) -> tuple[AnyRow, ...]:
    return tuple(row.model_copy(update=dict(change(row))) for row in rows)


def _times(row: Row, factor: float, *columns: str) -> dict[str, float | None]:
    """Some columns of a row multiplied; what is empty stays empty."""
    said = {column: getattr(row, column) for column in columns}
    return {column: None if x is None else x * factor for column, x in said.items()}


def _added_up(rows: Iterable[CommitmentFlow]) -> tuple[CommitmentFlow, ...]:
    """Flows of one commitment, quarter and payer as one row."""
    found: dict[tuple[str, Quarter, str], CommitmentFlow] = {}
    for row in rows:
        key = row.commitment, row.quarter, row.funded_by
        there = found.setdefault(key, row)
        if there is not row:
            sums = {c: getattr(there, c) + getattr(row, c) for c in ("amount_usd_m", "mw_live")}
            found[key] = there.model_copy(update=sums)
    return tuple(found.values())
