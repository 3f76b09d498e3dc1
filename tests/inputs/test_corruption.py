"""Whatever is written into a portfolio, the answer is a portfolio or findings, never a traceback."""

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.findings import InputError
from optimizer.inputs.load import load
from optimizer.inputs.read import read_csv

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = """
x 0 -1 1e308 -1e308 1e-320 nan inf 1e12 400 2199Q4 2000Q1 2027Q2 true base bear alpha beta;alpha a|b # " all
atm offer committed merchant colo spot 99999999999999999999999999999999999999
"""
NASTY = st.sampled_from([*WORDS.split(), "", "\n", "\u2028", "\x1b[2J"])
CELLS = st.one_of(NASTY, st.text(max_size=6), st.floats(width=32).map(str), st.integers().map(str))


def answers(draft: Any, *overrides: str) -> None:
    """Findings or a portfolio; each finding has its words."""
    for finding in draft.findings(*overrides):
        assert finding.code
        assert finding.message
        assert finding.remedy
        assert str(finding).isprintable()


@FEW
@given(data=st.data())
def test_any_cell_may_hold_anything(drafted: Any, data: st.DataObject) -> None:
    draft = drafted()
    for _ in range(data.draw(st.integers(1, 3))):
        table = data.draw(st.sampled_from(sorted(draft.tables)))
        row = data.draw(st.sampled_from(draft.tables[table]))
        row[data.draw(st.sampled_from(sorted(row)))] = (
            data.draw(CELLS).replace("\0", "").encode(errors="replace").decode()
        )
    answers(draft)


@FEW
@given(data=st.data())
def test_any_table_may_lose_rows(drafted: Any, data: st.DataObject) -> None:
    draft = drafted()
    for table in data.draw(st.sets(st.sampled_from(sorted(draft.tables)), min_size=1, max_size=4)):
        draft.tables[table] = draft.tables[table][: data.draw(st.integers(0, 1))]
    answers(draft)


@FEW
@given(text=st.text(max_size=60))
def test_any_override_may_be_asked(drafted: Any, text: str) -> None:
    answers(drafted(), text)


@FEW
@given(data=st.data())
def test_any_file_may_hold_any_bytes(drafted: Any, data: st.DataObject) -> None:
    folder: Path = drafted().write()
    file = data.draw(st.sampled_from(sorted(p.name for p in folder.iterdir())))
    content = (folder / file).read_bytes()
    at = data.draw(st.integers(0, len(content)))
    (folder / file).write_bytes(content[:at] + data.draw(st.binary(max_size=20)) + content[at + 3 :])
    try:
        load(str(folder))
    except InputError:
        return


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_finding(data: bytes) -> None:
    table, found = read_csv("sites", "sites.csv", data)
    assert table.rows or found or table.columns
