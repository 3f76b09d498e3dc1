"""COM: what is signed or half-built runs on, unless it is cancelled at its fee."""

from collections.abc import Sequence

import numpy as np
import pyomo.environ as pyo

from models.blocks.books import Books, Tally
from models.blocks.linear import Linear, at_most
from models.blocks.ports import CommitmentPorts, Held, Load
from models.domain.ledger import CONTRACT_LINES, CashLine, Quantity, ValueLine
from models.domain.site import Site
from models.params.commitments import CommitmentArrays, ContractMoneyArrays
from models.params.outlook import Outlook


def add_commitments(
    b: pyo.Block,
    outlook: Outlook,
    site: Site,
    held: Sequence[CommitmentArrays],
    money: Sequence[ContractMoneyArrays],
    books: Books,
) -> CommitmentPorts:
    """Fixed streams less what is cancelled. Maths: docs/program.md, section 3, COM-1."""
    tree = outlook.tree
    size = len(tree.nodes)
    names = [a.commitment.commitment for a in held]
    b.cancelled = pyo.Var(
        [(i, n) for i, a in enumerate(held) for n in a.cancel_nodes], domain=pyo.Binary, doc="cancelled here"
    )
    load = Load(*([Linear() for _ in range(size)] for _ in range(3)))
    kept = [[Linear(constant=1.0) for _ in range(size)] for _ in held]
    for i, a in enumerate(held):
        _post(a, None, np.ones(size), outlook, site, books, load)
        for n in a.cancel_nodes:
            books.decide(Quantity.CANCEL, n, b.cancelled[i, n], site=site.site, item=names[i])
            _post(a, b.cancelled[i, n], -outlook.below[n], outlook, site, books, load)
            for below in tree.descendants(n):
                kept[i][below].add(-1.0, b.cancelled[i, n])
            fee = np.zeros(size)
            fee[n] = a.commitment.cancel_fee_usd_m
            books.post(CashLine.CANCEL_FEE, b.cancelled[i, n], -fee)
            books.spend(site.site, b.cancelled[i, n], fee)
    for m in money:
        books.post_constant(CashLine.TENANT_MONEY, m.received)
        books.post_constant(CashLine.TENANT_CREDIT, -m.credit)
        books.post_constant(CashLine.TENANT_REFUND, -m.refund)
        for leaf, amount in m.unearned.items():
            books.worth_constant(ValueLine.UNEARNED_TENANT_MONEY, leaf, -amount)

    @b.Constraint(
        [i for i, a in enumerate(held) if a.cancel_nodes], tree.leaves, doc="COM-1 cancelled at most once [-]"
    )
    def cancelled_once(b, i, leaf):
        path = set(tree.path(leaf))
        found = Linear()
        for n in held[i].cancel_nodes:
            if n in path:
                found.add(1.0, b.cancelled[i, n])
        return at_most(found, 1.0)

    return CommitmentPorts(load, tuple(Held(a, k) for a, k in zip(held, kept, strict=True)))


def _post(
    a: CommitmentArrays,
    variable: object,
    weight: np.ndarray,
    outlook: Outlook,
    site: Site,
    books: Books,
    load: Load,
) -> None:
    """Post a commitment times a weight by node: as a constant, or per unit of a cancellation."""

    def cash(line: CashLine, values: np.ndarray) -> None:
        if variable is None:
            books.post_constant(line, values * weight)
        else:
            books.post(line, variable, values * weight)

    def tally(what: Tally, values: np.ndarray, place: str = "") -> None:
        if variable is None:
            books.tally_constant(what, values * weight, place)
        else:
            books.tally(what, variable, values * weight, place)

    cash(CashLine.RENT, a.rent)
    cash(CashLine.RELET_RENT, a.relet)
    cash(CashLine.TERMINATION_FEE, a.fee)
    cash(CashLine.OPEX, -a.opex)
    cash(CashLine.HPC_POWER, -a.power)
    cash(CashLine.COMMITMENT_SPEND, -(a.spend["own"] + a.spend["escrow"] + a.spend["gpu_debt"]))
    cash(CashLine.ESCROW_RELEASE, a.spend["escrow"])
    again = a.refresh + a.refit
    cash(CashLine.RENEWAL_CAPEX, -again)
    tally(Tally.OWN_NEED, a.spend["own"] + again, site.site)
    tally(Tally.GROSS_SPEND, sum(a.spend.values(), again), site.site)
    tally(Tally.DUE, a.payable)
    tally(Tally.BUILDING_MW, a.building_mw)
    tally(Tally.REMAINING_OWN, a.remaining_own)
    tally(Tally.REMAINING_UNSIGNED, a.remaining_unsigned)
    for parts, values in (
        (load.gross_mw, a.occupied_gross_mw),
        (load.energy_mwh, a.energy_mwh),
        (load.recovered_mw, a.recovered_mw),
    ):
        for n in np.flatnonzero(values * weight):
            if variable is None:
                parts[n].constant += float(values[n] * weight[n])
            else:
                parts[n].add(values[n] * weight[n], variable)
    for leaf in outlook.tree.leaves:
        for line, amount in (
            (CONTRACT_LINES[a.terms.contract.state], a.signed_value[leaf]),
            (ValueLine.RENEWALS, a.renewals_value[leaf]),
            (ValueLine.RESIDUALS, a.residuals_value[leaf]),
            (ValueLine.RENEWAL_CAPEX, -a.refresh_value[leaf]),
            (ValueLine.REMAINING_SPEND, -a.remaining_spend[leaf]),
            (ValueLine.LAND_AND_POWER, -a.reserved_gross_mw * site.unconverted_value_usd_m_per_mw),
        ):
            if variable is None:
                books.worth_constant(line, leaf, amount * weight[leaf])
            else:
                books.worth(line, leaf, amount * weight[leaf], variable)
