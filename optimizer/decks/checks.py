"""What the parts of a deck's rules must agree on, and whether the deck they make is sound."""

from collections.abc import Iterable, Iterator

from models.domain.deck import (
    COLUMNS,
    COMPUTED,
    FEES,
    FLAGS,
    OPTIONAL,
    Bound,
    Columns,
    DeckRules,
    Growth,
    MarginBound,
    Nodes,
    Same,
    Spot,
    Steps,
)
from models.domain.portfolio import TABLES, Portfolio
from models.findings import Finding
from models.params.deck import margin_at_one
from models.timetree import Quarter
from optimizer.decks.read import fault
from optimizer.inputs.check import check
from optimizer.inputs.checks.register import listed
from optimizer.inputs.columns import nearest

STATABLE = (*COLUMNS, *OPTIONAL, FEES)
KEYS = {"branch_from": "leaves", "branch_quarter": "at"}
"""What the rules call columns of the table of scenarios."""
DECK_TABLES = ("scenarios", "market", "market_shapes", "provenance")


def rule_faults(file: str, rules: DeckRules) -> list[Finding]:
    """Faults for which no deck can be made."""
    found = [*_names(file, rules), *_tree(file, rules)]
    if not found:
        found = [
            *_dates(file, rules),
            *_columns(file, rules),
            *_machines(file, rules),
            *_evidence(file, rules),
        ]
    return found


def deck_findings(tables: dict[str, tuple[object, ...]]) -> list[Finding]:
    """What the checks of a portfolio say of a deck's tables."""
    return check(_portfolio(tables), frozenset(TABLES) - frozenset(DECK_TABLES))


def _portfolio(tables: dict[str, tuple[object, ...]]) -> Portfolio:
    return Portfolio.model_validate({table: tables.get(table, ()) for table in TABLES})


def _names(file: str, rules: DeckRules) -> Iterator[Finding]:
    """Columns, cases and scenarios that are named exist."""
    for case, columns in rules.cases.items():
        yield from _unknown(file, f"cases.{case}", columns, STATABLE, "column")
    yield from _unknown(file, "digits", rules.digits, (*COLUMNS, *OPTIONAL), "column")
    for name, rule in rules.scenarios.items():
        place = f"scenarios.{name}"
        yield from _unknown(file, f"{place}.cases", rule.cases, tuple(rules.cases), "case")
        yield from _unknown(file, f"{place}.own", rule.own, STATABLE, "column")
    for n, said in enumerate(rules.evidence.ranges):
        place = f"evidence.ranges.{n}"
        yield from _unknown(file, f"{place}.scenarios", said.scenarios, tuple(rules.scenarios), "scenario")
        yield from _unknown(file, f"{place}.columns", said.columns, (*COLUMNS, *OPTIONAL), "column")


def _unknown(
    file: str, place: str, names: Iterable[str], known: tuple[str, ...], what: str
) -> Iterator[Finding]:
    for name in names:
        if name not in known:
            remedy = nearest(name, known, f"known: {listed(known, 30)}")
            yield fault(file, "unknown-name", place, f"there is no {what} '{name}'", remedy)


def _tree(file: str, rules: DeckRules) -> Iterator[Finding]:
    """Scenarios form a tree whose branches lie within the deck, and weights sum to one."""
    tables: dict[str, tuple[object, ...]] = {"scenarios": rules.records()}
    for found in check(_portfolio(tables), frozenset(TABLES) - {"scenarios"}):
        place = f"scenarios.{found.row}.{KEYS.get(found.column, found.column)}"
        yield fault(file, found.code, place, found.message, found.remedy)
    quarters = rules.quarters
    for name, rule in rules.scenarios.items():
        if rule.at is not None and not quarters[0] < rule.at <= quarters[-1]:
            message = f"the deck has {quarters[0]} to {quarters[-1]}"
            yield fault(
                file, "bad-value", f"scenarios.{name}.at", message, f"write {quarters[0] + 1} or later"
            )
    weights = [rule.probability for rule in rules.scenarios.values() if rule.probability is not None]
    if weights and abs(sum(weights) - 1.0) > 1e-6:
        message = f"probabilities sum to {sum(weights):.6g}"
        remedy = "make those of the tree's scenarios sum to 1; leave the others out"
        yield fault(file, "probability-sum", "scenarios", message, remedy)


def _dates(file: str, rules: DeckRules) -> Iterator[Finding]:
    """Notes and ranges are about quarters that the deck has."""
    first, last = rules.quarters[0], rules.quarters[-1]
    begun = [(f"deck.notes.{quarter}", quarter) for quarter in rules.deck.notes]
    for n, said in enumerate(rules.evidence.ranges):
        place, since, to = f"evidence.ranges.{n}", said.from_quarter, said.to_quarter
        begun += [(f"{place}.from_quarter", since)] if since is not None else []
        if to is not None and to < max(first, since or first):
            message = f"nothing lies from {max(first, since or first)} to {to}"
            yield fault(file, "bad-value", f"{place}.to_quarter", message, "write a later quarter")
    for place, at in begun:
        if at > last:
            message = f"the deck ends with {last}"
            yield fault(file, "bad-value", place, message, "write an earlier quarter, or leave it out")


def _columns(file: str, rules: DeckRules) -> Iterator[Finding]:
    """Every scenario has every column once, in a form that gives each quarter a value."""
    for name, rule in rules.scenarios.items():
        place = f"scenarios.{name}"
        said = [column for case in rule.cases for column in rules.cases[case]]
        for column in sorted({c for c in said if said.count(c) > 1} - set(rule.own)):
            both = listed(case for case in rule.cases if column in rules.cases[case])
            remedy = "keep it in one of them, or state it in the scenario's own"
            yield fault(file, "stated-twice", place, f"{column} is in the cases {both}", remedy)
        stated = rules.stated(name)
        if "fee_frac" in stated and FEES in stated:
            message = f"fee_frac and {FEES} say the same thing"
            yield fault(file, "stated-twice", place, message, "keep one of them")
        for column in COLUMNS:
            instead = FEES if column == "fee_frac" else column
            if not {column, instead} & set(stated) and (column not in COMPUTED or column == "fee_frac"):
                remedy = f"state it in {' or '.join(f'cases.{c}' for c in rule.cases)}, or in {place}.own"
                yield fault(file, "missing-column", place, f"no case of it has {instead}", remedy)
    for place, columns in _stated_anywhere(rules):
        for column in columns:
            yield from _path(file, f"{place}.{column}", rules, columns, column)
    for name, rule in rules.scenarios.items():
        yield from _leads_somewhere(file, f"scenarios.{name}", rules.stated(name))
        given = () if rule.leaves is None else (*COLUMNS, *rules.stated(rule.leaves))
        for column, path in rules.stated(name).items():
            if isinstance(path, Growth) and path.start == "trunk" and column not in given:
                message = f"{column} starts from the trunk, which '{name}' does not leave or which lacks it"
                yield fault(file, "no-trunk", f"scenarios.{name}", message, "write the value at the opening")


def _stated_anywhere(rules: DeckRules) -> Iterator[tuple[str, Columns]]:
    for case, columns in rules.cases.items():
        yield f"cases.{case}", columns
    for name, rule in rules.scenarios.items():
        yield f"scenarios.{name}.own", rule.own


def _path(file: str, place: str, rules: DeckRules, columns: Columns, column: str) -> Iterator[Finding]:
    """One path: flags are true or false, rates begin with the deck, logarithms have positive numbers."""
    path, first = columns[column], rules.quarters[0]
    values = list(path.steps.values()) if isinstance(path, Steps) else [path]
    flags = [isinstance(value, bool) for value in values]
    if (column in FLAGS) != all(flags) or (column not in FLAGS and any(flags)):
        wanted = "true or false" if column in FLAGS else "a number"
        yield fault(file, "bad-value", place, f"{column} is {wanted} in each quarter", f"write {wanted}")
    for key, dated in _dated(path):
        if min(dated) > first:
            message = f"it begins with {min(dated)}, the deck with {first}"
            yield fault(file, "begins-late", f"{place}.{key}", message, f"say what holds from {first} on")
    if isinstance(path, Growth | Spot):
        rates = path.growth if isinstance(path, Growth) else path.drift
        for quarter, rate in rates.items():
            if rate <= -1.0:
                remedy = "a yearly fraction above -1, such as -0.1"
                yield fault(file, "bad-value", f"{place}.{quarter}", f"{rate:g} leaves nothing", remedy)
    if isinstance(path, Nodes) and path.between == "geometric" and min(path.nodes.values()) <= 0.0:
        message = "a geometric line needs nodes above zero"
        yield fault(file, "bad-value", f"{place}.nodes", message, "raise them, or write between = 'linear'")


def _dated(path: object) -> Iterator[tuple[str, Iterable[Quarter]]]:
    if isinstance(path, Growth):
        yield "growth", path.growth
    if isinstance(path, Spot):
        yield "drift", path.drift
    if isinstance(path, Steps):
        yield "steps", path.steps


def _leads_somewhere(file: str, place: str, stated: Columns) -> Iterator[Finding]:
    """What is the same as another column leads to one that is stated, and not in a circle."""
    for column, path in stated.items():
        seen = [column]
        while isinstance(path, Same):
            if path.same_as not in stated or path.same_as in seen:
                known = [c for c in stated if c not in seen]
                message = f"{column} is the same as {' as '.join([*seen[1:], path.same_as])}"
                remedy = nearest(path.same_as, known, f"name a column that is stated: {listed(known, 30)}")
                yield fault(file, "unknown-name", place, message, remedy)
                break
            seen.append(path.same_as)
            path = stated[path.same_as]


def _machines(file: str, rules: DeckRules) -> Iterator[Finding]:
    """Machine prices are measured by a margin that is one."""
    margin = margin_at_one(rules.machines)
    if margin <= 0.0:
        message = f"a machine earns {margin:.2f} $/TH a year at it, above its power"
        remedy = "raise it, or lower j_per_th or power_usd_per_mwh"
        yield fault(file, "bad-value", "machines.hashprice_usd_per_ph_day", message, remedy)


def _evidence(file: str, rules: DeckRules) -> Iterator[Finding]:
    """Ranges refer to scenarios that exist, and margins to machine prices."""
    known = tuple(rules.scenarios)
    for n, said in enumerate(rules.evidence.ranges):
        for key, end in (("low", said.low), ("high", said.high)):
            place = f"evidence.ranges.{n}.{key}"
            if isinstance(end, Bound) and end.of is not None:
                yield from _unknown(file, f"{place}.of", (end.of,), known, "scenario")
            if isinstance(end, MarginBound):
                yield from _unknown(file, place, (end.hashprice_of, end.power_of), known, "scenario")
                if set(said.columns) != {"resale_idx"}:
                    message = "only resale_idx follows a margin"
                    yield fault(file, "bad-value", place, message, "give it a range of its own")
        for flag in set(said.columns) & set(FLAGS):
            message = f"{flag} is true or false"
            yield fault(file, "bad-value", f"evidence.ranges.{n}.columns", message, "leave it out")
        named = {*said.scenarios, *(e.of for e in (said.low, said.high) if isinstance(e, Bound) and e.of)}
        for column in set(said.columns) & set(OPTIONAL):
            without = [x for x in sorted(named & set(known)) if column not in rules.stated(x)]
            if without:
                message = f"{without[0]} states no {column}"
                yield fault(
                    file, "bad-value", f"evidence.ranges.{n}.columns", message, "state it, or leave it out"
                )
