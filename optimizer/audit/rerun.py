"""The audit of a plan from its files alone: a run folder, or the archive of one."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from models.domain.futures import scenario_chain, scenario_tree
from models.domain.portfolio import TABLES
from models.findings import Finding, InputError
from models.timetree import TimeTree
from optimizer.audit.proof import Claimed
from optimizer.audit.run_files import read_run
from optimizer.audit.verdict import Verdict, audit
from optimizer.audit.written_tables import read_tables
from optimizer.inputs.load import Loaded, load
from optimizer.inputs.read import MANIFEST
from optimizer.plans.certificate import read_certificate
from optimizer.plans.layout import INPUTS, PROOF, RUN

PACKAGE = "hashshift"
TREE = "tree"
"""The scenario of a plan on the tree of all."""
AGAIN = "plan anew with this version"


@dataclass(frozen=True)
class Rerun:
    """What the audit of files found."""

    said: Mapping[str, Any]
    """Of run.json; empty when there is none."""
    verdict: Verdict | None
    """None where the files do not suffice to audit the plan."""
    findings: tuple[Finding, ...]
    """An error says that the run cannot be read, or is not as it was written."""

    @property
    def is_whole(self) -> bool:
        """Whether the files are all there and as they were written."""
        return not any(f.severity == "error" for f in self.findings)

    @property
    def passed(self) -> bool:
        """Whether the plan is good and its files are as they were written."""
        return self.is_whole and self.verdict is not None and self.verdict.passed


def audit_run(place: str | Path) -> Rerun:
    """Audit a plan that was written earlier, by another machine perhaps, from its files alone.

    The portfolio is loaded from the copy in the run, the tables are read from its CSV files, and all is
    rebuilt from the decisions; no solver is needed.

    Parameters
    ----------
    place : str or Path
        A folder that ``hashshift plan --out`` wrote, or a file of ``--bundle``.

    Returns
    -------
    Rerun
        Its findings name files that are missing or changed; whatever can be audited still is.
    """
    run = read_run(Path(place))
    if not run.files:
        return Rerun(run.said, None, run.findings)
    tables, faults = read_tables(run.files)
    findings = [*run.findings, *_other_version(run.said), *faults]
    loaded = _inputs(run.files)
    if isinstance(loaded, InputError):
        return Rerun(run.said, None, (*findings, *(f for f in loaded.findings if f.severity == "error")))
    try:
        tree = _future(loaded, run.said)
        price, aim = float(run.said["value_per_share_usd"]), str(run.said["objective"]["name"])
        proof = run.files.get(PROOF)
        claimed = Claimed.of_run(run.said, None if proof is None else read_certificate(proof))
    except (KeyError, TypeError, ValueError) as trouble:
        why = f"{type(trouble).__name__}: {' '.join(str(trouble).split())[:120]}"
        return Rerun(run.said, None, (*findings, Finding("error", "not-a-run", RUN, "", "", why, AGAIN)))
    verdict = audit(loaded.portfolio, tree, tables, value_per_share_usd=price, objective=aim, claimed=claimed)
    return Rerun(run.said, verdict, tuple(findings))


def _inputs(files: Mapping[str, bytes]) -> Loaded | InputError:
    """The portfolio as it was used."""
    with tempfile.TemporaryDirectory(prefix="hashshift-") as folder:
        for name in (MANIFEST, *(f"{table}.csv" for table in TABLES)):
            if f"{INPUTS}{name}" in files:
                (Path(folder) / name).write_bytes(files[f"{INPUTS}{name}"])
        try:
            return load(folder)
        except InputError as wrong:
            return wrong


def _future(loaded: Loaded, said: Mapping[str, Any]) -> TimeTree:
    """The chain or tree that has the nodes of the plan; ValueError when neither does."""
    scenario, nodes = str(said["scenario"]), [(node["node"], node["probability"]) for node in said["nodes"]]
    if scenario in {s.scenario for s in loaded.portfolio.scenarios}:
        chain = scenario_chain(loaded.portfolio, scenario)
        if nodes == _nodes(chain):
            return chain
    if scenario == TREE:
        tree = scenario_tree(loaded.portfolio)
        if nodes == _nodes(tree):
            return tree
    raise ValueError("its nodes are not those of its inputs")


def _nodes(tree: TimeTree) -> list[tuple[str, float]]:
    return [(tree.label(n), float(tree.probability[n])) for n in tree.nodes]


def _other_version(said: Mapping[str, Any]) -> list[Finding]:
    run = said.get("run")
    versions = run.get("versions") if isinstance(run, dict) else None
    wrote = versions.get(PACKAGE) if isinstance(versions, dict) else None
    here = version(PACKAGE)
    if wrote == here:
        return []
    message = f"{PACKAGE} {wrote or '(unknown)'} has written it, and {here} audits it"
    remedy = f"where the audit objects, audit it with that version, or {AGAIN}"
    return [Finding("warning", "other-version", RUN, "", "", message, remedy)]
