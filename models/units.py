"""Factors between the units of the input and those of the program (MW, $M, quarters, million shares)."""

MONTHS_PER_QUARTER = 3
QUARTERS_PER_YEAR = 4

USD_M_PER_KW_MONTH = MONTHS_PER_QUARTER * 1000.0 / 1e6
"""$M per MW and quarter of one $ per kW-month."""

USD_M = 1e-6
"""$M per $."""
