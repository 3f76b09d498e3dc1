"""Whole-process timings and memory of the claims made in the README: medians with minimum and maximum."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "optimizer.cli"]


@dataclass(frozen=True)
class Run:
    """One finished process."""

    wall_s: float
    peak_mb: float
    code: int
    out: str


def run(arguments: Sequence[str]) -> Run:
    """Run a command and read its wall time and peak memory from the operating system."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen(arguments, cwd=ROOT, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return Run(wall, usage.ru_maxrss / 1024.0, process.returncode, out.read().decode())


def measure(name: str, arguments: Sequence[str], *, runs: int, claim: str) -> None:
    """Print one row: wall seconds and peak memory over several runs, and what was proved."""
    done = [run(arguments) for _ in range(runs)]
    walls, peaks = [r.wall_s for r in done], [r.peak_mb for r in done]
    said = ""
    if "--json" in arguments:
        plan = json.loads(done[-1].out)
        gap = plan["objective"]["gap"]
        said = f"{plan['status']}, gap {gap:.3%}" if gap is not None else plan["status"]
    codes = {r.code for r in done}
    memory = f"{statistics.median(peaks):6.0f} ({min(peaks):.0f}-{max(peaks):.0f}) MB"
    print(f"{spread(name, walls)}  {memory}  exit {codes}  {said:<24} {claim}", flush=True)


def spread(name: str, walls: Sequence[float]) -> str:
    """Median with minimum and maximum. [s]"""
    return f"{name:<34} {statistics.median(walls):7.2f} ({min(walls):.2f}-{max(walls):.2f}) s"


READ_AND_BUILD = """
import sys, time
sys.path.insert(0, '.')
from tests.bench.wide import wide_portfolio
from optimizer.inputs.load import load
from models.domain.futures import scenario_chain
from models.params.params import compile_params
from models.blocks.program import build_program
began = time.perf_counter()
loaded = load('data/templates/starter')
portfolio = wide_portfolio(loaded.portfolio, sites=12, quarters=24)
program = build_program(compile_params(portfolio, scenario_chain(portfolio, 'base')))
print(f'{time.perf_counter() - began:.2f}')
"""


def read_and_build(runs: int) -> None:
    """Reading, params and build of 12 sites x 24 quarters, imports apart, in fresh processes."""
    walls = [float(run([sys.executable, "-c", READ_AND_BUILD]).out) for _ in range(runs)]
    print(f"{spread('read, params, build 12 x 24', walls)}{'':>48} under 2 s")


def main() -> None:
    """Measure every claim, cheap ones first."""
    measure("hashshift --help", [*COMMAND, "--help"], runs=5, claim="under 0.5 s")
    read_and_build(runs=5)
    with tempfile.TemporaryDirectory() as folder:

        def plan(*arguments: str) -> list[str]:
            return [*COMMAND, "plan", *arguments, "--json", "--out", f"{folder}/out"]

        measure("plan tiny", plan("tiny"), runs=5, claim="under 2 s")
        measure("plan iren", plan("iren"), runs=3, claim="0.5 % within 120 s, under 1 GB")
        measure("plan iren --tree", plan("iren", "--tree"), runs=1, claim="runs and reports its gap")


if __name__ == "__main__":
    main()
