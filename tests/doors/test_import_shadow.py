"""A user's own `models` beside a script is refused by name; in the working directory it does no harm."""

import subprocess
import sys
from pathlib import Path

import pytest

SHADOWS = {
    "package": "models/__init__.py",
    "plain folder": "models/notes.txt",
    "module": "models.py",
}


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)


def put(folder: Path, file: str) -> Path:
    """Write an empty file, and return what of it stands in the folder itself."""
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).touch()
    return folder / Path(file).parts[0]


@pytest.mark.parametrize("file", SHADOWS.values(), ids=SHADOWS)
def test_a_foreign_models_beside_a_script_is_named(tmp_path: Path, file: str) -> None:
    foreign = put(tmp_path, file)
    (tmp_path / "script.py").write_text("import optimizer\n")
    done = run(sys.executable, "script.py", cwd=tmp_path)
    assert done.returncode == 1
    assert f"ImportError: {foreign.resolve()} hides hashshift's own package 'models'" in done.stderr


def test_a_foreign_models_already_imported_is_named(tmp_path: Path) -> None:
    foreign = put(tmp_path, SHADOWS["package"])
    (tmp_path / "script.py").write_text("import models\nimport optimizer\n")
    done = run(sys.executable, "script.py", cwd=tmp_path)
    assert f"ImportError: {foreign.resolve()} hides" in done.stderr


def test_without_a_foreign_models_the_script_runs(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import optimizer, models; print(optimizer.__doc__ and models.__doc__)\n"
    )
    done = run(sys.executable, "script.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_in_the_working_directory_the_command_does_not_mind(tmp_path: Path) -> None:
    put(tmp_path, SHADOWS["package"])
    done = run(str(Path(sys.executable).with_name("hashshift")), "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_the_package_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = "{'highspy', 'numpy', 'pandas', 'pyarrow', 'pydantic', 'pyomo', 'rich', 'scipy', 'typer'}"
    done = run(
        sys.executable, "-c", f"import optimizer, sys; print({heavy} & set(sys.modules))", cwd=tmp_path
    )
    assert done.stdout == "set()\n"


def test_no_part_of_the_package_takes_a_name_of_the_api() -> None:
    """A sub-package `optimizer.plan` would replace the function `plan` as soon as it is imported."""
    import optimizer

    parts = {entry.stem for entry in Path(optimizer.__file__).parent.iterdir()}
    assert not parts & set(optimizer.__all__)
