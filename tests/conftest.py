"""The gate draws the same cases everywhere; new ones are looked for by the fuzz bench."""

from hypothesis import settings

settings.register_profile("gate", derandomize=True, deadline=None)
settings.load_profile("gate")
