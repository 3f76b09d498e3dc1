"""Commitments: who funds them, what they deliver, and whether the interconnect holds them."""

from collections import defaultdict
from collections.abc import Iterator

from models.domain.contract import Commitment, CommitmentFlow
from models.domain.portfolio import Portfolio
from models.findings import Finding
from models.timetree import Quarter
from optimizer.inputs.checks.register import doubt, error, label, reads
from optimizer.inputs.checks.sites import power_in

UNDRAWN_TOLERANCE_FRAC = 0.005


def _flows(portfolio: Portfolio, *, ahead: bool = False) -> dict[str, list[CommitmentFlow]]:
    """Flows of each commitment, all of them or those of the plan and after it; the rest is history."""
    flows: dict[str, list[CommitmentFlow]] = defaultdict(list)
    first = portfolio.firm.first_quarter if ahead and portfolio.company else None
    for flow in portfolio.commitment_flows:
        if first is None or flow.quarter >= first:
            flows[flow.commitment].append(flow)
    return flows


@reads("commitments", "contracts", "products")
def commitments_fit_contracts(portfolio: Portfolio) -> Iterator[Finding]:
    """What is being built is what its contract asks for, where it asks for it."""
    contracts = {c.contract: c for c in portfolio.contracts}
    products = {p.product: p for p in portfolio.products}
    for commitment in portfolio.commitments:
        contract, product = contracts.get(commitment.contract), products.get(commitment.product)
        if contract is None or product is None:
            continue
        if contract.signable:
            message = f"contract '{contract.contract}' is still an {contract.state}"
            yield error("commitment-misfit", commitment, "contract", message, "make the contract committed")
        if commitment.site not in contract.sites:
            message = f"contract '{contract.contract}' does not name site '{commitment.site}'"
            yield error("commitment-misfit", commitment, "site", message, "add the site to the contract")
        for column, has, allowed in (
            ("workload", product.workload, contract.workloads),
            ("cooling", product.cooling, contract.coolings),
        ):
            if has not in allowed:
                message = f"its {column} is '{has}'; contract '{contract.contract}' has {', '.join(allowed)}"
                yield error(
                    "commitment-misfit", commitment, "product", message, f"add '{has}' to the contract"
                )


@reads("contracts", "commitments")
def committed_is_built(portfolio: Portfolio) -> Iterator[Finding]:
    """A committed contract without a commitment earns nothing."""
    built = {c.contract for c in portfolio.commitments}
    for contract in portfolio.contracts:
        if contract.state == "committed" and contract.contract not in built:
            message = "no commitment delivers it, so it earns nothing"
            yield doubt("undelivered", contract, "state", message, "add its commitments, or make it an offer")


@reads("contracts", "commitments", "commitment_flows")
def live_within_contract(portfolio: Portfolio) -> Iterator[Finding]:
    """Commitments of a contract do not deliver more than its maximum."""
    flows = _flows(portfolio)
    for contract in portfolio.contracts:
        mine = [c.commitment for c in portfolio.commitments if c.contract == contract.contract]
        live = sum(flow.mw_live for name in mine for flow in flows[name])
        if live > contract.max_mw + 1e-6:
            message = f"its commitments bring {live:g} MW, more than {contract.max_mw:g}"
            yield error(
                "over-contract", contract, "max_mw", message, "mw_live is what a quarter adds, not the total"
            )


@reads("commitments", "commitment_flows")
def live_once_occupied(portfolio: Portfolio) -> Iterator[Finding]:
    """Nothing is live before its MW are taken from the interconnect."""
    flows = _flows(portfolio)
    for commitment in portfolio.commitments:
        live = [f.quarter for f in flows[commitment.commitment] if f.mw_live > 0]
        if live and min(live) < commitment.occupies_from_quarter:
            message = f"MW of it are live from {min(live)}, before they are occupied"
            remedy = f"write {min(live)} or earlier, or correct mw_live in commitment_flows"
            yield error("live-unoccupied", commitment, "occupies_from_quarter", message, remedy)


@reads("commitments", "commitment_flows", "contract_money")
def cancellable_alone(portfolio: Portfolio) -> Iterator[Finding]:
    """Only commitments without debt or tenant money can be cancelled; debt that is drawn has a name."""
    flows = _flows(portfolio)
    prepaid = {money.contract for money in portfolio.contract_money}
    for commitment in portfolio.commitments:
        drawn = [f for f in flows[commitment.commitment] if f.funded_by == "gpu_debt"]
        if drawn and commitment.debt is None:
            message = f"row {label(drawn[0])} of commitment_flows draws gpu_debt"
            yield error("no-debt-named", commitment, "debt", message, "name the debt row that it draws")
        bound = "it carries debt" if drawn else "its contract has tenant money"
        if commitment.cancellable_until_quarter and (drawn or commitment.contract in prepaid):
            message = f"{bound}, so it cannot be cancelled"
            yield error("not-cancellable", commitment, "cancellable_until_quarter", message, "leave it empty")


@reads("commitments", "commitment_flows", "debt", "company")
def drawn_from_debt(portfolio: Portfolio) -> Iterator[Finding]:
    """What is undrawn of a debt is what commitments will draw."""
    draws: dict[str | None, float] = defaultdict(float)
    flows = _flows(portfolio, ahead=True)
    for commitment in portfolio.commitments:
        drawn = (f.amount_usd_m for f in flows[commitment.commitment] if f.funded_by == "gpu_debt")
        draws[commitment.debt] += sum(drawn)
    for debt in portfolio.debt:
        drawn_usd_m = draws[debt.debt]
        if abs(debt.undrawn_usd_m - drawn_usd_m) > UNDRAWN_TOLERANCE_FRAC * max(
            debt.undrawn_usd_m, drawn_usd_m
        ):
            message = f"commitments draw {drawn_usd_m:,.1f} $M of it, {debt.undrawn_usd_m:,.1f} are undrawn"
            remedy = f"write {drawn_usd_m:.1f}, or correct the gpu_debt rows of commitment_flows"
            yield error("undrawn-mismatch", debt, "undrawn_usd_m", message, remedy)


@reads("commitments", "commitment_flows", "sites", "entities", "company")
def escrow_suffices(portfolio: Portfolio) -> Iterator[Finding]:
    """Spend funded by escrow does not exceed what lies there."""
    owners = {s.site: s.entity for s in portfolio.sites}
    spent: dict[str | None, float] = defaultdict(float)
    flows = _flows(portfolio, ahead=True)
    for commitment in portfolio.commitments:
        paid = (f.amount_usd_m for f in flows[commitment.commitment] if f.funded_by == "escrow")
        spent[owners.get(commitment.site)] += sum(paid)
    for entity in portfolio.entities:
        if spent[entity.entity] > entity.escrow_usd_m + 1e-6:
            message = f"commitments spend {spent[entity.entity]:,.1f} $M from it"
            remedy = "raise it, or let others fund some rows of commitment_flows"
            yield error("escrow-short", entity, "escrow_usd_m", message, remedy)


@reads(
    "commitments", "commitment_flows", "contracts", "contract_money", "company", "entities", "instruments",
    "treasury", "holdings", "market",
)  # fmt: skip
def own_spend_can_be_paid(portfolio: Portfolio) -> Iterator[Finding]:
    """What the company itself has promised to spend is not beyond all that it has and could raise at once."""
    flows = [f for rows in _flows(portfolio, ahead=True).values() for f in rows]
    spend = sum(f.amount_usd_m for f in flows if f.funded_by in ("own", "vendor"))
    has, could_raise = _means(portfolio) if portfolio.company else (spend, 0.0)
    if spend > has + could_raise + 1e-6:
        message = f"{spend:,.0f} $M of own and vendor rows; the company has {has:,.0f} with its tenants' "
        message += f"money to come, and could raise {could_raise:,.0f} at once"
        remedy = "correct amounts or funded_by: rents alone would have to pay the rest"
        yield Finding("warning", "spend-unfunded", "commitment_flows", "", "amount_usd_m", message, remedy)


def _means(portfolio: Portfolio) -> tuple[float, float]:
    """Cash, coins, holdings and tenants' money to come; and one deal of each kind. [$M]"""
    firm = portfolio.firm
    committed = {c.contract for c in portfolio.contracts if c.state == "committed"}
    coming = (
        m.amount_usd_m or 0.0
        for m in portfolio.contract_money
        if m.contract in committed and m.received_quarter and m.received_quarter >= firm.first_quarter
    )
    btc_usd = next((r.btc_usd for r in portfolio.market if r.quarter == firm.first_quarter), 0.0)
    coins = sum(lot.btc for lot in portfolio.treasury) * btc_usd / 1e6
    has = sum(e.unrestricted_cash_usd_m for e in portfolio.entities) + sum(coming) + coins
    has += sum(h.value_usd_m for h in portfolio.holdings)
    cap = firm.price_usd * firm.basic_shares_m
    deals: dict[str, float] = {"atm": firm.atm_left_usd_m}
    for i in portfolio.instruments:
        if i.kind in ("follow_on", "convertible", "notes", "revolver"):
            size = i.max_usd_m if i.kind == "revolver" else min(i.max_usd_m, i.max_frac_of_market_cap * cap)
            deals[i.kind] = max(deals.get(i.kind, 0.0), size)
    return has, sum(deals.values())


@reads("commitments", "products", "cooling")
def commitments_cooled(portfolio: Portfolio) -> Iterator[Finding]:
    """The site says how much energy the cooling of a commitment takes."""
    coolings = {p.product: p.cooling for p in portfolio.products}
    present = {(c.site, c.cooling) for c in portfolio.cooling}
    for commitment in portfolio.commitments:
        cooling = coolings.get(commitment.product)
        if cooling and (commitment.site, cooling) not in present:
            message = f"'{commitment.site}' has no cooling '{cooling}', hence no PUE"
            remedy = f"add {commitment.site}|{cooling} to cooling"
            yield error("no-cooling", commitment, "product", message, remedy)


@reads("commitments", "commitment_flows", "company")
def crews_suffice(portfolio: Portfolio) -> Iterator[Finding]:
    """What is half-built does not exceed what crews can carry."""
    flows = _flows(portfolio)
    for firm in portfolio.company[:1]:
        for t in range(firm.horizon_q):
            quarter, cap = (
                firm.first_quarter + t,
                firm.building_cap_mw + t * firm.building_cap_growth_mw_per_q,
            )
            building = sum(
                flow.mw_live
                for commitment in portfolio.commitments
                if commitment.occupies_from_quarter <= quarter
                for flow in flows[commitment.commitment]
                if flow.quarter > quarter
            )
            if building > cap + 1e-6:
                message = f"in {quarter} {building:,.1f} MW are under construction, crews carry {cap:,.1f}"
                yield error(
                    "over-building-cap", firm, "building_cap_mw", message, f"write {building:.1f} or more"
                )
                break


@reads("commitments", "commitment_flows", "products", "sites", "power", "expansions", "company")
def commitments_energised(portfolio: Portfolio) -> Iterator[Finding]:
    """What commitments occupy is energised, with all expansions, in each quarter planned."""
    if not portfolio.company:
        return
    first, flows = portfolio.firm.first_quarter, _flows(portfolio)
    for site in portfolio.sites:
        mine = [c for c in portfolio.commitments if c.site == site.site]
        for t in range(portfolio.firm.horizon_q if mine else 0):
            quarter = first + t
            power = power_in(portfolio, site.site, quarter)
            if power is None:
                break
            occupied = sum(_gross_mw(portfolio, c, flows) for c in mine if c.occupies_from_quarter <= quarter)
            allowed = power.energised_mw + _expandable_mw(portfolio, site.site, quarter)
            if occupied > allowed + 1e-6:
                message = f"in {quarter} commitments occupy {occupied:,.1f} MW, {allowed:,.1f} can be had"
                remedy = "raise energised_mw from that quarter, or correct occupies_from_quarter or mw_live"
                yield error("over-interconnect", power, "energised_mw", message, remedy)
                break


def _gross_mw(portfolio: Portfolio, commitment: Commitment, flows: dict[str, list[CommitmentFlow]]) -> float:
    """Interconnect that a commitment takes once it has begun. [MW]"""
    critical = sum(flow.mw_live for flow in flows[commitment.commitment])
    ratios = [p.gross_to_critical_ratio for p in portfolio.products if p.product == commitment.product]
    return critical / ratios[0] if ratios else 0.0


def _expandable_mw(portfolio: Portfolio, site: str, quarter: Quarter) -> float:
    """Interconnect that expansions can have added by a quarter. [MW]"""
    return sum(
        e.step_mw * e.max_steps
        for e in portfolio.expansions
        if e.site == site and e.earliest_quarter + e.lead_q <= quarter
    )


@reads("fleets", "machines", "commitments", "commitment_flows", "products", "sites", "power", "company")
def fleets_energised(portfolio: Portfolio) -> Iterator[Finding]:
    """Machines and commitments together have the power they need at the opening."""
    if not portfolio.company:
        return
    first, flows = portfolio.firm.first_quarter, _flows(portfolio)
    overhead = {m.machine: m.overhead_frac for m in portfolio.machines}
    for site in portfolio.sites:
        power = power_in(portfolio, site.site, first)
        mining = sum(f.mw * overhead.get(f.machine, 1.0) for f in portfolio.fleets if f.site == site.site)
        begun = [c for c in portfolio.commitments if c.site == site.site and c.occupies_from_quarter <= first]
        occupied = sum(_gross_mw(portfolio, c, flows) for c in begun)
        if power and mining and mining + occupied > power.energised_mw + 1e-6:
            message = f"at the opening fleets need {mining:,.1f} MW and commitments {occupied:,.1f}"
            remedy = "machines without power stand still: correct fleets or energised_mw if that is not meant"
            yield doubt("fleet-without-power", power, "energised_mw", message, remedy)


CHECKS = (
    commitments_fit_contracts,
    committed_is_built,
    live_within_contract,
    live_once_occupied,
    cancellable_alone,
    drawn_from_debt,
    escrow_suffices,
    own_spend_can_be_paid,
    commitments_cooled,
    crews_suffice,
    commitments_energised,
    fleets_energised,
)
