"""A database for each scenario, copied from one that was migrated once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.store import engine as engines
from monitor.store import migrate


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema."""
    path = tmp_path_factory.mktemp("migrated") / "a.db"
    engine = engines.open_engine(f"sqlite:///{path}")
    migrate.ensure(engine)
    engine.dispose()
    return path


@pytest.fixture
def new_database(migrated: Path, tmp_path: Path) -> Callable[[str], str]:
    """Make a database of this name."""

    def make(name: str) -> str:
        shutil.copyfile(migrated, tmp_path / f"{name}.db")
        return f"sqlite:///{tmp_path / name}.db"

    return make


@pytest.fixture
def database(new_database: Callable[[str], str]) -> str:
    """A fresh SQLite database."""
    return new_database("scenario")
