"""Who owns what: terms that fit the kind of an entity, and covenants that stand on one of them."""

from collections.abc import Iterator

from models.domain.company import Entity
from models.domain.portfolio import Portfolio
from models.domain.rules import ENTITY_METRICS, YEAR_Q
from models.findings import Finding
from optimizer.inputs.checks.register import error, listed, reads

OF_LISTED = ("contributions_allowed", "price_usd", "shares_held_m")
OF_BORROWERS = ("ownership_frac", "upstream_from_quarter", "completion_guarantee_frac")


@reads("entities")
def owners_agree(portfolio: Portfolio) -> Iterator[Finding]:
    """A share is stated of joint ventures and listed subsidiaries, and of no other entity."""
    for e in portfolio.entities:
        if e.kind in ("jv", "listed") and e.ownership_frac is None:
            message = f"the company's share of a {e.kind} is not stated"
            yield error("entity-terms", e, "ownership_frac", message, "write it, or make its kind 'spv'")
        if e.kind == "spv" and e.ownership_frac is not None:
            message = "others own a part of it"
            remedy = "make it 'jv' or 'listed', or leave the share empty"
            yield error("entity-terms", e, "kind", message, remedy)
        for column in _misplaced(e):
            message = f"a {e.kind} has no such term"
            yield error("entity-terms", e, column, message, "leave it empty")
        if (e.price_usd is None) != (e.shares_held_m is None):
            message = "a market value needs the price and the shares held"
            yield error("entity-terms", e, "price_usd", message, "write both, or neither")


def _misplaced(e: Entity) -> Iterator[str]:
    barred = () if e.kind == "listed" else OF_LISTED
    for column in (*barred, *(OF_BORROWERS if e.kind == "parent" else ())):
        if getattr(e, column) is not None:
            yield column


@reads("entities", "tax_groups")
def taxed_apart(portfolio: Portfolio) -> Iterator[Finding]:
    """A listed subsidiary files its own return: its tax comes out of its own cash."""
    for e in portfolio.entities if portfolio.tax_groups else ():
        others = [x.entity for x in portfolio.entities if x.tax_group == e.tax_group and x is not e]
        if e.kind == "listed" and others:
            message = f"'{e.tax_group}' is the group of {listed(others)} too"
            yield error("taxed-together", e, "tax_group", message, "give it a group of its own")


@reads("debt", "entities")
def recourse_of_listed(portfolio: Portfolio) -> Iterator[Finding]:
    """What a listed subsidiary owes is its own."""
    owners = {e.entity: e for e in portfolio.entities}
    for d in portfolio.debt:
        owner = owners.get(d.entity)
        if owner is not None and owner.kind == "listed" and d.recourse:
            message = "the company's tests count nothing of a listed subsidiary's debt"
            yield error("recourse-of-listed", d, "recourse", message, "write false, or move it to the parent")


@reads("long_lead", "entities", "sites", "site_products")
def equipment_of_owners(portfolio: Portfolio) -> Iterator[Finding]:
    """Equipment for whoever needs it is for sites that the company owns alone: nobody pays for what moves."""
    shared = {e.entity for e in portfolio.entities if e.kind in ("jv", "listed")}
    theirs = {s.site for s in portfolio.sites if s.entity in shared}
    for row in portfolio.long_lead:
        served = [
            p.site for p in portfolio.site_products if p.site in theirs and row.serves(p.product, p.site)
        ]
        if row.site is None and served:
            message = f"others own a part of {listed(dict.fromkeys(served))}"
            yield error("shared-equipment", row, "site", message, "name the site that each row serves")


@reads("covenants", "entities", "company")
def covenants_of_entities(portfolio: Portfolio) -> Iterator[Finding]:
    """Tests on one borrower are of metrics that one borrower has, and look back on no history."""
    parents = {e.entity for e in portfolio.entities if e.kind == "parent"}
    first = portfolio.company[0].first_quarter if portfolio.company else None
    for row in portfolio.covenants:
        if row.entity is None:
            if row.metric == "dscr":
                message = "the company has no single DSCR"
                yield error("covenant-scope", row, "entity", message, "name the borrower that is tested")
            continue
        if row.entity in parents:
            message = "tests without an entity are the company's"
            yield error("covenant-scope", row, "entity", message, "leave it empty")
        if row.metric not in ENTITY_METRICS:
            message = f"{row.metric} is tested on the company as a whole"
            yield error("covenant-scope", row, "metric", message, f"write one of {listed(ENTITY_METRICS)}")
        if row.is_incurrence:
            message = "notes are the company's, no borrower issues any"
            yield error("covenant-scope", row, "test", message, "leave it empty")
        begins = 0 if row.from_quarter is None or first is None else row.from_quarter - first
        if row.basis == "trailing_4q" and begins < YEAR_Q - 1:
            message = "history is the company's, not the borrower's"
            remedy = f"begin it {YEAR_Q - 1} quarters after the first, or leave the basis empty"
            yield error("covenant-scope", row, "from_quarter", message, remedy)


CHECKS = (owners_agree, taxed_apart, recourse_of_listed, equipment_of_owners, covenants_of_entities)
