"""Blocks of one borrower: its sites and its own cash."""
