"""Decides and shows: reads a portfolio, finds the plan worth most per share, audits and reports it."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.conflicts.explain import explain as explain
    from optimizer.pipeline import audit_run as audit_run
    from optimizer.pipeline import load as load
    from optimizer.pipeline import plan as plan
else:

    def __getattr__(name: str) -> object:
        if name in __all__:
            home = "optimizer.conflicts.explain" if name == "explain" else "optimizer.pipeline"
            return getattr(import_module(home), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["audit_run", "explain", "load", "plan"]


def _refuse_foreign_models() -> None:
    """Stop when `import models` would find a user's own package and not the one beside this one."""
    ours = (Path(__file__).parent.parent / "models").resolve()
    spec = find_spec("models")
    if spec is None:
        return  # a broken installation: the first import of models says so itself
    found = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
    where = Path(found).resolve()
    if where.name == "__init__.py":
        where = where.parent
    if where != ours:
        raise ImportError(
            f"{where} hides hashshift's own package 'models' ({ours}): "
            "rename it, or run the script from another folder",
            name="models",
            path=str(where),
        )


_refuse_foreign_models()
