"""Checks across rows and tables, by theme; each file ends with the tuple of its checks."""
