"""The wheel holds what an installation needs and nothing else, and finds it from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from monitor import __version__, lexicons, resources

ROOT = Path(__file__).parent.parent
NEEDED = (
    "monitor/py.typed",
    "alerts/py.typed",
    "monitor/default_config.yaml",
    "monitor/_migrations/env.py",
    "monitor/demo/story.jsonl",
    "monitor/demo/config.yaml",
    "monitor/web/templates/base.html",
    "monitor/web/static/style.css",
    *(f"monitor/{folder}.json" for folder in lexicons.FOLDERS),
)
FOREIGN = ("tests/", "bench/", "docs/", "deploy/", "tools/", "migrations/", "data/", "shared/", ".venv/")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built by hatchling without any network."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> tuple[str, ...]:
    """The paths in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return tuple(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, cwd: Path, *words: str) -> str:
    """Run Python on the unpacked wheel, from another folder."""
    done = subprocess.run(
        [sys.executable, "-P", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_is_called_after_the_version_of_the_code(wheel: Path) -> None:
    assert wheel.name == f"storywatch-{__version__}-py3-none-any.whl"


@pytest.mark.parametrize("path", NEEDED)
def test_the_wheel_holds(names: tuple[str, ...], path: str) -> None:
    assert path in names


def test_every_migration_template_and_module_is_in_the_wheel(names: tuple[str, ...]) -> None:
    here = {
        *(f"monitor/_migrations/versions/{path.name}" for path in (ROOT / "migrations" / "versions").glob("*.py")),
        *(path.relative_to(ROOT).as_posix() for path in (ROOT / "monitor" / "web" / "templates").iterdir()),
        *(
            path.relative_to(ROOT).as_posix()
            for package in ("monitor", "alerts")
            for path in (ROOT / package).rglob("*.py")
        ),
    }
    assert here - set(names) == set()


def test_the_wheel_holds_no_tests_state_or_caches(names: tuple[str, ...]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert tops == {"monitor", "alerts", f"storywatch-{__version__}.dist-info"}
    assert [name for name in names if name.startswith(FOREIGN)] == []
    assert [name for name in names if name.endswith((".pyc", ".db", ".env", ".lock")) or "/test" in name] == []


def test_licence_and_notice_travel_with_the_wheel(names: tuple[str, ...]) -> None:
    licences = {name.rsplit("/", 1)[1] for name in names if "/licenses/" in name}
    assert {"LICENSE", "NOTICE"} <= licences


def test_an_installed_wheel_finds_its_files_from_any_folder(installed: Path, tmp_path: Path) -> None:
    program = "from monitor.resources import resource_path as r; print(r('migrations')); print(r('config.yaml'))"
    migrations, config = run(installed, tmp_path, "-c", program).splitlines()
    assert (Path(migrations), Path(config)) == (
        installed / "monitor" / "_migrations",
        installed / "monitor" / "default_config.yaml",
    )


def test_an_installed_wheel_migrates_a_new_database(installed: Path, tmp_path: Path) -> None:
    assert run(installed, tmp_path, "-m", "monitor", "migrate").startswith("schema ")
    assert (tmp_path / "data" / "storywatch.db").exists()


def test_the_checkout_finds_its_files_too() -> None:
    assert resources.resource_path("migrations") == ROOT / "migrations"
    assert resources.resource_path("config.yaml") == ROOT / "config.yaml"


def test_a_file_that_is_nowhere_names_both_places() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.txt is neither at .* nor at .*"):
        resources.resource_path("nothing.txt")
