"""The auditor does not read the program's homework: nothing of it is even loaded."""

import subprocess
import sys

FORBIDDEN = (
    "pyomo", "highspy", "models.blocks", "models.params", "models.formulas", "optimizer.solve",
    "optimizer.pipeline",
)  # fmt: skip

SCRIPT = """
import pkgutil, sys
from importlib import import_module
import optimizer.audit
for module in pkgutil.iter_modules(optimizer.audit.__path__, "optimizer.audit."):
    import_module(module.name)
print("\\n".join(sys.modules))
"""


def test_nothing_of_the_program_is_loaded() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "optimizer.audit.verdict" in loaded
    assert not {name for name in loaded for part in FORBIDDEN if name == part or name.startswith(part + ".")}
