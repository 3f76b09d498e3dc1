"""Blocks of the company: what it raises, owes, allows and is worth."""
