"""Whatever is written into a portfolio, the answer is a plan or findings, never a traceback.

The gate draws 300 cases; `make fuzz` runs 10,000 others.
"""

import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.findings import Finding, InputError
from optimizer.inputs.load import load
from optimizer.inputs.read import read_csv
from optimizer.pipeline import check, plan
from optimizer.solve.options import Options
from tests.inputs import fuzzing

SHARED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)
RANDOM = st.randoms(use_true_random=False)


def cases(number: int) -> settings:
    return settings(max_examples=number, deadline=None, suppress_health_check=SHARED)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder for one case after another."""
    return tmp_path / "case"


def answered(findings: tuple[Finding, ...]) -> None:
    """Each finding has its words."""
    for finding in findings:
        assert finding.code
        assert finding.message
        assert finding.remedy
        assert str(finding).isprintable()


def told(random: Random, place: Path, kind: str, *, built: bool = False) -> None:
    """A case ends in findings, or in a portfolio whose program can be built."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    try:
        loaded = load(fuzzing.case(random, place, kind)[1])
        answered(check(loaded).findings if built else loaded.findings)
    except InputError as refused:
        answered(refused.findings)


@cases(150)
@given(random=RANDOM)
def test_any_row_and_cell_may_be_another(place: Path, random: Random) -> None:
    told(random, place, "rows")


@cases(40)
@given(random=RANDOM)
def test_a_program_is_built_of_what_is_sound(place: Path, random: Random) -> None:
    told(random, place, "rows", built=True)


@cases(60)
@given(random=RANDOM)
def test_any_file_may_hold_any_bytes(place: Path, random: Random) -> None:
    told(random, place, "file")


@cases(50)
@given(random=RANDOM)
def test_any_part_of_a_workbook_may_hold_any_bytes(place: Path, random: Random) -> None:
    told(random, place, "workbook")


@pytest.mark.parametrize("seed", range(6))
def test_spoilt_portfolios_that_are_sound_are_planned(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    base = fuzzing.bases()[random.choice(("portfolios/tiny", "toy: conversion", "toy: project debt"))]
    folder = fuzzing.write(fuzzing.spoilt(random, base), tmp_path / "case")
    try:
        found = plan(folder, options=Options(gap=0.05, time_limit_s=10.0))
        assert found.audit.passed or not found.tables
    except InputError as refused:
        answered(refused.findings)


def test_what_is_spoilt_is_sound_before(tmp_path: Path) -> None:
    for name, base in fuzzing.bases().items():
        folder = fuzzing.write(base, tmp_path / name.replace("/", "-"))
        assert all(f.severity == "warning" for f in load(folder).findings)


@cases(60)
@given(text=st.text(max_size=60))
def test_any_override_may_be_asked(drafted: Any, text: str) -> None:
    answered(drafted().findings(text))


@cases(300)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_finding(data: bytes) -> None:
    table, found = read_csv("sites", "sites.csv", data)
    assert table.rows or found or table.columns
