"""The tables of a plan on decisions, megawatts, machines and contracts, rebuilt."""

from collections import defaultdict

from models.domain.ledger import DECIDED_NOW, SPEND_LINES, CashLine, Quantity
from optimizer.audit.sites import SiteBook
from optimizer.audit.world import World

Row = dict[str, float | str]
Rows = dict[tuple[str | float, ...], Row]
"""Rows of a table: its audited columns by its key."""

_NOW_QUARTERS = 2
_FULL_FRAC = 0.95
_NOTHING_MW = 1e-6


def decisions(world: World) -> Rows:
    """The decisions as they were read."""
    label, decided = world.book.tree.label, world.decided
    found: Rows = {}

    def add(
        quantity: Quantity, site: str, item: str, contract: str, since: str, node: int, value: float
    ) -> None:
        found[quantity.value, site, item, contract, since, label(node)] = {"value": value}

    for s in decided.starts:
        add(Quantity.START, s.site, s.product, s.contract, "", s.node, s.modules)
    for p in decided.signs:
        add(Quantity.SIGN, p.site, "", p.item, "", p.node, p.amount)
    for p in decided.expands:
        add(Quantity.EXPAND, p.site, p.item, "", "", p.node, p.amount)
    for p in decided.cools:
        add(Quantity.COOL, p.site, p.item, "", "", p.node, p.amount)
    for p in decided.orders:
        add(Quantity.ORDERED_MW, p.site, p.item, "", "", p.node, p.amount)
    for f in decided.financed:
        add(Quantity.FINANCED, f.site, f.product, f.contract, label(f.begun), f.closed, f.modules)
    for x in decided.leased:
        add(Quantity.LEASED, x.site, x.product, x.contract, x.lease, x.begun, x.modules)
    for y in decided.sold:
        cohort = label(y.begun) if y.begun >= 0 else ""
        add(Quantity.SELL_BLOCK, y.site, y.item, y.contract, cohort, y.node, y.count)
    for name, n in decided.cancels:
        add(Quantity.CANCEL, world.book.commitments[name].site, name, "", "", n, 1.0)
    for (quantity, site, n), times in decided.traded.items():
        add(quantity, site, "", "", "", n, times)
    for (quantity, site, vintage, n), mw in decided.mw.items():
        add(quantity, site, vintage, "", "", n, mw)
    for (name, block, n), gross in decided.atm.items():
        add(Quantity.ATM, "", name, "", str(block), n, gross)
    for quantity, amounts in (
        (Quantity.CONTRIBUTED, decided.contributed),
        (Quantity.DISTRIBUTED, decided.distributed),
        (Quantity.OPEN, decided.open),
        (Quantity.PREPAID, decided.prepaid),
        (Quantity.CALLED, decided.called),
        (Quantity.TAKEN_OUT, decided.taken_out),
        (Quantity.FOLLOW_ON, decided.follow_on),
        (Quantity.TAXED, decided.taxed),
        (Quantity.SOLD_BTC, decided.sold_btc),
        (Quantity.CASH_MARGIN, decided.cash_margin),
        (Quantity.BORROWED, decided.borrowed),
        (Quantity.ROLLED, decided.rolled),
        (Quantity.COMMIT, decided.commit),
        (Quantity.DRAWN, decided.drawn),
        (Quantity.REPAID, decided.repaid),
        (Quantity.REPURCHASE, decided.repurchase),
        (Quantity.HARVEST, decided.harvest),
        (Quantity.PAYOUT, decided.payout),
    ):
        for (name, n), amount in amounts.items():
            add(quantity, "", name, "", "", n, amount)
    for quantity, placed in ((Quantity.ISSUE, decided.issue), (Quantity.NOTES, decided.notes)):
        for (name, leverage, n), amount in placed.items():
            add(quantity, "", name, "", leverage, n, amount)
    for (lot, loan, since, n), coins in decided.pledged_btc.items():
        add(Quantity.PLEDGED_BTC, "", lot, loan, label(since) if since >= 0 else "", n, coins)
    for (entity, n), amount in decided.rescue.items():
        add(Quantity.RESCUE, "", entity, "", "", n, amount)
    return found


def decide_now(world: World) -> Rows:
    """Decisions of the next two quarters."""
    now = {
        world.book.tree.label(n) for n in world.book.tree.nodes if world.book.tree.period[n] < _NOW_QUARTERS
    }
    return {key: row for key, row in decisions(world).items() if key[0] in DECIDED_NOW and key[5] in now}


def site_plan(world: World) -> Rows:
    """What each site's megawatts do."""
    found: Rows = {}
    for name, here in world.sites.of.items():
        for n in world.book.tree.nodes:
            found[name, world.book.tree.label(n)] = {
                "ours": world.sites.estate.ours(name, n),
                "energised_mw": here.energised_mw[n],
                "hpc_gross_mw": here.occupied_mw[n],
                "hpc_live_mw": here.live_mw[n],
                "hpc_sold_mw": here.sold_mw[n],
                "building_mw": here.building_mw[n],
                "modules_begun": here.begun[n],
                "mining_mw": here.mining_mw[n],
                "slack_mw": here.slack_mw[n],
                "idle_mw": here.energised_mw[n] - here.occupied_mw[n] - here.mining_mw[n],
                "btc_mined": here.btc[n],
                "mining_energy_mwh": here.mining_mwh[n],
                "mining_mean_mw": here.mining_mwh[n] / world.book.tree.quarter(n).hours,
            }
    return found


def mining(world: World) -> Rows:
    """Machines by vintage, at the machine."""
    machines, found = world.machines, Rows()
    for (site, vintage, n), stock in machines.stock.items():
        found[site, vintage, world.book.tree.label(n)] = {
            "stock_mw": stock,
            "on_mw": machines.mw(Quantity.ON_MW, site, vintage, n),
            "slack_mw": machines.mw(Quantity.SLACK_MW, site, vintage, n),
        }
    return found


def strategy(world: World, site: str, leaf: int) -> str:
    """What became of a site, with a word on halls that stand dark there."""
    return _kind(world, site, leaf) + (", dark" if _has_dark_halls(world, site, leaf) else "")


def _has_dark_halls(world: World, site: str, leaf: int) -> bool:
    """Whether a hall has been live and nobody rents it any more."""
    last, below = world.book.tree.quarter(leaf), world.book.below
    begun = [
        m for s, m in world.sites.modules if s.site == site and leaf in below[s.node] and s.modules > 1e-6
    ]
    held = [c for c in world.sites.commitments if c.commitment.site == site and not c.is_cancelled(leaf)]
    left_dark = [m.live_from <= last and m.at[leaf].live_mw <= 0.0 for m in begun]
    left_dark += [c.live_mw(last) > 0.0 and c.at[leaf].live_mw <= 0.0 for c in held]
    return any(left_dark)


def _kind(world: World, site: str, leaf: int) -> str:
    """Mine, full, flexible or hybrid; or that it is not ours."""
    book, here = world.book, world.sites.of[site]
    if world.sites.estate.ours(site, leaf) < 0.5:
        return "not bought" if book.sites[site].state == "candidate" else "sold"
    gross = here.reserved_mw[leaf]
    if gross <= _NOTHING_MW:
        return "mine" if here.mining_mw[leaf] > 1e-6 else "idle"
    ratios = [
        book.products[row.product].gross_to_critical_ratio
        for row in book.portfolio.site_products
        if row.site == site
    ]
    headroom = max(0.0, book.sites[site].max_hpc_critical_mw - here.begun_mw[leaf])
    could = gross + (headroom / max(ratios) if ratios else 0.0)
    convertible = min(here.energised_mw[leaf], could)
    if gross >= _FULL_FRAC * convertible:
        return "full"
    return "flexible" if _runs_on_slack(world, here, leaf) else "hybrid"


def _runs_on_slack(world: World, here: SiteBook, leaf: int) -> bool:
    """Whether machines run on slack in more than half of the live quarters."""
    live = [n for n in world.book.paths[leaf] if here.live_mw[n] > _NOTHING_MW]
    on_slack = [n for n in live if here.slack_mw[n] > _NOTHING_MW]
    return 2 * len(on_slack) > len(live)


def site_summary(world: World) -> Rows:
    """Each site at the horizon."""
    capital = [line for line in SPEND_LINES if line not in (CashLine.MACHINE_PURCHASE, CashLine.MACHINE_MOVE)]
    found: Rows = {}
    for name, here in world.sites.of.items():
        for leaf in world.book.tree.leaves:
            spent = sum(
                -world.ledger.at_site.get((name, n, line), 0.0)
                for n in world.book.paths[leaf]
                for line in capital
            )
            found[name, world.book.tree.label(leaf)] = {
                "strategy": strategy(world, name, leaf),
                "hpc_critical_mw": here.live_mw[leaf],
                "hpc_gross_mw": here.occupied_mw[leaf],
                "mining_mw": here.mining_mw[leaf],
                "capex_usd_m": spent,
            }
    return found


def contracts(world: World) -> Rows:
    """Critical MW live or begun under each contract at the horizon."""
    book, found = world.book, Rows()
    for leaf in book.tree.leaves:
        path, label = book.paths[leaf], book.tree.label(leaf)
        mw: dict[tuple[str, str], float] = defaultdict(float)
        for sign in world.decided.signs:
            if sign.node in path and sign.amount:
                mw[sign.item, sign.site] += 0.0
        for start, module in world.sites.modules:
            if start.node in path:
                mw[start.contract, start.site] += start.modules * module.mw
        for one in world.sites.commitments:
            if not one.is_cancelled(leaf):
                mw[one.commitment.contract, one.commitment.site] += one.total_mw
        gone: dict[tuple[str, str], float] = defaultdict(float)
        for sold in world.sites.sold:
            if sold.is_gone(leaf):
                gone[sold.decided.contract, sold.decided.site] += sold.count * sold.mw
        for (contract, site), total in mw.items():
            found[contract, site, label] = {"mw_critical": total, "mw_sold": gone[contract, site]}
    return found


def commitments(world: World) -> Rows:
    """What was signed before the plan."""
    found: Rows = {}
    for one in world.sites.commitments:
        for n in world.book.tree.nodes:
            q = one.at[n]
            found[one.commitment.commitment, world.book.tree.label(n)] = {
                "own_usd_m": q.own,
                "funded_usd_m": q.escrow + q.tenant + q.gpu_debt,
                "remaining_own_usd_m": q.remaining_own,
                "live_mw": q.live_mw,
            }
    return found
