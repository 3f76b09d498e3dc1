"""An audit bundle: one archive that holds a plan, what it was made from, and how to make it again."""

import io
import shlex
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from optimizer.plans.layout import INPUTS, KEPT, LOG, MODEL, README, RUN
from optimizer.plans.plan import Plan
from optimizer.plans.store import ASIDE, contents

ENDING = ".zip"
MADE = (1980, 1, 1, 0, 0, 0)
"""Stands in the archive as the time at which each file was made: the same files give the same bytes."""
FILE_MODE = 0o100644 << 16
UNIX = 3


def bundle_ending(file: Path) -> None:
    """ValueError for a name that is not that of an archive."""
    if file.suffix.lower() != ENDING:
        raise ValueError(f"'{file.name:.120}' does not end in {ENDING}")


def write_bundle(plan: Plan, file: Path, model: bytes) -> None:
    """Write the archive beside its place, and put it there when it is whole; OSError when that fails."""
    files = contents(plan, {README: readme(plan).encode("utf-8", errors="replace"), MODEL: model})
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files, key=lambda name: (name not in (README, RUN), name)):
            entry = zipfile.ZipInfo(name, MADE)
            entry.external_attr, entry.create_system = FILE_MODE, UNIX
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED)
    with tempfile.TemporaryDirectory(prefix=ASIDE, dir=file.absolute().parent) as aside:
        made = Path(aside) / "made"
        made.write_bytes(data.getvalue())
        made.replace(file)


def readme(plan: Plan) -> str:
    """What the bundle holds, and the commands that audit the plan and make it again."""
    versions = plan.run.get("versions")
    made_by = ", ".join(f"{k} {v}" for k, v in versions.items()) if isinstance(versions, Mapping) else ""
    holds = {
        RUN: "status, objective, bound, gap, options, versions, verdict, SHA-256 of every other file",
        INPUTS: "the portfolio as it was used: it needs no catalogue",
        **({KEPT: "decisions of an earlier plan that this one keeps"} if _kept(plan) else {}),
        "*.csv": "the tables of the plan, with all digits; *.parquet and plan.xlsx say the same",
        MODEL: "the program at the lambda of its first line, minimised",
        **({LOG: "what the solver said"} if plan.log else {}),
    }
    widest = max(map(len, holds))
    return "\n".join(
        (
            f"{plan.title} ({plan.name}), as of {plan.as_of}, scenario {plan.scenario}",
            f"{plan.status}: {plan.objective} {plan.value:.6g}, bound {plan.bound:.6g}, gap {plan.gap:.4%}",
            f"Audit: {'passed' if plan.audit.passed else 'FAILED'}, {plan.audit.checks} checks",
            f"Made by {made_by}",
            "",
            "Make the plan again, unpacked (the same tables to the byte where it ended by its gap):",
            f"    {command(plan)}",
            "Audit it again, from these files alone:",
            "    hashshift audit FILE.zip",
            "",
            *(f"{name:{widest}}  {what}" for name, what in holds.items()),
            "",
        )
    )


def command(plan: Plan) -> str:
    """The command that makes the plan again from the copy of its inputs."""
    options = plan.run.get("options")
    said = dict(options) if isinstance(options, Mapping) else {}
    if said.get("keep_decisions"):
        said["keep_decisions"] = KEPT.rstrip("/")
    words = ["hashshift", "plan", INPUTS.rstrip("/")]
    words += ["--tree"] if plan.scenario == "tree" else ["--scenario", plan.scenario]
    for name, value in said.items():
        if value != "":
            words += [f"--{name.removesuffix('_s').replace('_', '-')}", str(value)]
    return shlex.join([*words, "--out", "again"])


def _kept(plan: Plan) -> bool:
    return any(name.startswith(KEPT) for name in plan.inputs)
