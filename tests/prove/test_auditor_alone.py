"""The plan found is the best by the auditor's rules alone, on toys of some more decisions."""

import pytest

from tests.oracle.test_auditor_alone import holds_alone

MORE = (
    "commitments",
    "debt terms",
    "debt terms on a tree",
    "guard rails",
    "halls sold on a tree",
    "sites",
    "sites on a tree",
    "sites taxed",
    "terminated on a tree",
)


@pytest.mark.parametrize("name", MORE)
def test_the_auditors_rules_alone_lead_to_the_same_plan(name: str) -> None:
    holds_alone(name)
