"""Trades that the input allows without building anything, and whether any round of them makes money."""
