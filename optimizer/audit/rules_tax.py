"""The rules on taxes, checked again: losses are used within their share and within what is left of them."""

from optimizer.audit.court import Court
from optimizer.audit.taxes import Taxes


def check_taxes(taxes: Taxes, court: Court) -> None:
    """TAX-2 ... TAX-4 of every group and year; TAX-1 is the income that the table `tax` shows."""
    for (name, end), year in taxes.years.items():
        place = f"{name}|{taxes.book.tree.label(end)}"
        taxed_frac = 1.0 - taxes.groups[name].loss_use_frac
        court.at_least("TAX-2", place, year.taxed, taxed_frac * year.income, Court.USD_M)
        court.at_least("TAX-3", place, year.losses, 0.0, Court.USD_M)
        if year.capped_income is not None:
            court.at_least("TAX-4", place, year.taxed, taxed_frac * year.capped_income, Court.USD_M)
            beyond = year.capped_income - year.losses_before
            court.at_least("TAX-4", place, year.taxed, beyond, Court.USD_M)
