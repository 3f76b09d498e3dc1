"""A wide portfolio made of copies of the starter's sites, for timing reading, params and build."""

from models.domain.portfolio import Portfolio
from models.domain.row import Row


def wide_portfolio(portfolio: Portfolio, *, sites: int, quarters: int) -> Portfolio:
    """The sites of a portfolio copied, with all that hangs on them, until there are ``sites``."""
    names = [s.site for s in portfolio.sites]
    copies = -(-sites // len(names))
    changes: dict[str, tuple[Row, ...]] = {
        "company": (portfolio.firm.model_copy(update={"horizon_q": quarters}),),
    }
    for table in ("sites", "power", "expansions", "cooling", "site_products", "fleets"):
        rows: tuple[Row, ...] = getattr(portfolio, table)
        changes[table] = tuple(_copy(row, k) for k in range(copies) for row in rows)
    changes["contracts"] = tuple(
        c.model_copy(update={"sites": tuple(f"{s}-{k}" for k in range(copies) for s in (c.sites or names))})
        for c in portfolio.contracts
    )
    return portfolio.model_copy(update=changes)


def _copy(row: Row, k: int) -> Row:
    own = [name for name in ("site", "expansion", "fleet") if name in type(row).model_fields]
    return row.model_copy(update={name: f"{getattr(row, name)}-{k}" for name in own})
