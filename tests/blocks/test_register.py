"""Every constraint of the program is on the maths page, every one of the page is built, and all bite."""

import re
from importlib import import_module
from pathlib import Path
from typing import get_args

import pyomo.environ as pyo
import pytest

from models.domain.site import Strategy
from tests.blocks.bite import BITE_TIMES, Bite, built, id_of
from tests.portfolios import full, with_company

PAGE = Path(__file__).parents[2] / "docs" / "program.md"


def ids_of_page() -> list[str]:
    """IDs of the table of constraints, in its order."""
    section = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[9]
    assert section.startswith("8. Constraints")
    return re.findall(r"^\| ([A-Z]{3}-\d+) \|", section, flags=re.MULTILINE)


def bites() -> list[Bite]:
    """The bites of every module named test_bite_*."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("test_bite_*.py"))
    return [bite for name in modules for bite in import_module(f"tests.blocks.{name}").BITES]


@pytest.fixture(scope="module", params=BITE_TIMES, ids=[name for name, _ in BITE_TIMES])
def rows_by_id(request: pytest.FixtureRequest) -> dict[str, int]:
    """Rows of each ID in the programs of the portfolio that has everything, under each strategy."""
    rows: dict[str, int] = {}
    for strategy in get_args(Strategy):
        program = built(with_company(full(), strategy=strategy), request.param[1]).program
        for component in program.model.component_objects(pyo.Constraint):
            rows[id_of(component)] = rows.get(id_of(component), 0) + len(component)
    return rows


def test_page_lists_each_id_once() -> None:
    ids = ids_of_page()
    assert len(ids) == len(set(ids)) >= 40


def test_page_and_program_have_the_same_ids(rows_by_id: dict[str, int]) -> None:
    assert set(rows_by_id) == set(ids_of_page())


def test_full_portfolio_has_rows_of_every_id(rows_by_id: dict[str, int]) -> None:
    assert [rule for rule, rows in rows_by_id.items() if not rows] == []


def test_every_id_is_shown_to_bite() -> None:
    assert {bite.rule for bite in bites()} == set(ids_of_page())
