"""The mixed-integer program as Pyomo blocks, one per family of constraints."""
