"""The tables of a plan on cash, loans, notes, shares and value, rebuilt."""

from collections import defaultdict
from collections.abc import Sequence

from models.domain.ledger import MARKET_LINES, CashLine
from models.timetree import TimeTree
from optimizer.audit.court import Court
from optimizer.audit.covenants import Test
from optimizer.audit.tables_physical import Rows
from optimizer.audit.valuation import AWARDS, DELIVERED, FAIR_COST, NEW_SHARES, Valuation
from optimizer.audit.world import World

PRICE_STEPS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
"""Share prices of the table `convertibles`, times today's."""

OPENING_CASH, CLOSING_CASH = "opening_cash", "closing_cash"
SOURCE, USE = "source", "use"
BASIC, SOLD = "basic", "sold"
RESCUE = "rescue"
_INTERNAL = (CashLine.CONTRIBUTED, CashLine.DISTRIBUTED)


def financing(world: World) -> Rows:
    """Money raised: gross, what arrives, shares sold or reserved."""
    book, decided = world.book, world.decided
    sums: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])

    def add(name: str, node: int, gross: float, net: float, shares: float) -> None:
        for i, amount in enumerate((gross, net, shares)):
            sums[name, node][i] += amount

    for (name, block, n), gross in decided.atm.items():
        kept = (1.0 - book.blocks[name, block].discount_frac) * (1.0 - book.instruments[name].fee_frac)
        add(name, n, gross, gross * kept, gross / book.share_price[n])
    for (name, n), gross in decided.follow_on.items():
        terms = book.instruments[name]
        kept = (1.0 - terms.launch_drop_frac) * (1.0 - terms.fee_frac)
        add(name, n, gross, gross * kept, gross / book.share_price[n])
    for (name, _, n), principal in decided.issue.items():
        terms = book.instruments[name]
        kept = 1.0 - terms.fee_frac - (terms.capped_call_cost_frac or 0.0)
        strike = book.share_price[n] * (1.0 - terms.launch_drop_frac) * (1.0 + (terms.premium_frac or 0.0))
        add(name, n, principal, principal * kept, principal / strike)
    for bond, _ in world.corporate.bonds:
        kept = 1.0 - book.instruments[bond.instrument].fee_frac
        add(bond.instrument, bond.issued, bond.principal_usd_m, bond.principal_usd_m * kept, 0.0)
    for name, rolled in world.corporate.revolvers.items():
        for n, q in rolled.items():
            add(name, n, q.drawn - q.principal, q.drawn - q.principal, 0.0)
    for b in world.corporate.buybacks:
        gone = b.frac * world.corporate.gross[b.note.name][b.node].outstanding
        add(b.terms.instrument, b.node, -gone, -b.paid_usd_m, -b.frac * b.note.shares_m)
    for f, facility in world.facilities:
        name = f"project:{book.contracts[f.contract].credit_class}"
        add(name, f.closed, f.modules * facility.loan, f.modules * facility.net, 0.0)
    for out in world.take_outs.taken:
        add(out.terms.take_out, out.node, out.part * out.facility.loan, out.part * out.facility.net, 0.0)
    for taken in world.leases:
        x, gross = taken.decided, taken.decided.modules * taken.lease.financed
        add(x.lease, x.begun, gross, gross, 0.0)
    for name, rolled in world.debts.items():
        for n, q in rolled.items():
            add(name, n, q.drawn, q.drawn, 0.0)
    for loan in world.coins.loans:
        add(f"{loan.source}:rolled" if loan.is_roll else loan.source, loan.node, loan.amount, loan.net, 0.0)
    for (_, n), amount in decided.rescue.items():
        add(RESCUE, n, amount, amount, 0.0)
    return {
        (name, book.tree.label(n)): {"gross_usd_m": gross, "net_usd_m": net, "shares_m": shares}
        for (name, n), (gross, net, shares) in sums.items()
        if gross or net or shares
    }


def cash_flow(world: World) -> Rows:
    """Every movement of cash."""
    label = world.book.tree.label
    return {
        (entity, label(n), line.value): {"usd_m": amount}
        for (entity, n, line), amount in world.ledger.lines.items()
        if amount
    }


def sources_uses(world: World) -> Rows:
    """Where the money comes from and goes to on each path."""
    found: Rows = {}
    for leaf in world.book.tree.leaves:
        label = world.book.tree.label(leaf)
        opening = sum(e.unrestricted_cash_usd_m for e in world.book.portfolio.entities)
        closing = world.ledger.company_cash(leaf) + world.ledger.block_cash(leaf)
        found[label, SOURCE, OPENING_CASH] = {"usd_m": opening}
        found[label, USE, CLOSING_CASH] = {"usd_m": closing}
        for line in CashLine:
            if line in _INTERNAL:
                continue
            total = sum(world.ledger.total(n, (line,)) for n in world.book.paths[leaf])
            if total:
                found[label, SOURCE if total > 0.0 else USE, line.value] = {"usd_m": abs(total)}
    return found


def debt_schedule(world: World) -> Rows:
    """Each loan, existing or of the plan."""
    label, found = world.book.tree.label, Rows()
    borrowed = {bond.name: rolled for bond, rolled in world.corporate.bonds}
    borrowed |= {**world.corporate.revolvers, **world.coins.schedule}
    for name, rolled in {**world.debts, **borrowed}.items():
        for n, q in rolled.items():
            found[name, label(n)] = {
                "drawn_usd_m": q.drawn,
                "interest_usd_m": q.interest,
                "principal_usd_m": q.principal,
                "balance_usd_m": q.balance,
                "restricted_usd_m": q.reserve,
            }
    for f, facility in world.facilities:
        name = "|".join((f.site, f.product, f.contract, label(f.begun), label(f.closed)))
        for n in world.book.below[f.closed]:
            one = world.facility_at(f, facility, n)
            found[name, label(n)] = {
                "drawn_usd_m": f.modules * one.drawn,
                "interest_usd_m": f.modules * one.interest,
                "principal_usd_m": f.modules * one.principal,
                "balance_usd_m": f.modules * one.balance,
                "restricted_usd_m": f.modules * one.restricted,
            }
    for out in world.take_outs.taken:
        for n in world.book.below[out.node]:
            lent = out.at(n)
            found[out.name, label(n)] = {
                "drawn_usd_m": out.part * lent.drawn,
                "interest_usd_m": out.part * lent.interest,
                "principal_usd_m": out.part * lent.principal,
                "balance_usd_m": out.part * lent.balance,
                "restricted_usd_m": out.part * lent.restricted,
            }
    for taken in world.leases:
        x = taken.decided
        name = "|".join((x.site, x.product, x.contract, label(x.begun), x.lease))
        for n in world.book.below[x.begun]:
            lease = taken.at(n)
            found[name, label(n)] = {
                "drawn_usd_m": x.modules * (lease.drawn + lease.interest - lease.paid_interest),
                "interest_usd_m": x.modules * lease.interest,
                "principal_usd_m": x.modules * lease.principal,
                "balance_usd_m": x.modules * lease.balance,
                "restricted_usd_m": 0.0,
            }
    return found


def convert_schedule(world: World) -> Rows:
    """Each tranche over time."""
    found: Rows = {}
    for note, rolled in world.notes:
        for n, q in rolled.items():
            found[note.name, world.book.tree.label(n)] = {
                "outstanding_usd_m": q.outstanding,
                "coupon_usd_m": q.coupon,
                "principal_usd_m": q.principal,
                "delivered_usd_m": q.delivered,
                "capped_call_usd_m": q.capped_call,
            }
    return found


def convertibles(world: World) -> Rows:
    """Each tranche at maturity by share price."""
    found: Rows = {}
    for note, _ in world.notes:
        for step in PRICE_STEPS:
            price = step * world.book.firm.price_usd
            cash, shares, capped = (note.principal_usd_m * each for each in note.settle(price))
            found[note.name, price] = {
                "cash_usd_m": cash,
                "shares_out_m": shares / price,
                "shares_back_m": capped / price,
                "net_cost_usd_m": cash + shares - capped,
            }
    return found


def cap_table(worth: Valuation, price: float) -> Rows:
    """Shares at the horizon, economic and reported."""
    world, book = worth.world, worth.book
    found: Rows = {}
    for leaf in book.tree.leaves:
        label, path, at_leaf = book.tree.label(leaf), book.paths[leaf], price * worth.leaf_factor[leaf]
        claims = worth.claims(leaf, price)

        def economic(name: str, claims: dict[str, float] = claims, at_leaf: float = at_leaf) -> float:
            return claims[name] / at_leaf if at_leaf > 0.0 else 0.0

        awarded = book.firm.award_shares_m_per_q * book.tree.horizon_q
        sold = sum(worth.sold_gross(n) / book.share_price[n] for n in path)
        delivered = sum(
            worth.delivered_net(n, is_new) / book.share_price[n] for n in path for is_new in (True, False)
        )
        for holder, worth_of, reported in (
            (AWARDS, AWARDS, awarded),
            (SOLD, NEW_SHARES, sold),
            (DELIVERED, DELIVERED, delivered),
            (FAIR_COST, FAIR_COST, 0.0),
        ):
            found[label, holder] = {"economic_shares_m": economic(worth_of), "reported_shares_m": reported}
        basic = book.firm.basic_shares_m
        found[label, BASIC] = {"economic_shares_m": basic, "reported_shares_m": basic}
        for note, rolled in world.notes:
            if leaf in rolled:
                found[label, note.name] = {
                    "economic_shares_m": economic(note.name),
                    "reported_shares_m": rolled[leaf].outstanding / note.strike_usd,
                }
        for claim in book.portfolio.share_claims:
            counts = at_leaf > 0.0 and worth.is_vested(claim.contract, leaf)
            reported = claim.shares_m * max(0.0, 1.0 - claim.strike_usd / at_leaf) if counts else 0.0
            found[label, claim.claim] = {
                "economic_shares_m": economic(claim.claim),
                "reported_shares_m": reported,
            }
    return found


def liquidity(world: World) -> Rows:
    """Cash against the floor."""
    found: Rows = {}
    for n in world.book.tree.nodes:
        cash, floor = world.ledger.company_cash(n), world.book.firm.cash_floor_usd_m
        late, wall, ready = world.late_loss(n, world.book.counted), world.wall(n), world.guaranteed(n)
        blocks = world.ledger.block_cash(n)
        found[(world.book.tree.label(n),)] = {
            "company_cash_usd_m": cash,
            "block_cash_usd_m": blocks,
            "locked_usd_m": world.locked(n),
            "out_of_reach_usd_m": blocks - world.in_reach(n),
            "restricted_usd_m": world.restricted(n),
            "undrawn_usd_m": world.undrawn(n),
            "late_loss_usd_m": late,
            "wall_usd_m": wall,
            "guaranteed_usd_m": ready,
            "floor_usd_m": floor,
            "headroom_usd_m": cash - late - wall - ready - floor,
            "runway_q": _runway_q(world, n),
        }
    return found


def _runway_q(world: World, node: int) -> float:
    """Quarters after a node in which cash stays above its floor on every path, nothing raised after it."""
    tree, ledger = world.book.tree, world.ledger
    least = tree.horizon_q - 1 - tree.period[node]
    missing = {node: 0.0}
    for m in world.book.below[node]:
        if m == node:
            continue
        missing[m] = missing[tree.parent[m]] + ledger.total(m, MARKET_LINES, (world.book.parent,))
        cash = ledger.company_cash(m) + world.in_reach(m) - missing[m]
        if cash < world.book.firm.cash_floor_usd_m - Court.USD_M:
            least = min(least, tree.period[m] - tree.period[node] - 1)
    return float(least)


def covenants(tests: Sequence[Test], tree: TimeTree) -> Rows:
    """Tests and their headroom, the tightest of several at one node."""
    found: Rows = {}
    for t in sorted(tests, key=lambda t: -t.headroom):
        found[t.name, tree.label(t.node)] = {
            "value": t.value,
            "threshold": t.threshold,
            "headroom": t.headroom,
        }
    return found


def tax(worth: Valuation) -> Rows:
    """Each tax group's years."""
    label, groups = worth.book.tree.label, worth.taxes.groups
    return {
        (name, label(end)): {
            "interest_usd_m": year.interest,
            "written_off_usd_m": year.written_off,
            "taxable_income_usd_m": year.income,
            "losses_used_usd_m": year.used,
            "losses_left_usd_m": year.losses,
            "tax_usd_m": groups[name].rate_frac * year.taxed,
        }
        for (name, end), year in worth.taxes.years.items()
    }


def stakes(worth: Valuation) -> Rows:
    """What is owned in part."""
    book, found = worth.book, Rows()
    for name, e in book.entities.items():
        if e.share < 1.0:
            market = (e.price_usd or 0.0) * (e.shares_held_m or 0.0)
            market *= (1.0 + book.firm.cost_of_equity_frac) ** (book.tree.horizon_q / 4.0)
            for leaf in book.tree.leaves:
                whole = worth.whole(name, leaf)
                found[name, book.tree.label(leaf)] = {
                    "whole_usd_m": whole,
                    "part_usd_m": e.share * whole,
                    "market_usd_m": market,
                }
    return found


def value(worth: Valuation) -> Rows:
    """Components of value at each leaf."""
    return {
        (worth.book.tree.label(leaf), line.value): {"usd_m": amount}
        for leaf, lines in worth.at_leaf.items()
        for line, amount in lines.items()
    }


def claims(worth: Valuation, price: float) -> Rows:
    """What others than today's shareholders take."""
    return {
        (worth.book.tree.label(leaf), name): {"usd_m": amount}
        for leaf in worth.book.tree.leaves
        for name, amount in worth.claims(leaf, price).items()
    }
