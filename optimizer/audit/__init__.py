"""The auditor: a second arithmetic that rebuilds every table of a plan from the inputs and the decisions."""
