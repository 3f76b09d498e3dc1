"""Two processes that plan the same to the same gap write the same bytes, whatever the hash seed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.shipped import data_folder

STARTER = str(data_folder() / "templates" / "starter")
OF_TIME = {"run.json", "solver.log"}
"""Files that say how long something took."""


def written(place: Path, hash_seed: str, *asked: str) -> dict[str, bytes]:
    """Files of a plan made in a fresh process, by their place."""
    command = [sys.executable, "-m", "optimizer.cli", "plan", *asked, "--out", str(place)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    files = (file for file in place.rglob("*") if file.is_file())
    return {str(file.relative_to(place)): file.read_bytes() for file in files}


@pytest.mark.parametrize("asked", [("tiny",), (STARTER, "--gap", "0.02", "--tree")], ids=["tiny", "starter"])
def test_the_same_plan_twice_is_the_same_to_the_byte(asked: tuple[str, ...], tmp_path: Path) -> None:
    one, two = (written(tmp_path / seed, seed, *asked) for seed in ("1", "2"))
    assert one.keys() == two.keys()
    assert {name for name in one if one[name] != two[name]} <= OF_TIME
    assert sum(name.endswith(".csv") for name in one) > 20
    assert sum(name.endswith(".parquet") for name in one) > 20
    said = [json.loads(files["run.json"]) for files in (one, two)]
    for run in said:
        assert run["status"] == "optimal"
        assert run.pop("seconds").keys() == {"read", "build", "solve", "audit", "total"}
        run["sha256"].pop("solver.log")
    assert said[0] == said[1]
