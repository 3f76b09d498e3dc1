"""The rules that a market deck is made from: cases of columns, scenarios that combine them, the network."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Strict, Tag

from models.domain.market import MarketRow, Scenario
from models.domain.row import Grade, Row
from models.timetree import Quarter

Names = Annotated[tuple[str, ...], Strict(False)]
Numbers = Annotated[tuple[float, ...], Strict(False)]
Origin = Literal["opening", "trunk"]
"""Where a scenario's path begins: at the deck's first quarter, or where it leaves the trunk."""


class Rule(BaseModel):
    """One part of the rules; it knows its keys and takes no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Growth(Rule):
    """An index that grows by yearly rates; the value of a quarter is the one at its end."""

    start: float | Literal["trunk"] = Field(
        description="at the opening; trunk: what it was before the branch"
    )
    growth: dict[Quarter, float] = Field(min_length=1, description="yearly growth from each quarter on")


class Spot(Rule):
    """A price that drifts, so many deviations of a lognormal law off; a quarter's value is at its middle."""

    spot: float = Field(gt=0, description="at the opening")
    drift: dict[Quarter, float] = Field(min_length=1, description="yearly drift from each quarter on")
    volatility_frac: float = Field(ge=0, le=3, description="yearly")
    spread_at_most: float = Field(ge=0, le=3, description="volatility x sqrt(years) grows no further")
    deviations: float = Field(ge=-5, le=5, description="off the median; 0 is the median")


class Nodes(Rule):
    """Values at quarters, with a line between them; flat before the first and after the last."""

    nodes: dict[Quarter, float] = Field(min_length=1)
    between: Literal["linear", "geometric"]


class Steps(Rule):
    """Values that hold from a quarter to the next one named."""

    steps: dict[Quarter, bool | float] = Field(min_length=1)


class Same(Rule):
    """A multiple of another column."""

    same_as: str
    times: float


FORMS: dict[str, type[Rule]] = {
    "growth": Growth,
    "drift": Spot,
    "nodes": Nodes,
    "steps": Steps,
    "same_as": Same,
}
"""Ways to write a path, by the key that tells them apart."""


def _form(said: Any) -> str | None:
    if isinstance(said, Rule):
        return next(name for name, form in FORMS.items() if type(said) is form)
    if isinstance(said, dict):
        return next((name for name in FORMS if name in said), None)
    return "number" if isinstance(said, bool | int | float) else None


Path = Annotated[
    Annotated[bool | float, Tag("number")]
    | Annotated[Growth, Tag("growth")]
    | Annotated[Spot, Tag("drift")]
    | Annotated[Nodes, Tag("nodes")]
    | Annotated[Steps, Tag("steps")]
    | Annotated[Same, Tag("same_as")],
    Discriminator(_form),
]
"""What a column is in each quarter: one value for all, or a rule for them."""
Columns = dict[str, Path]

COLUMNS = tuple(
    name
    for name, field in MarketRow.model_fields.items()
    if field.is_required() and name not in (*Row.model_fields, *MarketRow.key)
)
"""Columns of ``market`` that rules give."""
OPTIONAL = ("btc_trough_usd",)
"""Columns of ``market`` that rules may give; empty where a scenario states none."""
COMPUTED = ("subsidy_btc", "fee_frac", "difficulty_t", "resale_idx")
"""Columns that follow from the others unless they are stated."""
FEES = "fees_btc"
"""Fees per block in bitcoin: stated in place of ``fee_frac``."""
FLAGS = tuple(name for name in COLUMNS if MarketRow.model_fields[name].annotation is bool)


class Header(Rule):
    """What the deck covers, and what its rows say of themselves."""

    first_quarter: Quarter
    quarters: int = Field(ge=1, le=240)
    source: str
    grade: Grade
    notes: dict[Quarter, str] = Field(default={}, description="note of the rows from each quarter on")


class Network(Rule):
    """Blocks, halvings and the answer of hashrate to revenue."""

    height: int = Field(ge=0, le=10**8, description="of the first block of the first quarter")
    blocks_per_day: float = Field(gt=0, le=1000)
    start_eh_per_s: float = Field(gt=0)
    start_revenue_usd_m_per_day: float = Field(gt=0, description="that keeps the opening hashrate running")
    supply_elasticity: float = Field(ge=0, le=100, description="of hashrate to hashprice; 0: no answer")
    efficiency_gain_frac_per_year: float = Field(gt=-1, le=1, description="of the fleet, continuous")
    moved_frac_per_q: float = Field(gt=0, le=1, description="of the way to the target; 1: no lag")
    rise_at_most_frac_per_q: float = Field(ge=0, le=10)
    fall_at_most_frac_per_q: float = Field(ge=0, le=1)
    begins_at: Origin


class MachinePrices(Rule):
    """The price of hash machines follows a year's margin, with a lag: ``resale_idx``."""

    j_per_th: float = Field(gt=0)
    power_usd_per_mwh: float = Field(ge=0, description="at power_idx 1")
    hashprice_usd_per_ph_day: float = Field(gt=0, description="at which the index tends to 1")
    least_idx: float = Field(gt=0)
    start_idx: float = Field(gt=0)
    moved_frac_per_q: float = Field(gt=0, le=1)
    begins_at: Origin


class ScenarioRule(Rule):
    """A scenario: which cases it takes, and what is its own."""

    leaves: str | None = Field(default=None, description="absent: it is the root")
    at: Quarter | None = Field(default=None, description="first quarter of its own")
    probability: float | None = Field(default=None, gt=0, le=1, description="absent: single path only")
    probability_range: Numbers | None = Field(default=None, min_length=2, max_length=2)
    cases: Names
    own: Columns = Field(default={}, description="columns that it states itself, over those of its cases")
    source: str
    grade: Grade
    note: str | None = None


class MarketRule(Rule):
    """A power market: its mean, and the mean of each tenth of the hours, cheapest first."""

    mean_usd_per_mwh: float = Field(gt=0, description="at power_idx 1")
    mean_range: Numbers = Field(min_length=2, max_length=2)
    deciles: Numbers = Field(min_length=10, max_length=10)
    usd_per_unit: float = Field(gt=0, description="of the currency that the deciles are in")
    source: str
    grade: Grade
    note: str | None = None


class Bound(Rule):
    """An end of a range: a multiple of a scenario's value, its own if none is named."""

    of: str | None = None
    times: float = 1.0


class MarginBound(Rule):
    """An end of the range of ``resale_idx``: its target at one scenario's hashprice and another's power."""

    hashprice_of: str
    power_of: str


def _bound(said: Any) -> str:
    if isinstance(said, dict):
        return "margin" if {"hashprice_of", "power_of"} & set(said) else "multiple"
    return "margin" if isinstance(said, MarginBound) else "multiple" if isinstance(said, Bound) else "number"


End = Annotated[
    Annotated[float, Tag("number")]
    | Annotated[Bound, Tag("multiple")]
    | Annotated[MarginBound, Tag("margin")],
    Discriminator(_bound),
]


class Range(Rule):
    """Low and high of some columns in some scenarios; nothing is said of values that are zero."""

    scenarios: Names
    columns: Names
    from_quarter: Quarter | None = None
    to_quarter: Quarter | None = None
    low: End
    high: End
    reason: str


class Evidence(Rule):
    """What a deck's guesses may range over."""

    grade: Grade
    probabilities: str = Field(description="reason of the ranges of probabilities")
    means: str = Field(description="reason of the ranges of market means")
    deciles: str = Field(description="reason of the ranges of deciles")
    deciles_within_frac: float = Field(ge=0)
    deciles_within_least_usd_per_mwh: float = Field(ge=0)
    ranges: Annotated[tuple[Range, ...], Strict(False)] = ()


class DeckRules(Rule):
    """All that a deck is made from."""

    deck: Header
    digits: dict[str, Annotated[int, Field(ge=-9, le=12)]] = Field(
        description="decimals of each column; -3 rounds to thousands"
    )
    network: Network
    machines: MachinePrices
    cases: dict[str, Columns] = Field(min_length=1)
    scenarios: dict[str, ScenarioRule] = Field(min_length=1)
    markets: dict[str, MarketRule] = {}
    evidence: Evidence

    @property
    def quarters(self) -> tuple[Quarter, ...]:
        """The deck's quarters."""
        return tuple(self.deck.first_quarter + t for t in range(self.deck.quarters))

    def stated(self, scenario: str) -> Columns:
        """Columns of a scenario: those of its cases, and its own over them."""
        rule = self.scenarios[scenario]
        taken: Columns = {}
        for case in rule.cases:
            taken |= self.cases[case]
        return taken | rule.own

    def records(self) -> tuple[Scenario, ...]:
        """The scenarios as rows of their table."""
        return tuple(
            Scenario(
                scenario=name,
                branch_from=rule.leaves,
                branch_quarter=rule.at,
                probability=rule.probability,
                source=rule.source,
                grade=rule.grade,
                note=rule.note,
            )
            for name, rule in self.scenarios.items()
        )
