"""The README of `tiny` prints the numbers of the calculation by hand, and its inputs."""

import re

import pytest

from models.domain.portfolio import TABLES
from optimizer.inputs.load import load
from tests.golden.tiny_by_hand import (
    ATM_NET,
    CANDIDATES,
    FLOOR,
    GREATEST,
    NOTE_NET,
    NOTHING,
    PER_SHARE,
    SPEND,
    TINY,
    Loan,
    tables,
)

README = TINY / "README.md"
Rows = dict[str, list[str]]


def read_tables() -> dict[str, Rows]:
    """The README's tables: cells after the first, by heading and first cell."""
    found: dict[str, Rows] = {}
    heading = ""
    for line in README.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|") and not line.startswith(("| |", "|-")):
            inner = re.split(r"(?<!\\)\|", line)[1:-1]
            label, *cells = [cell.strip().replace("\\|", "|") for cell in inner]
            assert label not in found.setdefault(heading, {}), f"{heading}: {label} stands twice"
            found[heading][label] = cells
    return found


ARITHMETIC = re.compile(r"[-+/().\dx^ ]+")


def reckoned(text: str) -> float:
    """A sum as the README writes it: x for times, ^ for to the power of."""
    assert ARITHMETIC.fullmatch(text), text
    return float(eval(text.replace("x", "*").replace("^", "**")))


INPUTS = "The numbers chosen"


@pytest.fixture(scope="module")
def printed() -> dict[str, Rows]:
    return read_tables()


def test_the_readme_has_these_tables_and_no_others(printed: dict[str, Rows]) -> None:
    assert set(printed) == {INPUTS, *tables()}


@pytest.mark.parametrize("heading", tables())
def test_the_readme_prints_the_hand_calculation(printed: dict[str, Rows], heading: str) -> None:
    wanted, rows = tables()[heading], printed[heading]
    assert list(rows) == list(wanted)
    for label, numbers in wanted.items():
        how, cells = rows[label][: -len(numbers)], rows[label][-len(numbers) :]
        for cell, number in zip(cells, numbers, strict=True):
            decimals = len(cell.partition(".")[2])
            assert decimals == 4 or float(cell) == pytest.approx(number, abs=1e-12), f"{label}: {cell}"
            assert float(cell) == pytest.approx(number, rel=0, abs=0.5 * 10**-decimals + 1e-9), (
                f"{label}: {cell}"
            )
        for text in how:
            assert reckoned(text) == pytest.approx(float(cells[0]), rel=5e-4, abs=2e-4), f"{label}: {text}"


def test_the_readme_states_the_inputs(printed: dict[str, Rows]) -> None:
    """Its cells are those of the tables."""
    portfolio = load(TINY).portfolio
    for label, (stated, where) in printed[INPUTS].items():
        for place in where.split(", "):
            match = re.fullmatch(r"`(\w+)\[(.+)\]\.(\w+)`", place)
            assert match, f"{label}: {place}"
            table, key, column = match.groups()
            rows = {"|".join(str(getattr(r, k)) for k in r.key): r for r in getattr(portfolio, table)}
            held = getattr(rows[key], column)
            if isinstance(held, bool | str) or not isinstance(held, int | float):
                assert str(held).lower() == stated.lower(), f"{label}: {place}"
            else:
                assert held == float(stated), f"{label}: {place}"


def test_no_input_is_a_guess() -> None:
    loaded = load(TINY)
    assert loaded.guesses == 0
    assert not loaded.findings
    for table in TABLES:
        for row in getattr(loaded.portfolio, table):
            assert (row.source, row.grade) == ("chosen for the example", "D")


def test_candidates_keep_the_rules() -> None:
    """Cash above the floor at each quarter end, amounts within their limits, uses for all that is raised."""
    for c in CANDIDATES.values():
        assert min(c.cash) > FLOOR - 1e-9
        assert c.note == 0.0 or 5.0 <= c.note <= 10.0
        assert c.atm <= 16.0
        own = [
            n - d
            for n, d in zip((c.modules * x for x in SPEND), (c.financed * x for x in Loan.draws), strict=True)
        ]
        assert NOTE_NET * c.note <= own[0] + 1.4 + own[1] + 3 * 1.4
        assert ATM_NET * c.atm <= own[1] + 1.4


def test_loan_is_sized_by_cost_and_its_escrow_leaves_the_reserve() -> None:
    assert Loan.by_cost < Loan.cover
    assert Loan.left == pytest.approx(Loan.reserve)
    assert Loan.service == pytest.approx(Loan.loan * Loan.reserve_frac)


def test_the_best_per_share_is_not_the_best_in_value() -> None:
    assert max(CANDIDATES.values(), key=lambda c: c.per_share) is PER_SHARE
    assert max(CANDIDATES.values(), key=lambda c: c.as_debt) is GREATEST
    assert GREATEST.per_share < NOTHING.per_share
