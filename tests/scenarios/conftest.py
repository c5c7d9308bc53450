"""A database for each scenario, copied from one that was migrated once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def new_database(sqlite_template: Path, tmp_path: Path) -> Callable[[str], str]:
    """Make a database of this name."""

    def make(name: str) -> str:
        shutil.copyfile(sqlite_template, tmp_path / f"{name}.db")
        return f"sqlite:///{tmp_path / name}.db"

    return make


@pytest.fixture
def database(new_database: Callable[[str], str]) -> str:
    """A fresh SQLite database."""
    return new_database("scenario")
