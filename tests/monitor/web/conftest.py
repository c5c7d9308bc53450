"""Fixtures of the page's tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from monitor.store import engine as engines
from tests.monitor.web.site import ROWS, filled


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a database that is copied for each test."""
    folder = tmp_path_factory.mktemp("site")
    filled(folder, ROWS).dispose()
    return folder


@pytest.fixture
def site(template: Path, tmp_path: Path) -> Iterator[Engine]:
    """A database that a replay of our rows has filled."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    opened = engines.open_engine(f"sqlite:///{tmp_path / 'replay.db'}")
    yield opened
    opened.dispose()
