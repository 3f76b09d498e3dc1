"""The built wheel, in a clean environment, is the same command with the shipped portfolios in it."""

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as a release makes it, by way of the source archive; built aside from the checkout."""
    source = tmp_path_factory.mktemp("source") / "hashshift"
    not_source = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "dist", "runs")
    shutil.copytree(CHECKOUT, source, ignore=not_source)
    run(sys.executable, "-m", "build", "--no-isolation", cwd=source)
    (built,) = source.glob("dist/*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh environment that holds the wheel and, by path, this environment's dependencies."""
    home = tmp_path_factory.mktemp("clean")
    venv.create(home, symlinks=True)
    scheme = sysconfig.get_preferred_scheme("prefix"), {"base": str(home), "platbase": str(home)}
    packages = Path(sysconfig.get_path("purelib", scheme[0], vars=scheme[1]))
    # A .pth adds the folder but not its own .pth files: the editable checkout stays out of sight.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", str(home)]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", str(wheel), cwd=home)
    return Path(sysconfig.get_path("scripts", scheme[0], vars=scheme[1]))


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_carries_all_data_and_nothing_else_besides_code(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    data = {name.removeprefix("optimizer/_data/") for name in names if name.startswith("optimizer/_data/")}
    folder = CHECKOUT / "data"
    assert data == {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert not [name for name in data if name.endswith(".py")]
    code = {name for name in names if not name.startswith("optimizer/_data/")}
    assert {name.split("/")[0] for name in code} == {"models", "optimizer"}


def test_the_package_is_the_one_installed(installed: Path, tmp_path: Path) -> None:
    show = "import optimizer.shipped as s; print(s.__file__); print(s.data_folder())"
    file, data = run(str(installed / "python"), "-c", show, cwd=tmp_path).splitlines()
    assert Path(file).is_relative_to(installed.parent)
    assert data == str(Path(file).with_name("_data"))


def test_shipped_portfolios_are_found_by_name_from_any_folder(installed: Path, tmp_path: Path) -> None:
    run(str(installed / "hashshift"), "check", "tiny", cwd=tmp_path)
    assert not list(tmp_path.iterdir())
