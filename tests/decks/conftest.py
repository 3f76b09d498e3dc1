"""Small rules of a deck, to be changed and read."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models.domain.deck import DeckRules
from models.findings import Finding, InputError
from models.params.deck import Course, courses
from optimizer.decks.read import read_rules
from optimizer.decks.tables import make_deck

SMALL = """
[deck]
first_quarter = "2027Q1"
quarters = 6
source = "a test"
grade = "GUESS"

[digits]
btc_usd = 0

[network]
height = 1_000_000
blocks_per_day = 144
start_eh_per_s = 1000
start_revenue_usd_m_per_day = 27
supply_elasticity = 1
efficiency_gain_frac_per_year = 0
moved_frac_per_q = 1
rise_at_most_frac_per_q = 1
fall_at_most_frac_per_q = 1
begins_at = "trunk"

[machines]
j_per_th = 20
power_usd_per_mwh = 50
hashprice_usd_per_ph_day = 40
least_idx = 0.1
start_idx = 1
moved_frac_per_q = 0.5
begins_at = "trunk"

[cases.all]
btc_usd = 60000
fees_btc = 0.03
lease_idx = 1
gpu_rent_idx = 1
capex_idx = 1
gpu_price_idx = { same_as = "capex_idx", times = 0.5 }
power_idx = 1
ai_equity_idx = 1
base_rate_frac = 0.04
spread_add_frac = 0.01
share_vol_frac = 0.5
asic_tariff_frac = 0
convert_open = true
equity_open = true
project_debt_open = true

[scenarios.calm]
probability = 0.6
cases = ["all"]
source = "a test"
grade = "GUESS"

[scenarios.storm]
leaves = "calm"
at = "2027Q3"
probability = 0.4
cases = ["all"]
source = "a test"
grade = "GUESS"

[scenarios.storm.own]
btc_usd = 30000

[markets.west]
mean_usd_per_mwh = 40
mean_range = [30, 50]
deciles = [-10, 10, 20, 30, 40, 50, 60, 70, 80, 90]
usd_per_unit = 0.5
source = "a test"
grade = "GUESS"

[evidence]
grade = "GUESS"
probabilities = "drawn"
means = "drawn"
deciles = "drawn"
deciles_within_frac = 0.5
deciles_within_least_usd_per_mwh = 4
"""


@dataclass
class Draft:
    """Rules on their way to a file."""

    file: Path
    text: str = SMALL
    changes: list[tuple[str, str]] = field(default_factory=list)

    def put(self, old: str, new: str) -> "Draft":
        """Change the text; the old one must be there."""
        assert old in self.text
        self.text = self.text.replace(old, new)
        return self

    def add(self, text: str) -> "Draft":
        """Append text."""
        self.text += "\n" + text
        return self

    def write(self) -> Path:
        """Write the file."""
        self.file.write_text(self.text, encoding="utf-8")
        return self.file

    def rules(self) -> DeckRules:
        """Write and read."""
        return read_rules(self.write())

    def courses(self) -> dict[str, Course]:
        """What the scenarios are, the rules checked."""
        rules = self.rules()
        make_deck(self.file.name, rules)
        return courses(rules)

    def findings(self) -> tuple[Finding, ...]:
        """What is found, whether a deck can be made or not."""
        try:
            return make_deck(self.file.name, self.rules())[1]
        except InputError as refused:
            return refused.findings


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    """The small rules, not yet written."""
    return Draft(tmp_path / "rules.toml")
